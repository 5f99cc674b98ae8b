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
from nmcsim.solve.sweep import Scaled, Sweep, scales

__all__ = ["LinearFailure", "LinearSolver"]


ICNTL = {7: 5, 8: 0}
"""Of MUMPS: order by METIS (its own choice is misled by the dense rows of global scalars, and a
solve takes twice as long), and do not scale: rows are scaled already, and on conductivities over
ten decades its scaling loses four digits and a third of the time."""

PIVOT = 1e-4
"""CNTL(1) of MUMPS: a diagonal entry may be so small beside its column."""

AGED = 1.5
"""So many times the iterations that a fresh multigrid needs, and its aggregates are renewed."""

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
        A factorisation, or GMRES. What preconditions GMRES is a sweep over the fields where there
        are several (`nmcsim.solve.sweep`), or else ILU(0) on each rank's block. The factorisation
        is MUMPS's; on one rank, for a small matrix without zeros on its diagonal, it is PETSc's own
        with nested dissection, whose solves take half the time.
    rtol : float
        Relative residual of the iterative method. A hundredth leaves Newton's rate as it is: with a
        kept Jacobian that is about a tenth.
    scales : sequence of float, optional
        Typical magnitude of each field, in which a residual is measured; 1 for each if absent.
    """

    kind: str = "direct"
    rtol: float = 1e-2
    scales: Sequence[float] | None = None
    _ksp: PETSc.KSP | None = field(default=None, repr=False)
    _pivots: bool = field(default=True, repr=False)
    _balances: Balances | None = field(default=None, repr=False)
    _sweep: Sweep | None = field(default=None, repr=False)
    _scale: PETSc.Vec | None = field(default=None, repr=False)
    _most: int = field(default=0, repr=False)
    _usual: int = field(default=0, repr=False)

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
        several = _extended(J, fields) > 1
        if self.kind == "iterative" and several:
            self._factorise_fields(J, fields)
            return
        if self._ksp is None:
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
        if self._sweep is None:
            self._ksp.solve(r, x)
        else:
            self._solve_fields(r, x)
        reason: Any = self._ksp.getConvergedReason()
        if reason < 0:
            raise LinearFailure(f"the linear solver stopped ({reason})")
        if self._balances is not None:
            self._balances.restore(r, x)

    @property
    def iterations(self) -> int:
        """Of the last solve."""
        return 0 if self._ksp is None else int(self._ksp.getIterationNumber())

    # -- several fields -----------------------------------------------------------------------

    def _factorise_fields(self, J: PETSc.Mat, fields: Sequence[slice]) -> None:
        """Prepare the sweep over the fields; the aggregates of its multigrid last for a while."""
        if not np.isfinite(J.norm()):
            raise LinearFailure("the Jacobian is singular or not finite")
        afresh = self._most > max(AGED * self._usual, self._usual + 2)
        if self._sweep is None:
            ones = J.createVecRight()
            self._scale = scales(self.scales or [1.0] * len(fields), fields, ones)
            self._sweep = Sweep(J, fields, self._scale)
            self._ksp = self._create_of_fields(J)
            afresh = True
        self._balances = Balances.of(J, fields)
        try:
            self._sweep.update(J, self._balances, afresh)
        except PETSc.Error as error:
            raise LinearFailure(f"the Jacobian could not be prepared ({error})") from error
        if afresh:
            self._usual = 0
        self._most = 0

    def _create_of_fields(self, J: PETSc.Mat) -> PETSc.KSP:
        assert self._scale is not None
        comm = J.getComm()
        sizes: Any = J.getSizes()
        A = PETSc.Mat().createPython(sizes, context=Scaled(J, self._scale), comm=comm)
        ksp = PETSc.KSP().create(comm)
        ksp.setOperators(A)
        ksp.setType(PETSc.KSP.Type.GMRES)
        ksp.setGMRESRestart(60)
        # of the preconditioned residual: an estimate of the error, each field in its scale
        norm: Any = PETSc.KSP.NormType.PRECONDITIONED
        ksp.setNormType(norm)
        ksp.setTolerances(rtol=self.rtol, atol=0.0, max_it=120)
        pc = ksp.getPC()
        pc.setType(PETSc.PC.Type.PYTHON)
        pc.setPythonContext(self._sweep)
        ksp.setErrorIfNotConverged(False)
        return ksp

    def _solve_fields(self, r: PETSc.Vec, x: PETSc.Vec) -> None:
        assert self._ksp is not None and self._scale is not None
        self._ksp.solve(r, x)
        reason: Any = self._ksp.getConvergedReason()
        if reason < 0:  # old aggregates, or an eigenvalue's estimate
            assert self._sweep is not None and self._balances is not None
            self._sweep.update(self._balances.J, self._balances, afresh=True, plain=True)
            self._usual = 0
            self._ksp.solve(r, x)
        x.pointwiseMult(self._scale, x)
        self._most = max(self._most, self.iterations)
        self._usual = self._usual or self.iterations


@dataclass(frozen=True)
class Balances:
    """The sums over each field's rows of J x = r, to be met exactly.

    Rows that say x = r, as those of pinned nodes do, are part of none.

    Parameters
    ----------
    J : PETSc.Mat
    fields : sequence of slice
    E : (fields, fields) array
        Their answer to one constant per field.
    answers : (fields, n) array
        J Z: what each constant does to each row.
    counted : (n,) array
        1 for the unknowns that a constant moves, 0 for others.
    left : PETSc.Vec
        Work space.
    """

    J: PETSc.Mat
    fields: Sequence[slice]
    E: Array
    answers: Array
    counted: Array
    left: PETSc.Vec

    @classmethod
    def of(cls, J: PETSc.Mat, fields: Sequence[slice]) -> Balances:
        """Of a matrix as it is now; collective."""
        ones, answer = J.createVecRight(), J.createVecLeft()
        counted = _counted(J, fields)
        E = np.empty((len(fields), len(fields)))
        answers = np.empty((len(fields), counted.size))
        for k, where in enumerate(fields):
            ones.set(0.0)
            ones.array[where] = counted[where]
            J.mult(ones, answer)
            answers[k] = answer.array_r
            E[:, k] = _sums(J, answers[k] * counted, fields)
        return cls(J, fields, E, answers, counted, answer)

    def restore(self, r: PETSc.Vec, x: PETSc.Vec) -> None:
        """Add the constants to x that make the sums of r - J x vanish; collective.

        Raises
        ------
        LinearFailure
            If no constants do.
        """
        self.J.mult(x, self.left)
        self.left.aypx(-1.0, r)
        left: Any = self.left.array_r
        x.array[:] += self._spread(self._constants(left))

    def corrected(self, r: Array) -> tuple[Array, Array]:
        """What the constants that meet the sums of r leave of it, and these constants; (n,) each.

        Raises
        ------
        LinearFailure
            If no constants do.
        """
        constants = self._constants(r)
        return r - constants @ self.answers, self._spread(constants)

    def _constants(self, left: Array) -> Array:
        sums = _sums(self.J, left * self.counted, self.fields)
        try:
            return np.asarray(np.linalg.solve(self.E, sums))
        except np.linalg.LinAlgError as error:
            raise LinearFailure("the balances of the fields do not fix their means") from error

    def _spread(self, constants: Array) -> Array:
        out = self.counted.copy()
        for where, constant in zip(self.fields, constants, strict=True):
            out[where] *= constant
        return out


def _extended(J: PETSc.Mat, fields: Sequence[slice]) -> int:
    """How many fields are more than one number."""
    own = np.array([where.stop - where.start for where in fields])
    comm = J.getComm().tompi4py()
    return int((np.asarray(comm.allreduce(own)) > 1).sum())


def _counted(J: PETSc.Mat, fields: Sequence[slice]) -> Array:
    """1 for each of this rank's rows that is part of a balance, 0 for those that say x = r."""
    found = np.ones(J.getLocalSize()[0])
    first, _ = J.getOwnershipRange()
    diagonal = J.getDiagonal().array_r
    for where in fields:
        if where.stop - where.start > 1:
            for row in where.start + np.flatnonzero(diagonal[where] == 1.0):
                columns, values = J.getRow(first + int(row))
                found[row] = float((values[columns != first + row] != 0.0).any())
    return found


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


def _sums(J: PETSc.Mat, values: Array, fields: Sequence[slice]) -> Array:
    """The sum of each field's entries over all ranks."""
    own = np.array([values[where].sum() for where in fields])
    comm = J.getComm().tompi4py()
    return own if comm.size == 1 else np.asarray(comm.allreduce(own))
