"""Binary files of cyclers: Biologic's ``.mpr`` by galvani, Neware's ``.nda[x]`` by NewareNDA.

Text exports need neither: Biologic's ``.mpt`` is a text table, see `text_table`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.errors import InputError, Mistake
from nmcsim.measured.tables import Column, DataTable, split_heading

__all__ = ["read_cycler"]


def read_cycler(path: Path) -> DataTable:
    """The table of a binary file; see `nmcsim.measured.tables.read_table`."""
    return _biologic(path) if path.suffix.lower() == ".mpr" else _neware(path)


def _missing(path: Path, package: str) -> InputError:
    message = f'needs the package {package}: pip install "nmcsim[cyclers]"; or export it as text'
    return InputError(Mistake("", message), str(path))


def _unreadable(path: Path, package: str, error: Exception) -> InputError:
    said = (str(error) or type(error).__name__).splitlines()[0]
    message = f"cannot be read by {package} ({said}); export it as text"
    return InputError(Mistake("", message), str(path))


def _biologic(path: Path) -> DataTable:
    try:
        from galvani import BioLogic
    except ImportError:
        raise _missing(path, "galvani") from None
    try:
        with path.open("rb") as file:  # a file that galvani opens itself stays open
            data = BioLogic.MPRfile(file).data
    except Exception as error:  # galvani raises what the bytes lead it to
        raise _unreadable(path, "galvani", error) from None
    columns = []
    for heading in data.dtype.names:
        if heading != "flags":
            name, unit = split_heading(heading)
            columns.append(Column(name, unit, np.asarray(data[heading], dtype=np.float64)))
    return DataTable(str(path), tuple(columns), np.arange(1, len(data) + 1))


def _neware(path: Path) -> DataTable:
    try:
        import NewareNDA
    except ImportError:
        raise _missing(path, "NewareNDA") from None
    try:
        frame = NewareNDA.read(str(path), log_level="CRITICAL")
    except Exception as error:
        raise _unreadable(path, "NewareNDA", error) from None
    return _of_neware(frame, path)


# NewareNDA names these two without their units
_NEWARE = {"Time": ("step time", "s"), "Voltage": ("Voltage", "V")}


def _of_neware(frame: Any, path: Path) -> DataTable:
    """NewareNDA's time begins anew with each step: here steps follow each other."""
    columns, notes = [], ()
    texts: dict[str, tuple[str, ...]] = {}
    for heading in frame.columns:
        if frame[heading].dtype.kind not in "iuf":
            texts[heading] = tuple(map(str, frame[heading]))
            continue
        name, unit = _NEWARE.get(heading, split_heading(heading))
        columns.append(Column(name, unit, frame[heading].to_numpy(dtype=np.float64)))
    if "Time" in frame.columns:
        within = frame["Time"].to_numpy(dtype=np.float64)
        new = np.diff(within, prepend=within[:1]) < 0.0
        if "Step" in frame.columns:
            new |= np.diff(frame["Step"].to_numpy(), prepend=frame["Step"].iloc[:1]) != 0
        ends = np.where(new, np.concatenate(([0.0], within[:-1])), 0.0)
        columns.insert(0, Column("time", "s", within + np.cumsum(ends)))
        notes = ("time is that of the steps, one after the other",)  # type: ignore[assignment]
    return DataTable(str(path), tuple(columns), np.arange(1, len(frame) + 1), texts, notes)
