"""A residual in UFL as a system of equations for the integrator.

    F(t, u, u_t) = 0,    J = shift dF/du_t + dF/du + (dF/dw) diag(w'(u))

u are the unknowns, w the nodal laws. The rows are sorted once
(:mod:`~nmcsim.solve.classify`) and evaluated as

    F = M u_t + A u + sum_k K_k w_k(u) + source + general(t, u, w) + exchanges(u)

with constant sparse matrices M, A, K_k. Rows are scaled so that the entries of the
Jacobian are near one, whatever the units of the balances.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mpi4py import MPI

from nmcsim.solve.blocks import SAME, BlockForms, Blocks, Mat, empty_blocks, has_any
from nmcsim.solve.classify import Split, derivative, split
from nmcsim.solve.fields import Array, Control, Exchange, Nodal, Unknown
from nmcsim.solve.linear import LinearSolver
from nmcsim.solve.pointwise import Pointwise

__all__ = ["Problem"]


class Problem:
    """The discrete system of one model on one mesh.

    Parameters
    ----------
    unknowns : sequence of Unknown
        They are stacked in this order, each rank's owned entries of the first unknown first.
    residual : sequence of ufl.Form
        One linear form per unknown, in the same order, in terms of ``unknown.u``,
        ``unknown.dt`` and ``unknown.test``; all of SI units. None where only exchanges make it.
    nodal : sequence of Nodal
        The nodal laws that the residual contains.
    controls : sequence of Control
        What :meth:`set` may change between and during steps.
    solver : LinearSolver
        How linear systems are solved.
    form_options : dict, optional
        Form compiler and JIT options, and the entity maps of spaces on parts of the mesh.
    exchanges : sequence of Exchange
        What moves between unknowns at nodes.
    pins : mapping of Unknown -> (n,) int array
        Local dofs whose equation is u = 0 in place of their row.

    Attributes
    ----------
    schedule : callable or None
        ``t -> {control: value}``, for controls that move during a step.
    timing : dict
        Seconds spent in "jit", "setup", "assembly", "factorisation" and "solve".
    """

    def __init__(
        self,
        unknowns: Sequence[Unknown],
        residual: Sequence[Any],
        nodal: Sequence[Nodal] = (),
        controls: Sequence[Control] = (),
        solver: LinearSolver | None = None,
        form_options: Mapping[str, Any] | None = None,
        exchanges: Sequence[Exchange] = (),
        pins: Mapping[Unknown, Any] | None = None,
    ) -> None:
        self.unknowns = tuple(unknowns)
        self.nodal = tuple(nodal)
        self.controls = {c.name: c for c in controls}
        self.schedule: Callable[[float], Mapping[str, float]] | None = None
        self.timing: dict[str, float] = defaultdict(float)
        self.solver = solver or LinearSolver()
        self.entity_maps = (form_options or {}).get("entity_maps")
        self._blocks = Blocks(unknowns, form_options or {})
        self.comm, self.size = self._blocks.comm, self._blocks.size
        self.global_size: int = self.comm.allreduce(self.size)

        start = time.perf_counter()
        self._pointwise = Pointwise(self._blocks, exchanges, pins or {})
        self._compile(residual)
        compiled = time.perf_counter()
        self.timing["jit"] += compiled - start
        self._allocate()
        self.timing["setup"] += time.perf_counter() - compiled

    # -- set-up ---------------------------------------------------------------------------

    def _compile(self, residual: Sequence[Any]) -> None:
        """Sort the rows and compile their forms."""
        n, compile_ = len(self.unknowns), self._blocks.compile
        u = {f.u: j for j, f in enumerate(self.unknowns)}
        u_t = {f.dt: j for j, f in enumerate(self.unknowns)}
        w = {law.value: k for k, law in enumerate(self.nodal)}
        self._source: list[Any] = [None] * n
        self._general: list[Any] = [None] * n
        self._forms_M, self._forms_A = empty_blocks(n), empty_blocks(n)
        self._forms_K = [empty_blocks(n) for _ in self.nodal]
        self._forms_G = empty_blocks(n)  # dF/du of general terms
        self._forms_Gw = [empty_blocks(n) for _ in self.nodal]  # dF/dw of general terms

        def place(forms: list[BlockForms], k: int, i: int, a: Any) -> None:
            forms[k][i][self.unknowns.index(self.nodal[k].of)] = compile_(a)

        constants: set[Any] = set()
        for i, row in enumerate(residual):
            parts = Split() if row is None else split(row, [*u, *u_t, *w])
            for a in parts.linear.values():
                constants |= set(a.constants())
            self._source[i], self._general[i] = compile_(parts.source), compile_(parts.general)
            for c, a in parts.linear.items():
                if c in u_t:
                    self._forms_M[i][u_t[c]] = compile_(a)
                elif c in u:
                    self._forms_A[i][u[c]] = compile_(a)
                else:
                    place(self._forms_K, w[c], i, a)
            if parts.general is None:
                continue
            if any(derivative(parts.general, c) is not None for c in u_t):
                raise NotImplementedError("a time derivative inside a nonlinear term")
            for c, j in u.items():
                self._forms_G[i][j] = compile_(derivative(parts.general, c))
            for c, k in w.items():
                place(self._forms_Gw, k, i, derivative(parts.general, c))
        self._has_general = any(f is not None for f in self._general)
        self._in_matrices = {n for n, c in self.controls.items() if c.value in constants}

    def _allocate(self) -> None:
        """Create the matrices, all of one sparsity pattern, and assemble the constant ones."""
        kinds = [self._forms_M, self._forms_A, self._forms_G, *self._forms_K, *self._forms_Gw]
        self._J: Mat = self._blocks.pattern(kinds)
        self._x, self._d = self._J.createVecRight(), self._J.createVecRight()
        self._y, self._r = self._J.createVecLeft(), self._J.createVecLeft()
        self._M, self._A = self._empty(self._forms_M), self._empty(self._forms_A)
        self._K = [self._empty(forms) for forms in self._forms_K]
        self._G = self._empty(self._forms_G)
        self._Gw = [self._empty(forms) for forms in self._forms_Gw]
        self._work: Mat = self._J.duplicate(copy=False) if any(self._K) else None
        self._assemble_constant()
        if self._pointwise:
            self._pointwise.allocate(self._J)
        self._stale = True
        self._src = np.zeros(self.size)
        self._slopes = [np.zeros(0) for _ in self.nodal]
        self._owned_dofs = [
            None if law.dofs is None else law.dofs[law.dofs < law.of.owned] for law in self.nodal
        ]

    def _empty(self, forms: BlockForms) -> Mat:
        return self._J.duplicate(copy=False) if has_any(forms) else None

    def _assemble_constant(self) -> None:
        """Assemble and scale what does not depend on the state."""
        forms = [self._forms_M, self._forms_A, *self._forms_K]
        for mat, a in zip([self._M, self._A, *self._K], forms, strict=True):
            if mat is not None:
                self._blocks.assemble_matrix(mat, a)
        self._scale_rows()
        self._pointwise.rescale(self._row_scales)

    def _scale_rows(self) -> None:
        """Divide each unknown's rows by the largest entry that constant matrices have there."""
        self.row_scale = np.ones(self.size)
        self._row_scales = [1.0] * len(self.unknowns)
        constant = [m for m in (self._A, *self._K) if m is not None]
        for i, f in enumerate(self.unknowns):
            mats = constant if any(self._forms_A[i]) else []
            if self._forms_M[i][i] is not None:
                mats = [self._M]
            own = max((self._blocks.largest(m, i) for m in mats), default=0.0)
            largest = self.comm.allreduce(own, op=MPI.MAX)
            if largest > 0.0:
                self._row_scales[i] = 1.0 / largest
                self.row_scale[self.slice(f)] = 1.0 / largest
        self._r.array[:] = self.row_scale
        for mat in (self._M, *constant):
            if mat is not None:
                mat.diagonalScale(self._r, None)

    # -- state ----------------------------------------------------------------------------

    def slice(self, unknown: Unknown | str) -> slice:
        """Where the owned entries of ``unknown`` stand in a state vector."""
        name = unknown if isinstance(unknown, str) else unknown.name
        i = [f.name for f in self.unknowns].index(name)
        return slice(int(self._blocks.offsets[i]), int(self._blocks.offsets[i + 1]))

    def scalar(self, state: Array, name: str) -> float:
        """The value of a global scalar unknown, on every rank."""
        part = state[self.slice(name)]
        own = float(part[0]) if part.size else 0.0
        return own if self.comm.size == 1 else float(self.comm.allreduce(own))

    def state(self) -> Array:
        """Stack the unknowns' functions into a state vector (owned entries)."""
        return np.concatenate([f.u.x.array[: f.owned] for f in self.unknowns])

    def assign(self, state: Array) -> None:
        """Put a state vector into the unknowns' functions, ghosts included."""
        for f in self.unknowns:
            f.u.x.array[: f.owned] = state[self.slice(f)]
            f.u.x.scatter_forward()

    def update_laws(self) -> None:
        """Evaluate the nodal laws at the unknowns' functions, for forms that read them."""
        for law in self.nodal:
            everywhere = law.of.u.x.array
            dofs = slice(None) if law.dofs is None else law.dofs
            law.value.x.array[dofs] = law.curve.both(everywhere[dofs])[0]

    def set(self, **values: float) -> None:
        """Set controls by name; the parts of the residual that depend on them are refreshed."""
        rebuild = False
        for name, value in values.items():
            constant = self.controls[name].value
            rebuild |= name in self._in_matrices and float(constant.value) != value
            constant.value = value
        if rebuild:
            self._assemble_constant()
        self._stale = True

    def at_time(self, t: float) -> None:
        """Set the controls that :attr:`schedule` moves in time."""
        if self.schedule is None:
            return
        for name, value in self.schedule(t).items():
            if float(self.controls[name].value.value) != value:
                self.set(**{name: value})

    # -- the system that the integrator sees ------------------------------------------------

    def residual(self, t: float, u: Array, u_t: Array) -> Array:
        """F(t, u, u_t), owned rows, scaled. Shape (size,)."""
        start = time.perf_counter()
        self.at_time(t)
        if self._stale:
            self._src = self._blocks.assemble_vector(self._source) * self.row_scale
            self._stale = False
        out = self._src.copy()
        if self._has_general or self._pointwise.exchanges:
            self.assign(u)
        if self._M is not None:
            out += self._product(self._M, self._x, u_t)
        if self._A is not None:
            out += self._product(self._A, self._x, u)
        for k, law in enumerate(self.nodal):
            w = self._evaluate(k, law, u)
            if self._K[k] is not None:
                values = np.zeros(self.size)
                values[self.slice(law.of)] = w
                out += self._product(self._K[k], self._x, values)
        if self._has_general or self._pointwise.exchanges:
            moved = self._pointwise.moved()
            out += self._blocks.assemble_vector(self._general, moved) * self.row_scale
        pinned = self._pointwise.pinned
        out[pinned] = u[pinned]
        self.timing["assembly"] += time.perf_counter() - start
        return out

    def _product(self, mat: Mat, x: Any, values: Array) -> Any:
        x.array[:] = values
        mat.mult(x, self._y)
        return self._y.array_r

    def _evaluate(self, k: int, law: Nodal, u: Array) -> Array:
        """Owned values of one law at its nodes; their slopes are kept for the Jacobian."""
        values, dofs = law.value.x.array, law.dofs
        if self._Gw[k] is not None:  # a form reads the coefficient: ghosts too
            argument = law.of.u.x.array
        else:
            argument, dofs = u[self.slice(law.of)], self._owned_dofs[k]
        if dofs is None:
            w, slopes = law.curve.both(argument)
            values[: w.size] = w
        else:
            w, slopes = law.curve.both(argument[dofs])
            values[dofs] = w
        owned = self._owned_dofs[k]
        self._slopes[k] = slopes[: law.of.owned if owned is None else owned.size]
        return np.asarray(values[: law.of.owned])

    def jacobian(self, t: float, u: Array, u_t: Array, shift: float) -> Mat:
        """J = shift dF/du_t + dF/du at the state of the last :meth:`residual` call."""
        start = time.perf_counter()
        J = self._assembled(shift)
        if self._pointwise:
            J = self._pointwise.jacobian(J)
        self.timing["assembly"] += time.perf_counter() - start
        return J

    def _assembled(self, shift: float) -> Mat:
        """The part of the Jacobian that comes from forms."""
        J = self._J
        if self._M is None:
            J.zeroEntries()
        else:
            self._M.copy(J, structure=SAME)
            J.scale(shift)
        if self._A is not None:
            J.axpy(1.0, self._A, structure=SAME)
        for k in range(len(self.nodal)):
            self._add_law(J, k)
        if self._G is not None:
            self._blocks.assemble_matrix(self._G, self._forms_G)
            self._G.diagonalScale(self._r, None)
            J.axpy(1.0, self._G, structure=SAME)
        return J

    def _add_law(self, J: Mat, k: int) -> None:
        """Add (dF/dw) diag(w'(u)) of one nodal law."""
        slopes = np.zeros(self.size)
        where, dofs = self.slice(self.nodal[k].of), self._owned_dofs[k]
        if dofs is None:
            slopes[where] = self._slopes[k]
        else:
            slopes[where.start + dofs] = self._slopes[k]
        self._d.array[:] = slopes
        if self._K[k] is not None:
            self._K[k].copy(self._work, structure=SAME)
            self._work.diagonalScale(None, self._d)
            J.axpy(1.0, self._work, structure=SAME)
        if self._Gw[k] is not None:
            self._blocks.assemble_matrix(self._Gw[k], self._forms_Gw[k])
            self._Gw[k].diagonalScale(self._r, self._d)
            J.axpy(1.0, self._Gw[k], structure=SAME)

    def factorise(self, t: float, u: Array, u_t: Array, shift: float) -> None:
        """Prepare :meth:`solve` with the Jacobian at the state of the last residual."""
        self._factor(self.jacobian(t, u, u_t, shift))

    def factorise_start(self, t: float, u: Array, u_t: Array) -> None:
        """Prepare :meth:`solve` for the consistent start.

        The unknowns are the time derivatives of differential unknowns and the values of
        algebraic ones: columns of dF/du_t and of dF/du respectively.
        """
        start = time.perf_counter()
        J = self._assembled(0.0)
        mask = np.zeros(self.size)
        for f in self.unknowns:
            mask[self.slice(f)] = float(f.algebraic)
        self._d.array[:] = mask
        J.diagonalScale(None, self._d)
        if self._M is not None:
            J.axpy(1.0, self._M, structure=SAME)
        if self._pointwise:
            J = self._pointwise.jacobian(J, algebraic_only=True)
        self.timing["assembly"] += time.perf_counter() - start
        self._factor(J)

    def _factor(self, J: Mat) -> None:
        start = time.perf_counter()
        self.solver.factorise(J, [self.slice(f) for f in self.unknowns])
        self.timing["factorisation"] += time.perf_counter() - start

    def solve(self, r: Array) -> Array:
        """J^-1 r with the last factorisation; shape (size,)."""
        start = time.perf_counter()
        self._x.array[:] = r
        self.solver.solve(self._x, self._y)
        self.timing["solve"] += time.perf_counter() - start
        return np.array(self._y.array_r)

    # -- where ------------------------------------------------------------------------------

    def worst(self, values: Array) -> tuple[Unknown, float, Array | None]:
        """The unknown, size and place [m] of the entry that is largest in its own scale.

        Collective; the place is None for a global scalar.
        """
        best: tuple[float, int, float, Any] = (-1.0, 0, 0.0, None)
        for i, f in enumerate(self.unknowns):
            part = values[self.slice(f)]
            if part.size == 0:
                continue
            j = int(np.argmax(np.abs(part)))
            size = abs(float(part[j])) / f.scale
            if not np.isfinite(size) or size > best[0]:
                place = None
                if f.space.dofmap.index_map.size_global > 1:
                    place = f.space.tabulate_dof_coordinates()[j].tolist()
                best = (size if np.isfinite(size) else np.inf, i, float(part[j]), place)
        best = max(self.comm.allgather(best), key=lambda item: item[0])
        return self.unknowns[best[1]], best[2], None if best[3] is None else np.array(best[3])
