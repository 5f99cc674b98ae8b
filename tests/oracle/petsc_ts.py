"""PETSc TS on the same discrete equations: an integrator that shares nothing with ours but F and J.

Rosenbrock-W method ra34pw2 of order 3 (J. Rang and L. Angermann, BIT 45 (2005) 761), stiffly
accurate and fit for systems of index 1, with PETSc's own step control and event handler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from petsc4py import PETSc

PREFIX = "oracle_"


@dataclass(frozen=True)
class Oracle:
    """Where TS stopped."""

    t: float
    u: np.ndarray
    steps: int


def integrate(
    problem: Any,
    state: np.ndarray,
    t_end: float,
    rtol: float,
    h_max: float,
    event: Callable[[np.ndarray], float] | None = None,
) -> Oracle:
    """Integrate from t = 0 to `t_end` [s], or to where `event` crosses zero upwards.

    Parameters
    ----------
    problem : Problem
        Gives F(t, u, u_t) and shift dF/du_t + dF/du.
    state : (size,) array
        Consistent.
    rtol : float
        In units of each unknown's scale, as absolute tolerances.
    h_max : float
        Longest step [s].
    """
    J = problem.jacobian(0.0, state, _residual(problem, 0.0, state), 1.0).duplicate(copy=True)
    u = J.createVecRight()
    u.array[:] = state
    tolerance = u.duplicate()
    for f in problem.unknowns:
        # what stands in no error test of ours is left free here too
        loose = 1.0 if f.in_error_test else 1e6
        tolerance.array[problem.slice(f)] = loose * rtol * f.scale

    def function(ts: Any, t: float, u: Any, u_t: Any, f: Any) -> None:
        f.array[:] = problem.residual(t, u.array_r.copy(), u_t.array_r.copy())

    def jacobian(ts: Any, t: float, u: Any, u_t: Any, shift: float, A: Any, P: Any) -> None:
        x, x_t = u.array_r.copy(), u_t.array_r.copy()
        problem.residual(t, x, x_t)  # the Jacobian is that of the last residual
        problem.jacobian(t, x, x_t, shift).copy(P)
        P.assemble()

    ts = PETSc.TS().create(J.getComm())
    ts.setType(PETSc.TS.Type.ROSW)
    options = {"ts_rosw_type": "ra34pw2", "ts_adapt_dt_max": str(h_max)}
    for name, value in options.items():
        PETSc.Options()[PREFIX + name] = value
    ts.setOptionsPrefix(PREFIX)
    ts.setIFunction(function, J.createVecLeft())
    ts.setIJacobian(jacobian, J)
    ts.setTime(0.0)
    ts.setTimeStep(1e-2)
    ts.setMaxTime(t_end)
    ts.setMaxSteps(100_000)
    ts.setExactFinalTime(PETSc.TS.ExactFinalTime.MATCHSTEP)
    ts.setTolerances(rtol=0.0, atol=tolerance)
    solver = ts.getSNES().getKSP()
    solver.setType(PETSc.KSP.Type.PREONLY)
    solver.getPC().setType(PETSc.PC.Type.LU)
    solver.getPC().setFactorSolverType(PETSc.Mat.SolverType.MUMPS)
    if event is not None:
        _watch(ts, event)
    ts.setFromOptions()
    for name in options:  # taken; the next caller's are others
        PETSc.Options().delValue(PREFIX + name)
    ts.solve(u)
    found = Oracle(ts.getTime(), u.array_r.copy(), ts.getStepNumber())
    ts.destroy()
    return found


def _residual(problem: Any, t: float, state: np.ndarray) -> np.ndarray:
    """Zero rates; evaluates the laws that the Jacobian needs."""
    rates = np.zeros_like(state)
    problem.residual(t, state, rates)
    return rates


def _watch(ts: Any, event: Callable[[np.ndarray], float]) -> None:
    def indicator(ts: Any, t: float, u: Any, values: Any) -> None:
        values[0] = event(u.array_r.copy())

    def after(ts: Any, events: Any, t: float, u: Any, forward: bool) -> None:
        return None

    ts.setEventHandler([+1], [True], indicator, after)
    ts.setEventTolerances(1e-8)
