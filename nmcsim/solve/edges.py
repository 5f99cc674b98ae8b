"""A x of a symmetric block whose rows sum to zero, by the edges of its graph.

    (A x)_i = sum_j A_ij (x_j - x_i)

is what conduction and diffusion are at the nodes. As a plain product each row is a difference of
large numbers, K phi with phi of volts where its differences are microvolts: it is in error by the
rounding of K phi, and balances that every run checks to eight digits drift by the sum. Along an
edge one node receives what the other one gives, to the last digit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from petsc4py import PETSc

from nmcsim.solve.fields import Array

__all__ = ["Edges"]

ROUNDING = 1e-12
"""Entries, relative to the largest of the block, that differ by less are equal."""


class Edges:
    """y += A x, for fixed local arrays x and y.

    Parameters
    ----------
    rows, columns : (nnz,) int arrays
        Of the entries; each pair at most once.
    values : (nnz,) array
        The entries, in memory that stays where it is; they may change, as long as A keeps its
        properties.
    x, y : (n,) arrays
        Their memory stays where it is.
    """

    def __init__(self, rows: Any, columns: Any, values: Array, x: Any, y: Any) -> None:
        self._at = np.flatnonzero(rows < columns)
        self._values = values
        count = len(self._at)
        ends = np.column_stack((rows[self._at], columns[self._at])).astype(np.int32).ravel()
        start = np.arange(0, 2 * count + 1, 2, dtype=np.int32)
        arrays: Any = (start, ends, np.tile([-1.0, 1.0], count))
        self._differences: Any = PETSc.Mat().createAIJWithArrays(
            (count, len(x)), arrays, comm=PETSc.COMM_SELF
        )
        self._flow: Array = np.zeros(count)
        flow: Any = self._flow
        self._q = PETSc.Vec().createWithArray(flow, comm=PETSc.COMM_SELF)
        self._x = PETSc.Vec().createWithArray(x, comm=PETSc.COMM_SELF)
        self._y = PETSc.Vec().createWithArray(y, comm=PETSc.COMM_SELF)

    @staticmethod
    def suit(rows: Any, columns: Any, values: Array, n: int, m: int) -> bool:
        """Whether an (n, m) block is square and symmetric, and its rows sum to zero."""
        if n != m or not len(values):
            return False
        sums = np.bincount(rows, values, minlength=n)
        small = ROUNDING * float(np.abs(values).max())
        return bool(np.abs(sums).max() <= small) and _symmetric(rows, columns, values, n, small)

    def add(self) -> None:
        """Do it."""
        self._differences.mult(self._x, self._q)
        np.multiply(self._flow, self._values[self._at], out=self._flow)
        np.negative(self._flow, out=self._flow)
        self._differences.multTransposeAdd(self._q, self._y, self._y)


def _symmetric(rows: Any, columns: Any, values: Array, n: int, small: float) -> bool:
    """Whether A_ij = A_ji; an entry that is not there is zero."""
    keys: npt.NDArray[np.int64] = np.asarray(rows, dtype=np.int64) * n + columns
    turned: npt.NDArray[np.int64] = np.asarray(columns, dtype=np.int64) * n + rows
    order = np.argsort(keys)
    at = np.searchsorted(keys, turned, sorter=order).clip(max=len(keys) - 1)
    found = order[at]
    other = np.where(keys[found] == turned, values[found], 0.0)
    return bool(np.abs(values - other).max() <= small)
