"""The stored reference cases: what they are, how they are computed, how they are read.

Values in ``data/<name>.npz`` come from ``polar_fv`` at two levels, extrapolated (generate.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import laws, polar_fv
from .com_distance import unreacted

Array = NDArray[np.float64]

DATA = Path(__file__).parent / "data"
RIM = [0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 1.0]
RHO = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, *RIM])
PHI = 2.0 * np.pi * np.arange(32) / 32  # holds the patch ends, pi/2 and 3 pi/2
CUTOFF = 4.3
ARC = ((-0.5 * np.pi, 0.5 * np.pi),)  # half the rim, about phi = 0
LATE = [900.0, 1200.0, 1500.0, 1800.0, 2100.0, 2400.0, 2700.0, 2900.0]


@dataclass(frozen=True)
class Case:
    """One reference case: a disk of 2.5 um, nmc88 laws, charge at `rate` C to 4.3 V."""

    rate: float
    blocked: tuple[tuple[float, float], ...]
    kinetic: bool
    times: tuple[float, ...]
    last: float  # the voltage curve is stored up to here [s]; beyond every end of the run
    radius: float = 1.25e-6

    def problem(self) -> polar_fv.Problem:
        """The problem for ``polar_fv.solve``."""
        return polar_fv.Problem(
            self.radius,
            laws.mean_flux(self.rate, self.radius),
            self.blocked,
            exchange_current=laws.exchange_current if self.kinetic else None,
        )


CASES = {
    "fresh_1C": Case(1, (), False, (60.0, 150.0, 300.0, 600.0, *LATE, 3200.0, 3350.0), 3600.0),
    "half_1C": Case(1, ARC, False, (60.0, 150.0, 300.0, 600.0, *LATE, 3000.0, 3040.0), 3600.0),
    "half_5C": Case(
        5, ARC, False, (10.0, 30.0, 60.0, 100.0, 150.0, 200.0, 250.0, 300.0, 330.0), 720.0
    ),
    "half_1C_kinetic": Case(1, ARC, True, (60.0, 150.0, 300.0, 600.0, *LATE), 3600.0),
}


@dataclass(frozen=True)
class Values:
    """Reference values of one case.

    `theta` has shape (times, 20, 32) at r/R = `rho` and angle `phi` [rad]; the rock salt is centred
    on phi = 0. `distance` [m] and `share` are the unreacted region's at `times` (s = 0.5, 0.05).
    `voltage`, `rim_min` and `rim_max` belong to `voltage_times` [s].
    """

    rho: Array
    phi: Array
    times: Array
    theta: Array
    theta_mean: Array
    distance: Array
    share: Array
    voltage_times: Array
    voltage: Array
    rim_min: Array
    rim_max: Array
    t_end: float
    ended_by: str


def compute(name: str, level: float, rtol: float = 1e-7) -> Values:
    """Values of one case at one level of refinement, not extrapolated."""
    case = CASES[name]
    curve = np.linspace(0.0, case.last, 61)
    both = np.union1d(curve, case.times)
    run = polar_fv.solve(case.problem(), both, level=level, rtol=rtol, cutoff=CUTOFF)
    keep = np.isin(run.times, case.times)
    fields = [run.at(frame) for frame in run.frames[keep]]
    rr, pp = np.meshgrid(RHO, PHI, indexing="ij")
    regions = [unreacted(laws.THETA_START, f, rays=512, points=401) for f in fields]
    on_curve = np.isin(run.times, curve)
    rim = np.array([run.grid.rim(frame) for frame in run.frames[on_curve]])
    return Values(
        RHO,
        PHI,
        run.times[keep],
        np.array([f(rr, pp) for f in fields]),
        np.array([run.mean(frame) for frame in run.frames[keep]]),
        np.array([u.distance for u in regions]) * case.radius,
        np.array([u.share for u in regions]),
        run.times[on_curve],
        run.voltage[on_curve],
        rim.min(axis=1),
        rim.max(axis=1),
        run.t_end,
        run.ended_by,
    )


EXTRAPOLATED = ("theta", "distance", "share", "voltage", "rim_min", "rim_max", "t_end")


def _pair(a: Values, b: Values, key: str) -> tuple[Array, Array]:
    """One value of both; the voltage curves cut to the run that ends first."""
    x, y = np.asarray(getattr(a, key)), np.asarray(getattr(b, key))
    if key in ("voltage", "rim_min", "rim_max"):
        rows = min(x.size, y.size)
        return x[:rows], y[:rows]
    return x, y


def extrapolate(coarse: Values, fine: Values) -> Values:
    """Richardson's value for order 2 from two levels of ratio 2."""
    values = dict(vars(fine))
    for key in EXTRAPOLATED:
        a, b = _pair(coarse, fine, key)
        extrapolated = b + (b - a) / 3.0
        values[key] = extrapolated if extrapolated.ndim else float(extrapolated)
    values["voltage_times"] = fine.voltage_times[: values["voltage"].size]
    return Values(**values)


def largest_difference(a: Values, b: Values) -> dict[str, float]:
    """Largest |a - b| of each extrapolated value; t_end relative; NaN against NaN is equal."""
    result = {}
    for key in EXTRAPOLATED:
        x, y = _pair(a, b, key)
        gap = np.where(np.isnan(x) & np.isnan(y), 0.0, np.abs(x - y))
        result[key] = float(gap.max() / (y if key == "t_end" else 1.0))
    return result


def save(name: str, values: Values) -> None:
    """Write ``data/<name>.npz``."""
    DATA.mkdir(exist_ok=True)
    np.savez_compressed(DATA / f"{name}.npz", **vars(values))


def load(name: str) -> Values:
    """Read ``data/<name>.npz``."""
    with np.load(DATA / f"{name}.npz") as data:
        values = {key: data[key] for key in data.files}
    values["t_end"] = float(values["t_end"])
    values["ended_by"] = str(values["ended_by"])
    return Values(**values)
