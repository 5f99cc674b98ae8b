"""Length, width and branches of cracks, by their skeleton.

The skeleton is a graph of pixels. Its length is measured along each branch on the mean of seven
pixels: the staircase of a slanting line would else be up to 8 % too long. Each free end is longer
by the half-width of the crack there, which a skeleton falls short of; side branches shorter than
the crack is wide are roughness of its edge, and no branches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cracks", "crack_metrics"]

Bool = NDArray[np.bool_]
Pixel = tuple[int, int]

MEAN = 7
"""Pixels over which the path of a branch is averaged; odd."""


@dataclass(frozen=True)
class Cracks:
    """The cracks of one image.

    Parameters
    ----------
    length : float
        Of all branches together [m].
    width : float
        Mean over the skeleton, from the distance to the crack's edge, to half a pixel [m]; NaN
        without cracks.
    area : float
        [m2].
    branches, junctions, ends : int
        Pieces of the skeleton between junctions and ends, and the numbers of these.
    pieces : int
        Cracks that do not touch.
    skeleton : (h, w) bool array
    """

    length: float
    width: float
    area: float
    branches: int
    junctions: int
    ends: int
    pieces: int
    skeleton: Bool


def crack_metrics(cracks: Bool, pixel: float) -> Cracks:
    """Measure the cracks of a binary image.

    Parameters
    ----------
    cracks : (h, w) bool array
    pixel : float
        [m].
    """
    from scipy import ndimage
    from skimage.morphology import skeletonize

    # the distance to the nearest pixel that is no crack: outside the image there is none
    depth = ndimage.distance_transform_edt(np.pad(cracks, 1))[1:-1, 1:-1]
    graph = _graph(skeletonize(cracks))
    _prune(graph, depth)
    skeleton = np.zeros(cracks.shape, dtype=bool)
    for at in graph:
        skeleton[at] = True
    branches = list(_branches(graph))
    ends = [at for at, near in graph.items() if len(near) == 1]
    alone = [at for at, near in graph.items() if not near]
    length = sum(_length(path) for path in branches)
    # half a pixel of the distance lies outside the crack
    length += sum(float(depth[at]) - 0.5 for at in ends)
    length += sum(2.0 * float(depth[at]) - 1.0 for at in alone)
    width = 2.0 * float(depth[skeleton].mean()) - 0.5 if skeleton.any() else float("nan")
    return Cracks(
        length * pixel,
        width * pixel,
        float(cracks.sum()) * pixel**2,
        len(branches) + len(alone),
        len(_joined(graph)),
        len(ends),
        int(ndimage.label(cracks, structure=np.ones((3, 3)))[1]),
        skeleton,
    )


Graph = dict[Pixel, set[Pixel]]


def _graph(skeleton: Bool) -> Graph:
    """Neighbours of each pixel; a diagonal only where no right-angled way leads there, too."""
    pixels = {(int(i), int(j)) for i, j in zip(*np.nonzero(skeleton), strict=True)}
    found: Graph = {}
    for i, j in pixels:
        near = {(i + a, j) for a in (-1, 1)} | {(i, j + b) for b in (-1, 1)}
        straight = near & pixels
        corners = {
            (i + a, j + b)
            for a in (-1, 1)
            for b in (-1, 1)
            if (i + a, j) not in straight and (i, j + b) not in straight
        }
        found[i, j] = straight | (corners & pixels)
    return found


def _joined(graph: Graph) -> list[set[Pixel]]:
    """Pixels of more than two neighbours; those that touch are one junction."""
    left = {at for at, near in graph.items() if len(near) > 2}
    found = []
    while left:
        group, new = set[Pixel](), {left.pop()}
        while new:
            group |= new
            new = {n for at in new for n in graph[at]} & left
            left -= new
        found.append(group)
    return found


def _branches(graph: Graph) -> Iterator[list[Pixel]]:
    """Paths between nodes (ends and junctions), and closed loops."""
    nodes = {at for at, near in graph.items() if len(near) != 2}
    seen: set[frozenset[Pixel]] = set()
    inner = {at: group for group in map(frozenset, _joined(graph)) for at in group}
    for node in nodes:
        for step in graph[node]:
            if frozenset((node, step)) in seen:
                continue
            if step in inner and inner.get(node) is inner[step]:
                continue  # within one junction
            yield _walk(graph, nodes, node, step, seen)
    for at in graph:  # what is left has two neighbours everywhere
        for step in graph[at]:
            if at not in nodes and frozenset((at, step)) not in seen:
                yield _walk(graph, {at}, at, step, seen)


def _walk(
    graph: Graph, stop: set[Pixel], begin: Pixel, step: Pixel, seen: set[frozenset[Pixel]]
) -> list[Pixel]:
    path = [begin, step]
    seen.add(frozenset((begin, step)))
    while path[-1] not in stop:
        ahead = [n for n in graph[path[-1]] if frozenset((path[-1], n)) not in seen]
        if not ahead:
            break
        seen.add(frozenset((path[-1], ahead[0])))
        path.append(ahead[0])
    return path


def _length(path: list[Pixel]) -> float:
    """Of a path [px], after a running mean that leaves its ends where they are."""
    points = np.array(path, dtype=np.float64)
    smooth = points.copy()
    reach = MEAN // 2
    total = np.vstack((np.zeros((1, 2)), np.cumsum(points, axis=0)))
    for k in range(len(points)):
        r = min(reach, k, len(points) - 1 - k)
        smooth[k] = (total[k + r + 1] - total[k - r]) / (2 * r + 1)
    return float(np.hypot(*np.diff(smooth, axis=0).T).sum())


def _prune(graph: Graph, depth: NDArray[np.float64]) -> None:
    """Take away side branches that are shorter than the crack is wide where they leave it."""
    while True:
        short: dict[Pixel, tuple[float, list[Pixel]]] = {}
        for path in _branches(graph):
            tips = [at for at in (path[0], path[-1]) if len(graph[at]) == 1]
            if len(tips) != 1:
                continue
            root = path[-1] if tips[0] == path[0] else path[0]
            length = _length(path)
            known = short[root][0] if root in short else np.inf
            # the shortest of each junction first: what it leaves may be one longer branch
            if len(graph[root]) > 2 and length < min(1.5 * float(depth[root]) + 1.0, known):
                short[root] = (length, path)
        if not short:
            return
        for root, (_, path) in short.items():
            for at in path:
                if at != root:
                    for near in graph.pop(at):
                        graph[near].discard(at)
