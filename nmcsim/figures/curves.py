"""Curves of the history: voltage over capacity, and the asymmetry of the lithium over the state of
charge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.figures.looks import legend, looks
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
from nmcsim.results import Result, Series, resolved


def voltage(result: Result) -> Figure:
    """Voltage over capacity, one column wide, coloured by the kind of step."""
    with styled():
        figure = new_figure(ONE_COLUMN, 0.72 * ONE_COLUMN)
        draw_voltage(figure.subplots(), result)
    return figure


def draw_voltage(axes: Axes, result: Result) -> None:
    """Draw `voltage` into ``axes``."""
    over = abscissa(result)
    _draw_steps(axes, result, shown(over)[0], shown(result["voltage"])[0])
    axes.set_xlabel(label(over))
    axes.set_ylabel(label(result["voltage"]))
    axes.margins(x=0.02)


def _draw_steps(axes: Axes, result: Result, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """A line for each protocol step that has values, coloured and named by its kind."""
    named: set[str] = set()
    for kind, rows in rows_by_step(result):
        if not np.isfinite(y[rows]).any():
            continue
        colour = KIND_COLOURS.get(kind, COLOURS[0])
        style = "-" if kind != "discharge" else DASHES[1]
        name = "_" * (kind in named) + (kind or "run")
        axes.plot(x[rows], y[rows], color=colour, ls=style, label=name)
        named.add(kind)
    if len(named) > 1:
        axes.legend(loc="best")


def voltages(results: Sequence[Result], labels: Sequence[str] = ()) -> Figure:
    """Voltage over capacity of several results, one column wide."""
    chosen = looks(results, labels)
    with styled():
        figure = new_figure(ONE_COLUMN, 0.72 * ONE_COLUMN)
        axes = figure.subplots()
        for result, look in zip(results, chosen, strict=True):
            x, v = shown(abscissa(result))[0], shown(result["voltage"])[0]
            for _, rows in rows_by_step(result):
                axes.plot(x[rows], v[rows], color=look.colour, ls=look.dashes)
        axes.set_xlabel(label(abscissa(results[0])))
        axes.set_ylabel(label(results[0]["voltage"]))
        axes.margins(x=0.02)
        legend(axes, chosen)
    return figure


def voltages_data(results: Sequence[Result]) -> tuple[list[str], NDArray[Any]]:
    """Header and table behind `voltages`: a run number, then its columns."""
    return _blocks(results, abscissa, lambda result: result["voltage"])


def voltage_data(result: Result) -> tuple[list[str], NDArray[Any]]:
    """Header and table behind `voltage`."""
    columns = [result["time"], abscissa(result), result["voltage"]]
    if columns[0].name == columns[1].name:
        del columns[0]
    return [header(c) for c in columns], np.column_stack([shown(c)[0] for c in columns])


def asymmetry(results: Result | Sequence[Result], labels: Sequence[str] = ()) -> Figure:
    """Distance of the centre of mass of the unreacted region from the particle's, over the state
    of charge, while that region is at least ``RESOLVED`` of the area.

    Parameters
    ----------
    results : Result or several
        One line each, as in Fig. S4 of Lun et al.
    labels : sequence of str, optional
        One per result; without them `nmcsim.figures.looks` tells them apart.

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
    if len(results) == 1:
        x, y = shown(_state(results[0]))[0], shown(distance(results[0]))[0]
        _draw_steps(axes, results[0], x, y)
    else:
        chosen = looks(results, labels)
        for result, look in zip(results, chosen, strict=True):
            x, y = shown(_state(result))[0], shown(distance(result))[0]
            for _, rows in rows_by_step(result):
                axes.plot(x[rows], y[rows], color=look.colour, ls=look.dashes)
        legend(axes, chosen)
    axes.set_xlabel(label(_state(results[0])))
    axes.set_ylabel(label(distance(results[0])))
    axes.set_ylim(bottom=0, top=max(axes.get_ylim()[1], 0.01))


def asymmetry_data(results: Result | Sequence[Result]) -> tuple[list[str], NDArray[Any]]:
    """Header and table behind `asymmetry`: a run number, then its columns."""
    several = [results] if isinstance(results, Result) else list(results)
    return _blocks(several, _state, distance)


def _blocks(
    results: Sequence[Result], x: Callable[[Result], Series], y: Callable[[Result], Series]
) -> tuple[list[str], NDArray[Any]]:
    """One column over another of several results, one below the other, each with its number."""
    blocks = []
    for number, result in enumerate(results, start=1):
        over, values = shown(x(result))[0], shown(y(result))[0]
        blocks.append(np.column_stack([np.full(len(over), float(number)), over, values]))
    return ["run [1]", header(x(results[0])), header(y(results[0]))], np.vstack(blocks)


def has_asymmetry(result: Result) -> bool:
    """Whether the run has any centre-of-mass distance to draw."""
    return "com_distance" in result.history and bool(np.isfinite(distance(result).values).any())


def distance(result: Result) -> Series:
    """The centre-of-mass distance of ``result``, missing where the unreacted region is a sliver.

    Returns
    -------
    Series
        ``com_distance`` (rows,) [m].
    """
    return resolved(result["com_distance"], result.history.get("unreacted_share"))


def _state(result: Result) -> Series:
    if "soc" in result.history and np.isfinite(result["soc"].values).any():
        return result["soc"]
    return abscissa(result)
