"""What a launch asks of those who work for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from nmcsim.results import write_json, writing
from nmcsim.stops import Limits
from nmcsim.sweeps.record import KEPT, Record

__all__ = ["Orders"]


@dataclass(frozen=True)
class Orders:
    """Which cases to take, in which order, and what to keep of them.

    Parameters
    ----------
    launch : str
        Name of the launch, and of the worker after a slash.
    hashes : tuple of str
        The cases, the longest first.
    retry : mapping of str to int
        Failed cases that are to be tried again: the attempt that failed.
    keep : str
        "summary", "history" or "all".
    time_limit, memory_limit : float or None
        Of a case [s], [bytes].
    ranks : int
        That share a case, and its memory.
    mesh_cache : str or None
    stays : bool
        Whether workers wait for further orders in the same file when nothing is free.
    """

    launch: str
    hashes: tuple[str, ...]
    retry: Mapping[str, int]
    keep: str
    time_limit: float | None = None
    memory_limit: float | None = None
    ranks: int = 1
    mesh_cache: str | None = None
    stays: bool = False

    @property
    def limits(self) -> Limits:
        """The limits of each process of a run."""
        none = Limits()
        return Limits(
            none.time if self.time_limit is None else self.time_limit,
            none.memory if self.memory_limit is None else self.memory_limit / self.ranks,
        )

    def wanted(self, hash: str, record: Record | None) -> bool:
        """Whether a case with this record, or none, is to be solved."""
        if record is None:
            return True
        if not record.failed:  # more is to be kept of it than was
            return KEPT.index(record.keep) < KEPT.index(self.keep)
        return self.retry.get(hash) == record.attempt

    def of(self, worker: str) -> Self:
        """The orders of one worker."""
        return replace(self, launch=f"{self.launch}/{worker}")

    def write(self, path: Path) -> None:
        """Write them for workers to read.

        Raises
        ------
        WriteFailure
            The disk is full.
        """
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` has written."""
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**content, "hashes": tuple(content["hashes"])})
