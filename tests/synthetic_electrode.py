"""A plausible electrode without a solver: five columns of particles whose contents are closed
formulas of time, so that tests can derive every number that a figure shows.

A half-cycle lasts `CC` at constant current, in which 95 % of each particle's own change happens,
and `HOLD` at constant voltage, in which the rest does, evenly. With s the share of `CC` that has
passed, the change of a particle during `CC` is 0.95 ramp(s),

    ramp = clip((s - onset) / width, 0, 1)
    first charge       onset = 0.05 + 0.08 o, width = 0.50     o: the particle's obstruction
    later half-cycles  onset = 0, width = 1

so that a quarter of the change has happened at s = onset + width / 3.8 (0.25 / 0.95 = 1 / 3.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from nmcsim.results import (
    FieldMap,
    ParticleSeries,
    Quantity,
    final_observables,
    headline,
    series,
    write_history,
    write_json,
    write_steps,
    write_summary,
)
from tests.synthetic import PROVENANCE

Array = NDArray[np.float64]

CC, HOLD = 20 * 3600.0, 3600.0  # s
RADIUS, PITCH = 5.0, 11.0  # um
COLUMNS = 5
BOX = (COLUMNS * PITCH + 3.0, 30.0)  # um
FULL, EMPTY, BACK = 0.99, 0.34, 0.92  # theta before, after a charge, after a discharge
IN_CC = 0.95
ONE_C = 1e-9  # A that the whole electrode takes in a half-cycle at constant current
CAPACITY = 5.5e5  # A s/kg between `FULL` and `EMPTY`
LAG = 0.02
"""Theta of the surface before the mean's, per unit of the ramp's slope."""
KINDS = ("charge", "discharge", "charge", "discharge")
CASE = """\
title = "{title}"
model = "electrode"

[geometry]
shape = "five_columns"

[protocol]
initial = 0.99
steps = [{steps}]
"""


def centres() -> Array:
    """Lower row, then upper row, from left to right; (10, 2) um."""
    x = 8.5 + PITCH * np.arange(COLUMNS)
    return np.array([(a, b) for b in (8.5, 19.5) for a in x])


OBSTRUCTION = np.array([0] * COLUMNS + list(range(COLUMNS)))
PARTICLES = tuple(f"particle[{i}]" for i in range(2 * COLUMNS))
OBSERVED = np.arange(2 * COLUMNS) >= COLUMNS


def t25(obstruction: Any, first: bool) -> Any:
    """Share of `CC` at which a quarter of a particle's change has happened."""
    return 0.05 + 0.08 * obstruction + 0.5 / 3.8 if first else 1.0 / 3.8


@dataclass(frozen=True)
class Drawing:
    """The cross-section in triangles; ``region`` names each of them."""

    nodes: Array
    triangles: NDArray[np.int64]
    region: NDArray[np.str_]

    def part(self, *regions: str) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
        """Nodes [m] and triangles of some regions on their own, and which triangles they are."""
        kept = np.flatnonzero([name.startswith(regions) for name in self.region])
        used, own = np.unique(self.triangles[kept], return_inverse=True)
        return 1e-6 * self.nodes[used], own.reshape(-1, 3), kept


def drawing(cell: float) -> Drawing:
    """Disks of concentric rings in a lattice, with cells of about ``cell`` [um]."""
    points = []
    for centre in centres():
        points.append(centre[None])
        rings = max(2, round(RADIUS / cell))
        for ring in range(1, rings + 1):
            angle = np.arange(6 * ring) * 2 * np.pi / (6 * ring)
            points.append(
                centre + RADIUS * ring / rings * np.column_stack([np.cos(angle), np.sin(angle)])
            )
    x, y = (np.linspace(0, size, round(size / cell) + 1) for size in BOX)
    lattice = np.array([(a, b) for a in x for b in y])
    # a little off the lattice inside the box: four corners on one circle have no one diagonal
    inner = (lattice > 0).all(axis=1) & (lattice < np.array(BOX)).all(axis=1)
    lattice[inner] += 0.05 * cell * np.sin(np.arange(inner.sum()))[:, None]
    apart = np.min([np.hypot(*(lattice - c).T) for c in centres()], axis=0) > RADIUS + 0.4 * cell
    nodes = np.vstack([*points, lattice[apart]])
    triangles = Delaunay(nodes).simplices.astype(np.int64)
    corners = nodes[triangles]
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    triangles = triangles[np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) > 1e-6 * cell**2]
    return Drawing(nodes, triangles, _regions(nodes[triangles].mean(axis=1)))


def _regions(at: Array) -> NDArray[np.str_]:
    x, y = at.T
    region = np.full(len(at), "liquid", dtype="U12")
    region[(y < 6.5) | ((x < 4.0) & (y < 24.0))] = "binder"
    for left in range(COLUMNS - 1):
        middle = 8.5 + PITCH * (left + 0.5)
        region[(np.abs(x - middle) < 0.6) & (np.abs(y - 19.5) < 0.9)] = "contact"
    for number, centre in enumerate(centres()):
        region[np.hypot(*(at - centre).T) < RADIUS] = f"particle[{number}]"
    return region


def half_cycle_at(t: Array) -> NDArray[np.int64]:
    """The half-cycle of each time, of two that meet there the later."""
    return np.minimum((t // (CC + HOLD)).astype(np.int64), len(KINDS) - 1)


def contents(t: Array, half: NDArray[np.int64] | None = None) -> tuple[Array, Array]:
    """Mean theta of every particle at ``t``, and its change per share of `CC`; both (rows, 10)."""
    half = half_cycle_at(t) if half is None else half
    s = (t - half * (CC + HOLD)) / CC
    first = (half == 0)[:, None]
    onset = np.where(first, 0.05 + 0.08 * OBSTRUCTION, 0.0)
    width = np.where(first, 0.5, 1.0)
    ramp = (s[:, None] - onset) / width
    share = IN_CC * np.clip(ramp, 0, 1)
    share += (1 - IN_CC) * np.clip((s[:, None] - 1.0) * CC / HOLD, 0, 1)
    start = np.where(half == 0, FULL, np.where(half % 2 == 1, EMPTY, BACK))[:, None]
    end = np.where(half % 2 == 0, EMPTY, BACK)[:, None]
    rate = IN_CC * ((ramp > 0) & (ramp < 1)) / width * (end - start)
    return start + share * (end - start), rate


def electrode_columns(t: Array, step: NDArray[np.int64] | None = None) -> dict[str, Array]:
    """The history over the rows ``t``, of which each belongs to a ``step``, counted from 0."""
    half = half_cycle_at(t) if step is None else step // 2
    theta, _ = contents(t, half)
    sign = np.where(half % 2 == 0, 1.0, -1.0)
    in_cc = (t - half * (CC + HOLD)) / CC
    holding = in_cc > 1.0 if step is None else step % 2 == 1
    mean = theta.mean(axis=1)
    soc = (FULL - mean) / (FULL - EMPTY)
    current = sign * np.where(holding, 0.3, 1.0)
    spread = np.ptp(theta[:, OBSERVED], axis=1)
    parts = {
        "V_U": 3.55 + 0.75 * soc,
        "V_kinetic": 0.012 * current,
        "V_electronic": 0.001 * current + 0.12 * spread,
        "V_contact": 0.0005 * current + 0.02 * spread,
        "V_ionic": 0.004 * current,
        "V_lithium": 0.006 * current,
    }
    others = sum(parts.values())
    voltage = others + 0.02 * current
    voltage = np.where(sign < 0, voltage - 1.0 * np.clip(in_cc - 0.9, 0, 0.1) * 10, voltage)
    voltage = np.where(holding, np.where(sign > 0, 4.3, 2.5), voltage)
    parts["V_diffusion"] = voltage - others
    return {
        "time": t,
        "step": 2.0 * half + holding + 1.0,
        "voltage": voltage,
        "current": ONE_C * current,
        "charge": 20 * 3600 * ONE_C * soc,
        "capacity": CAPACITY * soc,
        "soc": soc,
        "theta_mean": mean,
        "theta_min": theta.min(axis=1),
        "theta_max": theta.max(axis=1),
        "soc_variance": theta.var(axis=1),
        **{name: parts[name] for name in sorted(parts)},
        "dt": np.gradient(t),
        "order": np.full(len(t), 2.0),
        "lithium_drift": 3e-14 * np.sqrt(np.arange(len(t))),
    }


def electrode_steps() -> list[dict[str, Any]]:
    """What was asked: constant current and a hold, for each of `KINDS`."""
    steps = []
    for number, kind in enumerate(KINDS):
        start = number * (CC + HOLD)
        limit = "4.3 V" if kind == "charge" else "2.5 V"
        sentences = (f"{kind.capitalize()} at C/20 until {limit}", f"Hold at {limit} until C/100")
        for sentence, what, begin, length in zip(
            sentences, (kind, "hold"), (start, start + CC), (CC, HOLD), strict=True
        ):
            steps.append(
                {
                    "sentence": sentence,
                    "kind": what,
                    "ended_by": "voltage" if what != "hold" else "current",
                    "t_start": begin,
                    "t_end": begin + length,
                    "reason": f"V = {limit}" if what != "hold" else "I = C/100",
                }
            )
    return steps


def field_maps(cell: float, t: Array) -> dict[str, FieldMap]:
    """The four fields at the times ``t``."""
    whole = drawing(cell)
    theta, rate = contents(t)
    columns = electrode_columns(t)
    current, voltage = columns["current"] / ONE_C, columns["voltage"]
    found = {}

    nodes, triangles, kept = whole.part("particle")
    particle = np.array([int(name[9:-1]) for name in whole.region[kept]])
    of_node = np.zeros(len(nodes), dtype=np.int64)
    of_node[triangles] = particle[:, None]
    r = np.hypot(*(1e6 * nodes - centres()[of_node]).T) / RADIUS
    values = theta[:, of_node] + LAG * rate[:, of_node] * (2 * r**2 - 1.0)
    about = Quantity("1", "theta", "lithium per site")
    found["theta"] = FieldMap(
        nodes, triangles, t, _single(values), about, particle, PARTICLES, "particle"
    )

    nodes, triangles, kept = whole.part("particle", "contact", "binder")
    regions = ("nmc", "contact", "binder")
    kinds = np.array([name.split("[")[0].replace("particle", "nmc") for name in whole.region[kept]])
    x, y = 1e6 * nodes.T
    # falls along each row of obstructed particles and across each particle
    height = np.clip((x - 8.5) / PITCH, 0, None) * (y > 14.0) + 0.1 * np.clip(y - 6.5, 0, None)
    height[triangles[kinds == "binder"]] = 1e-3
    drop = 1e-3 * current + 0.05 * np.ptp(theta[:, OBSERVED], axis=1)
    about = Quantity("V", "phi_s", "potential of the solid")
    number = np.array([regions.index(kind) for kind in kinds])
    values = _single(-drop[:, None] * height)
    found["phi_s"] = FieldMap(nodes, triangles, t, values, about, number, regions)

    nodes, triangles, kept = whole.part("liquid", "binder")
    regions = ("liquid", "binder")
    number = np.array([regions.index(name) for name in whole.region[kept]])
    depth = 1.0 - 1e6 * nodes[:, 1] / BOX[1]
    values = _single(1000.0 + 40.0 * current[:, None] * (depth - 0.5))
    about = Quantity("mol/m3", "c_l", "salt concentration")
    found["c_l"] = FieldMap(nodes, triangles, t, values, about, number, regions)
    values = _single(-voltage[:, None] + 0.004 * current[:, None] * (0.5 + depth))
    about = Quantity("V", "phi_l", "potential of the electrolyte")
    found["phi_l"] = FieldMap(nodes, triangles, t, values, about, number, regions)
    return found


def _single(values: Array) -> NDArray[np.float32]:
    return values.astype(np.float32)


def moments(count: int) -> Array:
    """``count`` times in each step [s], its ends included; where steps meet, a time twice."""
    share = np.linspace(0.0, 1.0, count)
    return np.concatenate(
        [step["t_start"] + (step["t_end"] - step["t_start"]) * share for step in electrode_steps()]
    )


def synthetic_electrode(
    directory: Path, *, cell: float = 1.6, frames: int = 5, rows: int = 41
) -> Path:
    """Write a result directory and return it.

    Parameters
    ----------
    directory : Path
        Made here.
    cell : float
        Size of a triangle [um].
    frames, rows : int
        Per step.
    """
    directory.mkdir(parents=True)
    steps, t = electrode_steps(), moments(rows)
    number = np.repeat(np.arange(len(steps)), rows)
    columns = electrode_columns(t, number)
    history = series(columns)
    theta, rate = contents(t, number // 2)
    count = len(OBSTRUCTION)
    particles = ParticleSeries(
        names=PARTICLES,
        centre=1e-6 * centres(),
        volume=np.full(count, np.pi * (1e-6 * RADIUS) ** 2 * 1e-6),
        obstruction=OBSTRUCTION,
        observed=OBSERVED,
        fragment_of=np.full(count, -1),
        active=np.ones(count, dtype=bool),
        series={
            "theta_mean": theta,
            "theta_surface": theta + LAG * rate,
            "current": -rate * ONE_C / count,
            "phi_s": -0.01 * OBSTRUCTION * np.ones((len(t), 1)),
        },
    )
    write_history(
        directory, history, particles=particles, maps=field_maps(cell, np.unique(moments(frames)))
    )
    sentences = ", ".join(f'"{step["sentence"]}"' for step in steps)
    text = CASE.format(title="Synthetic electrode <5 & 5>", steps=sentences)
    (directory / "case.toml").write_text(text, encoding="utf-8")
    write_steps(directory, steps)
    write_summary(
        directory,
        status="finished",
        steps=steps,
        balance={"lithium": 3.3e-13, "salt": 2e-12, "charge": 4e-11},
        counts={"steps": 570, "rejected": 3, "residuals": 2400, "jacobians": 480},
        timing={"mesh": 0.4, "assembly": 4.1, "factorisation": 3.2, "total": 9.5},
        observables=final_observables(history),
        **headline(history, particles, steps, finished=True),
    )
    write_json(directory / "provenance.json", PROVENANCE)
    return directory
