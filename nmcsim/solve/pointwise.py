"""Exchanges and pinned nodes beside what forms assemble: one matrix in coordinate format.

An exchange couples unknowns at nodes, which no block of a form does, and its rows may belong to
another rank. So the Jacobian of a problem with exchanges is a second matrix, built from a list of
coordinates that is fixed once: the entries of the assembled one, then those of each exchange.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from dolfinx import fem
from petsc4py import PETSc

from nmcsim.solve.blocks import Blocks, Mat
from nmcsim.solve.fields import Array, Exchange, Unknown

__all__ = ["Pointwise"]


class Pointwise:
    """The exchanges and the pinned nodes of a problem.

    Parameters
    ----------
    blocks : Blocks
        The problem's stacking of unknowns.
    exchanges : sequence of Exchange
    pins : mapping of Unknown -> (n,) int array
        Local dofs, owned or ghost, whose equation is u = 0.
    """

    def __init__(
        self,
        blocks: Blocks,
        exchanges: Sequence[Exchange],
        pins: Mapping[Unknown, npt.NDArray[np.int32]],
    ) -> None:
        self._blocks, self.exchanges = blocks, tuple(exchanges)
        self._index = {id(f): i for i, f in enumerate(blocks.unknowns)}
        self._pinned = [_marked(f, pins.get(f)) for f in blocks.unknowns]
        self.pinned = np.concatenate(
            [m[: f.owned] for m, f in zip(self._pinned, blocks.unknowns, strict=True)]
        )
        """Which owned entries of the stacked vector are pinned; (size,) bool."""
        self._slopes: list[tuple[Array, ...]] = [() for _ in self.exchanges]
        self.mat: Mat = None

    def __bool__(self) -> bool:
        return bool(self.exchanges) or any(m.any() for m in self._pinned)

    # -- residual ---------------------------------------------------------------------------

    def moved(self) -> list[tuple[int, npt.NDArray[np.int32], Array]]:
        """(unknown, dofs, values) of each term at the present values of the unknowns' functions.

        The slopes are kept for `jacobian`.
        """
        out = []
        for e, exchange in enumerate(self.exchanges):
            f, slopes = exchange.law(*(u.u.x.array[dofs] for u, dofs in exchange.arguments))
            self._slopes[e] = tuple(slopes)
            amount = exchange.weight * f
            for r, (unknown, dofs, _) in enumerate(exchange.rows):
                out.append((self._index[id(unknown)], dofs, exchange.coefficient(r) * amount))
        return out

    # -- Jacobian ---------------------------------------------------------------------------

    def allocate(self, base: Mat) -> None:
        """Fix the pattern: of ``base`` and of all exchanges; collective."""
        numbers = [self._global(i) for i in range(len(self._blocks.unknowns))]
        first, last = base.getOwnershipRange()
        start, columns, _ = base.getValuesCSR()
        rows = np.repeat(np.arange(first, last), np.diff(start))
        self._dropped = np.repeat(self.pinned, np.diff(start))
        self._diagonal = np.flatnonzero((rows == columns) & self._dropped)
        i, j = [rows], [columns]
        for exchange in self.exchanges:
            for unknown, dofs, _ in exchange.rows:
                for argument, at in exchange.arguments:
                    i.append(numbers[self._index[id(unknown)]][dofs])
                    j.append(numbers[self._index[id(argument)]][at])
        mat = PETSc.Mat().create(self._blocks.comm)
        mat.setSizes(base.getSizes())
        mat.setType(PETSc.Mat.Type.AIJ)
        kind = PETSc.IntType
        mat.setPreallocationCOO(
            np.concatenate(i).astype(kind),
            np.concatenate(j).astype(kind),  # type: ignore[arg-type]
        )
        self.mat = mat

    def rescale(self, scale: Sequence[float]) -> None:
        """Take the row scale of each unknown."""
        self._terms: list[
            tuple[int, int, Array, bool]
        ] = []  # exchange, argument, factor, algebraic
        for e, exchange in enumerate(self.exchanges):
            for r, (unknown, dofs, _) in enumerate(exchange.rows):
                k = self._index[id(unknown)]
                factor = exchange.coefficient(r) * scale[k] * exchange.weight
                factor = factor * ~self._pinned[k][dofs]
                for a, (argument, _) in enumerate(exchange.arguments):
                    self._terms.append((e, a, factor, argument.algebraic))

    def jacobian(self, base: Mat, algebraic_only: bool = False) -> Mat:
        """``base`` with the exchanges' derivatives and with unit rows for pinned nodes.

        Parameters
        ----------
        base : Mat
            Of the pattern given to `allocate`.
        algebraic_only : bool
            Leave the columns of differential unknowns as they are in ``base``.
        """
        values = base.getValuesCSR()[2]
        values[self._dropped] = 0.0
        values[self._diagonal] = 1.0
        parts = [values]
        for e, a, factor, algebraic in self._terms:
            if algebraic_only and not algebraic:
                parts.append(np.zeros(factor.size))
            else:
                parts.append(factor * self._slopes[e][a])
        self.mat.setValuesCOO(np.concatenate(parts), PETSc.InsertMode.INSERT_VALUES)
        return self.mat

    def _global(self, i: int) -> npt.NDArray[np.int64]:
        """Stacked number of each local dof, owned or ghost, of unknown ``i``."""
        f = self._blocks.unknowns[i]
        comm = self._blocks.comm
        first = comm.exscan(self._blocks.size) or 0
        carrier = fem.Function(f.space)
        start = first + int(self._blocks.offsets[i])
        carrier.x.array[: f.owned] = np.arange(start, start + f.owned)
        carrier.x.scatter_forward()
        return np.rint(carrier.x.array).astype(np.int64)


def _marked(unknown: Unknown, dofs: Any) -> npt.NDArray[np.bool_]:
    """Local dofs, owned and ghost, that are pinned on any rank; collective."""
    mark = fem.Function(unknown.space)
    if dofs is not None:
        mark.x.array[dofs] = 1.0
    mark.x.scatter_forward()
    return np.asarray(mark.x.array > 0.0)
