"""Small crystals that run in tenths of a second, in this process or one that is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nmcsim.runtime  # noqa: F401  (first: it imports DOLFINx in the order that works)
from nmcsim.case import load
from nmcsim.results import Result
from nmcsim.run import simulate
from tests.crystals import SMALL
from tests.mpirun import ROOT, clean_environment

CASE = SMALL


@pytest.fixture
def case_file(tmp_path: Path) -> Path:
    """A case file in a folder of its own."""
    path = tmp_path / "case.toml"
    path.write_text(CASE)
    return path


@pytest.fixture
def crystal(case_file: Path) -> Callable[..., Any]:
    """The small case, with steps and other keys changed."""

    def changed(*steps: Any, **keys: Any) -> Any:
        case = load(case_file)
        keys = {key.replace("__", "."): value for key, value in keys.items()}
        # one at a time a change may contradict what is still to be changed
        for key in sorted(keys, key=lambda key: key == "physics.surface", reverse=True):
            case = case.replace(key, keys[key])
        return case.replace("protocol.steps", list(steps)) if steps else case

    return changed


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Run a case into ``tmp_path / name``."""

    def go(case: Any, name: str = "out", **options: Any) -> Result:
        return simulate(case, tmp_path / name, **options)

    return go


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], Result]:
    """The result of a case that nothing disturbs, run once for all tests."""
    known: dict[str, Result] = {}

    def result(case: Any) -> Result:
        if case.hash not in known:
            known[case.hash] = simulate(case, tmp_path_factory.mktemp("whole") / "out")
        return known[case.hash]

    return result


PROGRAM = """
import os, signal, sys
import nmcsim.run
from nmcsim.case import load
nmcsim.run.CHECKPOINT_EVERY = {every}
def die():
    os.kill(os.getpid(), signal.SIGKILL)
{trap}
print("begun", flush=True)
nmcsim.run.simulate(load({case!r}), {out!r}, resume=True)
"""


@pytest.fixture
def program() -> Callable[..., subprocess.Popen[str]]:
    """Start `simulate(case, out, resume=True)` in a process, after a ``trap`` was set in it."""

    def start(
        case: Path, out: Path, trap: str = "", every: float = 0.0, **environment: str
    ) -> subprocess.Popen[str]:
        code = PROGRAM.format(case=str(case), out=str(out), trap=trap, every=every)
        return subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=clean_environment(**environment),
        )

    return start


@pytest.fixture
def dies(program: Callable[..., subprocess.Popen[str]]) -> Callable[..., None]:
    """Run until the trap kills the process; fail if it does not."""

    def until_killed(*arguments: Any, **options: Any) -> None:
        process = program(*arguments, **options)
        _, said = process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL, f"exit {process.returncode}\n{said}"

    return until_killed


def rows_in_order(result: Result) -> None:
    """Time increases from row to row; only at the start of a step is there a second row."""
    time, step = result["time"].values, result["step"].values
    later = np.diff(time) > 0.0
    begins = (np.diff(time) == 0.0) & (np.diff(step) >= 1.0)
    assert (later | begins).all()
    assert (np.diff(result.frame_times) > 0.0).all()


def same_numbers(a: Result, b: Result, rtol: float = 1e-5) -> None:
    """Two runs ended in the same way, at the same time and voltage, with the same charge."""
    rows_in_order(a)
    assert a.status == b.status
    assert [s["ended_by"] for s in a.steps] == [s["ended_by"] for s in b.steps]
    for x, y in zip(a.steps, b.steps, strict=True):
        assert x["t_end"] == pytest.approx(y["t_end"], rel=rtol, abs=1e-6)
        assert x["t_start"] == pytest.approx(y["t_start"], rel=rtol, abs=1e-6)
    for name, near in (("voltage", 2e-5), ("theta_mean", 1e-5), ("theta_min", 2e-4)):
        assert a[name].values[-1] == pytest.approx(b[name].values[-1], abs=near)
    assert a["charge"].values[-1] == pytest.approx(b["charge"].values[-1], rel=rtol)
    assert len(a.frame_times) == len(b.frame_times)
    assert a.summary["balance"]["lithium"] < 1e-9
