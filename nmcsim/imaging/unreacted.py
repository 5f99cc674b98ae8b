"""The unreacted region: its centre of mass, and when that means something.

The region is where the magnitude of dI/I1 is below a threshold; its centre of mass lies off that
of the particle where one side reacts first (Lun et al., Supplementary Information, Fig. S4). On
discharge, where the signal falls, the magnitude counts, as on a section of a simulation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RESOLVED", "PixelRegion", "Unreacted", "largest_of", "resolved_values"]

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

RESOLVED = 0.01
"""Smallest unreacted share of the area whose centre of mass counts: about one resolution element
of the microscope, 265 nm across, in a crystal of 2.5 um. A smaller sliver is seen by no image, and
its centre of mass lies anywhere on the edge.
"""

REPLICATES = 24
"""Noise fields of the bootstrap: a standard deviation to 15 %."""

OUTLINE = 0.15
"""Error of a distance by an outline that is made of pixels [px]: a front along a row of them moves
by a whole one at once (0.29 px rms), and the centre of mass of what it leaves by half of that.
"""


@dataclass(frozen=True)
class PixelRegion:
    """The unreacted region of one frame.

    Parameters
    ----------
    share, share_error : float
        Its part of the particle's pixels, and one standard deviation.
    centre : (2,) array
        Centre of mass, row and column [px]; NaN if it is empty.
    distance, distance_error : float
        From there to the centre of mass of the particle [px]; NaN if it is empty.
    """

    share: float
    share_error: float
    centre: Array
    distance: float
    distance_error: float


class Unreacted:
    """Finds the region of one frame after the other.

    Parameters
    ----------
    mask : (h, w) bool array
        The particle.
    below : float
        Threshold of the magnitude of dI/I1.
    smoother : callable, optional
        What the signal has gone through, so that the noise goes through it too.
    seed : int
        Of the bootstrap.
    """

    def __init__(self, mask: Bool, below: float, smoother: object = None, seed: int = 0) -> None:
        self.below = below
        self._at = np.column_stack(np.nonzero(mask)).astype(np.float64)
        self._middle = self._at.mean(axis=0)
        # one column of ones: its sum is the number of pixels
        self._moments = np.column_stack((np.ones(len(self._at)), self._at - self._middle))
        rng = np.random.default_rng(seed)
        fields = rng.standard_normal((REPLICATES, len(self._at)))
        if callable(smoother):
            fields = np.array([smoother(field) for field in fields])
        self._fields = (fields / fields.std()).astype(np.float32)

    def __call__(self, signal: Array, noise: float = 0.0, shift_error: float = 0.0) -> PixelRegion:
        """The region of a frame.

        Parameters
        ----------
        signal : (n,) array
            dI/I1 of the particle's pixels.
        noise : float
            Standard deviation of the signal of one pixel.
        shift_error : float
            Of the frame against the mask [px].

        Returns
        -------
        PixelRegion
            Its errors are those of a parametric bootstrap: noise is added once more, and the
            scatter and the mean change of what results are added in quadrature, so that a bias by
            noise is counted; to them the error of the shift, and that of an outline made of
            pixels.
        """
        n = len(self._moments)
        count, *moment = (np.abs(signal) < self.below) @ self._moments
        again = np.abs(signal.astype(np.float32) + np.float32(noise) * self._fields) < self.below
        sums = again @ self._moments
        share, shares = count / n, sums[:, 0] / n
        # half a pixel is the least that can be told
        share_error = math.hypot(_error(shares, share), 0.5 / n)
        if count == 0.0:
            nothing = np.full(2, np.nan)
            return PixelRegion(0.0, share_error, nothing, math.nan, math.nan)
        centre = np.array(moment) / count
        distance = float(np.hypot(*centre))
        there = sums[sums[:, 0] > 0.0]
        distances = np.hypot(there[:, 1], there[:, 2]) / there[:, 0]
        random = _error(distances, distance) if len(distances) > 1 else distance
        error = math.hypot(random, shift_error, OUTLINE)
        return PixelRegion(share, share_error, centre + self._middle, distance, error)


def _error(replicates: Array, value: float) -> float:
    return float(math.hypot(replicates.std(ddof=1), replicates.mean() - value))


def resolved_values(distance: Array, share: Array | None) -> Array:
    """Distances (k,), NaN where less than `RESOLVED` of the area is unreacted."""
    return distance if share is None else np.where(share >= RESOLVED, distance, np.nan)


def largest_of(
    distance: Array, share: Array | None, soc: Array | None = None
) -> tuple[float, float, int]:
    """The largest distance while the region is resolved, the state of charge there, and the row.

    It is often the last one before the region becomes too small, between two rows: the distance is
    nearly linear in the share of the area, along which it is followed from the last two rows to
    `RESOLVED`. So it hardly depends on where the time steps fell.

    Parameters
    ----------
    distance, share, soc : (k,) arrays
        Without ``soc`` the second number is NaN.

    Returns
    -------
    value, soc, row : float, float, int
        [m], [1]; NaN and -1 where there is no region.
    """
    seen = resolved_values(distance, share)
    if not np.isfinite(seen).any():
        return float("nan"), float("nan"), -1
    row = int(np.nanargmax(seen))
    value = float(seen[row])
    at = float(soc[row]) if soc is not None and row < len(soc) else float("nan")
    if share is None or row == 0 or row + 1 >= len(seen) or np.isfinite(seen[row + 1]):
        return value, at, row
    before = row - 1
    if not np.isfinite(seen[before]) or share[before] <= share[row]:
        return value, at, row
    # no farther than the last two rows are apart
    part = min(1.0, float((share[row] - RESOLVED) / (share[before] - share[row])))
    value += part * (value - float(seen[before]))
    if soc is not None:
        at += part * (at - float(soc[before]))
    return value, at, row
