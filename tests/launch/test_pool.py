"""The parent of a sweep's workers, and what it does at awkward moments."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import nmcsim
from nmcsim.errors import InputError
from nmcsim.launch import conduct
from nmcsim.launch import pool as module
from nmcsim.launch.conduct import Options, launch, orders_of, prepare
from nmcsim.launch.display import Display
from nmcsim.launch.exits import DISK, REPLACE
from nmcsim.launch.pool import Pool
from nmcsim.results import WriteFailure
from nmcsim.sweeps import Plan, Record, read_sweep
from nmcsim.sweeps.host import here
from tests.launch.conftest import Sweep

FOUR = "[sweep.grid]\nphysics.rock_salt.coverage = [0.2, 0.3, 0.4, 0.6]\n"


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path / "a", FOUR)


@pytest.fixture
def plan(sweep: Sweep) -> Plan:
    return read_sweep(sweep.file)


@pytest.fixture
def pool(sweep: Sweep, plan: Plan) -> Pool:
    records = prepare(plan, sweep.out)
    return Pool(plan, records, orders_of(plan, records, Options()), 1)


def test_a_signal_before_the_first_worker_starts_none(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    def free(self: Pool) -> int:
        self.stop()
        return 4

    monkeypatch.setattr(Pool, "_free", free)
    monkeypatch.setattr(module.subprocess, "Popen", None)
    pool.run()


def test_a_worker_hears_of_a_signal_that_came_while_it_was_started(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
):
    begin = subprocess.Popen

    def signalled(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = begin(*arguments, **options)
        pool.stop()
        return process

    monkeypatch.setattr(module.subprocess, "Popen", signalled)
    pool.run()
    assert len(pool.records.records()) < 4
    assert not pool.records.running()


def test_signals_that_come_together_are_one(pool: Pool):
    with conduct.signals_to(pool) as noted:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        assert len(noted) == pool._asked == 1
        noted[0] -= 2.0
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        assert pool._asked == 2


class Ended:
    """A worker's process that has ended."""

    stdin = None

    def __init__(self, status: int) -> None:
        self.returncode = status


def test_workers_that_each_fail_at_a_case_are_replaced_for_ever(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """After an error that is none of ours the worker ends; the next case may be a good one."""
    monkeypatch.setattr(Pool, "_fill", lambda self: None)
    for number, planned in enumerate(pool.plan.cases):
        name = f"{pool.orders.launch}/{number}"
        attempt = pool.records.take([planned.hash], here(name), pool.orders.wanted, time.time)
        pool.records.finish(attempt, Record(planned.hash, "failed", "error", "no"))
        pool._bury(module._Worker(name, Ended(REPLACE), tmp_path / "log"))
        assert pool._problem is None
    for number in range(module.STARTS):
        assert pool._problem is None
        pool._bury(module._Worker(f"never/{number}", Ended(1), tmp_path / "log"))
    assert "no worker can be started: ended with status 1" in str(pool._problem)


def test_a_launch_keeps_its_plan_although_another_extends_the_directory(
    pool: Pool, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
):
    sweep.file.write_text(sweep.file.read_text().replace("[0.2, 0.3, 0.4, 0.6]", "[0.7, 0.75]"))
    prepare(read_sweep(sweep.file), sweep.out, extend=True)
    pool.run()
    found = pool.records.records()
    assert {found[planned.hash].status for planned in pool.plan.cases} == {"finished"}
    assert not (sweep.out / "launches").exists()


def test_a_plan_that_a_kill_has_left_half_written_is_no_foreign_file(plan: Plan, sweep: Sweep):
    sweep.out.mkdir()
    (sweep.out / ".plan.json.7.tmp").write_text("{")
    prepare(plan, sweep.out)
    assert (sweep.out / "plan.json").is_file()


def test_what_cannot_be_written_is_said_with_the_command_that_goes_on(
    plan: Plan, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
):
    prepare(plan, sweep.out)
    (sweep.out / "launches").write_text("a file")
    with pytest.raises(WriteFailure, match="could not be written"):
        launch(plan, sweep.out, Options())
    (sweep.out / "launches").unlink()

    def full(self: Plan, directory: Path) -> None:
        raise WriteFailure("plan.json: the disk is full; free some space and go on with --resume")

    monkeypatch.setattr(Plan, "write", full)
    with pytest.raises(WriteFailure, match=r"free some space and go on: nmcsim sweep .* --out"):
        launch(plan, sweep.out, Options())


def test_a_clock_that_is_put_right_declares_nobody_dead(monkeypatch: pytest.MonkeyPatch):
    worker = here("a/1")
    born = psutil.Process().create_time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: born + 30.0)
    assert worker.is_gone() is False


class Gone(io.StringIO):
    """A terminal whose window has been closed."""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_terminal_that_goes_away_ends_nothing(pool: Pool):
    display = Display(pool.plan, pool.records, True, Gone())
    display()
    display()
    display.clear()


def test_how_a_file_is_run_is_said_by_the_file(sweep: Sweep):
    for said in ({"keep": "all"}, {"time_limit": "1 min"}, {"ranks_per_case": 2}):
        about = f"{next(iter(said))} is for a case; a plan says it itself"
        with pytest.raises(InputError, match=about):
            nmcsim.sweep(sweep.file, out=sweep.out, **said)
    with pytest.raises(InputError, match="workers = -1 must be at least 1"):
        nmcsim.sweep(sweep.file, out=sweep.out, workers=-1)
    assert not sweep.out.exists()


def test_on_a_disk_without_room_for_a_log_the_reason_is_said(pool: Pool, tmp_path: Path):
    (tmp_path / "log").touch()
    pool._bury(module._Worker("a/1", Ended(DISK), tmp_path / "log"))
    assert f"{pool.records.directory}: could not be written: the disk is full" in str(pool._problem)


def test_a_worker_whose_log_is_on_a_full_disk_says_so_by_its_status(pool: Pool, sweep: Sweep):
    orders = sweep.folder / "orders.json"
    pool.orders.write(orders)
    pool.plan.write(orders.with_suffix(""))
    pool.records.claims.folder.rmdir()
    with open("/dev/full", "wb") as full:
        worker = subprocess.Popen(
            [sys.executable, "-m", "nmcsim.launch.worker", str(sweep.out), str(orders), "1"],
            stdin=subprocess.PIPE, stdout=full, stderr=full, env=module.worker_environment(),
        )  # fmt: skip
    assert worker.wait(60) == DISK
    worker.stdin.close()
