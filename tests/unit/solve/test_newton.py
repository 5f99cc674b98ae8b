"""When the kept factorisation serves, when it is renewed, and when a solve is given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from nmcsim.solve.linear import LinearFailure
from nmcsim.solve.newton import Newton
from nmcsim.solve.system import Norm
from tests.small_systems import DenseSystem, Field


def one(f: Callable[[float], float], slope: Callable[[float], float]) -> DenseSystem:
    """u_t + f(u) = 0 for one number."""
    return DenseSystem(
        (Field("u", slice(0, 1)),),
        lambda t, u, u_t: u_t + np.array([f(float(u[0]))]),
        lambda t, u, u_t: np.array([[slope(float(u[0]))]]),
        np.eye(1),
    )


def newton(system: DenseSystem, rtol: float = 1e-6) -> Newton:
    return Newton(system, Norm(system, rtol), Counter())


def solve(n: Newton, shift: float, u0: float = 1.0):
    return n.solve(0.0, np.array([u0]), np.zeros(1), shift)


def test_a_factorisation_serves_until_the_shift_has_moved() -> None:
    n = newton(one(lambda u: u**3, lambda u: 3.0 * u**2), rtol=1e-3)
    assert solve(n, 10.0).converged and n.counts["factorisations"] == 1
    for shift in (10.0, 12.0, 8.0):  # within 30 %
        result = solve(n, shift)
        assert result.converged and result.refreshes == 0
        d = result.change[0]
        assert shift * d + (1.0 + d) ** 3 == pytest.approx(0.0, abs=1e-2)  # Newton's tolerance
    assert n.counts["factorisations"] == 1
    assert solve(n, 20.0).converged and n.counts["factorisations"] == 2


def test_changed_equations_are_factorised_anew() -> None:
    n = newton(one(lambda u: u, lambda u: 1.0))
    solve(n, 1.0)
    n.forget()
    solve(n, 1.0)
    assert n.counts["factorisations"] == 2


def test_a_factorisation_that_does_not_contract_is_renewed() -> None:
    slopes = [1.0]
    n = newton(one(lambda u: slopes[0] * u, lambda u: slopes[0]))
    assert solve(n, 1.0).converged
    slopes[0] = 30.0  # (1 + 30) d = -30, with the old factor 2: iterates diverge
    result = solve(n, 1.0)
    assert result.converged and result.refreshes == 1
    assert result.change[0] == pytest.approx(-30.0 / 31.0, rel=1e-6)


def test_an_old_factorisation_does_not_hide_a_potential() -> None:
    """K phi = 1 beside u_t + u = 0, factorised at K = 1. After solves that contract at once K falls
    to 1/100: changes of phi then come out as a hundredth, 5 tolerances as 0.05. Believed at the
    rate of earlier solves they would pass, and phi go astray step by step while nothing is said.
    """
    K = [1.0]
    system = DenseSystem(
        (Field("u", slice(0, 1)), Field("phi", slice(1, 2), algebraic=True)),
        lambda t, u, u_t: np.array([u_t[0] + u[0], K[0] * u[1] - 1.0]),
        lambda t, u, u_t: np.diag([1.0, K[0]]),
        np.diag([1.0, 0.0]),
    )
    rtol = 1e-4
    n = newton(system, rtol)
    for u in (1.0, 0.99, 0.98):
        assert n.solve(0.0, np.array([u, 1.0]), np.zeros(2), 1e3).converged
    assert n.counts["factorisations"] == 1
    K[0] = 0.01
    astray = 5.0 * rtol
    result = n.solve(0.0, np.array([0.97, 100.0 + astray]), np.zeros(2), 1e3)
    assert result.converged and result.refreshes == 1
    assert result.change[1] == pytest.approx(-astray, abs=n.tolerance * rtol)


def test_a_linear_system_needs_one_iteration_and_its_check() -> None:
    n = newton(one(lambda u: 5.0 * u - 3.0, lambda u: 5.0))
    result = solve(n, 2.0)
    assert result.converged and result.iterations <= 2
    assert result.change[0] == pytest.approx(-2.0 / 7.0, rel=1e-12)


def test_a_problem_without_solution_is_given_up() -> None:
    n = newton(one(lambda u: u**2 + 10.0, lambda u: 2.0 * u))
    result = n.solve(0.0, np.array([1.0]), np.zeros(1), 1e-3)
    assert not result.converged and result.refreshes == n.max_refreshes
    assert solve(n, 1e3).converged  # a short step has one: nothing of the failure is kept


def test_values_that_are_not_finite_are_given_up() -> None:
    n = newton(one(lambda u: np.nan, lambda u: 1.0))
    assert not solve(n, 1.0).converged


def test_a_singular_jacobian_is_given_up() -> None:
    system = one(lambda u: u, lambda u: 1.0)

    def singular(t: float, u: np.ndarray, u_t: np.ndarray, shift: float) -> None:
        raise LinearFailure("singular")

    system.factorise = singular  # type: ignore[method-assign]
    result = solve(newton(system), 1.0)
    assert not result.converged and result.iterations == 0


def test_updates_are_kept_within_their_cap() -> None:
    """A potential may move by 0.5 V in an iteration: exp(40 u) = e^40 from far below."""
    system = DenseSystem(
        (Field("V", slice(0, 1), algebraic=True, max_update=0.1),),
        lambda t, u, u_t: np.exp(np.minimum(40.0 * u, 600.0)) - 1.0,
        lambda t, u, u_t: np.diag(40.0 * np.exp(np.minimum(40.0 * u, 600.0))),
        np.zeros((1, 1)),
    )
    n = newton(system)
    assert n.norm.damping(np.array([-0.4])) == pytest.approx(0.25)
    assert n.norm.damping(np.array([0.05])) == 1.0
    result = n.solve(0.0, np.array([-0.03]), np.zeros(1), 1.0)
    assert result.converged and result.change[0] == pytest.approx(0.03, abs=1e-6)
