"""Advance an integrator to a time or to the first event, with restart at changes of control."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy.optimize import brentq

from nmcsim.solve.fields import Array
from nmcsim.solve.ndf import NDF, Dense
from nmcsim.solve.start import consistent

__all__ = ["Ended", "Event", "advance", "restart"]


@dataclass(frozen=True)
class Event:
    """Ends an integration where ``indicator(t, u)`` crosses zero.

    Parameters
    ----------
    name : str
        What the event is called in the steps' table, e.g. ``"voltage"``.
    reason : str
        The sentence of the log, e.g. ``"V = 4.3 V"``.
    indicator : callable
        ``(t, u) -> float``, the same on every rank.
    direction : int
        +1 fires on crossing upwards, -1 downwards.
    place : callable, optional
        ``(t, u) -> str``: where in space it happened; collective.
    """

    name: str
    reason: str
    indicator: Callable[[float, Array], float]
    direction: int
    place: Callable[[float, Array], str] | None = None

    def passed(self, value: float) -> bool:
        """Whether ``value`` lies on or beyond the event."""
        return self.direction * value >= 0.0


@dataclass(frozen=True)
class Ended:
    """Where an integration stopped: at ``event``, or at the asked time if it is None."""

    t: float
    u: Array
    event: Event | None


def restart(ndf: NDF, t: float, u: Array, h_max: float) -> Array:
    """Consistent start at order 1 after a change of control; returns the consistent state.

    The first step keeps the estimated change of a step within a tenth of the tolerance.
    """
    u, u_t = consistent(ndf.system, ndf.norm, t, u, ndf.counts)
    (rate,) = ndf.norm.error(u_t)
    h = min(h_max, 0.5 / rate if rate > 0.0 else h_max)
    ndf.start(t, u, u_t, max(min(h, h_max), 10.0 * ndf.h_min))
    return u


def advance(
    ndf: NDF,
    t_end: float,
    events: Sequence[Event],
    h_max: float,
    on_step: Callable[[NDF, Dense, float, Array], None],
    stops: Sequence[float] = (),
) -> Ended:
    """Integrate until ``t_end`` or the first event, whichever comes first.

    Parameters
    ----------
    ndf : NDF
        Started integrator.
    t_end : float
        Latest time [s].
    events : sequence of Event
        An event that is already passed at the start fires at once.
    h_max : float
        Longest step [s]: a long step may jump over an event.
    on_step : callable
        ``(ndf, dense, t, u)`` after each accepted step; the last call has the event's state.
    stops : sequence of float
        Increasing times [s] that no step passes over: where a control bends.

    Raises
    ------
    StepFailure
        If the integrator cannot go on.
    """
    values = [e.indicator(ndf.t, ndf.u) for e in events]
    for event, value in zip(events, values, strict=True):
        if event.passed(value):
            return Ended(ndf.t, ndf.u.copy(), event)
    k = 0
    while not _reached(ndf, t_end):
        while k < len(stops) and _reached(ndf, stops[k]):
            k += 1
        ndf.step(h_max, min(t_end, stops[k]) if k < len(stops) else t_end)
        dense = ndf.dense
        values = [e.indicator(ndf.t, ndf.u) for e in events]
        fired = [
            (_crossing(e, dense, ndf.u), e)
            for e, value in zip(events, values, strict=True)
            if e.passed(value)
        ]
        if fired:
            t, event = min(fired, key=lambda pair: pair[0])
            u = dense(t)
            on_step(ndf, dense, t, u)
            return Ended(t, u, event)
        on_step(ndf, dense, ndf.t, ndf.u)
    return Ended(ndf.t, ndf.u.copy(), None)


def _reached(ndf: NDF, t: float) -> bool:
    """Whether ``t`` is nearer than a step can be: the least one, or the rounding of times."""
    return ndf.t >= t - max(ndf.h_min, 1e-14 * abs(ndf.t))


def _crossing(event: Event, dense: Dense, u1: Array) -> float:
    """Time of the event on the dense output of the last step."""

    def value(t: float) -> float:
        return event.direction * event.indicator(t, u1 if t == dense.t1 else dense(t))

    if value(dense.t0) >= 0.0:
        return dense.t0
    span = dense.t1 - dense.t0
    return float(brentq(value, dense.t0, dense.t1, xtol=1e-9 * span, rtol=8.9e-16))
