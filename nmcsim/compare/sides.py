"""What a name stands for on the simulated side: frames, observables, histories, summaries.

A `Side` gives numbers and curves by name. That of a result asks, in this order: simulated frames
(where the measurements say how they are made), the observables, the history, the summary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nmcsim.compare.particles import particle_numbers
from nmcsim.measured import Measured, Measurement
from nmcsim.results import Result, resolved
from nmcsim.sweeps.observables import observables_of
from nmcsim.units import convert

__all__ = ["Curve", "MeasuredSide", "Number", "ResultSide", "Side"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Number:
    """One simulated number: NaN where the run has none."""

    value: float
    unit: str
    origin: str


@dataclass(frozen=True)
class Curve:
    """A simulated curve along a rising axis."""

    x: Array
    x_unit: str
    values: Array
    unit: str
    origin: str
    note: str = ""


class Side(Protocol):
    """What numbers and curves are asked of."""

    title: str

    def number(self, name: str, conditions: Mapping[str, Any]) -> Number | None:
        """The number of this name; None where there is none."""

    def curve(self, name: str, x: str, conditions: Mapping[str, Any]) -> Curve | str | None:
        """The curve of this name along `x`; None where there is none, else why it cannot be."""

    def names(self, *, curves: bool) -> Sequence[str]:
        """All names, for suggestions."""


class MeasuredSide:
    """Measurements as the other side: those of another laboratory, or of simulated frames."""

    def __init__(self, measured: Measured, origin: str = "measurement") -> None:
        self.measured, self.origin = measured, origin
        self.title = measured.title or "measurements"

    def _find(self, name: str) -> Measurement | None:
        for entry in self.measured.entries:
            if name in (entry.name, entry.observable):
                return entry
        return None

    def number(self, name: str, conditions: Mapping[str, Any]) -> Number | None:
        entry = self._find(name)
        if entry is None or entry.value is None:
            return None
        return Number(entry.value, entry.unit, self.origin)

    def curve(self, name: str, x: str, conditions: Mapping[str, Any]) -> Curve | str | None:
        entry = self._find(name)
        if entry is None or (series := entry.series) is None:
            return None
        if series.x_name != x:
            return f"lies along {series.x_name} there, not along {x}"
        return Curve(series.x, series.x_unit, series.values, entry.unit, self.origin)

    def names(self, *, curves: bool) -> Sequence[str]:
        return [e.name for e in self.measured.entries if (e.series is not None) == curves]


class ResultSide:
    """A result directory; `frames` is what the reduction of its simulated frames gave, if asked."""

    def __init__(self, result: Result, frames: Measured | None = None) -> None:
        self.result, self.title = result, result.title
        self.frames = None if frames is None else MeasuredSide(frames, "frames")

    @cached_property
    def _observables(self) -> dict[str, Number]:
        found = {
            name: Number(o.value, o.unit, "observable")
            for name, o in observables_of(self.result).items()
        }
        return found | {
            name: Number(value, unit, "observable")
            for name, (value, unit) in particle_numbers(self.result).items()
        }

    def number(self, name: str, conditions: Mapping[str, Any]) -> Number | None:
        if self.frames and (found := self.frames.number(name, conditions)):
            return found
        if name in self._observables:
            return self._observables[name]
        if "time" in conditions:
            at = particle_numbers(self.result, at=conditions["time"])
            if name in at:
                return Number(*at[name], "observable")
        return self._summary(name)

    def _summary(self, name: str) -> Number | None:
        """A number of ``summary.json``, by its dotted place."""
        found: Any = self.result.summary
        for part in name.split("."):
            if isinstance(found, Mapping) and part in found:
                found = found[part]
            elif isinstance(found, Sequence) and part.isdigit() and int(part) < len(found):
                found = found[int(part)]
            else:
                return None
        if isinstance(found, Mapping) and isinstance(found.get("value"), int | float):
            return Number(float(found["value"]), str(found.get("unit", "1")), "summary")
        if isinstance(found, bool) or not isinstance(found, int | float):
            return None
        return Number(float(found), "s" if name.startswith("timing.") else "1", "summary")

    def curve(self, name: str, x: str, conditions: Mapping[str, Any]) -> Curve | str | None:
        if self.frames and isinstance(found := self.frames.curve(name, x, conditions), Curve):
            return found
        columns = dict(self.result.columns)
        if name not in columns:
            return None
        if x not in columns:
            return f'is recorded, but not along "{x}"; the axis must be a column of the history'
        if "com_distance" in columns:  # as everywhere: a sliver that no image resolves has none
            columns["com_distance"] = resolved(
                columns["com_distance"], columns.get("unreacted_share")
            )
        along, values, note = columns[x].values, columns[name].values, ""
        if (step := conditions.get("step")) is not None:
            rows = columns["step"].values == float(step)
            if not rows.any():
                return f"has no row in step {step}"
            along, values = along[rows], values[rows]
        if not (np.diff(along) >= 0.0).all():
            along, values = _branch(along, values)
            note = f"the first stretch of the run along which {x} does not turn"
        return Curve(*_rising(along, values, columns[x].unit, columns[name].unit), "history", note)

    def names(self, *, curves: bool) -> Sequence[str]:
        frames = self.frames.names(curves=curves) if self.frames else ()
        own = self.result.columns if curves else self._observables
        return [*frames, *own]


def _branch(x: Array, values: Array) -> tuple[Array, Array]:
    """The first rows along which `x` does not turn; rows where it rests belong to them."""
    signs = np.sign(np.diff(x))
    moving = signs[signs != 0.0]
    turned = np.flatnonzero(signs == -moving[0]) if len(moving) else []
    end = int(turned[0]) + 1 if len(turned) else len(x)
    return x[:end], values[:end]


def _rising(x: Array, values: Array, x_unit: str, unit: str) -> tuple[Array, str, Array, str]:
    """The same along a rising axis; where it rests, the last row counts."""
    if len(x) > 1 and x[-1] < x[0]:
        x, values = x[::-1], values[::-1]
    kept = np.append(np.diff(x) > 0.0, True)
    return x[kept], x_unit, values[kept], unit


def converted(values: Array, unit: str, target: str) -> Array:
    """An array from one unit to another; `nmcsim.units.UnitError` where they differ in kind."""
    if unit == target:
        return values
    shift = convert(0.0, unit, target)
    return (convert(1.0, unit, target) - shift) * values + shift


def number_in(number: Number, unit: str) -> float:
    """A simulated number in the unit of a measurement."""
    if not math.isfinite(number.value):
        return math.nan
    return convert(number.value, number.unit, unit)
