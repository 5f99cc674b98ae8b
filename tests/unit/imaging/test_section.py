"""The unreacted region of plane figures against formulas for squares and circular segments."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nmcsim.imaging.section import Region, Section, unreacted_region

Array = np.ndarray
BELOW = 5.0  # a threshold that no field of these tests reaches on the other side


def square(n: int, kind: int) -> Section:
    """The unit square in n x n cells of 3, 6 (triangles), 4 or 9 (quadrilaterals) nodes."""
    step = 1 if kind in (3, 4) else 2
    line = np.linspace(0.0, 1.0, step * n + 1)
    nodes = np.array([(x, y) for y in line for x in line])

    def at(i: int, j: int) -> int:
        return j * line.size + i

    cells = []
    for j, i in product(range(0, step * n, step), repeat=2):
        a, b, c, d = at(i, j), at(i + step, j), at(i, j + step), at(i + step, j + step)
        if kind == 3:
            cells += [(a, b, d), (a, d, c)]
        elif kind == 4:
            cells.append((a, b, c, d))
        else:
            south, west, middle = at(i + 1, j), at(i, j + 1), at(i + 1, j + 1)
            east, north = at(i + 2, j + 1), at(i + 1, j + 2)
            if kind == 6:  # vertices, then the midpoints opposite to them
                cells += [(a, b, d, east, middle, south), (a, d, c, north, west, middle)]
            else:
                cells.append((a, b, c, d, south, west, east, north, middle))
    return Section(nodes, np.array(cells))


def disk(rings: int, kind: int) -> Section:
    """The unit disk: a curved image of a square of quadrilaterals or triangles.

    A square ring of half-width q is sent to the circle of radius q, so that the outermost nodes lie
    on the rim; cells of second order are curved.
    """
    plain = square(2 * rings, kind)
    x = 2.0 * plain.nodes - 1.0
    q = np.abs(x).max(axis=1)
    # an angle that is even along each side of the ring, so that cells keep their shape
    other = np.where(np.abs(x[:, 0]) >= np.abs(x[:, 1]), x[:, 1], x[:, 0])
    turn = 0.25 * np.pi * np.divide(other, q, out=np.zeros_like(q), where=q > 0.0)
    first = np.abs(x[:, 0]) >= np.abs(x[:, 1])
    long, short = np.cos(turn) * q, np.sin(turn) * q
    sign = np.where(first, np.sign(x[:, 0]), np.sign(x[:, 1]))
    nodes = np.column_stack(
        (np.where(first, sign * long, short), np.where(first, short, sign * long))
    )
    return Section(nodes, plain.cells)


def segment(h: float) -> tuple[float, float]:
    """Area and centre of mass (x) of the part x < -h of the unit disk, 0 <= h < 1."""
    area = np.arccos(h) - h * np.sqrt(1.0 - h * h)
    return area, -2.0 / 3.0 * (1.0 - h * h) ** 1.5 / area


KINDS = [3, 4, 6, 9]


@pytest.mark.parametrize("kind", KINDS)
def test_square_has_its_area_centre_and_outline(kind: int) -> None:
    section = square(4, kind)
    assert section.area == pytest.approx(1.0, rel=1e-12)
    assert section.centre == pytest.approx([0.5, 0.5], rel=1e-12)
    x, y = section.nodes[section.boundary].T
    assert section.boundary.size == (16 if kind in (3, 4) else 32)
    turned = 0.5 * np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))
    assert turned == pytest.approx(1.0, rel=1e-12)  # counter-clockwise, closed, each node once
    corners = section.nodes[section.triangles]
    e, f = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = 0.5 * (e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0])
    assert (areas > 0.0).all() and areas.sum() == pytest.approx(1.0, rel=1e-12)


def _cut(section: Section, f: Array) -> Region:
    """The region where f is negative."""
    return unreacted_region(section, -2.0 * (f + BELOW), np.zeros(f.size), below=BELOW)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [0.03, 0.25, 0.371, 0.5, 0.9])
def test_a_linear_field_on_a_square_is_cut_exactly(kind: int, cut: float) -> None:
    """signal (reference - theta) = x - cut + below: unreacted where x < cut, inside cells too."""
    section = square(4, kind)
    theta = 0.95 - 2.0 * (section.nodes[:, 0] - cut + BELOW)
    region = unreacted_region(section, theta, np.full(theta.size, 0.95), below=BELOW)
    assert region.share == pytest.approx(cut, rel=1e-12)
    assert region.centre == pytest.approx([cut / 2.0, 0.5], rel=1e-12)
    assert region.distance == pytest.approx(0.5 - cut / 2.0, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_an_oblique_cut_leaves_a_triangle(kind: int) -> None:
    section = square(3, kind)
    excess = section.nodes.sum(axis=1) - 0.7  # the corner x + y < 0.7
    region = _cut(section, excess)
    assert region.share == pytest.approx(0.245, rel=1e-12)
    assert region.centre == pytest.approx([0.7 / 3.0] * 2, rel=1e-12)
    above = _cut(section, -excess)
    assert above.share == pytest.approx(1.0 - 0.245, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("h", [0.0, 0.2, 0.55, 0.8])
def test_circular_segments(kind: int, h: float) -> None:
    """A linear field over a disk; curved cells miss the circle by far less than straight ones."""
    section = disk(12, kind)
    direction = np.array([np.cos(0.4), np.sin(0.4)])
    excess = section.nodes @ direction + h
    region = _cut(section, excess)
    area, x = segment(h)
    tolerance = 5e-3 if kind in (3, 4) else 5e-4  # the outline
    assert region.share == pytest.approx(area / np.pi, abs=tolerance)
    assert region.centre == pytest.approx(x * direction, abs=tolerance)
    assert region.distance == pytest.approx(abs(x), abs=tolerance)


def test_segments_converge_at_second_order() -> None:
    area, x = segment(0.3)
    errors = []
    for rings in (6, 12, 24):
        section = disk(rings, 6)
        excess = section.nodes[:, 0] + 0.3
        region = _cut(section, excess)
        errors.append(abs(region.share * section.area - area) + abs(region.centre[0] - x))
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (rates > 1.8).all(), errors


def test_a_quadratic_field_is_cut_along_its_own_level() -> None:
    """P2 on nine-node cells: the disk r < 0.3 inside a square of four cells a side."""
    section = square(4, 9)
    r2 = ((section.nodes - 0.5) ** 2).sum(axis=1)
    region = _cut(section, r2 - 0.09)
    # r2 is linear between points 1/16 apart: the radius comes out too small by 0.002 or so
    assert region.share == pytest.approx(np.pi * 0.09, rel=0.02)
    assert region.distance < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_unreacted_is_missing_and_not_zero(kind: int) -> None:
    section = square(2, kind)
    n = len(section.nodes)
    region = unreacted_region(section, np.full(n, 0.2), np.full(n, 0.9))
    assert region.share == 0.0
    assert np.isnan(region.distance) and np.isnan(region.centre).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_particle_unreacted_has_distance_zero(kind: int) -> None:
    section = disk(3, kind)
    n = len(section.nodes)
    region = unreacted_region(section, np.full(n, 0.9), np.full(n, 0.9))
    assert region.share == pytest.approx(1.0, rel=1e-12)
    assert region.distance < 1e-15


def test_signal_and_threshold_move_the_cut() -> None:
    """signal 0.4, below 0.1: unreacted where reference - theta < 0.25."""
    section = square(4, 6)
    theta, reference = 0.9 - section.nodes[:, 1], np.full(len(section.nodes), 0.9)
    region = unreacted_region(section, theta, reference, signal=0.4, below=0.1)
    assert region.share == pytest.approx(0.25, rel=1e-12)


def test_the_reference_is_a_field_of_its_own() -> None:
    """Lithium that was missing in the first frame is no signal."""
    section = square(4, 6)
    reference = 0.9 - 0.3 * section.nodes[:, 0]
    assert unreacted_region(section, reference, reference).share == pytest.approx(1.0, rel=1e-12)


def test_on_discharge_the_unreacted_region_is_where_lithium_has_hardly_entered() -> None:
    """theta rises by 0.4 x over the unit square: |0.5 * 0.4 x| < 0.05 on its left quarter."""
    section = square(8, 6)
    gained = 0.4 * section.nodes[:, 0]
    region = unreacted_region(section, 0.3 + gained, np.full(len(section.nodes), 0.3))
    assert region.share == pytest.approx(0.25, rel=1e-9)
    assert region.distance == pytest.approx(0.5 - 0.125, rel=1e-9)
