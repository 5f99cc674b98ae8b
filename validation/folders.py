"""A folder of this one: measurements with runs, measurements without a model, or a study.

measured.toml                what was measured, and where that stands
runs.toml                    the runs that it is compared with; without it there is no model yet
study.py, tables(work)       instead: numbers of an operator
stored.json                  the numbers that are kept
"""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import nmcsim
from nmcsim.compare import Comparison, Pair, compare
from nmcsim.compare.sides import Curve, ResultSide, number_in
from nmcsim.compare.table import measured_text, verdict
from nmcsim.measured import Measured
from nmcsim.results import Result
from nmcsim.units import convert
from validation.tables import Column, Table

__all__ = ["HERE", "Plan", "folders", "tables_of"]

HERE = Path(__file__).resolve().parent
TOLERANCE = 0.02
"""Relative change of a number that counts as moved, where runs.toml says no other."""
NEGLIGIBLE = 1e-3
"""Of the largest number of a trend: less is written as 0, or round-off would be watched."""
ORDERS = ("rises", "falls")
Simulate = Callable[[Any, Path], Result]


@dataclass(frozen=True)
class Plan:
    """What ``runs.toml`` says.

    Parameters
    ----------
    runs : mapping of str to mapping
        ``case`` (path from here), ``set`` (keys to change), ``cells`` (factor of all cell sizes).
        The first is the one that ``measured.toml`` is compared with.
    trends : sequence of mapping
        ``name, metric, unit, order`` ("rises" or "falls") and ``runs``; with ``at = { soc = 0.1 }``
        the metric is a curve. Or ``run`` and ``metrics``. ``source`` says who expects it.
    calibrated : sequence of str
        Entries that the model was tuned to.
    inputs : sequence of str
        Entries that the case was given.
    tolerance : float
    """

    runs: Mapping[str, Mapping[str, Any]]
    trends: Sequence[Mapping[str, Any]] = ()
    calibrated: Sequence[str] = ()
    inputs: Sequence[str] = ()
    tolerance: float = TOLERANCE
    folder: Path = field(default_factory=Path)

    @classmethod
    def read(cls, folder: Path) -> Plan:
        """The plan of a folder; without runs where it has no ``runs.toml``."""
        path = folder / "runs.toml"
        if not path.is_file():
            return cls({}, folder=folder)
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for trend in data.get("trend", ()):
            if trend["order"] not in ORDERS:
                raise ValueError(f'{path}: order = "{trend["order"]}"; write one of {ORDERS}')
        return cls(
            data["runs"], data.get("trend", ()), data.get("calibrated", ()), data.get("inputs", ()),
            data.get("tolerance", TOLERANCE), folder,
        )  # fmt: skip

    def case(self, name: str) -> Any:
        """The case of a run."""
        said = self.runs[name]
        case = nmcsim.load(self.folder / said["case"])
        for key, value in said.get("set", {}).items():
            case = case.replace(key, value)
        return case.coarser(said["cells"], 1.0) if "cells" in said else case


def folders(names: Sequence[str] = (), root: Path = HERE) -> list[Path]:
    """The folders asked for; all where none is."""
    found = sorted(
        path
        for path in root.iterdir()
        if (path / "measured.toml").is_file() or (path / "study.py").is_file()
    )
    known = [path.name for path in found]
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(
            f"validation: no folder {', '.join(unknown)}; there are {', '.join(known)}"
        )
    return [path for path in found if not names or path.name in names]


def tables_of(folder: Path, work: Path, simulate: Simulate) -> list[Table]:
    """Run a folder and give its tables.

    Parameters
    ----------
    folder : path
    work : path
        Where its runs may be left.
    simulate : callable of (case, directory)
        How a case is run.
    """
    if (folder / "study.py").is_file():
        return list(_study(folder).tables(work))
    measured, plan = Measured.read(folder / "measured.toml"), Plan.read(folder)
    results = {name: simulate(plan.case(name), work / name) for name in plan.runs}
    found = []
    if results:
        first = next(iter(results.values()))
        found.append(_compared(folder.name, compare(first, measured), plan))
    if plan.trends:
        found.append(_trends(folder.name, results, plan))
    return [*found, _missing(folder.name, measured)]


def _study(folder: Path) -> Any:
    """The module ``study.py`` of a folder."""
    name = f"validation_{folder.name}_study"
    spec = importlib.util.spec_from_file_location(name, folder / "study.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


# -- tables ---------------------------------------------------------------------------------------


def _compared(name: str, comparison: Comparison, plan: Plan) -> Table:
    rows = tuple(_row(pair, plan) for pair in comparison.pairs)
    left = sum(not item.missing for item in comparison.unpaired)
    more = f" {left} further entries have no counterpart in this model." if left else ""
    caption = f"{comparison.of}, beside {comparison.title}.{more}"
    columns = (
        Column("quantity", ""), Column("simulated", ".4g"), Column("measured"), Column("unit"),
        Column("within"), Column("it is"), Column("source"),
    )  # fmt: skip
    return Table(name, caption, columns, rows, plan.tolerance)


def _row(pair: Pair, plan: Plan) -> tuple[float | str | None, ...]:
    role = "predicted"
    if pair.origin == "case" or pair.name in plan.inputs:
        role = "an input"
    elif pair.name in plan.calibrated:
        role = "calibrated"
    if pair.curve is not None:
        simulated: float | None = pair.rmse
        shown = f"series along {pair.curve.x_name}; RMSE beside"
    else:
        simulated, shown = pair.simulated, measured_text(pair)
        shown = shown.removesuffix(f" {pair.unit}")
    place = pair.entry.source.partition(", ")[2] or pair.entry.source
    return (pair.name.replace("_", " "), simulated, shown, pair.unit, verdict(pair), role, place)


def _trends(name: str, results: Mapping[str, Result], plan: Plan) -> Table:
    rows: list[tuple[float | str | None, ...]] = []
    for trend in plan.trends:
        points = trend_points(trend, results)
        values = np.array([value for _, value in points])
        steps = np.diff(values)
        holds = bool((steps > 0.0).all() if trend["order"] == "rises" else (steps < 0.0).all())
        for k, (label, value) in enumerate(points):
            last = k == len(points) - 1
            rows.append((
                trend["name"] if k == 0 else "", label, value,
                (trend["order"] if k == 0 else ""), ("yes" if holds else "no") if last else "",
                trend["source"] if k == 0 else "",
            ))  # fmt: skip
    columns = (Column("trend"), Column("run"), Column("value", ".4g"), Column("expected"),
               Column("holds"), Column("who expects it"))  # fmt: skip
    caption = "Trends: numbers of several runs, in the order in which they are expected to change."
    return Table(f"{name}_trends", caption, columns, tuple(rows), plan.tolerance)


def trend_points(
    trend: Mapping[str, Any], results: Mapping[str, Result]
) -> list[tuple[str, float]]:
    """What a trend compares: a label with its unit, and the number."""
    pairs = [(run, trend["metric"]) for run in trend.get("runs", ())]
    pairs += [(trend["run"], metric) for metric in trend.get("metrics", ())]
    found = []
    unit = "" if trend["unit"] == "1" else f" [{trend['unit']}]"
    for run, metric in pairs:
        label = run if "metric" in trend else metric
        side = ResultSide(results[run])
        found.append((label + unit, _number(side, metric, trend)))
    largest = max(abs(value) for _, value in found)
    # round-off of what is nothing would be watched
    return [(label, value if abs(value) > NEGLIGIBLE * largest else 0.0) for label, value in found]


def _number(side: ResultSide, metric: str, trend: Mapping[str, Any]) -> float:
    if "at" in trend:
        (x, at), *_ = trend["at"].items()
        curve = side.curve(metric, x, {})
        if not isinstance(curve, Curve):
            raise ValueError(f"trend {trend['name']}: there is no {metric} along {x}")
        value = float(np.interp(at, curve.x, curve.values, left=np.nan, right=np.nan))
        return convert(value, curve.unit, trend["unit"])
    number = side.number(metric, {})
    if number is None:
        raise ValueError(f"trend {trend['name']}: there is no {metric}")
    return number_in(number, trend["unit"])


def _missing(name: str, measured: Measured) -> Table:
    """What was measured and not read, or not measured: a user who has it can drop it in."""
    rows = tuple(
        (entry.name.replace("_", " "), entry.source.partition(", ")[2], entry.missing)
        for entry in measured.entries
        if entry.missing
    )
    columns = (Column("quantity"), Column("where"), Column("why it is missing"))
    there = len(measured.entries) - len(rows)
    caption = f"{there} figures are in `validation/{name}/measured.toml`; these are missing."
    return Table(f"{name}_missing", caption, columns, rows)
