"""``nmcsim measure dqdv``: half-cycles of a record to dQ/dV and its peaks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nmcsim.analysis.capacity import (
    DifferentialCapacity,
    Method,
    differential_capacity,
    half_cycles,
)
from nmcsim.analysis.record import Record
from nmcsim.errors import InputError, Mistake
from nmcsim.measured import Measured, MeasuredSeries, Measurement

__all__ = ["as_measured", "described", "reduce_dqdv", "write_dqdv"]


def reduce_dqdv(
    record: Record,
    *,
    width: float = 0.01,
    method: Method = "savgol",
    prominence: float = 0.05,
    at_rest: float | None = None,
    half_cycle: int | None = None,
) -> list[DifferentialCapacity]:
    """dQ/dV of each half-cycle of a record, or of one of them (from 1).

    Of several, those in which the voltage changes by less than twice the width are left out.

    Raises
    ------
    InputError
        The record has no half-cycle, not that one, or none in which the voltage changes enough.
    """
    parts = half_cycles(record, at_rest)
    if not parts:
        raise InputError(Mistake(record.name, "has no charge or discharge of 8 rows or more"))
    chosen = range(1, len(parts) + 1) if half_cycle is None else (half_cycle,)
    if half_cycle is not None and not 1 <= half_cycle <= len(parts):
        message = f"= {half_cycle} is not there; the record has {len(parts)} half-cycles"
        raise InputError(Mistake("half-cycle", message), record.name)
    found, refused = [], []
    for n in chosen:
        try:
            found.append(
                differential_capacity(
                    record,
                    parts[n - 1],
                    width=width,
                    method=method,
                    prominence=prominence,
                    number=n,
                )
            )
        except InputError as error:
            refused.append(error)
    if refused and (not found or half_cycle is not None):
        raise refused[0]
    return found


def described(found: Sequence[DifferentialCapacity], record: Record, mass: float | None) -> str:
    """Capacity and peaks of each half-cycle."""
    unit, factor = _per(mass, found)
    how = {"savgol": "Savitzky-Golay, cubic", "spline": "smoothing spline"}[found[0].method]
    lines = [
        f"{record.name}: dQ/dV smoothed over {1e3 * found[0].width:g} mV ({how})",
        *(f"  note: {note}" for note in record.notes),
    ]
    count = len(half_cycles(record))
    if len(found) < count:
        lines.append(f"  note: {len(found)} of {count} half-cycles are treated")
    for one in found:
        lines.append(
            f"  half-cycle {one.number}, {one.kind}: {factor * one.passed:.5g} {unit} from"
            f" {one.voltage[0]:.4g} to {one.voltage[-1]:.4g} V"
        )
        lines += [
            f"    peak at {peak.voltage:.4f} V, {factor * peak.height:.4g} {unit}/V,"
            f" {1e3 * peak.width:.3g} mV wide"
            for peak in one.peaks
        ] or ["    no peak"]
    return "\n".join(lines)


def _per(mass: float | None, found: Sequence[DifferentialCapacity]) -> tuple[str, float]:
    """Unit of a capacity and the factor from A s: per mass where it is known."""
    if mass is not None:
        return "mAh/g", 1.0 / 3600.0 / mass
    largest = max(one.passed for one in found) / 3600.0
    ladder = (("Ah", 1.0), ("mAh", 1e3), ("uAh", 1e6), ("nAh", 1e9), ("pAh", 1e12))
    unit, factor = next((rung for rung in ladder if largest * rung[1] >= 1.0), ladder[-1])
    return unit, factor / 3600.0


def as_measured(
    found: Sequence[DifferentialCapacity], record: Record, mass: float | None
) -> Measured:
    """dQ/dV of each half-cycle as a series along the voltage, and its peaks."""
    import numpy as np

    unit, factor = _per(mass, found)
    entries = []
    for one in found:
        method = f"{one.method}, {1e3 * one.width:g} mV"
        name = f"{one.kind}_{one.number}"
        values = factor * one.dqdv
        series = MeasuredSeries(one.voltage, values, np.full(len(values), np.nan), "voltage", "V")
        entries.append(Measurement(f"dqdv_{name}", f"{unit}/V", series=series, method=method))
        entries.append(Measurement(f"capacity_{name}", unit, factor * one.passed))
        entries += [
            Measurement(f"peak_{k}_{name}", "V", peak.voltage, method=method)
            for k, peak in enumerate(one.peaks, start=1)
        ]
    return Measured("dQ/dV", record.name, tuple(entries))


def write_dqdv(
    found: Sequence[DifferentialCapacity], record: Record, mass: float | None, path: Path
) -> list[Path]:
    """``measured.toml`` at `path`, with its series, and the figure beside it; their paths."""
    from nmcsim.measure.electro_figures import dqdv_figure, save

    as_measured(found, record, mass).write(path)
    unit, factor = _per(mass, found)
    picture = save(dqdv_figure(found, unit, factor), path.with_name(f"{path.stem}_dqdv.png"))
    return [path, picture]
