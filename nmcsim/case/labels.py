"""Label images as geometries read them: which label, how large a pixel, an outline in metres."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmcsim.case.outline import Smooth
from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.outlines import labels as imaging
from nmcsim.units import display

BLUR = 2.0
"""Standard deviation of the blur in pixels: steps of pixels vanish (the perimeter of a pixelated
disk of 72 pixels is 0.07 % too long), and little else does."""
SPECK = 20
"""Connected regions of fewer pixels are specks, no particles and no pores."""
DENSE = (360, 1500)
"""Points on an outline, at least and at most."""
NARROWEST = 12
"""A region with fewer pixels across (a circle of its area) has no outline worth the name."""
PIXELS = (1e-11, 1e-5)
"""Sizes of a pixel that can be meant [m]."""


def present(labels: NDArray[np.int64]) -> str:
    """The labels of an image and how many pixels they have, for a sentence."""
    values, counts = np.unique(labels[labels > 0], return_counts=True)
    first = [f"{v} ({n} pixels)" for v, n in zip(values[:8], counts[:8], strict=True)]
    return ", ".join(first) + (f" and {len(values) - 8} more" if len(values) > 8 else "")


def refuse_pixel(pixel: float) -> None:
    """Refuse a size that no microscope has: a mistyped unit."""
    if not PIXELS[0] <= pixel <= PIXELS[1]:
        low, high = (display(size, "m") for size in PIXELS)
        raise InputError(Mistake("pixel", f"is no pixel of a microscope; take {low} to {high}"))


def crystal_outline(
    path: Path,
    pixel: float,
    label: int | None,
    smooth: float | None,
    speck: int,
    allow_necks: bool,
) -> tuple[Smooth, tuple[str, ...]]:
    """The outline of one label of an image [m], and notes about it.

    Parameters
    ----------
    path : Path
        The image.
    pixel : float
        Size of a pixel [m].
    label : int, optional
        The one with the most pixels if absent.
    smooth : float, optional
        Standard deviation of the blur [m]; `BLUR` pixels if absent.
    speck : int
        Regions of fewer pixels are dropped or filled.
    allow_necks : bool
        Whether a label may look like two regions that touch.

    Raises
    ------
    InputError
        If there is no such label, or it has no one smooth outline.
    """
    return _outline(path.read_bytes(), path, pixel, label, smooth, speck, allow_necks)


@lru_cache(maxsize=16)
def _outline(
    content: bytes,
    path: Path,
    pixel: float,
    label: int | None,
    smooth: float | None,
    speck: int,
    allow_necks: bool,
) -> tuple[Smooth, tuple[str, ...]]:
    read = imaging.read_labels(path)
    tidy = imaging.tidied(read, speck)
    values, counts = np.unique(tidy.labels[tidy.labels > 0], return_counts=True)
    if not len(values):
        raise imaging.wrong_image(
            path, f"has no region of {speck} pixels or more; its labels are {present(read)}"
        )
    number = int(values[np.argmax(counts)]) if label is None else label
    if number not in values:
        raise InputError(
            Mistake("label", f"names no label of the image; it has {present(tidy.labels)}")
        )
    mask = tidy.labels == number
    area = int(mask.sum())
    if 2.0 * math.sqrt(area / math.pi) < NARROWEST:
        raise imaging.wrong_image(
            path,
            f"shows the label {number} with {area} pixels only, too few for an outline; it should"
            f" be {NARROWEST} pixels wide at least",
        )
    imaging.refuse_parts(tidy.labels, [number], necks=allow_necks)
    imaging.refuse_cut(mask, number)
    imaging.refuse_holes(mask, number)
    vertices = imaging.outline(mask, BLUR if smooth is None else smooth / pixel)
    found = Smooth(pixel * _through(vertices))
    off = 100.0 * (found.area / (area * pixel**2) - 1.0)
    told = f"outline of label {number}, {area} pixels; its area differs from theirs by {off:+.2g} %"
    return found, (told, *tidy.notes)


def _through(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evenly spaced points on the smooth closed curve through vertices of any spacing."""
    from scipy.interpolate import CubicSpline

    closed = np.concatenate([vertices, vertices[:1]])
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    # marching squares leave vertices that nearly coincide: one pixel apart, they make no kinks
    n = max(24, round(way[-1]))
    even = np.linspace(0.0, way[-1], n + 1)
    knots = np.stack([np.interp(even, way, closed[:, k]) for k in (0, 1)], axis=-1)
    knots[-1] = knots[0]
    many = min(max(DENSE[0], 2 * n), DENSE[1])
    curve = CubicSpline(even, knots, bc_type="periodic")
    found: NDArray[np.float64] = curve(np.linspace(0.0, way[-1], many, endpoint=False))
    return found
