"""Cross-section of a composite cathode: NMC particles, carbon binder and electrolyte, resolved.

    NMC       N_L d(theta)/dt = div( N_L D(theta) grad theta ),   div( K(theta) grad phi_s ) = 0
    contacts  div( K_c grad phi_s ) = 0                  necks between particles: electrons only
    binder    div( K_b grad phi_s ) = 0
    liquid    eps d(c_l)/dt = -div N,    N = -D_l grad c_l + t_plus i_l / F,    div i_l = 0
              i_l = -kappa grad phi_l + (2 kappa R T / F) (1 - t_plus) (1 + dlnf/dlnc) grad ln c_l
              in the binder eps is its porosity, and D_l and kappa are times eps^bruggeman

    NMC that touches liquid, or (a wetted share of it) binder:  lithium leaves NMC, enters liquid
              i = i0(theta) (c_l/c_ref)^a_a ( exp(a_a F eta / RT) - exp(-a_c F eta / RT) ),  (1, 3)
              eta = phi_s - phi_l - U(theta)                                                    (2)
    lithium   i_Li = i0_Li (c_l/c_ref)^a_a ( exp(a_a F eta_Li / RT) - exp(-a_c F eta_Li / RT) ),
              eta_Li = -V - phi_l,     I = - integral of i_Li,     I or V imposed
    collector phi_s = 0 (i_c = G phi_s with a G that makes it so);   V = -phi_Li

    dQ/dt = I                                                the charge, in the same integrator

No lithium crosses a contact. Linear elements; mass and reactions are lumped at the nodes; N_L D
grad theta = grad Phi, Phi = integral of N_L D, with Phi at the nodes, and so for D_l and for the
second part of i_l. With t_plus = t_0 + (t_plus - t_0), t_0 that of the initial electrolyte, the
balance of charge turns the first part into a source (1 - t_0) i / F at the surfaces.

Sharma et al., Nano Lett. 22 (2022) 5883, Eqs 1-3; Doyle, Fuller and Newman, J. Electrochem. Soc.
140 (1993) 1526; signs in docs/conventions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ufl import grad, inner

from nmcsim.constants import F, R
from nmcsim.curve import Curve
from nmcsim.mesh.parts import reached
from nmcsim.models.electrode_sums import conductors, pore_space, pores
from nmcsim.models.electrode_watch import watched
from nmcsim.models.model import Model
from nmcsim.physics.kinetics import butler_volmer_both
from nmcsim.solve.fields import Array, Control, Exchange, Nodal, Unknown
from nmcsim.solve.linear import LinearSolver
from nmcsim.solve.problem import Problem

__all__ = ["Balances", "build"]

IDEAL = 1e10  # [S/m2] of the collector, where phi_s = 0: half a nanovolt at 5 A/m2
# the same of ideal lithium: 50 nV. Its overpotential is a difference of volts, and their rounding
# times 1e10 would be a current of 1e-5 A/m2
IDEAL_LITHIUM = 1e8
LEAST_SALT = 1e-3  # c_l / c_ref below which the exchange current falls no further
DIRECT_IN_3D = 3_000  # unknowns up to which a factorisation is as fast (benchmarks)
POTENTIAL_STEP = 0.5  # [V] that one Newton iteration may change a potential by


Source = Callable[[], Array]
"""Amounts [mol/s or A] now, at all local dofs of an unknown; ranks add theirs up."""


@dataclass(frozen=True)
class Balances:
    """The unknowns of an electrode and what couples them, for the page's own observables.

    Parameters
    ----------
    theta, phi_s, c_l, phi_l, V, I, Q : Unknown
        ``c_l`` is None, and ``phi_l`` one number, in an equipotential electrolyte.
    reaction, lithium, collector : Exchange
        At NMC, at lithium metal and at the collector.
    particle : (n,) int array
        Particle of each node of the reaction.
    conductivity : Nodal
        K of NMC.
    migration : tuple of Nodal
        kappa, and Psi with grad Psi = i_l + kappa grad phi_l; none in an equipotential electrolyte.
    """

    theta: Unknown
    phi_s: Unknown
    c_l: Unknown | None
    phi_l: Unknown
    V: Unknown
    I: Unknown
    Q: Unknown
    reaction: Exchange
    lithium: Exchange
    collector: Exchange
    particle: Any
    conductivity: Nodal
    migration: tuple[Nodal, ...]


def build(case: Any, mesh: Any, sources: Mapping[str, Source] | None = None) -> Model:
    """The balances of one electrode.

    Parameters
    ----------
    case : Case
        With ``model = "electrode"``.
    mesh : Mesh
        With the regions ``nmc``, ``solid`` and ``ionic``, and the surface ``collector``.
    sources : mapping of name -> Source, optional
        What enters the balance of an unknown besides, at its nodes: for manufactured solutions.
    """
    resolved = case.electrolyte.transport == "resolved"
    theta, phi_s = _of_solid(case, mesh)
    c_l, phi_l = _of_liquid(case, mesh) if resolved else (None, _one_potential(case, mesh))
    V, I, Q = _of_cell(case, mesh)
    I_set, V_set = Control("current", "A", mesh.domain), Control("voltage", "V", mesh.domain)
    hold = Control("hold", "1", mesh.domain)  # 1 imposes V, 0 imposes I

    active = mesh.connected("solid", "collector")  # electrons get there
    reaction, particle = _reaction(case, mesh, theta, phi_s, c_l, phi_l, active)
    lithium = _lithium(case, mesh, c_l, phi_l, V, I, hold)
    collector = _collector(mesh, phi_s)

    lithium_in_solid, Phi = _diffusion(case, mesh, theta)
    electrons, K = _conduction(case, mesh, theta, phi_s)
    nodal = [Phi, K]
    rows = [(theta, lithium_in_solid), (phi_s, electrons)]
    migration: tuple[Nodal, ...] = ()
    if c_l is not None:
        salt, ions, laws, migration = _electrolyte(case, mesh, c_l, phi_l)
        nodal += laws
        rows += [(c_l, salt), (phi_l, ions)]
    else:
        rows += [(phi_l, None)]

    # current imposed: I_set + integral of i_Li = 0, the integral from the exchange; I follows
    per_volume = mesh.dx("nmc", degree=0)
    volume = mesh.measure("nmc")
    imposed = (
        hold.value * (V.u - V_set.value) / V.scale - (1.0 - hold.value) * I_set.value / I.scale
    )
    rows += [
        (V, imposed / volume * V.test * per_volume),
        (I, I.u / I.scale / volume * I.test * per_volume),
        (Q, (Q.dt - I.u) / volume * Q.test * per_volume),
    ]
    unknowns = [u for u, _ in rows]
    besides = [_entering(u, sources[u.name]) for u in unknowns if sources and u.name in sources]
    pins = {phi_s: np.flatnonzero(~active)}
    if resolved:
        pins[phi_l] = _idle(phi_l, [reaction, lithium])
    problem = Problem(
        unknowns,
        [row for _, row in rows],
        nodal=nodal,
        controls=[I_set, V_set, hold],
        solver=_solver(case, mesh, unknowns),
        form_options={"entity_maps": _maps(case, mesh, resolved)},
        exchanges=[reaction, lithium, collector, *besides],
        pins=pins,
    )
    balances = Balances(
        theta, phi_s, c_l, phi_l, V, I, Q, reaction, lithium, collector, particle, K, migration
    )
    return watched(case, mesh, problem, balances, active)


# -- unknowns ---------------------------------------------------------------------------------


def _of_solid(case: Any, mesh: Any) -> tuple[Unknown, Unknown]:
    theta = Unknown("theta", "theta", "1", mesh.part("nmc").space, scale=0.5)
    phi_s = Unknown(
        "phi_s",
        "phi_s",
        "V",
        mesh.part("solid").space,
        algebraic=True,
        in_error_test=False,
        max_update=POTENTIAL_STEP,
    )
    theta.u.x.array[:] = case.material.theta_discharged
    return theta, phi_s


def _of_liquid(case: Any, mesh: Any) -> tuple[Unknown, Unknown]:
    space = mesh.part(pore_space(case)).space
    c_ref = case.electrolyte.concentration
    c_l = Unknown("c_l", "c_l", "mol/m3", space, scale=c_ref)
    phi_l = Unknown(
        "phi_l",
        "phi_l",
        "V",
        space,
        algebraic=True,
        in_error_test=False,
        max_update=POTENTIAL_STEP,
    )
    c_l.u.x.array[:] = c_ref
    phi_l.u.x.array[:] = -_open_circuit(case)
    return c_l, phi_l


def _one_potential(case: Any, mesh: Any) -> Unknown:
    phi_l = Unknown(
        "phi_l", "phi_l", "V", mesh.real(), algebraic=True, in_error_test=False, max_update=0.5
    )
    phi_l.u.x.array[:] = -_open_circuit(case)
    return phi_l


def _of_cell(case: Any, mesh: Any) -> tuple[Unknown, Unknown, Unknown]:
    """The cell's voltage, current and charge."""
    V = Unknown("voltage", "V", "V", mesh.real(), algebraic=True, max_update=POTENTIAL_STEP)
    V.u.x.array[:] = _open_circuit(case)
    capacity = F * case.material.site_density * mesh.measure("nmc")
    one_c = case.protocol.one_c(case.material.density * mesh.measure("nmc"))
    I = Unknown(
        "current",
        "I",
        "A",
        mesh.real(),
        scale=one_c or capacity / 3600.0,
        algebraic=True,
        in_error_test=False,
    )
    # known to rtol of 2 % of the capacity per time step
    return V, I, Unknown("charge", "Q", "A s", mesh.real(), scale=0.02 * capacity)


def _open_circuit(case: Any) -> float:
    return float(case.material.U.evaluate(np.array(case.material.theta_discharged)))


# -- balances ---------------------------------------------------------------------------------


def _diffusion(case: Any, mesh: Any, theta: Unknown) -> tuple[Any, Nodal]:
    """Lithium in NMC."""
    N_L, v = case.material.site_density, theta.test
    Phi = Nodal(theta, case.material.D.curve().scaled(N_L).antiderivative())
    storage = N_L * theta.dt * v * mesh.dx("nmc", 1, "vertex")
    return storage + inner(grad(Phi.value), grad(v)) * mesh.dx("nmc", 0), Phi


def _conduction(case: Any, mesh: Any, theta: Unknown, phi_s: Unknown) -> tuple[Any, Nodal]:
    """Electrons in NMC, contacts and binder."""
    K = Nodal(theta, case.material.K.curve())
    field, v = grad(phi_s.u), grad(phi_s.test)
    flow = K.value * inner(field, v) * mesh.dx("nmc", 1)
    for region, conductivity in conductors(case, mesh):
        flow = flow + conductivity * inner(field, v) * mesh.dx(region, 0)
    return flow, K


def _electrolyte(
    case: Any, mesh: Any, c_l: Unknown, phi_l: Unknown
) -> tuple[Any, Any, list[Nodal], tuple[Nodal, ...]]:
    """Salt and ionic charge in liquid and binder."""
    law, T, c_ref = case.electrolyte, case.physics.temperature, case.electrolyte.concentration
    t_0 = float(law.t_plus.evaluate(np.array(c_ref)))
    lo, hi = law.valid_range()

    def drag(c: Array) -> Array:  # Psi'
        transport = (1.0 - law.t_plus.evaluate(c)) * law.thermodynamic_factor.evaluate(c)
        return np.asarray(2.0 * R * T / F * law.kappa.evaluate(c) * transport / c)

    def excess(c: Array) -> Array:
        return np.asarray(law.t_plus.evaluate(c) - t_0)

    low = max(lo, LEAST_SALT * c_ref)
    kappa = Nodal(c_l, law.kappa.curve())
    Psi = Nodal(c_l, Curve.of(drag, low, hi).antiderivative())
    Phi_l = Nodal(c_l, law.D.curve().antiderivative())
    laws = [kappa, Psi, Phi_l]
    varies = bool(np.ptp(excess(np.linspace(low, hi, 513))) > 1e-12)
    if varies:
        kappa_x = Nodal(c_l, Curve.of(lambda c: excess(c) * law.kappa.evaluate(c), low, hi))
        Psi_x = Nodal(c_l, Curve.of(lambda c: excess(c) * drag(c), low, hi).antiderivative())
        laws += [kappa_x, Psi_x]

    salt: Any = 0
    ions: Any = 0
    v, w = c_l.test, phi_l.test
    for region, porosity, share in pores(case, mesh):
        salt = salt + porosity * c_l.dt * v * mesh.dx(region, 1, "vertex")
        salt = salt + share * inner(grad(Phi_l.value), grad(v)) * mesh.dx(region, 0)
        ions = ions + share * kappa.value * inner(grad(phi_l.u), grad(w)) * mesh.dx(region, 1)
        ions = ions - share * inner(grad(Psi.value), grad(w)) * mesh.dx(region, 0)
        if varies:  # - (t_plus - t_0) i_l / F . grad v
            carried = kappa_x.value * inner(grad(phi_l.u), grad(v))
            salt = salt + share / F * carried * mesh.dx(region, 1)
            salt = salt - share / F * inner(grad(Psi_x.value), grad(v)) * mesh.dx(region, 0)
    return salt, ions, laws, (kappa, Psi)


# -- surfaces ---------------------------------------------------------------------------------


def _reaction(
    case: Any,
    mesh: Any,
    theta: Unknown,
    phi_s: Unknown,
    c_l: Unknown | None,
    phi_l: Unknown,
    active: Any,
) -> tuple[Exchange, Any]:
    """Charge transfer wherever NMC is wet, and the particle of each of its nodes."""
    vertex, area, region = _wet(case, mesh)
    nmc, solid = mesh.part("nmc"), mesh.part("solid")
    reached = active[solid.dof_of[vertex]]
    vertex, area, region = vertex[reached], area[reached], region[reached]
    T, a_a, a_c = case.physics.temperature, case.physics.alpha_a, case.physics.alpha_c
    U, i0 = case.material.U.curve(), case.material.i0.curve()
    c_ref = case.electrolyte.concentration

    def current(theta: Array, phi_s: Array, phi_l: Array, *c: Array) -> Any:
        E, dE = U.both(theta)
        i_0, di_0 = i0.both(theta)
        share, dshare = _share(c[0] / c_ref, a_a) if c else (1.0, 0.0)
        g, dg = butler_volmer_both(phi_s - phi_l - E, T, a_a, a_c)
        by_eta = i_0 * share * dg
        by_theta = di_0 * share * g - by_eta * dE
        by_c = (i_0 * g * dshare / c_ref,) if c else ()
        return i_0 * share * g, (by_theta, by_eta, -by_eta, *by_c)

    at_theta, at_s = nmc.dof_of[vertex], solid.dof_of[vertex]
    at_l = _liquid_dofs(case, mesh, c_l, vertex)
    arguments = [(theta, at_theta), (phi_s, at_s), (phi_l, at_l)]
    rows = [(theta, at_theta, 1.0 / F), (phi_s, at_s, 1.0), (phi_l, at_l, -1.0)]
    if c_l is not None:
        arguments.append((c_l, at_l))
        rows.append((c_l, at_l, -_salt_share(case)))
    number = {mesh.tags[p.name][0]: k for k, p in enumerate(case.geometry.particles)}
    particle = np.array([number[t] for t in region.tolist()], dtype=np.int64)  # of none, too
    return Exchange(arguments, current, area, rows), particle


def _wet(case: Any, mesh: Any) -> tuple[Any, Any, Any]:
    """Nodes at which NMC reacts: vertex, area [m2] and region tag."""
    found = []
    if mesh.has("liquid"):
        found.append((mesh.interface("nmc", "liquid"), 1.0))
    if mesh.has("binder") and case.binder.wetted > 0.0 and case.binder.porosity > 0.0:
        found.append((mesh.interface("nmc", "binder"), case.binder.wetted))
    if "wetted" in mesh.surfaces:
        found.append((mesh.exterior("wetted"), 1.0))
    vertex = np.concatenate([side.vertex for side, _ in found])
    area = np.concatenate([share * side.area for side, share in found])
    region = np.concatenate([side.region for side, _ in found])
    unique, where = np.unique(np.column_stack((vertex, region)), axis=0, return_inverse=True)
    summed = np.bincount(where.ravel(), area, minlength=len(unique))
    return unique[:, 0], summed, unique[:, 1]


def _lithium(
    case: Any,
    mesh: Any,
    c_l: Unknown | None,
    phi_l: Unknown,
    V: Unknown,
    I: Unknown,
    hold: Control,
) -> Exchange:
    """Charge transfer at lithium metal; it carries the whole current of the cell."""
    if "lithium" in mesh.surfaces:
        metal = mesh.exterior("lithium")
        vertex, area = metal.vertex, metal.area
    else:  # without one, as large as the particles' surface: one node of one rank
        own = 1 if mesh.comm.rank == 0 else 0
        vertex = np.zeros(own, dtype=np.int32)
        area = np.full(own, float(mesh.comm.allreduce(_wet(case, mesh)[1].sum())))[:own]
    T, a_a, a_c = case.physics.temperature, case.physics.alpha_a, case.physics.alpha_c
    ideal, i0 = case.lithium.kinetics == "ideal", case.lithium.exchange_current
    c_ref = case.electrolyte.concentration

    def current(V: Array, phi_l: Array, *c: Array) -> Any:
        eta = -V - phi_l
        if ideal:
            slope = np.full_like(eta, IDEAL_LITHIUM)
            return IDEAL_LITHIUM * eta, (-slope, -slope, *(np.zeros_like(eta),)[: len(c)])
        share, dshare = _share(c[0] / c_ref, a_a) if c else (1.0, 0.0)
        g, dg = butler_volmer_both(eta, T, a_a, a_c)
        slope = i0 * share * dg
        return i0 * share * g, (-slope, -slope, *((i0 * g * dshare / c_ref,) if c else ()))

    at_l, zero = _liquid_dofs(case, mesh, c_l, vertex), np.zeros(len(vertex), dtype=np.int32)
    arguments = [(V, zero), (phi_l, at_l)]
    rows: list[Any] = [
        (phi_l, at_l, -1.0),
        (I, zero, 1.0 / I.scale),
        (V, zero, lambda: -(1.0 - float(hold.value.value)) / I.scale),
    ]
    if c_l is not None:
        arguments.append((c_l, at_l))
        rows.append((c_l, at_l, -_salt_share(case)))
    return Exchange(arguments, current, area, rows)


def _collector(mesh: Any, phi_s: Unknown) -> Exchange:
    """Electrons leave where phi_s = 0.

    Were these nodes pinned, the current that leaves would be a nonlinear sum over their cells,
    known to the tolerance of Newton's method. As an exchange it is linear, and so is the sum of
    all balances of charge: every iterate keeps it to round-off.
    """
    end = mesh.exterior("collector")
    at = mesh.part("solid").dof_of[end.vertex]
    at, area = at[at >= 0], end.area[at >= 0]  # liquid may touch the collector, too

    def current(phi: Array) -> Any:
        return IDEAL * phi, (np.full_like(phi, IDEAL),)

    return Exchange([(phi_s, at)], current, area, [(phi_s, at, 1.0)])


def _entering(unknown: Unknown, source: Source) -> Exchange:
    """What enters a balance whatever the state is."""
    n = unknown.u.x.array.size
    dofs = np.arange(n, dtype=np.int32)

    def amount(u: Array) -> Any:
        return source(), (np.zeros_like(u),)

    return Exchange([(unknown, dofs)], amount, np.ones(n), [(unknown, dofs, -1.0)])


def _share(x: Array, a: float) -> tuple[Array, Array]:
    """x^a and its derivative; constant below a thousandth, where salt is depleted."""
    inside = np.maximum(x, LEAST_SALT)
    value = inside**a
    slope = a * value / inside
    # constant below: a tangent would turn the current round
    return value, np.where(x > LEAST_SALT, slope, 0.0)


def _salt_share(case: Any) -> float:
    """(1 - t_0) / F."""
    t_plus = case.electrolyte.t_plus.evaluate(np.array(case.electrolyte.concentration))
    return (1.0 - float(t_plus)) / F


def _liquid_dofs(case: Any, mesh: Any, c_l: Unknown | None, vertex: Any) -> Any:
    if c_l is None:  # one number
        return np.zeros(len(vertex), dtype=np.int32)
    return mesh.part(pore_space(case)).dof_of[vertex]


def _idle(phi_l: Unknown, exchanges: Sequence[Exchange]) -> Any:
    """Local dofs of phi_l in pores that nothing charges, and so of no defined potential."""
    at = [dofs for e in exchanges for unknown, dofs in e.arguments if unknown is phi_l]
    return np.flatnonzero(~reached(phi_l.space, np.concatenate(at)))


def _maps(case: Any, mesh: Any, resolved: bool) -> list[Any]:
    names = ("nmc", "solid", pore_space(case)) if resolved else ("nmc", "solid")
    return [mesh.part(name).entity_map for name in names]


def _solver(case: Any, mesh: Any, unknowns: Sequence[Unknown]) -> LinearSolver:
    """In 3D a factorisation fills in: from a few thousand unknowns on, iterations are faster."""
    kind = str(case.numerics.linear_solver)
    if kind == "auto":
        size = sum(u.space.dofmap.index_map.size_global for u in unknowns)
        kind = "iterative" if mesh.dimension == 3 and size > DIRECT_IN_3D else "direct"
    return LinearSolver(kind, scales=[u.scale for u in unknowns])
