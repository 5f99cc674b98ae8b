"""From which side a particle is seen, and what of its depth.

An opaque particle shows its surface and what lies close below it: at depth z its light counts with
the weight exp(-z / depth). A view gives the matrix that takes nodal values to the mean over the
light of each pixel times the share of the pixel that the particle covers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array, kron, vstack

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.camera.raster import pieces, pixel_means
from nmcsim.imaging.camera.snapshots import Body, Snapshots
from nmcsim.imaging.cut import cut_at

__all__ = ["Direction", "Picture", "axes_of", "picture_of"]

Array = NDArray[np.float64]
Int = NDArray[np.int64]
Direction = str | tuple[float, float, float]

DIRECTIONS: dict[str, tuple[float, float, float]] = {
    "c": (0.0, 0.0, 1.0),
    "x": (1.0, 0.0, 0.0),
    "y": (0.0, 1.0, 0.0),
}
ROWS = 8
"""Lines per pixel: the area of a disk of 30 pixels is then exact to some 1e-4."""
DEEP = 12.0
"""Depths below which nothing counts: exp(-12) is 6e-6."""
STEPS = 5
"""Steps per depth along which light is summed."""


def axes_of(direction: Direction) -> tuple[Array, Array, Array]:
    """Right, up and towards the viewer, three unit vectors, of a viewing direction.

    Up is c for whoever looks from the side, and y for whoever looks along c.
    """
    towards = np.asarray(DIRECTIONS.get(direction, direction), dtype=np.float64)  # type: ignore[arg-type]
    towards = towards / np.linalg.norm(towards)
    top = np.array([0.0, 0.0, 1.0]) if abs(towards[2]) < 0.999 else np.array([0.0, 1.0, 0.0])
    right = np.cross(top, towards)
    right /= np.linalg.norm(right)
    return right, np.cross(towards, right), towards


@dataclass(frozen=True)
class Picture:
    """Where a picture lies and what it shows.

    Parameters
    ----------
    low, high : (2,) arrays
        Smallest and largest coordinates of what is seen, to the right and upwards [m].
    values : (k, n) array
        Recorded nodal values.
    kind : str
        "section", "side" or "body".
    """

    low: Array
    high: Array
    values: NDArray[np.floating]
    snapshots: Snapshots
    direction: Direction
    kind: str

    def matrix(
        self, origin: Array, pitch: float, shape: tuple[int, int], depth: float
    ) -> csr_array:
        """(h * w, n): nodal values to pixels of edge `pitch` [m]; `origin` [m] is the upper left
        corner of the picture. Its row sums are the shares of the pixels that are covered.
        """
        if self.kind == "section":
            s = self.snapshots.section
            return pixel_means(_pixels(s.nodes, origin, pitch), s.triangles, shape, ROWS)
        if self.kind == "side":
            return _side(self, origin, pitch, shape, depth)
        assert self.snapshots.body is not None
        return _through(self.snapshots.body, self.direction, origin, pitch, shape, depth)


def picture_of(snapshots: Snapshots, direction: Direction) -> Picture:
    """What is seen of snapshots from a direction.

    Raises
    ------
    InputError
        The direction needs a depth that the snapshots do not have.
    """
    right, up, towards = axes_of(direction)
    if snapshots.body is not None:
        nodes = snapshots.body.nodes
        flat = np.column_stack((nodes @ right, nodes @ up))
        return Picture(
            flat.min(axis=0), flat.max(axis=0), snapshots.body.values, snapshots, direction, "body"
        )
    section = snapshots.section
    if towards[2] > 1.0 - 1e-9:
        low, high = section.nodes.min(axis=0), section.nodes.max(axis=0)
        return Picture(low, high, snapshots.values, snapshots, direction, "section")
    said = f'view = "{direction}"' if isinstance(direction, str) else f"view = {list(direction)}"
    if snapshots.height is None:
        message = 'needs a crystal with a height, or a 3D result with its fields; use view = "c"'
        raise InputError(Mistake(said, message))
    if abs(towards[2]) > 1e-9:
        message = (
            "is oblique, which needs a 3D result; a crystal computed in its plane is seen "
            'along "c" or from the side'
        )
        raise InputError(Mistake(said, message))
    across = section.nodes @ right[:2]
    low, high = np.array([across.min(), 0.0]), np.array([across.max(), snapshots.height])
    return Picture(low, high, snapshots.values, snapshots, direction, "side")


def _pixels(places: Array, origin: Array, pitch: float) -> Array:
    """(u, v) of places (right, up) [m]."""
    return np.column_stack((places[:, 0] - origin[0], origin[1] - places[:, 1])) / pitch


def _side(
    picture: Picture, origin: Array, pitch: float, shape: tuple[int, int], depth: float
) -> csr_array:
    """A section seen in its own plane and drawn out along c."""
    snapshots = picture.snapshots
    assert snapshots.height is not None
    right, _, towards = axes_of(picture.direction)
    section = snapshots.section
    across = (section.nodes @ right[:2] - origin[0]) / pitch
    towards_viewer = section.nodes @ towards[:2]
    columns = _lit(across, towards_viewer, section.triangles, shape[1], depth, ROWS)
    # the same from the bottom to the top of the crystal, by the share of each pixel
    edges = origin[1] - np.arange(shape[0] + 1) * pitch
    cover = np.clip(edges[:-1], 0.0, snapshots.height) - np.clip(edges[1:], 0.0, snapshots.height)
    rows = coo_array((cover / pitch, (np.arange(shape[0]), np.zeros(shape[0], np.int64))))
    return csr_array(kron(rows.reshape(shape[0], 1), columns, format="csr"))


def _through(
    body: Body,
    direction: Direction,
    origin: Array,
    pitch: float,
    shape: tuple[int, int],
    depth: float,
) -> csr_array:
    """A body, cut along each line of pixels into a plane that contains the viewing direction."""
    right, up, towards = axes_of(direction)
    turned = np.column_stack((body.nodes @ right, body.nodes @ up, body.nodes @ towards))
    h, w = shape
    rows = ROWS // 2  # a body has as many planes as lines: half of them in both directions
    blocks = []
    for i in range(h):
        block = csr_array((w, len(turned)))
        for j in range(rows):
            y = origin[1] - (i + (j + 0.5) / rows) * pitch
            near = _near(turned, body.tetrahedra, y)
            if not near.size:
                continue
            cut = cut_at(turned, body.tetrahedra[near], y)
            if not len(cut.triangles):
                continue
            lit = _lit(
                (cut.nodes[:, 0] - origin[0]) / pitch,
                cut.nodes[:, 1],
                cut.triangles,
                w,
                depth,
                rows,
            )
            n = np.arange(len(cut.nodes))
            ends = np.concatenate((cut.ends[:, 0], cut.ends[:, 1]))
            parts = np.concatenate((1.0 - cut.share, cut.share))
            to_nodes = coo_array(
                (parts, (np.concatenate((n, n)), ends)), shape=(len(n), len(turned))
            )
            block = block + (lit @ to_nodes.tocsr()) / rows
        blocks.append(block)
    return csr_array(vstack(blocks, format="csr"))


def _near(nodes: Array, tetrahedra: Int, y: float) -> Int:
    heights = nodes[:, 1][tetrahedra]
    return np.flatnonzero((heights.min(axis=1) <= y) & (heights.max(axis=1) >= y))


def _lit(
    across: Array, towards: Array, triangles: Int, width: int, depth: float, rows: int
) -> csr_array:
    """Light of each pixel (w) from the nodes (n) of a plane in which the viewer looks.

    Parameters
    ----------
    across : (n,) array
        Position across the view, in pixels.
    towards : (n,) array
        Towards the viewer [m].
    """
    n = len(across)
    top = float(towards.max())
    # along each ray the steps are the "pixels" of the raster, lines are fractions of a pixel
    step = depth / STEPS
    corners = np.stack(((top - towards) / step, across), axis=1)[triangles]
    parts = list(pieces(corners, rows))
    if not parts:
        return csr_array((width, n))
    line = np.concatenate([p.line for p in parts])
    triangle = np.concatenate([p.triangle for p in parts])
    length = np.concatenate([p.length for p in parts])
    u = np.concatenate([p.u for p in parts])
    share = np.concatenate([p.share for p in parts])
    lowest = int(line.min())
    surface = np.full(int(line.max()) - lowest + 1, np.inf)
    np.minimum.at(surface, line - lowest, u - 0.5 * length)
    below = (u - surface[line - lowest]) / STEPS
    # the weight of a piece is the integral of exp(-z) over it
    half = 0.5 * length / STEPS
    light = 2.0 * np.sinh(half) * np.exp(-below)
    seen = below < DEEP
    rays = coo_array(
        (
            (light[:, None] * share)[seen].ravel(),
            (np.repeat(line[seen] - lowest, 3), triangles[triangle[seen]].ravel()),
        ),
        shape=(surface.size, n),
    ).tocsr()
    total = np.asarray(rays.sum(axis=1)).ravel()
    rays = diags_array(np.divide(1.0, total, out=np.zeros_like(total), where=total > 0.0)) @ rays
    pixel = (np.arange(surface.size) + lowest) // rows
    inside = (pixel >= 0) & (pixel < width)
    gather = coo_array(
        (np.full(int(inside.sum()), 1.0 / rows), (pixel[inside], np.flatnonzero(inside))),
        shape=(width, surface.size),
    )
    return csr_array(gather.tocsr() @ rays)
