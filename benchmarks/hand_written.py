"""The half-blocked crystal as a good user writes it by hand in DOLFINx, on a mesh of nmcsim.

    N_L (theta - theta_n) / dt = div( N_L D(theta) grad theta ),   - N_L D grad theta . n = j

Backward Euler with fixed steps; Newton from the last step with a fresh Jacobian and a fresh MUMPS
factorisation (its symbolic part reused) in each iteration; laws in UFL, quadrature of degree 4.
Forms are compiled once, matrices, vectors and the solver are kept, and Newton stops at the loosest
relative residual that leaves the error of the answer as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray
from petsc4py import PETSc

Array = NDArray[np.float64]

F, R, T = 96485.33212, 8.314462618, 295.15  # C/mol, J/(mol K), K
SITES = 49046.0  # mol/m3
STEPS = ((0.124, 0.2101, 0.03653), (0.06388, 0.3701, 0.04978))
HILLS = ((0.1427, 0.5281, 0.1135), (0.1084, 0.8284, 0.1394))


def slope(theta: Any) -> Any:
    """dV_oc/dtheta [V]: each tanh in the form 1 - tanh**2, which shares its evaluation."""
    dU = -0.05 - 0.02652 / 0.01084 * ufl.exp((theta - 1.0) / 0.01084)
    for height, centre, width in STEPS + HILLS:
        dU -= height / width * (1.0 - ufl.tanh((theta - centre) / width) ** 2)
    return dU


def diffusivity(theta: Any) -> Any:
    """Chemical diffusivity [m2/s], parameter set A."""
    exponent = -11.8 - 1.6 / (1.0 + ufl.exp(-(theta - 0.88) / 0.03))
    exponent -= 1.0 / (1.0 + ufl.exp((theta - 0.24) / 0.03))
    return -1e-4 * F / (R * T) * ufl.exp(np.log(10.0) * exponent) * theta * slope(theta)


class HandWritten:
    """Backward Euler on the disk.

    Parameters
    ----------
    space : dolfinx.fem.FunctionSpace
        P2 on the mesh.
    dx, ds : ufl.Measure
        The crystal and its bare surface, of quadrature degree 4.
    flux : float
        Lithium that leaves through the bare surface [mol/(m2 s)].
    tolerance : float
        Newton stops when the residual has fallen by this factor.
    """

    def __init__(self, space: Any, dx: Any, ds: Any, flux: float, tolerance: float) -> None:
        self.tolerance = tolerance
        self.theta, self.last = fem.Function(space), fem.Function(space)
        self.dt = fem.Constant(space.mesh, 1.0)
        v = ufl.TestFunction(space)
        u, u_n = self.theta, self.last
        residual = (u - u_n) / self.dt * v * dx
        residual += diffusivity(u) * ufl.inner(ufl.grad(u), ufl.grad(v)) * dx
        residual += flux / SITES * v * ds
        self.F, self.J = fem.form(residual), fem.form(ufl.derivative(residual, u))
        self.A = fem_petsc.create_matrix(self.J)
        self.b = fem_petsc.create_vector(space)
        self.x = self.A.createVecRight()
        self.ksp = PETSc.KSP().create(space.mesh.comm)
        self.ksp.setOperators(self.A)
        self.ksp.setType(PETSc.KSP.Type.PREONLY)
        pc = self.ksp.getPC()
        pc.setType(PETSc.PC.Type.LU)
        pc.setFactorSolverType(PETSc.Mat.SolverType.MUMPS)
        self.iterations = 0

    def _residual(self) -> float:
        with self.b.localForm() as local:
            local.set(0.0)
        fem_petsc.assemble_vector(self.b, self.F)
        self.b.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)
        return float(self.b.norm())

    def step(self) -> None:
        """One implicit step by Newton's method."""
        goal = self.tolerance * (first := self._residual())
        norm = first
        while norm > goal:
            self.A.zeroEntries()
            fem_petsc.assemble_matrix(self.A, self.J)
            self.A.assemble()
            self.ksp.setOperators(self.A)
            self.ksp.solve(self.b, self.x)
            owned = self.x.getLocalSize()
            self.theta.x.array[:owned] -= self.x.array_r
            self.theta.x.scatter_forward()
            norm = self._residual()
            self.iterations += 1
            if not np.isfinite(norm):
                raise FloatingPointError("Newton diverged")

    def run(self, start: float, steps: int, times: Sequence[float], t_end: float) -> Array:
        """theta at the asked times, which are whole numbers of steps; shape (times, unknowns)."""
        self.dt.value = t_end / steps
        self.theta.x.array[:] = start
        self.iterations = 0
        wanted = {round(t * steps / t_end): k for k, t in enumerate(times)}
        kept = np.empty((len(times), self.x.getLocalSize()))
        for n in range(1, steps + 1):
            self.last.x.array[:] = self.theta.x.array
            self.step()
            if n in wanted:
                kept[wanted[n]] = self.theta.x.array[: kept.shape[1]]
        return kept
