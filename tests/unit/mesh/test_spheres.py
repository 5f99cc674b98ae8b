"""Piles of spheres: where they lie, and that their mesh measures what the formulas say."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nmcsim.case.electrode_shape import electrode
from nmcsim.case.pile import Box, Full, Pile, necks, pile
from nmcsim.mesh import Mesh
from tests.unit.mesh.electrodes import assert_regions

Built = Callable[..., Mesh]
BOX = Box(
    width=28.0, depth=28.0, top=40.0, floor=4.0, sunk=0.25, contact_gap=0.3, clear_gap=0.7, neck=1.0
)  # fmt: skip
SMALL = {
    "number": 3, "width": "13 um", "depth": "13 um", "height": "34 um", "separator": "3 um",
    "spread": 0.0, "cell_size": "3 um", "interface_cell_size": "2.4 um",
}  # fmt: skip


def spheres(**keys: Any) -> Any:
    return electrode("spheres").model_validate(keys)


@pytest.fixture(scope="module")
def tower(built: Built) -> tuple[Any, Mesh]:
    """Three spheres, one upon the other: the box is too narrow for anything else."""
    shape = spheres(**SMALL)
    return shape, built(shape, ())


# -- where they lie ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_spheres_touch_what_bears_them_and_nothing_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = pile(rng.uniform(4.0, 6.0, 10), BOX, rng)
    x, r = found.centres, found.radii
    for a, b in itertools.combinations(range(10), 2):
        gap = math.dist(x[a], x[b]) - r[a] - r[b]
        if (a, b) in found.contacts:
            assert gap == pytest.approx(0.3, abs=1e-12)
        else:
            assert gap > 0.7 - 1e-12
    assert (x - r[:, None] > [0.7 - 1e-12, 0.7 - 1e-12, 0.0]).all()
    assert (x + r[:, None] < [27.3 + 1e-12, 27.3 + 1e-12, 40.0 + 1e-12]).all()
    for k, bearer in enumerate(found.bearers):
        if bearer is None:  # a cap of height 2 r s has the share s of a sphere's surface
            assert 4.0 - (x[k, 2] - r[k]) == pytest.approx(2.0 * r[k] * 0.25)
        else:
            assert bearer < k
            assert x[k, 2] - r[k] > 4.7 - 1e-12
    for (a, b), middle in zip(found.contacts, necks(found), strict=True):
        assert math.dist(middle, x[a]) - r[a] == pytest.approx(0.15)
        assert math.dist(middle, x[b]) - r[b] == pytest.approx(0.15)
        for k in set(range(10)) - {a, b}:
            assert math.dist(middle, x[k]) - r[k] > 1.7 - 1e-12


def test_a_box_that_is_full_says_how_many_found_room() -> None:
    """A tower of spheres of radius 5 in a box that is one sphere wide: the first sinks 2.5 into the
    floor, and each adds 10.2 or more, so that the third would end above 30.
    """
    narrow = Box(12.0, 12.0, 30.0, 4.0, 0.25, 0.3, 0.7, 1.0)
    with pytest.raises(Full, match="there is room for 2 spheres") as caught:
        pile([5.0] * 5, narrow, np.random.default_rng(0))
    assert caught.value.placed == 2


def test_what_lies_under_others_is_not_seen() -> None:
    """Of two equal spheres, the lower is hidden by the lens where their disks overlap: 0.39 of it
    at one radius between the axes, 0.68 at half of one.
    """
    for offset, visible in ((1.0, True), (0.5, False), (3.0, True)):
        both = Pile(np.array([[0.0, 0, 0], [offset, 0, 5.0]]), np.array([1.0, 1.0]), (None, 0))
        assert both.seen() == (visible, True)


def test_the_default_is_a_pile_of_twelve_on_their_ways_to_the_binder() -> None:
    shape = spheres()
    assert len(shape.particles) == 12
    passed = [p.obstruction for p in shape.particles]
    assert None not in passed
    for k, bearer in enumerate(shape.pile.bearers):
        assert passed[k] == (0 if bearer is None else passed[bearer] + 1)
    assert max(passed) >= 2
    assert any(p.observed for p in shape.particles)
    assert not all(p.observed for p in shape.particles)


def test_the_seed_alone_decides() -> None:
    one, same, other = (spheres(seed=seed).particles for seed in (1, 1, 2))
    assert one == same
    assert one != other


# -- their mesh -------------------------------------------------------------------------------


def test_every_sphere_is_a_region_that_hangs_on_the_collector(tower: tuple[Any, Mesh]) -> None:
    shape, mesh = tower
    assert_regions(shape, mesh)
    assert [p.obstruction for p in shape.particles] == [0, 1, 2]
    for particle in shape.particles:
        corners = mesh.domain.geometry.dofmaps[0][mesh.cells(particle.name)]
        from_centre = np.linalg.norm(mesh.domain.geometry.x[corners] - particle.centre, axis=2)
        assert from_centre.max() == pytest.approx(5e-6, rel=1e-6)
    assert mesh.connected("solid", "collector").all()
    assert mesh.connected("ionic", "collector").all()  # no liquid is cut off
    assert mesh.quality().sicn > 0.15


def test_regions_fill_the_box(tower: tuple[Any, Mesh]) -> None:
    _, mesh = tower
    parts = ("nmc", "contact", "binder", "liquid")
    assert sum(map(mesh.measure, parts)) == pytest.approx(13.0 * 13.0 * 37.0 * 1e-18, rel=1e-9)
    for surface in ("collector", "lithium"):
        assert mesh.measure(surface) == pytest.approx(169e-12, rel=1e-9)


def test_necks_touch_both_their_spheres_and_carry_as_they_are_wide(tower: tuple[Any, Mesh]) -> None:
    """A circle of radius 1 um at either end, as a polygon of about 2 pi / 0.8 sides, which has 0.92
    of its area; and curved, 1 % more.
    """
    _, mesh = tower
    ends = [mesh.interface(f"particle[{k}]", "contact").area.sum() for k in range(3)]
    circle = math.pi * 1e-12
    assert ends == pytest.approx([circle, 2.0 * circle, circle], rel=0.12)


def test_volume_and_coverage_converge_to_the_formula(built: Built) -> None:
    """Second order, as chords are."""
    exact = np.array([4.0 / 3.0 * math.pi * 125.0 * 1e-18, 0.25 * 4.0 * math.pi * 25.0 * 1e-12])
    one = SMALL | {"number": 1, "height": "13 um"}
    errors = []
    for size in ("2.4 um", "1.2 um"):
        mesh = built(spheres(**one | {"cell_size": size, "interface_cell_size": size}), ())
        covered = mesh.interface("nmc", "binder").area.sum()
        errors.append(1.0 - np.array([mesh.measure("nmc"), covered]) / exact)
    assert np.all(errors[1] > 0.0)
    assert np.all(np.log2(errors[0] / errors[1]) > 1.5)
    assert np.all(errors[1] < 0.03)


def test_scaled_cells_are_larger_and_the_pile_is_the_same(tower: tuple[Any, Mesh]) -> None:
    shape, mesh = tower
    finer = shape.scaled(0.5)
    assert finer.cell_sizes == pytest.approx([0.5 * size for size in shape.cell_sizes])
    assert finer.particles == shape.particles
    assert mesh.shape_name == "spheres"


# -- what does not fit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"number": 40},
            r"= 40 spheres would fill 0\.\d+ of the layer; \d+ find room, which fill 0\.\d+; take",
        ),
        ({"number": 0}, "number\n.*greater than or equal to 1"),
        ({"coverage": 0.0}, "coverage\n.*greater than 0"),
        ({"coverage": 0.9}, "= 0.9 sinks the largest sphere through the binder to the"),
        ({"contact_width": "4 um"}, "is wider than a contact of the smallest spheres can be"),
        (
            {"contact_gap": "10 nm"},
            "is too small to mesh beside such spheres; take at least",
        ),
        ({"least_gap": "0.2 um"}, "is below contact_gap; spheres that near are in contact"),
        ({"width": "8 um"}, "leaves no room for one sphere; take at least 11.4 um"),
        ({"binder_layer": "40 um"}, "fills the whole layer; take less than its height"),
        ({"cell_size": "20 nm"}, "does not fit particles of radius 5 um; take 25 nm to 10 um"),
    ],
)
def test_a_pile_that_cannot_be_is_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        spheres(**keys)
