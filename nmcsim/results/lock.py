"""One writer at a time adds to a result that is there; needs no solver."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nmcsim.errors import InputError, Mistake
from nmcsim.results.files import writing

__all__ = ["LOCK", "adding"]

LOCK = ".lock"
"""The file whose lock a run holds, too."""
PATIENCE = 20.0
"""How long another that adds something is waited for [s]."""


@contextmanager
def adding(directory: Path, patience: float | None = None) -> Iterator[None]:
    """Hold the lock of a directory while something is added to it.

    Parameters
    ----------
    directory : Path
    patience : float, optional
        How long another is waited for [s]; `PATIENCE`.

    Raises
    ------
    InputError
        A run, or another that adds something, holds it for longer.
    WriteFailure
        The directory cannot be written.
    """
    path = directory / LOCK
    with writing(directory):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + (PATIENCE if patience is None else patience)
    try:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    message = "is being written by another run; wait until that has ended"
                    raise InputError(Mistake("", message), str(directory)) from None
                time.sleep(0.1)
        yield
    finally:
        os.close(file)
