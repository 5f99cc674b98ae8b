"""The fresh crystal in Butler-Volmer mode, in PyBaMM's expression tree on a radial mesh.

    d(theta)/dt = div( D_chem(theta) grad theta )         0 < r < R, cylindrical polar     (12)
    - N_L D_chem dtheta/dr = j                            r = R;   dtheta/dr = 0 at r = 0   (13)
    j = i0(theta) 2 sinh(F (V - U(theta)) / 2RT) / F      with F j = i (charge) or V = V_hold

Lun et al., Supplementary Information, Eqs 10-13, with the laws of ``laws.py``. No rock salt, so one
radius suffices. The laws are written again with PyBaMM's functions and compared with ``laws.py`` in
the tests. PyBaMM discretises in space (finite volumes, gradient from theta itself and not from a
Kirchhoff potential) and integrates in time (IDA): nothing is shared with ``polar_fv``.

Own error, 1C, against ``polar_fv`` at level 4 in the same mode: 200 cells 4 uV, 5e-6 in theta and
3e-6 of the time of 4.3 V; 400 cells 2 uV, 2e-6, 1e-6.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"  # before the import: no prompt, no network

import pybamm

from . import laws

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Charge:
    """A constant-current charge, or the hold after it; arrays of shape (k,) in SI units."""

    t: Array
    voltage: Array
    theta_surface: Array
    theta_mean: Array
    current_density: Array  # A/m2 of rim, charging positive
    theta_end: Array  # (cells,) at the end
    ended_by: str


def voltage_law(t: Any) -> Any:
    """V_oc [V] as a PyBaMM expression."""
    V = 4.016 - 0.05 * t - 0.02652 * pybamm.exp((t - 1.0) / 0.01084)
    V -= 0.124 * pybamm.tanh((t - 0.2101) / 0.03653)
    V -= 0.06388 * pybamm.tanh((t - 0.3701) / 0.04978)
    V -= 0.1427 * pybamm.tanh((t - 0.5281) / 0.1135)
    return V - 0.1084 * pybamm.tanh((t - 0.8284) / 0.1394)


def diffusivity_law(t: Any) -> Any:
    """D_chem [m2/s] as a PyBaMM expression; the slope of V_oc through PyBaMM's own derivative."""
    exponent = -11.8 - 1.6 / (1.0 + pybamm.exp(-(t - 0.88) / 0.03))
    exponent -= 1.0 / (1.0 + pybamm.exp((t - 0.24) / 0.03))
    slope = voltage_law(t).diff(t)
    factor = laws.FARADAY / (laws.GAS * laws.TEMPERATURE)
    return 1e-4 * pybamm.exp(float(np.log(10.0)) * exponent) * (-factor) * t * slope


def exchange_current_law(t: Any) -> Any:
    """i0 [A/m2] as a PyBaMM expression."""
    scale = laws.FARADAY * laws.RATE_CONSTANT * laws.ELECTROLYTE**0.5 * laws.SITE_DENSITY
    return scale * (t * (1.0 - t)) ** 0.5


def _model(radius: float, start: Any, i: float | None, V_hold: float | None) -> Any:
    """The equations above; `i` [A/m2] fixes the current or `V_hold` [V] the potential."""
    model = pybamm.BaseModel("radial crystal")
    theta = pybamm.Variable("theta", domain="crystal")
    r = pybamm.SpatialVariable("r", domain="crystal", coord_sys="cylindrical polar")
    V = pybamm.Variable("V")
    rim = pybamm.surf(theta)
    a = laws.FARADAY / (2.0 * laws.GAS * laws.TEMPERATURE)
    current = 2.0 * exchange_current_law(rim) * pybamm.sinh(a * (V - voltage_law(rim)))
    D = diffusivity_law(theta)
    slope = -current * radius / (laws.FARADAY * laws.SITE_DENSITY * pybamm.surf(D))
    model.rhs = {theta: pybamm.div(D / radius**2 * pybamm.grad(theta))}
    model.algebraic = {V: (current - i) if i is not None else (V - V_hold)}
    model.boundary_conditions = {
        theta: {"left": (pybamm.Scalar(0.0), "Neumann"), "right": (slope, "Neumann")}
    }
    guess = V_hold if i is None else float(laws.open_circuit_voltage(laws.THETA_START)) + 0.02
    model.initial_conditions = {theta: start, V: pybamm.Scalar(guess)}
    model.variables = {
        "theta": theta,
        "V": V,
        "rim": rim,
        "mean": pybamm.Integral(theta, r) / np.pi,
        "current": current,
    }
    return model


def _run(model: Any, cells: int, times: Array, event: tuple[str, Any] | None, rtol: float) -> Any:
    """Discretise on rho = r/R with cells that shrink towards the rim, and integrate."""
    r = pybamm.SpatialVariable("r", domain="crystal", coord_sys="cylindrical polar")
    geometry = pybamm.Geometry({"crystal": {r: {"min": 0, "max": 1}}})
    faces = np.linspace(0.0, 1.0, cells + 1)
    faces = 1.0 - (1.0 - faces) * (0.1 + 0.9 * (1.0 - faces))  # tenfold finer at the rim
    submesh = pybamm.MeshGenerator(pybamm.UserSupplied1DSubMesh, {"edges": faces})
    mesh = pybamm.Mesh(geometry, {"crystal": submesh}, {r: cells})
    if event is not None:
        model.events = [pybamm.Event(*event)]
    options = {"extrapolation": {"order": {"gradient": "linear", "value": "quadratic"}}}
    methods = {"crystal": pybamm.FiniteVolume(options)}
    built = pybamm.Discretisation(mesh, methods).process_model(model, inplace=False)
    solver = pybamm.IDAKLUSolver(rtol=rtol, atol=0.1 * rtol)
    return solver.solve(built, t_eval=[0.0, float(times[-1])], t_interp=times)


def _collect(solution: Any, i: float | None) -> Charge:
    t = np.asarray(solution.t)
    values = {name: np.asarray(solution[name](t)) for name in ("V", "rim", "mean", "current")}
    theta_end = np.asarray(solution["theta"].data)[:, -1]
    ended = "time" if solution.termination == "final time" else solution.termination
    return Charge(
        t,
        values["V"].ravel(),
        values["rim"].ravel(),
        values["mean"].ravel(),
        values["current"].ravel() if i is None else np.full(t.shape, i),
        theta_end,
        ended,
    )


def charge(
    radius: float,
    rate: float,
    times: Array,
    *,
    cells: int = 200,
    cutoff: float = 4.3,
    rtol: float = 1e-7,
) -> Charge:
    """Charge at `rate` C from theta 0.95 until `cutoff` [V] or the last of `times` [s]."""
    i = laws.FARADAY * laws.mean_flux(rate, radius)
    model = _model(radius, pybamm.Scalar(laws.THETA_START), i, None)
    event = ("cut-off", cutoff - model.variables["V"])
    solution = _run(model, cells, np.asarray(times, dtype=float), event, rtol)
    return _collect(solution, i)


def hold(
    radius: float, start: Charge, voltage: float, times: Array, *, rtol: float = 1e-7
) -> Charge:
    """Hold at `voltage` [V] from the end of `start` for the asked times [s, from its start]."""
    model = _model(radius, pybamm.Vector(start.theta_end, domain="crystal"), None, voltage)
    cells = start.theta_end.size
    solution = _run(model, cells, np.asarray(times, dtype=float), None, rtol)
    return _collect(solution, None)
