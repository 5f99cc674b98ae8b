"""Layers of thin cells under a boundary."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.case.layers import GROWTH, depths, inward


def ring(n: int, radius: float) -> np.ndarray:
    turn = 2.0 * np.pi * np.arange(n) / n
    return radius * np.column_stack((np.cos(turn), np.sin(turn)))


def test_each_layer_is_thicker_than_the_one_outside_it() -> None:
    assert depths(0.1, 3) == pytest.approx(
        (0.1, 0.1 * (1 + GROWTH), 0.1 * (1 + GROWTH + GROWTH**2))
    )
    assert depths(0.1, 0) == ()


@pytest.mark.parametrize("way", [1, -1])
def test_edges_of_a_circle_are_moved_by_the_depth(way: int) -> None:
    """An edge of a regular polygon of radius r lies at r cos(pi/n) from the centre."""
    outer = ring(24, 5.0)[::way]
    (inner,) = inward(outer, (0.4,))
    middle = 0.5 * (inner + np.roll(inner, -1, axis=0))
    distance = 5.0 * np.cos(np.pi / 24) - np.linalg.norm(middle, axis=1)
    np.testing.assert_allclose(distance, 0.4, rtol=1e-12)


def test_layers_deeper_than_a_boundary_can_shrink_are_left_out() -> None:
    """Edges of a circle of radius 1 are half as long at 0.5; beyond that there are no layers."""
    assert len(inward(ring(24, 1.0), (0.3,))) == 1
    assert inward(ring(24, 1.0), (0.3, 0.7)) == []
