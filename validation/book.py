"""Tables between marks of docs/vv, and the numbers that are kept of them.

<!-- table NAME -->
what stands here is written by `python -m validation`
<!-- end table -->
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from validation.tables import Column, Table

__all__ = ["STORED", "filled", "markdown", "marks", "moved", "read_stored", "write_stored"]

STORED = "stored.json"
NOTHING = 1e-12
"""Of a number that is 0, the change that counts as moved."""

MARK = re.compile(
    r"(?P<open><!-- table (?P<name>\S+) -->\n)(?P<body>.*?)(?P<close><!-- end table -->)", re.DOTALL
)

Cell = float | str | None


def markdown(table: Table) -> str:
    """A table as it stands in a page: its caption, then rows."""
    head = "| " + " | ".join(column.heading for column in table.columns) + " |"
    lines = [head, "|" + "---|" * len(table.columns)]
    for row in table.rows:
        cells = (_cell(value, of) for value, of in zip(row, table.columns, strict=True))
        lines.append("| " + " | ".join(cells) + " |")
    caption = f"{table.caption}\n\n" if table.caption else ""
    return f"\n{caption}" + "\n".join(lines) + "\n\n"


def _cell(value: Cell, column: Column) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("|", "\\|")
    return format(value, column.digits) if math.isfinite(value) else "-"


def marks(text: str) -> list[str]:
    """The names of the tables that a page has."""
    return [found["name"] for found in MARK.finditer(text)]


def filled(text: str, tables: Mapping[str, Table]) -> str:
    """A page with those of its tables that there are."""

    def renewed(found: re.Match[str]) -> str:
        table = tables.get(found["name"])
        body = found["body"] if table is None else markdown(table)
        return found["open"] + body + found["close"]

    return MARK.sub(renewed, text)


def moved(folder: str, old: Table, new: Table) -> list[str]:
    """What of a table is no longer what was kept: a sentence each."""
    where = f"{folder}, table {new.name}"
    if [c.heading for c in old.columns] != [c.heading for c in new.columns]:
        return [f"{where}: the columns are others"]
    found = []
    if len(old.rows) != len(new.rows):
        found.append(f"{where}: {len(old.rows)} rows were kept, {len(new.rows)} are found")
    for before, after in zip(old.rows, new.rows, strict=False):
        label = ", ".join(str(v) for v in after[:2] if isinstance(v, str)) or "first column"
        for column, a, b in zip(new.columns, before, after, strict=True):
            if not _same(a, b, new.tolerance):
                found.append(
                    f"{where}, {label}: {column.heading} moved from {_said(a)} to {_said(b)}"
                    f" (tolerance {100 * new.tolerance:g} %)"
                )
    return found


def _same(a: Cell, b: Cell, tolerance: float) -> bool:
    if isinstance(a, str) or isinstance(b, str) or a is None or b is None:
        return a == b
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return abs(b - a) <= max(tolerance * abs(a), NOTHING)


def _said(value: Cell) -> str:
    if value is None:
        return "nothing"
    return f'"{value}"' if isinstance(value, str) else f"{value:.6g}"


# -- kept numbers ---------------------------------------------------------------------------------


def write_stored(folder: Path, tables: Iterable[Table]) -> None:
    """Keep the tables of a folder."""
    content = {"tables": [_stored(table) for table in tables]}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / STORED).write_text(text + "\n", encoding="utf-8")


def _stored(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "caption": table.caption,
        "columns": [[column.heading, column.digits] for column in table.columns],
        "rows": [[_plain(value) for value in row] for row in table.rows],
        "tolerance": table.tolerance,
    }


def _plain(value: Any) -> Cell:
    if value is None or isinstance(value, str):
        return value
    number = float(value)  # numpy's too
    return number if math.isfinite(number) else None


def read_stored(folder: Path) -> dict[str, Table]:
    """The kept tables of a folder, by name; none where nothing was kept."""
    path = folder / STORED
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    tables = (
        Table(
            kept["name"],
            kept["caption"],
            tuple(Column(heading, digits) for heading, digits in kept["columns"]),
            tuple(tuple(row) for row in kept["rows"]),
            kept["tolerance"],
        )
        for kept in content["tables"]
    )
    return {table.name: table for table in tables}
