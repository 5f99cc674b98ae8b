"""One bilinear form between two unknowns: this rank's part of it, as a small sparse matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from dolfinx import fem
from petsc4py import PETSc

from nmcsim.solve.edges import Edges
from nmcsim.solve.fields import Array

__all__ = ["Block", "Mat", "Product"]

Mat = Any  # PETSc.Mat; petsc4py's stubs allow for complex scalars everywhere
Int = npt.NDArray[np.int32]


class Block:
    """The rows of unknown ``i`` and the columns of unknown ``j`` in one term.

    Nothing is exchanged between ranks: rows of ghosts stay here, to be added by who sums up.

    Parameters
    ----------
    i, j : int
    form : compiled bilinear form
    fixed : bool
        Whether its entries never change: those that are zero are then left out.

    Attributes
    ----------
    fixed : bool
    rows, columns : (nnz,) int32 arrays
        Local dofs of the entries.
    values : (nnz,) array
        As last assembled.
    """

    def __init__(self, i: int, j: int, form: Any, fixed: bool = False) -> None:
        self.i, self.j, self.fixed, self._form = i, j, fixed, form
        self._matrix = fem.create_matrix(form)
        start, columns = self._matrix.indptr, self._matrix.indices
        self._start = np.asarray(start, dtype=np.int32)
        self._kept: Any = slice(None)
        self.columns: Int = np.asarray(columns, dtype=np.int32)
        self.rows: Int = np.repeat(np.arange(len(start) - 1, dtype=np.int32), np.diff(start))
        self.values: Array = np.zeros(len(columns))
        self.assemble()
        # an owned row has columns from cells of other ranks, too, which are no ghosts here
        imap = form.function_spaces[1].dofmap.index_map
        known = self.columns < imap.size_local + imap.num_ghosts
        if fixed or not known.all():
            self._kept = np.flatnonzero(known & (self.values != 0.0) if fixed else known)
            self.rows, self.columns = self.rows[self._kept], self.columns[self._kept]
            self.values = self.values[self._kept]
            counts = np.bincount(self.rows, minlength=len(start) - 1)
            self._start = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)

    def assemble(self) -> Array:
        """Compute the entries from the present coefficients and constants."""
        data = self._matrix.data
        data[:] = 0.0
        fem.assemble_matrix(self._matrix, self._form)
        self.values[:] = data[self._kept]
        return self.values

    def product(self, x: Array, y: Array) -> Product | Edges:
        """What adds this block times ``x`` to ``y``, two arrays whose memory stays where it is."""
        entries = self.rows, self.columns, self.values
        if self.fixed and Edges.suit(*entries, len(y), len(x)):
            return Edges(*entries, x, y)
        return Product((self._start, self.columns, self.values), x, y)


class Product:
    """y += A x, for fixed local arrays x and y.

    Parameters
    ----------
    arrays : tuple
        Starts of the rows, columns and entries, in memory that stays where it is.
    x, y : arrays
    """

    def __init__(self, arrays: Any, x: Any, y: Any) -> None:
        shape = (len(arrays[0]) - 1, len(x))
        self._matrix: Mat = PETSc.Mat().createAIJWithArrays(shape, arrays, comm=PETSc.COMM_SELF)
        self._x = PETSc.Vec().createWithArray(x, comm=PETSc.COMM_SELF)
        self._y = PETSc.Vec().createWithArray(y[: shape[0]], comm=PETSc.COMM_SELF)

    def add(self) -> None:
        """Do it."""
        self._matrix.multAdd(self._x, self._y, self._y)
