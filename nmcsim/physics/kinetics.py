"""Charge transfer at the surface of an active particle."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import ufl

from nmcsim.constants import F, R

__all__ = ["butler_volmer", "butler_volmer_at"]

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
