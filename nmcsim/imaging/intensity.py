"""Intensity of each particle over time, its slope over the state of charge, and when it reacts.

A curve and its slope are those of a straight line fitted within a window around each frame, which
is wider than the noise of one image and narrower than an activation. Times of activation are those
of `nmcsim.imaging.activation`, as for the particles of a simulation.

References
----------
Sharma et al., Nano Lett. 22 (2022) 5883, Fig. 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.activation import NEGLIGIBLE, SHARES, HalfCycle, share_times, slope_peaks
from nmcsim.imaging.drift import CHUNK, Drift, aligned, seen_throughout
from nmcsim.imaging.masks import Mask, particle_mask, separate
from nmcsim.imaging.optical import followed
from nmcsim.imaging.settings import Number, Series, option, read_settings, table_of
from nmcsim.imaging.stack import Stack

__all__ = ["Activated", "Particles", "ParticlesResult", "line_fit", "reduce_particles"]

Array = NDArray[np.float64]
Int = NDArray[np.int64]

SIGNIFICANT = 5.0
"""A change of less than so many errors of a smoothed curve is none."""


@dataclass(frozen=True)
class Particles:
    """How frames of many particles are reduced; the table ``[particles]``."""

    drift: str = option(
        "none", choices=("spot", "phase", "none"), about="what the drift is followed by"
    )
    spot: tuple[float, float] | None = option(
        None, pair=True, low=0.0, about="x and y of the bright spot in the first frame [px]"
    )
    resolution: float = option(
        265e-9, unit="m", above=0.0, about="full width at half maximum of a point"
    )
    threshold: float | None = option(
        None, about="intensity from which on a pixel is of a particle [counts]; Otsu's where absent"
    )
    separation: float = option(
        2e-6, unit="m", above=0.0, about="least distance between the centres of particles"
    )
    smallest: float = option(
        0.5e-12, unit="m2", above=0.0, about="area below which a region is no particle"
    )
    full_scale: float | None = option(
        None, above=0.0, about="intensity that is 1 [counts]; each particle's first where absent"
    )
    window: float = option(
        0.04, above=0.0, below=0.5, about="width of the fitted lines over a half-cycle's length"
    )

    @classmethod
    def from_table(cls, table: Mapping[str, Any], place: str = "particles") -> Self:
        """Read the table, with units; all mistakes at once."""
        return read_settings(cls, table, place)

    def table(self) -> dict[str, Any]:
        """The table that gives these settings."""
        return table_of(self)


@dataclass(frozen=True, eq=False)
class Activated:
    """When particles take part in one half-cycle.

    Parameters
    ----------
    half : HalfCycle
    name : str
        "charge_1", "discharge_1", ...
    t25, t25_error, peak : (p,) arrays
        When a quarter of a particle's own change has happened, and when it is steepest [s]; NaN
        for one that does not change.
    asynchrony, asynchrony_error : float
        Largest minus smallest t25 over the length of the constant current.
    """

    half: HalfCycle
    name: str
    t25: Array
    t25_error: Array
    peak: Array
    asynchrony: float
    asynchrony_error: float


@dataclass(frozen=True, eq=False)
class ParticlesResult:
    """What the frames of many particles give.

    Parameters
    ----------
    settings : Particles
    pixel : float
        [m].
    time, soc : (k,) arrays
        [s], [1]; NaN without a record of the cell.
    drift : Drift
    labels : (h, w) int array
        Which particle a pixel of the first frame belongs to, from 1; 0 for none.
    first : (h, w) array
    names : tuple of str
        "particle[0]", ...
    intensity, smooth, slope : (k, p) arrays
        Normalised; the fitted lines; their slope over SOC, or over the share of the half-cycle's
        time where no SOC is known.
    noise : (p,) array
        Standard deviation of the normalised intensity about the lines.
    halves : tuple of Activated
    warnings : tuple of str
    """

    settings: Particles
    pixel: float
    time: Array
    soc: Array
    drift: Drift
    labels: Int
    first: NDArray[np.float32]
    names: tuple[str, ...]
    intensity: Array
    smooth: Array
    slope: Array
    noise: Array
    halves: tuple[Activated, ...]
    warnings: tuple[str, ...]

    @property
    def numbers(self) -> dict[str, Number]:
        """One number each, under the names of a simulation's observables."""
        found: dict[str, Number] = {}
        for one in self.halves:
            of, length = one.name, one.half.duration
            which = "of " + of.replace("_", " ")
            t25 = (one.t25 - one.half.t_start) / length
            part = np.flatnonzero(np.isfinite(t25))
            errors = one.t25_error / length
            if part.size > 1:
                low, high = part[t25[part].argmin()], part[t25[part].argmax()]
                spread = float(t25[part].std())
                blur = float(np.sqrt(np.mean(errors[part] ** 2) / part.size))
                found |= {
                    f"asynchrony_{of}": Number(
                        one.asynchrony, one.asynchrony_error, "1", f"asynchrony {which}"
                    ),
                    f"t25_first_{of}": Number(
                        float(t25[low]), float(errors[low]), "1", f"first t25 {which}"
                    ),
                    f"t25_last_{of}": Number(
                        float(t25[high]), float(errors[high]), "1", f"last t25 {which}"
                    ),
                    f"t25_spread_{of}": Number(
                        spread, blur, "1", f"standard deviation of all t25 {which}"
                    ),
                }
            share = part.size / len(t25)
            # of p particles a share s: binomial
            error = float(np.sqrt(share * (1.0 - share) / len(t25)))
            found[f"activated_{of}"] = Number(
                share, error, "1", f"share of the particles that take part in {which[3:]}"
            )
        return found

    @property
    def series(self) -> dict[str, Series]:
        """Columns along the frames: the mean intensity, then each particle's."""
        none = np.full(len(self.time), np.nan)
        found = {"time": Series(self.time, none, "s", "time")}
        if np.isfinite(self.soc).any():
            found["soc"] = Series(self.soc, none, "1", "SOC")
        mean = self.intensity.mean(axis=1)
        error = float(np.sqrt(np.sum(self.noise**2))) / len(self.names)
        found["intensity_mean"] = Series(mean, none + error, "1", "mean normalised intensity")
        for p, name in enumerate(self.names):
            noise = np.full(len(self.time), self.noise[p])
            found[f"intensity {name}"] = Series(
                self.intensity[:, p], noise, "1", f"normalised intensity of {name}"
            )
            found[f"slope {name}"] = Series(self.slope[:, p], none, "1", f"its slope, {name}")
        return found


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
    rest = (curves - smooth)[1:-1]
    noise = np.std(rest, axis=0) * np.sqrt(count / max(count - 2.0, 1.0))
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
