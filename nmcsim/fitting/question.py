"""What a fit asks: a case, the keys that vary in it, and how points become cases of a sweep."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.case import Case, load
from nmcsim.case.toml import parse_value, read_toml
from nmcsim.errors import InputError, Mistake
from nmcsim.fitting.varied import Asked, Varied, varied
from nmcsim.sweeps import Plan, make_plan
from nmcsim.sweeps.keys import Keys
from nmcsim.sweeps.words import filled, names_in

__all__ = ["Question", "question"]

Array = NDArray[np.float64]

_OF_AXIS = re.compile(r"sweep\.zip(?:\.(?P<key>[^\s\[]+))?(?:\[\d+\])?(?P<rest>.*)", re.DOTALL)
_OF_CASE = re.compile(r"case \d+(?= \()")


@dataclass(frozen=True)
class Question:
    """A case with keys that vary, all of it sound at the start and at the ends.

    Parameters
    ----------
    data : mapping
        Content of the case.
    folder : Path
        Where its files are.
    path : Path or None
        Of the case.
    overrides : tuple of str
        As ``--set``, of keys whose texts have no variable.
    texts : mapping of str to str
        Texts with ``{variables}`` by key.
    coarse : bool
    varied : tuple of Varied
    go_on : str
        The command of the fit, which ``nmcsim status`` says of its cases.
    """

    data: Mapping[str, Any]
    folder: Path
    path: Path | None
    overrides: tuple[str, ...]
    texts: Mapping[str, Any]
    coarse: bool
    varied: tuple[Varied, ...] = field(default=())
    go_on: str = "nmcsim fit CASE MEASURED --vary KEY=LO:HI --out DIR"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(v.key for v in self.varied)

    @property
    def start(self) -> Array:
        """As shares of the intervals."""
        return np.array([v.share(v.start) for v in self.varied])

    def values(self, x: Array) -> tuple[float, ...]:
        """Shares of the intervals as values in the units of the keys."""
        return tuple(v.value(float(share)) for v, share in zip(self.varied, x, strict=True))

    def plan(self, points: Sequence[Sequence[float]]) -> Plan:
        """The sweep over points, each a value for each key.

        Raises
        ------
        InputError
            A point is no case that can be run; said of the key that varies.
        """
        columns = zip(*points, strict=True)
        axes = {
            v.key: [v.written(value) for value in column]
            for v, column in zip(self.varied, columns, strict=True)
        }
        asked = {"zip": axes, "set": dict(self.texts), "keep": "history"}
        try:
            made = make_plan(
                dict(self.data) | {"sweep": asked}, self.folder, self.path,
                overrides=self.overrides, coarse=self.coarse,
            )  # fmt: skip
        except InputError as error:
            raise InputError(dict.fromkeys(map(_said_of_key, error.mistakes))) from None
        return replace(made, go_on=self.go_on)

    def case(self, values: Sequence[float]) -> Case:
        """The case with these values of its keys."""
        plan = self.plan([values])
        return plan.case(plan.cases[0])

    @cached_property
    def digest(self) -> str:
        """Of all that decides which cases are solved: 16 digits."""
        first = self.case([v.start for v in self.varied]).hash
        said = [[v.key, v.unit, v.low, v.high, v.start, v.log] for v in self.varied]
        return hashlib.sha256(json.dumps([first, said]).encode()).hexdigest()[:16]


def question(
    case: Case | str | Path,
    asked: Iterable[Asked],
    overrides: Iterable[str] = (),
    *,
    coarse: bool = False,
) -> Question:
    """Read a case and the keys that vary in it.

    Parameters
    ----------
    case : Case or path
    asked : iterable of Asked
    overrides : iterable of str
        ``"table.key=value"``; a text may have ``{variables}`` that vary.
    coarse : bool

    Raises
    ------
    InputError
        With all mistakes: of the case, of the keys, of their ends.
    """
    asked = tuple(asked)
    if not asked:
        raise InputError(Mistake("--vary", "is missing; name a key to fit: --vary KEY=LO:HI"))
    twice = sorted({a.key for a in asked if sum(b.key == a.key for b in asked) > 1})
    if twice:
        raise InputError(Mistake(f"--vary {key}", "is said twice; keep one") for key in twice)
    if isinstance(case, Case):
        data, folder, path = *case.given, case.path
    else:
        path = Path(case)
        data, folder = read_toml(path), path.parent
    data.pop("sweep", None)
    plain, texts = _apart(overrides)
    if isinstance(case, str | Path) and not texts:
        load(case, plain)  # its mistakes are said of the file, all at once
    bare = Question(data, folder, path, plain, texts, coarse)
    keys = Keys(data, folder)
    found: list[Varied] = []
    wrong: list[Mistake] = []
    for one in asked:
        try:
            found.append(_varied(one, bare, keys, {a.key: a for a in asked}))
        except InputError as error:
            wrong += error.mistakes
    if wrong:
        raise InputError(dict.fromkeys(wrong))
    whole = replace(bare, varied=tuple(found))
    _try_ends(whole)
    return whole


def _apart(overrides: Iterable[str]) -> tuple[tuple[str, ...], dict[str, Any]]:
    plain, texts = [], {}
    for override in overrides:
        key, equals, text = override.partition("=")
        value = parse_value(text.strip()) if equals else None
        if value is not None and list(names_in(value)):
            texts[key.strip()] = value
        else:
            plain.append(override)
    return tuple(plain), texts


def _varied(one: Asked, bare: Question, keys: Keys, all_: Mapping[str, Asked]) -> Varied:
    if keys.is_variable(one.key):
        if one.key not in {name for text in bare.texts.values() for name in names_in(text)}:
            near = keys.similar(one.key)
            mend = f"did you mean {near}?" if near else "write it as table.key"
            message = (
                f"is no key of a case; {mend} (a name without a dot is a variable, and no text of"
                f" --set has {{{one.key}}})"
            )
            raise InputError(Mistake(one.place, message))
        return varied(one, one.start if one.start is not None else _middle(one))
    if keys.is_table(one.key):
        inside = next((k for k in keys.all() if k.startswith(f"{one.key}.")), f"{one.key}.name")
        raise InputError(Mistake(one.place, f"is a table; name a key in it, such as {inside}"))
    if keys.is_integer(one.key):
        message = "takes whole numbers, which least squares cannot vary; sweep over it instead"
        raise InputError(Mistake(one.place, message))
    if one.key not in set(keys.all()) and _given(bare, one.key, all_) is None:
        # the case says it best, with the key that may be meant
        low = one.low if not isinstance(one.low, float) else float(one.low)
        replaced = Varied(one.key, "1", 0.0, 1.0, 0.0)
        replace(bare, varied=(replaced,)).plan([[low]])
    return varied(one, _given(bare, one.key, all_))


def _middle(one: Asked) -> Any:
    """Where a variable starts that says no start: halfway, in its scale."""
    at_low = varied(one, one.low)
    return at_low.written(at_low.value(0.5))


def _given(bare: Question, key: str, all_: Mapping[str, Asked]) -> Any:
    """What the case says under a key, or takes where it says nothing."""
    from nmcsim.case.loading import overridden
    from nmcsim.case.model import from_data, with_value

    data = dict(bare.data)
    for override in bare.overrides:
        data = overridden(data, override)
    found = _inside(data, key)
    if found is not None:
        return found
    variables = {
        name: _middle(one) if one.start is None else one.start
        for name, one in all_.items()
        if "." not in name
    }
    for name, text in bare.texts.items():
        data = with_value(data, name, filled(text, variables))
    try:
        return _inside(from_data(data, bare.folder).resolved(), key)
    except (InputError, KeyError):
        return None  # said when the start is tried


def _inside(data: Any, key: str) -> Any:
    for part in key.split("."):
        if not isinstance(data, Mapping) or part not in data:
            return None
        data = data[part]
    return data


def _try_ends(whole: Question) -> None:
    """Check the case at the start, and with each key at each end."""
    first = [v.start for v in whole.varied]
    whole.plan([first])
    wrong: list[Mistake] = []
    for i, v in enumerate(whole.varied):
        for end in (v.low, v.high):
            try:
                whole.plan([[*first[:i], end, *first[i + 1 :]]])
            except InputError as error:
                wrong += error.mistakes
    if wrong:
        raise InputError(dict.fromkeys(wrong))


def _said_of_key(m: Mistake) -> Mistake:
    """A mistake of an axis of the sweep, said of the option."""
    match = _OF_AXIS.fullmatch(m.place)
    if match is None:
        if m.place.startswith("sweep.set."):
            return replace(m, place=f"--set {m.place.removeprefix('sweep.set.')}")
        return replace(m, place=_OF_CASE.sub("--vary", m.place))
    key = f" {match['key']}" if match["key"] else ""
    return replace(m, place=f"--vary{key}{match['rest']}")
