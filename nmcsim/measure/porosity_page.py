"""The page of porosity and cracks over cycles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nmcsim.figures.style import COLOURS, TWO_COLUMNS, new_figure, styled
from nmcsim.imaging.masks import Mask
from nmcsim.imaging.porosity import PorosityResult
from nmcsim.measure.optical_figures import scale_bar
from nmcsim.measure.page import (
    Section,
    numbers_table,
    picture,
    said,
    settings_table,
    table,
    write_page,
)

__all__ = ["write_porosity_page"]

SHOWN = 8
"""Cycles in the montage."""

BLUE, RED, GREEN, *_ = COLOURS


def slices_figure(result: PorosityResult) -> Figure:
    """The largest slice of some cycles: solid grey, pores blue, skeleton red."""
    places = np.unique(
        np.linspace(0, len(result.cycles) - 1, min(SHOWN, len(result.cycles))).round().astype(int)
    )
    columns = min(4, len(places))
    rows = math.ceil(len(places) / columns)
    with styled():
        figure = new_figure(TWO_COLUMNS, rows * (TWO_COLUMNS / 4 + 0.2))
        axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        for one in axes:
            one.set_axis_off()
        for one, k in zip(axes, places, strict=False):
            cycle = result.cycles[k]
            box = Mask(cycle.outline, 0.0, False).box(6)
            solid, outline, skeleton = (
                image[box] for image in (cycle.solid, cycle.outline, cycle.skeleton)
            )
            colour = np.ones((*solid.shape, 3))
            colour[solid] = 0.62
            colour[outline & ~solid] = (0.34, 0.71, 0.91)
            colour[skeleton] = (0.84, 0.37, 0.0)
            one.imshow(colour, interpolation="nearest")
            one.contour(outline, [0.5], colors=["black"], linewidths=0.7)
            one.set_title(f"cycle {cycle.cycle:g}: {100 * cycle.porosity:.1f} %", loc="left")
        scale_bar(axes[0], np.ptp(axes[0].get_xlim()), result.pixel)
        return figure


def curves_figure(result: PorosityResult) -> Figure:
    """Porosity with its fit, length and width of the cracks."""
    n = np.array([c.cycle for c in result.cycles])
    p = 100.0 * np.array([c.porosity for c in result.cycles])
    u = 100.0 * np.nan_to_num([c.porosity_error for c in result.cycles])
    with styled():
        figure = new_figure(TWO_COLUMNS, 2.5)
        axes = figure.subplots(1, 3)
        if result.fit is not None:
            x = np.linspace(0.0, max([*n, *result.asked]) * 1.05, 200)
            y, band = result.fit.band(x)
            axes[0].fill_between(
                x, 100 * (y - 1.96 * band), 100 * (y + 1.96 * band), color=BLUE, alpha=0.2,
                linewidth=0, label="95 % of the fit",
            )  # fmt: skip
            axes[0].plot(x, 100 * y, color=BLUE, label=result.fit.form)
            for cycle in result.asked:
                value, error = result.fit.predict(cycle)
                axes[0].errorbar(
                    [cycle], [100 * value], [196 * error], fmt="s", color=RED, markersize=4,
                    label=f"at cycle {cycle:g}",
                )  # fmt: skip
        axes[0].errorbar(n, p, u, fmt="o", color="black", markersize=3.5, linewidth=0.8)
        axes[0].set(xlabel="Cycle", ylabel="Porosity / %")
        axes[0].set_ylim(0.0, 1.05 * axes[0].get_ylim()[1])
        if result.fit is not None:
            axes[0].legend(loc="lower right")
        density = np.array([1e-6 * c.crack_length / c.area for c in result.cycles])
        width = np.array([1e9 * c.crack_width for c in result.cycles])
        for one, y, label, colour in (
            (axes[1], density, "Length of cracks per area / 1/µm", GREEN),
            (axes[2], width, "Mean width of cracks / nm", RED),
        ):
            one.plot(n, y, "o-", color=colour, markersize=3.5)
            one.set(xlabel="Cycle", ylabel=label)
            one.set_ylim(0.0, 1.05 * one.get_ylim()[1])
        return figure


def write_porosity_page(
    path: Path, result: PorosityResult, title: str, head: str, warnings: Sequence[str]
) -> None:
    """Write it; as `write_optical_page`."""
    first, last = result.cycles[0], result.cycles[-1]
    cards = [
        (f"{100 * one.porosity:.1f} %", f"porosity at cycle {one.cycle:g}")
        for one in ((first, last) if len(result.cycles) > 1 else (first,))
    ]
    if result.fit is not None:
        cards.append((said(result.numbers["porosity_n_c"]), "cycles for a factor e"))
    numbers = numbers_table(result.numbers) if result.fit is not None else ""
    if result.fit is not None:
        how = {"profile": "by the rise of chi-squared", "covariance": "from the covariance"}
        numbers += table(
            ("parameter", "95 % interval"),
            ((k, f"{v.low:.4g} .. {v.high:.4g}") for k, v in result.fit.parameters.items()),
        )
        numbers += f"<p>Intervals {how[result.fit.interval]}.</p>"
    rows = [
        (
            f"{c.cycle:g}", c.slices, f"{100 * c.porosity:.2f}",
            f"{100 * c.porosity_error:.2f}" if np.isfinite(c.porosity_error) else "–",
            f"{1e6 * c.crack_length:.1f}", f"{1e9 * c.crack_width:.0f}", c.branches,
        )
        for c in result.cycles
    ]  # fmt: skip
    heads = ("cycle", "slices", "porosity / %", "error / %", "crack length / µm", "width / nm")
    sections = [
        Section(
            "Segmentation",
            "Grey is solid, blue counts as pore, red is the skeleton whose length is told; the"
            " black line is the particle's outline. Pores that open wider than twice the rim are"
            " outside.",
            picture(slices_figure(result), "segmented slices"),
        ),
        Section(
            "Over the cycles",
            "Bars are one standard deviation: threshold, and scatter between slices.",
            picture(curves_figure(result), "porosity over cycles") + numbers,
        ),
        Section("Cycles", "All slices of a cycle together.", table((*heads, "branches"), rows)),
        Section("Settings", "The table [porosity].", settings_table(result.settings)),
    ]
    write_page(
        path,
        title=title,
        about=head,
        cards=cards,
        warnings=warnings,
        sections=sections,
        footer="After Fig. 3 of Cadiou et al. Written by nmcsim.",
    )
