"""A plane through a mesh of tetrahedra, as a picture of triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Cut", "cut_at"]

Array = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cut:
    """Points on edges of a mesh, joined to triangles.

    Parameters
    ----------
    nodes : (n, 2) array
        Positions in the plane [m].
    triangles : (m, 3) int array
        Counter-clockwise.
    cells : (m,) int array
        The cell in which each triangle lies.
    ends : (n, 2) int array
        Nodes of the mesh between which each point lies; twice the same where it is one of them.
    share : (n,) array
        How far from the first to the second.
    """

    nodes: Array
    triangles: Int
    cells: Int
    ends: Int
    share: Array

    def of(self, values: npt.NDArray[np.floating]) -> Array:
        """Values (..., n) at the points of the plane from nodal values (..., nodes)."""
        before, after = values[..., self.ends[:, 0]], values[..., self.ends[:, 1]]
        return np.asarray((1.0 - self.share) * before + self.share * after)


def cut_at(nodes: Array, cells: Int, y: float) -> Cut:
    """Cut tetrahedra along the plane of all points with the second coordinate ``y``.

    Parameters
    ----------
    nodes : (n, 3) array
        [m].
    cells : (c, 4) int array
    y : float
        [m].

    Returns
    -------
    Cut
        In x and z; empty where the plane meets no cell. A face in the plane belongs to the cell
        below it alone.
    """
    height = nodes[:, 1] - y
    size = float(np.ptp(nodes, axis=0).max(initial=0.0))
    height[np.abs(height) < 1e-9 * size] = 0.0
    above = height[cells] >= 0.0
    pairs: list[Int] = []
    owners: list[Int] = []
    for count, corners in _CORNERS.items():
        owner = np.flatnonzero(above.sum(axis=1) == count)
        # the corners below first, each side in its own order
        order = np.argsort(above[owner], axis=1, kind="stable")
        sorted_cells = cells[owner][np.arange(owner.size)[:, None], order]
        for triangle in corners:
            pairs.append(sorted_cells[:, np.array(triangle)])  # (t, 3, 2): below, above
            owners.append(owner)
    edges = np.concatenate(pairs).reshape(-1, 2)
    on_plane = height[edges[:, 1]] == 0.0
    edges[on_plane, 0] = edges[on_plane, 1]  # one node, whichever edge led to it
    # one number for each pair, as sorting pairs takes most of the time of a cut
    codes, number = np.unique(
        edges[:, 0].astype(np.int64) * len(nodes) + edges[:, 1], return_inverse=True
    )
    ends = np.column_stack(np.divmod(codes, len(nodes)))
    triangles, owner = number.reshape(-1, 3), np.concatenate(owners)
    a, b = height[ends[:, 0]], height[ends[:, 1]]
    share = np.divide(a, a - b, out=np.zeros(len(ends)), where=a != b)
    flat = nodes[:, [0, 2]]
    points = (1.0 - share)[:, None] * flat[ends[:, 0]] + share[:, None] * flat[ends[:, 1]]
    i, j, k = triangles.T
    whole = (i != j) & (j != k) & (k != i)
    triangles, owner = triangles[whole], owner[whole]
    first, second = (points[triangles[:, n]] - points[triangles[:, 0]] for n in (1, 2))
    turned = first[:, 0] * second[:, 1] < first[:, 1] * second[:, 0]
    triangles[turned] = triangles[turned][:, ::-1]
    used, number = np.unique(triangles, return_inverse=True)
    return Cut(points[used], number.reshape(-1, 3), owner, ends[used], share[used])


_CORNERS: dict[int, list[list[tuple[int, int]]]] = {
    1: [[(0, 3), (1, 3), (2, 3)]],
    2: [[(0, 2), (0, 3), (1, 3)], [(0, 2), (1, 3), (1, 2)]],
    3: [[(0, 1), (0, 2), (0, 3)]],
}
"""Edges at the corners of the triangles of a cell, by its number of corners above the plane."""
