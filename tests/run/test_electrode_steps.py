"""What an electrode does: contacts, rest, changes of control, and how a run of it ends."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.run import simulate
from nmcsim.solve import drive
from tests.electrodes import CUT, PAIR, SLAB, electrode
from tests.reference.electrode_laws import SYMMETRIC

ROUGH = {"rtol": 1e-4, "steps_per_phase": 10}
UNEQUAL = {"particles": {"particle[0]": 0.4, "particle[1]": 0.8}}
QUICK = dict(SYMMETRIC) | {"D": "1e-12", "K": "1"}
"""Diffusion within seconds, electrons without loss."""


def pair(steps: list[str], initial: Any = 0.9, **tables: Any) -> Any:
    """Two particles of the same volume, the second on a neck of the first."""
    protocol = {"capacity": "200 mAh/g", "initial": initial, "steps": steps}
    return electrode(**({"geometry": PAIR, "protocol": protocol, "numerics": ROUGH} | tables))


# -- contacts and rest ------------------------------------------------------------------------


def test_no_lithium_crosses_a_contact() -> None:
    """Half empty and nearly full, joined by a neck, with rates of 1e-9 A/m2: for ten hours each
    keeps its lithium, of which diffusion would leave nothing in a second; electrons are at one
    potential.
    """
    result = simulate(pair(["Rest for 10 hours"], UNEQUAL, laws=QUICK | {"i0": "1e-9"}))
    theta = result.particles.theta_mean
    # 1e-9 A/m2 sinh(F 0.4 V / 2RT) = 3e-6 A/m2 at most, over 3 m of outline and 12e-12 m2: 5e-7 of
    # the sites in an hour
    assert np.abs(theta - [0.4, 0.8]).max() < 1e-4
    field = result.maps["theta"]
    for p, value in ((0, 0.4), (1, 0.8)):
        nodes = np.unique(field.triangles[field.part == p])
        assert np.abs(field.values[-1][nodes] - value).max() < 1e-4
    assert np.abs(result.maps["phi_s"].values).max() < 1e-6  # V
    # where the rates are real they reach each other through the electrolyte
    moved = simulate(pair(["Rest for 1 minute"], UNEQUAL, laws=QUICK)).particles.theta_mean[-1]
    assert moved[0] > 0.401 and moved[1] < 0.799


def test_electrons_cross_a_contact_and_pay_for_it() -> None:
    """The second particle's current all flows through its neck: I_1 R = I_1 gap / (K width)."""
    conductivity = 1e-3  # S/m; the neck is 0.5 um long and 1 um wide, 1 mm deep
    result = simulate(
        pair(["Charge at 1C for 10 s"], laws=QUICK,
             contact={"conductivity": f"{conductivity} S/m"})
    )  # fmt: skip
    current, phi_s = result.particles.current, result.particles.phi_s
    fall = current[:, 1] * 0.5e-6 / (conductivity * 1e-6 * 1e-3)
    assert phi_s[:, 0] - phi_s[:, 1] == pytest.approx(fall, rel=0.03)  # and a little in the NMC
    paid = fall * current[:, 1] / result["current"].values
    assert result["V_contact"].values == pytest.approx(paid, rel=0.01)
    assert fall.min() > 1e-3


def test_at_rest_everything_comes_to_one_potential() -> None:
    """Two particles of one volume end with the mean of their lithium, at its U; salt is level."""
    result = simulate(pair(["Rest for 20 hours"], UNEQUAL, laws=QUICK))
    theta = result.particles.theta_mean[-1]
    assert theta == pytest.approx([0.6, 0.6], abs=1e-4)
    mean = result["theta_mean"].values
    assert np.ptp(mean) < 1e-9  # a balance: nothing leaves at rest
    case = pair(["Rest for 1 s"], laws=QUICK)
    U = float(case.material.U.evaluate(np.array(mean[-1])))
    assert result["voltage"].values[-1] == pytest.approx(U, abs=1e-5)
    assert np.abs(result["current"].values).max() < 1e-18  # A; 1C is 1e-8 A
    assert np.abs(result.particles.current[-1]).max() < 1e-13
    assert np.abs(result.maps["phi_s"].values[-1]).max() < 1e-7
    assert np.ptp(result.maps["phi_l"].values[-1]) < 1e-6
    assert np.ptp(result.maps["c_l"].values[-1]) < 1e-2


# -- changes of control -----------------------------------------------------------------------


def test_each_step_begins_consistently_in_a_few_iterations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From rest to 5C and back, with K over six decades in the particles."""
    taken: list[int] = []
    plain = drive.consistent

    def counting(system: Any, norm: Any, t: float, u: Any, counts: Counter[str]) -> Any:
        before = counts["residuals"]
        found = plain(system, norm, t, u, counts)
        taken.append(counts["residuals"] - before)
        return found

    monkeypatch.setattr(drive, "consistent", counting)
    laws = dict(SYMMETRIC) | {"K": "exp(-13.8*theta)"}  # 1 S/m to 1e-6 S/m
    steps = [
        "Charge at C/10 for 100 s", "Discharge at 5C for 5 s", "Rest for 10 s",
        "Hold at 4.2 V for 10 s", "Hold at 3.6 V for 10 s", "Charge at 5C for 5 s",
    ]  # fmt: skip
    result = simulate(pair(steps, 0.7, laws=laws))
    assert result.summary["status"] == "finished"
    assert len(taken) >= len(steps) and max(taken) <= 15
    # at the first instant of a hold the voltage is what is asked for
    for step, volts in ((4, 4.2), (5, 3.6)):
        first = int(np.argmax(result["step"].values == step))
        assert result["voltage"].values[first] == pytest.approx(volts, abs=1e-9)
    assert result.summary["counts"]["newton_failures"] <= 2


# -- particles that take no part --------------------------------------------------------------


def test_a_particle_without_electronic_contact_is_named_and_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="nmcsim")
    result = simulate(pair(["Charge at 1C for 60 s"], geometry=dict(PAIR) | {"rows": CUT}))
    assert result.summary["status"] == "finished"
    messages = caplog.messages
    said = next(k for k, line in enumerate(messages) if "no electronic contact" in line)
    assert messages[said].strip() == (
        "particle[1] has no electronic contact to the collector: it keeps its lithium and takes"
        " no part"
    )
    assert said < next(k for k, line in enumerate(messages) if "step 1/1" in line)
    particles = result.particles
    assert particles.active.tolist() == [True, False]
    assert particles.theta_mean[:, 1] == pytest.approx(0.9, abs=1e-12)
    assert (particles.current[:, 1] == 0.0).all()
    assert np.isnan(particles.phi_s[:, 1]).all() and np.isnan(particles.theta_surface[:, 1]).all()
    total = result["current"].values
    assert particles.current[1:, 0] == pytest.approx(total[1:], rel=1e-3)


def test_without_any_contact_there_is_nothing_to_run(tmp_path: Path) -> None:
    rows = [["binder", "liquid", "liquid"], ["liquid"] * 3, ["0", "contact", "1"], ["liquid"] * 3]
    with pytest.raises(InputError, match="no particle is in electronic contact with the collector"):
        simulate(pair(["Rest for 1 s"], geometry=dict(PAIR) | {"rows": rows}), tmp_path / "out")


def test_closed_pores_do_no_harm() -> None:
    """Dense binder encloses two: one without NMC, whose potential is of no consequence, and one
    below a particle, through which no current can flow.
    """
    rows = [
        ["binder"] * 3, ["binder", "liquid", "binder"], ["binder"] * 3,
        ["binder", "liquid", "binder"], ["0"] * 3, ["liquid"] * 3,
    ]  # fmt: skip
    shape = dict(PAIR) | {
        "heights": ["0.5 um"] * 4 + ["2 um", "8 um"], "up": [1, 1, 1, 1, 4, 4], "rows": rows,
    }  # fmt: skip
    result = simulate(
        pair(["Charge at 1C for 60 s"], geometry=shape, binder={"porosity": 0.0}, laws=QUICK)
    )
    assert result.summary["status"] == "finished"
    salt, phi_l = result.maps["c_l"], result.maps["phi_l"]
    closed = salt.nodes[:, 1] < 1.1e-6
    assert np.abs(salt.values[:, closed] - 1000.0).max() < 1e-3
    assert (phi_l.values[:, closed] == 0.0).all()
    below = (salt.nodes[:, 1] > 1.1e-6) & (salt.nodes[:, 1] < 2.1e-6)
    assert np.abs(salt.values[:, below] - 1000.0).max() < 1.0
    assert max(result.summary["balance"].values()) < 1e-8


# -- how a run ends ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "initial", "sentence"),
    [
        ("Charge at 2C for 3 hours", 0.2, "lithium runs out: theta = 0.001, at ("),
        ("Discharge at 2C for 3 hours", 0.7, "lithium fills the sites: theta = 0.999, at ("),
    ],
)
def test_a_run_ends_where_a_particle_is_empty_or_full(
    step: str, initial: float, sentence: str
) -> None:
    result = simulate(pair([step], initial))
    assert result.summary["status"] == "ended early"
    reason = result.steps[0]["reason"]
    assert reason.startswith(sentence) and "particle[" in reason
    for name in ("voltage", "theta_min", "theta_max", "charge"):
        assert np.isfinite(result[name].values).all()
    assert result["theta_min"].values[-1] > 0.0 and result["theta_max"].values[-1] < 1.0
    assert max(result.summary["balance"].values()) < 1e-8


def test_a_run_ends_where_the_electrolyte_is_depleted() -> None:
    """Above the limiting current 2 F D c / (L (1 - t_plus)) = 13 A/m2 of 20 um."""
    laws = dict(SYMMETRIC) | {"D_l": "1e-12", "D": "1e-12"}
    case = electrode(
        laws,
        geometry=SLAB,
        protocol={"initial": 0.5, "steps": ["Discharge at 30 nA for 3 hours"]},
        numerics=ROUGH,
    )
    result = simulate(case)
    assert result.summary["status"] == "ended early"
    assert result.steps[0]["reason"].startswith(
        "the electrolyte is depleted: c_l = 10 mol/m3, at ("
    )
    assert result["c_l_min"].values[-1] == pytest.approx(10.0, rel=1e-3)
    # by Sand: pi D/4 (F c / ((1 - t_plus) i))^2 = 15 s, in half of an endless liquid
    sand = np.pi * 1e-12 / 4.0 * (96485.0 * 1000.0 / (0.7406 * 30.0)) ** 2
    assert result["time"].values[-1] == pytest.approx(sand, rel=0.1)
