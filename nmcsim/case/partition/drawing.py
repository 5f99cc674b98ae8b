"""A partition drawn in gmsh: surfaces, layers of thin cells, names and sizes of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.case.partition.cut import Partition, around
from nmcsim.case.partition.regions import GRID
from nmcsim.case.partition.sizes import GROWTH

Floats = NDArray[np.float64]


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
            loops = [[between[pair] for pair in around(ring)] for ring in face]
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
