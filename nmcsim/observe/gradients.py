"""Gradients of piecewise linear functions, cell by cell, in plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nmcsim.solve.fields import Array

__all__ = ["Cells"]


@dataclass(frozen=True)
class Cells:
    """Straight simplices of one rank with what linear functions need on them.

    Parameters
    ----------
    dofs : (d + 1, c) int array
        Local dofs at the corners.
    slopes : (d + 1, d, c) array
        Gradient of each corner's basis function [1/m].
    volume : (c,) array
        Area or volume [m2 or m3].
    """

    dofs: npt.NDArray[np.int32]
    slopes: Array
    volume: Array

    @classmethod
    def of(cls, space: Any, chosen: npt.NDArray[np.bool_], dofs: Any = None) -> Cells:
        """The cells of a P1 space that this rank owns and that are ``chosen``.

        Parameters
        ----------
        space : dolfinx.fem.FunctionSpace
        chosen : (cells,) bool array
            Of all local cells.
        dofs : (cells, d + 1) int array, optional
            Dofs of another space at the same corners, in place of those of ``space``.
        """
        dimension = space.mesh.topology.dim
        owned = space.mesh.topology.index_map(dimension).size_local
        at = np.flatnonzero(chosen[:owned])
        own = space.dofmap.list[at]
        x = space.tabulate_dof_coordinates()[own][:, :, :dimension]
        edges = x[:, 1:] - x[:, :1]  # rows: from the first corner to the others
        slopes = np.empty((len(at), dimension + 1, dimension))
        slopes[:, 1:] = np.linalg.inv(edges).transpose(0, 2, 1)
        slopes[:, 0] = -slopes[:, 1:].sum(axis=1)
        volume = np.abs(np.linalg.det(edges)) / math.factorial(dimension)
        corners = own if dofs is None else dofs[at]
        return cls(
            np.ascontiguousarray(corners.T), np.ascontiguousarray(slopes.transpose(1, 2, 0)), volume
        )

    def gradient(self, values: Array) -> Array:
        """Of the linear function with these nodal values; (d, c)."""
        found = values[self.dofs[0]] * self.slopes[0]
        for dofs, slopes in zip(self.dofs[1:], self.slopes[1:], strict=True):
            found += values[dofs] * slopes
        return np.asarray(found)

    def mean(self, values: Array) -> Array:
        """Of nodal values in each cell; (c,)."""
        return np.asarray(values[self.dofs].mean(axis=0))

    def integral(self, density: Array) -> float:
        """Of a number per cell, on this rank."""
        return float(self.volume @ density)
