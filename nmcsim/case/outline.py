"""The lateral surface of a particle as a closed curve in the section plane.

A curve is parametrised by the fraction `s` of its length, counter-clockwise; `s` and `s + 1` are
the same point. All lengths are in metres.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmcsim.errors import InputError, Mistake

Array = NDArray[np.float64]


class Outline(ABC):
    """A closed curve without self-intersections.

    Attributes
    ----------
    corners : tuple of float
        Fractions of the length at which the curve has a kink; they become mesh vertices.
    """

    corners: tuple[float, ...]

    @property
    @abstractmethod
    def length(self) -> float:
        """Length of the curve [m]."""

    @property
    @abstractmethod
    def area(self) -> float:
        """Area that the curve encloses [m2]."""

    @property
    @abstractmethod
    def centroid(self) -> Array:
        """Centre of that area, shape (2,) [m]."""

    @abstractmethod
    def point(self, s: ArrayLike) -> Array:
        """Points at the fractions `s` of shape (...), shape (..., 2) [m]."""

    @abstractmethod
    def s_of_angle(self, angle: float) -> float:
        """Fraction in [0, 1) at which a ray from the centroid leaves; `angle` from x [rad].

        Raises
        ------
        InputError
            If the ray does not meet the curve (a particle that does not contain its centroid).
        """

    @abstractmethod
    def s_of_point(self, points: ArrayLike) -> Array:
        """Fraction in [0, 1) of the point of the curve nearest to `points`, shape (..., 2) [m]."""

    def position(self, points: ArrayLike) -> Array:
        """Way along the curve, from its start, to `points` of shape (..., 2) [m]."""
        return self.s_of_point(points) * self.length

    def angle(self, s: ArrayLike) -> Array:
        """Angle in [0, 2 pi) at which the centroid sees the points at `s` [rad]."""
        x, y = np.moveaxis(self.point(s) - self.centroid, -1, 0)
        return np.arctan2(y, x) % (2.0 * math.pi)

    @property
    def extent(self) -> float:
        """Diameter of the circle of the same area [m]."""
        return 2.0 * math.sqrt(self.area / math.pi)


@dataclass(frozen=True)
class Circle(Outline):
    """A circle around the origin; s = 0 lies on the x axis.

    Parameters
    ----------
    radius : float
        [m]
    """

    radius: float
    corners = ()

    @property
    def length(self) -> float:
        return 2.0 * math.pi * self.radius

    @property
    def area(self) -> float:
        return math.pi * self.radius**2

    @property
    def centroid(self) -> Array:
        return np.zeros(2)

    def point(self, s: ArrayLike) -> Array:
        angle = 2.0 * math.pi * np.asarray(s, dtype=float)
        return self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    def s_of_angle(self, angle: float) -> float:
        return _fraction(angle / (2.0 * math.pi))

    def s_of_point(self, points: ArrayLike) -> Array:
        x, y = np.moveaxis(np.asarray(points, dtype=float), -1, 0)
        return np.asarray(_fraction(np.arctan2(y, x) / (2.0 * math.pi)))


class Polygon(Outline):
    """A polygon; s = 0 is its first vertex.

    Parameters
    ----------
    vertices : array, shape (n, 2)
        In order, either way round; repeated vertices and the repeated first one are dropped [m].

    Raises
    ------
    InputError
        For fewer than three vertices, no area, or edges that cross or touch.
    """

    def __init__(self, vertices: ArrayLike) -> None:
        v = _without_repeats(np.array(vertices, dtype=float))
        if len(v) < 3:
            raise _mistake(f"has {len(v)} different vertices; a polygon needs at least three")
        _refuse_crossing(v)
        turned = _cross(v, np.roll(v, -1, axis=0)).sum() < 0.0
        self.vertices = np.concatenate([v[:1], v[:0:-1]]) if turned else v
        self.vertices.setflags(write=False)
        edges = np.roll(self.vertices, -1, axis=0) - self.vertices
        self._edges = edges
        self._ends = np.concatenate([[0.0], np.cumsum(np.hypot(*edges.T))])
        self.corners = tuple((self._ends[:-1] / self.length).tolist())

    @classmethod
    def regular(cls, sides: int, diameter: float) -> Polygon:
        """`sides` equal sides in the circle of `diameter` [m]; one vertex on the x axis."""
        angle = 2.0 * math.pi * np.arange(sides) / sides
        return cls(0.5 * diameter * np.stack([np.cos(angle), np.sin(angle)], axis=-1))

    @property
    def length(self) -> float:
        return float(self._ends[-1])

    @property
    def area(self) -> float:
        return float(0.5 * self._doubled().sum())

    @property
    def centroid(self) -> Array:
        v, start = self.vertices, self.vertices[0]
        third = (v - start) + (np.roll(v, -1, axis=0) - start)
        moment: Array = (third * self._doubled()[:, None]).sum(axis=0)
        return start + moment / (6.0 * self.area)

    def _doubled(self) -> Array:
        v = self.vertices - self.vertices[0]
        return _cross(v, np.roll(v, -1, axis=0))

    def point(self, s: ArrayLike) -> Array:
        way = np.asarray(_fraction(np.asarray(s, dtype=float))) * self.length
        edge = np.clip(np.searchsorted(self._ends, way, side="right") - 1, 0, len(self._edges) - 1)
        part = (way - self._ends[edge]) / (self._ends[edge + 1] - self._ends[edge])
        return self.vertices[edge] + part[..., None] * self._edges[edge]

    def s_of_angle(self, angle: float) -> float:
        ray = np.array([math.cos(angle), math.sin(angle)])
        start = self.vertices - self.centroid
        across = _cross(ray, self._edges)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # parallel edges
            along = _cross(start, self._edges) / across
            part = _cross(start, ray) / across
        tiny = 1e-12
        hit = (np.abs(across) > 0.0) & (along > 0.0) & (part >= -tiny) & (part <= 1.0 + tiny)
        if not hit.any():
            raise _mistake(f"is not met at {math.degrees(angle):g} deg from its centroid")
        edge = int(np.argmax(np.where(hit, along, -np.inf)))
        way = self._ends[edge] + part[edge] * (self._ends[edge + 1] - self._ends[edge])
        return _fraction(float(way) / self.length)

    def s_of_point(self, points: ArrayLike) -> Array:
        p = np.asarray(points, dtype=float)[..., None, :]
        squared = (self._edges**2).sum(axis=1)
        part = np.clip(((p - self.vertices) * self._edges).sum(axis=-1) / squared, 0.0, 1.0)
        gap = p - self.vertices - part[..., None] * self._edges
        edge = np.argmin((gap**2).sum(axis=-1), axis=-1)
        part = np.take_along_axis(part, edge[..., None], axis=-1)[..., 0]
        way = self._ends[edge] + part * (self._ends[edge + 1] - self._ends[edge])
        return np.asarray(_fraction(way / self.length))


class Smooth(Polygon):
    """A smooth closed curve, given by points on it so dense that chords do for its measures.

    Meshes follow the curve through them, and none of them need be a vertex; s = 0 is the first one.

    Parameters
    ----------
    points : array, shape (n, 2)
        In order, either way round [m].

    Raises
    ------
    InputError
        As for a polygon.
    """

    def __init__(self, points: ArrayLike) -> None:
        super().__init__(points)
        self.corners = ()

    def between(self, s0: float, s1: float) -> Array:
        """The points from `s0` to `s1` > `s0`, both included, shape (m, 2) [m]."""
        n = max(4, math.ceil((s1 - s0) * len(self.vertices)))
        return self.point(np.linspace(s0, s1, n + 1))


def _fraction[T: (float, Array)](s: T) -> T:
    """`s` modulo 1, with a rounding error below 0 sent to 0 and not to 1."""
    wrapped = s % 1.0
    if isinstance(wrapped, np.ndarray):
        return np.where(1.0 - wrapped < 1e-14, 0.0, wrapped)
    return 0.0 if 1.0 - wrapped < 1e-14 else wrapped


def _cross(a: Array, b: Array) -> Array:
    found: Array = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return found


def _mistake(sentence: str) -> InputError:
    return InputError(Mistake("the polygon", sentence))


def _without_repeats(v: Array) -> Array:
    if v.ndim != 2 or v.shape[1] != 2 or not np.isfinite(v).all():
        raise _mistake("must be a list of vertices, each of two finite coordinates")
    least = 1e-9 * np.hypot(*np.ptp(v, axis=0)) if len(v) else 0.0
    kept: list[Array] = []
    for vertex in v:
        if not kept or np.hypot(*(vertex - kept[-1])) > least:
            kept.append(vertex)
    while len(kept) > 1 and np.hypot(*(kept[-1] - kept[0])) <= least:
        kept.pop()
    return np.array(kept).reshape(-1, 2)


def _refuse_crossing(v: Array) -> None:
    """Raise if two edges that are not neighbours have a point in common, or neighbours fold."""
    n = len(v)
    a, b = v, np.roll(v, -1, axis=0)
    tiny = 1e-12 * np.ptp(v, axis=0).prod()
    folds = (np.abs(_cross(b - a, np.roll(b - a, -1, axis=0))) <= tiny) & (
        ((b - a) * np.roll(b - a, -1, axis=0)).sum(axis=1) < 0.0
    )
    if folds.any():
        i = int(np.argmax(folds))
        raise _mistake(f"turns back on itself at vertex {(i + 1) % n + 1}; drop that vertex")
    for i in range(n - 2):
        j = np.arange(i + 2, n if i > 0 else n - 1)
        edge = b[i] - a[i]
        c, d = _cross(edge, a[j] - a[i]), _cross(edge, b[j] - a[i])
        other = b[j] - a[j]
        e, f = _cross(other, a[i] - a[j]), _cross(other, b[i] - a[j])
        crossing = (c * d <= tiny * tiny) & (e * f <= tiny * tiny)
        # edges (nearly) on one line cross only if they overlap along it
        low, high = np.minimum(a[j], b[j]), np.maximum(a[j], b[j])
        apart = (low > np.maximum(a[i], b[i])) | (high < np.minimum(a[i], b[i]))
        crossing &= ~apart.any(axis=1)
        if crossing.any():
            k = int(j[np.argmax(crossing)])
            raise _mistake(
                f"intersects itself: the edge from vertex {i + 1} to {i + 2} meets the edge from "
                f"vertex {k + 1} to {(k + 1) % n + 1}; list the vertices in order around it"
            )
