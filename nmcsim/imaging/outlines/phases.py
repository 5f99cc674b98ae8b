"""A label image as smooth regions that share their boundaries.

Each label's mask is blurred by a Gaussian, and a place belongs to the label whose blurred mask is
the largest there (Merriman, Bence and Osher, J. Comput. Phys. 112 (1994) 334: one step of motion by
diffusion). So steps of pixels vanish, and where three labels meet they do so at wide angles, which
a mesh needs. A small constant added to each blurred mask, found by Newton's method, gives every
label the area of its pixels back. Boundaries are exact for the linear interpolant on triangles.

All lengths are pixels; x is to the right, y upwards from the lower left corner of the image.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from nmcsim.errors import InputError, Mistake

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]

FINE = 3.0
"""Grid lines per standard deviation of the blur: boundaries bend by a few degrees from one to the
next."""
ROUNDED = 1e-6
"""Boundaries are brought together on this grid."""
AGREE, LIMIT, TRIES = 1e-3, 1e-2, 15
"""Areas are made to agree within the first, and must within the second; iterations at most."""


@dataclass(frozen=True)
class Field:
    """A blurred mask on a part of the grid; it is 0 elsewhere."""

    number: int
    rows: slice
    columns: slice
    values: Floats


class Phases:
    """The blurred masks of a label image.

    Parameters
    ----------
    labels : (rows, columns) int array
    smooth : float
        Standard deviation of the blur [pixels].
    """

    def __init__(self, labels: Labels, smooth: float) -> None:
        self.shape, self.smooth = labels.shape, smooth
        self.fine = min(4, max(1, math.ceil(FINE / smooth)))  # grid points per pixel
        self.pad = math.ceil(4.0 * smooth) + 2
        # mirrored at the border: boundaries meet it at right angles
        wide = np.pad(labels, self.pad, mode="symmetric").repeat(self.fine, 0).repeat(self.fine, 1)
        self.size = wide.shape
        self.fields = [_blurred(wide, int(n), smooth * self.fine) for n in np.unique(labels)]

    def areas(self, offsets: Mapping[int, float]) -> dict[int, BaseGeometry]:
        """The region of each label with constants added to the blurred masks; none overlap."""
        segments = self._segments(offsets)
        box = shapely.box(0.0, 0.0, self.shape[1], self.shape[0])
        lines = shapely.unary_union(
            [*shapely.linestrings(segments), box.boundary], grid_size=ROUNDED
        )
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
        points = shapely.point_on_surface(faces)
        inside = shapely.within(points, box)
        faces, points = faces[inside], points[inside]
        owner = self._owner(shapely.get_coordinates(points), offsets)
        return {
            int(n): shapely.coverage_union_all(faces[owner == n]) for n in np.unique(owner).tolist()
        }

    def _owner(self, points: Floats, offsets: Mapping[int, float]) -> Labels:
        """The label of each point, shape (n, 2)."""
        column = (points[:, 0] + self.pad) * self.fine - 0.5
        row = (self.shape[0] - points[:, 1] + self.pad) * self.fine - 0.5
        r, c = np.floor(row).astype(int), np.floor(column).astype(int)
        a, b = row - r, column - c
        # the two triangles of a grid square share the diagonal from (0, 0) to (1, 1)
        lower = a > b
        middle = np.where(lower, (r + 1) * self.size[1] + c, r * self.size[1] + c + 1)
        nodes = np.stack([r * self.size[1] + c, middle, (r + 1) * self.size[1] + c + 1], axis=-1)
        weights = np.stack([1.0 - np.maximum(a, b), np.abs(a - b), np.minimum(a, b)], axis=-1)
        values = np.einsum("tvn,tv->tn", self._at(nodes, offsets), weights)
        numbers = np.array([field.number for field in self.fields])
        found: Labels = numbers[np.argmax(values, axis=1)]
        return found

    def _at(self, nodes: Labels, offsets: Mapping[int, float]) -> Floats:
        """Values of all fields at grid nodes of shape (t, 3), shape (t, 3, fields)."""
        rows, columns = np.divmod(nodes, self.size[1])
        found = np.empty((*nodes.shape, len(self.fields)))
        for k, field in enumerate(self.fields):
            r, c = rows - field.rows.start, columns - field.columns.start
            h, w = field.values.shape
            inside = (r >= 0) & (r < h) & (c >= 0) & (c < w)
            own = np.where(inside, field.values[np.clip(r, 0, h - 1), np.clip(c, 0, w - 1)], 0.0)
            found[..., k] = own + offsets.get(field.number, 0.0)
        return found

    def _segments(self, offsets: Mapping[int, float]) -> Floats:
        """Pieces of all boundaries, each within one triangle, shape (n, 2, 2)."""
        best = np.full(self.size, -np.inf)
        which = np.zeros(self.size, dtype=np.int32)
        for k, field in enumerate(self.fields):
            part = best[field.rows, field.columns], which[field.rows, field.columns]
            values = field.values + offsets.get(field.number, 0.0)
            larger = values > part[0]
            part[0][larger], part[1][larger] = values[larger], k
        first = which[:-1, :-1]
        mixed = (first != which[1:, :-1]) | (first != which[:-1, 1:]) | (first != which[1:, 1:])
        r, c = np.nonzero(mixed)
        corner = r * self.size[1] + c
        below, right = corner + self.size[1], corner + 1
        # node numbers ascend in each triangle: an edge is cut alike from both of its sides
        nodes = np.concatenate(
            [np.stack([corner, right, below + 1], -1), np.stack([corner, below, below + 1], -1)]
        )
        rows, columns = np.divmod(nodes, self.size[1])
        x = (columns + 0.5) / self.fine - self.pad
        y = self.shape[0] - ((rows + 0.5) / self.fine - self.pad)
        return _boundaries(np.stack([x, y], axis=-1), self._at(nodes, offsets))


def _blurred(wide: Labels, number: int, sigma: float) -> Field:
    from scipy.ndimage import gaussian_filter

    mask = wide == number
    reach = math.ceil(4.0 * sigma) + 2
    spans = []
    for axis in (1, 0):
        at = np.flatnonzero(mask.any(axis=axis))
        spans.append(slice(max(0, at[0] - reach), int(at[-1]) + reach + 1))
    part = mask[spans[0], spans[1]].astype(float)
    # what is mirrored already must not be mirrored at the rim of a part that stands free
    return Field(number, spans[0], spans[1], gaussian_filter(part, sigma, mode="nearest"))


def _boundaries(corners: Floats, values: Floats) -> Floats:
    """Where the largest of several linear functions changes, triangle by triangle.

    Parameters
    ----------
    corners : (t, 3, 2) array
    values : (t, 3, n) array
        At the corners.
    """
    top = np.argmax(values, axis=2)
    plain = np.sort(top, axis=1)
    two = (plain[:, 0] == plain[:, 1]) ^ (plain[:, 1] == plain[:, 2])
    a, b = plain[:, 0], plain[:, 2]
    rest = np.take_along_axis(values, a[:, None, None], 2)[..., 0]
    other = np.take_along_axis(values, b[:, None, None], 2)[..., 0]
    f = rest - other
    crossed = np.stack([(f[:, i] > 0) != (f[:, j] > 0) for i, j in _EDGES], axis=1)
    two &= crossed.sum(axis=1) == 2
    index = np.flatnonzero(two)
    ends, clear = [], np.ones(len(index), dtype=bool)
    order = np.argsort(~crossed[index], axis=1, kind="stable")[:, :2]  # the two edges that are cut
    for k in (0, 1):
        i, j = _STARTS[order[:, k]], _ENDS[order[:, k]]
        fi, fj = f[index, i], f[index, j]
        t = fi / (fi - fj)
        ends.append(_between(corners[index, i], corners[index, j], t))
        at = _between(values[index, i], values[index, j], t)
        level = np.take_along_axis(at, a[index, None], 1)[:, 0]
        np.put_along_axis(at, a[index, None], -np.inf, 1)
        np.put_along_axis(at, b[index, None], -np.inf, 1)
        clear &= at.max(axis=1) < level
    found = [np.stack(ends, axis=1)[clear]]
    mixed = np.flatnonzero(plain[:, 0] != plain[:, 2])
    for triangle in np.setdiff1d(mixed, index[clear]).tolist():
        found.append(_junction(corners[triangle], values[triangle]))
    joined = np.round(np.concatenate(found), 7)
    return joined[np.any(joined[:, 0] != joined[:, 1], axis=1)]


_EDGES = ((0, 1), (0, 2), (1, 2))
_STARTS, _ENDS = np.array(_EDGES).T


def _between(a: Floats, b: Floats, t: Floats) -> Floats:
    found: Floats = a + t[:, None] * (b - a)
    return found


def _junction(corners: Floats, values: Floats) -> Floats:
    """The boundaries in one triangle where several functions may be the largest, (m, 2, 2)."""
    can = np.flatnonzero(values.max(axis=0) >= values.min(axis=0).max())
    found = []
    for l, m in itertools.combinations(can.tolist(), 2):
        f = values[:, l] - values[:, m]
        cut = [(i, j) for i, j in _EDGES if (f[i] > 0) != (f[j] > 0)]
        if len(cut) != 2:
            continue
        ends, heights = [], []
        for i, j in cut:
            t = f[i] / (f[i] - f[j])
            ends.append(corners[i] + t * (corners[j] - corners[i]))
            at = values[i] + t * (values[j] - values[i])
            heights.append(at[l] - at)
        low, high = 0.0, 1.0
        for k in can.tolist():
            if k in (l, m):
                continue
            h0, h1 = heights[0][k], heights[1][k]
            if h0 < 0.0 and h1 < 0.0:
                low, high = 1.0, 0.0
            elif h0 < 0.0:
                low = max(low, h0 / (h0 - h1))
            elif h1 < 0.0:
                high = min(high, h0 / (h0 - h1))
        if high > low:
            way = ends[1] - ends[0]
            start = ends[0] if low == 0.0 else ends[0] + low * way
            end = ends[1] if high == 1.0 else ends[0] + high * way
            found.append(np.stack([start, end]))
    return np.array(found).reshape(-1, 2, 2)


def with_pixel_areas(
    phases: Phases,
    pixels: Mapping[int, int],
    bands: Mapping[int, BaseGeometry],
) -> tuple[dict[int, BaseGeometry], BaseGeometry]:
    """Regions whose areas, less the bands taken out of them, are those of the pixels; and all that
    was taken.

    Parameters
    ----------
    phases : Phases
    pixels : mapping of int to int
        Labels whose area is to be kept, each with its number of pixels; the others give way.
    bands : mapping of int to geometry
        What is taken from some labels afterwards.

    Raises
    ------
    InputError
        If a label cannot have its area: the blur washes it away.
    """
    offsets = dict.fromkeys(pixels, 0.0)
    best: tuple[float, int, dict[int, BaseGeometry], list[BaseGeometry]] = (np.inf, 0, {}, [])
    for _ in range(TRIES):
        found = phases.areas(offsets)
        off, taken = {}, []
        for number, wanted in pixels.items():
            area = found.get(number, shapely.Polygon())
            if number in bands:
                whole = area
                area = found[number] = _largest(shapely.difference(whole, bands[number]))
                taken.append(shapely.difference(whole, area))
            off[number] = wanted - float(area.area)
            # the blurred masks of two labels part by so much per pixel where they are equal
            gain = 0.5 * math.sqrt(2.0 * math.pi) * phases.smooth * max(float(area.length), 1.0)
            offsets[number] += float(np.clip(off[number] / gain, -0.1, 0.1))
        worst = max(pixels, key=lambda n: abs(off[n]) / pixels[n])
        miss = abs(off[worst]) / pixels[worst]
        if miss < best[0]:
            best = miss, worst, found, taken
        if miss < AGREE:
            break
    miss, worst, found, taken = best
    if miss > LIMIT:
        raise InputError(
            Mistake(
                "smooth",
                f"of {phases.smooth:.3g} pixels changes the area of label {worst} by"
                f" {100.0 * miss:.1f} %, more than 1 %; take a smaller one",
            )
        )
    return found, shapely.union_all(taken)


def _largest(area: BaseGeometry) -> BaseGeometry:
    parts: Sequence[BaseGeometry] = shapely.get_parts(area)
    return max(parts, key=lambda part: part.area) if len(parts) > 1 else area
