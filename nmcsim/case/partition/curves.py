"""Boundaries as curves between the places where three regions meet."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely import MultiLineString
from shapely.geometry.base import BaseGeometry

from nmcsim.case.partition.regions import GRID

SAME = 10.0 * GRID
"""Vertices closer than this are one."""
OUTSIDE = ""

Floats = NDArray[np.float64]


def contracted(lines: BaseGeometry) -> BaseGeometry:
    """The same lines with vertices that are nearly one made one.

    Where a line meets a polygon almost at a vertex, rounding leaves both points.
    """
    parts = [np.array(part.coords) for part in shapely.get_parts(lines)]
    vertices, number = np.unique(np.concatenate(parts), axis=0, return_inverse=True)
    same = np.arange(len(vertices))
    for a, b in sorted(cKDTree(vertices).query_pairs(SAME)):
        same[same == same[b]] = same[a]
    chains = np.split(same[number], np.cumsum([len(part) for part in parts])[:-1])
    edges = {(min(p), max(p)) for chain in chains for p in itertools.pairwise(chain.tolist())}
    kept = np.array(sorted((a, b) for a, b in edges if a != b))
    return MultiLineString(list(shapely.linestrings(vertices[kept])))


def merged(lines: BaseGeometry) -> list[Floats]:
    """Curves between places where three regions meet, as vertices in order."""
    merged = shapely.line_merge(lines)
    parts = merged.geoms if isinstance(merged, MultiLineString) else [merged]
    return sorted(
        (np.array(part.coords) for part in parts), key=lambda x: tuple(x[0]) + tuple(x[-1])
    )


def sides_of(arcs: Sequence[Floats], regions: Mapping[str, BaseGeometry]) -> list[tuple[str, str]]:
    """The regions on the left and on the right of each curve."""
    names = list(regions)
    tree = shapely.STRtree(list(regions.values()))
    found: list[list[str]] = [[OUTSIDE, OUTSIDE] for _ in arcs]
    beside = np.empty((2, len(arcs), 2))
    for i, arc in enumerate(arcs):
        steps = np.diff(arc, axis=0)
        longest = int(np.argmax(np.linalg.norm(steps, axis=1)))
        along = steps[longest] / np.linalg.norm(steps[longest])
        normal = 2.0 * SAME * np.array([-along[1], along[0]])
        middle = 0.5 * (arc[longest] + arc[longest + 1])
        beside[0, i], beside[1, i] = middle + normal, middle - normal
    for side in (0, 1):
        for i, k in zip(*tree.query(shapely.points(beside[side]), predicate="within"), strict=True):
            found[int(i)][side] = names[int(k)]
    return [(left, right) for left, right in found]


def ways(arc: Floats) -> Floats:
    """Length of a curve up to each vertex."""
    steps = np.linalg.norm(np.diff(arc, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def at(arc: Floats, s: Floats, wanted: Floats) -> Floats:
    """Points of a curve at the lengths `wanted`; `s` are those of its vertices."""
    return np.stack([np.interp(wanted, s, arc[:, k]) for k in (0, 1)], axis=-1)
