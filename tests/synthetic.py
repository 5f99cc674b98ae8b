"""A plausible result without a solver: the half-blocked disk in its pseudo-steady state, written
by the real writers.

With D constant, radius 1, mean outward flux 1 and the arc |phi| > pi/2 blocked, what remains after
the start-up is

    theta = mean(t) + A(t) (w(r, phi) - <w>),   <w> = -1/4
    w = -r^2 / 2 - sum_n b_n r^n cos(n phi) / n
    b_n = (4 / pi) (-1)^k / n,   n = 2 k + 1     the cosine coefficients of sign(cos phi)

so that the maps have the right look: the lithium lags on the blocked side (left), with a kink at
the patch ends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from nmcsim.results import (
    Points,
    SurfaceTheta,
    ThetaMap,
    final_observables,
    series,
    write_history,
    write_json,
    write_steps,
    write_summary,
)

RADIUS = 1.25e-6  # m
ONE_C = 7.2e5  # A s/kg, 200 mAh/g
THETA_0 = 0.95
SWING = 0.70  # theta extracted in one hour at 1C
CASE = """\
title = "{title}"
model = "single_crystal"

[geometry]
shape = "disk"
diameter = "2.5 um"
height = "1.0 um"

[physics.rock_salt]
coverage = {coverage}
flux_ratio = 0.0
arrangement = "arc"

[protocol]
capacity = "200 mAh/g"
initial = 0.95
steps = [{steps}]
"""


def mesh(rings: int = 26) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Nodes (n, 2) [m], triangles (m, 3) and boundary edges (b, 2) of a disk of concentric
    rings.
    """
    polar = [(0.0, 0.0)]
    for ring in range(1, rings + 1):
        count = 8 * ((6 * ring + 7) // 8)
        polar += [(ring / rings, 2 * np.pi * i / count) for i in range(count)]
    r, phi = np.array(polar).T
    nodes = RADIUS * np.column_stack([r * np.cos(phi), r * np.sin(phi)])
    outer = np.flatnonzero(r > 1 - 1e-9)
    edges = np.column_stack([outer, np.roll(outer, -1)])
    return nodes, Delaunay(nodes).simplices.astype(np.int64), edges


def shape_of_lag(
    r: NDArray[np.float64], phi: NDArray[np.float64], blocked: bool
) -> NDArray[np.float64]:
    """w - <w> of the module docstring; without the series for a fresh crystal."""
    w = -0.5 * r**2 + 0.25
    if blocked:
        for k in range(60):
            n = 2 * k + 1
            w -= (4 / np.pi) * (-1) ** k / n**2 * r**n * np.cos(n * phi)
    return w


def program(rate: float, cycle: bool) -> tuple[list[dict[str, Any]], NDArray[Any], NDArray[Any]]:
    """The steps, and time and current (in C) of the rows."""
    end = 0.88 * 3600 / rate
    steps = [("Charge at {r} until 4.3 V", "charge", "voltage", 0.0, end, rate)]
    if cycle:
        steps += [
            ("Rest for 10 minutes", "rest", "time", end, end + 600, 0.0),
            (
                "Discharge at {r} until 3.0 V",
                "discharge",
                "voltage",
                end + 600,
                2 * end + 600,
                -rate,
            ),
        ]
    name = f"{rate:g}C" if rate >= 1 else f"C/{1 / rate:g}"
    records, times, currents = [], [], []
    for sentence, kind, ended_by, start, stop, current in steps:
        reason = "V = 4.3 V" if kind == "charge" else f"{ended_by} reached"
        records.append(
            {
                "sentence": sentence.format(r=name),
                "kind": kind,
                "ended_by": ended_by,
                "t_start": start,
                "t_end": stop,
                "reason": reason,
            }
        )
        share = np.linspace(0, 1, 121) ** 1.5
        times.append(start + (stop - start) * share)
        currents.append(np.full(share.size, current))
    return records, np.concatenate(times), np.concatenate(currents)


def synthetic_result(
    directory: Path,
    *,
    rate: float = 1.0,
    blocked: bool = True,
    cycle: bool = False,
    frames: int = 61,
    error_bars: bool = False,
    title: str | None = None,
) -> Path:
    """Write a result directory and return it.

    Parameters
    ----------
    directory : Path
        Made here.
    rate : float
        C-rate of the charge.
    blocked : bool
        Half of the perimeter under rock salt, or none.
    cycle : bool
        Charge, rest and discharge instead of the charge alone.
    frames : int
        Of the map and the surface.
    error_bars : bool
        Whether the summary has some.
    title : str, optional
    """
    directory.mkdir(parents=True)
    title = title or f"Synthetic {'aged' if blocked else 'fresh'} crystal, {rate:g}C"
    steps, t, current = program(rate, cycle)
    soc = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(t) * (current[1:] + current[:-1]) / 3600)])
    mean = THETA_0 - SWING * soc
    sign = np.sign(current)
    lag = 0.11 * rate * (1 - np.exp(-t / 300.0)) * sign * np.exp(-((mean - 0.9) ** 2))

    nodes, triangles, edges = mesh()
    r, phi = np.hypot(*nodes.T) / RADIUS, np.arctan2(nodes[:, 1], nodes[:, 0])
    w = shape_of_lag(r, phi, blocked)
    weight = np.bincount(triangles.ravel(), minlength=len(nodes)).astype(float)
    angle = np.linspace(-np.pi, np.pi, 181)
    w_surface = shape_of_lag(np.ones_like(angle), angle, blocked)
    middle = nodes[edges].mean(axis=1)
    frame_time = np.linspace(t[0], t[-1], frames)
    frame_mean, frame_lag = np.interp(frame_time, t, mean), np.interp(frame_time, t, lag)

    theta = np.clip(mean[:, None] + lag[:, None] * w, 0.01, 0.99)
    unreacted = weight * (0.5 * (THETA_0 - theta) < 0.05)
    with np.errstate(invalid="ignore"):
        centre = unreacted @ nodes / unreacted.sum(axis=1, keepdims=True)
    columns = {
        "time": t,
        "step": np.searchsorted([s["t_end"] for s in steps], t) + 1.0,
        "voltage": 3.62
        + 0.75 * (1 - mean) ** 1.3
        - 0.04 * np.exp(-30 * soc)
        + 0.03 * np.sign(current),
        "current": current * 1.9e-12,
        "charge": soc * 6.8e-9,
        "capacity": soc * ONE_C,
        "soc": soc,
        "theta_mean": mean,
        "theta_min": theta.min(axis=1),
        "theta_max": theta.max(axis=1),
        "com_distance": np.hypot(*centre.T),
        "unreacted_share": unreacted.sum(axis=1) / weight.sum(),
        "flux_max": 2.1e-5 * np.abs(current) * (2 if blocked else 1),
        "dt": np.gradient(t),
        "order": np.full(t.size, 3.0),
        "lithium_drift": 3e-14 * np.sqrt(np.arange(t.size)),
    }
    history = series(columns)
    write_history(
        directory,
        history,
        surface=SurfaceTheta(
            angle=angle,
            position=RADIUS * (angle + np.pi),
            rock_salt=blocked & (np.abs(angle) >= np.pi / 2 - 1e-9),
            time=frame_time,
            theta=np.clip(frame_mean[:, None] + frame_lag[:, None] * w_surface, 0.01, 0.99),
        ),
        theta_map=ThetaMap(
            nodes=nodes,
            triangles=triangles,
            boundary=edges,
            rock_salt=blocked & (middle[:, 0] < 0),
            time=frame_time,
            theta=np.clip(frame_mean[:, None] + frame_lag[:, None] * w, 0.01, 0.99).astype(
                np.float32
            ),
        ),
        points=Points(("centre", "bare"), theta[:, [0, int(np.argmax(nodes[:, 0]))]]),
    )
    sentences = ", ".join(f'"{step["sentence"]}"' for step in steps)
    text = CASE.format(title=title, coverage=0.5 if blocked else 0.0, steps=sentences)
    (directory / "case.toml").write_text(text, encoding="utf-8")
    write_steps(directory, steps)
    write_summary(
        directory,
        status="finished",
        steps=steps,
        balance={"lithium": 3.3e-13},
        counts={
            "steps": 131,
            "rejected": 9,
            "residuals": 420,
            "jacobians": 12,
            "factorisations": 88,
        },
        timing={
            "mesh": 0.21,
            "jit": 0.02,
            "assembly": 0.11,
            "factorisation": 0.35,
            "solve": 0.28,
            "output": 0.19,
            "total": 1.31,
        },
        observables=final_observables(history),
        rock_salt={"asked": 0.5 * blocked, "meshed": 0.5 * blocked},
        **({"error_bars": ERROR_BARS} if error_bars else {}),
    )
    write_json(directory / "provenance.json", PROVENANCE)
    return directory


ERROR_BARS: dict[str, Any] = {
    "voltage": {"value": 4.2, "error": 1.2e-4, "unit": "V", "description": "voltage at the end"},
    "com_distance": {
        "value": 3.1e-7,
        "error": 2.4e-9,
        "unit": "m",
        "description": "largest centre-of-mass distance",
    },
}
PROVENANCE: dict[str, Any] = {
    "nmcsim": "0.1.0",
    "case_hash": "5f1c0a<script>alert(1)</script>",
    "created": "2026-11-21T12:00:00Z",
    "ranks": 1,
    "versions": {"dolfinx": "0.11.0", "petsc": "3.25.5", "numpy": "2.5.5", "h5py": "3.16.0"},
}
