"""Measured laws from CSV files: reading, and every way in which such a file can be wrong."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from nmcsim import units
from nmcsim.curve import Curve
from nmcsim.errors import Mistake
from nmcsim.materials.law import THETA, Argument, Law, LawError, Tabulated

Array = NDArray[np.float64]

AXES: Final = {"theta": ("theta", "extracted"), "c": ("c",)}  # of the argument of a law
FEWEST: Final = 4  # points: fewer leave the slopes of a monotone cubic to guesswork
MOST_BYTES: Final = 50_000_000


@dataclass(frozen=True)
class Columns:
    """How to read a table.

    Parameters
    ----------
    x : str
        ``"theta"`` or ``"extracted"`` (lithium taken out, 1 - theta), ``"c"`` of an electrolyte;
        empty: by the header.
    x_unit : str
        ``"1"`` or ``"%"``, of c a unit such as ``"mol/L"``; empty: by the header, and 1 without one
        for a stoichiometry.
    x_column, y_column : str or int
        The name in the header, or the number counted from 1.
    unit : str
        Of the second column; empty: by the header.
    """

    x: str = ""
    x_unit: str = ""
    x_column: str | int = 1
    y_column: str | int = 2
    unit: str = ""


def read_law(
    path: Path,
    columns: Columns,
    symbol: str,
    unit: str,
    *,
    positive: bool,
    argument: Argument = THETA,
) -> Law:
    """The law in a CSV file.

    Parameters
    ----------
    path : Path
        Columns separated by commas, semicolons, tabs or blanks; ``#`` starts a comment; a first
        row that is not numeric is the header (``theta, U [V]``).
    columns : Columns
        What stands where, in which units.
    symbol, unit : str
        Of the law; the values are converted to `unit`. An OCV (``"U"``) must fall strictly.
    positive : bool
        Refuse values that are not, and interpolate the logarithm.
    argument : Argument
        What the law is a function of.

    Returns
    -------
    Law
        Valid on the range of the table.

    Raises
    ------
    LawError
        An unreadable or binary file, a row that is not numeric, too few points, an axis or an OCV
        that is not monotone, a value that is not positive, a missing unit or axis.
    """
    header, rows = _split(path)
    names, header_units = _names(header)
    ix = _index(path, columns.x_column, names, "x_column", len(rows[0][1]))
    iy = _index(path, columns.y_column, names, "y_column", len(rows[0][1]))
    lines = [line for line, _ in rows]
    x = _numbers(path, rows, ix)
    y = _numbers(path, rows, iy)
    if len(x) < FEWEST:
        _refuse(path, f"has {len(x)} points; a law needs {FEWEST} or more")
    axis = _axis(path, columns.x, names[ix] if names else "", argument)
    x_unit = columns.x_unit or header_units.get(ix, "")
    if argument is THETA:
        theta = _stoichiometry(path, lines, x, axis, x_unit or "1")
    else:
        theta = _in_si(path, x, columns.x_unit, header_units.get(ix, ""), ix, argument.unit, "x_")
        _check_not_negative(path, lines, axis, theta)
    values = _in_si(path, y, columns.unit, header_units.get(iy, ""), iy, unit)
    theta, values, lines = _increasing(path, lines, theta, values, argument)
    if symbol == "U":
        _check_falls(path, lines, theta, values)
    if positive:
        _check_positive(path, lines, symbol, theta, values, argument)
    curve = Curve.table(theta, np.log(values) if positive else values)
    return Law(
        symbol=symbol,
        unit=unit,
        fn=Tabulated(curve, logarithmic=positive),
        valid=(float(theta[0]), float(theta[-1])),
        source=path.name,
        text=f"{path.name}, {len(theta)} points",
        positive=positive,
        path=path,
        argument=argument,
    )


Row = tuple[int, list[str]]  # the line it stands in, counted from 1, and its cells


def _split(path: Path) -> tuple[list[str], list[Row]]:
    """The header's cells (empty without one) and the rows of cells."""
    rows: list[Row] = []
    separator: str | None = None
    for number, line in enumerate(_text(path).splitlines(), start=1):
        plain = line.split("#", 1)[0].strip()
        if not plain:
            continue
        if not rows:
            separator = next((mark for mark in ";\t," if mark in plain), None)
        cells = [cell.strip().strip('"') for cell in plain.split(separator)]
        rows.append((number, cells))
    if not rows:
        _refuse(path, "is empty")
    header: list[str] = []
    if not any(_is_number(cell) for cell in rows[0][1]):
        header = rows.pop(0)[1]
    if not rows:
        _refuse(path, "has a header and no rows")
    return header, rows


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            _refuse(path, f"is larger than {MOST_BYTES // 10**6} MB; is it a table?")
        data = path.read_bytes()
    except FileNotFoundError:
        _refuse(path, f'is not in "{path.parent}"; write its path from the case file\'s folder')
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        _refuse(path, "is not a text file in UTF-8; save the table as CSV")
    return text


def _names(header: list[str]) -> tuple[list[str], dict[int, str]]:
    """Names and units from a header such as ``theta``, ``U [V]``, ``U / V`` or ``U (V)``."""
    names, found = [], {}
    for index, cell in enumerate(header):
        match = re.fullmatch(r"(.*?)\s*(?:\[(.*)\]|\((.*)\)|\s/\s(.*))", cell)
        names.append(match[1].strip() if match else cell)
        if match:
            found[index] = next(group for group in match.groups()[1:] if group is not None).strip()
    return names, found


def _index(path: Path, column: str | int, names: list[str], key: str, width: int) -> int:
    if isinstance(column, int):
        if not 1 <= column <= width:
            _refuse(path, f"has {width} columns, and {key} = {column}; count from 1")
        return column - 1
    if not names:
        _refuse(path, f'has no header, and {key} = "{column}"; write its number, counted from 1')
    if column not in names:
        close = difflib.get_close_matches(column, names, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"it has {', '.join(names)}"
        _refuse(path, f'has no column "{column}" for {key}; {hint}')
    return names.index(column)


def _numbers(path: Path, rows: list[Row], index: int) -> Array:
    values = np.empty(len(rows))
    for i, (line, cells) in enumerate(rows):
        if index >= len(cells):
            _refuse(path, f"has only {len(cells)} columns in line {line}; {index + 1} are needed")
        if not _is_number(cells[index]):
            _refuse(path, f'has "{cells[index]}" in line {line}, where a number is needed')
        values[i] = float(cells[index])
    return values


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _axis(path: Path, asked: str, name: str, argument: Argument) -> str:
    known = AXES[argument.symbol]
    of_theta = argument is THETA
    if asked and asked not in known:
        mend = 'x = "theta" or x = "extracted" (1 - theta)' if of_theta else f'x = "{known[0]}"'
        _refuse(path, f'has x = "{asked}"; write {mend}')
    axis = asked or name.lower()
    if axis not in known:
        mend = (
            'x = "theta" or x = "extracted" (lithium taken out, 1 - theta)'
            if of_theta
            else f'x = "{known[0]}" (concentration of the salt)'
        )
        _refuse(path, f"does not say what its axis is; write {mend}")
    return axis


def _check_not_negative(path: Path, lines: list[int], axis: str, x: Array) -> None:
    if (x < 0).any():
        row = int(np.argmax(x < 0))
        _refuse(path, f"has {axis} = {x[row]:g} in line {lines[row]}, below 0")


def _stoichiometry(path: Path, lines: list[int], x: Array, axis: str, unit: str) -> Array:
    if unit not in ("1", "%", "-", ""):
        _refuse(path, f'has x_unit = "{unit}"; write "1" or "%"')
    share = x / 100.0 if unit == "%" else x
    outside = (share < 0) | (share > 1)
    if outside.any():
        row = int(np.argmax(outside))
        hint = "" if unit == "%" else '; if these are percent, write x_unit = "%"'
        _refuse(path, f"has {axis} = {x[row]:g} in line {lines[row]}, outside 0 .. 1{hint}")
    return 1.0 - share if axis == "extracted" else share


def _in_si(
    path: Path, y: Array, asked: str, header: str, index: int, unit: str, key: str = ""
) -> Array:
    """The column in SI; its unit was `asked` for by the key ``unit`` (or ``x_unit``)."""
    stated = asked or header
    if not stated:
        _refuse(path, f'does not state the unit of column {index + 1}; write {key}unit = "{unit}"')
    try:
        factor, header_factor = (units.convert(1.0, u, unit) for u in (stated, header or stated))
    except units.UnitError as error:
        _refuse(path, f'has {key}unit = "{stated}", which {error}')
    if factor != header_factor:
        _refuse(path, f'has "{header}" in its header, and {key}unit = "{asked}"; make them agree')
    return y * factor


def _increasing(
    path: Path, lines: list[int], theta: Array, values: Array, argument: Argument
) -> tuple[Array, Array, list[int]]:
    """The points in the order of increasing argument."""
    steps = np.diff(theta)
    rising = bool(theta[-1] > theta[0])
    wrong = steps <= 0 if rising else steps >= 0
    if wrong.any():
        row = int(np.argmax(wrong)) + 1
        what = "repeats its axis value" if steps[row - 1] == 0 else "turns back on its axis"
        _refuse(
            path,
            f"{what} in line {lines[row]} ({argument.symbol} = {theta[row]:g} after "
            f"{theta[row - 1]:g}); "
            "sort the rows and remove repetitions",
        )
    return (theta, values, lines) if rising else (theta[::-1], values[::-1], lines[::-1])


def _check_falls(path: Path, lines: list[int], theta: Array, values: Array) -> None:
    rising = np.diff(values) >= 0
    if rising.any():
        i = int(np.argmax(rising))
        _refuse(
            path,
            f"does not fall in line {lines[i + 1]}: U = {values[i + 1]:.6g} V at theta = "
            f"{theta[i + 1]:g}, after {values[i]:.6g} V at {theta[i]:g}; an OCV that rises or is "
            "flat makes diffusion ill-posed: smooth the data",
        )


def _check_positive(
    path: Path, lines: list[int], symbol: str, theta: Array, values: Array, argument: Argument
) -> None:
    if (values <= 0).any():
        i = int(np.argmax(values <= 0))
        _refuse(
            path,
            f"has {symbol} = {values[i]:g} at {argument.symbol} = {theta[i]:g} in line {lines[i]}; "
            "it must be positive",
        )


def _refuse(path: Path, message: str) -> NoReturn:
    raise LawError(Mistake("", f'table "{path.name}" {message}'))
