"""A wheel of the clone, and an environment outside it that holds this wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(
    *command: object, cwd: Path, expect: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command without input; its output, after its exit status was checked."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == expect, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the clone."""
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out, cwd=ROOT)
    (found,) = out.glob("nmcsim-*.whl")
    return found


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel and knows nothing of the clone."""

    python: Path

    def nmcsim(self, *arguments: object, cwd: Path, expect: int = 0, **environment: str) -> str:
        """What `nmcsim ARGUMENTS` printed, typed in `cwd`."""
        command = self.python.parent / "nmcsim"
        done = run(command, *arguments, cwd=cwd, expect=expect, **environment)
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a virtual environment of its own.

    Its dependencies are those of the environment the tests run in, lent through a path file
    without the editable install's own: downloading 0.8 GB would test the network.
    """
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    (site,) = (folder / "lib").glob("python3*/site-packages")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    # a plain path: path files inside the lender, such as the editable install's, stay unread
    (site / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    for beside in Path(sys.prefix, "lib").iterdir():  # MPI's libraries lie there
        if not (folder / "lib" / beside.name).exists():
            (folder / "lib" / beside.name).symlink_to(beside)
    return Installed(python)
