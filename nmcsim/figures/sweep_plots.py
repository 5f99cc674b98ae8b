"""The three ways in which a sweep is drawn: lines, maps, families of curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.figures.style import COLOURS, styled
from nmcsim.figures.sweep_axes import (
    DARK,
    NAMED,
    NO_VALUE,
    Array,
    Axis,
    Colouring,
    Panels,
    axis_of,
    checked,
    column,
)
from nmcsim.results import Series
from nmcsim.sweeps.record import Curve, Record
from nmcsim.sweeps.table import Table

__all__ = ["Plot", "families", "lines", "maps"]

JOINED = "#9aa3ad"
"""Of a line whose points have colours of their own."""
SPARSE = 4.0
"""Cells for each value: more of them are no grid."""
CROWD = 200
"""Cases whose lines are a picture, not a drawing."""


@dataclass(frozen=True)
class Plot:
    """A figure with the numbers behind it.

    Parameters
    ----------
    figure : Figure
    head : list of str
        ``name [unit]`` of each column, in the units shown.
    rows : list
        Of numbers and texts.
    """

    figure: Figure
    head: list[str]
    rows: list[Sequence[Any]]


# -- lines ------------------------------------------------------------------------------------


def lines(
    table: Table,
    x: str,
    ys: Sequence[str],
    colour: str | None,
    facets: Mapping[str, NDArray[np.bool_]],
    log: str,
) -> Plot:
    """Observables over a column, below each other; as `nmcsim.figures.sweep.draw`."""
    over = checked(column(table, x), "x" in log)
    values = [checked(column(table, y), "y" in log) for y in ys]
    colouring = None if colour is None else Colouring.by(table, colour)
    along = _along(table, x)
    early = table["status"].to_numpy() == "ended early"
    with styled():
        panels = Panels.of(list(facets), len(ys))
        for row, y in zip(panels.rows, values, strict=True):
            for axes, inside in zip(row, facets.values(), strict=True):
                _draw_lines(axes, over, y, inside, along, colouring, table, early)
        panels.name(over, values, log)
        if early.any():
            note_early(panels, "hollow: ended early")
        if colouring is not None:
            colouring.explain(panels, lines=False)
    drawn = [over, *values] if colouring is None else [over, *values, colouring.axis]
    return Plot(panels.figure, *_columns(table, drawn))


def note_early(panels: Panels, text: str) -> None:
    """Say at the foot of a figure how cases that ended early are drawn."""
    panels.figure.supxlabel(text, fontsize="small", x=0.99, ha="right")


def _along(table: Table, x: str) -> list[NDArray[np.int64]]:
    """Rows that differ in the parameter x alone, in its order; none where x is no parameter."""
    parameters = table.attrs["parameters"]
    if x not in parameters:
        return []
    others = [key for key in parameters if key != x]
    values = column(table, x).values
    if others:
        numbers = table.groupby(others, sort=False, dropna=False).ngroup().to_numpy()
    else:
        numbers = np.zeros(len(table), np.int64)
    order = np.lexsort((values, numbers))
    cuts = np.flatnonzero(np.diff(numbers[order])) + 1
    return [np.asarray(rows) for rows in np.split(order, cuts)]


def _draw_lines(
    axes: Axes,
    x: Axis,
    y: Axis,
    inside: NDArray[np.bool_],
    along: Sequence[NDArray[np.int64]],
    colouring: Colouring | None,
    table: Table,
    early: NDArray[np.bool_],
) -> None:
    """Points, hollow for cases that ended early, joined where they differ in x alone."""
    follows = colouring is not None and colouring.axis.key in table.attrs["parameters"]
    for rows in along:
        kept = rows[inside[rows] & np.isfinite(y.values[rows])]
        if len(kept) < 2 or y.ticks:
            continue
        own = colouring.colour(kept[0]) if colouring and follows else None
        plain = COLOURS[0] if colouring is None else JOINED
        axes.plot(x.values[kept], y.values[kept], color=own or plain, lw=0.9, zorder=1)
    there = np.flatnonzero(inside & np.isfinite(x.values) & np.isfinite(y.values))
    size = 14.0 if len(there) <= 100 else 6.0
    marks = [colouring.marker(row) if colouring else "o" for row in there.tolist()]
    for marker in dict.fromkeys(marks):
        rows = there[[mark == marker for mark in marks]]
        edge = [colouring.colour(row) if colouring else COLOURS[0] for row in rows.tolist()]
        face = [("white" if early[row] else e) for row, e in zip(rows.tolist(), edge, strict=True)]
        axes.scatter(
            x.values[rows], y.values[rows], s=size, marker=marker, c=face, edgecolors=edge, lw=0.8,
            zorder=2,
        )  # fmt: skip


def _columns(table: Table, axes: Sequence[Axis]) -> tuple[list[str], list[Sequence[Any]]]:
    """Head and rows of the data: number, parameters, what is drawn, status."""
    told = {axis.key: axis for axis in axes}
    for key in table.attrs["parameters"]:
        told.setdefault(key, column(table, key))
    for key in ("case", "status"):
        told.pop(key, None)
    parameters = [told.pop(key) for key in table.attrs["parameters"]]
    drawn = [*parameters, *told.values()]
    head = ["case", *(axis.head for axis in drawn), "status"]
    content = zip(
        table["case"].tolist(), *(axis.plain() for axis in drawn), table["status"], strict=True
    )
    return head, list(content)


# -- maps -------------------------------------------------------------------------------------


def maps(
    table: Table, x: str, y: str, z: str, facets: Mapping[str, NDArray[np.bool_]], log: str
) -> Plot:
    """An observable as colour over two columns; as `nmcsim.figures.sweep.draw`."""
    over, up = (checked(column(table, key), d in log) for key, d in ((x, "x"), (y, "y")))
    value = checked(column(table, z), False)
    if value.ticks:
        raise InputError(Mistake(z, "is a text; a map needs numbers"))
    colouring = Colouring.of(value)
    assert colouring.mappable is not None
    norm: Any = colouring.mappable.norm
    there = np.isfinite(over.values) & np.isfinite(up.values) & np.isfinite(value.values)
    early = there & (table["status"].to_numpy() == "ended early")
    columns, rows = np.unique(over.values[there]), np.unique(up.values[there])
    if (size := len(columns) * len(rows)) > SPARSE * there.sum():
        message = f"form no grid: {there.sum()} values in {size} cells; draw {y} over {x}, with"
        raise InputError(Mistake(f"{x} and {y}", f"{message} {z} as colour"))
    several = False
    with styled():
        panels = Panels.of(list(facets), 1)
        for axes, inside in zip(panels.all, facets.values(), strict=True):
            cells, most = _cells(over, up, value, inside & there, columns, rows)
            several |= most > 1
            axes.set_facecolor(NO_VALUE)
            # hatched: in grey, too, a gap is no large value
            axes.patch.set(hatch="/////", edgecolor=JOINED, linewidth=0.0)
            axes.pcolormesh(
                _edges(columns, "x" in log), _edges(rows, "y" in log), cells,
                cmap=DARK, norm=norm, lw=0,
            )  # fmt: skip
            axes.spines[:].set_visible(False)
            axes.tick_params(length=2)
            ended = inside & there & early
            axes.plot(over.values[ended], up.values[ended], "o", ms=3.5, mfc="none", mec="white")
        panels.name(over, [up], log)
        if early.any():
            note_early(panels, "circle: ended early")
        for axes in panels.all:
            _tick_cells(axes.xaxis, columns, over, "x" in log)
            _tick_cells(axes.yaxis, rows, up, "y" in log)
        if several:
            others = [k for k in table.attrs["parameters"] if k not in (x, y)]
            names = ", ".join(column(table, k).label.partition(" / ")[0].lower() for k in others)
            what = replace(value, label=f"{value.label}, mean over {names or 'cases'}")
            colouring = Colouring(what, colouring.mappable)
        colouring.explain(panels, lines=False)
    return Plot(panels.figure, *_columns(table, [over, up, value]))


def _tick_cells(along: Any, centres: Array, axis: Axis, log: bool) -> None:
    """Name the values of the cells themselves, where there is room and they are short."""
    decades = log and np.allclose(np.log10(centres) % 1.0, 0.0)
    if not axis.ticks and not decades and len(centres) <= NAMED:
        along.set_ticks(centres, [f"{value:.3g}" for value in centres])
    if log:
        along.set_minor_locator(NullLocator())


def _cells(
    x: Axis, y: Axis, z: Axis, inside: NDArray[np.bool_], columns: Array, rows: Array
) -> tuple[Array, int]:
    """Mean of z in each cell (rows, columns), NaN where it has none, and most values in one."""
    i, j = np.searchsorted(rows, y.values[inside]), np.searchsorted(columns, x.values[inside])
    total, count = np.zeros((len(rows), len(columns))), np.zeros((len(rows), len(columns)))
    np.add.at(total, (i, j), z.values[inside])
    np.add.at(count, (i, j), 1.0)
    cells = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return cells, int(count.max())


def _edges(centres: Array, log: bool) -> Array:
    """Edges of cells about their centres, in the middle between two."""
    at = np.log(centres) if log else centres
    if len(at) == 1:
        half = 0.5 if log or not at[0] else 0.5 * abs(at[0])
        ends = np.array([at[0] - half, at[0] + half])
    else:
        inner = 0.5 * (at[1:] + at[:-1])
        ends = np.concatenate(([2 * at[0] - inner[0]], inner, [2 * at[-1] - inner[-1]]))
    return np.exp(ends) if log else ends


# -- curves -----------------------------------------------------------------------------------


def families(
    table: Table,
    records: Mapping[str, Record],
    x: str,
    ys: Sequence[str],
    colour: str | None,
    facets: Mapping[str, NDArray[np.bool_]],
    log: str,
) -> Plot:
    """Curves of the records, below each other; as `nmcsim.figures.sweep.draw`."""
    here = [records.get(hash) for hash in table["hash"]]
    kept = [None if record is None else record.curves for record in here]
    known = next((curves for curves in kept if curves), None)
    if known is None:
        raise InputError(Mistake("curves", "are in no record of these cases"))
    for name in (x, *ys):
        if name not in known:
            close = get_close_matches(name, known, n=1)
            offer = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise InputError(Mistake(name, f"is no curve of the records; {offer}"))
    parameters = table.attrs["parameters"]
    by = colour or (parameters[0] if parameters else "case")
    colouring = Colouring.by(table, by)
    largest = {name: _largest(name, kept) for name in (x, *ys)}
    axes = {name: _of_curve(name, known[name], most) for name, most in largest.items()}
    with styled():
        panels = Panels.of(list(facets), len(ys))
        for row, y in zip(panels.rows, ys, strict=True):
            for panel, inside in zip(row, facets.values(), strict=True):
                told = [(n, kept[n]) for n in np.flatnonzero(inside).tolist()]
                _draw_family(panel, {name: largest[name] for name in (x, y)}, told, colouring)
        panels.name(axes[x], [axes[y] for y in ys], log)
        colouring.explain(panels, lines=True)
    head = ["case", colouring.axis.head, *(axes[name].head for name in (x, *ys))]
    return Plot(panels.figure, head, list(_points(table, kept, colouring.axis, largest)))


def _points(
    table: Table, kept: Sequence[Mapping[str, Curve] | None], by: Axis, largest: Mapping[str, float]
) -> Iterator[Sequence[Any]]:
    """The data of a family: number of the case, its parameter, a point."""
    for number, value, curves in zip(table["case"].tolist(), by.plain(), kept, strict=True):
        if curves and largest.keys() <= curves.keys():
            columns = [_of_curve(name, curves[name], most).values for name, most in largest.items()]
            yield from ((number, value, *point) for point in zip(*columns, strict=True))


def _of_curve(name: str, curve: Curve, largest: float) -> Axis:
    values = np.array(curve.values)
    about = curve.description
    return axis_of(Series(name, values, curve.unit, curve.symbol, about), largest)


def _largest(name: str, kept: Sequence[Mapping[str, Curve] | None]) -> float:
    """The largest value of a curve in any case: it decides in which unit all are shown."""
    several = [curves[name].values for curves in kept if curves and name in curves]
    found = np.concatenate(several)
    if not np.isfinite(found).any():
        raise InputError(Mistake(name, "has no value in any of these cases"))
    return float(np.nanmax(found))


def _draw_family(
    axes: Axes,
    largest: Mapping[str, float],
    cases: Sequence[tuple[int, Mapping[str, Curve] | None]],
    colouring: Colouring,
) -> None:
    """A line for each protocol step of each case: two steps need not meet."""
    parts, colours, dashes = [], [], []
    for row, curves in cases:
        if not curves or not largest.keys() <= curves.keys():
            continue
        columns = [_of_curve(name, curves[name], most).values for name, most in largest.items()]
        for part in _by_step(curves, np.column_stack(columns)):
            parts.append(part)
            colours.append(colouring.colour(row))
            dashes.append(colouring.dashes(row))
    width = 1.0 if len(cases) <= 30 else 0.6
    axes.add_collection(
        LineCollection(
            parts, colors=colours, linestyles=dashes, lw=width, rasterized=len(cases) > CROWD
        )
    )
    axes.autoscale_view()


def _by_step(curves: Mapping[str, Curve], points: Array) -> Iterator[Array]:
    step = curves.get("step")
    cuts = [] if step is None else (np.flatnonzero(np.diff(step.values)) + 1).tolist()
    for start, end in pairwise([0, *cuts, len(points)]):
        yield points[start:end]
