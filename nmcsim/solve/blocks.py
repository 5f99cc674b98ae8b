"""Block forms as PETSc matrices and vectors: one sparsity pattern, rows scaled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import ufl
from dolfinx import cpp, fem
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc

from nmcsim.solve.fields import Array, Unknown

__all__ = ["SAME", "BlockForms", "Blocks", "Mat", "empty_blocks", "has_any"]

Mat = Any  # PETSc.Mat; petsc4py's stubs allow for complex scalars everywhere
BlockForms = list[list[Any]]

SAME: Any = PETSc.Mat.Structure.SAME_NONZERO_PATTERN
_ADD: Any = PETSc.InsertMode.ADD
_REVERSE: Any = PETSc.ScatterMode.REVERSE
_STRICT: Any = PETSc.Mat.Option.NEW_NONZERO_LOCATION_ERR


class Blocks:
    """Assembly of forms over a list of unknowns, each rank holding the rows that it owns.

    Parameters
    ----------
    unknowns : sequence of Unknown
        Stacked in this order.
    options : mapping
        Form compiler and JIT options.
    """

    def __init__(self, unknowns: Sequence[Unknown], options: Mapping[str, Any]) -> None:
        self.unknowns = tuple(unknowns)
        self.comm: MPI.Comm = unknowns[0].space.mesh.comm
        self._options = dict(options)
        spaces = [f.space for f in unknowns]
        maps = [(V.dofmap.index_map, V.dofmap.index_map_bs) for V in spaces]
        ghosts = [V.dofmap.index_map.num_ghosts * V.dofmap.index_map_bs for V in spaces]
        self.offsets = np.concatenate(([0], np.cumsum([f.owned for f in unknowns])))
        self.size = int(self.offsets[-1])
        self._ghost_offsets = self.size + np.concatenate(([0], np.cumsum(ghosts)))
        self._is = cpp.la.petsc.create_index_sets(maps)
        self._b = fem_petsc.create_vector(spaces)
        self._parts = [
            np.zeros(f.owned + g) for f, g in zip(unknowns, ghosts, strict=True)
        ]  # element vectors of each unknown, ghosts last

    def compile(self, ufl_form: Any) -> Any:
        """The compiled form; None for None."""
        return None if ufl_form is None else fem.form(ufl_form, **self._options)

    def pattern(self, kinds: Sequence[BlockForms]) -> Mat:
        """A zero matrix whose pattern holds the blocks of all ``kinds`` and the diagonal."""
        n = len(self.unknowns)
        chosen = empty_blocks(n)
        for i in range(n):
            for j in range(n):
                present = [a[i][j] for a in kinds if a[i][j] is not None]
                whole = [a for a in present if fem.IntegralType.cell in a.integral_types]
                part = self.unknowns[i].measure if i == j else None
                if whole and part is None:
                    chosen[i][j] = whole[0]
                elif len(present) == 1 and part is None:
                    chosen[i][j] = present[0]
                elif present or i == j:
                    v, u = self.unknowns[i].test, ufl.TrialFunction(self.unknowns[j].space)
                    measure = part or (ufl.ds if present else ufl.dx)
                    chosen[i][j] = self.compile(u * v * measure)
        mat = fem_petsc.create_matrix(chosen, kind="aij")
        self.assemble_matrix(mat, chosen)  # an entry never set would be squeezed out
        mat.zeroEntries()
        mat.setOption(_STRICT, True)
        return mat

    def assemble_matrix(self, mat: Mat, forms: BlockForms) -> None:
        """Replace ``mat`` by the assembled ``forms``."""
        mat.zeroEntries()
        for i, row in enumerate(forms):
            for j, a in enumerate(row):
                if a is None:
                    continue
                sub = mat.getLocalSubMatrix(self._is[i], self._is[j])
                constants, coefficients = fem.pack_constants(a), fem.pack_coefficients(a)
                cpp.fem.petsc.assemble_matrix(sub, a._cpp_object, constants, coefficients, [], True)
                mat.restoreLocalSubMatrix(self._is[i], self._is[j], sub)
        mat.assemble()

    def assemble_vector(
        self, forms: Sequence[Any], moved: Sequence[tuple[int, Any, Array]] = ()
    ) -> Array:
        """The assembled ``forms`` (None is zero), summed over ranks; owned rows, shape (size,).

        Parameters
        ----------
        forms : sequence of compiled linear forms
            One for each unknown.
        moved : sequence of (int, (n,) int array, (n,) array)
            What is added besides: number of the unknown, local dofs (owned or ghost), amounts.
        """
        owned, ghost = self.offsets, self._ghost_offsets
        with self._b.localForm() as local:
            local.set(0.0)
            a = local.array
            for i, form in enumerate(forms):
                if form is None:
                    continue
                part, n = self._parts[i], self.unknowns[i].owned
                part[:] = 0.0
                fem.assemble_vector(part, form)
                a[owned[i] : owned[i + 1]] = part[:n]
                a[ghost[i] : ghost[i + 1]] = part[n:]
            for i, dofs, amounts in moved:
                n = self.unknowns[i].owned
                whole = np.bincount(dofs, amounts, minlength=self._parts[i].size)
                a[owned[i] : owned[i + 1]] += whole[:n]
                a[ghost[i] : ghost[i + 1]] += whole[n:]
        if self.comm.size > 1:
            self._b.ghostUpdate(_ADD, _REVERSE)
        return np.array(self._b.array_r)

    def largest(self, mat: Mat, i: int) -> float:
        """Largest magnitude among this rank's entries in the rows of unknown ``i``."""
        start, _, values = mat.getValuesCSR()
        part = values[start[self.offsets[i]] : start[self.offsets[i + 1]]]
        return float(np.abs(part).max(initial=0.0))


def empty_blocks(n: int) -> BlockForms:
    """n x n absent forms."""
    return [[None] * n for _ in range(n)]


def has_any(forms: BlockForms) -> bool:
    """Whether any block is present."""
    return any(a is not None for row in forms for a in row)
