"""An iterative solve is loose, but not in the balances; rows without a diagonal do not stop it."""

from __future__ import annotations

import nmcsim.runtime  # noqa: F401  (before any module below imports PETSc)

# isort: split
import numpy as np
import pytest
from numpy.typing import NDArray
from petsc4py import PETSc

from nmcsim.solve.linear import LinearFailure, LinearSolver

SIDE = 12
N = SIDE * SIDE
FIELDS = [slice(0, N), slice(N, N + 1)]


def bordered(corner: float) -> NDArray[np.float64]:
    """Diffusion on a square grid and one scalar row, as a potential under an imposed current."""
    line = 2.0 * np.eye(SIDE) - np.eye(SIDE, k=1) - np.eye(SIDE, k=-1)
    line[0, 0] = line[-1, -1] = 1.0
    J = np.zeros((N + 1, N + 1))
    J[:N, :N] = 50.0 * (np.kron(line, np.eye(SIDE)) + np.kron(np.eye(SIDE), line)) + np.eye(N)
    J[N, N - 1], J[N - 1, N], J[N, N] = 1.0, -1.0, corner
    return J


def matrix(dense: NDArray[np.float64]) -> PETSc.Mat:
    mat = PETSc.Mat().createAIJ(dense.shape, comm=PETSc.COMM_SELF)
    mat.setUp()
    for i, row in enumerate(dense):
        columns = np.union1d(np.flatnonzero(row), [i]).astype(PETSc.IntType)
        mat.setValues([i], columns, row[columns])
    mat.assemble()
    return mat


def solved(
    kind: str, rtol: float, dense: NDArray[np.float64], r: NDArray[np.float64]
) -> NDArray[np.float64]:
    solver, J = LinearSolver(kind, rtol), matrix(dense)
    x, b = J.createVecs()
    b.array[:] = r
    solver.factorise(J, FIELDS)
    solver.solve(b, x)
    return np.array(x.array_r)


@pytest.mark.parametrize("corner", [1.0, 0.0])
def test_a_loose_solve_keeps_the_balance_of_each_field(corner: float) -> None:
    J, r = bordered(corner), np.random.default_rng(3).normal(size=N + 1)
    left = r - J @ solved("iterative", 1e-2, J, r)
    assert np.abs(left).max() > 1e-5  # single rows are left
    assert abs(left[:N].sum()) < 1e-10  # round-off
    assert abs(left[N]) < 1e-10


@pytest.mark.parametrize("kind", ["direct", "iterative"])
def test_a_tight_solve_is_the_solution(kind: str) -> None:
    J, r = bordered(0.0), np.random.default_rng(5).normal(size=N + 1)
    assert solved(kind, 1e-12, J, r) == pytest.approx(np.linalg.solve(J, r), rel=1e-8, abs=1e-10)


def test_balances_that_do_not_fix_the_means_are_refused() -> None:
    J = bordered(1.0)
    J[:N, :N] -= np.eye(N)  # pure Neumann: no storage, and no coupling to the scalar
    J[N, N - 1] = J[N - 1, N] = 0.0
    r = np.zeros(N + 1)
    r[0], r[1] = 1.0, 1.0
    with pytest.raises(LinearFailure):
        solved("iterative", 1e-2, J, r)
