"""How bright a place is at a lithium content: straight line or table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Law", "Linear", "Table"]

Array = NDArray[np.float64]


class Law(Protocol):
    """Intensity, 1 being that of the particle at the start."""

    def __call__(self, theta: Array, reference: Array) -> Array:
        """Of lithium per site now and in the first snapshot, of one shape."""
        ...


@dataclass(frozen=True)
class Linear:
    """I / I0 = 1 + signal (theta(t0) - theta): dI/I1 = signal (theta(t0) - theta).

    References
    ----------
    Lun et al., Supplementary Information, Eq. 2: dI/I1 = (I_i - I_1) / I_1.
    """

    signal: float = 0.5

    def __call__(self, theta: Array, reference: Array) -> Array:
        return 1.0 + self.signal * (reference - theta)


@dataclass(frozen=True)
class Table:
    """I / I0 as a function of theta, linear between the entries, constant outside them.

    Parameters
    ----------
    theta : (n,) rising floats
    intensity : (n,) floats
    """

    theta: tuple[float, ...]
    intensity: tuple[float, ...]

    def __call__(self, theta: Array, reference: Array) -> Array:
        return np.asarray(np.interp(theta, self.theta, self.intensity))
