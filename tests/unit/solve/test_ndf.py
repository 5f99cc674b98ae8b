"""The integrator on systems with known solutions."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.solve.drive import Event, advance, restart
from nmcsim.solve.ndf import NDF, StepFailure
from tests.small_systems import exact_dae, pendulum_dae, robertson
from tests.vv import claim


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_each_order_shows_its_rate_with_fixed_steps(order: int) -> None:
    def error(n: int) -> float:
        h = 2.0 / n
        ndf = NDF(pendulum_dae(), rtol=1e-13, max_order=order, adaptive=False, h_min=1e-12)
        ndf.newton.tolerance = 1e-2
        start = 1.0
        states = np.array([exact_dae(start - m * h) for m in range(order + 1)])
        ndf.start_from_history(start, h, states)
        for _ in range(n):
            ndf.step()
        return float(np.abs(ndf.u - exact_dae(ndf.t)).max())

    coarse, fine = (40, 80) if order < 5 else (60, 120)
    rate = np.log2(error(coarse) / error(fine))
    name = f"order {order}, fixed steps"
    claim("rates", name, "rate in time", rate, above=order - 0.25, below=order + 0.25)


@pytest.mark.parametrize("rtol", [1e-3, 1e-4, 1e-5, 1e-6, 1e-7])
def test_error_follows_the_tolerance(rtol: float) -> None:
    ndf = NDF(pendulum_dae(), rtol=rtol)
    restart(ndf, 0.0, np.array([1.0, 0.3]), h_max=1.0)
    worst = 0.0
    while ndf.t < 5.0:
        ndf.step(0.2, 5.0)
        worst = max(worst, float(np.abs(ndf.u - exact_dae(ndf.t)).max()))
    claim("rates", f"small DAE, rtol {rtol:g}", "error / rtol", worst / rtol, above=0.1, below=10.0)


def test_with_its_memory_another_integrator_takes_the_same_steps() -> None:
    def steps(ndf: NDF, n: int) -> np.ndarray:
        taken = []
        for _ in range(n):
            ndf.step(0.5)
            taken.append((ndf.t, ndf.order, float(ndf.u[0])))
        return np.array(taken)

    whole, first, second = (NDF(pendulum_dae(), rtol=1e-6) for _ in range(3))
    for ndf in (whole, first):
        restart(ndf, 0.0, np.array([1.0, 0.3]), h_max=0.5)
    expected, other_order = steps(whole, 60), 0
    for kept in range(1, 40):
        before = steps(first, 1)
        second.resume(first.t, first.u.copy(), first.memory)
        assert before == pytest.approx(expected[kept - 1 : kept], rel=1e-9)
        (t, order, u), (t_expected, order_expected, u_expected) = *steps(second, 1), expected[kept]
        assert (t, u) == pytest.approx((t_expected, u_expected), rel=1e-5)
        other_order += order != order_expected
    assert other_order <= 2  # a kept factorisation changes errors a little, and so a choice


def test_dense_output_is_as_good_as_the_steps() -> None:
    ndf = NDF(pendulum_dae(), rtol=1e-6)
    restart(ndf, 0.0, np.array([1.0, 1.0]), h_max=1.0)
    between = 0.0
    while ndf.t < 3.0:
        ndf.step(0.5, 3.0)
        for t in np.linspace(ndf.dense.t0, ndf.dense.t1, 5):
            between = max(between, float(np.abs(ndf.dense(t) - exact_dae(t)).max()))
    assert between < 1e-5


def test_an_event_is_found_on_the_dense_output() -> None:
    ndf = NDF(pendulum_dae(), rtol=1e-8)
    restart(ndf, 0.0, np.array([1.0, 1.0]), h_max=0.1)
    event = Event("y", "y = 0.5", lambda t, u: u[0] - 0.5, -1)
    ended = advance(ndf, 10.0, [event], 0.1, lambda *_: None)
    assert ended.event is event
    # y = 0.5 where t + (1 - cos t)/2 = ln 2
    from scipy.optimize import brentq

    exact = brentq(lambda t: exact_dae(t)[0] - 0.5, 0.0, 2.0, xtol=1e-14)
    assert ended.t == pytest.approx(exact, rel=1e-7)  # time step


def test_an_event_already_passed_fires_at_once() -> None:
    ndf = NDF(pendulum_dae(), rtol=1e-6)
    restart(ndf, 0.0, np.array([1.0, 1.0]), h_max=0.1)
    event = Event("y", "y = 2", lambda t, u: u[0] - 2.0, -1)
    ended = advance(ndf, 10.0, [event], 0.1, lambda *_: None)
    assert ended.t == 0.0 and ended.event is event


def test_steps_land_on_the_asked_time() -> None:
    ndf = NDF(pendulum_dae(), rtol=1e-5)
    restart(ndf, 0.0, np.array([1.0, 1.0]), h_max=0.3)
    ended = advance(ndf, 1.7, [], 0.3, lambda *_: None)
    assert ended.event is None
    assert ended.t == pytest.approx(1.7, abs=1e-8)


def test_robertson_over_eight_decades() -> None:
    """Reference at t = 4e7 from Hairer and Wanner, Solving ODEs II (1996), IV.10."""
    ndf = NDF(robertson(), rtol=1e-6)
    restart(ndf, 0.0, np.array([1.0, 0.0, 0.0]), h_max=1e6)
    advance(ndf, 40.0, [], 10.0, lambda *_: None)
    assert ndf.u[0] == pytest.approx(0.7158270688, rel=1e-4)
    assert ndf.u.sum() == pytest.approx(1.0, abs=1e-8)  # Newton's tolerance, 5e-8
    assert ndf.counts["factorisations"] < 0.7 * ndf.counts["steps"]


def test_a_potential_that_went_astray_is_fitted_anew() -> None:
    """z = 1.4 at the start where 0 = z^3 + z - 2 asks for 1: every step, however short, sees a jump
    of 0.4, four thousand tolerances, and is rejected. Without a rescue the step falls below h_min.
    """
    ndf = NDF(pendulum_dae(), rtol=1e-4)
    ndf.start(0.0, np.array([1.0, 1.4]), np.array([-1.4, 0.0]), 1e-3)
    ended = advance(ndf, 1.0, [], 0.1, lambda *_: None)
    assert ndf.counts["rescues"] == 1
    assert ndf.counts["rejected"] < 10
    assert ended.u == pytest.approx(exact_dae(1.0), abs=5e-4)  # time steps


def test_a_system_without_solution_fails_with_the_step_and_the_reason() -> None:
    from tests.small_systems import DenseSystem, Field

    # y' = 1 / (1 - y) reaches y = 1 with infinite slope at t = 1/2
    system = DenseSystem(
        (Field("y", slice(0, 1)),),
        lambda t, u, u_t: u_t * np.where(u < 1.0, 1.0 - u, np.nan) - 1.0,
        lambda t, u, u_t: np.diag(-u_t),
        np.eye(1),
    )
    system.factorise = lambda t, u, u_t, shift: setattr(  # type: ignore[method-assign]
        system, "_inverse", np.array([[1.0 / (shift * (1.0 - u[0]) - u_t[0])]])
    )
    ndf = NDF(system, rtol=1e-6, h_min=1e-7)
    restart(ndf, 0.0, np.array([0.0]), h_max=0.1)
    with pytest.raises(StepFailure, match="the step fell below 1e-07 s"):
        advance(ndf, 1.0, [], 0.1, lambda *_: None)
    assert ndf.t == pytest.approx(0.5, abs=1e-3)
