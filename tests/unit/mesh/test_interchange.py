"""Meshes out to other programs and back, and ready-made ones: the same places and measures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gmsh
import meshio
import numpy as np
import pytest

from nmcsim import load
from nmcsim.case.electrode_shape import electrode
from nmcsim.case.shape import Shape, shape
from nmcsim.errors import InputError
from nmcsim.mesh.interchange import export

CASES = Path(__file__).parents[3] / "cases"
UNITS = {".msh": "um", ".vtu": "m", ".xdmf": "m"}


@pytest.mark.parametrize("ending", UNITS)
def test_a_crystal_comes_back_as_it_went(
    tmp_path: Path, built: Callable[..., Any], disk: Shape, ending: str
) -> None:
    mesh = built(disk.scaled(4.0))
    path = tmp_path / f"disk{ending}"
    export(mesh, path)
    back = shape("mesh")(mesh=path, unit=UNITS[ending], height="1 um")
    assert len(back.own_patches) == 1
    ((s0, s1),) = back.own_patches
    assert s1 - s0 == pytest.approx(0.5, abs=1e-3)  # chords of a curved outline
    again = built(back, back.own_patches)
    # .xdmf has straight sides: a polygon in the circle
    near = 5e-3 if ending == ".xdmf" else 1e-12
    for place in ("crystal", "bare", "rock_salt", "lateral"):
        assert again.measure(place) == pytest.approx(mesh.measure(place), rel=near)
    assert again.quality().cells == mesh.quality().cells
    if ending == ".msh":
        assert back.volume == pytest.approx(disk.volume, rel=1e-3)
        assert back.scaled(2.0) is back


@pytest.fixture(scope="module")
def columns() -> Any:
    made = load(CASES / "electrode_paper.toml", ["geometry.columns=2"])
    return made.geometry.scaled(3.0)


@pytest.mark.parametrize("ending", UNITS)
def test_an_electrode_comes_back_as_it_went(
    tmp_path: Path, built: Callable[..., Any], columns: Any, ending: str
) -> None:
    mesh = built(columns, ())
    path = tmp_path / f"electrode{ending}"
    export(mesh, path)
    back = electrode("mesh_electrode")(mesh=path, unit=UNITS[ending], depth=f"{columns.depth} m")
    again = built(back, ())
    for place in (*mesh.regions, *mesh.surfaces):
        assert again.measure(place) == pytest.approx(mesh.measure(place), rel=1e-9)
    for one, other in zip(columns.particles, back.particles, strict=True):
        assert one.obstruction == other.obstruction
        assert one.volume == pytest.approx(other.volume, rel=2e-2)  # it was a circle
        assert one.centre == pytest.approx(other.centre, abs=2e-8)


@pytest.mark.parametrize("ending", [".vtu", ".xdmf"])
def test_names_are_cell_data_that_any_program_shows(
    tmp_path: Path, built: Callable[..., Any], disk: Shape, ending: str
) -> None:
    mesh = built(disk.scaled(4.0))
    export(mesh, tmp_path / f"disk{ending}")
    reader = meshio.vtu.read if ending == ".vtu" else meshio.xdmf.read
    found = reader(tmp_path / f"disk{ending}")
    assert set(found.cell_data) == {"gmsh:physical", "crystal", "bare", "rock_salt"}
    marked = sum(int(np.sum(values)) for values in found.cell_data["crystal"])
    assert marked == mesh.quality().cells
    assert np.ptp(found.points[:, 0]) == pytest.approx(2.5e-6, rel=1e-2)


def written(path: Path, version: float, order: int, **names: Any) -> Path:
    """A square of 2 um, its sides named, as gmsh alone writes it: millimetres, 0 to 0.002."""
    gmsh.initialize(["test"], readConfigFiles=False, interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Mesh.MshFileVersion", version)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 4e-4)
        geo = gmsh.model.geo
        points = [geo.addPoint(x, y, 0.0) for x, y in ((0, 0), (2e-3, 0), (2e-3, 2e-3), (0, 2e-3))]
        lines = [geo.addLine(a, b) for a, b in zip(points, points[1:] + points[:1], strict=True)]
        face = geo.addPlaneSurface([geo.addCurveLoop(lines)])
        geo.synchronize()
        for name, sides in names.items():
            dimension = 2 if sides == "face" else 1
            tags = [face] if sides == "face" else [lines[k] for k in sides]
            gmsh.model.addPhysicalGroup(dimension, tags, name=name)
        gmsh.model.mesh.generate(2)
        gmsh.model.mesh.setOrder(order)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
    return path


def on_the_left(square: Any, patches: Any) -> None:
    """Rock salt is the whole left side of the square."""
    ((s0, s1),) = patches
    assert s1 - s0 == pytest.approx(0.25)
    ends = square.outline.point(np.array([s0, s1]))
    assert ends == pytest.approx(np.array([[0.0, 2e-6], [0.0, 0.0]]), abs=1e-12)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("version", [2.2, 4.1])
def test_a_mesh_of_gmsh_with_named_groups_is_a_crystal(
    tmp_path: Path, built: Callable[..., Any], version: float, order: int
) -> None:
    path = written(
        tmp_path / "a.msh", version, order, crystal="face", bare=(0, 1, 2), rock_salt=(3,)
    )
    square = shape("mesh")(mesh=path, unit="mm", height="0.5 um")
    assert square.outline.area == pytest.approx(4e-12)
    on_the_left(square, square.own_patches)
    mesh = built(square, square.own_patches)
    assert mesh.measure("crystal") == pytest.approx(2e-18)
    assert mesh.measure("rock_salt") == pytest.approx(1e-12)
    assert mesh.measure("bare") == pytest.approx(3e-12)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"solid": "face", "bare": (0, 1, 2, 3)},
         'has no "crystal", has "solid", which is no place here; found are the regions solid and'
         " the surfaces bare, needed are crystal, bare"),
        ({"crystal": "face"}, 'has no "bare"; found are the regions crystal and the surfaces none'),
        ({"crystal": "face", "bare": (0, 1)}, "leaves .* sides on its surface without a name"),
        ({}, "names no regions or surfaces"),
    ],
)  # fmt: skip
def test_missing_and_unknown_names_are_listed(
    tmp_path: Path, names: dict[str, Any], sentence: str
) -> None:
    path = written(tmp_path / "a.msh", 4.1, 1, **names)
    with pytest.raises(Exception, match=sentence):
        shape("mesh")(mesh=path, unit="mm", height="1 um")


def test_files_that_are_no_mesh_are_refused(tmp_path: Path) -> None:
    for name, content, sentence in (
        ("a.msh", b"", "cannot be read as msh"),
        ("b.msh", b"$MeshFormat\n9.9 0 8\n", "cannot be read as msh"),
        ("c.vtu", b"<VTKFile", "cannot be read as vtu"),
        ("d.stl", b"solid", "is none of .msh, .vtu"),
        ("e.xdmf", b'<Xdmf><DataItem Format="HDF"/></Xdmf>', "keeps its numbers in another file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Exception, match=sentence):
            shape("mesh")(mesh=tmp_path / name, unit="um", height="1 um")
    good = written(tmp_path / "f.msh", 4.1, 1, crystal="face", bare=(0, 1, 2, 3))
    with pytest.raises(Exception, match='unit = "V"|is a voltage'):
        shape("mesh")(mesh=good, unit="V", height="1 um")
    with pytest.raises(Exception, match="has no effect on a mesh that is ready"):
        shape("mesh")(mesh=good, unit="mm", height="1 um", cell_size="0.1 um")


def test_particles_that_share_sides_are_refused(tmp_path: Path) -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 2, 0], [1, 2, 0]], float)
    cells = [("triangle", np.array([[0, 1, 2], [0, 2, 3], [3, 2, 5], [3, 5, 4]])),
             ("line", np.array([[0, 1], [4, 5]]))]  # fmt: skip
    data = {
        "particle[0]": [np.array([1, 0, 0, 0]), np.array([0, 0])],
        "particle[1]": [np.array([0, 1, 0, 0]), np.array([0, 0])],
        "liquid": [np.array([0, 0, 1, 1]), np.array([0, 0])],
        "collector": [np.array([0, 0, 0, 0]), np.array([1, 0])],
        "lithium": [np.array([0, 0, 0, 0]), np.array([0, 1])],
    }
    path = tmp_path / "a.vtu"
    meshio.vtu.write(path, meshio.Mesh(points, cells, cell_data=data))
    with pytest.raises(Exception, match=r"lets particle\[0\] and particle\[1\] share sides"):
        electrode("mesh_electrode")(mesh=path, unit="um")


def test_the_mesh_says_where_rock_salt_lies(tmp_path: Path) -> None:
    path = written(tmp_path / "a.msh", 4.1, 1, crystal="face", bare=(0, 1, 2), rock_salt=(3,))
    text = (CASES / "crystal_image.toml").read_text()
    table = f'[geometry]\nshape = "mesh"\nmesh = "{path}"\nunit = "mm"\nheight = "1 um"\n'
    salt = "[physics.rock_salt]\ncoverage = 0.25\n"
    start, middle, end = (
        text.index("[geometry]"),
        text.index("[material]"),
        text.index("[protocol]"),
    )
    head = text[middle : text.index("[physics.rock_salt]")]
    case = tmp_path / "case.toml"
    case.write_text(text[:start] + table + head + salt + text[end:])
    on_the_left(load(case).geometry, load(case).patches)
    with pytest.raises(InputError, match="contradicts the mesh, .* covers 0.25"):
        load(case, ["physics.rock_salt.coverage=0.5"])
    with pytest.raises(InputError, match="has no effect: the mesh says"):
        load(case, ["physics.rock_salt.angle=90 deg"])
    with pytest.raises(InputError, match="no coarser one"):
        load(case).coarser(1.5, 5.0)


@pytest.mark.parametrize("ending", [".msh", ".vtu"])
def test_an_electrode_in_space_comes_back_too(
    tmp_path: Path, built: Callable[..., Any], ending: str
) -> None:
    spheres = electrode("spheres").model_validate(
        {
            "number": 3, "width": "13 um", "depth": "13 um", "height": "34 um",
            "separator": "3 um", "spread": 0.0, "cell_size": "3 um",
            "interface_cell_size": "2.4 um",
        }
    )  # fmt: skip
    mesh = built(spheres, ())
    path = tmp_path / f"spheres{ending}"
    export(mesh, path)
    back = electrode("mesh_electrode")(mesh=path, unit=UNITS[ending])
    assert (back.dimension, back.thickness) == (3, 1.0)
    again = built(back, ())
    assert again.quality().cells == mesh.quality().cells
    for place in (*mesh.regions, *mesh.surfaces):
        assert again.measure(place) == pytest.approx(mesh.measure(place), rel=1e-9)
    assert [p.obstruction for p in back.particles] == [p.obstruction for p in spheres.particles]
    for i, (one, other) in enumerate(zip(spheres.particles, back.particles, strict=True)):
        # what its cells hold; a ball of so large cells has less than the ball
        assert other.volume == pytest.approx(mesh.measure(f"particle[{i}]"), rel=1e-9)
        assert 0.7 * one.volume < other.volume < one.volume
        assert other.centre == pytest.approx(one.centre, abs=3e-7)
