"""What a run says of itself, in the summary, in the provenance and in its log."""

from __future__ import annotations

import io
import json
import platform
from collections.abc import Callable
from typing import Any

import pytest

import nmcsim
from nmcsim.case import load
from nmcsim.log import to_stream
from nmcsim.progress import Progress
from nmcsim.results import QUANTITIES, Result
from tests.mpirun import ROOT

Run = Callable[..., Result]


@pytest.fixture
def result(crystal: Any, undisturbed: Any) -> Result:
    return undisturbed(crystal("Charge at 1C until 4.05 V", "Rest for 5 minutes"))


def test_the_summary_holds_what_a_program_asks_for(result: Result):
    summary = json.loads((result.directory / "summary.json").read_text())
    assert summary["status"] == "finished"
    assert [(s["sentence"], s["ended_by"]) for s in summary["steps"]] == [
        ("Charge at 1C until 4.05 V", "voltage"),
        ("Rest for 5 minutes", "time"),
    ]
    first, second = summary["steps"]
    assert first["t_start"] == 0.0 and second["t_start"] == first["t_end"]
    assert second["t_end"] == pytest.approx(first["t_end"] + 300.0)
    assert isinstance(summary["balance"]["lithium"], float) and summary["balance"]["lithium"] < 1e-9
    counts = summary["counts"]
    assert all(counts[n] > 0 for n in ("steps", "residuals", "jacobians", "factorisations"))
    assert counts["rejected"] >= 0
    # a row of each accepted step, of each begin of a step and of each asked time
    assert len(result["time"].values) >= counts["steps"] + 2
    for name, entry in summary["observables"].items():
        assert {"value", "unit", "symbol", "description"} == set(entry)
        assert entry["unit"] == QUANTITIES[name].unit
    assert summary["rock_salt"] == {"asked": 0.5, "meshed": pytest.approx(0.5, abs=1e-9)}
    assert summary["extrapolated"] is False


def test_times_add_up(result: Result):
    timing = result.summary["timing"]
    for name in ("mesh", "jit", "assembly", "factorisation", "solve", "output", "total"):
        assert timing[name] > 0.0
    parts = timing["observables"] + timing["checkpoint"] + timing["tables"]
    assert timing["output"] == pytest.approx(parts)
    solved = timing["assembly"] + timing["factorisation"] + timing["solve"]
    assert solved + timing["observables"] + timing["checkpoint"] < timing["stepping"]
    outside = timing["mesh"] + timing["setup"] + timing["jit"] + timing["tables"]
    assert timing["stepping"] + outside <= timing["total"]
    assert timing["stepping"] + outside > 0.8 * timing["total"]


def test_the_provenance_tells_the_run_and_not_the_host(result: Result):
    text = (result.directory / "provenance.json").read_text()
    provenance = json.loads(text)
    assert provenance["case_hash"] == result.case().hash
    assert provenance["versions"]["nmcsim"] == nmcsim.__version__
    assert {"dolfinx", "petsc", "gmsh", "numpy", "python"} <= set(provenance["versions"])
    (only,) = provenance["runs"]
    assert only["ranks"] == 1 and only["resumed_at"] is None
    assert only["wall_time"] == pytest.approx(result.summary["timing"]["total"], rel=0.2)
    assert platform.node() not in text or len(platform.node()) < 4


def test_a_run_says_what_it_does(crystal: Any, run: Run):
    stream = io.StringIO()
    with to_stream(stream):
        run(crystal("Charge at 1C until 4.05 V"))
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith(
        f"nmcsim {nmcsim.__version__}  Small crystal  (single_crystal, disk, "
    )
    assert lines[1] == "  rock salt on 50.0000 % of the lateral surface (asked: 50.0000 %)"
    assert lines[2] == "  step 1/1  Charge at 1C until 4.05 V"
    assert lines[4].startswith("  ended by V = 4.05 V at ")
    assert "limit 1e-09" in lines[5]


def test_the_wall_time_outside_the_solver_is_small(crystal: Any, run: Run):
    """Issue: less than 15 % of the time stepping outside assembly, factorisation and solves."""
    # 9,000 unknowns; on fewer the interpreter is what takes time
    case = load(ROOT / "cases" / "crystal_aged_1C.toml")
    result = run(case.replace("protocol.steps", ["Charge at 1C for 10 minutes"]))
    timing = result.summary["timing"]
    assert result.provenance["unknowns"] > 5_000
    stepping = timing["stepping"] - timing["observables"] - timing["checkpoint"]
    solved = timing["assembly"] + timing["factorisation"] + timing["solve"]
    assert 1.0 - solved / stepping < 0.15


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch):
    clock = [100.0]
    monkeypatch.setattr("nmcsim.progress.time.monotonic", lambda: clock[0])
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        progress = Progress(True, stream)
        progress.begin(0.25)
        clock[0] += 10.0
        progress.show(0.5, 1234.0, 3.9876, 55.0)
        progress.show(0.6, 1235.0, 3.9876, 55.0)  # too soon after the last
        progress.clear()
    assert file.getvalue() == ""
    shown = terminal.getvalue()
    assert "[############            ]  50 %  t 1234 s  V 3.988 V  55 s/s  20 s left" in shown
    assert "1235" not in shown
    assert shown.endswith("\r\x1b[K")
    quiet = Terminal()
    Progress(False, quiet).show(0.5, 1.0, 4.0, 1.0)
    assert quiet.getvalue() == ""
