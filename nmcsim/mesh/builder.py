"""From a shape to a distributed mesh in metres."""

from __future__ import annotations

import gc
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from dolfinx import fem
from dolfinx.io.gmsh import MeshData, model_to_mesh
from dolfinx.mesh import GhostMode, create_cell_partitioner
from dolfinx.mesh import Mesh as DolfinxMesh
from mpi4py import MPI

from nmcsim import runtime
from nmcsim.case.geometry import Geometry, Patches
from nmcsim.errors import NmcsimError
from nmcsim.mesh.cache import default_cache, mesh_file
from nmcsim.mesh.gmsh_session import session
from nmcsim.mesh.mesh import Mesh
from nmcsim.mesh.ranks import agree, on_one_rank

METRE = 1e-6  # metres per micrometre, gmsh's unit here


def build(
    shape: Geometry, patches: Patches, comm: MPI.Comm, cache_dir: str | Path | None = None
) -> Mesh:
    """The mesh of a particle or an electrode on all ranks of `comm`.

    One rank generates it, or finds it in the cache; all ranks read it.

    Parameters
    ----------
    shape : Geometry
        A crystal or an electrode.
    patches : tuple of (float, float)
        Intervals of a crystal's outline under rock salt; none for an electrode.
    comm : MPI.Comm
        All its ranks must call this.
    cache_dir : path, optional
        Where .msh files are kept; `default_cache()` if absent.

    Raises
    ------
    InputError, NmcsimError
        On every rank, if gmsh cannot make the mesh or the cache cannot be used.
    """
    folder = default_cache() if cache_dir is None else Path(cache_dir)
    # MPI has 2,048 communicators, and an electrode takes some thirty: what nobody holds any more
    # goes here, where all ranks are
    runtime.forget_forms()
    gc.collect()
    path = on_one_rank(comm, lambda: mesh_file(shape, patches, folder))
    data = _read(path, comm, shape.dimension)
    data.mesh.geometry.x[:] *= METRE
    assert data.cell_tags is not None and data.facet_tags is not None  # gmsh groups: see drawing
    groups = {name: group.tag for name, group in data.physical_groups.items()}
    return Mesh(
        comm=comm,
        domain=data.mesh,
        cell_tags=data.cell_tags,
        facet_tags=data.facet_tags,
        regions=dict(shape.regions),
        surfaces=dict(shape.named_surfaces),
        tags=_tags(shape, groups),
        thickness=shape.thickness,
        factor=_factor(data.mesh, shape),
        centre=shape.centre,
        shape_name=type(shape).name,
        msh_path=path,
    )


def _read(path: Path, comm: MPI.Comm, dimension: int) -> MeshData:
    """Read a .msh file on one rank and distribute it, with the cells across each cut as ghosts."""
    partitioner = create_cell_partitioner(GhostMode.shared_facet, 2)  # type: ignore[call-arg]  # it is overloaded
    with ExitStack() as stack:
        model = error = None
        if comm.rank == 0:
            try:
                gmsh = stack.enter_context(session())
                gmsh.merge(str(path))
                model = gmsh.model
            except Exception as unreadable:
                error = NmcsimError(f"the mesh {path} cannot be read ({unreadable}); delete it")
        agree(comm, error)
        return model_to_mesh(model, comm, 0, gdim=dimension, partitioner=partitioner)


def _factor(domain: DolfinxMesh[np.float64], shape: Geometry) -> fem.Constant[np.float64] | None:
    """The thickness as a constant, so that another one needs no new compilation; None in 3D."""
    return fem.Constant(domain, np.float64(shape.thickness)) if shape.dimension == 2 else None


def _tags(shape: Geometry, groups: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """The integer tags that each name of the shape stands for; none for what is absent."""
    own: dict[str, tuple[int, ...]] = {
        name: (groups[name],) if name in groups else ()
        for name in (*shape.regions, *shape.named_surfaces)
    }
    for name, parts in shape.unions.items():
        own[name] = tuple(tag for part in parts for tag in own[part])
    return own
