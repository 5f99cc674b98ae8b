"""When the particles of an electrode take part: their curves, and the times they begin at."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nmcsim.figures.halfcycles import (
    HOLD_SHADE,
    OTHERS,
    HalfCycle,
    called,
    colours,
    dashes,
    followed,
    half_cycles,
    hours,
    name_half_cycles,
    particles,
    shade_holds,
)
from nmcsim.figures.style import TWO_COLUMNS, new_figure, rows_by_step, styled
from nmcsim.results import ParticleSeries, Result

BINS = 0.025
"""Width of a bar of the histogram, as share of the half-cycle."""


def activation_curves(result: Result) -> Figure:
    """Surface lithium of the observed particles over time (Fig. 4d), two columns wide.

    Raises
    ------
    InputError
        The model has no particles.
    """
    of = particles(result)
    shown = followed(of)
    colour, dash = colours(of), dashes(of)
    time, unit = hours(result["time"].values)
    seconds = 3600.0 if unit == "h" else 60.0
    with styled():
        figure = new_figure(TWO_COLUMNS, 2.35)
        axes = figure.subplots()
        shade_holds(axes, result, seconds)
        name_half_cycles(axes, half_cycles(result), seconds)
        for i in shown:
            for _, rows in rows_by_step(result):
                theta = of.theta_surface[rows, i]
                axes.plot(time[rows], theta, color=colour[i], ls=dash[i])
        axes.set_xlabel(f"Time / {unit}")
        axes.set_ylabel("Surface lithium θ = c / cₘₐₓ")
        axes.margins(x=0.01)
        _legend(figure, of, shown, any(step["kind"] == "hold" for step in result.steps))
    return figure


def _legend(figure: Figure, of: ParticleSeries, shown: list[int], holds: bool) -> None:
    colour, dash = colours(of), dashes(of)
    handles: list[Any] = [
        Line2D([], [], color=colour[i], ls=dash[i], label=called(of, i)) for i in shown[:12]
    ]
    if holds:
        handles.append(Patch(color=HOLD_SHADE, label="voltage held"))
    known = bool((of.obstruction[shown] >= 0).any())
    figure.legend(
        handles=handles,
        loc="outside right center",
        title="Particle (obstruction)" if known else "Particle",
        title_fontsize=7,
        handlelength=2.4,
    )


def activation_curves_data(result: Result) -> tuple[list[str], NDArray[Any]]:
    """Header and table behind `activation_curves`."""
    of = particles(result)
    shown = followed(of)
    heads = ["time [s]", *(f"surface theta of {of.names[i]} [1]" for i in shown)]
    return heads, np.column_stack([result["time"].values, of.theta_surface[:, shown]])


def has_activation(result: Result) -> bool:
    """Whether any half-cycle has activation times of several particles to draw."""
    if result.particles is None or len(result.particles.names) < 2:
        return False
    return any(np.isfinite(half.t25).any() for half in half_cycles(result))


def activation_histogram(result: Result) -> Figure:
    """Activation times of all particles in every half-cycle, two columns wide
    where there are several.

    A block is a particle, at the bar of its t25 and in its colour where it is observed; a diamond
    is the peak of such a particle's slope.

    Raises
    ------
    InputError
        The model has no particles.
    """
    of = particles(result)
    halves = [half for half in half_cycles(result) if np.isfinite(half.t25).any()][:4]
    with styled():
        figure = new_figure(TWO_COLUMNS * (1.0 if len(halves) > 1 else 0.65), 2.5)
        panels = figure.subplots(1, max(len(halves), 1), sharey=True, squeeze=False)[0]
        latest = max((_latest(of, half) for half in halves), default=1.0)
        for axes, half in zip(panels, halves, strict=False):
            _draw_histogram(axes, of, half)
            axes.set_xlim(-0.5 * BINS, max(0.5, BINS * np.ceil(latest / BINS + 1.5)))
        panels[0].set_ylabel("Particles")
        panels[0].yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        marks: list[Any] = [
            Patch(color=colours(of)[i], label=called(of, i)) for i in followed(of)[:8]
        ]
        if len(followed(of)) < len(of.names):
            marks.append(Patch(color=OTHERS, label="other particles"))
        if any(np.isfinite(half.peak).any() for half in halves):
            marks.append(_diamond("steepest slope"))
        figure.legend(handles=marks, loc="outside lower center", ncols=min(len(marks), 4))
    return figure


def _latest(of: ParticleSeries, half: HalfCycle) -> float:
    """The last share of ``half`` that is drawn."""
    times = np.concatenate([half.t25, half.peak[followed(of)]])
    return float(np.nanmax(half.share(times)))


def _diamond(label: str) -> Line2D:
    return Line2D([], [], ls="", marker="D", ms=4, mfc="white", mec="black", mew=0.8, label=label)


def _draw_histogram(axes: Axes, of: ParticleSeries, half: HalfCycle) -> None:
    share, colour = half.share(half.t25), colours(of)
    own = followed(of)
    order = [*(i for i in range(len(of.names)) if i not in own), *own]
    height: dict[int, int] = {}
    for i in order:
        if not np.isfinite(share[i]):
            continue
        # bars lie about multiples: particles that change evenly all have 1/4, and would fall apart
        place = int(np.floor(share[i] / BINS + 0.5))
        level = height.get(place, 0)
        height[place] = level + 1
        axes.add_patch(
            Rectangle(
                ((place - 0.5) * BINS, level), BINS, 1, fc=colour[i], ec="white", lw=0.5, zorder=2
            )
        )
    top = max(height.values(), default=1)
    peaks = half.share(half.peak)
    for place, i in enumerate(own):
        above = top * (1.08 + 0.075 * (place % 5))
        axes.plot(
            peaks[i], above, "D", ms=4, mfc="white", mec=colour[i], mew=1.0, zorder=3, clip_on=False
        )
    axes.set_ylim(0, max(axes.get_ylim()[1], top * (1.5 if np.isfinite(peaks).any() else 1.1)))
    axes.set_xlabel("t₂₅ / half-cycle")
    known = np.isfinite(half.asynchrony)
    index = f"\nasynchrony {half.asynchrony:.3f}" if known else ""
    axes.set_title(half.name.capitalize() + index)


def activation_histogram_data(result: Result) -> tuple[list[str], NDArray[Any]]:
    """Header and table behind `activation_histogram`: a row for each particle and half-cycle."""
    of = particles(result)
    rows = [
        (number, i, float(of.observed[i]), *half.share(np.array([half.t25[i], half.peak[i]])))
        for number, half in enumerate(half_cycles(result), start=1)
        for i in range(len(of.names))
    ]
    heads = ["half-cycle [1]", "particle [1]", "observed [1]"]
    heads += ["t25 / half-cycle [1]", "steepest slope / half-cycle [1]"]
    return heads, np.array(rows, dtype=np.float64).reshape(-1, 5)
