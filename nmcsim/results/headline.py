"""The headline numbers of an electrode's run: activation, asynchrony, capacity loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nmcsim.imaging.activation import (
    SHARES,
    HalfCycle,
    asynchrony,
    capacity_losses,
    half_cycles,
    homogenisation_times,
    share_times,
    slope_peaks,
)
from nmcsim.results.particles import ParticleSeries
from nmcsim.results.series import Array, Series

__all__ = ["headline", "headline_lines"]


def headline(
    history: Mapping[str, Series],
    particles: ParticleSeries,
    steps: Sequence[Mapping[str, Any]],
    *,
    finished: bool,
    within: str | None = None,
) -> dict[str, Any]:
    """The sections of ``summary.json`` that only an electrode has.

    Parameters
    ----------
    history : mapping of name -> Series
        With ``time``, ``soc`` and ``charge``.
    particles : ParticleSeries
        With ``theta_mean``.
    steps : sequence of mappings
        The protocol steps that have ended.
    finished : bool
        Whether these are all.
    within : str, optional
        Kind of the step in which a run stopped that ended in none of them.

    Returns
    -------
    dict
        ``half_cycles`` (list of dict: kind, complete, ``t_start``, ``t_end_cc``, ``t_end`` [s],
        ``charge`` passed [A s]; ``asynchrony`` of t25 of the observed particles, ``_all`` of all,
        ``_slope`` and ``_slope_all`` of the peaks of the slope; and per particle, in their order,
        ``t10 t25 t50 t90 slope_peak`` on the clock of the run and ``homogenisation`` [s]),
        ``asynchrony`` (one number per half-cycle), ``capacity_loss`` (one per cycle), and
        ``activation`` (per half-cycle, in order: particle, ``time`` of its t25 and ``peak`` of its
        slope [s], and ``soc`` of the cell at its t25).
    """
    halves = half_cycles(steps, finished=finished, within=within)
    # a run that fails at its start has no rows
    time, soc, charge = (
        history[name].values if name in history else np.empty(0)
        for name in ("time", "soc", "charge")
    )
    entries = [_entry(half, time, charge, particles) for half in halves]
    return {
        "asynchrony": [entry["asynchrony"] for entry in entries],
        "capacity_loss": capacity_losses(halves, time, charge),
        "activation": [_activation(entry, particles.names, time, soc) for entry in entries],
        "half_cycles": entries,
    }


def _entry(
    half: HalfCycle, time: Array, charge: Array, particles: ParticleSeries
) -> dict[str, Any]:
    """All that is said of one half-cycle."""
    t, mean = half.part(time, particles.theta_mean)
    at = {name: share_times(t, mean, share) for name, share in SHARES.items()}
    at["slope_peak"] = slope_peaks(*half.constant_current(time, particles.theta_mean))
    seen, began, ended = particles.observed, *np.interp((half.t_start, half.t_end), time, charge)
    entry = {
        "kind": half.kind,
        "complete": half.complete,
        "t_start": half.t_start,
        "t_end_cc": half.t_end_cc,
        "t_end": half.t_end,
        "charge": float(ended - began),
        "asynchrony": asynchrony(at["t25"][seen], half.duration),
        "asynchrony_all": asynchrony(at["t25"], half.duration),
        "asynchrony_slope": asynchrony(at["slope_peak"][seen], half.duration),
        "asynchrony_slope_all": asynchrony(at["slope_peak"], half.duration),
        **at,
    }
    if "theta_surface" in particles.series:
        surface = half.part(time, particles.theta_surface)[1]
        entry["homogenisation"] = homogenisation_times(t, surface, mean)
    return entry


def _activation(
    entry: Mapping[str, Any], names: Sequence[str], time: Array, soc: Array
) -> list[dict[str, Any]]:
    """The particles that took part in a half-cycle, the first one first."""
    t25, peak = entry["t25"], entry["slope_peak"]
    order = [p for p in np.argsort(t25, kind="stable").tolist() if np.isfinite(t25[p])]
    at = np.interp(t25, time, soc)
    return [
        {"particle": names[p], "time": float(t25[p]), "soc": float(at[p]), "peak": float(peak[p])}
        for p in order
    ]


def headline_lines(found: Mapping[str, Any], particles: ParticleSeries) -> list[str]:
    """What a run prints of it at its end; nothing where it has no half-cycle."""
    halves = found["half_cycles"]
    if not halves:
        return []
    first, active = halves[0], found["activation"][0]
    duration = first["t_end_cc"] - first["t_start"]
    seen = {n for n, observed in zip(particles.names, particles.observed, strict=True) if observed}
    told = [entry for entry in active if entry["particle"] in seen] or active
    order = "  ".join(
        f"{entry['particle']} {(entry['time'] - first['t_start']) / duration:.3f}"
        for entry in told[:SAID]
    )
    more = f"  and {len(told) - SAID} more" if len(told) > SAID else ""
    lines = [f"  activation in the first {first['kind']}  {order}{more}"] if told else []
    indices = [half["asynchrony"] for half in halves]
    told_as = ["-" if np.isnan(index) else f"{index:.4f}" for index in indices]
    each = "  ".join(f"{half['kind']} {x}" for half, x in zip(halves, told_as, strict=True))
    lines.append(f"  asynchrony  {each}")
    losses = found["capacity_loss"]
    if losses:
        percent = [round(100.0 * x, 2) + 0.0 for x in losses]  # not -0.00
        said = "  ".join(f"cycle {k} {x:.2f} %" for k, x in enumerate(percent, start=1))
        lines.append(f"  capacity loss  {said}")
    return lines


SAID = 8
"""Particles that fit into a line."""
