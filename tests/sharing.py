"""How the tests share a machine when several processes run them (``pytest -n 2``).

Most tests need one core, and two of them run side by side. Some start programs of their own: ranks,
which wait by spinning and crawl where cores are taken; pools of workers that are killed and timed;
a browser. They have the machine to themselves: such a test waits until all others have ended, and
none begins before it has. Those of one file follow each other without a pause. Without ``-n``
nothing is shared, and nothing here does anything.

The locks are the kernel's (flock): they end with the process that holds them, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDERS = ("browser", "launch", "slurm")
MARKS = ("mpi", "browser")
_KEY = "nmcsim_locks"  # of what the first process tells the others
_folder = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
_held = pytest.StashKey[contextlib.ExitStack]()


def alone(item: pytest.Item) -> bool:
    """Whether a test has the machine to itself."""
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return folder in FOLDERS or any(item.get_closest_marker(mark) for mark in MARKS)


@contextlib.contextmanager
def turn(folder: Path, *, exclusive: bool) -> Iterator[None]:
    """Hold the machine, for oneself or with others.

    Who waits holds the gate, so that a test that wants the machine for itself is not passed by an
    endless row of others.
    """
    with (folder / "gate").open("w") as gate, (folder / "machine").open("w") as machine:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(machine, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(machine, fcntl.LOCK_UN)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each process that runs tests where the locks are (pytest-xdist)."""
    if _folder not in node.config.stash:
        node.config.stash[_folder] = tempfile.TemporaryDirectory(prefix="nmcsim-tests-")
    node.workerinput[_KEY] = node.config.stash[_folder].name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the locks, in the process that made them."""
    if _folder in config.stash:
        config.stash[_folder].cleanup()


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outside the timeout: waiting is not the test's time
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Any:
    """Wait for one's turn; it goes on as long as one test after another has the machine alone."""
    told = getattr(item.config, "workerinput", {}).get(_KEY)
    if told is None:
        return (yield)
    stash, exclusive = item.config.stash, alone(item)
    held = stash.get(_held, None)
    if held is None:
        held = stash[_held] = contextlib.ExitStack()
        held.enter_context(turn(Path(told), exclusive=exclusive))
    try:
        return (yield)
    finally:
        if not (exclusive and nextitem is not None and alone(nextitem)):
            del stash[_held]
            held.close()
