"""``nmcsim measure gitt``: pulses of a record to diffusivities, a file, a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nmcsim.analysis.gitt import GittResult, Sample
from nmcsim.analysis.record import Record
from nmcsim.errors import InputError
from nmcsim.measured import Measured, MeasuredSeries, Measurement
from nmcsim.measured.series_file import write_columns

if TYPE_CHECKING:
    from nmcsim.results import Result

__all__ = ["as_measured", "described", "sample_from", "sample_of", "theta_start_of", "write_gitt"]

COLUMNS = {
    "number": "1", "start": "s", "duration": "s", "rest": "s", "current": "A", "charge": "A s",
    "theta": "1", "E_before": "V", "E_after": "V", "dE_s": "V", "u_dE_s": "V", "dE_t": "V",
    "u_dE_t": "V", "ohmic": "V", "fit_rms": "V", "unsettled": "V", "D": "m2/s", "u_D": "m2/s",
    "shortness": "1",
}  # fmt: skip
"""What the CSV of pulses holds; see `nmcsim.analysis.gitt.Pulse`."""


def sample_of(directory: Path) -> dict[str, float]:
    """Keys of `Sample` that a result directory of a crystal knows of itself.

    The area is the active one: the lateral surface without rock salt that lets nothing through,
    both as meshed. `length` is twice the volume over the lateral surface, the radius of a disk.
    """
    found = _crystal(directory)
    if found is None:
        return {}
    case: Any = found.case()
    facts = found.provenance["facts"]
    density, volume, lateral = case.material.density, facts["volume"], facts["lateral_area"]
    return {
        "mass": density * volume,
        "molar_mass": density / case.material.site_density,
        "density": density,
        "area": lateral * (1.0 - facts["coverage"] * (1.0 - case.physics.rock_salt.flux_ratio)),
        "length": 2.0 * volume / lateral,
    }


def theta_start_of(directory: Path) -> float | None:
    """Lithium per site in the first row of a result directory of a crystal."""
    found = _crystal(directory)
    return None if found is None else float(found["theta_mean"].values[0])


def _crystal(directory: Path) -> Result | None:
    """The result of a crystal in a directory; None where there is another one, or none."""
    from nmcsim.results import Result

    if not directory.is_dir():
        return None
    try:
        found = Result.load(directory)
    except InputError:
        return None
    return found if "lateral_area" in found.provenance.get("facts", {}) else None


def described(result: GittResult, record: Record) -> str:
    """The table of pulses, and what is against them."""
    settings, sample = result.settings, result.sample
    lo, hi = settings.window
    how = {
        "fit": "the intercept of E over sqrt(t), which is removed",
        "first": "the first row with current, which is removed",
        "none": "not removed",
    }[settings.ohmic]
    lines = [
        f"{record.name}: {len(result.pulses)} pulse{'s' * (len(result.pulses) != 1)};"
        f" volume over area {1e6 * sample.depth:.4g} um",
        f"  line over sqrt(t) from {lo:g} to {hi:g} of each pulse; ohmic step: {how}",
        *(f"  note: {note}" for note in result.notes),
        "",
        "pulse  tau/s    theta   E_s/V   dE_s/mV  dE_t/mV  ohmic/mV  D/(m2/s)   +-        tau D/L2",
    ]
    for p in result.pulses:
        theta = f"{p.theta:.4f}" if np.isfinite(p.theta) else "-"
        lines.append(
            f"{p.number:5d}  {p.duration:<7.5g}  {theta:<6}  {p.E_before:.4f}"
            f"  {1e3 * p.dE_s:<7.4g}  {1e3 * p.dE_t:<7.4g}  {1e3 * p.ohmic:<8.4g}"
            f"  {p.D:<9.3e}  {p.u_D:<8.1e}  {p.shortness:.2g}{' *' if p.flaws else ''}"
        )
    flaws: dict[str, list[int]] = {}
    for p in result.pulses:
        for flaw in p.flaws:
            flaws.setdefault(flaw.split(" = ")[0], []).append(p.number)
    said = {
        "tau": f"tau is not << L^2/D (above {settings.longest:g} of it): Eq. 1 does not hold",
    }
    lines += [
        f"* {said.get(key, key)}: pulse{'s' * (len(which) > 1)} {_ranges(which)}"
        for key, which in flaws.items()
    ]
    return "\n".join(lines)


def _ranges(numbers: Sequence[int]) -> str:
    """``1-4, 7``."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ", ".join("-".join(map(str, pair)) for pair in found)


def as_measured(result: GittResult, record: Record) -> Measured:
    """The diffusivity, the voltage at rest and the ohmic step along theta, or the pulse's number
    where theta is unknown or turns back.
    """
    theta = result.column("theta")
    along = np.diff(theta)
    by_theta = bool(np.isfinite(theta).all()) and bool((along > 0).all() or (along < 0).all())
    if by_theta or (len(theta) == 1 and np.isfinite(theta).all()):
        x, name = theta, "theta_mean"
    else:
        x, name = result.column("number"), "pulse"
    order = np.argsort(x)
    settings, sample = result.settings, result.sample
    conditions = {
        "pulse": f"{float(np.median(result.column('duration'))):.6g} s",
        "rest": f"{float(np.median(result.column('rest'))):.6g} s",
        "current": f"{float(np.median(result.column('current'))):.6g} A",
        "specific_current": f"{float(np.median(result.column('current'))) / sample.mass:.6g} A/kg",
        "area": f"{sample.area:.6g} m2",
        "ohmic": settings.ohmic,
    }
    lo, hi = settings.window
    method = (
        "GITT, Eq. 1 of Lun et al. (2022), SI; ohmic step:"
        f" {settings.ohmic}; line over sqrt(t) from {lo:g} to {hi:g} of the pulse"
    )

    def entry(key: str, label: str, unit: str, u: str, note: str = "") -> Measurement:
        values = result.column(key)[order]
        spread = result.column(u)[order] if u else np.full(len(order), np.nan)
        spread = np.where(np.isfinite(spread) & (spread > 0.0), spread, np.nan)
        series = MeasuredSeries(x[order], values, spread, name, "1")
        return Measurement(
            label, unit, series=series, method=method, conditions=conditions, note=note
        )

    flawed = [p.number for p in result.pulses if p.flaws]
    note = f"not to be trusted: pulses {_ranges(flawed)}" if flawed else ""
    entries = [
        entry("D", "chemical_diffusivity", "m2/s", "u_D", note),
        entry("E_before", "voltage_at_rest", "V", ""),
    ]
    if settings.ohmic != "none":
        entries.append(entry("ohmic", "ohmic_step", "V", ""))
    return Measured("GITT", record.name, tuple(entries))


def write_gitt(result: GittResult, record: Record, path: Path) -> list[Path]:
    """``measured.toml`` at `path`, beside it the CSV of pulses and the figure; their paths."""
    from nmcsim.measure.electro_figures import gitt_figure, save

    as_measured(result, record).write(path)
    pulses = path.with_name(f"{path.stem}_pulses.csv")
    write_columns(pulses, [(name, unit, result.column(name)) for name, unit in COLUMNS.items()])
    picture = save(gitt_figure(result, record), path.with_name(f"{path.stem}_gitt.png"))
    return [path, pulses, picture]


def sample_from(given: Mapping[str, float | None], bet: float | None) -> tuple[Sample | None, str]:
    """The sample, or what is missing of it; `bet` is an area per mass [m2/kg]."""
    known = {key: value for key, value in given.items() if value is not None}
    if bet is not None and "mass" in known:
        known["area"] = bet * known["mass"]
    needed = ("mass", "molar_mass", "density", "area")
    missing = [f"--{name.replace('_', '-')}" for name in needed if name not in known]
    return (None, ", ".join(missing)) if missing else (Sample(**known), "")
