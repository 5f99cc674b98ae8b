"""Sections, surface lines, points and means of states on small meshes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nmcsim.mesh
from nmcsim.case.outline import Circle
from nmcsim.imaging.section import Section
from nmcsim.observe.layout import Layout
from nmcsim.observe.reductions import Extremes, Weighted
from nmcsim.observe.view import Probe, SurfaceLine, View, vtk_cells
from nmcsim.solve.fields import Array, Unknown
from tests.crystals import crystal, sized

from nmcsim.runtime import MPI  # isort: skip

SHAPES = {
    "disk": ('geometry.shape = "disk"',),
    "hexagon": ('geometry.shape = "polygon"',),
    "cylinder": ('geometry.shape = "cylinder"', "geometry.layers = 2"),
}


class Particle:
    """A meshed particle with a field on it."""

    def __init__(self, name: str, degree: int, size: float, coverage: float, cache: Path) -> None:
        self.case = crystal(*SHAPES[name], f"physics.rock_salt.coverage = {coverage}", *sized(size))
        self.mesh = nmcsim.mesh.build(self.case.geometry, self.case.patches, MPI.COMM_SELF, cache)
        self.theta = Unknown("theta", "theta", "1", self.mesh.lagrange(degree))
        self.where = slice(0, self.theta.owned)
        self.x: Array = self.theta.space.tabulate_dof_coordinates()


@pytest.fixture
def make(tmp_path: Path):
    def made(name: str, degree: int = 2, size: float = 0.3, coverage: float = 0.5) -> Particle:
        return Particle(name, degree, size, coverage, tmp_path)

    return made


# --- points ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHAPES)
def test_points_are_exact_for_polynomials_of_the_space(make, name: str) -> None:
    """In the middle, where cells are straight, P2 holds x^2 + 3 x y exactly; no neighbour does."""
    particle = make(name)
    rng = np.random.default_rng(1)
    r, phi = 0.7e-6 * np.sqrt(rng.random(200)), 2.0 * np.pi * rng.random(200)
    height = 0.5e-6 if particle.mesh.dimension == 3 else 0.0
    points = np.column_stack((r * np.cos(phi), r * np.sin(phi), np.full(200, height)))

    def f(x: Array) -> Array:
        return 1e12 * (x[:, 0] ** 2 + 3.0 * x[:, 0] * x[:, 1]) + 2e6 * x[:, 1]

    values = Probe(particle.theta, particle.where, points)(f(particle.x))
    # hexahedra are no parallelograms: their mapped quadratics miss x^2 by the cell's skew
    tolerance = 1e-12 if name != "cylinder" else 0.02
    assert np.abs(np.array(values) - f(points)).max() < tolerance


def test_a_point_is_evaluated_in_the_cell_that_holds_it(make) -> None:
    """Two fields that differ beyond one cell: a value taken from a neighbour would show it."""
    particle = make("disk", degree=1, size=0.5)
    cells = particle.theta.space.dofmap.list
    centres = particle.x[cells].mean(axis=1)
    values = Probe(particle.theta, particle.where, centres)
    for field in np.random.default_rng(2).random((3, particle.theta.owned)):
        inner = np.hypot(*centres.T[:2]) < 0.7e-6  # straight cells
        expected = field[cells].mean(axis=1)
        assert np.array(values(field))[inner] == pytest.approx(expected[inner], abs=1e-12)


def test_a_point_at_the_rim_between_two_nodes_has_a_value_and_one_outside_none(make) -> None:
    particle = make("disk", size=0.5)
    phi = np.linspace(0.0, 2.0 * np.pi, 97)
    rim = np.column_stack((np.cos(phi), np.sin(phi), 0.0 * phi)) * 1.25e-6 * (1.0 - 2e-5)
    state = np.ones(particle.theta.owned)
    assert np.array(Probe(particle.theta, particle.where, rim)(state)) == pytest.approx(1.0)
    assert np.isnan(Probe(particle.theta, particle.where, 1.1 * rim)(state)).all()


# --- means -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHAPES)
def test_weighted_means(make, name: str) -> None:
    particle = make(name)
    mesh, theta, x = particle.mesh, particle.theta, particle.x[:, 0]
    bare = Weighted.of(theta, lambda f: f * mesh.ds("bare"))
    assert bare.total == pytest.approx(mesh.measure("bare"), rel=1e-12)
    assert bare.of_state(np.full(theta.owned, 0.3)) == pytest.approx(0.3, rel=1e-12)
    assert bare.mean(np.exp, np.full(theta.owned, 0.3)) == pytest.approx(np.exp(0.3), rel=1e-12)
    if name == "disk":  # the bare half lies at x < 0: its mean is -2R/pi
        assert bare.of_state(x) == pytest.approx(-2.0 * 1.25e-6 / np.pi, rel=1e-3)  # mesh
    both = Weighted.of(theta, lambda f: f * mesh.ds("bare") + 0.1 * f * mesh.ds("rock_salt"))
    expected = mesh.measure("bare") + 0.1 * mesh.measure("rock_salt")
    assert both.total == pytest.approx(expected, rel=1e-12)


def test_extremes(make) -> None:
    particle = make("disk")
    extremes = Extremes(particle.theta, particle.where)
    state = np.concatenate((particle.x[:, 0], [9.0]))  # another unknown behind is not looked at
    assert extremes.largest(state) == pytest.approx(1.25e-6, rel=1e-9)
    assert extremes.least(state) == pytest.approx(-1.25e-6, rel=1e-9)


# --- layout, section, surface line -------------------------------------------------------------


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("degree", [1, 2])
def test_layout_gathers_and_scatters_what_it_was_given(make, name: str, degree: int) -> None:
    particle = make(name, degree)
    layout = Layout.of(particle.theta)
    state = np.random.default_rng(3).random(particle.theta.owned)
    nodal = layout.gather(state)
    assert nodal is not None and layout.size == nodal.size == particle.theta.owned
    assert np.array_equal(layout.scatter(nodal), state)
    assert np.array_equal(layout.gather(particle.x[:, 0]), layout.nodes[:, 0])
    assert np.array_equal(np.unique(layout.cells), np.arange(layout.size))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("degree", [1, 2])
def test_section_has_the_particles_area_and_centre(make, name: str, degree: int) -> None:
    particle = make(name, degree)
    view = View.of(Layout.of(particle.theta))
    area = particle.case.geometry.outline.area
    assert view.section.area == pytest.approx(area, rel=2e-3 if degree == 2 else 3e-2)  # mesh
    assert np.abs(view.section.centre).max() < 2e-9  # mesh; of 1.25 um
    if particle.mesh.dimension == 3:
        heights = view.layout.nodes[view.index, 2]
        assert heights == pytest.approx(particle.case.geometry.height, rel=1e-9)
        assert vtk_cells(view.layout)[0] == ("hexahedron" if degree == 1 else "hexahedron27")


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("coverage", [0.0, 0.3, 0.5])
def test_surface_line_goes_round_once_and_knows_the_rock_salt(
    make, name: str, coverage: float
) -> None:
    particle = make(name, coverage=coverage)
    outline = particle.case.geometry.outline
    view = View.of(Layout.of(particle.theta))
    line = SurfaceLine.of(view.section, outline, particle.case.patches)
    assert np.all(np.diff(line.position) > 0.0)
    assert line.position[0] >= 0.0 and line.position[-1] < outline.length
    places = view.section.nodes[line.nodes]
    assert places == pytest.approx(outline.point(line.position / outline.length), abs=1e-11)
    turn = line.angle - np.arctan2(*places.T[::-1])
    assert np.cos(turn) == pytest.approx(1.0, abs=1e-4)  # mesh: its centre
    lengths = np.diff(np.append(line.position, outline.length + line.position[0]))
    assert lengths.sum() == pytest.approx(outline.length, rel=1e-12)
    assert lengths[line.rock_salt].sum() == pytest.approx(coverage * outline.length, abs=1e-14)
    if coverage == 0.5 and name == "disk":  # the arc's middle is at angle 0
        middle = np.cos(line.angle + 0.5 * lengths / 1.25e-6)
        assert np.array_equal(line.rock_salt, middle > 0.0)


def test_a_patch_over_the_start_of_the_outline() -> None:
    phi = 2.0 * np.pi * np.arange(12) / 12
    nodes = np.vstack((np.column_stack((np.cos(phi), np.sin(phi))), [[0.0, 0.0]]))
    cells = np.array([[i, (i + 1) % 12, 12] for i in range(12)])
    line = SurfaceLine.of(Section(nodes, cells), Circle(1.0), ((0.75, 1.25),))
    assert line.rock_salt.tolist() == [True] * 3 + [False] * 6 + [True] * 3
