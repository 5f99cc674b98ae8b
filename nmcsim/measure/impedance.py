"""``nmcsim measure impedance``: a spectrum to the values of an equivalent circuit."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from nmcsim.analysis.impedance import CircuitFit
from nmcsim.measured import Measured, Measurement
from nmcsim.measured.series_file import write_columns
from nmcsim.units import beside

__all__ = ["as_measured", "described", "write_impedance"]


def described(fit: CircuitFit) -> str:
    """Values with their uncertainties, and what is against them."""
    spectrum, circuit = fit.spectrum, fit.circuit
    inside = spectrum.frequency[fit.used]
    weights = {"modulus": "1/|Z|", "unit": "equal"}[circuit.weights]
    lines = [
        f"{spectrum.name}: {circuit.said}",
        *(f"  note: {note}" for note in spectrum.notes),
        f"  window {inside.min():.4g} to {inside.max():.4g} Hz, {len(inside)} of"
        f" {len(spectrum.frequency)} points; weights {weights}; rms residual {100 * fit.rms:.2g} %"
        " of |Z|",
        "",
    ]
    for name, value in fit.values.items():
        unit = "" if value.unit == "1" else f" {value.unit}"
        both = " +- ".join(filter(None, beside(value.value, value.uncertainty)))
        lines.append(f"  {name:<6}  {both}{unit}")
    lines += [
        f"  {a} and {b} are correlated: {rho:.3f}" for (a, b), rho in fit.correlations.items()
    ]
    return "\n".join([*lines, *(f"* {warning}" for warning in fit.warnings)])


def as_measured(fit: CircuitFit) -> Measured:
    """Each value of the circuit as an entry."""
    inside = fit.spectrum.frequency[fit.used]
    method = (
        f"complex nonlinear least squares of {fit.circuit.said}, weights {fit.circuit.weights},"
        f" {inside.min():.6g} to {inside.max():.6g} Hz"
    )
    note = "; ".join(fit.warnings)
    entries = []
    for name, value in fit.values.items():
        if name == "Q":
            continue  # its unit depends on n; C_dl says the same
        known = math.isfinite(value.uncertainty) and value.uncertainty > 0.0
        u = value.uncertainty if known else None
        entries.append(Measurement(name, value.unit, value.value, u, method=method, note=note))
    return Measured("Impedance", fit.spectrum.name, tuple(entries))


def write_impedance(fit: CircuitFit, path: Path) -> list[Path]:
    """``measured.toml`` at `path`, beside it the spectrum as CSV and the figure; their paths."""
    from nmcsim.measure.electro_figures import impedance_figure, save

    as_measured(fit).write(path)
    table = path.with_name(f"{path.stem}_spectrum.csv")
    Z, model = fit.spectrum.Z, fit.model
    write_columns(
        table,
        [
            ("frequency", "Hz", fit.spectrum.frequency),
            ("Re Z", "ohm", Z.real),
            ("Im Z", "ohm", Z.imag),
            ("Re Z fitted", "ohm", model.real),
            ("Im Z fitted", "ohm", model.imag),
            ("in window", "1", fit.used.astype(np.float64)),
        ],
    )
    picture = save(impedance_figure(fit), path.with_name(f"{path.stem}_impedance.png"))
    return [path, table, picture]
