"""The voltage of an electrode's cycles, and what it is spent on."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import ScalarFormatter
from numpy.typing import NDArray

from nmcsim.figures.halfcycles import (
    OTHERS,
    HalfCycle,
    half_cycles,
    hours,
    name_half_cycles,
    rows_of,
    shade_holds,
)
from nmcsim.figures.style import (
    COLOURS,
    DASHES,
    KIND_COLOURS,
    ONE_COLUMN,
    TWO_COLUMNS,
    abscissa,
    header,
    label,
    new_figure,
    rows_by_step,
    shown,
    styled,
)
from nmcsim.results import Result

PARTS = {
    "V_electronic": "electrons in the solid",
    "V_contact": "contacts",
    "V_diffusion": "diffusion in the particles",
    "V_kinetic": "reaction",
    "V_ionic": "electrolyte",
    "V_lithium": "lithium electrode",
}
"""The parts of the voltage beside the equilibrium one, in words."""


def cycles(result: Result) -> Figure:
    """Voltage over the net capacity, a line for each half-cycle, one column wide.

    The capacity is counted from the start of the run, so that what a discharge leaves behind is the
    distance at which it ends from the start of its charge.
    """
    over, v = shown(abscissa(result))[0], result["voltage"].values
    halves = half_cycles(result)
    shades = ["#0b3c5d", "#0072B2", "#56B4E9", "#9fd3f2"]
    with styled():
        figure = new_figure(ONE_COLUMN, 0.8 * ONE_COLUMN)
        axes = figure.subplots()
        for number, half in enumerate(halves):
            rows = rows_of(half, result)
            dash = "-" if half.kind == "charge" else DASHES[1]
            colour = shades[min(number // 2, len(shades) - 1)]
            axes.plot(over[rows], v[rows], color=colour, ls=dash, label=half.name)
        others = ~np.any([rows_of(half, result) for half in halves], axis=0) | (not halves)
        if others.any():  # what lies outside, or in a half-cycle in which the run failed
            axes.plot(over[others], v[others], color=OTHERS, label="outside half-cycles")
        holds = [rows for kind, rows in rows_by_step(result) if kind == "hold"]
        for number, rows in enumerate(holds):
            name = "_" * bool(number) + "voltage held"
            axes.plot(
                over[rows], v[rows], color=KIND_COLOURS["hold"], lw=3.2, alpha=0.55, label=name
            )
        axes.set_xlabel(label(abscissa(result)).replace("Capacity", "Net capacity"))
        axes.set_ylabel(label(result["voltage"]))
        axes.margins(x=0.03, y=0.06)
        handles, _ = axes.get_legend_handles_labels()
        if len(handles) > 1:
            figure.legend(loc="outside lower center", ncols=3, handlelength=2.6)
        words = losses_in_words(result)
        if words:
            axes.set_title("\n".join(words), loc="left", fontsize=7)
    return figure


def losses_in_words(result: Result) -> list[str]:
    """What each cycle did not give back, a sentence each, of the first three cycles."""
    losses = result.summary.get("capacity_loss") or []
    said = [
        (number, round(100 * loss, 1))
        for number, loss in enumerate(losses[:3], start=1)
        if loss is not None
    ]
    return [
        f"Cycle {number}: {abs(percent):.1f} % of the charge does not come back"
        if percent >= 0
        else f"Cycle {number}: {-percent:.1f} % more comes back than was charged"
        for number, percent in said
    ]


def cycles_data(result: Result) -> tuple[list[str], NDArray[Any]]:
    """Header and table behind `cycles`; the half-cycle is 0 outside all of them."""
    number = np.zeros(len(result["time"]))
    for place, half in enumerate(half_cycles(result), start=1):
        number[rows_of(half, result)] = place
    columns = [result["time"], abscissa(result), result["voltage"]]
    heads = ["half-cycle [1]", *(header(c) for c in columns)]
    return heads, np.column_stack([number, *(shown(c)[0] for c in columns)])


def has_split(result: Result) -> bool:
    """Whether the run recorded what its voltage is made of."""
    return "V_U" in result.history and bool(np.isfinite(result["V_U"].values).any())


def voltage_split(result: Result) -> Figure:
    """The voltage and its equilibrium part above, the overpotentials below, over time; two columns
    wide.

    Raises
    ------
    InputError
        The run recorded no parts.
    """
    time, unit = hours(result["time"].values)
    seconds = 3600.0 if unit == "h" else 60.0
    spans = [rows for _, rows in rows_by_step(result)]
    halves: list[HalfCycle] = half_cycles(result)
    with styled():
        figure = new_figure(TWO_COLUMNS, 3.4)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.3])
        for axes in (above, below):
            shade_holds(axes, result, seconds)
        name_half_cycles(above, halves, seconds)
        _lines(above, time, spans, result["voltage"].values, COLOURS[6], "-")
        _lines(above, time, spans, result["V_U"].values, OPEN, DASHES[1])
        above.set_ylabel("Voltage / V")
        handles = [
            Line2D([], [], color=COLOURS[6], label="cell voltage"),
            Line2D([], [], color=OPEN, ls=DASHES[1], label="equilibrium, of the mean θ"),
        ]
        below.axhline(0, color="#8a929b", lw=0.6)
        for (name, words), (colour, dash) in zip(PARTS.items(), LOOKS, strict=True):
            if name in result.history:
                _lines(below, time, spans, 1e3 * result[name].values, colour, dash)
                handles.append(Line2D([], [], color=colour, ls=dash, label=words))
        # they span decades, and either sign; linear between -1 and 1 mV
        below.set_yscale("symlog", linthresh=1.0, linscale=0.6)
        below.yaxis.set_major_formatter(ScalarFormatter())
        below.set_ylabel("Overpotential / mV")
        below.set_xlabel(f"Time / {unit}")
        below.margins(x=0.01)
        figure.legend(handles=handles, loc="outside right center", handlelength=2.6)
    return figure


OPEN = "#7a5195"
LOOKS = tuple(zip(COLOURS[:6], [*DASHES, (0, (3, 1, 1, 1, 1, 1))], strict=True))


def _lines(
    axes: Axes, x: NDArray[Any], spans: list[Any], y: NDArray[Any], colour: str, dash: Any
) -> None:
    for rows in spans:
        axes.plot(x[rows], y[rows], color=colour, ls=dash, lw=1.1)


def voltage_split_data(result: Result) -> tuple[list[str], NDArray[Any]]:
    """Header and table behind `voltage_split`."""
    names = ["time", "voltage", "V_U", *(name for name in PARTS if name in result.history)]
    columns = [result[name] for name in names]
    heads = [f"{column.name} [{column.unit}]" for column in columns]
    return heads, np.column_stack([column.values for column in columns])
