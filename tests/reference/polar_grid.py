"""Graded polar grid of a disk whose rim is blocked on given angular intervals.

Tensor grid, nodes on circles (one on r = R, one shared node at r = 0), volume faces half way, patch
ends on faces, so that the imposed flux is exact. At a patch end the flux jumps and theta behaves
like s ln s: continuous, with a tangential derivative that grows like ln s. Cells shrink towards the
rim and towards each patch end, h = eps at it and h = kappa s at a distance s, capped. A refinement
to ``level`` divides kappa and the cap by level and eps by level^2, so that the error of the
singular point falls with the same second order as the rest. One blocked interval is gridded on the
half disk by symmetry; none, on one radius; several, on the full circle.

Own error: an eighth of eps changes theta by less than 5e-5 at level 1, so that the singular points
are not what limits ``polar_fv`` (test_reference.py checks the closed form down to 1e-3 rad).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.interpolate import CubicSpline, RectBivariateSpline

Array = NDArray[np.float64]
TWO_PI = 2.0 * np.pi


def stretched(
    a: float, b: float, ends: Sequence[float], widest: float, level: float, least: float
) -> Array:
    """Faces from a to b, shrinking geometrically towards `ends` (which may lie outside)."""
    kappa, eps, widest = 0.15 / level, least / level**2, widest / level
    points = np.asarray(ends, dtype=float)

    def count(s: Array) -> Array:
        near = np.arcsinh(kappa * (s[:, None] - points) / eps).sum(axis=1) / kappa
        return np.asarray(near + s / widest)

    low, high = count(np.array([a, b]))
    n = max(2, round(high - low))
    wanted = np.linspace(low, high, n + 1)
    left, right = np.full(n + 1, a), np.full(n + 1, b)
    for _ in range(60):  # bisection: halves the bracket to round-off
        middle = 0.5 * (left + right)
        below = count(middle) < wanted
        left, right = np.where(below, middle, left), np.where(below, right, middle)
    faces = 0.5 * (left + right)
    faces[0], faces[-1] = a, b
    return faces


@dataclass(frozen=True)
class Grid:
    """The polar grid of one problem; lengths in units of the radius, angles turned by `turn`.

    `symmetric` grids cover [0, pi] and stand for both halves.
    """

    r: Array
    faces: Array
    bare: Array
    symmetric: bool
    turn: float

    @classmethod
    def build(
        cls, patches: Sequence[tuple[float, float]], level: float, least: float = 1e-3
    ) -> Grid:
        """Grid for the blocked angular intervals `patches` [rad], finer with `level`."""
        r = 1.0 - stretched(0.0, 1.0, [0.0], 0.02, level, least)[::-1]
        if not patches:
            return cls(r, np.array([0.0, np.pi]), np.array([True]), True, 0.0)
        if len(patches) == 1:
            start, end = patches[0]
            edge = np.pi - 0.5 * (end - start)
            images = [edge, -edge, TWO_PI - edge]
            pieces = [(0.0, edge, True), (edge, np.pi, False)]
            turn = 0.5 * (start + end) + np.pi
        else:
            edges = sorted((s - patches[0][0], e - patches[0][0]) for s, e in patches)
            starts = [s for s, _ in edges[1:]] + [TWO_PI]
            flat = [x for pair in edges for x in pair]
            images = [x + k * TWO_PI for k in (-1, 0, 1) for x in flat]
            pieces = []
            for (s, e), following in zip(edges, starts, strict=True):
                pieces += [(s, e, False), (e, following, True)]
            turn = patches[0][0]
        faces, bare = [np.array([0.0])], []
        for a, b, is_bare in pieces:
            part = stretched(a, b, images, 0.03, level, least)
            faces.append(part[1:])
            bare.append(np.full(part.size - 1, is_bare))
        return cls(r, np.concatenate(faces), np.concatenate(bare), len(patches) == 1, turn)

    @property
    def span(self) -> float:
        """Angle covered by the unknowns [rad]."""
        return float(self.faces[-1])

    @cached_property
    def phi(self) -> Array:
        """Angles of the nodes [rad], measured from `turn`."""
        return np.asarray(0.5 * (self.faces[1:] + self.faces[:-1]))

    @cached_property
    def width(self) -> Array:
        """Angular widths [rad]."""
        return np.diff(self.faces)

    @cached_property
    def half(self) -> Array:
        """Radial faces: 0, the middles between nodes, 1."""
        return np.concatenate([[0.0], 0.5 * (self.r[1:] + self.r[:-1]), [1.0]])

    @cached_property
    def volume(self) -> Array:
        """Volumes (areas) of the unknowns in units of R^2: the centre, then circle by circle."""
        rings = 0.5 * np.diff(self.half**2)
        return np.concatenate([[rings[0] * self.span], np.outer(rings[1:], self.width).ravel()])

    @cached_property
    def laplacian(self) -> sparse.csc_matrix:
        """Finite-volume Laplacian times volume, in units of 1 (rows sum to zero)."""
        n_r, n_phi = self.r.size - 1, self.phi.size
        index = 1 + np.arange(n_r * n_phi).reshape(n_r, n_phi)
        inner = np.vstack([np.zeros((1, n_phi), dtype=int), index[:-1]])
        radial = np.outer(self.half[1:-1] / np.diff(self.r), self.width)
        pairs = [(inner.ravel(), index.ravel(), radial.ravel())]
        if n_phi > 1:
            thickness = np.log(self.half[2:] / self.half[1:-1])
            last = n_phi if not self.symmetric else n_phi - 1
            following = np.roll(index, -1, axis=1)[:, :last]
            gap = np.diff(np.append(self.phi, self.phi[0] + self.span))[:last]
            across = np.outer(thickness, 1.0 / gap)
            pairs.append((index[:, :last].ravel(), following.ravel(), across.ravel()))
        i, j, g = (np.concatenate(part) for part in zip(*pairs, strict=True))
        rows, columns = np.concatenate([i, j, i, j]), np.concatenate([j, i, i, j])
        values = np.concatenate([g, g, -g, -g])
        return sparse.csc_matrix((values, (rows, columns)), shape=(self.volume.size,) * 2)

    def rim(self, theta: Array) -> Array:
        """Values on r = R, one per angle."""
        return theta[-self.phi.size :]

    def fold(self, phi: ArrayLike) -> Array:
        """Angle of the body [rad] -> angle of the grid."""
        angle = np.mod(np.asarray(phi, dtype=float) - self.turn, TWO_PI)
        return np.minimum(angle, TWO_PI - angle) if self.symmetric else angle

    def interpolant(self, theta: Array) -> Callable[[ArrayLike, ArrayLike], Array]:
        """theta(r / R, phi) by a cubic spline over the grid's indices, where theta is smooth."""
        rings = theta[1:].reshape(self.r.size - 1, self.phi.size)
        table = np.vstack([np.full((1, self.phi.size), theta[0]), rings])
        row = _index_of(self.r)
        if self.phi.size == 1:
            radial = CubicSpline(np.arange(self.r.size), table[:, 0])
            return lambda r, phi: np.asarray(radial(row(r)) + 0.0 * np.asarray(phi))
        pad = 4
        mode: Any = "symmetric" if self.symmetric else "wrap"
        padded = np.pad(table, ((0, 0), (pad, pad)), mode=mode)
        columns = np.arange(-pad, self.phi.size + pad) + 0.5  # column k + 1/2 sits in cell k
        spline = RectBivariateSpline(np.arange(self.r.size), columns, padded, kx=3, ky=3)
        face = _index_of(self.faces)
        return lambda r, phi: np.asarray(spline(row(r), face(self.fold(phi)), grid=False))


def _index_of(points: Array) -> Callable[[ArrayLike], Array]:
    """Fractional index of a position in an increasing table, smooth where the table is."""
    forward = CubicSpline(np.arange(points.size), points)
    slope = forward.derivative()

    def index(x: ArrayLike) -> Array:
        position = np.clip(np.asarray(x, dtype=float), points[0], points[-1])
        k = np.interp(position, points, np.arange(points.size))
        for _ in range(4):  # Newton on the spline from its linear start
            k = np.clip(k - (forward(k) - position) / slope(k), 0.0, points.size - 1.0)
        return np.asarray(k)

    return index
