"""What is watched, limited and conserved in an electrode: its particles, its voltage, its balances.

The power that goes in leaves as heat in the conductors and at the surfaces, or is stored:

    V I = electronic + contact + ionic + kinetic + lithium + integral of i U(theta)

    electronic   integral of K |grad phi_s|^2 over NMC and binder; contact, over the contacts
    ionic        - integral of i_l . grad phi_l
    kinetic      integral of i eta over NMC;   lithium   integral of i_Li eta_Li

which follows from the balances of charge, tested with phi_s and phi_l. Divided by I they are the
parts of V. The last is U of the mean theta and what diffusion costs, taken as the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from dolfinx import fem
from dolfinx.la import InsertMode
from mpi4py import MPI
from ufl import grad, inner

from nmcsim.constants import F
from nmcsim.errors import InputError, Mistake
from nmcsim.models.model import Field, Model
from nmcsim.observe.reductions import Extremes
from nmcsim.results import Particles
from nmcsim.solve.drive import Event
from nmcsim.solve.fields import Array, Unknown
from nmcsim.solve.problem import Problem

if TYPE_CHECKING:
    from nmcsim.models.electrode import Balances

__all__ = ["conductors", "pore_space", "pores", "watched"]

EMPTY = 1e-3  # stoichiometry of a surface without lithium; 1 - EMPTY of a full one
BEYOND = 1e-6  # a state on the end of a range is inside it
DEPLETED = 0.01  # c_l over that of the start: as good as none
QUIET = 1e-6  # current over that of 1C: at rest
DRIFT_LIMIT = 1e-8
OVERPOTENTIALS = ("V_electronic", "V_contact", "V_ionic", "V_kinetic", "V_lithium")
PARTS = ("V_U", "V_diffusion", *OVERPOTENTIALS)


def watched(case: Any, mesh: Any, problem: Problem, balances: Balances, active: Any) -> Model:
    """The model of an electrode, from its balances.

    Parameters
    ----------
    case : Case
    mesh : Mesh
    problem : Problem
    balances : Balances
    active : (n,) bool array
        Which local nodes of the solid have an electronic path to the collector.
    """
    watch = _Watch(case, mesh, problem, balances, active)
    one_c = case.protocol.one_c(watch.mass)

    def set_current(amperes: float) -> None:
        problem.set(current=amperes, hold=0.0)

    def set_voltage(volts: float) -> None:
        problem.set(voltage=volts, hold=1.0)

    b = balances
    span = 3600.0 * one_c / (F * watch.sites) if one_c else math.nan
    extremes = Extremes(b.theta, problem.slice(b.theta))
    discharged = case.material.theta_discharged
    observables: dict[str, Callable[[Array], float]] = {
        "voltage": lambda state: problem.scalar(state, "voltage"),
        "current": lambda state: problem.scalar(state, "current"),
        "charge": lambda state: problem.scalar(state, "charge"),
        "soc": lambda state: (discharged - watch.theta_mean(state)) / span,
        "theta_mean": watch.theta_mean,
        "theta_min": extremes.least,
        "theta_max": extremes.largest,
        "soc_variance": watch.variance,
    }
    conserved: dict[str, Callable[[Array], float]] = {}
    if b.c_l is not None:
        salt = Extremes(b.c_l, problem.slice(b.c_l))
        observables |= {"c_l_min": salt.least, "c_l_max": salt.largest}
        conserved["salt"] = watch.salt
    return Model(
        problem=problem,
        fields=watch.fields(),
        set_current=set_current,
        set_voltage=set_voltage,
        one_c=one_c,
        mass=watch.mass,
        observables=observables,
        guards=_guards(case, watch),
        inventory=lambda state: watch.sites * watch.theta_mean(state),
        likely=_likely,
        where=watch.said,
        theta_charged=max(0.02, discharged - (span if one_c else 0.65)),
        theta_discharged=discharged,
        together=(watch.parts_of_voltage,),
        particles=watch.particles(),
        per_particle={
            "theta_mean": watch.theta_of_particles,
            "theta_surface": watch.theta_at_surfaces,
            "current": watch.currents,
            "phi_s": watch.potentials,
        },
        conserved=conserved,
        balances={"charge": watch.charge_error},
        drift_limit=DRIFT_LIMIT,
        facts=watch.facts(),
        notices=watch.notices(),
    )


def conductors(case: Any, mesh: Any) -> list[tuple[str, float]]:
    """Regions of constant conductivity [S/m]."""
    both = (("contact", case.contact.conductivity), ("binder", case.binder.conductivity))
    return [(name, float(value)) for name, value in both if mesh.has(name)]


def pore_space(case: Any) -> str:
    """The part of the mesh that holds electrolyte: dense binder has none."""
    return "ionic" if case.binder.porosity > 0.0 else "liquid"


def pores(case: Any, mesh: Any) -> list[tuple[str, float, float]]:
    """Where electrolyte is: region, its volume share, and its share of the free transport."""
    porosity, exponent = case.binder.porosity, case.binder.bruggeman
    found = [("liquid", 1.0, 1.0)]
    if mesh.has("binder") and porosity > 0.0:
        found.append(("binder", porosity, porosity**exponent))
    return found


class _Watch:
    """Reductions of a state, prepared once; all its methods are collective.

    Parameters
    ----------
    case, mesh, problem, balances, active
        As for `watched`.
    """

    def __init__(
        self, case: Any, mesh: Any, problem: Problem, balances: Balances, active: Any
    ) -> None:
        self.case, self.mesh, self.problem, self.b = case, mesh, problem, balances
        self.comm = mesh.comm
        self.count = len(case.geometry.particles)
        self._maps = problem.entity_maps
        theta, nmc = balances.theta, mesh.part("nmc")
        self.where = problem.slice(theta)
        self.particle = _numbers(case, mesh, nmc)  # of each local dof of theta
        self.own = self.particle[: theta.owned]
        self.volume = self._nodal(theta.test * mesh.dx("nmc", 1, "vertex"), theta)
        self.volumes = self._by_particle(self.volume, self.own)
        at_s = np.full(len(self.particle), -1, dtype=np.int64)  # solid dof of each dof of theta
        both = (nmc.dof_of >= 0) & (mesh.part("solid").dof_of >= 0)
        at_s[nmc.dof_of[both]] = mesh.part("solid").dof_of[both]
        self._at_s = at_s[: theta.owned]
        takes_part = np.zeros(self.count)
        np.logical_or.at(reach := np.zeros(self.count, dtype=bool), self.own, active[self._at_s])
        takes_part[:] = reach
        self.active = self._sum(takes_part) > 0.0
        if not self.active.any():
            raise InputError(
                Mistake("geometry", "no particle is in electronic contact with the collector")
            )
        self.areas = self._by_particle(balances.reaction.weight, balances.particle)
        self.sites = case.material.site_density * float(self.volumes.sum())
        self.mass = case.material.density * float(self.volumes.sum())
        self._forms = self._power_forms()
        self._of: bytes = b""

    # -- lithium ------------------------------------------------------------------------------

    def theta_of_particles(self, state: Array) -> Array:
        """Mean lithium per site of each particle; (p,)."""
        return self._by_particle(self.volume * state[self.where], self.own) / self.volumes

    def theta_mean(self, state: Array) -> float:
        return self._total(float(self.volume @ state[self.where])) / float(self.volumes.sum())

    def variance(self, state: Array) -> float:
        """Between the means of the particles, by volume."""
        theta, share = self.theta_of_particles(state), self.volumes / self.volumes.sum()
        return float(share @ (theta - share @ theta) ** 2)

    def theta_at_surfaces(self, state: Array) -> Array:
        """Mean lithium per site on the reacting surface of each particle; NaN without one; (p,)."""
        self._assign(state)
        (theta, dofs), reaction = self.b.reaction.arguments[0], self.b.reaction
        there = reaction.weight * theta.u.x.array[dofs]
        with np.errstate(invalid="ignore"):
            return np.asarray(self._by_particle(there, self.b.particle) / self.areas)

    def currents(self, state: Array) -> Array:
        """Interfacial current of each particle [A]; (p,)."""
        self._assign(state)
        reaction = self.b.reaction
        return self._by_particle(reaction.weight * reaction.value(), self.b.particle)

    def potentials(self, state: Array) -> Array:
        """Mean potential of the solid of each particle [V]; NaN without contact; (p,)."""
        self._assign(state)
        phi_s = self.b.phi_s.u.x.array[self._at_s]
        mean = self._by_particle(self.volume * phi_s, self.own) / self.volumes
        return np.where(self.active, mean, np.nan)

    def salt(self, state: Array) -> float:
        """Salt in the pores [mol]."""
        assert self.b.c_l is not None
        return self._total(float(self._pore @ state[self.problem.slice(self.b.c_l)]))

    def salt_means(self, state: Array) -> Array:
        """Mean concentration of salt in the pores [mol/m3]; (1,)."""
        return np.array([self.salt(state) / self._total(float(self._pore.sum()))])

    # -- charge -------------------------------------------------------------------------------

    def parts_of_voltage(self, state: Array) -> dict[str, float]:
        """The voltage by what it is spent on [V]; NaN at rest."""
        now = dict.fromkeys(PARTS, math.nan)
        current, V = self.problem.scalar(state, "current"), self.problem.scalar(state, "voltage")
        if abs(current) <= QUIET * self.b.I.scale:
            return now
        self._assign(state)
        power = {name: self._integral(form) for name, form in self._forms.items()}
        reaction, metal = self.b.reaction, self.b.lithium
        values = [u.u.x.array[dofs] for u, dofs in reaction.arguments]
        U = self.case.material.U.curve()
        i = reaction.weight * reaction.value()
        power["V_kinetic"] = self._total(float(i @ (values[1] - values[2] - U(values[0]))))
        eta = -V - metal.arguments[1][0].u.x.array[metal.arguments[1][1]]
        power["V_lithium"] = self._total(float((metal.weight * metal.value()) @ eta))
        now |= {name: power.get(name, 0.0) / current for name in OVERPOTENTIALS}
        share = self.volumes * self.active
        now["V_U"] = float(U(float(share @ self.theta_of_particles(state) / share.sum())))
        now["V_diffusion"] = V - now["V_U"] - sum(now[name] for name in OVERPOTENTIALS)
        return now

    def charge_error(self, state: Array) -> float:
        """Current at the collector against that of the cell, over 1C."""
        self._assign(state)
        end, current = self.b.collector, self.problem.scalar(state, "current")
        error = self._total(float(end.weight @ end.value())) + current  # what leaves there is -I
        return error / max(abs(current), 1e-2 * self.b.I.scale)

    def _power_forms(self) -> dict[str, Any]:
        """Compiled integrals of what conductors turn into heat [W]."""
        case, mesh, phi_s = self.case, self.mesh, self.b.phi_s.u
        K = self.b.conductivity.value
        heat = inner(grad(phi_s), grad(phi_s))
        electronic = K * heat * mesh.dx("nmc", 1)
        found = {}
        for region, conductivity in conductors(case, mesh):
            if region == "contact":
                found["V_contact"] = self._compile(conductivity * heat * mesh.dx(region, 0))
            else:
                electronic = electronic + conductivity * heat * mesh.dx(region, 0)
        found["V_electronic"] = self._compile(electronic)
        if self.b.c_l is not None:
            kappa, Psi = self.b.migration
            phi_l = self.b.phi_l.u
            ionic: Any = 0
            pore: Any = 0
            for region, porosity, share in pores(case, mesh):
                moved = kappa.value * inner(grad(phi_l), grad(phi_l)) * mesh.dx(region, 1)
                pushed = inner(grad(Psi.value), grad(phi_l)) * mesh.dx(region, 0)
                ionic = ionic + share * moved - share * pushed
                pore = pore + porosity * self.b.c_l.test * mesh.dx(region, 1, "vertex")
            found["V_ionic"] = self._compile(ionic)
            self._pore = self._nodal(pore, self.b.c_l)
        return found

    # -- in words -----------------------------------------------------------------------------

    def fields(self) -> list[Field]:
        """What is mapped: theta by particle, the potentials and the salt by region."""
        nmc, b = self.mesh.part("nmc"), self.b
        names = tuple(p.name for p in self.case.geometry.particles)
        cells = b.theta.space.dofmap.list
        found = [
            Field(
                b.theta, "lithium per site", "nmc", nmc.original_cells, names, "particle",
                self.particle[cells[:, 0]], self.theta_of_particles,
            ),
            self._by_region(b.phi_s, "potential of the solid", "solid", "solid"),
        ]  # fmt: skip
        if b.c_l is not None:
            pores_at = pore_space(self.case)
            found.append(
                self._by_region(
                    b.c_l, "salt concentration", "electrolyte", pores_at, self.salt_means
                )
            )
            found.append(
                self._by_region(b.phi_l, "potential of the liquid", "electrolyte", pores_at)
            )
        return found

    def _by_region(
        self, unknown: Unknown, description: str, file: str, part: str, means: Any = None
    ) -> Field:
        names = [n for n in ("nmc", "contact", "binder", "liquid") if self.mesh.has(n)]
        here = self.mesh.part(part)
        tags = self.mesh.tag_of_cell[here.parent_cells]
        number = np.zeros(len(tags), dtype=np.int64)
        for k, name in enumerate(names):
            number[np.isin(tags, self.mesh.tags[name])] = k
        return Field(
            unknown, description, file, here.original_cells, tuple(names), "region", number, means
        )

    def particles(self) -> Particles:
        """The particles, as meshed."""
        given = self.case.geometry.particles
        return Particles(
            names=tuple(p.name for p in given),
            centre=np.array([p.centre for p in given], dtype=float),
            volume=self.volumes,
            obstruction=np.array([-1 if p.obstruction is None else p.obstruction for p in given]),
            observed=np.array([p.observed for p in given], dtype=bool),
            fragment_of=np.array([-1 if p.fragment_of is None else p.fragment_of for p in given]),
            active=self.active,
        )

    def said(self, point: Array, state: Array) -> str:
        """A position in words, with the particle whose node is nearest and theta there."""
        X = np.asarray(self.b.theta.space.tabulate_dof_coordinates())[: self.b.theta.owned]
        distance = np.linalg.norm(X - point, axis=1)
        k = int(np.argmin(distance)) if distance.size else -1
        own = (np.inf, -1, np.nan)
        if k >= 0:
            own = (float(distance[k]), int(self.own[k]), float(state[self.where][k]))
        near, number, theta = min(self.comm.allgather(own))
        dimension = self.mesh.dimension
        text = ", ".join(f"{1e6 * x:.3g}" for x in np.asarray(point)[:dimension] + 0.0)
        name = self.case.geometry.particles[number].name
        on = "in" if near < 1e-9 else "near"
        return f"({text}) um {on} {name}, theta = {theta:.4g}"

    def extreme(self, state: Array, sign: float, unknown: Unknown) -> str:
        """The place of the largest (sign 1) or least (-1) value of a field."""
        values = sign * state[self.problem.slice(unknown)]
        own: tuple[float, list[float]] = (-np.inf, [0.0, 0.0, 0.0])
        if values.size:
            k = int(np.argmax(values))
            own = (float(values[k]), unknown.space.tabulate_dof_coordinates()[k].tolist())
        return self.said(np.array(max(self.comm.allgather(own))[1]), state)

    def facts(self) -> dict[str, float]:
        """Measured geometry, SI."""
        given = {"volume": float(self.volumes.sum()), "reacting_area": float(self.areas.sum())}
        for region in ("binder", "liquid", "contact"):
            if self.mesh.has(region):
                given[f"{region}_volume"] = self.mesh.measure(region)
        return given

    def notices(self) -> list[str]:
        """Which particles take no part, and why."""
        found = []
        for particle, active, area in zip(
            self.case.geometry.particles, self.active, self.areas, strict=True
        ):
            if not active:
                found.append(
                    f"{particle.name} has no electronic contact to the collector: it keeps its"
                    " lithium and takes no part"
                )
            elif area == 0.0:
                found.append(
                    f"{particle.name} touches no electrolyte: it keeps its lithium and only"
                    " conducts electrons"
                )
        return found

    # -- sums ---------------------------------------------------------------------------------

    def _assign(self, state: Array) -> None:
        """Put a state into the unknowns' functions, and the laws that forms read, once."""
        self.problem.assign(state)
        self.problem.update_laws()

    def _compile(self, form: Any) -> Any:
        return fem.form(form, entity_maps=self._maps)

    def _integral(self, form: Any) -> float:
        return self._total(float(fem.assemble_scalar(form).real))

    def _nodal(self, form: Any, unknown: Unknown) -> Array:
        """A linear form's entries at the owned nodes of an unknown."""
        vector = fem.assemble_vector(self._compile(form))
        vector.scatter_reverse(InsertMode.add)
        return np.array(vector.array[: unknown.owned])

    def _total(self, own: float) -> float:
        return own if self.comm.size == 1 else float(self.comm.allreduce(own))

    def _sum(self, own: Array) -> Array:
        if self.comm.size == 1:
            return own
        out = np.empty_like(own)
        self.comm.Allreduce(own, out, op=MPI.SUM)
        return out

    def _by_particle(self, values: Array, number: Any) -> Array:
        # of nothing at all, on a rank without any, bincount makes integers
        return self._sum(np.bincount(number, values, minlength=self.count).astype(float))


def _numbers(case: Any, mesh: Any, nmc: Any) -> Any:
    """The particle of each local dof of the NMC part."""
    number = {mesh.tags[p.name][0]: k for k, p in enumerate(case.geometry.particles)}
    tags = mesh.tag_of_cell[nmc.parent_cells].tolist()
    of_cell = np.array([number[t] for t in tags], dtype=np.int64)  # of a rank without, too
    dofs = nmc.space.dofmap.list
    found = np.full(int(dofs.max(initial=-1)) + 1, -1, dtype=np.int64)
    found[dofs] = of_cell[:, None]
    assert (found[dofs] == of_cell[:, None]).all(), "two particles share a node"
    return found


def _guards(case: Any, watch: _Watch) -> list[Event]:
    """A surface runs empty or full, a law ends, or the electrolyte is depleted."""
    lo, hi = (0.0, 1.0) if case.physics.extrapolate else _valid(case)
    least, largest = max(lo, EMPTY), min(hi, 1.0 - EMPTY)
    more = " (set physics.extrapolate = true to go on)"
    ends = "end of the valid range of the material's laws"
    low = ("range", f"theta = {lo:g} is the lower {ends}{more}")
    high = ("range", f"theta = {hi:g} is the upper {ends}{more}")
    if least == EMPTY:
        low = ("lithium", f"lithium runs out: theta = {least:g}")
    if largest == 1.0 - EMPTY:
        high = ("lithium", f"lithium fills the sites: theta = {largest:g}")
    theta, b = watch.b.theta, watch.b
    extremes = Extremes(theta, watch.where)
    found = [
        Event(
            *low,
            lambda t, u: extremes.least(u) - least + BEYOND,
            -1,
            lambda t, u: watch.extreme(u, -1.0, theta),
        ),
        Event(
            *high,
            lambda t, u: extremes.largest(u) - largest - BEYOND,
            +1,
            lambda t, u: watch.extreme(u, 1.0, theta),
        ),
    ]
    if b.c_l is not None:
        c_l, bound = b.c_l, DEPLETED * case.electrolyte.concentration
        salt = Extremes(c_l, watch.problem.slice(c_l))
        found.append(
            Event(
                "electrolyte",
                f"the electrolyte is depleted: c_l = {bound:g} mol/m3",
                lambda t, u: salt.least(u) - bound,
                -1,
                lambda t, u: watch.extreme(u, -1.0, c_l),
            )
        )
    return found


def _valid(case: Any) -> tuple[float, float]:
    """Range of theta in which all laws of the material hold."""
    laws = [case.material.U, case.material.D, case.material.i0, case.material.K]
    return max(law.valid[0] for law in laws), min(law.valid[1] for law in laws)


def _likely(unknown: Unknown, value: float) -> str:
    """The physical reason that a failure at this value of this unknown suggests."""
    if unknown.name == "theta":
        return "a front in a particle that is steeper than its cells; try smaller cells there"
    if unknown.name == "c_l":
        return "the electrolyte runs out of salt, or its transport is too slow for this current"
    return "a potential jumps: a particle switches on faster than the step can follow"
