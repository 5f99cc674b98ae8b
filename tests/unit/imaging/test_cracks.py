"""Crack length by skeleton: bands at any angle, rings, branches."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.imaging.cracks import crack_metrics

Y, X = np.mgrid[:300, :300] - 150.2


def band(degrees: float, width: float, begin: float = -75.0, end: float = 75.0) -> np.ndarray:
    a = np.deg2rad(degrees)
    u, v = X * np.cos(a) + Y * np.sin(a), Y * np.cos(a) - X * np.sin(a)
    return (u >= begin) & (u <= end) & (np.abs(v) <= 0.5 * width)


@pytest.mark.parametrize("degrees", [0, 7, 22.5, 31, 45, 60, 83, 90])
@pytest.mark.parametrize("width", [1.01, 3.0, 6.0])
def test_a_straight_crack_at_any_angle(degrees: float, width: float) -> None:
    found = crack_metrics(band(degrees, width), 2e-8)
    # counting steps would be up to 8 % too long between 0 and 45 degrees
    assert found.length == pytest.approx(150.0 * 2e-8, rel=0.025)
    assert found.width == pytest.approx(width * 2e-8, abs=1.05 * 2e-8)
    assert (found.branches, found.ends, found.junctions, found.pieces) == (1, 2, 0, 1)
    assert found.area == pytest.approx(150.0 * width * 4e-16, abs=100 * 4e-16)


def test_a_ring_is_one_branch_without_ends() -> None:
    found = crack_metrics(np.abs(np.hypot(X, Y) - 80.0) < 2.5, 1.0)
    assert found.length == pytest.approx(2.0 * np.pi * 80.0, rel=0.01)
    assert found.width == pytest.approx(5.0, abs=0.5)
    assert (found.branches, found.ends, found.junctions) == (1, 0, 0)


def test_branches_are_counted() -> None:
    three = band(90, 5, 0, 100) | band(210, 5, 0, 100) | band(330, 5, 0, 100)
    found = crack_metrics(three, 1.0)
    assert found.length == pytest.approx(300.0, rel=0.02)
    assert (found.branches, found.ends, found.junctions) == (3, 3, 1)
    crossed = crack_metrics(band(20, 4) | band(110, 4), 1.0)
    assert (crossed.branches, crossed.ends, crossed.junctions) == (4, 4, 1)


def test_a_rough_edge_makes_no_branches() -> None:
    rng = np.random.default_rng(0)
    rough = band(0, 9) | (band(0, 11) & (rng.random(X.shape) < 0.5))
    found = crack_metrics(rough, 1.0)
    assert (found.branches, found.ends) == (1, 2)
    assert found.length == pytest.approx(150.0, rel=0.05)


def test_no_crack_and_a_single_pixel() -> None:
    nothing = crack_metrics(np.zeros((20, 20), bool), 1.0)
    assert nothing.length == 0.0 and np.isnan(nothing.width) and nothing.branches == 0
    dot = np.zeros((20, 20), bool)
    dot[5, 5] = True
    assert crack_metrics(dot, 1.0).length == pytest.approx(1.0)
