"""Particles packed at random, or placed by a file; and the binder among them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nmcsim.case import packed
from nmcsim.case.electrode_shape import electrode
from nmcsim.case.packed import PackedElectrode
from nmcsim.case.packing import Disks, Jammed, Room, gaps, pack, random_radii
from nmcsim.case.pores import trees, visible
from nmcsim.mesh import Mesh
from nmcsim.mesh.cache import key
from tests.unit.mesh.electrodes import assert_well_meshed

Built = Callable[..., Mesh]
ROOM = Room(left=0.6, right=49.4, bottom=1.6, top=39.4, contact_gap=0.3, clear_gap=0.6)


def random(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def packing(**keys: Any) -> PackedElectrode:
    given = {"depth": "1 um", "width": "50 um", "height": "40 um", "porosity": 0.5} | keys
    found = electrode("packing").model_validate({k: v for k, v in given.items() if v is not None})
    assert isinstance(found, PackedElectrode)
    return found


def placed(folder: Path, text: str, **keys: Any) -> PackedElectrode:
    (folder / "particles.csv").write_text("x [um],y [um],radius [um]\n" + text)
    given = {"depth": "1 um", "width": "40 um", "height": "30 um", "positions": "particles.csv"}
    found = electrode("particles").model_validate(given | keys, context={"folder": folder})
    assert isinstance(found, PackedElectrode)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_disks_touch_exactly_or_keep_apart(seed: int) -> None:
    radii = random_radii(5.0, 0.2, (2.5, 10.0), random(seed), area=0.5 * ROOM.area)
    found = pack(radii, ROOM, 1.2, random(seed))
    touching = set(found.contacts)
    apart = [p for p in itertools.combinations(range(len(radii)), 2) if p not in touching]
    assert len(touching) >= 0.4 * len(radii)  # of the 0.6 asked
    exact = 1e-4  # packing.EXACT of a mean radius, twice
    assert gaps(found.centres, radii, found.contacts) == pytest.approx(0.3, abs=exact)
    assert gaps(found.centres, radii, apart).min() > 0.6 - exact
    low, high = found.centres - radii[:, None], found.centres + radii[:, None]
    assert np.all(low > np.array([ROOM.left, ROOM.bottom]) - exact)
    assert np.all(high < np.array([ROOM.right, ROOM.top]) + exact)
    # as trees: one contact less than disks in each
    assert len(trees(len(radii), found.contacts)) == len(radii) - len(touching)


def test_radii_follow_the_distribution() -> None:
    radii = random_radii(5.0, 0.3, (0.1, 100.0), random(), number=20000)
    # mean and spread of a sample of 20000: errors of 0.3/sqrt(20000) = 0.2 %, taken four times
    assert radii.mean() == pytest.approx(5.0, rel=0.01)
    assert np.log(radii).std() == pytest.approx(0.3, rel=0.02)
    limited = random_radii(5.0, 0.3, (4.0, 6.0), random(), number=500)
    assert (limited.min() >= 4.0, limited.max() <= 6.0) == (True, True)


def test_radii_fill_the_area_asked() -> None:
    radii = random_radii(5.0, 0.2, (2.5, 10.0), random(), area=1234.5)
    assert math.pi * np.sum(radii**2) == pytest.approx(1234.5, rel=1e-12)


def test_what_does_not_fit_jams_at_a_density_that_disks_can_have() -> None:
    radii = random_radii(5.0, 0.2, (2.5, 10.0), random(), area=0.95 * ROOM.area)
    with pytest.raises(Jammed) as caught:
        pack(radii, ROOM, 1.2, random())
    # disks jam at random near 0.84 of the plane, with rims of 0.3 at 0.84 / 1.06^2, less at walls
    assert 0.5 < caught.value.share < 0.84


def test_a_disk_is_seen_if_half_of_it_is_under_no_other() -> None:
    centres = np.array([[0.0, 10.0], [4.0, 0.0], [6.0, 0.0], [5.5, -20.0]])
    radii = np.array([5.0, 5.0, 5.0, 5.0])
    # the first covers -5 .. 5: of the second (-1 .. 9) 4 of 10 are left; of the third (1 .. 11)
    # 6 of 10; the last (0.5 .. 10.5) lies under all
    assert visible(Disks(centres[[0, 1]], radii[:2])) == (True, False)
    assert visible(Disks(centres[[0, 2]], radii[:2])) == (True, True)
    assert visible(Disks(centres, radii))[3] is False


@pytest.mark.parametrize("seed", range(2))
def test_a_packing_is_what_was_asked(built: Built, seed: int) -> None:
    shape = packing(seed=seed)
    mesh = built(shape, ())
    assert_well_meshed(shape, mesh)
    layer = 50.0 * 40.0 * 1e-18
    assert shape.volume / layer == pytest.approx(0.5, abs=1e-3)
    share, coverage = shape.reached
    assert share == pytest.approx(0.12, abs=packed.TOLERANCE)
    assert coverage == pytest.approx(0.35, abs=packed.TOLERANCE)
    # what is reported is what is meshed, but for the chords
    assert mesh.measure("binder") / layer == pytest.approx(share, abs=2e-3)
    perimeters = [shape.partition.perimeter(p.name) for p in shape.particles]
    covered = np.dot(shape.coverages, perimeters) / sum(perimeters)
    assert covered == pytest.approx(coverage, abs=5e-3)
    assert all(p.obstruction is not None for p in shape.particles)
    assert any(p.observed for p in shape.particles)


def test_contacts_are_in_the_mesh_as_asked() -> None:
    shape = packing()
    necks = shape.layout.neighbours
    assert set(necks) == set(shape.disks().contacts)
    # a neck of 1.5 um between circles 0.3 um apart, whose ends are chords of both
    for a, b in necks:
        for name in (f"particle[{a}]", f"particle[{b}]"):
            assert shape.partition.length(name, "contact") >= 1.5


def test_the_same_seed_gives_the_same_electrode_and_another_does_not() -> None:
    again = packing(seed=7)
    first, second = again.disks(), again.disks()  # packed anew each time
    assert np.array_equal(first.centres, second.centres)
    assert key(packing(seed=7), ()) == key(again, ())
    assert key(packing(seed=8), ()) != key(again, ())
    other = packing(seed=8).disks()
    assert set(np.round(other.radii, 6)).isdisjoint(np.round(first.radii, 6))


def test_a_number_of_particles_may_be_asked_for() -> None:
    shape = packing(number=9, porosity=None, spread=0.0)
    assert [p.radius for p in shape.particles] == pytest.approx([5e-6] * 9, rel=1e-4)


def test_particles_without_a_way_are_left_if_allowed() -> None:
    # no contacts, and binder on the collector alone: 1 um of 40 um
    bare = {"contacts": 0.0, "binder_share": 0.025, "coverage": 0.0, "binder_coat": "0.8 um"}
    shape = packing(allow_isolated=True, **bare)
    assert {p.obstruction for p in shape.particles} == {None}
    assert shape.reached == pytest.approx((0.025, 0.0), abs=1e-9)
    with pytest.raises(ValidationError, match="coverage"):
        packing(**bare)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"porosity": 0.1},
            r"porosity asks for particles on 0.900 of the layer; they jam at",
        ),
        ({"porosity": None, "number": 24}, "number asks for particles on .* they jam at 0.[5-8]"),
        ({"number": 5}, "needs either a number of particles or a porosity, not both"),
        ({"porosity": None}, "needs either a number of particles or a porosity"),
        ({"coverage": 1.2}, "less than or equal to 1"),
        (
            {"coverage": 0.95},
            "binder_share = 0.12 with coverage = 0.95 cannot be met in this packing; the nearest"
            " is a share of 0.[1-4].* with a coverage of 0.[89]",
        ),
        ({"contact_width": "3 um"}, "contact_width is wider than a contact of the smallest"),
        ({"least_gap": "0.2 um"}, "least_gap is below contact_gap"),
        ({"contact_gap": "10 nm"}, "contact_gap is too small to mesh .* take at least 100 nm"),
        ({"mean_radius": "1 nm"}, "has particles of radius 1 nm, too small for the grid"),
    ],
)
def test_what_cannot_be_packed_is_refused_by_sentence(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        packing(**keys)


ROWS = "9,7,5\n20,7,5\n31,7,5\n9,17.3,5\n20,18,5\n31,18,5\n"


def test_particles_lie_where_the_file_says(tmp_path: Path, built: Built) -> None:
    shape = placed(tmp_path, ROWS, binder_share=0.15, coverage=0.4)
    assert_well_meshed(shape, built(shape, ()))
    centres = np.array([p.centre for p in shape.particles])
    assert 1e6 * centres[:4] == pytest.approx(
        np.array([[9.0, 7.0], [20.0, 7.0], [31.0, 7.0], [9.0, 17.3]]), abs=1e-3
    )
    # 0.3 um apart only the first of each row; all others 1 um
    assert shape.layout.neighbours == ((0, 3),)
    assert [p.observed for p in shape.particles] == [False] * 3 + [True] * 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "9,7,5\n18,7,5\n",
            r"particle\[0\] \(line 2\) and particle\[1\] \(line 3\) overlap by 1 um",
        ),
        ("9,7,5\n19.05,7,5\n", r"are 50 nm apart, too near to mesh; leave 100 nm at least"),
        ("9,7,5\n# next\n38,7,5\n", r"\[1\] \(line 4\) reaches 3.6 um out of the box in x"),
        ("9,7,5\n20,3,5\n", r"\[1\] \(line 3\) reaches 3.6 um out of the box in y"),
        ("9,7,5\n20,7,-5\n", r"particle\[1\] \(line 3\) has a radius of -5 um"),
        ("9,7,5\n20,7,1\n", "contact_width is wider than a contact of the smallest particle"),
        ("9,7,5\n20,x,5\n", 'holds "x" in line 3, which is not a number'),
    ],
)
def test_particles_that_do_not_fit_are_named_with_their_line(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        placed(tmp_path, text)


def test_the_mesh_follows_the_file_and_not_its_name(tmp_path: Path) -> None:
    keys = []
    for name, text in (("a", ROWS), ("b", ROWS), ("c", ROWS.replace("31,18,5", "31,18,4.9"))):
        (tmp_path / name).mkdir()
        keys.append(key(placed(tmp_path / name, text, binder_share=0.15, coverage=0.4), ()))
    assert keys[0] == keys[1] != keys[2]
