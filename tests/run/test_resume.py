"""A run that is killed, whenever that is, goes on from its last checkpoint to the same numbers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nmcsim.run
from nmcsim.output.checkpoint import Checkpoint
from nmcsim.results import Result
from nmcsim.run import Interrupted
from tests.run.conftest import same_numbers

Run = Callable[..., Result]
STEPS = ("Charge at 1C for 10 minutes", "Rest for 5 minutes", "Charge at 1C until 4.1 V")


@pytest.fixture
def on_disk(crystal: Any, case_file: Path) -> Callable[..., Any]:
    """A case with other steps, written where a program of its own finds it."""

    def written(*steps: Any, **keys: Any) -> Any:
        case = crystal(*steps, **keys)
        case.write(case_file.parent)
        return case

    return written


def kill_after(process: subprocess.Popen[str], seconds: float) -> bool:
    """Wait for the program to begin, then kill it; False if it had ended by then."""
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(seconds)
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def duration(process: subprocess.Popen[str]) -> float:
    """How long the program takes once it has begun [s]."""
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    began = time.monotonic()
    process.communicate()
    assert process.returncode == 0
    return time.monotonic() - began


@pytest.mark.slow
def test_killed_at_ten_random_moments(
    program: Any, on_disk: Any, run: Run, undisturbed: Any, case_file: Path, tmp_path: Path
):
    case = on_disk(*STEPS, numerics__rtol=1e-5, numerics__steps_per_phase=100)
    whole = undisturbed(case)
    span = duration(program(case_file, tmp_path / "timed", every=0.02))
    moments = random.Random(3)
    resumed = []
    for _ in range(10):
        process = program(case_file, tmp_path / "out", every=0.02)
        if not kill_after(process, moments.uniform(0.0, 0.9 * span)):
            break  # what was left took less than the moment
        if (tmp_path / "out" / "checkpoint.h5").exists():
            resumed.append(Checkpoint.read(tmp_path / "out").standing.t)
    assert resumed == sorted(resumed) and resumed[-1] > 0.0  # nothing kept is lost again
    result = run(case, resume=True)
    same_numbers(result, whole)
    # and what is between the ends is the same curve
    t = np.linspace(0.0, whole["time"].values[-1] * 0.999, 50)
    for name in ("voltage", "theta_min", "charge"):
        a = np.interp(t, result["time"].values, result[name].values)
        b = np.interp(t, whole["time"].values, whole[name].values)
        assert np.abs(a - b).max() < 2e-3 * np.ptp(b)
    starts = result.provenance["runs"]
    assert len(starts) >= len(set(resumed)) and starts[-1]["wall_time"] > 0.0


TRAPS = {
    "half a row": """
from nmcsim.results import Journal
plain, n = Journal._append, []
def half(self, name, content):
    n.append(name)
    if len(n) < 70:
        return plain(self, name, content)
    plain(self, name, content[: len(content) // 2])
    die()
Journal._append = half
""",
    "between row and profile": """
from nmcsim.results import Journal
plain, n = Journal.frame, []
def frame(self, *arguments):
    n.append(1)
    plain(self, *arguments) if len(n) < 60 else die()
Journal.frame = frame
""",
    "a checkpoint not in place yet": """
plain, n = os.replace, []
def replace(a, b):
    n.append(1)
    plain(a, b) if "checkpoint" not in str(b) or len(n) < 40 else die()
os.replace = replace
""",
    "a checkpoint half written": """
plain, n = os.fsync, []
def fsync(file):
    if "checkpoint" in os.readlink(f"/proc/self/fd/{file}"):
        n.append(1)
    if len(n) == 16:
        os.ftruncate(file, 100)
        die()
    plain(file)
os.fsync = fsync
""",
    "the end of a step": """
from nmcsim.output.recorder import Recorder
plain = Recorder.row
def row(self, t, state, step, *rest, **options):
    return plain(self, t, state, step, *rest, **options) if step < 2 else die()
Recorder.row = row
""",
    "the journal complete but no summary": """
plain = os.replace
os.replace = lambda a, b: plain(a, b) if "summary" not in str(b) else die()
""",
    "the journal being deleted": """
import shutil
plain = shutil.rmtree
def rmtree(path):
    os.remove(path / "rows.jsonl")
    die()
shutil.rmtree = rmtree
""",
}


@pytest.mark.parametrize("moment", TRAPS)
def test_killed_while_writing(
    dies: Any,
    on_disk: Any,
    run: Run,
    undisturbed: Any,
    case_file: Path,
    tmp_path: Path,
    moment: str,
):
    case = on_disk(*STEPS)
    every = 0.0 if "step" not in moment and "journal" not in moment else 5.0
    dies(case_file, tmp_path / "out", TRAPS[moment], every=every)
    result = run(case, resume=True)
    same_numbers(result, undisturbed(case))
    assert not (tmp_path / "out" / "journal").exists()


def test_killed_before_anything_is_kept_starts_over(
    dies: Any, on_disk: Any, run: Run, undisturbed: Any, case_file: Path, tmp_path: Path
):
    case = on_disk("Charge at 1C for 10 minutes")
    trap = "os.replace = lambda a, b: die() if 'checkpoint' in str(b) else os.rename(a, b)"
    dies(case_file, tmp_path / "out", trap)
    assert (tmp_path / "out" / "journal" / "rows.jsonl").stat().st_size > 0
    result = run(case, resume=True)
    same_numbers(result, undisturbed(case), rtol=1e-12)
    assert result["time"].values[0] == 0.0
    assert [r["resumed_at"] for r in result.provenance["runs"]] == [None]


def test_killed_while_meshing_and_compiling(
    program: Any, on_disk: Any, run: Run, undisturbed: Any, case_file: Path, tmp_path: Path
):
    case = on_disk("Charge at 1C for 10 minutes")
    cache = tmp_path / "cache"
    for sign in ("nmcsim", "nmcsim/jit/libffcx_*.c"):  # the mesh comes first
        process = program(case_file, tmp_path / "out", XDG_CACHE_HOME=str(cache))
        until = time.monotonic() + 60.0
        while not list(cache.glob(sign)) and time.monotonic() < until:
            time.sleep(0.002)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    unfinished = {
        p for p in cache.glob("nmcsim/jit/*.c") if not p.with_suffix(".c.cached").exists()
    }
    assert unfinished  # on which FFCx would wait in vain
    # nothing has begun in the result directory
    assert {p.name for p in (tmp_path / "out").iterdir()} <= {".lock"}
    process = program(case_file, tmp_path / "out", XDG_CACHE_HOME=str(cache))
    began = time.monotonic()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert time.monotonic() - began < 60.0
    same_numbers(Result.load(tmp_path / "out"), undisturbed(case), rtol=1e-9)


def interrupted(run: Run, case: Any, monkeypatch: pytest.MonkeyPatch, step: int, rows: int) -> None:
    """Run ``case`` and stop it after so many rows of a step."""
    plain, seen = nmcsim.run._Run._between_steps, []

    def between(self: Any, t: float, state: Any) -> None:
        seen.append(self.standing.step + 1)
        if seen.count(step) == rows:
            self.interrupt.signal = signal.SIGTERM
        plain(self, t, state)

    with monkeypatch.context() as patch:
        patch.setattr(nmcsim.run._Run, "_between_steps", between)
        with pytest.raises(Interrupted):
            run(case)


@pytest.mark.parametrize(
    "steps",
    [
        ("Rest for 1 minute", "Charge at 1C for 10 minutes", "Rest for 1 minute"),
        ("Charge at 1C for 5 minutes", "Charge at 1C until 10 mAh/g", "Rest for 1 minute"),
        ("Charge at 1C until 4 V", "Hold at 4 V until C/20", "Discharge at 1C until 10 mAh/g"),
        ("Rest for 90 seconds", {"replay": "I.csv", "time": "t [s]", "current": "I [pA]"},
         "Rest for 1 minute"),
    ],
    ids=["time", "capacity", "current", "replay"],
)  # fmt: skip
def test_a_resumed_step_counts_from_its_own_start(
    crystal: Any,
    run: Run,
    undisturbed: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    steps: Any,
):
    (tmp_path / "I.csv").write_text("t [s],I [pA]\n0,0\n100,4\n200,4\n201,-2\n300,-2\n")
    case = crystal(*steps, physics__surface="butler_volmer", protocol__initial=0.7,
                   numerics__rtol=1e-6)  # fmt: skip
    interrupted(run, case, monkeypatch, step=2, rows=12)
    stopped = Result.load(tmp_path / "out")
    assert [s["number"] for s in stopped.steps] == [1]
    assert stopped["step"].values[-1] == 2.0
    result = run(case, resume=True)
    whole = undisturbed(case)
    same_numbers(result, whole)
    assert result.map.time == pytest.approx(whole.map.time, rel=1e-5)
    # the rows up to the interruption are those of before, and the integrator goes on as it would,
    # but for what a factorisation that is kept changes
    n = len(stopped["time"].values)
    assert (result["time"].values[:n] == stopped["time"].values).all()
    for name in ("time", "order", "voltage", "com_distance"):
        a, b = result[name].values, whole[name].values
        assert a == pytest.approx(b, rel=2e-3, abs=2e-3 * np.nanmax(np.abs(b)), nan_ok=True)


def test_rows_later_than_the_checkpoint_are_dropped(
    dies: Any, on_disk: Any, run: Run, undisturbed: Any, case_file: Path, tmp_path: Path
):
    case = on_disk(*STEPS)
    trap = """
from nmcsim.output.recorder import Recorder
plain, n = Recorder.row, []
def row(self, *arguments, **options):
    n.append(1)
    if len(n) == 30:
        nmcsim.run.CHECKPOINT_EVERY = 1e9
    return plain(self, *arguments, **options) if len(n) < 60 else die()
Recorder.row = row
"""
    dies(case_file, tmp_path / "out", trap)
    kept = Checkpoint.read(tmp_path / "out").standing.t
    rows = (tmp_path / "out" / "journal" / "rows.jsonl").read_text().splitlines()
    later = [t for t in (float(r.split('"time": ')[1].split(",")[0]) for r in rows) if t > kept]
    assert len(later) > 20
    result = run(case, resume=True)
    # the resumed run takes these steps anew: each is there once, and as often as it should be
    same_numbers(result, undisturbed(case))
    t, step = result["time"].values, result["step"].values
    again = np.diff(t) == 0.0
    assert (np.diff(t) >= 0.0).all()
    assert (np.diff(step)[again] == 1.0).all()  # where two steps meet, each has its row
    assert len(t) == pytest.approx(len(undisturbed(case)["time"].values), rel=0.05)


def test_counts_and_times_go_on(crystal: Any, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path):
    case = crystal(*STEPS)
    interrupted(run, case, monkeypatch, step=3, rows=10)
    before = Result.load(tmp_path / "out").summary
    after = run(case, resume=True).summary
    for name in ("steps", "residuals", "jacobians", "factorisations"):
        assert after["counts"][name] > before["counts"][name] > 0
    for name in ("mesh", "assembly", "factorisation", "solve", "output", "stepping", "total"):
        assert after["timing"][name] > before["timing"][name]


def test_a_damaged_checkpoint_is_said(
    crystal: Any, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    case = crystal(*STEPS)
    interrupted(run, case, monkeypatch, step=1, rows=10)
    (tmp_path / "out" / "checkpoint.h5").write_bytes(b"not HDF5")
    with pytest.raises(nmcsim.run.NmcsimError, match="checkpoint.h5 cannot be read"):
        run(case, resume=True)


def test_the_checkpoint_of_another_mesh_is_refused(
    crystal: Any, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    case = crystal(*STEPS)
    interrupted(run, case, monkeypatch, step=1, rows=10)
    plain = nmcsim.run.build_mesh

    def finer(shape: Any, *arguments: Any, **options: Any) -> Any:
        return plain(shape.scaled(0.8), *arguments, **options)

    monkeypatch.setattr(nmcsim.run, "build_mesh", finer)
    with pytest.raises(nmcsim.run.NmcsimError, match="the checkpoint of another mesh"):
        run(case, resume=True)
    assert os.listdir(tmp_path / "out" / "journal")
