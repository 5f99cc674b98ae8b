"""What ends a step, at the edges: ranges, exhaustion, voltages from both sides, a first rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.case import load
from nmcsim.constants import F
from nmcsim.run import simulate

BV = 'physics.surface="butler_volmer"'


def coarse(root: Path, *overrides: str) -> Any:
    return load(root / "cases" / "crystal_aged_1C.toml", overrides).coarse()


@pytest.mark.parametrize("surface", ["flux", "butler_volmer"])
def test_a_start_on_the_edge_of_a_range_is_inside_it(root: Path, surface: str) -> None:
    case = coarse(
        root,
        f'physics.surface="{surface}"',
        'material.U={expression="4.5 - theta", unit="V", valid=[0.2, 0.95]}',
        'protocol.steps=["Charge at 1C for 2 minutes"]',
    )
    result = simulate(case)
    assert result.status == "finished"
    assert result.steps[0]["t_end"] == pytest.approx(120.0)


def test_leaving_the_range_of_the_exchange_current_ends_a_kinetic_run(root: Path) -> None:
    i0 = 'material.i0={expression="2.0", unit="A/m2", valid=[0.85, 1.0]}'
    case = coarse(root, BV, i0, 'protocol.steps=["Charge at 1C for 20 minutes"]')
    result = simulate(case)
    assert result.status == "ended early"
    assert result.steps[0]["ended_by"] == "range"
    assert "theta = 0.85 is the lower end of the valid range" in result.steps[0]["reason"]
    assert result["theta_min"].values[-1] == pytest.approx(0.85, abs=2e-3)  # time step


def test_a_starving_surface_is_said_to_run_out_of_lithium(root: Path) -> None:
    case = coarse(root, 'protocol.steps=["Charge at 10C until 4.4 V"]')
    result = simulate(case)
    assert result.status == "ended early"
    assert result.steps[0]["ended_by"] == "lithium"
    assert result.steps[0]["reason"].startswith("lithium runs out: theta = 0.01, the end of")


def test_a_first_rest_awaits_its_voltage_from_where_it_is(root: Path) -> None:
    case = coarse(
        root, BV, "protocol.initial=0.5", 'protocol.steps=["Rest for 1 minute or until 3.7 V"]'
    )
    (step,) = simulate(case).steps
    assert step["ended_by"] == "time"
    assert step["t_end"] == pytest.approx(60.0)


def test_a_replayed_voltage_that_begins_at_rest_ends_at_its_current_later(
    root: Path, tmp_path: Path
) -> None:
    rest = float(load(root / "cases" / "crystal_aged_1C.toml").material.U.evaluate(np.array(0.5)))
    rows = [(0.0, rest), (20.0, rest + 0.01), (600.0, rest + 0.01)]
    text = "t [s],V [V]\n" + "\n".join(f"{t},{v!r}" for t, v in rows)
    (tmp_path / "v.csv").write_text(text)
    source = (root / "cases" / "crystal_aged_1C.toml").read_text()
    replay = '[{ replay = "v.csv", time = "t [s]", voltage = "V [V]", until = "until C/50" }]'
    source = source.replace('["Charge at 1C until 4.3 V"]', replay)
    (tmp_path / "case.toml").write_text(source)
    case = load(tmp_path / "case.toml", [BV, "protocol.initial=0.5"]).coarse()
    (step,) = simulate(case).steps
    assert step["t_end"] > 20.0


def test_the_recorded_flux_is_the_solved_one_far_from_equilibrium(root: Path) -> None:
    """At the start of a hold |F eta / 2RT| is beyond 12, where sinh goes on along its tangent."""
    case = coarse(
        root, BV, "physics.rock_salt.coverage=0.0", 'protocol.steps=["Hold at 4.3 V for 1 s"]'
    )
    result = simulate(case)
    line = result.surface
    assert line is not None
    assert line.flux is not None
    current = F * line.flux[0].mean() * np.pi * case.geometry.diameter * case.geometry.height
    assert current == pytest.approx(result["current"].values[0], rel=1e-3)  # nodes on the circle


def test_without_a_capacity_there_is_no_state_of_charge(root: Path) -> None:
    case = coarse(root, 'protocol.steps=["Charge at 4 pA for 1 minute"]')
    data = dict(case._given)
    data["protocol"] = {k: v for k, v in data["protocol"].items() if k != "capacity"}
    result = simulate(case._again(data))
    assert np.isnan(result["soc"].values).all()
