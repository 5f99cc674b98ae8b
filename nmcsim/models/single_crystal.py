"""Lithium in one crystal whose surface is partly blocked by rock salt.

    N_L d(theta)/dt = div( N_L D(theta) grad theta )          in the crystal                   (11, 12)
    - N_L D grad theta . n = j                                 on its lateral surface; j > 0 leaves (15)

    D = theta D_ab(theta) |U'(theta)| F / RT                   the chemical diffusivity             (10)

    flux             j = b j_bare,   j_bare = I / (F integral of b)                             (13, 14)
                     V = integral of b U(theta) / integral of b;   at rest the mean over the bare surface
    butler_volmer    j = b i(theta, V) / F,   i = 2 i0(theta) sinh(F (V - U(theta)) / 2RT),
                     F integral of j = I,   with I or V imposed
    b = 1 on the bare surface, flux_ratio on rock salt

    dQ/dt = I                                                  the charge, in the same integrator

Diffusion stands in Kirchhoff form, N_L D grad theta = grad Phi, Phi = integral of N_L D, with Phi
evaluated at the nodes.

Lun et al., Supplementary Information, Eqs 9-15; signs in docs/conventions.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ufl import grad, inner

from nmcsim.constants import F
from nmcsim.models.model import Model
from nmcsim.observe.reductions import Extremes, Weighted
from nmcsim.physics.diffusion import in_layers
from nmcsim.physics.kinetics import butler_volmer
from nmcsim.solve.drive import Event
from nmcsim.solve.fields import Array, Control, Nodal, Unknown
from nmcsim.solve.linear import LinearSolver
from nmcsim.solve.problem import Problem

__all__ = ["build"]


def build(case: Any, mesh: Any) -> Model:
    """The balances of one crystal.

    Parameters
    ----------
    case : Case
        With ``model = "single_crystal"``.
    mesh : Mesh
        With the region ``crystal`` and the surfaces ``bare``, ``rock_salt``, ``lateral``.
    """
    material, physics = case.material, case.physics
    N_L, T, b_salt = material.site_density, physics.temperature, physics.rock_salt.flux_ratio
    volume, area = mesh.measure("crystal"), mesh.measure("lateral")
    capacity = case.protocol.capacity
    one_c = capacity.coulombs(volume * material.density) / 3600.0 if capacity else None
    V_0 = float(material.U.evaluate(material.theta_discharged))

    theta = Unknown("theta", "theta", "1", mesh.lagrange(case.numerics.degree), scale=0.5)
    Q = Unknown("charge", "Q", "A s", mesh.real(), scale=F * N_L * volume, in_error_test=False)
    I = Control("current", "A", mesh.domain)
    diffusion, nodal = _diffusion(case, mesh, theta)

    def lateral(j: Any) -> Any:
        """Integral of b j over the lateral surface."""
        covered = b_salt * j * mesh.ds("rock_salt", degree=4) if b_salt > 0.0 else None
        bare = j * mesh.ds("bare", degree=4)
        return bare if covered is None else bare + covered

    b = Weighted.of(theta, lateral)  # integrals of b g(theta), g at the nodes
    bare = Weighted.of(theta, lambda j: j * mesh.ds("bare", degree=4))
    per_area = mesh.ds("lateral", degree=4)

    if physics.surface == "flux":
        j = I.value / (F * b.total)
        balance = diffusion + lateral(j * theta.test)
        charge = (Q.dt - I.value) / area * Q.test * per_area
        problem = _problem(case, [theta, Q], [balance, charge], nodal, [I])
        U = material.U.curve()

        def voltage(state: Array) -> float:
            weights = b if I.value.value != 0.0 else bare
            return weights.mean(U, state)

        return _model(case, mesh, problem, theta, one_c, voltage, lambda state: float(I.value.value))

    V = Unknown("voltage", "V", "V", mesh.real(), algebraic=True, max_update=0.5)
    A = Unknown("current", "I", "A", mesh.real(), scale=one_c or F * N_L * volume / 3600.0,
                algebraic=True, in_error_test=False)
    V_set, hold = Control("voltage", "V", mesh.domain), Control("hold", "1", mesh.domain)
    U, i0 = _at_surface(case, mesh, theta, nodal)
    j = butler_volmer(i0, V.u - U, T) / F
    balance = diffusion + lateral(j * theta.test)
    flow = A.u / area * A.test * per_area - lateral(F * j * A.test)
    imposed = (1.0 - hold.value) * (A.u - I.value) / A.scale + hold.value * (V.u - V_set.value)
    drive = imposed * V.test * per_area
    charge = (Q.dt - A.u) / area * Q.test * per_area
    V.u.x.array[:] = V_0
    problem = _problem(
        case, [theta, V, A, Q], [balance, drive, flow, charge], nodal, [I, V_set, hold]
    )
    return _model(
        case, mesh, problem, theta, one_c,
        lambda state: problem.scalar(state, "voltage"),
        lambda state: problem.scalar(state, "current"),
    )


def _diffusion(case: Any, mesh: Any, theta: Unknown) -> tuple[Any, list[Nodal]]:
    """The balance of lithium inside, and the nodal laws in it."""
    material, T = case.material, case.physics.temperature
    N_L, ratio_c, v = material.site_density, case.physics.diffusivity_ratio_c, theta.test
    dx = mesh.dx("crystal", degree=2 * case.numerics.degree)
    D = material.chemical_diffusivity(T)
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
    solver = LinearSolver(case.numerics.linear_solver)
    return Problem(unknowns, rows, nodal=nodal, controls=controls, solver=solver)


def _model(
    case: Any,
    mesh: Any,
    problem: Problem,
    theta: Unknown,
    one_c: float | None,
    voltage: Callable[[Array], float],
    current: Callable[[Array], float],
) -> Model:
    """What both surface modes have in common: what is watched, limited and conserved."""
    material = case.material
    mean = Weighted.of(theta, lambda f: f * mesh.dx("crystal", degree=2 * case.numerics.degree))
    extremes = Extremes(theta, problem.slice(theta))
    sites = material.site_density * mean.total
    per_capacity = F * sites / (3600.0 * one_c) if one_c else float("nan")

    def soc(state: Array) -> float:
        return (material.theta_discharged - mean.of_state(state)) * per_capacity

    def set_current(amperes: float) -> None:
        problem.set(current=amperes)
        if "hold" in problem.controls:
            problem.set(hold=0.0)

    def set_voltage(volts: float) -> None:
        problem.set(voltage=volts, hold=1.0)

    return Model(
        problem=problem,
        field=theta,
        region="crystal",
        set_current=set_current,
        set_voltage=set_voltage if "hold" in problem.controls else None,
        one_c=one_c,
        mass=material.density * mesh.measure("crystal"),
        observables={
            "voltage": voltage,
            "current": current,
            "charge": lambda state: problem.scalar(state, "charge"),
            "soc": soc,
            "theta_mean": mean.of_state,
            "theta_min": extremes.least,
            "theta_max": extremes.largest,
        },
        guards=_guards(case, extremes),
        inventory=lambda state: sites * mean.of_state(state),
        likely=_likely,
        facts={"volume": mesh.measure("crystal"), "lateral_area": mesh.measure("lateral")},
    )


def _guards(case: Any, extremes: Extremes) -> list[Event]:
    """The surface runs empty or full (Eq. 15 asks for its flux all the same), or a law's range ends."""
    material = case.material
    empty, full = 1e-3, 1.0 - 1e-3
    if not case.physics.extrapolate:
        laws = (material.U, material.chemical_diffusivity(case.physics.temperature))
        lo, hi = max(law.valid[0] for law in laws), min(law.valid[1] for law in laws)
    else:
        lo, hi = 0.0, 1.0
    low = ("lithium", f"lithium runs out at the surface: theta = {empty:g}", empty)
    high = ("lithium", f"the surface is full of lithium: theta = {full:g}", full)
    if lo > empty:
        low = ("range", f"theta = {lo:g} leaves the valid range of the material's laws; "
               "set physics.extrapolate = true to go on", lo)
    if hi < full:
        high = ("range", f"theta = {hi:g} leaves the valid range of the material's laws; "
                "set physics.extrapolate = true to go on", hi)
    return [
        Event(low[0], low[1], lambda t, u, at=low[2]: extremes.least(u) - at, -1),  # type: ignore[misc]
        Event(high[0], high[1], lambda t, u, at=high[2]: extremes.largest(u) - at, +1),  # type: ignore[misc]
    ]


def _likely(unknown: Unknown, value: float) -> str:
    """The physical reason that a failure at this value of this unknown suggests."""
    if unknown.name == "theta" and value < 0.05:
        return "the bare surface runs out of lithium faster than diffusion brings it"
    if unknown.name == "theta" and value > 0.95:
        return "the surface fills with lithium faster than diffusion takes it away"
    if unknown.name == "theta":
        return "a front steeper than the mesh resolves; try a smaller surface_cell_size"
    return "the potential jumps: the exchange current vanishes at the surface"
