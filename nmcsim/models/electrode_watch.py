"""What is watched, limited, conserved and said of an electrode."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nmcsim.constants import F
from nmcsim.models.electrode_sums import Sums, pore_space
from nmcsim.models.model import Field, Model
from nmcsim.observe.reductions import Extremes
from nmcsim.results import Particles
from nmcsim.solve.drive import Event
from nmcsim.solve.fields import Array, Unknown
from nmcsim.solve.problem import Problem

if TYPE_CHECKING:
    from nmcsim.models.electrode import Balances

__all__ = ["watched"]

EMPTY = 1e-3  # stoichiometry of a surface without lithium; 1 - EMPTY of a full one
BEYOND = 1e-6  # a state on the end of a range is inside it
DEPLETED = 0.01  # c_l over that of the start: as good as none
DRIFT_LIMIT = 1e-8


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


class _Watch(Sums):
    """Sums over an electrode, with its fields, particles and places in words."""

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

    def extreme(self, state: Array, sign: float, unknown: Unknown, among: Any = None) -> str:
        """The place of the largest (sign 1) or least (-1) value of a field, or of some entries."""
        where = self.problem.slice(unknown)
        entries = np.arange(where.start, where.stop) if among is None else among
        values = sign * state[entries]
        own: tuple[float, list[float]] = (-np.inf, [0.0, 0.0, 0.0])
        if values.size:
            k = int(np.argmax(values))
            own = (
                float(values[k]),
                unknown.space.tabulate_dof_coordinates()[entries[k] - where.start].tolist(),
            )
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
    taking_part = watch.where.start + np.flatnonzero(watch.active[watch.own])
    extremes = Extremes(theta, taking_part)
    found = [
        Event(
            *low,
            lambda t, u: extremes.least(u) - least + BEYOND,
            -1,
            lambda t, u: watch.extreme(u, -1.0, theta, taking_part),
        ),
        Event(
            *high,
            lambda t, u: extremes.largest(u) - largest - BEYOND,
            +1,
            lambda t, u: watch.extreme(u, 1.0, theta, taking_part),
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
        # towards none the laws level off, so that depletion has a name of its own
        most = case.electrolyte.valid_range()[1]
        if not case.physics.extrapolate:
            found.append(
                Event(
                    "range",
                    f"c_l = {most:g} mol/m3 is the upper end of the valid range of the"
                    f" electrolyte's laws{more}",
                    lambda t, u: salt.largest(u) - most * (1.0 + BEYOND),
                    +1,
                    lambda t, u: watch.extreme(u, 1.0, c_l),
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
