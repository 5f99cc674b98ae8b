"""What may stop a run from outside: signals, and limits of time and memory."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from nmcsim.errors import NmcsimError, RunFailure
from nmcsim.units import display

__all__ = [
    "DUE", "SIGNALLED", "Interrupt", "Interrupted", "LimitExceeded", "Limits", "in_bytes",
    "interruptible",
]  # fmt: skip

DUE, SIGNALLED, OUT_OF_TIME, OUT_OF_MEMORY = 1, 2, 3, 4
"""Why a run keeps a checkpoint between two steps; of several ranks the highest counts."""
ONE = 1.0
"""Signals so close together are one, sent on by a scheduler, a launcher and a parent [s]."""


class Interrupted(NmcsimError):
    """A run that was stopped from outside, after its state was kept."""

    exit_status = 130


class LimitExceeded(RunFailure):
    """A run that was stopped at one of its limits, after its state was kept.

    Attributes
    ----------
    kind : str
        "time limit" or "memory limit".
    """

    def __init__(self, sentence: str, kind: str) -> None:
        super().__init__(sentence)
        self.kind = kind

    def __reduce__(self) -> tuple[Any, ...]:
        return LimitExceeded, (str(self), self.kind)


@dataclass(frozen=True)
class Limits:
    """What a run may use; it is looked at between time steps.

    Parameters
    ----------
    time : float
        Wall time from its beginning [s].
    memory : float
        Resident memory of each of its processes [bytes].
    """

    time: float = math.inf
    memory: float = math.inf

    def exceeded(self, began: float) -> int:
        """`OUT_OF_TIME`, `OUT_OF_MEMORY` or 0, for a run that began at this time [s]."""
        if time.perf_counter() - began > self.time:
            return OUT_OF_TIME
        if self.memory < math.inf and psutil.Process().memory_info().rss > self.memory:
            return OUT_OF_MEMORY
        return 0

    def error(self, which: int, where: str = "") -> LimitExceeded:
        """The error that says what was exceeded, and where in the protocol."""
        if which == OUT_OF_TIME:
            said, kind = f"took longer than its limit of {display(self.time, 's')}", "time limit"
        else:
            said = f"took more memory than its limit of {in_bytes(self.memory)}"
            kind = "memory limit"
        return LimitExceeded(f"stopped {where}: the run {said}" if where else said, kind)


def in_bytes(amount: float) -> str:
    """An amount of memory in decimal units, such as "2 GB"."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if amount >= size:
            return f"{amount / size:.3g} {unit}"
    return f"{amount:.0f} B"


@dataclass
class Interrupt:
    """Whether a signal came, and which."""

    signal: int = 0


@contextmanager
def interruptible(directory: Path) -> Iterator[Interrupt]:
    """Note SIGINT and SIGTERM, to be obeyed between time steps; a second one does not wait.

    One that comes after the last step is passed on, at the end, to who listened before.
    """
    noted = Interrupt()
    before: dict[int, Any] = {}
    first = 0.0

    def note(number: int, frame: Any) -> None:
        nonlocal first
        if noted.signal and time.monotonic() - first > ONE:
            raise KeyboardInterrupt
        if not noted.signal:
            noted.signal, first = number, time.monotonic()

    try:
        for number in (int(signal.SIGINT), int(signal.SIGTERM)):
            before[number] = signal.signal(number, note)
    except ValueError:  # not the main thread: the caller's own handling stands
        pass
    try:
        yield noted
    except Interrupted:
        raise
    except NmcsimError as error:
        if noted.signal == signal.SIGINT:  # a terminal's Ctrl-C ends a running compiler, too
            raise Interrupted(f"interrupted; go on with --resume --out {directory}") from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        earlier = before.get(noted.signal)
        if callable(earlier) and earlier is not signal.default_int_handler:
            earlier(noted.signal, None)
