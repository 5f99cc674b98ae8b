"""An electrode is recorded alike on any number of ranks, and goes on on another number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nmcsim.case import load
from nmcsim.results import Result
from nmcsim.run import simulate
from tests.mpirun import mpirun
from tests.run.test_electrode import CASE, FIELDS

pytestmark = pytest.mark.mpi

PROGRAM = """
import os, signal, sys
from nmcsim import runtime
from nmcsim.case import load
from nmcsim.output.recorder import Recorder
from nmcsim.run import Interrupted, simulate

comm = runtime.MPI.COMM_WORLD
plain, rows = Recorder.row, []
def row(self, *arguments, **options):
    rows.append(1)
    if len(rows) == 60 and comm.rank == 1:
        os.kill(os.getpid(), signal.SIGTERM)
    return plain(self, *arguments, **options)
Recorder.row = row
try:
    simulate(load({case!r}), {out!r}, comm)
except Interrupted:
    sys.exit(0)
sys.exit("was not interrupted")
"""


def test_interrupted_on_two_ranks_and_finished_on_one(tmp_path: Path) -> None:
    """The same nodes, triangles and parts in the same order, and the same numbers in them."""
    path, out = tmp_path / "case.toml", tmp_path / "out"
    path.write_text(CASE)
    mpirun(2, PROGRAM.format(case=str(path), out=str(out)))
    case, stopped = load(path), Result.load(out)
    assert stopped.status == "interrupted" and len(stopped["time"]) == 60
    result, whole = simulate(case, out, resume=True), simulate(case, tmp_path / "whole")
    assert [run["ranks"] for run in result.provenance["runs"]] == [2, 1]
    for name in FIELDS:
        mine, yours = whole.maps[name], result.maps[name]
        assert np.allclose(mine.nodes, yours.nodes, rtol=0.0, atol=1e-15)
        assert np.array_equal(mine.triangles, yours.triangles)
        assert np.array_equal(mine.part, yours.part)
    # rows before the interruption came from two ranks: the sums differ by round-off, of which the
    # integrator's decisions make no more than its tolerance
    there = result["time"].values[:40]
    assert there == pytest.approx(whole["time"].values[:40], rel=1e-6)
    for name in ("theta_mean", "theta_surface", "phi_s"):
        a, b = whole.particles.series[name][:40], result.particles.series[name][:40]
        assert np.abs(a - b).max() < 1e-6, name
    assert np.abs(whole.particles.theta_mean[-1] - result.particles.theta_mean[-1]).max() < 1e-4
