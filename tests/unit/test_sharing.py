"""Tests that need the machine for themselves have it, and wait for no longer than one test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sharing import alone, turn

HOLD = """
import sys
from pathlib import Path
from tests.sharing import turn
with turn(Path(sys.argv[1]), exclusive=sys.argv[2] == "alone"):
    print("in", flush=True)
    sys.stdin.readline()
"""


class Holder:
    """Another process that wants the machine, or has it."""

    def __init__(self, folder: Path, root: Path, how: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder), how],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root,
        )  # fmt: skip

    def has_it(self) -> bool:
        """Waits until it has."""
        assert self.process.stdout is not None
        return self.process.stdout.readline() == "in\n"

    def ends(self) -> None:
        self.process.communicate("\n", timeout=60)


def waits(folder: Path) -> bool:
    """Whether someone holds the gate: who waits does."""
    import fcntl

    with (folder / "gate").open("w") as gate:
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def until_it_waits(folder: Path) -> None:
    import time

    for _ in range(6000):
        if waits(folder):
            return
        time.sleep(0.01)
    pytest.fail("nobody waits")


def test_ordinary_tests_run_side_by_side(tmp_path: Path, root: Path):
    first, second = (Holder(tmp_path, root, "together") for _ in range(2))
    assert first.has_it() and second.has_it()  # both at once
    for one in (first, second):
        one.ends()


@pytest.mark.parametrize(("holds", "wants"), [("together", "alone"), ("alone", "together")])
def test_who_needs_the_machine_shares_it_with_nobody(
    tmp_path: Path, root: Path, holds: str, wants: str
):
    first = Holder(tmp_path, root, holds)
    assert first.has_it()
    second = Holder(tmp_path, root, wants)
    until_it_waits(tmp_path)
    # nobody who comes later passes the one that waits; a killed process lets go
    first.process.kill()
    first.process.communicate()
    assert second.has_it()
    second.ends()


def test_which_tests_are_alone(request: pytest.FixtureRequest, root: Path):
    class Item:
        def __init__(self, path: str, *marks: str) -> None:
            self.path, self.marks = root / "tests" / path, marks

        def get_closest_marker(self, name: str) -> Any:
            return name if name in self.marks else None

    assert not alone(request.node)
    assert not alone(Item("run/test_end.py"))  # type: ignore[arg-type]
    assert alone(Item("launch/test_work.py"))  # type: ignore[arg-type]
    assert alone(Item("unit/observe/test_parts.py", "mpi"))  # type: ignore[arg-type]
    assert alone(Item("browser/test_report.py"))  # type: ignore[arg-type]


def test_without_other_processes_there_is_no_lock(tmp_path: Path):
    with turn(tmp_path, exclusive=True):
        pass
    with turn(tmp_path, exclusive=False):
        assert not waits(tmp_path)


ORDER = """
import time
from pathlib import Path
import pytest

def note(request, what):
    with (Path(request.config.rootpath) / "order").open("a") as file:
        file.write(what + "\\n")

@pytest.mark.parametrize("i", range(4))
def test_it(request, i):
    note(request, "in {name}")
    time.sleep(0.05)
    note(request, "out {name}")
"""


def test_in_two_processes_nothing_runs_beside_a_test_that_is_alone(tmp_path: Path, root: Path):
    """Four tests in each of two files, one of which is alone: its four come in one row."""
    tests = tmp_path / "tests"
    for folder in ("unit", "launch"):
        (tests / folder).mkdir(parents=True)
        (tests / folder / f"test_{folder}.py").write_text(ORDER.replace("{name}", folder))
    (tests / "sharing.py").write_text((root / "tests" / "sharing.py").read_text())
    (tests / "conftest.py").write_text(
        "from tests.sharing import (pytest_configure_node, pytest_runtest_protocol,"
        " pytest_unconfigure)"
    )
    (tests / "__init__.py").touch()
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "tests",
         "--import-mode=importlib", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "8 passed" in done.stdout.splitlines()[-1], done.stdout + done.stderr
    order = (tmp_path / "order").read_text().splitlines()
    first, last = order.index("in launch"), len(order) - order[::-1].index("out launch")
    assert order[first:last] == ["in launch", "out launch"] * 4
    assert order.count("out unit") == 4
