"""Fields for ParaView: a VTKHDF file with one mesh and named point fields over time.

The layout is VTKHDF 2.0 "UnstructuredGrid" with a "Steps" group whose offsets all point to the one
mesh. Metadata stays at HDF5 1.10 level, since VTK's own HDF5 reads no newer one; mesh datasets are
uncompressed, since some readers (DOLFINx's wheel) lack the deflate filter; fields are compressed.

Cells come in VTK's node order, which for second order is not gmsh's or basix's:

    triangle6       corners 0 1 2, then the middles of 01 12 20
    quadrilateral9  corners counter-clockwise, middles of 01 12 23 30, centre
    tetra10         corners, then the middles of 01 12 20 03 13 23
    hexahedron27    corners 0-3 below and 4-7 above, edges 01 12 23 30 45 56 67 74 04 15 26 37,
                    faces -x +x -y +y -z +z, centre
    wedge18         corners 0-2 below and 3-5 above, edges 01 12 20 34 45 53 03 14 25,
                    faces 0143 1254 2035
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmcsim.results import write_atomically
from nmcsim.results.hdf5 import write_plain

CELL_TYPES: Mapping[str, tuple[int, int]] = {
    "triangle": (5, 3),
    "triangle6": (22, 6),
    "quadrilateral": (9, 4),
    "quadrilateral9": (28, 9),
    "tetra": (10, 4),
    "tetra10": (24, 10),
    "hexahedron": (12, 8),
    "hexahedron27": (29, 27),
    "wedge": (13, 6),
    "wedge18": (32, 18),
}
"""Cell name -> VTK's number of the type, nodes per cell."""


def write_vtkhdf(
    path: Path,
    nodes: ArrayLike,
    cells: ArrayLike,
    cell_type: str,
    times: ArrayLike,
    fields: Mapping[str, ArrayLike],
    units: Mapping[str, str],
) -> None:
    """Write ``fields`` on one mesh over time, atomically.

    Parameters
    ----------
    path : Path
        Ends in ``.vtkhdf``.
    nodes : (n, 2) or (n, 3) floats
        [m].
    cells : (m, k) ints
        Node numbers in VTK's order.
    cell_type : str
        A key of `CELL_TYPES`.
    times : (frames,) floats
        [s].
    fields : mapping of name -> (frames, n) floats
        One value per node and frame; stored in single precision.
    units : mapping of name -> str
        Of each field; kept as an attribute of its dataset.

    Raises
    ------
    ValueError
        A shape that does not fit the mesh or the times, or an unknown cell type.
    WriteFailure
        The disk is full or the folder may not be written.
    """
    points = _points(nodes)
    connectivity = np.asarray(cells, dtype=np.int64)
    number, per_cell = CELL_TYPES.get(cell_type, (0, 0))
    if connectivity.ndim != 2 or connectivity.shape[1] != per_cell:
        raise ValueError(
            f"cells of shape {connectivity.shape} are not {cell_type} ({per_cell} nodes)"
        )
    moments = np.asarray(times, dtype=np.float64)
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        root = file.create_group("VTKHDF")
        root.attrs["Version"] = np.array([2, 0], dtype=np.int64)
        root.attrs["Type"] = np.bytes_("UnstructuredGrid")
        _write_mesh(root, points, connectivity, number)
        steps = root.create_group("Steps")
        _write_steps(steps, moments)
        data, offsets = root.create_group("PointData"), steps.create_group("PointDataOffsets")
        for name, values in fields.items():
            frames = np.asarray(values, dtype=np.float32)
            if frames.shape != (len(moments), len(points)):
                raise ValueError(
                    f"{name} has shape {frames.shape}, not {(len(moments), len(points))}"
                )
            stacked = data.create_dataset(
                name,
                data=frames.ravel(),
                chunks=(max(1, len(points)),),
                compression="gzip",
                compression_opts=1,
                shuffle=True,
            )
            stacked.attrs["unit"] = units[name]
            write_plain(offsets, name, np.arange(len(moments), dtype=np.int64) * len(points))
    write_atomically(path, image.getvalue())


def _points(nodes: ArrayLike) -> NDArray[np.float64]:
    given = np.asarray(nodes, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] not in (2, 3):
        raise ValueError(f"nodes have shape {given.shape}, not (n, 2) or (n, 3)")
    points = np.zeros((len(given), 3))
    points[:, : given.shape[1]] = given
    return points


def _write_mesh(root: Any, points: NDArray[Any], cells: NDArray[np.int64], number: int) -> None:
    m, per_cell = cells.shape
    write_plain(root, "NumberOfPoints", np.array([len(points)], dtype=np.int64))
    write_plain(root, "NumberOfCells", np.array([m], dtype=np.int64))
    write_plain(root, "NumberOfConnectivityIds", np.array([cells.size], dtype=np.int64))
    write_plain(root, "Points", points, unit="m")
    write_plain(root, "Connectivity", cells.ravel())
    write_plain(root, "Offsets", np.arange(m + 1, dtype=np.int64) * per_cell)
    write_plain(root, "Types", np.full(m, number, dtype=np.uint8))


def _write_steps(steps: Any, times: NDArray[np.float64]) -> None:
    zero = np.zeros(len(times), dtype=np.int64)
    steps.attrs["NSteps"] = len(times)
    write_plain(steps, "Values", times, unit="s")
    write_plain(steps, "NumberOfParts", zero + 1)
    write_plain(steps, "PartOffsets", zero)
    write_plain(steps, "PointOffsets", zero)
    write_plain(steps, "CellOffsets", zero[:, None])
    write_plain(steps, "ConnectivityIdOffsets", zero[:, None])
