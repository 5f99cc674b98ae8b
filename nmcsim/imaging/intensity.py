"""Intensity of each particle over time, its slope over the state of charge, and when it reacts.

A curve and its slope are those of a straight line fitted within a window around each frame, which
is wider than the noise of one image and narrower than an activation. Times of activation are those
of `nmcsim.imaging.activation`, as for the particles of a simulation.

References
----------
Sharma et al., Nano Lett. 22 (2022) 5883, Fig. 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.activation import NEGLIGIBLE, SHARES, HalfCycle, share_times, slope_peaks
from nmcsim.imaging.drift import CHUNK, Drift, aligned, seen_throughout
from nmcsim.imaging.intensity_result import Activated, Particles, ParticlesResult
from nmcsim.imaging.masks import Mask, particle_mask, separate
from nmcsim.imaging.optical import followed
from nmcsim.imaging.stack import Stack

__all__ = ["Activated", "Particles", "ParticlesResult", "line_fit", "reduce_particles"]

Array = NDArray[np.float64]
Int = NDArray[np.int64]

SIGNIFICANT = 5.0
"""A change of less than so many errors of a smoothed curve is none."""


def line_fit(x: Array, y: Array, window: float) -> tuple[Array, Array]:
    """Straight lines fitted by least squares to what lies within half a window of each point.

    Parameters
    ----------
    x : (k,) array
        Rising.
    y : (k, p) array
    window : float
        In the unit of `x`; where it holds fewer than three points the nearest three count.

    Returns
    -------
    values, slopes : (k, p) arrays
        Of each line at its point.
    """
    k = len(x)
    begin = np.searchsorted(x, x - 0.5 * window, side="left")
    end = np.searchsorted(x, x + 0.5 * window, side="right")
    short = end - begin < min(3, k)
    begin[short] = np.clip(np.flatnonzero(short) - 1, 0, max(k - 3, 0))
    end[short] = np.minimum(begin[short] + 3, k)
    values, slopes = np.empty_like(y), np.empty_like(y)
    for i in range(k):
        near = slice(begin[i], end[i])
        dx = x[near] - x[near].mean()
        mean = y[near].mean(axis=0)
        spread = float(dx @ dx)
        slopes[i] = dx @ (y[near] - mean) / spread if spread > 0.0 else np.nan
        values[i] = mean + np.nan_to_num(slopes[i]) * (x[i] - x[near].mean())
    return values, slopes


def reduce_particles(
    stack: Stack,
    settings: Particles | None = None,
    *,
    labels: NDArray[np.integer] | None = None,
    soc: Array | None = None,
    halves: Sequence[HalfCycle] = (),
) -> ParticlesResult:
    """Reduce a stack of frames of many particles.

    Parameters
    ----------
    stack : Stack
    settings : Particles, optional
    labels : (h, w) int array, optional
        Numbers of the particles in the first frame, 0 for what is none; found by threshold and
        watershed where not given.
    soc : (k,) array, optional
        State of charge of each frame.
    halves : sequence of HalfCycle
        From the record of the cell; without it all frames are one charge.

    Raises
    ------
    InputError
        Labels of another size than the frames, no particle.
    """
    settings = settings or Particles()
    first = stack.frame(0)
    smallest = max(4, round(settings.smallest / stack.pixel**2))
    warnings: list[str] = []
    if labels is None:
        found = particle_mask(first, settings.threshold, largest=False, smallest=smallest)
        numbered = separate(found.inside, settings.separation / stack.pixel, smallest)
    else:
        numbered = _given(labels, first.shape)
        found = Mask(numbered > 0, float("nan"), False)
    drift = followed(stack, found, settings.drift, settings.spot, settings.resolution)
    numbered = np.where(seen_throughout(first.shape, drift), numbered, 0)
    present = np.unique(numbered)
    present = present[present > 0]
    if present.size == 0:
        raise InputError(Mistake("particles", "are none: no region is large enough to count"))
    raw = _means(stack, drift, numbered, present)
    scale = raw[0] if settings.full_scale is None else np.full(present.size, settings.full_scale)
    if not (scale > 0.0).all():
        dark = int(present[np.argmin(scale > 0.0)])
        raise InputError(
            Mistake(f"particle {dark}", "is dark in the first frame; give full_scale instead")
        )
    intensity = raw / scale
    if not halves:
        halves = (HalfCycle("charge", stack.time[0], stack.time[-1], stack.time[-1]),)
        warnings.append("no record of the cell: all frames are taken as one charge")
    known = np.full(len(stack.time), np.nan) if soc is None else np.asarray(soc, dtype=float)
    smooth, slope = intensity.copy(), np.full(intensity.shape, np.nan)
    error = np.zeros(present.size)
    activated, numbers = [], {"charge": 0, "discharge": 0}
    for half in halves:
        numbers[half.kind] += 1
        inside = (stack.time >= half.t_start) & (stack.time <= half.t_end)
        name = f"{half.kind}_{numbers[half.kind]}"
        if inside.sum() < 5 or not half.duration > 0.0:
            warnings.append(f"{name.replace('_', ' ')} has fewer than five frames: left out")
            continue
        one, smooth[inside], slope[inside], noise = _of_half(
            half, name, stack.time[inside], intensity[inside], known[inside], settings.window
        )
        error = np.maximum(error, noise)
        activated.append(one)
        apart = half.duration * settings.window / 2.0
        if (spacing := float(np.median(np.diff(stack.time[inside])))) > apart:
            share = 100.0 * spacing / half.duration
            warnings.append(
                f"{name.replace('_', ' ')}: frames are {share:.2g} % of its length apart, too far"
                f" for a window of {100.0 * settings.window:g} %: what happens faster is lost"
            )
    names = tuple(f"particle[{p}]" for p in range(present.size))
    ordered = np.zeros(int(numbered.max()) + 1, dtype=np.int64)
    ordered[present] = np.arange(1, present.size + 1)
    return ParticlesResult(
        settings, stack.pixel, stack.time, known, drift, ordered[numbered], first, names,
        intensity, smooth, slope, error, tuple(activated), tuple(warnings),
    )  # fmt: skip


def _of_half(
    half: HalfCycle, name: str, time: Array, curves: Array, soc: Array, window: float
) -> tuple[Activated, Array, Array, Array]:
    """Activation in one half-cycle, the lines, their slopes, and the noise about them."""
    width = window * half.duration
    smooth, per_second = line_fit(time, curves, width)
    count = max(3.0, len(time) * width / (time[-1] - time[0]))
    # of three frames in a row the middle one against the others: what bends slowly drops out, and
    # the few frames of an activation hardly count
    bends = np.diff(curves, n=2, axis=0)
    noise = 1.4826 * np.median(np.abs(bends - np.median(bends, axis=0)), axis=0) / np.sqrt(6.0)
    error = noise * np.sqrt(2.0 / count)
    change = np.abs(smooth[-1] - smooth[0])
    negligible = np.maximum(NEGLIGIBLE, SIGNIFICANT * error)
    still = change < negligible
    t25 = share_times(time, smooth, SHARES["t25"])
    at, steady = half.constant_current(time, smooth)
    peak = slope_peaks(at, steady)
    t25[still], peak[still] = np.nan, np.nan
    # error of a crossing: that of the curve and of both ends, over the slope there
    steep = np.array(
        [abs(np.interp(t, time, per_second[:, p])) for p, t in enumerate(np.nan_to_num(t25))]
    )
    with np.errstate(divide="ignore"):
        t25_error = np.where(still, np.nan, 1.3 * error / steep)
        if np.median(np.diff(time)) > 0.5 * width:
            # lines through three frames cut a bend by a third of it
            t25_error = np.hypot(t25_error, _bend(time, curves, t25) / 3.0 / steep)
    t25_error = np.minimum(t25_error, half.duration)
    part = np.flatnonzero(np.isfinite(t25))
    index, index_error = float("nan"), float("nan")
    if part.size > 1:
        low, high = part[t25[part].argmin()], part[t25[part].argmax()]
        index = float(t25[high] - t25[low]) / half.duration
        index_error = float(np.hypot(t25_error[low], t25_error[high])) / half.duration
    if np.isfinite(soc).all() and np.ptp(soc) > 0.0:
        rate = line_fit(time, soc[:, None], width)[1]
        # a hold moves the state of charge by next to nothing
        moving = np.abs(rate) > 1e-3 * np.ptp(soc) / half.duration
        slope = np.divide(per_second, rate, out=np.full_like(smooth, np.nan), where=moving)
    else:
        slope = per_second * half.duration
    one = Activated(half, name, t25, t25_error, peak, index, index_error)
    return one, smooth, slope, noise


def _bend(time: Array, curves: Array, at: Array) -> Array:
    """Largest second difference of each curve at the two frames on either side of a time."""
    bends = np.abs(np.diff(curves, n=2, axis=0))
    after = np.searchsorted(time, np.nan_to_num(at))
    near = np.clip(np.stack([after - 2, after - 1, after - 1, after]), 0, len(bends) - 1)
    return np.asarray(np.take_along_axis(bends, near, axis=0).max(axis=0))


def _means(stack: Stack, drift: Drift, labels: Int, present: Int) -> Array:
    """Mean intensity of each particle in each frame; (k, p) [counts]."""
    box = Mask(labels > 0, 0.0, False).box()
    flat = labels[box].ravel()
    sizes = np.bincount(flat)[present]
    found = np.empty((len(stack.time), present.size))
    for begin, frames in stack.chunks(CHUNK):
        for k, frame in enumerate(frames, start=begin):
            here = aligned(frame, drift.offsets[k], box).ravel()
            found[k] = np.bincount(flat, weights=here)[present] / sizes
    return found


def _given(labels: NDArray[np.integer], shape: tuple[int, ...]) -> Int:
    if labels.shape != shape:
        size = " x ".join(str(n) for n in labels.shape)
        raise InputError(
            Mistake("labels", f"are {size} pixels, the frames {shape[0]} x {shape[1]}; make both of"
                    " one size")
        )  # fmt: skip
    if not (labels > 0).any():
        raise InputError(Mistake("labels", "hold no particle: all pixels are 0"))
    return labels.astype(np.int64)
