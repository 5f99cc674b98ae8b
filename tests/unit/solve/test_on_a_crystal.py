"""The integrator on the half-blocked crystal: tolerance, start, events, restart, cost, failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nmcsim
from nmcsim.errors import RunFailure
from nmcsim.models import single_crystal
from nmcsim.solve.drive import Event, advance, restart
from nmcsim.solve.ndf import NDF
from nmcsim.solve.start import consistent
from tests.crystals import crystal, first_state, modelled, sized
from tests.vv import claim

COARSE = sized(0.15)
KINETIC = ('physics.surface = "butler_volmer"', "physics.rock_salt.flux_ratio = 0.1")
TIMES = np.linspace(100.0, 2400.0, 24)


def integrated(model: Any, rtol: float, h_max: float = 1e9) -> tuple[np.ndarray, NDF]:
    """States at TIMES from dense output, at 1C."""
    model.set_current(model.one_c)
    ndf, states = NDF(model.problem, rtol), []

    def on_step(ndf: NDF, dense: Any, t: float, u: np.ndarray) -> None:
        states.extend(dense(s) for s in TIMES[(dense.t0 < TIMES) & (t >= TIMES)])

    restart(ndf, 0.0, first_state(model), h_max)
    advance(ndf, TIMES[-1] + 1.0, [], h_max, on_step)
    return np.array(states), ndf


@pytest.fixture(scope="module")
def half_blocked() -> Any:
    return modelled(crystal(*COARSE))


@pytest.fixture(scope="module")
def truth(half_blocked: Any) -> np.ndarray:
    return integrated(half_blocked, 1e-8)[0]


@pytest.mark.parametrize("rtol", [1e-3, 1e-4, 1e-5, 1e-6])
def test_error_follows_the_tolerance(half_blocked: Any, truth: np.ndarray, rtol: float) -> None:
    """Over all unknowns and 24 times, in tolerances; theta is measured in its scale, 1/2."""
    states, ndf = integrated(half_blocked, rtol)
    theta = half_blocked.problem.slice("theta")
    ratio = float(np.abs(states - truth)[:, theta].max()) / (0.5 * rtol)
    claim("rates", f"half-blocked, 1C, rtol {rtol:g}", "error / rtol", ratio, above=0.1, below=10.0)
    # the factorisation is kept: far fewer than one in a step
    share = ndf.counts["factorisations"] / ndf.counts["steps"]
    assert share < 0.6
    assert ndf.counts["rejected"] < 0.2 * ndf.counts["steps"]


@pytest.mark.parametrize("guess", [0.0, 10.0, -3.0])
def test_a_consistent_start_is_found_from_absurd_voltages(guess: float) -> None:
    model = modelled(crystal(*KINETIC, *COARSE))
    problem = model.problem
    model.set_current(model.one_c)
    state = first_state(model)
    found = []
    for V in (guess, 3.6):
        state[problem.slice("voltage")] = V
        ndf = NDF(problem, 1e-4)
        u, u_t = consistent(problem, ndf.norm, 0.0, state, ndf.counts)
        assert ndf.counts["jacobians"] < 60
        found.append(problem.scalar(u, "voltage"))
        assert problem.scalar(u, "current") == pytest.approx(model.one_c, rel=1e-9)
        assert np.array_equal(u[problem.slice("theta")], state[problem.slice("theta")])
        assert np.abs(problem.residual(0.0, u, u_t)).max() < 1e-9
    assert found[0] == pytest.approx(found[1], abs=1e-9)


def test_the_cut_off_is_found_on_the_dense_output() -> None:
    """At rtol 1e-4 and steps of a fiftieth of the phase, against rtol 1e-8."""
    times = []
    for rtol, h_max in ((1e-4, 75.0), (1e-8, 20.0)):
        model = modelled(crystal(*KINETIC, *COARSE))
        model.set_current(model.one_c)
        ndf = NDF(model.problem, rtol)
        restart(ndf, 0.0, first_state(model), h_max)
        observe = model.observables["voltage"]
        event = Event("voltage", "V = 4.3 V", lambda t, u, at=observe: at(u) - 4.3, +1)
        ended = advance(ndf, 1e5, [event], h_max, lambda *_: None)
        assert ended.event is event
        assert observe(ended.u) == pytest.approx(4.3, abs=1e-7)
        times.append(ended.t)
    late = abs(times[0] / times[1] - 1.0)
    claim("rates", "half-blocked, 4.3 V", "time of the event", 100.0 * late, below=0.01, unit="%")


def test_changes_of_control_conserve_charge() -> None:
    """Q is the sum of current times duration: no history is carried over a change of rate."""
    model = modelled(crystal(*KINETIC, *COARSE))
    ndf, t, u, expected = NDF(model.problem, 1e-4), 0.0, first_state(model), 0.0
    lithium = model.inventory(u)
    for rate, duration in ((1.0, 400.0), (-0.3, 200.0), (0.0, 50.0), (2.0, 30.0), (1.0, 1.0)):
        model.set_current(rate * model.one_c)
        u = restart(ndf, t, u, duration)
        u = advance(ndf, t + duration, [], duration / 5.0, lambda *_: None).u
        t += duration
        expected += rate * model.one_c * duration
    charge = model.observables["charge"](u)
    assert charge == pytest.approx(expected, rel=1e-9)  # the end of each step, to h_min
    left = (model.inventory(u) - lithium) * 96485.33212
    assert left == pytest.approx(-charge, rel=1e-11)


def test_a_hold_keeps_the_voltage_and_its_current_falls() -> None:
    model = modelled(crystal(*KINETIC, *COARSE))
    ndf = NDF(model.problem, 1e-4)
    model.set_current(model.one_c)
    u = restart(ndf, 0.0, first_state(model), 10.0)
    u = advance(ndf, 300.0, [], 10.0, lambda *_: None).u
    V = model.observables["voltage"](u)
    model.set_voltage(V)
    u = restart(ndf, 300.0, u, 5.0)
    assert model.observables["current"](u) == pytest.approx(model.one_c, rel=1e-3)  # continuous
    u = advance(ndf, 600.0, [], 5.0, lambda *_: None).u
    assert model.observables["voltage"](u) == pytest.approx(V, abs=1e-6)
    assert 0.0 < model.observables["current"](u) < 0.8 * model.one_c


class Torn:
    """A law that has no value below a stoichiometry."""

    def __init__(self, curve: Any, below: float) -> None:
        self.curve, self.below = curve, below

    def both(self, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, slopes = self.curve.both(a)
        return np.where(a < self.below, np.nan, values), slopes


def test_a_run_that_cannot_go_on_says_where_and_keeps_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = single_crystal._diffusion

    def torn(case: Any, mesh: Any, theta: Any) -> Any:
        balance, laws = right(case, mesh, theta)
        object.__setattr__(laws[0], "curve", Torn(laws[0].curve, 0.6))
        return balance, laws

    monkeypatch.setattr(single_crystal, "_diffusion", torn)
    with pytest.raises(RunFailure) as failed:
        nmcsim.simulate(crystal(*sized(0.3)), out=tmp_path / "run")
    said = str(failed.value)
    assert failed.value.exit_status == 3
    assert "stopped at t = " in said and "Charge at 1C until 4.3 V" in said
    assert "largest residual: theta" in said and "likely: " in said
    assert "checkpoint.h5" in said and (tmp_path / "run" / "checkpoint.h5").is_file()
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["status"] == "failed" and "stopped at t = " in summary["failure"]
    kept = nmcsim.Result.load(tmp_path / "run").history
    assert 0.6 <= kept["theta_min"].values[-1] < 0.65
