"""The section of a particle seen along its c-axis: triangles and quadrilaterals in the plane.

A field lives on the nodes of curved cells. For pictures and for the cut of a region each cell is
divided into small straight triangles, with the field and the outline interpolated by the cell's
own shape functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["Region", "Section", "unreacted_region"]

Array = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


_EDGES: dict[int, tuple[list[tuple[int, int]], list[int]]] = {
    3: ([(0, 1), (1, 2), (2, 0)], []),
    6: ([(0, 1), (1, 2), (2, 0)], [5, 3, 4]),
    4: ([(0, 1), (1, 3), (3, 2), (2, 0)], []),
    9: ([(0, 1), (1, 3), (3, 2), (2, 0)], [4, 6, 7, 5]),
}
"""Ends and middle of each edge of a cell, by its number of nodes."""


@dataclass(frozen=True)
class Section:
    """A meshed plane figure with a nodal field.

    Parameters
    ----------
    nodes : (n, 2) array
        Positions [m].
    cells : (c, m) int array
        m = 3 or 6 for triangles of degree 1 or 2 (vertices, then the midpoints opposite to them),
        4 or 9 for quadrilaterals (vertices (0,0) (1,0) (0,1) (1,1), midpoints of the bottom, left,
        right and top edge, centre): the order of DOLFINx.
    """

    nodes: Array
    cells: Int

    @cached_property
    def triangles(self) -> Int:
        """Straight triangles between the nodes; (k, 3)."""
        cut = {
            3: [(0, 1, 2)],
            6: [(0, 5, 4), (5, 1, 3), (4, 3, 2), (3, 4, 5)],
            4: [(0, 1, 3), (0, 3, 2)],
            9: [
                (0, 4, 8),
                (0, 8, 5),
                (4, 1, 6),
                (4, 6, 8),
                (5, 8, 7),
                (5, 7, 2),
                (8, 6, 3),
                (8, 3, 7),
            ],
        }[self.cells.shape[1]]
        return np.concatenate([self.cells[:, list(t)] for t in cut])

    @cached_property
    def _fine(self) -> tuple[Array, Array, Int]:
        """Interpolation (p, m) to a lattice of a cell, positions (c, p, 2), triangles (q, 3)."""
        degree = 1 if self.cells.shape[1] in (3, 4) else 2
        n = 1 if degree == 1 else 4
        if self.cells.shape[1] in (3, 6):
            points, triangles = _triangle_lattice(n)
            basis = _triangle_basis(degree, points)
        else:
            points, triangles = _square_lattice(n)
            basis = _square_basis(degree, points)
        positions = np.einsum("pm,cmd->cpd", basis, self.nodes[self.cells])
        return basis, positions, triangles

    def fine(self, values: Array, chosen: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
        """Corners (k, 3, 2) [m] and values (k, 3) of the small triangles of the chosen cells."""
        basis, positions, triangles = self._fine
        fine = values[self.cells[chosen]] @ basis.T
        corners = positions[chosen][:, triangles].reshape(-1, 3, 2)
        return corners, fine[:, triangles].reshape(-1, 3)

    @cached_property
    def of_cells(self) -> tuple[Array, Array]:
        """Area (c,) [m2] and first moment (c, 2) [m3] of each cell."""
        _, positions, triangles = self._fine
        corners = positions[:, triangles]
        areas = np.abs(_areas(corners.reshape(-1, 3, 2))).reshape(corners.shape[:2])
        return areas.sum(axis=1), np.einsum("ct,ctd->cd", areas, corners.mean(axis=2))

    @cached_property
    def boundary(self) -> Int:
        """The outline as a closed, counter-clockwise chain of nodes; (b,), each node once."""
        ends_of, middles_of = _EDGES[self.cells.shape[1]]
        ends = np.concatenate([self.cells[:, list(e)] for e in ends_of])
        middle = [self.cells[:, m] for m in middles_of]
        # a number for each edge: unique rows would be compared as bytes, five times as slow
        edge = np.sort(ends, axis=1) @ np.array([len(self.nodes), 1])
        _, index, count = np.unique(edge, return_index=True, return_counts=True)
        outer = index[count == 1]
        between = np.concatenate(middle)[outer].tolist() if middle else [None] * outer.size
        neighbours: dict[int, list[tuple[int, int | None]]] = {}
        for (a, b), m in zip(ends[outer].tolist(), between, strict=True):
            neighbours.setdefault(a, []).append((b, m))
            neighbours.setdefault(b, []).append((a, m))
        here, before, chain = int(ends[outer[0], 0]), -1, []
        for _ in range(outer.size):
            following, m = next(n for n in neighbours[here] if n[0] != before)
            chain += [here] if m is None else [here, m]
            here, before = following, here
        x, y = self.nodes[chain].T
        turn = float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
        return np.array(chain if turn > 0.0 else chain[::-1])

    @cached_property
    def area(self) -> float:
        """Area of the figure [m2]."""
        return float(self.of_cells[0].sum())

    @cached_property
    def centre(self) -> Array:
        """Centre of mass of the figure [m]; (2,)."""
        areas, moments = self.of_cells
        return np.asarray(moments.sum(axis=0) / areas.sum())


@dataclass(frozen=True)
class Region:
    """A part of a section.

    Parameters
    ----------
    share : float
        Its area over that of the section.
    centre : (2,) array
        Its centre of mass [m]; NaN if it is empty.
    distance : float
        From there to the centre of mass of the section [m]; NaN if it is empty.
    """

    share: float
    centre: Array
    distance: float


def unreacted_region(
    section: Section, theta: Array, reference: Array, signal: float = 0.5, below: float = 0.05
) -> Region:
    """Where the optical signal has hardly changed yet, and how far that lies off the centre.

    The signal is dI/I1 = signal (theta(t0) - theta); the region is where its magnitude is below
    ``below`` now, cut along the level lines inside the cells. On charge the signal is positive and
    this is the paper's region; on discharge it is negative.

    Parameters
    ----------
    section : Section
    theta, reference : (n,) arrays
        Lithium per site now and in the first frame.
    signal : float
        Slope of the intensity law.
    below : float
        Threshold of the signal's magnitude.

    Returns
    -------
    Region
        The distance is missing (NaN), not zero, once nothing is unreacted.

    References
    ----------
    Lun et al., Supplementary Information, Eq. 2 and Fig. S4.
    """
    change = signal * (reference - theta)
    area, moment = _where_negative(section, change - below)
    fallen, moment_fallen = _where_negative(section, change + below)
    area, moment = area - fallen, moment - moment_fallen
    if area <= 1e-12 * section.area:
        missing = np.full(2, np.nan)
        return Region(0.0, missing, float("nan"))
    centre = moment / area
    return Region(area / section.area, centre, float(np.hypot(*(centre - section.centre))))


def _where_negative(section: Section, f: Array) -> tuple[float, Array]:
    """Area and first moment of where a nodal f is negative; only cells that it cuts are divided."""
    of_cells = f[section.cells]
    inside, outside = of_cells.max(axis=1) < 0.0, of_cells.min(axis=1) >= 0.0
    areas, moments = section.of_cells
    area, moment = _negative_part(*section.fine(f, ~(inside | outside)))
    return area + float(areas[inside].sum()), moment + moments[inside].sum(axis=0)


def _negative_part(corners: Array, f: Array) -> tuple[float, Array]:
    """Area and first moment of where the linear f is negative in each triangle."""
    areas = np.abs(_areas(corners))
    negative = f < 0.0
    count = negative.sum(axis=1)
    whole = count == 3
    area = float(areas[whole].sum())
    moment = areas[whole] @ corners[whole].mean(axis=1) if whole.any() else np.zeros(2)
    for n, sign in ((1, 1.0), (2, -1.0)):
        cut = np.flatnonzero(count == n)
        if cut.size == 0:
            continue
        c, g, a = corners[cut], f[cut], areas[cut]
        # the corner that stands alone on its side of the level line comes first
        alone = np.argmax(negative[cut] if n == 1 else ~negative[cut], axis=1)
        order = (alone[:, None] + np.arange(3)) % 3
        rows = np.arange(cut.size)[:, None]
        c, g = c[rows, order], g[rows, order]
        s = g[:, :1] / (g[:, :1] - g[:, 1:])  # where the level crosses both edges of that corner
        tip_area = a * s[:, 0] * s[:, 1]
        tip_centre = c[:, 0] + (s[:, :, None] * (c[:, 1:] - c[:, :1])).sum(axis=1) / 3.0
        if sign < 0.0:
            area += float(a.sum())
            moment = moment + a @ c.mean(axis=1)
        area += sign * float(tip_area.sum())
        moment = moment + sign * (tip_area @ tip_centre)
    return area, np.asarray(moment)


def _areas(corners: Array) -> Array:
    e1, e2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return 0.5 * (e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0])


def _triangle_lattice(n: int) -> tuple[Array, Int]:
    index: dict[tuple[int, int], int] = {}
    points: list[tuple[float, float]] = []
    for j in range(n + 1):
        for i in range(n + 1 - j):
            index[i, j] = len(points)
            points.append((i / n, j / n))
    triangles = []
    for j in range(n):
        for i in range(n - j):
            triangles.append((index[i, j], index[i + 1, j], index[i, j + 1]))
            if i + j < n - 1:
                triangles.append((index[i + 1, j], index[i + 1, j + 1], index[i, j + 1]))
    return np.array(points), np.array(triangles)


def _square_lattice(n: int) -> tuple[Array, Int]:
    points = [(i / n, j / n) for j in range(n + 1) for i in range(n + 1)]
    triangles = []
    for j in range(n):
        for i in range(n):
            a, b = j * (n + 1) + i, (j + 1) * (n + 1) + i
            triangles += [(a, a + 1, b + 1), (a, b + 1, b)]
    return np.array(points), np.array(triangles)


def _triangle_basis(degree: int, x: Array) -> Array:
    """Lagrange functions at x, (p, 3) or (p, 6)."""
    L = np.column_stack((1.0 - x[:, 0] - x[:, 1], x[:, 0], x[:, 1]))
    if degree == 1:
        return L
    edges = 4.0 * np.column_stack((L[:, 1] * L[:, 2], L[:, 0] * L[:, 2], L[:, 0] * L[:, 1]))
    return np.hstack((L * (2.0 * L - 1.0), edges))


def _square_basis(degree: int, x: Array) -> Array:
    """Lagrange functions at x, (p, 4) or (p, 9)."""

    def line(t: Array) -> Array:
        if degree == 1:
            return np.column_stack((1.0 - t, t))
        return np.column_stack(
            ((1.0 - t) * (1.0 - 2.0 * t), t * (2.0 * t - 1.0), 4.0 * t * (1.0 - t))
        )

    u, v = line(x[:, 0]), line(x[:, 1])
    pairs = [(0, 0), (1, 0), (0, 1), (1, 1)]
    if degree == 2:
        pairs += [(2, 0), (0, 2), (1, 2), (2, 1), (2, 2)]
    return np.column_stack([u[:, i] * v[:, j] for i, j in pairs])
