"""What a shape file draws with: an outline cut at patch ends, graded cells, named groups.

All functions are handed gmsh and work in its built-in kernel, in micrometres.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field
from scipy.spatial import cKDTree

from nmcsim.case.outline import Circle, Outline, Smooth
from nmcsim.case.rock_salt import under_rock_salt
from nmcsim.case.section import wrong
from nmcsim.case.shape import Patches

MICRO = 1e6  # micrometres per metre
GROWTH = 0.3  # cells grow by this much per unit of distance; 0.3 keeps neighbours alike
LONGEST_ARC = 0.3  # of a circle; gmsh draws arcs of less than one half
CUT = math.sqrt(12.0 / math.sqrt(3.0))  # side of a triangle that makes three cells of area 1
SAME_POINT = 1e-9  # of the length; closer fractions are one vertex


@dataclass(frozen=True)
class Section:
    """A drawn section.

    Attributes
    ----------
    face : int
        Its gmsh surface.
    curves : tuple of int
        Gmsh curves around it, counter-clockwise.
    covered : tuple of bool
        For each of these curves, whether it lies under rock salt.
    """

    face: int
    curves: tuple[int, ...]
    covered: tuple[bool, ...]


def draw_section(
    gmsh: ModuleType,
    outline: Outline,
    patches: Patches,
    sizes: tuple[float, float, float],
    z: float = 0.0,
) -> Section:
    """Draw the area inside `outline` and set its cell sizes.

    Parameters
    ----------
    gmsh : module
        With an empty model.
    outline : Outline
        [m]
    patches : tuple of (float, float)
        Intervals under rock salt; their ends become vertices.
    sizes : (float, float, float)
        Cell size inside, at the outline and at patch ends [m].
    z : float
        Where the section lies [m].
    """
    geo = gmsh.model.geo
    ends = sorted({end % 1.0 for patch in patches for end in patch})
    breaks = _breaks(outline, ends)
    points = [geo.addPoint(x, y, MICRO * z) for x, y in MICRO * outline.point(breaks)]
    centre = geo.addPoint(0.0, 0.0, MICRO * z) if isinstance(outline, Circle) else None
    pairs = list(zip(points, points[1:] + points[:1], strict=True))
    helpers = [] if centre is None else [centre]  # points that are no vertices of the mesh
    if centre is not None:
        curves = tuple(geo.addCircleArc(a, centre, b) for a, b in pairs)
    elif isinstance(outline, Smooth):
        curves, helpers = _splines(geo, outline, breaks, pairs, MICRO * z)
    else:
        curves = tuple(geo.addLine(a, b) for a, b in pairs)
    face = geo.addPlaneSurface([geo.addCurveLoop(list(curves))])
    geo.synchronize()
    gmsh.model.removeEntities([(0, helper) for helper in helpers])
    lengths = np.diff([*breaks, breaks[0] + 1.0]) * outline.length
    middles = np.array(breaks) + 0.5 * lengths / outline.length
    _grade(gmsh, curves, points, lengths, [_near(b, ends) for b in breaks], sizes)
    return Section(face, curves, tuple(under_rock_salt(middles, patches).tolist()))


def _splines(
    geo: Any,
    outline: Smooth,
    breaks: Sequence[float],
    pairs: Sequence[tuple[int, int]],
    z: float,
) -> tuple[tuple[int, ...], list[int]]:
    """Splines through the points of a smooth outline, and the points between their ends."""
    curves, helpers = [], []
    for (a, b), (s0, s1) in zip(pairs, itertools.pairwise([*breaks, breaks[0] + 1.0]), strict=True):
        inner = [geo.addPoint(x, y, z) for x, y in MICRO * outline.between(s0, s1)[1:-1]]
        curves.append(geo.addSpline([a, *inner, b]))
        helpers += inner
    return tuple(curves), helpers


def name_groups(
    gmsh: ModuleType, section: Section, lateral: Sequence[int] | None = None, dimension: int = 2
) -> None:
    """Name the region "crystal" and the surfaces "bare" and "rock_salt".

    Parameters
    ----------
    section : Section
        Its face is the region of a 2D mesh.
    lateral : sequence of int, optional
        Gmsh entities of the lateral surface, one for each curve of the section; its curves in 2D.
    dimension : int
        Dimension of the mesh.
    """
    region = section.face if dimension == 2 else gmsh.model.getEntities(3)[0][1]
    group = gmsh.model.addPhysicalGroup
    group(dimension, [region], name="crystal")
    parts = list(zip(lateral or section.curves, section.covered, strict=True))
    for name, salt in (("bare", False), ("rock_salt", True)):
        entities = [entity for entity, under in parts if under == salt]
        if entities:
            group(dimension - 1, entities, name=name)


def draw_prism(
    gmsh: ModuleType,
    outline: Outline,
    patches: Patches,
    sizes: tuple[float, float, float],
    height: float,
    layers: int,
) -> None:
    """Draw the prism over a section as hexahedra, and name its region and surfaces.

    Parameters
    ----------
    gmsh, outline, patches, sizes
        As for `draw_section`; the quadrilaterals of the section have the area of squares of that
        size.
    height : float
        Extent along z, from z = 0 [m].
    layers : int
        Number of cells over the height, even.
    """
    # Triangles are extruded and every prism is cut into six hexahedra, since DOLFINx has no facet
    # integrals on prisms. Joining triangles instead leaves quadrilaterals with two edges on the
    # circle, which degenerate when these are curved.
    inside, surface, end = (CUT * size for size in sizes)
    section = draw_section(gmsh, outline, patches, (inside, surface, end))
    gmsh.option.setNumber("Mesh.SubdivisionAlgorithm", 2)
    made = gmsh.model.geo.extrude(
        [(2, section.face)], 0.0, 0.0, MICRO * height, numElements=[layers // 2], recombine=True
    )
    gmsh.model.geo.synchronize()
    top, lateral = made[0][1], [tag for _, tag in made[2:]]
    name_groups(gmsh, section, lateral, dimension=3)
    gmsh.model.addPhysicalGroup(2, [section.face], name="bottom")
    gmsh.model.addPhysicalGroup(2, [top], name="top")


def stack_layers(gmsh: ModuleType) -> None:
    """Put the nodes of a curved prism's mesh exactly above those of its bottom, at z = 0.

    The edges that gmsh draws inside are straight where the same edges of the bottom follow the
    outline. Nodes that differ from layer to layer would break the symmetry along z.
    """
    tags, flat, _ = gmsh.model.mesh.getNodes()
    x = np.reshape(flat, (-1, 3))
    bottom = x[x[:, 2] < SAME_POINT * np.ptp(x[:, 2]), :2]
    below = cKDTree(bottom).query(x[:, :2])[1]
    for i in np.flatnonzero(np.any(x[:, :2] != bottom[below], axis=1)):
        gmsh.model.mesh.setNode(int(tags[i]), [*bottom[below[i]].tolist(), float(x[i, 2])], [])


def _even(layers: int) -> int:
    if layers % 2:
        raise wrong(f"must be even; write {layers + 1}")
    return layers


Layers = Annotated[
    int,
    Field(ge=2, le=1000, description="Number of cells over the height, even."),
    AfterValidator(_even),
]
"""A parameter of shapes that are drawn by `draw_prism`."""


def scaled_layers(layers: int, factor: float) -> int:
    """The number of layers for cells that are `factor` times as high, even."""
    return max(2, 2 * round(0.5 * layers / factor))


def _breaks(outline: Outline, ends: Sequence[float]) -> list[float]:
    """Fractions at which the drawn outline has a vertex: patch ends, corners, cuts of long arcs."""
    found: list[float] = []
    for s in sorted([*ends, *outline.corners]):
        if not _near(s, found):
            found.append(s)
    if outline.corners:
        return found
    found = found or [0.0]  # a smooth curve
    cut = []
    for s, following in itertools.pairwise([*found, found[0] + 1.0]):
        n = math.ceil((following - s) / LONGEST_ARC)
        cut += [s + (following - s) * k / n for k in range(n)]
    return cut


def _near(s: float, others: Sequence[float]) -> bool:
    return any(abs((s - other + 0.5) % 1.0 - 0.5) < SAME_POINT for other in others)


def _grade(
    gmsh: ModuleType,
    curves: Sequence[int],
    points: Sequence[int],
    lengths: np.ndarray,
    is_end: Sequence[bool],
    sizes: tuple[float, float, float],
) -> None:
    """Grow the cells from patch ends and from the outline to the middle."""
    inside, surface, end = (MICRO * size for size in sizes)
    lengths = MICRO * lengths
    rules = [_growing(gmsh, "CurvesList", curves, surface, inside, float(lengths.max()))]
    # two cells at least between neighbouring vertices, or a short piece makes slivers
    shortest = 0.5 * np.minimum(lengths, np.roll(lengths, 1))
    wanted = np.minimum(np.where(is_end, end, surface), shortest)
    for size in np.unique(wanted):
        if size < surface:
            near = [p for p, w in zip(points, wanted, strict=True) if w == size]
            rules.append(_growing(gmsh, "PointsList", near, float(size), inside))
    field = gmsh.model.mesh.field
    least = field.add("Min")
    field.setNumbers(least, "FieldsList", rules)
    field.setAsBackgroundMesh(least)


def _growing(
    gmsh: ModuleType,
    kind: str,
    entities: Sequence[int],
    size: float,
    largest: float,
    longest: float = 0.0,
) -> int:
    """A size field: `size` on the entities, growing with the distance up to `largest`."""
    field = gmsh.model.mesh.field
    distance = field.add("Distance")
    field.setNumbers(distance, kind, list(entities))
    field.setNumber(distance, "Sampling", max(20, math.ceil(4.0 * longest / size)))
    rule = field.add("Threshold")
    field.setNumber(rule, "InField", distance)
    field.setNumber(rule, "SizeMin", size)
    field.setNumber(rule, "SizeMax", largest)
    field.setNumber(rule, "DistMin", 0.0)
    field.setNumber(rule, "DistMax", max(largest - size, 1e-6 * size) / GROWTH)
    return int(rule)
