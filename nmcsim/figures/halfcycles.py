"""What the figures of an electrode share: its half-cycles, its holds, its particles' colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.figures.style import DASHES, rows_by_step
from nmcsim.results import ParticleSeries, Result

Array = NDArray[np.float64]

PARTICLE_COLOURS = (
    "#E69F00", "#0072B2", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000"
)  # fmt: skip
"""Okabe and Ito's, in the order of Fig. 4a: orange, blue, green, purple, red."""
OTHERS = "#9aa3ad"
"""Of particles that no microscope follows."""
HOLD_SHADE = "#e9ebee"


@dataclass(frozen=True)
class HalfCycle:
    """A charge or a discharge, with the hold behind it.

    Parameters
    ----------
    name : str
        Such as "charge 2".
    kind : str
        "charge" or "discharge".
    start, end_cc, end : float
        [s]; ``end_cc`` is where the constant current ends.
    t25 : (p,) array
        When a quarter of each particle's own change had happened [s]; NaN where nothing changed.
    peak : (p,) array
        When each particle's slope was steepest [s].
    asynchrony : float
        Of the observed particles; NaN where it is not known.
    """

    name: str
    kind: str
    start: float
    end_cc: float
    end: float
    t25: Array
    peak: Array
    asynchrony: float

    def share(self, time: Array) -> Array:
        """``time`` [s] as share of the half-cycle without its hold."""
        return np.asarray((time - self.start) / (self.end_cc - self.start))


def particles(result: Result) -> ParticleSeries:
    """The particles of ``result``.

    Raises
    ------
    InputError
        Its model has none.
    """
    if result.particles is None:
        message = "has no particles; this figure is of a composite electrode"
        raise InputError(Mistake(str(result.directory), message))
    return result.particles


def half_cycles(result: Result) -> list[HalfCycle]:
    """The half-cycles of ``result``, in order; none where the run did not come to its summary."""
    count = len(particles(result).names)
    numbers: dict[str, int] = {}
    found = []
    for entry in result.summary.get("half_cycles") or []:
        kind = str(entry["kind"])
        numbers[kind] = numbers.get(kind, 0) + 1
        found.append(
            HalfCycle(
                name=f"{kind} {numbers[kind]}",
                kind=kind,
                start=float(entry["t_start"]),
                end_cc=float(entry["t_end_cc"]),
                end=float(entry["t_end"]),
                t25=_times(entry.get("t25"), count),
                peak=_times(entry.get("slope_peak"), count),
                asynchrony=_number(entry.get("asynchrony")),
            )
        )
    return found


def _times(told: Sequence[Any] | None, count: int) -> Array:
    return np.array([_number(value) for value in told or [None] * count])


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def within(half: HalfCycle, t: Array) -> NDArray[np.bool_]:
    """Which of the times ``t`` [s] lie in ``half``, its ends included."""
    slack = 1e-9 * max(abs(half.end), 1.0)
    return np.asarray((t >= half.start - slack) & (t <= half.end + slack))


def rows_of(half: HalfCycle, result: Result) -> NDArray[np.bool_]:
    """Which rows of the history belong to ``half``: those of its steps.

    Two steps have a row each at the time at which they meet.
    """
    t = result["time"].values
    found = np.zeros(len(t), dtype=bool)
    for step, (_, rows) in zip(result.steps, rows_by_step(result), strict=False):
        if step.get("t_end") is not None and bool(
            within(half, np.array([step["t_start"], step["t_end"]])).all()
        ):
            found |= rows
    return found if found.any() else within(half, t)


# -- particles --------------------------------------------------------------------------------


def followed(of: ParticleSeries) -> list[int]:
    """Numbers of the particles that have colours of their own: those observed, or all where none
    is; the least obstructed first, then from left to right.
    """
    chosen = np.flatnonzero(of.observed).tolist() or list(range(len(of.names)))
    return sorted(chosen, key=lambda i: (int(of.obstruction[i]), float(of.centre[i, 0])))


def colours(of: ParticleSeries) -> list[str]:
    """A colour for every particle: its own where it is `followed`, one grey for all others."""
    found = [OTHERS] * len(of.names)
    for place, i in enumerate(followed(of)):
        found[i] = PARTICLE_COLOURS[place % len(PARTICLE_COLOURS)]
    return found


def dashes(of: ParticleSeries) -> list[Any]:
    """Dashes for every particle: those followed are told apart in grey, too."""
    found: list[Any] = ["-"] * len(of.names)
    for place, i in enumerate(followed(of)):
        found[i] = DASHES[place % len(DASHES)]
    return found


def called(of: ParticleSeries, i: int) -> str:
    """Particle ``i`` in a legend: its name, and what stands between it and the binder."""
    text = of.names[i].replace("[", " ").replace("]", "")
    if of.fragment_of[i] >= 0:
        text += f", part of {of.fragment_of[i]}"
    return f"{text} ({of.obstruction[i]})" if of.obstruction[i] >= 0 else text


# -- time -------------------------------------------------------------------------------------


def hours(t: Array) -> tuple[Array, str]:
    """Times [s] in hours where the run lasts two or more, else in minutes, and the unit."""
    last = float(t[-1]) if len(t) else 0.0
    return (t / 3600.0, "h") if last >= 7200.0 else (t / 60.0, "min")


def shade_holds(axes: Axes, result: Result, seconds: float) -> None:
    """Shade the voltage holds lightly, behind curves over time in units of ``seconds``."""
    for step in result.steps:
        if step["kind"] == "hold" and step.get("t_end") is not None:
            span = (step["t_start"] / seconds, step["t_end"] / seconds)
            axes.axvspan(*span, color=HOLD_SHADE, lw=0, zorder=0)


def name_half_cycles(axes: Axes, halves: Sequence[HalfCycle], seconds: float) -> None:
    """Write the names of the half-cycles above ``axes``, with a thin line where each begins."""
    for half in halves:
        axes.axvline(half.start / seconds, color="#c3c9d0", lw=0.6, zorder=0.5)
        middle = 0.5 * (half.start + half.end) / seconds
        axes.annotate(
            half.name.capitalize(),
            (middle, 1.0),
            (0, 3),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=7,
        )
