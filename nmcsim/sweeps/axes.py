"""Axes: the values that one key takes, from a list, a range or a sample."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from nmcsim import units
from nmcsim.case.mistakes import mistakes_of
from nmcsim.case.sweep_table import RangeTable, SampledRange, SampleTable
from nmcsim.case.toml import toml_value
from nmcsim.errors import InputError, Mistake

__all__ = ["Axis", "Factor", "Parameter", "Value", "is_range", "listed", "ranged", "sampled"]

Value = float | int | str

_QUANTITY = re.compile(
    r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([A-Za-z%µμ°Ω].*?)\s*"
)
_C_RATE = re.compile(r"\s*C\s*/\s*(\d+\.?\d*|\.\d+)\s*")
_DIGITS = 12  # of values between two ends: 0.3, not 0.30000000000000004
_SAMPLE_DIGITS = 9
_LONGEST = 40  # values that a sentence quotes


@dataclass(frozen=True)
class Parameter:
    """A key of the case, or a variable, that varies in a sweep.

    Parameters
    ----------
    key : str
        Dotted, or the name of a variable.
    unit : str
        Of the numbers in `Planned.values`: "" for texts, "1" for plain numbers, else the unit that
        the first value is written in, such as "um"; "C" for C-rates.
    numeric : bool
        Whether the values are numbers.
    """

    key: str
    unit: str
    numeric: bool


@dataclass(frozen=True, eq=False)  # by identity: lists among its values have no hash
class Axis:
    """The values of one key.

    Parameters
    ----------
    place : str
        Where the file says them: ``sweep.grid.geometry.diameter``.
    parameter : Parameter
    values : tuple
        Numbers in the unit of the parameter, or texts.
    given : tuple
        The same, as a case file says them.
    itemised : bool
        Whether the file lists them one by one.
    """

    place: str
    parameter: Parameter
    values: tuple[Value, ...]
    given: tuple[Any, ...]
    itemised: bool = True

    @property
    def key(self) -> str:
        return self.parameter.key

    def at(self, row: int) -> str:
        """The place of one of its values."""
        return f"{self.place}[{row}]" if self.itemised else self.place


@dataclass(frozen=True)
class Factor:
    """Axes that are taken together, row by row; factors multiply."""

    place: str
    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return len(self.axes[0].values)


def is_range(value: object) -> bool:
    """Whether a table is a range, and not one of further keys."""
    return isinstance(value, Mapping) and any(
        key in value and not isinstance(value[key], list | tuple | Mapping)
        for key in ("from", "to")
    )


def listed(place: str, key: str, given: Sequence[Any]) -> Axis:
    """The axis of a list of values.

    Raises
    ------
    InputError
        It is empty, or holds what no key takes.
    """
    if not given:
        raise InputError(Mistake(place, "is an empty list; write at least one value"))
    found = [
        Mistake(f"{place}[{row}]{_shown(value)}", sentence)
        for row, value in enumerate(given)
        if (sentence := _no_value(value))
    ]
    if found:
        raise InputError(found)
    values, unit = _in_one_unit(given)
    return Axis(place, Parameter(key, unit, unit != ""), values, tuple(given))


def ranged(place: str, key: str, table: object, *, integer: bool) -> Axis:
    """The axis of ``{ from, to, count, scale }``.

    Parameters
    ----------
    integer : bool
        Whether the key takes whole numbers only.

    Raises
    ------
    InputError
        With all that is wrong with the range.
    """
    try:
        asked = RangeTable.model_validate(table)
    except ValidationError as error:
        raise InputError(mistakes_of(error, place, RangeTable)) from None
    span = _Span.of(place, asked, integer=integer)
    steps = [k / (asked.count - 1) for k in range(asked.count)]
    inner = [_rounded(span.between(step), _DIGITS) for step in steps[1:-1]]
    numbers: list[float | int] = [span.start, *inner, span.end]
    if integer:
        numbers = _whole(place, numbers, asked.scale)
    given = [asked.from_, *map(span.written, numbers[1:-1]), asked.to]
    return Axis(place, span.parameter(key), tuple(numbers), tuple(given), itemised=False)


def sampled(place: str, sample: SampleTable, over: Sequence[tuple[str, object, bool]]) -> Factor:
    """Points of a Latin hypercube or of a Sobol sequence, the same for the same seed.

    Parameters
    ----------
    sample : SampleTable
        ``count`` of Sobol points is a power of two.
    over : sequence of (str, object, bool)
        Key, range, and whether the key takes whole numbers only: each of these is then as likely.

    Raises
    ------
    InputError
        With all that is wrong with the ranges, or a count that unbalances Sobol's points.
    """
    found: list[Mistake] = []
    spans: list[tuple[str, _Span]] = []
    if sample.method == "sobol" and sample.count & (sample.count - 1):
        below = 2 ** (sample.count.bit_length() - 1)
        message = f"unbalances Sobol's points; write a power of two, {below} or {2 * below}"
        found.append(Mistake(f"{place}.count = {sample.count}", message))
    for key, table, integer in over:
        here = f"{place}.over.{key}"
        try:
            asked = SampledRange.model_validate(table)
            spans.append((key, _Span.of(here, asked, integer=integer)))
        except ValidationError as error:
            found += mistakes_of(error, here, SampledRange)
        except InputError as error:
            found += error.mistakes
    if found:
        raise InputError(found)
    points = _points(sample, len(spans))
    axes = []
    for (key, span), column in zip(spans, points, strict=True):
        numbers = [span.drawn(u) for u in column]
        given = tuple(map(span.written, numbers))
        here = f"{place}.over.{key}"
        axes.append(Axis(here, span.parameter(key), tuple(numbers), given, itemised=False))
    return Factor(place, tuple(axes))


def _points(sample: SampleTable, dimension: int) -> list[list[float]]:
    """Coordinates in [0, 1), dimension by dimension."""
    from scipy.stats import qmc  # half a second

    kind = qmc.LatinHypercube if sample.method == "latin_hypercube" else qmc.Sobol
    points: list[list[float]] = kind(d=dimension, rng=sample.seed).random(sample.count).T.tolist()
    return points


@dataclass(frozen=True)
class _Span:
    """The two ends of a range, in the unit of the first."""

    start: float | int
    end: float | int
    unit: str
    log: bool
    integer: bool

    @classmethod
    def of(cls, place: str, asked: SampledRange, *, integer: bool) -> _Span:
        found: list[Mistake] = []
        ends: list[tuple[float | int, str]] = []
        for name, given in (("from", asked.from_), ("to", asked.to)):
            end = _end(given)
            here = f"{place}.{name}{_shown(given)}"
            if end is None:
                mend = 'write one such as 0.5, "2.5 um" or "C/3"'
                found.append(Mistake(here, f"is no number, with or without a unit; {mend}"))
            elif integer and end[0] != int(end[0]):
                found.append(Mistake(here, "must be a whole number"))
            else:
                ends.append(end)
        if found:
            raise InputError(found)
        (start, unit), (end_value, end_unit) = ends
        end_value = _converted(end_value, end_unit, unit, f"{place}.to{_shown(asked.to)}")
        if start == end_value:
            raise InputError(Mistake(place, "begins where it ends; write two different ends"))
        if asked.scale == "log" and start * end_value <= 0.0:
            message = f"needs two ends of one sign, not {start:g} and {end_value:g}"
            raise InputError(Mistake(f'{place}.scale = "log"', message))
        if integer:
            start, end_value = int(start), int(end_value)
        return cls(start, end_value, unit, asked.scale == "log", integer)

    def between(self, share: float) -> float:
        """The value at a share of the way from the first end to the other."""
        if self.log:
            low, high = (math.log(abs(end)) for end in (self.start, self.end))
            return math.copysign(math.exp(low * (1.0 - share) + high * share), self.start)
        return self.start * (1.0 - share) + self.end * share

    def drawn(self, share: float) -> float | int:
        low, high = sorted((self.start, self.end))
        if not self.integer:
            return min(max(_rounded(self.between(share), _SAMPLE_DIGITS), low), high)
        if self.log:
            return round(self.between(share))
        # both ends as likely as what lies between them
        return int(min(math.floor(low + share * (high - low + 1)), high))

    def written(self, number: float | int) -> Any:
        """A value as a case file says it."""
        if self.unit == "1":
            return number
        return f"{number:.{_DIGITS}g}{'' if self.unit == 'C' else ' '}{self.unit}"

    def parameter(self, key: str) -> Parameter:
        return Parameter(key, self.unit, True)


def _end(given: object) -> tuple[float | int, str] | None:
    if isinstance(given, str):
        return _quantity(given)
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return (given, "1") if _finite(given) else None


def _no_value(value: object) -> str:
    """Why an entry of a list is none that a case could take; empty if it is one."""
    if isinstance(value, int | float) and not _finite(value):
        return "must be a finite number"
    try:
        text_of(value)
    except TypeError:
        return "holds a date or a time of day, which no key takes; write numbers or texts"
    return ""


def _finite(number: float | int) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond all floats
        return False


def _converted(number: float | int, unit: str, target: str, place: str) -> float | int:
    if unit == target:
        return number
    if "1" in (unit, target):
        message = "must have a unit where the other end has one, and none where it has none"
        raise InputError(Mistake(place, message))
    try:
        return units.convert(number, unit, target)
    except InputError:
        message = f"cannot be expressed in {target}, the unit of the other end"
        raise InputError(Mistake(place, message)) from None


def _whole(place: str, numbers: Sequence[float | int], scale: str) -> list[float | int]:
    """Whole numbers in the place of `numbers`, where a range may stand for some."""
    whole = [round(number) for number in numbers]
    if scale == "linear":
        for number, near in zip(numbers, whole, strict=True):
            if number != near:
                message = f"meets {number:g}, and the key takes whole numbers; take another count"
                raise InputError(Mistake(place, f"{message}, or write a list"))
    for one, following in pairwise(whole):
        if one == following:
            message = f"meets {one} more than once; take a smaller count, or write a list"
            raise InputError(Mistake(place, message))
    return list(whole)


def _in_one_unit(given: Sequence[Any]) -> tuple[tuple[Value, ...], str]:
    """The values as numbers in the unit of the first, if all of them are; else as texts."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in given):
        return tuple(given), "1"
    found = [_quantity(value) if isinstance(value, str) else None for value in given]
    quantities = [item for item in found if item is not None]
    if len(quantities) == len(given):
        unit = quantities[0][1]
        try:
            return tuple(
                number if own == unit else _rounded(_converted(number, own, unit, ""), _DIGITS)
                for number, own in quantities
            ), unit
        except InputError:
            pass  # of different kinds: the case says which is wrong
    return tuple(map(text_of, given)), ""


def _quantity(text: str) -> tuple[float, str] | None:
    """Number and unit of a text, C for a C-rate; None if it is not a quantity."""
    if (rate := _C_RATE.fullmatch(text)) and 0.0 < float(rate[1]) < math.inf:
        return 1.0 / float(rate[1]), "C"
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    try:
        units.convert(1.0, match[2], match[2])
    except InputError:
        return None
    number = float(match[1])
    return (number, match[2]) if math.isfinite(number) else None


def text_of(value: Any) -> str:
    """A value of an axis as a text: itself, or as TOML says it."""
    return value if isinstance(value, str) else toml_value(value)


def _shown(value: object) -> str:
    text = toml_value(value) if isinstance(value, str | int | float) else ""
    return f" = {text}" if 0 < len(text) <= _LONGEST else ""


def _rounded(number: float, digits: int) -> float:
    return float(f"{number:.{digits}g}")


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The shortest ends of dotted keys that tell them apart: ``coverage``.

    ``binder.conductivity`` and ``contact.conductivity`` keep both parts.
    """
    return {key: _shortest(key, (other for other in keys if other != key)) for key in keys}


def _shortest(key: str, others: Iterable[str]) -> str:
    parts, beside = key.split("."), [f".{other}" for other in others]
    for length in range(1, len(parts)):
        end = ".".join(parts[-length:])
        if not any(other.endswith(f".{end}") for other in beside):
            return end
    return key
