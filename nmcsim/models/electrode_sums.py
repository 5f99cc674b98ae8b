"""Sums over an electrode's state: lithium and charge by particle, and where the voltage goes.

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
from typing import TYPE_CHECKING, Any

import numpy as np
from dolfinx import fem
from dolfinx.la import InsertMode
from mpi4py import MPI

from nmcsim.errors import InputError, Mistake
from nmcsim.forms import compiled
from nmcsim.observe.gradients import Cells
from nmcsim.solve.fields import Array, Unknown
from nmcsim.solve.problem import Problem

if TYPE_CHECKING:
    from nmcsim.models.electrode import Balances

__all__ = ["OVERPOTENTIALS", "PARTS", "Sums", "conductors", "pore_space", "pores"]

QUIET = 1e-6  # current over that of 1C: at rest
OVERPOTENTIALS = ("V_electronic", "V_contact", "V_ionic", "V_kinetic", "V_lithium")
PARTS = ("V_U", "V_diffusion", *OVERPOTENTIALS)


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


class Sums:
    """Reductions of a state, prepared once; all its methods are collective.

    Parameters
    ----------
    case, mesh, problem, balances, active
        As for `electrode_watch.watched`.
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
        self._at = at_s
        self._conducting = self._conductors()
        self._pore, self._wet = np.zeros(0), list[tuple[float, Cells]]()
        if balances.c_l is not None:
            self._pore, self._wet = self._pores(balances.c_l)
        self._present: tuple[int, Array] = (-1, np.zeros(0))

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
        power = self._heat()
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
        """Current at the collector against that of the cell, relative; below 1 % of 1C, to that."""
        self._assign(state)
        end, current = self.b.collector, self.problem.scalar(state, "current")
        error = self._total(float(end.weight @ end.value())) + current  # what leaves there is -I
        return error / max(abs(current), 1e-2 * self.b.I.scale)

    def _heat(self) -> dict[str, float]:
        """What conductors turn into heat at the present state [W]."""
        depth, phi_s = self.mesh.thickness, self.b.phi_s.u.x.array
        K = self.b.conductivity.value.x.array
        found = dict.fromkeys(("V_electronic", "V_contact"), 0.0)
        for name, cells, constant, laws_at in self._conducting:
            field = cells.gradient(phi_s)
            sigma = constant if laws_at is None else K[laws_at].mean(axis=0)
            found[name] += cells.integral(sigma * np.square(field).sum(axis=0))
        if self.b.c_l is not None:
            kappa, Psi = (law.value.x.array for law in self.b.migration)
            phi_l, ionic = self.b.phi_l.u.x.array, 0.0
            for share, cells in self._wet:
                field = cells.gradient(phi_l)
                i_l = cells.mean(kappa) * field - cells.gradient(Psi)  # of sign -1
                ionic += share * cells.integral((i_l * field).sum(axis=0))
            found["V_ionic"] = ionic
        return {name: self._total(depth * power) for name, power in found.items()}

    def _conductors(self) -> list[tuple[str, Cells, float, Any]]:
        """Part of the voltage, cells, and their conductivity [S/m] or the dofs of K there."""
        mesh, solid, nmc = self.mesh, self.mesh.part("solid"), self.mesh.part("nmc")
        all_of_nmc = np.ones(len(nmc.parent_cells), dtype=bool)
        at_s = self._at[nmc.space.dofmap.list]
        cells = Cells.of(nmc.space, all_of_nmc, at_s)
        laws_at = np.ascontiguousarray(nmc.space.dofmap.list[: len(cells.volume)].T)
        found: list[tuple[str, Cells, float, Any]] = [("V_electronic", cells, 0.0, laws_at)]
        tags = mesh.tag_of_cell[solid.parent_cells]
        for region, conductivity in conductors(self.case, mesh):
            name = "V_contact" if region == "contact" else "V_electronic"
            there = Cells.of(solid.space, np.isin(tags, mesh.tags[region]))
            found.append((name, there, conductivity, None))
        return found

    def _pores(self, c_l: Unknown) -> tuple[Array, list[tuple[float, Cells]]]:
        """The pores that each node of c_l stands for [m3]; cells and their share of transport."""
        mesh, part = self.mesh, self.mesh.part(pore_space(self.case))
        tags = mesh.tag_of_cell[part.parent_cells]
        form: Any = 0
        cells = []
        for region, porosity, share in pores(self.case, mesh):
            form = form + porosity * c_l.test * mesh.dx(region, 1, "vertex")
            cells.append((share, Cells.of(part.space, np.isin(tags, mesh.tags[region]))))
        return self._nodal(form, c_l), cells

    # -- sums ---------------------------------------------------------------------------------

    def _assign(self, state: Array) -> None:
        """Put a state into the unknowns' functions and their laws, unless it is there."""
        assigned, present = self._present
        stale = assigned != self.problem.assigned or not np.array_equal(present, state)
        if self.comm.size > 1:  # ghosts move with it: all ranks or none
            stale = self.comm.allreduce(stale, op=MPI.LOR)
        if stale:
            self.problem.assign(state)
            self.problem.update_laws()
            self._present = (self.problem.assigned, state.copy())

    def _compile(self, form: Any) -> Any:
        return compiled(form, entity_maps=self._maps)

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
