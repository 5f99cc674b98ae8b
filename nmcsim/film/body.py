"""The field of a 3D result from its VTKHDF file, on tetrahedra.

Cells are divided through their nodes; those of second order into smaller ones of first order, so
that every nodal value counts. Node orders are VTK's, as in `nmcsim.vtkhdf`.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.camera.snapshots import Body

__all__ = ["divided", "read_body"]

Int = NDArray[np.int64]

HEXAHEDRON = ((0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6))
WEDGE = ((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5))
TETRA10 = (
    (0, 4, 6, 7), (1, 5, 4, 8), (2, 6, 5, 9), (3, 7, 9, 8),
    (6, 8, 4, 5), (6, 8, 5, 9), (6, 8, 9, 7), (6, 8, 7, 4),
)  # fmt: skip
_CORNERS = ((0, 0, 0), (2, 0, 0), (2, 2, 0), (0, 2, 0))
LATTICE = (
    *_CORNERS, *((x, y, 2) for x, y, _ in _CORNERS),
    (1, 0, 0), (2, 1, 0), (1, 2, 0), (0, 1, 0), (1, 0, 2), (2, 1, 2), (1, 2, 2), (0, 1, 2),
    (0, 0, 1), (2, 0, 1), (2, 2, 1), (0, 2, 1),
    (0, 1, 1), (2, 1, 1), (1, 0, 1), (1, 2, 1), (1, 1, 0), (1, 1, 2), (1, 1, 1),
)  # fmt: skip
"""Where the nodes of hexahedron27 lie, in halves of an edge."""
LAYERS = ((0, 1, 2, 6, 7, 8), (12, 13, 14, 15, 16, 17), (3, 4, 5, 9, 10, 11))
"""Nodes of wedge18 below, in the middle and above: corners, then the middles of 01, 12, 20."""


def _hexahedron27() -> tuple[tuple[int, ...], ...]:
    number = {place: n for n, place in enumerate(LATTICE)}
    found = []
    for x, y, z in product((0, 1), repeat=3):
        lower = [(x, y, z), (x + 1, y, z), (x + 1, y + 1, z), (x, y + 1, z)]
        corners = [number[p] for p in lower] + [number[a, b, c + 1] for a, b, c in lower]
        found += [tuple(corners[n] for n in cell) for cell in HEXAHEDRON]
    return tuple(found)


def _wedge18() -> tuple[tuple[int, ...], ...]:
    found = []
    for low, high in ((LAYERS[0], LAYERS[1]), (LAYERS[1], LAYERS[2])):
        for small in ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)):
            corners = [low[n] for n in small] + [high[n] for n in small]
            found += [tuple(corners[n] for n in cell) for cell in WEDGE]
    return tuple(found)


PARTS: dict[int, tuple[tuple[int, ...], ...]] = {
    10: ((0, 1, 2, 3),),
    24: TETRA10,
    12: HEXAHEDRON,
    29: _hexahedron27(),
    13: WEDGE,
    32: _wedge18(),
}
"""VTK's number of a type -> tetrahedra of its nodes."""


def divided(cells: Int, kind: int) -> Int:
    """Tetrahedra (t, 4) of the cells (c, m) of a VTK type."""
    return np.concatenate([cells[:, list(part)] for part in PARTS[kind]])


def read_body(path: Path, name: str) -> tuple[NDArray[np.float64], Body]:
    """Times (k,) [s] and the field ``name`` of a file that `nmcsim.vtkhdf` wrote.

    Raises
    ------
    InputError
        The file is damaged, holds no such field, or cells that fill no space.
    """
    try:
        with h5py.File(path, "r") as file:
            root = file["VTKHDF"]
            kinds = np.unique(root["Types"][:])
            if len(kinds) != 1 or int(kinds[0]) not in PARTS:
                raise InputError(Mistake("", "holds no mesh of a body"), str(path))
            nodes = root["Points"][:].astype(np.float64)
            cells = root["Connectivity"][:].reshape(root["NumberOfCells"][0], -1).astype(np.int64)
            times = root["Steps/Values"][:].astype(np.float64)
            values = root["PointData"][name][:].reshape(len(times), len(nodes))
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(
            Mistake("", f"is damaged ({error}); run the case again"), str(path)
        ) from error
    return times, Body(nodes, divided(cells, int(kinds[0])), values)
