"""A protocol step as controls and events of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nmcsim.models.model import Model
from nmcsim.solve.drive import Event
from nmcsim.solve.fields import Array
from nmcsim.units import display

__all__ = ["Phase", "phase"]


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
    events : tuple of Event
        What ends the step, then what ends the run.
    timed_out : str
        What is said when ``t_end`` ends it.
    """

    t_end: float
    h_max: float
    expected: float
    events: tuple[Event, ...]
    timed_out: str


def phase(model: Model, step: Any, case: Any, t_start: float, charge: float, state: Array) -> Phase:
    """Set the model's controls for ``step`` and say what ends it.

    Parameters
    ----------
    model : Model
    step : Step
    case : Case
    t_start : float
        When the step began [s].
    charge : float
        Charge that had passed then [A s].
    state : (size,) array
        The state then.
    """
    _control(model, step, t_start)
    expected = step.expected_duration(model.one_c, left=_left(model, step, state), mass=model.mass)
    t_end, timed_out = float("inf"), ""
    events = []
    for until in step.until:
        if until.quantity == "time":
            if t_start + until.value < t_end:
                t_end = t_start + until.value
                timed_out = f"{display(until.value, 's')} had passed"
        else:
            events.append(_event(model, step, until, charge, state))
    h_max = expected / case.numerics.steps_per_phase
    if step.kind == "replay":
        t_end = min(t_end, t_start + float(step.value.times[-1]))
        timed_out = timed_out or "the replayed record ended"
    return Phase(t_end, h_max, expected, (*events, *model.guards), timed_out)


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


def _left(model: Model, step: Any, state: Array) -> float | None:
    """Charge [A s] that a constant current can still take out of, or put into, the crystal."""
    if step.control != "current" or step.kind in ("rest", "replay"):
        return None
    sites = model.inventory(state) / max(model.observables["theta_mean"](state), 1e-12)
    theta = model.observables["theta_mean"](state)
    charging = step.value.amperes(model.one_c) > 0.0
    share = theta - model.theta_charged if charging else model.theta_discharged - theta
    return float(96485.33212 * sites * max(share, 0.02))


def _event(model: Model, step: Any, until: Any, charge: float, state: Array) -> Event:
    observe = model.observables
    if until.quantity == "voltage":
        volts = until.value
        rising = observe["voltage"](state) < volts
        if step.kind in ("charge", "discharge"):
            rising = step.kind == "charge"
        return Event(
            "voltage",
            f"V = {volts:g} V",
            lambda t, u: observe["voltage"](u) - volts,
            +1 if rising else -1,
        )
    if until.quantity == "capacity":
        amount = until.value.coulombs(model.mass)
        return Event(
            "capacity",
            f"{until.value} had passed",
            lambda t, u: abs(observe["charge"](u) - charge) - amount,
            +1,
        )
    least = abs(until.value.amperes(model.one_c))
    return Event(
        "current", f"|I| = {until.value}", lambda t, u: abs(observe["current"](u)) - least, -1
    )
