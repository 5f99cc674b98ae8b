"""``python -m benchmarks [part ...]``: measure and print one table.

A run of all parts also writes benchmarks/results.json.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads

import argparse
import json
import platform
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.common import Row
from nmcsim import runtime

PARTS = (
    "by_hand",
    "pybamm_disk",
    "overhead",
    "scaling",
    "electrode_by_hand",
    "electrode_scaling",
    "packing3d",
    "sweep",
    "sweep_files",
    "sweep_report",
    "reduction",
)
RESULTS = Path(__file__).parent / "results.json"


def table(rows: list[Row]) -> str:
    """One line per row, and its circumstances below."""
    lines = []
    for row in rows:
        sign = "<=" if row.at_most else ">="
        target = f"{sign} {row.target:g}" if row.target is not None else ""
        verdict = {True: "met", False: "NOT MET", None: ""}[row.met]
        value = f"{row.value:.3g} {row.unit}".rstrip()
        lines.append(f"{row.name:<62} {value:>12}  {target:>8}  {verdict}".rstrip())
        if row.note:
            lines.append(f"    {row.note}")
    return "\n".join(lines)


def circumstances() -> Mapping[str, object]:
    """Where and when."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "versions": runtime.versions(),
    }


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all of them if absent")
    chosen = parser.parse_args().parts or PARTS
    found: dict[str, list[Row]] = {}
    before = circumstances()
    for name in chosen:
        began = time.perf_counter()
        rows: Callable[[], list[Row]] = import_module(f"benchmarks.{name}").rows
        found[name] = rows()
        print(f"\n{name}  ({time.perf_counter() - began:.0f} s)\n{table(found[name])}", flush=True)
    if set(found) == set(PARTS):
        records = {name: [row.record() for row in rows] for name, rows in found.items()}
        everything = {"before": before, "after": circumstances(), "parts": records}
        RESULTS.write_text(json.dumps(everything, indent=1) + "\n")
    missed = [row.name for rows in found.values() for row in rows if row.met is False]
    print("\nall targets met" if not missed else f"\nnot met: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
