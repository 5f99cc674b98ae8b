"""Lithium, salt and charge of an electrode, and the parts of its voltage, on every row of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nmcsim
from nmcsim.errors import RunFailure
from nmcsim.models import electrode as page
from nmcsim.solve.fields import Exchange
from tests.electrodes import CUT, PAIR, electrode
from tests.reference.electrode_laws import SKEWED, SYMMETRIC
from tests.vv import claim

STEPS = [
    "Charge at 1C for 300 s", "Hold at 3.95 V for 100 s", "Rest for 60 s",
    "Discharge at C/2 for 200 s",
]  # fmt: skip
ROUGH = {"rtol": 1e-5, "steps_per_phase": 10}  # the default tolerance
PARTS = ("V_U", "V_diffusion", "V_kinetic", "V_electronic", "V_contact", "V_ionic", "V_lithium")

MODES: dict[str, dict[str, Any]] = {
    "two particles": {},
    "t_plus of c, alpha 0.4 and 0.6": {
        "laws": SKEWED, "physics": {"alpha_a": 0.4, "alpha_c": 0.6},
    },
    "ideal lithium, dense binder": {
        "lithium": {"kinetics": "ideal"}, "binder": {"porosity": 0.0},
    },
    "equipotential electrolyte": {"electrolyte": {"transport": "equipotential"}},
    "one particle without electronic contact": {"geometry": dict(PAIR) | {"rows": CUT}},
}  # fmt: skip


def pair(**tables: Any) -> Any:
    """Two particles, charged, held, at rest and discharged."""
    protocol = {"capacity": "200 mAh/g", "initial": 0.9, "steps": STEPS}
    return electrode(**({"geometry": PAIR, "protocol": protocol, "numerics": ROUGH} | tables))


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """At each row with current, integral of i U(theta) over I: what the parts of V but U of the
    mean and diffusion leave of it, if power is balanced.
    """
    right, found = page.watched, []

    def watched(case: Any, mesh: Any, problem: Any, balances: Any, active: Any) -> Any:
        model = right(case, mesh, problem, balances, active)
        U, reaction = case.material.U.curve(), balances.reaction

        def keep(state: np.ndarray) -> dict[str, float]:
            theta, dofs = reaction.arguments[0]
            power = (reaction.weight * reaction.value()) @ U(theta.u.x.array[dofs])
            with np.errstate(divide="ignore", invalid="ignore"):
                found.append(float(power / np.float64(problem.scalar(state, "current"))))
            return {}

        return replace(model, together=(*model.together, keep))  # which have assigned the state

    monkeypatch.setattr(page, "watched", watched)
    return found


@pytest.mark.parametrize("mode", MODES)
def test_balances_and_parts_of_the_voltage(mode: str, stored: list[float]) -> None:
    result = nmcsim.simulate(pair(**MODES[mode]))
    assert result.summary["status"] == "finished"
    balance = result.summary["balance"]
    assert set(balance) == {"lithium", "charge"} | ({"salt"} if "c_l" in result.maps else set())
    for name, drift in balance.items():
        claim("electrode_invariants", mode, f"{name} drift", drift, below=1e-8)
        assert drift == np.nanmax(result[f"{name}_drift"].values)
    V, I = result["voltage"].values, result["current"].values
    parts = np.array([result[name].values for name in PARTS])
    resting = result["step"].values == 3
    assert resting.sum() > 5 and np.abs(I[resting]).max() < 1e-12 * np.abs(I).max()  # round-off
    assert np.isnan(parts[:, resting]).all()
    assert np.isfinite(parts[:, ~resting]).all()
    assert np.abs(parts.sum(axis=0) - V)[~resting].max() < 1e-12
    # diffusion is the rest, so the sum says nothing: that the rest is what is stored does
    rest = result["V_U"].values + result["V_diffusion"].values
    gap = 1e3 * float(np.abs(rest - np.array(stored))[~resting].max())
    claim("electrode_invariants", mode, "power in, dissipated and stored", gap,
          below=0.1, unit="mV")  # fmt: skip


def test_what_diffusion_costs_is_nothing_where_it_is_fast() -> None:
    """Then U of the mean and the dissipated parts are the whole voltage, with nothing left over.

    Particles of one state each: the neck between them is a good conductor, so that theta differs by
    what 1 mV of their potentials does.
    """
    laws = dict(SYMMETRIC) | {"D": "1e-9", "K": "100"}
    result = nmcsim.simulate(
        pair(laws=laws, contact={"conductivity": "100 S/m"}, numerics=ROUGH | {"rtol": 1e-6})
    )
    rest = np.nanmax(np.abs(result["V_diffusion"].values))
    others = ("V_kinetic", "V_ionic", "V_lithium")
    assert all(np.nanmax(np.abs(result[name].values)) > 1e-3 for name in others)
    claim("electrode_invariants", "D = 1e-9 m2/s", "V less all its parts but diffusion",
          1e3 * float(rest), below=0.1, unit="mV")  # fmt: skip


# -- what is wrong is seen --------------------------------------------------------------------


def wrong_row(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The reaction enters the balance of `name` with 0.1 % too much."""
    right = page._reaction

    def wrong(*arguments: Any) -> Any:
        exchange, particle = right(*arguments)
        rows = [
            (unknown, dofs, 1.001 * float(factor) if unknown.name == name else factor)
            for unknown, dofs, factor in exchange.rows
        ]
        return Exchange(exchange.arguments, exchange.law, exchange.weight, rows), particle

    monkeypatch.setattr(page, "_reaction", wrong)


@pytest.mark.parametrize(
    ("name", "sentence", "drift"),
    [
        ("theta", "the lithium balance drifts by", "lithium"),
        ("phi_s", "the charge balance drifts by", "charge"),
        ("phi_l", "the charge balance drifts by", "charge"),
        ("c_l", "the salt balance drifts by", "salt"),
    ],
)
def test_a_reaction_that_enters_one_balance_too_much_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, sentence: str, drift: str
) -> None:
    wrong_row(monkeypatch, name)
    protocol = {"capacity": "200 mAh/g", "initial": 0.9, "steps": ["Charge at 1C for 60 s"]}
    with pytest.raises(RunFailure, match=sentence):
        nmcsim.simulate(pair(protocol=protocol), tmp_path / "run")
    result = nmcsim.results.Result.load(tmp_path / "run")
    assert result.status == "failed"
    found = result.summary["balance"][drift]
    if drift == "charge":  # at every instant
        assert found == pytest.approx(1e-3, rel=0.01)
    if (
        drift == "lithium"
    ):  # of a minute at 1C: 720 kA s/kg / 60 * 4800 kg/m3 / (F 49600 mol/m3 * 0.9)
        passed = 720e3 * 4800.0 / 60.0 / (nmcsim.constants.F * 49600.0 * 0.9)
        assert found == pytest.approx(1e-3 * passed, rel=0.01)
