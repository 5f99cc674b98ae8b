"""What a reduction gives, as entries of ``measured.toml``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.imaging.settings import Number, Series
from nmcsim.measured import Measured, MeasuredSeries, Measurement
from nmcsim.measured.series_file import write_columns
from nmcsim.units import convert

__all__ = ["entries_of", "measured_of", "shown", "write_series"]

SHOWN = {"m": "um", "m2": "um2", "1/m": "1/um"}
"""SI unit -> the unit in which it is written."""


def shown(unit: str) -> tuple[str, float]:
    """The unit in which a quantity is written, and the factor to it."""
    written = SHOWN.get(unit, unit)
    return written, convert(1.0, unit, written)


def entries_of(
    numbers: Mapping[str, Number],
    series: Mapping[str, Series],
    *,
    curves: Iterable[str] = (),
    along: Iterable[str] = ("soc", "time"),
    method: str = "",
) -> tuple[Measurement, ...]:
    """Entries from the numbers and series of a reduction.

    Parameters
    ----------
    numbers, series : mapping
        As of `OpticalResult` and the others.
    curves : iterable of str
        Series that become entries.
    along : iterable of str
        What they are told along: the first that is there and rises throughout.
    method : str
    """
    found = []
    for name, number in numbers.items():
        unit, factor = shown(number.unit)
        if not math.isfinite(number.value):
            found.append(Measurement(name, unit, missing="not seen in the frames"))
            continue
        error = None
        if math.isfinite(number.uncertainty) and number.uncertainty > 0.0:
            error = float(f"{factor * number.uncertainty:.3g}")
        found.append(
            Measurement(
                name, unit, value=float(f"{factor * number.value:.8g}"), uncertainty=error,
                method=method,
                note=number.description,
            )
        )  # fmt: skip
    x = _axis(series, tuple(along))
    if x is None:
        return tuple(found)
    there = np.isfinite(series[x].values)
    for name in curves:
        if name not in series or not np.isfinite(series[name].values[there]).any():
            continue
        unit, factor = shown(series[name].unit)
        spread = factor * series[name].uncertainty[there]
        curve = MeasuredSeries(
            series[x].values[there],
            _rounded(factor * series[name].values[there], 8),
            _rounded(np.where(spread > 0.0, spread, np.nan), 3),
            x,
            series[x].unit,
        )
        found.append(
            Measurement(name, unit, series=curve, method=method, note=series[name].description)
        )
    return tuple(found)


def _rounded(values: np.ndarray[Any, Any], digits: int) -> np.ndarray[Any, Any]:
    """Digits that mean something; a person reads the file."""
    return np.array([float(f"{v:.{digits}g}") for v in values])


def _axis(series: Mapping[str, Series], along: tuple[str, ...]) -> str | None:
    for name in along:
        if name in series:
            values = series[name].values[np.isfinite(series[name].values)]
            if values.size > 1 and (np.diff(values) > 0.0).all():
                return name
    return None


def measured_of(
    kind: str, result: Any, *, title: str = "", source: str = "", operator: bool = True
) -> Measured:
    """A file of what a reduction gives.

    Parameters
    ----------
    kind : str
        "optical", "particles" or "porosity".
    result : OpticalResult, ParticlesResult or PorosityResult
    title, source : str
    operator : bool
        Whether its settings go into the file, so that `compare` reduces simulated frames alike.
    """
    curves, along = CURVES[kind]
    entries = entries_of(
        result.numbers, result.series, curves=curves, along=along, method=method_of(kind, result)
    )
    table = {kind: result.settings.table()} if operator and kind != "porosity" else {}
    return Measured(title=title, source=source, entries=entries, operators=table)


CURVES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "optical": (("com_distance", "unreacted_share"), ("soc", "time")),
    "particles": (("intensity_mean",), ("soc", "time")),
    "porosity": (("porosity", "crack_length", "crack_density", "crack_width"), ("cycle",)),
}
"""Of each kind, the series that become entries, and what they may be told along."""


def method_of(kind: str, result: Any) -> str:
    """One sentence on how it was measured."""
    s, nm = result.settings, 1e9 * result.pixel
    if kind == "optical":
        return (
            f"frames of {nm:.4g} nm/px, drift by {s.drift}, mask from {result.mask.threshold:.6g}"
            f" counts, |dI/I1| < {s.unreacted_below:g}"
            + (f", smoothed over {1e9 * s.smooth:.4g} nm" if s.smooth else "")
            + (f", without a rim of {1e9 * s.inset:.4g} nm" if s.inset else "")
            + "; the uncertainty holds noise, drift and pixels, not the optical blur"
        )
    if kind == "particles":
        return (
            f"mean intensity of {len(result.names)} particles, {nm:.4g} nm/px, drift by {s.drift};"
            " t25 of each one's own change"
        )
    return (
        f"segmented slices ({s.segmentation}), {nm:.4g} nm/px, outline closed over"
        f" {1e9 * s.rim:.4g} nm"
    )


def write_series(path: Path, series: Mapping[str, Series]) -> None:
    """All columns, with their uncertainties where there are any, as a CSV."""
    columns = []
    for name, one in series.items():
        unit, factor = shown(one.unit)
        values = factor * np.asarray(one.values, dtype=float)
        columns.append((name, unit, _rounded(values, 8)))
        if np.isfinite(one.uncertainty).any():
            spread = factor * np.asarray(one.uncertainty, dtype=float)
            columns.append((f"{name} uncertainty", unit, _rounded(spread, 3)))
    write_columns(path, columns)
