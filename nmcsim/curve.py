"""Curves of one variable on a uniform grid, whose evaluation costs the same for any origin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline, PchipInterpolator

Array = NDArray[np.float64]

CELLS = 4096  # a step of 2.4e-4 on [0, 1]: spline error of a tanh of width 0.03 about 1e-10


class Curve:
    """A piecewise polynomial on a uniform grid, with a continuous derivative.

    Outside its range the curve goes on along its end tangents (an antiderivative along the
    parabolas that belong to them), so that `derivative` is the derivative of what is returned
    for every argument. NaN stays NaN.

    Parameters
    ----------
    x : array_like, shape (n + 1,)
        Uniform, increasing grid, at least two points.
    y : array_like, shape (n + 1,)
        Values on the grid.
    slope : array_like, shape (n + 1,), optional
        Derivatives on the grid (cubic Hermite cells). Without them the cells form a cubic
        spline, which is twice differentiable.

    Raises
    ------
    ValueError
        Lengths differ, the grid is not uniform and increasing, or a number is not finite.
    """

    __slots__ = ("_columns", "_per_cell", "hi", "lo")

    def __init__(self, x: ArrayLike, y: ArrayLike, slope: ArrayLike | None = None) -> None:
        nodes, values = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        slopes = None if slope is None else np.asarray(slope, dtype=float)
        _check_grid(nodes, values, values if slopes is None else slopes)
        h = (nodes[-1] - nodes[0]) / (nodes.size - 1)
        # computed in units of the cell, where every local coordinate runs from 0 to 1
        t = np.arange(nodes.size, dtype=float)
        spline = (
            CubicSpline(t, values) if slopes is None else CubicHermiteSpline(t, values, h * slopes)
        )
        inner = spline.c[::-1]  # rows: powers 0, 1, 2, 3
        columns = np.zeros((4, nodes.size + 1))
        columns[:, 1:-1] = inner
        start, end = inner[1, 0], float(spline(t[-1], 1))
        columns[:2, 0] = values[0] - start, start  # the cell before the first: its tangent
        columns[:2, -1] = values[-1], end
        self._set(float(nodes[0]), float(nodes[-1]), columns)

    def _set(self, lo: float, hi: float, columns: Array) -> None:
        self.lo, self.hi = lo, hi
        self._columns = columns  # (power, cell), ascending powers of the local coordinate
        self._per_cell = (columns.shape[1] - 2) / (hi - lo)  # 1 / cell size

    @classmethod
    def _from_columns(cls, lo: float, hi: float, columns: Array) -> Curve:
        curve = cls.__new__(cls)
        curve._set(lo, hi, columns)
        return curve

    @classmethod
    def of(cls, fn: Callable[[Array], Any], lo: float, hi: float, n: int = CELLS) -> Curve:
        """The cubic spline through `fn` at ``n + 1`` equidistant points of ``[lo, hi]``."""
        x = np.linspace(lo, hi, n + 1)
        return cls(x, np.broadcast_to(np.asarray(fn(x), dtype=float), x.shape))

    @classmethod
    def constant(cls, value: float) -> Curve:
        """The curve that is `value` everywhere."""
        return cls((0.0, 1.0), (value, value), slope=(0.0, 0.0))

    @classmethod
    def table(cls, x: ArrayLike, y: ArrayLike, n: int = CELLS) -> Curve:
        """Monotone interpolation of measured points, resampled on a uniform grid.

        The points are joined by PCHIP (Fritsch and Butland), which is monotone between them and
        has a continuous derivative; its values and slopes on the grid make the cells. An end
        slope that PCHIP puts to zero although the data go on changing becomes the secant.

        Parameters
        ----------
        x : array_like, shape (m,)
            Strictly increasing, not necessarily uniform, ``m >= 2``.
        y : array_like, shape (m,)
            Values.
        n : int
            Cells of the uniform grid.
        """
        points, values = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        slopes = np.asarray(PchipInterpolator(points, values).derivative()(points))
        for end, other in ((0, 1), (-1, -2)):
            if slopes[end] == 0.0:
                slopes[end] = (values[other] - values[end]) / (points[other] - points[end])
        fine = CubicHermiteSpline(points, values, slopes)
        grid = np.linspace(points[0], points[-1], n + 1)
        return cls(grid, fine(grid), slope=fine(grid, 1))

    def __call__(self, a: ArrayLike) -> Any:
        """Values at `a`; a float for a scalar, else an array of its shape."""
        local, cell = self._locate(a)
        rows = self._columns
        value = rows[-1].take(cell, mode="clip")
        for row in rows[-2::-1]:
            value *= local
            value += row.take(cell, mode="clip")
        return _as_given(value, a)

    def derivative(self, a: ArrayLike) -> Any:
        """Derivatives at `a`: the exact ones of the piecewise polynomial."""
        return self.both(a)[1]

    def both(self, a: ArrayLike) -> tuple[Any, Any]:
        """Value and derivative at `a`, for little more than the price of one of them."""
        local, cell = self._locate(a)
        rows = self._columns
        value = rows[-1].take(cell, mode="clip")
        slope = value.copy()
        value *= local
        value += rows[-2].take(cell, mode="clip")
        for row in rows[-3::-1]:
            slope *= local
            slope += value
            value *= local
            value += row.take(cell, mode="clip")
        slope *= self._per_cell
        return _as_given(value, a), _as_given(slope, a)

    def antiderivative(self) -> Curve:
        """The curve with the value 0 at ``lo`` whose derivative is this one, everywhere."""
        degree, cells = self._columns.shape
        columns = np.zeros((degree + 1, cells))
        powers = np.arange(1.0, degree + 1.0)[:, None]
        columns[1:] = self._columns / powers / self._per_cell
        gain = columns[1:].sum(axis=0)  # over one cell
        columns[0, 0] = -gain[0]
        columns[0, 2:] = np.cumsum(gain[1:-1])
        return Curve._from_columns(self.lo, self.hi, columns)

    def scaled(self, factor: float) -> Curve:
        """This curve times `factor`."""
        return Curve._from_columns(self.lo, self.hi, factor * self._columns)

    def _locate(self, a: ArrayLike) -> tuple[Array, NDArray[np.intp]]:
        """Local coordinate and cell; cells 0 and n + 1 are the continuations."""
        local = np.array(a, dtype=float, ndmin=1)
        local -= self.lo
        local *= self._per_cell
        local += 1.0
        bounded = np.maximum(local, 0.0)
        np.minimum(bounded, self._columns.shape[1] - 1.0, out=bounded)
        with np.errstate(invalid="ignore"):  # NaN finds some cell and stays NaN by `local`
            cell = bounded.astype(np.intp)
        local -= cell
        return local, cell

    def __repr__(self) -> str:
        cells = self._columns.shape[1] - 2
        return f"Curve({self.lo:g} .. {self.hi:g}, {cells} cells, degree {len(self._columns) - 1})"


def _as_given(result: Array, a: ArrayLike) -> Any:
    return float(result[0]) if np.ndim(a) == 0 else result


def _check_grid(x: Array, y: Array, slopes: Array) -> None:
    if x.ndim != 1 or not x.shape == y.shape == slopes.shape or x.size < 2:
        raise ValueError("a curve needs arrays of one length, with two points or more")
    if not all(np.isfinite(a).all() for a in (x, y, slopes)):
        raise ValueError("a curve needs finite values and slopes")
    steps = np.diff(x)
    h = (x[-1] - x[0]) / (x.size - 1)
    if h <= 0 or np.abs(steps - h).max() > 1e-6 * h:
        raise ValueError("a curve needs a uniform, increasing grid; Curve.table takes any other")
