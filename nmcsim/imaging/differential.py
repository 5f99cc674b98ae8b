"""Differential intensity of a particle, and its noise.

    dI/I1 = (I_i - I_1) / I_1        Eq. 2 of Lun et al., Supplementary Information

I_1 is the first frame, or the mean of the first few: its noise is in every later frame.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Smoother", "differential", "frame_noise"]

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


def differential(frame: NDArray[np.floating], reference: NDArray[np.floating]) -> Array:
    """Eq. 2 pixel by pixel.

    Parameters
    ----------
    frame, reference : (...) arrays
        Aligned intensities [counts].

    Returns
    -------
    (...) array
        NaN where the reference is not above zero.
    """
    one = np.asarray(reference, dtype=np.float64)
    change = np.asarray(frame, dtype=np.float64) - one
    return np.divide(change, one, out=np.full(change.shape, np.nan), where=one > 0.0)


def frame_noise(before: Array, after: Array) -> float:
    """Standard deviation of the noise of one frame, from two that follow each other.

    Half the variance of their difference, by its median absolute deviation: a uniform change
    between them drops out, and the few pixels that a reaction front passes hardly count.

    Parameters
    ----------
    before, after : (n,) arrays
        The particle's pixels.
    """
    step = after - before
    step = step[np.isfinite(step)]
    if step.size == 0:
        return float("nan")
    return float(1.4826 * np.median(np.abs(step - np.median(step))) / np.sqrt(2.0))


class Smoother:
    """A Gaussian mean over the particle alone: what lies outside it does not count.

    Parameters
    ----------
    mask : (h, w) bool array
    sigma : float
        Standard deviation [px]; 0 leaves everything as it is.
    """

    def __init__(self, mask: Bool, sigma: float) -> None:
        self.mask, self.sigma = mask, sigma
        self._weight = self._blurred(mask.astype(np.float64))[mask] if sigma > 0.0 else None

    def _blurred(self, image: Array) -> Array:
        from scipy import ndimage

        return np.asarray(ndimage.gaussian_filter(image, self.sigma, mode="constant"))

    def __call__(self, values: Array) -> Array:
        """Smoothed values of the particle's pixels (n,), in the order of ``image[mask]``."""
        if self._weight is None:
            return values
        image = np.zeros(self.mask.shape)
        image[self.mask] = values
        return np.asarray(self._blurred(image)[self.mask] / self._weight)
