"""Numerical differentiation formulas of orders 1 to 5 with variable step, in backward differences.

With backward differences D_m of the solution at spacing h, the step to t + h solves

    F(t + h, u, u_t) = 0,
    u = sum_{m=0}^{k} D_m + d,   h u_t = alpha_k d + sum_{m=1}^{k} gamma_m D_m

for d, where gamma_k = sum_{j<=k} 1/j and alpha_k = (1 - kappa_k) gamma_k. The local error
is estimated by C_k d, C_k = kappa_k gamma_k + 1/(k + 1).

L. F. Shampine and M. W. Reichelt, The MATLAB ODE Suite, SIAM J. Sci. Comput. 18 (1997) 1,
section 2; the change of step follows section 2.2 there. Algebraic unknowns are predicted like all
others and have no derivative in F. No chemistry here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from nmcsim.solve.fields import Array
from nmcsim.solve.newton import Newton, NewtonResult
from nmcsim.solve.start import NoConsistentStart, consistent
from nmcsim.solve.system import Norm, System

__all__ = ["NDF", "Dense", "Memory", "StepFailure"]

MAX_ORDER = 5
KAPPA = np.array([0.0, -0.1850, -1 / 9, -0.0823, -0.0415, 0.0])
GAMMA = np.concatenate(([0.0], np.cumsum(1.0 / np.arange(1, MAX_ORDER + 1))))
ALPHA = (1.0 - KAPPA) * GAMMA
ERROR = KAPPA * GAMMA + 1.0 / np.arange(1, MAX_ORDER + 2)


RESCUE = 5
"""Failures in a row after which the algebraic unknowns are fitted anew. By then a step is 1/500 of
what it was: where even that fails they do not lie on the solution's branch, or that branch ends."""


class StepFailure(Exception):
    """The step fell below its least value; ``last`` is the last implicit solve, if any."""

    def __init__(self, t: float, h: float, why: str, last: NewtonResult | None) -> None:
        super().__init__(why)
        self.t, self.h, self.why, self.last = t, h, why, last


@dataclass(frozen=True)
class Memory:
    """What an integrator knows beside the state; with it another one takes the same next step.

    Parameters
    ----------
    h : float
        The next step to try [s].
    equal_steps : int
        How many steps in a row had this length.
    differences : (k + 1, size) array
        Backward differences D_1 to D_{k + 1} at order k.
    """

    h: float
    equal_steps: int
    differences: Array


@dataclass(frozen=True)
class Dense:
    """The interpolating polynomial of the last step, valid on [t0, t1]."""

    t0: float
    t1: float
    h: float
    differences: Array

    def __call__(self, t: float) -> Array:
        """State at time ``t`` [s]; shape (size,)."""
        k = self.differences.shape[0] - 1
        s = (t - self.t1 + self.h * np.arange(k)) / (self.h * np.arange(1, k + 1))
        return self.differences[0] + np.cumprod(s) @ self.differences[1:]


def _rescale(D: Array, order: int, factor: float) -> None:
    """Change the spacing of the differences D[0..order] from h to factor * h, in place."""

    def matrix(f: float) -> Array:
        i = np.arange(1, order + 1)[:, None]
        j = np.arange(1, order + 1)[None, :]
        m = np.zeros((order + 1, order + 1))
        m[1:, 1:] = (i - 1 - f * j) / i
        m[0] = 1.0
        return np.cumprod(m, axis=0)

    RU = matrix(factor) @ matrix(1.0)
    D[: order + 1] = RU.T @ D[: order + 1]


class NDF:
    """Variable-step, variable-order integrator of F(t, u, u_t) = 0.

    Parameters
    ----------
    system : System
    rtol : float
        Local error per step, in units of each unknown's scale.
    max_order : int
        1 to 5.
    h_min : float
        A step below this [s] is a failure.
    adaptive : bool
        False holds step and order as started: for the measurement of orders.
    """

    def __init__(
        self,
        system: System,
        rtol: float,
        max_order: int = MAX_ORDER,
        h_min: float = 1e-9,
        adaptive: bool = True,
    ) -> None:
        if not 1 <= max_order <= MAX_ORDER:
            raise ValueError(f"max_order = {max_order}: the formulas have orders 1 to {MAX_ORDER}")
        self.system = system
        self.norm = Norm(system, rtol)
        self.counts: Counter[str] = Counter()
        self.newton = Newton(system, self.norm, self.counts)
        self.max_order = max_order
        self.h_min = h_min
        self.adaptive = adaptive

    # -- start ------------------------------------------------------------------------------

    def start(self, t: float, u: Array, u_t: Array, h: float) -> None:
        """Begin at order 1 from a consistent state.

        Parameters
        ----------
        t : float
            Time [s].
        u, u_t : (size,) arrays
            State and its rate of change (zero for algebraic unknowns).
        h : float
            First step to try [s].
        """
        self._begin(t, h, np.array([u, h * u_t]))

    def start_from_history(self, t: float, h: float, states: Array) -> None:
        """Begin at order k from k + 1 equally spaced states, newest first; for fixed-step tests."""
        differences = []
        while len(states):
            differences.append(states[0])
            states = states[:-1] - states[1:]
        self._begin(t, h, np.array(differences))

    def _begin(self, t: float, h: float, differences: Array) -> None:
        """Stand at ``t`` with the backward differences of order 0 to k at spacing ``h``."""
        self.t, self.h, self.order = t, h, len(differences) - 1
        self.D = np.zeros((MAX_ORDER + 3, differences.shape[1]))
        self.D[: len(differences)] = differences
        self._equal_steps = 0
        self._failures = 0
        self.newton.forget()
        self._dense = Dense(t, t, h, differences)

    @property
    def memory(self) -> Memory:
        """What goes on from here, after an accepted step."""
        return Memory(self.h, self._equal_steps, self.D[1 : self.order + 2].copy())

    def resume(self, t: float, u: Array, memory: Memory) -> None:
        """Stand at ``t`` with state ``u`` where an integrator with this `Memory` stood."""
        last = memory.differences[-1]
        self._begin(t, memory.h, np.concatenate(([u], memory.differences[:-1])))
        self.D[self.order + 1] = last
        self._equal_steps = memory.equal_steps

    @property
    def u(self) -> Array:
        """The present state."""
        return self.D[0]

    @property
    def dense(self) -> Dense:
        """Interpolant over the last accepted step."""
        return self._dense

    # -- step -------------------------------------------------------------------------------

    def step(self, h_max: float = np.inf, t_end: float = np.inf) -> None:
        """Advance by one accepted step, at most ``h_max`` long and not beyond ``t_end``.

        Raises
        ------
        StepFailure
            If the step falls below ``h_min``.
        """
        self._resize(min(h_max, self._towards(t_end)))
        rescued = not self.adaptive
        while True:
            if self._failures >= RESCUE and not rescued:
                rescued = True
                self._rescue()
            if self.h < self.h_min and t_end - self.t > self.h_min:
                why = f"the step fell below {self.h_min:g} s"
                raise StepFailure(self.t, self.h, why, self._last)
            k = self.order
            D = self.D
            predictor = D[: k + 1].sum(axis=0)
            psi = (GAMMA[1 : k + 1] / ALPHA[k]) @ D[1 : k + 1]
            result = self.newton.solve(self.t + self.h, predictor, psi, ALPHA[k] / self.h)
            self._last = result
            if not result.converged:
                self._newton_failed()
                continue
            (error,) = self.norm.error(ERROR[k] * result.change)
            if self.adaptive and error > 1.0:
                self.counts["rejected"] += 1
                self._failures += 1
                shrink = max(0.2, 0.8 * error ** (-1.0 / (k + 1)))
                self._resize(self.h * shrink)
                if self._failures >= 2 and self.order > 1:
                    self._lower_order()
                continue
            self._accept(result.change, error, result.refreshes)
            return

    _last: NewtonResult | None = None

    def _towards(self, t_end: float) -> float:
        """A step that lands on ``t_end``, or halves the way when one step nearly reaches it."""
        left = t_end - self.t
        if left <= self.h * (1.0 + 1e-9):
            return left
        return left / 2.0 if left < 2.0 * self.h else self.h

    def _resize(self, h: float) -> None:
        if h != self.h and np.isfinite(h) and h < self.h * (1.0 + 1e-12):
            self._change(h / self.h)

    def _change(self, factor: float) -> None:
        _rescale(self.D, self.order, factor)
        self.h *= factor
        self._equal_steps = 0

    def _lower_order(self) -> None:
        """After failures in a row the highest difference is not to be trusted."""
        self.order -= 1
        self._equal_steps = 0

    def _rescue(self) -> None:
        """Begin again at order 1, with algebraic unknowns that fit the differential ones."""
        try:
            u, u_t = consistent(self.system, self.norm, self.t, self.u, self.counts)
        except NoConsistentStart:
            return  # shorter steps remain
        self.counts["rescues"] += 1
        (rate,) = self.norm.error(u_t)
        failures = self._failures
        self.start(self.t, u, u_t, min(self.h, 0.5 / rate) if rate > 0.0 else self.h)
        self._failures = failures

    def _newton_failed(self) -> None:
        self.counts["newton_failures"] += 1
        self._failures += 1
        self._change(0.5 if self._failures == 1 else 0.25)
        if self._failures >= 2 and self.order > 1:
            self._lower_order()

    def _accept(self, d: Array, error: float, refreshes: int) -> None:
        k, D = self.order, self.D
        t0 = self.t
        self.t += self.h
        D[k + 2] = d - D[k + 1]
        D[k + 1] = d
        for m in range(k, -1, -1):
            D[m] += D[m + 1]
        self._dense = Dense(t0, self.t, self.h, D[: k + 1].copy())
        self.counts["steps"] += 1
        self._failures = 0
        self._equal_steps += 1
        if not self.adaptive:
            return
        if refreshes >= 3:
            self._change(0.7)
        elif self._equal_steps > k:
            self._choose(error)

    def _choose(self, error: float) -> None:
        """Order and step for what comes: the order that allows the largest step."""
        k, D = self.order, self.D
        lower, higher = np.inf, np.inf
        if k > 1 and k < self.max_order:
            lower, higher = self.norm.error(ERROR[k - 1] * D[k], ERROR[k + 1] * D[k + 2])
        elif k > 1:
            (lower,) = self.norm.error(ERROR[k - 1] * D[k])
        elif k < self.max_order:
            (higher,) = self.norm.error(ERROR[k + 1] * D[k + 2])
        tiny = np.finfo(float).tiny
        factors = [
            1.0 / (1.3 * max(lower, tiny) ** (1.0 / k)),
            1.0 / (1.2 * max(error, tiny) ** (1.0 / (k + 1))),
            1.0 / (1.4 * max(higher, tiny) ** (1.0 / (k + 2))),
        ]
        best = int(np.argmax(factors))
        factor = min(10.0, factors[best])
        if factor < 1.2 and (best == 1 or factor < 1.0):
            return
        self.order = k + best - 1
        if factor >= 1.2 or factor < 1.0:
            self._change(factor)
        else:
            self._equal_steps = 0
