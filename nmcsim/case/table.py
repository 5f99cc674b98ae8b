"""Columns of a CSV file, with the units that their headings name."""

from __future__ import annotations

import csv
import difflib
import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmcsim import units
from nmcsim.errors import InputError, Mistake

_HEADING = re.compile(r"^(?P<name>.*?)\s*[\[(](?P<unit>[^\])]+)[\])]\s*$")


def read_columns(path: Path, wanted: Mapping[str, str]) -> list[NDArray[np.float64]]:
    """Columns of a CSV file in SI units.

    Parameters
    ----------
    path : Path
        Comma, semicolon or tab separated, UTF-8; lines that begin with ``#`` are skipped; the
        first other line holds the headings.
    wanted : mapping of str to str
        Headings, each with its unit in brackets (``"t [s]"``), to the SI unit of what is returned.

    Returns
    -------
    list of numpy.ndarray
        One array of shape (rows,) for each heading wanted.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column or holds anything but finite numbers.
    """
    lines = [(n, line) for n, line in enumerate(_text(path).splitlines(), 1) if _holds_data(line)]
    if len(lines) < 3:
        raise _mistake(path, "has fewer than two rows below its line of headings")
    separator = next((mark for mark in ("\t", ";", ",") if mark in lines[0][1]), ",")
    headings = [cell.strip() for cell in next(csv.reader([lines[0][1]], delimiter=separator))]
    places = [(_find(path, headings, heading), heading) for heading in wanted]
    rows = list(csv.reader((line for _, line in lines[1:]), delimiter=separator))
    columns = []
    for place, heading in places:
        numbers = [
            _number(path, n, row, place) for (n, _), row in zip(lines[1:], rows, strict=True)
        ]
        columns.append(np.array(numbers) * _factor(path, heading, wanted[heading]))
    return columns


def data_lines(path: Path) -> list[int]:
    """In which line of the file each row of its columns stands, from 1."""
    lines = [n for n, line in enumerate(_text(path).splitlines(), 1) if _holds_data(line)]
    return lines[1:]


def increasing(path: Path, times: NDArray[np.float64]) -> None:
    """Refuse times that do not increase from row to row."""
    late = np.flatnonzero(np.diff(times) <= 0.0)
    if late.size:
        raise _mistake(path, f"has times that do not increase, at {times[late[0] + 1]:g} s")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _mistake(path, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise _mistake(path, "is not a text file in UTF-8; save the table as CSV") from None


def _holds_data(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _find(path: Path, headings: list[str], heading: str) -> int:
    if heading in headings:
        return headings.index(heading)
    close = difflib.get_close_matches(heading, headings, 1)
    hint = f'did you mean "{close[0]}"?' if close else "it has " + ", ".join(map(repr, headings))
    raise _mistake(path, f'has no column "{heading}"; {hint}')


def _number(path: Path, line: int, row: list[str], place: int) -> float:
    text = row[place].strip() if place < len(row) else ""
    try:
        value = float(text)
    except ValueError:
        raise _mistake(path, f'holds "{text}" in line {line}, which is not a number') from None
    if not math.isfinite(value):
        raise _mistake(path, f'holds "{text}" in line {line}, which is not finite')
    return value


def _factor(path: Path, heading: str, unit: str) -> float:
    found = _HEADING.match(heading)
    if found is None:
        raise _mistake(
            path, f'needs a unit in the heading "{heading}", such as "{heading} [{unit}]"'
        )
    try:
        return units.convert(1.0, found["unit"], unit)
    except InputError as error:
        raise _mistake(path, f'the heading "{heading}" {error.mistakes[0].message}') from None


def _mistake(path: Path, message: str) -> InputError:
    return InputError(Mistake("", f"{path.name} {message}"))
