"""Linear solvers for the integrator's Jacobian: a kept factorisation, or a Krylov method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from petsc4py import PETSc

from nmcsim.errors import NmcsimError

__all__ = ["LinearFailure", "LinearSolver"]


class LinearFailure(NmcsimError):
    """A Jacobian that could not be factorised or a system that could not be solved."""


@dataclass
class LinearSolver:
    """Factorise once, solve many times.

    Parameters
    ----------
    kind : "direct" or "iterative"
        MUMPS, or GMRES preconditioned by ILU(0) on each rank's block (for 3D diffusion,
        where a factorisation only pays when it is kept for about twenty solves).
    rtol : float
        Relative residual of the iterative method.
    """

    kind: str = "direct"
    rtol: float = 1e-8
    _ksp: PETSc.KSP | None = field(default=None, repr=False)

    def _create(self, J: PETSc.Mat) -> PETSc.KSP:
        ksp = PETSc.KSP().create(J.getComm())
        pc = ksp.getPC()
        if self.kind == "direct":
            ksp.setType(PETSc.KSP.Type.PREONLY)
            pc.setType(PETSc.PC.Type.LU)
            pc.setFactorSolverType(PETSc.Mat.SolverType.MUMPS)
        else:
            ksp.setType(PETSc.KSP.Type.GMRES)
            ksp.setGMRESRestart(60)
            ksp.setTolerances(rtol=self.rtol, atol=0.0, max_it=300)
            pc.setType(PETSc.PC.Type.BJACOBI if J.getComm().size > 1 else PETSc.PC.Type.ILU)
        ksp.setErrorIfNotConverged(False)
        return ksp

    def factorise(self, J: PETSc.Mat) -> None:
        """Take the matrix as it is now.

        Raises
        ------
        LinearFailure
            If the factorisation fails (a singular or non-finite Jacobian).
        """
        if self._ksp is None:
            self._ksp = self._create(J)
        self._ksp.setOperators(J)
        try:
            self._ksp.setUp()
        except PETSc.Error as error:
            raise LinearFailure(f"the Jacobian could not be factorised ({error})") from error
        failed: Any = self._ksp.getPC().getFailedReason()
        if failed != 0:
            raise LinearFailure("the Jacobian is singular or not finite")

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
