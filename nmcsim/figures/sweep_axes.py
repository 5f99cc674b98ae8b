"""Columns of a sweep's table as axes, colours and panels of a figure."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.figures.style import COLOURS, DASHES, ONE_COLUMN, TWO_COLUMNS, new_figure, shown
from nmcsim.results import Series
from nmcsim.sweeps.table import Table

__all__ = [
    "DARK",
    "NAMED",
    "NO_VALUE",
    "PANELS_ABREAST",
    "Array",
    "Axis",
    "Colouring",
    "Panels",
    "axis_of",
    "checked",
    "column",
    "facets_of",
    "is_number",
]

Array = NDArray[np.float64]

LABEL = 30
"""Characters in a line of a label on an upright axis: about the height of a panel."""
NAMED = 6
"""Values that are named one by one at a colour bar, or along the cells of a map."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FACETS = 12
"""Panels of a figure at most: more are smaller than their labels."""
PANELS_ABREAST = 3
"""Panels beside each other at most."""
DARK = ListedColormap(mpl.colormaps["viridis"](np.linspace(0.0, 0.9, 256)))
"""Ordered in grey, too; its end is dark enough for a line on white."""
WIDE = 10.0
"""Positive values whose largest is this many times the smallest are shown on a logarithm."""
CLOSE = 0.06
"""Share of a colour bar within which two numbers would overlap."""
NO_VALUE = "#dfe3e8"
TIMES = ((3600.0, "h", 7200.0), (60.0, "min", 120.0), (1.0, "s", -math.inf))
"""Seconds in a unit, the unit, and from how many seconds on it is used."""
UNITS = {"um": "µm", "degC": "°C"}
"""How units of a case file are printed."""


@dataclass(frozen=True)
class Axis:
    """A column as an axis: numbers in the unit shown, or places of texts.

    Parameters
    ----------
    key, label, head : str
        Column, axis label, head of the data column.
    values : (rows,) array
    ticks : tuple of str
        The texts, at 0, 1, ...; empty for numbers.
    """

    key: str
    label: str
    head: str
    values: Array
    ticks: tuple[str, ...] = ()

    @property
    def wide(self) -> bool:
        """Whether a logarithm shows the values better."""
        low, high = np.nanmin(self.values), np.nanmax(self.values)
        return bool(not self.ticks and low > 0.0 and high >= WIDE * low)

    def plain(self) -> list[Any]:
        """Its values for a data file."""
        return [self.ticks[int(v)] for v in self.values] if self.ticks else self.values.tolist()


def is_number(table: Table, key: str) -> bool:
    """Whether a column holds numbers."""
    return bool(pd.api.types.is_numeric_dtype(table[key].dtype))


def column(table: Table, key: str) -> Axis:
    """A column of the table."""
    values, unit = table[key], table.attrs["units"].get(key, "1") or "1"
    about = table.attrs["descriptions"].get(key) or key
    about = about.replace("_", " ") if key in table.attrs["parameters"] else about
    if is_number(table, key):
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        return axis_of(Series(key, numbers, unit, "", about))
    ticks = tuple(dict.fromkeys(map(str, values)))
    places = np.array([ticks.index(str(value)) for value in values], dtype=float)
    return replace(axis_of(Series(key, places, "1", "", about)), head=key, ticks=ticks)


def axis_of(series: Series, largest: float | None = None) -> Axis:
    """Numbers in the unit that people read.

    Parameters
    ----------
    series : Series
    largest : float, optional
        That decides whether times are shown in hours; without it that of the series itself.
    """
    factor, unit = _shown(series, largest)
    text = series.description.split(",")[0]
    text = text[:1].upper() + text[1:]
    return Axis(
        series.name,
        f"{text} / {unit}" if unit else text,
        f"{series.name} [{unit or 1}]",
        factor * series.values,
    )


def _shown(series: Series, largest: float | None) -> tuple[float, str]:
    if series.unit == "s":
        there = series.values[np.isfinite(series.values)]
        last = largest if largest is not None else float(there.max(initial=0.0))
        return next((1.0 / s, unit) for s, unit, from_ in TIMES if last >= from_)
    one, unit = shown(replace(series, values=np.ones(1)))
    return float(one[0]), UNITS.get(unit, unit)


def checked(axis: Axis, log: bool) -> Axis:
    """``axis``, if it can be drawn.

    Raises
    ------
    InputError
        It has no value, or is to be on a logarithm that some of its values do not have.
    """
    if not np.isfinite(axis.values).any():
        raise InputError(Mistake(axis.key, "has no value in any of these cases"))
    if log and (axis.ticks or np.nanmin(axis.values) <= 0.0):
        what = "is a text" if axis.ticks else f"goes down to {np.nanmin(axis.values):g}"
        raise InputError(Mistake(axis.key, f"{what}, which has no logarithm; leave out log"))
    return axis


def _scale(axes: Axes, which: str, axis: Axis, log: bool) -> None:
    """Name an axis, and give it its scale or its texts."""
    axes.set(**{f"{which}label": axis.label})
    if log:
        axes.set(**{f"{which}scale": "log"})
    if axis.ticks:
        axes.set(**{f"{which}ticks": range(len(axis.ticks)), f"{which}ticklabels": axis.ticks})
        axes.set(**{f"{which}lim": (-0.5, len(axis.ticks) - 0.5)})


def _upright(text: str) -> str:
    """A label in lines, of which none breaks at the stroke before the unit."""
    lines = textwrap.wrap(text.replace(" / ", "\a/\a"), LABEL, break_on_hyphens=False)
    return "\n".join(lines).replace("\a", " ")


@dataclass(frozen=True)
class Colouring:
    """The colour of each row: along a bar for numbers, one each for texts.

    Parameters
    ----------
    axis : Axis
    mappable : ScalarMappable, optional
        Of numbers.
    """

    axis: Axis
    mappable: ScalarMappable | None

    @classmethod
    def of(cls, axis: Axis, log: bool = False) -> Colouring:
        if axis.ticks:
            return cls(axis, None)
        finite = axis.values[np.isfinite(axis.values)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        norm = LogNorm(low, high) if log else Normalize(low, high)
        return cls(axis, ScalarMappable(norm, DARK))

    @classmethod
    def by(cls, table: Table, key: str) -> Colouring:
        """The colours of a column; a parameter that spans decades has them on a logarithm."""
        axis = column(table, key)
        return cls.of(axis, key in table.attrs["parameters"] and axis.wide)

    def colour(self, row: int) -> Any:
        value = self.axis.values[row]
        if self.mappable is not None:
            return self.mappable.to_rgba(value) if math.isfinite(value) else NO_VALUE
        return COLOURS[int(value) % len(COLOURS)]

    def marker(self, row: int) -> str:
        return MARKERS[int(self.axis.values[row]) % len(MARKERS)] if self.axis.ticks else "o"

    def dashes(self, row: int) -> Any:
        return DASHES[int(self.axis.values[row]) % len(DASHES)] if self.axis.ticks else "-"

    def explain(self, panels: Panels, lines: bool) -> None:
        """A colour bar, or a legend above the panels."""
        figure = panels.figure
        if self.mappable is not None:
            text = _upright(self.axis.label)
            bar = figure.colorbar(
                self.mappable, ax=panels.all, label=text, aspect=30 * len(panels.rows)
            )
            bar.outline.set_linewidth(0.6)
            values = np.unique(self.axis.values[np.isfinite(self.axis.values)])
            apart = len(values) > 1 and np.diff(values).min() > CLOSE * np.ptp(values)
            if len(values) <= NAMED and apart and not isinstance(self.mappable.norm, LogNorm):
                bar.set_ticks(values.tolist(), labels=[f"{value:.3g}" for value in values])
            return
        handles = [
            Line2D(
                [], [], color=COLOURS[k % len(COLOURS)], label=text,
                ls=DASHES[k % len(DASHES)] if lines else "none",
                marker="none" if lines else MARKERS[k % len(MARKERS)], ms=4,
            )
            for k, text in enumerate(self.axis.ticks)
        ]  # fmt: skip
        columns = min(len(handles), 4 if panels.across == 1 else 8)
        figure.legend(
            handles=handles, title=self.axis.label, loc="outside upper center", ncols=columns
        )


def facets_of(table: Table, key: str | None) -> dict[str, NDArray[np.bool_]]:
    """The rows of each panel by its title; one without a title where there are no facets.

    Raises
    ------
    InputError
        There are more values than panels in a figure.
    """
    if key is None:
        return {"": np.ones(len(table), bool)}
    axis = column(table, key)
    found = np.unique(axis.values[np.isfinite(axis.values)])
    if not 0 < len(found) <= FACETS:
        count = f"has {len(found)} values; a figure has room for {FACETS} panels"
        raise InputError(Mistake(key, f"{count}, so choose some by where"))
    name, _, unit = axis.label.partition(" / ")
    return {
        axis.ticks[int(v)] if axis.ticks else f"{name} {v:.4g} {unit}".strip(): axis.values == v
        for v in found
    }


@dataclass(frozen=True)
class Panels:
    """A figure, and for each quantity its panels, one for each facet.

    Parameters
    ----------
    figure : Figure
    rows : list of list of Axes
    across : int
        Panels beside each other.
    """

    figure: Figure
    rows: list[list[Axes]]
    across: int

    @classmethod
    def of(cls, facets: Sequence[str], quantities: int) -> Panels:
        """Several quantities lie below each other; of one, many facets take several lines."""
        across = len(facets) if quantities > 1 else min(len(facets), PANELS_ABREAST)
        down = quantities if quantities > 1 else math.ceil(len(facets) / across)
        width = ONE_COLUMN if across == 1 else TWO_COLUMNS
        height = (0.74 if across == 1 else 0.9 / across) * width * down
        figure = new_figure(width, max(height, 0.32 * width) + 0.15)
        grid = figure.subplots(down, across, sharex=True, sharey="row", squeeze=False)
        flat: list[Axes] = list(grid.flat)
        for spare in flat[len(facets) * quantities :]:
            spare.remove()
        count = len(facets)
        rows = [flat[row * count : (row + 1) * count] for row in range(quantities)]
        for axes, title in zip(rows[0], facets, strict=True):
            axes.set_title(title)
        return cls(figure, rows, across)

    @property
    def all(self) -> list[Axes]:
        return [axes for row in self.rows for axes in row]

    def name(self, x: Axis, ys: Sequence[Axis], log: str) -> None:
        """Scales for all panels, labels for the outer ones: those between share them."""
        for number, axes in enumerate(self.all):
            y = ys[number // len(self.rows[0])]
            _scale(axes, "x", x, "x" in log)
            _scale(axes, "y", y, "y" in log)
            lowest = number + self.across >= len(self.all)
            axes.tick_params(labelbottom=lowest)
            axes.set_xlabel(x.label if lowest else "")
            axes.set_ylabel(_upright(y.label) if number % self.across == 0 else "")
