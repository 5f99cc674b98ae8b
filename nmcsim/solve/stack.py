"""Unknowns stacked into one vector, each rank holding the entries that it owns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from dolfinx import fem
from dolfinx.la import InsertMode
from mpi4py import MPI

from nmcsim.forms import compiled
from nmcsim.solve.fields import Array, Unknown

__all__ = ["Stack"]


class Stack:
    """How unknowns share a vector, and sums over ranks of what is assembled for each.

    Parameters
    ----------
    unknowns : sequence of Unknown
        Stacked in this order.
    options : mapping
        Form compiler and JIT options, entity maps.

    Attributes
    ----------
    offsets : (n + 1,) int array
        Where each unknown's owned entries begin in this rank's part of the vector.
    size : int
        Length of this rank's part.
    first : int
        Number of this rank's first entry among those of all ranks.
    """

    def __init__(self, unknowns: Sequence[Unknown], options: Mapping[str, Any]) -> None:
        self.unknowns = tuple(unknowns)
        self.comm: MPI.Comm = unknowns[0].space.mesh.comm
        self.options = dict(options)
        self.offsets = np.concatenate(([0], np.cumsum([f.owned for f in unknowns])))
        self.size = int(self.offsets[-1])
        self.first = int(self.comm.exscan(self.size) or 0)
        self._index = {id(f): i for i, f in enumerate(self.unknowns)}
        self._carriers = [fem.Function(f.space) for f in unknowns]
        self.parts: list[Array] = [np.asarray(carrier.x.array) for carrier in self._carriers]
        """What is being assembled for each unknown: its local entries, ghosts last."""

    def compile(self, ufl_form: Any) -> Any:
        """The compiled form; None for None."""
        return None if ufl_form is None else compiled(ufl_form, **self.options)

    def index(self, unknown: Unknown) -> int:
        """The place of an unknown in the stack."""
        return self._index[id(unknown)]

    def clear(self) -> None:
        """Begin to assemble."""
        for part in self.parts:
            part[:] = 0.0

    def add_forms(self, forms: Sequence[Any]) -> None:
        """Add one compiled linear form for each unknown; None is zero."""
        for part, form in zip(self.parts, forms, strict=True):
            if form is not None:
                fem.assemble_vector(part, form)

    def total(self) -> Array:
        """What was assembled, summed over ranks; owned entries, shape (size,). Collective."""
        out = np.empty(self.size)
        for i, carrier in enumerate(self._carriers):
            if self.comm.size > 1:
                carrier.x.scatter_reverse(InsertMode.add)
            start, stop = self.offsets[i], self.offsets[i + 1]
            out[start:stop] = self.parts[i][: stop - start]
        return out

    def numbers(self, i: int) -> npt.NDArray[np.int64]:
        """Number among the entries of all ranks of each local dof, owned or ghost; collective."""
        f = self.unknowns[i]
        carrier = fem.Function(f.space)
        start = self.first + int(self.offsets[i])
        carrier.x.array[: f.owned] = np.arange(start, start + f.owned)
        carrier.x.scatter_forward()
        return np.rint(carrier.x.array).astype(np.int64)

    def marked(self, i: int, dofs: Any) -> npt.NDArray[np.bool_]:
        """Local dofs, owned and ghost, that are among `dofs` (None is none) on any rank."""
        mark = fem.Function(self.unknowns[i].space)
        if dofs is not None:
            mark.x.array[dofs] = 1.0
        mark.x.scatter_reverse(InsertMode.add)
        mark.x.array[:] = mark.x.array > 0.0
        mark.x.scatter_forward()
        return np.asarray(mark.x.array > 0.0)
