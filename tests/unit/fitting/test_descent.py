"""The search and what it says of its answer, on sums of squares whose minimum is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.optimize import curve_fit

from nmcsim.errors import RunFailure
from nmcsim.fitting.covariance import knowledge, misfit, warnings_of
from nmcsim.fitting.descent import Trial, minimise

T = np.linspace(0.0, 5.0, 40)


class Counted:
    """Residuals of a model, with the points that were asked for, batch by batch."""

    def __init__(self, model: Any, data: np.ndarray, u: float = 1.0, fails: Any = None) -> None:
        self.model, self.data, self.u = model, data, u
        self.fails = fails or (lambda x: False)
        self.batches: list[int] = []
        self.points: list[np.ndarray] = []

    def __call__(self, points: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        self.batches.append(len(points))
        self.points += points
        return [None if self.fails(x) else (self.model(x) - self.data) / self.u for x in points]


def decay(x: np.ndarray) -> np.ndarray:
    return 3.0 * np.exp(-T * (0.2 + 2.0 * x[0])) + x[1]


def test_it_agrees_with_scipy_on_minimum_errors_and_correlation():
    rng = np.random.default_rng(1)
    data = decay(np.array([0.3, 0.7])) + 0.01 * rng.normal(size=len(T))
    asked = Counted(decay, data, 0.01)
    found = minimise(asked, np.array([0.9, 0.1]))
    best, covariance = curve_fit(
        lambda t, a, b: decay(np.array([a, b])), T, data, p0=(0.5, 0.5),
        sigma=np.full(len(T), 0.01), absolute_sigma=True,
    )  # fmt: skip
    known = knowledge(found.jacobian, found.residuals, weighted=True)
    sigma = np.sqrt(np.diag(covariance))
    # central differences over 2 % of the interval: errors to 1 %, the minimum to 0.02 of an error
    np.testing.assert_allclose(known.errors, sigma, rtol=0.01)
    np.testing.assert_allclose((found.x - best) / sigma, 0.0, atol=0.02)
    expected = covariance[0, 1] / sigma[0] / sigma[1]
    np.testing.assert_allclose(known.correlation, [[1.0, expected], [expected, 1.0]], atol=0.005)
    assert found.converged and np.abs(found.left).max() < 0.05
    # each look is one batch with its neighbours, and nothing is asked for twice
    assert asked.batches[:3] == [3, 3, 3]
    assert len({x.tobytes() for x in asked.points}) == len(asked.points)


def test_the_stated_error_is_the_scatter_of_the_answers():
    rng = np.random.default_rng(5)
    z = []
    for _ in range(60):
        data = decay(np.array([0.4, 0.5])) + 0.05 * rng.normal(size=len(T))
        found = minimise(Counted(decay, data, 0.05), np.array([0.6, 0.3]))
        known = knowledge(found.jacobian, found.residuals, weighted=True)
        z.append((found.x - [0.4, 0.5]) / known.errors)
    # 60 draws: the root mean square of 60 is 1 +- 0.09
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(z), axis=0)), 1.0, atol=0.3)
    np.testing.assert_allclose(np.mean(z, axis=0), 0.0, atol=0.4)


def test_without_uncertainties_the_scatter_of_the_residuals_gives_the_error():
    rng = np.random.default_rng(2)
    data = decay(np.array([0.3, 0.7])) + 0.01 * rng.normal(size=len(T))
    bare = minimise(Counted(decay, data), np.array([0.5, 0.5]), weighted=False)
    sure = minimise(Counted(decay, data, 0.01), np.array([0.5, 0.5]))
    np.testing.assert_allclose(bare.x, sure.x, atol=2e-4)
    of_bare = knowledge(bare.jacobian, bare.residuals, weighted=False)
    of_sure = knowledge(sure.jacobian, sure.residuals, weighted=True)
    ratio = np.sqrt(sure.cost / (len(T) - 2))
    np.testing.assert_allclose(of_bare.errors, ratio * of_sure.errors, rtol=0.01)


def test_as_many_keys_as_numbers_leave_no_error_to_state():
    found = minimise(
        Counted(lambda x: np.array([x[0] + x[1], x[0] - x[1]]), np.array([1.0, 0.2])),
        np.array([0.5, 0.5]), weighted=False,
    )  # fmt: skip
    np.testing.assert_allclose(found.x, [0.6, 0.4], atol=1e-6)
    assert np.isnan(knowledge(found.jacobian, found.residuals, weighted=False).errors).all()


def test_the_search_turns_back_from_points_without_a_result():
    data = decay(np.array([0.3, 0.7]))
    asked = Counted(decay, data, 0.01, fails=lambda x: x[0] < 0.25)
    trials: list[Trial] = []
    found = minimise(asked, np.array([0.9, 0.1]), each=trials.append)
    np.testing.assert_allclose(found.x, [0.3, 0.7], atol=1e-3)
    assert len(trials) == len(found.trials) and trials[0].number == 0
    # the minimum at the edge: the slope is taken from the side that has a result
    edge = Counted(decay, data, 0.01, fails=lambda x: x[0] > 0.301)
    np.testing.assert_allclose(minimise(edge, np.array([0.1, 0.5])).x, [0.3, 0.7], atol=5e-3)


def test_a_start_or_slope_without_a_result_is_said():
    data = decay(np.array([0.3, 0.7]))
    with pytest.raises(RunFailure, match="the case to start from has no sound result"):
        minimise(Counted(decay, data, fails=lambda x: True), np.array([0.5, 0.5]))
    alone = Counted(decay, data, fails=lambda x: x[1] != 0.5)
    with pytest.raises(RunFailure, match="no slope with respect to b can be had"):
        minimise(alone, np.array([0.5, 0.5]), ["a", "b"])


def test_no_point_leaves_the_intervals():
    asked = Counted(lambda x: np.array([x[0] - 2.0, x[1] + 3.0]), np.zeros(2))
    found = minimise(asked, np.array([1.0, 0.0]))
    points = np.array(asked.points)
    assert points.min() >= 0.0 and points.max() <= 1.0
    np.testing.assert_allclose(found.x, [1.0, 0.0], atol=5e-3)
    slope = found.jacobian.T @ found.residuals
    known = knowledge(found.jacobian, found.residuals, weighted=True)
    said = warnings_of(known, ("a", "b"), found.x, slope, [("0 um", "1 um"), ("2", "3")])
    assert said[0].startswith("a ends at its upper bound 1 um: the data ask for a value beyond it")
    assert said[1].startswith("b ends at its lower bound 2")


def test_few_looks_are_no_end():
    data = decay(np.array([0.3, 0.7]))
    found = minimise(Counted(decay, data, 0.01), np.array([0.9, 0.1]), most=2)
    assert not found.converged and len(found.trials) == 2
    assert "most evaluations" in found.reason


def names(count: int) -> tuple[str, ...]:
    return ("a", "b", "c")[:count]


def said_of(jacobian: list[list[float]]) -> list[str]:
    J = np.array(jacobian)
    known = knowledge(J, np.zeros(len(J)), weighted=True)
    n = J.shape[1]
    ends = [("0", "1")] * n
    return warnings_of(known, names(n), np.full(n, 0.5), np.zeros(n), ends)


@pytest.mark.parametrize(
    ("jacobian", "sentence"),
    [
        ([[10.0, 0.0], [0.0, 10.0]], None),
        # b moves the data by 1.5 of their uncertainty over its interval: error 0.67 of it
        ([[10.0, 0.0], [0.0, 1.5]], "the data do not tell b: over its whole interval they would"),
        ([[10.0, 0.0], [0.0, 0.0]], "the data do not tell b: over its whole interval they would"),
        # columns (1, e) and (1, -e): r = -(1 - e^2)/(1 + e^2), -0.995 with e = 0.05
        ([[100.0, 100.0], [5.0, -5.0]], "the data do not tell a from b: correlation -0.995"),
        ([[100.0, 100.0], [12.0, -12.0]], "the data hardly tell a from b: correlation -0.972"),
        # exactly one combination is lost of three, and no pair is to blame
        ([[9.0, -9.0, 0.0], [0.0, 9.0, -9.0], [9.0, 0.0, -9.0]],
         "the data do not tell a, b and c apart: along one combination of them they do not"),
        ([[10.0, 10.0]], "the data do not tell a from b: along one combination of them they do"),
        ([[10.0, 10.0], [1.0, -1.0]], "the data hardly tell a from b: correlation -0.980"),
    ],
)  # fmt: skip
def test_what_the_data_do_not_tell_is_named(jacobian: list[list[float]], sentence: str | None):
    said = said_of(jacobian)
    assert (said == []) if sentence is None else said[0].startswith(sentence)
    assert len(said) <= 1


def test_errors_are_infinite_only_for_what_is_lost():
    J = np.array([[10.0, 0.0, 0.0], [0.0, 3.0, 3.0]])
    known = knowledge(J, np.zeros(2), weighted=True)
    assert known.errors[0] == pytest.approx(0.1) and np.isinf(known.errors[1:]).all()
    assert known.correlation[0, 0] == 1.0 and np.isnan(known.correlation[0, 1])
    np.testing.assert_allclose(known.singular, [10.0, np.sqrt(18.0), 0.0], atol=1e-12)


def test_a_model_that_does_not_meet_the_data_is_said():
    assert misfit(28.0, 28) == [] and misfit(9.0, 0) == []
    # 28 degrees of freedom scatter by 27 %: twice as much is no accident of 4 sigma, 10 times is
    assert misfit(0.5, 5) == []
    (close,) = misfit(1.6, 28)
    assert "more closely than their uncertainty allows: reduced chi2 is 0.0571" in close
    (said,) = misfit(280.0, 28)
    assert "reduced chi2 is 10; the standard errors do not cover that, 3.2 times" in said
