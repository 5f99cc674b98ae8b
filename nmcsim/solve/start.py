"""A consistent start: algebraic unknowns and rates of change from the differential unknowns.

At a change of control the differential unknowns stand as they are, the potentials jump. The
unknowns of the start are u_t of the differential and u of the algebraic part of F(t, u, u_t) = 0,
found by a damped Newton iteration with a fresh Jacobian each time.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from nmcsim.errors import NmcsimError
from nmcsim.solve.fields import Array
from nmcsim.solve.linear import LinearFailure
from nmcsim.solve.newton import NewtonResult
from nmcsim.solve.system import Norm, System

__all__ = ["NoConsistentStart", "consistent"]


class NoConsistentStart(NmcsimError):
    """No potentials fit the state at a change of control; ``last`` is where the search stopped."""

    def __init__(self, t: float, why: str, last: NewtonResult | None = None) -> None:
        super().__init__(why)
        self.t, self.why, self.last = t, why, last


def consistent(
    system: System, norm: Norm, t: float, u: Array, counts: Counter[str], iterations: int = 60
) -> tuple[Array, Array]:
    """Potentials and rates of change that satisfy F(t, u, u_t) = 0 with the differential part held.

    Returns
    -------
    u, u_t : (size,) arrays
        The state with consistent algebraic unknowns, and the rates of the differential ones.

    Raises
    ------
    NoConsistentStart
        If the iteration does not converge.
    """
    u = u.copy()
    u_t = np.zeros_like(u)
    for _ in range(iterations):
        r = system.residual(t, u, u_t)
        counts["residuals"] += 1
        try:
            system.factorise_start(t, u, u_t)
            delta = -system.solve(r)
        except LinearFailure as error:
            raise NoConsistentStart(t, str(error)) from error
        counts["jacobians"] += 1
        counts["factorisations"] += 1
        potentials = np.where(norm.algebraic, delta, 0.0)
        if not np.isfinite(norm.update(delta)):
            break
        damping = norm.damping(potentials)
        u += damping * potentials
        u_t += damping * np.where(norm.algebraic, 0.0, delta)
        if damping == 1.0 and norm.update(potentials) < 1e-3:
            return u, u_t
    why = "the potentials at the start of the step did not converge"
    raise NoConsistentStart(t, why, NewtonResult(False, delta, iterations, iterations, r))
