"""Named measures, spaces, quality and pictures of a mesh."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import ufl
from dolfinx import fem

from nmcsim.case.shape import Shape, shape
from nmcsim.errors import InputError
from nmcsim.mesh import Mesh, picture

CURVED = 2e-7  # mesh: parabolas for arcs


def integral(form: ufl.Form) -> float:
    return float(fem.assemble_scalar(fem.form(form)))


def test_thickness_is_folded_into_dx_and_ds(built: Callable[..., Mesh], disk: Shape) -> None:
    mesh = built(disk)
    x = ufl.SpatialCoordinate(mesh.domain)
    radius, height = 1.25e-6, 1.0e-6
    # integral of x^2: pi R^4 / 4 over the disk, pi R^3 along the circle
    assert integral(x[0] ** 2 * mesh.dx("crystal")) == pytest.approx(
        math.pi * radius**4 / 4.0 * height, rel=CURVED
    )
    assert integral(x[0] ** 2 * mesh.ds("lateral", degree=6)) == pytest.approx(
        math.pi * radius**3 * height, rel=CURVED
    )
    assert mesh.thickness == height
    assert mesh.centre == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("one", [1, 1.0, np.float64(1.0), np.float32(1.0)])
def test_a_number_is_an_integrand(built: Callable[..., Mesh], disk: Shape, one: float) -> None:
    mesh = built(disk)
    assert integral(one * mesh.ds("bare")) == pytest.approx(mesh.measure("bare"), rel=1e-9)


def test_in_3d_the_thickness_is_one(built: Callable[..., Mesh]) -> None:
    mesh = built(shape("cylinder")(diameter="2 um", height="1.0 um", layers=2))
    x = ufl.SpatialCoordinate(mesh.domain)
    assert mesh.thickness == 1.0
    assert mesh.centre == (0.0, 0.0, 0.5e-6)
    # n . x over the closed surface is three times the volume: the normal points outward everywhere
    flux = ufl.dot(x, ufl.FacetNormal(mesh.domain))
    total = sum(integral(flux * mesh.ds(name)) for name in ("lateral", "top", "bottom"))
    assert total == pytest.approx(3.0 * mesh.measure("crystal"), rel=1e-6)


def test_an_absent_surface_has_no_area(built: Callable[..., Mesh], disk: Shape) -> None:
    mesh = built(disk, ())
    assert mesh.measure("rock_salt") == 0.0
    assert integral(1.0 * mesh.ds("rock_salt")) == 0.0
    assert mesh.facets("rock_salt").size == 0
    assert mesh.facets("bare").size == mesh.facets("lateral").size > 0


def test_the_measure_can_follow_a_forms_quadrature(built: Callable[..., Mesh], disk: Shape) -> None:
    mesh = built(disk)
    form = integral(1.0 * mesh.ds("bare", degree=4))
    assert mesh.measure("bare", degree=4) == pytest.approx(form, rel=1e-14)  # rounding


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda m: m.ds("rocksalt"), 'no surface "rocksalt" in disk; did you mean "rock_salt"?'),
        (lambda m: m.ds("top"), 'no surface "top" in disk; there are bare, rock_salt, lateral'),
        (lambda m: m.dx("cristal"), 'no region "cristal" in disk; did you mean "crystal"?'),
        (lambda m: m.measure("lateral2"), 'no surface "lateral2" in disk; did you mean "lateral"?'),
        (lambda m: m.facets("crystal"), 'no surface "crystal" in disk; there are'),
        (lambda m: m.cells("bare"), 'no region "bare" in disk; there are crystal'),
    ],
)
def test_an_unknown_place_gets_a_sentence(
    built: Callable[..., Mesh], disk: Shape, ask: Callable[[Mesh], object], sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        ask(built(disk))
    assert str(caught.value).startswith(sentence)


def test_spaces(built: Callable[..., Mesh], disk: Shape) -> None:
    mesh = built(disk)
    # on triangles of second order each node carries one unknown of P2
    assert mesh.lagrange(2).dofmap.index_map.size_global == mesh.quality().nodes
    assert mesh.lagrange(1).dofmap.index_map.size_global < mesh.quality().nodes
    assert mesh.real().dofmap.index_map.size_global == 1


def test_unknowns_on_a_surface_lie_there(built: Callable[..., Mesh], disk: Shape) -> None:
    mesh = built(disk)
    space = mesh.lagrange(2)
    found = mesh.dofs(space, "rock_salt")
    # an arc of n facets holds n + 1 vertices and n middles
    assert len(found) == 2 * len(mesh.facets("rock_salt")) + 1
    assert (np.diff(found) > 0).all()
    radii = np.hypot(*space.tabulate_dof_coordinates()[found, :2].T)
    assert radii == pytest.approx(1.25e-6, rel=1e-9)


def test_the_summary_names_what_a_reader_asks(built: Callable[..., Mesh], disk: Shape) -> None:
    text = built(disk).summary()
    assert text.startswith("disk: ")
    assert "crystal    4.90874e-18 m3" in text  # pi (1.25 um)^2 x 1 um
    assert "rock salt covers 50.0000 % of the lateral surface" in text


def has_colour(path: Path, colour: str) -> bool:
    from matplotlib.colors import to_rgb
    from matplotlib.image import imread

    pixels = imread(path)[..., :3]
    return bool((np.abs(pixels - to_rgb(colour)).max(axis=-1) < 0.02).sum() > 100)


@pytest.mark.parametrize("name", ["disk", "cylinder", "polygon"])
def test_a_picture_marks_the_rock_salt(
    built: Callable[..., Mesh], tmp_path: Path, name: str
) -> None:
    particle = shape(name)(diameter="2 um", height="1 um").scaled(2.0)
    for coverage, patches in (("none", ()), ("half", ((0.6, 1.1),))):
        picture(built(particle, patches), tmp_path / f"{coverage}.png")
    assert has_colour(tmp_path / "none.png", "#0072b2")
    assert not has_colour(tmp_path / "none.png", "#d55e00")
    assert has_colour(tmp_path / "half.png", "#d55e00")
