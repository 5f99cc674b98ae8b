"""Controls act where they stand: in sources, and in matrices that are otherwise assembled once."""

from __future__ import annotations

import basix.ufl
import numpy as np
import pytest
import ufl

from nmcsim.solve.fields import Control, Unknown
from nmcsim.solve.problem import Problem

from nmcsim.runtime import MPI  # isort: skip
from dolfinx import fem, mesh


def decay() -> tuple[Problem, Unknown]:
    """u_t + k u - f = 0 for one number u on an interval of length 1."""
    domain = mesh.create_unit_interval(MPI.COMM_SELF, 3)
    real = basix.ufl.real_element(domain.basix_cell(), value_shape=())
    u = Unknown("u", "u", "1", fem.functionspace(domain, real))
    k, f = Control("k", "1/s", domain), Control("f", "1/s", domain)
    row = (u.dt + k.value * u.u - f.value) * u.test * ufl.dx
    return Problem([u], [row], controls=[k, f]), u


def test_a_control_in_a_source_changes_the_residual() -> None:
    problem, _ = decay()
    problem.set(k=0.0, f=2.0)
    assert problem.residual(0.0, np.array([3.0]), np.array([0.0])) == pytest.approx([-2.0])


def test_a_control_in_a_matrix_changes_residual_and_jacobian() -> None:
    problem, _ = decay()
    problem.set(k=0.0, f=0.0)
    u, u_t = np.array([3.0]), np.array([1.0])
    assert problem.residual(0.0, u, u_t) == pytest.approx([1.0])
    problem.set(k=5.0)
    assert problem.residual(0.0, u, u_t) == pytest.approx([1.0 + 5.0 * 3.0])
    problem.factorise(0.0, u, u_t, shift=2.0)
    assert problem.solve(np.array([14.0])) == pytest.approx([2.0])  # (2 + 5) x = 14


def test_a_schedule_moves_a_control_in_time() -> None:
    problem, _ = decay()
    problem.set(k=0.0)
    problem.schedule = lambda t: {"f": 10.0 * t}
    assert problem.residual(0.5, np.zeros(1), np.zeros(1)) == pytest.approx([-5.0])
    assert problem.residual(0.7, np.zeros(1), np.zeros(1)) == pytest.approx([-7.0])
