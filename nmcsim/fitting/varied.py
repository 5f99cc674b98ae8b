"""A key that a fit may change: its interval, its start, its scale."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nmcsim.errors import InputError, Mistake
from nmcsim.sweeps.axes import listed

__all__ = ["DECADES", "Asked", "Varied", "asked", "varied"]

DECADES = 100.0
"""Ends that differ by this factor or more, and are positive, make the scale logarithmic."""
_DIGITS = 12  # of a value in a case: 0.3, not 0.30000000000000004
_BARE = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")
_UNIT = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(\s*[A-Za-z%µμ°Ω].*)")
_SCALES = ("log", "linear")
_EXAMPLE = "write KEY=LO:HI, such as physics.rock_salt.coverage=0.1:0.9 or geometry.diameter=2:3um"


@dataclass(frozen=True)
class Asked:
    """What ``--vary KEY=LO:HI[:log|:linear][@START]`` says, not yet read as numbers.

    Parameters
    ----------
    key : str
        Dotted; or the name of a variable that stands between braces in a text.
    low, high : Any
        As a case file says them.
    start : Any
        None for that of the case.
    scale : str
        "log", "linear", or empty: the interval decides.
    """

    key: str
    low: Any
    high: Any
    start: Any = None
    scale: str = ""

    @property
    def place(self) -> str:
        return f"--vary {self.key}"


@dataclass(frozen=True)
class Varied:
    """A key between two ends; 0 and 1 are the ends in the scale of the fit.

    Parameters
    ----------
    key : str
    unit : str
        That of the lower end: "1" for plain numbers, "C" of C-rates.
    low, high, start : float
        In the unit.
    log : bool
        Whether the fit goes in the logarithm.
    """

    key: str
    unit: str
    low: float
    high: float
    start: float
    log: bool = False

    def value(self, share: float) -> float:
        """The value [unit] at a share of the way from the lower end to the upper."""
        if self.log:
            found = math.exp(math.log(self.low) * (1.0 - share) + math.log(self.high) * share)
        else:
            found = self.low * (1.0 - share) + self.high * share
        return min(max(float(f"{found:.{_DIGITS}g}"), self.low), self.high)

    def share(self, value: float) -> float:
        """Where in its interval a value [unit] lies."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def slope(self, value: float) -> float:
        """d(value)/d(share) [unit] there."""
        return value * math.log(self.high / self.low) if self.log else self.high - self.low

    def written(self, value: float) -> Any:
        """The value as a case file says it."""
        if self.unit == "1":
            return value
        return f"{value:.{_DIGITS}g}{'' if self.unit == 'C' else ' '}{self.unit}"

    def shown(self, value: float, digits: int = 5) -> str:
        """The value with its unit, for people."""
        return f"{value:.{digits}g}{'' if self.unit == '1' else f' {self.unit}'}"


def asked(said: str | Mapping[str, Any]) -> tuple[Asked, ...]:
    """What one ``--vary`` says, or the mapping ``{key: "lo:hi"}`` of the Python function.

    A value of the mapping may be a pair ``(lo, hi)``, too.

    Raises
    ------
    InputError
        It cannot be taken apart.
    """
    if isinstance(said, str):
        key, equals, text = said.partition("=")
        if not equals or not key.strip():
            raise InputError(Mistake(f"--vary {said}", f"has no interval; {_EXAMPLE}"))
        return (_apart(key.strip(), text),)
    found: list[Asked] = []
    wrong: list[Mistake] = []
    for key, value in said.items():
        try:
            found.append(_apart(key, value))
        except InputError as error:
            wrong += error.mistakes
    if wrong:
        raise InputError(wrong)
    return tuple(found)


def _apart(key: str, value: Any) -> Asked:
    if isinstance(value, list | tuple) and len(value) == 2:
        low, high = value
        return Asked(key, *_with_unit(low, high))
    place = f"--vary {key}={value}"
    if not isinstance(value, str):
        raise InputError(Mistake(place, f"is no interval; {_EXAMPLE}"))
    interval, at, start = value.partition("@")
    parts = [part.strip() for part in interval.split(":")]
    scale = parts.pop() if len(parts) == 3 and parts[-1] in _SCALES else ""
    if len(parts) != 2 or not all(parts) or (at and not start.strip()):
        raise InputError(Mistake(place, f"is no interval; {_EXAMPLE}"))
    low, high = _with_unit(*parts)
    first = _with_unit(start.strip(), high)[0] if at else None
    return Asked(key, low, high, first, scale)


def _with_unit(low: Any, high: Any) -> tuple[Any, Any]:
    """Two ends, of which one may leave the unit to the other: ``2:3um``; bare ones as numbers."""
    if isinstance(low, str) and isinstance(high, str):
        if _BARE.fullmatch(low) and (unit := _UNIT.fullmatch(high)):
            low = f"{low}{unit[1]}"
        elif _BARE.fullmatch(high) and (unit := _UNIT.fullmatch(low)):
            high = f"{high}{unit[1]}"
    return _plain(low), _plain(high)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return float(value) if _BARE.fullmatch(value) else value
    return value


def varied(said: Asked, given: Any) -> Varied:
    """The key as numbers.

    Parameters
    ----------
    said : Asked
    given : Any
        What the case says there; None if it says nothing.

    Raises
    ------
    InputError
        Ends or start are no numbers of one kind, are reversed, or the start lies outside.
    """
    start = said.start if said.start is not None else given
    place = f"{said.place} = {_shown(said.low)}:{_shown(said.high)}"
    low, high, unit = _numbers(place, said.key, (said.low, said.high))
    if start is None:
        message = (
            "has no value in the case to start from; write one after the interval, such as "
            f"--vary {said.key}={_shown(said.low)}:{_shown(said.high)}@{_shown(said.low)}"
        )
        raise InputError(Mistake(place, message))
    if isinstance(start, bool) or not isinstance(start, int | float | str):
        what = f"is {'a list' if isinstance(start, list | tuple) else 'no number'} in the case"
        raise InputError(Mistake(said.place, f"{what}; a fit varies numbers"))
    _refuse_text(said, start)
    _, first, _ = _numbers(place, said.key, (said.low, start))
    if not low < high:
        about = "are equal" if low == high else "are reversed"
        turned = f"{said.key}={_shown(said.high)}:{_shown(said.low)}"
        mend = f"write --vary {shlex.quote(turned)}"
        mend = "write two different ones" if low == high else mend
        raise InputError(Mistake(place, f"has ends that {about}; {mend}"))
    if not low <= first <= high:
        shown = f"{first:.6g}{'' if unit == '1' else f' {unit}'}"
        whose = "" if said.start is not None else " of the case"
        message = f"does not hold the start {shown}{whose}; widen it, or add @START"
        raise InputError(Mistake(place, message))
    log = said.scale == "log" or (said.scale == "" and low > 0.0 and high / low >= DECADES)
    if log and low <= 0.0:
        message = "needs a lower end above 0 for a logarithmic scale; leave :log out"
        raise InputError(Mistake(place, message))
    return Varied(said.key, unit, low, high, first, log)


def _refuse_text(said: Asked, start: Any) -> None:
    """A start that is a word or a formula is nothing that varies continuously."""
    axis = listed(said.place, said.key, [start])
    if axis.parameter.numeric:
        return
    if "theta" in str(start) or "[" in str(start):
        message = (
            f"is a formula in the case ({_short(start)}); put a variable into it, with --set"
            f" '{said.key}={{k}}*...' --vary k=0.1:10@1"
        )
    else:
        message = f"is a text in the case ({_short(start)}); a fit varies numbers"
    raise InputError(Mistake(said.place, message))


def _numbers(place: str, key: str, values: Sequence[Any]) -> tuple[float, float, str]:
    """Two values in the unit of the first."""
    axis = listed(place, key, list(values))
    if axis.parameter.numeric:
        one, two = (float(value) for value in axis.values)
        return one, two, axis.parameter.unit
    alone = [listed(place, key, [value]).parameter for value in values]
    for value, parameter in zip(values, alone, strict=True):
        if not parameter.numeric:
            mend = 'write one such as 0.5, "2.5 um" or "C/3"'
            message = f"has {_shown(value)}, which is no number, with or without a unit; {mend}"
            raise InputError(Mistake(place, message))
    bare, other = (p.unit for p in alone)
    if bare == "1" and other not in ("1", "C"):
        raise InputError(
            Mistake(place, f"has no unit; write it once, as in --vary {key}=LO:HI{other}")
        )
    units = [p.unit if p.unit != "1" else "no unit" for p in alone]
    message = f"mixes {units[0]} and {units[1]}; give both in one kind of unit, as the case does"
    raise InputError(Mistake(place, message))


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _short(value: Any) -> str:
    text = str(value)
    return f'"{text}"' if len(text) <= 40 else f'"{text[:37]}..."'
