"""Curves: exact on cubics, consistent with their derivative, cheap whatever they come from."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmcsim.curve import Curve

X = np.linspace(0.1, 0.9, 2001)


def cubic(x: np.ndarray) -> np.ndarray:
    return 1.0 - 2.0 * x + 3.0 * x**2 - 4.0 * x**3


def test_a_cubic_is_reproduced_with_its_derivative_and_integral() -> None:
    curve = Curve.of(cubic, 0.1, 0.9, n=16)
    value, slope = curve.both(X)
    np.testing.assert_allclose(value, cubic(X), rtol=0, atol=1e-14)  # rounding
    np.testing.assert_allclose(slope, -2 + 6 * X - 12 * X**2, rtol=0, atol=1e-12)

    def integral(x: np.ndarray) -> np.ndarray:
        return x - x**2 + x**3 - x**4

    expected = integral(X) - integral(np.array(0.1))
    np.testing.assert_allclose(curve.antiderivative()(X), expected, rtol=0, atol=1e-14)


def test_the_error_of_a_spline_falls_with_the_fourth_power() -> None:
    def step(x: np.ndarray) -> np.ndarray:
        return np.tanh((x - 0.5) / 0.05)

    errors = [np.abs(Curve.of(step, 0.1, 0.9, n=n)(X) - step(X)).max() for n in (128, 256, 512)]
    rates = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(np.abs(rates - 4.0) < 0.4), rates


def test_slopes_given_are_slopes_kept() -> None:
    x = np.linspace(0.0, 1.0, 5)
    curve = Curve(x, np.sin(x), slope=np.cos(x))
    np.testing.assert_allclose(curve(x), np.sin(x), atol=1e-15)
    np.testing.assert_allclose(curve.derivative(x), np.cos(x), atol=1e-14)


def test_outside_it_goes_on_along_the_tangent() -> None:
    curve = Curve.of(cubic, 0.1, 0.9, n=16)
    for end, beyond in ((0.1, np.array([-30.0, -1.0, 0.0])), (0.9, np.array([1.0, 2.0, 40.0]))):
        value, slope = curve.both(beyond)
        tangent = curve(end) + curve.derivative(end) * (beyond - end)
        np.testing.assert_allclose(value, tangent, rtol=1e-12)
        np.testing.assert_allclose(slope, curve.derivative(end), rtol=1e-12)


def test_the_antiderivative_has_the_curve_as_derivative_everywhere() -> None:
    curve = Curve.of(lambda x: np.exp(-x) + x**5, 0.1, 0.9)
    a = np.linspace(-1.0, 2.0, 3001)
    integral = curve.antiderivative()
    np.testing.assert_allclose(integral.derivative(a), curve(a), rtol=0, atol=1e-13)
    assert integral(0.1) == pytest.approx(0.0, abs=1e-15)
    # a second one: quadratic continuation becomes cubic
    twice = integral.antiderivative()
    np.testing.assert_allclose(twice.derivative(a), integral(a), rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.floats(-3.0, 3.0))
def test_derivative_is_that_of_the_returned_value(a: float) -> None:
    curve = Curve.of(lambda x: np.sin(5 * x), 0.1, 0.9, n=64)
    h = 1e-6
    quotient = (curve(a + h) - curve(a - h)) / (2 * h)
    assert curve.derivative(a) == pytest.approx(quotient, abs=1e-6)  # h times the bend at a knot


def test_value_and_derivative_are_continuous_at_knots_and_ends() -> None:
    rng = np.random.default_rng(3)
    curve = Curve(np.linspace(0, 1, 11), rng.normal(size=11))
    for knot in np.linspace(0, 1, 11):
        value, slope = curve.both(np.array([knot - 1e-12, knot + 1e-12]))
        np.testing.assert_allclose(value[0], value[1], atol=1e-9)
        np.testing.assert_allclose(slope[0], slope[1], atol=1e-7)


def test_shapes_scalars_and_nan() -> None:
    curve = Curve.of(cubic, 0.1, 0.9)
    assert isinstance(curve(0.5), float)
    assert curve(np.full((3, 4), 0.5)).shape == (3, 4)
    assert curve(np.empty(0)).shape == (0,)
    value, slope = curve.both(np.array([0.5, np.nan]))
    assert np.isnan(value[1])
    assert np.isnan(slope[1])
    assert np.isfinite(value[0])
    given = np.array([0.2, 0.3])
    curve(given)
    assert given.tolist() == [0.2, 0.3]  # the argument is not written to


def test_constant_and_scaled() -> None:
    curve = Curve.constant(3.0)
    value, slope = curve.both(np.array([-5.0, 0.5, 7.0]))
    assert value.tolist() == [3.0, 3.0, 3.0]
    assert slope.tolist() == [0.0, 0.0, 0.0]
    assert curve.antiderivative()(7.0) == pytest.approx(21.0)
    assert curve.scaled(2.0)(0.3) == 6.0


def test_pickles() -> None:
    curve = Curve.of(cubic, 0.1, 0.9)
    again = pickle.loads(pickle.dumps(curve))
    np.testing.assert_array_equal(again(X), curve(X))
    assert repr(again) == "Curve(0.1 .. 0.9, 4096 cells, degree 3)"


def test_a_table_is_monotone_between_its_points() -> None:
    x = np.array([0.1, 0.15, 0.3, 0.31, 0.6, 0.9])
    y = np.array([4.5, 4.2, 4.19, 3.9, 3.7, 3.69])  # plateaux beside steps: a spline overshoots
    curve = Curve.table(x, y)
    fine = np.linspace(0.1, 0.9, 200_001)
    value, slope = curve.both(fine)
    assert np.all(np.diff(value) < 0)
    assert np.all(slope < 0)  # also at the ends, where PCHIP alone may put zero
    np.testing.assert_allclose(curve(x), y, atol=2e-5)  # resampling: step 2e-4 over kinks of U''
    assert np.abs(np.diff(slope)).max() < 0.05 * np.abs(slope).max()  # no jump of the slope


def test_an_end_slope_that_pchip_puts_to_zero_becomes_the_secant() -> None:
    x = np.array([0.0, 0.1, 0.2, 0.3])
    y = np.array([0.0, -0.01, -1.0, -2.0])  # the parabola through three points rises at the start
    assert Curve.table(x, y).derivative(0.0) == pytest.approx(-0.1)


def test_the_cost_does_not_grow_with_the_table_and_is_small() -> None:
    a = np.random.default_rng(0).uniform(0.0, 1.0, 2000)

    def best(points: int) -> float:
        x = np.linspace(0, 1, points)
        curve = Curve.table(x, np.exp(-x))
        times = []
        for _ in range(30):
            start = time.perf_counter()
            curve.both(a)
            times.append(time.perf_counter() - start)
        return min(times)

    short, long = best(10), best(200_000)
    assert short < 2e-4  # 30 us alone; this machine may be shared
    assert long < 3 * short + 2e-5


@pytest.mark.parametrize(
    ("x", "y", "sentence"),
    [
        ([0, 1, 3], [0, 1, 2], "uniform, increasing grid"),
        ([1, 0], [0, 1], "uniform, increasing grid"),
        ([0, 0], [0, 1], "uniform, increasing grid"),
        ([0, 1], [0, 1, 2], "arrays of one length"),
        ([0], [1], "arrays of one length"),
        ([0, 1], [0, np.nan], "finite values and slopes"),
    ],
)
def test_refuses_grids_that_are_none(x: list[float], y: list[float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Curve(x, y)


def test_refuses_a_slope_that_is_not_finite() -> None:
    with pytest.raises(ValueError, match="finite values and slopes"):
        Curve([0, 1], [0, 1], slope=[0, np.inf])
