"""A group of an HDF5 file as a table: nmcsim's own ``history.h5``, and what others write so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nmcsim.errors import InputError, Mistake
from nmcsim.measured.tables import Column, DataTable, plain_unit, split_heading

__all__ = ["read_hdf5"]

UNIT_KEYS = ("unit", "units", "Unit", "Units")


def read_hdf5(path: Path, dataset: str | None) -> DataTable:
    """The one-dimensional datasets of a group; see `nmcsim.measured.tables.read_table`."""
    try:
        with h5py.File(path, "r") as file:
            group = _group(file, dataset, path)
            columns = [_column(name, data) for name, data in group.items() if _is_column(data)]
            where = group.name
    except OSError as error:
        message = f"is no HDF5 file, or a damaged one ({str(error).splitlines()[0]})"
        raise InputError(Mistake("", message), str(path)) from None
    lengths = {len(column.values) for column in columns}
    if len(lengths) != 1:
        held = ", ".join(f"{c.name} ({len(c.values)})" for c in columns)
        message = f"has columns of different length: {held}"
        raise InputError(Mistake(where, message), str(path))
    rows = np.arange(1, lengths.pop() + 1)
    return DataTable(str(path), tuple(columns), rows, notes=(f"read from the group {where}",))


def _is_column(item: Any) -> bool:
    return isinstance(item, h5py.Dataset) and item.ndim == 1 and item.dtype.kind in "iufb"


def _group(file: Any, dataset: str | None, path: Path) -> Any:
    found: list[str] = []

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and any(_is_column(child) for child in item.values()):
            found.append(f"/{name}")

    if any(_is_column(item) for item in file.values()):
        found.append("/")
    file.visititems(look)
    listed = ", ".join(found) or "none"
    if dataset is None:
        if len(found) == 1 or "/history" in found:
            return file["/history" if "/history" in found else found[0]]
        message = f"has {len(found)} groups with columns, so one must be named: {listed}"
        if not found:
            message = "has no group of one-dimensional datasets"
        raise InputError(Mistake("", message), str(path))
    if f"/{dataset.strip('/')}" not in found:
        message = f"is no group of columns; there are: {listed}"
        raise InputError(Mistake(f'dataset = "{dataset}"', message), str(path))
    return file[dataset]


def _column(name: str, data: Any) -> Column:
    said = next((data.attrs[key] for key in UNIT_KEYS if key in data.attrs), "")
    unit = said.decode() if isinstance(said, bytes) else str(said)
    plain, own = split_heading(name)
    return Column(plain, plain_unit(unit) or own, np.asarray(data[:], dtype=np.float64))
