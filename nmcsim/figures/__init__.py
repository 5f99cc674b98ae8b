"""Figures worth publishing: each a function from a result to a matplotlib figure, with its data
beside it.

`write_all` writes every figure that a result has the data for, as PNG, PDF and CSV.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.figures.activation import (
    activation_curves,
    activation_curves_data,
    activation_histogram,
    activation_histogram_data,
    has_activation,
)
from nmcsim.figures.curves import (
    asymmetry,
    asymmetry_data,
    has_asymmetry,
    voltage,
    voltage_data,
    voltages,
    voltages_data,
)
from nmcsim.figures.cycles import cycles, cycles_data, has_split, voltage_split, voltage_split_data
from nmcsim.figures.electrode_maps import (
    electronic_path,
    electronic_path_data,
    half_cycle_maps,
    half_cycle_maps_data,
)
from nmcsim.figures.kymograph import kymograph, kymograph_data
from nmcsim.figures.maps import theta_maps, theta_maps_data
from nmcsim.figures.overview import overview
from nmcsim.figures.style import styled
from nmcsim.results import RESOLVED, Result, table, write_atomically, writing

__all__ = [
    "FIGURES",
    "FigureKind",
    "activation_curves",
    "activation_histogram",
    "asymmetry",
    "cycles",
    "drawable",
    "electronic_path",
    "half_cycle_maps",
    "kymograph",
    "overview",
    "save",
    "theta_maps",
    "voltage",
    "voltage_split",
    "voltages",
    "write_all",
    "write_joint",
]


@dataclass(frozen=True)
class FigureKind:
    """A figure that every result may have.

    Parameters
    ----------
    name : str
        Of its files.
    title : str
        One phrase, for the report.
    draw : Result -> Figure
    data : Result -> (header, table), or None
        The numbers behind it; None where other figures' files hold them.
    possible : Result -> bool
        Whether the result has the data.
    wide : bool
        Two journal columns.
    """

    name: str
    title: str
    draw: Callable[[Result], Figure]
    data: Callable[[Result], tuple[list[str], NDArray[Any]]] | None
    possible: Callable[[Result], bool]
    wide: bool = False


def _has_map(result: Result) -> bool:
    return result.map is not None and len(result.map.time) > 0


def _has_surface(result: Result) -> bool:
    return result.surface is not None and len(result.surface.time) > 1


def _has_both(result: Result) -> bool:
    return _has_map(result) and _has_surface(result)


def _has_voltage(result: Result) -> bool:
    return "voltage" in result.history and bool(np.isfinite(result["voltage"].values).any())


def _of_a_crystal(result: Result) -> bool:
    return result.particles is None and _has_voltage(result)


def _of_an_electrode(result: Result) -> bool:
    return result.particles is not None and _has_voltage(result)


def _has_lithium_maps(result: Result) -> bool:
    return result.particles is not None and "theta" in result.maps and _has_frames(result)


def _has_potential_maps(result: Result) -> bool:
    return _has_lithium_maps(result) and "phi_s" in result.maps


def _has_frames(result: Result) -> bool:
    return len(result.frame_times) > 0


FIGURES = (
    FigureKind("overview", "Overview", overview, None, _has_both, wide=True),
    FigureKind("theta_maps", "Lithium maps", theta_maps, theta_maps_data, _has_map, wide=True),
    FigureKind("voltage", "Voltage and capacity", voltage, voltage_data, _of_a_crystal),
    FigureKind(
        "asymmetry",
        f"Centre-of-mass distance, while {100 * RESOLVED:g} % of the area or more is unreacted",
        asymmetry,
        asymmetry_data,
        has_asymmetry,
    ),
    FigureKind("kymograph", "Lithium on the surface", kymograph, kymograph_data, _has_surface),
    FigureKind(
        "activation_curves",
        "Surface lithium of the observed particles",
        activation_curves,
        activation_curves_data,
        _of_an_electrode,
        wide=True,
    ),
    FigureKind(
        "maps",
        "Lithium over the half-cycles",
        half_cycle_maps,
        half_cycle_maps_data,
        _has_lithium_maps,
        wide=True,
    ),
    FigureKind(
        "activation_histogram",
        "When the particles take part",
        activation_histogram,
        activation_histogram_data,
        has_activation,
        wide=True,
    ),
    FigureKind("cycles", "Voltage of the cycles", cycles, cycles_data, _of_an_electrode),
    FigureKind(
        "electronic_path",
        "Potential of the solid when the particles differ most",
        electronic_path,
        electronic_path_data,
        _has_potential_maps,
    ),
    FigureKind(
        "voltage_split",
        "What the voltage is spent on",
        voltage_split,
        voltage_split_data,
        has_split,
        wide=True,
    ),
)


def drawable(result: Result) -> list[FigureKind]:
    """The figures that ``result`` has the data for."""
    if len(result.history.get("time", ())) < 2:
        return []
    return [kind for kind in FIGURES if kind.possible(result)]


def save(figure: Figure, stem: Path) -> None:
    """Write ``figure`` as ``<stem>.png`` (300 dpi) and ``<stem>.pdf``, atomically.

    Raises
    ------
    WriteFailure
        The disk is full or the folder may not be written.
    """
    FigureCanvasAgg(figure)
    for suffix, metadata in ((".png", {}), (".pdf", {"CreationDate": None})):
        content = io.BytesIO()
        with styled():
            figure.savefig(content, format=suffix[1:], dpi=300, metadata=metadata)
        figure.set_layout_engine("none")  # laid out once: a layout costs as much as a drawing
        write_atomically(stem.with_suffix(suffix), content.getvalue())


def write_all(result: Result, directory: Path | None = None) -> list[Path]:
    """Draw every figure of ``result`` into ``directory`` (default: its own ``figures/``).

    Returns
    -------
    list of Path
        The PNG files; a PDF and, where the figure has numbers of its own, a CSV lie beside each.

    Raises
    ------
    WriteFailure
        The disk is full or the folder may not be written.
    """
    folder = _made(directory or result.directory / "figures")
    written = []
    for kind in drawable(result):
        data = None if kind.data is None else kind.data(result)
        written.append(_write(folder / kind.name, kind.draw(result), data))
    return written


def write_joint(results: Sequence[Result], folder: Path) -> list[Path]:
    """Draw what compares several results: the asymmetry over the state of charge, and the voltage.

    Parameters
    ----------
    results : sequence of Result
        At least two; the numbers in the CSV files count them in this order.
    folder : Path
        Made if it does not exist.

    Returns
    -------
    list of Path
        The PNG files; a PDF and a CSV lie beside each.

    Raises
    ------
    InputError
        The results have neither in common.
    WriteFailure
        The disk is full or the folder may not be written.
    """
    written = []
    distant = [result for result in results if has_asymmetry(result)]
    if distant:
        stem = _made(folder) / "asymmetry_of_several"
        written.append(_write(stem, asymmetry(distant), asymmetry_data(distant)))
    electric = [result for result in results if _has_voltage(result)]
    if electric:
        stem = _made(folder) / "voltage_of_several"
        written.append(_write(stem, voltages(electric), voltages_data(electric)))
    if not written:
        where = ", ".join(str(result.directory) for result in results)
        raise InputError(Mistake(where, "have no voltage or centre-of-mass distance to draw"))
    return written


def _made(folder: Path) -> Path:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(stem: Path, figure: Figure, data: tuple[list[str], NDArray[Any]] | None) -> Path:
    save(figure, stem)
    if data is not None:
        write_atomically(stem.with_suffix(".csv"), table(*data))
    return stem.with_suffix(".png")
