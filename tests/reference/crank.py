"""Crank's series: a disk (or cylinder) with constant D that loses a constant flux at its rim.

    theta = theta_0 - (j R / (N_L D)) [ 2 tau + rho^2/2 - 1/4
                                        - 2 sum_k exp(-a_k^2 tau) J_0(a_k rho) / (a_k^2 J_0(a_k)) ]

with rho = r/R, tau = D t/R^2 and J_1(a_k) = 0, a_k > 0: J. Crank, The Mathematics of Diffusion,
2nd ed., Eq. 5.45, with the sign of a flux that leaves.

Own error: the first term left out is below 2 exp(-a_n^2 tau)/a_n^1.5. With the default number of
terms it is below 1e-14 for tau >= 1e-4; ``terms_needed`` gives the number for an earlier time.
Against 1D finite volumes (``polar_fv``, level 2): 3e-6 (test_reference.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import j0, jn_zeros

Array = NDArray[np.float64]


def terms_needed(tau: float, tolerance: float = 1e-14) -> int:
    """Number of roots so that the terms left out are below `tolerance` for times >= tau."""
    return int(np.ceil(np.sqrt(-np.log(tolerance) / tau) / np.pi)) + 1


def profile(rho: ArrayLike, tau: float, terms: int | None = None) -> Array:
    """The bracket of the series: (theta_0 - theta) N_L D / (j R) at r/R = rho, D t/R^2 = tau > 0.

    Parameters
    ----------
    rho : array_like
        r/R, any shape.
    tau : float
        Dimensionless time; at tau = 0 the result is exactly 0.
    terms : int, optional
        Roots summed; enough for 1e-14 when left out.
    """
    rho = np.asarray(rho, dtype=float)
    if tau <= 0.0:
        return np.zeros_like(rho)
    a = jn_zeros(1, terms or terms_needed(tau))
    decay = np.exp(-(a**2) * tau) / (a**2 * j0(a))
    series = j0(np.multiply.outer(rho, a)) @ decay
    return np.asarray(2.0 * tau + 0.5 * rho**2 - 0.25 - 2.0 * series)


def theta(
    r: ArrayLike,
    t: float,
    *,
    radius: float,
    diffusivity: float,
    flux: float,
    site_density: float,
    theta_start: float,
) -> Array:
    """theta(r, t) [1]; r, radius [m], t [s], diffusivity [m2/s], flux [mol/(m2 s)] leaving."""
    tau = diffusivity * t / radius**2
    scale = flux * radius / (site_density * diffusivity)
    return theta_start - scale * profile(np.asarray(r, dtype=float) / radius, tau)
