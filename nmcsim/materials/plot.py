"""The laws of a material over stoichiometry, of an electrolyte over concentration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from nmcsim.materials.definition import Material
from nmcsim.materials.electrolyte import Electrolyte
from nmcsim.materials.law import THETA, Law

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

T_PLOT: Final = 298.15  # K, of the chemical diffusivity
# Okabe and Ito: distinct for colour-blind readers, and in grey by their lightness and dashes
INK, BLUE, ORANGE, GREEN = "#222222", "#0072B2", "#D55E00", "#009E73"


def plot(material: Material, T: float = T_PLOT) -> Figure:
    """Open-circuit potential, diffusivities, exchange current and conductivity of a material.

    Parameters
    ----------
    material : Material
        One that is well posed.
    T : float
        Temperature [K] of the chemical diffusivity.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels above one another over theta, four with an electronic conductivity; dashed and
        shaded where a law is continued beyond its valid range.

    Raises
    ------
    LawError
        The material is not well posed.
    """
    from matplotlib.figure import Figure

    chemical = material.chemical_diffusivity(T)
    panels = 3 if material.K is None else 4
    figure = Figure(figsize=(4.2, 2.1 * panels + 0.1), layout="constrained")
    axes = figure.subplots(panels, 1, sharex=True)
    top, middle, below = axes[:3]
    _draw(top, material.U, BLUE, "U")
    if material.D.kind == "self":
        _draw(middle, material.D, ORANGE, "$D_{\\mathrm{ab}}$, self")
    _draw(
        middle, chemical, GREEN, f"$D$, chemical, {T:g} K" if material.D.kind == "self" else "$D$"
    )
    _draw(below, material.i0, INK, "i0")
    shown = [[material.U], [material.D, chemical], [material.i0]]
    if material.K is not None:
        _draw(axes[3], material.K, ORANGE, "K")
        axes[3].set_ylabel("Electronic conductivity K / S/m")
        axes[3].set_yscale("log")
        shown.append([material.K])

    top.set_ylabel("Open-circuit potential U / V")
    middle.set_ylabel("Diffusivity D / m²/s")
    middle.set_yscale("log")
    below.set_ylabel("Exchange current i₀ / A/m²")
    below.set_ylim(bottom=0)
    axes[-1].set_xlabel("Lithium per site θ")
    axes[-1].set_xlim(0, 1)
    for panel, laws in zip(axes, shown, strict=True):
        _finish(panel, laws)
    if material.D.kind == "self":
        middle.legend(frameon=False, fontsize=8)
    figure.align_ylabels()
    top.set_title(f"{material.name}: {material.title}", fontsize=9, loc="left", wrap=True)
    return figure


def plot_electrolyte(electrolyte: Electrolyte) -> Figure:
    """Conductivity, diffusivity, transference number and thermodynamic factor of an electrolyte.

    Parameters
    ----------
    electrolyte : Electrolyte
        One with all four laws.

    Returns
    -------
    matplotlib.figure.Figure
        Four panels above one another over the concentration.
    """
    from matplotlib.figure import Figure

    labels = {
        "kappa": "Conductivity κ / S/m",
        "D": "Diffusivity D / m²/s",
        "t_plus": "Transference number",
        "thermodynamic_factor": "1 + dln f/dln c",
    }
    figure = Figure(figsize=(4.2, 7.6), layout="constrained")
    panels = figure.subplots(4, 1, sharex=True)
    colours = (BLUE, GREEN, ORANGE, INK)
    for panel, (name, law), colour in zip(panels, electrolyte.laws.items(), colours, strict=True):
        _draw(panel, law, colour, name)
        panel.set_ylabel(labels[name])
        panel.set_ylim(bottom=0)
        _finish(panel, [law])
    panels[-1].set_xlabel("Concentration of the salt c / mol/m³")
    panels[-1].set_xlim(_shown(electrolyte.laws["kappa"]))
    figure.align_ylabels()
    panels[0].set_title(f"{electrolyte.name}: {electrolyte.title}", fontsize=9, loc="left")
    return figure


def _shown(law: Law) -> tuple[float, float]:
    """The range that a picture shows: all of theta, or some more than the valid range of c."""
    return (0.0, 1.0) if law.argument is THETA else (0.0, 1.2 * law.valid[1])


def _draw(axes: Axes, law: Law, colour: str, label: str) -> None:
    lo, hi = law.valid
    inside = np.linspace(lo, hi, 1001)
    axes.plot(inside, law.evaluate(inside), color=colour, lw=1.6, label=label)
    curve = law.curve()
    least, most = _shown(law)
    for a, b in ((least, lo), (hi, most)):
        if b > a:
            beyond = np.linspace(a, b, 201)
            axes.plot(beyond, curve(beyond), color=colour, lw=1.0, ls=(0, (3, 2)))


def _finish(axes: Axes, laws: list[Law]) -> None:
    """Shading outside the range common to `laws`, a light grid, and a flag on our own choices."""
    lo, hi = max(law.valid[0] for law in laws), min(law.valid[1] for law in laws)
    least, most = _shown(laws[0])
    for a, b in ((least, lo), (hi, most)):
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
