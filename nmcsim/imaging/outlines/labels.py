"""Label images: what each pixel belongs to, tidied, and the outline of one label.

A label image gives every pixel a whole number: 0 is background, each other number one particle (or
the binder). Places are said in pixels as image programs do, column and row from the upper left
corner; outlines come out in pixels with x to the right and y *upwards* from the lower left corner.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]

LARGEST = 4096
"""Pixels along one side, at most: more than a geometry can use."""
SPECKLED = 0.5
"""More pixels than this share differ from their neighbour only where an image has noise: regions
that fill an image would be two pixels wide."""
NECK = 0.5
"""A label has a neck where it is less than so many times as wide as the narrower of the two parts
that the neck joins."""
PART = 0.25
"""Parts count that are at least so many times as wide as the widest, and `LEAST_PART` pixels."""
LEAST_PART = 3.0
FINEST = 64.0
"""Steps in which the largest depth of a region is looked at for necks."""
LEVELS = 0.35, 0.65
"""Between these levels of the blurred mask an outline is the region's own; beyond, it is that of
the blur."""


def read_labels(path: Path) -> Labels:
    """The labels of an image file, shape (rows, columns).

    Parameters
    ----------
    path : Path
        PNG (grey, 1 to 16 bits, or with a palette, whose numbers are then the labels) or TIFF
        (whole numbers, or floats that are whole).

    Raises
    ------
    InputError
        If it cannot be read, or is no label image: colours, several pages, fractions.
    """
    try:
        found = _pixels(path)
    except (OSError, ValueError, SyntaxError) as error:  # Pillow raises SyntaxError: broken PNG
        raise wrong_image(path, f"cannot be read as an image ({error})") from None
    if found.ndim == 3 and found.shape[-1] in (2, 3, 4):  # 2: grey and how transparent
        raise wrong_image(
            path, "has colours, and labels are whole numbers; save it as a grey image (8 or 16 bit)"
        )
    if found.ndim != 2:
        raise wrong_image(path, f"is a stack of {found.shape[0]} images; save one slice of it")
    if np.iscomplexobj(found) or not np.all(np.isfinite(found)):
        raise wrong_image(path, "holds pixels that are no whole numbers")
    if np.any(found != np.round(found)):
        raise wrong_image(
            path, "holds fractions: it is a micrograph, not a label image; segment it first"
        )
    if max(found.shape) > LARGEST:
        size = f"{found.shape[1]} x {found.shape[0]}"
        raise wrong_image(path, f"has {size} pixels; reduce it to {LARGEST} along a side at most")
    labels = found.astype(np.int64)
    if np.any(labels < 0):
        raise wrong_image(path, f"has the negative label {labels.min()}; labels are 0, 1, 2, ...")
    if not np.any(labels):
        raise wrong_image(path, "is empty: all its pixels are 0, which is background")
    if labels.shape[1] > 1 and np.mean(np.diff(labels, axis=1) != 0) > SPECKLED:
        raise wrong_image(
            path,
            "differs from pixel to pixel: it is a micrograph, not a label image; segment it first",
        )
    return labels


def _pixels(path: Path) -> NDArray[Any]:
    if path.suffix.lower() in (".tif", ".tiff"):
        import tifffile

        return np.asarray(tifffile.imread(path)).squeeze()
    from PIL import Image

    with Image.open(path) as image:  # a palette's numbers are kept, which imageio turns into colour
        return np.asarray(image)


def wrong_image(path: Path, sentence: str) -> InputError:
    """A mistake of the image file."""
    return InputError(Mistake("image", f"names {path.name}, which {sentence}"))


@dataclass(frozen=True)
class Tidied:
    """A label image without specks.

    Attributes
    ----------
    labels : (rows, columns) int array
    islands, holes : int
        How many specks were dropped: of a label, and of background.
    """

    labels: Labels
    islands: int
    holes: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What was dropped, for a reader."""
        if not self.islands + self.holes:
            return ()
        islands = f"{self.islands} island{'s were' if self.islands != 1 else ' was'} dropped"
        return (f"{islands} and {self.holes} hole{'s' * (self.holes != 1)} filled as specks",)


def tidied(labels: Labels, least: int) -> Tidied:
    """Labels without specks: connected regions of fewer than `least` pixels, background too.

    A speck becomes what most pixels around it are: an island is dropped, a hole is filled. Pixels
    are connected along edges, not over corners.
    """
    from skimage.measure import label, regionprops

    found = labels.copy()
    islands = holes = 0
    # -1 is no label, so that background has regions too
    regions = label(labels, connectivity=1, background=-1)
    small = [r for r in regionprops(regions) if r.num_pixels < least]
    for region in sorted(small, key=lambda r: r.num_pixels):
        rows, columns = region.coords.T
        own = int(labels[rows[0], columns[0]])
        around = _around(found, region.coords, regions, region.label)
        if not around.size:  # the whole image is one speck
            continue
        values, counts = np.unique(around, return_counts=True)
        new = int(values[np.argmax(counts)])
        found[rows, columns] = new
        islands, holes = islands + (own != 0), holes + (own == 0)
    return Tidied(found, islands, holes)


def _around(found: Labels, coords: Labels, regions: Labels, own: int) -> Labels:
    """The labels of the pixels beside a region."""
    steps = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])
    beside = (coords[:, None] + steps).reshape(-1, 2)
    inside = np.all((beside >= 0) & (beside < found.shape), axis=1)
    rows, columns = beside[inside].T
    other = regions[rows, columns] != own
    values: Labels = found[rows[other], columns[other]]
    return values


def refuse_parts(labels: Labels, which: Iterable[int], *, necks: bool = False) -> None:
    """Raise unless each label is one region, and (but for `necks`) no two that touch.

    Raises
    ------
    InputError
        With a sentence for each such label, which says where its parts are.
    """
    mistakes = []
    for number in which:
        mask = labels == number
        said = _several(mask) or ("" if necks else _necked(mask))
        if said:
            mistakes.append(Mistake("image", f"has the label {number}, which {said}"))
    if mistakes:
        raise InputError(mistakes)


def _several(mask: NDArray[np.bool_]) -> str:
    from skimage.measure import label, regionprops

    parts = sorted(regionprops(label(mask, connectivity=1)), key=lambda r: -r.num_pixels)
    if len(parts) < 2:
        return ""
    one, other = (f"{_place(r.coords)} ({r.num_pixels:.0f} pixels)" for r in parts[:2])
    return (
        f"is {len(parts)} separate regions, at {one} and at {other}; give each its own label, or"
        " raise speck to drop the smaller"
    )


def _necked(mask: NDArray[np.bool_]) -> str:
    """Whether a region falls apart when it is eroded, long before its parts vanish."""
    from scipy.ndimage import distance_transform_edt, maximum
    from skimage.measure import label

    rows, columns = (np.flatnonzero(mask.any(axis=k)) for k in (1, 0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    depth = distance_transform_edt(np.pad(mask[box], 1))[1:-1, 1:-1]
    widest = float(depth.max())
    # of a large region only some pixels are looked at: a neck is narrow beside its parts, not
    # beside pixels
    every = max(1, int(widest / FINEST))
    depth = depth[::every, ::every]
    least = max(LEAST_PART, PART * widest)
    for eroded in np.arange(every, NECK * widest, 0.5 * every):
        parts, n = label(depth > eroded, return_num=True)
        peaks = maximum(depth, parts, np.arange(1, n + 1)) if n > 1 else np.zeros(0)
        whole = 1 + np.flatnonzero(np.maximum(least, eroded / NECK) <= peaks)
        if len(whole) > 1:
            corner = np.array([rows[0], columns[0]])
            one, other = (_place(corner + every * np.argwhere(parts == k)) for k in whole[:2])
            return (
                f"seems to be two regions that touch, at {one} and {other}, joined by a neck of"
                f" {2.0 * eroded:.0f} pixels; give each its own label, or write allow_necks = true"
            )
    return ""


def _place(coords: NDArray[Any]) -> str:
    """The pixel of a region that is nearest to its middle."""
    row, column = coords[np.argmin(np.sum((coords - coords.mean(axis=0)) ** 2, axis=1))]
    return f"column {column}, row {row}"


def refuse_cut(mask: NDArray[np.bool_], number: int) -> None:
    """Raise if a label reaches the border of the image.

    Raises
    ------
    InputError
        That names the side.
    """
    sides = {"top": mask[0], "bottom": mask[-1], "left": mask[:, 0], "right": mask[:, -1]}
    cut = [side for side, pixels in sides.items() if pixels.any()]
    if cut:
        raise InputError(
            Mistake(
                "image",
                f"cuts the label {number} at its {' and '.join(cut)} border; a crystal must lie"
                " in it as a whole: take another label or a larger image",
            )
        )


def refuse_holes(mask: NDArray[np.bool_], number: int) -> None:
    """Raise if a label surrounds background or another label.

    Raises
    ------
    InputError
        That says where the largest hole is.
    """
    from scipy.ndimage import binary_fill_holes
    from skimage.measure import label, regionprops

    holes = regionprops(label(binary_fill_holes(mask) & ~mask))
    if holes:
        largest = max(holes, key=lambda r: r.num_pixels)
        raise InputError(
            Mistake(
                "image",
                f"has the label {number} with a hole of {largest.num_pixels:.0f} pixels at"
                f" {_place(largest.coords)}; a crystal has one outline: fill the hole, or raise"
                " speck above its size",
            )
        )


def outline(mask: NDArray[np.bool_], smooth: float) -> Floats:
    """The outline of a region with exactly the area of its pixels.

    The mask is blurred by a Gaussian of standard deviation `smooth`, and the outline is that level
    line of the blurred mask (marching squares) which encloses as many square pixels as the mask
    has: the level is found by bisection, near one half. So corners are rounded over about `smooth`
    and the steps of pixels vanish, but no area is lost, whatever the curvature.

    Parameters
    ----------
    mask : (rows, columns) bool array
        One region without holes.
    smooth : float
        [pixels]

    Returns
    -------
    (n, 2) array
        Vertices about a pixel apart, x right and y up from the lower left corner [pixels].

    Raises
    ------
    InputError
        If the region is too thin: its blurred mask has no such level.
    """
    from scipy.ndimage import gaussian_filter
    from scipy.optimize import brentq
    from skimage.measure import find_contours

    pad = math.ceil(4.0 * smooth) + 2
    blurred = gaussian_filter(np.pad(mask.astype(float), pad), smooth)

    def at(level: float) -> Floats:
        lines = find_contours(blurred, level)
        found: Floats = max(lines, key=len)[:-1] if lines else np.zeros((0, 2))
        return found

    def missing(level: float) -> float:
        return _area(at(level)) - float(mask.sum())

    low, high = LEVELS
    if missing(low) < 0.0 or missing(high) > 0.0:
        raise InputError(
            Mistake("smooth", f"of {smooth:g} pixels washes the region away; take a smaller one")
        )
    rows, columns = at(brentq(missing, low, high, xtol=1e-12)).T
    return np.stack([columns - pad + 0.5, mask.shape[0] - (rows - pad + 0.5)], axis=-1)


def _area(vertices: Floats) -> float:
    x, y = vertices.T
    return 0.5 * abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))))
