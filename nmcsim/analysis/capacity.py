"""Differential capacity dQ/dV of a charge or a discharge.

The charge that passes at a voltage is counted first: each interval between two rows gives its
charge to the voltages it spans. That gives Q(V) on a uniform grid whatever the noise, even where
the voltage goes back, and Q(V) ends at the charge that has passed. Then Q(V) is smoothed and
differentiated:

    savgol    a cubic through a window of the width given (scipy.signal.savgol_filter)
    spline    a cubic smoothing spline that halves a ripple whose period is the width
              (scipy.interpolate.make_smoothing_spline)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_smoothing_spline
from scipy.signal import find_peaks, savgol_filter

from nmcsim.analysis.record import Record, Segment, segments
from nmcsim.errors import InputError, Mistake

__all__ = ["DifferentialCapacity", "Peak", "differential_capacity", "half_cycles"]

Array = NDArray[np.float64]

Method = Literal["savgol", "spline"]
POINTS_PER_WIDTH = 20  # of the grid, in a width
FEWEST = 8  # rows of a half-cycle
LARGEST = 200_000  # points of the grid


@dataclass(frozen=True)
class Peak:
    """A maximum of |dQ/dV|.

    Parameters
    ----------
    voltage : float
        [V], top of a parabola through one width of the smoothing about the largest value.
    height : float
        Largest dQ/dV [A s/V].
    width : float
        At half of its prominence [V].
    """

    voltage: float
    height: float
    width: float


@dataclass(frozen=True)
class DifferentialCapacity:
    """dQ/dV of one half-cycle.

    Parameters
    ----------
    number : int
        Of the half-cycle, from 1.
    kind : {"charge", "discharge"}
    voltage : (m,) float array
        Uniform and rising [V].
    charge : (m,) float array
        |Q| that passed below each voltage on a charge, above it on a discharge [A s].
    dqdv : (m,) float array
        d|Q|/d|V| >= 0 but for noise [A s/V].
    peaks : tuple of Peak
        By voltage.
    passed : float
        |Q| of the half-cycle [A s].
    method : str
    width : float
        Of the smoothing [V].
    """

    number: int
    kind: Literal["charge", "discharge"]
    voltage: Array
    charge: Array
    dqdv: Array
    peaks: tuple[Peak, ...]
    passed: float
    method: Method
    width: float

    @property
    def integral(self) -> float:
        """Integral of dQ/dV over the voltage [A s]; `passed`, but for the smoothing."""
        return float(np.trapezoid(self.dqdv, self.voltage))


def half_cycles(record: Record, at_rest: float | None = None) -> tuple[Segment, ...]:
    """The charges and discharges of a record that have 8 rows or more."""
    return tuple(
        part
        for part in segments(record, at_rest)
        if part.sign != 0 and part.last - part.first + 1 >= FEWEST
    )


def differential_capacity(
    record: Record,
    part: Segment,
    *,
    width: float = 0.01,
    method: Method = "savgol",
    prominence: float = 0.05,
    number: int = 1,
) -> DifferentialCapacity:
    """dQ/dV of one half-cycle, and its peaks.

    Parameters
    ----------
    record : Record
    part : Segment
        A charge or a discharge of it.
    width : float
        Of the smoothing [V]; details below it are lost.
    method : {"savgol", "spline"}
    prominence : float
        A peak rises above its surroundings by at least this share of the largest dQ/dV.
    number : int
        What the result is called.

    Raises
    ------
    InputError
        The voltage hardly changes, or the width is not between the grid's limits.
    """
    V, Q = record.voltage[part.rows], np.abs(record.charge[part.rows] - record.charge[part.first])
    lo, hi = float(V.min()), float(V.max())
    if not 0.0 < width <= 0.5 * (hi - lo):
        message = (
            f"= {width:g} V must lie above 0 and below half of what the voltage spans,"
            f" {0.5 * (hi - lo):.4g} V"
        )
        raise InputError(Mistake("width", message), record.name)
    count = int(np.ceil((hi - lo) / width * POINTS_PER_WIDTH)) + 1
    if count > LARGEST:
        least = (hi - lo) * POINTS_PER_WIDTH / LARGEST
        raise InputError(Mistake("width", f"= {width:g} V is less than {least:.2g} V"), record.name)
    grid = np.linspace(lo, hi, count)
    charge = _charge_below(V, np.diff(Q), grid)
    h = float(grid[1] - grid[0])
    if method == "savgol":
        window = POINTS_PER_WIDTH + 1  # odd
        smooth = savgol_filter(charge, window, 3)
        slope = savgol_filter(charge, window, 3, deriv=1, delta=h)
    else:
        # on a uniform grid of step h the spline passes 1 / (1 + lam h k^4) of a ripple exp(i k V)
        spline = make_smoothing_spline(grid, charge, lam=(width / (2.0 * np.pi)) ** 4 / h)
        smooth, slope = spline(grid), spline(grid, nu=1)
    passed = float(np.abs(record.charge[part.last] - record.charge[part.first]))
    return DifferentialCapacity(
        number,
        "charge" if part.sign > 0 else "discharge",
        grid,
        np.asarray(smooth if part.sign > 0 else passed - smooth, dtype=np.float64),
        np.asarray(slope, dtype=np.float64),
        _peaks(grid, slope, prominence),
        passed,
        method,
        width,
    )


def _charge_below(V: Array, dQ: Array, grid: Array) -> Array:
    """Charge that passed while the voltage was below each point of the grid, shape of `grid`.

    Each interval gives its charge evenly to the voltages between its ends: a sum of ramps, that is
    the integral of a density that steps at each end.
    """
    lo, hi = np.minimum(V[:-1], V[1:]), np.maximum(V[:-1], V[1:])
    flat = hi - lo < 1e-12
    density = np.where(flat, 0.0, dQ / np.where(flat, 1.0, hi - lo))
    # ramps: sum of density * (clip(v, lo, hi) - lo), by sorted ends and running sums
    ends = np.concatenate((lo, hi))
    change = np.concatenate((density, -density))
    order = np.argsort(ends, kind="stable")
    ends, change = ends[order], change[order]
    slope, offset = np.cumsum(change), np.cumsum(change * ends)
    at = np.searchsorted(ends, grid, side="right") - 1
    ramps = np.where(at >= 0, slope[at] * grid - offset[at], 0.0)
    jumps_at, jumps = lo[flat], dQ[flat]
    order = np.argsort(jumps_at, kind="stable")
    stepped = np.concatenate(([0.0], np.cumsum(jumps[order])))
    return ramps + stepped[np.searchsorted(jumps_at[order], grid, side="right")]


def _peaks(grid: Array, slope: Array, prominence: float) -> tuple[Peak, ...]:
    largest = float(slope.max())
    if largest <= 0.0:
        return ()
    at, about = find_peaks(slope, prominence=prominence * largest, width=1, rel_height=0.5)
    h, reach = grid[1] - grid[0], POINTS_PER_WIDTH // 2
    found = []
    for k, width in zip(at.tolist(), about["widths"].tolist(), strict=True):
        # three points at a flat top would follow the noise
        rows = slice(max(0, k - reach), k + reach + 1)
        x = grid[rows] - grid[k]
        a, b, _ = np.polyfit(x, slope[rows], 2)
        top = -0.5 * b / a if a < 0.0 else 0.0
        shift = float(np.clip(top, x[0], x[-1]))
        found.append(Peak(float(grid[k]) + shift, float(slope[k]), float(width * h)))
    return tuple(found)
