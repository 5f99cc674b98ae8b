"""Frozen settings of a reduction, read from a table of a file: units, ranges, all mistakes at once.

A reduction's settings are a frozen dataclass whose fields say what they may be::

    smooth: float = option(0.0, unit="m", low=0.0)
    drift: str = option("spot", choices=("spot", "phase", "none"))

`read_settings` makes one of a table such as ``[optical]``, `table_of` the table again.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from nmcsim.errors import InputError, Mistake
from nmcsim.units import UnitError, display, parse

__all__ = ["Number", "Series", "option", "read_settings", "table_of"]


@dataclass(frozen=True)
class Number:
    """One number that a reduction gives.

    Parameters
    ----------
    value, uncertainty : float
        In `unit`; the uncertainty is one standard deviation, NaN where nothing is known of it.
    unit : str
        SI, "1" for a plain number.
    description : str
    """

    value: float
    uncertainty: float
    unit: str
    description: str


@dataclass(frozen=True)
class Series:
    """One column that a reduction gives, a value for each frame or cycle.

    Parameters
    ----------
    values, uncertainty : (k,) float array
        In `unit`; NaN where there is none.
    unit, description : str
    """

    values: Any
    uncertainty: Any
    unit: str
    description: str


def option(
    default: Any,
    *,
    unit: str = "",
    choices: tuple[str, ...] = (),
    low: float | None = None,
    above: float | None = None,
    below: float | None = None,
    pair: bool = False,
    about: str = "",
) -> Any:
    """A field of a settings class.

    Parameters
    ----------
    default
        Its type is the option's; with None the option is a number that may be absent.
    unit : str
        SI; then a table gives it as text ("265 nm").
    choices : tuple of str
    low, above, below : float
        value >= low, value > above, value < below, in SI.
    pair : bool
        Two numbers in a list.
    about : str
        What it is, for documentation.
    """
    notes = {"unit": unit, "choices": choices, "low": low, "above": above, "below": below}
    return field(default=default, metadata={**notes, "pair": pair, "about": about})


def read_settings[T](cls: type[T], table: Mapping[str, Any], place: str) -> T:
    """Settings from a table.

    Parameters
    ----------
    cls : type
        A frozen dataclass of `option` fields.
    table : mapping
        As TOML gives it.
    place : str
        Name of the table, for the sentences.

    Raises
    ------
    InputError
        All unknown keys and wrong values at once.
    """
    known: dict[str, Field[Any]] = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    found: dict[str, Any] = {}
    mistakes = []
    for key, value in table.items():
        where = f"{place}.{key}"
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            mend = f'did you mean "{close[0]}"?' if close else f"there are {', '.join(known)}"
            mistakes.append(Mistake(where, f"is not a key here; {mend}"))
            continue
        try:
            found[key] = _value(value, known[key])
        except InputError as error:
            shown = f'"{value}"' if isinstance(value, str) else str(value)
            mistakes += [Mistake(f"{where} = {shown[:60]}", m.message) for m in error.mistakes]
    if mistakes:
        raise InputError(mistakes)
    return cls(**found)


def _value(value: Any, asked: Field[Any]) -> Any:
    notes = asked.metadata
    if notes["choices"]:
        if value not in notes["choices"]:
            *first, last = (f'"{c}"' for c in notes["choices"])
            _refuse(f"is not a choice; write {', '.join(first)} or {last}")
        return value
    if isinstance(asked.default, bool):
        if not isinstance(value, bool):
            _refuse("must be true or false")
        return value
    if notes["pair"]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            _refuse("must be two numbers, such as [120, 45]")
        return tuple(_number(v, notes) for v in value)
    number = _number(value, notes)
    if isinstance(asked.default, int):
        if number != round(number):
            _refuse("must be a whole number")
        return round(number)
    return number


def _number(value: Any, notes: Mapping[str, Any]) -> float:
    unit = notes["unit"]
    if unit:
        number = parse(value, unit)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        _refuse("must be a number without a unit")
    else:
        number = float(value)
    if not math.isfinite(number):
        _refuse("must be a finite number")

    def shown(limit: float) -> str:
        return display(limit, unit) if unit else f"{limit:g}"

    if notes["low"] is not None and number < notes["low"]:
        _refuse(f"is out of range; it must be at least {shown(notes['low'])}")
    if notes["above"] is not None and number <= notes["above"]:
        _refuse(f"is out of range; it must be above {shown(notes['above'])}")
    if notes["below"] is not None and number >= notes["below"]:
        _refuse(f"is out of range; it must be below {shown(notes['below'])}")
    return number


def _refuse(message: str) -> Any:
    raise UnitError(Mistake("", message))


def table_of(settings: Any) -> dict[str, Any]:
    """The table that `read_settings` makes the same settings of; what is absent is left out."""
    found: dict[str, Any] = {}
    for f in fields(settings):
        value, unit = getattr(settings, f.name), f.metadata["unit"]
        if value is None or f.default is MISSING:
            continue
        if isinstance(value, tuple):
            found[f.name] = list(value)
        elif unit and unit != "1":
            found[f.name] = display(value, unit, exact=True)
        else:
            found[f.name] = value
    return found
