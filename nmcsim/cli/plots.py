"""The laws of a material in one picture."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg

from nmcsim.materials import material
from nmcsim.materials.plot import plot


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
    figure = plot(material(name))
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=200)
