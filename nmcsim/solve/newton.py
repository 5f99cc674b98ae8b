"""Newton's method on a kept factorisation, for one implicit step of the integrator.

The factorisation of an earlier step serves as long as its shift is near the present one and
the iteration contracts; otherwise the Jacobian is refreshed, first at the predictor, then at
the current iterate.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from nmcsim.solve.fields import Array
from nmcsim.solve.linear import LinearFailure
from nmcsim.solve.system import Norm, System

__all__ = ["Newton", "NewtonResult"]


UNKNOWN = 0.1
"""Least rate of contraction by which a first change above the tolerance is judged."""

GLANCE = 0.1
"""On an old factorisation a field whose change is this share of the tolerance has converged, at
whatever rate: what it hides is small unless a coefficient has changed by more than ten times."""


@dataclass(frozen=True)
class NewtonResult:
    """Outcome of one implicit solve: the change from the predictor, and how hard it was."""

    converged: bool
    change: Array
    iterations: int
    refreshes: int
    residual: Array


@dataclass
class Newton:
    """Solves F(t, u0 + d, shift (d + psi)) = 0 for d.

    Parameters
    ----------
    system : System
    norm : Norm
    tolerance : float
        Estimated remaining error of d at convergence, in tolerances of the error test.
    shift_window : float
        Largest relative change of the shift for which an old factorisation is tried.
    max_iterations, max_refreshes : int
        Iterations on one factorisation; fresh Jacobians within one solve.
    """

    system: System
    norm: Norm
    counts: Counter[str]
    tolerance: float = 0.05
    shift_window: float = 0.3
    max_iterations: int = 6
    max_refreshes: int = 4
    _shift: float | None = field(default=None, repr=False)
    _rate: float = field(default=0.5, repr=False)

    def forget(self) -> None:
        """Drop the factorisation: the equations have changed."""
        self._shift = None

    def solve(self, t: float, u0: Array, psi: Array, shift: float) -> NewtonResult:
        """Iterate until the estimated error is below the tolerance, or give up."""
        refreshes = 0
        old = self._shift is not None and abs(shift / self._shift - 1.0) <= self.shift_window
        d = np.zeros_like(u0)
        r = self._residual(t, u0, d, psi, shift)
        iterations = 0
        while True:
            if not old:
                if refreshes >= self.max_refreshes or not self._refresh(t, u0, d, psi, shift):
                    self.forget()
                    return NewtonResult(False, d, iterations, refreshes, r)
                refreshes += 1
            converged, d_new, r_new, n = self._iterate(t, u0, d, r, psi, shift, old)
            iterations += n
            if converged:
                return NewtonResult(True, d_new, iterations, refreshes, r_new)
            if old or not np.isfinite(self.norm.update(d_new)):
                old = False
                d = np.zeros_like(u0)
                r = self._residual(t, u0, d, psi, shift)
            else:
                d, r = d_new, r_new
            if refreshes and not np.isfinite(self.norm.update(r)):
                self.forget()
                return NewtonResult(False, d, iterations, refreshes, r)

    def _residual(self, t: float, u0: Array, d: Array, psi: Array, shift: float) -> Array:
        self.counts["residuals"] += 1
        return self.system.residual(t, u0 + d, shift * (d + psi))

    def _refresh(self, t: float, u0: Array, d: Array, psi: Array, shift: float) -> bool:
        self.counts["jacobians"] += 1
        self.counts["factorisations"] += 1
        try:
            self.system.factorise(t, u0 + d, shift * (d + psi), shift)
        except LinearFailure:
            return False
        self._shift = shift
        self._rate = 0.5
        return True

    def _iterate(
        self, t: float, u0: Array, d: Array, r: Array, psi: Array, shift: float, old: bool
    ) -> tuple[bool, Array, Array, int]:
        """Simplified Newton on the present factorisation; restarts nothing.

        An old factorisation has to show how fast it contracts now, field by field. Where a
        conductivity has since fallen by a hundred, changes of the potential come out a hundred
        times too small: the largest change of all says nothing of that, the rate of its own does.
        """
        assert self._shift is not None
        # a factorisation with another shift over- or undershoots, along differential unknowns only
        correction = np.where(self.norm.algebraic, 1.0, 2.0 / (1.0 + shift / self._shift))
        previous, before = np.inf, None
        d = d.copy()
        for n in range(1, self.max_iterations + 1):
            try:
                delta = self.system.solve(r)
            except LinearFailure:
                return False, d, r, n
            self.counts["solves"] += 1
            delta *= -correction
            damping = self.norm.damping(delta)
            if damping < 1.0:
                delta *= damping
            sizes = self.norm.by_field(delta)
            size = float(sizes.max(initial=0.0))
            if not np.isfinite(size):
                return False, d, r, n
            rate = size / previous if np.isfinite(previous) and previous > 0.0 else None
            if rate is not None:
                self._rate = max(0.2 * self._rate, rate)
                if rate >= 0.9 and size > self.tolerance:
                    return False, d, r, n
            d += delta
            # the rate of earlier steps says little of a first change that exceeds the tolerance
            known = self._rate if rate is not None or size <= 1.0 else max(self._rate, UNKNOWN)
            estimate = known / (1.0 - known) if known < 1.0 else np.inf
            left = self.max_iterations - n
            error = estimate * size
            hopeless = rate is not None and rate**left * error > self.tolerance
            if old:
                error, slow = self._seen(sizes, before, left)
                hopeless |= slow
            if damping == 1.0 and (size == 0.0 or error < self.tolerance):
                return True, d, r, n
            previous, before = (size, sizes) if damping == 1.0 else (np.inf, None)
            r = self._residual(t, u0, d, psi, shift)
            if hopeless:
                break
        return False, d, r, n

    def _seen(self, sizes: Array, before: Array | None, left: int) -> tuple[float, bool]:
        """Estimated error by the rate of each field, and whether `left` iterations are too few."""
        open_ = sizes > GLANCE * self.tolerance
        if not open_.any():
            return 0.0, False
        if before is None:
            return np.inf, False
        now, then = sizes[open_], before[open_]
        rates = np.divide(now, then, out=np.full_like(now, np.inf), where=then > 0.0)
        contracting = rates < 1.0  # a field may first follow what another one does
        if not contracting.all():
            return np.inf, False
        errors = now * rates / (1.0 - rates)
        return float(errors.max()), bool((rates**left * errors > self.tolerance).any())
