"""What a person sees while a run goes on: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from nmcsim.units import display

__all__ = ["Progress"]


class Progress:
    """One line that is rewritten at most ten times a second, on a terminal only.

    Parameters
    ----------
    shown : bool
        False for a quiet run and on all ranks but the first.
    stream : TextIO, optional
        Standard error by default.
    """

    def __init__(self, shown: bool, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown = shown and self._stream.isatty()
        self._began = self._last = time.monotonic()
        self._done_at_start = 0.0

    def begin(self, done: float) -> None:
        """A run (or its resumption) begins with the share ``done`` behind it."""
        self._began, self._done_at_start = time.monotonic(), done

    def show(self, done: float, t: float, voltage: float, rate: float) -> None:
        """Show the share done, the simulated time [s], the voltage [V] and the simulated time per
        wall time ``rate``."""
        now = time.monotonic()
        if not self._shown or now - self._last < 0.1:
            return
        self._last = now
        gained = done - self._done_at_start
        left = (now - self._began) * (1.0 - done) / gained if gained > 0.0 else float("nan")
        bar = "#" * int(24 * min(done, 1.0))
        self._stream.write(
            f"\r  [{bar:<24}] {100.0 * min(done, 1.0):3.0f} %  t {t:.0f} s  V {voltage:.3f} V  "
            f"{rate:.0f} s/s  {_left(left)}\x1b[K"
        )
        self._stream.flush()

    def clear(self) -> None:
        """Take the line away before something else is printed."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def _left(seconds: float) -> str:
    if seconds != seconds:
        return ""
    return f"{display(round(seconds), 's')} left"
