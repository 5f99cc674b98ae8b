"""The plan of a sweep: its cases, known by what they say, and where they come from.

`read_sweep` makes one from a file; ``plan.json`` keeps it, so that whoever works on the
sweep later need not validate a thousand cases again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from nmcsim.case.loading import key_of
from nmcsim.case.model import Case
from nmcsim.case.toml import read_toml
from nmcsim.errors import InputError, Mistake
from nmcsim.results import write_json, writing
from nmcsim.sweeps.asked import asked_of
from nmcsim.sweeps.axes import Parameter, Value, short_names
from nmcsim.sweeps.combine import Combinations, applied, built

__all__ = ["FILE", "Keep", "Parameter", "Plan", "Planned", "make_plan", "read_sweep", "short_names"]

FILE = "plan.json"
FORMAT = "nmcsim plan"
VERSION = 1

Keep = Literal["summary", "history", "all"]


@dataclass(frozen=True)
class Planned:
    """One case of a sweep.

    Parameters
    ----------
    number : int
        From 1, in the order of the plan.
    hash : str
        Of the resolved case. Two cases that say the same have the same one.
    values : mapping of str to float, int or str
        By the key of each parameter: a number in its unit, or a text.
    changes : mapping of str to Any
        What differs from the base, by dotted key, as a case file says it.
    cost : float
        As `nmcsim.sweeps.cost.cost` says; only ratios mean anything.
    """

    number: int
    hash: str
    values: Mapping[str, Value]
    changes: Mapping[str, Any]
    cost: float = 1.0


@dataclass(frozen=True)
class Plan:
    """All cases of a sweep, each of them valid when it was made.

    Parameters
    ----------
    title : str
    path : Path or None
        The file of the sweep.
    folder : Path
        Absolute; where the files are that the cases name.
    base : mapping
        Content of the case that all start from.
    parameters : tuple of Parameter
    cases : tuple of Planned
    keep : str
        What is kept of each case: "summary", "history" or "all".
    ranks_per_case : int
    time_limit : float or None
        Of one case [s].
    memory_limit : float or None
        Of one case [B].
    coarse : bool
        Whether each case is `Case.coarse`.
    kept : tuple of str
        Keys that ``--set`` says: they stay as they are in coarse cases, as those that vary.
    words : tuple of str
        What the command line said beside the file, for the command that goes on.
    go_on : str
        The command that goes on where that is none of a sweep: a fit has its cases solved.
    """

    title: str
    path: Path | None
    folder: Path
    base: Mapping[str, Any]
    parameters: tuple[Parameter, ...]
    cases: tuple[Planned, ...]
    keep: Keep = "history"
    ranks_per_case: int = 1
    time_limit: float | None = None
    memory_limit: float | None = None
    coarse: bool = False
    kept: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    go_on: str = ""

    @cached_property
    def hash(self) -> str:
        """Of what is asked: the cases in their order and the parameters; 16 digits."""
        content = [
            [[p.key, p.unit, p.numeric] for p in self.parameters],
            [[planned.hash, dict(planned.values)] for planned in self.cases],
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def kind(self) -> str:
        """What its cases have in common that tells how fast they are: model, shape, kinetics."""
        geometry, physics = (self.base.get(name, {}) for name in ("geometry", "physics"))
        shape = geometry.get("shape") or geometry.get("file") or ""
        return "/".join((str(self.base["model"]), str(shape), str(physics.get("surface", ""))))

    def case(self, planned: Planned) -> Case:
        """One of its cases, ready to be run.

        Raises
        ------
        InputError
            It is not the one that was planned: a file that it reads has changed since.
        """
        data, kept = applied(self.base, planned.changes), (*self.kept, *planned.changes)
        case = built(data, self.folder, coarse=self.coarse, kept=kept)
        if case.hash != planned.hash:
            raise InputError(
                Mistake(
                    f"case {planned.number}",
                    "is not what it was when the sweep was planned: a file that it reads, or"
                    " nmcsim, has changed since; start the sweep again in a new directory",
                ),
                str(self.path or ""),
            )
        return case

    def write(self, directory: str | Path) -> Path:
        """Write ``plan.json``, whole or not at all.

        Raises
        ------
        WriteFailure
            The disk is full, or the directory may not be written.
        """
        file = Path(directory) / FILE
        with writing(file):
            file.parent.mkdir(parents=True, exist_ok=True)
        changed = list(self.cases[0].changes) if self.cases else []
        keys = [p.key for p in self.parameters]
        write_json(
            file,
            {
                "format": FORMAT,
                "version": VERSION,
                "hash": self.hash,
                "title": self.title,
                "path": None if self.path is None else self.path.absolute(),
                "folder": self.folder,
                "keep": self.keep,
                "ranks_per_case": self.ranks_per_case,
                "time_limit": self.time_limit,
                "memory_limit": self.memory_limit,
                "coarse": self.coarse,
                "kept": self.kept,
                "words": self.words,
                "go_on": self.go_on,
                "base": self.base,
                "parameters": [[p.key, p.unit, p.numeric] for p in self.parameters],
                "changed": changed,
                "cases": [
                    [
                        c.hash,
                        [c.values[key] for key in keys],
                        [c.changes[key] for key in changed],
                        c.cost,
                    ]
                    for c in self.cases
                ],
            },
        )
        return file

    @classmethod
    def read(cls, directory: str | Path) -> Self:
        """The plan in a directory of a sweep, without validating its cases again.

        Raises
        ------
        InputError
            There is none, or it is not one that this version reads.
        """
        file = Path(directory) / FILE
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except OSError:
            message = f"is not the directory of a sweep; there is no {FILE} in it"
            raise InputError(Mistake("", message), str(directory)) from None
        except ValueError:
            raise InputError(Mistake("", _UNREADABLE), str(file)) from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise InputError(Mistake("", _UNREADABLE), str(file))
        if content.get("version") != VERSION:
            raise InputError(
                Mistake("", f"is of version {content.get('version')}, not {VERSION}, of plans"),
                str(file),
            )
        try:
            return cls._of(content)
        except (KeyError, TypeError, ValueError):
            raise InputError(Mistake("", _UNREADABLE), str(file)) from None

    @classmethod
    def _of(cls, content: Mapping[str, Any]) -> Self:
        parameters = tuple(Parameter(*item) for item in content["parameters"])
        keys, changed = [p.key for p in parameters], content["changed"]
        cases = tuple(
            Planned(
                number,
                said,
                dict(zip(keys, values, strict=True)),
                dict(zip(changed, changes, strict=True)),
                cost,
            )
            for number, (said, values, changes, cost) in enumerate(content["cases"], 1)
        )
        path = content["path"]
        return cls(
            title=content["title"],
            path=None if path is None else Path(path),
            folder=Path(content["folder"]),
            base=content["base"],
            parameters=parameters,
            cases=cases,
            keep=content["keep"],
            ranks_per_case=content["ranks_per_case"],
            time_limit=content["time_limit"],
            memory_limit=content["memory_limit"],
            coarse=content["coarse"],
            kept=tuple(content.get("kept", ())),
            words=tuple(content.get("words", ())),
            go_on=str(content.get("go_on", "")),
        )


_UNREADABLE = "is not the plan of a sweep; start the sweep again in a new directory"


def read_sweep(path: str | Path, overrides: Iterable[str] = (), *, coarse: bool = False) -> Plan:
    """The plan of a sweep, all of its cases checked.

    Parameters
    ----------
    path : str or Path
        A TOML file with a table ``[sweep]``: of its own, naming a case, or a case.
    overrides : iterable of str
        As ``--set`` of the case that all start from: ``"numerics.rtol=1e-3"``.
    coarse : bool
        Whether each case is replaced by its coarse version (`Case.coarse`), but for the keys that
        vary or are overridden.

    Raises
    ------
    InputError
        With all mistakes. One that a value makes alone is named once, by its axis, else by the
        number and the values of a case.
    """
    file = Path(path)
    data = read_toml(file)
    if "sweep" not in data:
        message = "has no table [sweep]; write [sweep.grid] with key = [values], or run it as it is"
        raise InputError(Mistake("", f"{message}: nmcsim run {path}"), str(path))
    try:
        return make_plan(data, file.parent, file, overrides=overrides, coarse=coarse)
    except InputError as error:
        raise error.located(str(path)) from None


def make_plan(
    data: Mapping[str, Any],
    folder: str | Path,
    path: Path | None = None,
    *,
    overrides: Iterable[str] = (),
    coarse: bool = False,
) -> Plan:
    """The plan that the content of a sweep's file describes.

    Parameters
    ----------
    data : mapping
        Tables, texts, numbers and lists, as TOML gives them.
    folder : str or Path
        Where the file stands, to which its ``case`` is relative.
    path : Path, optional
        The file.
    overrides, coarse
        As for `read_sweep`.

    Raises
    ------
    InputError
        As `read_sweep`.
    """
    overrides = tuple(overrides)
    kept = tuple(map(key_of, overrides))
    asked, found = asked_of(data, Path(folder), overrides)
    if asked.factors and not any(m.place == "[sweep]" for m in found):
        combinations = Combinations(asked, coarse=coarse, kept=kept)
        found += combinations.by_value()
        found = found or combinations.by_combination()
    if found:
        raise InputError(dict.fromkeys(found))
    cases = tuple(
        Planned(number, case.hash, combinations.values(rows), combinations.changes(rows), case.cost)
        for number, (rows, case) in enumerate(combinations.sound(), 1)
    )
    table = asked.table
    return Plan(
        title=asked.title,
        path=path,
        folder=asked.folder.absolute(),
        base=asked.base,
        parameters=tuple(axis.parameter for axis in asked.axes),
        cases=cases,
        keep=table.keep,
        ranks_per_case=table.ranks_per_case,
        time_limit=table.time_limit,
        memory_limit=table.memory_limit,
        coarse=coarse,
        kept=kept,
        words=(*(w for o in overrides for w in ("--set", o)), *["--coarse"] * coarse),
    )
