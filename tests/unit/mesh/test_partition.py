"""The planar partition of a cross-section."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from nmcsim.case.partition import GRID, Partition, Sizes, disjoint, partition
from nmcsim.case.planar import circle, obstructions
from nmcsim.errors import InputError

SIZES = Sizes(inside=1.0, interface=0.4, boundary=0.8, across=2.0)
BOX = shapely.box(0.0, 0.0, 10.0, 8.0)


def drawn(ordered: list[tuple[str, shapely.Geometry]], sizes: Sizes = SIZES) -> Partition:
    return partition(disjoint([*ordered, ("rest", BOX)]), frozenset({"disk"}), sizes)


def edges_between(found: Partition, a: str, b: str) -> np.ndarray:
    """Lengths of the edges between two regions."""
    own = found.points[found.edges[[set(s) == {a, b} for s in found.sides]]]
    lengths: np.ndarray = np.linalg.norm(own[:, 1] - own[:, 0], axis=1)
    return lengths


def test_the_first_area_that_covers_a_place_has_it() -> None:
    # squares of 3 x 3 that overlap on 1 x 3; what reaches out of the box does not count
    found = disjoint(
        [
            ("a", shapely.box(1.0, 1.0, 4.0, 4.0)),
            ("b", shapely.box(3.0, 1.0, 6.0, 4.0)),
            ("b", shapely.box(9.0, 1.0, 20.0, 2.0)),
            ("rest", BOX),
        ]
    )
    areas = {name: area.area for name, area in found.items()}
    assert areas == pytest.approx({"a": 9.0, "b": 7.0, "rest": 64.0}, rel=1e-9)


def test_a_region_that_is_covered_is_absent() -> None:
    inner = shapely.box(1.0, 1.0, 2.0, 2.0)
    assert set(disjoint([("a", inner), ("b", inner), ("rest", BOX)])) == {"a", "rest"}


def test_regions_share_their_boundary() -> None:
    found = drawn([("disk", circle(5.0, 4.0, 2.0)), ("film", shapely.box(0.0, 0.0, 10.0, 3.0))])
    assert sum(found.area(name) for name in ("disk", "film", "rest")) == pytest.approx(80.0)
    # 3.0 is 1.0 below the centre: binder up to acos(1/2) = 60 degrees to both sides, a third
    under = found.length("disk", "film") / found.perimeter("disk")
    assert under == pytest.approx(1.0 / 3.0, abs=2e-3)  # the chords of the polygon
    assert found.length("film", "rest") == pytest.approx(10.0 - 2.0 * math.sqrt(3.0), abs=2 * GRID)


def test_edges_have_the_size_that_cells_should_have() -> None:
    found = drawn([("disk", circle(5.0, 4.0, 2.0))])
    assert edges_between(found, "disk", "rest") == pytest.approx(0.4, rel=0.1)
    far = [size for x, size in zip(found.points, found.sizes, strict=True) if x[1] == 0.0]
    assert max(far) == pytest.approx(0.8, rel=0.1)


def test_a_gap_has_cells_across() -> None:
    # 0.2 wide and 2 cells across: edges of 0.1 where it is narrowest
    disks = [("disk", circle(2.9, 4.0, 2.0)), ("other", circle(7.1, 4.0, 2.0))]
    narrow = drawn(disks)
    assert edges_between(narrow, "disk", "rest").min() == pytest.approx(0.1, rel=0.1)
    wide = drawn([disks[0]])
    assert edges_between(wide, "disk", "rest").min() > 0.3


def test_corners_stay() -> None:
    square = shapely.box(3.0, 3.0, 5.0, 5.0)
    found = drawn([("disk", square)])
    points = {tuple(x) for x in found.points.round(3).tolist()}
    assert {(3.0, 3.0), (5.0, 3.0), (5.0, 5.0), (3.0, 5.0)} <= points
    assert found.area("disk") == pytest.approx(4.0, rel=1e-12)


def test_a_hole_belongs_to_what_fills_it() -> None:
    ring = [("core", circle(5.0, 4.0, 1.0)), ("disk", circle(5.0, 4.0, 3.0))]
    found = drawn(ring)
    assert [len(face) for face in found.rings["disk"]] == [2]  # outer ring and one hole
    assert found.length("core", "rest") == 0.0


def test_vertices_that_rounding_leaves_apart_are_one() -> None:
    # a line that meets the square a rounding error beside its corner
    slanted = shapely.Polygon([(0.0, 4.0), (3.0, 3.0 + 1.5 * GRID), (3.0, 2.0), (0.0, 2.0)])
    found = drawn([("disk", shapely.box(3.0, 3.0, 5.0, 5.0)), ("film", slanted)])
    lengths = np.linalg.norm(np.diff(found.points[found.edges], axis=1)[:, 0], axis=1)
    assert lengths.min() > 0.05


def test_corners_too_close_to_mesh_are_refused_with_their_place() -> None:
    small = shapely.box(3.0, 3.0, 3.05, 5.0)
    with pytest.raises(InputError, match=r"two corners only 0.05 um apart at \(3.02, [35].00\) um"):
        drawn([("disk", small)])


def test_boundaries_that_cells_are_too_coarse_for_are_refused() -> None:
    # a square with corners 0.05 within the disk, which is drawn as a hexagon
    coarse = Sizes(inside=8.0, interface=8.0, boundary=8.0, across=0.01)
    half = 1.95 / math.sqrt(2.0)
    square = shapely.box(5.0 - half, 4.0 - half, 5.0 + half, 4.0 + half)
    with pytest.raises(InputError, match="boundaries that cross at .* take smaller cells"):
        drawn([("core", square), ("disk", circle(5.0, 4.0, 2.0))], coarse)


def test_obstruction_is_the_shortest_way_from_the_binder() -> None:
    # 0 - 1 - 2 - 3 - 4 with binder at 0 and 4; 5 hangs on 6, and neither on binder
    chain = [(0, 1), (1, 2), (2, 3), (3, 4), (5, 6)]
    embedded = [True, False, False, False, True, False, False]
    assert obstructions(embedded, chain) == (0, 1, 2, 1, 0, None, None)


def test_a_circle_has_its_area() -> None:
    assert circle(1.0, 2.0, 3.0).area == pytest.approx(9.0 * math.pi, rel=1e-12)
