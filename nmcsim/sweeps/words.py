"""Texts with ``{variables}`` in them; ``{{`` and ``}}`` are braces.

``{K.number}`` is the number of a quantity ``K`` in the unit of its axis: for expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nmcsim.case.mistakes import suggestion
from nmcsim.errors import Mistake
from nmcsim.sweeps.axes import text_of

__all__ = ["NUMBER", "filled", "names_in", "unfilled"]

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


NUMBER = ".number"


def names_in(value: Any) -> list[str]:
    """The variables between braces in a text, or in the texts of a list or table."""
    return [name.removesuffix(NUMBER) for text in _texts(value) for name in _names(text)]


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """`value` with the variables in place of their names.

    A text that is one name and nothing else becomes the value of the variable itself, so that a
    number stays a number.
    """
    if isinstance(value, Mapping):
        return {key: filled(item, variables) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [filled(item, variables) for item in value]
    if not isinstance(value, str):
        return value
    whole = _PART.fullmatch(value)
    if whole is not None and whole[1] is not None:
        return variables[whole[1].strip()]

    def word(match: re.Match[str]) -> str:
        return match[0][0] if match[1] is None else text_of(variables[match[1].strip()])

    return _PART.sub(word, value)


def unfilled(
    place: str, value: Any, variables: Iterable[str], numeric: Iterable[str]
) -> list[Mistake]:
    """What is wrong with the braces in a value; `numeric` are the variables that are numbers."""
    known, numbers, found = list(variables), set(numeric), []
    for text in _texts(value):
        if any(match[0] in ("{", "}") for match in _PART.finditer(text)):
            message = "has a brace without its partner; a brace itself is written {{ or }}"
            found.append(Mistake(place, message))
        for said in _names(text):
            name = said.removesuffix(NUMBER)
            if said != name and name in known and name not in numbers:
                found.append(Mistake(place, f"has {{{said}}}, but {name} is a text"))
            if name not in known:
                mend = suggestion(name, known) if known else "there are none; a brace is {{"
                found.append(Mistake(place, f"has {{{name}}}, which is no variable; {mend}"))
    return found


def _names(text: str) -> list[str]:
    return [match[1].strip() for match in _PART.finditer(text) if match[1] is not None]


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
