"""The electrode's cost against unknowns, and two ranks against one.

The first minutes of the paper's first charge, in which the lower row and the first obstructed
particle switch on: fronts pass through the mesh all the time. Steps become more where nodes do, so
the exponent is given for a step and for the whole stretch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.common import Row
from benchmarks.worker import stepping

CASE = "cases/electrode_paper.toml"
SCALES = (1.0, 0.35, 0.24, 0.165)  # of the cells: about 10k, 50k, 100k and 200k unknowns
RANKS = 0.35  # where two ranks are put beside one
SECONDS = 600.0
EXPONENT = 1.4


def rows() -> list[Row]:
    """The table's part on the electrode's scaling; about six minutes."""
    runs = [_run(scale) for scale in SCALES]
    sizes = np.log([run["unknowns"] for run in runs])
    found = [
        Row(
            f"electrode, {run['unknowns']} unknowns, a step",
            1e3 * max(run["cpu"]) / run["steps"],
            "ms",
            note=f"CPU; {run['steps']} steps, {run['wall']:.1f} s wall, "
            f"peak {max(run['peak_megabytes']):.0f} MB; {_split(run)}",
        )
        for run in runs
    ]
    whole = np.log([max(run["cpu"]) for run in runs])
    step = np.log([max(run["cpu"]) / run["steps"] for run in runs])
    found += [
        Row("electrode, exponent of a step", _slope(sizes, step), "", EXPONENT, True),
        Row("electrode, exponent of the whole stretch", _slope(sizes, whole), "", EXPONENT, True),
    ]
    one = runs[SCALES.index(RANKS)]
    two = _run(RANKS, ranks=2)
    ratio = one["wall"] / two["wall"]
    found.append(
        Row(
            f"electrode, {one['unknowns']} unknowns, one rank / two ranks",
            ratio,
            "",
            1.0,
            note=f"wall {one['wall']:.1f} s and {two['wall']:.1f} s; both cores are needed",
        )
    )
    return found


def _run(scale: float, ranks: int = 1) -> dict[str, Any]:
    return stepping((), SECONDS, ranks, timeout=1200.0, path=CASE, scale=scale, rate=0.05)


def _slope(x: Any, y: Any) -> float:
    return float(np.polyfit(x, y, 1)[0])


def _split(run: Mapping[str, Any]) -> str:
    """Shares of the stepping."""
    timing, wall = run["timing"], run["wall"]
    shares = {name: timing[name] / wall for name in ("assembly", "factorisation", "solve")}
    shares["rest"] = 1.0 - sum(shares.values())
    return ", ".join(f"{name} {100.0 * share:.0f} %" for name, share in shares.items())
