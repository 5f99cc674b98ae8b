"""A cross-section cut into regions: one planar partition that all of them share.

Regions come in as polygons with many vertices, as smooth as they are meant. Their boundaries are
brought together on one grid, cut at corners and wherever three regions meet, and then drawn again
with edges as long as the cells there should be: each edge of the partition is one edge of the mesh.
Lengths are micrometres.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely import LineString, MultiLineString, Polygon
from shapely.geometry.base import BaseGeometry

from nmcsim.case.layers import inward
from nmcsim.errors import InputError, Mistake

GRID = 1e-4
"""Coordinates are rounded to this: regions that meant to touch do."""
SAME = 10.0 * GRID
"""Vertices closer than this are one."""
GROWTH = 0.4
"""Cells grow by this much per unit of distance."""
CORNER = np.deg2rad(30.0)
"""Boundaries that turn by more have a corner, which stays a vertex."""
WINDOW = 0.04
"""Over this distance to both sides a boundary's direction is taken."""
SHORTEST = 0.08
"""A piece of boundary between two corners is at least so long, or cells degenerate."""
OUTSIDE = ""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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


@dataclass(frozen=True)
class Corners:
    """Where boundaries have corners.

    Attributes
    ----------
    turn : float
        A boundary that turns by more within `WINDOW` has one [rad].
    join : float
        Those nearer along a boundary than this are made one; 0 where they are refused.
    """

    turn: float
    join: float


DRAWN = Corners(CORNER, 0.0)
"""Of regions that parameters draw: who draws them can part corners."""
MEASURED = Corners(np.deg2rad(80.0), 2.0 * SHORTEST)
"""Of regions that come from an image: smooth but for the box. Cells are as small as bends and thin
parts ask for."""


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


def disjoint(ordered: Sequence[tuple[str, BaseGeometry]]) -> dict[str, BaseGeometry]:
    """Regions that do not overlap: each place belongs to the first area that covers it.

    Parameters
    ----------
    ordered : sequence of (str, geometry)
        Names and areas, the first of most weight; a name may occur again. The last one is the
        whole, and nothing beyond it counts.
    """
    names, areas = zip(*ordered, strict=True)
    # all boundaries meet on one grid at once: what is cut one by one differs by slivers
    lines = shapely.unary_union([area.boundary for area in areas], grid_size=GRID)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    faces = faces[shapely.area(faces) > GRID**2]
    inside, owner = shapely.STRtree(areas).query(shapely.point_on_surface(faces), "within")
    first = np.full(len(faces), len(areas))
    np.minimum.at(first, inside, owner)
    within = np.isin(np.arange(len(faces)), inside[owner == len(areas) - 1])
    found = {}
    for name in dict.fromkeys(names):
        own = [i for i, other in enumerate(names) if other == name]
        mine = faces[within & np.isin(first, own)]
        if len(mine):
            found[name] = shapely.coverage_union_all(mine)
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
    arcs = [piece for arc in _merged(_contracted(lines)) for piece in _cut_at_corners(arc, corners)]
    sides = _sides(arcs, regions)
    if corners.join:
        arcs, sides = _joined_corners(arcs, sides, corners.join)
    _refuse_short(arcs)
    samples = [_sampled(arc, 0.25 * sizes.interface) for arc in arcs]
    wanted = _wanted(arcs, samples, sides, fine, sizes, corners)
    drawn = [_redrawn(x, h) for x, h in zip(samples, wanted, strict=True)]
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


def draw(gmsh: ModuleType, cut: Partition, surfaces: Mapping[str, float]) -> None:
    """Draw a partition in gmsh's current model, name its regions and surfaces, set cell sizes.

    Parameters
    ----------
    surfaces : mapping of str to float
        Names of horizontal parts of the outer boundary, each with its y.
    """
    geo = gmsh.model.geo
    points = [geo.addPoint(x, y, 0.0) for x, y in cut.points]
    lines = [geo.addLine(points[a], points[b]) for a, b in cut.edges]
    between = {}
    for line, (a, b) in zip(lines, cut.edges.tolist(), strict=True):
        between[a, b], between[b, a] = line, -line
    faces: dict[str, list[int]] = {}
    added: list[_Strip] = []
    sizes = cut.sizes.tolist()
    for name, found in cut.rings.items():
        faces[name] = []
        for face, layers in zip(found, cut.layers.get(name, ([],) * len(found)), strict=True):
            loops = [[between[pair] for pair in _around(ring)] for ring in face]
            corners = [points[i] for i in face[0].tolist()]
            for moved in layers:
                strip = _strip(geo, loops[0], corners, moved)
                loops[0], corners = strip.loop, strip.corners
                faces[name] += strip.surfaces
                added.append(strip)
            if layers:  # cells go on as long as the edges of the innermost layer
                points += corners
                sizes += [sizes[i] for i in face[0].tolist()]
            faces[name].append(geo.addPlaneSurface([geo.addCurveLoop(loop) for loop in loops]))
    geo.synchronize()
    mesh = gmsh.model.mesh
    for line in [*lines, *(line for strip in added for line in strip.lines)]:
        mesh.setTransfiniteCurve(line, 2)
    for surface in (surface for strip in added for surface in strip.surfaces):
        mesh.setTransfiniteSurface(surface, "Alternate")
    for name, tags in faces.items():
        gmsh.model.addPhysicalGroup(2, tags, name=name)
    for name, y in surfaces.items():
        level = np.all(np.abs(cut.points[cut.edges][:, :, 1] - y) < GRID, axis=1)
        gmsh.model.addPhysicalGroup(1, [lines[i] for i in np.flatnonzero(level)], name=name)
    _grade(gmsh, np.array(sizes), cut.inside, points)


@dataclass(frozen=True)
class _Strip:
    """A closed strip of cells: surfaces and lines, and the loop and corners on its inner side."""

    surfaces: list[int]
    lines: list[int]
    loop: list[int]
    corners: list[int]


def _strip(geo: Any, loop: Sequence[int], corners: Sequence[int], moved: Floats) -> _Strip:
    """Cells between a loop of lines and the same loop moved inwards, one for each line."""
    n = len(loop)
    inner = [geo.addPoint(x, y, 0.0) for x, y in moved]
    across = [geo.addLine(a, b) for a, b in zip(corners, inner, strict=True)]
    along = [geo.addLine(inner[i], inner[(i + 1) % n]) for i in range(n)]
    surfaces = [
        geo.addPlaneSurface(
            [geo.addCurveLoop([loop[i], across[(i + 1) % n], -along[i], -across[i]])]
        )
        for i in range(n)
    ]
    return _Strip(surfaces, [*across, *along], along, inner)


def _around(ring: Ints) -> list[tuple[int, int]]:
    closed = [*ring.tolist(), int(ring[0])]
    return list(itertools.pairwise(closed))


def _grade(gmsh: ModuleType, sizes: Floats, inside: float, points: Sequence[int]) -> None:
    """Cells grow from the edges of the partition, which are as long as cells there should be."""
    field = gmsh.model.mesh.field
    level = np.round(np.log(sizes) / np.log(1.15)).astype(int)
    rules = []
    for step in np.unique(level):
        size = min(float(sizes[level == step].mean()), inside)
        distance, rule = field.add("Distance"), field.add("Threshold")
        field.setNumbers(
            distance, "PointsList", [points[i] for i in np.flatnonzero(level == step).tolist()]
        )
        field.setNumber(rule, "InField", distance)
        field.setNumber(rule, "SizeMin", size)
        field.setNumber(rule, "SizeMax", inside)
        # half an edge away from a vertex is still the edge
        field.setNumber(rule, "DistMin", 0.5 * size)
        field.setNumber(rule, "DistMax", 0.5 * size + max(inside - size, 1e-6) / GROWTH)
        rules.append(rule)
    least = field.add("Min")
    field.setNumbers(least, "FieldsList", rules)
    field.setAsBackgroundMesh(least)


def _contracted(lines: BaseGeometry) -> BaseGeometry:
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


def _merged(lines: BaseGeometry) -> list[Floats]:
    """Curves between places where three regions meet, as vertices in order."""
    merged = shapely.line_merge(lines)
    parts = merged.geoms if isinstance(merged, MultiLineString) else [merged]
    return sorted(
        (np.array(part.coords) for part in parts), key=lambda x: tuple(x[0]) + tuple(x[-1])
    )


def _cut_at_corners(arc: Floats, corners: Corners) -> list[Floats]:
    """Pieces of a curve that bend, but have no corners."""
    closed = bool(np.all(arc[0] == arc[-1]))
    turns = _turns(arc, closed)
    sharp = np.flatnonzero(turns > corners.turn).tolist()
    kept = [i for i in sharp if turns[i] == _near_max(arc, turns, i)]
    if closed and kept:
        arc = np.concatenate([arc[kept[0] :], arc[1 : kept[0] + 1]])
        kept = [i - kept[0] for i in kept[1:]]
    ends = [0, *(i for i in kept if 0 < i < len(arc) - 1), len(arc) - 1]
    return [arc[a : b + 1] for a, b in itertools.pairwise(ends)]


def _turns(arc: Floats, closed: bool) -> Floats:
    """By which angle a curve turns at each vertex, its directions taken over `WINDOW`."""
    s = _ways(arc)
    before, after = s - WINDOW, s + WINDOW
    if closed:
        before, after = before % s[-1], after % s[-1]
    behind, ahead = arc - _at(arc, s, before), _at(arc, s, after) - arc
    cross = behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]
    turns: Floats = np.abs(np.arctan2(cross, np.sum(behind * ahead, axis=1)))
    if not closed:
        turns[[0, -1]] = 0.0
    elif len(turns) > 1:
        turns[-1] = 0.0  # the first vertex again
    return turns


def _near_max(arc: Floats, turns: Floats, i: int) -> float:
    near = np.linalg.norm(arc - arc[i], axis=1) < WINDOW
    return float(turns[near].max())


def _ways(arc: Floats) -> Floats:
    """Length of a curve up to each vertex."""
    steps = np.linalg.norm(np.diff(arc, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _at(arc: Floats, s: Floats, wanted: Floats) -> Floats:
    return np.stack([np.interp(wanted, s, arc[:, k]) for k in (0, 1)], axis=-1)


def _joined_corners(
    arcs: Sequence[Floats], sides: Sequence[tuple[str, str]], join: float
) -> tuple[list[Floats], list[tuple[str, str]]]:
    """The curves, and their sides, without those shorter than `join`, whose ends are made one."""
    ends = np.concatenate([[arc[0], arc[-1]] for arc in arcs])
    nodes, number = np.unique(ends, axis=0, return_inverse=True)
    pairs = number.reshape(-1, 2)
    short = np.array([_ways(arc)[-1] < join for arc in arcs])
    same = np.arange(len(nodes))
    for a, b in pairs[short]:
        same[same == same[b]] = same[a]
    low, high = nodes.min(axis=0), nodes.max(axis=0)
    rim = np.sum((nodes == low) | (nodes == high), axis=1)
    for node in np.unique(same):
        own = same == node
        # what lies at a side or a corner of the box stays there
        nodes[own] = nodes[own & (rim == rim[own].max())].mean(axis=0)
    found = []
    for arc, (a, b) in itertools.compress(zip(arcs, pairs, strict=True), ~short):
        found.append(np.concatenate([nodes[[a]], arc[1:-1], nodes[[b]]]))
    return found, list(itertools.compress(sides, ~short))


def _refuse_short(arcs: Sequence[Floats]) -> None:
    for arc in arcs:
        length = _ways(arc)[-1]
        if length < SHORTEST:
            x, y = arc.mean(axis=0)
            raise InputError(
                Mistake(
                    "",
                    f"has two corners only {length:.2g} um apart at ({x:.2f}, {y:.2f}) um, too"
                    f" close to mesh (the least is {SHORTEST:g} um); change a gap, a coverage or an"
                    f" angle a little",
                )
            )


def _sides(arcs: Sequence[Floats], regions: Mapping[str, BaseGeometry]) -> list[tuple[str, str]]:
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


def _sampled(arc: Floats, spacing: float) -> Floats:
    """Points along a curve about `spacing` apart, with both of its ends."""
    s = _ways(arc)
    n = max(8, int(np.ceil(s[-1] / spacing)))
    found = _at(arc, s, np.linspace(0.0, s[-1], n + 1))
    found[0], found[-1] = arc[0], arc[-1]
    return found


def _wanted(
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
        size = np.minimum(min(plain, _ways(x)[-1]), room / sizes.across)
        found.append(np.minimum(size, _bends(x)) if thin else size)
    # cells must not be finer than the boundary can be resolved
    flat = np.maximum(np.concatenate(found), SHORTEST / max(2.0, sizes.across))
    flat = _graded(np.concatenate(samples), flat)
    return np.split(flat, np.cumsum([len(x) for x in samples])[:-1])


def _bends(x: Floats) -> Floats:
    """Radius of curvature at each sample of a curve."""
    way = _ways(x)
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


def _redrawn(x: Floats, h: Floats) -> tuple[Floats, Floats]:
    """A curve with edges of about the wanted sizes: its points, and the size at each."""
    s = _ways(x)
    # number of edges up to each sample
    count = np.concatenate([[0.0], np.cumsum(np.diff(s) * 0.5 * (1.0 / h[1:] + 1.0 / h[:-1]))])
    least = 6 if np.all(x[0] == x[-1]) else 1
    n = max(least, int(np.ceil(count[-1] - 0.25)))
    ways = np.interp(np.linspace(0.0, count[-1], n + 1), count, s)
    points = _at(x, s, ways)
    points[0], points[-1] = x[0], x[-1]
    lengths = np.diff(ways)
    sizes = np.maximum(np.append(lengths, lengths[-1]), np.insert(lengths, 0, lengths[0]))
    return points, sizes


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
        names = {left[pair] for ring in rings for pair in _around(ring)}
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
