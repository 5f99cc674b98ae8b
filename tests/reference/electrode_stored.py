"""Stored references of the electrode: what they are, and how they are read.

``electrode_generate`` writes ``data/electrode_<case>.json`` with PyBaMM (the `bench` extra);
reading needs numpy alone. Each file holds

    case         current [A/m2], cut-off [V], sizes [m], kinetics and laws: all that defines it
    provenance   versions, cells, tolerance
    error        largest difference of each series from half the cells: three times the estimated
                 error of a second-order method; `time` is that of t_end from a tolerance of 1e-10
    values       series at `t` [s] before the cut-off, which is reached at `t_end` [s]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .electrode_laws import SKEWED, SYMMETRIC

Array = NDArray[np.float64]

DATA = Path(__file__).parent / "data"
CELLS, RTOL = 800, 1e-8


@dataclass(frozen=True)
class Kinetics:
    """Transfer coefficients, and the lithium electrode: its exchange current, or None if ideal.

    The power of c/c_ref is the anodic coefficient of the surface that it belongs to.
    """

    alpha_a: float = 0.5
    alpha_c: float = 0.5
    i0_lithium: float | None = 20.0  # A/m2
    beta_a: float = 0.5
    beta_c: float = 0.5


@dataclass(frozen=True)
class Slab:
    """A planar half-cell; `current` in A/m2, charging positive; lengths in m."""

    current: float
    cutoff: float
    theta_start: float
    laws: Mapping[str, str]
    kinetics: Kinetics
    solid: float = 5e-6
    liquid: float = 1e-3


@dataclass(frozen=True)
class Particle:
    """A particle in an equipotential liquid; `current` in A/m2 of its surface; lithium is ideal."""

    shape: str  # "cylinder" | "sphere"
    current: float
    cutoff: float
    theta_start: float
    laws: Mapping[str, str]
    kinetics: Kinetics
    radius: float = 5e-6


IDEAL = Kinetics(i0_lithium=None)
CASES: Mapping[str, tuple[Slab | Particle, float, int]] = {
    # case, and its times: so many steps of so many seconds
    "slab_slow": (Slab(2.0, 4.3, 0.95, SYMMETRIC, Kinetics()), 400.0, 20),
    "slab_fast": (Slab(8.0, 4.3, 0.95, SYMMETRIC, Kinetics()), 80.0, 21),
    "slab_discharge": (Slab(-4.0, 3.5, 0.35, SKEWED, Kinetics(0.4, 0.6, None)), 130.0, 20),
    "cylinder_slow": (Particle("cylinder", 0.5, 4.3, 0.95, SYMMETRIC, IDEAL), 900.0, 20),
    "cylinder_fast": (Particle("cylinder", 2.0, 4.3, 0.95, SYMMETRIC, IDEAL), 200.0, 21),
    "sphere_slow": (Particle("sphere", 0.5, 4.3, 0.95, SYMMETRIC, IDEAL), 600.0, 20),
    "sphere_fast": (Particle("sphere", 2.0, 4.3, 0.95, SYMMETRIC, IDEAL), 130.0, 21),
}


@dataclass(frozen=True)
class Reference:
    """One stored case.

    `values` maps names to arrays of shape (times,), or (times, positions) for `theta` of a particle
    at r/R = `rho`; `error` has the same names, and `time` [s].
    """

    case: Mapping[str, Any]
    t_end: float
    values: Mapping[str, Array]
    error: Mapping[str, float]
    provenance: Mapping[str, Any]


def compute(name: str, cells: int = CELLS, rtol: float = RTOL) -> dict[str, Array]:
    """Values of one case by PyBaMM, `t` and `t_end` among them."""
    from . import pybamm_electrode  # needs PyBaMM, which readers do not

    case, step, count = CASES[name]
    times = step * np.arange(count + 10)  # the cut-off lies between count - 1 and count + 9 steps
    found: dict[str, Array] = pybamm_electrode.solve(case, times, cells=cells, rtol=rtol)
    return found


def load(name: str) -> Reference:
    """Read one stored case."""
    content = json.loads((DATA / f"electrode_{name}.json").read_text())
    values = {key: np.array(value, dtype=float) for key, value in content["values"].items()}
    t_end = float(values.pop("t_end"))
    return Reference(content["case"], t_end, values, content["error"], content["provenance"])
