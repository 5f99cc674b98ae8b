"""What is read off a pulse and off a rest: a line over sqrt(t), a voltage at rest."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nmcsim.analysis.record import Record, Segment

__all__ = ["line", "rest_voltage"]

Array = NDArray[np.float64]

TAIL = 0.05  # share of a rest, at its end, whose mean is the voltage at rest
STEEPEST = 0.9  # ratio of two neighbouring changes above which no exponential is read from them


def line(t: Array, voltage: Array) -> tuple[float, float, float, float]:
    """A straight line through the voltage over sqrt(t).

    Each row counts by the stretch of sqrt(t) that it stands for, so that rows at a steady rate and
    rows that crowd at the start give the same line.

    Parameters
    ----------
    t : (n,) float array
        [s] since the pulse began.
    voltage : (n,) float array
        [V].

    Returns
    -------
    intercept, slope, u_slope, rms : float
        [V], [V/s^0.5], standard error of the slope, residual [V].
    """
    x = np.sqrt(t)
    weight = np.maximum(np.gradient(x), 0.0)
    weight = weight / weight.sum()
    x_mean, y_mean = float(weight @ x), float(weight @ voltage)
    spread = float(weight @ (x - x_mean) ** 2)
    slope = float(weight @ ((x - x_mean) * (voltage - y_mean))) / spread
    intercept = y_mean - slope * x_mean
    residual = voltage - intercept - slope * x
    rms = math.sqrt(float(residual @ residual) / max(len(t) - 2, 1))
    u_slope = rms * math.sqrt(float(weight**2 @ (x - x_mean) ** 2)) / spread
    return intercept, slope, u_slope, rms


def rest_voltage(record: Record, rest: Segment, noise: float) -> tuple[float, float, float]:
    """The voltage that a rest ended at.

    Parameters
    ----------
    record : Record
    rest : Segment
    noise : float
        Standard deviation of one row [V].

    Returns
    -------
    voltage, uncertainty, unsettled : float
        [V]. `voltage` is the mean over the last 5 % of the rest, not extrapolated. `unsettled` is
        what it was still away from rest, were the changes of the second and of the last third of
        the rest those of one exponential; the uncertainty holds it.
    """
    t, v = record.time[rest.rows], record.voltage[rest.rows]
    length = float(t[-1] - t[0])
    if length <= 0.0:
        return float(v[-1]), noise, 0.0
    share = (t - t[0]) / length

    def about(place: float) -> float:
        near = np.abs(share - place) <= 0.5 * TAIL
        return float(v[near].mean()) if near.sum() > 1 else float(np.interp(place, share, v))

    tail = share >= 1.0 - TAIL
    at_end, count = float(v[tail].mean()), int(np.count_nonzero(tail))
    ends = [about(place) for place in (1.0 / 3.0 - TAIL / 2, 2.0 / 3.0 - TAIL / 2)] + [at_end]
    before, last = ends[1] - ends[0], ends[2] - ends[1]
    ratio = last / before if before else 0.0
    unsettled = last
    if 0.0 < ratio < 1.0:
        ratio = min(ratio, STEEPEST)
        unsettled = last * ratio / (1.0 - ratio)
    return at_end, math.hypot(noise / math.sqrt(count), unsettled), unsettled
