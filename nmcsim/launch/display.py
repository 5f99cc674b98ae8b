"""How far a sweep is, on a terminal."""

from __future__ import annotations

import math
import sys
import time
from typing import TextIO

from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.records import Records
from nmcsim.sweeps.status import duration, snapshot

__all__ = ["Display"]

PATIENCE = 20.0
"""So many times as long as it took to look, before it is looked again."""


class Display:
    """One line that is rewritten, on a terminal only.

    Parameters
    ----------
    plan : Plan
    records : Records
    shown : bool
        False for a quiet launch.
    stream : TextIO, optional
        Standard error by default.
    """

    def __init__(
        self, plan: Plan, records: Records, shown: bool, stream: TextIO | None = None
    ) -> None:
        self._plan, self._records = plan, records
        self._stream = stream or sys.stderr
        self._shown = shown and self._stream.isatty()
        self._next = 0.0

    def __call__(self) -> None:
        """Show it as it is now."""
        began = time.monotonic()
        if not self._shown or began < self._next:
            return
        found = snapshot(self._plan, self._records)
        bar = "#" * int(24 * found.done / max(found.total, 1))
        failed = f", {len(found.failed)} failed" if found.failed else ""
        rate = f"  {found.per_hour:.0f} cases/h" if math.isfinite(found.per_hour) else ""
        left = f"  {duration(found.seconds_left)} left" if found.done else ""
        self._say(
            f"\r  [{bar:<24}] {found.done}/{found.total} done, {len(found.running)} running{failed}"
            f"{rate}{left}\x1b[K"
        )
        self._next = time.monotonic() + PATIENCE * (time.monotonic() - began)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._say("\r\x1b[K")

    def _say(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal has gone; the sweep goes on
            self._shown = False
