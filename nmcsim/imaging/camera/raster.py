"""Triangles onto pixels by area: what share of a pixel lies in which triangle, and where.

A picture's row coordinate v grows downwards and its column coordinate u to the right; pixel (i, j)
is the square i <= v < i + 1, j <= u < j + 1. Each pixel row is cut by ``rows`` lines; along a line
the part in each triangle and pixel is exact, so that areas converge as 1 / rows^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from nmcsim.imaging.section import Section

__all__ = ["Pieces", "part_labels", "pieces", "pixel_means"]

Array = NDArray[np.float64]
Int = NDArray[np.int64]

AT_ONCE = 200_000
"""Triangles times lines that are cut in one go: some 100 MB."""


@dataclass(frozen=True)
class Pieces:
    """Parts of lines, each in one triangle and between two neighbouring grid points.

    Parameters
    ----------
    line : (p,) int array
        Number of the line, from the top.
    cell : (p,) int array
        floor(u): the column.
    triangle : (p,) int array
    length : (p,) array
        Along u, at most 1.
    u : (p,) array
        Of the middle of the piece.
    share : (p, 3) array
        Barycentric coordinates of the middle.
    """

    line: Int
    cell: Int
    triangle: Int
    length: Array
    u: Array
    share: Array


def pieces(corners: Array, rows: int) -> Iterator[Pieces]:
    """Cut triangles by the lines v = (j + 1/2) / rows and the grid u = integers.

    Parameters
    ----------
    corners : (t, 3, 2) array
        (u, v) of the corners.
    rows : int
        Lines per pixel.
    """
    v = corners[:, :, 1] * rows - 0.5
    first, last = np.ceil(v.min(axis=1)).astype(np.int64), np.ceil(v.max(axis=1)).astype(np.int64)
    count = np.maximum(last - first, 0)
    ends = np.cumsum(count)
    start = 0
    while start < len(count):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + AT_ONCE, side="right")), start + 1)
        chosen = np.arange(start, stop)
        triangle = np.repeat(chosen, count[chosen])
        if triangle.size:
            offset = np.repeat(np.cumsum(count[chosen]) - count[chosen], count[chosen])
            line = first[triangle] + np.arange(triangle.size) - offset
            yield _along(corners, triangle, line, rows)
        start = stop


def _along(corners: Array, triangle: Int, line: Int, rows: int) -> Pieces:
    """The pieces of lines that each cross one triangle."""
    c = corners[triangle]
    v = (line + 0.5) / rows
    left, right = np.full(v.shape, np.inf), np.full(v.shape, -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        va, vb = c[:, a, 1], c[:, b, 1]
        # half-open, so that a line through a corner crosses two edges
        crosses = (va <= v) != (vb <= v)
        s = np.divide(v - va, vb - va, out=np.zeros_like(v), where=crosses)
        u = c[:, a, 0] + s * (c[:, b, 0] - c[:, a, 0])
        left = np.where(crosses, np.minimum(left, u), left)
        right = np.where(crosses, np.maximum(right, u), right)
    kept = right > left
    left, right, triangle, line = left[kept], right[kept], triangle[kept], line[kept]
    lowest = np.floor(left).astype(np.int64)
    number = np.maximum(np.ceil(right).astype(np.int64) - lowest, 1)
    of = np.repeat(np.arange(number.size), number)
    cell = lowest[of] + np.arange(of.size) - np.repeat(np.cumsum(number) - number, number)
    begin, end = np.maximum(left[of], cell), np.minimum(right[of], cell + 1.0)
    u, v = 0.5 * (begin + end), (line[of] + 0.5) / rows
    return Pieces(
        line[of], cell, triangle[of], end - begin, u, _barycentric(corners[triangle[of]], u, v)
    )


def _barycentric(c: Array, u: Array, v: Array) -> Array:
    e1, e2 = c[:, 1] - c[:, 0], c[:, 2] - c[:, 0]
    du, dv = u - c[:, 0, 0], v - c[:, 0, 1]
    area = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    second = (du * e2[:, 1] - dv * e2[:, 0]) / area
    third = (e1[:, 0] * dv - e1[:, 1] * du) / area
    share = np.column_stack((1.0 - second - third, second, third))
    # in a needle of a triangle, round-off may lead far out of it
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def pixel_means(nodes: Array, triangles: Int, shape: tuple[int, int], rows: int) -> csr_array:
    """The matrix that takes nodal values to integrals over pixels.

    Parameters
    ----------
    nodes : (n, 2) array
        (u, v) in pixels.
    triangles : (t, 3) int array
        They may not overlap.
    shape : (h, w)
        What lies outside is dropped.
    rows : int
        Lines per pixel.

    Returns
    -------
    (h * w, n) sparse array
        Its row sums are the share of each pixel that is covered.
    """
    h, w = shape
    total = csr_array((h * w, len(nodes)))
    for found in pieces(nodes[triangles], rows):
        i, j = found.line // rows, found.cell
        inside = (i >= 0) & (i < h) & (j >= 0) & (j < w)
        pixel = np.repeat((i * w + j)[inside], 3)
        weight = (found.share * (found.length / rows)[:, None])[inside]
        column = triangles[found.triangle[inside]].ravel()
        total = total + coo_array((weight.ravel(), (pixel, column)), shape=total.shape).tocsr()
    return total


def part_labels(
    nodes: Array, section: Section, part: Int, shape: tuple[int, int], rows: int = 8
) -> NDArray[np.uint16]:
    """The part that covers most of each pixel, from 1; 0 where less than half is covered.

    Parameters
    ----------
    nodes : (n, 2) array
        (u, v) of the section's nodes in pixels.
    section : Section
    part : (c,) int array
        Of each cell.
    shape : (h, w)
    """
    h, w = shape
    triangles = section.triangles
    of = np.tile(part, len(triangles) // len(section.cells))
    cover = np.zeros((int(part.max(initial=0)) + 1, h * w), dtype=np.float32)
    for found in pieces(nodes[triangles], rows):
        i, j = found.line // rows, found.cell
        inside = (i >= 0) & (i < h) & (j >= 0) & (j < w)
        where = (of[found.triangle[inside]], (i * w + j)[inside])
        np.add.at(cover, where, (found.length[inside] / rows).astype(np.float32))
    labels = np.where(cover.sum(axis=0) >= 0.5, cover.argmax(axis=0) + 1, 0)
    return labels.astype(np.uint16).reshape(h, w)
