"""How far a sweep is, in numbers and in words."""

from __future__ import annotations

import math
import shlex
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nmcsim.cli.parser import parse
from nmcsim.cli.sweep import _plan as asked_for
from nmcsim.sweeps.host import Worker, here
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.record import Record
from nmcsim.sweeps.records import Records
from nmcsim.sweeps.status import Snapshot, duration, resuming, snapshot, status_text
from tests.unit.sweeps.sweeping import ROOT
from tests.unit.sweeps.sweeping import plan as planned


@pytest.fixture
def plan() -> Plan:
    found = planned("[sweep.grid]\nphysics.rock_salt.coverage = [0.2, 0.4, 0.6]")
    # the first two cost as much as the last one
    cases = [replace(c, cost=k) for c, k in zip(found.cases, (1.0, 1.0, 2.0), strict=True)]
    return replace(found, title="Study", path=Path("study.toml"), cases=tuple(cases))


@pytest.fixture
def records(plan: Plan, tmp_path: Path) -> Records:
    made = Records(tmp_path / "out", "1")
    made.prepare()
    plan.write(tmp_path / "out")
    return made


def finish(records: Records, plan: Plan, number: int, status: str = "finished", **how) -> None:
    attempt = records.take(
        [plan.cases[number].hash], here("a/1"), lambda h, r: r is None, time.time
    )
    how = {"version": "1", "started": time.time() - 10.0, "wall": 4.0} | how
    records.finish(attempt, Record(attempt.hash, status, attempt=1, **how))


def take(records: Records, plan: Plan, number: int, worker: Worker) -> None:
    assert records.take([plan.cases[number].hash], worker, lambda h, r: True, time.time)


def test_a_sweep_that_nobody_works_on_says_how_to_go_on(plan: Plan, records: Records):
    finish(records, plan, 0)
    found = snapshot(plan, records)
    assert (found.total, found.done, found.open, found.asleep) == (3, 1, 2, True)
    assert math.isnan(found.seconds_left)
    text = status_text(plan, records.directory, found)
    assert "1 finished, 0 ended early, 0 failed, 0 running, 2 open" in text
    assert f"nobody works on it; to go on: {resuming(plan, records.directory)}" in text


def test_time_left_weighs_cases_with_what_they_should_cost(plan: Plan, records: Records):
    finish(records, plan, 0)
    take(records, plan, 1, here("a/1"))
    found = snapshot(plan, records)
    # 4 s for one unit of cost: 4 s of the case that has just begun, 8 s of the open one
    assert found.seconds_left == pytest.approx(12.0, abs=1.0)
    assert not found.asleep
    text = status_text(plan, records.directory, found)
    assert "12 s left" in text or "11 s left" in text
    assert "running  case 2 (coverage = 0.4) for 0 s on" in text


def test_failures_are_told_with_their_cause(plan: Plan, records: Records):
    finish(records, plan, 0)
    finish(records, plan, 1, "ended early", cause="lithium runs out")
    finish(records, plan, 2, "failed", kind="failure", cause="the step fell below 1e-9 s")
    found = snapshot(plan, records)
    assert found.seconds_left == 0.0 and len(found.failed) == 1
    text = status_text(plan, records.directory, found)
    assert "failed   case 3 (coverage = 0.6): the step fell below 1e-9 s" in text
    assert "to try the failed ones again: nmcsim sweep study.toml" in text
    assert text.endswith("--retry-failed")


def test_what_another_version_solved_is_said(plan: Plan, records: Records):
    finish(records, plan, 0, version="0")
    found = snapshot(plan, records)
    assert (found.done, found.outdated, found.open) == (0, 1, 3)
    text = status_text(plan, records.directory, found)
    assert "1 of the open cases were solved by another version of nmcsim" in text


def test_the_pace_is_that_of_the_last_cases():
    ends = [Record(str(n), "finished", started=100.0 * n, wall=50.0) for n in range(5)]
    assert Snapshot(9, tuple(ends), ()).per_hour == pytest.approx(40.0)
    assert math.isnan(Snapshot(9, tuple(ends[:1]), ()).per_hour)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (45.0, "45 s"),
        (720.0, "12 min"),
        (12600.0, "3.5 h"),
        (2e5, "2.3 days"),
        (110.0, "110 s"),
        (math.nan, "unknown"),
    ],
)
def test_durations_as_people_say_them(seconds: float, said: str):
    assert duration(seconds) == said


def test_twenty_failures_fit_on_a_screen(plan: Plan, records: Records):
    known = plan.cases[0]
    many = tuple(replace(known, number=n, hash=f"{n:016x}") for n in range(1, 31))
    plan = replace(plan, cases=many)
    failed = tuple(Record(c.hash, "failed", cause="no") for c in many)
    text = status_text(plan, records.directory, Snapshot(30, failed, ()))
    assert "and 10 more failed" in text


def test_the_command_that_goes_on_says_what_the_first_one_said(tmp_path: Path):
    """Else it asks for a different sweep, and is refused."""
    options = parse(
        ["sweep", str(ROOT / "cases" / "sweeps" / "rock_salt.toml"), "--coarse", "--set",
         "numerics.rtol=1e-3", "--keep", "summary", "--time-limit", "10 min"]
    )  # fmt: skip
    plan = asked_for(options)
    plan.write(tmp_path)
    assert Plan.read(tmp_path) == plan
    words = shlex.split(resuming(plan, tmp_path))
    assert words[0] == "nmcsim" and words[-2:] == ["--out", str(tmp_path)]
    again = asked_for(parse(words[1:]))
    assert (again.hash, again.keep, again.time_limit) == (plan.hash, "summary", 600.0)
