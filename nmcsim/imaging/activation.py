"""When each particle of an electrode takes part in a half-cycle, and how far apart they are.

A curve y_p(t) per particle is all that is needed: lithium per site of a simulation, or intensity of
an image. So both are measured by the same functions.

    t25       when a quarter of a particle's *own* change over the half-cycle has happened
    peak      when its curve is steepest, at constant current: a hold begins with a jump
    asynchrony = (largest - smallest t25 of the particles looked at) / (t_end_cc - t_start)

A half-cycle is a charge or a discharge with the holds and rests that follow it; ``t_end_cc`` is
where its constant current ends. Holds belong to a particle's change and to the capacity, not to the
length by which the asynchrony is divided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "NEGLIGIBLE",
    "SHARES",
    "UNEVEN",
    "HalfCycle",
    "asynchrony",
    "capacity_losses",
    "half_cycles",
    "homogenisation_times",
    "share_times",
    "slope_peaks",
    "variance_between",
]

Array = npt.NDArray[np.float64]

SHARES = {"t10": 0.10, "t25": 0.25, "t50": 0.50, "t90": 0.90}
"""Shares of a particle's own change, by the names of their times."""

NEGLIGIBLE = 1e-3
"""A stoichiometry, or an intensity of order one, that changes by less has not changed."""

UNEVEN = 0.02
"""A surface that differs by more from the mean of its particle makes it uneven."""

RESOLUTION = 1.0 / 500.0
"""Step of the even grid on which slopes are taken, over the length of the constant current."""

WINDOW = 1.0 / 25.0
"""Over which a slope is averaged, over the same length: wider than the steps of a time integration
or the noise of one image, narrower than the activation of a particle."""


@dataclass(frozen=True)
class HalfCycle:
    """A charge or a discharge, with the holds and rests that follow it.

    Parameters
    ----------
    kind : str
        "charge" or "discharge".
    t_start, t_end_cc, t_end : float
        Beginning, end of the constant current, end of all [s].
    complete : bool
        False for one in which the run ended before its protocol did.
    """

    kind: str
    t_start: float
    t_end_cc: float
    t_end: float
    complete: bool = True

    @property
    def duration(self) -> float:
        """Length without holds and rests [s]."""
        return self.t_end_cc - self.t_start

    def part(self, time: Array, curves: Array) -> tuple[Array, Array]:
        """What of curves (k, ...) at times (k,) [s] falls into it, from its start to its end.

        The ends are interpolated where no time falls on them.
        """
        return between(time, curves, self.t_start, self.t_end)

    def constant_current(self, time: Array, curves: Array) -> tuple[Array, Array]:
        """As `part`, without the holds and rests."""
        return between(time, curves, self.t_start, self.t_end_cc)


def half_cycles(
    steps: Sequence[Mapping[str, Any]], *, finished: bool = True, within: str | None = None
) -> tuple[HalfCycle, ...]:
    """The half-cycles among protocol steps.

    Parameters
    ----------
    steps : sequence of mappings
        In order, each with ``kind`` ("charge", "discharge", "hold", "rest" or "replay"),
        ``t_start`` and ``t_end`` [s]. Steps of one kind in a row belong together; holds and rests
        before the first current belong to nothing, and a replayed record ends what came before it.
    finished : bool
        Whether the protocol came to its end; if not, the last half-cycle is incomplete, unless
        the run stopped in a step that does not belong to it.
    within : str, optional
        Kind of the step, after the listed ones, in which a run stopped.
    """
    found: list[HalfCycle] = []
    growing = False  # whether the next hold or rest belongs to the last half-cycle
    for k, step in enumerate(steps):
        kind, start, end = step["kind"], float(step["t_start"]), float(step["t_end"])
        if kind in ("charge", "discharge"):
            if growing and kind == found[-1].kind and steps[k - 1]["kind"] == kind:
                start = found.pop().t_start
            found.append(HalfCycle(kind, start, end, end))
            growing = True
        elif kind in ("hold", "rest") and growing:
            last = found.pop()
            found.append(HalfCycle(last.kind, last.t_start, last.t_end_cc, end))
        else:
            growing = False
    if found and growing and not finished and within in (None, "hold", "rest", found[-1].kind):
        last = found.pop()
        found.append(HalfCycle(last.kind, last.t_start, last.t_end_cc, last.t_end, complete=False))
    return tuple(found)


def between(time: Array, curves: Array, start: float, end: float) -> tuple[Array, Array]:
    """Times and values of curves (k, ...) from ``start`` to ``end`` [s], with both ends."""
    chosen = (time > start) & (time < end)
    ends = at_times(time, curves, np.array([start, end]))
    times = np.concatenate(([start], time[chosen], [end]))
    return times, np.concatenate((ends[:1], curves[chosen], ends[1:]))


def at_times(time: Array, curves: Array, asked: Array) -> Array:
    """Curves (k, ...) at other times, linear between their own and constant outside; (q, ...)."""
    flat = curves.reshape(len(time), -1)
    columns = [np.interp(asked, time, column) for column in flat.T]
    return np.reshape(np.transpose(columns), (len(asked), *curves.shape[1:]))


def share_times(time: Array, curves: Array, share: float, negligible: float = NEGLIGIBLE) -> Array:
    """When a share of each curve's own change, from its first to its last value, has happened.

    Parameters
    ----------
    time : (k,) array
        Not decreasing [s].
    curves : (k, p) array
        One column per particle.
    share : float
        Between 0 and 1.
    negligible : float
        A curve that changes by less has no such time.

    Returns
    -------
    (p,) array
        The first such time, linear between the given ones [s]; NaN where a curve hardly changes.
    """
    change = curves[-1] - curves[0]
    found = np.full(curves.shape[1], np.nan)
    for p in np.flatnonzero(np.abs(change) >= negligible).tolist():
        done = (curves[:, p] - curves[0, p]) / change[p] - share
        after = int(np.argmax(done >= 0.0))
        if after == 0:
            found[p] = time[0]
            continue
        a, b = done[after - 1], done[after]
        found[p] = time[after - 1] + (time[after] - time[after - 1]) * a / (a - b)
    return found


def slope_peaks(time: Array, curves: Array, negligible: float = NEGLIGIBLE) -> Array:
    """When each curve is steepest in the direction of its own change.

    The curves are taken on an even grid of `RESOLUTION` times their length, linear between the
    given times, and the slope at each point is that between half a `WINDOW` before and half a
    window behind it (at the ends: what there is of them), which is the mean slope over the window.
    A curve that is nearly straight has no marked peak; t25 tells more of it.

    Parameters
    ----------
    time, curves, negligible
        As in `share_times`; at constant current.

    Returns
    -------
    (p,) array
        The first of the steepest points [s]; NaN where a curve hardly changes.
    """
    change, duration = curves[-1] - curves[0], time[-1] - time[0]
    if duration <= 0.0:
        return np.full(change.shape, np.nan)
    grid = np.linspace(time[0], time[-1], round(1.0 / RESOLUTION) + 1)
    before = np.maximum(grid - 0.5 * WINDOW * duration, time[0])
    behind = np.minimum(grid + 0.5 * WINDOW * duration, time[-1])
    rise = at_times(time, curves, behind) - at_times(time, curves, before)
    slope = rise / (behind - before)[:, None] * np.sign(change)
    # the first of those that differ by round-off alone
    steepest = np.argmax(slope >= slope.max(axis=0) * (1.0 - 1e-9), axis=0)
    return np.where(np.abs(change) >= negligible, grid[steepest], np.nan)


def asynchrony(times: Array, duration: float) -> float:
    """How far apart particles are: largest minus smallest of their times over a duration.

    Parameters
    ----------
    times : (q,) array
        Of the particles that are looked at [s]; NaN for one that did not take part.
    duration : float
        Of the half-cycle without its holds [s].

    Returns
    -------
    float
        NaN where fewer than two took part.
    """
    there = times[np.isfinite(times)]
    if there.size < 2 or duration <= 0.0:
        return float("nan")
    return float(np.ptp(there) / duration)


def homogenisation_times(time: Array, surface: Array, mean: Array, uneven: float = UNEVEN) -> Array:
    """For how long each particle is uneven while it is activated.

    That is the time in a row during which surface and mean differ by more than ``uneven``, around
    the moment between t10 and t90 at which they differ most.

    Parameters
    ----------
    time : (k,) array
        Not decreasing [s].
    surface, mean : (k, p) arrays
        Of each particle.
    uneven : float
        The difference that counts.

    Returns
    -------
    (p,) array
        [s]; 0 where a particle stays even, NaN where it does not take part.
    """
    begin, end = (share_times(time, mean, share) for share in (SHARES["t10"], SHARES["t90"]))
    found = np.full(mean.shape[1], np.nan)
    for p in np.flatnonzero(np.isfinite(begin)).tolist():
        excess = np.abs(surface[:, p] - mean[:, p]) - uneven
        t, f = _with_crossings(time, excess)
        inside = (t >= begin[p]) & (t <= end[p])
        peak = int(np.argmax(np.where(inside, f, -np.inf)))
        if f[peak] <= 0.0 or not inside.any():
            found[p] = 0.0
            continue
        even = np.flatnonzero(f <= 0.0)
        first, last = even[even < peak], even[even > peak]
        starts = t[first[-1]] if first.size else t[0]
        found[p] = (t[last[0]] if last.size else t[-1]) - starts
    return found


def _with_crossings(time: Array, f: Array) -> tuple[Array, Array]:
    """A linear curve with its zeros put in as points of their own."""
    k = np.flatnonzero(f[:-1] * f[1:] < 0.0)
    zeros = time[k] + (time[k + 1] - time[k]) * f[k] / (f[k] - f[k + 1])
    return np.insert(time, k + 1, zeros), np.insert(f, k + 1, 0.0)


def capacity_losses(halves: Sequence[HalfCycle], time: Array, charge: Array) -> list[float]:
    """What of each charge does not come back in the discharge after it, holds included.

    Parameters
    ----------
    halves : sequence of HalfCycle
    time, charge : (k,) arrays
        Charge passed [A s] or any measure of it, charging positive.

    Returns
    -------
    list of float
        1 - Q_discharge / Q_charge of each complete cycle, a charge and the discharge after it.
    """
    losses = []
    for first, second in pairwise(halves):
        if (first.kind, second.kind) != ("charge", "discharge") or not second.complete:
            continue
        a, b, c, d = np.interp(
            [first.t_start, first.t_end, second.t_start, second.t_end], time, charge
        )
        losses.append(float(1.0 - (c - d) / (b - a)) if b > a else float("nan"))
    return losses


def variance_between(values: Array, weights: Array) -> Array:
    """Variance between particles, weighted; over the last axis.

    Parameters
    ----------
    values : (..., p) array
        A number per particle, such as its mean stoichiometry.
    weights : (p,) array
        Of each particle, such as its volume.

    Returns
    -------
    (...) array
        NaN where there is no particle.
    """
    total = float(np.sum(weights))
    if total <= 0.0:
        return np.full(values.shape[:-1], np.nan)
    mean = (values @ weights) / total
    return np.asarray(((values - mean[..., None]) ** 2 @ weights) / total)
