"""Meshes on 1, 2 and 3 ranks: the same measures, and errors that arrive everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mpirun import mpirun

pytestmark = pytest.mark.mpi

MEASURES = """
import json, sys
from pathlib import Path
import nmcsim.mesh
from nmcsim.case.shape import shape
from nmcsim.runtime import MPI
from dolfinx import fem
import ufl

comm, found = MPI.COMM_WORLD, {}
for name in ("disk", "cylinder", "polygon"):
    particle = shape(name)(diameter="2.5 um", height="1 um").scaled(1.5)
    mesh = nmcsim.mesh.build(particle, ((0.1, 0.35), (0.8, 1.05)), comm, Path(sys.argv[1]))
    for place in (*mesh.regions, *mesh.surfaces):
        found[f"{name} {place}"] = mesh.measure(place)
    x = ufl.SpatialCoordinate(mesh.domain)
    form = fem.form(x[0] ** 2 * mesh.ds("rock_salt"))
    found[f"{name} moment"] = comm.allreduce(fem.assemble_scalar(form))
    quality = mesh.quality()
    found[f"{name} quality"] = [quality.cells, quality.nodes, quality.sicn, quality.largest]
    number = fem.Function(mesh.real())
    number.x.array[:] = 2.0
    form = fem.form(number * mesh.dx("crystal"))
    found[f"{name} real"] = comm.allreduce(fem.assemble_scalar(form)) / mesh.measure("crystal")
    nmcsim.mesh.picture(mesh, Path(sys.argv[1]) / f"{name}-{comm.size}.png")
if comm.rank == 0:
    print(json.dumps(found))
"""


def test_one_two_and_three_ranks_measure_the_same(tmp_path: Path) -> None:
    alone, *others = (
        json.loads(mpirun(n, ["-c", MEASURES, str(tmp_path)], timeout=300).stdout)
        for n in (1, 2, 3)
    )
    assert alone["disk real"] == pytest.approx(2.0, rel=1e-12)
    for other in others:
        assert other.keys() == alone.keys()
        for key, value in alone.items():
            assert other[key] == pytest.approx(value, rel=1e-12), key  # order of summation
    assert len(list(tmp_path.glob("*.msh"))) == 3
    assert len(list(tmp_path.glob("*.png"))) == 9


ERRORS = """
import sys
from pathlib import Path
import nmcsim.mesh
from nmcsim.case.shape import shape
from nmcsim.errors import NmcsimError
from nmcsim.runtime import MPI

disk = shape("disk")(diameter="2.5 um", height="1 um").scaled(3.0)
{trouble}
try:
    nmcsim.mesh.build(disk, (), MPI.COMM_WORLD, Path(sys.argv[1]) / "cache")
except NmcsimError as error:
    print(f"rank {{MPI.COMM_WORLD.rank}}: {{error}}\\n", end="")
"""


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ("type(disk).build = lambda *_: 1 / 0", "gmsh says: division by zero"),
        ("Path(sys.argv[1], 'cache').touch()", "cannot be written"),
        (
            "from nmcsim.mesh import builder\nbuilder.mesh_file = lambda *_: Path('nowhere.msh')",
            "the mesh nowhere.msh cannot be read",
        ),
    ],
    ids=["gmsh fails", "no cache", "no file"],
)
def test_an_error_on_one_rank_is_raised_on_all(tmp_path: Path, trouble: str, sentence: str) -> None:
    done = mpirun(3, ["-c", ERRORS.format(trouble=trouble), str(tmp_path)])
    said = done.stdout.splitlines()
    assert sorted(line[:7] for line in said) == ["rank 0:", "rank 1:", "rank 2:"]
    assert all(sentence in line for line in said)
