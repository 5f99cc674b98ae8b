"""Linear solvers for the integrator's Jacobian: a kept factorisation, or a Krylov method.

The Krylov method stops early, since Newton's method goes on anyway. What it leaves of the residual
would leak from the balances: the sum of a field's rows is its balance. So each solve ends with a
correction by one constant per field that makes these sums exact,

    x <- x + Z E^-1 Z^T (r - J x),   E = Z^T J Z,   Z = one column of ones per field

and lithium is conserved to round-off, as with a factorisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from petsc4py import PETSc

from nmcsim.errors import NmcsimError
from nmcsim.solve.fields import Array

__all__ = ["LinearFailure", "LinearSolver"]


ICNTL = {7: 5, 8: 0}
"""Of MUMPS: order by METIS (its own choice is misled by the dense rows of global scalars, and a
solve takes twice as long), and do not scale: rows are scaled already, and on conductivities over
ten decades its scaling loses four digits and a third of the time."""

PIVOT = 1e-4
"""CNTL(1) of MUMPS: a diagonal entry may be so small beside its column."""

SMALL = 10_000
"""Unknowns of one field up to which PETSc's factorisation makes a run faster than MUMPS's
(benchmarks). With several fields at a node the entries come in blocks, which MUMPS makes use of."""


class LinearFailure(NmcsimError):
    """A Jacobian that could not be factorised or a system that could not be solved."""


@dataclass
class LinearSolver:
    """Factorise once, solve many times.

    Parameters
    ----------
    kind : "direct" or "iterative"
        A factorisation, or GMRES preconditioned by ILU(0) on each rank's block. The factorisation
        is MUMPS's; on one rank, for a small matrix without zeros on its diagonal, it is PETSc's own
        with nested dissection, whose solves take half the time.
    rtol : float
        Relative residual of the iterative method. A hundredth leaves Newton's rate as it is: with a
        kept Jacobian that is about a tenth.
    """

    kind: str = "direct"
    rtol: float = 1e-2
    _ksp: PETSc.KSP | None = field(default=None, repr=False)
    _pivots: bool = field(default=True, repr=False)
    _balances: Balances | None = field(default=None, repr=False)

    def _create(self, J: PETSc.Mat) -> PETSc.KSP:
        ksp = PETSc.KSP().create(J.getComm())
        pc = ksp.getPC()
        if self.kind == "direct":
            ksp.setType(PETSc.KSP.Type.PREONLY)
            pc.setType(PETSc.PC.Type.LU)
            if self._pivots:
                pc.setFactorSolverType(PETSc.Mat.SolverType.MUMPS)
                ksp.setOperators(J, J)
                pc.setFactorSetUpSolverType()
                factors = pc.getFactorMatrix()
                for number, value in ICNTL.items():
                    factors.setMumpsIcntl(number, value)
                factors.setMumpsCntl(1, PIVOT)
            else:
                pc.setFactorSolverType(PETSc.Mat.SolverType.PETSC)
                pc.setFactorOrdering(PETSc.Mat.OrderingType.ND)
        else:
            ksp.setType(PETSc.KSP.Type.GMRES)
            ksp.setGMRESRestart(60)
            ksp.setTolerances(rtol=self.rtol, atol=0.0, max_it=300)
            pc.setType(PETSc.PC.Type.BJACOBI if J.getComm().size > 1 else PETSc.PC.Type.ILU)
        ksp.setErrorIfNotConverged(False)
        return ksp

    def factorise(self, J: PETSc.Mat, fields: Sequence[slice]) -> None:
        """Take the matrix as it is now.

        Parameters
        ----------
        J : PETSc.Mat
        fields : sequence of slice
            Local rows, and columns, of each field, owned by this rank; the same number on each.

        Raises
        ------
        LinearFailure
            If the factorisation fails (a singular or non-finite Jacobian).
        """
        if self._ksp is None:
            several = sum(where.stop - where.start > 1 for where in fields) > 1
            self._pivots = J.getComm().size > 1 or J.getSize()[0] > SMALL or several
        if self.kind == "direct" and not self._pivots and (J.getDiagonal().array_r == 0.0).any():
            self._pivots, self._ksp = True, None  # PETSc's factorisation does not exchange rows
        if self._ksp is None:
            self._ksp = self._create(J)
        self._ksp.setOperators(J, J if self.kind == "direct" else _with_diagonal(J))
        try:
            self._ksp.setUp()
        except PETSc.Error as error:
            raise LinearFailure(f"the Jacobian could not be factorised ({error})") from error
        failed: Any = self._ksp.getPC().getFailedReason()
        if failed != 0:
            raise LinearFailure("the Jacobian is singular or not finite")
        if self.kind == "iterative":
            self._balances = Balances.of(J, fields)

    def solve(self, r: PETSc.Vec, x: PETSc.Vec) -> None:
        """Solve J x = r with the last factorisation.

        Raises
        ------
        LinearFailure
            If the iteration does not converge.
        """
        assert self._ksp is not None, "factorise first"
        self._ksp.solve(r, x)
        reason: Any = self._ksp.getConvergedReason()
        if reason < 0:
            raise LinearFailure(f"the linear solver stopped ({reason})")
        if self._balances is not None:
            self._balances.restore(r, x)


@dataclass(frozen=True)
class Balances:
    """The sums over each field's rows of J x = r, to be met exactly.

    Parameters
    ----------
    J : PETSc.Mat
    fields : sequence of slice
    E : (fields, fields) array
        Their answer to one constant per field.
    left : PETSc.Vec
        Work space.
    """

    J: PETSc.Mat
    fields: Sequence[slice]
    E: Array
    left: PETSc.Vec

    @classmethod
    def of(cls, J: PETSc.Mat, fields: Sequence[slice]) -> Balances:
        """Of a matrix as it is now; collective."""
        ones, answer = J.createVecRight(), J.createVecLeft()
        E = np.empty((len(fields), len(fields)))
        for k, where in enumerate(fields):
            ones.set(0.0)
            ones.array[where] = 1.0
            J.mult(ones, answer)
            E[:, k] = _sums(answer, fields)
        return cls(J, fields, E, answer)

    def restore(self, r: PETSc.Vec, x: PETSc.Vec) -> None:
        """Add the constants to x that make the sums of r - J x vanish; collective.

        Raises
        ------
        LinearFailure
            If no constants do.
        """
        self.J.mult(x, self.left)
        self.left.aypx(-1.0, r)
        try:
            constants = np.linalg.solve(self.E, _sums(self.left, self.fields))
        except np.linalg.LinAlgError as error:
            raise LinearFailure("the balances of the fields do not fix their means") from error
        for where, constant in zip(self.fields, constants, strict=True):
            x.array[where] += constant


def _with_diagonal(J: PETSc.Mat) -> PETSc.Mat:
    """What an incomplete factorisation can take, which has no pivots: no zero on the diagonal.

    The potential under an imposed current is such a row. It is left to GMRES, one unknown more.
    """
    first, _ = J.getOwnershipRange()
    rows = first + np.flatnonzero(J.getDiagonal().array_r == 0.0)
    comm = J.getComm().tompi4py()
    if not comm.allreduce(rows.size):
        return J
    P = J.duplicate(copy=True)
    P.zeroRowsColumns(rows.tolist(), 1.0)
    return P


def _sums(vector: PETSc.Vec, fields: Sequence[slice]) -> Array:
    """The sum of each field's entries over all ranks."""
    own = np.array([vector.array_r[where].sum() for where in fields])
    comm = vector.getComm().tompi4py()
    return own if comm.size == 1 else np.asarray(comm.allreduce(own))
