"""Tables that other programs wrote: named columns of numbers with their units.

``read_table`` takes CSV and other text (delimiter and decimal mark are found, or the file is
refused as ambiguous), HDF5 groups, results of ImageJ, and the files of cyclers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.units import UnitError, convert

__all__ = ["Column", "DataTable", "plain_unit", "read_table", "split_heading"]

Array = NDArray[np.float64]

PIXEL = "px"
"""Unit of a length in an image whose pixel size is not known yet."""

# what follows a slash is a unit only if it is one of these: "dQ/dV" is a name
_AFTER_SLASH_TEXT = (
    "s ms us min h d Hz kHz MHz V mV uV A mA uA nA pA C mC A.h mA.h uA.h nA.h Ah mAh uAh nAh"
    " Ohm mOhm kOhm MOhm ohm W mW uW W.h mW.h Wh mWh F mF uF nF K degC °C deg % m cm mm um nm S mS"
    " mS/cm V/s mV/s mAh/g A/g mA/g Ohm.cm"
)
_AFTER_SLASH = frozenset(_AFTER_SLASH_TEXT.split())
_BRACKETS = re.compile(r"^(?P<name>.*\S)\s*\[(?P<unit>[^\[\]]*)\]$")
_PARENTHESES = re.compile(r"^(?P<name>.*\S)\s*\((?P<unit>[^()]*)\)$")
_SPELLED = {
    "sec": "s", "secs": "s", "seconds": "s", "second": "s", "minutes": "min", "mins": "min",
    "hr": "h", "hrs": "h", "hours": "h", "volt": "V", "volts": "V", "amp": "A", "amps": "A",
    "ampere": "A", "amperes": "A", "ohms": "ohm", "microns": "um", "micron": "um", "pixel": PIXEL,
    "pixels": PIXEL, "-": "1", "a.u.": "1", "dimensionless": "1", "celsius": "degC",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column of numbers.

    Parameters
    ----------
    name : str
        Without the unit.
    unit : str
        As `nmcsim.units` reads it; ``""`` where the file says none.
    values : (rows,) float array
        NaN in empty cells.
    """

    name: str
    unit: str
    values: Array = field(repr=False)


@dataclass(frozen=True)
class DataTable:
    """Columns of one length.

    Parameters
    ----------
    source : str
        The file, for messages.
    columns : tuple of Column
    rows : (rows,) int array
        What a user knows each row as: its line of a text file, else its number from 1.
    texts : mapping of str to tuple of str
        Columns that are no numbers, such as labels.
    notes : tuple of str
        How the file was understood, a sentence each.
    """

    source: str
    columns: tuple[Column, ...]
    rows: NDArray[np.int_] = field(repr=False)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns of numbers."""
        return tuple(column.name for column in self.columns)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Column:
        """A column by its name, or by ``"name [unit]"``, which says the unit where the file does
        not.

        Raises
        ------
        InputError
            There is no such column, or it has another unit.
        """
        wanted, unit = split_heading(name)
        for asked in (name.strip(), wanted):
            if asked in self.names:
                found = self.columns[self.names.index(asked)]
                break
        else:
            raise InputError(Mistake(f'column "{name}"', self._unknown(wanted)), self.source)
        if found.name == name.strip() or not unit or unit == found.unit:
            return found
        if found.unit:
            message = f'has the unit "{found.unit}" in the file; write "{found.name}"'
            raise InputError(Mistake(f'column "{name}"', message), self.source)
        return replace(found, unit=unit)

    def _unknown(self, name: str) -> str:
        if name in self.texts:
            return "holds texts, not numbers"
        close = difflib.get_close_matches(name, self.names, n=1)
        mend = f'did you mean "{close[0]}"?' if close else f"it has {', '.join(self.names)}"
        return f"is not there; {mend}"

    def si(self, name: str, unit: str) -> Array:
        """A column in the SI unit `unit`, shape (rows,).

        Raises
        ------
        InputError
            There is no such column, it has no unit, or one that does not convert.
        """
        column = self[name]
        place = f'column "{column.name}"'
        if not column.unit and unit == "1":
            return column.values
        if not column.unit:
            message = f'has no unit; say "{column.name} [{unit}]", in the file or where it is named'
            raise InputError(Mistake(place, message), self.source)
        if column.unit == PIXEL:
            message = "is in pixels; give the size of a pixel, such as 34.7 nm"
            raise InputError(Mistake(place, message), self.source)
        try:
            zero, one = (convert(n, column.unit, unit) for n in (0.0, 1.0))
        except UnitError as error:
            message = f'= "{column.unit}" {error.mistakes[0].message}'
            raise InputError(Mistake(place, message), self.source) from None
        return column.values if (zero, one) == (0.0, 1.0) else (one - zero) * column.values + zero

    def with_columns(self, columns: Sequence[Column], notes: Sequence[str] = ()) -> DataTable:
        """The same rows with other columns, and more notes."""
        return replace(self, columns=tuple(columns), notes=(*self.notes, *notes))


def read_table(path: str | Path, *, dataset: str | None = None, decimal: str = "") -> DataTable:
    """The table in a file, whichever program wrote it.

    Parameters
    ----------
    path : path
        ``.h5 .hdf5``: columns are the one-dimensional datasets of a group, their units its
        attributes; ``.mpr .nda .ndax``: binary files of cyclers; anything else is text: CSV, TSV,
        ``.mpt``, results of ImageJ. Units stand in headings (``name [unit]``, ``name (unit)``,
        ``name/unit``) or in a row of their own below them.
    dataset : str, optional
        Group of an HDF5 file; the only one with columns where not given.
    decimal : str
        ``"."`` or ``","`` where a text leaves open what its commas are.

    Raises
    ------
    InputError
        The file cannot be read, is no table, or can be read in two ways.
    """
    place = Path(path)
    if place.is_dir():
        raise InputError(Mistake("", "is a folder; give a file"), str(place))
    if not place.is_file():
        raise InputError(Mistake("", "does not exist"), str(place))
    if place.stat().st_size == 0:
        raise InputError(Mistake("", "is empty"), str(place))
    ending = place.suffix.lower()
    if ending in (".h5", ".hdf5", ".he5"):
        from nmcsim.measured.hdf5_table import read_hdf5

        return read_hdf5(place, dataset)
    if dataset is not None:
        message = f'is no HDF5 file, and has no dataset "{dataset}"'
        raise InputError(Mistake("", message), str(place))
    if ending in (".mpr", ".nda", ".ndax"):
        from nmcsim.measured.cyclers import read_cycler

        return read_cycler(place)
    from nmcsim.measured.text_table import read_text

    return read_text(place, decimal)


def split_heading(text: str) -> tuple[str, str]:
    """Name and unit of a heading; the unit is ``""`` where it says none.

    ``"t [s]"``, ``"Voltage(V)"``, ``"Ewe/V"``; not ``"Re(Z)"`` or ``"dQ/dV"``.
    """
    plain = text.strip()
    if match := _BRACKETS.match(plain):
        return match["name"].strip(), plain_unit(match["unit"])
    if (match := _PARENTHESES.match(plain)) and is_unit(match["unit"]):
        return match["name"].strip(), plain_unit(match["unit"])
    if plain == "control/V/mA":  # EC-Lab: volts in some rows, milliamperes in others
        return plain, ""
    for at in (i for i, letter in enumerate(plain) if letter == "/" and i > 0):
        unit = plain[at + 1 :].strip().replace("µ", "u").replace("μ", "u").replace("Ω", "Ohm")
        if unit in _AFTER_SLASH:
            return plain[:at].strip(), plain_unit(unit)
    return plain, ""


def plain_unit(text: str) -> str:
    """A unit in the spelling of `nmcsim.units`: ``"mA.h"`` is ``"mA*h"``, ``"Seconds"`` ``"s"``."""
    plain = text.strip()
    plain = _SPELLED.get(plain.lower(), plain)
    return re.sub(r"(?<=[A-Za-z])\.(?=[A-Za-z])", "*", plain).replace("Ohm", "ohm")


def is_unit(text: str) -> bool:
    """Whether this is a unit, to people: short, and known."""
    plain = plain_unit(text)
    if plain == PIXEL or not plain:
        return plain == PIXEL
    if len(plain) > 12 or plain in ("Z", "a", "b", "t", "x", "y", "z"):
        return False
    try:
        convert(1.0, plain, plain)
    except UnitError:
        return False
    return True
