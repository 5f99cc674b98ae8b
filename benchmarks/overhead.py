"""What is not solving: overhead of the time stepping, second runs, memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import nmcsim
from benchmarks.common import CASE, INSIDE, Row, Stepper
from benchmarks.worker import ROOT, environment

REPEATS = 5


def rows() -> list[Row]:
    """The table's part on overhead; about two minutes."""
    return [*_time_stepping(), *_second_run(), _memory()]


def _time_stepping() -> list[Row]:
    """Share of the time outside assembly, factorisation and solves, at the default mesh."""
    stepper = Stepper()
    rtol = stepper.case.numerics.rtol
    stepper.run(rtol, (), 60.0)
    shares = [100.0 * stepper.run(rtol, (), 7200.0).outside for _ in range(REPEATS)]
    own = [_recorded() for _ in range(3)]
    note = f"{stepper.unknowns} unknowns, time stepping alone, median of {REPEATS}"
    kept = "observables and checkpoints apart, median of 3"
    return [
        Row("outside assembly, factorisation, solves", median(shares), "%", 15.0, True, note),
        Row("the same in a whole run", median(o[0] for o in own), "%", 15.0, True, kept),
        Row("observables of a whole run, of its stepping", median(o[1] for o in own), "%"),
        Row("checkpoints of a whole run, of its stepping", median(o[2] for o in own), "%"),
    ]


def _recorded() -> tuple[float, float, float]:
    """Of the stepping of a whole run: the rest, the observables and the checkpoints [%]."""
    timing = nmcsim.simulate(nmcsim.load(CASE)).summary["timing"]
    stepping = timing["stepping"]
    apart = timing["observables"] + timing["checkpoint"]
    rest = stepping - apart - sum(timing[name] for name in INSIDE)
    shares = (rest, timing["observables"], timing["checkpoint"])
    return tuple(100.0 * share / stepping for share in shares)  # type: ignore[return-value]


PROGRAM = """
import sys
from nmcsim.cli import main
from benchmarks.common import peak_megabytes
try:
    status = main(sys.argv[1:])
except SystemExit as end:
    status = end.code
print(peak_megabytes())
sys.exit(status)
"""


def _command(out: Path, *overrides: str, **env: str) -> tuple[dict[str, Any], float]:
    """``nmcsim run`` in a process of its own: its summary and its peak memory [MB]."""
    options = [word for text in overrides for word in ("--set", text)]
    words = ["run", str(CASE), "--out", str(out), "--quiet", *options]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=ROOT, env=environment(**env), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"nmcsim run ended with {done.returncode}: {done.stderr[-1000:]}")
    return json.loads((out / "summary.json").read_text()), float(done.stdout.split()[-1])


def _second_run() -> list[Row]:
    """Two runs of a case with an empty cache: what the second compiles."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        modules, seconds = [], []
        for k in range(2):
            summary, _ = _command(
                Path(folder) / f"run{k}", 'geometry.cell_size="0.2 um"', XDG_CACHE_HOME=str(cache)
            )
            modules.append(len(list(cache.rglob("libffcx_*.so"))))
            seconds.append(summary["timing"]["jit"])
    note = f"first run: {modules[0]} modules, jit {seconds[0]:.2f} s; second {seconds[1]:.3f} s"
    more = modules[1] - modules[0]
    return [Row("modules that a second run compiles", float(more), "", 0.0, True, note)]


def _memory() -> Row:
    """Peak of a whole run with its figures and report, at 20,000 unknowns."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        _, peak = _command(out, 'geometry.cell_size="0.034 um"')
        unknowns = json.loads((out / "provenance.json").read_text())["unknowns"]
    note = f"{unknowns} unknowns in 2D, nmcsim run with figures and report"
    return Row("peak memory", peak, "MB", 1000.0, True, note)
