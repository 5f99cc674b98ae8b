"""The table of a sweep: a pandas DataFrame whose columns have units.

Importing this module imports pandas, so nothing imports it before a table is asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

import pandas as pd

from nmcsim.errors import InputError, Mistake
from nmcsim.results import Result, write_atomically
from nmcsim.sweeps.observables import COUNTS
from nmcsim.sweeps.plan import FILE, Plan, Planned, short_names
from nmcsim.sweeps.record import Observable, Record

__all__ = ["OPEN", "Table", "read_records"]

FORMAT = "nmcsim sweep table"
VERSION = 1

OPEN = ("open", "running")
"""Statuses of cases without a record; the others are those of `Record`."""

_ABOUT = {
    "case": "number of the case",
    "status": "how it ended, or that it has not",
    "kind": "kind of failure",
    "cause": "why it failed or ended early",
    "wall": "time on the clock that it took",
    "attempt": "which attempt it was",
    "hash": "hash of the case",
    "directory": "of its result, in that of the sweep",
    "version": "of nmcsim",
    "versions": "of what nmcsim rests on",
}
_UNITS = {"case": "1", "wall": "s", "attempt": "1"}


class Table(pd.DataFrame):  # type: ignore[misc]
    """One row for each case of a sweep, in the order of its plan.

    Columns are ``case``, the parameters by their keys, ``status``, ``kind``, ``cause``, the
    observables, ``wall``, ``attempt``, ``hash``, ``directory``, ``version`` and ``versions``. All
    that pandas does with a DataFrame it does with a Table. ``attrs`` has

    units, descriptions
        by column; the unit is "1" for a plain number and "" for a text
    parameters
        the keys that vary
    title, keep
        of the sweep
    directory
        where it is; not written into files
    """

    @property
    def _constructor(self) -> type[Table]:
        return Table

    # -- where it comes from ------------------------------------------------------------------

    @classmethod
    def of(
        cls,
        plan: Plan,
        records: Mapping[str, Record],
        directory: str | Path,
        running: Collection[str] = (),
    ) -> Self:
        """The table of a sweep.

        Parameters
        ----------
        plan : Plan
        records : mapping of str to Record
            By the hash of the case; a case without one is open.
        directory : path
            Of the sweep.
        running : collection of str
            Hashes of the cases that are being worked on.
        """
        here = [records.get(planned.hash) for planned in plan.cases]
        told = _told(here)
        columns = {
            "case": pd.array([planned.number for planned in plan.cases], dtype="int64"),
            **{
                p.key: _parameter([planned.values[p.key] for planned in plan.cases])
                for p in plan.parameters
            },
            **_endings(plan, here, running),
            **{name: _observable(name, here) for name in told},
            **_origins(plan, here),
        }
        units = _UNITS | {p.key: p.unit for p in plan.parameters}
        units |= {name: observable.unit for name, observable in told.items()}
        names = short_names([p.key for p in plan.parameters])
        descriptions = _ABOUT | names | {name: o.description for name, o in told.items()}
        table = cls(columns)
        table.attrs.update(
            units={name: units.get(name, "") for name in columns},
            descriptions={name: descriptions[name] for name in columns},
            parameters=[p.key for p in plan.parameters],
            title=plan.title,
            keep=plan.keep,
            directory=str(directory),
        )
        return table

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Open the table of a sweep.

        Parameters
        ----------
        path : path
            The directory of a sweep, also while it runs: the table is made of its records. Or a
            ``table.parquet``, which needs no directory.

        Raises
        ------
        InputError
            It is neither.
        """
        place = Path(path)
        if place.suffix == ".parquet":
            return cls._read(place)
        if not place.is_dir():
            message = "is no directory; give that of a sweep, or its table.parquet"
            raise InputError(Mistake(str(place), message))
        if not (place / FILE).is_file() and (place / "table.parquet").is_file():
            return cls._read(place / "table.parquet")
        plan = Plan.read(place)
        return cls.of(plan, read_records(plan, place, curves=False), place)

    @classmethod
    def _read(cls, path: Path) -> Self:
        import pyarrow
        import pyarrow.parquet as parquet

        try:
            # read at once: pyarrow says less of a file that cannot be opened
            read = parquet.read_table(pyarrow.BufferReader(path.read_bytes()))
            about = json.loads(read.schema.metadata[b"nmcsim"])
            if about["format"] != FORMAT or about["version"] != VERSION:
                raise KeyError(about["format"])
        except OSError as error:
            raise InputError(Mistake(str(path), f"cannot be read ({error.strerror})")) from error
        except (pyarrow.ArrowInvalid, KeyError, TypeError, ValueError) as error:
            message = "is not the table of a sweep, or of another version of nmcsim"
            raise InputError(Mistake(str(path), message)) from error
        table = cls(read.to_pandas())
        fields = {f.name: f.metadata or {} for f in read.schema}
        table.attrs.clear()
        table.attrs.update(
            units={name: m.get(b"unit", b"").decode() for name, m in fields.items()},
            descriptions={name: m.get(b"description", b"").decode() for name, m in fields.items()},
            parameters=about["parameters"],
            title=about["title"],
            keep=about["keep"],
            directory=str(path.parent),
        )
        return table

    # -- where it goes ------------------------------------------------------------------------

    def write(self, directory: str | Path) -> None:
        """Write ``table.parquet`` and ``table.csv``, each whole or not at all.

        In the Parquet file each field has ``unit`` and ``description`` as metadata; the header of
        the CSV file says ``name [unit]``.

        Raises
        ------
        WriteFailure
            The disk is full, or the directory may not be written.
        """
        folder = Path(directory)
        write_atomically(folder / "table.parquet", self._parquet())
        heads = [f"{name} [{unit}]" if unit else name for name, unit in self._units()]
        content = self.to_csv(index=False, header=heads, lineterminator="\n")
        write_atomically(folder / "table.csv", content.encode())

    def _units(self) -> list[tuple[str, str]]:
        """Columns, those that a user has added too, with their units."""
        units = self.attrs.get("units", {})
        return [(str(name), units.get(name, "")) for name in self.columns]

    def _parquet(self) -> bytes:
        import pyarrow
        import pyarrow.parquet as parquet

        arrow = pyarrow.Table.from_pandas(pd.DataFrame(self), preserve_index=False)
        descriptions = self.attrs.get("descriptions", {})
        fields = [
            arrow.schema.field(name).with_metadata(
                {"unit": unit, "description": descriptions.get(name, "")}
            )
            for name, unit in self._units()
        ]
        kept = ("parameters", "title", "keep")
        about = {"format": FORMAT, "version": VERSION} | {k: self.attrs.get(k) for k in kept}
        metadata = {**(arrow.schema.metadata or {}), b"nmcsim": json.dumps(about).encode()}
        metadata[b"pandas"] = _without_attrs(metadata[b"pandas"])
        sink = pyarrow.BufferOutputStream()
        parquet.write_table(arrow.cast(pyarrow.schema(fields, metadata=metadata)), sink)
        return sink.getvalue().to_pybytes()

    # -- what it knows ------------------------------------------------------------------------

    def key(self, name: str) -> str:
        """The column that ``name`` means: itself, or the one dotted key that ends in it.

        Raises
        ------
        InputError
            There is none, or there are several.
        """
        columns = [str(column) for column in self.columns]
        if name in columns:
            return name
        ends = [column for column in columns if column.endswith(f".{name}")]
        if len(ends) == 1:
            return ends[0]
        if ends:
            message = f"may be any of {', '.join(ends)}; say more of it"
            raise InputError(Mistake(name, message))
        known = {short: full for full, short in short_names(columns).items()} | {
            c: c for c in columns
        }
        close = get_close_matches(name, known, n=1, cutoff=0.6)
        offer = f"did you mean {close[0]}?" if close else f"there are {', '.join(columns)}"
        raise InputError(Mistake(name, f"is no column of the table; {offer}"))

    def result(self, number: int) -> Result:
        """Open the result of a case.

        Parameters
        ----------
        number : int
            As in the column ``case``.

        Raises
        ------
        InputError
            It is not in the table, has no result yet, or its history was not kept.
        """
        rows = self[self["case"] == number]
        if not len(rows):
            span = f"{self['case'].min()} to {self['case'].max()}" if len(self) else "no case"
            raise InputError(Mistake(f"case {number}", f"is not in the table, which has {span}"))
        status, hash = rows["status"].iloc[0], rows["hash"].iloc[0]
        if status in OPEN:
            raise InputError(Mistake(f"case {number}", f"has no result yet; it is {status}"))
        folder = Path(self.attrs["directory"]) / "cases" / hash
        if not (folder / "history.h5").is_file():
            message = (
                f"has no history in {folder}; its numbers are in the table, and the sweep run again"
                " with --keep history makes the rest"
            )
            raise InputError(Mistake(f"case {number}", message))
        return Result.load(folder)


def read_records(plan: Plan, directory: str | Path, *, curves: bool = True) -> dict[str, Record]:
    """The records of a sweep's cases by their hashes, of any version; open ones have none.

    A record of an older version does not keep a case from being solved again, but it is what there
    is to be shown. Without ``curves`` ten thousand of them take 0.2 GB, with them 0.7 GB.
    """
    found = {}
    for hash in {planned.hash for planned in plan.cases}:
        try:
            record = Record.read(Path(directory) / "records" / f"{hash}.json")
        except (OSError, ValueError):  # open, or half a file that a full disk left
            continue
        found[hash] = record if curves else replace(record, curves={})
    return found


def _told(records: Sequence[Record | None]) -> dict[str, Observable]:
    """All observables there are; the record with most of them gives their order."""
    there = [record for record in records if record is not None]
    there.sort(key=lambda record: -len(record.observables))
    found: dict[str, Observable] = {}
    for record in there:
        if record.observables.keys() - found.keys():
            found |= {k: o for k, o in record.observables.items() if k not in found}
    return found


def _parameter(values: Sequence[float | int | str]) -> Any:
    """Texts as texts, numbers as floats, whole numbers as integers."""
    if any(isinstance(value, str) for value in values):
        return pd.array([str(value) for value in values], dtype="str")
    if all(isinstance(value, int) for value in values):
        return pd.array(values, dtype="Int64")
    return pd.array([float(value) for value in values], dtype="float64")


def _observable(name: str, records: Sequence[Record | None]) -> Any:
    values = [
        record.observables[name].value if record and name in record.observables else math.nan
        for record in records
    ]
    if name in COUNTS:
        return pd.array([None if math.isnan(v) else int(v) for v in values], dtype="Int64")
    return pd.array(values, dtype="float64")


def _endings(
    plan: Plan, records: Sequence[Record | None], running: Collection[str]
) -> dict[str, Any]:
    def status(planned: Planned, record: Record | None) -> str:
        return record.status if record else OPEN[planned.hash in running]

    told = [status(p, r) for p, r in zip(plan.cases, records, strict=True)]
    texts = {
        "status": told,
        "kind": [record.kind if record else "" for record in records],
        "cause": [record.cause if record else "" for record in records],
    }
    return {name: pd.array(values, dtype="str") for name, values in texts.items()}


def _origins(plan: Plan, records: Sequence[Record | None]) -> dict[str, Any]:
    return {
        "wall": pd.array([r.wall if r else math.nan for r in records], dtype="float64"),
        "attempt": pd.array([r.attempt if r else None for r in records], dtype="Int64"),
        "hash": pd.array([planned.hash for planned in plan.cases], dtype="str"),
        "directory": pd.array([f"cases/{planned.hash}" for planned in plan.cases], dtype="str"),
        "version": pd.array([r.version if r else "" for r in records], dtype="str"),
        "versions": pd.array([_said(r.versions) if r else "" for r in records], dtype="str"),
    }


def _said(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _without_attrs(metadata: bytes) -> bytes:
    """What pandas notes of a frame, without its ``attrs``: they name a place on this machine."""
    content = json.loads(metadata)
    content.pop("attributes", None)
    return json.dumps(content).encode()
