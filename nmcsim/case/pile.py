"""Random piles of spheres in a box, each of which touches what bears it and nothing else.

The first lie on the floor, sunk into it by a share of their surface. Each further one sits on
another sphere, at exactly the contact gap and as low as chance finds room; from all others it keeps
the clear gap. So contacts form trees that stand on the floor. All lengths have one unit, whichever
it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TRIES = 2000
"""Random places among which a sphere takes the lowest."""
STARTS = 8
"""Piles that are begun before there is no room."""


@dataclass(frozen=True)
class Box:
    """Where spheres may lie, and how close to each other.

    Attributes
    ----------
    width, depth, top : float
        Of the box, and the height below which spheres lie.
    floor : float
        Height of the floor's surface.
    sunk : float
        Share of the surface of spheres on the floor that is below its surface.
    contact_gap, clear_gap : float
        Distance of spheres in contact, and least distance of all else.
    neck : float
        Radius of the neck between spheres in contact.
    """

    width: float
    depth: float
    top: float
    floor: float
    sunk: float
    contact_gap: float
    clear_gap: float
    neck: float


@dataclass(frozen=True)
class Pile:
    """Spheres in the order in which they came to lie.

    Attributes
    ----------
    centres : (n, 3) array
    radii : (n,) array
    bearers : tuple of (int or None)
        The sphere that each one sits on; None on the floor.
    """

    centres: Floats
    radii: Floats
    bearers: tuple[int | None, ...]

    @property
    def contacts(self) -> tuple[tuple[int, int], ...]:
        """Pairs in contact."""
        return tuple((b, k) for k, b in enumerate(self.bearers) if b is not None)

    def seen(self, points: int = 400) -> tuple[bool, ...]:
        """Whether at least half of each sphere is visible from above."""
        k = np.arange(points) + 0.5
        turn, out = k * math.pi * (3.0 - math.sqrt(5.0)), np.sqrt(k / points)
        on_disk = np.column_stack((out * np.cos(turn), out * np.sin(turn)))
        found = []
        for i, (centre, radius) in enumerate(zip(self.centres, self.radii, strict=True)):
            above = self.centres[:, 2] > centre[2]
            above[i] = False
            xy = centre[:2] + radius * on_disk
            off = np.linalg.norm(xy[:, None, :] - self.centres[None, above, :2], axis=2)
            hidden = (off < self.radii[above]).any(axis=1)
            found.append(bool(hidden.mean() < 0.5))
        return tuple(found)


class Full(Exception):
    """No room for all spheres; `placed` of them found a place."""

    def __init__(self, placed: int) -> None:
        super().__init__(f"there is room for {placed} spheres")
        self.placed = placed


def pile(radii: Sequence[float] | Floats, box: Box, rng: np.random.Generator) -> Pile:
    """Put spheres into a box, one after the other.

    Raises
    ------
    Full
        If not all of them find a place, with the largest number that did.
    """
    r, most = np.asarray(radii, dtype=float), 0
    for _ in range(STARTS):
        found = _piled(r, box, rng)
        if len(found.radii) == len(r):
            return found
        most = max(most, len(found.radii))
    raise Full(most)


def _piled(r: Floats, box: Box, rng: np.random.Generator) -> Pile:
    """As many of the spheres as find a place, up to the first that does not."""
    centres = np.empty((len(r), 3))
    bearers: list[int | None] = []
    for k in range(len(r)):
        place = _on_the_floor(k, centres, r, box, rng)
        place = place or _on_a_sphere(k, centres, r, bearers, box, rng)
        if place is None:
            return Pile(centres[:k], r[:k], tuple(bearers))
        centres[k], bearer = place
        bearers.append(bearer)
    return Pile(centres, r, tuple(bearers))


def necks(found: Pile) -> Floats:
    """Middle of each contact's gap (m, 3)."""
    a, b = np.array(found.contacts, dtype=int).reshape(-1, 2).T
    x, r = found.centres, found.radii
    way = x[b] - x[a]
    length = np.linalg.norm(way, axis=1)
    along = (0.5 * (length + r[a] - r[b]) / length)[:, None]
    return np.asarray(x[a] + along * way)


Place = tuple[Floats, int | None]


def _on_the_floor(
    k: int, centres: Floats, r: Floats, box: Box, rng: np.random.Generator
) -> Place | None:
    low, high = _between_walls(r[k], box)
    if (low > high).any():
        return None
    tried = np.empty((TRIES, 3))
    tried[:, :2] = rng.uniform(low, high, (TRIES, 2))
    tried[:, 2] = box.floor + r[k] * (1.0 - 2.0 * box.sunk)
    gap = _apart(tried, r[k], centres[:k], r[:k])
    free = (gap >= box.clear_gap) & (tried[:, 2] + r[k] <= box.top)
    if not free.any():
        return None
    # into the narrowest place, which leaves more room for others
    walls = np.minimum(tried[:, :2] - low, high - tried[:, :2]).min(axis=1)
    best = np.flatnonzero(free)[np.argmin(np.minimum(gap, walls)[free])]
    return tried[best], None


def _on_a_sphere(
    k: int,
    centres: Floats,
    r: Floats,
    bearers: Sequence[int | None],
    box: Box,
    rng: np.random.Generator,
) -> Place | None:
    if k == 0:
        return None
    on = rng.integers(k, size=TRIES)
    up = rng.normal(size=(TRIES, 3))
    up /= np.linalg.norm(up, axis=1)[:, None]
    tried = centres[on] + (r[on] + r[k] + box.contact_gap)[:, None] * up
    middle = centres[on] + (r[on] + 0.5 * box.contact_gap)[:, None] * up

    low, high = _between_walls(r[k], box)
    free = ((tried[:, :2] >= low) & (tried[:, :2] <= high)).all(axis=1)
    free &= tried[:, 2] + r[k] <= box.top
    free &= tried[:, 2] - r[k] >= box.floor + box.clear_gap
    free &= middle[:, 2] - box.neck >= box.floor + box.clear_gap
    gaps = np.linalg.norm(tried[:, None] - centres[None, :k], axis=2) - r[None, :k] - r[k]
    beside = np.linalg.norm(middle[:, None] - centres[None, :k], axis=2) - r[None, :k]
    own = np.arange(k)[None, :] == on[:, None]
    free &= (own | (gaps >= box.clear_gap)).all(axis=1)
    free &= (own | (beside >= box.neck + box.clear_gap)).all(axis=1)
    earlier = [j for j, b in enumerate(bearers) if b is not None]
    if earlier:
        old = necks(Pile(centres[:k], r[:k], tuple(bearers)))
        free &= _apart(middle, 2.0 * box.neck, old, np.zeros(len(old))) >= box.clear_gap
        free &= _apart(tried, r[k] + box.neck, old, np.zeros(len(old))) >= box.clear_gap
    if not free.any():
        return None
    best = int(np.flatnonzero(free)[np.argmin(tried[free, 2])])
    return tried[best], int(on[best])


def _between_walls(radius: float, box: Box) -> tuple[Floats, Floats]:
    """Least and largest x and y of the centre of a sphere."""
    least = radius + box.clear_gap
    return np.array([least, least]), np.array([box.width - least, box.depth - least])


def _apart(tried: Floats, radius: float, centres: Floats, radii: Floats) -> Floats:
    """Distance of each sphere that is tried from the nearest of the others; (n,)."""
    if not len(centres):
        return np.full(len(tried), np.inf)
    gaps = np.linalg.norm(tried[:, None] - centres[None], axis=2) - radii[None] - radius
    return np.asarray(gaps.min(axis=1))
