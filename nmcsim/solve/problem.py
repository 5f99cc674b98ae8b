"""A residual in UFL as a system of equations for the integrator.

    F(t, u, u_t) = 0,    J = shift dF/du_t + dF/du + (dF/dw) diag(w'(u))

u are the unknowns, w the nodal laws. The rows are sorted once
(:mod:`~nmcsim.solve.classify`) and evaluated as

    F = M u_t + A u + sum_k K_k w_k(u) + source + general(t, u, w)

with constant sparse matrices M, A, K_k. Rows are scaled so that the entries of the
Jacobian are near one, whatever the units of the balances.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import ufl
from dolfinx import cpp, fem
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc

from nmcsim.solve.classify import derivative, split
from nmcsim.solve.fields import Array, Control, Nodal, Unknown
from nmcsim.solve.linear import LinearSolver

__all__ = ["Problem"]


class Problem:
    """The discrete system of one model on one mesh.

    Parameters
    ----------
    unknowns : sequence of Unknown
        They are stacked in this order, each rank's owned entries of the first unknown first.
    residual : sequence of ufl.Form
        One linear form per unknown, in the same order, in terms of ``unknown.u``,
        ``unknown.dt`` and ``unknown.test``; all of SI units.
    nodal : sequence of Nodal
        The nodal laws that the residual contains.
    controls : sequence of Control
        What :meth:`set` may change between and during steps.
    solver : LinearSolver
        How linear systems are solved.
    form_options : dict, optional
        Form compiler and JIT options.
    """

    def __init__(
        self,
        unknowns: Sequence[Unknown],
        residual: Sequence[Any],
        nodal: Sequence[Nodal] = (),
        controls: Sequence[Control] = (),
        solver: LinearSolver | None = None,
        form_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.unknowns = tuple(unknowns)
        self.nodal = tuple(nodal)
        self.controls = {c.name: c for c in controls}
        self.comm: MPI.Comm = unknowns[0].space.mesh.comm
        self.schedule: Callable[[float], Mapping[str, float]] | None = None
        self.timing: dict[str, float] = defaultdict(float)
        self.solver = solver or LinearSolver()
        self._options = dict(form_options or {})
        self._offsets = np.concatenate(([0], np.cumsum([f.owned for f in self.unknowns])))
        self.size = int(self._offsets[-1])
        self.global_size = self.comm.allreduce(self.size)

        start = time.perf_counter()
        self._compile(residual)
        self.timing["jit"] += time.perf_counter() - start
        start = time.perf_counter()
        self._allocate()
        self.timing["setup"] += time.perf_counter() - start

    # -- set-up ---------------------------------------------------------------------------

    def _form(self, ufl_form: Any) -> Any:
        return None if ufl_form is None else fem.form(ufl_form, **self._options)

    def _compile(self, residual: Sequence[Any]) -> None:
        """Sort the rows and compile their forms."""
        u = {f.u: j for j, f in enumerate(self.unknowns)}
        u_t = {f.dt: j for j, f in enumerate(self.unknowns)}
        w = {n.value: k for k, n in enumerate(self.nodal)}
        column = {k: self.unknowns.index(n.of) for k, n in enumerate(self.nodal)}
        state = [*u, *u_t, *w]
        n = len(self.unknowns)
        self._source: list[Any] = [None] * n
        self._general: list[Any] = [None] * n
        mass = _blocks(n)
        linear = _blocks(n)
        kirchhoff = [_blocks(n) for _ in self.nodal]
        general = _blocks(n)
        general_w = [_blocks(n) for _ in self.nodal]
        for i, form in enumerate(residual):
            parts = split(form, state)
            self._source[i] = self._form(parts.source)
            self._general[i] = self._form(parts.general)
            for c, a in parts.linear.items():
                if c in u_t:
                    mass[i][u_t[c]] = self._form(a)
                elif c in u:
                    linear[i][u[c]] = self._form(a)
                else:
                    kirchhoff[w[c]][i][column[w[c]]] = self._form(a)
            if parts.general is None:
                continue
            for c, j in u.items():
                general[i][j] = self._form(derivative(parts.general, c))
            for c, k in w.items():
                general_w[k][i][column[k]] = self._form(derivative(parts.general, c))
            if any(derivative(parts.general, c) is not None for c in u_t):
                raise NotImplementedError("a time derivative inside a nonlinear term")
        self._forms = {
            "mass": mass,
            "linear": linear,
            "kirchhoff": kirchhoff,
            "general": general,
            "general_w": general_w,
        }
        self._has_general = any(f is not None for f in self._general)

    def _allocate(self) -> None:
        """Create vectors and matrices of one sparsity pattern, assemble the constant ones."""
        spaces = [f.space for f in self.unknowns]
        maps = [(V.dofmap.index_map, V.dofmap.index_map_bs) for V in spaces]
        self._is = cpp.la.petsc.create_index_sets(maps)
        self._b = fem_petsc.create_vector(spaces)
        ghosts = [V.dofmap.index_map.num_ghosts * V.dofmap.index_map_bs for V in spaces]
        self._ghost_offsets = self.size + np.concatenate(([0], np.cumsum(ghosts)))
        J = self._pattern()
        self._J = J
        self._J.setOption(PETSc.Mat.Option.NEW_NONZERO_LOCATION_ERR, True)
        self._x = J.createVecRight()
        self._y = J.createVecLeft()
        self._d = J.createVecRight()
        self._r = J.createVecLeft()
        self._M = self._assembled(self._forms["mass"])
        self._A = self._assembled(self._forms["linear"])
        self._K = [self._assembled(a) for a in self._forms["kirchhoff"]]
        self._G = self._empty(self._forms["general"])
        self._Gw = [self._empty(a) for a in self._forms["general_w"]]
        self._work = self._duplicate() if any(self._K) else None
        self.row_scale = np.ones(self.size)
        self._scale_rows()
        self._stale = True
        self._src = np.zeros(self.size)
        self._w_size = [
            n.of.space.dofmap.index_map.size_local
            if n.dofs is None
            else int(np.searchsorted(n.dofs, n.of.space.dofmap.index_map.size_local))
            for n in self.nodal
        ]

    def _pattern(self) -> PETSc.Mat:
        """An empty matrix whose pattern holds every block; diagonal entries included."""
        n = len(self.unknowns)
        chosen = _blocks(n)
        kinds = [
            self._forms["mass"],
            self._forms["linear"],
            self._forms["general"],
            *self._forms["kirchhoff"],
            *self._forms["general_w"],
        ]
        for i in range(n):
            for j in range(n):
                present = [a[i][j] for a in kinds if a[i][j] is not None]
                whole = [a for a in present if fem.IntegralType.cell in a.integral_types]
                if whole:
                    chosen[i][j] = whole[0]
                elif len(present) == 1:
                    chosen[i][j] = present[0]
                elif present or i == j:
                    v, u = self.unknowns[i].test, ufl.TrialFunction(self.unknowns[j].space)
                    chosen[i][j] = self._form(u * v * (ufl.ds if present else ufl.dx))
        mat = fem_petsc.create_matrix(chosen, kind="aij")
        self._assemble_matrix(mat, chosen)  # an entry never set would be squeezed out
        mat.zeroEntries()
        return mat

    def _duplicate(self) -> PETSc.Mat:
        """A zero matrix of the common pattern."""
        return self._J.duplicate(copy=False)

    def _empty(self, forms: list[list[Any]]) -> PETSc.Mat | None:
        return self._duplicate() if any(a is not None for row in forms for a in row) else None

    def _assembled(self, forms: list[list[Any]]) -> PETSc.Mat | None:
        mat = self._empty(forms)
        if mat is not None:
            self._assemble_matrix(mat, forms)
        return mat

    def _assemble_matrix(self, mat: PETSc.Mat, forms: list[list[Any]]) -> None:
        mat.zeroEntries()
        for i, row in enumerate(forms):
            for j, a in enumerate(row):
                if a is not None:
                    sub = mat.getLocalSubMatrix(self._is[i], self._is[j])
                    cpp.fem.petsc.assemble_matrix(
                        sub,
                        a._cpp_object,
                        fem.pack_constants(a),
                        fem.pack_coefficients(a),
                        [],
                        True,
                    )
                    mat.restoreLocalSubMatrix(self._is[i], self._is[j], sub)
        mat.assemble()

    def _scale_rows(self) -> None:
        """Scale each unknown's rows by the largest entry that constant matrices have there."""
        for i in range(len(self.unknowns)):
            rows = slice(self._offsets[i], self._offsets[i + 1])
            mats = [self._A, *self._K] if any(self._forms["linear"][i]) else []
            if self._M is not None and self._forms["mass"][i][i] is not None:
                mats = [self._M]
            largest = max((_largest(m, rows) for m in mats if m is not None), default=0.0)
            largest = self.comm.allreduce(largest, op=MPI.MAX)
            if largest > 0.0:
                self.row_scale[rows] = 1.0 / largest
        self._r.array[:] = self.row_scale
        for mat in (self._M, self._A, *self._K):
            if mat is not None:
                mat.diagonalScale(self._r, None)

    # -- state ----------------------------------------------------------------------------

    def slice(self, unknown: Unknown | str) -> slice:
        """Where the owned entries of ``unknown`` stand in a state vector."""
        names = [f.name for f in self.unknowns]
        i = names.index(unknown if isinstance(unknown, str) else unknown.name)
        return slice(int(self._offsets[i]), int(self._offsets[i + 1]))

    def scalar(self, state: Array, name: str) -> float:
        """The value of a global scalar unknown, on every rank."""
        part = state[self.slice(name)]
        return float(self.comm.allreduce(float(part[0]) if part.size else 0.0))

    def state(self) -> Array:
        """Stack the unknowns' functions into a state vector (owned entries)."""
        return np.concatenate([f.u.x.array[: f.owned] for f in self.unknowns])

    def assign(self, state: Array) -> None:
        """Put a state vector into the unknowns' functions, ghosts included."""
        for i, f in enumerate(self.unknowns):
            f.u.x.array[: f.owned] = state[self._offsets[i] : self._offsets[i + 1]]
            f.u.x.scatter_forward()

    def set(self, **values: float) -> None:
        """Set controls by name; the parts of the residual that depend on them are refreshed."""
        for name, value in values.items():
            self.controls[name].value.value = value
        self._stale = True

    # -- the system that the integrator sees ------------------------------------------------

    def at_time(self, t: float) -> None:
        """Set the controls that :attr:`schedule` moves in time."""
        if self.schedule is None:
            return
        for name, value in self.schedule(t).items():
            if float(self.controls[name].value.value) != value:
                self.set(**{name: value})

    def residual(self, t: float, u: Array, u_t: Array) -> Array:
        """F(t, u, u_t), owned rows, scaled. Shape (size,)."""
        start = time.perf_counter()
        self.at_time(t)
        out = self._sources().copy()
        self._w_prime: list[Array] = []
        if self._has_general:
            self.assign(u)
        if self._M is not None:
            self._multiply_add(self._M, u_t, out)
        if self._A is not None:
            self._multiply_add(self._A, u, out)
        for k, n in enumerate(self.nodal):
            self._evaluate(k, n, u)
            if self._K[k] is not None:
                self._d.array[:] = 0.0
                rows = self.slice(n.of)
                self._d.array[rows] = n.value.x.array[: rows.stop - rows.start]
                self._K[k].mult(self._d, self._y)
                out += self._y.array_r
        if self._has_general:
            out += self._assemble_vector(self._general)
        self.timing["assembly"] += time.perf_counter() - start
        return out

    def _vec(self, a: Array) -> PETSc.Vec:
        self._x.array[:] = a
        return self._x

    def _multiply_add(self, mat: PETSc.Mat, a: Array, out: Array) -> None:
        mat.mult(self._vec(a), self._y)
        out += self._y.array_r

    def _evaluate(self, k: int, n: Nodal, u: Array) -> None:
        """Values of one law at its nodes (and their derivatives, kept for the Jacobian)."""
        values = n.value.x.array
        if self._has_general and self._gw_used(k):
            argument = n.of.u.x.array if n.dofs is None else n.of.u.x.array[n.dofs]
        else:
            own = u[self.slice(n.of)]
            argument = own if n.dofs is None else own[n.dofs[: self._w_size[k]]]
        w, dw = n.curve.both(argument)
        if n.dofs is None:
            values[: w.size] = w
        else:
            values[n.dofs[: w.size]] = w
        self._w_prime.append(dw[: self._w_size[k]])

    def _gw_used(self, k: int) -> bool:
        return self._Gw[k] is not None

    def _sources(self) -> Array:
        if self._stale:
            self._src = self._assemble_vector(self._source)
            self._stale = False
        return self._src

    def _assemble_vector(self, forms: Sequence[Any]) -> Array:
        """Sum of the forms' element vectors over all ranks, owned rows, scaled."""
        owned, ghost = self._offsets, self._ghost_offsets
        with self._b.localForm() as local:
            local.set(0.0)
            a = local.array
            for form, o0, o1, g0, g1 in zip(
                forms, owned, owned[1:], ghost, ghost[1:], strict=False
            ):
                if form is None:
                    continue
                part = np.zeros(o1 - o0 + g1 - g0)
                fem.assemble_vector(part, form)
                a[o0:o1] += part[: o1 - o0]
                a[g0:g1] += part[o1 - o0 :]
        if self.comm.size > 1:
            self._b.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)
        return self._b.array_r * self.row_scale

    def jacobian(self, t: float, u: Array, u_t: Array, shift: float) -> PETSc.Mat:
        """J = shift dF/du_t + dF/du at the state of the last :meth:`residual` call."""
        start = time.perf_counter()
        same = PETSc.Mat.Structure.SAME_NONZERO_PATTERN
        J = self._J
        if self._M is not None:
            self._M.copy(J, structure=same)
            J.scale(shift)
        else:
            J.zeroEntries()
        if self._A is not None:
            J.axpy(1.0, self._A, structure=same)
        for k, n in enumerate(self.nodal):
            if self._K[k] is None and self._Gw[k] is None:
                continue
            self._d.array[:] = 0.0
            block = self._d.array[self.slice(n.of)]
            if n.dofs is None:
                block[:] = self._w_prime[k]
            else:
                block[n.dofs[: self._w_size[k]]] = self._w_prime[k]
            self._d.array[self.slice(n.of)] = block
            if self._K[k] is not None:
                self._K[k].copy(self._work, structure=same)
                self._work.diagonalScale(None, self._d)
                J.axpy(1.0, self._work, structure=same)
            if self._Gw[k] is not None:
                self._assemble_matrix(self._Gw[k], self._forms["general_w"][k])
                self._Gw[k].diagonalScale(self._r, self._d)
                J.axpy(1.0, self._Gw[k], structure=same)
        if self._G is not None:
            self._assemble_matrix(self._G, self._forms["general"])
            self._G.diagonalScale(self._r, None)
            J.axpy(1.0, self._G, structure=same)
        self.timing["assembly"] += time.perf_counter() - start
        return J

    def factorise(self, t: float, u: Array, u_t: Array, shift: float) -> None:
        """Prepare :meth:`solve` with the Jacobian at the state of the last residual."""
        self._factor(self.jacobian(t, u, u_t, shift))

    def factorise_start(self, t: float, u: Array, u_t: Array) -> None:
        """Prepare :meth:`solve` for the consistent start.

        The unknowns are the time derivatives of differential unknowns and the values of
        algebraic ones: columns of dF/du_t and of dF/du respectively.
        """
        J = self.jacobian(t, u, u_t, 0.0)
        mask = np.zeros(self.size)
        for f in self.unknowns:
            if f.algebraic:
                mask[self.slice(f)] = 1.0
        self._d.array[:] = mask
        J.diagonalScale(None, self._d)
        if self._M is not None:
            J.axpy(1.0, self._M, structure=PETSc.Mat.Structure.SAME_NONZERO_PATTERN)
        self._factor(J)

    def _factor(self, J: PETSc.Mat) -> None:
        start = time.perf_counter()
        self.solver.factorise(J)
        self.timing["factorisation"] += time.perf_counter() - start

    def solve(self, r: Array) -> Array:
        """J^-1 r with the last factorisation; shape (size,)."""
        start = time.perf_counter()
        self._x.array[:] = r
        self.solver.solve(self._x, self._y)
        self.timing["solve"] += time.perf_counter() - start
        return self._y.array_r.copy()

    # -- where ------------------------------------------------------------------------------

    def worst(self, values: Array) -> tuple[Unknown, float, Array | None]:
        """The unknown, size and place [m] of the entry that is largest in its own scale."""
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
        place = None if best[3] is None else np.array(best[3])
        return self.unknowns[best[1]], best[2], place


def _largest(mat: PETSc.Mat, rows: slice) -> float:
    """Largest magnitude among the entries of some local rows."""
    start, _, values = mat.getValuesCSR()
    part = values[start[rows.start] : start[rows.stop]]
    return float(np.abs(part).max(initial=0.0))


def _blocks(n: int) -> list[list[Any]]:
    return [[None] * n for _ in range(n)]
