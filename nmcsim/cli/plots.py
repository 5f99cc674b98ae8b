"""The laws of a material in one picture."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg

from nmcsim.materials import electrolyte, electrolyte_names, material
from nmcsim.materials.plot import plot, plot_electrolyte


def plot_material(name: str, path: Path) -> None:
    """Draw the laws of a library material against theta, or of an electrolyte against c.

    Parameters
    ----------
    name : str
        Of the material or electrolyte.
    path : Path
        Picture to write; its ending says which kind.

    Raises
    ------
    InputError
        If there is neither of that name.
    """
    known = name in electrolyte_names()
    figure = plot_electrolyte(electrolyte(name)) if known else plot(material(name))
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=200)
