"""Curves of the history: voltage over capacity, and the asymmetry of the lithium over the state of
charge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.figures.style import (
    COLOURS,
    DASHES,
    KIND_COLOURS,
    ONE_COLUMN,
    abscissa,
    header,
    label,
    new_figure,
    rows_by_step,
    shown,
    styled,
)
from nmcsim.results import Result, Series

RATE = re.compile(r"\bat\s+(C/[\d.]+|[\d.]+\s*C\b)")


def voltage(result: Result) -> Figure:
    """Voltage over capacity, one column wide, coloured by the kind of step."""
    with styled():
        figure = new_figure(ONE_COLUMN, 0.72 * ONE_COLUMN)
        draw_voltage(figure.subplots(), result)
    return figure


def draw_voltage(axes: Axes, result: Result) -> None:
    """Draw `voltage` into ``axes``."""
    over = abscissa(result)
    x, v = shown(over)[0], result["voltage"].values
    named: set[str] = set()
    for kind, rows in rows_by_step(result):
        colour = KIND_COLOURS.get(kind, COLOURS[0])
        style = "-" if kind != "discharge" else DASHES[1]
        axes.plot(
            x[rows], v[rows], color=colour, ls=style, label="_" * (kind in named) + (kind or "run")
        )
        named.add(kind)
    axes.set_xlabel(label(over))
    axes.set_ylabel(label(result["voltage"]))
    axes.margins(x=0.02)
    if len(named) > 1:
        axes.legend(loc="best")


def voltage_data(result: Result) -> tuple[list[str], NDArray[Any]]:
    """Header and table behind `voltage`."""
    columns = [result["time"], abscissa(result), result["voltage"]]
    if columns[0].name == columns[1].name:
        del columns[0]
    return [header(c) for c in columns], np.column_stack([shown(c)[0] for c in columns])


def asymmetry(results: Result | Sequence[Result], labels: Sequence[str] = ()) -> Figure:
    """Distance of the centre of mass of the unreacted region from the particle's, over the state
    of charge.

    Parameters
    ----------
    results : Result or several
        One line each, as in Fig. S4 of Lun et al.
    labels : sequence of str, optional
        One per result; the C-rates where these differ, else the titles.

    Raises
    ------
    InputError
        No result has the distance.
    """
    several = [results] if isinstance(results, Result) else list(results)
    with styled():
        figure = new_figure(ONE_COLUMN, 0.72 * ONE_COLUMN)
        draw_asymmetry(figure.subplots(), several, labels)
    return figure


def draw_asymmetry(axes: Axes, results: Sequence[Result], labels: Sequence[str] = ()) -> None:
    """Draw `asymmetry` into ``axes``."""
    if not any(has_asymmetry(result) for result in results):
        where = ", ".join(str(result.directory) for result in results) or "no result"
        raise InputError(Mistake(where, "has no centre-of-mass distance to draw"))
    for i, (result, name) in enumerate(zip(results, labels or _labels(results), strict=True)):
        x, y = shown(_state(result))[0], shown(result["com_distance"])[0]
        for number, (_, rows) in enumerate(rows_by_step(result)):
            axes.plot(
                x[rows],
                y[rows],
                color=COLOURS[i % len(COLOURS)],
                ls=DASHES[i % len(DASHES)],
                label=name if number == 0 else "_",
            )
    axes.set_xlabel(label(_state(results[0])))
    axes.set_ylabel(label(results[0]["com_distance"]))
    axes.set_ylim(bottom=0, top=max(axes.get_ylim()[1], 0.01))
    if len(results) > 1:
        axes.legend(loc="best")


def asymmetry_data(results: Result | Sequence[Result]) -> tuple[list[str], NDArray[Any]]:
    """Header and table behind `asymmetry`: a run number, then its columns."""
    several = [results] if isinstance(results, Result) else list(results)
    blocks = []
    for number, result in enumerate(several, start=1):
        x, y = shown(_state(result))[0], shown(result["com_distance"])[0]
        blocks.append(np.column_stack([np.full(len(x), float(number)), x, y]))
    head = ["run [1]", header(_state(several[0])), header(several[0]["com_distance"])]
    return head, np.vstack(blocks)


def has_asymmetry(result: Result) -> bool:
    """Whether the run has any centre-of-mass distance."""
    return "com_distance" in result.history and bool(
        np.isfinite(result["com_distance"].values).any()
    )


def _state(result: Result) -> Series:
    if "soc" in result.history and np.isfinite(result["soc"].values).any():
        return result["soc"]
    return abscissa(result)


def _labels(results: Sequence[Result]) -> list[str]:
    rates = [_rate(result) for result in results]
    if all(rates) and len(set(rates)) == len(rates):
        return rates
    return [result.title for result in results]


def _rate(result: Result) -> str:
    sentence = str(result.steps[0].get("sentence", "")) if result.steps else ""
    found = RATE.search(sentence)
    return found.group(1) if found else ""
