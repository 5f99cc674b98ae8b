"""What a run writes while it runs, so that a kill costs only what came after the checkpoint.

    journal/rows.jsonl      one JSON object per row of the history
    journal/<stream>.f64    records of 1 + width native float64: the time, then the values
    journal/streams.json    the widths

Nothing is read back while running; `Journal.read` builds the tables at the end. A torn last line or
record counts as absent.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from nmcsim.errors import InputError, Mistake
from nmcsim.results.files import plain, write_json, writing
from nmcsim.results.series import Array

ROWS = "rows.jsonl"
FOLDER = "journal"


@dataclass(frozen=True)
class Frames:
    """The records of one stream: ``time`` (k,) [s] and ``values`` (k, width)."""

    time: Array
    values: Array


@dataclass(frozen=True)
class Recorded:
    """A journal read back.

    Parameters
    ----------
    columns : mapping of name -> (rows,) or (rows, q) float array
        What the rows held; NaN where a row lacks the name. A list in a row becomes a (rows, q)
        column.
    frames : mapping of stream -> Frames
    """

    columns: Mapping[str, Array]
    frames: Mapping[str, Frames]


class Journal:
    """An append-only record beside the checkpoint; used on rank 0 alone.

    Parameters
    ----------
    directory : Path
        The result directory; the journal lies in its folder ``journal``.
    streams : mapping of name -> int
        Values per record of each binary stream, e.g. ``{"theta": n_nodes, "surface": p}``.
    offsets : mapping of file name -> bytes, optional
        As `checkpoint` returned them: go on from there and drop what is later. Without it the
        journal starts empty.

    Raises
    ------
    InputError
        ``offsets`` ask for more than is there, or the streams have other widths than before.
    WriteFailure
        The disk is full or the folder may not be written (from every method that writes).
    """

    def __init__(
        self, directory: Path, streams: Mapping[str, int], offsets: Mapping[str, int] | None = None
    ) -> None:
        self.folder = directory / FOLDER
        self.widths = dict(streams)
        if offsets is None:
            Journal.remove(directory)
        elif _widths(self.folder) != self.widths:
            raise InputError(
                Mistake(
                    str(self.folder),
                    "belongs to another mesh; run without --resume into a new directory",
                )
            )
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "streams.json", self.widths)
        self._files: dict[str, BinaryIO] = {}
        try:
            for name in (ROWS, *(f"{stream}.f64" for stream in self.widths)):
                with writing(self.folder / name):
                    # Unbuffered: what a method wrote is with the kernel when it returns, and a
                    # full disk shows there and then.
                    self._files[name] = (self.folder / name).open("ab", buffering=0)
            if offsets is not None:
                self.truncate(offsets)
        except BaseException:
            self.close()
            raise

    def row(self, values: Mapping[str, float | Sequence[float]]) -> None:
        """Append a row of the history; NaN is missing, a list is one value per named point."""
        self._append(ROWS, (json.dumps(plain(values), allow_nan=False) + "\n").encode())

    def frame(self, stream: str, time: float, values: ArrayLike) -> None:
        """Append the (width,) ``values`` of ``stream`` at ``time`` [s]."""
        record = np.append(np.float64(time), np.asarray(values, dtype=np.float64))
        if record.size != 1 + self.widths[stream]:
            raise ValueError(
                f"stream {stream} holds {self.widths[stream]} values, not {record.size - 1}"
            )
        self._append(f"{stream}.f64", record.tobytes())

    def _append(self, name: str, content: bytes) -> None:
        with writing(self.folder / name):
            rest = memoryview(content)
            while rest:
                rest = rest[self._files[name].write(rest) :]

    def offsets(self) -> dict[str, int]:
        """How many bytes each file holds now."""
        return {name: os.fstat(file.fileno()).st_size for name, file in self._files.items()}

    def checkpoint(self) -> dict[str, int]:
        """Force everything to the disk; return the `offsets` that a checkpoint remembers."""
        for name, file in self._files.items():
            with writing(self.folder / name):
                os.fsync(file.fileno())
        return self.offsets()

    def truncate(self, offsets: Mapping[str, int]) -> None:
        """Drop what was written after ``offsets``.

        Raises
        ------
        InputError
            A file is shorter than its offset: the journal is not the checkpoint's.
        """
        for name, file in self._files.items():
            size, wanted = os.fstat(file.fileno()).st_size, offsets.get(name, 0)
            if size < wanted:
                message = (
                    f"holds {size} bytes where the checkpoint counts {wanted}; run without --resume"
                )
                raise InputError(Mistake(str(self.folder / name), message))
            if size > wanted:
                with writing(self.folder / name):
                    os.ftruncate(file.fileno(), wanted)

    def close(self) -> None:
        """Close the files; the journal stays on the disk."""
        for file in self._files.values():
            file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @staticmethod
    def read(directory: Path) -> Recorded:
        """The tables of the journal in ``directory``, whole rows and records only.

        Raises
        ------
        InputError
            There is no journal, or a line before the last is damaged.
        """
        folder = directory / FOLDER
        widths = _widths(folder)
        frames = {}
        for stream, width in widths.items():
            path = folder / f"{stream}.f64"
            count = path.stat().st_size // (8 * (1 + width))
            records = np.empty((0, 1 + width))
            if count:  # on the disk until it is used: fields in 3D are larger than the memory
                records = np.memmap(path, np.float64, "r", shape=(count, 1 + width))
            frames[stream] = Frames(np.array(records[:, 0]), records[:, 1:])
        return Recorded(_columns(_rows(folder / ROWS)), frames)

    @staticmethod
    def remove(directory: Path) -> None:
        """Delete the journal of ``directory``, if there is one."""
        folder = directory / FOLDER
        if folder.exists():
            with writing(folder):
                shutil.rmtree(folder)


def _widths(folder: Path) -> dict[str, int]:
    try:
        return dict(json.loads((folder / "streams.json").read_text()))
    except (OSError, ValueError) as error:
        raise InputError(
            Mistake(str(folder), "is not a journal that can be read back; run without --resume")
        ) from error


def _rows(path: Path) -> list[dict[str, Any]]:
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    rows = []
    for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
        try:
            rows.append(dict(json.loads(line)))
        except ValueError as error:
            message = f"is damaged in line {number}; run the case again without --resume"
            raise InputError(Mistake(str(path), message)) from error
    return rows


def _columns(rows: list[dict[str, Any]]) -> dict[str, Array]:
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {}
    for name in names:
        width = next((len(row[name]) for row in rows if isinstance(row.get(name), list)), None)
        missing = None if width is None else [None] * width
        cells = [missing if row.get(name) is None else row[name] for row in rows]
        columns[name] = np.array(cells, dtype=np.float64)  # None becomes NaN
    return columns
