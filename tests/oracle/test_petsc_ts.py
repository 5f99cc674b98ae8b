"""Our integrator and PETSc TS on the same equations: the same state, the same event."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.solve.drive import Event, advance, restart
from nmcsim.solve.ndf import NDF
from tests.crystals import crystal, first_state, modelled, sized
from tests.oracle.petsc_ts import integrate
from tests.vv import claim

RTOL = 1e-6
MODES = {
    "flux": ('physics.surface = "flux"',),
    "Butler-Volmer": ('physics.surface = "butler_volmer"', "physics.rock_salt.flux_ratio = 0.1"),
}


@pytest.mark.parametrize("mode", MODES)
def test_the_same_state_at_the_same_time(mode: str) -> None:
    model = modelled(crystal(*MODES[mode], *sized(0.3)))
    problem = model.problem
    model.set_current(model.one_c)
    ndf = NDF(problem, RTOL)
    start = restart(ndf, 0.0, first_state(model), 30.0)
    ours = advance(ndf, 900.0, [], 30.0, lambda *_: None).u
    theirs = integrate(problem, start, 900.0, RTOL, 30.0)
    assert theirs.t == pytest.approx(900.0)
    theta = problem.slice("theta")
    gap = float(np.abs(ours - theirs.u)[theta].max())
    claim("rates", f"half-blocked, 900 s, {mode}", "theta, PETSc TS rosw", gap, below=1e-5)
    volts = abs(model.observables["voltage"](ours) - model.observables["voltage"](theirs.u))
    name = "voltage, PETSc TS rosw"
    claim("rates", f"half-blocked, 900 s, {mode}", name, 1e3 * volts, below=0.02, unit="mV")


@pytest.mark.parametrize("mode", MODES)
def test_the_same_cut_off(mode: str) -> None:
    model = modelled(crystal(*MODES[mode], *sized(0.3)))
    problem, voltage = model.problem, model.observables["voltage"]
    model.set_current(model.one_c)
    ndf = NDF(problem, RTOL)
    start = restart(ndf, 0.0, first_state(model), 60.0)
    event = Event("voltage", "V = 4.0 V", lambda t, u: voltage(u) - 4.0, +1)
    ended = advance(ndf, 4000.0, [event], 60.0, lambda *_: None)
    theirs = integrate(problem, start, 4000.0, RTOL, 60.0, lambda u: voltage(u) - 4.0)
    assert voltage(theirs.u) == pytest.approx(4.0, abs=1e-5)
    gap = abs(ended.t / theirs.t - 1.0)
    claim(
        "rates", f"half-blocked, 4.0 V, {mode}", "time, PETSc TS", 100.0 * gap, below=1e-3, unit="%"
    )
