"""Ready-made meshes: files of gmsh, VTK or XDMF whose regions and surfaces have names.

Names are the physical groups of a .msh file (formats 2.2 and 4.1). Other formats know no groups:
there a name is a cell array of zeros and ones, as `nmcsim mesh --out x.vtu` writes it.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim import units
from nmcsim.errors import InputError, Mistake

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MICRO = 1e6
FLAT = 1e-9
"""A plane mesh leaves its plane by less than this share of its extent."""
SIMPLICES = {
    "line": (1, 2, 2), "line3": (1, 3, 2), "triangle": (2, 3, 3), "triangle6": (2, 6, 3),
    "tetra": (3, 4, 4), "tetra10": (3, 10, 4),
}  # fmt: skip
"""Kinds of cells: dimension, nodes, corners."""
GMSH = {(1, 2): 1, (1, 3): 8, (2, 3): 2, (2, 6): 9, (3, 4): 4}
"""gmsh's numbers of the kinds of cells, by dimension and nodes."""
EDGES = ((0, 1), (1, 2), (2, 0))
"""Of a triangle; its fourth, fifth and sixth node lie in their middles."""


@dataclass(frozen=True)
class Named:
    """Cells of one dimension with a name."""

    dimension: int
    cells: Ints


@dataclass(frozen=True)
class ReadyMade:
    """A mesh from a file.

    Attributes
    ----------
    points : (n, 3) array
        [um]
    dimension : int
        2 or 3.
    groups : mapping of str to Named
        Nodes of the cells of each named region and of the facets of each named surface.
    path : Path
    """

    points: Floats
    dimension: int
    groups: Mapping[str, Named]
    path: Path

    def names(self, dimension: int) -> list[str]:
        """Names of groups of a dimension."""
        return sorted(n for n, group in self.groups.items() if group.dimension == dimension)


def wrong_mesh(path: Path, sentence: str) -> InputError:
    """A mistake of the mesh file."""
    return InputError(Mistake("mesh", f"names {path.name}, which {sentence}"))


def read_mesh(path: Path, unit: str) -> ReadyMade:
    """The mesh in a file.

    Parameters
    ----------
    path : Path
        ``.msh``, ``.vtu`` or ``.xdmf``.
    unit : str
        Of its coordinates.

    Raises
    ------
    InputError
        If the file cannot be read, or its cells have no names or are of other kinds.
    """
    try:
        scale = units.convert(1.0, unit, "m")
    except InputError as error:
        raise InputError(Mistake("unit", error.mistakes[0].message)) from None
    return _read(path.read_bytes(), path, scale)


@lru_cache(maxsize=8)
def _read(content: bytes, path: Path, scale: float) -> ReadyMade:
    found = _from_file(path, content)
    points = np.zeros((len(found.points), 3))
    points[:, : found.points.shape[1]] = MICRO * scale * np.asarray(found.points, dtype=float)
    kinds = {block.type for block in found.cells if len(block.data)} - {"vertex"}
    if kinds - set(SIMPLICES):
        other = ", ".join(sorted(kinds - set(SIMPLICES)))
        raise wrong_mesh(path, f"has cells of the kind {other}; triangles or tetrahedra are needed")
    dimension = max((SIMPLICES[kind][0] for kind in kinds), default=0)
    if dimension < 2:
        raise wrong_mesh(path, "has no triangles or tetrahedra; save the mesh with its cells")
    if dimension == 2 and np.ptp(points[:, 2]) > FLAT * np.ptp(points, axis=0).max():
        raise wrong_mesh(path, "is a surface in space; a plane mesh, or a solid one, is needed")
    if not np.isfinite(points).all():
        raise wrong_mesh(path, "has points that are no finite numbers")
    groups = _groups(found)
    if not groups:
        raise wrong_mesh(
            path, "names no regions or surfaces; give them physical groups with names in gmsh"
        )
    return ReadyMade(points, dimension, groups, path)


def _from_file(path: Path, content: bytes) -> Any:
    import meshio

    readers = {
        ".msh": meshio.gmsh.read, ".vtu": meshio.vtu.read, ".xdmf": meshio.xdmf.read,
        ".xmf": meshio.xdmf.read,
    }  # fmt: skip
    read = readers.get(path.suffix.lower())
    if read is None:
        raise wrong_mesh(path, f"is none of {', '.join(readers)}; write it as one of them")
    if path.suffix.lower() in (".xdmf", ".xmf") and b'Format="HDF"' in content:
        raise wrong_mesh(
            path, 'keeps its numbers in another file; write it with Format="XML", or as .vtu'
        )
    try:
        # meshio prints empty lines, and uses what NumPy calls deprecated
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(path)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise wrong_mesh(path, f"cannot be read as {path.suffix[1:]} ({said})") from None


def _groups(found: Any) -> dict[str, Named]:
    """The named groups of a mesh as meshio has it."""
    physical = found.cell_data.get("gmsh:physical")
    groups: dict[str, Named] = {}
    if physical is not None and found.field_data:
        for name, (tag, dimension) in found.field_data.items():
            _add(groups, found, name, int(dimension), [values == tag for values in physical])
        return groups
    for name, values in found.cell_data.items():
        if name in ("gmsh:physical", "gmsh:geometrical"):
            continue
        marked = [np.asarray(value).reshape(-1) == 1 for value in values]
        dimensions = {
            SIMPLICES[block.type][0]
            for block, mark in zip(found.cells, marked, strict=True)
            if block.type in SIMPLICES and mark.any()
        }
        if len(dimensions) == 1:
            _add(groups, found, name, dimensions.pop(), marked)
    return groups


def _add(
    groups: dict[str, Named], found: Any, name: str, dimension: int, marked: Sequence[Any]
) -> None:
    parts = [
        np.asarray(block.data, dtype=np.int64)[mark]
        for block, mark in zip(found.cells, marked, strict=True)
        if SIMPLICES.get(block.type, (0,))[0] == dimension and mark.any()
    ]
    if parts:
        least = min(part.shape[1] for part in parts)
        corners = dimension + 1
        # both orders in one mesh: only corners are common
        nodes = least if all(part.shape[1] == least for part in parts) else corners
        groups[name] = Named(dimension, np.concatenate([part[:, :nodes] for part in parts]))


def refuse_names(
    found: ReadyMade, regions: Sequence[str], surfaces: Sequence[str], needed: Sequence[str]
) -> None:
    """Raise unless the names of a mesh are known and those needed are there.

    Raises
    ------
    InputError
        With the names found and those needed.
    """
    own = found.names(found.dimension), found.names(found.dimension - 1)
    unknown = sorted(set(own[0]) - set(regions)) + sorted(set(own[1]) - set(surfaces))
    missing = [name for name in needed if name not in (*own[0], *own[1])]
    if unknown or missing:
        said = ", ".join(
            [f'has no "{name}"' for name in missing]
            + [f'has "{name}", which is no place here' for name in unknown]
        )
        raise wrong_mesh(
            found.path,
            f"{said}; found are the regions {_listed(own[0])} and the surfaces {_listed(own[1])},"
            f" needed are {_listed(needed)}",
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def add_to_gmsh(gmsh: Any, found: ReadyMade, order: int) -> None:
    """Put a mesh into gmsh's current model, cells of `order`, each group as an entity of its own.

    Cells of first order get straight sides where second order is needed.
    """
    points, groups = of_order(found, order)
    model = gmsh.model
    used = np.unique(np.concatenate([group.cells.ravel() for group in groups.values()]))
    number = np.zeros(len(points), dtype=np.int64)
    number[used] = np.arange(1, len(used) + 1)
    tags = {}
    for name, group in groups.items():
        tags[name] = model.addDiscreteEntity(group.dimension)
        model.addPhysicalGroup(group.dimension, [tags[name]], name=name)
    home = next(name for name, group in groups.items() if group.dimension == found.dimension)
    nodes = np.arange(1, len(used) + 1)
    model.mesh.addNodes(found.dimension, tags[home], nodes, points[used].ravel())
    for name, group in groups.items():
        kind = GMSH[group.dimension, group.cells.shape[1]]
        model.mesh.addElementsByType(tags[name], kind, [], number[group.cells].ravel())


def of_order(found: ReadyMade, order: int) -> tuple[Floats, dict[str, Named]]:
    """Points and groups with cells of `order`: middles of sides are left out or put in."""
    corners = {
        name: Named(group.dimension, group.cells[:, : group.dimension + 1])
        for name, group in found.groups.items()
    }
    if order == 1:
        return found.points, corners
    # existing middles, by the numbers of the corners on both sides
    middle: dict[tuple[int, int], int] = {}
    for group in found.groups.values():
        sides = EDGES if group.dimension == 2 else EDGES[:1]
        if group.cells.shape[1] == group.dimension + 1:
            continue
        for k, (i, j) in enumerate(sides):
            pairs = np.sort(group.cells[:, [i, j]], axis=1).tolist()
            nodes = group.cells[:, group.dimension + 1 + k].tolist()
            middle.update({(a, b): node for (a, b), node in zip(pairs, nodes, strict=True)})
    points = found.points.tolist()
    grown = {}
    for name, group in corners.items():
        columns = [group.cells]
        for i, j in EDGES if group.dimension == 2 else EDGES[:1]:
            own = []
            for a, b in np.sort(group.cells[:, [i, j]], axis=1).tolist():
                if (a, b) not in middle:
                    middle[a, b] = len(points)
                    points.append((0.5 * (found.points[a] + found.points[b])).tolist())
                own.append(middle[a, b])
            columns.append(np.array(own)[:, None])
        grown[name] = Named(group.dimension, np.concatenate(columns, axis=1))
    return np.array(points), grown
