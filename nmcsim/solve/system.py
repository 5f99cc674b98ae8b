"""What the integrator needs of a system of equations, and how it measures a state.

States are numpy arrays of the entries that this rank owns. :class:`Problem` is the system of
a finite element model; tests use small systems written directly in numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from mpi4py import MPI

from nmcsim.solve.fields import Array

__all__ = ["Norm", "System"]


class FieldInfo(Protocol):
    """The part of an unknown that the integrator looks at."""

    @property
    def name(self) -> str: ...
    @property
    def scale(self) -> float: ...
    @property
    def algebraic(self) -> bool: ...
    @property
    def in_error_test(self) -> bool: ...
    @property
    def max_update(self) -> float: ...


class System(Protocol):
    """F(t, u, u_t) = 0 with a Jacobian that can be factorised and kept."""

    comm: MPI.Comm
    size: int

    @property
    def unknowns(self) -> Sequence[Any]: ...
    def slice(self, unknown: Any) -> slice: ...
    def residual(self, t: float, u: Array, u_t: Array) -> Array: ...
    def factorise(self, t: float, u: Array, u_t: Array, shift: float) -> None: ...
    def factorise_start(self, t: float, u: Array, u_t: Array) -> None: ...
    def solve(self, r: Array) -> Array: ...
    def worst(self, values: Array) -> tuple[Any, float, Array | None]: ...


class Norm:
    """Largest entry of each field in units of its tolerance, over all ranks.

    A norm per field, and the largest of them: a mean over all unknowns would hide a single
    potential, or the nodes of a steep front. Every rank gets the same number.

    Parameters
    ----------
    system : System
    rtol : float
        An error of ``rtol * unknown.scale`` measures 1.
    """

    def __init__(self, system: System, rtol: float) -> None:
        self.comm = system.comm
        self.fields = [(f, system.slice(f)) for f in system.unknowns]
        self.rtol = rtol
        weight = np.ones(system.size)
        tested = np.zeros(system.size)
        self.algebraic = np.zeros(system.size, dtype=bool)
        self._caps: list[tuple[slice, float]] = []
        for f, where in self.fields:
            weight[where] = 1.0 / (rtol * f.scale)
            tested[where] = weight[where] if f.in_error_test else 0.0
            self.algebraic[where] = f.algebraic
            if np.isfinite(f.max_update):
                self._caps.append((where, f.max_update))
        self._all = weight
        self._tested = tested

    def _max(self, value: float) -> float:
        if self.comm.size == 1:
            return value
        return float(self.comm.allreduce(value, op=MPI.MAX))

    def update(self, d: Array) -> float:
        """Size of a Newton update: all fields; infinite if not finite."""
        size = float(np.abs(d * self._all).max(initial=0.0))
        return self._max(size if size == size else np.inf)

    def by_field(self, d: Array) -> Array:
        """Size of a Newton update of each field; infinite if not finite."""
        scaled = np.abs(d * self._all)
        sizes = np.array([scaled[where].max(initial=0.0) for _, where in self.fields])
        sizes[np.isnan(sizes)] = np.inf
        if self.comm.size > 1:
            self.comm.Allreduce(MPI.IN_PLACE, sizes, op=MPI.MAX)
        return sizes

    def error(self, e: Array, *others: Array) -> tuple[float, ...]:
        """Sizes of error estimates: the fields of the error test only."""
        sizes = np.array([float(np.abs(a * self._tested).max(initial=0.0)) for a in (e, *others)])
        sizes[np.isnan(sizes)] = np.inf
        if self.comm.size > 1:
            self.comm.Allreduce(MPI.IN_PLACE, sizes, op=MPI.MAX)
        return tuple(float(s) for s in sizes)

    def damping(self, d: Array) -> float:
        """Factor (at most 1) that keeps an update within each field's largest change."""
        factor = 1.0
        for where, cap in self._caps:
            largest = float(np.abs(d[where]).max(initial=0.0))
            if largest > cap:
                factor = min(factor, cap / largest)
        if self._caps and self.comm.size > 1:
            factor = float(self.comm.allreduce(factor, op=MPI.MIN))
        return factor
