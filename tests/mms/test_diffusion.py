"""Observed rates of convergence for nonlinear diffusion with a manufactured solution.

theta = 1/2 + (1/5) cos(pi x) cos(pi y) exp(-t) on the unit square has no flux through the edges;
D = 1 + 3 theta^2. The source that makes it a solution is taken from the exact UFL expression.
"""

from __future__ import annotations

import numpy as np
import pytest
import ufl

from nmcsim.solve.drive import advance, restart
from nmcsim.solve.fields import Control, Nodal, Unknown
from nmcsim.solve.ndf import NDF
from nmcsim.solve.problem import Problem

from nmcsim.runtime import MPI  # isort: skip
from dolfinx import fem, mesh

from tests.vv import claim

T_END = 0.2


class Kirchhoff:
    """Phi = theta + theta^3, so that Phi' = D."""

    def both(self, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return a + a**3, 1.0 + 3.0 * a**2


def error(n: int, degree: int, nodal: bool) -> float:
    domain = mesh.create_unit_square(MPI.COMM_SELF, n, n)
    theta = Unknown("theta", "theta", "1", fem.functionspace(domain, ("Lagrange", degree)))
    time = Control("time", "s", domain)
    x, v = ufl.SpatialCoordinate(domain), theta.test
    exact = 0.5 + 0.2 * ufl.cos(ufl.pi * x[0]) * ufl.cos(ufl.pi * x[1]) * ufl.exp(-time.value)
    rate = -(exact - 0.5)
    source = rate - ufl.div((1.0 + 3.0 * exact**2) * ufl.grad(exact))
    dx = ufl.dx(metadata={"quadrature_degree": 8})
    Phi = Nodal(theta, Kirchhoff())
    flux = ufl.grad(Phi.value) if nodal else (1.0 + 3.0 * theta.u**2) * ufl.grad(theta.u)
    row = theta.dt * v * dx + ufl.inner(flux, ufl.grad(v)) * dx - source * v * dx
    problem = Problem([theta], [row], nodal=[Phi] if nodal else [], controls=[time])
    problem.schedule = lambda t: {"time": t}
    theta.u.interpolate(fem.Expression(exact, theta.space.element.interpolation_points))
    ndf = NDF(problem, rtol=1e-8)
    restart(ndf, 0.0, problem.state(), h_max=0.01)
    ended = advance(ndf, T_END, [], 0.01, lambda *_: None)
    problem.assign(ended.u)
    problem.set(time=T_END)
    squared = fem.assemble_scalar(fem.form((theta.u - exact) ** 2 * dx))
    return float(np.sqrt(squared))


@pytest.mark.parametrize("nodal", [True, False], ids=["nodal laws", "laws in the form"])
@pytest.mark.parametrize(("degree", "rate"), [(1, 2.0), (2, 3.0)])
def test_rate(degree: int, rate: float, nodal: bool) -> None:
    errors = [error(n, degree, nodal) for n in (4, 8, 16)]
    observed = np.log2(np.array(errors[:-1]) / errors[1:])
    name = f"P{degree}, {'nodal laws' if nodal else 'laws in the form'}"
    claim("rates", name, "rate in space", observed[-1], above=rate - 0.15)  # asymptotic range


def test_nodal_laws_are_as_accurate_as_laws_in_the_form() -> None:
    assert error(8, 2, nodal=True) < 3.0 * error(8, 2, nodal=False)
