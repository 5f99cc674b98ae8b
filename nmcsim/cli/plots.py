"""The laws of a material in one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nmcsim.materials import material

ROOM = 298.15  # [K]


def plot_material(name: str, path: Path) -> None:
    """Draw U, the diffusivities and i0 of a library material against theta.

    Parameters
    ----------
    name : str
        Of the material.
    path : Path
        Picture to write; its ending says which kind.

    Raises
    ------
    InputError
        If there is no such material.
    """
    chosen = material(name)
    chemical = chosen.chemical_diffusivity(ROOM)
    figure = Figure(figsize=(9.0, 2.9), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 3)
    diffusivities = [chemical] if chosen.D.kind == "chemical" else [chosen.D, chemical]
    for axes, laws, label in zip(
        panels,
        ([chosen.U], diffusivities, [chosen.i0]),
        ("U / V", "D / (m2/s)", "i0 / (A/m2)"),
        strict=True,
    ):
        for law, style in zip(laws, ("-", "--"), strict=False):
            theta = np.linspace(*law.valid, 801)
            axes.plot(theta, law.evaluate(theta), style, color="black", label=law.symbol)
        axes.set(xlabel="theta", ylabel=label, xlim=(0.0, 1.0))
    panels[1].set_yscale("log")
    panels[1].legend(frameon=False)
    figure.suptitle(f"{chosen.name}: {chosen.title}", fontsize=9)
    figure.savefig(path, dpi=200)
