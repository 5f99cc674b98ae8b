"""What a signal does to a run: one is obeyed, its echo is not a second one, a late one is kept."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nmcsim import stops
from nmcsim.errors import RunFailure
from nmcsim.stops import Interrupted, interruptible


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """What a listener around the run has heard, as the worker's of a sweep."""
    found: list[int] = []

    def note(number: int, frame: Any) -> None:
        found.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_is_passed_on_twice_is_one(heard: list[int]):
    """Slurm's cancellation of a job comes to a rank of mpirun twice, 4 ms apart."""
    with interruptible(Path("out")) as noted:
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        assert noted.signal == signal.SIGTERM
    assert heard == [signal.SIGTERM]


def test_a_second_signal_does_not_wait(monkeypatch: pytest.MonkeyPatch, heard: list[int]):
    monkeypatch.setattr(stops, "ONE", 0.01)
    with interruptible(Path("out")):
        signal.raise_signal(signal.SIGTERM)
        time.sleep(0.02)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_a_signal_after_the_last_step_is_not_lost(heard: list[int]):
    """Else a sweep would take its next case, and the scheduler would kill it there."""
    with interruptible(Path("out")):
        signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]
    with interruptible(Path("out")):
        pass
    assert heard == [signal.SIGTERM]


def test_a_run_that_is_over_is_not_interrupted_from_the_keyboard():
    """A run's own Ctrl-C, with Python's handler around it, comes too late then."""
    with interruptible(Path("out")) as noted:
        signal.raise_signal(signal.SIGINT)
    assert noted.signal == signal.SIGINT


def test_what_fails_because_of_ctrl_c_was_interrupted(heard: list[int]):

    def compiles() -> None:
        with interruptible(Path("out")):
            signal.raise_signal(signal.SIGINT)
            raise RunFailure("the compiler was ended")

    with pytest.raises(Interrupted, match="interrupted; go on with --resume --out out"):
        compiles()
