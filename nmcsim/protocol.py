"""A protocol step as controls and events of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nmcsim.constants import F
from nmcsim.models.model import Model
from nmcsim.solve.drive import Event
from nmcsim.solve.fields import Array
from nmcsim.units import display

__all__ = ["Phase", "ends", "phase"]


@dataclass(frozen=True)
class Phase:
    """One step, ready to be integrated.

    Parameters
    ----------
    t_end : float
        Latest time [s]; infinite where only an event ends the step.
    h_max : float
        Longest time step [s].
    expected : float
        Expected length [s], for plans and progress.
    timed_out : str
        What is said when ``t_end`` ends it.
    stops : tuple of float
        Times [s] that no time step passes over: where a replayed record bends.
    """

    t_end: float
    h_max: float
    expected: float
    timed_out: str
    stops: tuple[float, ...] = ()


def phase(
    model: Model,
    step: Any,
    case: Any,
    t_start: float,
    state: Array,
    expected: float | None = None,
) -> Phase:
    """Set the model's controls for ``step`` and say how long it may take.

    Parameters
    ----------
    model : Model
    step : Step
    case : Case
    t_start : float
        When the step began [s].
    state : (size,) array
        The state then, or now in a step that is resumed.
    expected : float, optional
        Expected length [s], where the step is resumed; else it follows from the state.
    """
    _control(model, step, t_start)
    if expected is None:
        left = _left(model, step, state)
        expected = step.expected_duration(model.one_c, left=left, mass=model.mass)
    t_end, timed_out = float("inf"), ""
    for until in step.until:
        if until.quantity == "time" and t_start + until.value < t_end:
            t_end = t_start + until.value
            timed_out = f"{display(until.value, 's')} had passed"
    h_max = expected / case.numerics.steps_per_phase
    stops: tuple[float, ...] = ()
    if step.kind == "replay":
        record_end = t_start + float(step.value.times[-1])
        if record_end <= t_end:
            t_end, timed_out = record_end, "the replayed record ended"
        stops = tuple(t_start + _bends(step.value))
    return Phase(t_end, h_max, expected, timed_out, stops)


def ends(model: Model, step: Any, charge: float, state: Array) -> tuple[Event, ...]:
    """What ends ``step``, then what ends the run.

    Parameters
    ----------
    model : Model
    step : Step
    charge : float
        Charge that had passed when the step began [A s].
    state : (size,) array
        Consistent with the step's controls: a voltage is awaited from the side where it is now.
    """
    own = [_event(model, step, u, charge, state) for u in step.until if u.quantity != "time"]
    return (*own, *model.guards)


def _control(model: Model, step: Any, t_start: float) -> None:
    """Impose the step's current or voltage, in time where it is replayed."""
    impose = model.set_current if step.control == "current" else model.set_voltage
    assert impose is not None, "a hold in a model without a potential is refused by the case"
    model.problem.schedule = None
    if step.kind == "replay":
        replay = step.value
        impose(replay(0.0))
        name = step.control
        model.problem.schedule = lambda t: {name: replay(t - t_start)}
    elif step.control == "current":
        impose(0.0 if step.kind == "rest" else step.value.amperes(model.one_c))
    else:
        impose(step.value)


def _bends(replay: Any) -> Array:
    """Times [s] at which a record, linear between its points, changes its slope."""
    slope = np.diff(replay.values) / np.diff(replay.times)
    rounding = 1e-9 * float(np.abs(slope).max(initial=0.0))
    return np.asarray(replay.times[1:-1][np.abs(np.diff(slope)) > rounding])


def _left(model: Model, step: Any, state: Array) -> float | None:
    """Charge [A s] that a constant current can still take out of, or put into, the crystal."""
    if step.control != "current" or step.kind in ("rest", "replay"):
        return None
    theta = model.observables["theta_mean"](state)
    sites = model.inventory(state) / max(theta, 1e-12)
    charging = step.value.amperes(model.one_c) > 0.0
    share = theta - model.theta_charged if charging else model.theta_discharged - theta
    return float(F * sites * max(share, 0.02))


def _event(model: Model, step: Any, until: Any, charge: float, state: Array) -> Event:
    observe = model.observables
    if until.quantity == "voltage":
        volts = until.value
        rising = observe["voltage"](state) < volts
        if step.kind in ("charge", "discharge"):
            rising = step.kind == "charge"

        def beyond(t: float, u: Array) -> float:
            model.problem.at_time(t)  # a voltage without kinetics depends on a replayed current
            return observe["voltage"](u) - volts

        return Event("voltage", f"V = {volts:g} V", beyond, +1 if rising else -1)
    if until.quantity == "capacity":
        amount = until.value.coulombs(model.mass)
        return Event(
            "capacity",
            f"{until.value} had passed",
            lambda t, u: abs(observe["charge"](u) - charge) - amount,
            +1,
        )
    least = abs(until.value.amperes(model.one_c))
    # a replayed voltage may begin at rest: its current must have been larger once
    seen = step.kind != "replay"

    def above(t: float, u: Array) -> float:
        nonlocal seen
        excess = abs(observe["current"](u)) - least
        seen = seen or excess > 0.0
        return excess if seen else 1.0

    return Event("current", f"|I| = {until.value}", above, -1)
