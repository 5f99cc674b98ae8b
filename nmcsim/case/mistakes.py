"""What pydantic found wrong, in the sentences of `nmcsim.errors`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from inspect import isabstract
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from nmcsim.case.section import Quantity
from nmcsim.case.toml import toml_value
from nmcsim.errors import InputError, Mistake

_LONGEST_VALUE = 40

_SENTENCES = {
    "string_type": "must be a text in quotes",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "model_type": "must be a table of keys and values",
    "dict_type": "must be a table of keys and values",
    "tuple_type": "must be a list in square brackets",
    "finite_number": "must be a finite number",
    "literal_error": "must be {expected}",
    "greater_than": "is out of range; it must be above {gt}",
    "greater_than_equal": "is out of range; it must be at least {ge}",
    "less_than": "is out of range; it must be below {lt}",
    "less_than_equal": "is out of range; it must be at most {le}",
    "too_short": "has too few entries; write {min_length} or more",
    "too_long": "has too many entries; write {max_length} or fewer",
}


def mistakes_of(
    error: InputError | ValidationError, place: str = "", model: type[BaseModel] | None = None
) -> list[Mistake]:
    """All mistakes in `error`.

    Parameters
    ----------
    error : InputError or ValidationError
        What a validator raised.
    place : str
        The dotted key of the value that was validated.
    model : type, optional
        The model it was validated by, for the keys to suggest.
    """
    if isinstance(error, InputError):
        return [replace(m, place=joined(place, m.place)) for m in error.mistakes]
    found: dict[Mistake, None] = {}
    for details in error.errors(include_url=False):
        found |= dict.fromkeys(_translated(details, place, model))
    return list(found)


def joined(place: str, key: str) -> str:
    """The dotted key `key` below `place`."""
    return place + key if not place or not key or key.startswith(("[", " ")) else f"{place}.{key}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """``did you mean "coverage"?`` or the list of what there is."""
    names = list(known)
    close = difflib.get_close_matches(name, names, 1)
    return f'did you mean "{close[0]}"?' if close else f"there are {', '.join(names)}"


def _translated(details: Any, place: str, model: type[BaseModel] | None) -> Iterable[Mistake]:
    kind, location = details["type"], details["loc"]
    here = place
    for part in location:
        here = joined(here, f"[{part}]" if isinstance(part, int) else str(part))
    if kind == "nmcsim":
        yield from _unknown(details["input"], here, _at(model, location))
        for m in details["ctx"]["mistakes"]:
            at_value = not m.place and m.text is None and bool(location)
            whole = here + _shown(details["input"]) if at_value else joined(here, m.place)
            inner = details["input"]
            if isinstance(inner, Mapping) and m.place in inner and m.text is None:
                whole += _shown(inner[m.place])
            yield replace(m, place=whole)
    elif kind == "extra_forbidden":
        yield _not_a_key(str(location[-1]), here, _at(model, location[:-1]))
    elif kind == "missing":
        yield Mistake(here, f"is missing{_how(_field(model, location), str(location[-1]))}")
    else:
        sentence = _SENTENCES.get(kind)
        context = {key: _plain(value) for key, value in details.get("ctx", {}).items()}
        message = sentence.format(**context) if sentence else f"is wrong: {details['msg']}"
        yield Mistake(here + _shown(details["input"]), message)


def _unknown(given: object, place: str, model: type[BaseModel] | None) -> Iterable[Mistake]:
    """The unknown keys of a table that a validator refused before pydantic looked at its keys."""
    # which keys an abstract model takes is known to its subclass, which has said it
    if isinstance(given, Mapping) and model is not None and not isabstract(model):
        for key in given:
            if str(key) not in _keys(model):
                yield _not_a_key(str(key), joined(place, str(key)), model)


def _not_a_key(key: str, place: str, model: type[BaseModel] | None) -> Mistake:
    known = _keys(model)
    return Mistake(place, "is not a key here" + (f"; {suggestion(key, known)}" if known else ""))


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value.replace("'", '"')
    return f"{value:g}" if isinstance(value, float) else value


def _shown(value: object) -> str:
    """`` = "2.5"``, for values short enough to be read in a line."""
    if isinstance(value, Mapping) or not isinstance(value, str | int | float | Sequence):
        return ""
    try:
        text = toml_value(value)
    except TypeError:
        return ""
    return f" = {text}" if len(text) <= _LONGEST_VALUE and "\n" not in text else ""


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [f.alias or name for name, f in model.model_fields.items()] if model else []


def _field(model: type[BaseModel] | None, location: Sequence[int | str]) -> FieldInfo | None:
    owner = _at(model, location[:-1])
    for name, field in owner.model_fields.items() if owner else ():
        if location[-1] in (name, field.alias):
            return field
    return None


def _at(model: type[BaseModel] | None, location: Sequence[int | str]) -> type[BaseModel] | None:
    """The model of the table at `location`."""
    for part in location:
        field = _field(model, [part]) if isinstance(part, str) else None
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        model = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)
    return model


def _how(field: FieldInfo | None, key: str) -> str:
    """How to write a missing key."""
    if field is None:
        return ""
    example = next((m.example for m in field.metadata if isinstance(m, Quantity)), "")
    value = example or next(iter(field.examples or ()), None)
    if value in (None, ""):
        about = (field.description or "").rstrip(".")
        # a type of ours is read from a table; int, str, tuple and the like from a value
        ours = getattr(field.annotation, "__module__", "").startswith("nmcsim")
        return f"; write a table [{key}]: {about}" if ours else f"; it is: {about}"
    return f"; write {key} = {toml_value(value)}"
