"""A result as a camera films it: crystals in the plane and in space, electrodes, files."""

from __future__ import annotations

import json
import resource
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from nmcsim.errors import InputError, RunFailure
from nmcsim.film import COUNTS, film, snapshots_of
from nmcsim.film.body import LATTICE, LAYERS, divided, read_body
from nmcsim.imaging.camera import Camera
from nmcsim.imaging.camera.law import Linear
from nmcsim.imaging.camera.movie import write_movie
from nmcsim.imaging.stack import Stack
from nmcsim.results import Result
from nmcsim.vtkhdf import CELL_TYPES, write_vtkhdf
from tests.synthetic import synthetic_result
from tests.synthetic_electrode import synthetic_electrode

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def crystal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_result(tmp_path_factory.mktemp("crystal") / "result", frames=13)


def test_a_crystal_in_the_plane(crystal: Path) -> None:
    result = Result.load(crystal)
    found = snapshots_of(result)
    assert found.height == pytest.approx(1e-6) and found.body is None
    assert result.map is not None
    np.testing.assert_array_equal(found.time, result.map.time)
    np.testing.assert_array_equal(found.values, result.map.theta)
    assert found.name == "Synthetic aged crystal, 1C"


def test_frames_carry_the_lithium(crystal: Path, tmp_path: Path) -> None:
    made = film(crystal, Camera(law=Linear(0.5)), tmp_path / "f.ome.tif")
    stack = Stack.open(made.path)
    assert stack.shape == made.shape and stack.pixel == pytest.approx(34.7e-9)
    np.testing.assert_allclose(stack.time, snapshots_of(crystal).time)
    found = snapshots_of(crystal)
    theta = found.values[:, np.argmin(np.hypot(*found.section.nodes.T))]  # in the middle
    h, w = stack.shape[1:]
    seen = np.array([stack.frame(i)[h // 2, w // 2] for i in range(len(stack))])
    assert seen[0] == pytest.approx(COUNTS, rel=1e-4)
    # the field is smooth there: blur takes next to nothing
    np.testing.assert_allclose(seen / seen[0] - 1.0, 0.5 * (theta[0] - theta), atol=2e-3)
    told = json.loads(stack.metadata["camera"])
    assert Camera.from_table(told) == Camera(law=Linear(0.5))
    assert float(stack.metadata["counts_per_I0"]) == pytest.approx(COUNTS)
    assert "Synthetic aged crystal" in stack.description


def test_movie_labels_and_notices(crystal: Path, tmp_path: Path) -> None:
    camera = Camera(pixel=80e-9, interval=100.0, noise=20000.0)
    made = film(crystal, camera, tmp_path / "f.ome.tif", tmp_path / "f.gif", tmp_path / "l.tif")
    assert made.movie == tmp_path / "f.gif" and made.movie.stat().st_size > 10_000
    assert "in between lithium is interpolated linearly" in made.notices[0]
    labels = tifffile.imread(tmp_path / "l.tif")
    area = (labels == 1).sum() * camera.pixel**2
    assert area == pytest.approx(np.pi * 1.25e-6**2, rel=0.01)
    assert labels.shape == made.shape[1:]


def test_what_cannot_be_written(crystal: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"f.avi: has the ending"):
        film(crystal, Camera(), tmp_path / "f.tif", tmp_path / "f.avi")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match=r"l.tif names a folder that does not exist: .*no;"):
        film(crystal, Camera(), tmp_path / "f.tif", labels=tmp_path / "no" / "l.tif")
    with pytest.raises(InputError, match="is a folder; name a file in it"):
        film(crystal, Camera(), tmp_path / "f.tif", labels=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_frames_of_a_microscope_are_not_replaced(crystal: Path, tmp_path: Path) -> None:
    camera, path = Camera(pixel=100e-9), tmp_path / "f.tif"
    tifffile.imwrite(path, np.zeros((3, 8, 8), "u2"), photometric="minisblack")
    with pytest.raises(InputError, match="f.tif is there, and nmcsim did not film it"):
        film(crystal, camera, path)
    assert tifffile.imread(path).shape == (3, 8, 8)
    path.write_text("no frames")
    with pytest.raises(InputError, match="did not film it"):
        film(crystal, camera, tmp_path / "g.tif", labels=path)
    path.unlink()
    film(crystal, camera, path, labels=tmp_path / "l.tif")
    film(crystal, camera, path, labels=tmp_path / "l.tif")  # its own are


def test_a_full_disk_leaves_nothing_half_written(crystal: Path, tmp_path: Path) -> None:
    film(crystal, Camera(pixel=100e-9), tmp_path / "f.tif", tmp_path / "f.mp4")
    write_movie(tmp_path / "f.gif", Stack.open(tmp_path / "f.tif"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        # a file may grow to 20 kB, and the frames are larger
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        with pytest.raises(RunFailure, match="f.tif: could not be written") as stopped:
            film(crystal, Camera(pixel=50e-9), tmp_path / "f.tif")
        assert stopped.value.exit_status == 3
        for name in ("f.mp4", "f.gif"):
            with pytest.raises(RunFailure, match=f"{name}: could not be written"):
                write_movie(tmp_path / name, Stack.open(tmp_path / "f.tif"), title="a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_frames_at_one_time_are_one(crystal: Path) -> None:
    result = Result.load(crystal)
    assert result.map is not None
    time = result.map.time.copy()
    time[5] = time[4]  # a step ends and the next begins
    again = snapshots_of(replace(result, map=replace(result.map, time=time)))
    assert len(again.time) == len(time) - 1
    np.testing.assert_array_equal(again.values[4], result.map.theta[5])


def test_no_frames(crystal: Path) -> None:
    result = Result.load(crystal)
    with pytest.raises(InputError, match="has no recorded frames; run the case with output.frames"):
        snapshots_of(replace(result, map=None))


def test_an_electrode(tmp_path: Path) -> None:
    directory = synthetic_electrode(tmp_path / "e")
    result = Result.load(directory)
    found = snapshots_of(result)
    field = result.maps["theta"]
    assert found.part_names == field.part_names and len(found.part_names) > 1
    camera = Camera(pixel=0.2e-6, resolution=0.0, background=0.1, spot=None)
    labels = camera.labels(found)
    frames = np.stack(list(camera.frames(found)))
    assert set(np.unique(labels)) == set(range(len(found.part_names) + 1))
    # per particle: the mean change of intensity is signal times what left
    for n in range(len(found.part_names)):
        nodes = np.unique(field.triangles[field.part == n])
        left = field.values[0, nodes].mean() - field.values[-1, nodes].mean()
        # pixels that are wholly inside
        whole = (labels == n + 1) & (np.abs(frames[0] - 1.0) < 1e-6)
        assert whole.sum() > 20
        change = (frames[-1] - frames[0])[whole].mean()
        assert change == pytest.approx(0.5 * left, abs=0.01)
    assert frames[0][labels == 0].max() < 0.5 + 0.5 * 0.1 + 1e-6  # less than half covered


# --- bodies ---------------------------------------------------------------------------------------


def one_cell(kind: str) -> np.ndarray:
    """Nodes (m, 3) of a cell of a type, in VTK's order."""
    corner = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], dtype=float)
    if kind == "tetra":
        return corner
    if kind == "tetra10":
        pairs = [(0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3)]
        return np.concatenate((corner, [(corner[a] + corner[b]) / 2 for a, b in pairs]))
    if kind.startswith("hexahedron"):
        return 0.5 * np.array(LATTICE[: CELL_TYPES[kind][1]], dtype=float)
    flat = np.array([(0, 0), (1, 0), (0, 1), (0.5, 0), (0.5, 0.5), (0, 0.5)])
    if kind == "wedge":
        return np.array([(*flat[n], z) for z in (0.0, 1.0) for n in range(3)])
    nodes = np.empty((18, 3))
    for z, layer in zip((0.0, 0.5, 1.0), LAYERS, strict=True):
        nodes[list(layer)] = np.column_stack((flat, np.full(6, z)))
    return nodes


VOLUME = {"tetra": 1 / 6, "hexahedron": 1.0, "wedge": 0.5}


@pytest.mark.parametrize(
    "kind", ["tetra", "tetra10", "hexahedron", "hexahedron27", "wedge", "wedge18"]
)
def test_cells_are_divided_without_gaps(tmp_path: Path, kind: str) -> None:
    nodes = one_cell(kind)
    cells = np.arange(len(nodes))[None]
    write_vtkhdf(
        tmp_path / "f.vtkhdf", nodes, cells, kind, [0.0, 1.0],
        {"theta": np.stack((nodes[:, 0], nodes[:, 1]))}, {"theta": "1"},
    )  # fmt: skip
    times, body = read_body(tmp_path / "f.vtkhdf", "theta")
    np.testing.assert_array_equal(times, [0.0, 1.0])
    corners = nodes[body.tetrahedra]
    volumes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0
    expected = next(v for name, v in VOLUME.items() if kind.startswith(name))
    assert volumes.min() > 0.0 and volumes.sum() == pytest.approx(expected)
    assert np.array_equal(np.unique(body.tetrahedra), np.arange(len(nodes)))  # all nodes count
    # they do not overlap: a point lies in one of them
    point = np.array([0.21, 0.17, 0.13])
    inverse = np.linalg.inv(np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2))
    share = np.einsum("tij,tj->ti", inverse, point - corners[:, 0])
    assert ((share >= 0.0).all(axis=1) & (share.sum(axis=1) <= 1.0)).sum() == 1


def test_damaged_bodies(tmp_path: Path) -> None:
    path = tmp_path / "f.vtkhdf"
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="f.vtkhdf: is damaged"):
        read_body(path, "theta")
    nodes = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    write_vtkhdf(path, nodes, [[0, 1, 2]], "triangle", [0.0], {"a": [[0, 0, 0]]}, {"a": "1"})
    with pytest.raises(InputError, match="holds no mesh of a body"):
        read_body(path, "a")
    write_vtkhdf(
        path, one_cell("tetra"), [[0, 1, 2, 3]], "tetra", [0.0], {"a": [[0] * 4]}, {"a": "1"}
    )
    with pytest.raises(InputError, match="is damaged .*theta"):
        read_body(path, "theta")
    with h5py.File(path) as file:
        assert divided(file["VTKHDF/Connectivity"][:][None], 10).shape == (1, 4)


def test_a_crystal_in_space(crystal: Path, tmp_path: Path) -> None:
    """The case says a cylinder: frames come from fields.vtkhdf, or from the upper face."""
    directory = tmp_path / "r"
    shutil.copytree(crystal, directory)
    shutil.copy(REPOSITORY / "cases" / "crystal_cylinder.toml", directory / "case.toml")
    found = snapshots_of(directory)
    assert found.body is None and found.height is None
    assert Camera().notices(found) == (
        "the result keeps no fields.vtkhdf: only its upper face is seen",
    )
    nodes = 1e-6 * one_cell("hexahedron27")
    times = found.time
    values = np.repeat(np.linspace(0.9, 0.3, len(times))[:, None], 27, axis=1)
    write_vtkhdf(
        directory / "fields.vtkhdf", nodes, np.arange(27)[None], "hexahedron27", times,
        {"theta": values}, {"theta": "1"},
    )  # fmt: skip
    found = snapshots_of(directory)
    assert found.body is not None and found.body.tetrahedra.shape == (48, 4)
    np.testing.assert_allclose(found.body.values, values, atol=1e-6)
    camera = Camera(pixel=100e-9, resolution=0.0, spot=None, view="x", law=Linear(1.0))
    stack = camera.stack(found)
    h, w = stack.shape[1:]
    assert stack.frame(-1)[h // 2, w // 2] == pytest.approx(1.6, rel=1e-4)
