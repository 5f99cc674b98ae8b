"""Tables of ImageJ and Fiji (Analyze > Measure, Analyze Particles), with lengths in metres.

Such a table does not say its unit: lengths are in pixels where the image had no scale, else in the
unit of that scale. Positions of Feret's diameter are in pixels in either case.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nmcsim.errors import InputError, Mistake
from nmcsim.measured.tables import PIXEL, Column, DataTable, read_table
from nmcsim.units import UnitError, convert

__all__ = ["AREAS", "LENGTHS", "is_fiji", "read_fiji"]

_LENGTHS = "X Y Z XM YM BX BY Width Height Perim. Major Minor Feret MinFeret Length"
_OTHERS = (
    "Mean StdDev Mode Min Max Circ. IntDen Median Skew Kurt %Area RawIntDen Slice Frame Ch"
    " FeretAngle AR Round Solidity Angle"
)
LENGTHS = frozenset(_LENGTHS.split())
AREAS = frozenset(("Area",))
ALWAYS_PIXELS = frozenset(("FeretX", "FeretY"))
FRAMES = ("Frame", "Slice")
_KNOWN = LENGTHS | AREAS | ALWAYS_PIXELS | frozenset(_OTHERS.split())


def is_fiji(table: DataTable) -> bool:
    """Whether the columns are those of ImageJ: three of them, and none with a unit."""
    known = [name for name in (*table.names, *table.texts) if name in _KNOWN or name == "Label"]
    return len(known) >= min(3, len(table.names)) and not any(c.unit for c in table.columns)


def read_fiji(
    path: str | Path,
    *,
    unit: str | None = None,
    pixel: float | None = None,
    interval: float | None = None,
    decimal: str = "",
) -> DataTable:
    """A table of results with units.

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv``, ``.txt`` or ``.xls`` (text in spite of its ending), with or without
        the column of row numbers.
    unit : str, optional
        That of the image's scale, such as ``"um"``, if it had one.
    pixel : float, optional
        Size of a pixel [m], if lengths are in pixels. With neither of the two they stay in pixels.
    interval : float, optional
        Time between frames [s]: adds a column ``time``, 0 in the first frame, from ``Frame``,
        else ``Slice``.
    decimal : str
        As of `read_table`.

    Raises
    ------
    InputError
        It is no table, `unit` is no length, or both `unit` and `pixel` are given.
    """
    if unit is not None and pixel is not None:
        message = "cannot stand beside unit: lengths are in pixels or in a unit"
        raise InputError(Mistake("pixel", message))
    if unit is not None:
        try:
            convert(1.0, unit, "m")
        except UnitError as error:
            raise InputError(Mistake(f'unit = "{unit}"', error.mistakes[0].message)) from None
    table = read_table(path, decimal=decimal)
    columns = [_scaled(column, unit, pixel) for column in table.columns]
    if interval is not None:
        columns.insert(0, _times(table, interval))
    said = (
        f"lengths are in {unit}" if unit is not None
        else f"a pixel is {pixel:g} m" if pixel is not None
        else "lengths are in pixels, as no unit and no size of a pixel was given"
    )  # fmt: skip
    return table.with_columns(columns, (f"a table of ImageJ; {said}",))


def _scaled(column: Column, unit: str | None, pixel: float | None) -> Column:
    """The column in pixels, in the unit of the scale, or in metres."""
    name, values = column.name, column.values
    power = 2 if name in AREAS else 1 if name in LENGTHS | ALWAYS_PIXELS else 0
    if power == 0 or column.unit:
        return column if column.unit else Column(name, "", values)
    if pixel is not None:
        return Column(name, "m2" if power == 2 else "m", pixel**power * values)
    if unit is None or name in ALWAYS_PIXELS:
        return Column(name, PIXEL, values)
    return Column(name, f"{unit}2" if power == 2 else unit, values)


def _times(table: DataTable, interval: float) -> Column:
    # a stack without time axis has its frames as slices; then all of "Frame" are 1
    found = [
        column.values
        for name in FRAMES
        for column in table.columns
        if column.name == name and np.nanmax(column.values) > 1.0
    ]
    if not found:
        message = "has no column Frame or Slice that tells its frames; leave interval out"
        raise InputError(Mistake("", message), table.source)
    return Column("time", "s", interval * (found[0] - 1.0))
