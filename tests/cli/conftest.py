"""The command line, in this process or another, in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nmcsim.case.starter import starter
from nmcsim.cli import main

LAUNCHER = ("PMI", "HYDRA", "MPIR", "MPI_LOCAL", "OMPI", "SLURM")


@dataclass(frozen=True)
class Said:
    """What a command left: its status and its words."""

    status: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: empty but for ``case.toml``, which has no mistakes."""
    (tmp_path / "case.toml").write_text(starter("single_crystal"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def nmcsim(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command in this process."""

    def run(*arguments: str) -> Said:
        capfd.readouterr()
        status = main(arguments)
        return Said(status, *capfd.readouterr())

    return run


@pytest.fixture
def python(folder: Path, root: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in another process, on one or more ranks."""

    def run(program: str, ranks: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHER)}
        launcher = [str(Path(sys.executable).parent / "mpirun"), "-n", str(ranks)] if ranks else []
        return subprocess.run(
            [*launcher, sys.executable, "-c", program],
            env=clean | {"PYTHONPATH": str(root)} | more,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
