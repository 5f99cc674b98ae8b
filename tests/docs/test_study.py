"""The page that compares the electrode with its paper shows the stored numbers, and they hold."""

from __future__ import annotations

import re
from typing import Any

import pytest

import nmcsim
from tests import study

CONTENT = study.kept()
RUNS: dict[str, Any] = CONTENT["runs"]
PAPER = RUNS["cases/paper"]


def test_the_page_shows_the_stored_numbers() -> None:
    text = study.PAGE.read_text(encoding="utf-8")
    assert text == study.written(text, CONTENT), "python -m tests.study --write"
    assert set(re.findall(r"<!-- study: (\S+) -->", text)) == set(study.TABLES)


def test_the_numbers_are_of_the_runs_that_the_study_names() -> None:
    known = {
        f"{part}/{name}": run for part, named in study.PARTS.items() for name, run in named.items()
    }
    assert set(RUNS) <= set(known)
    assert {key for key in known if not key.startswith("sensitivity/")} <= set(RUNS)
    assert all(run["label"] == known[key].label for key, run in RUNS.items())
    assert max(run["balance"] for run in RUNS.values()) < 1e-8


def test_the_case_of_the_paper_does_what_the_paper_says() -> None:
    first, second = study.asynchronies(PAPER)
    assert study.in_order(PAPER)
    assert first is not None and second is not None
    assert first > 10.0 * second
    lost, again = PAPER["capacity_loss"]
    assert 0.08 < lost < 0.12
    assert abs(again) < 1e-3


@pytest.mark.parametrize("name", ["high_K", "coverage"])
def test_what_makes_the_first_charge_synchronous(name: str) -> None:
    first, asynchronous = (study.asynchronies(RUNS[f"cases/{n}"])[0] for n in (name, "paper"))
    assert first is not None and asynchronous is not None
    assert first < 0.1 * asynchronous


def test_without_loss_the_second_charge_is_asynchronous() -> None:
    run = RUNS["cases/constant_D"]
    assert run["capacity_loss"][0] < 0.5 * PAPER["capacity_loss"][0]
    assert study.asynchronies(run)[1] > 5.0 * study.asynchronies(PAPER)[1]


@pytest.mark.parametrize("name", ["K_up", "k_soc_fast", "wider", "fuller", "long_hold", "nyman"])
def test_a_variation_differs_in_what_it_says(name: str) -> None:
    run, base = (study.PARTS["sensitivity"][n] for n in (name, "base"))
    changed = {key for key in run.changes if run.changes[key] != base.changes.get(key)}
    assert len(changed) == 1
    case = run.prepared()
    assert case.geometry.cell_sizes[0] > nmcsim.load(case.path).geometry.cell_sizes[0]
    assert case.hash != base.prepared().hash
