"""Parts of a mesh: a region's own function space, and the interface at which two regions meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from dolfinx import fem
from dolfinx.la import InsertMode
from dolfinx.mesh import EntityMap, create_submesh
from mpi4py import MPI

__all__ = ["Interface", "Part", "exterior", "interface", "part_of", "reached"]

Int = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Part:
    """A region as a mesh of its own, with continuous piecewise linear functions on it.

    Attributes
    ----------
    name : str
    space : fem.FunctionSpace
        P1 on the part alone.
    entity_map : EntityMap
        What a form over the whole mesh needs to hold functions of this part.
    parent_cells : (c,) int32 array
        Cell of the whole mesh of each cell of the part, ghosts included.
    original_cells : (c,) int64 array
        Number in the mesh file of each of these cells.
    dof_of : (v,) int32 array
        Local dof at each local vertex dof of the whole mesh's P1 space; -1 off the part.
    """

    name: str
    space: fem.FunctionSpace[np.float64]
    entity_map: EntityMap
    parent_cells: Int
    original_cells: npt.NDArray[np.int64]
    dof_of: Int


@dataclass(frozen=True, eq=False)
class Interface:
    """The nodes that two regions share, with the area that each stands for.

    A node on a border between ranks is listed on each rank that owns one of its facets, with its
    share of the area: a sum over all nodes of all ranks is the integral over the interface, lumped.

    Attributes
    ----------
    vertex : (n,) int32 array
        Local dof of the whole mesh's P1 space.
    area : (n,) float array
        [m2], thickness folded in.
    region : (n,) int64 array
        Tag of the cell on the first side: a node between two particles is listed for each.
    """

    vertex: Int
    area: npt.NDArray[np.float64]
    region: npt.NDArray[np.int64]


def part_of(domain: Any, name: str, cells: Int) -> Part:
    """The part of `domain` that consists of local `cells`, ghosts included; collective."""
    submesh, entity_map, _, _ = create_submesh(domain, domain.topology.dim, np.sort(cells))
    space = fem.functionspace(submesh, ("Lagrange", 1))
    imap = submesh.topology.index_map(submesh.topology.dim)
    own = np.arange(imap.size_local + imap.num_ghosts, dtype=np.int32)
    parent = np.asarray(entity_map.sub_topology_to_topology(own, False), dtype=np.int32)
    whole = fem.functionspace(domain, ("Lagrange", 1))
    dofs, whole_dofs = space.dofmap.list, whole.dofmap.list[parent]
    x, X = space.tabulate_dof_coordinates(), whole.tabulate_dof_coordinates()
    # both number a cell's vertices alike; if that changed, everything would be wrong
    assert np.allclose(x[dofs], X[whole_dofs], rtol=0.0, atol=1e-9 * np.ptp(X, axis=0).max())
    dof_of = np.full(len(X), -1, dtype=np.int32)
    dof_of[whole_dofs] = dofs
    original = np.asarray(domain.topology.original_cell_index, dtype=np.int64)[parent]
    return Part(name, space, entity_map, parent, original, dof_of)


def interface(domain: Any, tags: npt.NDArray[np.int64], first: Any, second: Any) -> Interface:
    """The facets between a cell tagged one of `first` and one tagged one of `second`.

    Parameters
    ----------
    domain : dolfinx.mesh.Mesh
        Straight cells.
    tags : (c,) int array
        Tag of each local cell, ghosts included.
    first, second : sequences of int
    """
    dim = domain.topology.dim
    facets, pairs = _inner_facets(domain)
    ab = np.isin(tags[pairs[:, 0]], first) & np.isin(tags[pairs[:, 1]], second)
    ba = np.isin(tags[pairs[:, 1]], first) & np.isin(tags[pairs[:, 0]], second)
    chosen = ab | ba
    side = np.where(ab[chosen], pairs[chosen, 0], pairs[chosen, 1])
    return _lumped(domain, dim, facets[chosen], side, tags)


def exterior(domain: Any, tags: npt.NDArray[np.int64], facets: Int) -> Interface:
    """The exterior `facets` that this rank owns, as an interface with nothing beyond."""
    dim = domain.topology.dim
    domain.topology.create_connectivity(dim - 1, dim)
    to_cell = domain.topology.connectivity(dim - 1, dim)
    own = facets[facets < domain.topology.index_map(dim - 1).size_local]
    cells = np.array([to_cell.links(f)[0] for f in own.tolist()], dtype=np.int32)
    return _lumped(domain, dim, own, cells, tags)


def _inner_facets(domain: Any) -> tuple[Int, Int]:
    """Facets owned by this rank that have two cells (f,), and these cells (f, 2)."""
    dim = domain.topology.dim
    domain.topology.create_connectivity(dim - 1, dim)
    to_cell = domain.topology.connectivity(dim - 1, dim)
    owned = domain.topology.index_map(dim - 1).size_local
    start = to_cell.offsets[: owned + 1]
    inner = np.flatnonzero(np.diff(start) == 2).astype(np.int32)
    first = to_cell.array[start[inner]]
    return inner, np.column_stack((first, to_cell.array[start[inner] + 1]))


def _lumped(domain: Any, dim: int, facets: Int, cells: Int, tags: Any) -> Interface:
    """Each facet's area in equal shares at its vertices, summed by vertex and tag."""
    whole = fem.functionspace(domain, ("Lagrange", 1))
    X = whole.tabulate_dof_coordinates()
    domain.topology.create_connectivity(dim, dim - 1)
    to_facet = domain.topology.connectivity(dim, dim - 1)
    layout = whole.dofmap.dof_layout
    closures = [np.asarray(layout.entity_closure_dofs(dim - 1, k)) for k in range(dim + 1)]
    of_cell = to_facet.array.reshape(-1, dim + 1)[cells] if cells.size else np.empty((0, dim + 1))
    local = np.argmax(of_cell == facets[:, None], axis=1)
    vertices = whole.dofmap.list[cells][
        np.arange(len(cells))[:, None], np.array(closures)[local]
    ].reshape(-1, dim)
    share = _size(X[vertices]) / dim
    key = np.column_stack((vertices.ravel(), np.repeat(tags[cells], dim))).reshape(-1, 2)
    unique, inverse = np.unique(key, axis=0, return_inverse=True)
    area = np.bincount(inverse.ravel(), np.repeat(share, dim), minlength=len(unique))
    return Interface(unique[:, 0].astype(np.int32), area, unique[:, 1].astype(np.int64))


def _size(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Length of edges (f, 2, 3) or area of triangles (f, 3, 3)."""
    if corners.shape[1] == 2:
        return np.asarray(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1))
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(0.5 * np.linalg.norm(np.cross(a, b), axis=1))


def reached(space: Any, seeds: Any) -> npt.NDArray[np.bool_]:
    """Which local dofs of a P1 space hang together with the `seeds` (local dofs); collective."""
    label = fem.Function(space)
    label.x.array[seeds] = 1.0
    cells, comm = space.dofmap.list, space.mesh.comm
    while True:
        before = label.x.array > 0.0
        marked = before.copy()
        while True:  # within this rank, as far as it goes
            new = np.unique(cells[marked[cells].any(axis=1)])
            if marked[new].all():
                break
            marked[new] = True
        label.x.array[:] = marked
        label.x.scatter_reverse(InsertMode.add)  # what is reached on a ghost is told to its owner
        label.x.array[:] = label.x.array > 0.0
        label.x.scatter_forward()
        moved = bool(((label.x.array > 0.0) != before).any())
        if not comm.allreduce(moved, op=MPI.LOR):
            return np.asarray(label.x.array > 0.0)
