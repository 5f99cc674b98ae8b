"""What a sweep will do, as text: its cases, their number, and how long it will take."""

from __future__ import annotations

from collections.abc import Sequence

from nmcsim.sweeps.axes import Value, short_names
from nmcsim.sweeps.plan import Plan, Planned
from nmcsim.sweeps.status import counted, duration
from nmcsim.sweeps.timings import seconds

__all__ = ["estimate", "listed", "total_said"]

_SHOWN = 20  # first and last cases of a long sweep
_WIDEST = 40


def listed(plan: Plan, workers: int) -> str:
    """The table that ``nmcsim sweep FILE --dry-run`` prints.

    Parameters
    ----------
    plan : Plan
    workers : int
        How many cases are solved at a time.
    """
    shown = _ends(plan.cases)
    rows = [_header(plan), *(_row(plan, planned) for planned in shown)]
    taken = _taken(plan, shown)
    if taken is not None:
        rows[0].append("about")
        for row, value in zip(rows[1:], taken, strict=True):
            row.append(duration(value))
    lines = _aligned(rows)
    left_out = len(plan.cases) - len(shown)
    if left_out:
        lines.insert(1 + _SHOWN, f"... {left_out} more ...")
    return "\n".join([plan.title, "", *lines, "", total_said(plan, workers)])


def total_said(plan: Plan, workers: int) -> str:
    """How many cases there are, and how long all will take, in a sentence."""
    distinct = len({planned.hash for planned in plan.cases})
    count = counted(len(plan.cases))
    if distinct < len(plan.cases):
        count += f", {distinct} of them different"
    total = estimate(plan, workers)
    if total is None:
        return f"{count}; how long they take is not known before a first case has run here"
    by = f"{workers} worker{'s' * (workers > 1)}"
    return f"{count}; about {duration(total)} with {by}"


def estimate(plan: Plan, workers: int) -> float | None:
    """Seconds that all cases take with so many workers; None if nothing is known."""
    taken = _taken(plan, list({planned.hash: planned for planned in plan.cases}.values()))
    if taken is None:
        return None
    # never less than the longest one
    return max(sum(taken) / workers, max(taken))


def _taken(plan: Plan, cases: Sequence[Planned]) -> list[float] | None:
    """Seconds that each case will take; None if of one nothing is known."""
    rate = seconds(plan.kind, 1.0)
    return None if rate is None else [rate * planned.cost for planned in cases]


def _ends(cases: Sequence[Planned]) -> list[Planned]:
    if len(cases) <= 2 * _SHOWN:
        return list(cases)
    return [*cases[:_SHOWN], *cases[-_SHOWN:]]


def _header(plan: Plan) -> list[str]:
    short = short_names([parameter.key for parameter in plan.parameters])
    return ["case"] + [
        short[p.key] + (f" / {p.unit}" if p.unit not in ("", "1") else "") for p in plan.parameters
    ]


def _row(plan: Plan, planned: Planned) -> list[str]:
    return [str(planned.number), *(_said(planned.values[p.key]) for p in plan.parameters)]


def _said(value: Value) -> str:
    if not isinstance(value, str):
        return f"{value:.6g}"
    return value if len(value) <= _WIDEST else f"{value[: _WIDEST - 3]}..."


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns, flush right as numbers are."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
