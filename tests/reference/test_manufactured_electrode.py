"""Sources of the manufactured electrode are what finite differences of its fluxes say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from .electrode_laws import FARADAY, SITE_DENSITY
from .manufactured_electrode import LAWS, Manufactured, _law

Array = NDArray[np.float64]
Vector = Callable[[Array, Array, float], tuple[Array, Array]]

EXACT = Manufactured()
T = 300.0


def _points(low: float, high: float) -> tuple[Array, Array]:
    x, y = np.meshgrid(np.linspace(0.1, 0.9, 5) * EXACT.width, np.linspace(low, high, 7)[1:-1])
    return x, y


def _divergence(flux: Vector, x: Array, y: Array) -> Array:
    """By central differences of fourth order, 1 % of the width apart."""
    h = 0.01 * EXACT.width
    total = np.zeros_like(x)
    for k, weight in ((1, 8.0), (2, -1.0)):
        total += weight * (flux(x + k * h, y, T)[0] - flux(x - k * h, y, T)[0])
        total += weight * (flux(x, y + k * h, T)[1] - flux(x, y - k * h, T)[1])
    return total / (12.0 * h)


def test_sources_in_the_solid() -> None:
    x, y = _points(0.0, EXACT.solid)
    rate = (EXACT.theta(x, y, T + 0.5) - EXACT.theta(x, y, T - 0.5)) / 1.0
    lithium = SITE_DENSITY * rate + _divergence(EXACT.lithium_flux, x, y)
    charge = _divergence(EXACT.electron_current, x, y)
    assert EXACT.solid_lithium(x, y, T) == pytest.approx(lithium, rel=1e-5, abs=1e-5)
    assert EXACT.solid_charge(x, y, T) == pytest.approx(charge, rel=1e-5, abs=1.0)
    assert np.abs(lithium).max() > 1.0 and np.abs(charge).max() > 1e5  # so abs is small


def test_sources_in_the_liquid() -> None:
    x, y = _points(EXACT.solid, EXACT.height)
    rate = (EXACT.c(x, y, T + 0.5) - EXACT.c(x, y, T - 0.5)) / 1.0
    salt = rate + _divergence(EXACT.salt_flux, x, y)
    charge = _divergence(EXACT.ionic_current, x, y)
    assert EXACT.liquid_salt(x, y, T) == pytest.approx(salt, rel=1e-5, abs=1e-4)
    assert EXACT.liquid_charge(x, y, T) == pytest.approx(charge, rel=1e-5, abs=10.0)
    assert np.abs(salt).max() > 1.0 and np.abs(charge).max() > 1e6


def test_nothing_passes_the_sides_and_the_collector_is_grounded() -> None:
    y, ends = np.linspace(0.0, EXACT.height, 9), (0.0, EXACT.width)
    for x in ends:
        for flux in (EXACT.lithium_flux, EXACT.electron_current):
            assert flux(x, y[:4], T)[0] == pytest.approx(0.0, abs=1e-12)
        for flux in (EXACT.salt_flux, EXACT.ionic_current):
            assert flux(x, y, T)[0] == pytest.approx(0.0, abs=1e-12)
    x = np.linspace(0.0, EXACT.width, 7)
    assert EXACT.phi_s(x, 0.0, T) == pytest.approx(0.0, abs=1e-15)
    assert EXACT.lithium_flux(x, 0.0, T)[1] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("t", [0.0, 300.0, 1000.0])
def test_balances_close_over_each_region(t: float) -> None:
    # d/dt of what a region holds + what leaves through its surfaces = its sources, by quadrature.
    nodes, weights = np.polynomial.legendre.leggauss(24)
    x, wx = 0.5 * EXACT.width * (nodes + 1.0), 0.5 * EXACT.width * weights

    def over(f: Callable[..., Array], low: float, high: float) -> float:
        y, wy = low + 0.5 * (high - low) * (nodes + 1.0), 0.5 * (high - low) * weights
        return float(wy @ f(x[None, :], y[:, None], t) @ wx)

    a, b = EXACT.solid, EXACT.height
    i, i_Li = wx @ EXACT.reaction(x, t), wx @ EXACT.lithium(x, t)
    assert EXACT.current(t) == pytest.approx(-i_Li, rel=1e-12)
    held = SITE_DENSITY * over(EXACT.theta.rate, 0.0, a)
    out = i / FARADAY + wx @ EXACT.surface_lithium(x, t)
    assert held + out == pytest.approx(over(EXACT.solid_lithium, 0.0, a), rel=1e-10)
    out = wx @ (-EXACT.electron_current(x, 0.0, t)[1] + EXACT.surface_electrons(x, t)) + i
    assert out == pytest.approx(over(EXACT.solid_charge, 0.0, a), rel=1e-10)
    surfaces = wx @ (EXACT.lithium_salt(x, t) - EXACT.surface_salt(x, t)) - (i + i_Li) / FARADAY
    held = over(EXACT.c.rate, a, b)
    assert held + surfaces == pytest.approx(over(EXACT.liquid_salt, a, b), rel=1e-9)
    surfaces = wx @ (EXACT.lithium_ions(x, t) - EXACT.surface_ions(x, t)) - i - i_Li
    assert surfaces == pytest.approx(over(EXACT.liquid_charge, a, b), rel=1e-9)


def test_fields_stay_where_the_laws_mean_something() -> None:
    x = np.linspace(0.0, EXACT.width, 41)[:, None]
    for t in (0.0, 500.0, 3000.0):
        theta = EXACT.theta(x, np.linspace(0.0, EXACT.solid, 41), t)
        c = EXACT.c(x, np.linspace(EXACT.solid, EXACT.height, 41), t)
        assert theta.min() > 0.3 and theta.max() < 0.9
        assert c.min() > 500.0 and c.max() < 1700.0
        assert all(np.all(_law(n, theta) > 0) for n in ("D", "K", "i0"))
        assert all(np.all(_law(n, c) > 0) for n in ("kappa", "D_l", "t_plus", "tdf"))
        eta = np.arcsinh(EXACT.reaction(x, t) / 2.0)  # of order one: kinetics matter, no more
        assert 0.05 < np.abs(eta).max() < 3.0
    assert set(LAWS) == {"U", "D", "K", "i0", "kappa", "D_l", "t_plus", "tdf"}
