"""Thin layers of cells under the surface of a particle, where lithium and conductivity are steep.

A layer follows the boundary edge by edge, so that each of its cells is as long as the edge and as
thin as the layer. Where a boundary turns too sharply for its edges, layers are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon

__all__ = ["GROWTH", "depths", "inward"]

GROWTH = 1.6
"""Each layer is so many times as thick as the one outside it."""
SHRINK = 0.5
"""Edges of the innermost layer are at least so long, over those of the boundary."""

Floats = NDArray[np.float64]


def depths(first: float, number: int) -> tuple[float, ...]:
    """How deep below the surface each layer ends."""
    return tuple(np.cumsum(first * GROWTH ** np.arange(number)).tolist())


def inward(ring: Floats, below: Sequence[float]) -> list[Floats]:
    """The boundary moved inwards by each depth, vertex by vertex; none where that does not fit.

    Parameters
    ----------
    ring : (n, 2) array
        Vertices of a polygon in order, either way round, the first not repeated.
    below : sequence of float
        Increasing.

    Returns
    -------
    list of (n, 2) arrays
        As many as depths, or none.
    """
    signed = Polygon(ring).exterior.is_ccw
    ahead = np.roll(ring, -1, axis=0) - ring
    length = np.linalg.norm(ahead, axis=1)
    along = ahead / length[:, None]
    normal = np.column_stack((-along[:, 1], along[:, 0])) * (1.0 if signed else -1.0)
    before = np.roll(normal, 1, axis=0)
    # moved along the bisector so far that both edges are moved by the depth
    way = (normal + before) / (1.0 + np.sum(normal * before, axis=1))[:, None]
    found = []
    for depth in below:
        moved = ring + depth * way
        edges = np.sum((np.roll(moved, -1, axis=0) - moved) * along, axis=1)
        if (edges < SHRINK * length).any() or not Polygon(moved).is_valid:
            return []
        found.append(moved)
    return found
