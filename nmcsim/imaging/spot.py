"""A bright point that is smaller than the microscope resolves: found, and located by a Gaussian.

    I(x, y) = A exp(-((x - x0)^2 + (y - y0)^2) / (2 s^2)) + b + b_x x + b_y y

The sloped background is that of a particle near by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake

__all__ = ["FWHM", "SpotFit", "find_spot", "fit_spot", "patch_radius"]

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))
"""Full width at half maximum of a Gaussian over its standard deviation."""

STANDS_OUT = 8.0
"""A spot is this many times brighter than the noise of the filtered image: among 1e5 places noise
alone reaches 4.4."""

FAINTEST = 0.02
"""And at least this share of the contrast of the whole image, where there is no noise."""

WIDTHS = (0.4, 1.6)
"""Width of a spot over that of a point: what is wider is no point, what is narrower a hot pixel."""


@dataclass(frozen=True)
class SpotFit:
    """A Gaussian fitted to a spot.

    Parameters
    ----------
    centre : (2,) array
        Row and column [px].
    error : (2,) array
        Standard deviation of the centre [px].
    amplitude, width : float
        Of the Gaussian [counts], [px].
    residual : float
        Standard deviation of what it leaves, over the amplitude.
    """

    centre: Array
    error: Array
    amplitude: float
    width: float
    residual: float


def patch_radius(width: float) -> int:
    """Half the side of the patch that a spot of this width [px] is fitted in."""
    return max(4, math.ceil(3.0 * width))


def fit_spot(image: NDArray[np.floating], start: Array, width: float) -> SpotFit | None:
    """Fit the Gaussian around a start.

    Parameters
    ----------
    image : (h, w) array
    start : (2,) array
        Row and column [px].
    width : float
        Expected standard deviation [px].

    Returns
    -------
    SpotFit or None
        None where the patch leaves the image or the fit its patch. The errors are those of
        unweighted least squares under noise that differs from pixel to pixel (White 1980), as
        shot noise does.
    """
    from scipy.optimize import least_squares

    r = patch_radius(width)
    row, column = (int(v) for v in np.rint(start))
    if not (r <= row < image.shape[0] - r and r <= column < image.shape[1] - r):
        return None
    patch = image[row - r : row + r + 1, column - r : column + r + 1].astype(np.float64).ravel()
    y, x = (axis.ravel() for axis in np.mgrid[-r : r + 1, -r : r + 1].astype(np.float64))
    low, high = float(np.median(patch)), float(patch.max())
    scale = high - low
    if not scale > 0.0:
        return None
    data = (patch - low) / scale
    ones = np.ones_like(x)

    def gaussian(p: Array) -> tuple[Array, Array, Array]:
        dy, dx = y - p[1], x - p[2]
        return np.exp(-(dy * dy + dx * dx) / (2.0 * p[3] ** 2)), dy, dx

    def residual(p: Array) -> Array:
        return p[0] * gaussian(p)[0] + p[4] + p[5] * y + p[6] * x - data

    def jacobian(p: Array) -> Array:
        g, dy, dx = gaussian(p)
        a = p[0] * g / p[3] ** 2
        return np.column_stack((g, a * dy, a * dx, a * (dy * dy + dx * dx) / p[3], ones, y, x))

    at = np.clip(np.asarray(start, dtype=np.float64) - (row, column), -r, r)
    p0 = np.array([1.0, at[0], at[1], width, 0.0, 0.0, 0.0])
    found = least_squares(residual, p0, jac=jacobian, method="lm", max_nfev=60, xtol=1e-6)
    p, J, f = found.x, found.jac, found.fun
    if not found.success or abs(p[1]) > r or abs(p[2]) > r or not p[0] > 0.0 or p[3] == 0.0:
        return None
    try:
        bread = np.linalg.inv(J.T @ J)
    except np.linalg.LinAlgError:
        return None
    free = data.size - p.size
    covariance = bread @ (J.T * f**2) @ J @ bread * (data.size / free)
    error = np.sqrt(np.maximum(np.diag(covariance)[1:3], 0.0))
    left = float(np.sqrt(f @ f / free))
    return SpotFit(
        np.array([row, column]) + p[1:3], error, scale * p[0], abs(float(p[3])), left / p[0]
    )


def find_spot(image: NDArray[np.floating], excluded: Bool, width: float) -> SpotFit:
    """The brightest point outside the particle.

    Parameters
    ----------
    image : (h, w) array
        The first frame.
    excluded : (h, w) bool array
        The particle, which is widened by the reach of a point.
    width : float
        Standard deviation of a point [px].

    Raises
    ------
    InputError
        None stands out.
    """
    from scipy import ndimage
    from skimage.feature import peak_local_max

    smooth = image.astype(np.float64)
    filtered = ndimage.gaussian_filter(smooth, width) - ndimage.gaussian_filter(smooth, 2.0 * width)
    reach = math.ceil(3.0 * width)
    far = ndimage.distance_transform_edt(~excluded) > reach
    border = patch_radius(width)
    far[:border], far[-border:], far[:, :border], far[:, -border:] = False, False, False, False
    if not far.any():
        _none("the particle fills the image")
    outside = filtered[far]
    noise = 1.4826 * float(np.median(np.abs(outside - np.median(outside))))
    contrast = float(np.ptp(smooth))
    lowest = float(np.median(outside)) + STANDS_OUT * noise
    candidates = peak_local_max(
        np.where(far, filtered, -np.inf), min_distance=reach, threshold_abs=lowest, num_peaks=20
    )
    for place in candidates:
        fit = fit_spot(image, place.astype(np.float64), width)
        if (
            fit is not None
            and WIDTHS[0] * width < fit.width < WIDTHS[1] * width
            and fit.amplitude > FAINTEST * contrast
            and np.hypot(*(fit.centre - place)) < 2.0 * width
        ):
            return fit
    largest = (outside.max() - np.median(outside)) / noise if noise > 0.0 else 0.0
    about = f"what is brightest beside the particle is {largest:.1f} times the noise"
    _none(f"{about}, {STANDS_OUT:g} are needed" if largest < STANDS_OUT else f"{about}, but wide")
    raise AssertionError


def _none(why: str) -> None:
    raise InputError(
        Mistake(
            'drift = "spot"',
            f"no bright spot stands out in the first frame ({why}); say --drift phase, or where"
            " it is with --spot X,Y",
        )
    )
