"""Where rock salt lies on the lateral surface: intervals of the outline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from nmcsim.case.outline import Outline
from nmcsim.case.shape import Patches
from nmcsim.errors import InputError, Mistake

SHORTEST = 5e-4
"""Least length of a patch or a gap, as a share of the outline; cells would become slivers."""
EVEN_SHARE = 0.2
"""Of a random arrangement, the share of covered and of bare length that is dealt out evenly: no
patch and no gap is shorter than this share of their mean."""
AGREE = 1e-3
"""How far a given coverage may be from that of the intervals: three digits are often written."""


class RockSaltParameters(Protocol):
    """``physics.rock_salt`` as far as the arrangement goes; angles in radians."""

    @property
    def coverage(self) -> float | None: ...
    @property
    def arrangement(self) -> str: ...
    @property
    def angle(self) -> float: ...
    @property
    def patches(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def size_spread(self) -> float: ...
    @property
    def intervals(self) -> Sequence[tuple[float, float]] | None: ...


def patches(rock_salt: RockSaltParameters, outline: Outline) -> Patches:
    """Intervals (s0, s1) of `outline` under rock salt, sorted by s0 in [0, 1), disjoint.

    An interval over the start of the outline has s1 > 1. The total length is the coverage.

    Parameters
    ----------
    rock_salt : RockSaltParameters
        ``arrangement`` is one of

        - ``"arc"``: one arc, its middle at `angle`;
        - ``"patches"``: `patches` equal ones, equally spaced, the first with its middle at `angle`;
        - ``"random"``: `patches` of random place and size from `seed`. Sizes follow a lognormal
          law whose logarithm has the standard deviation `size_spread`; see `EVEN_SHARE`;
        - ``"intervals"``: `intervals`, pairs of angles, counter-clockwise from the first to the
          second.
    outline : Outline
        Angles are seen from its centroid.

    Raises
    ------
    InputError
        If a patch or gap is too short, or intervals overlap or contradict the coverage.
    """
    if rock_salt.arrangement == "intervals":
        found = _explicit(rock_salt, outline)
    elif not rock_salt.coverage:
        return ()
    elif rock_salt.arrangement == "random":
        found = _random(rock_salt)
    else:
        n = 1 if rock_salt.arrangement == "arc" else rock_salt.patches
        half = 0.5 * rock_salt.coverage / n
        middle = outline.s_of_angle(rock_salt.angle)
        found = [(middle + k / n - half, middle + k / n + half) for k in range(n)]
    ordered = tuple(sorted((s0 % 1.0, s0 % 1.0 + (s1 - s0)) for s0, s1 in found))
    _refuse_slivers(ordered)
    return ordered


def coverage(intervals: Patches) -> float:
    """The share of the outline under rock salt."""
    return math.fsum(s1 - s0 for s0, s1 in intervals)


def under_rock_salt(s: np.ndarray, intervals: Patches) -> np.ndarray:
    """Whether the fractions `s` of the outline lie under rock salt, bool of the shape of `s`."""
    found = np.zeros(np.shape(s), dtype=bool)
    for s0, s1 in intervals:
        found |= (np.asarray(s) - s0) % 1.0 < s1 - s0
    return found


def _random(rock_salt: RockSaltParameters) -> list[tuple[float, float]]:
    # RandomState's streams are frozen, Generator's may change with NumPy: a seed stays a seed
    stream = np.random.RandomState(rock_salt.seed)
    share, n = rock_salt.coverage or 0.0, rock_salt.patches
    sizes = share * _dealt(stream.lognormal(0.0, rock_salt.size_spread, n))
    # exponential weights: ends that are uniformly distributed on the bare length
    gaps = (1.0 - share) * _dealt(stream.exponential(size=n))
    starts = stream.uniform() + np.concatenate([[0.0], np.cumsum(sizes + gaps)[:-1]])
    return [(float(s), float(s + size)) for s, size in zip(starts, sizes, strict=True)]


def _dealt(weights: np.ndarray) -> np.ndarray:
    """Shares of 1, partly even and partly by weight."""
    return EVEN_SHARE / len(weights) + (1.0 - EVEN_SHARE) * weights / weights.sum()


def _explicit(rock_salt: RockSaltParameters, outline: Outline) -> list[tuple[float, float]]:
    found = []
    for first, second in rock_salt.intervals or ():
        if abs(second - first) >= 2.0 * math.pi - 1e-9:
            raise _mistake("intervals", f"{_degrees(first, second)} is the whole surface")
        s0 = outline.s_of_angle(first)
        found.append((s0, s0 + (outline.s_of_angle(second) - s0) % 1.0))
    found.sort()
    if not found:
        raise _mistake(
            "intervals", "is missing; list pairs of angles, or choose another arrangement"
        )
    following = [*found[1:], (found[0][0] + 1.0, found[0][1] + 1.0)]
    for (s0, s1), (t0, t1) in zip(found, following, strict=True):
        if t0 < s1 - 1e-12:
            a, b = (_interval(outline, *pair) for pair in ((s0, s1), (t0, t1)))
            raise _mistake("intervals", f"overlap: {a} and {b}; join or part them")
    total = math.fsum(s1 - s0 for s0, s1 in found)
    if rock_salt.coverage is not None and abs(rock_salt.coverage - total) > AGREE:
        raise _mistake(
            f"coverage = {rock_salt.coverage:g}",
            f"contradicts the intervals, which cover {total:.4g}; leave it out",
        )
    return _joined(found)


def _joined(found: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Intervals that touch made one."""
    joined = [found[0]]
    for s0, s1 in found[1:]:
        if s0 - joined[-1][1] < 1e-9:
            joined[-1] = (joined[-1][0], s1)
        else:
            joined.append((s0, s1))
    if len(joined) == 1 and joined[0][1] - joined[0][0] > 1.0 - 1e-9:
        raise _mistake("intervals", "leaves no bare surface")
    if len(joined) > 1 and joined[0][0] + 1.0 - joined[-1][1] < 1e-9:
        s0, _ = joined.pop()
        joined[0] = (s0 - 1.0, joined[0][1])
    return joined


def _refuse_slivers(ordered: Patches) -> None:
    if not ordered:
        return
    starts = [s0 for s0, _ in ordered]
    gaps = [
        following - s1
        for (_, s1), following in zip(ordered, [*starts[1:], starts[0] + 1.0], strict=True)
    ]
    for word, lengths in (("patch", [s1 - s0 for s0, s1 in ordered]), ("gap", gaps)):
        if min(lengths) < SHORTEST:
            raise _mistake(
                "",
                f"leaves a {word} of {min(lengths):.2g} of the outline, too short to mesh (below "
                f"{SHORTEST:g}); take fewer patches or another coverage",
            )


def _interval(outline: Outline, s0: float, s1: float) -> str:
    first, second = outline.angle(np.array([s0, s1])).tolist()
    return _degrees(first, second)


def _degrees(first: float, second: float) -> str:
    return f"[{math.degrees(first):g}, {math.degrees(second):g}] deg"


def _mistake(key: str, message: str) -> InputError:
    return InputError(Mistake(f"physics.rock_salt.{key}".removesuffix("."), message))
