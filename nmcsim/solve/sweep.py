"""A preconditioner for several coupled fields: one after the other, each by its own multigrid.

    y <- Z E^-1 Z^T r                                 one constant per field, exactly
    y_i <- y_i + B_i (r_i - sum over j of J_ij y_j)   for i = 1, 2, .. with what is known so far

B_i is a V-cycle of algebraic multigrid (PETSc's GAMG) for a field that diffuses or conducts, a
Gauss-Seidel sweep where the diagonal dominates, and a division for a single number. The constants
carry what a sweep over the fields sees last: the mean of a potential that only a small current at
some far surface fixes.

The multigrid keeps its aggregates from one Jacobian to the next, until iterations say otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

__all__ = ["Scaled", "Sweep"]

PREFIX = "nmcsim_sweep_"
MULTIGRID = {
    "pc_type": "gamg",
    # connections weaker than that are no way for a correction: conductivities jump by ten decades
    "pc_gamg_threshold": "0.02",
    "pc_gamg_agg_nsmooths": "1",
    # for the largest eigenvalue: conjugate gradients break down on ten decades, to NaN
    "pc_gamg_esteig_ksp_type": "gmres",
    "mg_levels_ksp_type": "richardson",
    "mg_levels_pc_type": "sor",
    "mg_levels_ksp_max_it": "1",
}
PLAIN = MULTIGRID | {"pc_gamg_agg_nsmooths": "0"}
"""More iterations, but no eigenvalue to estimate, which can fail: for a second try."""
RELAXED = {"pc_type": "sor", "pc_sor_its": "2"}
SINGLE = {"pc_type": "jacobi"}
DOMINANT = 0.3
"""Sum of a row beside its diagonal, over that: below it, Gauss-Seidel alone gains a digit."""


class Scaled:
    """J S as a matrix, so that all unknowns are measured in their own scales.

    Parameters
    ----------
    J : PETSc.Mat
    scale : PETSc.Vec
        The diagonal of S.
    """

    def __init__(self, J: PETSc.Mat, scale: PETSc.Vec) -> None:
        self.J, self._scale, self._work = J, scale, scale.duplicate()

    def mult(self, mat: PETSc.Mat, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """PETSc's call: y = J S x."""
        self._work.pointwiseMult(self._scale, x)
        self.J.mult(self._work, y)


class Sweep:
    """One sweep over the fields of a Jacobian, after one constant for each.

    Parameters
    ----------
    J : PETSc.Mat
    fields : sequence of slice
        Local rows, and columns, of each field.
    scale : PETSc.Vec
        What each unknown is measured in: what `apply` returns is divided by it.
    """

    def __init__(self, J: PETSc.Mat, fields: Sequence[slice], scale: PETSc.Vec) -> None:
        self._fields, self._scale = tuple(fields), scale.array_r.copy()
        first, _ = J.getOwnershipRange()
        comm = J.getComm()
        self._is = [
            PETSc.IS().createStride(f.stop - f.start, first + f.start, 1, comm=comm) for f in fields
        ]
        self._blocks: dict[tuple[int, int], PETSc.Mat] = {}
        self._solvers: list[PETSc.PC | None] = [None] * len(self._fields)
        self._kinds: list[Any] = [None] * len(self._fields)
        self._sizes = [s.getSize() for s in self._is]
        self._parts: list[tuple[PETSc.Vec, PETSc.Vec, PETSc.Vec]] = []
        self._coarse: Any = None

    def update(self, J: PETSc.Mat, coarse: Any, afresh: bool, plain: bool = False) -> None:
        """Take the matrix as it is now; collective.

        Parameters
        ----------
        J : PETSc.Mat
            Of the same pattern each time.
        coarse : Balances
            Of this matrix.
        afresh : bool
            Whether multigrid finds its aggregates anew.
        plain : bool
            Whether it interpolates by constants then.
        """
        self._coarse = coarse
        count = len(self._fields)
        known = bool(self._blocks)
        for i in range(count):
            for j in range(i + 1):
                block = self._blocks.get((i, j))
                if known and block is None:
                    continue
                new = J.createSubMatrix(self._is[i], self._is[j], block)
                if i == j or known or _has_entries(new):
                    self._blocks[i, j] = new
        if not self._parts:
            for i in range(count):
                left = self._blocks[i, i].createVecLeft()
                self._parts.append((self._blocks[i, i].createVecRight(), left, left.duplicate()))
        for i in range(count):
            self._prepare(i, afresh, plain)

    def _prepare(self, i: int, afresh: bool, plain: bool) -> None:
        """The approximate inverse of a diagonal block."""
        block = self._blocks[i, i]
        kind = SINGLE if self._sizes[i] == 1 else RELAXED if _dominant(block) else MULTIGRID
        pc, grids = self._solvers[i], (MULTIGRID, PLAIN)
        if kind is MULTIGRID:
            kept = self._kinds[i] in grids and not afresh
            kind = self._kinds[i] if kept else grids[plain]
        if pc is None or kind is not self._kinds[i] or (afresh and kind in grids):
            if pc is not None:
                pc.destroy()
            pc = _created(block, kind)
            self._solvers[i], self._kinds[i] = pc, kind
        pc.setOperators(block)
        pc.setUp()

    def apply(self, pc: PETSc.PC, r: PETSc.Vec, y: PETSc.Vec) -> None:
        """PETSc's call: y = M^-1 r."""
        left, constants = self._coarse.corrected(r.array_r)
        out = np.empty_like(left)
        for i, where in enumerate(self._fields):
            solution, rest, work = self._parts[i]
            rest.array[:] = left[where]
            for j in range(i):
                block = self._blocks.get((i, j))
                if block is not None:
                    block.mult(self._parts[j][0], work)
                    rest.axpy(-1.0, work)
            solver = self._solvers[i]
            assert solver is not None, "update first"
            solver.apply(rest, solution)
            out[where] = solution.array_r
        y.array[:] = (out + constants) / self._scale


def _created(block: PETSc.Mat, kind: dict[str, str]) -> PETSc.PC:
    """A preconditioner of a block, by PETSc's options: GAMG takes most of its own only so."""
    options = PETSc.Options(PREFIX)
    for name, value in kind.items():
        options.setValue(name, value)
    pc = PETSc.PC().create(block.getComm())
    pc.setOptionsPrefix(PREFIX)
    pc.setOperators(block)
    pc.setFromOptions()
    if kind in (MULTIGRID, PLAIN):
        pc.setUp()  # its levels take their options now
    for name in kind:
        options.delValue(name)
    return pc


def _has_entries(block: PETSc.Mat) -> bool:
    """Whether a block has entries on any rank, zeros included; collective."""
    own: Any = block.getInfo()
    return bool(block.getComm().tompi4py().allreduce(own["nz_used"]) > 0)


def _dominant(block: PETSc.Mat) -> bool:
    """Whether the diagonal outweighs the rest of every row; collective."""
    start, _, values = block.getValuesCSR()
    sums = np.zeros(len(start) - 1)
    filled = np.diff(start) > 0
    sums[filled] = np.add.reduceat(np.abs(values), start[:-1][filled])
    diagonal = np.abs(block.getDiagonal().array_r)
    own = bool((sums - diagonal <= DOMINANT * diagonal).all())
    return bool(block.getComm().tompi4py().allreduce(own, op=MPI.LAND))


def scales(sizes: Sequence[float], fields: Sequence[slice], like: PETSc.Vec) -> PETSc.Vec:
    """One number per field as a diagonal."""
    found = like.duplicate()
    values: Any = found.array
    for size, where in zip(sizes, fields, strict=True):
        values[where] = size
    return found
