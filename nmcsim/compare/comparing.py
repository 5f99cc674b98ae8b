"""`compare`: pairs by name, in the units of what was measured."""

from __future__ import annotations

import difflib
import math

import numpy as np
from numpy.typing import NDArray

from nmcsim.compare.frames import reduced_frames, seen_in_frames
from nmcsim.compare.pairs import (
    Comparison,
    Pair,
    PairCurve,
    Unpaired,
    pair_of_series,
    pair_of_value,
)
from nmcsim.compare.sides import (
    Curve,
    MeasuredSide,
    ResultSide,
    Side,
    converted,
    error_in,
    number_in,
)
from nmcsim.measured import Measured, Measurement
from nmcsim.results import Result
from nmcsim.units import UnitError

__all__ = ["compare"]

LINE = 600
"""Points of a simulated curve that are kept for a plot."""

UNFILMED = (
    "what the frames gave stands beside the simulation's own numbers, which no microscope has"
    " blurred; with a table [camera] in the file the run is filmed and reduced alike"
)
"""Of measurements by `nmcsim measure` without a camera."""

Array = NDArray[np.float64]


def compare(result: Result | Measured, measured: Measured) -> Comparison:
    """A result beside what was measured, metric by metric.

    Parameters
    ----------
    result : Result or Measured
        A run; or other measurements, such as another laboratory's.
    measured : Measured
        With a table ``[camera]`` the run is filmed, and its frames are reduced as ``[optical]``
        says; a name that the reduction gives is then compared with it, and only with it.

    Returns
    -------
    Comparison
        Each entry is in a pair, or among the unpaired with the reason.

    Raises
    ------
    InputError
        The operators of `measured` cannot be used (unknown key, a run without maps).
    """
    side: Side
    notes: tuple[str, ...] = ()
    settings = {}
    if isinstance(result, Measured):
        side = MeasuredSide(result)
    else:
        frames = None
        asked = [_wanted(entry) for entry in measured.entries if not entry.missing]
        filmed = bool(measured.operators) and seen_in_frames(result, asked)
        if "camera" in measured.operators and filmed:
            frames = reduced_frames(result, measured)
            notes = frames.notes
            settings = dict(measured.operators)
        elif filmed:
            notes = (UNFILMED,)
        side = ResultSide(result, frames)
    pairs: list[Pair] = []
    unpaired: list[Unpaired] = []
    for entry in measured.entries:
        found = _one(entry, side)
        (pairs if isinstance(found, Pair) else unpaired).append(found)  # type: ignore[arg-type]
    return Comparison(
        measured.title, measured.source, side.title, tuple(pairs), tuple(unpaired), settings, notes
    )


def _one(entry: Measurement, side: Side) -> Pair | Unpaired:
    if entry.missing:
        return Unpaired(entry.name, entry.missing, missing=True, entry=entry)
    try:
        found = _series(entry, side) if entry.series is not None else _value(entry, side)
    except UnitError as error:
        reason = f"the simulated {_wanted(entry)} {_said(error)}"
        return Unpaired(entry.name, reason, entry=entry)
    return found if isinstance(found, Pair) else Unpaired(entry.name, found, entry=entry)


def _said(error: UnitError) -> str:
    kinds = error.mistakes[0].message.partition(";")[0].removesuffix(" is needed")
    return f"{kinds} stands in the file; mend its unit"


def _wanted(entry: Measurement) -> str:
    return entry.observable or entry.name


def _value(entry: Measurement, side: Side) -> Pair | str:
    name = _wanted(entry)
    number = side.number(name, entry.conditions)
    if number is None:
        return _nothing(name, side, curves=False)
    value = number_in(number, entry.unit)
    if not math.isfinite(value):
        return f"the run gives no {name}: it did not come that far, or has none"
    return pair_of_value(entry, value, number.origin, error=error_in(number, entry.unit))


def _series(entry: Measurement, side: Side) -> Pair | str:
    name, series = _wanted(entry), entry.series
    assert series is not None
    curve = side.curve(name, series.x_name, entry.conditions)
    if curve is None:
        return _nothing(name, side, curves=True)
    if isinstance(curve, str):
        return f"{name} {curve}"
    if not len(curve.x):
        return f"the run has no row of {name}"
    line_x = converted(curve.x, curve.x_unit, series.x_unit)
    line = converted(curve.values, curve.unit, entry.unit)
    simulated = np.interp(series.x, line_x, line, left=np.nan, right=np.nan)
    thin = np.unique(np.linspace(0, len(line_x) - 1, LINE).round().astype(int))
    both = PairCurve(
        series.x, series.values, series.uncertainty, simulated, series.x_name, series.x_unit,
        line_x[thin], line[thin], _errors(curve, line_x, entry.unit, series.x),
    )  # fmt: skip
    try:
        return pair_of_series(entry, both, curve.origin, curve.note)
    except ValueError as error:
        span = f"{line_x[0]:.4g} to {line_x[-1]:.4g} {series.x_unit}"
        return f"{error}: it has {name} from {span}".replace(" 1", "")


def _errors(curve: Curve, line_x: Array, unit: str, x: Array) -> Array | None:
    """Uncertainties of the other side's points at `x`, where it was measured too."""
    if curve.uncertainty is None:
        return None
    above = converted(curve.values + curve.uncertainty, curve.unit, unit)
    spread = above - converted(curve.values, curve.unit, unit)
    return np.asarray(np.interp(x, line_x, spread, left=np.nan, right=np.nan))


def _nothing(name: str, side: Side, *, curves: bool) -> str:
    close = difflib.get_close_matches(name, side.names(curves=curves), n=3, cutoff=0.6)
    nearest = f"; nearest: {', '.join(close)}" if close else ""
    if name in side.names(curves=not curves):
        there, here = ("one number", "a curve") if curves else ("a curve", "one number")
        return f"{name} is {there} on the simulated side, and {here} here{nearest}"
    return f'nothing simulated is called "{name}"{nearest}'
