"""What is kept of a run in its record: a few numbers, and a few curves on a few rows.

Names are stable: they are columns of the table. What is told of a half-cycle ends in its name,
``capacity_charge_1``, and is told of a complete one only: NaN where the run ended within it.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.imaging.activation import HalfCycle, capacity_losses, half_cycles
from nmcsim.results import Result, Series, largest_distance, resolved
from nmcsim.sweeps.record import Curve, Observable

__all__ = ["COUNTS", "CURVES", "ROWS", "curves_of", "observables_of"]

Array = NDArray[np.float64]

CYCLES = 2
"""Charges, and discharges, that are told of: what is first differs from what comes later."""

ROWS = 100
"""Rows of a record's curves at most: 10 kB of a record, and a line of one journal column."""

COUNTS = ("steps", "rejected", "unknowns")
"""Observables that are whole numbers."""

CURVES = (
    "time", "step", "voltage", "current", "capacity", "charge", "soc", "theta_mean", "theta_min",
    "theta_max", "com_distance", "soc_variance", "flux_max",
)  # fmt: skip
"""Columns of the history that a record keeps, where a run has them."""

FLAT = 1e-9
"""Relative range of a column that does not move."""
SHAPES = {"voltage": 1.0, "current": 0.25, "com_distance": 0.25, "soc_variance": 0.25, "soc": 0.25}
"""Whose shape chooses the rows, and how much each counts against the others."""

STRAIGHT = 2e-4
"""A curve within this share of its range of a straight line needs no further rows."""


def observables_of(result: Result) -> dict[str, Observable]:
    """One number each, of any model.

    Parameters
    ----------
    result : Result
        Of any status; a run that failed at its start has no row, and NaN for what rows tell.

    Returns
    -------
    dict of str to Observable
        In an order for readers. Of every run its end, its range and its counts; of a half-cycle
        its capacity and duration; of a crystal the centre-of-mass distance; of an electrode
        asynchrony, t25 and capacity losses.
    """
    found = dict(_whole(result))
    found |= _half_cycles(result)
    found |= _counts(result)
    return found


def _whole(result: Result) -> Iterator[tuple[str, Observable]]:
    """What the whole run and its last row say."""
    history = {name: column.values for name, column in result.history.items()}
    empty = np.empty(0)
    time, soc = history.get("time", empty), history.get("soc", empty)
    passed = "capacity" if _exists(result, "capacity") else "charge"
    unit = result.history[passed].unit if passed in result.history else "A s"
    spread = history.get("theta_max", empty) - history.get("theta_min", empty)

    def last(values: Array) -> float:
        return float(values[-1]) if len(values) else math.nan

    yield "voltage_end", Observable(last(history.get("voltage", empty)), "V", "voltage at the end")
    yield "time_end", Observable(last(time), "s", "time at the end")
    yield (
        f"{passed}_end",
        Observable(last(history.get(passed, empty)), unit, f"{passed} at the end, net"),
    )
    yield "soc_end", Observable(last(soc), "1", "state of charge at the end")
    mean = last(history.get("theta_mean", empty))
    yield "theta_mean_end", Observable(mean, "1", "mean lithium per site at the end")
    largest = _largest(spread)[0]
    yield "theta_spread_max", Observable(largest, "1", "largest difference of lithium per site")
    if "com_distance" in result.history:
        value, where = largest_distance(
            result.history["com_distance"],
            *(result.history.get(n) for n in ("unreacted_share", "soc")),
        )
        yield "com_distance_max", Observable(value, "m", "largest centre-of-mass distance")
        about = "state of charge at the largest centre-of-mass distance"
        yield "soc_at_com_distance_max", Observable(where, "1", about)
    for name, about in (
        ("flux_max", "largest surface flux of lithium"),
        ("soc_variance", "largest variance of the state of charge over the electrode"),
        ("V_electronic", "largest voltage lost to electronic conduction"),
    ):
        if name in result.history:
            largest = _largest(np.abs(history[name]))[0]
            key = name if name.endswith("_max") else f"{name}_max"
            yield key, Observable(largest, result.history[name].unit, about)


def _exists(result: Result, name: str) -> bool:
    return name in result.history and bool(np.isfinite(result.history[name].values).any())


def _largest(values: Array) -> tuple[float, int]:
    """The largest value, and its row; NaN and one past the end where there is none."""
    if not np.isfinite(values).any():
        return math.nan, len(values)
    row = int(np.nanargmax(values))
    return float(values[row]), row


# -- half-cycles ------------------------------------------------------------------------------


def _half_cycles(result: Result) -> dict[str, Observable]:
    """What is told of each charge and discharge, and of each cycle."""
    told = result.summary.get("half_cycles")
    halves = _halves(result) if told is None else [_told(entry) for entry in told]
    name = "capacity" if _exists(result, "capacity") else "charge"
    if name not in result.history:
        return {}
    time, passed = result.history["time"].values, result.history[name]
    found: dict[str, Observable] = {}
    numbers = {"charge": 0, "discharge": 0}
    for k, half in enumerate(halves):
        numbers[half.kind] += 1
        number = numbers[half.kind]
        if number > CYCLES:
            continue
        of, which = f"{half.kind}_{number}", f"of {half.kind} {number}"
        began, ended = np.interp((half.t_start, half.t_end), time, passed.values)
        whole = 1.0 if half.complete else math.nan
        found[f"capacity_{of}"] = Observable(
            whole * abs(float(ended - began)), passed.unit, f"{name} {which}, holds included"
        )
        length = whole * half.duration
        found[f"duration_{of}"] = Observable(length, "s", f"duration {which} without holds")
        if told is not None:
            found |= _activation(told[k], half, of, which, result)
    losses = capacity_losses(halves, time, passed.values)
    for number, loss in enumerate(losses[:CYCLES], start=1):
        about = f"share of charge {number} that does not come back"
        found[f"capacity_loss_{number}"] = Observable(loss, "1", about)
    return found


def _halves(result: Result) -> Sequence[HalfCycle]:
    """The half-cycles of a run whose summary does not list them."""
    current = result.history.get("current")
    within = None
    if result.status != "finished" and current is not None and len(current):
        # the step in which a run stops has rows, but no entry among the steps
        sign = float(current.values[-1])
        within = "rest" if sign == 0.0 else "charge" if sign > 0.0 else "discharge"
    return half_cycles(result.steps, finished=result.status == "finished", within=within)


def _told(entry: Mapping[str, Any]) -> HalfCycle:
    start, end_cc, end = (float(entry[key]) for key in ("t_start", "t_end_cc", "t_end"))
    return HalfCycle(str(entry["kind"]), start, end_cc, end, bool(entry.get("complete", True)))


def _activation(
    entry: Mapping[str, Any], half: HalfCycle, of: str, which: str, result: Result
) -> dict[str, Observable]:
    """When the particles of an electrode take part, as shares of the half-cycle without holds."""
    # a charge that begins at its limit has no length
    clock = half.duration if half.complete and half.duration > 0.0 else math.nan
    t25 = (_numbers(entry["t25"]) - half.t_start) / clock
    seen = np.ones(len(t25), bool) if result.particles is None else result.particles.observed
    observed = t25[seen & np.isfinite(t25)]
    part = t25[np.isfinite(t25)]
    index = float(np.ptp(observed)) if len(observed) > 1 else math.nan
    whole = 1.0 if half.complete else math.nan
    first, last = (observed.min(), observed.max()) if len(observed) else (math.nan, math.nan)
    spread = float(part.std()) if len(part) > 1 else math.nan
    share = whole * len(part) / len(t25) if len(t25) else math.nan
    return {
        f"asynchrony_{of}": Observable(index, "1", f"asynchrony {which}"),
        f"t25_first_{of}": Observable(float(first), "1", f"first t25 {which}"),
        f"t25_last_{of}": Observable(float(last), "1", f"last t25 {which}"),
        f"t25_spread_{of}": Observable(spread, "1", f"standard deviation of all t25 {which}"),
        f"activated_{of}": Observable(share, "1", f"share of the particles in {which[3:]}"),
    }


def _numbers(values: Sequence[float | None]) -> Array:
    return np.array([math.nan if value is None else value for value in values])


# -- counts -----------------------------------------------------------------------------------


def _counts(result: Result) -> dict[str, Observable]:
    """How much work it was, and how well it balances."""
    counts, balance = result.summary.get("counts", {}), result.summary.get("balance", {})
    found = {}
    for name, value in balance.items():
        drift = math.nan if value is None else float(value)
        found[f"{name}_drift"] = Observable(drift, "1", f"largest error of the {name} balance")
    for name, value, about in (
        ("steps", counts.get("steps"), "accepted time steps"),
        ("rejected", counts.get("rejected"), "rejected time steps"),
        ("unknowns", result.provenance.get("unknowns"), "unknowns"),
    ):
        if value is not None:
            found[name] = Observable(float(value), "1", about)
    return found


# -- curves -----------------------------------------------------------------------------------


def curves_of(result: Result, rows: int = ROWS) -> dict[str, Curve]:
    """`CURVES` on common rows, chosen so that voltage above all keeps its shape.

    Parameters
    ----------
    result : Result
    rows : int
        At most.

    Returns
    -------
    dict of str to Curve
        Empty where the run has no row; the distance is missing where it is not `resolved`.
    """
    columns = {name: result.history[name] for name in CURVES if name in result.history}
    if "capacity" in columns and not _exists(result, "capacity"):
        del columns["capacity"]
    if "time" not in columns or not len(columns["time"]):
        return {}
    if "com_distance" in columns:
        share = result.history.get("unreacted_share")
        columns["com_distance"] = resolved(columns["com_distance"], share)
    kept = _chosen(columns, rows)
    return {
        name: Curve(tuple(c.values[kept].tolist()), c.unit, c.symbol, c.description)
        for name, c in columns.items()
    }


def _chosen(columns: Mapping[str, Series], count: int) -> NDArray[np.int64]:
    """The rows to keep: both ends of each step, then always the one that lies farthest from the
    straight line between its kept neighbours.
    """
    time = columns["time"].values
    if len(time) <= count:
        return np.arange(len(time))
    ends = _ends(columns.get("step"), len(time))
    if len(ends) >= count:  # more steps than rows
        return ends[np.linspace(0, len(ends) - 1, count).round().astype(np.int64)]
    shapes = np.array(
        [w * _scaled(columns[n].values) for n, w in SHAPES.items() if n in columns]
    ).reshape(-1, len(time))
    kept = set(ends.tolist())
    farthest: list[tuple[float, int, int, int]] = []

    def consider(a: int, b: int) -> None:
        if b - a < 2:
            return
        span = time[b] - time[a]
        share = (time[a + 1 : b] - time[a]) / span if span > 0.0 else np.zeros(b - a - 1)
        left, right = shapes[:, a, None], shapes[:, b, None]
        off = np.abs(shapes[:, a + 1 : b] - left - (right - left) * share).max(axis=0)
        row = int(off.argmax())
        heapq.heappush(farthest, (-float(off[row]), a, a + 1 + row, b))

    for a, b in pairwise(ends.tolist()):
        consider(a, b)
    while farthest and len(kept) < count:
        off, a, row, b = heapq.heappop(farthest)
        if -off < STRAIGHT:
            break
        kept.add(row)
        consider(a, row)
        consider(row, b)
    return np.array(sorted(kept))


def _ends(step: Series | None, rows: int) -> NDArray[np.int64]:
    """First and last row of each protocol step."""
    if step is None:
        return np.array([0, rows - 1])
    begins = np.flatnonzero(np.diff(step.values)) + 1
    return np.unique(np.concatenate(([0], begins - 1, begins, [rows - 1])))


def _scaled(values: Array) -> Array:
    """A column over its range; 0 where it has no value, so that the edge of a gap is kept."""
    there = np.isfinite(values)
    if not there.any():
        return np.zeros(len(values))
    low, high = values[there].min(), values[there].max()
    # a constant current differs by round-off, which is no shape
    moves = high - low > FLAT * max(abs(low), abs(high))
    # a gap lies below all values, and a constant column is 0
    return np.where(there, (values - low) / (high - low) if moves else 0.0, -0.05)
