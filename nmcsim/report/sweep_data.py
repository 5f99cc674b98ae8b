"""What the page of a sweep holds: a column for each parameter and observable, curves, statuses.

Numbers are in the units that people read. Columns and statuses are JSON; curves are single
precision, one string of base64 for each quantity with the rows of all cases one after the other.
"""

from __future__ import annotations

import base64
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from nmcsim.figures.style import DISPLAY
from nmcsim.sweeps.plan import Plan, short_names
from nmcsim.sweeps.record import RECORDED, Curve, Record

OPEN = "open"
STATUSES = (*RECORDED, OPEN)

FEW, ROWS, LEAST = 100, 60, 8
"""Up to `FEW` cases keep all rows of their curves, more keep `ROWS`, very many down to `LEAST`."""
BUDGET = 4_500_000
"""Bytes of single-precision curves; base64 makes 6 MB of them."""

FIRST = (
    "com_distance_max", "asynchrony_charge_1", "capacity_charge_1", "charge_charge_1",
    "capacity_loss_1", "theta_spread_max", "voltage_end",
)  # fmt: skip
"""Observables that people ask for first: the map shows one of them, parallel coordinates `AXES`."""
AXES = 3
CPU = "cpu"
KEPT = ((3, "report.html"), (2, "history.h5"), (1, "case.toml"))
"""What may be left of a result, the best first: its page, what makes it, what to solve again."""
UNSHOWN = ("step",)
"""Curves that nobody looks at: they tell parts of the others apart."""
LOG_PARAMETER, LOG_OBSERVABLE = 5.0, 100.0
"""Largest over smallest value from which an axis may be logarithmic."""


@dataclass(frozen=True)
class Column:
    """A number or a text of each case.

    Parameters
    ----------
    name : str
        Dotted key of a parameter, name of an observable.
    label : str
        What people read.
    unit : str
        As shown, empty for plain numbers and texts.
    values : sequence of float, or of int
        NaN where there is none; of a text its place among the `levels`.
    parameter : bool
        Whether it was asked for, or came out.
    levels : tuple of str
        The texts, in the order of the plan; empty for numbers.
    """

    name: str
    label: str
    unit: str
    values: Sequence[float]
    parameter: bool
    levels: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        return not self.levels

    @property
    def span(self) -> tuple[float, float] | None:
        """Smallest and largest number; None where there is no number."""
        there = [v for v in self.values if math.isfinite(v)]
        return (min(there), max(there)) if there and self.numeric else None

    @property
    def differs(self) -> bool:
        # by more than rounding
        return len({f"{v:.6g}" for v in self.values if math.isfinite(v)}) > 1

    @property
    def logarithmic(self) -> bool:
        """Whether the values fill a logarithmic axis more evenly than a linear one."""
        if self.span is None or self.span[0] <= 0.0:
            return False
        low, high = self.span
        if high / low < (LOG_PARAMETER if self.parameter else LOG_OBSERVABLE):
            return False
        there = np.unique([v for v in self.values if math.isfinite(v)])
        linear = float(np.mean((there - low) / (high - low)))
        decades = float(np.mean(np.log(there / low) / math.log(high / low)))
        return abs(decades - 0.5) < abs(linear - 0.5)

    def packed(self) -> dict[str, Any]:
        """As JSON can hold it: seven digits, null for NaN."""
        return {
            "name": self.name,
            "label": self.label,
            "unit": self.unit,
            "parameter": self.parameter,
            "levels": list(self.levels),
            "log": self.logarithmic,
            "values": [float(f"{v:.7g}") if math.isfinite(v) else None for v in self.values],
        }


def status_of(record: Record | None) -> str:
    """How a case stands: what its record says, or open."""
    return OPEN if record is None else record.status


def cpu_time(record: Record | None) -> float:
    """Of the last attempt at a case, on all its ranks [s]; NaN where it is not known."""
    return math.nan if record is None else record.wall * record.ranks


def read_as(unit: str) -> str:
    """A unit in the letters that people read: ``um`` is µm."""
    return "" if unit == "1" else re.sub(r"\bu(?=[A-Za-z])", "µ", unit)


def shown_in(name: str, unit: str, largest: float) -> tuple[str, float]:
    """The unit that people read a quantity in SI in, and the factor to it.

    Parameters
    ----------
    name : str
        Of the quantity: a state of charge is read in per cent.
    unit : str
        SI.
    largest : float
        Of all cases, in SI: long times are read in hours.
    """
    if unit == "1" and name.partition("_")[0] == "soc" and "variance" not in name:
        return "%", 100.0
    if unit == "s" and largest >= 7200.0:
        return "h", 1.0 / 3600.0
    return DISPLAY.get(unit, (read_as(unit), 1.0))


def columns_of(plan: Plan, records: Sequence[Record | None]) -> list[Column]:
    """The parameters, then the observables that have a value, then the CPU time."""
    parameters = [_parameter(plan, number) for number in range(len(plan.parameters))]
    cpu = [cpu_time(record) for record in records]
    columns = [*parameters, *_observables(records)]
    if any(map(math.isfinite, cpu)):
        columns.append(Column(CPU, "CPU time", "s", cpu, False))
    return columns


def _parameter(plan: Plan, number: int) -> Column:
    parameter = plan.parameters[number]
    # a name that another parameter shares is told with as many tables as it takes
    label = short_names([p.key for p in plan.parameters])[parameter.key].replace("_", " ")
    said = [case.values[parameter.key] for case in plan.cases]
    if parameter.numeric:
        numbers = [float(value) for value in said]
        return Column(parameter.key, label, read_as(parameter.unit), numbers, True)
    levels = tuple(dict.fromkeys(map(str, said)))
    return Column(parameter.key, label, "", [levels.index(str(v)) for v in said], True, levels)


def _observables(records: Sequence[Record | None]) -> Iterable[Column]:
    there = [record for record in records if record is not None]
    # the fullest record sets the order: one that failed early knows only the first few
    there.sort(key=lambda record: -len(record.observables))
    known = {name: o for record in reversed(there) for name, o in record.observables.items()}
    order = dict.fromkeys(name for record in there for name in record.observables)
    for name in order:
        values = np.array(
            [
                math.nan if record is None or name not in record.observables
                else record.observables[name].value
                for record in records
            ]
        )  # fmt: skip
        if np.isfinite(values).any():
            unit, factor = shown_in(name, known[name].unit, float(np.nanmax(np.abs(values))))
            label = _capital(known[name].description or name)
            yield Column(name, label, unit, (factor * values).tolist(), False)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def first_shown(columns: Sequence[Column], most: int) -> list[str]:
    """Observables that are shown first: what people ask for, where cases differ in it."""
    observed = [c for c in columns if not c.parameter and c.name != CPU]
    differ = [c.name for c in observed if c.differs]
    preferred = [name for name in FIRST if name in differ]
    return list(dict.fromkeys([*preferred, *differ, *(c.name for c in observed)]))[:most]


def pack(
    plan: Plan,
    columns: Sequence[Column],
    directory: Path,
    page: Path,
    records: Sequence[Record | None],
) -> dict[str, Any]:
    """All that the page's script is given.

    Parameters
    ----------
    plan : Plan
    columns : sequence of Column
        As of `columns_of`.
    directory : Path
        Of the sweep.
    page : Path
        Where the page will lie; links are relative to it.
    records : sequence of Record or None
        One for each case of the plan, None where a case is open.
    """
    first = first_shown(columns, AXES)
    return {
        "number": [case.number for case in plan.cases],
        "hash": [case.hash for case in plan.cases],
        "status": [STATUSES.index(status_of(record)) for record in records],
        "statuses": STATUSES,
        "kind": _sparse(record.kind if record else "" for record in records),
        "cause": _sparse(record.cause if record else "" for record in records),
        "attempt": [record.attempt if record else 0 for record in records],
        "host": [record.host if record else "" for record in records],
        "columns": [column.packed() for column in columns],
        "first": first[0] if first else "",
        "axes": first,
        "curves": pack_curves(records),
        **_links(plan, directory, page),
    }


def _sparse(texts: Iterable[str]) -> dict[int, str]:
    """By the case's place in the plan, those that say something."""
    return {number: text for number, text in enumerate(texts) if text}


def _links(plan: Plan, directory: Path, page: Path) -> dict[str, Any]:
    """Where the report of each case lies, or what is left to make it from."""
    cases = directory / "cases"
    folder = quote(Path(os.path.relpath(cases, page.parent)).as_posix())
    there = {entry.name for entry in os.scandir(cases)} if cases.is_dir() else set()
    return {
        "folder": f"{folder}/",
        "results": f"{cases.as_posix()}/",
        "keep": plan.keep,
        "kept": [_kept_of(cases / case.hash) if case.hash in there else 0 for case in plan.cases],
    }


def _kept_of(result: Path) -> int:
    """The best that is there of a result, by its number in `KEPT`; 0 for nothing."""
    return next((n for n, name in KEPT if (result / name).is_file()), 0)


def rows_for(cases: int, curves: int) -> int:
    """How many rows of each curve a page of so many cases has room for."""
    if cases <= FEW:
        return 10**9
    return max(LEAST, min(ROWS, BUDGET // max(4 * cases * curves, 1)))


def pack_curves(records: Sequence[Record | None]) -> dict[str, Any]:
    """The curves of all cases: where each case's rows begin, and each quantity's values."""
    curves = [{} if record is None else record.curves for record in records]
    known: dict[str, Curve] = {}
    for of in sorted(curves, key=len, reverse=True):
        known = {**of, **known}
    names = [
        name
        for name in known
        if name not in UNSHOWN
        and any(np.isfinite(of[name].values).any() for of in curves if name in of)
    ]
    most = rows_for(sum(map(bool, curves)), len(names))
    kept = [_kept(of, most) for of in curves]
    begins = np.concatenate(([0], np.cumsum([len(rows) for rows in kept])))
    return {
        "begins": begins.tolist(),
        "quantities": [_quantity(name, known[name], curves, kept) for name in names],
    }


def _kept(curves: Mapping[str, Curve], most: int) -> NDArray[np.int64]:
    """Which rows of a case are kept: both ends, and evenly in between."""
    rows = min((len(curve.values) for curve in curves.values()), default=0)
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(np.int64))


def _quantity(
    name: str,
    known: Curve,
    curves: Sequence[Mapping[str, Curve]],
    kept: Sequence[NDArray[np.int64]],
) -> dict[str, Any]:
    values = np.concatenate(
        [
            np.array(of[name].values)[rows] if name in of else np.full(len(rows), np.nan)
            for of, rows in zip(curves, kept, strict=True)
        ]
    )
    unit, factor = shown_in(name, known.unit, float(np.nanmax(np.abs(values))))
    label = _capital((known.description or name).split(",")[0])
    data = base64.b64encode((factor * values).astype("<f4").tobytes()).decode("ascii")
    return {"name": name, "label": label, "unit": unit, "data": data}
