"""Outlines: points, angles and ways along circles and polygons."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmcsim.case.outline import Circle, Outline, Polygon
from nmcsim.errors import InputError

SQUARE = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]
L_SHAPE = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]
OUTLINES = [Circle(1.5), Polygon(SQUARE), Polygon.regular(6, 2.0), Polygon(L_SHAPE)]


def test_a_circle_starts_on_the_x_axis() -> None:
    circle = Circle(2.0)
    assert circle.length == pytest.approx(4.0 * math.pi)
    assert circle.point(0.25) == pytest.approx([0.0, 2.0])
    assert circle.s_of_angle(-0.5 * math.pi) == pytest.approx(0.75)
    assert circle.s_of_angle(-1e-18) == 0.0
    assert circle.position([0.0, 2.0]) == pytest.approx(math.pi)  # a quarter of 4 pi


def test_a_square_by_hand() -> None:
    square = Polygon(SQUARE)
    assert (square.length, square.area) == (8.0, 4.0)
    assert square.centroid == pytest.approx([1.0, 1.0])
    assert square.point([0.125, 0.5, 1.0]) == pytest.approx(np.array([[1, 0], [2, 2], [0, 0]]))
    assert square.s_of_angle(0.0) == pytest.approx(0.375)  # leaves at (2, 1), 3 of 8 along
    assert square.s_of_angle(math.radians(-90.0)) == pytest.approx(0.125)
    assert square.angle(0.375) == pytest.approx(0.0)
    assert square.position([[2.1, 1.0], [1.0, 2.0]]) == pytest.approx([3.0, 5.0])
    assert square.corners == (0.0, 0.25, 0.5, 0.75)


def test_an_l_shape_by_hand() -> None:
    # two unit squares and one: area 3, centroid (1 * 2 + 1/2) / 3 = 5/6 from both axes
    found = Polygon(L_SHAPE)
    assert (found.length, found.area) == (8.0, 3.0)
    assert found.centroid == pytest.approx([5 / 6, 5 / 6])


def test_order_and_repeats_do_not_matter() -> None:
    clockwise = Polygon([SQUARE[0], SQUARE[0], *SQUARE[:0:-1], SQUARE[0]])
    assert clockwise.vertices == pytest.approx(np.array(SQUARE))


@pytest.mark.parametrize("outline", OUTLINES)
@given(s=st.floats(0.0, 1.0, exclude_max=True))
@settings(deadline=None, max_examples=50)
def test_points_lead_back_to_their_fraction(outline: Outline, s: float) -> None:
    gap = outline.s_of_point(outline.point(s)) - s
    assert abs((gap + 0.5) % 1.0 - 0.5) < 1e-12


@pytest.mark.parametrize("outline", OUTLINES)
@given(angle=st.floats(-10.0, 10.0))
@settings(deadline=None, max_examples=50)
def test_angles_lead_to_points_at_that_angle(outline: Outline, angle: float) -> None:
    gap = outline.angle(outline.s_of_angle(angle)) - angle
    assert abs((gap + math.pi) % (2.0 * math.pi) - math.pi) < 1e-9


@pytest.mark.parametrize(
    ("vertices", "sentence"),
    [
        ([(0, 0), (1, 1), (1, 0), (0, 1)], r"edge from vertex 1 to 2 meets the edge from vertex 3"),
        ([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2)], "intersects itself"),  # touches an edge
        ([(0, 0), (1, 0), (2, 0)], "turns back on itself"),
        ([(0, 0), (3, 0), (3, 1), (2, 0), (1, 0), (0, 1)], "intersects itself"),  # overlaps
        ([(0, 0), (1, 0)], "has 2 different vertices"),
        ([(0, 0), (1, 0), (1, math.nan)], "two finite coordinates"),
        ([1, 2, 3], "two finite coordinates"),
    ],
)
def test_what_is_not_a_polygon_is_refused(vertices: list[object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Polygon(vertices)


def test_a_particle_beside_its_centroid_has_angles_without_a_point() -> None:
    # a thin C: its centroid lies in the opening, towards which a ray meets nothing
    c_shape = [(0, 0), (3, 0), (3, 0.1), (0.1, 0.1), (0.1, 2.9), (3, 2.9), (3, 3), (0, 3)]
    outline = Polygon(c_shape)
    assert outline.point(outline.s_of_angle(math.pi))[0] == pytest.approx(0.0)
    with pytest.raises(InputError, match="is not met at 0 deg from its centroid"):
        outline.s_of_angle(0.0)


def test_straight_sides_with_many_vertices_do_not_cross_themselves() -> None:
    # edges that follow each other on one line, but for round-off
    rng = np.random.default_rng(0)
    side = np.linspace(0.0, 1.0, 200, endpoint=False)
    for turn in (0.0, 0.3, 1.0):
        square = np.concatenate([side, 1 + 1j * side, 1 + 1j - side, 1j * (1 - side)])
        z = square * np.exp(1j * turn) + 1e-12 * rng.normal(size=800)
        assert Polygon(np.column_stack([z.real, z.imag])).area == pytest.approx(1.0, rel=1e-6)
