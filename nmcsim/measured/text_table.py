"""Tables in text: which mark separates columns, which one decimals, where headings and units are.

A delimiter is one that gives the heading and all rows below it the same number of cells, of which
those below are numbers. Of tab, semicolon, comma and blanks the first that does so counts. Commas
inside cells are decimal marks, unless they could be separators of thousands as well: then the file
is refused, as nothing in it decides.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.measured.tables import Column, DataTable, is_unit, plain_unit, split_heading

__all__ = ["read_text"]

DELIMITERS = ("\t", ";", ",", " ")
SAID = {"\t": "tab", ";": "semicolon", ",": "comma", " ": "blanks"}
LOOKED_AT = 60  # rows that decide how a file is read
LARGEST = 2 * 2**30  # bytes
EMPTY = ",;\t "  # a row of nothing else has no cell that says something
_NUMBER = r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?"
_IS_NUMBER = re.compile(rf"{_NUMBER}|[+-]?inf|nan|", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+)[d:\- ]+)?(\d+):(\d\d):(\d\d(?:[.,]\d+)?)")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")


@dataclass(frozen=True)
class _Layout:
    """How a text is cut into cells."""

    delimiter: str
    heading: int  # number of its line, from 0
    units: int | None  # line of a row of units
    first: int  # line of the first row
    names: tuple[str, ...]


def read_text(path: Path, decimal: str = "") -> DataTable:
    """The table of a text file; see `nmcsim.measured.tables.read_table`."""
    if decimal not in ("", ".", ","):
        raise InputError(Mistake("decimal", f'= "{decimal}" is neither "." nor ","'))
    lines = _decoded(path).splitlines()
    while lines and not lines[-1].strip(EMPTY):  # as a spreadsheet writes rows that were deleted
        lines.pop()
    layout = _layout(lines, path)
    mark, note = _decimal(lines, layout, decimal, path)
    columns, texts, rows = _body(lines, layout, mark, path)
    said = f"columns are separated by {SAID[layout.delimiter]}"
    notes = (said + (f", decimals by {note}" if note else ""),)
    names = _distinct([split_heading(name)[0] or "row" for name in layout.names])
    units = _units(lines, layout)
    made = [
        Column(names[k], _CLOCK_UNIT if clock else units[k], values)
        for k, (values, clock) in columns.items()
    ]
    return DataTable(
        str(path), tuple(made), rows, {names[k]: cells for k, cells in texts.items()}, notes
    )


_CLOCK_UNIT = "s"


def _decoded(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise InputError(Mistake("", "is larger than 2 GB; cut it into parts"), str(path))
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data[:4096]:
        message = "is no text; a table comes as text (.csv, .tsv, .txt, .mpt), .h5, .mpr or .nda"
        raise InputError(Mistake("", message), str(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")  # what EC-Lab and Windows write


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return re.split(r"\s+(?![\[(])", line.strip())  # a unit belongs to the name before it
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


def _is_number(cell: str) -> bool:
    return _IS_NUMBER.fullmatch(cell) is not None or _CLOCK.fullmatch(cell) is not None


def _layout(lines: Sequence[str], path: Path) -> _Layout:
    if lines and lines[0].strip() in ("EC-Lab ASCII FILE", "BT-Lab ASCII FILE"):
        return _of_ec_lab(lines, path)
    kept = [n for n, line in enumerate(lines) if line.strip()]
    plain = [n for n in kept if not lines[n].lstrip().startswith("#")]
    for delimiter in DELIMITERS:
        if (found := _tried(lines, kept, plain, delimiter)) is not None:
            return found
    raise InputError(Mistake("", _why_none(lines, plain)), str(path))


def _of_ec_lab(lines: Sequence[str], path: Path) -> _Layout:
    """A .mpt file says itself how many lines its head has."""
    match = re.search(r":\s*(\d+)", lines[1]) if len(lines) > 1 else None
    if match is None or not 2 < int(match[1]) < len(lines):
        message = 'ends before its table; its second line must say "Nb header lines : N"'
        raise InputError(Mistake("", message), str(path))
    at = int(match[1]) - 1
    return _Layout("\t", at, None, at + 1, tuple(lines[at].rstrip("\r\n\t").split("\t")))


def _tried(
    lines: Sequence[str], kept: Sequence[int], plain: Sequence[int], delimiter: str
) -> _Layout | None:
    """The layout with this delimiter; None where it does not fit."""
    sample = [(n, _cells(lines[n], delimiter)) for n in plain[: 3 * LOOKED_AT]]
    for k, (n, cells) in enumerate(sample):
        rows = [c for _, c in sample[k : k + LOOKED_AT]]
        count = len(cells)
        if not _are_rows(rows, count, delimiter):
            continue
        head = [m for m in kept if m < n]
        if head and lines[head[-1]].lstrip().startswith("#"):  # numpy.savetxt and gnuplot
            names = _cells(lines[head[-1]].lstrip("# \t"), delimiter)
            return _named(delimiter, head[-1], None, n, names, count)
        above = [(m, c) for m, c in sample[:k] if len(c) == count]
        if not above:
            return None
        at, names = above[-1]
        if len(above) > 1 and above[-2][0] == kept[kept.index(at) - 1] and _are_units(names):
            return _named(delimiter, above[-2][0], at, n, above[-2][1], count)
        return _named(delimiter, at, None, n, names, count)
    return None


def _named(
    delimiter: str, heading: int, units: int | None, first: int, names: list[str], count: int
) -> _Layout | None:
    if len(names) != count or all(_is_number(name) for name in names):
        return None
    return _Layout(delimiter, heading, units, first, tuple(names))


def _are_rows(rows: Sequence[Sequence[str]], count: int, delimiter: str) -> bool:
    """Whether cells are numbers in the same columns of all rows, at least in one of them."""
    if any(len(row) != count for row in rows) or (count < 2 and delimiter != ","):
        return False
    numeric = [
        all(_is_number(row[k]) for row in rows) and any(row[k] for row in rows)
        for k in range(count)
    ]
    return any(numeric) and 2 * sum(numeric) >= count


def _are_units(cells: Sequence[str]) -> bool:
    bare = [cell.strip("[]() ") for cell in cells]
    return any(bare) and all(not cell or cell in "-1" or is_unit(cell) for cell in bare)


def _why_none(lines: Sequence[str], plain: Sequence[int]) -> str:
    if len(plain) < 2:
        return "has no rows of numbers below a line of headings"
    heading, row = lines[plain[0]], lines[plain[1]]
    if all(_is_number(cell) for cell in _cells(heading, ",")):
        return "has no headings; name the columns in the first line, such as time [s], voltage [V]"
    a, b = heading.count(","), row.count(",")
    if b > a and ";" not in row and "\t" not in row:
        return (
            f"has {a + 1} headings and {b + 1} cells in line {plain[1] + 1}: are its commas decimal"
            " marks or do they separate columns? Separate columns by semicolon or tab"
        )
    for delimiter in DELIMITERS:
        counts = [len(_cells(lines[n], delimiter)) for n in plain[: 3 * LOOKED_AT]]
        if 1 < counts[0] == counts[1]:
            k = next((k for k, count in enumerate(counts) if count != counts[0]), 1)
            if counts[k] != counts[0]:
                return f"has {counts[k]} cells in line {plain[k] + 1}, and {counts[0]} headings"
            break
    return (
        "is no table: no mark (tab, semicolon, comma, blanks) gives its headings and rows the same"
        " number of cells"
    )


def _units(lines: Sequence[str], layout: _Layout) -> list[str]:
    from_names = [split_heading(name)[1] for name in layout.names]
    if layout.units is None:
        return from_names
    own = [plain_unit(c.strip("[]() ")) for c in _cells(lines[layout.units], layout.delimiter)]
    return [unit or other for unit, other in zip(own, from_names, strict=True)]


def _decimal(lines: Sequence[str], layout: _Layout, asked: str, path: Path) -> tuple[str, str]:
    """The decimal mark, and how it is said (``""`` where no number has decimals)."""
    if layout.delimiter == ",":
        if asked == ",":
            message = "has commas between its columns; they cannot be decimal marks as well"
            raise InputError(Mistake("", message), str(path))
        return ".", ""
    cells = [
        cell
        for line in lines[layout.first : layout.first + 20 * LOOKED_AT]
        for cell in _cells(line, layout.delimiter)
        if re.fullmatch(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?", cell)
    ]
    commas, points = [c for c in cells if "," in c], [c for c in cells if "." in c]
    if asked:
        return asked, "comma" if asked == "," else "point"
    if commas and points:
        both = f'"{commas[0]}" and "{points[0]}"'
        message = f"has numbers with decimal commas and others with points, {both}; use one of them"
        raise InputError(Mistake("", message), str(path))
    if commas and all(_THOUSANDS.fullmatch(cell) for cell in commas):
        message = (
            f'leaves open whether the comma of "{commas[0]}" is a decimal mark or separates'
            ' thousands; say decimal = "," or "."'
        )
        raise InputError(Mistake("", message), str(path))
    return (",", "comma") if commas else (".", "point" if points else "")


_Columns = dict[int, tuple[NDArray[np.float64], bool]]


def _body(
    lines: Sequence[str], layout: _Layout, mark: str, path: Path
) -> tuple[_Columns, dict[int, tuple[str, ...]], NDArray[np.int_]]:
    """Numbers and texts by column, and the line of each row (from 1)."""
    import pandas as pd

    kept = [
        n
        for n in range(layout.first, len(lines))
        if lines[n].strip() and not lines[n].lstrip().startswith("#")
    ]
    text = "\n".join(lines[n] for n in kept)
    count = len(layout.names)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=r"\s+" if layout.delimiter == " " else layout.delimiter,
            header=None,
            names=range(count),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            on_bad_lines="error",
        )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        found = re.search(r"line (\d+), saw (\d+)", str(error))
        line = kept[int(found[1]) - 1] + 1 if found else kept[0] + 1
        cells = f"{found[2]} cells" if found else "another number of cells"
        message = f"has {cells} and {count} headings"
        raise InputError(Mistake(f"line {line}", message), str(path)) from None
    numbers: _Columns = {}
    texts: dict[int, tuple[str, ...]] = {}
    for k in range(count):
        cells = frame[k].fillna("").str.strip()
        values, clock = _numbers(cells, mark)
        if values is None:
            texts[k] = tuple(cells)
        else:
            numbers[k] = values, clock
    if not numbers:
        raise InputError(Mistake("", "has no column of numbers"), str(path))
    return numbers, texts, np.array(kept, dtype=np.int_) + 1


def _numbers(cells: Any, mark: str) -> tuple[NDArray[np.float64] | None, bool]:
    """The numbers of a column, None where it holds texts; and whether they were clock times."""
    import pandas as pd

    plain = cells.str.replace(",", ".", regex=False) if mark == "," else cells
    if mark == ".":
        plain = plain.where(~plain.str.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?"),
                            plain.str.replace(",", "", regex=False))  # fmt: skip
    filled = plain != ""
    values = pd.to_numeric(plain.where(filled, "nan"), errors="coerce").to_numpy(dtype=np.float64)
    readable = np.isfinite(values) | plain.str.lower().isin(("nan", "inf", "-inf", "", "na", "-"))
    if not filled.any() or readable.mean() > 0.5:
        # a stray word in a column of numbers is a gap, as in what cyclers and ImageJ write
        return (values if filled.any() else np.full(len(values), np.nan)), False
    clocks = [_CLOCK.fullmatch(cell) for cell in cells]
    if all(clocks):
        return np.array([_seconds(found) for found in clocks if found]), True
    stamps = pd.to_datetime(cells, errors="coerce", format="ISO8601")
    if stamps.notna().all():
        since = (stamps - stamps.iloc[0]).dt.total_seconds()
        return since.to_numpy(dtype=np.float64), True
    return None, False


def _seconds(found: re.Match[str]) -> float:
    days, hours, minutes, seconds = found.groups()
    whole = 86400.0 * float(days or 0) + 3600.0 * float(hours) + 60.0 * float(minutes)
    return whole + float(seconds.replace(",", "."))


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, a repeated one with its number: ``"I"``, ``"I 2"``."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return found
