"""A CSV of a measurement: one header line of ``name [unit]``, a row per instant or state."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Columns", "SeriesError", "header_name", "read_columns", "write_columns"]

Array = NDArray[np.float64]

_HEADER = re.compile(r"^(?P<name>.*?)\s*(?:\[(?P<unit>[^\]]*)\])?$")
_LARGEST = 256 * 2**20  # bytes; ten million rows


class SeriesError(ValueError):
    """A file that holds no columns of numbers; its text is a message for a `Mistake`."""


@dataclass(frozen=True)
class Columns:
    """The columns of a CSV.

    Parameters
    ----------
    values : mapping of str to (n,) float array
        By name, without the unit; an empty cell is NaN.
    units : mapping of str to str
        As written between brackets; ``""`` where the header says none.
    """

    values: Mapping[str, Array]
    units: Mapping[str, str]

    def find(self, name: str) -> str:
        """The name of the column ``name``, which may be written with its unit.

        Raises
        ------
        SeriesError
            There is none; the sentence names the nearest, or all.
        """
        for candidate in (name.strip(), header_name(name)[0]):
            if candidate in self.values:
                return candidate
        close = difflib.get_close_matches(header_name(name)[0], self.values, n=1)
        has = f'did you mean "{close[0]}"?' if close else f"it has {', '.join(self.values)}"
        raise SeriesError(f'has no column "{name}"; {has}')


def header_name(text: str) -> tuple[str, str]:
    """``"d_COM [um]"`` as ``("d_COM", "um")``; the unit is empty where there is none."""
    found = _HEADER.match(text.strip())
    assert found is not None
    return found["name"].strip(), (found["unit"] or "").strip()


def read_columns(path: Path) -> Columns:
    """The columns of a CSV, separated by comma, semicolon or tab; lines with ``#`` are remarks.

    Raises
    ------
    SeriesError
        No such file, not text, a repeated name, a cell that is no number, a short row.
    """
    lines = _lines(path)
    if not lines:
        raise SeriesError("is empty; its first line names the columns, such as time [s],soc [1]")
    separator = max(",;\t", key=lines[0][1].count)
    heads = [header_name(cell) for cell in next(csv.reader([lines[0][1]], delimiter=separator))]
    names = [name for name, _ in heads]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise SeriesError(f'has two columns "{twice}"; rename one')
    if all(_is_number(name) for name in names):
        raise SeriesError("has no header; its first line names the columns, such as time [s]")
    rows = [_row(line, text, separator, names) for line, text in lines[1:]]
    if not rows:
        raise SeriesError("has a header and no rows")
    table = np.array(rows, float).reshape(len(rows), len(names))
    return Columns({name: table[:, i] for i, name in enumerate(names)}, dict(heads))


def write_columns(path: Path, columns: Sequence[tuple[str, str, Array]]) -> None:
    """Write ``(name, unit, values)`` as a CSV; NaN is an empty cell.

    Floats are written with all their digits: what is read again is equal.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f"{name} [{unit}]" for name, unit, _ in columns])
        for row in zip(*(values.tolist() for _, _, values in columns), strict=True):
            writer.writerow(["" if value != value else repr(value) for value in row])


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that say something, with their numbers from 1."""
    try:
        if path.stat().st_size > _LARGEST:
            raise SeriesError("is larger than 256 MB; thin it out")
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise SeriesError("does not exist") from None
    except IsADirectoryError:
        raise SeriesError("is a folder, not a CSV file") from None
    except OSError as error:
        raise SeriesError(f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise SeriesError("is not text in UTF-8; save it as CSV") from None
    return [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        # a row of separators is one that was deleted in a spreadsheet
        if line.strip(",;\t ") and not line.lstrip().startswith("#")
    ]


def _row(line: int, text: str, separator: str, names: Sequence[str]) -> list[float]:
    cells = next(csv.reader([text], delimiter=separator))
    if len(cells) != len(names):
        raise SeriesError(f"line {line} has {len(cells)} cells, and there are {len(names)} columns")
    found = []
    for name, cell in zip(names, cells, strict=True):
        plain = cell.strip()
        if separator != ",":  # then a comma can only be a decimal one
            plain = plain.replace(",", ".")
        if not plain:
            found.append(np.nan)
        elif _is_number(plain):
            found.append(float(plain))
        else:
            raise SeriesError(f'line {line}, column "{name}": "{cell.strip()}" is no number')
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
