"""How runs end that do not reach the end of their protocol, and what they leave."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nmcsim.run
from nmcsim.errors import RunFailure
from nmcsim.output.recorder import Recorder
from nmcsim.results import Journal, Result
from nmcsim.run import Interrupted
from nmcsim.solve.ndf import NDF
from tests.run.conftest import rows_in_order, same_numbers

Run = Callable[..., Result]
BV = {"physics__surface": "butler_volmer"}
PLACE = r"\((-?[\d.]+), (-?[\d.]+)\) um on \"(\w+)\""


def radius_and_surface(text: str) -> tuple[float, str]:
    found = re.search(PLACE, text)
    assert found, text
    return float(np.hypot(float(found[1]), float(found[2]))), found[3]


# -- limits of validity -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "changes", "ended_by", "words"),
    [
        # Eq. 15 asks for a flux that diffusion cannot bring to the bare half
        (("Charge at 5C until 4.44 V",), {"physics__extrapolate": True},
         "lithium", "lithium runs out: theta = 0.001, at "),
        (("Discharge at 5C for 1 hour",), {"physics__extrapolate": True},
         "lithium", "lithium fills the sites: theta = 0.999, at "),
        (("Discharge at 5C for 1 hour",), {}, "lithium",
         "lithium fills the sites: theta = 0.995, the end of the valid range"),
    ],
)  # fmt: skip
def test_a_limit_ends_the_run_and_says_where(
    crystal: Any, run: Run, steps: Any, changes: Any, ended_by: str, words: str
):
    case = crystal(*steps, "Rest for 1 hour", **changes)
    result = run(case)
    assert result.status == "ended early"
    (step,) = result.steps  # what was to follow is not run
    assert step["ended_by"] == ended_by
    assert step["reason"].startswith(words)
    radius, surface = radius_and_surface(step["reason"])
    assert radius == pytest.approx(1.25, rel=0.01) and surface == "bare"
    assert result["time"].values[-1] == step["t_end"]
    assert result.summary["extrapolated"] is bool(changes)
    again = run(case, resume=True)  # it is over, and stays so
    assert again.status == "ended early" and len(again.steps) == 1


def test_an_early_end_is_still_one_after_a_kill_before_the_summary(
    crystal: Any, run: Run, monkeypatch: pytest.MonkeyPatch
):
    case = crystal("Discharge at 5C for 1 hour", "Rest for 1 hour")
    with monkeypatch.context() as patch:
        patch.setattr("nmcsim.output.ledger.write_tables", partial(_raise, RuntimeError("killed")))
        with pytest.raises(RuntimeError, match="killed"):
            run(case)
    result = run(case, resume=True)
    assert result.status == "ended early"
    assert len(result.steps) == 1


def _raise(error: Exception, *arguments: Any, **options: Any) -> None:
    raise error


# -- failures -------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", ["flux", "butler_volmer"])
def test_a_run_that_cannot_go_on_says_why(
    crystal: Any,
    run: Run,
    undisturbed: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    surface: str,
):
    case = crystal(
        "Rest for 1 minute", "Charge at 1C until 4.1 V", "Rest for 1 minute",
        physics__surface=surface,
    )  # fmt: skip
    with monkeypatch.context() as patch:
        # the second step starts with less than the least step that is allowed here
        patch.setattr(nmcsim.run, "NDF", partial(NDF, h_min=0.5))
        with pytest.raises(RunFailure) as failed:
            run(case)
    lines = str(failed.value).splitlines()
    begin = r"stopped at t = [\d.]+ s in step 2 \(Charge at 1C until 4.1 V\): "
    assert re.match(begin + "the step fell below 0.5 s$", lines[0]), lines[0]
    assert lines[1].startswith("  largest residual: ")
    assert re.match(r"  last residuals \(scaled\): theta [\d.e-]+, ", lines[2])
    radius_and_surface(lines[3])
    assert re.search(r"largest change: theta at .*, theta = 0\.\d+, .* dt = [\d.e-]+ s$", lines[3])
    assert lines[4].startswith("  likely: ")
    assert re.match(r"  last good state: .*checkpoint.h5 \(t = [\d.]+ s\); .*steps.csv$", lines[5])
    result = Result.load(tmp_path / "out")
    assert failed.value.exit_status == 3
    assert result.status == "failed"
    assert result.summary["failure"] == str(failed.value)
    assert [s["ended_by"] for s in result.steps] == ["time"]
    assert len(result["time"].values) > 5
    rows_in_order(result)
    same_numbers(run(case, resume=True), undisturbed(case))


def test_a_start_without_potentials_says_so(
    crystal: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    case = crystal("Charge at 1C until 4.1 V", **BV)
    monkeypatch.setattr("nmcsim.solve.start.consistent.__defaults__", (1,))
    with pytest.raises(RunFailure) as failed:
        run(case)
    text = str(failed.value)
    assert "the potentials at the start of the step did not converge" in text
    assert "last good state: the initial one" in text


def test_a_model_that_loses_lithium_fails(
    crystal: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plain = Recorder.drifts

    def drifts(self: Recorder, *arguments: Any) -> dict[str, float]:
        return {name: drift + 2e-9 for name, drift in plain(self, *arguments).items()}

    monkeypatch.setattr(Recorder, "drifts", drifts)
    with pytest.raises(RunFailure, match="the lithium balance drifts by 2e-09 of the initial"):
        run(crystal("Charge at 1C for 1 minute"))
    assert Result.load(tmp_path / "out").status == "failed"


# -- full disk --------------------------------------------------------------------------------


def test_a_full_disk_ends_with_a_sentence_and_the_run_goes_on_later(
    crystal: Any, run: Run, undisturbed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    case = crystal("Charge at 1C until 4.1 V")
    plain, written = Journal._append, []

    def full(self: Journal, name: str, content: bytes) -> None:
        written.append(name)
        if len(written) > 60:
            half = content[: len(content) // 2]
            plain(self, name, half)
            raise nmcsim.results.WriteFailure(f"{self.folder / name}: the disk is full")
        plain(self, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(nmcsim.run, "CHECKPOINT_EVERY", 0.0)
        patch.setattr(Journal, "_append", full)
        with pytest.raises(RunFailure, match="the disk is full"):
            run(case)
    assert Result.load(tmp_path / "out").status == "failed"
    same_numbers(run(case, resume=True), undisturbed(case))


@pytest.mark.parametrize("limit", [1_000, 35_000, 100_000])
def test_files_that_may_not_grow_end_with_a_sentence(
    program: Any, crystal: Any, run: Run, case_file: Path, tmp_path: Path, limit: int
):
    """The kernel refuses to write beyond `limit` bytes of any file, as on a full disk.

    Met are the mesh, the journal, and the history at the end.
    """
    trap = f"""
import resource
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from nmcsim.mesh import build
def built(*arguments, **options):
    mesh = build(*arguments, **options)
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
    return mesh
nmcsim.run.build_mesh = built
from nmcsim.errors import RunFailure
def hook(kind, error, trace):
    print(kind.__name__, error, file=sys.stderr)
sys.excepthook = hook
"""
    run(crystal("Rest for 1 second"), "warm")  # no compilation: its files would not fit
    process = program(case_file, tmp_path / "out", trap)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert re.fullmatch(
        r"WriteFailure .*: could not be written: the disk is full \(or a quota is reached\);"
        r" free some space and go on with --resume\n", said
    ), said  # fmt: skip
    assert not list((tmp_path / "out").glob(".*.tmp"))
    result = run(crystal(), resume=True)
    assert result.status == "finished"
    rows_in_order(result)


# -- interruption -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_its_state(
    crystal: Any,
    run: Run,
    undisturbed: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
):
    case = crystal("Rest for 1 minute", "Charge at 1C until 4.1 V")
    plain, rows = Recorder.row, []

    def row(self: Recorder, *arguments: Any, **options: Any) -> Any:
        rows.append(arguments[0])
        if len(rows) == 40:
            os.kill(os.getpid(), number)
        return plain(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "row", row)
        with pytest.raises(Interrupted) as stopped:
            run(case)
    assert stopped.value.exit_status == 130
    said = rf"interrupted at t = {rows[-1]:.6g} s; go on with --resume --out {tmp_path / 'out'}"
    assert str(stopped.value) == said
    partial_result = Result.load(tmp_path / "out")
    assert partial_result.status == "interrupted"
    assert partial_result["time"].values[-1] == rows[-1]
    same_numbers(run(case, resume=True), undisturbed(case))
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL  # the caller's own handling again


def test_a_resumed_run_has_not_ended(crystal: Any, run: Run, tmp_path: Path, dies: Any):
    """The summary of an interrupted run does not stand for the one that goes on."""
    case = crystal()
    case.write(tmp_path)
    trap = "os.replace = lambda *a: die() if 'provenance' in str(a[1]) else os.rename(*a)"
    (tmp_path / "out").mkdir()
    case.write(tmp_path / "out")
    (tmp_path / "out" / "summary.json").write_text(json.dumps({"status": "interrupted"}))
    dies(tmp_path / "case.toml", tmp_path / "out", trap)
    assert not (tmp_path / "out" / "summary.json").exists()


def test_an_initial_state_beyond_the_laws_ends_at_once(crystal: Any, run: Run):
    case = crystal("Charge at 1C for 1 minute", protocol__initial="0.998 - 0.1 * r**2")
    result = run(case)
    assert result.status == "ended early"
    assert result.steps[0]["t_end"] == 0.0
    assert result.steps[0]["reason"].endswith(") um inside")


def test_an_overshoot_inside_is_no_end(crystal: Any, run: Run):
    """A jump of the surface by 0.6 overshoots behind its front; the laws are left only there."""
    case = crystal("Hold at 4.44 V for 10 minutes", protocol__initial=0.9, **BV)
    result = run(case)
    assert result["theta_max"].values.max() > 0.995  # the end of the laws' range
    assert result.status == "finished"
    assert result.summary["balance"]["lithium"] < 1e-9
