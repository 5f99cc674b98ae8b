"""The files of a sweep: what they cost here, and what follows for a shared file system.

Every number is measured on this machine's disk; how many operations a case asks of a file system
is counted by strace where that is installed, and does not depend on the disk.
"""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.common import Row
from benchmarks.worker import ROOT, environment
from nmcsim import __version__
from nmcsim.sweeps.claims import BEAT
from nmcsim.sweeps.host import here
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.records import Records
from nmcsim.sweeps.table import Table, read_records
from tests.synthetic_sweep import synthetic_sweep

SIZES = (1_000, 10_000)
BUSY = 10
"""Cases that others work on meanwhile: claims with a heartbeat."""
TAKEN = 40
SERVER = (1_000, 10_000)
"""Operations on names and attributes that shared file systems do in a second."""
RESULT = 112
"""Calls for the result directory of a case, by strace over four small crystals whose history is
kept; larger cases write checkpoints more often, and no other files."""
SEEN = 2
"""Calls by which each other worker learns of a record: it asks for its time and opens it."""
LENGTHS = (10.0, 60.0, 600.0)
"""Of a case [s]."""


def rows() -> list[Row]:
    """The table's part on the files of a sweep; about three minutes."""
    with tempfile.TemporaryDirectory() as folder:
        found = _writing(Path(folder) / "writing")
        for size in SIZES:
            found += _of_size(Path(folder) / str(size), size)
    return found


def _writing(directory: Path) -> list[Row]:
    plan = synthetic_sweep(directory, 200)
    some = next(iter(read_records(plan, directory).values()))
    seconds = _seconds(
        lambda: [
            replace(some, hash=f"{i:016x}").write(directory / "records" / f"{i:016x}.json")
            for i in range(500)
        ]
    )
    size = (directory / "records" / f"{0:016x}.json").stat().st_size
    note = f"of {size / 1e3:.1f} kB each, one process; {len(plan.cases)} cases are there"
    return [Row("records written", 500 / seconds, "1/s", note=note)]


def _of_size(directory: Path, size: int) -> list[Row]:
    """What one case costs at the end of a sweep of so many, and what the whole table does."""
    plan = synthetic_sweep(directory, size, missing=2 * TAKEN + 2 * BUSY)
    count = len(plan.cases)
    records = Records(directory, __version__)
    reading = _seconds(lambda: records.records())
    listing = _seconds(lambda: records.records())
    said: list[Row] = []
    found = records.records()
    merging = _seconds(lambda: Table.of(plan, found, directory).write(directory))
    open_cases = [c.hash for c in plan.cases if c.hash not in found]
    _busy(records, open_cases[: 2 * BUSY])
    taking = _seconds(lambda: _take(directory, plan, TAKEN, records)) / TAKEN
    counted = _operations(directory)
    said += [
        Row(f"reading {count} records for the first time", reading, "s"),
        Row(f"seeing what is new among {count}", 1e3 * listing, "ms"),
        Row(f"table of {count}, as Parquet and CSV", merging, "s"),
        Row(
            f"taking and recording a case among {count}", 1e3 * taking, "ms",
            note=f"{BUSY} cases claimed by other processes",
        ),
    ]  # fmt: skip
    if counted is not None:
        said += _limits(count, counted)
    return said


def _busy(records: Records, hashes: list[str]) -> None:
    """Claims of a process that lives: this one."""
    for _ in range(BUSY):
        records.take(hashes, here("others"), lambda hash, record: record is None, time.time)


def _take(directory: Path, plan: Plan, count: int, records: Records) -> None:
    """Take so many cases and record them, as the loop of a worker does."""
    some = next(iter(read_records(plan, directory).values()))
    hashes = [planned.hash for planned in plan.cases]
    for _ in range(count):
        attempt = records.take(hashes, here("me"), lambda _, record: record is None, time.time)
        if attempt is None:
            raise RuntimeError("the sweep of this measurement has too few open cases")
        records.beat(attempt)
        records.finish(attempt, replace(some, hash=attempt.hash, attempt=attempt.number))


def main(directory: Path, count: int) -> None:
    """Take so many cases, to be counted from outside."""
    plan, records = Plan.read(directory), Records(directory, __version__)
    records.records()
    (directory / "begin").touch()
    _take(directory, plan, count, records)


def _operations(directory: Path) -> dict[str, float] | None:
    """Calls on names and attributes for one case, by kind; None without strace.

    Two counts, of which the second takes twice as many cases: start-up is in both.
    """
    if shutil.which("strace") is None:
        return None
    few, many = _traced(directory, TAKEN // 4), _traced(directory, TAKEN // 2)
    more = TAKEN // 2 - TAKEN // 4
    return {name: (many[name] - few.get(name, 0)) / more for name in many}


def _traced(directory: Path, count: int) -> dict[str, int]:
    command = (
        "import sys; from pathlib import Path; from benchmarks.sweep_files import main;"
        f"main(Path({str(directory)!r}), {count})"
    )
    log = directory / "trace"
    subprocess.run(
        ["strace", "-f", "-e", "trace=%file,fstat,getdents64,fsync", "-o", str(log), sys.executable,
         "-c", command],
        cwd=ROOT, env=environment(), check=True, capture_output=True,
    )  # fmt: skip
    lines = log.read_text(errors="replace").split("\n")
    log.unlink()
    first = next(i for i, line in enumerate(lines) if f"{directory}/begin" in line)
    found: dict[str, int] = {}
    for line in lines[first + 1 :]:
        match = re.match(r"\d+\s+(\w+)\(", line)
        if match and (f'"{directory}' in line or match[1] in ("fstat", "getdents64", "fsync")):
            found[match[1]] = found.get(match[1], 0) + 1
    return found


def _limits(count: int, counted: dict[str, float]) -> list[Row]:
    """How many workers a shared file system bears at the end of such a sweep."""
    each = sum(counted.values())
    kinds = ", ".join(
        f"{name} {n:.0f}"
        for name, n in sorted(counted.items(), key=lambda item: -item[1])
        if n >= 1
    )
    note = f"{kinds}; for its result directory {RESULT} more"
    rows = [Row(f"file operations for the record of a case, of {count}", each, note=note)]
    for server in SERVER:
        borne = [_workers(server, each + RESULT, length) for length in LENGTHS]
        said = ", ".join(f"{length:g} s: {n:.0f}" for length, n in zip(LENGTHS, borne, strict=True))
        note = f"cases of 60 s; by the length of a case: {said}"
        rows.append(Row(f"workers that use up {server} operations/s", borne[1], note=note))
    return rows


def _workers(server: float, each: float, length: float) -> float:
    """How many workers W ask so much: W / length (each + SEEN W) + W / BEAT = server."""
    a, b = SEEN / length, each / length + 1.0 / BEAT
    return (math.sqrt(b * b + 4.0 * a * server) - b) / (2.0 * a)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
