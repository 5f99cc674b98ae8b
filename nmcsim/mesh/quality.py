"""How good a mesh is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dolfinx.mesh import Mesh as DolfinxMesh
from mpi4py import MPI

from nmcsim.mesh.gmsh_session import session
from nmcsim.mesh.ranks import on_one_rank


@dataclass(frozen=True)
class Quality:
    """Number, shape and size of the cells.

    Attributes
    ----------
    cells, nodes : int
        On all ranks.
    sicn : float
        Least signed inverse condition number of a cell: 1 is ideal, 0 or less is inverted.
    smallest, largest : float
        Width of the smallest and the largest cell [m].
    """

    cells: int
    nodes: int
    sicn: float
    smallest: float
    largest: float


def quality_of(domain: DolfinxMesh[np.float64], msh_path: Path) -> Quality:
    """Quality of a mesh that was read from `msh_path`; collective."""
    own = domain.topology.index_map(domain.topology.dim)
    widths = domain.h(domain.topology.dim, np.arange(own.size_local, dtype=np.int32))
    return Quality(
        cells=int(own.size_global),
        nodes=int(domain.geometry.index_map().size_global),
        sicn=on_one_rank(domain.comm, lambda: _least_sicn(msh_path, domain.topology.dim)),
        smallest=float(domain.comm.allreduce(widths.min(initial=np.inf), op=MPI.MIN)),
        largest=float(domain.comm.allreduce(widths.max(initial=0.0), op=MPI.MAX)),
    )


def _least_sicn(msh_path: Path, dimension: int) -> float:
    with session() as gmsh:
        gmsh.merge(str(msh_path))
        _, cells, _ = gmsh.model.mesh.getElements(dimension)
        return min(
            float(np.min(gmsh.model.mesh.getElementQualities(tags, "minSICN"))) for tags in cells
        )
