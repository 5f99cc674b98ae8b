"""Closed form for a disk with constant D whose rim is blocked on one arc.

Arc of half-width beta = pi coverage about the angle phi = 0; j is j_r there and j_b elsewhere,
j_r = flux_ratio j_b, with perimeter mean j. Fourier series of the rim flux over j:

    g(phi) = 1 + sum_n g_n cos(n phi),      g_n = -2 (1 - flux_ratio) sin(n beta) / (n pi m),
    m = 1 - coverage + flux_ratio coverage

Each harmonic is a Neumann problem of its own. In s = j R / (N_L D), rho = r/R, tau = D t/R^2:

    theta = theta_0 - s { P_0(rho, tau) + sum_n g_n [ rho^n / n - T_n(rho, tau) ] cos(n phi) }
    T_n   = sum_k 2 J_n(a_nk rho) exp(-a_nk^2 tau) / ((a_nk^2 - n^2) J_n(a_nk)),   J_n'(a_nk) = 0

P_0 is Crank's bracket (crank.py). The quasi-steady part has a closed form: with z = rho e^(i phi),
S = sum_n sin(n beta) rho^n cos(n phi) / n^2
  = Im[ Li2(z e^(i beta)) + Li2(conj(z) e^(i beta)) ] / 2.

Own error: 1e-12 (dilogarithm, round-off); roots and terms are kept until exp(-a^2 tau) < 1e-14, so
that the cost grows like 1/tau: use tau >= 1e-3 (about 60 harmonics).
Derivation: separation of variables; (rho^n) expanded in J_n(a_nk rho), whose norm is
(1 - n^2/a^2) J_n(a)^2 / 2. Checked against ``polar_fv`` with constant D: test_reference.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import jnp_zeros, jv, spence

from . import crank

Array = NDArray[np.float64]


def _dilogarithm(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    return np.asarray(spence(1.0 - z))


def quasi_steady(rho: ArrayLike, phi: ArrayLike, coverage: float, flux_ratio: float) -> Array:
    """sum_n g_n rho^n cos(n phi) / n: the shape that theta keeps at late times, mean 0."""
    beta, m = np.pi * coverage, 1.0 - coverage + flux_ratio * coverage
    rho, phi = np.broadcast_arrays(np.asarray(rho, float), np.asarray(phi, float))
    z = rho * np.exp(1j * phi)
    turn = np.exp(1j * beta)
    series = 0.5 * np.imag(_dilogarithm(z * turn) + _dilogarithm(np.conj(z) * turn))
    return np.asarray(-2.0 * (1.0 - flux_ratio) / (np.pi * m) * series)


def _transient(rho: Array, phi: Array, tau: float, coverage: float, flux_ratio: float) -> Array:
    """sum_n g_n T_n(rho, tau) cos(n phi)."""
    beta, m = np.pi * coverage, 1.0 - coverage + flux_ratio * coverage
    largest = np.sqrt(-np.log(1e-14) / tau)  # roots beyond it add less than 1e-14
    radii, where = np.unique(rho, return_inverse=True)
    total = np.zeros(rho.shape)
    for n in range(1, int(largest) + 1):
        a = jnp_zeros(n, int(largest / np.pi) + 2)
        a = a[a < largest]
        if a.size == 0:
            break
        g = -2.0 * (1.0 - flux_ratio) * np.sin(n * beta) / (n * np.pi * m)
        weight = 2.0 * np.exp(-(a**2) * tau) / ((a**2 - n**2) * jv(n, a))
        T = jv(n, np.multiply.outer(radii, a)) @ weight
        total += g * T[where].reshape(rho.shape) * np.cos(n * phi)
    return total


def profile(
    rho: ArrayLike, phi: ArrayLike, tau: float, coverage: float, flux_ratio: float = 0.0
) -> Array:
    """(theta_0 - theta) N_L D / (j R) at r/R = rho, angle phi [rad] from the arc's middle, tau > 0.

    Parameters
    ----------
    rho, phi : array_like
        Positions, of one shape or broadcast to one.
    tau : float
        D t / R^2.
    coverage : float
        Share of the perimeter that is blocked, 0 <= coverage < 1.
    flux_ratio : float
        Flux through the blocked arc relative to the rest, 0 <= flux_ratio < 1.
    """
    rho, phi = np.broadcast_arrays(np.asarray(rho, float), np.asarray(phi, float))
    if tau <= 0.0:
        return np.zeros(rho.shape)
    uniform = crank.profile(rho, tau)
    shape = quasi_steady(rho, phi, coverage, flux_ratio)
    return np.asarray(uniform + shape - _transient(rho, phi, tau, coverage, flux_ratio))


def theta(
    r: ArrayLike,
    phi: ArrayLike,
    t: float,
    *,
    radius: float,
    diffusivity: float,
    flux: float,
    site_density: float,
    theta_start: float,
    coverage: float,
    flux_ratio: float = 0.0,
) -> Array:
    """theta(r, phi, t) [1]; `flux` is the perimeter mean [mol/(m2 s)], leaving; SI units."""
    tau = diffusivity * t / radius**2
    scale = flux * radius / (site_density * diffusivity)
    rho = np.asarray(r, dtype=float) / radius
    return theta_start - scale * profile(rho, phi, tau, coverage, flux_ratio)
