"""A Slurm for the tests of this folder, and the job scripts of the documentation."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.test_examples import blocks
from tests.launch.conftest import Sweep
from tests.mpirun import ROOT
from tests.slurm.cluster import Slurm, missing

PAGE = ROOT / "docs" / "how-to" / "cluster.md"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They start daemons, so that nobody runs them by chance."""
    if not os.environ.get("NMCSIM_SLURM"):
        skip = pytest.mark.skip(reason="starts Slurm; make test-slurm runs it")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """Slurm on this machine; a test that needs it fails where it cannot be had."""
    sentence = missing()
    if sentence:
        pytest.fail(sentence)
    # munged wants a short path that only root may write to
    with tempfile.TemporaryDirectory(prefix="nmcsim-slurm-") as folder, Slurm(Path(folder)) as up:
        yield up


class Job:
    """A sweep that is run by the scripts of the page, from a home of its own.

    Parameters
    ----------
    sweep : Sweep
    slurm : Slurm
    """

    def __init__(self, sweep: Sweep, slurm: Slurm) -> None:
        self.sweep, self.slurm = sweep, slurm
        self.folder, self.out = sweep.folder, sweep.folder / "results" / "sweep"
        sweep.out = self.out
        for block in blocks(PAGE.read_text(encoding="utf-8")):
            if block.language == "bash":
                (self.folder / block.mode.removeprefix("file=")).write_text(block.body)
        clone = self.folder / "home" / "nmcsim"
        clone.mkdir(parents=True)
        (clone / ".venv").symlink_to(sys.prefix)

    def submit(self, script: str, *options: str, words: tuple[str, ...] = ()) -> str:
        """Submit a script of the page; options of sbatch come before it, nmcsim's after it."""
        home = f"HOME={self.folder / 'home'},XDG_CACHE_HOME={_caches()}"
        return self.slurm.submit(
            self.folder / script, f"--export=ALL,{home}", *options, words=words
        )

    def log(self, job: str) -> str:
        """All that a job has said, with the tasks of its array."""
        return "".join(p.read_text() for p in sorted(self.folder.glob(f"sweep-{job}*.log")))

    def wait_for(self, count: int, seconds: float = 120.0) -> None:
        """Until so many cases have ended."""
        self.slurm.until(lambda: len(self.sweep.records()) >= count, seconds)


def _caches() -> str:
    """Those of the user who runs the tests: another home must not mean compiling again."""
    return os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")


@pytest.fixture
def job(tmp_path: Path, slurm: Slurm) -> Callable[[str], Job]:
    """``job(table)``: the sweep with this ``[sweep]``, ready to be submitted."""
    return lambda table: Job(Sweep(tmp_path / "a", table), slurm)
