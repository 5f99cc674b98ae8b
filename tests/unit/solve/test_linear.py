"""An iterative solve is loose, but not in the balances; rows without a diagonal do not stop it."""

from __future__ import annotations

from typing import Any

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


# -- several fields ---------------------------------------------------------------------------

CUBE = 8
M = CUBE**3
CELL = [slice(0, M), slice(M, 2 * M), slice(2 * M, 2 * M + 1)]
"""Potentials of a solid and of a liquid at the same nodes, and that of a far electrode."""


def laplacian(conductivity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Resistors between the neighbours on a cubic grid, each the series of two half cells."""
    L = np.zeros((M, M))
    number = np.arange(M).reshape(CUBE, CUBE, CUBE)
    for axis in range(3):
        a = np.take(number, range(CUBE - 1), axis).ravel()
        b = np.take(number, range(1, CUBE), axis).ravel()
        g = 2.0 / (1.0 / conductivity[a] + 1.0 / conductivity[b])
        np.add.at(L, (a, a), g)
        np.add.at(L, (b, b), g)
        np.add.at(L, (a, b), -g)
        np.add.at(L, (b, a), -g)
    return L


def cell(reaction: float = 1e-3) -> NDArray[np.float64]:
    """A small electrode: conductivities over nine decades, a reaction everywhere, a collector that
    grounds the first layer of the solid, an electrode beyond the last layer of the liquid through
    which a given current flows, and one pinned node of the solid.
    """
    rng = np.random.default_rng(1)
    J = np.zeros((2 * M + 1, 2 * M + 1))
    J[:M, :M] = laplacian(10.0 ** rng.uniform(-9.0, 0.0, M)) + reaction * np.eye(M)
    J[M : 2 * M, M : 2 * M] = laplacian(np.ones(M)) + reaction * np.eye(M)
    J[:M, M : 2 * M] = J[M : 2 * M, :M] = -reaction * np.eye(M)
    J[range(64), range(64)] += 10.0
    for last in range(2 * M - 64, 2 * M):  # by -V, as a cell's voltage is counted
        J[last, last] += 1.0
        J[last, 2 * M] += 1.0
        J[2 * M, last] += 1.0
    J[2 * M, 2 * M] = 64.0
    J[M - 1, :] = 0.0
    J[M - 1, M - 1] = 1.0
    return J


def of_fields(J: NDArray[np.float64], r: NDArray[np.float64], rtol: float) -> Any:
    """A solver that has factorised a cell's J, its vectors, and the solution."""
    solver, A = LinearSolver("iterative", rtol, scales=[1.0, 1.0, 1.0]), matrix(J)
    x, b = A.createVecs()
    b.array[:] = r
    solver.factorise(A, CELL)
    solver.solve(b, x)
    return solver, A, b, x


@pytest.mark.parametrize("reaction", [1e-6, 1e-3, 1.0])
def test_coupled_fields_are_solved_in_few_iterations(reaction: float) -> None:
    J, exact = cell(reaction), np.random.default_rng(2).normal(size=2 * M + 1)
    solver, _, _, x = of_fields(J, J @ exact, 1e-10)
    assert x.array_r == pytest.approx(np.linalg.solve(J, J @ exact), rel=1e-5, abs=1e-5)
    assert solver.iterations <= 40


def test_a_loose_solve_of_coupled_fields_keeps_their_balances_and_pinned_nodes() -> None:
    """The row of a pinned node says u = r: it belongs to no balance, and no constant moves it."""
    J, r = cell(), np.random.default_rng(3).normal(size=2 * M + 1)
    _, _, _, x = of_fields(J, r, 1e-2)
    left = r - J @ x.array_r
    assert np.abs(left).max() > 1e-5
    assert abs(left[: M - 1].sum()) < 1e-9  # round-off
    assert abs(left[M : 2 * M].sum()) < 1e-9
    assert abs(left[2 * M]) < 1e-9


def test_the_next_jacobian_is_solved_as_well_on_old_aggregates() -> None:
    solver, A, b, x = of_fields(cell(), np.ones(2 * M + 1), 1e-8)
    first = solver.iterations
    J = cell() + 0.01 * np.eye(2 * M + 1)
    J[M - 1, M - 1] = 1.0
    other = matrix(J)
    other.copy(A)
    solver.factorise(A, CELL)
    solver.solve(b, x)
    assert x.array_r == pytest.approx(np.linalg.solve(J, np.ones(2 * M + 1)), rel=1e-5)
    assert solver.iterations <= first + 2


def test_a_jacobian_that_is_not_finite_is_refused() -> None:
    J = cell()
    J[0, 0] = np.nan
    with pytest.raises(LinearFailure, match="not finite"):
        of_fields(J, np.ones(2 * M + 1), 1e-2)


def test_a_multigrid_that_fails_is_built_again() -> None:
    """As when the estimate of an eigenvalue breaks down: its interpolation is not a number then."""
    solver, _, b, x = of_fields(cell(), np.ones(2 * M + 1), 1e-8)
    before = np.array(x.array_r)

    class Broken:
        def apply(self, r: PETSc.Vec, y: PETSc.Vec) -> None:
            y.set(np.nan)

        def destroy(self) -> None:
            pass

    solver._sweep._solvers[0] = Broken()
    solver.solve(b, x)
    assert x.array_r == pytest.approx(before, rel=1e-5)
