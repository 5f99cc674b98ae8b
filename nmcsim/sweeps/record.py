"""What is kept of each case of a sweep: one small JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from nmcsim.results import write_atomically
from nmcsim.results.files import plain

__all__ = ["KEPT", "KINDS", "RECORDED", "Curve", "Observable", "Record"]

RECORDED = ("finished", "ended early", "failed")
KEPT = ("summary", "history", "all")
"""What may be kept of a result, the least first."""
KINDS = ("", "failure", "error", "time limit", "memory limit", "killed")


@dataclass(frozen=True)
class Observable:
    """One number that sums up a run.

    Parameters
    ----------
    value : float
        NaN where it does not exist.
    unit : str
        "1" for a plain number.
    description : str
        What it is, in a few words.
    """

    value: float
    unit: str
    description: str


@dataclass(frozen=True)
class Curve:
    """A column of the history on the rows that a record keeps.

    Parameters
    ----------
    values : tuple of float
        All curves of a record have the same length.
    unit, symbol, description : str
        As in the history.
    """

    values: tuple[float, ...]
    unit: str
    symbol: str
    description: str


@dataclass(frozen=True)
class Record:
    """How one case ended.

    Parameters
    ----------
    hash : str
        Of the resolved case.
    status : str
        One of `RECORDED`.
    kind : str
        What kind of failure, one of `KINDS`; empty where there is none.
    cause : str
        One sentence: why a case failed or ended early.
    attempt : int
        From 1.
    version : str
        Of nmcsim.
    versions : mapping
        Of what it rests on.
    host : str
    ranks : int
    keep : str
        What was kept of its result, one of `KEPT`.
    started : float
        Seconds since 1970.
    wall : float
        Of the last attempt [s].
    timing : mapping of str to float
        As in ``summary.json`` [s].
    observables : mapping of str to Observable
    curves : mapping of str to Curve
    """

    hash: str
    status: str
    kind: str = ""
    cause: str = ""
    attempt: int = 1
    version: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    ranks: int = 1
    keep: str = "history"
    started: float = math.nan
    wall: float = math.nan
    timing: Mapping[str, float] = field(default_factory=dict)
    observables: Mapping[str, Observable] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.status == "failed"

    def write(self, path: Path) -> None:
        """Write it, whole or not at all; what is not finite becomes null.

        Raises
        ------
        WriteFailure
            The disk is full, or the folder may not be written.
        """
        content = asdict(self)
        for curve in content["curves"].values():
            curve["values"] = [float(f"{v:.6g}") for v in curve["values"]]
        # on one line: a number each would triple it, and thousands are read at a time
        text = json.dumps(plain(content), allow_nan=False, ensure_ascii=False)
        write_atomically(path, (text + "\n").encode())

    @classmethod
    def read(cls, path: Path, *, curves: bool = True) -> Self:
        """Read one; without its curves it takes a third of the memory.

        Raises
        ------
        OSError, ValueError
            It is not there, or is not a record.
        """
        content = json.loads(path.read_text(encoding="utf-8"))
        try:
            return cls._of(content if curves else content | {"curves": {}})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is not a record") from error

    @classmethod
    def _of(cls, content: Mapping[str, Any]) -> Self:
        own = dict(content)
        observables = {
            name: Observable(_number(o["value"]), o["unit"], o["description"])
            for name, o in own.pop("observables").items()
        }
        curves = {
            name: Curve(tuple(map(_number, c.pop("values"))), **c)
            for name, c in own.pop("curves").items()
        }
        own |= {name: _number(own[name]) for name in ("started", "wall")}
        return cls(**own, observables=observables, curves=curves)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
