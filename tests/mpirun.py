"""Programs on several ranks, started from a test."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAUNCHER = ("PMI", "HYDRA", "MPIR", "MPI_LOCAL")
"""What a launcher puts into the environment; a program started below it would join that job."""


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment for a program of its own, with nmcsim of this clone importable."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(LAUNCHER)}
    path = os.pathsep.join(part for part in (str(ROOT), kept.get("PYTHONPATH", "")) if part)
    return kept | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path} | extra


def mpirun(
    n: int,
    program: str | Sequence[str],
    timeout: float = 120.0,
    *,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run Python on `n` ranks.

    Parameters
    ----------
    n : int
        Number of ranks.
    program : str or sequence of str
        Code, or Python's arguments (``["-m", "nmcsim", "run", "case.toml"]``).
    timeout : float
        After so many seconds the ranks are killed and the test fails [s].
    check : bool
        Whether an exit status other than 0 fails the test, with what was written to stderr.
    env, cwd : mapping, path, optional
        Additions to the environment; the folder to run in.
    """
    # the launcher beside this interpreter: another MPI's would start n separate programs
    launcher = Path(sys.prefix) / "bin" / "mpirun"
    words = ["-c", textwrap.dedent(program)] if isinstance(program, str) else list(program)
    done = subprocess.run(
        [str(launcher), "-n", str(n), sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=clean_environment(**(env or {})),
        cwd=cwd,
    )
    assert not check or done.returncode == 0, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done
