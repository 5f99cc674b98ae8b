"""Random packings of disks in a box: none overlaps, and those that touch do so exactly.

Two disks are either in contact, at exactly the contact gap, or at least the clear gap apart: what
lies between can be meshed without slivers. Disks in contact form trees: no ring of them encloses
liquid. All lengths have one unit, whichever it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]

STEPS = 12
"""In so many steps the disks grow to their size, so that they find room."""
STARTS = 4
"""Random arrangements that are tried before a density counts as impossible."""
EXACT = 1e-5
"""A gap that differs from the asked one by this share of a mean radius is met."""
REACH = 0.5
"""Disks closer than this share of a mean radius may be pulled into contact."""


@dataclass(frozen=True)
class Disks:
    """Disks in the plane.

    Attributes
    ----------
    centres : (n, 2) array
    radii : (n,) array
    contacts : tuple of (int, int)
        Pairs in contact.
    """

    centres: Floats
    radii: Floats
    contacts: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Room:
    """Where disks may lie, and how close to each other.

    Attributes
    ----------
    left, right, bottom, top : float
        Disks stay inside.
    contact_gap, clear_gap : float
        Distance of disks in contact, and least distance of others.
    """

    left: float
    right: float
    bottom: float
    top: float
    contact_gap: float
    clear_gap: float

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.top - self.bottom)


class Jammed(Exception):
    """No arrangement was found; `share` is the area share of disks that was reached."""

    def __init__(self, share: float) -> None:
        super().__init__(f"disks jam at an area share of {share:.3f}")
        self.share = share


def random_radii(
    mean: float,
    spread: float,
    limits: tuple[float, float],
    rng: np.random.Generator,
    *,
    number: int | None = None,
    area: float | None = None,
) -> Floats:
    """Radii of a log-normal distribution, largest first.

    Parameters
    ----------
    mean, spread : float
        Mean radius, and standard deviation of its logarithm.
    limits : (float, float)
        Smallest and largest radius; others are drawn again.
    number : int, optional
        How many; or else as many as fill `area`.
    area : float, optional
        Total area of the disks. It is met exactly: in the end all radii are multiplied by one
        factor near 1.
    """
    found: list[float] = []
    shift = math.log(mean) - 0.5 * spread**2
    filled = 0.0
    while len(found) < number if number is not None else filled < (area or 0.0):
        radius = math.exp(rng.normal(shift, spread))
        if limits[0] <= radius <= limits[1]:
            found.append(radius)
            filled += math.pi * radius**2
    if number is None and area is not None:
        # the last one may fill too much: leave it out if that is nearer
        if len(found) > 1 and filled - area > area - (filled - math.pi * found[-1] ** 2):
            filled -= math.pi * found.pop() ** 2
        found = [radius * math.sqrt(area / filled) for radius in found]
    return np.sort(np.array(found))[::-1]


def pack(radii: Floats, room: Room, contacts: float, rng: np.random.Generator) -> Disks:
    """A random packing.

    Parameters
    ----------
    radii : (n,) array
    room : Room
    contacts : float
        Contacts per disk to aim at, on average; trees have less than two.
    rng : Generator

    Raises
    ------
    Jammed
        If the disks do not fit, with the share that did.
    """
    share = math.pi * float(np.sum(radii**2)) / room.area
    reached = 0.0
    for _ in range(STARTS):
        centres = _thrown(radii, room, rng)
        for step in range(STEPS + 1):
            factor = 0.7 + 0.3 * step / STEPS
            centres, overlap = _relaxed(centres, factor * radii, room)
            if overlap > EXACT * float(radii.mean()):
                break
            reached = max(reached, factor**2 * share)
        else:
            return joined(Disks(centres, radii), room, contacts)
    raise Jammed(reached)


def joined(disks: Disks, room: Room, contacts: float) -> Disks:
    """Disks of which near pairs are pulled into contact, the nearest first, as trees."""
    asked = round(0.5 * contacts * len(disks.radii))
    pairs = _nearest_as_trees(disks, room)[:asked]
    scale = float(disks.radii.mean())
    while pairs:
        centres, wrong = _relaxed(disks.centres, disks.radii, room, pairs)
        if wrong <= EXACT * scale:
            return replace(disks, centres=centres, contacts=tuple(sorted(pairs)))
        # the pair that is farthest from contact cannot be had beside the others
        off = np.abs(gaps(centres, disks.radii, pairs) - room.contact_gap)
        pairs.pop(int(np.argmax(off)))
    return disks


def gaps(centres: Floats, radii: Floats, pairs: Sequence[tuple[int, int]]) -> Floats:
    """Distance between the outlines of each pair."""
    a, b = np.array(pairs, dtype=int).reshape(-1, 2).T
    found: Floats = np.linalg.norm(centres[a] - centres[b], axis=1) - radii[a] - radii[b]
    return found


def near_pairs(centres: Floats, radii: Floats, reach: float) -> list[tuple[int, int]]:
    """All pairs with a gap below `reach`, sorted."""
    tree = cKDTree(centres)
    found = sorted(tree.query_pairs(2.0 * float(radii.max()) + reach))
    if not found:
        return []
    close = gaps(centres, radii, found) < reach
    return [(int(a), int(b)) for (a, b), near in zip(found, close, strict=True) if near]


def _nearest_as_trees(disks: Disks, room: Room) -> list[tuple[int, int]]:
    """Pairs in order of their gaps, without those that would close a ring."""
    reach = room.clear_gap + REACH * float(disks.radii.mean())
    pairs = near_pairs(disks.centres, disks.radii, reach)
    tree = list(range(len(disks.radii)))
    found = []
    for i in np.argsort(gaps(disks.centres, disks.radii, pairs), kind="stable").tolist():
        a, b = pairs[i]
        if tree[a] != tree[b]:
            found.append((a, b))
            old, new = tree[a], tree[b]
            tree = [new if label == old else label for label in tree]
    return found


def _thrown(radii: Floats, room: Room, rng: np.random.Generator) -> Floats:
    low = np.array([room.left, room.bottom]) + radii[:, None]
    high = np.array([room.right, room.top]) - radii[:, None]
    found: Floats = rng.uniform(np.minimum(low, high), np.maximum(low, high))
    return found


def _relaxed(
    centres: Floats, radii: Floats, room: Room, contacts: Sequence[tuple[int, int]] = ()
) -> tuple[Floats, float]:
    """Centres moved until gaps are met, as far as that goes; and the largest gap's error."""
    a, b = np.triu_indices(len(radii), 1)
    touching = np.zeros(len(a), dtype=bool)
    if contacts:
        number = {pair: k for k, pair in enumerate(zip(a.tolist(), b.tolist(), strict=True))}
        touching[[number[pair] for pair in contacts]] = True
    apart = radii[a] + radii[b] + np.where(touching, room.contact_gap, room.clear_gap)
    low = np.array([room.left, room.bottom]) + radii[:, None]
    high = np.array([room.right, room.top]) - radii[:, None]

    def errors(x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        step = x[a] - x[b]
        distance = np.maximum(np.linalg.norm(step, axis=1), 1e-12 * apart)
        short = apart - distance
        short = np.where(touching, short, np.maximum(short, 0.0))
        outside = np.maximum(low - x, 0.0) - np.maximum(x - high, 0.0)
        return step, distance, short, outside

    def energy(flat: Floats) -> tuple[float, Floats]:
        step, distance, short, outside = errors(flat.reshape(-1, 2))
        push = (2.0 * short / distance)[:, None] * step
        gradient = -2.0 * outside
        np.add.at(gradient, a, -push)
        np.add.at(gradient, b, push)
        return float(np.sum(short**2) + np.sum(outside**2)), gradient.ravel()

    options = {"maxiter": 4000, "maxfun": 8000, "ftol": 1e-30, "gtol": 1e-12, "maxcor": 20}
    found = minimize(energy, centres.ravel(), jac=True, method="L-BFGS-B", options=options)
    x = found.x.reshape(-1, 2)
    _, _, short, outside = errors(x)
    return x, float(max(np.abs(short).max(initial=0.0), np.abs(outside).max()))
