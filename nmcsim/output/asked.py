"""When maps and rows are asked for within a protocol step, beside the solver's own times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nmcsim.solve.fields import Array

__all__ = ["Asked"]

PATIENCE = 3.0  # times the expected length: a step that lasts longer has no further even frames


@dataclass(frozen=True)
class Asked:
    """Evenly spaced times from the start of a step, and the listed ones.

    Parameters
    ----------
    start, period, end : float
        Of the even times [s].
    times : (n,) array
        The listed ones, increasing [s].
    """

    start: float
    period: float
    end: float
    times: Array

    @classmethod
    def of(cls, output: Any, start: float, t_end: float, expected: float) -> Asked:
        """What ``[output]`` asks of a step from ``start`` to ``t_end`` [s] at the latest."""
        times = np.array(output.times, dtype=float)
        if output.period is not None:
            return cls(start, output.period, t_end, times)
        length = min(expected, t_end - start)
        return cls(start, length / (output.frames - 1), start + PATIENCE * length, times)

    def within(self, t0: float, t1: float) -> Array:
        """Times in (t0, t1], up to rounding; increasing."""
        near = 1e-12 * max(abs(t1), 1.0)
        last = min(t1 + near, self.end)
        first = int(np.floor((t0 - self.start) / self.period))
        count = int(np.ceil((last - self.start) / self.period))
        even = self.start + self.period * np.arange(max(first, 1), count + 1)
        found = np.union1d(even[even <= last], self.times)
        return np.asarray(found[(found > t0 + near) & (found <= t1 + near)])
