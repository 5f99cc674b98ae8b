"""How a stage drifts while frames are taken.

Positions are to the right and upwards in the picture [m], 0 at the first frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Drift", "Path", "Steady", "Walk"]

Array = NDArray[np.float64]


class Drift(Protocol):
    """Where the sample is."""

    def at(self, time: Array, seed: int) -> Array:
        """Positions (k, 2) [m] at the times (k,) of the frames [s]."""
        ...


@dataclass(frozen=True)
class Steady:
    """A constant velocity (right, up) [m/s]."""

    velocity: tuple[float, float]

    def at(self, time: Array, seed: int) -> Array:
        return np.outer(time - time[0], self.velocity)


@dataclass(frozen=True)
class Path:
    """Given positions, linear between the times [s], constant outside them."""

    time: tuple[float, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]

    def at(self, time: Array, seed: int) -> Array:
        found = np.column_stack([np.interp(time, self.time, c) for c in (self.x, self.y)])
        return found - found[0]


@dataclass(frozen=True)
class Walk:
    """A random walk: from frame to frame a normal step of this standard deviation [m] in each
    direction.
    """

    step: float

    def at(self, time: Array, seed: int) -> Array:
        steps = np.random.default_rng([seed, 0]).normal(0.0, self.step, (len(time), 2))
        steps[0] = 0.0
        return np.asarray(np.cumsum(steps, axis=0))
