"""A residual in UFL as a system of equations for the integrator.

    F(t, u, u_t) = 0,    J = shift dF/du_t + dF/du + (dF/dw) diag(w'(u))

u are the unknowns, w the nodal laws. The rows are sorted once
(:mod:`~nmcsim.solve.classify`) and evaluated as

    F = M u_t + A u + sum_k K_k w_k(u) + source + general(t, u, w) + exchanges(u)

with constant sparse blocks M, A, K_k. The Jacobian is the sum of all blocks and of the exchanges'
entries, by coordinates. Rows are scaled so that the entries of the
Jacobian are near one, whatever the units of the balances.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mpi4py import MPI

from nmcsim.solve.blocks import Block, Mat, Product
from nmcsim.solve.classify import Split, derivative, split
from nmcsim.solve.edges import Edges
from nmcsim.solve.fields import Array, Control, Exchange, Nodal, Unknown
from nmcsim.solve.linear import LinearSolver
from nmcsim.solve.pattern import Pattern
from nmcsim.solve.pointwise import Pointwise
from nmcsim.solve.product import Half, LawTimesUnknown
from nmcsim.solve.stack import Stack

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
        self.assigned = 0
        """How many states have been put into the unknowns' functions so far."""
        self._stack = Stack(unknowns, form_options or {})
        self.comm, self.size = self._stack.comm, self._stack.size
        self.global_size: int = self.comm.allreduce(self.size)
        self._pointwise = Pointwise(self._stack, exchanges)

        start = time.perf_counter()
        self._compile(residual)
        compiled = time.perf_counter()
        self.timing["jit"] += compiled - start
        self._allocate(pins or {})
        self.timing["setup"] += time.perf_counter() - compiled

    # -- set-up ---------------------------------------------------------------------------

    def _compile(self, residual: Sequence[Any]) -> None:
        """Sort the rows and compile their forms."""
        n, compile_ = len(self.unknowns), self._stack.compile
        u = {f.u: j for j, f in enumerate(self.unknowns)}
        u_t = {f.dt: j for j, f in enumerate(self.unknowns)}
        w = {law.value: k for k, law in enumerate(self.nodal)}
        law_of = [self._stack.index(law.of) for law in self.nodal]
        self._source: list[Any] = [None] * n
        self._general: list[Any] = [None] * n
        self._M: list[Block] = []  # of time derivatives
        self._A: list[Block] = []  # of the unknowns themselves
        self._K: list[tuple[int, Block]] = []  # of nodal laws: (law, block)
        self._G: list[Block] = []  # dF/du of general terms
        self._Gw: list[tuple[int, Block]] = []  # dF/dw of general terms
        self._terms: list[tuple[int, LawTimesUnknown]] = []  # products of a law and an unknown
        in_control = {c.value for c in self.controls.values()}

        constants: set[Any] = set()
        for i, row in enumerate(residual):
            laws = [law.value for law in self.nodal if law.dofs is None]
            parts = Split() if row is None else split(row, [*u, *u_t, *w], laws, in_control)
            self._source[i], self._general[i] = compile_(parts.source), compile_(parts.general)
            for c, a in parts.linear.items():
                held = set(a.constants())
                constants |= held
                j = u_t[c] if c in u_t else u[c] if c in u else law_of[w[c]]
                block = Block(i, j, compile_(a), fixed=not held & in_control)
                if c in w:
                    self._K.append((w[c], block))
                else:
                    (self._M if c in u_t else self._A).append(block)
            for (c, law), a in parts.product.items():
                j, k = u[c], w[law]
                term = LawTimesUnknown(
                    (i, self.unknowns[i]),
                    (j, self.unknowns[j]),
                    (law_of[k], self.nodal[k]),
                    a,
                    self._stack.options,
                    self._stack.parts[i],
                )
                self._terms.append((k, term))
            if parts.general is None:
                continue
            if any(derivative(parts.general, c) is not None for c in u_t):
                raise NotImplementedError("a time derivative inside a nonlinear term")
            for c, j in u.items():
                a = derivative(parts.general, c)
                if a is not None:
                    self._G.append(Block(i, j, compile_(a)))
            for c, k in w.items():
                a = derivative(parts.general, c)
                if a is not None:
                    self._Gw.append((k, Block(i, law_of[k], compile_(a))))
        self._has_general = any(f is not None for f in self._general)
        self._in_matrices = {n for n, c in self.controls.items() if c.value in constants}

    def _allocate(self, pins: Mapping[Unknown, Any]) -> None:
        """Fix the Jacobian's pattern and what adds the constant blocks to the residual."""
        stack, parts = self._stack, self._stack.parts
        u = [f.u.x.array for f in self.unknowns]
        rates = [f.dt.x.array for f in self.unknowns]
        self._products: list[Product | Edges | LawTimesUnknown] = [
            *(b.product(rates[b.j], parts[b.i]) for b in self._M),
            *(b.product(u[b.j], parts[b.i]) for b in self._A),
            *(b.product(self.nodal[k].value.x.array, parts[b.i]) for k, b in self._K),
            *(term for _, term in self._terms),
        ]
        self._moving = [j for j in range(len(u)) if any(b.j == j for b in self._M)]
        self._slopes = [np.zeros(len(law.value.x.array)) for law in self.nodal]
        marked = [stack.marked(i, pins.get(f)) for i, f in enumerate(self.unknowns)]
        self._pinned = np.concatenate(
            [m[: f.owned] for m, f in zip(marked, self.unknowns, strict=True)]
        )
        self._pattern = Pattern(stack, marked)
        for block in self._blocks():
            self._pattern.add(block.i, block.rows, block.j, block.columns)
        for entry in self._pointwise.coordinates():
            self._pattern.add(*entry)
        self._J: Mat = self._pattern.create()
        self._x, self._y = self._J.createVecRight(), self._J.createVecLeft()
        self._scale_rows()
        self._stale = True
        self._src = np.zeros(self.size)

    def _blocks(self) -> list[Block | Half]:
        """All blocks, in the order of the Jacobian's entries."""
        unknowns: list[Block | Half] = [*self._G, *(term.by_unknown for _, term in self._terms)]
        laws = [b for _, b in (*self._K, *self._Gw)]
        return [*self._M, *self._A, *unknowns, *laws, *(term.by_law for _, term in self._terms)]

    def _scale_rows(self) -> None:
        """Divide each unknown's rows by the largest entry that constant blocks have there."""
        self.row_scale = np.ones(self.size)
        self._scales = [1.0] * len(self.unknowns)
        for i, f in enumerate(self.unknowns):
            blocks = [b for b in self._M if b.i == b.j == i]
            if not blocks and any(b.i == i for b in self._A):
                blocks = [b for b in (*self._A, *(b for _, b in self._K)) if b.i == i]
            own = max((np.abs(b.values).max(initial=0.0) for b in blocks), default=0.0)
            largest = self.comm.allreduce(float(own), op=MPI.MAX)
            if largest > 0.0:
                self._scales[i] = 1.0 / largest
                self.row_scale[self.slice(f)] = 1.0 / largest

    # -- state ----------------------------------------------------------------------------

    def slice(self, unknown: Unknown | str) -> slice:
        """Where the owned entries of ``unknown`` stand in a state vector."""
        name = unknown if isinstance(unknown, str) else unknown.name
        i = [f.name for f in self.unknowns].index(name)
        return slice(int(self._stack.offsets[i]), int(self._stack.offsets[i + 1]))

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
        self.assigned += 1
        for f in self.unknowns:
            f.u.x.array[: f.owned] = state[self.slice(f)]
            if self.comm.size > 1:
                f.u.x.scatter_forward()

    def update_laws(self) -> None:
        """Evaluate the nodal laws at the unknowns' functions, and keep their slopes."""
        for k, law in enumerate(self.nodal):
            where = slice(None) if law.dofs is None else law.dofs
            value, slope = law.curve.both(law.of.u.x.array[where])
            law.value.x.array[where] = value
            self._slopes[k][where] = slope

    def set(self, **values: float) -> None:
        """Set controls by name; the parts of the residual that depend on them are refreshed."""
        rebuild = False
        for name, value in values.items():
            constant = self.controls[name].value
            rebuild |= name in self._in_matrices and float(constant.value) != value
            constant.value = value
        if rebuild:
            for block in (*self._M, *self._A, *(b for _, b in self._K)):
                if not block.fixed:
                    block.assemble()
            self._scale_rows()
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
        stack = self._stack
        if self._stale:
            stack.clear()
            stack.add_forms(self._source)
            self._src = stack.total() * self.row_scale
            self._stale = False
        self.assign(u)
        for j in self._moving:
            f = self.unknowns[j]
            f.dt.x.array[: f.owned] = u_t[self.slice(f)]
            if self.comm.size > 1:
                f.dt.x.scatter_forward()
        self.update_laws()
        stack.clear()
        for product in self._products:
            product.add()
        if self._has_general:
            stack.add_forms(self._general)
        if self._pointwise:
            self._pointwise.add()
        out = stack.total()
        out *= self.row_scale
        out += self._src
        out[self._pinned] = u[self._pinned]
        self.timing["assembly"] += time.perf_counter() - start
        return out

    def jacobian(self, t: float, u: Array, u_t: Array, shift: float) -> Mat:
        """J = shift dF/du_t + dF/du at the state of the last :meth:`residual` call."""
        start = time.perf_counter()
        self._assemble(shift, algebraic_only=False)
        self.timing["assembly"] += time.perf_counter() - start
        return self._J

    def _assemble(self, shift: float, algebraic_only: bool) -> None:
        """Fill the Jacobian; on request without the columns dF/du of differential unknowns."""
        scale, keep = self._scales, [True] * len(self.unknowns)
        if algebraic_only:
            keep = [f.algebraic for f in self.unknowns]

        def of_unknown(b: Block | Half, fresh: bool = True) -> Array:
            entries = (b.assemble() if fresh else b.values) if keep[b.j] else 0.0 * b.values
            return scale[b.i] * entries

        def of_law(k: int, b: Block | Half, fresh: bool = True) -> Array:
            entries = (b.assemble() if fresh else b.values) if keep[b.j] else 0.0 * b.values
            return self._of_law(k, b, entries)

        values = [shift * scale[b.i] * b.values for b in self._M]
        values += [of_unknown(b, fresh=False) for b in self._A]
        values += [of_unknown(b) for b in self._G]
        values += [of_unknown(t.by_unknown) for _, t in self._terms]
        values += [of_law(k, b, fresh=False) for k, b in self._K]
        values += [of_law(k, b) for k, b in self._Gw]
        values += [of_law(k, t.by_law) for k, t in self._terms]
        values += self._pointwise.values(scale, algebraic_only)
        self._pattern.fill(self._J, values)

    def _of_law(self, k: int, block: Block | Half, values: Array) -> Array:
        """(dF/dw) diag(w'(u)) of one nodal law."""
        slopes = self._slopes[k].take(block.columns)
        slopes *= values
        slopes *= self._scales[block.i]
        return slopes

    def factorise(self, t: float, u: Array, u_t: Array, shift: float) -> None:
        """Prepare :meth:`solve` with the Jacobian at the state of the last residual."""
        self._factor(self.jacobian(t, u, u_t, shift))

    def factorise_start(self, t: float, u: Array, u_t: Array) -> None:
        """Prepare :meth:`solve` for the consistent start.

        The unknowns are the time derivatives of differential unknowns and the values of
        algebraic ones: columns of dF/du_t and of dF/du respectively.
        """
        start = time.perf_counter()
        self._assemble(1.0, algebraic_only=True)
        self.timing["assembly"] += time.perf_counter() - start
        self._factor(self._J)

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
