"""What pydantic finds wrong with a BPX file, as one sentence for each value."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from nmcsim.errors import Mistake

ARROW: Final = " > "
_BRANCHES: Final = ("float", "int", "InterpolatedTable")  # of a union, in places of pydantic


def place(*parts: object) -> str:
    """Where a value stands: ``Positive electrode > OCP [V]``."""
    return ARROW.join(str(part) for part in parts if part != "Parameterisation")


def sentences(error: Any, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """What pydantic found, one mistake for each value: it says each branch of a union."""
    found: dict[tuple[Any, ...], list[tuple[tuple[Any, ...], Any]]] = {}
    for entry in error.errors():
        where, branch = _split(tuple(entry["loc"]))
        found.setdefault(where, []).append((branch, entry))
    for where, entries in found.items():
        if where and where[0] not in raw and where[0] in _of_header():
            where = ("Header", *where)
        value = _at(raw, where)
        yield Mistake(place(*where) or "the file", _sentence(where, value, entries))


def _split(loc: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The keys of the file, and the branch of a union behind them."""
    for i, part in enumerate(loc):
        if isinstance(part, str) and (part in _BRANCHES or part.startswith("function-")):
            return loc[:i], loc[i:]
    # classes that bpx tries in turn are no keys either
    return tuple(p for p in loc if not re.fullmatch(r"(?:Parameterisation|Electrode)[A-Z]\w*",
                                                     str(p))), ()  # fmt: skip


def _at(raw: Any, where: Sequence[Any]) -> Any:
    """The value in the file; the places of pydantic may begin inside ``Parameterisation``."""
    for start in (raw, raw.get("Parameterisation")):
        value = start
        for part in where:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                break
        else:
            return value
    return None


def _sentence(where: tuple[Any, ...], value: Any, entries: Sequence[tuple[Any, Any]]) -> str:
    by_branch = {str(branch[0]): entry for branch, entry in entries if branch}
    if by_branch:
        wanted = "function" if isinstance(value, str) else "InterpolatedTable"
        for name, entry in by_branch.items():
            if name.startswith(wanted) and entry["type"] == "value_error":
                return _plain(entry["msg"])
        formula = any(name.startswith("function") for name in by_branch)
        allowed = "a number, a formula in x, or a table of x and y" if formula else "a number"
        return f"is {_shown(value)}; write {allowed}"
    entry = entries[0][1]
    if entry["type"] == "missing":
        return "is missing"
    if entry["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(where[-1]), _aliases(), n=1)
        hint = f'; did you mean "{close[0]}"?' if close else "; leave it out, or under User-defined"
        return f"is no field of BPX{hint}"
    must = re.fullmatch(r"Input should be (.*?)(?:, unable.*| or instance of.*)?", entry["msg"])
    if must:
        return f"is {_shown(value)}; it must be {must[1].replace('dictionary', 'object')}"
    return _plain(entry["msg"])


def _plain(message: str) -> str:
    text = " ".join(message.removeprefix("Value error, ").split()).rstrip(".")
    known = text.startswith(("OCP", "LLI", "LAM", "BPX", "SPM"))
    return text if known else text[:1].lower() + text[1:]


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _of_header() -> list[str]:
    from bpx import schema

    return [field.alias or name for name, field in schema.Header.model_fields.items()]


def _aliases() -> list[str]:
    from bpx import schema

    kinds = (schema.Header, schema.Cell, schema.Electrolyte, schema.ElectrodeSingle,
             schema.Contact, schema.InitialConditions, schema.ThermalState)  # fmt: skip
    return [f.alias or name for kind in kinds for name, f in kind.model_fields.items()]
