"""Lithium in one crystal whose surface is partly blocked by rock salt.

    N_L d(theta)/dt = div( N_L D(theta) grad theta )      in the crystal                   (11, 12)
    - N_L D grad theta . n = j                             on its lateral surface; j > 0 leaves (15)

    D = theta D_ab(theta) |U'(theta)| F / RT               the chemical diffusivity             (10)

    flux             j = b j_bare,   j_bare = I / (F integral of b)                         (13, 14)
                     V = integral of b U(theta) / integral of b;   at rest over the bare surface
    butler_volmer    j = b i(theta, V) / F,   i = 2 i0(theta) sinh(F (V - U(theta)) / 2RT),
                     F integral of j = I,   with I or V imposed
    b = 1 on the bare surface, flux_ratio on rock salt

    dQ/dt = I                                                  the charge, in the same integrator

Diffusion stands in Kirchhoff form, N_L D grad theta = grad Phi, Phi = integral of N_L D, with Phi
evaluated at the nodes.

Lun et al., Supplementary Information, Eqs 9-15; signs in docs/conventions.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from ufl import grad, inner

from nmcsim.constants import F
from nmcsim.models.model import Field, Model
from nmcsim.observe.crystal import CrystalWatch
from nmcsim.observe.places import Places
from nmcsim.observe.reductions import Extremes, Weighted
from nmcsim.physics.diffusion import in_layers
from nmcsim.physics.kinetics import butler_volmer, butler_volmer_at
from nmcsim.solve.drive import Event
from nmcsim.solve.fields import Array, Control, Nodal, Unknown
from nmcsim.solve.linear import LinearSolver
from nmcsim.solve.problem import Problem

__all__ = ["build"]

EMPTY = 1e-3  # stoichiometry of a surface without lithium; 1 - EMPTY of a full one
NEARLY_EMPTY = 0.02  # where a law that ends so near says the same
BEYOND = 1e-6  # a state on the end of a range is inside it
DEGREE = 4  # of surface quadrature: exact for two quadratic functions, b being constant on a facet


def build(case: Any, mesh: Any) -> Model:
    """The balances of one crystal.

    Parameters
    ----------
    case : Case
        With ``model = "single_crystal"``.
    mesh : Mesh
        With the region ``crystal`` and the surfaces ``bare``, ``rock_salt``, ``lateral``.
    """
    theta = Unknown("theta", "theta", "1", mesh.lagrange(case.numerics.degree), scale=0.5)
    prescribed = case.physics.surface == "flux"
    return _prescribed_flux(case, mesh, theta) if prescribed else _kinetics(case, mesh, theta)


def _prescribed_flux(case: Any, mesh: Any, theta: Unknown) -> Model:
    """Eqs 13-15: the current is spread over the surface by b alone."""
    diffusion, nodal = _diffusion(case, mesh, theta)
    b = Weighted.of(theta, lambda f: _lateral(case, mesh, f))  # integrals of b f
    bare = Weighted.of(theta, lambda f: f * mesh.ds("bare", degree=DEGREE))

    I = Control("current", "A", mesh.domain)
    Q, dQ = _charge(case, mesh, I.value)
    j_bare = I.value / (F * b.total)
    balance = diffusion + _lateral(case, mesh, j_bare * theta.test)
    problem = _problem(case, [theta, Q], [balance, dQ], nodal, [I])

    U = case.material.U.curve()

    def current(state: Array) -> float:
        return float(I.value.value)

    def voltage(state: Array) -> float:
        weights = b if current(state) != 0.0 else bare
        return weights.mean(U, state)

    def flux(theta: Array, b_nodes: Array, now: Mapping[str, float]) -> Array:
        return b_nodes * now["current"] / (F * b.total)

    return _model(case, mesh, problem, theta, voltage, current, flux)


def _kinetics(case: Any, mesh: Any, theta: Unknown) -> Model:
    """One electrode potential V; the current I flows where kinetics lets it."""
    material, T = case.material, case.physics.temperature
    area, per_area = mesh.measure("lateral"), mesh.ds("lateral", degree=DEGREE)
    diffusion, nodal = _diffusion(case, mesh, theta)
    U, i0 = _at_surface(case, mesh, theta, nodal)

    V = Unknown("voltage", "V", "V", mesh.real(), algebraic=True, max_update=0.5)
    I = Unknown(
        "current",
        "I",
        "A",
        mesh.real(),
        scale=_ampere_scale(case, mesh),
        algebraic=True,
        in_error_test=False,
    )
    Q, dQ = _charge(case, mesh, I.u)
    I_set, V_set = Control("current", "A", mesh.domain), Control("voltage", "V", mesh.domain)
    hold = Control("hold", "1", mesh.domain)  # 1 imposes V, 0 imposes I

    i = butler_volmer(i0, V.u - U, T)
    balance = diffusion + _lateral(case, mesh, i / F * theta.test)
    flow = I.u / area * I.test * per_area - _lateral(case, mesh, i * I.test)
    imposed = (1.0 - hold.value) * (I.u - I_set.value) / I.scale + hold.value * (V.u - V_set.value)
    drive = imposed * V.test * per_area
    V.u.x.array[:] = float(material.U.evaluate(np.array(material.theta_discharged)))
    problem = _problem(
        case, [theta, V, I, Q], [balance, drive, flow, dQ], nodal, [I_set, V_set, hold]
    )

    U_curve, i0_curve = material.U.curve(), material.i0.curve()

    def flux(theta: Array, b_nodes: Array, now: Mapping[str, float]) -> Array:
        eta = now["voltage"] - U_curve(theta)
        return b_nodes * butler_volmer_at(i0_curve(theta), eta, T) / F

    return _model(
        case,
        mesh,
        problem,
        theta,
        lambda state: problem.scalar(state, "voltage"),
        lambda state: problem.scalar(state, "current"),
        flux,
    )


def _lateral(case: Any, mesh: Any, f: Any) -> Any:
    """Integral of b f over the lateral surface."""
    b = case.physics.rock_salt.flux_ratio
    bare = f * mesh.ds("bare", degree=DEGREE)
    return bare + b * f * mesh.ds("rock_salt", degree=DEGREE) if b > 0.0 else bare


def _charge(case: Any, mesh: Any, I: Any) -> tuple[Unknown, Any]:
    """The charge Q and its row, dQ/dt = I; known to rtol of 2 % of the capacity per time step."""
    capacity = F * case.material.site_density * mesh.measure("crystal")
    Q = Unknown("charge", "Q", "A s", mesh.real(), scale=0.02 * capacity)
    area, per_area = mesh.measure("lateral"), mesh.ds("lateral", degree=DEGREE)
    return Q, (Q.dt - I) / area * Q.test * per_area


def _diffusion(case: Any, mesh: Any, theta: Unknown) -> tuple[Any, list[Nodal]]:
    """The balance of lithium inside, and the nodal laws in it."""
    N_L, ratio_c, v = case.material.site_density, case.physics.diffusivity_ratio_c, theta.test
    dx = mesh.dx("crystal", degree=2 * case.numerics.degree)
    D = case.material.chemical_diffusivity(case.physics.temperature)
    storage = N_L * theta.dt * v * dx
    if case.numerics.laws == "general":
        flux = N_L * D(theta.u) * grad(theta.u)
        return storage + inner(in_layers(flux, ratio_c), grad(v)) * dx, []
    Phi = Nodal(theta, D.curve().scaled(N_L).antiderivative())
    return storage + inner(in_layers(grad(Phi.value), ratio_c), grad(v)) * dx, [Phi]


def _at_surface(case: Any, mesh: Any, theta: Unknown, nodal: list[Nodal]) -> tuple[Any, Any]:
    """U(theta) and i0(theta) on the lateral surface."""
    material = case.material
    if case.numerics.laws == "general":
        return material.U(theta.u), material.i0(theta.u)
    dofs = mesh.dofs(theta.space, "lateral")
    U = Nodal(theta, material.U.curve(), dofs)
    i0 = Nodal(theta, material.i0.curve(), dofs)
    nodal += [U, i0]
    return U.value, i0.value


def _problem(
    case: Any, unknowns: list[Unknown], rows: list[Any], nodal: list[Nodal], controls: list[Control]
) -> Problem:
    kind = case.numerics.linear_solver
    if kind == "auto":
        kind = (
            "iterative"
            if case.geometry.dimension == 3 and case.physics.surface == "flux"
            else "direct"
        )
    solver = LinearSolver(kind)
    return Problem(unknowns, rows, nodal=nodal, controls=controls, solver=solver)


def _ampere_scale(case: Any, mesh: Any) -> float:
    """A typical current [A]: 1C, or the whole lithium in an hour."""
    volume = mesh.measure("crystal")
    one_c = case.protocol.one_c(case.material.density * volume)
    return float(one_c or F * case.material.site_density * volume / 3600.0)


def _model(
    case: Any,
    mesh: Any,
    problem: Problem,
    theta: Unknown,
    voltage: Callable[[Array], float],
    current: Callable[[Array], float],
    flux: Callable[[Array, Array, Mapping[str, float]], Array],
) -> Model:
    """What both surface modes have in common: what is watched, limited and conserved."""
    material = case.material
    mean = Weighted.of(theta, lambda f: f * mesh.dx("crystal", degree=2 * case.numerics.degree))
    where = problem.slice(theta)
    surfaces = {name: mesh.dofs(theta.space, name) for name in ("bare", "rock_salt")}
    places = Places(theta, where, surfaces)
    extremes = Extremes(theta, where)
    sites = material.site_density * mean.total
    mass = material.density * mesh.measure("crystal")
    one_c = case.protocol.one_c(mass)
    span = 3600.0 * one_c / (F * sites) if one_c else math.nan  # of theta, per capacity
    has_potential = "hold" in problem.controls

    def set_current(amperes: float) -> None:
        problem.set(current=amperes)
        if has_potential:
            problem.set(hold=0.0)

    def set_voltage(volts: float) -> None:
        problem.set(voltage=volts, hold=1.0)

    return Model(
        problem=problem,
        fields=(Field(theta, "lithium per site", means=lambda u: np.array([mean.of_state(u)])),),
        watch=CrystalWatch(case, flux),
        set_current=set_current,
        set_voltage=set_voltage if has_potential else None,
        one_c=one_c,
        mass=mass,
        observables={
            "voltage": voltage,
            "current": current,
            "charge": lambda state: problem.scalar(state, "charge"),
            "soc": lambda state: (material.theta_discharged - mean.of_state(state)) / span,
            "theta_mean": mean.of_state,
            "theta_min": extremes.least,
            "theta_max": extremes.largest,
        },
        guards=_guards(case, theta, where, places),
        inventory=lambda state: sites * mean.of_state(state),
        likely=_likely,
        where=places.said,
        theta_charged=max(0.02, material.theta_discharged - (span if one_c else 0.75)),
        theta_discharged=material.theta_discharged,
        facts={
            "volume": mesh.measure("crystal"),
            "lateral_area": mesh.measure("lateral"),
            "coverage": mesh.measure("rock_salt") / mesh.measure("lateral"),
        },
    )


def _guards(case: Any, theta: Unknown, where: slice, places: Places) -> list[Event]:
    """The surface runs empty or full (Eq. 15 asks for its flux all the same), or a law ends.

    Inside and on rock salt theta lies between its values at the start and on the bare surface
    (maximum principle); what exceeds them there is an overshoot of the mesh at a steep front, and
    ends nothing.
    """
    lo, hi = (0.0, 1.0) if case.physics.extrapolate else _valid(case)
    least, largest = max(lo, EMPTY), min(hi, 1.0 - EMPTY)
    ends = "end of the valid range of the material's laws"
    more = " (set physics.extrapolate = true to go on)"
    low = ("range", f"theta = {lo:g} is the lower {ends}{more}")
    high = ("range", f"theta = {hi:g} is the upper {ends}{more}")
    if least <= NEARLY_EMPTY:
        low = ("lithium", f"lithium runs out: theta = {least:g}" + f", the {ends}" * (least == lo))
    if largest >= 1.0 - NEARLY_EMPTY:
        full = f", the {ends}" * (largest == hi)
        high = ("lithium", f"lithium fills the sites: theta = {largest:g}{full}")

    at_start, later = Extremes(theta, where), Extremes(theta, places.on("bare"))

    def watched(t: float) -> Extremes:
        return later if t > 0.0 else at_start

    return [
        Event(
            *low,
            lambda t, u: watched(t).least(u) - least + BEYOND,
            -1,
            lambda t, u: places.lowest(u, watched(t).where),
        ),
        Event(
            *high,
            lambda t, u: watched(t).largest(u) - largest - BEYOND,
            +1,
            lambda t, u: places.highest(u, watched(t).where),
        ),
    ]


def _valid(case: Any) -> tuple[float, float]:
    """Range of theta in which all laws of the material hold."""
    material = case.material
    laws = [material.U, material.chemical_diffusivity(case.physics.temperature)]
    if case.physics.surface == "butler_volmer":
        laws.append(material.i0)
    return max(law.valid[0] for law in laws), min(law.valid[1] for law in laws)


def _likely(unknown: Unknown, value: float) -> str:
    """The physical reason that a failure at this value of this unknown suggests."""
    if unknown.name == "theta" and value < 0.05:
        return "the bare surface runs out of lithium faster than diffusion brings it"
    if unknown.name == "theta" and value > 0.95:
        return "the surface fills with lithium faster than diffusion takes it away"
    if unknown.name == "theta":
        return "a front steeper than the mesh resolves; try a smaller surface_cell_size"
    return "the potential jumps: the exchange current vanishes at the surface"
