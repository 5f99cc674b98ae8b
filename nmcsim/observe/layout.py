"""A field on one rank, numbered in a way that no partition changes.

Nodes are numbered by their first appearance in the cells, cells by their order in the mesh file.
Checkpoints and pictures use these numbers; so a run on two ranks resumes on three.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmcsim.solve.fields import Array, Unknown

__all__ = ["Layout"]

Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Where the nodes of one scalar field are, on rank 0; empty arrays elsewhere.

    Parameters
    ----------
    nodes : (n, 3) array
        Positions [m].
    cells : (c, m) int array
        Nodes of each cell, in DOLFINx's order within a cell.
    dimension : int
        Of the cells.
    """

    unknown: Unknown
    nodes: Array
    cells: Int
    dimension: int
    _to_node: Int  # node number of each global dof, on every rank
    _at: Int  # global dof of each node, on rank 0

    @classmethod
    def of(cls, unknown: Unknown) -> Layout:
        """Number the nodes; collective."""
        V = unknown.space
        comm, imap = V.mesh.comm, V.dofmap.index_map
        tdim = V.mesh.topology.dim
        n_cells = V.mesh.topology.index_map(tdim).size_local
        dofs = V.dofmap.list[:n_cells]
        cells = imap.local_to_global(dofs.ravel().astype(np.int32)).reshape(dofs.shape)
        original = V.mesh.topology.original_cell_index[:n_cells]
        positions = V.tabulate_dof_coordinates()[: imap.size_local]
        parts = comm.gather((original, cells, positions), root=0)
        to_node = np.empty(imap.size_global, dtype=np.int64)
        nodes, layout, at = np.empty((0, 3)), np.empty((0, dofs.shape[1]), dtype=np.int64), to_node
        if parts is not None:
            order = np.argsort(np.concatenate([p[0] for p in parts]), kind="stable")
            stacked = np.concatenate([p[1] for p in parts])[order]
            _, first = np.unique(stacked, return_index=True)
            at = stacked.ravel()[np.sort(first)]
            to_node[at] = np.arange(at.size)
            layout = to_node[stacked]
            nodes = np.concatenate([p[2] for p in parts])[at]
        comm.Bcast(to_node, root=0)
        return cls(unknown, nodes, layout, tdim, to_node, at)

    @property
    def size(self) -> int:
        """Number of nodes, on every rank."""
        return int(self._to_node.size)

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
