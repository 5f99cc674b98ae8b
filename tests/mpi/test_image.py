"""Geometries from images and ready-made meshes, solved on 1, 2 and 3 ranks: the same numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mpirun import ROOT, mpirun

pytestmark = [pytest.mark.mpi, pytest.mark.slow]

SOLVED = """
import json, sys
from pathlib import Path
import nmcsim, nmcsim.mesh
from nmcsim.mesh.interchange import export
from nmcsim.runtime import MPI

folder, cases, comm = Path(sys.argv[1]), Path(sys.argv[2]), MPI.COMM_WORLD
found = {}
for name, step in (("crystal_image", "Charge at 1C for 4 min"),
                   ("electrode_image", "Charge at C/5 for 10 min")):
    case = nmcsim.load(cases / f"{name}.toml").coarse().replace("protocol.steps", [step])
    out = folder / f"{name}-{comm.size}"
    result = nmcsim.simulate(case, out=out, comm=comm, mesh_cache=folder)
    found[name] = [float(result[k].values[-1]) for k in ("voltage", "charge", "theta_max")]
    mesh = nmcsim.mesh.build(case.geometry, getattr(case, "patches", ()), comm, folder)
    export(mesh, folder / f"{name}-{comm.size}.vtu")
if comm.rank == 0:
    print("found", json.dumps(found))
"""


def test_one_two_and_three_ranks_agree(tmp_path: Path) -> None:
    said = {}
    for n in (1, 2, 3):
        out = mpirun(n, ["-c", SOLVED, str(tmp_path), str(ROOT / "cases")], timeout=400).stdout
        said[n] = json.loads(out.split("found ", 1)[1])
    for n in (2, 3):
        for name, numbers in said[1].items():
            # step sizes follow errors that are sums over ranks: rounding, not the equations
            assert said[n][name] == pytest.approx(numbers, rel=1e-6)
            assert (tmp_path / f"{name}-{n}.vtu").read_bytes() == (
                tmp_path / f"{name}-1.vtu"
            ).read_bytes()
