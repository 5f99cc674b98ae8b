"""Tables of the page of a sweep: what varies, what failed and why, what all cases share."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from nmcsim.report.sweep_data import Column, cpu_time, status_of
from nmcsim.report.tables import escape, key_values, number, table
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.record import Record
from nmcsim.sweeps.status import duration

MANY = 12
"""More texts than these are counted, not listed."""


def counts(records: Sequence[Record | None]) -> Counter[str]:
    """How many cases have each status."""
    return Counter(map(status_of, records))


def cards(records: Sequence[Record | None]) -> str:
    """Counts by status, and the CPU time that they took."""
    found = counts(records)
    spent = [t for t in map(cpu_time, records) if math.isfinite(t)]
    shown = [("cases", number(len(records)))]
    shown += [(status, number(found[status])) for status in ("finished", "ended early", "failed")]
    shown += [("open", number(found["open"]))]
    shown += [("CPU time", duration(sum(spent)) if spent else "–")]
    boxes = "".join(
        f'<div class="card" data-count="{name}"><b>{value}</b><span>{name}</span></div>'
        for name, value in shown
    )
    return f'<div class="cards">{boxes}</div>'


def varied(columns: Sequence[Column]) -> str:
    """Each parameter with its unit, range and number of values."""
    rows = [
        (
            f"{escape(column.label)}",
            f"<code>{escape(column.name)}</code>",
            _range(column),
            escape(column.unit) or ("–" if column.numeric else "text"),
            number(len(set(column.values))),
            "" if not column.numeric else "logarithmic" if column.logarithmic else "linear",
        )
        for column in columns
        if column.parameter
    ]
    head = ("Parameter", "key", "from … to", "unit", "values", "axis")
    return table(head, rows, "numbers")


def _range(column: Column) -> str:
    if column.span is not None:
        low, high = column.span
        return number(low) if low == high else f"{number(low)} … {number(high)}"
    listed = ", ".join(map(escape, column.levels[:MANY]))
    return listed + (" …" if len(column.levels) > MANY else "")


def versions(records: Sequence[Record | None]) -> str:
    """What computed the cases: each set of versions, and of how many cases."""
    sets = Counter(
        ", ".join(
            f"{name} {v}" for name, v in ({"nmcsim": r.version} | dict(r.versions)).items() if v
        )
        for r in records
        if r is not None
    )
    if not sets:
        return '<p class="note">No case has a record yet.</p>'
    several = len(sets) > 1
    lines = [escape(said) + (f" ({n} cases)" if several else "") for said, n in sets.most_common()]
    return f'<p class="note" id="versions">Computed with {"; ".join(lines)}.</p>'


def base_case(plan: Plan) -> str:
    """The case that all start from, what the sweep sets in all of them, and what it keeps."""
    shared = {
        key: value
        for key, value in (plan.cases[0].changes if plan.cases else {}).items()
        if len(plan.cases) > 1
        and key not in {parameter.key for parameter in plan.parameters}
        and all(case.changes.get(key) == value for case in plan.cases)
    }
    inside = f"<h3>Content</h3>{key_values(plan.base)}"
    if shared:
        inside = f"<h3>Set for all cases</h3>{key_values(shared)}{inside}"
    said = {
        "file of the sweep": str(plan.path) if plan.path else None,
        "kept of each case": plan.keep,
        "ranks per case": plan.ranks_per_case,
        "time limit": duration(plan.time_limit) if plan.time_limit else None,
        "memory limit": f"{plan.memory_limit / 1e9:g} GB" if plan.memory_limit else None,
        "coarse": "yes, each case is its coarse version" if plan.coarse else None,
    }
    run = key_values({name: value for name, value in said.items() if value is not None})
    return f"{run}<details><summary>The base case</summary>{inside}</details>"


def failures(
    columns: Sequence[Column], numbers: Sequence[int], records: Sequence[Record | None]
) -> str:
    """Cases that failed or ended early, with the cause; a click on a row picks its case."""
    parameters = [column for column in columns if column.parameter]
    rows = [
        _failure(i, numbers[i], parameters, record)
        for i, record in enumerate(records)
        if record is not None and record.status != "finished"
    ]
    if not rows:
        return '<p class="note">None: no case failed, none ended early.</p>'
    names = [f"{escape(p.label)}{f' / {escape(p.unit)}' if p.unit else ''}" for p in parameters]
    head = "".join(f"<th>{cell}</th>" for cell in ("Case", *names, "Status", "Kind", "Cause"))
    return (
        '<div class="scroll tall"><table class="failures" id="failed-cases">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _failure(i: int, case: int, parameters: Sequence[Column], record: Record) -> str:
    values = [p.levels[int(p.values[i])] if p.levels else p.values[i] for p in parameters]
    bad = "bad" if record.failed else "early"
    cells = [
        f'<button type="button" class="link">{case}</button>',
        *map(number, values),
        f'<span class="{bad}">{escape(record.status)}</span>',
        escape(record.kind) or "–",
        escape(record.cause) or "–",
    ]
    return f'<tr data-case="{i}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
