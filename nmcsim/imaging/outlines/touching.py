"""Particles of a label image that touch: where they are parted, and where a contact joins them.

Between two particles that are nearer than a gap runs the line of equal distance from both. A band
as wide as the gap is taken from them along it, so that cells fit between them; where they touch in
the image, the band is a contact. Lengths are pixels, x to the right, y upwards.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]

TOUCH = 2.0
"""Particles that a line of so many pixels parts do touch: segmentation often draws such a line."""

FAR = 2.5, 3.0
"""Bands go on as long as particles are nearer than so many gaps and standard deviations of the
blur, which rounds the corners where particles part."""


@dataclass(frozen=True)
class Meeting:
    """Where two particles are near.

    Attributes
    ----------
    pair : (int, int)
        Their labels.
    band : geometry
        What is taken from both.
    contact : geometry
        The part of the band, and a pixel to both sides, where they touch; empty if nowhere.
    """

    pair: tuple[int, int]
    band: BaseGeometry
    contact: BaseGeometry


@dataclass(frozen=True)
class _Depth:
    """Depth below the surface of a label, negative outside, on a part of the image."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    values: Floats


def meetings(
    labels: Labels, numbers: Sequence[int], gap: float, smooth: float, least: float
) -> tuple[Meeting, ...]:
    """Where particles are nearer than `gap`.

    Parameters
    ----------
    labels : (rows, columns) int array
    numbers : sequence of int
        The labels that are particles.
    gap, smooth : float
        Width of bands, and standard deviation of the blur of depths.
    least : float
        Shorter contacts are none.
    """
    far = FAR[0] * gap + FAR[1] * smooth
    reach = math.ceil(far) + math.ceil(4.0 * smooth) + 2
    wide = np.pad(labels, reach, mode="symmetric")
    deep = {n: _depth(wide, n, reach, smooth) for n in numbers}
    box = shapely.box(0.0, 0.0, labels.shape[1], labels.shape[0])
    found = []
    for one, other in combinations(numbers, 2):
        rows, columns = (
            _common(deep[one].rows, deep[other].rows),
            _common(deep[one].columns, deep[other].columns),
        )
        if rows[1] - rows[0] < 2 or columns[1] - columns[0] < 2:
            continue
        a, b = (_part(deep[n], rows, columns) for n in (one, other))
        origin = (columns[0] - reach, labels.shape[0] - (rows[0] - reach))
        near = _lines(a - b, a + b > -gap, origin)
        if shapely.intersection(near, box).length < least:
            continue
        # a band goes on to where it leaves the particles, which may be blurred more than depths
        beyond = _lines(a - b, a + b > -far, origin)
        core = _lines(a - b, a + b > -TOUCH, origin)
        core = shapely.MultiLineString([part for part in core.geoms if part.length >= least])
        band = beyond.buffer(0.5 * gap, cap_style="flat")
        contact = core.buffer(0.5 * gap + 1.0, cap_style="flat")
        found.append(Meeting((one, other), band, shapely.intersection(contact, box)))
    return tuple(found)


def bands(found: Sequence[Meeting]) -> Mapping[int, BaseGeometry]:
    """What is taken from each label."""
    numbers = sorted({n for meeting in found for n in meeting.pair})
    return {n: shapely.union_all([m.band for m in found if n in m.pair]) for n in numbers}


def _depth(wide: Labels, number: int, reach: int, smooth: float) -> _Depth:
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    mask = wide == number
    spans = []
    for axis in (1, 0):
        at = np.flatnonzero(mask.any(axis=axis))
        low, high = max(0, int(at[0]) - reach), min(mask.shape[1 - axis], int(at[-1]) + reach + 1)
        spans.append((low, high))
    part = mask[slice(*spans[0]), slice(*spans[1])]
    # distances are to middles of pixels; the surface lies half a pixel before them
    depth = np.where(part, distance_transform_edt(part) - 0.5, 0.5 - distance_transform_edt(~part))
    return _Depth(spans[0], spans[1], gaussian_filter(depth, smooth, mode="nearest"))


def _common(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return max(a[0], b[0]), min(a[1], b[1])


def _part(depth: _Depth, rows: tuple[int, int], columns: tuple[int, int]) -> Floats:
    r, c = (
        slice(low - own, high - own)
        for (low, high), own in ((rows, depth.rows[0]), (columns, depth.columns[0]))
    )
    return depth.values[r, c]


def _lines(
    field: Floats, where: NDArray[np.bool_], origin: tuple[int, int]
) -> shapely.MultiLineString:
    """The lines along which `field` is 0, as far as `where` goes."""
    from skimage.measure import find_contours

    contours = find_contours(field, 0.0, mask=where) if where.any() else []
    lines = [
        np.stack([origin[0] + line[:, 1] + 0.5, origin[1] - (line[:, 0] + 0.5)], axis=-1)
        for line in contours
        if len(line) > 1
    ]
    return shapely.MultiLineString([line for line in lines if np.ptp(line, axis=0).max() > 0.0])
