"""What pictures need of a field: the section along c, the line of its surface, named points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from dolfinx import geometry

from nmcsim.imaging.section import Section
from nmcsim.observe.layout import Layout
from nmcsim.solve.fields import Array, Unknown

__all__ = ["Probe", "SurfaceLine", "View"]


class Outline(Protocol):
    """A closed curve parametrised by the fraction of its length."""

    def s_of_point(self, points: Array) -> Array: ...
    @property
    def length(self) -> float: ...


@dataclass(frozen=True)
class SurfaceLine:
    """The nodes of the outline, in order of their position on it.

    Parameters
    ----------
    nodes : (p,) int array
        Numbers in the section.
    position : (p,) array
        Along the outline [m].
    angle : (p,) array
        Seen from the centre [rad].
    rock_salt : (p,) bool array
        Whether the outline from this node to the next is blocked.
    """

    nodes: npt.NDArray[np.int64]
    position: Array
    angle: Array
    rock_salt: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls, section: Section, outline: Outline, patches: Sequence[tuple[float, float]]
    ) -> SurfaceLine:
        """Order the outline's nodes; ``patches`` are fractions of its length under rock salt."""
        chain = section.boundary
        s = outline.s_of_point(section.nodes[chain])
        s = np.where(s > 1.0 - 1e-9, 0.0, s)
        chain = np.roll(chain, -int(np.argmin(s)))
        s = np.sort(s)
        middle = 0.5 * (s + np.append(s[1:], s[0] + 1.0)) % 1.0
        salt = np.zeros(s.size, dtype=bool)
        for s0, s1 in patches:
            salt |= (middle - s0) % 1.0 < s1 - s0
        x, y = (section.nodes[chain] - section.centre).T
        return cls(chain, s * outline.length, np.arctan2(y, x) % (2.0 * np.pi), salt)


@dataclass(frozen=True)
class View:
    """The section of a layout seen along c, on rank 0.

    Parameters
    ----------
    layout : Layout
    index : (n,) int array
        Node of the layout at each node of the section.
    section : Section
    """

    layout: Layout
    index: npt.NDArray[np.int64]
    section: Section

    @classmethod
    def of(cls, layout: Layout) -> View:
        """The whole field in 2D; the upper basal face of an extruded particle in 3D."""
        cells = layout.cells
        if layout.dimension == 3:
            cells = _upper_faces(layout)
        index = np.unique(cells)
        number = np.full(len(layout.nodes), -1, dtype=np.int64)
        number[index] = np.arange(index.size)
        return cls(layout, index, Section(layout.nodes[index, :2], number[cells]))

    @cached_property
    def vtk_cells(self) -> tuple[str, npt.NDArray[np.int64]]:
        """Name and connectivity of the layout's cells in VTK's order."""
        name, order = _VTK[self.layout.dimension, self.layout.cells.shape[1]]
        return name, self.layout.cells[:, list(order)]


_VTK: Mapping[tuple[int, int], tuple[str, Sequence[int]]] = {
    (2, 3): ("triangle", range(3)),
    (2, 6): ("triangle6", (0, 1, 2, 5, 3, 4)),
    (2, 4): ("quadrilateral", (0, 1, 3, 2)),
    (2, 9): ("quadrilateral9", (0, 1, 3, 2, 4, 6, 7, 5, 8)),
    (3, 4): ("tetra", range(4)),
    (3, 10): ("tetra10", (0, 1, 2, 3, 9, 6, 8, 7, 5, 4)),
    (3, 8): ("hexahedron", (0, 1, 3, 2, 4, 5, 7, 6)),
    (3, 27): (
        "hexahedron27",
        (0, 1, 3, 2, 4, 5, 7, 6, 8, 11, 13, 9, 16, 18, 19, 17, 10, 12, 15, 14,
         22, 23, 21, 24, 20, 25, 26),
    ),
}  # fmt: skip


def _upper_faces(layout: Layout) -> npt.NDArray[np.int64]:
    """The cells' faces at the greatest z, with their nodes in DOLFINx's order."""
    dofs = layout.unknown.space.dofmap.dof_layout
    if layout.cells.size == 0:
        return np.empty((0, 1), dtype=np.int64)
    z = layout.nodes[layout.cells, 2]
    top = z > layout.nodes[:, 2].max() - 1e-9 * np.ptp(layout.nodes[:, 2])
    faces = []
    for face in range(6 if layout.cells.shape[1] in (8, 27) else 4):
        closure = np.sort(dofs.entity_closure_dofs(2, face))
        faces.append(layout.cells[top[:, closure].all(axis=1)][:, closure])
    return np.concatenate(faces)


class Probe:
    """A field's values at fixed points, the same on every rank.

    Parameters
    ----------
    unknown : Unknown
    where : slice
        Its entries in a state.
    points : (q, 3) array
        [m], inside the domain.
    """

    def __init__(self, unknown: Unknown, where: slice, points: Array) -> None:
        V = unknown.space
        self._V, self._u, self._where = V, unknown.u, where
        self._comm = V.mesh.comm
        tree = geometry.bb_tree(V.mesh, V.mesh.topology.dim, padding=1e-12)
        near = geometry.compute_collisions_points(tree, points)
        hits = geometry.compute_colliding_cells(V.mesh, near, points)
        owner, self._mine = [], []
        for i in range(len(points)):
            cells = hits.links(i)
            owner.append(self._comm.rank if len(cells) else self._comm.size)
            self._mine.append(int(cells[0]) if len(cells) else -1)
        owners = np.array(self._comm.allgather(owner)).min(axis=0)
        self._rows = np.flatnonzero(owners == self._comm.rank)
        self._points, self._n = points, len(points)

    def __call__(self, state: Array) -> list[Any]:
        """Values at the points; NaN where one lies in no cell. Collective."""
        own = state[self._where]
        self._u.x.array[: own.size] = own
        self._u.x.scatter_forward()
        values = np.full(self._n, -np.inf)
        if self._rows.size:
            cells = np.array([self._mine[i] for i in self._rows], dtype=np.int32)
            values[self._rows] = self._u.eval(self._points[self._rows], cells).reshape(-1)
        everywhere = np.max(self._comm.allgather(values), axis=0)
        return [v if np.isfinite(v) else float("nan") for v in everywhere.tolist()]
