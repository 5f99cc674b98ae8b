"""What follows a run is written by one process alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nmcsim import present
from nmcsim.error_bars import add_error_bars
from nmcsim.errors import InputError, RunFailure
from nmcsim.output import Claim
from nmcsim.results import Result
from nmcsim.runtime import MPI
from tests.synthetic import synthetic_result

WAIT = "is being written by another run; wait"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    synthetic_result(tmp_path / "out")
    return tmp_path / "out"


def locked(out: Path) -> bool:
    """Whether another would be refused."""
    try:
        Claim(out).release()
    except InputError as error:
        return WAIT in str(error)
    return False


def test_nobody_else_writes_while_the_report_is_written(out: Path, monkeypatch: pytest.MonkeyPatch):
    found: list[bool] = []
    monkeypatch.setattr(present, "write_presentation", lambda result: found.append(locked(out)))
    present.present(out, MPI.COMM_SELF)
    assert found == [True]
    assert not locked(out)


def test_the_report_waits_for_no_other_writer(out: Path):
    before = sorted(out.rglob("*"))
    claim = Claim(out)
    try:
        with pytest.raises(InputError, match=WAIT):
            present.present(out, MPI.COMM_SELF)
        present.present(out, MPI.COMM_SELF, failed=True)  # the failure itself is to be said
    finally:
        claim.release()
    assert sorted(out.rglob("*")) == before


def test_nobody_else_writes_while_error_bars_are_computed(
    out: Path, monkeypatch: pytest.MonkeyPatch
):
    found: list[bool] = []

    def coarser(case: Any, folder: Path, comm: Any, **options: Any) -> Result:
        found.append(locked(out))
        return Result.load(out)

    monkeypatch.setattr("nmcsim.error_bars.simulate", coarser)
    case = SimpleNamespace(coarser=lambda cells, tolerances: case, replace=lambda key, value: case)
    again = add_error_bars(Result.load(out), case, MPI.COMM_SELF)
    assert found == [True]
    assert again.summary["error_bars"]["voltage"]["error"] == 0.0
    assert not locked(out)


def test_a_failed_coarser_run_lets_others_write(out: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*arguments: Any, **options: Any) -> None:
        raise RunFailure("cannot go on")

    monkeypatch.setattr("nmcsim.error_bars.simulate", fail)
    case = SimpleNamespace(coarser=lambda cells, tolerances: case, replace=lambda key, value: case)
    with pytest.raises(RunFailure):
        add_error_bars(Result.load(out), case, MPI.COMM_SELF)
    assert not locked(out)
