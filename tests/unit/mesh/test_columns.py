"""Columns of particles in two rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from pydantic import ValidationError

import nmcsim.mesh
from nmcsim.case.electrode_shape import electrode
from nmcsim.case.planar import PlanarElectrode
from nmcsim.mesh import Mesh
from tests.unit.mesh.electrodes import angles, assert_well_meshed

Built = Callable[..., Mesh]


def columns(**keys: Any) -> PlanarElectrode:
    found = electrode("columns").model_validate({"depth": "1 um"} | keys)
    assert isinstance(found, PlanarElectrode)
    return found


def crack(particle: int, angle: str, **keys: Any) -> dict[str, Any]:
    return {"particle": particle, "angle": angle} | keys


@pytest.fixture(scope="module")
def paper(built: Built) -> tuple[PlanarElectrode, Mesh]:
    """The arrangement of Fig. 4a as it comes."""
    shape = columns()
    return shape, built(shape, ())


def test_the_default_is_the_papers_arrangement(paper: tuple[PlanarElectrode, Mesh]) -> None:
    shape, mesh = paper
    assert_well_meshed(shape, mesh)
    assert [p.name for p in shape.particles] == [f"particle[{i}]" for i in range(10)]
    assert [p.obstruction for p in shape.particles] == [0] * 5 + [0, 1, 2, 3, 4]
    assert [p.observed for p in shape.particles] == [False] * 5 + [True] * 5
    assert {p.fragment_of for p in shape.particles} == {None}
    # a column each 2 x 5 + 0.3 um; lower row 1 + 5 um above the collector, upper one 12 um higher
    assert np.diff([p.centre[0] for p in shape.particles[5:]]) == pytest.approx(10.3e-6)
    assert {round(1e6 * p.centre[1], 9) for p in shape.particles} == {6.0, 18.0}


def test_the_default_has_as_many_unknowns_as_it_should(
    paper: tuple[PlanarElectrode, Mesh],
) -> None:
    mesh = paper[1]
    assert 3000 < mesh.quality().nodes < 4500
    nodes = {
        part: len(np.unique(mesh.domain.geometry.dofmaps[0][mesh.cells(part)]))
        for part in ("nmc", "solid", "ionic")
    }
    # theta, phi_s, c_l and phi_l
    assert 6000 < nodes["nmc"] + nodes["solid"] + 2 * nodes["ionic"] < 15000


def test_measures_are_the_formulas(paper: tuple[PlanarElectrode, Mesh]) -> None:
    shape, mesh = paper
    # the box is 55.2 um wide: 1 + 2 x 1.5 um beside 5 particles and 4 gaps
    assert mesh.measure("collector") == pytest.approx(55.2e-12, rel=1e-9)
    assert mesh.measure("lithium") == pytest.approx(55.2e-12, rel=1e-9)
    assert shape.volume == pytest.approx(10.0 * math.pi * 25e-18, rel=1e-9)
    assert mesh.measure("nmc") == pytest.approx(shape.volume, rel=3e-3)  # the mesh
    # a neck: 1.5 um wide, 0.3 um long between the poles, and sagittas of x^2/2R on both sides:
    # 0.3 x 1.5 + 2 x 2 x 0.75^3 / 6 / 5 um2
    neck = 0.45 + 4.0 * 0.75**3 / 30.0
    assert mesh.measure("contact") == pytest.approx(4.0 * neck * 1e-18, rel=0.01)  # the mesh


def test_areas_converge_as_the_square_of_the_cells() -> None:
    exact = math.pi * 25.0
    errors = [
        1.0 - columns(columns=1, posts=()).scaled(factor).partition.area("particle[1]") / exact
        for factor in (1.0, 0.5)
    ]
    # a polygon of n sides in a circle lacks (2 pi / n)^2 / 6 of its area: four times less
    sides = 2.0 * math.pi * 5.0 / 0.55
    assert errors[0] == pytest.approx((2.0 * math.pi / sides) ** 2 / 6.0, rel=0.2)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)  # whole numbers of edges


@pytest.mark.parametrize("coverage", [0.15, 0.4, 0.5, 0.85])
@pytest.mark.parametrize("posts", [(0,), (0, 1, 2)])
def test_the_coverage_asked_is_the_coverage_meshed(
    built: Built, coverage: float, posts: tuple[int, ...]
) -> None:
    shape = columns(columns=3, coverage=coverage, posts=posts)
    assert_well_meshed(shape, built(shape, ()))
    expected = [coverage] * 3 + [coverage if k in posts else 0.0 for k in range(3)]
    assert shape.coverages == pytest.approx(expected, abs=1e-3)  # chords for arcs


def test_posts_say_who_is_obstructed() -> None:
    upper = {
        posts: [p.obstruction for p in columns(posts=posts, coverage=0.3).particles[5:]]
        for posts in [(), (0,), (2,), (0, 4), (0, 1, 2, 3, 4)]
    }
    assert upper == {
        (): [None] * 5,
        (0,): [0, 1, 2, 3, 4],
        (2,): [2, 1, 0, 1, 2],
        (0, 4): [0, 1, 2, 1, 0],
        (0, 1, 2, 3, 4): [0] * 5,
    }


def test_the_rows_do_not_touch() -> None:
    regions = columns().layout.regions
    lower, upper = (
        shapely.union_all([regions[f"particle[{i}]"] for i in row])
        for row in (range(5), range(5, 10))
    )
    assert shapely.distance(lower, upper) == pytest.approx(2.0, abs=1e-3)  # rounded to the grid


@pytest.mark.parametrize(
    ("angle", "offset"), [("90 deg", 0.0), ("0 deg", 0.25), ("60 deg", 0.6), ("150 deg", -0.3)]
)
def test_fragments_are_what_the_crack_leaves(built: Built, angle: str, offset: float) -> None:
    gap = 0.3
    shape = columns(columns=2, cracked=[crack(1, angle, offset=offset)])
    assert_well_meshed(shape, built(shape, ()))
    larger, smaller = shape.particles[1], shape.particles[4]
    assert larger.fragment_of == smaller.fragment_of == 1
    assert (larger.name, smaller.name) == ("particle[1]", "particle[4]")
    # circular segments beyond the two sides of the crack
    areas = [
        25.0 * math.acos(h / 5.0) - h * math.sqrt(25.0 - h**2)
        for h in (gap / 2 - 5.0 * abs(offset), gap / 2 + 5.0 * abs(offset))
    ]
    volumes = [1e18 * p.volume for p in (larger, smaller)]
    assert sum(volumes) == pytest.approx(sum(areas), rel=1e-4)  # circles of 512 sides
    assert volumes == pytest.approx(areas, rel=1e-4)
    assert not larger.observed


def test_an_upright_crack_leaves_both_fragments_embedded_and_a_level_one_does_not() -> None:
    upright = columns(columns=2, cracked=[crack(0, "90 deg", offset=0.0)])
    shares = upright.coverages[0], upright.coverages[4]
    assert shares[0] == pytest.approx(shares[1], abs=2e-3)  # halves
    assert [upright.particles[i].obstruction for i in (0, 4)] == [0, 0]
    level = columns(columns=2, cracked=[crack(0, "0 deg")])
    assert level.coverages[4] == 0.0
    # nothing but a neck across the crack holds the upper fragment
    assert level.layout.neighbours == ((0, 4), (2, 3))
    assert [level.particles[i].obstruction for i in (0, 4)] == [0, 1]


def test_a_crack_in_the_upper_row_lengthens_the_way_behind_it() -> None:
    shape = columns(columns=3, cracked=[crack(4, "90 deg")])
    # 3 touches the post, then the left and smaller fragment, the right one, and 5
    assert [shape.particles[i].obstruction for i in (3, 6, 4, 5)] == [0, 1, 2, 3]
    assert all(shape.particles[i].observed for i in (4, 6))


def test_a_crack_is_filled_with_liquid() -> None:
    shape = columns(columns=1, posts=(), cracked=[crack(0, "90 deg", offset=0.0)])
    whole = columns(columns=1, posts=())
    more = shape.partition.area("liquid") - whole.partition.area("liquid")
    assert more == pytest.approx(0.3 * 10.0, rel=0.02)  # 0.3 um wide, 10 um long; the mesh
    assert shape.partition.area("binder") == pytest.approx(whole.partition.area("binder"), rel=1e-3)


@pytest.mark.parametrize("keys", [{"sides": 8}, {"sides": 12, "corner_radius": "1 um"}])
def test_particles_may_be_polygons(built: Built, keys: dict[str, Any]) -> None:
    shape = columns(columns=2, **keys)
    assert_well_meshed(shape, built(shape, ()))
    assert shape.coverages == pytest.approx([0.4, 0.4, 0.4, 0.0], abs=2e-3)
    # about a circle of radius r: area n r^2 tan(pi/n); each rounded corner leaves out
    # rho^2 (tan(pi/n) - pi/n)
    n, rho = keys["sides"], 1.0 if "corner_radius" in keys else 0.0
    area = 25.0 * n * math.tan(math.pi / n) - n * rho**2 * (math.tan(math.pi / n) - math.pi / n)
    assert 1e18 * shape.particles[0].volume == pytest.approx(area, rel=1e-5)  # fine arcs


def test_scaled_scales_all_cells(built: Built) -> None:
    shape = columns(columns=1)
    fine, coarse = shape.scaled(0.5), shape.scaled(2.0)
    assert fine.cell_sizes == pytest.approx(tuple(0.5 * x for x in shape.cell_sizes))
    counts = [len(angles(built(each, ()))) for each in (coarse, shape, fine)]
    assert counts[1] > 1.8 * counts[0]
    assert counts[2] > 2.5 * counts[1]
    assert fine.layout is shape.layout  # drawn once


def test_the_same_parameters_give_the_same_file(tmp_path: Any) -> None:
    from nmcsim.mesh.cache import generate

    paths = tmp_path / "a.msh", tmp_path / "b.msh"
    for path in paths:
        generate(columns(columns=1), (), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_picture_shows_the_regions(tmp_path: Any, paper: tuple[PlanarElectrode, Mesh]) -> None:
    from matplotlib.image import imread

    nmcsim.mesh.picture(paper[1], tmp_path / "mesh.png")
    pixels = imread(tmp_path / "mesh.png")[..., :3].reshape(-1, 3)
    for colour in ((0xB0, 0xA8, 0x90), (0x40, 0x40, 0x40), (0xCF, 0xE6, 0xF7), (0x00, 0x9E, 0x73)):
        near = np.all(np.abs(pixels - np.array(colour) / 255.0) < 0.02, axis=1)
        assert near.sum() > 100, colour


def test_the_summary_says_what_lies_between(paper: tuple[PlanarElectrode, Mesh]) -> None:
    shape, mesh = paper
    said = mesh.summary()
    assert "straight cells" in said
    assert "particle[0] to particle[9]  7.8" in said
    assert (
        "4 contacts; 10 particles, by how many others lie between them and the binder:"
        in (shape.notes[1])
    )
    assert shape.notes[1].endswith("6 with 0, 1 with 1, 1 with 2, 1 with 3, 1 with 4")
    lost = columns(columns=1, posts=())
    assert lost.notes[-1] == "without any way: particle[1]"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"coverage": 0.9}, "less than or equal to 0.85"),
        ({"coverage": 0.45, "posts": (1,)}, "no room beside particle 0 of the upper row"),
        ({"posts": (5,)}, "posts names 5; there are 0 to 4"),
        ({"contact_width": "6 um"}, "contact_width is wider than a contact of these particles"),
        ({"contact_gap": "50 nm"}, "contact_gap is too small to mesh .*; take at least 100 nm"),
        (
            {"row_gap": "0.2 um", "coverage": 0.5},
            "row_gap leaves no liquid between the lower row and the binder",
        ),
        ({"corner_radius": "1 um"}, "corner_radius belongs to polygons; give sides too"),
        ({"sides": 8, "corner_radius": "5 um"}, "corner_radius leaves no faces"),
        ({"sides": 10}, "multiple of 4"),
        ({"radius": "1 um"}, "has particles of radius 1 um, too small for the grid .* 1.25 um"),
        ({"cracked": [crack(10, "0 deg")]}, r"cracked\[0\].particle is 10; there are 0 to 9"),
        (
            {"cracked": [crack(1, "0 deg"), crack(1, "90 deg")]},
            r"cracked\[1\].particle is 1 again; a particle cracks once",
        ),
        ({"cracked": [crack(1, "0 deg", gap="2 um")]}, r"gap is no crack; it is at most 1 um wide"),
        (
            {"cracked": [crack(6, "0 deg", offset=0.0)]},
            r"cracked\[0\].angle ends the crack under a neck; turn or shift it",
        ),
        ({"cracked": [crack(0, "20 deg", offset=0.0)]}, "two corners only 0.025 um apart at"),
        ({"cell_size": "1 mm"}, "cell_size does not fit particles of radius 5 um; take 5 nm to 10"),
    ],
)
def test_what_does_not_fit_is_refused_by_sentence(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        columns(**keys)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        columns(posts=(7,), contact_width="6 um", contact_gap="50 nm")
    assert all(word in str(caught.value) for word in ("posts", "contact_width", "contact_gap"))


def test_layers_of_thin_cells_add_nodes_and_no_area(built: Built) -> None:
    """Two layers on 2 x 1 particles: two more nodes for each edge of their perimeters."""
    plain, thin = columns(columns=1, layers=0), columns(columns=1, layers=2, layer="0.1 um")
    edges = sum(len(face[0]) for p in plain.particles for face in plain.partition.rings[p.name])
    bare, fine = built(plain), built(thin)
    more = fine.domain.geometry.x.shape[0] - bare.domain.geometry.x.shape[0]
    # the cells further in are not the same: a few nodes more or less
    assert abs(more - 2 * edges) < 0.5 * edges
    for name in ("nmc", "binder", "liquid"):
        assert fine.measure(name) == pytest.approx(bare.measure(name), rel=1e-12)
