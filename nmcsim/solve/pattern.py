"""The Jacobian's pattern: a list of coordinates, in which an entry may come several times.

Blocks of forms and exchanges hand in their entries, rows of other ranks included; the matrix adds
up what belongs together. The diagonal is always there, for factorisations without pivots.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from petsc4py import PETSc

from nmcsim.solve.blocks import Mat
from nmcsim.solve.fields import Array
from nmcsim.solve.stack import Stack

__all__ = ["Pattern"]

Int = npt.NDArray[np.int32]


class Pattern:
    """Coordinates of a stacked matrix; its methods are collective.

    Parameters
    ----------
    stack : Stack
    pinned : sequence of bool arrays
        For each unknown, which of its local dofs have a unit row in place of their own.
    """

    def __init__(self, stack: Stack, pinned: Sequence[npt.NDArray[np.bool_]]) -> None:
        self._stack, self._pinned = stack, pinned
        self._numbers = [stack.numbers(i).astype(PETSc.IntType) for i in range(len(pinned))]
        own = np.arange(stack.first, stack.first + stack.size, dtype=PETSc.IntType)
        self._rows, self._columns = [own], [own]
        self._unit = np.concatenate(
            [mask[: f.owned] for mask, f in zip(pinned, stack.unknowns, strict=True)]
        ).astype(float)
        self._dropped: list[npt.NDArray[np.int64] | None] = []

    def add(self, i: int, rows: Int, j: int, columns: Int) -> None:
        """Entries of the local dofs ``rows`` of unknown ``i`` and ``columns`` of unknown ``j``."""
        self._rows.append(self._numbers[i][rows])
        self._columns.append(self._numbers[j][columns])
        dropped = np.flatnonzero(self._pinned[i][rows])
        self._dropped.append(dropped if dropped.size else None)

    def create(self) -> Mat:
        """The matrix of all entries that were added, zero."""
        size: Any = (self._stack.size, None)
        comm: Any = self._stack.comm
        mat = PETSc.Mat().create(comm)
        mat.setSizes((size, size))
        mat.setType(PETSc.Mat.Type.AIJ)
        rows, columns = np.concatenate(self._rows), np.concatenate(self._columns)
        mat.setPreallocationCOO(rows, columns)  # type: ignore[arg-type]
        self._rows, self._columns = [], []
        return mat

    def fill(self, mat: Mat, values: Sequence[Array]) -> None:
        """Set the entries, in the order in which they were added."""
        for array, dropped in zip(values, self._dropped, strict=True):
            if dropped is not None:
                array[dropped] = 0.0
        entries = np.concatenate([self._unit, *values])
        mat.setValuesCOO(entries, PETSc.InsertMode.INSERT_VALUES)
