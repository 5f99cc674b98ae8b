"""The same run on 1, 2 and 3 ranks: the same steps, the same numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.mpirun import mpirun
from tests.vv import claim

pytestmark = pytest.mark.mpi

RUN = """
import json, sys
import numpy as np
from tests.crystals import crystal, sized
import nmcsim
from nmcsim.runtime import MPI

case = crystal(
    f'physics.surface = "{sys.argv[1]}"',
    'physics.rock_salt.flux_ratio = 0.1',
    'protocol.steps = ["Charge at 1C for 200 s", "Discharge at C/2 for 100 s"]',
    'numerics.steps_per_phase = 5',
    'numerics.rtol = 1e-3',
    'output.points = {a = ["0.3 um", "0.2 um"], b = ["-1 um", "0.1 um"]}',
    *sized(0.25),
)
result = nmcsim.simulate(case, out=sys.argv[2], comm=MPI.COMM_WORLD, mesh_cache=sys.argv[3])
if MPI.COMM_WORLD.rank == 0:
    rows = {name: column.values.tolist() for name, column in result.history.items()}
    rows["points"] = result.points.theta.ravel().tolist()
    rows["map"] = np.asarray(result.map.theta, dtype=float).ravel().tolist()
    rows["surface"] = np.asarray(result.surface.theta, dtype=float).ravel().tolist()
    print(json.dumps({"rows": rows, "counts": result.summary["counts"],
                      "unknowns": result.provenance["unknowns"]}))
"""


@pytest.mark.parametrize("surface", ["flux", "butler_volmer"])
def test_one_two_and_three_ranks_give_the_same_history(tmp_path: Path, surface: str) -> None:
    alone, *others = (
        json.loads(
            mpirun(
                n, ["-c", RUN, surface, str(tmp_path / f"{n}"), str(tmp_path / "mesh")], timeout=300
            ).stdout
        )
        for n in (1, 2, 3)
    )
    worst, drift = 0.0, 0.0
    for other in others:
        assert other["counts"] == alone["counts"]
        assert other["unknowns"] == alone["unknowns"]
        assert other["rows"].keys() == alone["rows"].keys()
        for name, values in alone["rows"].items():
            mine, yours = np.array(values, float), np.array(other["rows"][name], float)
            assert mine.shape == yours.shape
            assert (np.isnan(mine) == np.isnan(yours)).all(), name
            gap = float(np.nanmax(np.abs(yours - mine), initial=0.0))
            if name == "lithium_drift":  # round-off itself
                drift = max(drift, gap)
            elif name != "map":
                worst = max(worst, gap / max(float(np.nanmax(np.abs(mine))), 1e-30))
            else:
                assert gap < 1e-6  # kept in single precision
    case = f"1, 2 and 3 ranks, {surface}"
    claim("invariants", case, "all columns of the history, relative", worst, below=1e-10)
    assert drift < 1e-12


WORLD = """
import json
import numpy as np
from tests.crystals import crystal, sized
import nmcsim.mesh
from nmcsim.observe.layout import Layout
from nmcsim.observe.reductions import Extremes, Weighted
from nmcsim.observe.view import Probe
from nmcsim.solve.fields import Unknown
from nmcsim.runtime import MPI

comm = MPI.COMM_WORLD
case = crystal(*sized(0.3))
mesh = nmcsim.mesh.build(case.geometry, case.patches, comm)
theta = Unknown("theta", "theta", "1", mesh.lagrange(2))
layout = Layout.of(theta)
x = theta.space.tabulate_dof_coordinates()[: theta.owned] * 1e6
own = x[:, 0] + 2.0 * x[:, 1] ** 2
nodal = layout.gather(own)
back = layout.scatter(nodal if comm.rank == 0 else None)
assert (nodal is None) == (comm.rank != 0)
assert np.array_equal(back, own)
probe = Probe(theta, slice(0, theta.owned), np.array([[3e-7, 2e-7, 0], [-1e-6, 0, 0], [9.0, 0, 0]]))
extremes = Extremes(theta, slice(0, theta.owned))
bare = Weighted.of(theta, lambda f: f * mesh.ds("bare"))
found = {
    "probe": probe(own), "least": extremes.least(own), "largest": extremes.largest(own),
    "total": bare.total, "mean": bare.mean(np.exp, own), "of": bare.of_state(own),
}
if comm.rank == 0:
    there = layout.nodes * 1e6
    assert np.allclose(nodal, there[:, 0] + 2.0 * there[:, 1] ** 2, atol=1e-12)
    print(json.dumps(found | {"nodes": layout.nodes.tolist(), "cells": layout.cells.tolist()}))
"""


def test_layout_probe_and_means_do_not_depend_on_the_partition() -> None:
    alone, *others = (json.loads(mpirun(n, WORLD, timeout=300).stdout) for n in (1, 2, 3))
    # 0.3 + 2 * 0.2^2, -1, and nowhere: P2 holds a quadratic exactly but for the curved cells
    assert alone["probe"][:2] == pytest.approx([0.38, -1.0], abs=1e-4)
    assert np.isnan(alone["probe"][2])
    for other in others:
        assert np.allclose(other["nodes"], alone["nodes"], rtol=0.0, atol=1e-20)
        assert other["cells"] == alone["cells"]
        for name in ("probe", "least", "largest", "total", "mean", "of"):
            assert other[name] == pytest.approx(alone[name], rel=1e-12, nan_ok=True), name
