"""The closed forms of an electrode without lithium transport, against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.integrate import solve_bvp
from scipy.sparse.linalg import spsolve

from .electrode_laws import FARADAY
from .ohmic import THERMAL, Fin, Series

STACK = Series(
    U=3.8,
    layers=((2e-6, 1e4), (5e-6, 1e-3)),
    i0=0.8,
    i0_lithium=20.0,
    liquid=2e-4,
    kappa=0.9,
)


def test_resistances_add_up() -> None:
    # i = 0.01 A/m2: 2e-10 + 5e-3 + 2.222e-4 ohm m2, and RT/F (1/0.8 + 1/20) = 3.34e-2 ohm m2
    assert STACK.linear_voltage(0.01) - 3.8 == pytest.approx(0.01 * 0.0386226, rel=1e-4)
    assert STACK.voltage(0.01) == pytest.approx(STACK.linear_voltage(0.01), abs=1e-8)
    assert STACK.voltage(4.0) < STACK.linear_voltage(4.0)  # asinh bends down
    assert STACK.voltage(-4.0) - 3.8 == pytest.approx(3.8 - STACK.voltage(4.0))


def test_steady_voltage_solves_the_liquid_by_a_boundary_value_problem() -> None:
    # c' = -(1 - t+) i / (F D), phi' = -i / kappa + 2RT/F (1 - t+) tdf c' / c, mean of c imposed
    i, c_ref, D, t_plus, tdf = 8.0, 1000.0, 2e-10, 0.3, 1.7

    def slopes(x: np.ndarray, u: np.ndarray) -> np.ndarray:
        dc = -(1.0 - t_plus) * i / (FARADAY * D) + 0.0 * x
        dphi = -i / STACK.kappa + 2.0 * THERMAL * (1.0 - t_plus) * tdf * dc / u[0]
        return np.array([dc, dphi, u[0] / (STACK.liquid * c_ref)])

    def ends(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.array([a[1], a[2], b[2] - 1.0])

    x = np.linspace(0.0, STACK.liquid, 50)
    found = solve_bvp(slopes, ends, x, np.array([c_ref + 0.0 * x, 0.0 * x, x / x[-1]]), tol=1e-9)
    (near, far), drop = found.y[0, [0, -1]], -found.y[1, -1]
    eta = 2 * THERMAL * np.arcsinh(i / (1.6 * np.sqrt(near / c_ref)))
    eta += 2 * THERMAL * np.arcsinh(i / (40.0 * np.sqrt(far / c_ref)))
    expected = 3.8 + i * (2e-10 + 5e-3) + drop + eta
    assert STACK.steady_voltage(i, c_ref, D, t_plus, tdf) == pytest.approx(expected, abs=1e-8)
    with pytest.raises(ValueError, match="limiting current"):
        STACK.steady_voltage(1000.0, c_ref, D, t_plus)


def _by_differences(fin: Fin, nx: int, ny: int) -> tuple[np.ndarray, float]:
    """phi at cell centres (nx, ny) by finite volumes, and the current that reacts."""
    dx, dy, g = fin.length / nx, fin.height / ny, fin.i0 / THERMAL

    def second(n: int, h: float) -> sparse.csr_matrix:
        steps = sparse.diags([-np.ones(n - 1), np.ones(n - 1)], [0, 1], shape=(n - 1, n))
        return -(steps.T @ steps) / h**2

    A = fin.K * sparse.kronsum(second(ny, dy), second(nx, dx)).tolil()
    b = np.zeros(nx * ny)
    for j in range(ny):
        A[j, j] -= fin.K * 2.0 / dx**2  # phi = 0 half a cell away
    out = 1.0 / (1.0 / g + 0.5 * dy / fin.K)  # half a cell and the reaction, in series
    for k in range(nx):
        top = k * ny + ny - 1
        A[top, top] -= out / dy
        b[top] -= out / dy * fin.drive
    phi = spsolve(A.tocsr(), b).reshape(nx, ny)
    return phi, float(out * (phi[:, -1] - fin.drive).sum() * dx)


@pytest.mark.parametrize("K", [2e-3, 1e-5])  # Bi = 0.016 and 3.1
def test_fin_agrees_with_finite_volumes(K: float) -> None:
    fin = Fin(length=4e-6, height=1e-6, K=K, i0=0.8, drive=-1e-3)
    nx, ny = 160, 40
    phi, current = _by_differences(fin, nx, ny)
    x, y = (np.arange(nx) + 0.5) * fin.length / nx, (np.arange(ny) + 0.5) * fin.height / ny
    inside = x > 0.5 * fin.height  # at x = 0 both are coarse
    exact = fin.exact(x[inside, None], y[None, :])
    assert phi[inside] == pytest.approx(exact, abs=2e-7)  # cells
    assert fin.exact_current() == pytest.approx(current, rel=4e-3)  # cells at the corner
    if fin.biot < 0.02:
        assert fin.thin(x[inside]) == pytest.approx(exact.mean(axis=1), abs=2e-3 * abs(fin.drive))
        assert fin.thin_current() == pytest.approx(current, rel=6e-3)  # Bi / 3 thicker


def test_thin_fin_is_the_limit_of_the_exact_one() -> None:
    fin = Fin(length=1e-5, height=1e-7, K=1e-3, i0=0.5, drive=-1e-3)  # Bi = 2e-3
    x = np.linspace(0.0, fin.length, 11)[1:]
    assert fin.exact(x, 0.0 * x) == pytest.approx(fin.thin(x), rel=2e-3)
    assert fin.exact_current() == pytest.approx(fin.thin_current(), rel=1e-3)
