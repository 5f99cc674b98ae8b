"""Runs on several ranks: killed, interrupted and out of disk, they go on on any number of ranks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nmcsim.case import load
from nmcsim.results import Result
from nmcsim.run import simulate
from tests.mpirun import ROOT, clean_environment, mpirun
from tests.run.conftest import CASE, same_numbers

pytestmark = pytest.mark.mpi

STEPS = '["Charge at 1C for 10 minutes", "Rest for 5 minutes", "Charge at 1C until 4.1 V"]'

PROGRAM = """
import os, signal, sys
import nmcsim.run
from nmcsim import runtime
from nmcsim.case import load
from nmcsim.errors import NmcsimError
from nmcsim.output.recorder import Recorder
comm = runtime.MPI.COMM_WORLD
nmcsim.run.CHECKPOINT_EVERY = 0.02
plain, rows = Recorder.row, []
def row(self, *arguments, **options):
    rows.append(arguments[0])
    if len(rows) == {at}:
        trap()
    return plain(self, *arguments, **options)
Recorder.row = row
def trap():
{trap}
try:
    nmcsim.run.simulate(load({case!r}), {out!r}, comm, resume=True)
except NmcsimError as error:
    # one write in one turn each: the lines of two ranks must not mix
    for rank in range(comm.size):
        comm.barrier()
        if rank == comm.rank:
            os.write(2, f"rank {{comm.rank}}: {{error}}\\n".encode())
    sys.exit(error.exit_status)
"""
KILL = "    os.kill(os.getpid(), signal.SIGKILL) if comm.rank == comm.size - 1 else None"
TERM = "    os.kill(os.getpid(), signal.SIGTERM) if comm.rank == comm.size - 1 else None"
FULL = """
    from nmcsim.results import Journal, WriteFailure
    def append(self, name, content):
        raise WriteFailure(f"{name}: the disk is full")
    Journal._append = append
"""


@pytest.fixture
def case_file(tmp_path: Path) -> Path:
    path = tmp_path / "case.toml"
    path.write_text(CASE.replace('["Charge at 1C until 4.1 V"]', STEPS))
    return path


@pytest.fixture
def program(case_file: Path, tmp_path: Path) -> Any:
    """Code that runs the case until the row at which ``trap`` springs."""

    def code(at: int, trap: str) -> str:
        return PROGRAM.format(at=at, trap=trap, case=str(case_file), out=str(tmp_path / "out"))

    return code


@pytest.mark.parametrize("ranks", [(1, 2, 1), (2, 1, 2)])
def test_killed_on_some_ranks_goes_on_on_others(
    program: Any, case_file: Path, tmp_path: Path, ranks: tuple[int, ...]
):
    for n in ranks:
        done = mpirun(n, program(40, KILL), check=False)
        assert done.returncode != 0
    case = load(case_file)
    result = simulate(case, tmp_path / "out", resume=True)
    assert [r["ranks"] for r in result.provenance["runs"]] == [*ranks, 1]
    times = [r["resumed_at"] for r in result.provenance["runs"][1:]]
    assert times == sorted(set(times)) and times[0] > 0.0
    same_numbers(result, simulate(case, tmp_path / "whole"))


def test_a_signal_to_one_rank_stops_both_with_their_state(
    program: Any, case_file: Path, tmp_path: Path
):
    done = mpirun(2, program(30, TERM), check=False)
    assert done.returncode == 130
    for rank in (0, 1):
        assert f"rank {rank}: interrupted at t = " in done.stderr
    stopped = Result.load(tmp_path / "out")
    assert stopped.status == "interrupted" and stopped["time"].values[-1] > 0.0
    case = load(case_file)
    result = simulate(case, tmp_path / "out", resume=True)
    same_numbers(result, simulate(case, tmp_path / "whole"))


def test_a_full_disk_ends_both_ranks(program: Any, case_file: Path, tmp_path: Path):
    done = mpirun(2, program(30, FULL), check=False)
    assert done.returncode == 3
    for rank in (0, 1):
        assert f"rank {rank}: rows.jsonl: the disk is full" in done.stderr
    case = load(case_file)
    result = simulate(case, tmp_path / "out", resume=True)
    same_numbers(result, simulate(case, tmp_path / "whole"))


def test_an_early_end_is_at_the_same_place_on_two_ranks(
    program: Any, case_file: Path, tmp_path: Path
):
    case_file.write_text(case_file.read_text().replace(STEPS, '["Discharge at 5C for 1 hour"]'))
    mpirun(2, program(1, "    pass"))
    one = simulate(load(case_file), tmp_path / "one")
    two = Result.load(tmp_path / "out")
    assert one.status == two.status == "ended early"
    assert two.steps[0]["t_end"] == pytest.approx(one.steps[0]["t_end"], rel=1e-6)
    assert two.steps[0]["reason"] == one.steps[0]["reason"]
    assert 'um on "bare"' in one.steps[0]["reason"]


def test_a_failure_report_is_the_same_on_two_ranks(program: Any, tmp_path: Path):
    trap = """
    import gc
    from nmcsim.solve.ndf import NDF
    for ndf in (o for o in gc.get_objects() if isinstance(o, NDF)):
        ndf.h_min = 1e6
"""
    code = program(30, trap).replace("CHECKPOINT_EVERY = 0.02", "CHECKPOINT_EVERY = 5.0")
    done = mpirun(2, code, check=False)
    assert done.returncode == 3
    said = [done.stderr.split(f"rank {rank}: ")[1].splitlines()[:6] for rank in (0, 1)]
    assert said[0] == said[1]
    assert "the step fell below 1e+06 s" in said[0][0]
    assert Result.load(tmp_path / "out").status == "failed"


def test_two_runs_on_one_directory_are_refused_on_all_ranks(
    program: Any, case_file: Path, tmp_path: Path
):
    import fcntl

    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = mpirun(2, program(1, KILL), check=False)
    assert done.returncode == 2
    assert done.stderr.count("is being written by another run") == 2


def test_ctrl_c_of_the_launcher_keeps_the_state(case_file: Path, tmp_path: Path):
    """A terminal's Ctrl-C reaches the launcher, which passes it to all ranks."""
    launcher = [str(Path(sys.prefix) / "bin" / "mpirun"), "-n", "2"]
    fine = ["--set", "numerics.rtol=1e-6", "--set", "numerics.steps_per_phase=200"]
    command = [sys.executable, "-m", "nmcsim", "run", str(case_file), *fine, "--quiet"]
    process = subprocess.Popen(
        [*launcher, *command, "--out", str(tmp_path / "out")],
        start_new_session=True, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env=clean_environment(),
    )  # fmt: skip
    journal = tmp_path / "out" / "journal" / "rows.jsonl"
    until = time.monotonic() + 60.0
    while not (journal.exists() and journal.stat().st_size > 20_000) and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.count("interrupted at t = ") == 1
    case = load(case_file, ["numerics.rtol=1e-6", "numerics.steps_per_phase=200"])
    result = simulate(case, tmp_path / "out", resume=True)
    assert result.provenance["runs"][-1]["resumed_at"] > 0.0
    same_numbers(result, simulate(case, tmp_path / "whole"))
