"""Planar slab, cylinder and sphere of NMC against lithium, in PyBaMM.

Slab (x from the collector; NMC 0 < x < L_s, liquid L_s < x < L_s + L_l; i > 0 charges, along +x):

    N-      theta_t = (D theta_x)_x,   (K phi_s_x)_x = 0
            phi_s = 0, theta_x = 0 at x = 0;   -K phi_s_x = i,  -F N D theta_x = i at x = L_s
    liquid  c_t = (D_l c_x - t_plus i_l / F)_x,   (i_l)_x = 0
            i_l = -kappa phi_l_x + 2 kappa R T / F (1 - t_plus) tdf (ln c)_x
            i_l = i,  F (-D_l c_x) + t_plus i = i   at both ends: no anion passes
    NMC     i = i0(theta) (c/c_ref)^a_a [exp(a_a F eta/RT) - exp(-a_c F eta/RT)],
            eta = phi_s - phi_l - U(theta)
    lithium -i = i0_Li (c/c_ref)^b_a [exp(b_a F eta/RT) - exp(-b_c F eta/RT)],  eta = phi_Li - phi_l
            or ideal: phi_Li = phi_l
    V = -phi_Li

Sharma et al., Nano Lett. (2022), Eqs 1-3. `theta` is c_s/N. Cylinder and sphere: the same solid and
surface in radial coordinates, K so high that phi_s = 0, c = c_ref and phi_l the same everywhere;
i is per area of the particle's surface, so that a current of a whole particle is

    cylinder of length l   i 2 pi R l          sphere   i 4 pi R^2

The cylinder is written out here; the sphere is PyBaMM's own half-cell SPM, whose electrode of area
A, thickness L and volume share e holds a = 3 e / R of particle surface per volume: its current is
i a L A. All laws are those of ``electrode_laws``. PyBaMM discretises by finite volumes and
integrates by SUNDIALS IDA.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"  # before the import: no prompt, no network

import pybamm

from .electrode_laws import (
    C_REF,
    FARADAY,
    GAS,
    SITE_DENSITY,
    TEMPERATURE,
    evaluate,
)
from .electrode_stored import Particle, Slab

Array = NDArray[np.float64]


def _sqrt(a: Any) -> Any:
    """A root that PyBaMM leaves alone: its own models round off sqrt and powers near 0 (1e-4)."""
    return pybamm.exp(0.5 * pybamm.log(a))


FUNCTIONS = {"exp": pybamm.exp, "tanh": pybamm.tanh, "sqrt": _sqrt}
PER_VOLT = FARADAY / (GAS * TEMPERATURE)
FINER_AT_SURFACE = 3.0  # ratio of the innermost to the outermost cell of the solid
RHO = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0)
"""Where a profile is kept [radii]."""


Values = dict[str, Array]
"""Named series of shape (times,), or (times, positions) for profiles; `t_end` has shape ()."""


def solve(case: Slab | Particle, times: Sequence[float], *, cells: int, rtol: float) -> Values:
    """The case at `times` [s] before its cut-off; the last of them must lie beyond it.

    Parameters
    ----------
    case : Slab or Particle
    times : sequence of float
    cells : int
        Of the radius, or in each of solid and liquid.
    rtol : float
        atol is a tenth of it; unknowns are of order 1.

    Returns
    -------
    dict
        `t`, `t_end` [s]; `V` [V]; `theta_surface`. Of a particle also `theta`, shape (times,
        positions), at `rho` [radii]. Of a slab also `theta_collector`; `c_surface`, `c_lithium`
        [mol/m3]; `phi_s_surface`, `phi_l_surface` [V].
    """
    asked = np.asarray(times, dtype=float)
    if isinstance(case, Slab):
        return _slab(case, asked, cells, rtol)
    return {"cylinder": _cylinder, "sphere": _sphere}[case.shape](case, asked, cells, rtol)


def law(text: str, **arguments: Any) -> Any:
    """A formula of ``electrode_laws`` as a PyBaMM expression; a constant becomes a Scalar."""
    value = evaluate(text, FUNCTIONS, **arguments)
    return pybamm.Scalar(value) if isinstance(value, float) else value


def transfer(i0: Any, eta: Any, alpha_a: float, alpha_c: float) -> Any:
    """Butler-Volmer current density [A/m2]."""
    return i0 * (pybamm.exp(alpha_a * PER_VOLT * eta) - pybamm.exp(-alpha_c * PER_VOLT * eta))


def _faces(cells: int) -> Array:
    """Edges on (0, 1): cells shrink linearly towards 1."""
    s = 1.0 - np.linspace(0.0, 1.0, cells + 1)
    return np.asarray(1.0 - s * (1.0 + (FINER_AT_SURFACE - 1.0) * s) / FINER_AT_SURFACE)


def _solve(model: Any, domains: Mapping[str, tuple[Any, Array]], times: Array, rtol: float) -> Any:
    """Discretise each domain on its edges and integrate; an event ends the run early."""
    variables = {name: variable for name, (variable, _) in domains.items()}
    geometry = pybamm.Geometry({n: {v: {"min": 0, "max": 1}} for n, v in variables.items()})
    submeshes = {
        name: pybamm.MeshGenerator(pybamm.UserSupplied1DSubMesh, {"edges": edges})
        for name, (_, edges) in domains.items()
    }
    points = {variable: edges.size - 1 for variable, edges in domains.values()}
    mesh = pybamm.Mesh(geometry, submeshes, points)
    options = {"extrapolation": {"order": {"gradient": "quadratic", "value": "quadratic"}}}
    methods = dict.fromkeys(domains, pybamm.FiniteVolume(options))
    built = pybamm.Discretisation(mesh, methods).process_model(model, inplace=False)
    solver = pybamm.IDAKLUSolver(rtol=rtol, atol=0.1 * rtol)
    return solver.solve(built, t_eval=[0.0, float(times[-1])], t_interp=times)


def _series(solution: Any, names: Sequence[str], times: Array) -> Values:
    """Series at those of `times` that were reached, and the time at which the run ended."""
    if not solution.termination.startswith("event"):
        raise RuntimeError(f"the cut-off was not reached by {times[-1]:g} s")
    t_end = float(solution.t[-1])
    kept = times[times < t_end]
    found = {name: np.asarray(solution[name](kept)).ravel() for name in names}
    return {"t": kept, **found, "t_end": np.asarray(t_end)}


def _slab(case: Slab, asked: Array, cells: int, rtol: float) -> Values:
    """The planar half-cell."""
    k, i = case.kinetics, case.current
    x = pybamm.SpatialVariable("x", domain="solid", coord_sys="cartesian")
    y = pybamm.SpatialVariable("y", domain="liquid", coord_sys="cartesian")
    theta = pybamm.Variable("theta", domain="solid")
    phi_s = pybamm.Variable("phi_s", domain="solid")
    share = pybamm.Variable("share", domain="liquid")  # c / c_ref
    phi_l = pybamm.Variable("phi_l", domain="liquid")
    phi_a = pybamm.Variable("phi_l_surface")
    V = pybamm.Variable("V")
    laws = case.laws

    def right(u: Any) -> Any:
        return pybamm.BoundaryValue(u, "right")

    def left(u: Any) -> Any:
        return pybamm.BoundaryValue(u, "left")

    surface, at_nmc, at_lithium = right(theta), left(share), right(share)
    D, K = (law(laws[name], theta=theta) for name in ("D", "K"))
    D_s, K_s = (law(laws[name], theta=surface) for name in ("D", "K"))
    L, M = case.solid, case.liquid

    def liquid(name: str, share: Any) -> Any:
        return law(laws[name], c=C_REF * share)

    def salt_slope(s: Any) -> Any:
        """d(c/c_ref)/dy where no anion passes."""
        return -(1.0 - liquid("t_plus", s)) * i * M / (FARADAY * C_REF * liquid("D_l", s))

    def thermal(s: Any) -> Any:
        """2 kappa R T / F (1 - t_plus) tdf / c_ref-share: what multiplies grad(c/c_ref)."""
        return (
            2.0 * liquid("kappa", s) / PER_VOLT * (1.0 - liquid("t_plus", s)) * liquid("tdf", s) / s
        )

    def potential_slope(s: Any) -> Any:
        return (-i * M + thermal(s) * salt_slope(s)) / liquid("kappa", s)

    reaction = transfer(
        law(laws["i0"], theta=surface) * at_nmc**k.alpha_a,
        right(phi_s) - phi_a - law(laws["U"], theta=surface),
        k.alpha_a,
        k.alpha_c,
    )
    phi_far = right(phi_l)
    if k.i0_lithium is None:
        at_metal = -V - phi_far
    else:
        i0 = k.i0_lithium * at_lithium**k.beta_a
        at_metal = transfer(i0, -V - phi_far, k.beta_a, k.beta_c) + i
    i_l = -liquid("kappa", share) * pybamm.grad(phi_l) + thermal(share) * pybamm.grad(share)
    salt = liquid("D_l", share) / M**2 * pybamm.grad(share)
    if "c" in laws["t_plus"]:  # otherwise div(t_plus i_l) = 0
        salt -= liquid("t_plus", share) / (FARADAY * C_REF * M**2) * i_l
    model = pybamm.BaseModel("slab")
    model.rhs = {theta: pybamm.div(D / L**2 * pybamm.grad(theta)), share: pybamm.div(salt)}
    model.algebraic = {
        phi_s: pybamm.div(K * pybamm.grad(phi_s)),
        phi_l: pybamm.div(i_l),
        phi_a: reaction - i,
        V: at_metal,
    }
    zero, neumann = pybamm.Scalar(0.0), "Neumann"
    lithium_slope = -i * L / (FARADAY * SITE_DENSITY * D_s)
    model.boundary_conditions = {
        theta: {"left": (zero, neumann), "right": (lithium_slope, neumann)},
        phi_s: {"left": (zero, "Dirichlet"), "right": (-i * L / K_s, neumann)},
        share: {"left": (salt_slope(at_nmc), neumann), "right": (salt_slope(at_lithium), neumann)},
        phi_l: {"left": (phi_a, "Dirichlet"), "right": (potential_slope(at_lithium), neumann)},
    }
    U = float(evaluate(laws["U"], theta=case.theta_start))
    model.initial_conditions = {
        theta: pybamm.Scalar(case.theta_start),
        phi_s: zero,
        share: pybamm.Scalar(1.0),
        phi_l: pybamm.Scalar(-U),
        phi_a: pybamm.Scalar(-U),
        V: pybamm.Scalar(U),
    }
    model.variables = {
        "V": V,
        "theta_collector": left(theta),
        "theta_surface": surface,
        "c_surface": C_REF * at_nmc,
        "c_lithium": C_REF * at_lithium,
        "phi_s_surface": right(phi_s),
        "phi_l_surface": phi_a,
    }
    sign = 1.0 if i > 0 else -1.0
    model.events = [pybamm.Event("cut-off", sign * (case.cutoff - V))]
    names = list(model.variables)
    domains = {"solid": (x, _faces(cells)), "liquid": (y, np.linspace(0.0, 1.0, cells + 1))}
    return _series(_solve(model, domains, asked, rtol), names, asked)


def _cylinder(case: Particle, asked: Array, cells: int, rtol: float) -> Values:
    """The infinite cylinder."""
    k, i, R, laws = case.kinetics, case.current, case.radius, case.laws
    r = pybamm.SpatialVariable("r", domain="particle", coord_sys="cylindrical polar")
    theta = pybamm.Variable("theta", domain="particle")
    V = pybamm.Variable("V")
    surface = pybamm.BoundaryValue(theta, "right")
    D, D_s = law(laws["D"], theta=theta), law(laws["D"], theta=surface)
    i0, U = law(laws["i0"], theta=surface), law(laws["U"], theta=surface)
    slope = -i * R / (FARADAY * SITE_DENSITY * D_s)
    model = pybamm.BaseModel("cylinder")
    model.rhs = {theta: pybamm.div(D / R**2 * pybamm.grad(theta))}
    model.algebraic = {V: transfer(i0, V - U, k.alpha_a, k.alpha_c) - i}
    model.boundary_conditions = {
        theta: {"left": (pybamm.Scalar(0.0), "Neumann"), "right": (slope, "Neumann")}
    }
    model.initial_conditions = {
        theta: pybamm.Scalar(case.theta_start),
        V: pybamm.Scalar(float(evaluate(laws["U"], theta=case.theta_start))),
    }
    model.variables = {"V": V, "theta_surface": surface, "theta": theta}
    sign = 1.0 if i > 0 else -1.0
    model.events = [pybamm.Event("cut-off", sign * (case.cutoff - V))]
    faces = _faces(cells)
    solution = _solve(model, {"particle": (r, faces)}, asked, rtol)
    found = _series(solution, ["V", "theta_surface"], asked)
    middle = 0.5 * (faces[1:] + faces[:-1])
    inside = np.asarray(solution["theta"](found["t"], r=middle)).T
    return found | {"rho": np.array(RHO), "theta": _profile(middle, inside, found["theta_surface"])}


def _profile(middle: Array, inside: Array, surface: Array) -> Array:
    """Values at `RHO` from cells (times, cells) and the surface (times,), even about the axis."""
    rho = np.concatenate([-middle[::-1], middle, [1.0]])
    values = np.concatenate([inside[:, ::-1], inside, surface[:, None]], axis=1)
    return np.asarray(CubicSpline(rho, values, axis=1)(RHO))


def _sphere(case: Particle, asked: Array, cells: int, rtol: float) -> Values:
    """PyBaMM's half-cell SPM.

    Its lithium electrode cannot be ideal: an exchange current of 1e12 A/m2 makes it so (1e-13 V).
    """
    k, R, laws = case.kinetics, case.radius, case.laws
    if (k.alpha_a, k.alpha_c) != (0.5, 0.5):
        raise ValueError("PyBaMM's half-cell SPM has symmetric Butler-Volmer kinetics")
    area, thickness, share = 1e-4, 1e-4, 0.5  # m2, m, 1: any; they cancel
    amperes = case.current * (3.0 * share / R) * thickness * area
    model = pybamm.lithium_ion.SPM({"working electrode": "positive"})
    values = model.default_parameter_values
    c_max = SITE_DENSITY
    values.update(
        {
            "Current function [A]": -amperes,  # PyBaMM's current is positive on discharge
            "Electrode height [m]": area**0.5,
            "Electrode width [m]": area**0.5,
            "Positive electrode thickness [m]": thickness,
            "Positive electrode active material volume fraction": share,
            "Positive particle radius [m]": R,
            "Maximum concentration in positive electrode [mol.m-3]": c_max,
            "Initial concentration in positive electrode [mol.m-3]": case.theta_start * c_max,
            "Initial concentration in electrolyte [mol.m-3]": C_REF,
            "Positive electrode OCP [V]": lambda sto: law(laws["U"], theta=sto),
            "Positive particle diffusivity [m2.s-1]": lambda sto, T: law(laws["D"], theta=sto),
            "Positive electrode exchange-current density [A.m-2]": (
                lambda c_e, c_s, c_m, T: law(laws["i0"], theta=c_s / c_m)
            ),
            "Exchange-current density for lithium metal electrode [A.m-2]": (
                lambda c_e, c_Li, T: pybamm.Scalar(1e12)
            ),
            "Ambient temperature [K]": TEMPERATURE,
            "Initial temperature [K]": TEMPERATURE,
            "Reference temperature [K]": TEMPERATURE,
            "Upper voltage cut-off [V]": case.cutoff if case.current > 0 else 5.0,
            "Lower voltage cut-off [V]": case.cutoff if case.current < 0 else 0.0,
        }
    )
    r = pybamm.standard_spatial_vars.r_p
    mesh = dict(model.default_submesh_types)
    edges = R * _faces(cells)
    mesh["positive particle"] = pybamm.MeshGenerator(pybamm.UserSupplied1DSubMesh, {"edges": edges})
    methods = dict(model.default_spatial_methods)
    options = {"extrapolation": {"order": {"gradient": "quadratic", "value": "quadratic"}}}
    methods["positive particle"] = pybamm.FiniteVolume(options)
    simulation = pybamm.Simulation(
        model,
        parameter_values=values,
        submesh_types=mesh,
        var_pts={**model.default_var_pts, r: cells},
        spatial_methods=methods,
        solver=pybamm.IDAKLUSolver(rtol=rtol, atol=0.1 * rtol),
    )
    solution = simulation.solve(t_eval=[0.0, float(asked[-1])], t_interp=asked)
    particle = "X-averaged positive particle"
    names = {"V": "Voltage [V]", "theta_surface": f"{particle} surface stoichiometry"}
    found = _series(solution, list(names.values()), asked)
    found = {"t": found["t"], "t_end": found["t_end"]} | {n: found[m] for n, m in names.items()}
    middle = 0.5 * (edges[1:] + edges[:-1])
    inside = solution[f"{particle} stoichiometry"](found["t"], r=middle)
    theta = _profile(middle / R, np.asarray(inside).T, found["theta_surface"])
    return found | {"rho": np.array(RHO), "theta": theta}
