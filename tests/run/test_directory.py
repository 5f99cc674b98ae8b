"""Who may write where, and what is never overwritten."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nmcsim.case import load
from nmcsim.errors import InputError
from nmcsim.log import to_stream
from nmcsim.results import Result

Run = Callable[..., Result]
SHORT = "Charge at 1C for 1 minute"


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_existing_result_is_not_overwritten(crystal: Any, run: Run, tmp_path: Path):
    run(crystal(SHORT))
    before = content(tmp_path / "out")
    with pytest.raises(InputError, match=r"out exists; add --resume .* --overwrite"):
        run(crystal(SHORT))
    assert content(tmp_path / "out") == before


def test_overwriting_replaces_the_result(crystal: Any, run: Run, tmp_path: Path):
    run(crystal(SHORT))
    (tmp_path / "out" / "report.html").write_text("of the earlier run")
    (tmp_path / "out" / ".history.h5.77.tmp").write_text("of a killed run")
    again = run(crystal("Charge at 1C for 2 minutes"), overwrite=True)
    assert again["time"].values[-1] == pytest.approx(120.0)
    assert len(again.provenance["runs"]) == 1
    there = {path.name for path in (tmp_path / "out").iterdir()}
    assert not there & {"report.html", ".history.h5.77.tmp", "journal"}


def test_overwriting_from_the_copy_of_the_case_keeps_its_inputs(
    crystal: Any, run: Run, tmp_path: Path
):
    (tmp_path / "t.csv").write_text("t [s]\n10\n20\n")
    times = {"file": "t.csv", "column": "t [s]"}
    run(crystal(SHORT, output__times=times))
    own = load(tmp_path / "out" / "case.toml")
    again = run(own, overwrite=True)
    assert again.provenance["case_hash"] == load(tmp_path / "out" / "case.toml").hash == own.hash
    inputs = content(tmp_path / "out" / "inputs")
    assert inputs == {"t.csv": (tmp_path / "t.csv").read_bytes()}
    assert not list((tmp_path / "out").glob(".*.tmp"))


def test_overwriting_from_the_copy_tells_files_of_one_name_apart(
    crystal: Any, run: Run, tmp_path: Path
):
    for name, unit in (("a", "10"), ("b", "30")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.csv").write_text(f"t [s],I [A]\n0,0\n{unit},0\n")
    run(crystal(SHORT, output__times={"file": "b/t.csv", "column": "t [s]"}))
    own = load(tmp_path / "out" / "case.toml")
    replay = {"replay": str(tmp_path / "a/t.csv"), "time": "t [s]", "current": "I [A]"}
    other = own.replace("protocol.steps", [replay])
    run(other, overwrite=True)
    assert load(tmp_path / "out" / "case.toml").hash == other.hash
    assert other.replace("title", own.title).hash == other.hash  # read again by its old names


@pytest.mark.parametrize("of", ["state", "file"])
def test_overwriting_what_the_case_reads_is_refused(
    crystal: Any, run: Run, tmp_path: Path, of: str
):
    run(crystal(SHORT))
    keys: dict[str, Any] = {
        "state": {"protocol__initial": {"from": "out"}},
        "file": {"output__times": {"file": "out/history.csv", "column": "time [s]"}},
    }[of]
    before = content(tmp_path / "out")
    with pytest.raises(InputError, match="holds what the case reads, .*out.*; choose another"):
        run(crystal(SHORT, **keys), overwrite=True)
    assert content(tmp_path / "out") == before


def test_overwriting_deletes_nothing_that_is_not_ours(crystal: Any, run: Run, tmp_path: Path):
    run(crystal(SHORT))
    (tmp_path / "out" / "notes.txt").write_text("mine")
    before = content(tmp_path / "out")
    with pytest.raises(InputError, match='holds "notes.txt", which no run wrote'):
        run(crystal(SHORT), overwrite=True)
    assert content(tmp_path / "out") == before


def test_a_case_that_cannot_begin_leaves_the_earlier_result(crystal: Any, run: Run, tmp_path: Path):
    run(crystal(SHORT))
    before = content(tmp_path / "out")
    with pytest.raises(InputError, match="lithium per site"):
        run(crystal(SHORT, protocol__initial="0.8 + x"), overwrite=True)
    assert content(tmp_path / "out") == before


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"overwrite": True}])
def test_a_directory_of_something_else_is_refused(
    crystal: Any, run: Run, tmp_path: Path, options: dict[str, bool]
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match=r'is not a result directory \(it holds "thesis.tex"\)'):
        run(crystal(SHORT), **options)
    assert content(tmp_path / "out") == {"thesis.tex": b"mine"}


def test_a_finished_run_says_so(crystal: Any, run: Run, tmp_path: Path, capsys: Any):
    run(crystal(SHORT))
    before = content(tmp_path / "out")
    with to_stream():
        again = run(crystal(SHORT), resume=True)
    assert "out: finished already; nothing was run" in capsys.readouterr().out
    assert again.status == "finished"
    assert content(tmp_path / "out") == before


def test_resuming_another_case_is_refused(crystal: Any, run: Run, tmp_path: Path):
    run(crystal(SHORT))
    before = content(tmp_path / "out")
    with pytest.raises(InputError, match="holds a run of a different case"):
        run(crystal(SHORT, protocol__initial=0.8), resume=True)
    assert content(tmp_path / "out") == before


@pytest.mark.parametrize("name", ["file/inside", "file"])
def test_a_directory_that_cannot_be_made_is_refused(
    crystal: Any, run: Run, tmp_path: Path, name: str
):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"--out .*file.* cannot be written \(.+\); choose"):
        run(crystal(SHORT), name)


def test_a_directory_without_permission_is_refused(
    crystal: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plain = os.open

    def refuse(path: Any, *arguments: Any, **options: Any) -> int:
        if str(path).endswith(".lock") and str(tmp_path) in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return plain(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match=r"cannot be written \(Permission denied\)"):
        run(crystal(SHORT), "deep/out")
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("method", ["exists", "iterdir"])
def test_a_directory_that_may_not_be_entered_is_refused(
    crystal: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
):
    (tmp_path / "out").mkdir()
    plain = getattr(Path, method)

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == tmp_path / "out":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return plain(path, *arguments, **options)

    monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(InputError, match=r"out cannot be written \(Permission denied\); choose"):
        run(crystal(SHORT))


def test_two_runs_on_one_directory_are_refused(crystal: Any, run: Run, tmp_path: Path):
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        for options in ({}, {"resume": True}, {"overwrite": True}):
            with pytest.raises(InputError, match="out is being written by another run; wait"):
                run(crystal(SHORT), **options)
    # the lock is the kernel's: the file that is left stops nobody
    assert run(crystal(SHORT)).status == "finished"


def test_the_log_keeps_one_line_of_each_step(crystal: Any, run: Run, tmp_path: Path):
    result = run(crystal(SHORT))
    lines = (tmp_path / "out" / "log.jsonl").read_text().splitlines()
    assert sum('"dt"' in line for line in lines) == result.summary["counts"]["steps"]
