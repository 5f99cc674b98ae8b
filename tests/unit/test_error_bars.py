"""A bar covers the true error, which an independent reference knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import nmcsim
from nmcsim.error_bars import COARSER, LOOSER, add_error_bars, compared
from nmcsim.results import Result, Series
from nmcsim.runtime import MPI
from tests.reference import stored

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def reference() -> stored.Values:
    return stored.load("half_1C")


@pytest.fixture(scope="module")
def with_bars(reference: stored.Values, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The half-blocked crystal at 1C, coarse, with maps where the reference has values."""
    folder = tmp_path_factory.mktemp("bars")
    times = np.union1d(reference.times, reference.voltage_times)
    case = nmcsim.load(ROOT / "cases/crystal_aged_1C.toml").coarse()
    case = case.replace("output.times", [f"{t!r} s" for t in times[times > 0.0].tolist()])
    result = nmcsim.simulate(case, out=folder / "run", mesh_cache=folder)
    return add_error_bars(result, case, MPI.COMM_SELF, folder)


def true_error(result: Result, name: str, times: np.ndarray, values: np.ndarray) -> float:
    """Largest |result - reference| at those of ``times`` that the run reached."""
    t = result["time"].values
    rows = [int(np.argmin(np.abs(t - asked))) for asked in times]
    there = np.isclose(t[rows], times, rtol=1e-9) & np.isfinite(values)
    assert there.sum() >= 5
    found = result[name].values[rows][there]
    return float(np.nanmax(np.abs(found - values[there])))


def test_the_bar_of_an_event_covers_its_true_error(with_bars: Result, reference: stored.Values):
    bar = with_bars.summary["error_bars"]["t_end_1"]
    assert bar["value"] == with_bars.steps[0]["t_end"]
    error = abs(bar["value"] - reference.t_end)
    assert 0.0 < error <= bar["error"]
    assert bar["error"] < 3e-3 * reference.t_end  # a bar that says nothing would cover all


@pytest.mark.parametrize(
    ("name", "widest"),
    [
        ("voltage", 5e-3),
        ("theta_min", 1e-2),
        ("theta_max", 1e-2),
        ("com_distance", 2e-8),
        ("unreacted_share", 1e-2),
    ],
)
def test_the_bar_of_a_curve_covers_its_true_error(
    with_bars: Result, reference: stored.Values, name: str, widest: float
):
    known = {
        "voltage": (reference.voltage_times, reference.voltage),
        "theta_min": (reference.voltage_times, reference.rim_min),
        "theta_max": (reference.voltage_times, reference.rim_max),
        "com_distance": (reference.times, reference.distance),
        "unreacted_share": (reference.times, reference.share),
    }
    times, values = known[name]
    later = times > 0.0
    bar = with_bars.summary["error_bars"][name]["error"]
    assert true_error(with_bars, name, times[later], values[later]) <= bar < widest


def test_the_coarser_case_asks_for_the_same_at_lower_accuracy():
    case = nmcsim.load(ROOT / "cases/crystal_aged_1C.toml")
    coarser = case.coarser(COARSER, LOOSER)
    assert coarser.geometry.cell_sizes == pytest.approx(
        [COARSER * size for size in case.geometry.cell_sizes]
    )
    assert coarser.numerics.rtol == pytest.approx(LOOSER * case.numerics.rtol)
    assert (coarser.output, coarser.protocol) == (case.output, case.protocol)
    assert case.replace("numerics.rtol", 5e-3).coarser(1.5, 5.0).numerics.rtol == 1e-2


def test_bars_are_kept_and_not_computed_twice(with_bars: Result):
    again = add_error_bars(with_bars, None, None)  # would fail if it ran anything
    assert again is with_bars
    assert (with_bars.directory / "coarser" / "summary.json").is_file()


def told(steps: list[dict[str, Any]], time: list[float], step: list[int], v: list[float]) -> Any:
    """As much of a result as is compared."""
    columns = {"time": time, "step": step, "voltage": v}
    history = {n: Series(n, np.array(x, dtype=float), "V", n, n) for n, x in columns.items()}

    class Told(SimpleNamespace):
        def __getitem__(self, name: str) -> Series:
            return history[name]

    return Told(history=history, steps=steps, summary={}, frame_times=np.array(time))


def test_near_a_change_of_step_only_the_time_of_the_event_differs():
    def step(begin: float, end: float, by: str) -> dict[str, Any]:
        return {"sentence": "s", "t_start": begin, "t_end": end, "ended_by": by}

    # the coarser run reaches 4.3 V 2 s early, and at 99 s rests already: 0.3 V lower
    fine = told(
        [step(0, 100, "voltage"), step(100, 160, "time")], [0, 50, 99], [1, 1, 1], [3, 4, 4]
    )
    coarse = told(
        [step(0, 98, "voltage"), step(98, 158, "time")], [0, 50, 99], [1, 1, 2], [3, 4.01, 3.7]
    )
    bars = compared(fine, coarse)
    assert set(bars) == {"t_end_1", "voltage"}, "a step that the clock ended has no error"
    assert bars["t_end_1"]["error"] == pytest.approx(2.0)
    assert bars["voltage"]["error"] == pytest.approx(0.01)


def test_numbers_of_half_cycles_and_cycles_have_bars(with_bars: Result):
    """Those that both runs have: |0.226 - 0.221| and |0.004 - 0.006|; a loss of the first alone."""
    fine, coarse = (
        replace(with_bars, summary=summary)
        for summary in (
            {"asynchrony": [0.226, 0.004, None], "capacity_loss": [0.1]},
            {"asynchrony": [0.221, 0.006, 0.1], "capacity_loss": []},
        )
    )
    bars = compared(fine, coarse)
    assert bars["asynchrony_1"]["error"] == pytest.approx(0.005)
    assert bars["asynchrony_2"]["error"] == pytest.approx(0.002)
    assert bars["asynchrony_1"]["value"] == 0.226
    assert not {"asynchrony_3", "capacity_loss_1"} & set(bars)
