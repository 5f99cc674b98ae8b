"""What the file of a sweep asks for: the case to start from, what is set, and what varies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nmcsim.case.loading import overridden
from nmcsim.case.mistakes import joined, mistakes_of
from nmcsim.case.sweep_table import MOST_CASES, SampleTable, SweepTable
from nmcsim.case.toml import read_toml
from nmcsim.errors import InputError, Mistake
from nmcsim.sweeps.axes import Axis, Factor, is_range, listed, ranged, sampled
from nmcsim.sweeps.combine import applied
from nmcsim.sweeps.keys import Keys
from nmcsim.sweeps.words import filled, names_in, unfilled

__all__ = ["Asked", "asked_of"]


@dataclass(frozen=True)
class Asked:
    """A sweep as its file says it, its values not yet tried.

    Parameters
    ----------
    table : SweepTable
    base : mapping
        Content of the case that all start from, with what is set for all alike.
    folder : Path
        Where its files are.
    source : str
        What the case is called in sentences: empty where it stands in the same file.
    original : mapping
        Content of the case before anything was set.
    constants : tuple of str
        The keys that are set for all alike.
    texts : mapping of str to Any
        The keys whose texts hold variables.
    variables : frozenset of str
        What varies and is no key of the case.
    factors : tuple of Factor
        What multiplies, the last one fastest.
    """

    table: SweepTable
    base: Mapping[str, Any]
    folder: Path
    source: str
    original: Mapping[str, Any]
    constants: tuple[str, ...]
    texts: Mapping[str, Any]
    variables: frozenset[str]
    factors: tuple[Factor, ...]

    @property
    def axes(self) -> tuple[Axis, ...]:
        return tuple(axis for factor in self.factors for axis in factor.axes)

    @property
    def title(self) -> str:
        return self.table.title or str(self.base.get("title", ""))


def asked_of(
    data: Mapping[str, Any], folder: Path, overrides: Iterable[str] = ()
) -> tuple[Asked, list[Mistake]]:
    """Read the content of a sweep's file.

    Parameters
    ----------
    data : mapping
        With a table ``sweep``.
    folder : Path
        Where the file is.
    overrides : iterable of str
        As ``--set`` of the case.

    Returns
    -------
    Asked
        As far as it can be read.
    list of Mistake
        What cannot.

    Raises
    ------
    InputError
        There is nothing to start from.
    """
    raw = data.get("sweep")
    if not isinstance(raw, Mapping):
        message = "is missing, or no table; write [sweep.grid] with key = [values]"
        raise InputError(Mistake("[sweep]", message))
    table, found = _table(raw)
    try:
        base, where, source = _base(data, raw, folder)
    except InputError as error:
        raise InputError([*found, *error.mistakes]) from None
    reader = _Reader(Keys(base, where), found)
    factors = tuple(reader.factors(raw))
    settings = list(reader.settings(raw))
    variables = {a.key for f in factors for a in f.axes if reader.keys.is_variable(a.key)}
    texts = {key: value for key, value in settings if _has_braces(value)}
    constants = {key: value for key, value in settings if key not in texts}
    numeric = {a.key for f in factors for a in f.axes if a.parameter.numeric}
    reader.check_variables(texts, numeric)
    varied = {axis.key: axis.place for factor in factors for axis in factor.axes}
    varied |= {key: f"sweep.set.{key}" for key in texts}
    texts = {key: value for key, value in texts.items() if variables.issuperset(names_in(value))}
    try:
        changed = _overridden(applied(base, constants), overrides, varied)
    except InputError as error:
        found += error.mistakes
        changed = dict(base)
    if not factors and not found:
        message = "varies nothing; write [sweep.grid] with key = [values]"
        found.append(Mistake("[sweep]", message))
    total = math.prod(map(len, factors))
    if total > MOST_CASES:
        message = f"asks for {total:,} cases, and a sweep has at most {MOST_CASES:,}"
        found.append(Mistake("[sweep]", f"{message}; fill the ranges with [sweep.sample]"))
    asked = Asked(
        table, changed, where, source, base, tuple(constants), texts, frozenset(variables), factors
    )
    return asked, found


def _table(raw: Mapping[str, Any]) -> tuple[SweepTable, list[Mistake]]:
    try:
        return SweepTable.model_validate(raw), []
    except ValidationError as error:
        return SweepTable.model_validate({}), mistakes_of(error, "sweep", SweepTable)


def _base(
    data: Mapping[str, Any], raw: Mapping[str, Any], folder: Path
) -> tuple[dict[str, Any], Path, str]:
    """Content and folder of the case, and what sentences call it."""
    beside = {key: value for key, value in data.items() if key != "sweep"}
    name = raw.get("case")
    if name is None:
        if not beside:
            message = 'is missing; write case = "my_case.toml", or write [sweep] into a case'
            raise InputError(Mistake("sweep.case", message))
        return beside, folder, ""
    if not isinstance(name, str):
        raise InputError([])  # the table says so
    file = folder / Path(name).expanduser()
    place = f'sweep.case = "{name}"'
    found = [
        Mistake(key, f"cannot stand beside {place}; write it below [sweep.set]") for key in beside
    ]
    try:
        content = read_toml(file)
    except InputError as error:
        message = f"{error.mistakes[0].message}; a path is relative to the file of the sweep"
        raise InputError([*found, Mistake(place, message)]) from None
    if content.keys() == {"sweep"}:
        found.append(Mistake(place, "is a sweep itself; name a case"))
    if found:
        raise InputError(found)
    return {k: v for k, v in content.items() if k != "sweep"}, file.parent, name


def _overridden(
    data: dict[str, Any], overrides: Iterable[str], varied: Mapping[str, str]
) -> dict[str, Any]:
    found = []
    for override in overrides:
        key = override.partition("=")[0].strip()
        if key in varied:
            message = f"has no effect: {varied[key]} says what it is; change it there"
            found.append(Mistake(f"--set {override}", message))
        else:
            data = overridden(data, override)
    if found:
        raise InputError(found)
    return data


def _has_braces(value: Any) -> bool:
    return filled(value, _Anything()) != value


class _Anything(dict[str, str]):
    """A value for each variable."""

    def __missing__(self, name: str) -> str:
        return ""


class _Reader:
    """Reads tables of axes, and notes what is wrong and which key was said where."""

    def __init__(self, keys: Keys, found: list[Mistake]) -> None:
        self.keys = keys
        self.found = found
        self.places: dict[str, str] = {}

    def factors(self, raw: Mapping[str, Any]) -> Iterator[Factor]:
        """Grid, zip, sample and replicas, in this order."""
        for key, place, value in self._entries(raw.get("grid"), "sweep.grid"):
            axis = self._axis(place, key, value)
            if axis is not None:
                yield Factor(place, (axis,))
        zipped = raw.get("zip")
        tables = [zipped] if isinstance(zipped, Mapping) else zipped or ()
        for number, table in enumerate(tables if isinstance(tables, list | tuple) else ()):
            place = "sweep.zip" if isinstance(zipped, Mapping) else f"sweep.zip[{number}]"
            yield from self._zip(place, table)
        yield from self._sample(raw.get("sample"))
        for key, place, value in self._entries(raw.get("replicas"), "sweep.replicas"):
            axis = self._replicas(place, key, value)
            if axis is not None:
                yield Factor(place, (axis,))

    def settings(self, raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """What is set for all cases, by key."""
        for key, place, value in self._entries(raw.get("set"), "sweep.set", axes=False):
            if self.keys.is_variable(key):
                about = "is no key of a case, and a variable must vary"
                self._unknown_name(place, key, about, "write it as table.key")
            else:
                yield key, value

    def check_variables(self, texts: Mapping[str, Any], numeric: set[str]) -> None:
        """Refuse variables that no text uses, and names in texts that are none."""
        names = [key for key, place in self.places.items() if self._varies(key, place)]
        used = {name for text in texts.values() for name in names_in(text)}
        for name in names:
            if name not in used:
                about = f"is no key of a case, and no text of [sweep.set] has {{{name}}}"
                self._unknown_name(self.places[name], name, about, "write it into one")
        for key, value in texts.items():
            self.found += unfilled(f"sweep.set.{key}", value, names, numeric)

    def _varies(self, key: str, place: str) -> bool:
        return self.keys.is_variable(key) and not place.startswith("sweep.set.")

    def _unknown_name(self, place: str, name: str, about: str, mend: str) -> None:
        near = self.keys.similar(name)
        mend = f'did you mean "{near}"?' if near else mend
        self.found.append(Mistake(place, f"{about}; {mend}"))

    def _entries(
        self, table: object, place: str, *, axes: bool = True
    ) -> Iterator[tuple[str, str, Any]]:
        """Key, place and value of what a table and the tables in it say, each key once."""
        for key, value in _flat(table, self.keys, axes=axes):
            here = joined(place, key)
            if key in self.places:
                again = f"is said again: {self.places[key]} says what it is; keep one of them"
                self.found.append(Mistake(here, again))
                continue
            self.places[key] = here
            if "" in key.split("."):
                self.found.append(Mistake(here, "is not a key; write it as table.key"))
            elif self.keys.is_table(key):
                message = f"is a table; write a key in it, such as {self._inside(key)}"
                self.found.append(Mistake(here, message))
            else:
                yield key, here, value

    def _inside(self, key: str) -> str:
        return next((k for k in self.keys.all() if k.startswith(f"{key}.")), f"{key}.name")

    def _axis(self, place: str, key: str, value: Any) -> Axis | None:
        try:
            if is_range(value):
                return ranged(place, key, value, integer=self.keys.is_integer(key))
            if isinstance(value, list | tuple):
                return listed(place, key, list(value))
        except InputError as error:
            self.found += error.mistakes
            return None
        message = "must be a list of values, or a range such as { from = 0.1, to = 0.9, count = 5 }"
        self.found.append(Mistake(place, message))
        return None

    def _zip(self, place: str, table: object) -> Iterator[Factor]:
        entries = list(self._entries(table, place))
        axes = [self._axis(here, key, value) for key, here, value in entries]
        whole = [axis for axis in axes if axis is not None]
        if len({len(axis.values) for axis in whole}) > 1:
            lengths = ", ".join(f"{axis.key} has {len(axis.values)}" for axis in whole)
            message = f"needs lists of one length: {lengths}"
            self.found.append(Mistake(place, message))
        elif whole:
            yield Factor(place, tuple(whole))

    def _sample(self, raw: object) -> Iterator[Factor]:
        if not isinstance(raw, Mapping):
            return
        over = [
            (key, value, self.keys.is_integer(key))
            for key, _, value in self._entries(raw.get("over"), "sweep.sample.over")
        ]
        try:
            table = SampleTable.model_validate(raw)
        except ValidationError:
            return  # said with the rest of [sweep]
        if not over:
            return
        try:
            yield sampled("sweep.sample", table, over)
        except InputError as error:
            self.found += error.mistakes

    def _replicas(self, place: str, key: str, value: Any) -> Axis | None:
        if isinstance(value, list | tuple):
            return self._axis(place, key, value)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_CASES:
            message = f"must be a number from 1 to {MOST_CASES:,}, or a list of values"
            self.found.append(Mistake(f"{place} = {value!r}", message))
            return None
        return replace(listed(place, key, list(range(1, value + 1))), itemised=False)


def _flat(table: object, keys: Keys, *, axes: bool, above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys with their values, of nested tables too."""
    for name, value in table.items() if isinstance(table, Mapping) else ():
        key = f"{above}.{name}" if above else str(name)
        whole = is_range(value) if axes else keys.is_value(key)
        if isinstance(value, Mapping) and value and not whole:
            yield from _flat(value, keys, axes=axes, above=key)
        else:
            yield key, value
