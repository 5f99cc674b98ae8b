"""The page of the reduction of many particles, its pictures and its table of times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nmcsim.figures.style import COLOURS, TWO_COLUMNS, new_figure, styled
from nmcsim.imaging.intensity import ParticlesResult
from nmcsim.imaging.settings import Series
from nmcsim.measure.optical_figures import clock, drift_figure, scale_bar
from nmcsim.measure.page import (
    Section,
    numbers_table,
    picture,
    said,
    settings_table,
    table,
    write_page,
)
from nmcsim.units import beside

__all__ = ["particles_table", "write_particles_page"]

MANY = 30
"""More particles than this are not numbered in the picture."""


def colours(count: int) -> list[Any]:
    """One for each particle: the house's first six, then a scale."""
    import matplotlib as mpl

    if count < len(COLOURS):  # the last one is black, which a dark picture hides
        return list(COLOURS[:count])
    return list(mpl.colormaps["turbo"](np.linspace(0.03, 0.97, count)))


def particles_table(result: ParticlesResult) -> dict[str, Series]:
    """A row per particle: where it is, how large, when it reacts in each half-cycle."""
    count = len(result.names)
    none = np.full(count, np.nan)
    rows, columns = np.indices(result.labels.shape)
    flat = result.labels.ravel()
    area = np.bincount(flat, minlength=count + 1)[1:].astype(float)
    y = np.bincount(flat, weights=rows.ravel(), minlength=count + 1)[1:] / area
    x = np.bincount(flat, weights=columns.ravel(), minlength=count + 1)[1:] / area
    found = {
        "particle": Series(np.arange(count, dtype=float), none, "1", "number"),
        "x": Series(result.pixel * x, none, "m", "to the right"),
        "y": Series(result.pixel * y, none, "m", "downwards"),
        "area": Series(result.pixel**2 * area, none, "m2", "area"),
    }
    for one in result.halves:
        start = one.half.t_start
        found[f"t25 {one.name}"] = Series(one.t25 - start, one.t25_error, "s", "since its start")
        found[f"peak {one.name}"] = Series(one.peak - start, none, "s", "since its start")
    return found


def map_figure(result: ParticlesResult) -> Figure:
    """The first frame with the outline and number of each particle."""
    count = len(result.names)
    h, w = result.labels.shape
    with styled():
        figure = new_figure(TWO_COLUMNS, min(5.5, TWO_COLUMNS * h / w))
        axes = figure.subplots()
        low, high = np.percentile(result.first, [0.5, 99.8])
        axes.imshow(result.first, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        for p, colour in enumerate(colours(count), start=1):
            inside = result.labels == p
            axes.contour(inside, [0.5], colors=[colour], linewidths=1.2)
            if count <= MANY:
                row, column = (axis.mean() for axis in np.nonzero(inside))
                text = axes.text(column, row, str(p - 1), ha="center", va="center", fontsize=7)
                text.set_bbox({"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.8})
        scale_bar(axes, w, result.pixel)
        return figure


def curves_figure(result: ParticlesResult) -> Figure:
    """Intensity and slope of each particle, a column for each half-cycle."""
    halves = result.halves
    known = bool(np.isfinite(result.soc).all())
    factor, unit = clock(result.time)
    with styled():
        figure = new_figure(TWO_COLUMNS, 3.9)
        axes = figure.subplots(2, len(halves), squeeze=False, sharex="col", sharey="row")
        for column, one in enumerate(halves):
            inside = (result.time >= one.half.t_start) & (result.time <= one.half.t_end)
            x = 100.0 * result.soc if known else factor * (result.time - one.half.t_start)
            for p, colour in enumerate(colours(len(result.names))):
                top, bottom = axes[:, column]
                top.plot(
                    x[inside], result.intensity[inside, p], color=colour, linewidth=0.4, alpha=0.5
                )
                top.plot(x[inside], result.smooth[inside, p], color=colour, linewidth=1.1)
                bottom.plot(x[inside], result.slope[inside, p], color=colour, linewidth=1.0)
                if np.isfinite(one.t25[p]):
                    at = float(np.interp(one.t25[p], result.time, x))
                    level = float(np.interp(one.t25[p], result.time, result.smooth[:, p]))
                    top.plot(at, level, "o", color=colour, markersize=3.5)
            axes[0, column].set_title(one.name.replace("_", " "), loc="left")
            label = "State of charge / %" if known else f"Time / {unit}"
            axes[1, column].set_xlabel(label)
            if known and one.half.kind == "discharge":
                axes[1, column].invert_xaxis()
        axes[0, 0].set_ylabel("Normalised intensity")
        axes[1, 0].set_ylabel("Slope, per unit of SOC" if known else "Slope, per length")
        return figure


def write_particles_page(
    path: Path, result: ParticlesResult, title: str, head: str, warnings: Sequence[str]
) -> None:
    """Write it; as `write_optical_page`."""
    numbers = result.numbers
    cards = [(str(len(result.names)), "particles")]
    cards += [
        (said(number), number.description)
        for name, number in numbers.items()
        if name.startswith("asynchrony")
    ]
    sections = [
        Section(
            "Particles",
            "Each outline must hold one particle. Where two are one, or one is two, give a label"
            " image or another threshold and separation.",
            picture(map_figure(result), "first frame with the particles"),
        )
    ]
    if result.drift.method != "none":
        sections.append(
            Section(
                "Drift",
                "The track must be smooth.",
                picture(drift_figure(result.drift, result.time, result.pixel), "drift track"),
            )
        )
    if result.halves:
        sections.append(
            Section(
                "Intensity and its slope",
                "Thin lines are the frames, thick ones straight lines fitted within a window; dots"
                " are where a quarter of a particle's own change has happened (t25).",
                picture(curves_figure(result), "intensity of each particle")
                + numbers_table(numbers),
            )
        )
        sections.append(Section("Times", "Since the start of each half-cycle.", _times(result)))
    sections.append(Section("Settings", "The table [particles].", settings_table(result.settings)))
    write_page(
        path,
        title=title,
        about=head,
        cards=cards,
        warnings=warnings,
        sections=sections,
        footer="After Fig. 1 of Sharma et al., Nano Lett. 22 (2022) 5883. Written by nmcsim.",
    )


def _times(result: ParticlesResult) -> str:
    factor, unit = clock(result.time)
    head = ["particle"]
    for one in result.halves:
        name = one.name.replace("_", " ")
        head += [f"t25, {name} / {unit}", f"steepest, {name} / {unit}"]
    rows = []
    for p, particle in enumerate(result.names):
        row = [particle]
        for one in result.halves:
            start = one.half.t_start
            if np.isfinite(one.t25[p]):
                error = factor * one.t25_error[p]
                row.append(" ± ".join(filter(None, beside(factor * (one.t25[p] - start), error))))
                row.append(f"{factor * (one.peak[p] - start):.4g}")
            else:
                row += ["no change", "–"]
        rows.append(row)
    return table(head, rows)
