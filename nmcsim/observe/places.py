"""Positions in words: micrometres, and the named surface that they lie on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nmcsim.solve.fields import Array, Unknown

__all__ = ["Places"]


class Places:
    """Where something is in a field. All its methods are collective.

    Parameters
    ----------
    unknown : Unknown
    where : slice
        Its entries in a state.
    surfaces : mapping of name -> int array
        Local dofs of the unknown on each named surface; a node on two of them takes the first.
    """

    def __init__(self, unknown: Unknown, where: slice, surfaces: Mapping[str, Any]) -> None:
        self._unknown, self._where, self._surfaces = unknown, where, surfaces
        self._comm = unknown.space.mesh.comm

    def on(self, surface: str) -> npt.NDArray[np.int64]:
        """Entries in a state of the nodes on a named surface that this rank owns."""
        dofs = self._surfaces[surface]
        return np.asarray(self._where.start + dofs[dofs < self._unknown.owned], dtype=np.int64)

    def lowest(self, state: Array, among: Any) -> str:
        """The place of the least value of the entries ``among`` of ``state``."""
        return self._of_least(state, among, 1.0)

    def highest(self, state: Array, among: Any) -> str:
        """The place of the largest value of the entries ``among`` of ``state``."""
        return self._of_least(state, among, -1.0)

    def said(self, point: Array, state: Array) -> str:
        """``point`` (3,) [m] in words, with the value of the node there."""
        distance = np.linalg.norm(self._nodes() - point, axis=1)[: self._unknown.owned]
        i = int(np.argmin(distance)) if distance.size else -1
        own = (float(distance[i]), float(state[self._where][i])) if i >= 0 else (np.inf, np.nan)
        value = min(self._comm.allgather(own))[1]
        return f"{self._place(point)}, {self._unknown.symbol} = {value:.4g}"

    def _nodes(self) -> Array:
        return np.asarray(self._unknown.space.tabulate_dof_coordinates())

    def _of_least(self, state: Array, among: Any, sign: float) -> str:
        entries = np.arange(state.size)[among]
        values = sign * state[entries]
        own: tuple[float, list[float]] = (np.inf, [])
        if values.size:
            i = int(np.argmin(values))
            own = (float(values[i]), self._nodes()[entries[i] - self._where.start].tolist())
        return self._place(np.array(min(self._comm.allgather(own))[1]))

    def _place(self, point: Array) -> str:
        """``(1.24, 0.03) um on "bare"``."""
        nodes = self._nodes()
        near = 1e-6 * float(np.ptp(nodes, axis=0).max()) if len(nodes) else 0.0
        own = [
            bool((np.linalg.norm(nodes[dofs] - point, axis=1) <= near).any())
            for dofs in self._surfaces.values()
        ]
        on = np.any(self._comm.allgather(own), axis=0)
        dimension = self._unknown.space.mesh.topology.dim
        text = ", ".join(f"{1e6 * x:.3g}" for x in point[:dimension] + 0.0)
        name = next((n for n, there in zip(self._surfaces, on, strict=True) if there), None)
        return f"({text}) um" + (f' on "{name}"' if name else " inside")
