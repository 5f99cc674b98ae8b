"""The loop of a worker, in this process."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import nmcsim.runtime  # noqa: F401  (first: it imports DOLFINx in the order that works)
from nmcsim import __version__
from nmcsim.errors import InputError, Mistake, RunFailure
from nmcsim.launch import groups
from nmcsim.launch import work as module
from nmcsim.launch.conduct import Options, orders_of, prepare
from nmcsim.launch.pulse import Pulse
from nmcsim.launch.work import DONE, INTERRUPTED, UNFIT, work
from nmcsim.results import WriteFailure
from nmcsim.runtime import MPI
from nmcsim.stops import Interrupted, Limits
from nmcsim.sweeps import Plan, Records, read_sweep
from nmcsim.sweeps.claims import Attempt
from nmcsim.sweeps.table import read_records
from tests.launch.conftest import Sweep

TWO = "[sweep.grid]\nphysics.rock_salt.coverage = [0.3, 0.6]\n"


class Bench:
    """A plan, its records, and what a worker needs."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        self.plan = plan
        self.records = prepare(plan, directory)
        self.pulse = Pulse(self.records, Limits().time, lambda attempt: None)

    def go(self, stopping: Any = lambda: False, **options: Any) -> str:
        orders = orders_of(self.plan, self.records, Options(**options))
        return work(self.plan, self.records, MPI.COMM_SELF, orders, stopping, self.pulse)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    sweep = Sweep(tmp_path / "a", TWO)
    return Bench(read_sweep(sweep.file), sweep.out)


def fails_with(error: BaseException) -> Any:
    def simulate(*arguments: Any, **options: Any) -> None:
        raise error

    return simulate


def test_all_cases_are_solved_and_only_what_is_kept_stays(bench: Bench):
    assert bench.go() == DONE
    found = bench.records.records()
    assert {record.status for record in found.values()} == {"finished"}
    whole = read_records(bench.plan, bench.records.directory)
    assert all(record.observables and record.curves for record in whole.values())
    for planned in bench.plan.cases:
        names = {p.name for p in bench.records.result(planned.hash).iterdir()}
        assert {"case.toml", "summary.json", "history.h5"} <= names
        assert not names & {"fields.vtkhdf", "mesh.msh", "checkpoint.h5", "log.jsonl"}


def test_an_error_that_is_none_of_ours_is_recorded_and_the_worker_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "simulate", fails_with(ZeroDivisionError("by zero")))
    assert bench.go() == UNFIT
    (record,) = bench.records.records().values()
    assert (record.kind, record.cause) == ("error", "ZeroDivisionError: by zero")


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        (RunFailure("stopped at t = 3 s\n  likely: this"), "failure", "stopped at t = 3 s"),
        (InputError(Mistake("geometry", "cannot be meshed")), "error", "geometry cannot be meshed"),
        (
            InputError([Mistake("a", "is  wrong"), Mistake("b", "too")], "f"),
            "error", "a is wrong; b too",
        ),
        (Limits(time=2.0).error(3), "time limit", "took longer than its limit of 2 s"),
    ],
)  # fmt: skip
def test_an_error_of_ours_leaves_the_worker_fit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: str, cause: str
):
    monkeypatch.setattr(module, "simulate", fails_with(error))
    assert bench.go() == DONE
    assert {(r.kind, r.cause) for r in bench.records.records().values()} == {(kind, cause)}


def test_a_signal_gives_the_case_up(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "simulate", fails_with(Interrupted("at t = 2 s")))
    assert bench.go() == INTERRUPTED
    assert not bench.records.records() and not bench.records.running()


def test_between_two_cases_a_signal_is_obeyed_too(bench: Bench):
    assert bench.go(stopping=lambda: True) == INTERRUPTED
    assert not list(bench.records.claims.folder.iterdir())


def test_a_full_disk_is_no_failure_of_the_case(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "simulate", fails_with(WriteFailure("x: the disk is full")))
    with pytest.raises(WriteFailure, match="the disk is full"):
        bench.go()
    assert not bench.records.records() and not bench.records.running()


def test_a_record_that_cannot_be_written_gives_the_case_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    def full(self: Records, attempt: Attempt, record: Any) -> None:
        raise WriteFailure("record: the disk is full")

    monkeypatch.setattr(Records, "finish", full)
    with pytest.raises(WriteFailure, match="record: the disk is full"):
        bench.go()
    assert not bench.records.running()


def test_a_shard_takes_its_share(bench: Bench):
    assert bench.go(shard=(2, 2)) == DONE
    assert set(bench.records.records()) == {bench.plan.cases[1].hash}


def test_a_failed_case_is_started_anew_when_it_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr(module, "simulate", fails_with(RunFailure("no")))
        bench.go()
    assert bench.go() == DONE
    assert all(record.failed for record in bench.records.records().values())
    assert bench.go(retry_failed=True) == DONE
    assert {(r.status, r.attempt) for r in bench.records.records().values()} == {("finished", 2)}


def test_what_is_to_be_kept_later_is_solved_again(bench: Bench):
    bench.plan = replace(bench.plan, keep="summary")
    assert bench.go() == DONE
    assert bench.go() == DONE
    assert {record.attempt for record in bench.records.records().values()} == {1}
    bench.plan = replace(bench.plan, keep="history")
    assert bench.go() == DONE
    for planned in bench.plan.cases:
        record = bench.records.record(planned.hash)
        assert (record.attempt, record.keep, record.status) == (2, "history", "finished")
        assert (bench.records.result(planned.hash) / "history.h5").is_file()


def test_a_case_whose_record_is_gone_is_solved_again(bench: Bench):
    bench.plan = replace(bench.plan, keep="summary")
    bench.go()
    for folder in (bench.records.folder, bench.records.claims.folder):
        for path in folder.iterdir():
            path.unlink()
    assert bench.go() == DONE
    assert {record.status for record in bench.records.records().values()} == {"finished"}


def test_a_result_that_cannot_be_read_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "simulate", lambda *arguments, **options: None)
    assert bench.go() == DONE
    causes = {record.cause for record in bench.records.records().values()}
    assert all(cause.startswith("its result cannot be read: ") for cause in causes)


def test_a_case_that_changed_since_it_was_planned_is_not_solved(bench: Bench):
    shape = bench.plan.folder / "trouble.py"
    shape.write_text(shape.read_text() + "\n# changed\n")
    assert bench.go() == DONE
    causes = {record.cause for record in bench.records.records().values()}
    assert all("is not what it was when the sweep was planned" in cause for cause in causes)


def test_what_takes_too_long_and_does_not_stop_is_overdue(bench: Bench):
    overdue: list[Attempt] = []
    pulse = Pulse(bench.records, 0.1, overdue.append)
    attempt = bench.records.take(
        [bench.plan.cases[0].hash], module.here("x/1"), lambda h, r: True, time.time
    )
    pulse.start()
    with pulse.of(attempt):
        deadline = time.monotonic() + 10.0
        while not overdue and time.monotonic() < deadline:
            time.sleep(0.05)
    pulse.stop()
    assert overdue[0] == attempt
    assert __version__ == bench.records.version


def test_a_result_that_cannot_be_reduced_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    def fails(result: Any) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(module, "observables_of", fails)
    assert bench.go() == DONE
    found = {(r.kind, r.cause) for r in bench.records.records().values()}
    assert found == {("error", "its result cannot be read: by zero")}


def test_a_file_that_cannot_be_removed_is_no_failure(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    unlink = Path.unlink

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self.name == "mesh.msh":
            raise PermissionError(13, "no")
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert bench.go(shard=(1, 2)) == DONE
    (record,) = bench.records.records().values()
    assert record.status == "finished"


@pytest.mark.parametrize(("number", "error"), [(28, WriteFailure), (2, None)])
def test_a_disk_that_fills_while_figures_are_drawn_is_no_failure_of_the_case(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int, error: Any
):
    monkeypatch.setattr(module, "write_presentation", fails_with(OSError(number, "no")))
    bench.plan = replace(bench.plan, keep="all")
    if error:
        with pytest.raises(error, match="the disk is full"):
            bench.go(shard=(1, 2))
        assert not bench.records.records()
    else:
        assert bench.go(shard=(1, 2)) == UNFIT


class Pair:
    """The first of two ranks, as it sees the other one."""

    rank, size = 0, 2

    def __init__(self, other: Exception | None = None) -> None:
        self.other = other

    def bcast(self, content: Any, root: int = 0) -> Any:
        return content

    def allgather(self, content: Any) -> list[Any]:
        return [content, self.other]

    def Abort(self, status: int) -> None:
        raise SystemExit(status)


def test_a_case_that_one_rank_cannot_read_is_solved_by_none(bench: Bench):
    orders = orders_of(bench.plan, bench.records, Options(shard=(1, 2)))
    pair = Pair(InputError(Mistake("a.py", "is not there")))
    assert work(bench.plan, bench.records, pair, orders, lambda: False, bench.pulse) == DONE
    (record,) = bench.records.records().values()
    assert record.cause == "a.py is not there"


def test_a_second_signal_ends_all_ranks(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """The others may wait in the run for the one that has left it."""
    monkeypatch.setattr(module, "simulate", fails_with(KeyboardInterrupt()))
    orders = orders_of(bench.plan, bench.records, Options())
    with pytest.raises(SystemExit, match="130"):
        work(bench.plan, bench.records, Pair(), orders, lambda: False, bench.pulse)
    assert not bench.records.running()


def test_what_is_overdue_ends_the_job_on_a_full_disk_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    seen: dict[str, Any] = {}

    class Beats:
        def __init__(self, records: Records, limit: float, overdue: Any, each: Any) -> None:
            seen["overdue"] = overdue

        def start(self) -> None: ...
        def stop(self) -> None: ...

    def full(*arguments: Any) -> None:
        raise WriteFailure("the disk is full")

    monkeypatch.setattr(groups, "Pulse", Beats)
    monkeypatch.setattr(groups, "Flag", lambda: None)
    monkeypatch.setattr(groups, "work", lambda *arguments: seen["overdue"](None))
    monkeypatch.setattr(Records, "mark", full)
    orders = replace(orders_of(bench.plan, bench.records, Options()), time_limit=1.0)
    with pytest.raises(SystemExit, match="3"):
        groups._work(bench.plan, bench.records, orders, MPI.COMM_SELF, Pair(), lambda: None)


def test_a_heart_beats_on_although_nothing_can_be_shown(bench: Bench):
    shown: list[int] = []

    def each() -> None:
        shown.append(0)
        raise OSError(116, "stale file handle")

    pulse = Pulse(bench.records, Limits().time, lambda attempt: None, each)
    pulse.start()
    deadline = time.monotonic() + 10.0
    while len(shown) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    pulse.stop()
    assert len(shown) >= 2


def test_what_has_ended_is_no_work(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "simulate", fails_with(RunFailure("no")))
    bench.go(shard=(1, 2))
    first, second = (planned.hash for planned in bench.plan.cases)
    assert orders_of(bench.plan, bench.records, Options()).hashes == (second,)
    again = orders_of(bench.plan, bench.records, Options(retry_failed=True))
    assert set(again.hashes) == {first, second}


@pytest.mark.parametrize("version", [__version__, "0.0.0"])
def test_what_another_version_has_begun_is_begun_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, version: str
):
    bench.go(shard=(1, 2))
    hash = bench.plan.cases[0].hash
    (bench.records.folder / f"{hash}.json").unlink()  # killed before it was written
    provenance = bench.records.result(hash) / "provenance.json"
    content = json.loads(provenance.read_text())
    content["versions"]["nmcsim"] = version
    provenance.write_text(json.dumps(content))
    seen: list[bool] = []

    def simulate(*arguments: Any, resume: bool, **options: Any) -> None:
        seen.append(resume)

    monkeypatch.setattr(module, "simulate", simulate)
    bench.records.release(bench.records.attempt(hash, 1))
    bench.go(shard=(1, 2))
    assert seen == [version == __version__]
