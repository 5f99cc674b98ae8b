"""Charge transfer at the surface of an active particle."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import ufl

from nmcsim.constants import F, R

__all__ = ["butler_volmer", "butler_volmer_at", "butler_volmer_both"]

Array = npt.NDArray[np.float64]

LINEAR_BEYOND = 12.0
"""Argument beyond which sinh goes on with its slope: there the current is 1e5 i0, and Newton's
method needs a finite, monotone function more than an exponential."""


def butler_volmer(i0: Any, eta: Any, T: float) -> Any:
    """Current density of a one-electron reaction with symmetric barriers [A/m2].

        i = i0 (exp(F eta / 2RT) - exp(-F eta / 2RT)) = 2 i0 sinh(F eta / 2RT)

    continued linearly beyond |F eta / 2RT| = 12.

    Parameters
    ----------
    i0 : UFL expression
        Exchange current density [A/m2].
    eta : UFL expression
        Overpotential [V]; positive delithiates.
    T : float
        Temperature [K].

    Returns
    -------
    UFL expression

    References
    ----------
    Sharma et al., Nano Lett. (2022), Eq. 1 with a_a = a_c = 1/2.
    """
    x = F / (2.0 * R * T) * eta
    m = LINEAR_BEYOND
    inside = ufl.max_value(ufl.min_value(x, m), -m)
    return 2.0 * i0 * (ufl.sinh(inside) + ufl.cosh(m) * (x - inside))


def butler_volmer_at(
    i0: npt.NDArray[np.float64], eta: npt.NDArray[np.float64], T: float
) -> npt.NDArray[np.float64]:
    """`butler_volmer` of numbers: current density [A/m2], shape of ``i0`` and ``eta``."""
    x = F / (2.0 * R * T) * eta
    inside = np.clip(x, -LINEAR_BEYOND, LINEAR_BEYOND)
    return np.asarray(2.0 * i0 * (np.sinh(inside) + np.cosh(LINEAR_BEYOND) * (x - inside)))


STEEP = 24.0
"""Exponent beyond which an exponential goes on with its slope, for the same reason."""


def exponential(x: Array) -> tuple[Array, Array]:
    """exp(x), along its tangent beyond x = 24, and its derivative."""
    slope = np.exp(np.minimum(x, STEEP))
    return slope * (1.0 + np.maximum(x - STEEP, 0.0)), slope


def butler_volmer_both(
    eta: Array, T: float, alpha_a: float = 0.5, alpha_c: float = 0.5
) -> tuple[Array, Array]:
    """Current density over exchange current density, and its derivative by the overpotential.

        i / i0 = exp(a_a F eta / RT) - exp(-a_c F eta / RT)

    Each exponential goes on along its tangent beyond an exponent of 24.

    Parameters
    ----------
    eta : (n,) array
        Overpotential [V]; positive oxidises.
    T : float
        Temperature [K].
    alpha_a, alpha_c : float
        Transfer coefficients.

    Returns
    -------
    (n,) array, (n,) array
        i / i0, and its derivative [1/V].

    References
    ----------
    Sharma et al., Nano Lett. 22 (2022) 5883, Eq. 1.
    """
    f = F / (R * T)
    forth, forth_slope = exponential(alpha_a * f * eta)
    back, back_slope = exponential(-alpha_c * f * eta)
    return forth - back, f * (alpha_a * forth_slope + alpha_c * back_slope)
