"""Mistakes of a sweep's command line: one sentence, status 2, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmcsim.cli import main
from tests.mpirun import ROOT

FILE = f"""
[sweep]
case = "{ROOT}/cases/crystal_aged_1C.toml"
[sweep.grid]
physics.rock_salt.coverage = [0.3, 0.6]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(FILE)
    return path


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["sweep", *map(str, words)]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--shard", "0/3"), '"0/3" is not a share; write I/N with I from 1 to N, such as 3/8'),
        (("--shard", "3"), '"3" is not a share'),
        (("--workers", "none"), '"none" is not a number of at least 1'),
        (("--ranks-per-case", "0"), '"0" is not a number of at least 1'),
        (("--time-limit", "10"), '--time-limit = "10" has no unit; write "10 s"'),
        (("--memory-limit", "2"), "--memory-limit"),
        (("--keep", "some"), "invalid choice"),
    ],
)
def test_an_option_that_is_wrong(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words, sentence: str
):
    assert sentence in said(capsys, file, "--out", tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


def test_a_directory_that_holds_something_else(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "notes.txt").write_text("mine")
    text = said(capsys, file, "--out", tmp_path)
    assert "is not the directory of a sweep (it holds" in text and "choose another" in text
    (tmp_path / "one").write_text("a file")
    assert "is a file; choose a directory" in said(capsys, file, "--out", tmp_path / "one")


def test_no_sweep_has_no_status_and_no_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["status", str(tmp_path)]) == 2
    assert "is not the directory of a sweep" in capsys.readouterr().err
    assert main(["plot", str(tmp_path / "none"), "--x", "a", "--y", "b"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_dry_run_lists_and_writes_nothing(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["sweep", str(file), "--dry-run", "--out", str(tmp_path / "out")]) == 0
    assert "2 cases" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
