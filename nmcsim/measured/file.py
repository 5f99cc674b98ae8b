"""``measured.toml``, read with all its mistakes at once.

A file is a list of entries, a table each. See docs/how-to/measurement.md for the keys, and
docs/architecture.md for the contract.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.measured.measurement import OPERATORS, Measured, MeasuredSeries, Measurement
from nmcsim.measured.series_file import (
    Columns,
    SeriesError,
    header_name,
    read_columns,
)
from nmcsim.units import UnitError, convert

__all__ = ["TEXTS", "read_measured"]

Array = NDArray[np.float64]

TEXTS = ("unit", "bound", "observable", "method", "source", "missing", "note")
KEYS = ("value", "uncertainty", "series", "x", "column", "conditions", *TEXTS)
STACKS = (".tif", ".tiff", ".npy", ".h5", ".hdf5", ".png")
BOUNDS = ("at most", "at least")


def read_measured(path: Path) -> Measured:
    """The measurements of a file; see `Measured.read`."""
    data = _toml(path)
    mistakes: list[Mistake] = []
    files: dict[Path, Columns | SeriesError] = {}
    heads = {"title": "", "source": ""}
    entries = []
    for key, value in data.items():
        if key in heads:
            if not isinstance(value, str):
                mistakes.append(Mistake(key, f"is {_said(value)}, not a text; write it in quotes"))
            else:
                heads[key] = value
        elif not isinstance(value, Mapping):
            close = difflib.get_close_matches(key, heads, n=1)
            mend = f'did you mean "{close[0]}"?' if close else f"an entry is a table: [{key}]"
            mistakes.append(Mistake(key, f"is not a key here; {mend}"))
        elif key not in OPERATORS:
            entry = _Entry(key, value, path.parent, files)
            entries.append(entry.read())
            mistakes += entry.mistakes
    if mistakes:
        raise InputError(mistakes, str(path))
    operators = {key: value for key, value in data.items() if key in OPERATORS}
    if not entries and not operators:
        raise InputError(Mistake("", "holds no measurement; write one as a table"), str(path))
    return Measured(entries=tuple(entries), operators=operators, path=path, **heads)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        message = "does not exist"
    except IsADirectoryError:
        message = "is a folder; give its measured.toml"
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
    except UnicodeDecodeError:
        message = "is not text in UTF-8; save it in that encoding"
        if path.suffix.lower() in STACKS:
            message = "is a stack and no file of measurements; reduce it with nmcsim measure first"
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"is not valid TOML: {error}"
    raise InputError(Mistake("", message), str(path))


class _Entry:
    """One table of the file, and what is wrong with it."""

    def __init__(
        self,
        name: str,
        table: Mapping[str, Any],
        folder: Path,
        files: dict[Path, Columns | SeriesError],
    ) -> None:
        self.name, self.table, self.folder, self.files = name, table, folder, files
        self.mistakes: list[Mistake] = []

    def wrong(self, key: str, message: str) -> None:
        self.mistakes.append(Mistake(f"{self.name}.{key}" if key else self.name, message))

    def read(self) -> Measurement:
        """The entry; meaningless where there are mistakes."""
        table = self.table
        for key in table:
            if key not in KEYS:
                close = difflib.get_close_matches(key, KEYS, n=1)
                mend = f'did you mean "{close[0]}"?' if close else f"it has {', '.join(KEYS)}"
                self.wrong(key, f"is not a key of a measurement; {mend}")
        texts = {key: self._text(key) for key in TEXTS}
        conditions = table.get("conditions", {})
        if not isinstance(conditions, Mapping):
            self.wrong("conditions", 'is no table; write { rate = "1C" }')
            conditions = {}
        if texts["bound"] and texts["bound"] not in BOUNDS:
            self.wrong("bound", f'= "{texts["bound"]}" is no bound; write "at most" or "at least"')
        if texts["unit"]:
            self._unit_is_known("unit", texts["unit"])
        self._one_kind()
        series, value, uncertainty = None, None, None
        if "series" in table:
            series, texts["unit"] = self._series(texts["unit"])
        elif "value" in table:
            value = self._number("value")
            if not texts["unit"] and not isinstance(table["value"], str):
                plain = 'write its unit, such as unit = "um", or unit = "1" for a plain number'
                self.wrong("value", f"= {table['value']} has no unit; {plain}")
            if "uncertainty" in table:
                uncertainty = self._uncertainty()
        return Measurement(
            self.name, value=value, uncertainty=uncertainty, series=series,
            conditions=dict(conditions), **(texts | {"unit": texts["unit"] or "1"}),  # type: ignore[arg-type]
        )  # fmt: skip

    def _text(self, key: str) -> str:
        value = self.table.get(key, "")
        if isinstance(value, str):
            return value
        self.wrong(key, f"is {_said(value)}, not a text; write it in quotes")
        return ""

    def _unit_is_known(self, key: str, unit: str) -> bool:
        try:
            convert(1.0, unit, unit)
        except UnitError as error:
            self.wrong(key, f'= "{unit}" {error.mistakes[0].message}')
            return False
        return True

    def _one_kind(self) -> None:
        """A number, a curve, or a word on why there is none: one of them."""
        kinds = [key for key in ("value", "series", "missing") if key in self.table]
        if not kinds:
            about = "has no value and no series; give one"
            self.wrong("", f'{about}, or say where it stands: missing = "Fig. S4"')
        elif len(kinds) > 1:
            self.wrong(kinds[1], f"cannot stand beside {kinds[0]}; leave one of them out")
        needs = {"uncertainty": ("value", "series"), "x": ("series",), "column": ("series",),
                 "bound": ("value",)}  # fmt: skip
        for key, of in needs.items():
            if key in self.table and kinds and not set(kinds) & set(of):
                self.wrong(key, f"belongs to a {' or a '.join(of)}; leave it out")

    def _number(self, key: str) -> float | None:
        value = self.table[key]
        if isinstance(value, str):
            number, _, unit = value.strip().partition(" ")
            mend = f'write {key} = {number} and unit = "{unit}"' if unit else "write a number"
            self.wrong(key, f'= "{value}" is a text; {mend}')
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(key, f"is {_said(value)}, not a number")
            return None
        if not math.isfinite(value):
            self.wrong(key, f'= {value} is no number; say why with missing = "..."')
            return None
        return float(value)

    def _uncertainty(self) -> float | None:
        value = self.table["uncertainty"]
        if isinstance(value, str) and "series" not in self.table:
            self.wrong("uncertainty", f'= "{value}" is a text; write one standard deviation')
            return None
        found = self._number("uncertainty")
        if found is not None and found <= 0.0:
            mend = "it is one standard deviation, above 0; leave it out where unknown"
            self.wrong("uncertainty", f"= {value} cannot be; {mend}")
            return None
        return found

    # -- series ---------------------------------------------------------------------------------

    def _series(self, unit: str) -> tuple[MeasuredSeries | None, str]:
        """The curve, and its unit: the entry's, else that of the column."""
        if not isinstance(self.table["series"], str):
            self.wrong("series", 'is no file; write series = "frames.csv"')
            return None, unit
        columns = self._columns(self.table["series"])
        if columns is None:
            return None, unit
        names = list(columns.values)
        x = self._column(columns, "x", "time" if "time" in names else names[0])
        values = self._column(columns, "column", self._likely(names, x))
        if x is None or values is None:
            return None, unit
        if not columns.units[x]:
            self.wrong("x", f'= "{x}" has no unit in {self.file}; write "{x} [s]" or "{x} [1]"')
            return None, unit
        if not columns.units[values] and not unit:
            self.wrong("", f'has no unit; write unit = "um", or "{values} [um]" in {self.file}')
            return None, unit
        unit = unit or columns.units[values]
        known = self._unit_is_known("x", columns.units[x]) and self._unit_is_known("unit", unit)
        if not known:
            return None, unit
        found = self._converted(columns, values, unit, "column")
        spread = self._spread(columns, unit)
        if found is None or spread is None:
            return None, unit
        along = columns.values[x]
        if (said := _order(along)) is not None:
            branch = "one that rises or falls is needed; cut the file where it turns"
            self.wrong("x", f'= "{x}" does not rise: {said}; {branch}')
            return None, unit
        if along[-1] < along[0]:
            along, found, spread = along[::-1], found[::-1], spread[::-1]
        return MeasuredSeries(along, found, spread, x, columns.units[x]), unit

    def _likely(self, names: Sequence[str], x: str | None) -> str:
        """The column of an entry that names none: that of its own name, or the only one left."""
        for name in (self.name, self.table.get("observable")):
            if name in names:
                return str(name)
        rest = set(names) - {x, header_name(str(self.table.get("uncertainty", "")))[0]}
        return rest.pop() if len(rest) == 1 else self.name

    @property
    def file(self) -> str:
        return str(self.table["series"])

    def _columns(self, file: str) -> Columns | None:
        path = self.folder / file
        if path not in self.files:
            try:
                self.files[path] = read_columns(path)
            except SeriesError as error:
                self.files[path] = error
        found = self.files[path]
        if isinstance(found, SeriesError):
            self.wrong("series", f'= "{file}" {found}')
            return None
        return found

    def _column(self, columns: Columns, key: str, otherwise: str) -> str | None:
        """The column that a key names, and `otherwise` where the entry has no such key."""
        name = self.table.get(key, otherwise)
        if not isinstance(name, str):
            self.wrong(key, f"is {_said(name)}, not the name of a column")
            return None
        try:
            return columns.find(name)
        except SeriesError as error:
            mend = "" if key in self.table else f"; name it: {key} = ..."
            self.wrong(key, f"{self.file} {error}{mend}")
            return None

    def _converted(self, columns: Columns, name: str, unit: str, key: str) -> Array | None:
        """A column in the unit of the entry; a header without unit is in that unit."""
        values, own = columns.values[name], columns.units[name] or unit
        if own == unit:
            return values
        try:
            shift = convert(0.0, own, unit)
            factor = convert(1.0, own, unit) - shift
        except UnitError as error:
            self.wrong(key, f'"{name} [{own}]" of {self.file} {error.mistakes[0].message}')
            return None
        return factor * values + (0.0 if key == "uncertainty" else shift)

    def _spread(self, columns: Columns, unit: str) -> Array | None:
        """The uncertainties, in the unit of the entry; NaN where there are none."""
        said = self.table.get("uncertainty")
        count = len(next(iter(columns.values.values())))
        if said is None:
            return np.full(count, np.nan)
        if not isinstance(said, str):
            one = self._uncertainty()
            return None if one is None else np.full(count, one)
        name = self._column(columns, "uncertainty", "")
        found = None if name is None else self._converted(columns, name, unit, "uncertainty")
        if found is not None and (found <= 0.0).any():
            row = int(np.argmax(found <= 0.0)) + 1
            mend = "leave a cell empty where it is unknown"
            self.wrong("uncertainty", f'= "{said}" is not above 0 in row {row}; {mend}')
            return None
        return found


def _order(x: Array) -> str | None:
    """What is wrong with the order of a series; None where it rises or falls throughout."""
    if np.isnan(x).any():
        return f"row {int(np.argmax(np.isnan(x))) + 1} is empty"
    if len(x) < 2:
        return None
    sign = 1.0 if x[-1] >= x[0] else -1.0
    steps = sign * np.diff(x)
    if (steps > 0.0).all():
        return None
    row = int(np.argmax(steps <= 0.0)) + 1
    return f"{x[row]:g} in row {row + 1} comes after {x[row - 1]:g}"


def _said(value: Any) -> str:
    kinds = {bool: "true or false", dict: "a table", list: "a list", str: "a text"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else "no such thing")
