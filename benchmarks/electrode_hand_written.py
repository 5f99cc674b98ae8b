"""The composite electrode as a good user writes it by hand in DOLFINx, on any tagged mesh.

    NMC            N theta_t = div(N D(theta) grad theta)
    NMC, contact,
    binder         0 = div(sigma grad phi_s),        sigma = K(theta) in NMC
    liquid, binder eps c_t = div(D_eff grad c - t_plus i_l / F),   0 = div i_l
                   i_l = -kappa_eff grad phi_l + 2 kappa_eff R T / F (1 - t_plus) tdf grad(c) / c
    where they     i = i0(theta) sqrt(c / c_ref) 2 sinh(F eta / 2RT) leaves the solid with i / F of
    meet           lithium, eta = phi_s - phi_l - U(theta); on the binder a share `wetted` of it
    lithium        i_Li = i0_Li sqrt(c / c_ref) 2 sinh(F (phi_Li - phi_l) / 2RT) into the liquid
    cell           - integral of i_Li = I, or V = -phi_Li given; phi_s = 0 at the collector

Sharma et al., Nano Lett. (2022), Eqs 1-3. Each field lives on a submesh of its own (P1), forms are
written on the whole mesh with entity maps, phi_Li is one number in a Real space. Variable-step BDF2
with the error estimated from a predictor; full Newton with a fresh Jacobian and a fresh MUMPS
factorisation in each iteration (its symbolic part reused); theta's mass is lumped; laws in UFL,
quadrature of degree 2, compiled with -O3 and -ffast-math. Lengths in metres, per metre of depth.

Nothing of nmcsim's model or solver is used: the numbers are an independent check as well.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from dolfinx.mesh import create_submesh
from numpy.typing import NDArray
from petsc4py import PETSc

Array = NDArray[np.float64]
Law = Callable[[Any], Any]

F, R, T = 96485.33212, 8.314462618, 298.15  # C/mol, J/(mol K), K
SITES = 49_599.0  # mol/m3
C_REF = 1000.0  # mol/m3
THETA, PHI_S, C, PHI_L, PHI_LI = range(5)
SCALE = (1.0, 1.0, C_REF, 1.0, 1.0)
COMPILER = ["-O3", "-march=native", "-ffast-math"]


# --- laws ------------------------------------------------------------------------------------

# powers 0 to 14 of theta in the OCV of Colclasure et al., Electrochim. Acta 337 (2020) 135854
COLCLASURE = (
    5.3147356330003, -4.15827660360906, 27.2340921804213, -272.485166844578, 1190.22342119331,
    -2073.76554757481, -829.790460410703, 8698.11275534872, -10743.7433318619, -2057.80887352635,
    12656.3097851240, -1571.09426436509, -14557.4206229136, 13176.5754448427, -3640.11769200149,
)  # fmt: skip
U_RANGE = (0.3, 0.999)


def _flat(t: Any) -> Any:
    """OCV [V] within `U_RANGE`: Colclasure's up to 0.9, flat above, a drop at 1; our choice."""
    g = t - 0.01 * ufl.ln(1.0 + ufl.exp((t - 0.9) / 0.01))
    value: Any = 0.0
    for coefficient in reversed(COLCLASURE):
        value = value * g + coefficient
    return value - 0.1 * (t - g) - 1.15 * ufl.exp((t - 0.998) / 0.0018)


def _end(theta: float) -> tuple[float, float]:
    """Value and slope of the OCV at one number."""
    t = ufl.variable(ufl.as_ufl(theta))
    slope = ufl.algorithms.apply_derivatives.apply_derivatives(ufl.diff(_flat(t), t))
    return float(_flat(ufl.as_ufl(theta))), float(slope)


def open_circuit_voltage(theta: Any) -> Any:
    """U [V], with the slope of its ends outside the range of the data."""
    low, high = U_RANGE
    inside = ufl.max_value(ufl.min_value(theta, high), low)
    (_, below), (_, above) = _end(low), _end(high)
    outside = below * ufl.min_value(theta - low, 0.0) + above * ufl.max_value(theta - high, 0.0)
    return _flat(inside) + outside


def step(x: Any) -> Any:
    """1 / (1 + exp(-x)), finite however large x is."""
    return 0.5 * (1.0 + ufl.tanh(0.5 * x))


def ten_to(x: Any) -> Any:
    """10**x."""
    return ufl.exp(float(np.log(10.0)) * x)


def exchange_current(theta: Any) -> Any:
    """i0 [A/m2] at c_ref, k = 5e-11 m/s; its argument is clamped, or the root is NaN."""
    t = ufl.max_value(ufl.min_value(theta, 1.0 - 1e-4), 1e-3)
    return F * 5e-11 * SITES * ufl.sqrt(t * (1.0 - t))


@dataclass(frozen=True)
class Parameters:
    """Laws in UFL, of theta or of c [mol/m3]; the electrolyte of Nyman et al. (2008)."""

    U: Law = open_circuit_voltage
    D: Law = lambda t: ten_to(-14.0 - 2.0 * step((t - 0.88) / 0.03))
    K: Law = lambda t: ten_to(-6.0 * step((t - 0.93) / 0.015))
    i0: Law = exchange_current
    kappa: Law = lambda c: 1.297e-10 * c**3 - 2.51e-3 * c / 31.6227766 * c**0.5 + 3.329e-3 * c
    D_l: Law = lambda c: 8.794e-17 * c**2 - 3.972e-13 * c + 4.862e-10
    t_plus: Law = lambda c: 0.2594
    tdf: Law = lambda c: 1.0
    sites: float = SITES
    i0_lithium: float = 70.0  # A/m2
    K_binder: float = 1e4  # S/m
    K_contact: float = 1.0  # S/m
    porosity: float = 0.5
    bruggeman: float = 1.5
    wetted: float = 1.0
    theta_start: float = 0.99


# --- the mesh --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tagged:
    """A mesh whose cells and exterior facets have integer tags.

    Parameters
    ----------
    domain : dolfinx.mesh.Mesh
        Straight triangles [m], on one rank.
    cells : (c,) int array
        Tag of each cell.
    facets : mapping of str to int array
        Exterior facets, local numbers: `collector` and `lithium`.
    particles : tuple of int
        Tags of the particles.
    contact, binder, liquid : tuple of int
        Tags of the other regions; may be empty but the last.
    """

    domain: Any
    cells: NDArray[np.integer]
    facets: Mapping[str, NDArray[np.int32]]
    particles: tuple[int, ...]
    contact: tuple[int, ...]
    binder: tuple[int, ...]
    liquid: tuple[int, ...]

    def of(self, *tags: int) -> NDArray[np.int32]:
        """Cells with one of the tags."""
        return np.flatnonzero(np.isin(self.cells, tags)).astype(np.int32)

    def between(self, first: Sequence[int], second: Sequence[int]) -> NDArray[np.int32]:
        """Integration entities of inner facets, flat; "+" is the side of `first`."""
        mesh = self.domain
        dim = mesh.topology.dim
        mesh.topology.create_connectivity(dim - 1, dim)
        mesh.topology.create_connectivity(dim, dim - 1)
        to_cell = mesh.topology.connectivity(dim - 1, dim)
        inner = np.flatnonzero(np.diff(to_cell.offsets) == 2).astype(np.int32)
        integral = fem.IntegralType.interior_facet
        rows = np.asarray(fem.compute_integration_domains(integral, mesh.topology, inner))
        rows = rows.reshape(-1, 4)
        a, b = self.cells[rows[:, 0]], self.cells[rows[:, 2]]
        right = np.isin(a, first) & np.isin(b, second)
        wrong = np.isin(b, first) & np.isin(a, second)
        found = np.concatenate([rows[right], rows[wrong][:, [2, 3, 0, 1]]])
        assert np.isin(self.cells[found[:, 0]], first).all()
        return found.ravel()


# --- the equations ---------------------------------------------------------------------------


def charge_transfer(i0: Any, eta: Any) -> Any:
    """2 i0 sinh(F eta / 2RT), with its slope beyond |argument| = 12."""
    x = F / (2.0 * R * T) * eta
    inside = ufl.max_value(ufl.min_value(x, 12.0), -12.0)
    return 2.0 * i0 * (ufl.sinh(inside) + float(np.cosh(12.0)) * (x - inside))


class Electrode:
    """Residual and Jacobian as PETSc objects, and what is read off a state.

    Parameters
    ----------
    mesh : Tagged
    parameters : Parameters
    scale : float
        Current [A/m] that the rows are divided by.
    K_at : str
        Where K(theta) is evaluated: "points" of the quadrature, as one writes it, or "nodes", which
        is K interpolated. Within a cell or two of the surface K rises by orders of magnitude: on
        the cells of `meshes/columns.py` the points leave several times the error of t25 in space,
        of the other sign.
    """

    def __init__(
        self, mesh: Tagged, parameters: Parameters, scale: float, K_at: str = "points"
    ) -> None:
        self.mesh, self.parameters, self.K_at = mesh, parameters, K_at
        domain, p = mesh.domain, parameters
        nmc, ionic = mesh.particles, (*mesh.liquid, *mesh.binder)
        parts = [create_submesh(domain, domain.topology.dim, mesh.of(*tags))[:2]
                 for tags in (nmc, (*nmc, *mesh.contact, *mesh.binder), ionic)]  # fmt: skip
        self.maps = [entity_map for _, entity_map in parts]
        N, S, L = (fem.functionspace(sub, ("Lagrange", 1)) for sub, _ in parts)
        real = basix.ufl.real_element(domain.basix_cell())
        self.spaces = [N, S, L, L.clone(), fem.functionspace(domain, real)]
        self.u = [fem.Function(space) for space in self.spaces]
        self.rate = [fem.Function(space) for space in self.spaces]
        self.shift = fem.Constant(domain, 1.0)
        self.current = fem.Constant(domain, 0.0)  # A/m
        self.voltage = fem.Constant(domain, 0.0)
        self.held = fem.Constant(domain, 0.0)  # 1 at constant voltage
        collector = fem.locate_dofs_geometrical(S, self._near("collector"))
        self.grounded = fem.dirichletbc(0.0, collector, S)
        self._measures(mesh)
        self._compile(p, scale)
        sizes = [space.dofmap.index_map.size_local for space in self.spaces]
        ends = np.cumsum([0, *sizes])
        self.rows = [slice(a, b) for a, b in pairwise(ends)]
        self.size = int(ends[-1])
        self.fixed = self.rows[PHI_S].start + collector

    def _near(self, surface: str) -> Callable[[Array], NDArray[np.bool_]]:
        """Marks the plane of a straight horizontal surface."""
        domain = self.mesh.domain
        x = domain.geometry.x
        vertices = fem.locate_dofs_topological(
            fem.functionspace(domain, ("Lagrange", 1)), 1, self.mesh.facets[surface]
        )
        height = float(x[:, 1].max()) if surface == "lithium" else float(x[:, 1].min())
        assert vertices.size
        return lambda X: np.isclose(X[1], height, rtol=0.0, atol=1e-6 * np.ptp(x[:, 1]))

    def _measures(self, mesh: Tagged) -> None:
        """Integrals by region, over the reacting surfaces, and over the lithium."""
        cells = [(1, mesh.of(*mesh.particles)), (2, mesh.of(*mesh.contact)),
                 (3, mesh.of(*mesh.binder)), (4, mesh.of(*mesh.liquid))]  # fmt: skip
        inner = [(1, mesh.between(mesh.particles, mesh.liquid)),
                 (2, mesh.between(mesh.particles, mesh.binder))]  # fmt: skip
        facets = np.sort(mesh.facets["lithium"]).astype(np.int32)
        outer = fem.compute_integration_domains(
            fem.IntegralType.exterior_facet, mesh.domain.topology, facets
        )
        options = {"quadrature_degree": 2}
        domain = mesh.domain
        self.dx = ufl.Measure("dx", domain=domain, subdomain_data=cells, metadata=options)
        self.dS = ufl.Measure("dS", domain=domain, subdomain_data=inner, metadata=options)
        lithium = [(1, np.asarray(outer).ravel())]
        self.ds = ufl.Measure("ds", domain=domain, subdomain_data=lithium, metadata=options)(1)
        vertex = {"quadrature_rule": "vertex", "quadrature_degree": 1}
        self.lumped = ufl.Measure("dx", domain=domain, subdomain_data=cells, metadata=vertex)

    def _compile(self, p: Parameters, scale: float) -> None:
        theta, phi_s, c, phi_l, phi_Li = self.u
        theta_t, _, c_t, _, _ = self.rate
        v_t, v_s, v_c, v_l, v_Li = (ufl.TestFunction(space) for space in self.spaces)
        dx, grad, inner = self.dx, ufl.grad, ufl.inner

        def ionic_current(share: float) -> Any:
            kappa = share**p.bruggeman * p.kappa(c)
            thermal = 2.0 * R * T / F * (1.0 - p.t_plus(c)) * p.tdf(c)
            return -kappa * grad(phi_l) + kappa * thermal / c * grad(c)

        def salt(share: float, measure: Any) -> Any:
            flux = -(share**p.bruggeman) * p.D_l(c) * grad(c) + p.t_plus(c) / F * ionic_current(
                share
            )
            return F * (share * c_t * v_c - inner(flux, grad(v_c))) * measure

        s, e = "+", "-"  # "+" is NMC: facets are ordered so
        eta = phi_s(s) - phi_l(e) - p.U(theta(s))
        reaction = charge_transfer(p.i0(theta(s)) * ufl.sqrt(c(e) / C_REF), eta)
        metal = charge_transfer(p.i0_lithium * ufl.sqrt(c / C_REF), phi_Li - phi_l)
        F_t = F * p.sites * theta_t * v_t * self.lumped(1)
        F_t += F * p.sites * p.D(theta) * inner(grad(theta), grad(v_t)) * dx(1)
        conducting = {"points": dx(1), "nodes": self.lumped(1)}[self.K_at]
        F_s = p.K(theta) * inner(grad(phi_s), grad(v_s)) * conducting
        F_s += p.K_contact * inner(grad(phi_s), grad(v_s)) * dx(2)
        F_s += p.K_binder * inner(grad(phi_s), grad(v_s)) * dx(3)
        F_c = salt(1.0, dx(4)) + salt(p.porosity, dx(3)) - metal * v_c * self.ds
        F_l = -inner(ionic_current(1.0), grad(v_l)) * dx(4)
        F_l += -inner(ionic_current(p.porosity), grad(v_l)) * dx(3) - metal * v_l * self.ds
        for share, where in ((1.0, self.dS(1)), (p.wetted, self.dS(2))):
            F_t += share * reaction * v_t(s) * where
            F_s += share * reaction * v_s(s) * where
            F_c += -share * reaction * v_c(e) * where
            F_l += -share * reaction * v_l(e) * where
        one = fem.Constant(self.mesh.domain, 1.0)
        width = fem.assemble_scalar(fem.form(one * self.ds))
        current = metal + self.current / width
        voltage = (phi_Li + self.voltage) * scale / width
        F_Li = ((1.0 - self.held) * current + self.held * voltage) * v_Li * self.ds
        rows = [(1.0 / scale) * form for form in (F_t, F_s, F_c, F_l, F_Li)]
        self.F = [self._form(row) for row in rows]
        self.J = [[self._block(row, k) for k in range(5)] for row in rows]
        self.lithium_current = self._form(metal * self.ds)
        self.A = fem_petsc.create_matrix(self.J)
        self.b = fem_petsc.create_vector(self.spaces)

    def _form(self, form: Any) -> Any:
        return fem.form(
            form, entity_maps=self.maps, jit_options={"cffi_extra_compile_args": COMPILER}
        )

    def _block(self, row: Any, k: int) -> Any:
        """shift dF/du_t + dF/du for one field; None where it is zero."""
        trial = ufl.TrialFunction(self.spaces[k])
        whole = ufl.derivative(row, self.u[k], trial)
        whole += self.shift * ufl.derivative(row, self.rate[k], trial)
        whole = ufl.algorithms.expand_derivatives(whole)
        return None if whole.empty() else self._form(whole)

    def set(self, state: Array, rate: Array, shift: float) -> None:
        """Values of the fields and their rates, and d(rate)/d(state)."""
        self.shift.value = shift
        for function, target, where in zip(self.u, self.rate, self.rows, strict=True):
            function.x.array[:] = state[where]
            target.x.array[:] = rate[where]

    def residual(self) -> Any:
        """F as a vector, rows of the grounded nodes emptied."""
        self.b.zeroEntries()
        fem_petsc.assemble_vector(self.b, self.F)
        self.b.array[self.fixed] = 0.0
        return self.b

    def jacobian(self) -> Any:
        """dF as a matrix."""
        self.A.zeroEntries()
        fem_petsc.assemble_matrix(self.A, self.J, bcs=[self.grounded])
        self.A.assemble()
        return self.A

    def start(self) -> Array:
        """Uniform theta and c, potentials of an electrode at rest."""
        state = np.zeros(self.size)
        state[self.rows[THETA]] = self.parameters.theta_start
        state[self.rows[C]] = C_REF
        state[self.rows[PHI_L]] = state[self.rows[PHI_LI]] = -3.7
        return state

    def amperes(self, state: Array) -> float:
        """Current of the cell [A/m], charging positive."""
        self.set(state, 0.0 * state, 1.0)
        return -float(fem.assemble_scalar(self.lithium_current))

    def particle_weights(self) -> Array:
        """Area [m2] of each particle that each node stands for, (particles, nodes of NMC)."""
        N, found = self.spaces[THETA], []
        to_cell = np.asarray(self.maps[0].sub_topology_to_topology(
            np.arange(N.dofmap.list.shape[0], dtype=np.int32), False))  # fmt: skip
        X = N.tabulate_dof_coordinates()[N.dofmap.list][:, :, :2]
        a, b = X[:, 1] - X[:, 0], X[:, 2] - X[:, 0]
        area = 0.5 * np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        for tag in self.mesh.particles:
            mine = self.mesh.cells[to_cell] == tag
            nodes, share = N.dofmap.list[mine].ravel(), np.repeat(area[mine] / 3.0, 3)
            found.append(np.bincount(nodes, share, minlength=self.u[THETA].x.array.size))
        return np.array(found)


# --- time ------------------------------------------------------------------------------------


class NewtonFailure(Exception):
    """Newton's method did not converge."""


@dataclass
class Cost:
    """Counts, and CPU seconds by part."""

    counts: Counter[str] = field(default_factory=Counter)
    cpu: Counter[str] = field(default_factory=Counter)

    def __call__[X](self, part: str, work: Callable[[], X]) -> X:
        """Do the work, counted and timed."""
        began = time.process_time()
        result = work()
        self.cpu[part] += time.process_time() - began
        self.counts[part] += 1
        return result


class Newton:
    """Full Newton with a fresh Jacobian and a fresh factorisation in each iteration.

    Parameters
    ----------
    electrode : Electrode
    tolerance : float
        Largest update of any entry, in units of its field's scale, at which it stops.
    """

    def __init__(self, electrode: Electrode, tolerance: float) -> None:
        self.electrode, self.tolerance, self.cost = electrode, tolerance, Cost()
        self.ksp = PETSc.KSP().create(PETSc.COMM_SELF)
        self.ksp.setOperators(electrode.A)
        self.ksp.setType(PETSc.KSP.Type.PREONLY)
        pc = self.ksp.getPC()
        pc.setType(PETSc.PC.Type.LU)
        pc.setFactorSolverType(PETSc.Mat.SolverType.MUMPS)
        self.update = electrode.b.duplicate()
        self.scale = np.empty(electrode.size)
        self.potentials = np.zeros(electrode.size, dtype=bool)
        for k, where in enumerate(electrode.rows):
            self.scale[where] = SCALE[k]
            self.potentials[where] = k in (PHI_S, PHI_L, PHI_LI)

    def __call__(
        self, state: Array, shift: float, history: Array, cap: float = 0.5, most: int = 12
    ) -> Array:
        """The state for which F(u, shift u + history) = 0, from a guess.

        Parameters
        ----------
        cap : float
            Largest change of a potential in one iteration [V]; the whole update is scaled.
        most : int
            Iterations before it gives up.
        """
        e, cost, state = self.electrode, self.cost, state.copy()
        for _ in range(most):
            e.set(state, shift * state + history, shift)
            b = cost("residual", e.residual)
            A = cost("jacobian", e.jacobian)
            self.ksp.setOperators(A)
            cost("factorisation", self.ksp.setUp)
            cost("solve", lambda b=b: self.ksp.solve(b, self.update))
            change = self.update.array_r
            moved = float(np.abs(change[self.potentials]).max())
            if not np.isfinite(moved) or self.ksp.getConvergedReason() < 0:
                break
            state -= min(1.0, cap / moved if moved > 0.0 else 1.0) * change
            if float((np.abs(change) / self.scale).max()) < self.tolerance:
                return state
        raise NewtonFailure


@dataclass(frozen=True)
class Phase:
    """One step of a protocol.

    Parameters
    ----------
    kind : str
        "current" or "voltage".
    value : float
        I [A/m], charging positive, or V.
    until : float
        V that ends a constant current, or |I| [A/m] that ends a hold.
    length : float
        How long it should take [s]: a step is at most a fiftieth of it.
    """

    kind: str
    value: float
    until: float
    length: float


@dataclass
class History:
    """What happened: a row per accepted step, and where each phase ended."""

    t: list[float] = field(default_factory=list)
    V: list[float] = field(default_factory=list)
    means: list[Array] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # row in which each phase ended
    charge: list[float] = field(default_factory=list)  # A s/m in each phase, by the lithium gone


class BDF2:
    """Variable-step BDF2 with the error test by a predictor.

    Parameters
    ----------
    electrode : Electrode
    rtol : float
        Error allowed in a step, in units of each field's scale, in theta, c and phi_Li.
    newton : float
        Newton's tolerance as a share of `rtol`.
    """

    def __init__(self, electrode: Electrode, rtol: float, newton: float = 0.03) -> None:
        self.electrode, self.rtol = electrode, rtol
        self.newton = Newton(electrode, newton * rtol)
        self.tested = np.zeros(electrode.size, dtype=bool)
        for k in (THETA, C, PHI_LI):
            self.tested[electrode.rows[k]] = True
        self.weights = electrode.particle_weights()
        self.areas = self.weights.sum(axis=1)

    @property
    def cost(self) -> Cost:
        """Counts and CPU seconds of all runs so far."""
        return self.newton.cost

    def run(self, phases: Sequence[Phase], state: Array | None = None) -> History:
        """Go through the phases from `state` (from the electrode's start if absent)."""
        found, t = History(), 0.0
        u = self.electrode.start() if state is None else state
        for phase in phases:
            t, u = self._phase(phase, t, u, found)
        return found

    def _phase(self, phase: Phase, t0: float, u: Array, found: History) -> tuple[float, Array]:
        e, held = self.electrode, phase.kind == "voltage"
        e.held.value = float(held)
        (e.voltage if held else e.current).value = phase.value
        u = self._consistent(u)
        before = self._lithium(u)
        direction = 1.0 if held or phase.value > 0 else -1.0

        def left(u: Array) -> float:
            """Positive until the phase has ended: [V], or relative to the current awaited."""
            if held:
                return abs(e.amperes(u)) / phase.until - 1.0
            return direction * (phase.until + float(u[-1]))

        self._keep(found, t0, u)
        longest = phase.length / 50.0
        times, states, h = [t0], [u], min(1.0, longest)
        near = 1e-4 if held else 1e-5
        while True:
            h, new = self._step(times, states, h, longest)
            gap, last = left(new), left(states[-1])
            if gap < -near and last > 0.0:  # went too far: a shorter step, from the same point
                h, new = self._land(times, states, h, left, last, gap, near)
                gap = 0.0
            times.append(times[-1] + h)
            states.append(new)
            self._keep(found, times[-1], new)
            self.cost.counts["steps"] += 1
            if gap < near:
                break
            h = min(self._next, longest)
            del times[:-3], states[:-3]
        found.ends.append(len(found.t) - 1)
        found.charge.append(before - self._lithium(new))
        return times[-1], new

    def _consistent(self, u: Array) -> Array:
        """Potentials that belong to theta and c: backward Euler with a step of a nanosecond."""
        shift = 1e9
        return self.newton(u, shift, -shift * u, cap=0.1, most=80)

    def _step(
        self, times: list[float], states: list[Array], h: float, longest: float
    ) -> tuple[float, Array]:
        """An accepted step: its length and the new state; sets the length of the next."""
        while True:
            if h < 1e-6:
                raise RuntimeError(f"the step fell to {h:g} s at {times[-1]:g} s")
            try:
                new, error = self._try(times, states, h)
            except NewtonFailure:
                self.cost.counts["newton failures"] += 1
                h /= 3.0
                continue
            order = min(len(states), 2)
            factor = 0.9 * max(error, 1e-6) ** (-1.0 / (order + 1))
            if error <= 1.0:
                self._next = h * min(2.0, max(0.3, factor))
                return h, new
            self.cost.counts["rejected"] += 1
            h *= max(0.2, min(0.9, factor))

    def _try(self, times: list[float], states: list[Array], h: float) -> tuple[Array, float]:
        """One implicit step, and its error in units of the tolerance."""
        u = states[-1]
        if len(states) == 1:  # backward Euler; a first step of a second needs no test
            return self.newton(u, 1.0 / h, -u / h), 0.0
        h1 = times[-1] - times[-2]
        w = h / h1
        shift = (1.0 + 2.0 * w) / (1.0 + w) / h
        history = (-(1.0 + w) * u + w * w / (1.0 + w) * states[-2]) / h
        guess = u + w * (u - states[-2])
        own = (1.0 + w) ** 2 / (6.0 * w * (1.0 + 2.0 * w))
        share = 1.0
        if len(states) > 2:
            h2 = times[-2] - times[-3]
            second = ((u - states[-2]) / h1 - (states[-2] - states[-3]) / h2) / (h1 + h2)
            guess = guess + h * (h + h1) * second
            predictor = (h + h1) * (h + h1 + h2) / (6.0 * h * h)
            share = own / (own + predictor)
        new = self.newton(guess, shift, history)
        gap = np.abs(new - guess) / self.newton.scale
        return new, share * float(gap[self.tested].max()) / self.rtol

    def _land(
        self,
        times: list[float],
        states: list[Array],
        h: float,
        left: Callable[[Array], float],
        last: float,
        gap: float,
        near: float,
    ) -> tuple[float, Array]:
        """The step that ends where `left` is zero, by regula falsi on the length of the step."""
        low, high, at_low, at_high = 0.0, h, last, gap
        for _ in range(30):
            middle = low + (high - low) * at_low / (at_low - at_high)
            new, _ = self._try(times, states, middle)
            value = left(new)
            if abs(value) < near:
                break
            if value > 0.0:
                low, at_low, at_high = middle, value, 0.5 * at_high if low else at_high
            else:
                high, at_high, at_low = middle, value, 0.5 * at_low if high < h else at_low
        return middle, new

    def _lithium(self, u: Array) -> float:
        """Lithium in the particles as a charge [A s/m]."""
        return float(
            F
            * self.electrode.parameters.sites
            * (self.weights @ u[self.electrode.rows[THETA]]).sum()
        )

    def _keep(self, found: History, t: float, u: Array) -> None:
        found.t.append(t)
        found.V.append(-float(u[-1]))
        found.means.append(self.weights @ u[self.electrode.rows[THETA]] / self.areas)
