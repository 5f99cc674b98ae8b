"""A field on one rank, numbered in a way that no partition changes.

Nodes are numbered by their first appearance in the cells, cells by their order in the mesh file.
Checkpoints and pictures use these numbers; so a run on two ranks resumes on three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmcsim.solve.fields import Array, Unknown

__all__ = ["Field", "Layout"]

Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Field:
    """An unknown that is mapped and kept, with what its own mesh does not say of its cells.

    Parameters
    ----------
    unknown : Unknown
        Of a scalar Lagrange space, on the whole mesh or on a submesh of it.
    description : str
        A phrase, for datasets and axes.
    file : str
        Stem of the ParaView file in which it stands; fields on the same nodes may share one.
    original_cells : (cells,) int array, optional
        A number for each of this rank's cells, owned ones first, that no partition changes: on a
        submesh ``parent.topology.original_cell_index[part.parent_cells]``. None on the whole mesh.
    parts : tuple of str
        Names of what its cells belong to, such as ``particle[3]`` or ``binder``, for maps.
    kind_of_part : str
        "particle": parts share no node, and the field is another one in each. "region": the field
        runs through all of them.
    part_of_cell : (cells,) int array, optional
        The part of each of this rank's cells, a number into ``parts``; needed where there are any.
    means : callable, optional
        ``state -> (p,)``, or ``(1,)`` where the field runs through all: the mean of each particle
        or of the whole that its sites or volume multiply in the balances, the same on every rank. A
        field that has it is taken over from an earlier result with its means kept; one without is
        not taken over.
    """

    unknown: Unknown
    description: str
    file: str = "fields"
    original_cells: Int | None = None
    parts: tuple[str, ...] = ()
    kind_of_part: str = "region"
    part_of_cell: Int | None = None
    means: Callable[[Array], Array] | None = None

    @property
    def name(self) -> str:
        """As in results."""
        return self.unknown.name

    @property
    def pieces(self) -> tuple[str, ...]:
        """Names of the parts in each of which the field is another one; none where it is one."""
        return self.parts if self.kind_of_part == "particle" else ()


@dataclass(frozen=True)
class Layout:
    """Where the nodes of one scalar field are, on rank 0; empty arrays elsewhere.

    Parameters
    ----------
    nodes : (n, 3) array
        Positions [m].
    cells : (c, m) int array
        Nodes of each cell, in DOLFINx's order within a cell.
    part : (c,) int array
        The part of the field that each cell belongs to; 0 where it has none.
    dimension : int
        Of the cells.
    """

    unknown: Unknown
    nodes: Array
    cells: Int
    part: Int
    dimension: int
    _to_node: Int  # node number of each global dof, on every rank
    _at: Int  # global dof of each node, on rank 0

    @classmethod
    def of(
        cls, unknown: Unknown, original_cells: Int | None = None, part_of_cell: Int | None = None
    ) -> Layout:
        """Number the nodes; collective.

        Parameters
        ----------
        unknown : Unknown
        original_cells, part_of_cell : (cells,) int arrays, optional
            As in `Field`.
        """
        V = unknown.space
        comm, imap, topology = V.mesh.comm, V.dofmap.index_map, V.mesh.topology
        n_cells = topology.index_map(topology.dim).size_local
        dofs = V.dofmap.list[:n_cells]
        cells = imap.local_to_global(dofs.ravel().astype(np.int32)).reshape(dofs.shape)
        if original_cells is None:
            original_cells = topology.original_cell_index
        if part_of_cell is None:
            part_of_cell = np.zeros(n_cells, dtype=np.int64)
        positions = V.tabulate_dof_coordinates()[: imap.size_local]
        own = (original_cells[:n_cells], cells, part_of_cell[:n_cells], positions)
        parts = comm.gather(own, root=0)
        to_node = np.empty(imap.size_global, dtype=np.int64)
        nodes, layout, at = np.empty((0, 3)), np.empty((0, dofs.shape[1]), dtype=np.int64), to_node
        part = np.empty(0, dtype=np.int64)
        if parts is not None:
            order = np.argsort(np.concatenate([p[0] for p in parts]), kind="stable")
            stacked = np.concatenate([p[1] for p in parts])[order]
            part = np.concatenate([p[2] for p in parts])[order].astype(np.int64)
            _, first = np.unique(stacked, return_index=True)
            at = stacked.ravel()[np.sort(first)]
            to_node[at] = np.arange(at.size)
            layout = to_node[stacked]
            nodes = np.concatenate([p[3] for p in parts])[at]
        comm.Bcast(to_node, root=0)
        return cls(unknown, nodes, layout, part, topology.dim, to_node, at)

    @classmethod
    def of_field(cls, field: Field) -> Layout:
        """The layout of a field, with its parts; collective."""
        return cls.of(field.unknown, field.original_cells, field.part_of_cell)

    @property
    def size(self) -> int:
        """Number of nodes, on every rank."""
        return int(self._to_node.size)

    @property
    def part_of_node(self) -> Int:
        """The part that each node belongs to (n,); one of them where several meet."""
        part = np.zeros(len(self.nodes), dtype=np.int64)
        part[self.cells] = self.part[:, None]
        return part

    def gather(self, owned: Array) -> Array | None:
        """The nodal values on rank 0, None elsewhere; collective."""
        comm = self.unknown.space.mesh.comm
        if comm.size == 1:
            return owned[self._at]
        parts = comm.gather(owned, root=0)
        return None if parts is None else np.concatenate(parts)[self._at]

    def scatter(self, values: Array | None) -> Array:
        """This rank's owned entries from the nodal values on rank 0; collective."""
        comm = self.unknown.space.mesh.comm
        whole = comm.bcast(values, root=0)
        imap = self.unknown.space.dofmap.index_map
        start, stop = imap.local_range
        return np.asarray(whole[self._to_node[start:stop]])
