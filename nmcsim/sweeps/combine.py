"""The cases of a sweep: what each changes, and whether it is one that can be run."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmcsim.case.model import Case, from_data
from nmcsim.case.toml import toml_value
from nmcsim.errors import InputError, Mistake
from nmcsim.sweeps.axes import Axis, Factor, Value, short_names, text_of
from nmcsim.sweeps.cost import cost
from nmcsim.sweeps.words import NUMBER, filled

if TYPE_CHECKING:
    from nmcsim.sweeps.asked import Asked

__all__ = ["Combinations", "Sound", "applied", "built"]

_MOST = 10  # mistakes of one list, and of all combinations
_LONGEST = 40

Rows = tuple[int, ...]  # which row of each factor


@dataclass(frozen=True)
class Sound:
    """A case that can be run: its hash, and what it costs."""

    hash: str
    cost: float


def built(data: Mapping[str, Any], folder: Path, *, coarse: bool, kept: Iterable[str] = ()) -> Case:
    """The case that `data` describes, or a coarse one in its place but for the keys `kept`; raises
    as `load` does.
    """
    case = from_data(data, folder)
    return case.coarse(kept) if coarse else case


def applied(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the content of a case with some dotted keys changed.

    Raises
    ------
    InputError
        A part of a key is a value and not a table.
    """
    data = copy.deepcopy(dict(base))
    for key, value in changes.items():
        *tables, last = key.split(".")
        here: Any = data
        for depth, part in enumerate(tables, 1):
            here = here.setdefault(part, {})
            if not isinstance(here, dict):
                place = ".".join(tables[:depth])
                message = f"cannot be set; {place} is a value and not a table"
                raise InputError(Mistake(key, message))
        here[last] = copy.deepcopy(value)
    return data


class Combinations:
    """All combinations of the values of a sweep, each tried once.

    Parameters
    ----------
    asked : Asked
    coarse : bool
        Whether each case is replaced by its coarse version.
    kept : tuple of str
        Keys that stay as they are in it, beside those that vary.
    """

    def __init__(self, asked: Asked, *, coarse: bool, kept: tuple[str, ...] = ()) -> None:
        self.asked = asked
        self.coarse, self.kept = coarse, kept
        self.short = short_names([axis.key for axis in asked.axes])
        self._tried: dict[Rows, Sound | tuple[Mistake, ...]] = {}

    def __iter__(self) -> Iterator[Rows]:
        return itertools.product(*(range(len(factor)) for factor in self.asked.factors))

    def values(self, rows: Rows) -> dict[str, Value]:
        """The parameters of a combination, by key."""
        return {axis.key: axis.values[row] for axis, row in self._chosen(rows)}

    def changes(self, rows: Rows) -> dict[str, Any]:
        """What a combination changes in the case, by dotted key."""
        given = {axis.key: axis.given[row] for axis, row in self._chosen(rows)}
        used = {key: value for key, value in given.items() if key not in self.asked.variables}
        numbers = {f"{key}{NUMBER}": value for key, value in self.values(rows).items()}
        return used | {key: filled(text, given | numbers) for key, text in self.asked.texts.items()}

    def sound(self) -> Iterator[tuple[Rows, Sound]]:
        """The combinations that can be run, in order."""
        for rows in self:
            found = self._outcome(rows)
            if isinstance(found, Sound):
                yield rows, found

    def _geometry(self, rows: Rows) -> Rows:
        """The rows that decide what is drawn: of keys of the geometry, and of variables."""
        return tuple(
            row
            for factor, row in zip(self.asked.factors, rows, strict=True)
            if any(a.key.startswith("geometry.") or "." not in a.key for a in factor.axes)
        )

    def _chosen(self, rows: Rows) -> Iterator[tuple[Axis, int]]:
        for factor, row in zip(self.asked.factors, rows, strict=True):
            for axis in factor.axes:
                yield axis, row

    def _outcome(self, rows: Rows) -> Sound | tuple[Mistake, ...]:
        if rows not in self._tried:
            self._tried[rows] = self._try(self.changes(rows))
        return self._tried[rows]

    def _try(self, changes: Mapping[str, Any]) -> Sound | tuple[Mistake, ...]:
        try:
            data = applied(self.asked.base, changes)
            kept = (*self.kept, *changes)
            case = built(data, self.asked.folder, coarse=self.coarse, kept=kept)
            return Sound(case.hash, cost(case))
        except InputError as error:
            return error.mistakes

    def _wrong(self, rows: Rows) -> tuple[Mistake, ...]:
        found = self._outcome(rows)
        return () if isinstance(found, Sound) else found

    def by_value(self) -> list[Mistake]:
        """Each value with the first ones of the others: a wrong one is named once, at its axis."""
        first = (0,) * len(self.asked.factors)
        everywhere = self._wrong(first)
        found = list(self._beyond_axes(everywhere, first))
        for place, factor in enumerate(self.asked.factors):
            rows = [(*first[:place], row, *first[place + 1 :]) for row in range(len(factor))]
            found += _of_factor(factor, [self._wrong(row) for row in rows], everywhere)
        return list(dict.fromkeys(found))

    def _beyond_axes(self, everywhere: Sequence[Mistake], first: Rows) -> Iterator[Mistake]:
        """Mistakes of the first case that are of no axis: of the case, or of what is set."""
        rest = [m for m in everywhere if _owner(m, self.asked.axes) is None]
        alone = self._try({}) if rest else ()
        alone = () if isinstance(alone, Sound) else alone
        original = _wrong_with(self.asked.original, self.asked.folder) if rest else ()
        for m in rest:
            key = _within(m, (*self.asked.constants, *self.asked.texts))
            if key is not None:
                yield replace(m, place=f"sweep.set.{m.place}")
            elif m in original and m in alone:
                source = f"{self.asked.source}: " if self.asked.source else ""
                yield replace(m, place=f"{source}{m.place}")
            else:
                yield _inside(m, f"case 1{self._said(first)}")

    def by_combination(self) -> list[Mistake]:
        """What is wrong with combinations, by their numbers and values; the first few of them."""
        for rows in sorted(self, key=self._geometry):  # an electrode is drawn in up to a second
            self._outcome(rows)
        found: list[Mistake] = []
        wrong = last = 0
        for number, rows in enumerate(self, 1):
            mistakes = self._wrong(rows)
            wrong += bool(mistakes)
            if len(found) < _MOST:
                found += [_inside(m, f"case {number}{self._said(rows)}") for m in mistakes]
                last = wrong
        if found and wrong > last:
            more = f"{wrong - last} more case{'s' * (wrong - last > 1)}"
            found.append(Mistake(more, "cannot be run either; mend these first"))
        return found

    def _said(self, rows: Rows) -> str:
        """`` (coverage = 0.9, flux_ratio = 0.5)``."""
        said = [f"{self.short[axis.key]}{_equals(axis, row)}" for axis, row in self._chosen(rows)]
        return f" ({', '.join(said)})"


def _wrong_with(data: Mapping[str, Any], folder: Path) -> tuple[Mistake, ...]:
    try:
        from_data(data, folder)
    except InputError as error:
        return error.mistakes
    return ()


def _of_factor(
    factor: Factor, wrong: Sequence[Sequence[Mistake]], everywhere: Sequence[Mistake]
) -> Iterator[Mistake]:
    """The mistakes of the rows of a factor, `wrong`, that are due to it."""
    rows_of: dict[Mistake, list[int]] = {}
    for row, mistakes in enumerate(wrong):
        for m in mistakes:
            rows_of.setdefault(m, []).append(row)
    said: dict[Axis | None, list[Mistake]] = {}
    for m, rows in rows_of.items():
        axis = _owner(m, factor.axes)
        if axis is None and m in everywhere:
            continue
        if axis is not None and m.place == axis.key and len(rows) == len(factor):
            said.setdefault(axis, []).append(replace(m, place=axis.place))
            continue
        said.setdefault(axis, []).extend(_located(m, factor, axis, row) for row in rows)
    for axis, mistakes in said.items():
        most = _MOST if axis is None or axis.itemised else 1
        yield from mistakes[:most]
        if len(mistakes) > most:
            place = factor.place if axis is None else axis.place
            yield Mistake(place, f"has {len(mistakes) - most} more such values")


def _located(m: Mistake, factor: Factor, axis: Axis | None, row: int) -> Mistake:
    """A mistake said of the value that makes it."""
    if axis is not None:
        return replace(m, place=axis.at(row) + m.place.removeprefix(axis.key))
    if len(factor.axes) == 1:
        (only,) = factor.axes
        return _inside(m, only.at(row) + _equals(only, row), "gives ")
    said = ", ".join(f"{one.key}{_equals(one, row)}" for one in factor.axes)
    return _inside(m, f"{factor.place} ({said})", "gives ")


def _inside(m: Mistake, place: str, word: str = "") -> Mistake:
    """A mistake of a case, said of another place."""
    text = f' = "{m.text}":' if m.text is not None else ""
    return Mistake(place, f"{word}{m.place}{text} {m.message}")


def _owner(m: Mistake, axes: Sequence[Axis]) -> Axis | None:
    key = _within(m, [axis.key for axis in axes])
    return next((axis for axis in axes if axis.key == key), None)


def _within(m: Mistake, keys: Sequence[str]) -> str | None:
    """The longest of `keys` that the place of a mistake stands at, or below."""
    fitting = [key for key in keys if re.match(rf"{re.escape(key)}(?!\w)", m.place)]
    return max(fitting, key=len, default=None)


def _equals(axis: Axis, row: int) -> str:
    value, unit = axis.values[row], axis.parameter.unit
    if axis.parameter.numeric:
        return f" = {value:.6g}{f' {unit}' if unit != '1' else ''}"
    shown = text_of(axis.given[row])
    if isinstance(axis.given[row], str):
        shown = toml_value(shown)
    return f" = {shown}" if len(shown) <= _LONGEST else f" = {shown[: _LONGEST - 3]}..."
