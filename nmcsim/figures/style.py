"""How every figure looks: sizes of a journal column, fonts, colours that survive grey and colour
blindness, axis labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nmcsim.results import Result, Series

ONE_COLUMN = 85 / 25.4  # inch
TWO_COLUMNS = 178 / 25.4  # inch
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe-Ito
DASHES: Sequence[Any] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 3)))
ROCK_SALT = "#D55E00"
KIND_COLOURS = {"charge": "#0072B2", "discharge": "#D55E00", "hold": "#009E73", "rest": "#666666"}
THETA_MAP = "viridis"  # luminance grows steadily: ordered in grey, too

DISPLAY: dict[str, tuple[str, float]] = {
    "m": ("µm", 1e6),
    "A s/kg": ("mAh/g", 1 / 3600.0),
    "A s": ("pAh", 1e12 / 3600.0),
    "A": ("pA", 1e12),
    "s": ("min", 1 / 60.0),
    "mol/m2/s": ("µmol/(m² s)", 1e6),
}
"""SI unit -> the unit shown, and the factor to it; other units are shown as they are."""

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "lines.linewidth": 1.3,
    "lines.solid_capstyle": "round",
    "pdf.fonttype": 42,
    "savefig.dpi": 300,
    "figure.dpi": 150,
    "axes.formatter.useoffset": False,
}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib with the house style inside the block, untouched outside it."""
    with mpl.rc_context(RC):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of ``width`` x ``height`` [inch] that makes room for its own labels."""
    figure = Figure(figsize=(width, height), layout="constrained")
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(w_pad=0.03, h_pad=0.03, wspace=0.06)  # type: ignore[call-arg]
    return figure


def shown(column: Series) -> tuple[NDArray[np.float64], str]:
    """Values in the unit that people read, and that unit; a fraction of charge in per cent.

    Parameters
    ----------
    column : Series

    Returns
    -------
    values, unit : (rows,) float array, str
        ``unit`` is empty for a pure number.
    """
    if column.name == "soc":
        return 100.0 * column.values, "%"
    unit, factor = DISPLAY.get(column.unit, ("" if column.unit == "1" else column.unit, 1.0))
    return factor * column.values, unit


def label(column: Series) -> str:
    """An axis label: what it is, over its unit."""
    text = column.description.split(",")[0]
    text = (text[:1].upper() + text[1:]) or column.name
    _, unit = shown(column)
    return f"{text} / {unit}" if unit else text


def header(column: Series) -> str:
    """The head of a data column in the unit shown."""
    return f"{column.name} [{shown(column)[1] or 1}]"


def abscissa(result: Result) -> Series:
    """What a curve is drawn over: capacity, else charge, else time, the first that has values."""
    for name in ("capacity", "charge"):
        if name in result.history and np.isfinite(result[name].values).any():
            return result[name]
    return result["time"]


def rows_by_step(result: Result) -> list[tuple[str, NDArray[np.bool_]]]:
    """(kind, which rows) of each protocol step, so that curves can break where a step ends."""
    t = result["time"].values
    if "step" in result.history and result.steps:
        # by number: two steps have a row each at the time at which they meet
        number = result["step"].values
        kinds = {n: str(step["kind"]) for n, step in enumerate(result.steps, start=1)}
        # the step in which a run failed has rows, but no entry
        kinds |= {n: "" for n in np.unique(number).astype(int).tolist() if n not in kinds}
        return [(kind, np.asarray(number == n)) for n, kind in kinds.items()]
    slack = 1e-9 * (t[-1] if len(t) else 1.0)
    spans = [
        (str(step["kind"]), (t >= step["t_start"] - slack) & (t <= step["t_end"] + slack))
        for step in result.steps
        if step.get("t_start") is not None and step.get("t_end") is not None
    ]
    return spans or [("", np.ones(len(t), dtype=bool))]


def letter(axes: Axes, text: str) -> None:
    """Mark a panel with a bold letter above its upper left corner."""
    axes.set_title(text, loc="left", fontweight="bold", fontsize=9)
