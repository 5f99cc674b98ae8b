"""A mesh as other programs read it: .vtu and .xdmf through meshio, beside gmsh's own .msh.

A .msh file has named physical groups and coordinates in micrometres. The others know no groups:
each place is a cell array of zeros and ones with its name, on cells and facets of the mesh, beside
``gmsh:physical``, the number of the group; coordinates are metres, as in the results. A .vtu file
keeps curved cells, a .xdmf file has their corners.
`nmcsim.case.readymade` reads all of them back.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.errors import NmcsimError
from nmcsim.mesh.mesh import Mesh
from nmcsim.mesh.ranks import on_one_rank

__all__ = ["export", "with_names"]

METRE = 1e-6


def export(mesh: Mesh, path: str | Path) -> None:
    """Write a mesh to a .msh, .vtu or .xdmf file; collective, one rank writes.

    Raises
    ------
    NmcsimError
        If meshio cannot write it.
    """
    on_one_rank(mesh.comm, lambda: _written(mesh.msh_path, Path(path)))


def _written(msh_path: Path, path: Path) -> None:
    if path.suffix == ".msh":
        shutil.copyfile(msh_path, path)
        return
    import meshio

    # meshio prints empty lines, and uses what NumPy calls deprecated
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, how = meshio.gmsh.read(msh_path), {}
        if path.suffix == ".xdmf":
            # in one file, whatever its size: one that leans on another is soon alone
            found.cells, how = [_straight(block) for block in found.cells], {"data_format": "XML"}
        found = with_names(found)
        writer = meshio.xdmf.write if path.suffix == ".xdmf" else meshio.vtu.write
        aside = path.with_name(f".{path.stem}.partial{path.suffix}")
        try:
            writer(aside, found, **how)
            os.replace(aside, path)
        except OSError:
            raise
        except Exception as error:
            raise NmcsimError(
                f"meshio cannot write {path.name} ({type(error).__name__}: {error}); take .msh"
            ) from error
        finally:
            aside.unlink(missing_ok=True)


def with_names(found: Any) -> Any:
    """A mesh of gmsh, as meshio has it, in metres, with an array of zeros and ones for each name.

    Points that no cell has are left out.
    """
    import meshio

    numbers = found.cell_data["gmsh:physical"]
    kept = [k for k, block in enumerate(found.cells) if block.type != "vertex" and numbers[k].any()]
    used = np.unique(np.concatenate([found.cells[k].data.ravel() for k in kept]))
    place = np.zeros(len(found.points), dtype=np.int64)
    place[used] = np.arange(len(used))
    dimension = {k: _dimension(found.cells[k].type) for k in kept}
    data = {"gmsh:physical": [np.asarray(numbers[k], dtype=np.int32) for k in kept]}
    for name, (tag, of) in found.field_data.items():
        data[name] = [((numbers[k] == tag) & (dimension[k] == of)).astype(np.int32) for k in kept]
    return meshio.Mesh(
        METRE * found.points[used],
        [(found.cells[k].type, place[found.cells[k].data]) for k in kept],
        cell_data=data,
    )


def _straight(block: Any) -> Any:
    """A block of cells by their corners alone: of mixed kinds, meshio reads no others from XDMF."""
    import meshio

    kind = block.type.rstrip("0123456789")
    corners: int = meshio._mesh.num_nodes_per_cell[kind]
    return meshio.CellBlock(kind, block.data[:, :corners])


def _dimension(kind: str) -> int:
    import meshio

    return int(meshio._mesh.topological_dimension[kind])
