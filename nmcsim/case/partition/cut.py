"""The partition: points, edges and faces that all regions share."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from nmcsim.case.layers import inward
from nmcsim.case.partition.corners import (
    DRAWN,
    Corners,
    cut_at_corners,
    joined_corners,
    refuse_short,
)
from nmcsim.case.partition.curves import OUTSIDE, contracted, merged, sides_of
from nmcsim.case.partition.regions import GRID
from nmcsim.case.partition.sizes import Sizes, redrawn, sampled, wanted_sizes
from nmcsim.errors import InputError, Mistake

__all__ = ["OUTSIDE", "Partition", "around", "partition"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Partition:
    """Regions with boundaries in common.

    Attributes
    ----------
    points : (n, 2) array
    edges : (m, 2) int array
        Points at the ends.
    sides : tuple of (str, str)
        The region on the left and on the right of each edge; `OUTSIDE` beyond the box.
    rings : mapping of str to tuple of tuple of array
        Faces of each region; each is an outer ring and then its holes, points in order.
    sizes : (n,) array
        Cell size at each point.
    inside : float
        Cell size far from all points.
    layers : mapping of str to tuple of list of array
        For each face of a region, its outer ring moved inwards: where layers of thin cells end.
    """

    points: Floats
    edges: Ints
    sides: tuple[tuple[str, str], ...]
    rings: Mapping[str, tuple[tuple[Ints, ...], ...]]
    sizes: Floats
    inside: float
    layers: Mapping[str, tuple[list[Floats], ...]]

    def length(self, a: str, b: str) -> float:
        """How long regions `a` and `b` have a boundary in common."""
        return float(
            sum(l for l, s in zip(self._lengths, self.sides, strict=True) if set(s) == {a, b})
        )

    def perimeter(self, a: str) -> float:
        """Length of the boundary of region `a`."""
        return float(sum(l for l, s in zip(self._lengths, self.sides, strict=True) if a in s))

    def area(self, name: str) -> float:
        """Area of a region, as meshed."""
        return sum(
            Polygon(self.points[face[0]], [self.points[hole] for hole in face[1:]]).area
            for face in self.rings.get(name, ())
        )

    @property
    def _lengths(self) -> Floats:
        ends = self.points[self.edges]
        found: Floats = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        return found


def partition(
    regions: Mapping[str, BaseGeometry],
    fine: frozenset[str],
    sizes: Sizes,
    corners: Corners = DRAWN,
) -> Partition:
    """The partition of regions that do not overlap.

    Parameters
    ----------
    regions : mapping of str to geometry
        From `disjoint`.
    fine : frozenset of str
        Regions at whose boundaries the cells have `sizes.interface`.
    sizes : Sizes
    corners : Corners
        What a corner is: `DRAWN` or `MEASURED`.

    Raises
    ------
    InputError
        If two corners are closer than cells can be.
    """
    lines = shapely.unary_union([area.boundary for area in regions.values()], grid_size=GRID)
    arcs = [piece for arc in merged(contracted(lines)) for piece in cut_at_corners(arc, corners)]
    sides = sides_of(arcs, regions)
    if corners.join:
        arcs, sides = joined_corners(arcs, sides, corners.join)
    refuse_short(arcs)
    samples = [sampled(arc, 0.25 * sizes.interface) for arc in arcs]
    wanted = wanted_sizes(arcs, samples, sides, fine, sizes, corners)
    drawn = [redrawn(x, h) for x, h in zip(samples, wanted, strict=True)]
    points, edges, sizes_at, of_arc = _joined(drawn)
    edge_sides = tuple(sides[i] for i in of_arc)
    rings = _faces(points, edges, edge_sides)
    layers = {
        name: tuple(
            inward(points[face[0]], sizes.below) if len(face) == 1 else [] for face in found
        )
        for name, found in rings.items()
        if name in fine
    }
    return Partition(points, edges, edge_sides, rings, sizes_at, sizes.inside, layers)


def _joined(
    drawn: Sequence[tuple[Floats, Floats]],
) -> tuple[Floats, Ints, Floats, list[int]]:
    """One numbering of the points of all curves; edges, sizes, and the curve of each edge."""
    number: dict[tuple[float, float], int] = {}
    points: list[tuple[float, float]] = []
    sizes: list[float] = []
    edges: list[tuple[int, int]] = []
    of_arc: list[int] = []
    for i, (x, h) in enumerate(drawn):
        chain = []
        for point, size in zip(map(tuple, x.tolist()), h.tolist(), strict=True):
            if point not in number:
                number[point] = len(points)
                points.append(point)
                sizes.append(size)
            chain.append(number[point])
            sizes[chain[-1]] = min(sizes[chain[-1]], size)
        edges += itertools.pairwise(chain)
        of_arc += [i] * (len(chain) - 1)
    return np.array(points), np.array(edges, dtype=np.int64), np.array(sizes), of_arc


def _faces(
    points: Floats, edges: Ints, sides: Sequence[tuple[str, str]]
) -> dict[str, tuple[tuple[Ints, ...], ...]]:
    """Faces of each region, found again from the edges that were drawn."""
    number = {tuple(x): i for i, x in enumerate(points.tolist())}
    left = {}
    for (a, b), (on_left, on_right) in zip(edges.tolist(), sides, strict=True):
        left[a, b], left[b, a] = on_left, on_right
    faces = shapely.polygonize(list(shapely.linestrings(points[edges])))
    found: dict[str, list[tuple[Ints, ...]]] = {}
    for face in faces.geoms:
        face = shapely.orient_polygons(face)  # the face lies on the left of all its rings
        rings = tuple(
            np.array([number[tuple(x)] for x in np.array(ring.coords)[:-1].tolist()])
            for ring in (face.exterior, *face.interiors)
        )
        names = {left[pair] for ring in rings for pair in around(ring)}
        if len(names) != 1:
            x, y = face.representative_point().coords[0]
            raise InputError(
                Mistake(
                    "",
                    f"has boundaries that cross at ({x:.2f}, {y:.2f}) um once drawn with "
                    f"cells of this size; take smaller cells or a wider gap",
                )
            )
        found.setdefault(names.pop(), []).append(rings)
    return {name: tuple(own) for name, own in sorted(found.items())}


def around(ring: Ints) -> list[tuple[int, int]]:
    closed = [*ring.tolist(), int(ring[0])]
    return list(itertools.pairwise(closed))
