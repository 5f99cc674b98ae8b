"""What is kept of a run: numbers that follow from its rows, and rows that keep its shape."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.results import Result, series
from nmcsim.sweeps.observables import COUNTS, curves_of, observables_of
from tests.synthetic import synthetic_result
from tests.synthetic_electrode import synthetic_electrode, t25


@pytest.fixture(scope="module")
def crystal(tmp_path_factory: pytest.TempPathFactory) -> Result:
    directory = tmp_path_factory.mktemp("results") / "crystal"
    return Result.load(synthetic_result(directory, cycle=True, frames=3))


@pytest.fixture(scope="module")
def electrode(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return Result.load(synthetic_electrode(tmp_path_factory.mktemp("results") / "electrode"))


def values(result: Result) -> dict[str, float]:
    return {name: observable.value for name, observable in observables_of(result).items()}


def plain(status: str = "finished", steps: Any = (), **columns: Any) -> Result:
    """A crystal's result of a few columns."""
    history = series({name: np.asarray(column, float) for name, column in columns.items()})
    return Result(Path("plain"), {}, history, tuple(steps), {"status": status}, {})


def step(kind: str, start: float, end: float) -> dict[str, Any]:
    return {"kind": kind, "t_start": start, "t_end": end}


# -- observables ------------------------------------------------------------------------------


def test_of_a_crystal(crystal: Result) -> None:
    found, history = values(crystal), crystal.history
    assert found["voltage_end"] == history["voltage"].values[-1]
    assert found["time_end"] == history["time"].values[-1]
    # 0.88 h at 1C of 200 mAh/g (7.2e5 A s/kg), there and back; rows at both ends of each step
    assert found["capacity_charge_1"] == pytest.approx(0.88 * 7.2e5, rel=1e-12)
    assert found["duration_charge_1"] == pytest.approx(0.88 * 3600.0)
    # trapezoids across the jump of the current at the ends of the rest: half of the first row each
    assert found["capacity_loss_1"] == pytest.approx(0.0, abs=1e-2)
    spread = history["theta_max"].values - history["theta_min"].values
    assert found["theta_spread_max"] == spread.max()
    assert found["steps"] == 131 and found["lithium_drift"] == 3.3e-13
    assert not [name for name in found if name.startswith(("asynchrony", "t25"))]


def test_the_largest_distance_is_that_of_a_region_that_is_seen() -> None:
    """A sliver of 0.5 % is farther off, and does not count."""
    result = plain(
        time=[0, 1, 2, 3], soc=[0, 0.1, 0.2, 0.3], com_distance=[0, 2e-7, 1e-7, 9e-7],
        unreacted_share=[1.0, 0.5, 0.1, 0.005],
    )  # fmt: skip
    found = observables_of(result)
    assert (found["com_distance_max"].value, found["com_distance_max"].unit) == (2e-7, "m")
    assert found["soc_at_com_distance_max"].value == 0.1
    assert np.isnan(curves_of(result)["com_distance"].values).tolist() == [False] * 3 + [True]


def test_a_crystal_without_an_unreacted_region_has_no_distance() -> None:
    found = values(plain(time=[0, 1], soc=[0, 0.1], com_distance=[np.nan, np.nan]))
    assert math.isnan(found["com_distance_max"]) and math.isnan(found["soc_at_com_distance_max"])


def test_of_an_electrode(electrode: Result) -> None:
    found = values(electrode)
    # observed particles have obstructions 0 .. 4; rows interpolate t25 linearly
    first, last = t25(0, True), t25(4, True)
    assert found["t25_first_charge_1"] == pytest.approx(first, abs=1e-3)
    assert found["t25_last_charge_1"] == pytest.approx(last, abs=1e-3)
    assert found["asynchrony_charge_1"] == pytest.approx(last - first, abs=1e-3)
    told = electrode.summary["half_cycles"][0]["asynchrony"]
    assert found["asynchrony_charge_1"] == pytest.approx(told, rel=1e-12)  # round-off
    assert found["asynchrony_charge_2"] == pytest.approx(0.0, abs=1e-6)
    # ten particles: five without obstruction, and 0 .. 4
    every = np.array([0] * 5 + [0, 1, 2, 3, 4]) * 0.08
    assert found["t25_spread_charge_1"] == pytest.approx(every.std(), abs=1e-3)
    assert found["activated_charge_1"] == 1.0
    # full 0.99, empty 0.34, back 0.92
    assert found["capacity_loss_1"] == pytest.approx(0.07 / 0.65, rel=1e-9)
    assert "com_distance_max" not in found


def test_a_particle_that_takes_no_part_is_left_out_and_counted(electrode: Result) -> None:
    halves = [dict(half) for half in electrode.summary["half_cycles"]]
    halves[0]["t25"] = [None, *halves[0]["t25"][1:]]
    halves[1] |= {"t25": [None] * 10, "asynchrony": None}
    found = values(replace(electrode, summary={**electrode.summary, "half_cycles": halves}))
    assert found["activated_charge_1"] == 0.9 and found["activated_discharge_1"] == 0.0
    assert math.isnan(found["asynchrony_discharge_1"])
    assert math.isnan(found["t25_first_discharge_1"])
    assert found["asynchrony_charge_1"] == values(electrode)["asynchrony_charge_1"]


def test_an_unfinished_half_cycle_tells_nothing(electrode: Result) -> None:
    halves = [dict(half) for half in electrode.summary["half_cycles"][:2]]
    halves[1]["complete"] = False
    found = values(replace(electrode, summary={**electrode.summary, "half_cycles": halves}))
    whole = [name for name in found if name.endswith("charge_1")]
    nan = [name for name in whole if math.isnan(found[name])]
    assert sorted(nan) == sorted(name for name in whole if name.endswith("discharge_1"))
    assert "capacity_loss_1" not in found


def test_a_half_cycle_of_no_length_has_no_shares(electrode: Result) -> None:
    half = dict(electrode.summary["half_cycles"][0])
    half["t_end_cc"] = half["t_start"]
    found = values(replace(electrode, summary={**electrode.summary, "half_cycles": [half]}))
    assert math.isnan(found["asynchrony_charge_1"]) and found["duration_charge_1"] == 0.0


@pytest.mark.parametrize(
    ("current", "complete"),
    [(1.0, False), (0.0, False), (-1.0, True)],
    ids=["in the hold", "in the rest", "in the discharge"],
)
def test_where_a_crystal_stopped_decides_what_is_complete(current: float, complete: bool) -> None:
    """The step in which it stops is not listed; its current tells which one it was."""
    result = plain(
        "ended early", [step("charge", 0.0, 2.0)],
        time=[0, 1, 2, 2, 3], current=[1, 1, 1, current, current], capacity=[0, 5, 10, 10, 11],
    )  # fmt: skip
    capacity = values(result)["capacity_charge_1"]
    assert capacity == 10.0 if complete else math.isnan(capacity)


def test_only_the_first_two_cycles_are_told() -> None:
    steps = [step("charge" if n % 2 == 0 else "discharge", n, n + 1.0) for n in range(8)]
    rows = np.arange(9.0)
    found = values(plain("finished", steps, time=rows, capacity=np.where(rows % 2, 10.0, 1.0)))
    told = [name for name in found if name.startswith("capacity_")]
    assert told == [
        "capacity_end", "capacity_charge_1", "capacity_discharge_1", "capacity_charge_2",
        "capacity_discharge_2", "capacity_loss_1", "capacity_loss_2",
    ]  # fmt: skip


def test_without_a_mass_the_charge_is_told() -> None:
    result = plain(
        "finished", [step("charge", 0, 1)],
        time=[0, 1], capacity=[np.nan, np.nan], charge=[0.0, 3e-9],
    )  # fmt: skip
    found = observables_of(result)
    assert (found["capacity_charge_1"].value, found["capacity_charge_1"].unit) == (3e-9, "A s")
    assert found["charge_end"].value == 3e-9 and "capacity_end" not in found
    assert "capacity" not in curves_of(result)


@pytest.mark.parametrize("columns", [{}, {"time": [], "voltage": [], "soc": [], "capacity": []}])
def test_a_run_that_failed_at_its_start(columns: dict[str, list[float]]) -> None:
    result = plain("failed", **columns)
    found = values(result)
    assert found and all(math.isnan(value) for value in found.values())
    assert curves_of(result) == {}


def test_counts_are_whole_and_all_have_units(crystal: Result, electrode: Result) -> None:
    for result in (crystal, electrode):
        for name, observable in observables_of(result).items():
            assert observable.unit and observable.description, name
            assert name not in COUNTS or observable.value.is_integer()


# -- curves -----------------------------------------------------------------------------------


def test_all_rows_are_kept_where_they_are_few(crystal: Result) -> None:
    curves = curves_of(crystal, rows=1000)
    assert curves["voltage"].values == tuple(crystal["voltage"].values)
    assert curves["voltage"].unit == "V" and curves["soc"].symbol == "SOC"
    assert "dt" not in curves


@pytest.mark.parametrize("name", ["crystal", "electrode"])
def test_a_hundred_rows_keep_the_shape(name: str, request: pytest.FixtureRequest) -> None:
    result: Result = request.getfixturevalue(name)
    curves = {key: np.array(curve.values) for key, curve in curves_of(result).items()}
    number, t = result["step"].values, result["time"].values
    assert len(t) > 100 >= len(curves["time"])
    for n in np.unique(number):
        rows, kept = number == n, curves["step"] == n
        # ends of every step are there
        assert {t[rows][0], t[rows][-1]} <= set(curves["time"][kept])
        # two rows share the time at which steps meet
        inner = rows & (t > t[rows][0]) & (t < t[rows][-1])
        drawn = np.interp(t[inner], curves["time"][kept], curves["voltage"][kept])
        off = np.abs(drawn - result["voltage"].values[inner]).max()
        assert off < 2e-3 * np.ptp(result["voltage"].values)  # thinner than a printed line


def test_a_straight_line_is_its_ends() -> None:
    t = np.linspace(0, 1, 500)
    assert curves_of(plain(time=t, voltage=3.0 + t))["time"].values == (0.0, 1.0)


def test_round_off_of_a_constant_current_takes_no_row() -> None:
    t = np.linspace(0.0, 1.0, 400)
    voltage, current = 3.5 + np.sqrt(t), 1e-9 * (1.0 + 1e-16 * np.arange(400) % 3e-16)
    assert len(np.unique(current)) > 1
    curves = curves_of(plain(time=t, voltage=voltage, current=current))
    kept = np.interp(t, curves["time"].values, curves["voltage"].values)
    assert np.abs(kept - voltage).max() < 1e-3


def test_more_steps_than_rows() -> None:
    """Pulses: every step has two ends, and only some of the steps are kept."""
    t = np.repeat(np.arange(301.0), 2)[1:-1]
    result = plain(time=t, step=np.repeat(np.arange(300.0), 2), voltage=np.sin(t))
    times = curves_of(result)["time"].values
    assert len(times) == 100 and (times[0], times[-1]) == (0.0, 300.0)


def test_both_are_fast(crystal: Result, electrode: Result) -> None:
    """0.2 and 1.5 ms on an idle core: 100 times that is a mistake, not a slow machine."""
    for result in (crystal, electrode):
        began = time.process_time()
        observables_of(result)
        curves_of(result)
        assert time.process_time() - began < 0.2
