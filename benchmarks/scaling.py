"""Cost against unknowns: CPU time of a step, its fitted exponent, and which linear solver pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.common import Row
from benchmarks.worker import stepping

DISKS = ("0.1 um", "0.048 um", "0.0243 um", "0.0124 um")  # about 2.5k, 10k, 40k, 150k unknowns
CYLINDERS = (("0.1 um", 4), ("0.06 um", 4), ("0.0375 um", 6))  # about 20k, 60k, 200k
DIRECT_IN_3D = 2  # of the cylinders: the largest takes minutes
SECONDS = {"disk": 200.0, "cylinder": 20.0}  # of the charge at 1C, after its start
DRIFT = 1e-9


def rows() -> list[Row]:
    """The table's part on cost; about four minutes."""
    found = []
    for solver in ("direct", "iterative"):
        runs = [_disk(size, solver) for size in DISKS]
        found += _rows(f"2D, {solver}, one rank", runs)
    for solver in ("direct", "iterative"):
        sizes = CYLINDERS[:DIRECT_IN_3D] if solver == "direct" else CYLINDERS
        runs = [_cylinder(size, layers, solver) for size, layers in sizes]
        found += _rows(f"3D cylinder, {solver}, two ranks", runs)
    return found


def _disk(size: str, solver: str) -> dict[str, Any]:
    overrides = [f'geometry.cell_size="{size}"', f'numerics.linear_solver="{solver}"']
    return stepping(overrides, SECONDS["disk"])


def _cylinder(size: str, layers: int, solver: str) -> dict[str, Any]:
    overrides = [
        'geometry.shape="cylinder"',
        f'geometry.cell_size="{size}"',
        f"geometry.layers={layers}",
        f'numerics.linear_solver="{solver}"',
    ]
    return stepping(overrides, SECONDS["cylinder"], ranks=2)


def _rows(name: str, runs: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Time of a step at each size, the exponent, and the largest drift.

    The exponent is fitted to CPU time, which other programs on the machine disturb less.
    """
    sizes = np.array([run["unknowns"] for run in runs], dtype=float)
    per_step = np.array([max(run["cpu"]) / run["steps"] for run in runs])
    exponent = float(np.polyfit(np.log(sizes), np.log(per_step), 1)[0])
    found = [
        Row(
            f"{name}, {run['unknowns']} unknowns, a step",
            1e3 * seconds,
            "ms",
            note=f"CPU; {run['steps']} steps, {run['wall']:.2f} s wall; "
            f"peak {max(run['peak_megabytes']):.0f} MB a rank",
        )
        for run, seconds in zip(runs, per_step, strict=True)
    ]
    found.append(Row(f"{name}, exponent", exponent))
    drift = max(run["drift"] for run in runs)
    found.append(Row(f"{name}, lithium drift", drift, "", DRIFT, True))
    return found
