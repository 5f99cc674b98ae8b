"""Where boundaries have corners, which stay vertices, and what is done with those too close."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmcsim.case.partition.curves import at, ways
from nmcsim.errors import InputError, Mistake

CORNER = np.deg2rad(30.0)
"""Boundaries that turn by more have a corner, which stays a vertex."""
WINDOW = 0.04
"""Over this distance to both sides a boundary's direction is taken."""
SHORTEST = 0.08
"""A piece of boundary between two corners is at least so long, or cells degenerate."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Corners:
    """Where boundaries have corners.

    Attributes
    ----------
    turn : float
        A boundary that turns by more within `WINDOW` has one [rad].
    join : float
        Those nearer along a boundary than this are made one; 0 where they are refused.
    """

    turn: float
    join: float


DRAWN = Corners(CORNER, 0.0)
"""Of regions that parameters draw: who draws them can part corners."""
MEASURED = Corners(np.deg2rad(80.0), 2.0 * SHORTEST)
"""Of regions that come from an image: smooth but for the box. Cells are as small as bends and thin
parts ask for."""


def cut_at_corners(arc: Floats, corners: Corners) -> list[Floats]:
    """Pieces of a curve that bend, but have no corners."""
    closed = bool(np.all(arc[0] == arc[-1]))
    turns = _turns(arc, closed)
    sharp = np.flatnonzero(turns > corners.turn).tolist()
    kept = [i for i in sharp if turns[i] == _near_max(arc, turns, i)]
    if closed and kept:
        arc = np.concatenate([arc[kept[0] :], arc[1 : kept[0] + 1]])
        kept = [i - kept[0] for i in kept[1:]]
    ends = [0, *(i for i in kept if 0 < i < len(arc) - 1), len(arc) - 1]
    return [arc[a : b + 1] for a, b in itertools.pairwise(ends)]


def _turns(arc: Floats, closed: bool) -> Floats:
    """By which angle a curve turns at each vertex, its directions taken over `WINDOW`."""
    s = ways(arc)
    before, after = s - WINDOW, s + WINDOW
    if closed:
        before, after = before % s[-1], after % s[-1]
    behind, ahead = arc - at(arc, s, before), at(arc, s, after) - arc
    cross = behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]
    turns: Floats = np.abs(np.arctan2(cross, np.sum(behind * ahead, axis=1)))
    if not closed:
        turns[[0, -1]] = 0.0
    elif len(turns) > 1:
        turns[-1] = 0.0  # the first vertex again
    return turns


def _near_max(arc: Floats, turns: Floats, i: int) -> float:
    near = np.linalg.norm(arc - arc[i], axis=1) < WINDOW
    return float(turns[near].max())


def joined_corners(
    arcs: Sequence[Floats], sides: Sequence[tuple[str, str]], join: float
) -> tuple[list[Floats], list[tuple[str, str]]]:
    """The curves, and their sides, without those shorter than `join`, whose ends are made one."""
    ends = np.concatenate([[arc[0], arc[-1]] for arc in arcs])
    nodes, number = np.unique(ends, axis=0, return_inverse=True)
    pairs = number.reshape(-1, 2)
    short = np.array([ways(arc)[-1] < join for arc in arcs])
    same = np.arange(len(nodes))
    for a, b in pairs[short]:
        same[same == same[b]] = same[a]
    low, high = nodes.min(axis=0), nodes.max(axis=0)
    rim = np.sum((nodes == low) | (nodes == high), axis=1)
    for node in np.unique(same):
        own = same == node
        # what lies at a side or a corner of the box stays there
        nodes[own] = nodes[own & (rim == rim[own].max())].mean(axis=0)
    found = []
    for arc, (a, b) in itertools.compress(zip(arcs, pairs, strict=True), ~short):
        found.append(np.concatenate([nodes[[a]], arc[1:-1], nodes[[b]]]))
    return found, list(itertools.compress(sides, ~short))


def refuse_short(arcs: Sequence[Floats]) -> None:
    """Refuse curves between two corners that cells cannot resolve."""
    for arc in arcs:
        length = ways(arc)[-1]
        if length < SHORTEST:
            x, y = arc.mean(axis=0)
            raise InputError(
                Mistake(
                    "",
                    f"has two corners only {length:.2g} um apart at ({x:.2f}, {y:.2f}) um, too"
                    f" close to mesh (the least is {SHORTEST:g} um); change a gap, a coverage or an"
                    f" angle a little",
                )
            )
