"""A measured quantity beside the simulated one, and the numbers that say how far apart they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.measured import Measurement

__all__ = [
    "WITHIN",
    "Comparison",
    "Pair",
    "PairCurve",
    "Unpaired",
    "pair_of_series",
    "pair_of_value",
]

Array = NDArray[np.float64]

WITHIN = 2.0
"""Standard deviations that simulated and measured may be apart: of a value |z|, of a series the
root mean square of its z. If the uncertainty is all that separates them, 95 values of 100 are
within."""

ROUND_OFF = 1e-10
"""Relative difference of two equal numbers: a run ends at 4.3 V by a root."""


@dataclass(frozen=True)
class PairCurve:
    """The two sides of a series, along its measured points.

    Parameters
    ----------
    x, measured, uncertainty, simulated : (n,) float arrays
        Of the measured points, in the units of the measurement; `simulated` is NaN where the
        simulation has no value, `uncertainty` where nobody said one.
    x_name, x_unit : str
    line_x, line : (k,) float arrays
        The whole simulated curve in the same units, for a plot.
    error : (n,) float array, optional
        Of `simulated`, where that was measured too.
    """

    x: Array
    measured: Array
    uncertainty: Array
    simulated: Array
    x_name: str
    x_unit: str
    line_x: Array
    line: Array
    error: Array | None = None

    @property
    def errors(self) -> Array:
        """Uncertainties of the differences: of both sides where both are known; (n,)."""
        if self.error is None:
            return self.uncertainty
        both = np.hypot(self.uncertainty, self.error)
        return np.where(np.isfinite(both), both, np.fmin(self.uncertainty, self.error))

    @property
    def common(self) -> NDArray[np.bool_]:
        """The points at which both sides have a value."""
        return np.isfinite(self.measured) & np.isfinite(self.simulated)


@dataclass(frozen=True)
class Pair:
    """One quantity, measured and simulated.

    Parameters
    ----------
    name, unit : str
        Of the measurement; all numbers are in its unit.
    measured, uncertainty, simulated, difference : float or None
        Of a value; the difference is simulated minus measured. Of a series None, but for the
        difference: its mean over the common points.
    z : float or None
        Difference over uncertainty; None without one, and for a limit.
    rmse, chi2 : float or None
        Of a series: root mean square of the differences, and reduced chi squared, the mean of z^2.
    within : bool or None
        |z|, or the root of chi2, is at most `WITHIN`; a limit holds; None where there is no
        uncertainty to judge by.
    residuals, differences : (m,) float arrays, finite
        (simulated - measured) / uncertainty of each point that has one: of a value one number or
        none, of a limit 0 where it holds. `differences` are in `unit`, of all common points, with
        or without uncertainty, and 0 where a limit holds.
    bound : str
        "at most" or "at least" of a limit.
    origin : str
        Where the simulated side comes from: "frames", "observable", "history", "summary" or
        "measurement".
    points, without : int
        Of a series: common points, and measured points at which the simulation has no value.
    curve : PairCurve, optional
    entry : Measurement
    note : str
        What a reader should know of how it was compared.
    error : float, optional
        Uncertainty of `simulated`, where that was measured too; it is in z.
    """

    name: str
    unit: str
    measured: float | None
    uncertainty: float | None
    simulated: float | None
    difference: float
    z: float | None
    rmse: float | None
    chi2: float | None
    within: bool | None
    residuals: Array = field(repr=False)
    differences: Array = field(repr=False)
    bound: str = ""
    origin: str = ""
    points: int = 0
    without: int = 0
    curve: PairCurve | None = field(default=None, repr=False)
    entry: Measurement = field(default_factory=lambda: Measurement(""), repr=False)
    note: str = ""
    error: float | None = None


@dataclass(frozen=True)
class Unpaired:
    """An entry of the measurements that the simulation cannot be compared with.

    Parameters
    ----------
    name : str
    reason : str
        One clause: nothing has that name (with the nearest ones), units differ, no value, ...
    missing : bool
        It has no measured number: `reason` says where that stands.
    entry : Measurement
    """

    name: str
    reason: str
    missing: bool = False
    entry: Measurement = field(default_factory=lambda: Measurement(""), repr=False)


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Parameters
    ----------
    title, source : str
        Of the measurements.
    of : str
        The title of what was simulated.
    pairs, unpaired : tuples
        In the order of the file.
    settings : mapping
        The operators of the measurements, where frames were filmed and reduced.
    notes : tuple of str
        What else a reader should know.
    """

    title: str
    source: str
    of: str
    pairs: tuple[Pair, ...]
    unpaired: tuple[Unpaired, ...]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def within(self) -> bool:
        """Whether no pair is judged to be apart."""
        return all(pair.within is not False for pair in self.pairs)

    def __getitem__(self, name: str) -> Pair:
        for pair in self.pairs:
            if pair.name == name:
                return pair
        raise KeyError(name)


def pair_of_value(
    entry: Measurement,
    simulated: float,
    origin: str,
    note: str = "",
    error: float | None = None,
) -> Pair:
    """A measured value, or a limit, beside a number in the same unit, whose own uncertainty is
    `error` where it was measured too.
    """
    assert entry.value is not None
    difference, u = simulated - entry.value, _together(entry.uncertainty, error)
    if abs(difference) <= ROUND_OFF * abs(entry.value):
        difference = 0.0
    beyond = difference
    if entry.bound:
        holds = difference <= 0.0 if entry.bound == "at most" else difference >= 0.0
        beyond = 0.0 if holds else difference
    z = None if u is None or entry.bound else difference / u
    within: bool | None
    if entry.bound:
        within = beyond == 0.0 or (u is not None and abs(beyond) <= WITHIN * u)
    else:
        within = None if z is None else abs(z) <= WITHIN
    return Pair(
        entry.name, entry.unit, entry.value, entry.uncertainty, simulated, difference, z, None,
        None, within,
        residuals=np.array([] if u is None and beyond else [beyond / (u or 1.0)]),
        differences=np.array([beyond]), bound=entry.bound, origin=origin, entry=entry, note=note,
        error=error,
    )  # fmt: skip


def _together(one: float | None, other: float | None) -> float | None:
    """Of two independent uncertainties; of the one that is known."""
    known = [u for u in (one, other) if u is not None]
    return math.hypot(*known) if known else None


def pair_of_series(entry: Measurement, curve: PairCurve, origin: str, note: str = "") -> Pair:
    """A measured curve beside a simulated one, at the measured points that both have.

    Raises
    ------
    ValueError
        They have no point in common.
    """
    common = curve.common
    if not common.any():
        raise ValueError("no point of the series lies where the simulation has a value")
    differences = (curve.simulated - curve.measured)[common]
    u = curve.errors[common]
    residuals = (differences / u)[np.isfinite(u)]
    chi2 = float(np.mean(residuals**2)) if len(residuals) else None
    return Pair(
        entry.name, entry.unit, None, None, None, float(differences.mean()), None,
        rmse=float(np.sqrt(np.mean(differences**2))),
        chi2=chi2,
        within=None if chi2 is None else bool(chi2 <= WITHIN**2),
        residuals=residuals, differences=differences, origin=origin,
        points=int(common.sum()), without=int((np.isfinite(curve.measured) & ~common).sum()),
        curve=curve, entry=entry, note=note,
    )  # fmt: skip
