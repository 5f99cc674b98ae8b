"""Protocols from the first row to the summary."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.constants import F
from nmcsim.errors import InputError
from nmcsim.results import Result
from tests.run.conftest import rows_in_order

BV = {"physics__surface": "butler_volmer"}
Run = Callable[..., Result]


def of_step(result: Result, number: int, name: str) -> np.ndarray:
    return result[name].values[result["step"].values == number]


@pytest.mark.parametrize("surface", ["flux", "butler_volmer"])
def test_discharge_then_rest(crystal: Any, run: Run, surface: str):
    case = crystal(
        "Discharge at 1C until 3.7 V", "Rest for 20 minutes",
        protocol__initial=0.4, physics__surface=surface,
    )  # fmt: skip
    result = run(case)
    first, second = result.steps
    assert result.status == "finished"
    assert (first["ended_by"], second["ended_by"]) == ("voltage", "time")
    assert (of_step(result, 1, "current") < 0.0).all()
    assert (np.diff(of_step(result, 1, "theta_mean")) > 0.0).all()
    assert of_step(result, 1, "voltage")[-1] == pytest.approx(3.7, abs=1e-6)
    assert second["t_end"] - second["t_start"] == pytest.approx(1200.0)
    rest = of_step(result, 2, "theta_mean")
    assert np.ptp(rest) < 1e-9  # nothing flows, and the drift is below 1e-9
    assert np.ptp(of_step(result, 2, "theta_max")) > 1e-3  # lithium evens out
    rows_in_order(result)
    jump = of_step(result, 2, "voltage")[0] - of_step(result, 1, "voltage")[-1]
    if surface == "flux":  # the weights of the mean are the same, nothing passing rock salt
        assert jump == pytest.approx(0.0, abs=1e-9)
    else:
        assert jump > 1e-4  # the overpotential of a discharge is negative


def test_hold_until_a_current(crystal: Any, run: Run):
    case = crystal("Charge at 1C until 4.1 V", "Hold at 4.1 V until C/50", **BV)
    result = run(case)
    one_c = of_step(result, 1, "current")[-1]
    hold = of_step(result, 2, "current")
    assert result.steps[1]["ended_by"] == "current"
    assert hold[0] == pytest.approx(one_c, rel=1e-3)  # the voltage is the same: so is the current
    assert hold[-1] == pytest.approx(one_c / 50.0, rel=1e-6)
    assert (np.diff(hold) < 0.0).all()
    assert np.abs(of_step(result, 2, "voltage") - 4.1).max() < 1e-6
    assert result.summary["balance"]["lithium"] < 1e-9


def test_two_cycles_return_to_the_same_state(crystal: Any, run: Run):
    cycle = ["Charge at 2C until 4.05 V", "Rest for 10 minutes", "Discharge at 2C until 3.65 V"]
    result = run(crystal({"repeat": 2, "steps": cycle}, **BV))
    assert [s["cycle"] for s in result.steps] == [1, 1, 1, 2, 2, 2]
    assert [s["ended_by"] for s in result.steps] == ["voltage", "time", "voltage"] * 2
    rows_in_order(result)
    # started from equilibrium, the first cycle differs; both end at the same voltage, driven alike
    ends = [of_step(result, k, "theta_mean")[-1] for k in (3, 6)]
    assert ends[0] == pytest.approx(ends[1], abs=5e-3)
    assert result.summary["balance"]["lithium"] < 1e-9


def test_time_and_capacity_count_from_the_start_of_their_step(crystal: Any, run: Run):
    result = run(
        crystal(
            "Charge at 1C for 5 minutes",
            "Charge at 1C until 10 mAh/g",
            "Discharge at 2C until 10 mAh/g",
            "Rest for 1 minute",
            protocol__initial=0.6,
        )
    )
    lengths = [s["t_end"] - s["t_start"] for s in result.steps]
    # 10 of 200 mAh/g is a twentieth of an hour at 1C
    assert lengths == pytest.approx([300.0, 180.0, 90.0, 60.0], rel=1e-6)
    assert [s["ended_by"] for s in result.steps] == ["time", "capacity", "capacity", "time"]
    charge = [of_step(result, k, "capacity")[-1] / 3600.0 for k in (1, 2, 3, 4)]
    assert charge == pytest.approx([200.0 / 12.0, 200 / 12 + 10, 200 / 12, 200 / 12], rel=1e-6)


def test_a_step_beyond_its_end_ends_at_once(crystal: Any, run: Run):
    # the state is a formula: of a number, check says that 3.55 V has passed already
    steps = ("Charge at C/2 until 3.55 V", "Rest for 5 minutes")
    result = run(crystal(*steps, protocol__initial="0.9"))
    first = result.steps[0]
    assert (first["ended_by"], first["t_end"]) == ("voltage", 0.0)
    assert result.status == "finished"
    assert len(of_step(result, 1, "time")) == 1
    rows_in_order(result)


def test_a_long_rest_does_not_let_the_next_step_jump_its_end(crystal: Any, run: Run):
    steps = ("Charge at 5C until 4.1 V", "Rest for 1000 hours", "Charge at 5C until 4.15 V")
    result = run(crystal(*steps))
    direct = run(crystal("Rest for 1 minute", "Charge at 5C until 4.15 V"), "direct")
    last = of_step(result, 3, "voltage")
    assert last[-1] == pytest.approx(4.15, abs=1e-6)
    assert (last[:-1] < 4.15).all()
    assert result["theta_mean"].values[-1] < direct["theta_mean"].values[-1]  # more was taken out
    assert of_step(result, 3, "dt").max() < 100.0


def table(path: Path, columns: dict[str, Any]) -> str:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path.name


def test_a_replayed_current_with_kinks_passes_its_charge(crystal: Any, run: Run, tmp_path: Path):
    # pulses of 20 s, shorter than a time step at rest, up and down, and a slow ramp
    t = np.array([0, 100, 101, 120, 121, 400, 401, 420, 421, 800, 1200], dtype=float)
    pA = np.array([0, 0, 8, 8, 0, 0, -5, -5, 0, 0, 4], dtype=float)
    name = table(tmp_path / "pulses.csv", {"t [s]": t, "I [pA]": pA})
    case = crystal({"replay": name, "time": "t [s]", "current": "I [pA]"}, protocol__initial=0.6)
    result = run(case)
    charge = 1e-12 * np.concatenate(([0.0], np.cumsum(np.diff(t) * (pA[1:] + pA[:-1]) / 2.0)))
    at_kinks = np.interp(t, result["time"].values, result["charge"].values)
    # each time step knows the charge to rtol = 1e-3 (coarse) of 2 % of the capacity
    assert np.abs(at_kinks - charge).max() < 3e-4 * charge.max()
    recorded = result["current"].values
    assert recorded == pytest.approx(1e-12 * np.interp(result["time"].values, t, pA), abs=1e-18)
    assert set(t) <= set(result["time"].values)  # no time step passes over a kink
    assert result.steps[0]["reason"] == "the replayed record ended"
    assert result.summary["balance"]["lithium"] < 1e-9


def test_a_replayed_voltage_is_followed(crystal: Any, run: Run, tmp_path: Path):
    t, V = np.array([0.0, 300.0, 600.0, 900.0]), np.array([3.8, 3.9, 3.85, 3.95])
    name = table(tmp_path / "volts.csv", {"t [s]": t, "V [V]": V})
    result = run(crystal({"replay": name, "time": "t [s]", "voltage": "V [V]"}, **BV))
    voltage = result["voltage"].values
    assert np.abs(voltage - np.interp(result["time"].values, t, V)).max() < 1e-6
    current = result["current"].values
    assert current[0] > 0.0  # 3.8 V is above the open-circuit voltage of theta = 0.9
    between = (result["time"].values > 450.0) & (result["time"].values < 600.0)
    assert (current[between] < current[~between].max()).all()
    assert result.summary["balance"]["lithium"] < 1e-9


def test_outputs_at_times_of_a_file_and_at_points(crystal: Any, run: Run, tmp_path: Path):
    asked = np.array([12.5, 100.0, 333.3, 1e6])
    name = table(tmp_path / "camera.csv", {"t [s]": asked})
    case = crystal(
        "Charge at 1C for 10 minutes",
        output__times={"file": name, "column": "t [s]"},
        output__points={"rim": ["1.249 um", "0 um"], "centre": ["0 um", "0 um"]},
    )
    result = run(case)
    assert set(asked[:3]) <= set(result["time"].values)
    assert set(asked[:3]) <= set(result.map.time)
    rim, centre = result.points.theta.T
    assert result.points.names == ("rim", "centre")
    assert result.points.theta.shape == (len(result["time"].values), 2)
    # the patch is centred at angle 0: lithium leaves elsewhere
    assert rim[-1] > result["theta_min"].values[-1] + 0.01
    assert centre[0] == pytest.approx(0.9)


def test_outputs_at_a_period_go_on_to_the_end(crystal: Any, run: Run):
    # a hold is expected to last an hour; this one lasts longer than three
    steps = ("Charge at 1C until 4.1 V", "Hold at 4.1 V for 4 hours")
    result = run(crystal(*steps, output__period="10 minutes", **BV))
    start, end = result.steps[1]["t_start"], result.steps[1]["t_end"]
    framed = result.map.time[(result.map.time > start + 1e-6) & (result.map.time < end - 1e-6)]
    assert framed - start == pytest.approx(600.0 * np.arange(1, 24))


def test_an_initial_state_of_position(crystal: Any, run: Run):
    text = "0.8 - 0.05 * x"
    result = run(crystal("Rest for 1 second", protocol__initial=text))
    x = result.map.nodes[:, 0] * 1e6
    assert result.map.theta[0] == pytest.approx(0.8 - 0.05 * x, abs=1e-6)  # float32
    assert result["theta_mean"].values[0] == pytest.approx(0.8, abs=1e-6)


def test_an_initial_state_outside_0_to_1_writes_nothing(crystal: Any, run: Run, tmp_path: Path):
    with pytest.raises(InputError, match="lithium per site lies between 0 and 1"):
        run(crystal("Rest for 1 second", protocol__initial="0.8 + 0.5 * x"), "there/deeper")
    assert not (tmp_path / "there").exists()


def test_going_on_from_an_earlier_result(crystal: Any, run: Run):
    charge, rest = "Charge at 2C for 10 minutes", "Rest for 10 minutes"
    whole = run(crystal(charge, rest), "whole")
    first = run(crystal(charge), "first")
    second = run(crystal(rest, protocol__initial={"from": "first"}), "second")
    for name in ("voltage", "theta_min", "theta_max", "theta_mean"):
        assert second[name].values[0] == pytest.approx(first[name].values[-1], abs=1e-12)
        assert second[name].values[-1] == pytest.approx(whole[name].values[-1], abs=1e-6)
    again = run(second.case(), "again")  # its case is rerunnable, the earlier state beside it
    assert again["voltage"].values[-1] == second["voltage"].values[-1]


def test_an_earlier_result_on_another_mesh_keeps_its_lithium(crystal: Any, run: Run):
    first = run(crystal("Charge at 2C for 10 minutes"), "first")
    finer = crystal(
        "Rest for 1 second", protocol__initial={"from": "first"}, geometry__cell_size="0.3 um"
    )
    second = run(finer, "second")
    assert len(second.map.nodes) != len(first.map.nodes)
    assert second["theta_mean"].values[0] == pytest.approx(
        first["theta_mean"].values[-1], abs=1e-12
    )
    # linear between the nodes of the coarser mesh
    assert second["theta_min"].values[0] == pytest.approx(first["theta_min"].values[-1], abs=5e-3)


def test_an_earlier_result_of_another_particle_is_refused(crystal: Any, run: Run, tmp_path: Path):
    run(crystal("Rest for 1 second"), "first")
    larger = crystal(
        "Rest for 1 second", protocol__initial={"from": "first"}, geometry__diameter="3 um"
    )
    with pytest.raises(InputError, match="particle of another size or shape"):
        run(larger, "second")
    assert not (tmp_path / "second").exists()


def test_charge_and_lithium_agree(crystal: Any, run: Run):
    result = run(crystal("Charge at 1C for 30 minutes", **BV))
    volume, density = result.provenance["facts"]["volume"], crystal().material.site_density
    taken = (0.9 - result["theta_mean"].values) * density * volume
    assert result["charge"].values == pytest.approx(
        F * taken, abs=1e-9 * result["charge"].values[-1]
    )
    assert np.interp(1800.0, result["time"].values, result["capacity"].values) == pytest.approx(
        100.0 * 3600.0, rel=1e-6
    )
