"""The VTKHDF file: its layout by h5py everywhere, its meaning by VTK where that is installed."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from nmcsim.results import WriteFailure
from nmcsim.vtkhdf import CELL_TYPES, write_vtkhdf

# one reference cell of each type, second-order nodes in VTK's order
CORNERS = {
    "triangle": [[0, 0, 0], [1, 0, 0], [0, 1, 0]],
    "quadrilateral": [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]],
    "tetra": [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "hexahedron": [[x, y, z] for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))],
    "wedge": [[x, y, z] for z in (0, 1) for x, y in ((0, 0), (1, 0), (0, 1))],
}
GROUPS = {
    "triangle6": ("triangle", "01 12 20"),
    "quadrilateral9": ("quadrilateral", "01 12 23 30 0123"),
    "tetra10": ("tetra", "01 12 20 03 13 23"),
    "hexahedron27": (
        "hexahedron",
        "01 12 23 30 45 56 67 74 04 15 26 37 0374 1265 0154 3267 0123 4567 01234567",
    ),
    "wedge18": ("wedge", "01 12 20 34 45 53 03 14 25 0143 1254 2035"),
}


def reference_cell(cell_type: str) -> np.ndarray:
    if cell_type in CORNERS:
        return np.array(CORNERS[cell_type], dtype=float)
    base, groups = GROUPS[cell_type]
    corners = np.array(CORNERS[base], dtype=float)
    middles = [corners[[int(c) for c in group]].mean(axis=0) for group in groups.split()]
    return np.vstack([corners, middles])


@pytest.fixture
def series_file(tmp_path: Path) -> Path:
    nodes = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * 1e-6
    path = tmp_path / "fields.vtkhdf"
    theta = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.9, 0.8, 0.7, 0.6]])
    fields = {"theta": theta, "stress": theta * 1e6}
    units = {"theta": "1", "stress": "Pa"}
    write_vtkhdf(path, nodes, [[0, 1, 2], [1, 3, 2]], "triangle", [0, 10, 25], fields, units)
    return path


def test_layout(series_file: Path) -> None:
    with h5py.File(series_file) as file:
        root = file["VTKHDF"]
        assert root.attrs["Type"] == b"UnstructuredGrid"
        assert list(root.attrs["Version"]) == [2, 0]
        assert root["Points"].shape == (4, 3)
        assert root["Connectivity"][:].tolist() == [0, 1, 2, 1, 3, 2]
        assert root["Offsets"][:].tolist() == [0, 3, 6]
        assert root["Types"][:].tolist() == [5, 5]
        assert root["Steps"].attrs["NSteps"] == 3
        assert root["Steps/Values"][:].tolist() == [0, 10, 25]
        assert root["Steps/PointDataOffsets/stress"][:].tolist() == [0, 4, 8]
        assert root["PointData/stress"].attrs["unit"] == "Pa"
        assert root["PointData/theta"][4:8] == pytest.approx([0.5, 0.6, 0.7, 0.8], rel=1e-6)
        assert root["Connectivity"].compression is None, "readers without deflate read the mesh"


def test_metadata_is_old_enough_for_vtk(series_file: Path) -> None:
    # superblock version: byte 8 of the file; HDF5 1.10 writes 0, 2 or 3
    assert series_file.read_bytes()[8] <= 3


def test_vtk_reads_every_frame_of_every_field(series_file: Path) -> None:
    vtk = pytest.importorskip("vtkmodules.vtkIOHDF", reason="VTK is not installed")
    from vtkmodules.util.numpy_support import vtk_to_numpy

    reader = vtk.vtkHDFReader()
    reader.SetFileName(str(series_file))
    reader.UpdateInformation()
    assert reader.GetNumberOfSteps() == 3
    for step, first in enumerate([0.1, 0.5, 0.9]):
        reader.SetStep(step)
        reader.Modified()
        reader.Update()
        data = reader.GetOutput().GetPointData()
        assert vtk_to_numpy(data.GetArray("theta"))[0] == pytest.approx(first, rel=1e-6)
        assert vtk_to_numpy(data.GetArray("stress"))[0] == pytest.approx(first * 1e6, rel=1e-6)


@pytest.mark.parametrize("cell_type", CELL_TYPES)
def test_vtk_understands_every_node_order(tmp_path: Path, cell_type: str) -> None:
    """On the reference cell VTK's shape functions reproduce a point only with the right order."""
    vtk = pytest.importorskip("vtkmodules.vtkIOHDF", reason="VTK is not installed")
    nodes = reference_cell(cell_type)
    path = tmp_path / "cell.vtkhdf"
    field = {"x": [nodes[:, 0]]}
    write_vtkhdf(path, nodes, [range(len(nodes))], cell_type, [0], field, {"x": "m"})
    reader = vtk.vtkHDFReader()
    reader.SetFileName(str(path))
    reader.Update()
    flat = not nodes[:, 2].any()
    inside = (0.31, 0.17, 0.0 if flat else 0.23)
    found, weights = [0.0] * 3, [0.0] * len(nodes)
    cell = reader.GetOutput().GetCell(0)
    cell.EvaluateLocation(vtk_sub_id(), inside, found, weights)
    assert found == pytest.approx(inside, abs=1e-12)


def vtk_sub_id() -> object:
    from vtkmodules.vtkCommonCore import mutable

    return mutable(0)


@pytest.mark.parametrize("cell_type", CELL_TYPES)
def test_cell_types_have_their_nodes(cell_type: str) -> None:
    assert CELL_TYPES[cell_type][1] == len(reference_cell(cell_type))


def test_wrong_shapes_are_refused(tmp_path: Path) -> None:
    nodes, cells = np.zeros((3, 2)), [[0, 1, 2]]
    path = tmp_path / "a.vtkhdf"
    with pytest.raises(ValueError, match=r"cells of shape \(1, 3\) are not triangle6 \(6 nodes\)"):
        write_vtkhdf(path, nodes, cells, "triangle6", [0], {}, {})
    with pytest.raises(ValueError, match="are not blob"):
        write_vtkhdf(path, nodes, cells, "blob", [0], {}, {})
    with pytest.raises(ValueError, match=r"theta has shape \(1, 2\), not \(1, 3\)"):
        write_vtkhdf(path, nodes, cells, "triangle", [0], {"theta": [[1, 2]]}, {"theta": "1"})
    with pytest.raises(ValueError, match=r"nodes have shape \(3,\)"):
        write_vtkhdf(path, np.zeros(3), cells, "triangle", [0], {}, {})
    assert not path.exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WriteFailure, match=r"a.vtkhdf: could not be written"):
        write_vtkhdf(
            tmp_path / "no" / "a.vtkhdf", np.zeros((3, 2)), [[0, 1, 2]], "triangle", [0], {}, {}
        )
