"""Sides of cells, and what meets at them: numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def measures(points: Floats, cells: Ints) -> Floats:
    """Signed areas of triangles or volumes of tetrahedra, shape (c,)."""
    first = points[cells[:, 0]]
    dimension = cells.shape[1] - 1
    edges = np.stack([points[cells[:, k]] - first for k in range(1, dimension + 1)], axis=1)[
        ..., :dimension
    ]
    found: Floats = np.linalg.det(edges) / (2.0 if dimension == 2 else 6.0)
    return found


def sides(cells: Ints) -> tuple[Ints, Ints]:
    """All sides of simplices, each as often as cells have it, with the number of its cell.

    Returns
    -------
    (s, k) and (s,) int arrays
        Corners in ascending order.
    """
    n = cells.shape[1]
    corners = [np.delete(np.arange(n), k) for k in range(n)]
    found = np.concatenate([np.sort(cells[:, own], axis=1) for own in corners])
    return found, np.tile(np.arange(len(cells)), n)


def exterior(cells: Ints) -> Ints:
    """Sides that one cell alone has, corners ascending, shape (s, k)."""
    found, count = np.unique(sides(cells)[0], axis=0, return_counts=True)
    outside: Ints = found[count == 1]
    return outside


def meeting(cells: Ints, region: Ints) -> set[tuple[int, int]]:
    """Pairs of regions, the smaller number first, whose cells share sides."""
    found, cell = sides(cells)
    _, number = np.unique(found, axis=0, return_inverse=True)
    order = np.argsort(number, kind="stable")
    same = np.flatnonzero(np.diff(number[order]) == 0)
    pairs = np.sort(region[cell[np.stack([order[same], order[same + 1]], axis=1)]], axis=1)
    return {(int(a), int(b)) for a, b in np.unique(pairs, axis=0) if a != b}


def pieces(cells: Ints) -> Ints:
    """To which connected piece each cell belongs, through shared sides, shape (c,)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    found, cell = sides(cells)
    _, number = np.unique(found, axis=0, return_inverse=True)
    order = np.argsort(number, kind="stable")
    same = np.flatnonzero(np.diff(number[order]) == 0)
    a, b = cell[order[same]], cell[order[same + 1]]
    graph = coo_matrix((np.ones(len(a)), (a, b)), shape=(len(cells),) * 2)
    label: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return label


def loops(edges: Ints) -> list[Ints]:
    """Closed curves of directed edges, shape (e, 2); each as indices of its edges in order."""
    start = {int(a): i for i, (a, _) in enumerate(edges.tolist())}
    left, found = set(range(len(edges))), []
    while left:
        first = min(left)
        chain: list[int] = []
        at: int | None = first
        while at is not None and at in left:
            left.discard(at)
            chain.append(at)
            at = start.get(int(edges[at, 1]))
        found.append(np.array(chain))
    return found


def among(these: Ints, those: Ints) -> NDArray[np.bool_]:
    """Which rows of `these` occur in `those`; corners in any order."""
    known = set(map(tuple, np.sort(those, axis=1).tolist()))
    return np.array([row in known for row in map(tuple, np.sort(these, axis=1).tolist())], bool)


def centroid(points: Floats, cells: Ints) -> Sequence[float]:
    """Centre of the cells, of as many coordinates as they have dimensions."""
    dimension = cells.shape[1] - 1
    weights = np.abs(measures(points, cells))
    middles = points[cells].mean(axis=1)[:, :dimension]
    found: list[float] = (weights @ middles / weights.sum()).tolist()
    return found
