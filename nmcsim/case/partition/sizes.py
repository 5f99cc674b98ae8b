"""How large cells are along the boundaries, and curves drawn again with edges so long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely import LineString

from nmcsim.case.partition.corners import SHORTEST, Corners
from nmcsim.case.partition.curves import at, ways
from nmcsim.case.partition.regions import GRID

GROWTH = 0.4
"""Cells grow by this much per unit of distance."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sizes:
    """Sizes of cells: in the middle of regions, at NMC, at other boundaries; and cells in gaps.

    `across` is the number of cells across a gap, a neck or a crack. `below` are the depths at which
    the layers of thin cells under the surface of NMC end.
    """

    inside: float
    interface: float
    boundary: float
    across: float
    below: tuple[float, ...] = ()


def sampled(arc: Floats, spacing: float) -> Floats:
    """Points along a curve about `spacing` apart, with both of its ends."""
    s = ways(arc)
    n = max(8, int(np.ceil(s[-1] / spacing)))
    found = at(arc, s, np.linspace(0.0, s[-1], n + 1))
    found[0], found[-1] = arc[0], arc[-1]
    return found


def wanted_sizes(
    arcs: Sequence[Floats],
    samples: Sequence[Floats],
    sides: Sequence[tuple[str, str]],
    fine: frozenset[str],
    sizes: Sizes,
    corners: Corners,
) -> list[Floats]:
    """Cell size at each sample: small at NMC, in gaps and at short curves; growing from there."""
    found = []
    thin = corners.join > 0.0
    rooms = _rooms(arcs, samples, sizes.across * sizes.boundary, thin)
    for x, room, beside in zip(samples, rooms, sides, strict=True):
        plain = sizes.interface if fine & set(beside) else sizes.boundary
        size = np.minimum(min(plain, ways(x)[-1]), room / sizes.across)
        found.append(np.minimum(size, _bends(x)) if thin else size)
    # cells must not be finer than the boundary can be resolved
    flat = np.maximum(np.concatenate(found), SHORTEST / max(2.0, sizes.across))
    flat = _graded(np.concatenate(samples), flat)
    return np.split(flat, np.cumsum([len(x) for x in samples])[:-1])


def _bends(x: Floats) -> Floats:
    """Radius of curvature at each sample of a curve."""
    way = ways(x)
    tangent = np.gradient(x, way, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    turning = np.linalg.norm(np.gradient(tangent, way, axis=0), axis=1)
    turning[[0, -1]] = 0.0  # one-sided differences say little
    found: Floats = 1.0 / np.maximum(turning, 1e-6)
    return found


def _rooms(
    arcs: Sequence[Floats], samples: Sequence[Floats], reach: float, thin: bool
) -> list[Floats]:
    """Distance from each sample to the next curve straight ahead on either side, up to `reach`.

    Curves that meet the sample's own one at its ends do not count: towards a corner the distance
    vanishes, and no cells are small enough. Whether the curve's own other side does is `thin`.
    """
    lines = [LineString(arc) for arc in arcs]
    ends = [{tuple(arc[0]), tuple(arc[-1])} for arc in arcs]
    closed = [len(e) == 1 for e in ends]
    tree = shapely.STRtree(lines)
    found = []
    for i, x in enumerate(samples):
        tangent = np.gradient(x, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=-1)
        room = np.full(len(x), reach)
        for sign in (1.0, -1.0):
            start, end = x + sign * 20.0 * GRID * normal, x + sign * reach * normal
            rays = shapely.linestrings(np.stack([start, end], axis=1))
            for ray, k in zip(*tree.query(rays, predicate="intersects"), strict=True):
                if k == i and not closed[i] and not thin:
                    continue
                if k != i and ends[i] & ends[k]:
                    continue
                hit = shapely.intersection(rays[ray], lines[k])
                room[ray] = min(room[ray], shapely.distance(shapely.points(x[ray]), hit))
        found.append(room)
    return found


def _graded(x: Floats, size: Floats) -> Floats:
    """`size`, reduced where a smaller one is near: it grows by `GROWTH` at most."""
    tree = cKDTree(x)
    found = size.copy()
    largest = float(size.max())
    for i in np.argsort(size, kind="stable"):
        if size[i] > found[i] or size[i] >= largest:
            continue
        near = tree.query_ball_point(x[i], (largest - size[i]) / GROWTH)
        distance = np.linalg.norm(x[near] - x[i], axis=1)
        found[near] = np.minimum(found[near], size[i] + GROWTH * distance)
    return found


def redrawn(x: Floats, h: Floats) -> tuple[Floats, Floats]:
    """A curve with edges of about the wanted sizes: its points, and the size at each."""
    s = ways(x)
    # number of edges up to each sample
    count = np.concatenate([[0.0], np.cumsum(np.diff(s) * 0.5 * (1.0 / h[1:] + 1.0 / h[:-1]))])
    least = 6 if np.all(x[0] == x[-1]) else 1
    n = max(least, int(np.ceil(count[-1] - 0.25)))
    marks = np.interp(np.linspace(0.0, count[-1], n + 1), count, s)
    points = at(x, s, marks)
    points[0], points[-1] = x[0], x[-1]
    lengths = np.diff(marks)
    sizes = np.maximum(np.append(lengths, lengths[-1]), np.insert(lengths, 0, lengths[0]))
    return points, sizes
