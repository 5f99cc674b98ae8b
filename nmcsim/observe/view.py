"""What pictures need of a field: the section along c, the line of its surface, named points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from dolfinx import geometry
from dolfinx.mesh import CellType

from nmcsim.case.rock_salt import under_rock_salt
from nmcsim.case.shape import Patches
from nmcsim.imaging.cut import Cut, cut_at
from nmcsim.imaging.section import Section
from nmcsim.observe.layout import Layout
from nmcsim.solve.fields import Array, Unknown

__all__ = ["Picture", "Probe", "SurfaceLine", "View", "vtk_cells"]


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
    def of(cls, section: Section, outline: Outline, patches: Patches) -> SurfaceLine:
        """Order the outline's nodes; ``patches`` are fractions of its length under rock salt."""
        chain = section.boundary
        s = outline.s_of_point(section.nodes[chain])
        s = np.where(s > 1.0 - 1e-9, 0.0, s)
        chain = np.roll(chain, -int(np.argmin(s)))
        s = np.sort(s)
        middle = 0.5 * (s + np.append(s[1:], s[0] + 1.0)) % 1.0
        salt = under_rock_salt(middle, patches)
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


@dataclass(frozen=True)
class Picture:
    """A field in a plane: that of a 2D model, a vertical one through a 3D model; on rank 0.

    Parameters
    ----------
    nodes : (n, 2) array
        [m]; the second coordinate points away from the collector.
    triangles : (m, 3) int array
    part : (m,) int array
        The piece of the field in which each triangle lies.
    """

    nodes: Array
    triangles: npt.NDArray[np.int64]
    part: npt.NDArray[np.int64]
    _cut: Cut | None = None

    @classmethod
    def of_layout(cls, layout: Layout, y: float) -> Picture:
        """The mesh itself in 2D; in 3D the plane of this ``y`` [m], cut from linear tetrahedra."""
        if layout.dimension == 3:
            cut = cut_at(layout.nodes, layout.cells, y)
            return cls(cut.nodes, cut.triangles, layout.part[cut.cells], cut)
        return cls(layout.nodes[:, :2], layout.cells, layout.part)

    def of(self, values: npt.NDArray[np.floating]) -> Array:
        """Values (..., n) in the plane from those at the layout's nodes."""
        return np.asarray(values) if self._cut is None else self._cut.of(values)


def vtk_cells(layout: Layout) -> tuple[str, npt.NDArray[np.int64]]:
    """Name and connectivity of a layout's cells in VTK's order."""
    name, order = _VTK[layout.dimension, layout.cells.shape[1]]
    return name, layout.cells[:, list(order)]


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
        self._u, self._where, self._comm = unknown.u, where, V.mesh.comm
        cells, X, outside = _cells_around(V.mesh, points)
        everyone = np.array(self._comm.allgather(outside))
        nearest = everyone.min(axis=0)
        mine = (everyone.argmin(axis=0) == self._comm.rank) & (nearest <= OUTSIDE)
        self._rows, self._n = np.flatnonzero(mine), len(points)
        self._dofs = V.dofmap.list[cells[mine]]
        self._basis = V.ufl_element().tabulate(0, X)[0][mine]

    def __call__(self, state: Array) -> list[Any]:
        """Values at the points; NaN where one lies in no cell. Collective."""
        own = state[self._where]
        self._u.x.array[: own.size] = own
        self._u.x.scatter_forward()
        values = np.full(self._n, -np.inf)
        values[self._rows] = np.sum(self._basis * self._u.x.array[self._dofs], axis=1)
        everywhere = np.max(self._comm.allgather(values), axis=0)
        return [v if np.isfinite(v) else float("nan") for v in everywhere.tolist()]


OUTSIDE = 0.02
"""How far outside a cell, in widths of it, a point may lie: curved edges are no circle."""


def _cells_around(mesh: Any, points: Array) -> tuple[npt.NDArray[np.int32], Array, Array]:
    """The cell (q,) around each point, where in it (q, dim), and how far outside it (q,).

    DOLFINx's own test for collisions has an absolute tolerance of a micrometre, a whole particle:
    of the cells whose boxes hold a point, the one is taken that holds its reference coordinates.
    """
    tdim, gdim, x = mesh.topology.dim, mesh.geometry.dim, mesh.geometry.x
    dofs, cmap = mesh.geometry.dofmaps[0], mesh.geometry.cmaps[0]
    simplex = mesh.topology.cell_type in (CellType.triangle, CellType.tetrahedron)
    cells = np.zeros(len(points), dtype=np.int32)
    where, outside = np.zeros((len(points), tdim)), np.full(len(points), np.inf)
    if len(dofs) == 0:  # a rank without any cell of a part
        return cells, where, outside
    padding = 1e-3 * float(np.ptp(x, axis=0).max())
    near = geometry.compute_collisions_points(
        geometry.bb_tree(mesh, tdim, padding=padding), np.ascontiguousarray(points)
    )
    for i, point in enumerate(points):
        for cell in near.links(i).tolist():
            X = _pulled_back(cmap, point[:gdim], x[dofs[cell], :gdim])
            beyond = X.sum() - 1.0 if simplex else X.max() - 1.0
            distance = max(0.0, -float(X.min()), float(beyond))
            if distance < outside[i]:
                cells[i], where[i], outside[i] = cell, X, distance
    return cells, where, outside


def _pulled_back(cmap: Any, point: Array, nodes: Array) -> Array:
    """Reference coordinates of a point; far outside where the map cannot be inverted there."""
    try:
        return np.asarray(cmap.pull_back(point[None, :], nodes)[0])
    except RuntimeError:
        return np.full(point.size, np.inf)
