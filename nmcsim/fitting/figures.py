"""The figures of a fit: curves with residuals, and the way to the minimum."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nmcsim.compare import Pair
from nmcsim.figures.style import (
    COLOURS,
    DASHES,
    ONE_COLUMN,
    TWO_COLUMNS,
    letter,
    new_figure,
    styled,
)
from nmcsim.fitting.result import Fit
from nmcsim.sweeps.axes import short_names

__all__ = ["curve_figure", "search_figure"]

BEST, START, DATA = COLOURS[0], "#8a8a8a", "#000000"


def curve_figure(best: Pair, start: Pair | None) -> Figure:
    """A measured series with error bars, the curves of the start and of the best case, residuals.

    Parameters
    ----------
    best, start : Pair
        Of the same series; None where the first case had nothing for it.
    """
    curve = best.curve
    assert curve is not None
    with styled():
        figure = new_figure(ONE_COLUMN, 3.1)
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        sure = np.isfinite(curve.uncertainty).any()
        error = np.where(np.isfinite(curve.uncertainty), curve.uncertainty, 0.0)
        many = len(curve.x) > 60
        top.errorbar(
            curve.x, curve.measured, yerr=error if sure else None, fmt="o", ms=2 if many else 3,
            color=DATA, lw=0.6, elinewidth=0.6, label="measured", zorder=3,
            alpha=0.6 if many else 1.0,
        )  # fmt: skip
        if start is not None and start.curve is not None:
            c = start.curve
            top.plot(c.line_x, c.line, color=START, ls=DASHES[1], label="start", zorder=1)
        top.plot(curve.line_x, curve.line, color=BEST, label="best", zorder=2)
        there = curve.x[np.isfinite(curve.measured)]
        span = np.ptp(there) or 1.0
        low, high = there.min() - 0.05 * span, there.max() + 0.05 * span
        top.set_xlim(low, high)
        top.set_ylim(*_in_view(top, low, high, curve.measured - error, curve.measured + error))
        top.set_ylabel(_label(best.name, best.unit))
        top.legend()
        difference = curve.simulated - curve.measured
        bottom.axhline(0.0, color=BEST, lw=0.8)
        if sure:
            bottom.axhspan(-1.0, 1.0, color=BEST, alpha=0.12, lw=0)
            difference = difference / curve.uncertainty
        bottom.plot(curve.x, difference, "o", ms=2 if many else 3, color=DATA)
        bottom.set_ylabel("residual / σ" if sure else _label("residual", best.unit))
        bottom.set_xlabel(_label(curve.x_name, curve.x_unit))
        figure.align_ylabels()
    return figure


def _in_view(
    axes: Axes, low: float, high: float, *more: NDArray[np.float64]
) -> tuple[float, float]:
    """Limits of y for the parts of the lines between two x, and for `more`."""
    values = [*more]
    for line in axes.get_lines():
        x, y = (np.asarray(data, dtype=np.float64) for data in line.get_data())
        values.append(y[(x >= low) & (x <= high)])
    all_ = np.concatenate(values)
    all_ = all_[np.isfinite(all_)]
    margin = 0.06 * (float(np.ptp(all_)) or 1.0)
    return float(all_.min()) - margin, float(all_.max()) + margin


def search_figure(fit: Fit) -> Figure:
    """Sum of squares and keys over the points that the search looked at."""
    with styled():
        figure = new_figure(TWO_COLUMNS, 2.3)
        left, right = figure.subplots(1, 2)
        number = np.arange(len(fit.looks))
        chi2 = np.array([look.chi2 for look in fit.looks])
        better = np.array([look.best for look in fit.looks])
        lowest = np.minimum.accumulate(np.where(np.isfinite(chi2), chi2, np.inf))
        left.step(number, lowest, where="post", color=BEST, lw=1.0)
        left.plot(number[better], chi2[better], "o", ms=4, color=BEST, label="better than before")
        worse = ~better & np.isfinite(chi2)
        if worse.any():
            left.plot(number[worse], chi2[worse], "x", ms=4, color=COLOURS[1], label="refused")
        finite = chi2[np.isfinite(chi2)]
        if len(finite) and finite.min() > 0.0 and finite.max() > 20.0 * finite.min():
            left.set_yscale("log")
        left.set_ylabel("χ²" if fit.weighted else "sum of squares")
        left.legend()
        letter(left, "a")
        short = short_names(list(fit.names))
        for i, v in enumerate(fit.varied):
            shares = [100.0 * v.share(look.values[i]) for look in fit.looks]
            right.plot(
                number, shares, "o", ls=DASHES[i % len(DASHES)], ms=3,
                color=COLOURS[i % len(COLOURS)], label=short[v.key],
            )  # fmt: skip
        right.set_ylim(-5, 105)
        right.set_ylabel("place in the interval / %")
        right.legend()
        letter(right, "b")
        for axes in (left, right):
            axes.set_xlabel("point looked at")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _label(name: str, unit: str) -> str:
    words = {"soc": "state of charge", "com_distance": "centre-of-mass distance"}
    text = words.get(name, name.replace("_", " "))
    return text if unit in ("", "1") else f"{text} / {re.sub(r'\bu(?=m\d?\b)', 'µ', unit)}"


def of_series(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs that are curves."""
    return [pair for pair in pairs if pair.curve is not None]
