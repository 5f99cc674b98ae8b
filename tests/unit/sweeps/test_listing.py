"""What --dry-run prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmcsim.sweeps.listing import estimate, listed
from nmcsim.sweeps.status import duration
from nmcsim.sweeps.timings import remember
from tests.unit.sweeps.sweeping import plan

SMALL = """
[sweep]
title = "Two sizes"
[sweep.grid]
geometry.diameter = ["1 um", "2.5 um"]
physics.surface = ["flux", "butler_volmer"]
"""
EQUAL = "[sweep]\ntitle = 'T'\n[sweep.grid]\nphysics.rock_salt.flux_ratio = {0}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_a_short_sweep_is_listed_whole():
    assert listed(plan(SMALL), workers=2).splitlines() == [
        "Two sizes",
        "",
        "case  diameter / um        surface",
        "   1              1           flux",
        "   2              1  butler_volmer",
        "   3            2.5           flux",
        "   4            2.5  butler_volmer",
        "",
        "4 cases; how long they take is not known before a first case has run here",
    ]


def test_what_earlier_cases_took_is_said():
    made = plan(EQUAL.format("[0.1, 0.2, 0.3]"))
    remember("single_crystal", made.cases[0].cost, 60.0)
    lines = listed(made, workers=2).splitlines()
    assert lines[2:6] == [
        "case  flux_ratio  about",
        "   1         0.1   60 s",
        "   2         0.2   60 s",
        "   3         0.3   60 s",
    ]
    assert lines[-1] == "3 cases; about 90 s with 2 workers"


def test_no_more_workers_count_than_cases():
    made = plan(EQUAL.format("[0.1, 0.2, 0.3]"))
    remember("single_crystal", made.cases[0].cost, 60.0)
    assert estimate(made, 100) == pytest.approx(60.0)
    assert listed(plan(EQUAL.format("[0.1]")), 1).endswith("\n1 case; about 60 s with 1 worker")


def test_a_long_sweep_shows_its_ends():
    lines = listed(plan(EQUAL.format("{ from = 0, to = 0.9, count = 50 }")), 2).splitlines()
    numbers = [line.split()[0] for line in lines[3:-2]]
    assert numbers == [*map(str, range(1, 21)), "...", *map(str, range(31, 51))]
    assert "... 10 more ..." in lines


def test_cases_that_say_the_same_are_counted_once():
    assert "3 cases, 2 of them different;" in listed(plan(EQUAL.format("[0.1, 0.2, 0.1]")), 2)


def test_long_texts_are_cut():
    steps = '["Charge at 1.25C until 4.3 V", "Rest for 1 hour", "Discharge at 1C until 3.6 V"]'
    text = listed(plan(f"[sweep.grid]\nprotocol.steps = [{steps}]"), 1)
    assert '["Charge at 1.25C until 4.3 V", "Rest...' in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.5, "0.5 s"), (90.0, "90 s"), (150.0, "2.5 min"), (9000.0, "2.5 h"), (864000.0, "10 days")],
)
def test_times_are_said_as_people_say_them(seconds, said):
    assert duration(seconds) == said
