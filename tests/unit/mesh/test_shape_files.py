"""Shapes found by name, and a user's own in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nmcsim.case.electrode_shape import (
    ElectrodeShape,
    electrode,
    electrode_names,
    load_electrode_file,
)
from nmcsim.case.shape import Shape, geometry_names, load_shape_file, shape, shape_names
from nmcsim.errors import InputError
from nmcsim.mesh import Mesh
from nmcsim.mesh.cache import key

RECTANGLE = '''
"""A rectangle, as a user would write it."""
from __future__ import annotations

from pydantic import Field

from nmcsim.case.drawing import draw_section, name_groups
from nmcsim.case.outline import Polygon
from nmcsim.case.section import Length
from nmcsim.case.shape import Shape


class Rectangle(Shape):
    name = "rectangle"
    width: Length = Field(description="Along x.")
    depth: Length = Field(description="Along y.")

    @property
    def dimension(self):
        return 2

    @property
    def outline(self):
        a, b = 0.5 * self.width, 0.5 * self.depth
        return Polygon([(-a, -b), (a, -b), (a, b), (-a, b)])

    def build(self, gmsh, patches):
        name_groups(gmsh, draw_section(gmsh, self.outline, patches, self.cell_sizes))
'''


DISK = {"diameter": "2 um", "height": "1 um"}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my_shape.py"
    path.write_text(text)
    return path


def test_shipped_shapes_are_found_by_name() -> None:
    assert {"cylinder", "disk", "polygon"} <= set(shape_names())
    for name in shape_names():
        found = shape(name)
        assert issubclass(found, Shape)
        assert found.name == name
        assert all(found.regions.values())
        assert all(found.surfaces.values())


def test_shipped_electrodes_are_found_by_name() -> None:
    assert {"columns", "packing", "particles"} <= set(electrode_names())
    assert not set(electrode_names()) & set(shape_names())
    assert set(electrode_names()) | set(shape_names()) == set(geometry_names())
    for name in electrode_names():
        found = electrode(name)
        assert issubclass(found, ElectrodeShape)
        assert (found.name, found.model, found.order) == (name, "electrode", 1)


def test_a_geometry_of_another_model_is_refused_by_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='"disk" belongs to model = "single_crystal"; this model'):
        electrode("disk")
    with pytest.raises(InputError, match='"columns" belongs to .*; this model takes .*disk'):
        shape("columns")
    with pytest.raises(InputError, match='"column" is not a shape; did you mean "columns"?'):
        electrode("column")
    with pytest.raises(InputError, match='my_shape.py" belongs to model = "single_crystal"'):
        load_electrode_file(written(tmp_path, RECTANGLE))
    own = (Path(shape("disk").model_validate(DISK).source).parent / "columns.py").read_text()
    with pytest.raises(InputError, match='my_shape.py" belongs to model = "electrode"'):
        load_shape_file(written(tmp_path, own))
    assert issubclass(load_electrode_file(tmp_path / "my_shape.py"), ElectrodeShape)


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match='"disc" is not a shape; did you mean "disk"?'):
        shape("disc")
    with pytest.raises(InputError, match="there are cylinder, disk, image, mesh, polygon"):
        shape("zzz")


def test_a_file_of_ones_own_is_meshed(tmp_path: Path, built: Callable[..., Mesh]) -> None:
    rectangle = load_shape_file(written(tmp_path, RECTANGLE))
    particle = rectangle(width="2 um", depth="1 um", height="0.5 um")
    assert particle.source == tmp_path / "my_shape.py"
    mesh = built(particle, ((0.0, 0.5),))
    assert mesh.measure("crystal") == pytest.approx(1e-18, rel=1e-12)  # 2 x 1 x 0.5 um3
    assert mesh.measure("rock_salt") == pytest.approx(1.5e-12, rel=1e-12)  # (2 + 1) x 0.5 um2


def test_a_file_that_changed_is_another_shape(tmp_path: Path) -> None:
    sizes = {"width": "2 um", "depth": "1 um", "height": "0.5 um"}
    before = load_shape_file(written(tmp_path, RECTANGLE))
    assert load_shape_file(tmp_path / "my_shape.py") is before
    first = key(before(**sizes), ())
    after = load_shape_file(written(tmp_path, RECTANGLE + "# thinner\n"))
    assert after is not before
    assert key(after(**sizes), ()) != first


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("class Rectangle(:\n", "does not run: SyntaxError in line 1"),
        ("\nfrom nmcsim import nothing\n", "does not run: ImportError in line 2"),
        ("x = 1\n", "must define one subclass of Shape or ElectrodeShape, not 0"),
        (
            RECTANGLE + "class Other(Rectangle):\n    name = 'other'\n",
            "one subclass of Shape or ElectrodeShape, not 2",
        ),
        (RECTANGLE.replace("def build", "def draw"), "the shape Rectangle without build"),
        (RECTANGLE.replace('name = "rectangle"', ""), "the shape Rectangle without name"),
        (
            RECTANGLE.replace('name = "', 'unions = {"all": ("bare", "top")}\n    name = "'),
            "has unions of surfaces that Rectangle.surfaces does not name",
        ),
    ],
)
def test_a_bad_file_gets_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=r'geometry.file = ".*my_shape.py" ') as caught:
        load_shape_file(written(tmp_path, text))
    assert sentence in str(caught.value)


def test_a_file_that_is_not_there_or_not_python_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_shape_file(tmp_path / "nothing.py")
    (tmp_path / "shape.txt").write_text(RECTANGLE)
    with pytest.raises(InputError, match=r'is not a Python file; its name must end in ".py"'):
        load_shape_file(tmp_path / "shape.txt")


def test_a_shape_that_cannot_be_meshed_gets_gmshs_words(
    tmp_path: Path, built: Callable[..., Mesh]
) -> None:
    broken = RECTANGLE.replace(
        "name_groups(", "gmsh.model.mesh.setRecombine(2, 99, 'x'); name_groups("
    )
    particle = load_shape_file(written(tmp_path, broken))(
        width="2 um", depth="1 um", height="0.5 um"
    )
    with pytest.raises(InputError, match="geometry cannot be meshed as rectangle; gmsh says:"):
        built(particle)


@pytest.mark.parametrize(
    ("drawing", "sentence"),
    [
        ("pass", "is drawn with the regions none, but Rectangle has 'crystal'"),
        (
            "gmsh.model.addPhysicalGroup(2, [section.face], name='cristal')",
            "is drawn with the regions 'cristal', but Rectangle has 'crystal'",
        ),
        (
            "gmsh.model.addPhysicalGroup(2, [section.face], name='crystal')",
            "is drawn with the surfaces none, but Rectangle has 'bare', 'rock_salt'",
        ),
        (
            "name_groups(gmsh, section); "
            "gmsh.model.addPhysicalGroup(1, [section.curves[0]], name='rock_salt')",
            "has 'bare', 'rock_salt'; each part belongs to one of them",
        ),
    ],
)
def test_a_shape_whose_places_lack_their_names_gets_a_sentence(
    tmp_path: Path, built: Callable[..., Mesh], drawing: str, sentence: str
) -> None:
    start = RECTANGLE.index("        name_groups(")
    body = "        section = draw_section(gmsh, self.outline, patches, self.cell_sizes)\n"
    text = RECTANGLE[:start] + body + f"        {drawing}\n"
    sizes = {"width": "2 um", "depth": "1 um", "height": "0.5 um"}
    with pytest.raises(InputError) as caught:
        built(load_shape_file(written(tmp_path, text))(**sizes), ())
    assert sentence in str(caught.value)
