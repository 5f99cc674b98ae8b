"""The laws of a material as curves over stoichiometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from nmcsim.materials.definition import Material
from nmcsim.materials.law import Law

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

T_PLOT: Final = 298.15  # K, of the chemical diffusivity
# Okabe and Ito: distinct for colour-blind readers, and in grey by their lightness and dashes
INK, BLUE, ORANGE, GREEN = "#222222", "#0072B2", "#D55E00", "#009E73"


def plot(material: Material, T: float = T_PLOT) -> Figure:
    """Open-circuit potential, diffusivities and exchange current density of a material.

    Parameters
    ----------
    material : Material
        One that is well posed.
    T : float
        Temperature [K] of the chemical diffusivity.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels above one another over theta; dashed and shaded where a law is continued
        beyond its valid range.

    Raises
    ------
    LawError
        The material is not well posed.
    """
    from matplotlib.figure import Figure

    chemical = material.chemical_diffusivity(T)
    figure = Figure(figsize=(4.2, 6.4), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    _draw(top, material.U, BLUE, "U")
    if material.D.kind == "self":
        _draw(middle, material.D, ORANGE, "$D_{\\mathrm{ab}}$, self")
    _draw(
        middle, chemical, GREEN, f"$D$, chemical, {T:g} K" if material.D.kind == "self" else "$D$"
    )
    _draw(bottom, material.i0, INK, "i0")

    top.set_ylabel("Open-circuit potential U / V")
    middle.set_ylabel("Diffusivity D / m²/s")
    middle.set_yscale("log")
    bottom.set_ylabel("Exchange current i₀ / A/m²")
    bottom.set_ylim(bottom=0)
    bottom.set_xlabel("Lithium per site θ")
    bottom.set_xlim(0, 1)
    for axes, laws in (
        (top, [material.U]),
        (middle, [material.D, chemical]),
        (bottom, [material.i0]),
    ):
        _finish(axes, laws)
    if material.D.kind == "self":
        middle.legend(frameon=False, fontsize=8)
    figure.align_ylabels()
    top.set_title(f"{material.name}: {material.title}", fontsize=9, loc="left", wrap=True)
    return figure


def _draw(axes: Axes, law: Law, colour: str, label: str) -> None:
    lo, hi = law.valid
    inside = np.linspace(lo, hi, 1001)
    axes.plot(inside, law.evaluate(inside), color=colour, lw=1.6, label=label)
    curve = law.curve()
    for a, b in ((0.0, lo), (hi, 1.0)):
        if b > a:
            beyond = np.linspace(a, b, 201)
            axes.plot(beyond, curve(beyond), color=colour, lw=1.0, ls=(0, (3, 2)))


def _finish(axes: Axes, laws: list[Law]) -> None:
    """Shading outside the range common to `laws`, a light grid, and a flag on our own choices."""
    lo, hi = max(law.valid[0] for law in laws), min(law.valid[1] for law in laws)
    for a, b in ((0.0, lo), (hi, 1.0)):
        if b > a:
            axes.axvspan(a, b, color="#000000", alpha=0.07, lw=0)
    axes.grid(True, color="#dddddd", lw=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(which="both", labelsize=8)
    axes.yaxis.label.set_fontsize(9)
    axes.xaxis.label.set_fontsize(9)
    choice = any(law.choice for law in laws)
    axes.text(
        0.99,
        0.97,
        "our choice" if choice else "published",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=7,
        color="#666666",
    )
