"""Error bars from a second run with larger cells and looser tolerances.

An error of order p in the cell size falls by r^p between the runs, r = 1.5, so their difference is
at least (r^p - 1) times the error of the finer one: 1.25 times it for p = 2, more for the orders
that P2 elements reach. The difference itself is taken as the bar: nothing is extrapolated.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.log import logger
from nmcsim.mesh.ranks import on_one_rank
from nmcsim.output import held
from nmcsim.results import Result, write_json
from nmcsim.run import simulate

__all__ = ["add_error_bars", "compared"]

COARSER, LOOSER = 1.5, 5.0
FOLDER = "coarser"

LARGEST = (
    "voltage", "theta_min", "theta_max", "com_distance", "unreacted_share", "soc_variance",
    "c_l_min", "c_l_max",
)  # fmt: skip
"""Columns of the history of which the largest difference at the times of the maps is taken."""

NUMBERED = {"asynchrony": "asynchrony of half-cycle", "capacity_loss": "capacity loss of cycle"}
"""Lists of the summary of an electrode, of which each number has a bar."""


def add_error_bars(result: Result, case: Any, comm: Any, mesh_cache: Path | None = None) -> Result:
    """Run ``case`` again more coarsely, and write the differences into the result's summary.

    Collective on ``comm``; the second run lies in the result's folder ``coarser``.

    Returns
    -------
    Result
        Loaded again, with ``summary["error_bars"]``.
    """
    if "error_bars" in result.summary:
        return result
    if comm.rank == 0:
        logger.info("  once more, with cells %g times as large, for error bars", COARSER)
    times = [f"{t!r} s" for t in result.frame_times.tolist() if t > 0.0]
    again = case.coarser(COARSER, LOOSER).replace("output.times", times)

    def job() -> None:
        path = result.directory / "summary.json"
        content = json.loads(path.read_text())
        write_json(path, content | {"error_bars": compared(result, coarser)})

    with held(result.directory, comm):
        folder = result.directory / FOLDER
        coarser = simulate(again, folder, comm, resume=True, mesh_cache=mesh_cache)
        on_one_rank(comm, job)
    return Result.load(result.directory)


def compared(fine: Result, coarse: Result) -> dict[str, dict[str, Any]]:
    """Each headline observable with its value and the difference between two runs.

    Returns
    -------
    dict of name -> {value, error, unit, description}
        Lengths of the steps that no clock ended; of an electrode the asynchrony of each half-cycle
        and the loss of each cycle; then, of each column of the history, the value at the last map
        and the largest difference at all maps. What one run lacks is left out.
    """
    bars: dict[str, dict[str, Any]] = {}
    for k, (a, b) in enumerate(zip(fine.steps, coarse.steps, strict=False), start=1):
        if a["ended_by"] == "time":
            continue
        bars[f"t_end_{k}"] = {
            "value": a["t_end"] - a["t_start"],
            "error": abs(a["t_end"] - a["t_start"] - b["t_end"] + b["t_start"]),
            "unit": "s",
            "description": f"length of step {k}, {a['sentence']}",
        }
    for name, about in NUMBERED.items():
        pairs = zip(fine.summary.get(name, ()), coarse.summary.get(name, ()), strict=False)
        for k, (x, y) in enumerate(pairs, start=1):
            if x is not None and y is not None:
                bars[f"{name}_{k}"] = {
                    "value": x, "error": abs(x - y), "unit": "1", "description": f"{about} {k}",
                }  # fmt: skip
    rows = _common_rows(fine, coarse)
    for name in LARGEST:
        if name not in fine.history or name not in coarse.history:
            continue
        series = fine.history[name]
        x, y = series.values[rows[0]], coarse.history[name].values[rows[1]]
        there = np.isfinite(x) & np.isfinite(y)
        if not there.any():
            continue
        bars[name] = {
            "value": float(x[there][-1]),
            "error": float(np.abs(x - y)[there].max()),
            "unit": series.unit,
            "description": series.description,
        }
    return bars


def _common_rows(a: Result, b: Result) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both histories at the times at which both kept a map, in the same protocol step.

    Near the end of a step one run may have gone on to the next: what differs there is the time of
    the event, which has a bar of its own.
    """
    found: list[tuple[int, int]] = []
    for t in a.frame_times[a.frame_times > 0.0]:
        i, j = (int(np.argmin(np.abs(r["time"].values - t))) for r in (a, b))
        near = all(np.isclose(r["time"].values[k], t, rtol=1e-9) for r, k in ((a, i), (b, j)))
        if near and a["step"].values[i] == b["step"].values[j]:
            found.append((i, j))
    rows = np.array(found, dtype=int).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]
