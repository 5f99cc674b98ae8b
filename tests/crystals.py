"""Cases of single crystals for tests: the shipped aged crystal, changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.case import load

AGED = Path(__file__).parents[1] / "cases" / "crystal_aged_1C.toml"
RADIUS = 1.25e-6  # m

SMALL = """
title = "Small crystal"
model = "single_crystal"
[geometry]
shape = "disk"
diameter = "2.5 um"
height = "1.0 um"
cell_size = "0.4 um"
surface_cell_size = "0.2 um"
patch_end_cell_size = "0.1 um"
[material]
name = "nmc88"
[physics]
surface = "flux"
temperature = "295.15 K"
[physics.rock_salt]
coverage = 0.5
[protocol]
capacity = "200 mAh/g"
initial = 0.9
steps = ["Charge at 1C until 4.1 V"]
[numerics]
rtol = 1e-4
steps_per_phase = 20
[output]
frames = 5
"""
"""A case file of a crystal that runs in tenths of a second."""

CONSTANT = ('material.U = "4.4 - 0.8*theta [V]"', 'material.D_chem = "5e-16 m2/s"')
"""Laws that make the equations linear."""


def crystal(*overrides: str) -> Any:
    """``cases/crystal_aged_1C.toml`` with ``key = value`` overrides."""
    return load(AGED, [line.replace(" = ", "=", 1) for line in overrides])


def sized(micrometres: float) -> tuple[str, ...]:
    """Overrides for cells of one size at the surface and inside, half of it at patch ends."""
    return (
        f'geometry.cell_size = "{micrometres} um"',
        f'geometry.surface_cell_size = "{micrometres} um"',
        f'geometry.patch_end_cell_size = "{micrometres / 2} um"',
    )


def observed(case: Any, x: np.ndarray, y: np.ndarray, times: Sequence[float]) -> Any:
    """The case with theta followed at points [m], and rows at times [s].

    Points on the rim are drawn in by 2e-5 of the radius, since they must lie inside the particle.
    """
    r = np.hypot(x, y).ravel()
    factor = np.where(r > RADIUS * (1.0 - 2e-5), RADIUS * (1.0 - 2e-5) / np.maximum(r, 1e-30), 1.0)
    at = np.column_stack((x.ravel(), y.ravel())) * factor[:, None] * 1e6
    z = ["0.3 um"] if case.geometry.dimension == 3 else []
    points = {f"p{i}": [f"{a!r} um", f"{b!r} um", *z] for i, (a, b) in enumerate(at.tolist())}
    case = case.replace("output.points", points)
    return case.replace("output.times", [f"{float(t)!r} s" for t in times if t > 0.0])


def row_at(time: np.ndarray, t: float) -> int | None:
    """The row of the history at the asked time [s]; None if the run ended before it."""
    i = int(np.argmin(np.abs(time - t)))
    return i if abs(time[i] - t) < 1e-6 else None


def modelled(case: Any) -> Any:
    """The model of a case on one rank."""
    from nmcsim.mesh import build
    from nmcsim.models import MODELS
    from nmcsim.runtime import MPI

    return MODELS[case.model](case, build(case.geometry, case.patches, MPI.COMM_SELF))


def first_state(model: Any, theta: float = 0.95) -> np.ndarray:
    """A uniform state."""
    state = model.problem.state()
    state[model.problem.slice(model.field)] = theta
    return state
