"""What a name stands for on the simulated side: frames, observables, histories, summaries.

A `Side` gives numbers and curves by name. That of a result asks, in this order: simulated frames
(where the measurements say how they are made), the observables, the history, the summary. What
begins with ``case.`` or ``material.`` is an input of the run: beside its source it shows a slip.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nmcsim.compare.frames import Reduced
from nmcsim.compare.particles import particle_numbers
from nmcsim.measured import Measured, Measurement
from nmcsim.results import Result, Series, resolved
from nmcsim.sweeps.observables import observables_of
from nmcsim.units import convert

__all__ = ["Curve", "MeasuredSide", "Number", "ResultSide", "Side"]

Array = NDArray[np.float64]

MATERIAL = {"site_density": "mol/m3", "density": "kg/m3", "theta_discharged": "1"}
"""Numbers of a material, by ``material.NAME``, and their units."""


@dataclass(frozen=True)
class Number:
    """One number of the other side: NaN where the run has none; a run says no uncertainty."""

    value: float
    unit: str
    origin: str
    uncertainty: float | None = None


@dataclass(frozen=True)
class Curve:
    """A simulated curve along a rising axis."""

    x: Array
    x_unit: str
    values: Array
    unit: str
    origin: str
    note: str = ""
    uncertainty: Array | None = None


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

    def __init__(self, measured: Measured) -> None:
        self.measured = measured
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
        return Number(entry.value, entry.unit, "measurement", entry.uncertainty)

    def curve(self, name: str, x: str, conditions: Mapping[str, Any]) -> Curve | str | None:
        entry = self._find(name)
        if entry is None or (series := entry.series) is None:
            return None
        if series.x_name != x:
            return f"lies along {series.x_name} there, not along {x}"
        return Curve(
            series.x, series.x_unit, series.values, entry.unit, "measurement",
            uncertainty=series.uncertainty,
        )  # fmt: skip

    def names(self, *, curves: bool) -> Sequence[str]:
        return [e.name for e in self.measured.entries if (e.series is not None) == curves]


class ResultSide:
    """A result directory; `frames` is what the reduction of its simulated frames gave, if asked."""

    def __init__(self, result: Result, frames: Reduced | None = None) -> None:
        self.result, self.title, self.frames = result, result.title, frames

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
        if self.frames and name in self.frames.numbers:
            return Number(*self.frames.numbers[name], "frames")
        if name in self._observables:
            return self._observables[name]
        if "time" in conditions:
            at = particle_numbers(self.result, at=conditions["time"])
            if name in at:
                return Number(*at[name], "observable")
        place, _, key = name.partition(".")
        if place == "case":
            return self._said(key)
        if place == "material":
            return self._material(key)
        return self._summary(name)

    def _said(self, key: str) -> Number | None:
        """What the case says under a dotted key, so that an input is compared with its source."""
        found = _at(self.result.case_table, key)
        if isinstance(found, str):
            value, _, unit = found.partition(" ")
            try:
                return Number(float(value), unit.strip() or "1", "case")
            except ValueError:
                return None
        return _plain(found, "1", "case")

    def _material(self, key: str) -> Number | None:
        unit = MATERIAL.get(key)
        if unit is None:
            return None
        return _plain(
            getattr(getattr(self.result.case(), "material", None), key, None), unit, "case"
        )

    def _summary(self, name: str) -> Number | None:
        """A number of ``summary.json``, by its dotted place."""
        found = _at(self.result.summary, name)
        if isinstance(found, Mapping) and isinstance(found.get("value"), int | float):
            return Number(float(found["value"]), str(found.get("unit", "1")), "summary")
        return _plain(found, "s" if name.startswith("timing.") else "1", "summary")

    def curve(self, name: str, x: str, conditions: Mapping[str, Any]) -> Curve | str | None:
        if self.frames and {name, x} <= self.frames.columns.keys():
            return _along(self.frames.columns, name, x, "frames")
        columns = dict(self.result.columns)
        if name not in columns:
            return None
        if x not in columns:
            return f'is recorded, but not along "{x}"; the axis must be a column of the history'
        if "com_distance" in columns:  # as everywhere: a sliver that no image resolves has none
            columns["com_distance"] = resolved(
                columns["com_distance"], columns.get("unreacted_share")
            )
        if (step := conditions.get("step")) is not None:
            rows = columns["step"].values == step
            if not rows.any():
                return f"has no row in step {step}"
            columns = {key: replace(columns[key], values=columns[key].values[rows])
                       for key in (name, x)}  # fmt: skip
        return _along(columns, name, x, "history")

    def names(self, *, curves: bool) -> Sequence[str]:
        own = self.result.columns if curves else self._observables
        if self.frames is None:
            return list(own)
        return list(
            dict.fromkeys([*(self.frames.columns if curves else self.frames.numbers), *own])
        )


def _at(table: Any, place: str) -> Any:
    """What stands at a dotted place of nested tables and lists; None where there is nothing."""
    for part in place.split("."):
        if isinstance(table, Mapping) and part in table:
            table = table[part]
        elif isinstance(table, Sequence) and part.isdigit() and int(part) < len(table):
            table = table[int(part)]
        else:
            return None
    return table


def _plain(found: Any, unit: str, origin: str) -> Number | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return Number(float(found), unit, origin)


def _along(columns: Mapping[str, Series], name: str, x: str, origin: str) -> Curve:
    """A column along another, as far as that does not turn."""
    along, values, note = columns[x].values, columns[name].values, ""
    if not (np.diff(along) >= 0.0).all():
        along, values = _branch(along, values)
        note = f"the first stretch of the run along which {x} does not turn"
    return Curve(*_rising(along, values, columns[x].unit, columns[name].unit), origin, note)


def _branch(x: Array, values: Array) -> tuple[Array, Array]:
    """The first rows along which `x` does not turn; rows where it rests belong to them."""
    signs = np.sign(np.diff(x))
    moving = signs[signs != 0.0]
    turned = np.flatnonzero(signs == (-moving[0] if len(moving) else np.nan))
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


def error_in(number: Number, unit: str) -> float | None:
    """Its uncertainty in the unit of a measurement; None without one."""
    if number.uncertainty is None:
        return None
    above = Number(number.value + number.uncertainty, number.unit, number.origin)
    return number_in(above, unit) - number_in(number, unit)
