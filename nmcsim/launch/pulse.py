"""A thread that says that an attempt is alive, and ends one that does not stop by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from nmcsim.sweeps.claims import BEAT, Attempt
from nmcsim.sweeps.records import Records

__all__ = ["Pulse"]

TICK = 1.0  # [s]


class Pulse(threading.Thread):
    """The heartbeat of the attempt that a process works on.

    Parameters
    ----------
    records : Records
    limit : float
        How long an attempt may take at most [s].
    overdue : callable
        What is done with an attempt that has not stopped by then.
    each : callable, optional
        Called every second.
    """

    def __init__(
        self,
        records: Records,
        limit: float,
        overdue: Callable[[Attempt], None],
        each: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(daemon=True, name="pulse")
        self._records, self._limit, self._overdue, self._each = records, limit, overdue, each
        self._held: tuple[Attempt, float] | None = None
        self._over = threading.Event()

    @contextmanager
    def of(self, attempt: Attempt) -> Iterator[None]:
        """While the attempt goes on."""
        self._held = (attempt, time.monotonic())
        try:
            yield
        finally:
            self._held = None

    def run(self) -> None:
        """Beat until `stop`."""
        last = 0.0
        while not self._over.wait(TICK):
            held, now = self._held, time.monotonic()
            if held is not None:
                attempt, began = held
                if now - last > BEAT:
                    self._records.beat(attempt)
                    last = now
                if now - began > self._limit and self._held is held:
                    self._overdue(attempt)
            if self._each is not None:
                with suppress(OSError):  # what cannot be read now is no reason to fall silent
                    self._each()

    def stop(self) -> None:
        self._over.set()
        self.join()
