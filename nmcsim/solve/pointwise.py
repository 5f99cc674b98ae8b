"""Exchanges between unknowns at nodes: their part of the residual and of the Jacobian."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nmcsim.solve.fields import Array, Exchange
from nmcsim.solve.stack import Stack

__all__ = ["Pointwise"]


class Pointwise:
    """The exchanges of a problem.

    Parameters
    ----------
    stack : Stack
    exchanges : sequence of Exchange
    """

    def __init__(self, stack: Stack, exchanges: Sequence[Exchange]) -> None:
        self._stack, self.exchanges = stack, tuple(exchanges)
        self._slopes: list[Sequence[Array]] = [() for _ in self.exchanges]

    def __bool__(self) -> bool:
        return bool(self.exchanges)

    def add(self) -> None:
        """Add what moves to the stack, at the present values of the unknowns' functions.

        The slopes are kept for `values`.
        """
        parts = self._stack.parts
        for e, exchange in enumerate(self.exchanges):
            f, self._slopes[e] = exchange.evaluate()
            amount = exchange.weight * f
            for r, (unknown, dofs, _) in enumerate(exchange.rows):
                part = parts[self._stack.index(unknown)]
                part += np.bincount(dofs, exchange.coefficient(r) * amount, minlength=part.size)

    def coordinates(self) -> list[tuple[int, npt.NDArray[np.int32], int, npt.NDArray[np.int32]]]:
        """(row unknown, its dofs, column unknown, its dofs) of each list of `values`."""
        return [
            (self._stack.index(row), dofs, self._stack.index(argument), at)
            for exchange in self.exchanges
            for row, dofs, _ in exchange.rows
            for argument, at in exchange.arguments
        ]

    def values(self, scale: Sequence[float], algebraic_only: bool = False) -> list[Array]:
        """The entries of the Jacobian, in the order of `coordinates`.

        Parameters
        ----------
        scale : sequence of float
            Of each unknown's rows.
        algebraic_only : bool
            Zero for the columns of differential unknowns.
        """
        out = []
        for exchange, slopes in zip(self.exchanges, self._slopes, strict=True):
            for r, (row, _, _) in enumerate(exchange.rows):
                factor = exchange.coefficient(r) * scale[self._stack.index(row)] * exchange.weight
                for (argument, _), slope in zip(exchange.arguments, slopes, strict=True):
                    if algebraic_only and not argument.algebraic:
                        out.append(np.zeros(factor.size))
                    else:
                        out.append(factor * slope)
        return out
