"""From the frames of one particle to its unreacted region: drift, mask, dI/I1, distance.

The frames are read twice, a few at a time: once for the drift, once for the signal.

References
----------
Lun et al., Supplementary Information, "Optical image processing", Eq. 2 and Fig. S4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.differential import Smoother, differential, frame_noise
from nmcsim.imaging.drift import CHUNK, Drift, aligned, no_drift, seen_throughout
from nmcsim.imaging.drift import track_phase as by_phase
from nmcsim.imaging.drift import track_spot as by_spot
from nmcsim.imaging.masks import Mask, particle_mask
from nmcsim.imaging.optical_result import Optical, OpticalResult
from nmcsim.imaging.spot import FWHM
from nmcsim.imaging.stack import Stack
from nmcsim.imaging.unreacted import RESOLVED, Unreacted

__all__ = ["Optical", "OpticalResult", "reduce_optical"]

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

SHOWN = 8
"""Frames that are kept for a montage."""

NOISY = 0.5
"""Noise over the threshold from which on the user is told to smooth."""

MARGIN = 8
"""Pixels around the particle in what is kept."""


def reduce_optical(
    stack: Stack, settings: Optical | None = None, soc: Array | None = None
) -> OpticalResult:
    """Reduce a stack of frames of one particle.

    Parameters
    ----------
    stack : Stack
    settings : Optical, optional
    soc : (k,) array, optional
        State of charge of each frame.

    Returns
    -------
    OpticalResult
        Its errors are of pixel noise, drift and pixels; neither of the optical blur nor of the
        choice of thresholds.

    Raises
    ------
    InputError
        No bright spot, an empty mask, fewer frames than the reference needs.
    """
    settings = settings or Optical()
    count = len(stack.time)
    if settings.reference_frames >= count:
        raise InputError(
            Mistake(
                f"optical.reference_frames = {settings.reference_frames}",
                f"must be below the number of frames, {count}",
            )
        )
    first = stack.frame(0)
    mask = particle_mask(first, settings.threshold, fill=settings.fill_holes)
    drift = followed(stack, mask, settings.drift, settings.spot, settings.resolution)
    whole = (slice(0, first.shape[0]), slice(0, first.shape[1]))
    if settings.reference_frames > 1:
        summed = np.zeros(first.shape)
        for k in range(settings.reference_frames):
            summed += aligned(stack.frame(k), drift.offsets[k], whole)
        first = np.asarray(summed / settings.reference_frames, dtype=np.float32)
        mask = particle_mask(first, settings.threshold, fill=settings.fill_holes)
    mask, warnings = _in_sight(mask, drift, first)
    mask = _without_rim(mask, settings.inset / stack.pixel)
    box = mask.box(MARGIN)
    inside = mask.inside[box]
    one = first[box][inside]
    smoother = Smoother(inside, settings.smooth / stack.pixel)
    width = settings.resolution / FWHM / stack.pixel
    find = Unreacted(inside, settings.unreacted_below, smoother, width)
    shown = set(np.unique(np.linspace(0, count - 1, min(SHOWN, count)).round().astype(int)))
    kept: list[tuple[int, Float32]] = []
    rows = {name: np.full(count, np.nan) for name in ("d", "du", "s", "su", "m", "n")}
    centres = np.full((count, 2), np.nan)
    before: Array | None = None
    noise = 0.0
    held: list[tuple[int, Array]] = []  # the first frame waits for the noise of the second

    def record(k: int, signal: Array, noise: float) -> None:
        region = find(signal, noise, float(drift.error[k]))
        rows["d"][k], rows["du"][k] = region.distance, region.distance_error
        rows["s"][k], rows["su"][k] = region.share, region.share_error
        rows["m"][k], rows["n"][k] = float(signal.mean()), noise
        centres[k] = region.centre + np.array([box[0].start, box[1].start])

    # the mean of n frames adds 1/n of a frame's variance
    with_reference = np.sqrt(1.0 + 1.0 / settings.reference_frames)
    for begin, frames in stack.chunks(CHUNK):
        for k, frame in enumerate(frames, start=begin):
            here = aligned(frame, drift.offsets[k], box)
            signal = smoother(differential(here[inside], one))
            if k in shown:
                picture = np.full(inside.shape, np.nan, dtype=np.float32)
                picture[inside] = signal
                kept.append((k, picture))
            if before is None:
                held.append((k, signal))
            else:
                noise = frame_noise(before, signal) * with_reference
                for waiting in [*held, (k, signal)]:
                    record(*waiting, noise)
                held.clear()
            before = signal
    middle = float(np.nanmedian(rows["n"]))
    if middle > NOISY * settings.unreacted_below:
        warnings.append(
            f"the noise of dI/I1 of one pixel is {middle:.3f}, the threshold"
            f" {settings.unreacted_below:g}: unreacted pixels are missed; smooth, average more"
            " frames for the reference, or bin frames"
        )
    return OpticalResult(
        settings, stack.pixel, stack.time, _soc(soc, count), drift, mask, box, first,
        stack.pixel * rows["d"], stack.pixel * rows["du"], rows["s"], rows["su"],
        rows["m"], rows["n"], centres, tuple(kept), tuple(warnings),
    )  # fmt: skip


def followed(
    stack: Stack, mask: Mask, method: str, spot: tuple[float, float] | None, resolution: float
) -> Drift:
    """The drift by the method asked for; ``resolution`` [m] is the width of a point."""
    width = resolution / FWHM / stack.pixel
    if method == "spot":
        return by_spot(stack, mask, width, spot)
    if method == "phase":
        return by_phase(stack, mask, width)
    return no_drift(len(stack.time))


def _in_sight(mask: Mask, drift: Drift, first: Float32) -> tuple[Mask, list[str]]:
    """The mask without what leaves the image or has no intensity, and what to say of it."""
    warnings = []
    kept = mask.inside & seen_throughout(first.shape, drift)
    gone = 1.0 - kept.sum() / mask.pixels
    if not kept.any():
        raise InputError(Mistake("drift", "moves the whole particle out of the image"))
    if gone > 0.0:
        warnings.append(f"the drift moves {100 * gone:.2g} % of the particle out of the image")
    edge = mask.inside.copy()
    edge[1:-1, 1:-1] = False
    if edge.any():
        warnings.append("the particle touches the edge of the image: part of it is not seen")
    dark = kept & ~(first > 0.0)
    if dark.any():
        warnings.append(
            f"{int(dark.sum())} pixels without intensity in the first frame are left out"
        )
        kept &= ~dark
    if drift.lost.any():
        numbers = ", ".join(str(n + 1) for n in np.flatnonzero(drift.lost)[:10])
        more = " ..." if drift.lost.sum() > 10 else ""
        warnings.append(
            f"the spot is lost in {int(drift.lost.sum())} of {len(drift.lost)} frames, whose drift"
            f" is interpolated: {numbers}{more}"
        )
    share = kept.sum() / kept.size
    if share < RESOLVED / 100.0:
        warnings.append(f"the particle is {kept.sum()} pixels only")
    return Mask(kept, mask.threshold, mask.automatic), warnings


def _without_rim(mask: Mask, width: float) -> Mask:
    """The mask without its rim [px], where light from beside the particle dilutes the signal."""
    if width == 0.0:
        return mask
    from scipy import ndimage

    inner = ndimage.distance_transform_edt(mask.inside) > width
    if not inner.any():
        raise InputError(
            Mistake("optical.inset", "leaves nothing of the particle; make it smaller")
        )
    return Mask(np.asarray(inner), mask.threshold, mask.automatic)


def _soc(soc: Array | None, count: int) -> Array:
    if soc is None:
        return np.full(count, np.nan)
    values = np.asarray(soc, dtype=np.float64)
    if values.shape != (count,):
        raise InputError(
            Mistake("soc", f"has {values.size} values for {count} frames; give one for each")
        )
    return values
