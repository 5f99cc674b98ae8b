"""Scalars of a state: weighted means and extremes, the same number on every rank."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.la import InsertMode
from mpi4py import MPI

from nmcsim.forms import compiled
from nmcsim.solve.fields import Array, Unknown

__all__ = ["Extremes", "Weighted"]


class Function1(Protocol):
    """A vectorised function of one variable."""

    def __call__(self, a: Array) -> Array: ...


@dataclass(frozen=True)
class Weighted:
    """Integrals of g(u) with a fixed weight, g taken at the nodes: sum_i w_i g(u_i).

    Parameters
    ----------
    comm : MPI.Comm
    weights : (m,) array
        Integrals of the weight times each basis function, of the owned dofs that have one.
    dofs : (m,) int array
        Those dofs; the unknown must be the first of its problem.
    total : float
        Integral of the weight.
    """

    comm: MPI.Comm
    weights: Array
    dofs: np.ndarray
    total: float

    @classmethod
    def of(cls, unknown: Unknown, integral: Callable[[Any], Any]) -> Weighted:
        """The weight that ``integral(f)`` gives a function f, as ``f * mesh.ds("bare")`` does."""
        vector = fem.assemble_vector(compiled(integral(ufl.TestFunction(unknown.space))))
        vector.scatter_reverse(InsertMode.add)
        weights = vector.array[: unknown.owned]
        # of owned entries alone, with the ghosts' parts added to them: each counts once
        total = float(unknown.space.mesh.comm.allreduce(float(weights.sum())))
        dofs = np.flatnonzero(weights)
        return cls(unknown.space.mesh.comm, weights[dofs].copy(), dofs, total)

    def of_state(self, state: Array) -> float:
        """The weighted mean of the unknown itself."""
        return self._sum(state[self.dofs]) / self.total

    def mean(self, g: Function1, state: Array) -> float:
        """The weighted mean of ``g(u)``."""
        return self._sum(g(state[self.dofs])) / self.total

    def _sum(self, values: Array) -> float:
        own = float(self.weights @ values)
        return own if self.comm.size == 1 else float(self.comm.allreduce(own))


class Extremes:
    """Least and largest nodal value of an unknown over all ranks.

    Parameters
    ----------
    unknown : Unknown
    where : slice or int array
        Its entries in a state, or some of them.
    """

    def __init__(self, unknown: Unknown, where: Any) -> None:
        self.comm = unknown.space.mesh.comm
        self.where = where

    def least(self, state: Array) -> float:
        """The least nodal value."""
        own = float(state[self.where].min(initial=np.inf))
        return own if self.comm.size == 1 else float(self.comm.allreduce(own, op=MPI.MIN))

    def largest(self, state: Array) -> float:
        """The largest nodal value."""
        own = float(state[self.where].max(initial=-np.inf))
        return own if self.comm.size == 1 else float(self.comm.allreduce(own, op=MPI.MAX))
