"""Figures of the electro-analysis: what was measured, what was fitted, what came out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nmcsim.analysis.capacity import DifferentialCapacity
from nmcsim.analysis.gitt import GittResult, Pulse
from nmcsim.analysis.impedance import CircuitFit
from nmcsim.analysis.record import Record
from nmcsim.figures.style import (
    COLOURS,
    DASHES,
    ONE_COLUMN,
    TWO_COLUMNS,
    letter,
    new_figure,
    styled,
)

__all__ = ["dqdv_figure", "gitt_figure", "impedance_figure", "save"]


def save(figure: Figure, path: Path) -> Path:
    """Write a figure; returns its path."""
    FigureCanvasAgg(figure)
    with styled():
        figure.savefig(path, dpi=200)
    return path


def gitt_figure(result: GittResult, record: Record) -> Figure:
    """The record, one pulse over sqrt(t) with its line, and the diffusivity of all pulses."""
    with styled():
        figure = new_figure(TWO_COLUMNS, 0.36 * TWO_COLUMNS)
        whole, one, all_ = figure.subplots(1, 3)
        unit, factor = _time_unit(float(np.ptp(record.time)))
        whole.plot(factor * record.time, record.voltage, color=COLOURS[0], lw=0.9)
        for pulse in result.pulses:
            whole.axvspan(
                factor * pulse.start, factor * (pulse.start + pulse.duration),
                color=COLOURS[4], alpha=0.35, lw=0,
            )  # fmt: skip
        whole.set_xlabel(f"Time / {unit}")
        whole.set_ylabel("Voltage / V")
        letter(whole, "a")
        _draw_pulse(one, result.pulses[len(result.pulses) // 2], result, record)
        letter(one, "b")
        _draw_diffusivity(all_, result)
        letter(all_, "c")
    return figure


def _time_unit(span: float) -> tuple[str, float]:
    return ("h", 1.0 / 3600.0) if span > 7200.0 else ("min", 1.0 / 60.0) if span > 300 else ("s", 1)


def _draw_pulse(axes: Any, pulse: Pulse, result: GittResult, record: Record) -> None:
    end = pulse.start + pulse.duration
    rows = np.flatnonzero((record.time >= pulse.start) & (record.time <= end))
    rows = rows[np.abs(record.current[rows]) > 0.5 * abs(pulse.current)]
    x = np.sqrt(record.time[rows] - pulse.start)
    y = 1e3 * (record.voltage[rows] - pulse.E_before)
    share = (record.time[rows] - pulse.start) / pulse.duration
    inside = (share >= result.settings.window[0]) & (share <= result.settings.window[1])
    axes.plot(x[~inside], y[~inside], "o", ms=2.5, mfc="none", mew=0.6, color=COLOURS[6],
              label="not in the window")  # fmt: skip
    axes.plot(x[inside], y[inside], "o", ms=2.5, color=COLOURS[0], label="in the window")
    if result.settings.ohmic == "fit":
        ends = np.array([0.0, math.sqrt(pulse.duration)])
        line = 1e3 * (pulse.ohmic + pulse.dE_t * ends / ends[1])
        axes.plot(ends, line, color=COLOURS[1], lw=1.0, label="line")
        axes.plot([0.0], line[:1], "s", ms=4, color=COLOURS[1], label="ohmic step")
    axes.set_xlabel("√(time) / √s")
    axes.set_ylabel(f"E - E_s of pulse {pulse.number} / mV")
    axes.legend(loc="lower right", handlelength=1.2)
    axes.set_ylim(bottom=min(0.0, float(y.min())))


def _draw_diffusivity(axes: Any, result: GittResult) -> None:
    theta = result.column("theta")
    known = bool(np.isfinite(theta).all())
    x = theta if known else result.column("number")
    D, u = result.column("D"), result.column("u_D")
    flawed = np.array([bool(pulse.flaws) for pulse in result.pulses])
    for which, fill, name in ((~flawed, COLOURS[0], "trusted"), (flawed, "none", "flawed")):
        if which.any():
            spread = np.minimum(u[which], 0.999 * D[which])
            axes.errorbar(
                x[which], D[which], np.array([spread, u[which]]), fmt="o", ms=3.5, mfc=fill,
                color=COLOURS[0], lw=0.7, label=name,
            )  # fmt: skip
    axes.set_yscale("log")
    if np.nanmax(D) < 3.0 * np.nanmin(D):
        middle = float(np.sqrt(np.nanmax(D) * np.nanmin(D)))
        axes.set_ylim(middle / 4.0, middle * 4.0)
    axes.set_xlabel("Lithium per site" if known else "Number of the pulse")
    axes.set_ylabel("Chemical diffusivity / (m²/s)")
    axes.legend(loc="best")


def impedance_figure(fit: CircuitFit) -> Figure:
    """The spectrum in the complex plane with the fitted circuit, and the residuals."""
    spectrum, used = fit.spectrum, fit.used
    size = float(np.abs(spectrum.Z).max())
    unit, factor = next(
        (name, f) for name, f in (("GΩ", 1e-9), ("MΩ", 1e-6), ("kΩ", 1e-3), ("Ω", 1.0))
        if size * f >= 1.0 or name == "Ω"
    )  # fmt: skip
    with styled():
        figure = new_figure(TWO_COLUMNS, 0.42 * TWO_COLUMNS)
        plane, rest = figure.subplots(1, 2)
        seen = spectrum.frequency[used]
        Z, model = factor * spectrum.Z, factor * fit.at(np.geomspace(seen.min(), seen.max(), 400))
        plane.plot(Z.real[used], -Z.imag[used], "o", ms=3.5, color=COLOURS[0], label="in window")
        if not used.all():
            plane.plot(Z.real[~used], -Z.imag[~used], "o", ms=3.5, mfc="none", color=COLOURS[6],
                       mew=0.7, label="not in window")  # fmt: skip
        plane.plot(model.real, -model.imag, color=COLOURS[1], label=fit.circuit.said)
        plane.set_aspect("equal", adjustable="datalim")
        plane.set_xlabel(f"Re Z / {unit}")
        plane.set_ylabel(f"-Im Z / {unit}")
        plane.legend(loc="best")
        letter(plane, "a")
        gap, f = 100.0 * fit.residuals[used], seen
        rest.axhline(0.0, color="0.6", lw=0.6)
        rest.plot(f, gap.real, "o-", ms=2.5, lw=0.8, color=COLOURS[0], label="Re")
        rest.plot(f, gap.imag, "s--", ms=2.5, lw=0.8, color=COLOURS[1], label="Im")
        rest.set_xscale("log")
        rest.set_xlabel("Frequency / Hz")
        rest.set_ylabel("(Z - fit) / |Z| / %")
        rest.legend(loc="best")
        letter(rest, "b")
    return figure


def dqdv_figure(found: Sequence[DifferentialCapacity], unit: str, factor: float) -> Figure:
    """dQ/dV over the voltage, discharges downwards, with the peaks."""
    with styled():
        figure = new_figure(ONE_COLUMN, 0.8 * ONE_COLUMN)
        axes = figure.subplots()
        axes.axhline(0.0, color="0.6", lw=0.6)
        for k, one in enumerate(found):
            sign = 1.0 if one.kind == "charge" else -1.0
            colour = COLOURS[k // 2 % len(COLOURS)]
            style = DASHES[0] if sign > 0 else DASHES[1]
            axes.plot(
                one.voltage, sign * factor * one.dqdv, color=colour, ls=style, lw=1.1,
                label=f"{one.kind} {one.number}",
            )  # fmt: skip
            for peak in one.peaks:
                height = sign * factor * peak.height
                axes.plot([peak.voltage], [height], "o", ms=3, color=colour)
                axes.annotate(
                    f"{peak.voltage:.3f} V", (peak.voltage, height), (0, 4 * sign),
                    textcoords="offset points", ha="center", fontsize=6,
                    va="bottom" if sign > 0 else "top",
                )  # fmt: skip
        axes.set_xlabel("Voltage / V")
        axes.set_ylabel(f"dQ/dV / ({unit}/V)")
        axes.margins(y=0.12)
        if all(one.kind == "charge" for one in found):
            axes.set_ylim(bottom=0.0)
        if len(found) <= 8:
            axes.legend(loc="best")
    return figure
