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

from nmcsim.imaging.differential import Smoother

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

QUIET = (1.0, 0.5)
"""Standard deviation of the mean that takes the noise out, over that of the optical blur. The
first that leaves something of the region counts."""

KEPT = 0.2
"""Least part of a region that such a mean must keep."""

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
    width : float
        Standard deviation [px] of the optical blur, within which no true signal varies much: a
        mean over it is what the bootstrap takes for the signal without noise.
    seed : int
        Of the bootstrap.
    """

    def __init__(
        self, mask: Bool, below: float, smoother: object = None, width: float = 2.0, seed: int = 0
    ) -> None:
        self.below = below
        self._quiet = [Smoother(mask, part * width) for part in QUIET]
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
            Its errors are those of a parametric bootstrap: noise is added to the signal without
            noise, as a mean over the optical blur gives it, and the scatter and the mean change of
            what results are added in quadrature, so that a bias by noise is counted (pixels that
            noise alone brings below the threshold draw the centre of a small region back). Noise
            added to what is noisy already shows less than half of that; where it shows more, as
            where the mean fills a sliver, it counts. To them come the error of the shift, and that
            of an outline made of pixels.
        """
        n = len(self._moments)
        count, *moment = (np.abs(signal) < self.below) @ self._moments
        found = np.array([count, *moment])
        quiet, calm = self._without_noise(signal, found)
        tries = [(self._again(quiet, noise), calm)]
        if calm is not found:
            tries.append((self._again(signal.astype(np.float32), noise), found))
        share = count / n
        # half a pixel is the least that can be told
        errors = [_error(sums[:, 0] / n, base[0] / n) for sums, base in tries]
        share_error = math.hypot(max(errors), 0.5 / n)
        if count == 0.0:
            nothing = np.full(2, np.nan)
            return PixelRegion(0.0, share_error, nothing, math.nan, math.nan)
        centre = np.array(moment) / count
        distance = float(np.hypot(*centre))
        errors = [
            _error(_distances(sums), float(_distances(base[None])[0])) for sums, base in tries
        ]
        error = math.hypot(max(errors), shift_error, OUTLINE)
        return PixelRegion(share, share_error, centre + self._middle, distance, error)

    def _again(self, signal: NDArray[np.float32], noise: float) -> Array:
        """Pixels and first moments (r, 3) of the region with each field of noise added."""
        return np.asarray(
            (np.abs(signal + np.float32(noise) * self._fields) < self.below) @ self._moments
        )

    def _without_noise(self, signal: Array, found: Array) -> tuple[NDArray[np.float32], Array]:
        """The signal as it may be without noise, and pixels and first moments of its region."""
        for mean in self._quiet:
            quiet = mean(signal)
            calm = (np.abs(quiet) < self.below) @ self._moments
            if calm[0] >= KEPT * found[0]:
                return quiet.astype(np.float32), calm
        return signal.astype(np.float32), found


def _distances(sums: Array) -> Array:
    """Of regions (r, 3): pixels and first moments; those without pixels are left out."""
    there = sums[sums[:, 0] > 0.0]
    return np.asarray(np.hypot(there[:, 1], there[:, 2]) / there[:, 0])


def _error(replicates: Array, value: float) -> float:
    """Scatter and bias; all of the value where noise leaves too few regions to tell."""
    if len(replicates) < 2:
        return value
    return math.hypot(float(replicates.std(ddof=1)), float(replicates.mean()) - value)


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
