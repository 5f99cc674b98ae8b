"""Drift of the stage: how far each frame lies off the first one, and frames shifted back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.masks import Mask
from nmcsim.imaging.spot import SpotFit, find_spot, fit_spot, patch_radius
from nmcsim.imaging.stack import Stack

__all__ = ["CHUNK", "Drift", "aligned", "no_drift", "seen_throughout", "track_phase", "track_spot"]

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

CHUNK = 16
"""Frames in memory at a time: 17 MB of 512 x 512."""

LOST = 0.10
"""A larger share of frames without the spot is refused."""

AMPLITUDES, WIDTHS = (0.4, 2.5), (0.5, 2.0)
"""Over those of the first frame: what is outside is another thing than the spot."""

PAD = 6
"""Pixels around a crop that is interpolated: there a cubic spline has forgotten the edge to 4e-4"""

UPSAMPLE = 50
"""Phase correlation is evaluated to 1/50 px."""

FLOOR = 0.05
"""Its error is no smaller [px]: a reaction changes the contrast of the outline, as if it moved."""


@dataclass(frozen=True)
class Drift:
    """Where each frame lies.

    Parameters
    ----------
    method : str
        "spot", "phase" or "none".
    offsets : (k, 2) array
        Rows and columns by which the scene of frame k lies off that of the first one [px].
    errors : (k, 2) array
        One standard deviation of these [px].
    lost : (k,) bool array
        Frames in which the spot was not found; they are interpolated in time.
    residuals : (k,) array
        What the Gaussian leaves over its amplitude; NaN without a spot.
    spot : SpotFit, optional
        That of the first frame.
    """

    method: str
    offsets: Array
    errors: Array
    lost: NDArray[np.bool_]
    residuals: Array
    spot: SpotFit | None = None

    @property
    def error(self) -> Array:
        """Along any direction, of each frame [px]; (k,)."""
        return np.sqrt(np.mean(self.errors**2, axis=1))


def no_drift(frames: int) -> Drift:
    """Frames that lie where they are."""
    zeros = np.zeros((frames, 2))
    return Drift("none", zeros, zeros.copy(), np.zeros(frames, dtype=bool), np.full(frames, np.nan))


def track_spot(
    stack: Stack, mask: Mask, width: float, at: tuple[float, float] | None = None
) -> Drift:
    """Follow a bright point through the stack.

    Parameters
    ----------
    stack : Stack
    mask : Mask
        The particle in the first frame, outside which the brightest point is looked for.
    width : float
        Standard deviation of a point [px].
    at : (x, y), optional
        Where the point is in the first frame: column and row [px].

    Raises
    ------
    InputError
        There is no point, or it is lost in more than a tenth of the frames.

    References
    ----------
    Lun et al., Supplementary Information, "Drift correction and masking".
    """
    first = stack.frame(0)
    if at is None:
        spot = find_spot(first, mask.inside, width)
    else:
        spot = _given_spot(first, at, width)
    count = len(stack.time)
    centres, errors = np.full((count, 2), np.nan), np.full((count, 2), np.nan)
    residuals = np.full(count, np.nan)
    here = spot.centre
    for begin, frames in stack.chunks(CHUNK):
        for k, frame in enumerate(frames, start=begin):
            fit = _follow(frame, here, spot)
            if fit is not None:
                here = fit.centre
                centres[k], errors[k], residuals[k] = fit.centre, fit.error, fit.residual
    lost = np.isnan(centres[:, 0])
    if lost.mean() > LOST:
        raise InputError(
            Mistake(
                'drift = "spot"',
                f"the spot at x = {spot.centre[1]:.1f}, y = {spot.centre[0]:.1f} px is lost in"
                f" {int(lost.sum())} of {count} frames, first in frame {int(lost.argmax()) + 1};"
                " choose another with --spot X,Y, or say --drift phase",
            )
        )
    offsets = centres - centres[0]
    errors = np.hypot(errors, errors[0])
    errors[0] = 0.0
    if lost.any():
        there = ~lost
        for axis in range(2):
            offsets[lost, axis] = np.interp(
                stack.time[lost], stack.time[there], offsets[there, axis]
            )
            jumps = np.diff(offsets[there, axis])
            errors[lost, axis] = math.hypot(float(np.std(jumps)), float(errors[there, axis].max()))
    return Drift("spot", offsets, errors, lost, residuals, spot)


def _given_spot(first: Float32, at: tuple[float, float], width: float) -> SpotFit:
    x, y = at
    place = f"spot = [{x:g}, {y:g}]"
    r, (h, w) = patch_radius(width), first.shape
    if not (r <= x < w - r and r <= y < h - r):
        raise InputError(
            Mistake(
                place,
                f"is outside the image or within {r} px of its edge; x goes from {r} to"
                f" {w - r - 1}, y from {r} to {h - r - 1}",
            )
        )
    near = _brightest(first, np.array([y, x]), r)
    fit = fit_spot(first, near, width)
    if fit is None or fit.amplitude < 5.0 * fit.residual * fit.amplitude:
        raise InputError(
            Mistake(place, "has no bright spot near it in the first frame; say --drift phase")
        )
    return fit


def _brightest(frame: Float32, around: Array, reach: int) -> Array:
    """The brightest place of the smoothed frame within ``reach`` of a place [px]."""
    from scipy import ndimage

    row, column = (int(v) for v in np.rint(around))
    top, left = max(row - reach, 0), max(column - reach, 0)
    window = frame[top : row + reach + 1, left : column + reach + 1].astype(np.float64)
    smooth = ndimage.gaussian_filter(window, 1.5)
    i, j = np.unravel_index(int(smooth.argmax()), smooth.shape)
    return np.array([top + i, left + j], dtype=np.float64)


def _follow(frame: Float32, here: Array, spot: SpotFit) -> SpotFit | None:
    """The spot near its last place; farther away if it is not there."""
    r = patch_radius(spot.width)
    for start in (here, None):
        at = _brightest(frame, here, 3 * r) if start is None else start
        fit = fit_spot(frame, at, spot.width)
        if fit is None:
            continue
        height, width = fit.amplitude / spot.amplitude, fit.width / spot.width
        if AMPLITUDES[0] < height < AMPLITUDES[1] and WIDTHS[0] < width < WIDTHS[1]:
            return fit
    return None


def track_phase(stack: Stack, mask: Mask, width: float) -> Drift:
    """Follow the outline of the particle by phase correlation with the first frame.

    Only the edges within a band around the outline count: what changes inside the particle is the
    reaction and no drift. The error is the scatter of the track about a smooth one (of its second
    differences), the same for all frames.

    Parameters
    ----------
    stack : Stack
    mask : Mask
        The particle in the first frame.
    width : float
        Standard deviation of a point [px].
    """
    from scipy import ndimage
    from skimage.registration import phase_cross_correlation

    band = max(3, math.ceil(3.0 * width))
    box = mask.box(3 * band)
    inside = mask.inside[box]
    outer = ndimage.distance_transform_edt(~inside) <= band
    inner = ndimage.distance_transform_edt(inside) <= band
    window = ndimage.gaussian_filter((outer & inner).astype(np.float64), 0.5 * band)

    def edges(frame: Float32, shift: Array) -> Array:
        crop = _crop(frame, box, shift.astype(np.int64), 0).astype(np.float64)
        smooth = ndimage.gaussian_gradient_magnitude(crop, max(1.0, 0.5 * width))
        return np.asarray(smooth * window)

    count = len(stack.time)
    reference = edges(stack.frame(0), np.zeros(2))
    offsets, last = np.zeros((count, 2)), np.zeros(2)
    for begin, frames in stack.chunks(CHUNK):
        for k, frame in enumerate(frames, start=begin):
            if k == 0:
                continue
            for _ in range(3):  # a jump moves the window, which is then looked through again
                shift, _, _ = phase_cross_correlation(
                    reference, edges(frame, last), upsample_factor=UPSAMPLE, normalization=None
                )
                offsets[k] = last - shift
                if np.abs(offsets[k] - last).max() <= 0.5:
                    break
                last = np.rint(offsets[k])
            last = np.rint(offsets[k])
    bends = np.diff(offsets, n=2, axis=0)
    scatter = np.sqrt(np.mean(bends**2, axis=0) / 6.0) if count > 3 else np.full(2, np.nan)
    errors = np.tile(np.maximum(scatter, FLOOR), (count, 1))
    errors[0] = 0.0
    lost = np.zeros(count, dtype=bool)
    return Drift("phase", offsets, errors, lost, np.full(count, np.nan))


def aligned(frame: NDArray[np.floating], offset: Array, box: tuple[slice, slice]) -> Float32:
    """A part of the frame, shifted back to where the scene lay in the first one.

    Parameters
    ----------
    frame : (h, w) array
    offset : (2,) array
        Rows and columns by which its scene lies off [px].
    box : slices
        Rows and columns of the first frame that are wanted.

    Returns
    -------
    float32 array
        Whole pixels are moved, the rest by a cubic spline; beyond the edge of the frame its last
        row and column go on (see `seen_throughout`).
    """
    from scipy import ndimage

    whole = np.rint(offset).astype(np.int64)
    rest = offset - whole
    if not rest.any():
        return _crop(frame, box, whole, 0)
    crop = _crop(frame, box, whole, PAD)
    shifted = ndimage.shift(crop, -rest, order=3, mode="nearest")
    return np.asarray(shifted[PAD:-PAD, PAD:-PAD], dtype=np.float32)


def _crop(
    frame: NDArray[np.floating], box: tuple[slice, slice], by: NDArray[np.int64], pad: int
) -> Float32:
    """Rows and columns of a box moved by whole pixels; the frame's edge goes on beyond it."""
    rows, columns = (
        np.clip(np.arange(s.start - pad, s.stop + pad) + int(n), 0, length - 1)
        for s, n, length in zip(box, by, frame.shape, strict=True)
    )
    return np.asarray(frame[np.ix_(rows, columns)], dtype=np.float32)


def seen_throughout(shape: tuple[int, ...], drift: Drift) -> NDArray[np.bool_]:
    """Pixels of the first frame that no drift moves out of the image; (h, w)."""
    seen = np.zeros(shape[-2:], dtype=bool)
    ends = []
    for axis, length in enumerate(shape[-2:]):
        low = math.ceil(max(0.0, -float(drift.offsets[:, axis].min())))
        high = math.floor(min(0.0, -float(drift.offsets[:, axis].max()))) + length
        ends.append(slice(low, max(low, high)))
    seen[ends[0], ends[1]] = True
    return seen
