"""The sentences of a protocol: PyBaMM's experiment grammar, with the same meaning.

    step    = ("charge" | "discharge") "at" current ends
            | "hold" "at" voltage ends
            | "rest" ends
    ends    = end { "or" end }
    end     = "for" number time-unit | "until" target | target          (the last after "or" only)
    target  = voltage | current | charge
    current = number "C" | "C/" number | number ("A" | "mA" | "uA" | "nA" | "pA")
    voltage = number ("V" | "mV")
    charge  = number ("Ah" | "mAh" | "uAh" | "nAh" | "pAh") [ "/g" | "/kg" ]

Words may be written in any case, spaces may be left out between a number and its unit. A step ends
by whichever of its ends comes first. A step without an end is a mistake (PyBaMM gives it 24 hours).
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NoReturn

from nmcsim.case.steps import HOUR, Charge, Current, Step, Until
from nmcsim.errors import InputError, Mistake

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<word>[^\W\d_]+)|(?P<slash>/)", re.ASCII
)
_PREFIX = {"": 1.0, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9, "p": 1e-12}
_SECONDS = (
    dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0)
    | dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0)
    | dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), HOUR)
)
_REFUSED = {
    **dict.fromkeys(("W", "mW", "uW", "nW", "kW"), "power"),
    **dict.fromkeys(("ohm", "Ohm", "ohms", "Ohms", "Ω"), "resistance"),
}


@dataclass(frozen=True)
class _Token:
    kind: Literal["number", "word", "slash", "end"]
    text: str
    column: int


def parse_step(text: str, cycle: int = 1) -> Step:
    """Read one sentence.

    Parameters
    ----------
    text : str
        Such as ``"Charge at 1C until 4.3 V"``.
    cycle : int
        The cycle that the step belongs to.

    Returns
    -------
    Step
        The step; a charging current is positive.

    Raises
    ------
    InputError
        With the text and the column of the word at fault.
    """
    return _Sentence(text).step(cycle)


def parse_ends(text: str) -> tuple[Until, ...]:
    """Read the ends of a step alone, such as ``"4.3 V or for 2 hours"``."""
    sentence = _Sentence(text)
    return sentence.ends("replay", bare=not sentence.is_word("until", "for"))


def c_rate_column(text: str) -> int | None:
    """The column of the first C-rate in a sentence, if there is one."""
    sentence = _Sentence(text)
    sentence.step(1)
    return sentence.c_rate


class _Sentence:
    """A cursor over the tokens of one sentence."""

    def __init__(self, text: str) -> None:
        self.text = re.sub(r"\s", " ", text)
        self.c_rate: int | None = None  # column of the first C-rate
        self.tokens = list(self._split())
        self.at = 0

    def _split(self) -> Iterable[_Token]:
        column = 0
        while column < len(self.text):
            if self.text[column].isspace():
                column += 1
                continue
            found = _TOKEN.match(self.text, column) or re.compile(r"[^\W\d_]+").match(
                self.text, column
            )
            if found is None:
                self.fail(column, self._unexpected(self.text[column]))
            kind = found.lastgroup or "word"
            yield _Token(kind, found.group(), column)  # type: ignore[arg-type]
            column = found.end()
        yield _Token("end", "", len(self.text))

    @staticmethod
    def _unexpected(character: str) -> str:
        if character in "+-":
            return 'a number has no sign here; "charge" and "discharge" say the direction'
        if character == ",":
            return "a decimal point is written with a point"
        return "is not a character of a step; write letters, numbers and points"

    def fail(self, column: int, message: str) -> NoReturn:
        raise InputError(Mistake("", message, self.text, column))

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        token = self.token
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def is_word(self, *words: str) -> bool:
        return self.token.kind == "word" and self.token.text.lower() in words

    def word(self, *words: str) -> str:
        """Take one of `words`, or say that one was expected."""
        if self.is_word(*words):
            return self.take().text.lower()
        listed = [f'"{word}"' for word in words]
        expected = ", ".join(listed[:-1]) + " or " * (len(listed) > 1) + listed[-1]
        close = difflib.get_close_matches(self.token.text.lower(), words, 1)
        hint = f'; did you mean "{close[0]}"?' if close and len(words) > 2 else ""
        return self.fail(self.token.column, f"expected {expected}{hint}")

    def step(self, cycle: int) -> Step:
        kind = self.word("charge", "discharge", "hold", "rest")
        if kind == "rest":
            return Step(self.text, "rest", "current", Current(0.0), self.ends("rest"), cycle)
        self.word("at")
        column = self.token.column
        value = self.quantity()
        if kind == "hold":
            if not isinstance(value, float):
                self.fail(column, 'a hold needs a voltage, such as "Hold at 4.3 V"')
            return Step(self.text, "hold", "voltage", value, self.ends("hold"), cycle)
        if isinstance(value, float):
            self.fail(column, f'is a voltage; write "Hold at {value:g} V", or give a current')
        if isinstance(value, Charge):
            self.fail(column, 'is a charge; give a current such as "1C" or "0.5 nA"')
        if kind == "charge":
            return Step(self.text, "charge", "current", value, self.ends("charge"), cycle)
        value = Current(-value.amount, value.of_capacity)
        return Step(self.text, "discharge", "current", value, self.ends("discharge"), cycle)

    def ends(self, kind: str, *, bare: bool = False) -> tuple[Until, ...]:
        """All ends of a step of this kind; `bare` ones may begin without a word."""
        ends = [self.end(kind, "until" if bare else self.word("until", "for"))]
        while self.token.kind != "end":
            if not self.is_word("or"):
                self.fail(self.token.column, 'expected "or" or the end of the step')
            self.take()
            word = self.take().text.lower() if self.is_word("until", "for") else "until"
            ends.append(self.end(kind, word))
        return tuple(ends)

    def end(self, kind: str, word: str) -> Until:
        column = self.token.column
        if word == "for":
            return Until("time", self.duration())
        value = self.quantity()
        if isinstance(value, Current):
            if kind not in ("hold", "replay"):
                self.fail(
                    column, f"a {kind} step has a fixed current; end it by a voltage or a time"
                )
            return Until("current", value)
        if isinstance(value, Charge):
            if kind == "rest":
                self.fail(column, "no charge passes at rest; end it by a time")
            return Until("capacity", value)
        if kind == "hold":
            self.fail(column, "a hold keeps its voltage; end it by a current or a time")
        return Until("voltage", value)

    def number(self, example: str) -> float:
        if self.token.kind != "number":
            self.fail(self.token.column, f"expected a number, such as {example}")
        token = self.take()
        value = float(token.text)
        if not math.isfinite(value) or value <= 0.0:
            self.fail(token.column, "must be above 0 and finite")
        return value

    def duration(self) -> float:
        column = self.token.column
        value = self.number('"2 hours"')
        unit = self.take()
        if unit.kind != "word" or unit.text.lower() not in _SECONDS:
            self.fail(unit.column, 'expected a unit of time: "s", "min" or "h"')
        return self.positive(value * _SECONDS[unit.text.lower()], column)

    def quantity(self) -> Current | Charge | float:
        """A current, a charge, or a voltage as a float."""
        column = self.token.column
        if self.is_word("c"):
            self.take()
            if self.take().kind != "slash":
                self.fail(column, 'expected a C-rate such as "1C" or "C/5"')
            return self.rate(1.0 / self.number('"C/5"'), column)
        value = self.number('"1C", "C/5", "0.5 nA" or "4.3 V"')
        unit = self.take()
        if unit.kind != "word":
            self.fail(unit.column, 'expected a unit: "C", "A", "nA", "V", "mAh/g", ...')
        return self.with_unit(value, unit, column)

    def with_unit(self, value: float, unit: _Token, column: int) -> Current | Charge | float:
        if unit.text in _REFUSED:
            what = _REFUSED[unit.text]
            self.fail(
                column, f"a step at constant {what} is not supported; give a current or a voltage"
            )
        if unit.text in ("C", "c"):
            return self.rate(value, column)
        for name in ("Ah", "A", "V"):
            factor = _PREFIX.get(unit.text.removesuffix(name)) if unit.text.endswith(name) else None
            if factor is None:
                continue
            if name == "Ah":
                return self.charge(value * factor * HOUR, column)
            size = self.positive(value * factor, column)
            return size if name == "V" else Current(size)
        return self.fail(
            unit.column, 'is not a unit here; write "C", "A", "mA", "nA", "V", "mV" or "mAh/g"'
        )

    def rate(self, per_hour: float, column: int) -> Current:
        if self.c_rate is None:
            self.c_rate = column
        return Current(self.positive(per_hour, column), of_capacity=True)

    def charge(self, coulombs: float, column: int) -> Charge:
        if self.token.kind != "slash":
            return Charge(self.positive(coulombs, column))
        self.take()
        mass = {"g": 1e-3, "kg": 1.0}[self.word("g", "kg")]
        return Charge(self.positive(coulombs / mass, column), per_mass=True)

    def positive(self, value: float, column: int) -> float:
        if not math.isfinite(value) or value <= 0.0:
            self.fail(column, "must be above 0 and finite")
        return value


def capacity_basis(text: str) -> Charge:
    """Read the capacity that C-rates refer to, such as ``"200 mAh/g"`` or ``"0.3 nAh"``.

    Raises
    ------
    InputError
        Where the text is not a charge.
    """
    sentence = _Sentence(text)
    value = sentence.quantity()
    if not isinstance(value, Charge) or sentence.token.kind != "end":
        sentence.fail(0, 'must be a capacity, such as "200 mAh/g" or "0.3 nAh"')
    return value
