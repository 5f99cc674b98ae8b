"""A sweep of unequal crystals on two cores: what of the cores' time goes into cases.

The serial times are those of one worker after another on the same cases, while a second worker
loads the other core with the same work: caches and memory are shared then as they are in the sweep.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.common import CASE, Row
from nmcsim import load
from nmcsim.launch import Options, Outcome, launch
from nmcsim.launch.conduct import prepare
from nmcsim.sweeps import Plan, Records, make_plan

WORKERS = 2
UNEQUAL = {
    "n": [0.5, 1, 2, 5],
    "physics.rock_salt.coverage": [0.25, 0.5],
    "geometry.cell_size": ["0.06 um", "0.08 um", "0.1 um", "0.14 um", "0.2 um"],
}
"""40 cases, whose times differ by a factor of ten."""


def rows() -> list[Row]:
    """Efficiency, overhead per case, start-up, memory of a worker."""
    plan = _plan({"grid": UNEQUAL, "set": {"protocol.steps": ["Charge at {n}C until 4.2 V"]}})
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _run(plan, place / "warm")  # meshes and forms are there before anything is timed
        serial, _ = _beside(plan, place)
        began = time.time()
        outcome = _run(plan, place / "sweep")
        first, span, busy = _spans(place / "sweep", outcome)
        efficiency = serial / (WORKERS * span)
        overhead = [_overhead(record) for record in outcome.snapshot.records]
        taking = (busy - sum(r.wall for r in outcome.snapshot.records)) / len(plan.cases)
        walls = sorted(r.wall for r in outcome.snapshot.records)
        memory = _memory(place)
    each = 1e3 * (median(overhead) + taking)
    return [
        Row(
            f"parallel efficiency, {len(plan.cases)} unequal crystals on {WORKERS} cores",
            100.0 * efficiency, "%", 92.0,
            note=f"serial {serial:.1f} s with both cores loaded, sweep {span:.1f} s from the first"
            f" case to the last; cases {walls[0]:.2f} to {walls[-1]:.2f} s",
        ),
        Row(
            "overhead per case in a warm worker", each, "ms", 50.0, at_most=True,
            note=f"set-up, forms, tables, checks: median {1e3 * median(overhead):.0f} ms; taking"
            f" and recording {1e3 * taking:.0f} ms",
        ),
        Row("start-up, from the launch to the first case", first - began, "s",
            note="orders, Python, MPI, DOLFINx"),
        *memory,
    ]  # fmt: skip


def _plan(sweep: dict[str, Any], *overrides: str) -> Plan:
    data, folder = load(CASE).given
    return make_plan(data | {"sweep": {"keep": "summary"} | sweep}, folder, overrides=overrides)


def _run(plan: Plan, directory: Path, workers: int = WORKERS) -> Outcome:
    outcome = launch(plan, directory, Options(workers=workers))
    assert not outcome.failed, [record.cause for record in outcome.snapshot.failed]
    return outcome


def _beside(plan: Plan, place: Path) -> tuple[float, float]:
    """Sums of the times of all cases, by one worker, while another does the same."""
    done: dict[str, Outcome] = {}

    def alone(name: str) -> None:
        done[name] = _run(plan, place / name, workers=1)

    threads = [threading.Thread(target=alone, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sums = [sum(record.wall for record in one.snapshot.records) for one in done.values()]
    return sums[0], sums[1]


def _spans(directory: Path, outcome: Outcome) -> tuple[float, float, float]:
    """When the first case began; from there to the last one's end; that, summed over workers."""
    records = Records(directory, outcome.snapshot.records[0].version)
    of_worker: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for record in outcome.snapshot.records:
        attempt = records.attempt(record.hash, record.attempt)
        assert attempt is not None
        of_worker[attempt.worker.launch].append((attempt.started, record.started + record.wall))
    began = min(begin for spans in of_worker.values() for begin, _ in spans)
    ended = max(end for spans in of_worker.values() for _, end in spans)
    busy = sum(max(e for _, e in s) - min(b for b, _ in s) for s in of_worker.values())
    return began, ended - began, busy


def _overhead(record: Any) -> float:
    """What of a case is neither mesh nor time stepping [s]."""
    return float(record.wall - record.timing["mesh"] - record.timing["stepping"])


def _memory(place: Path) -> list[Row]:
    """Resident memory of one worker over 200 cases."""
    plan = _plan(
        {"replicas": {"physics.rock_salt.seed": 200}, "set": {
            "physics.rock_salt.arrangement": "random", "physics.rock_salt.patches": 3,
            "protocol.steps": ["Charge at 1C until 3.9 V"]}},
        "geometry.cell_size=0.4 um",
    )  # fmt: skip
    directory = place / "memory"
    records = prepare(plan, directory)
    samples: list[tuple[int, float]] = []
    over = threading.Event()

    def sample() -> None:
        while not over.wait(0.1):
            for worker in _workers(directory):
                samples.append((len(list(records.folder.glob("*.json"))), worker))

    watcher = threading.Thread(target=sample)
    watcher.start()
    began = time.perf_counter()
    _run(plan, directory, workers=1)
    over.set()
    watcher.join()
    early = median(rss for done, rss in samples if 20 <= done < 40)
    late = median(rss for done, rss in samples if done >= 180)
    return [
        Row(
            "memory of a worker, cases 180-200 against 20-40", 100.0 * (late / early - 1.0), "%",
            5.0, at_most=True,
            note=f"{early / 1e6:.0f} MB, then {late / 1e6:.0f} MB; 200 cases in"
            f" {time.perf_counter() - began:.0f} s, each with a mesh of its own",
        )
    ]  # fmt: skip


def _workers(directory: Path) -> list[float]:
    """Resident memory of the workers of a sweep [bytes]."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if str(directory) in process.cmdline():
                found.append(float(process.memory_info().rss))
        except psutil.Error:
            continue
    return found
