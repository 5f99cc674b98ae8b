"""Binder among disks: the space between them in pieces, and which of these are filled.

Straight lines from disk to disk, along the line of their centres, cut the space between disks into
pores. In each pore a coat follows the disks, and a core remains where there is room. Binder fills
whole pieces, a core only inside its coats. So its outline meets every disk at a right angle, and no
acute wedge is left between binder and particle: such a wedge is what ruins a mesh. Lengths are
micrometres.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Delaunay, QhullError
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from nmcsim.case.packing import Disks
from nmcsim.case.partition import GRID

SPREAD = math.radians(18.0)
"""Cuts that leave a disk are at least this angle apart."""
ROUND_SEGMENTS = 64
"""Vertices of a quarter of a rounded corner."""
SMALLEST = 20.0
"""Cores of a smaller area, in squares of their least radius, are filled with their coats."""
BRIDGED = 2
"""Cores with no more coats are bridges between two disks, and not pores."""
ENOUGH, GOOD = 0.002, 0.01
"""A search ends when binder share and coverage are missed by less than the first; none follows one
that came below the second."""
TRIES, SEARCHES = 25, 10
"""Steps of one search for each piece, and searches that are made before giving up."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """A part of the space between disks.

    Attributes
    ----------
    area : Polygon
    beside : frozenset of int
        Pieces that share a boundary with it, long enough for binder to go on.
    covers : mapping of int to float
        Disks that it touches, each with the length of their common boundary.
    grounded : bool
        Whether it touches the layer of binder on the collector.
    coats : frozenset of int
        Of a core: the pieces that must be filled before it.
    """

    area: Polygon
    beside: frozenset[int]
    covers: dict[int, float]
    grounded: bool
    coats: frozenset[int]


@dataclass(frozen=True)
class Space:
    """A packing cut into areas whose boundaries are brought together.

    Attributes
    ----------
    disks : tuple of Polygon
    necks : geometry
    pieces : tuple of Piece
        All that is neither disk nor neck.
    """

    disks: tuple[Polygon, ...]
    necks: BaseGeometry
    pieces: tuple[Piece, ...]


def cut(
    disks: Disks,
    solid: Sequence[Polygon],
    necks: BaseGeometry,
    box: Polygon,
    clear: float,
    coat: float,
) -> Space:
    """Disks, their necks, and the space between them in pieces that binder may fill.

    Parameters
    ----------
    disks : Disks
    solid : sequence of Polygon
        The disks as polygons.
    necks : geometry
        The necks between them.
    box : Polygon
        A rectangle; its lower side is the layer of binder.
    clear : float
        Cuts keep this distance from disks that they do not end at; no core is narrower.
    coat : float
        Thickness of coats.
    """
    outside = shapely.difference(necks, shapely.union_all(list(solid)))
    cuts = _cuts(disks, outside, box, clear, coat)
    cores = _cores(disks, box, 0.5 * clear, coat)
    outlines = [area.boundary for area in solid]
    drawn = [*outlines, necks.boundary, box.boundary, cores.boundary, *cuts]
    lines = shapely.unary_union(drawn, grid_size=GRID)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    faces = faces[shapely.area(faces) > GRID**2]
    middles = shapely.point_on_surface(faces)
    own = shapely.STRtree(middles)
    # taken from what is drawn here, so that boundaries agree to the last digit
    within = [own.query(area, "contains") for area in solid]
    taken = np.zeros(len(faces), dtype=bool)
    taken[np.concatenate(within)] = True
    in_neck = shapely.within(middles, necks) & ~taken
    free = shapely.within(middles, box) & ~taken & ~in_neck
    return Space(
        tuple(shapely.coverage_union_all(faces[found]) for found in within),
        shapely.coverage_union_all(faces[in_neck]),
        _linked(faces[free], shapely.within(middles[free], cores), outlines, box, clear),
    )


def _linked(
    faces: NDArray[np.object_],
    is_core: NDArray[np.bool_],
    outlines: Sequence[LineString],
    box: Polygon,
    clear: float,
) -> tuple[Piece, ...]:
    rims = shapely.boundary(faces)
    beside: list[set[int]] = [set() for _ in faces]
    coats: list[set[int]] = [set() for _ in faces]
    for a, b in zip(*shapely.STRtree(rims).query(rims, "intersects"), strict=True):
        length = _common(rims[a], rims[b]) if a != b else 0.0
        if length > 0.5 * clear:
            beside[a].add(int(b))
        if length > 0.0 and is_core[a] and not is_core[b]:
            coats[a].add(int(b))
    covers: list[dict[int, float]] = [{} for _ in faces]
    for face, disk in zip(*shapely.STRtree(outlines).query(rims, "intersects"), strict=True):
        length = _common(rims[face], outlines[disk])
        if length > 0.0:
            covers[face][int(disk)] = length
    x0, y0, x1, _ = box.bounds
    floor = LineString([(x0, y0), (x1, y0)])
    return tuple(
        Piece(
            face,
            frozenset(beside[i]),
            covers[i],
            _common(rims[i], floor) > 0.5 * clear,
            frozenset(coats[i]),
        )
        for i, face in enumerate(faces)
    )


def _cores(disks: Disks, box: Polygon, radius: float, coat: float) -> BaseGeometry:
    """Where the next disk is farther than a coat, without corners sharper than `radius`."""
    x0, y0, x1, y1 = box.bounds
    whole = disks.centres
    mirrored = [whole]
    # images in the sides: what is rounded there meets the sides at right angles
    for axis, side in ((0, x0), (0, x1), (1, y0), (1, y1)):
        image = whole.copy()
        image[:, axis] = 2.0 * side - image[:, axis]
        mirrored.append(image)
    coated = shapely.buffer(
        shapely.points(np.concatenate(mirrored)),
        np.tile(disks.radii + coat, len(mirrored)),
        quad_segs=ROUND_SEGMENTS,
    )
    far = 2.0 * (coat + float(disks.radii.max()))
    void = shapely.difference(box.buffer(far, join_style="mitre"), shapely.union_all(coated))
    opened = void.buffer(-radius, quad_segs=ROUND_SEGMENTS).buffer(radius, quad_segs=ROUND_SEGMENTS)
    parts = shapely.get_parts(shapely.intersection(opened, box))
    return shapely.union_all(parts[shapely.area(parts) > SMALLEST * radius**2])


def _common(a: BaseGeometry, b: BaseGeometry) -> float:
    return float(shapely.intersection(a, b, grid_size=GRID).length)


def _cuts(
    disks: Disks, necks: BaseGeometry, box: Polygon, clear: float, coat: float
) -> list[BaseGeometry]:
    """Lines between disks, and from disks to the sides of the box, the shortest first.

    Where coats do not meet, two parallel lines leave a strip that binder may bridge.
    """
    x, r = disks.centres, disks.radii
    x0, y0, x1, y1 = box.bounds
    candidates = [(i, j, x[j], float(r[j]), 2.0 * coat) for i, j in _edges(x)]
    for i, (px, py) in enumerate(x.tolist()):
        candidates.append((i, -1, np.array([px, y0]), 0.0, coat))
        for foot in ((x0, py), (x1, py), (px, y1)):
            candidates.append((i, -1, np.array(foot), 0.0, math.inf))
    length = [math.dist(x[i], end) - r[i] - other for i, _, end, other, _ in candidates]
    circles = shapely.buffer(shapely.points(x), r)
    used: list[list[float]] = [[] for _ in r]
    for i, j in disks.contacts:
        used[i].append(_direction(x[i], x[j]))
        used[j].append(_direction(x[j], x[i]))
    found: list[BaseGeometry] = []
    outside: list[BaseGeometry] = [necks]
    for k in np.argsort(length, kind="stable").tolist():
        i, j, end, _, coats = candidates[k]
        out, back = _direction(x[i], end), _direction(end, x[i])
        line = LineString([x[i], end])
        area = line.buffer(0.5 * coat, cap_style="flat") if length[k] > coats + clear else line
        ends = [i, j] if j >= 0 else [i]
        visible = shapely.difference(area, shapely.union_all(circles[ends]))
        if (
            length[k] >= clear * (1.0 - 1e-3)
            and _apart(out, used[i])
            and (j < 0 or _apart(back, used[j]))
            and np.all(shapely.distance(visible, np.delete(circles, ends)) > 0.99 * clear)
            and not np.any(shapely.distance(visible, np.array(outside)) < 0.5 * clear)
        ):
            sides = (line.offset_curve(0.5 * coat), line.offset_curve(-0.5 * coat))
            found += [line] if area is line else list(sides)
            outside.append(visible)
            used[i].append(out)
            if j >= 0:
                used[j].append(back)
    return found


def _edges(x: Floats) -> list[tuple[int, int]]:
    """Pairs of neighbouring points."""
    try:
        corners = Delaunay(x).simplices
    except (QhullError, ValueError):  # too few points, or all on a line
        return list(combinations(range(len(x)), 2))
    return sorted({(int(min(p)), int(max(p))) for t in corners for p in combinations(t, 2)})


def _direction(a: Floats, b: Floats) -> float:
    return math.atan2(float(b[1] - a[1]), float(b[0] - a[0]))


def _apart(angle: float, others: Sequence[float]) -> bool:
    return all(
        abs((angle - other + math.pi) % (2 * math.pi) - math.pi) > SPREAD for other in others
    )


@dataclass(frozen=True)
class Wanted:
    """What the filled pores are to add up to.

    Attributes
    ----------
    area : float
        Of binder between disks.
    covered : float
        Length of disks' boundaries under binder.
    perimeter : float
        Of all disks.
    whole : float
        Area that a share of binder refers to.
    trees : tuple of frozenset of int
        Of each tree of disks in contact, one at least is to touch binder.
    """

    area: float
    covered: float
    perimeter: float
    whole: float
    trees: tuple[frozenset[int], ...]


def filled(found: Sequence[Piece], wanted: Wanted, rng: np.random.Generator) -> frozenset[int]:
    """Pieces to fill with binder, all connected with the layer on the collector.

    A random search: pieces are filled or emptied one by one, and steps that lead away from what is
    wanted become rarer and rarer.
    """
    areas = np.array([piece.area.area for piece in found]) / wanted.whole
    covers = np.array([sum(piece.covers.values()) for piece in found]) / wanted.perimeter
    asked = np.array([wanted.area / wanted.whole, wanted.covered / wanted.perimeter])

    def miss(chosen: set[int]) -> float:
        """How far a choice is from what is wanted; a tree without binder counts most."""
        touched = {disk for i in chosen for disk in found[i].covers}
        lonely = sum(tree.isdisjoint(touched) for tree in wanted.trees)
        own = sorted(chosen)
        has = np.array([areas[own].sum(), covers[own].sum()])
        return float(np.abs(has - asked).sum() + 0.2 * lonely)

    best, least = frozenset[int](), miss(set())
    for _ in range(SEARCHES):
        chosen = _to_each(found, wanted.trees, rng)
        now = miss(chosen)
        for step in range(TRIES * len(found)):
            if least < ENOUGH:
                return best
            other = _changed(found, chosen, rng)
            cost = miss(other)
            warmth = 0.05 * (1.0 - step / (TRIES * len(found))) ** 2
            if cost <= now or rng.random() < math.exp((now - cost) / (warmth + 1e-9)):
                chosen, now = other, cost
                if cost < least:
                    best, least = frozenset(chosen), cost
        if least < GOOD:
            break
    return best


def _to_each(
    found: Sequence[Piece], trees: Sequence[frozenset[int]], rng: np.random.Generator
) -> set[int]:
    """Coats and bridges from the layer to every tree of disks, each on its shortest way."""
    passable = {i for i, piece in enumerate(found) if len(piece.coats) <= BRIDGED}
    grounded = {i for i in passable if found[i].grounded}
    chosen: set[int] = set()
    for k in rng.permutation(len(trees)).tolist():
        ways: dict[int, int | None] = dict.fromkeys(sorted(chosen | grounded))
        queue = deque(ways)
        while queue:
            i = queue.popleft()
            if not trees[k].isdisjoint(found[i].covers):
                step: int | None = i
                while step is not None:
                    chosen |= {step, *found[step].coats}
                    step = ways[step]
                break
            for beside in sorted(found[i].beside & passable - set(ways)):
                ways[beside] = i
                queue.append(beside)
    return chosen


def _changed(found: Sequence[Piece], chosen: set[int], rng: np.random.Generator) -> set[int]:
    """One piece more or less: cores stay in their coats, and all connected with the layer."""
    if rng.random() < 0.5 or not chosen:
        edge = [
            i
            for i, piece in enumerate(found)
            if i not in chosen
            and piece.coats <= chosen
            and (piece.grounded or not piece.beside.isdisjoint(chosen))
        ]
        return chosen | {edge[int(rng.integers(len(edge)))]} if edge else chosen
    ordered = sorted(chosen)
    without = chosen - {ordered[int(rng.integers(len(ordered)))]}
    keeps_coats = all(found[i].coats <= without for i in without)
    return without if keeps_coats and _connected(found, without) else chosen


def _connected(found: Sequence[Piece], chosen: set[int]) -> bool:
    """Whether all chosen pieces are connected with the layer on the collector."""
    reached = {i for i in chosen if found[i].grounded}
    queue = list(reached)
    while queue:
        new = (found[queue.pop()].beside & chosen) - reached
        reached |= new
        queue += new
    return len(reached) == len(chosen)


def visible(disks: Disks) -> tuple[bool, ...]:
    """Which disks are seen from above: half of their width at least is under no other."""
    (x, y), r = disks.centres.T, disks.radii
    ends = np.stack([np.stack([x - r, 0.0 * x], -1), np.stack([x + r, 0.0 * x], -1)], axis=1)
    widths = shapely.linestrings(ends)
    found = []
    for i, own in enumerate(widths):
        shade = shapely.union_all([widths[j] for j in np.flatnonzero(y > y[i])])
        found.append(bool(shapely.intersection(own, shade).length <= r[i]))
    return tuple(found)


def trees(number: int, contacts: Sequence[tuple[int, int]]) -> tuple[frozenset[int], ...]:
    """Groups of disks that contacts join."""
    label = list(range(number))
    for a, b in contacts:
        old, new = label[a], label[b]
        label = [new if mine == old else mine for mine in label]
    return tuple(frozenset(i for i in range(number) if label[i] == k) for k in sorted(set(label)))
