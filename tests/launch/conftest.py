"""Small sweeps, started as a user would, and killed as a machine would."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.crystals import SMALL
from tests.mpirun import ROOT, clean_environment

CASE = SMALL.replace('shape = "disk"', 'file = "trouble.py"')
MOVING = {"wall", "attempt", "host", "started", "directory", "steps", "rejected"}
"""Columns that differ between two runs of the same sweep."""


class Sweep:
    """A sweep in a folder of its own, run by the command line.

    Parameters
    ----------
    folder : Path
    table : str
        The content of ``[sweep]``.
    """

    def __init__(self, folder: Path, table: str) -> None:
        self.folder, self.out = folder, folder / "out"
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / "tests" / "shapes" / "trouble.py", folder)
        self.file = folder / "sweep.toml"
        self.file.write_text(f"{CASE}\n[sweep]\n{table}")

    def command(self, *words: str) -> list[str]:
        own = ["sweep", str(self.file), "--out", str(self.out), *words]
        return [sys.executable, "-m", "nmcsim", *own]

    def start(self, *words: str, ranks: int = 0, **options: Any) -> subprocess.Popen[str]:
        """Begin; with ``ranks`` under mpirun."""
        launcher = [str(Path(sys.prefix) / "bin" / "mpirun"), "-n", str(ranks)] if ranks else []
        return subprocess.Popen(
            [*launcher, *self.command(*words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=clean_environment(), cwd=self.folder, **options,
        )  # fmt: skip

    def run(
        self, *words: str, ranks: int = 0, status: int | None = 0, **options: Any
    ) -> tuple[str, str]:
        """Run to the end; what was printed on standard output and error."""
        process = self.start(*words, ranks=ranks, **options)
        out, err = process.communicate(timeout=240)
        assert status is None or process.returncode == status, f"{process.returncode}\n{out}{err}"
        return out, err

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in (self.out / "records").glob("*.json")]

    def wait_for(self, count: int, process: subprocess.Popen[str], seconds: float = 120.0) -> None:
        """Until so many cases have ended."""
        deadline = time.monotonic() + seconds
        while len(list((self.out / "records").glob("*.json"))) < count:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)

    def workers(self) -> list[psutil.Process]:
        """The processes that work in its directory."""
        found = []
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
            except psutil.Error:
                continue
            if "nmcsim.launch.worker" in words and str(self.out) in words:
                found.append(process)
        return found


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Sweep]:
    """``made(table, name="a")``: a sweep in a folder of that name."""

    def make(table: str, name: str = "a") -> Sweep:
        return Sweep(tmp_path / name, table)

    return make


def gone(processes: Sequence[psutil.Process], seconds: float = 20.0) -> bool:
    """Whether all of them end within this time."""
    return not psutil.wait_procs(processes, timeout=seconds)[1]


ROWS = {"com_distance_max": 0.1, "soc_at_com_distance_max": 0.1, "theta_spread_max": 0.002}
"""Largest values over the rows of a history: where these fall, a resumed run chooses anew. The
last region that counts has 1 % of the area, less than one of the cells here, and may end within a
step."""


def same_tables(first: Path, second: Path, rtol: float = 2e-4) -> None:
    """Assert that two sweeps came to the same, up to what a resumed integration may differ by."""
    from nmcsim.sweeps.table import Table

    a, b = Table.load(first), Table.load(second)
    assert list(a.columns) == list(b.columns)
    assert a.attrs["units"] == b.attrs["units"]
    for name in a.columns:
        if name in MOVING or name.endswith("drift") or name.startswith("newton"):
            continue
        if a[name].dtype.kind == "f":
            np.testing.assert_allclose(
                a[name].to_numpy(), b[name].to_numpy(), rtol=ROWS.get(name, rtol), atol=1e-9,
                err_msg=name,
            )  # fmt: skip
        else:
            assert a[name].astype(str).tolist() == b[name].astype(str).tolist(), name
