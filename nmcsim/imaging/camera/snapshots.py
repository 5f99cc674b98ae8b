"""A field over time, as a camera takes it: on a section, or in a body with a depth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.section import Section

__all__ = ["Body", "Snapshots"]

Array = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Body:
    """A field in space.

    Parameters
    ----------
    nodes : (n, 3) array
        [m].
    tetrahedra : (t, 4) int array
    values : (k, n) array
        At the nodes.
    """

    nodes: Array
    tetrahedra: Int
    values: NDArray[np.floating]


@dataclass(frozen=True)
class Snapshots:
    """A field that was recorded now and then.

    Parameters
    ----------
    time : (k,) array
        Rising [s].
    section : Section
        What is seen along c: the plane of a 2D model, the upper face of a 3D one.
    values : (k, n) array
        At the nodes of the section; lithium per site.
    height : float, optional
        [m] along c, of a crystal in which nothing varies along c: what is needed to see it from
        the side.
    body : Body, optional
        The field in space of a 3D model, in place of `height`.
    part : (c,) int array, optional
        The particle in which each cell of the section lies, a number into `part_names`.
    part_names : tuple of str
    name : str
        For titles.
    """

    time: Array
    section: Section
    values: NDArray[np.floating]
    height: float | None = None
    body: Body | None = None
    part: Int | None = None
    part_names: tuple[str, ...] = ()
    name: str = "snapshots"
    notices: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        k = len(self.time)
        if k == 0:
            raise InputError(
                Mistake(self.name, "has no recorded frames; run the case with output.frames")
            )
        if self.values.shape != (k, len(self.section.nodes)):
            raise ValueError(
                f"values of shape {self.values.shape} are not those of {k} times and "
                f"{len(self.section.nodes)} nodes"
            )
        if not np.all(np.diff(self.time) > 0.0):
            raise ValueError("the times of snapshots do not rise")

    def weights(self, start: float, end: float) -> Array:
        """How much each snapshot counts in the mean over a time [s]; (k,), they sum to 1.

        Between snapshots the field is linear in time, and constant before the first and after the
        last. With ``end == start`` it is the value then.
        """
        t = self.time
        if len(t) == 1:
            return np.ones(1)
        if end <= start:
            place = float(np.clip(start, t[0], t[-1]))
            i = min(int(np.searchsorted(t, place, side="right")) - 1, len(t) - 2)
            share = (place - t[i]) / (t[i + 1] - t[i])
            found = np.zeros(len(t))
            found[i : i + 2] = 1.0 - share, share
            return found
        # integrals of the hat functions: trapezoids between all knots in the span
        knots = np.unique(np.concatenate(([start, end], t[(t > start) & (t < end)])))
        at = np.array([self.weights(knot, knot) for knot in knots])
        steps = np.diff(knots)
        return np.asarray(0.5 * steps @ (at[1:] + at[:-1]) / (end - start))
