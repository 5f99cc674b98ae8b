"""A field on the nodes of a map as an image: much faster to draw than its triangles."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

PIXELS = 400
"""Along the longer side: 300 dpi where four maps share two journal columns."""

Box = tuple[float, float, float, float]
"""``x0, y0, width, height`` [um]."""


class Triangles(Protocol):
    """Nodes (n, 2) [m] and triangles (m, 3) in a plane."""

    @property
    def nodes(self) -> NDArray[np.float64]: ...
    @property
    def triangles(self) -> NDArray[np.int64]: ...


def box_of(*parts: Triangles) -> Box:
    """The smallest box around all ``parts``."""
    nodes = 1e6 * np.vstack([part.nodes for part in parts])
    x0, y0 = nodes.min(axis=0)
    width, height = np.ptp(nodes, axis=0)
    return float(x0), float(y0), float(width), float(height)


class Sampler:
    """Pixel values of a nodal field: the triangle of each pixel is found once.

    Parameters
    ----------
    where : Triangles
    pixels : int
        Along the longer side.
    box : Box, optional
        What the image shows; without it, all of ``where``.
    """

    def __init__(self, where: Triangles, pixels: int = PIXELS, box: Box | None = None) -> None:
        x0, y0, width, height = self.extent = box or box_of(where)
        size = max(width, height) / pixels
        columns, rows = (max(1, round(side / size)) for side in (width, height))
        self.shape = (rows, columns)
        # positions in pixels, so that the middles of pixels are the whole numbers
        scale = np.array([columns / width, rows / height])
        at = (1e6 * where.nodes - np.array([x0, y0])) * scale - 0.5
        found, self.weights = _triangle_of_each_pixel(at[where.triangles], rows, columns)
        self.inside = found >= 0
        self.triangle = found[self.inside]
        """Of each pixel inside."""
        self.corners = where.triangles[self.triangle]

    def image(self, nodal: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pixels (rows, columns) of the nodal field ``nodal`` (n,), NaN outside."""
        pixels = np.full(self.shape, np.nan)
        pixels[self.inside] = self(nodal)
        return pixels

    def __call__(self, nodal: NDArray[np.floating]) -> NDArray[np.float64]:
        """Values (pixels inside,) of the nodal field ``nodal`` (n,)."""
        corners: NDArray[np.float64] = nodal.astype(np.float64)[self.corners]
        return np.asarray((corners * self.weights).sum(axis=1))


def _triangle_of_each_pixel(
    corners: NDArray[np.float64], rows: int, columns: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The triangle over the middle of each pixel (rows, columns), -1 where there is none, and the
    weights of its corners at each pixel inside.

    Every triangle looks at the pixels of its own box, so that pieces may overlap, touch, and name
    a node twice, as those cut from a 3D mesh do; of several triangles the last is taken.

    Parameters
    ----------
    corners : (m, 3, 2) array
        In pixels: the middle of pixel (row, column) is at (column, row).
    """
    low = np.maximum(np.ceil(corners.min(axis=1) - 1e-9).astype(np.int64), 0)
    high = np.floor(corners.max(axis=1) + 1e-9).astype(np.int64)
    high = np.minimum(high, np.array([columns - 1, rows - 1]))
    across, up = np.maximum(high - low + 1, 0).T
    count = across * up
    owner = np.repeat(np.arange(len(corners)), count)
    inner = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    column = low[owner, 0] + inner % across[owner]
    row = low[owner, 1] + inner // across[owner]
    weights = _barycentric(np.column_stack([column, row]), corners[owner])
    within = (weights >= -1e-9).all(axis=1)  # of a triangle without area they are no numbers
    found = np.full((rows, columns), -1, dtype=np.int64)
    kept = np.zeros((rows, columns, 3))
    found[row[within], column[within]] = owner[within]
    kept[row[within], column[within]] = weights[within]
    return found, kept[found >= 0]


def _barycentric(points: NDArray[np.int64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    u, v, w = b - a, c - a, points - a
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        second = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / area
        third = (u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0]) / area
    return np.column_stack([1.0 - second - third, second, third])
