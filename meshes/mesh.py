"""A crystal whose mesh another program has made: a section of triangles with named parts.

Names: the region ``crystal``; the lines ``bare`` and, where rock salt covers the surface,
``rock_salt``. Cells of second order keep their curved sides; those of first order stay straight.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from nmcsim.case import readymade, topology
from nmcsim.case.outline import Smooth
from nmcsim.case.readymade import ReadyMade, add_to_gmsh, read_mesh, refuse_names, wrong_mesh
from nmcsim.case.section import InputFile, all_wrong, wrong
from nmcsim.case.shape import Patches, Shape
from nmcsim.errors import InputError

METRE = 1e-6


class ReadyMadeCrystal(Shape):
    """A crystal meshed elsewhere."""

    name: ClassVar[str] = "mesh"

    mesh: InputFile = Field(description="File of the mesh: .msh, .vtu or .xdmf.")
    unit: str = Field(description='Of its coordinates, such as "um".')

    @property
    def dimension(self) -> int:
        return 2

    @cached_property
    def _read(self) -> ReadyMade:
        found = read_mesh(self.mesh, self.unit)
        if found.dimension == 3:
            raise wrong_mesh(
                self.mesh,
                "is solid; a ready-made crystal is a plane section, and its height stands in the"
                " case",
            )
        refuse_names(found, ("crystal",), ("bare", "rock_salt"), ("crystal", "bare"))
        return found

    @cached_property
    def _surface(self) -> tuple[Smooth, Patches]:
        """The outline, and the parts of it that the mesh calls rock salt."""
        found = self._read
        points, groups = readymade.of_order(found, 2)
        cells = groups["crystal"].cells
        turned = topology.measures(points, cells[:, :3]) < 0.0
        cells[turned] = cells[turned][:, [0, 2, 1, 5, 4, 3]]
        edges = np.concatenate([cells[:, [i, j, 3 + k]] for k, (i, j) in enumerate(_SIDES)])
        edges = edges[topology.among(edges[:, :2], topology.exterior(cells[:, :3]))]
        lines = {n: g.cells[:, :2] for n, g in groups.items() if g.dimension == 1}
        covered = topology.among(edges[:, :2], lines.get("rock_salt", np.zeros((0, 2), int)))
        named = covered | topology.among(edges[:, :2], lines["bare"])
        if not named.all():
            raise wrong_mesh(
                self.mesh,
                f"leaves {np.sum(~named)} of the {len(named)} sides on its surface without a name;"
                " put them into the groups bare or rock_salt",
            )
        inside = sum(int(np.sum(~topology.among(own, edges[:, :2]))) for own in lines.values())
        if inside:
            raise wrong_mesh(
                self.mesh, f"has {inside} lines in bare or rock_salt that lie inside the crystal"
            )
        rings = topology.loops(edges[:, :2])
        if len(rings) != 1:
            raise wrong_mesh(
                self.mesh, f"has {len(rings)} closed curves around its crystal; it must have one"
            )
        ring = rings[0]
        vertices = METRE * points[edges[ring][:, [0, 2]].ravel(), :2]
        outline = Smooth(vertices)
        starts = outline.s_of_point(vertices[::2])
        starts[0] = 0.0
        return outline, _intervals(starts, covered[ring])

    @property
    def outline(self) -> Smooth:
        return self._surface[0]

    @property
    def own_patches(self) -> Patches:
        return self._surface[1]

    @property
    def cell_sizes(self) -> tuple[float, float, float]:
        """Typical sizes of the cells inside, and of the sides on the surface [m]."""
        found = self._read
        cells = found.groups["crystal"].cells[:, :3]
        areas = np.abs(topology.measures(found.points, cells))
        inside = METRE * float(np.sqrt(4.0 / np.sqrt(3.0) * np.median(areas)))
        sides = found.groups["bare"].cells[:, :2]
        ends = found.points[sides]
        surface = METRE * float(np.median(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)))
        return inside, min(surface, inside), min(surface, inside)

    @property
    def notes(self) -> tuple[str, ...]:
        order = 2 if self._read.groups["crystal"].cells.shape[1] == 6 else 1
        sides = "curved as they are there" if order == 2 else "straight"
        return (f"cells of {self.mesh.name}; their sides are {sides}",)

    @property
    def inputs(self) -> bytes:
        return self.mesh.read_bytes()

    @property
    def sources(self) -> tuple[Path, ...]:
        return *super().sources, Path(readymade.__file__), Path(topology.__file__)

    def scaled(self, factor: float) -> Self:
        """The same crystal: its cells are what they are."""
        return self

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        add_to_gmsh(gmsh, self._read, self.order)

    def mesh_now(self, gmsh: ModuleType) -> None:
        """There is nothing to mesh."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for key in ("cell_size", "surface_cell_size", "patch_end_cell_size"):
            if getattr(self, key) is not None:
                raise wrong("has no effect on a mesh that is ready; remove it", key=key)
        try:
            self._surface  # noqa: B018 - what is wrong with the file shows now
        except InputError as error:
            raise all_wrong(error.mistakes) from None
        return self


_SIDES = ((0, 1), (1, 2), (2, 0))


def _intervals(starts: np.ndarray, covered: np.ndarray) -> Patches:
    """Intervals of fractions from sides in order, each with its start and whether it is covered."""
    n = len(starts)
    if covered.all() or not covered.any():
        return ((0.0, 1.0),) if covered.any() else ()
    begins = [i for i in range(n) if covered[i] and not covered[i - 1]]
    found = []
    for i in begins:
        k = i
        while covered[k % n]:
            k += 1
        s0, s1 = float(starts[i]), float(starts[k % n])
        found.append((s0, s1 if s1 > s0 else s1 + 1.0))
    return tuple(sorted(found))
