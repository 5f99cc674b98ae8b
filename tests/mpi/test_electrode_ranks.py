"""An electrode on 1, 2 and 3 ranks: the same steps, the same numbers, wherever the borders are."""

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
import nmcsim, nmcsim.mesh
from nmcsim.runtime import MPI
from tests.electrodes import PAIR, SLAB, electrode

shapes = {
    "pair": PAIR,
    # so long that, of three ranks, the middle one has nothing but liquid
    "slab": dict(SLAB) | {"heights": ["2 um", "60 um"], "up": [6, 60], "across": [2]},
}
comm = MPI.COMM_WORLD
case = electrode(
    geometry=shapes[sys.argv[1]],
    protocol={"capacity": "200 mAh/g", "initial": 0.9,
              "steps": ["Charge at 1C for 20 s", "Hold at 3.75 V for 5 s"]},
    numerics={"rtol": 1e-2, "steps_per_phase": 5},
)
mesh = nmcsim.mesh.build(case.geometry, (), comm, sys.argv[3])
sides = comm.gather([len(mesh.interface("nmc", "liquid").vertex),
                     len(mesh.exterior("lithium").vertex), len(mesh.exterior("collector").vertex)])
cells = comm.gather(mesh.domain.topology.index_map(2).size_local)
area = comm.allreduce(float(mesh.interface("nmc", "liquid").area.sum()))
result = nmcsim.simulate(case, out=sys.argv[2], comm=comm, mesh_cache=sys.argv[3])
if comm.rank == 0:
    rows = {name: column.values.tolist() for name, column in result.history.items()}
    of = result.particles.series
    rows |= {f"particles/{name}": np.asarray(of[name]).ravel().tolist() for name in of}
    maps = {name: np.asarray(m.values, float).ravel().tolist() for name, m in result.maps.items()}
    print(json.dumps({
        "rows": rows, "maps": maps, "counts": result.summary["counts"], "sides": sides,
        "cells": cells, "area": area, "status": result.summary["status"],
        "unknowns": result.provenance["unknowns"],
    }))
"""
NOISE = ("lithium_drift", "salt_drift", "charge_drift")


@pytest.mark.parametrize("shape", ["pair", "slab"])
def test_one_two_and_three_ranks_give_the_same_history(tmp_path: Path, shape: str) -> None:
    alone, *others = (
        json.loads(
            mpirun(
                n, ["-c", RUN, shape, str(tmp_path / f"{n}"), str(tmp_path / "mesh")], timeout=100
            ).stdout
        )
        for n in (1, 2, 3)
    )
    assert alone["status"] == "finished" and alone["counts"]["steps"] < 50
    on_three = np.array(others[1]["sides"])
    if shape == "pair":  # the interface belongs to several ranks
        assert (on_three[:, 0] > 0).sum() >= 2
    else:  # a rank has neither NMC, lithium nor collector
        assert (on_three == 0).all(axis=1).any()
    worst = 0.0
    for other in others:
        assert min(other["cells"]) > 0
        assert other["area"] == pytest.approx(alone["area"], rel=1e-12)
        assert other["counts"]["steps"] == alone["counts"]["steps"]
        assert other["unknowns"] == alone["unknowns"]
        assert other["rows"].keys() == alone["rows"].keys()
        for name, values in alone["rows"].items():
            mine, yours = np.array(values, float), np.array(other["rows"][name], float)
            assert mine.shape == yours.shape
            assert (np.isnan(mine) == np.isnan(yours)).all(), name
            if name in NOISE:  # round-off itself
                assert np.nanmax(yours) < 1e-8
                continue
            gap = float(np.nanmax(np.abs(yours - mine), initial=0.0))
            size = float(np.nanmax(np.abs(mine), initial=0.0))
            # parts of the voltage are compared in volts
            worst = max(worst, gap / max(size, 1e-2 if name.startswith("V_") else 1e-30))
        for name, values in alone["maps"].items():
            mine, yours = np.array(values), np.array(other["maps"][name])
            assert np.abs(yours - mine).max() < 1e-6 * max(np.abs(mine).max(), 1.0)  # single
    claim("electrode_invariants", f"1, 2 and 3 ranks, {shape}",
          "all columns of the history, relative", worst, below=1e-8)  # fmt: skip
