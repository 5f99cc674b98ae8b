"""Files that appear when they are complete."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nmcsim.errors import InputError, Mistake, RunFailure

__all__ = ["checked_folder", "placed"]


def checked_folder(*paths: Path | None) -> None:
    """Refuse, before any work, files in folders that are not there.

    Raises
    ------
    InputError
        With one mistake for each.
    """
    found = [
        Mistake(str(path), f"names a folder that does not exist: {path.parent}; make it first")
        if not path.parent.is_dir()
        else Mistake(str(path), "is a folder; name a file in it")
        for path in paths
        if path is not None and (path.is_dir() or not path.parent.is_dir())
    ]
    if found:
        raise InputError(found)


@contextmanager
def placed(target: Path) -> Iterator[Path]:
    """Where to write a file: beside its place, to which it is renamed at the end of the block.

    Raises
    ------
    RunFailure
        The disk is full or the folder may not be written; an earlier file is as it was.
    """
    mark = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    # what writes it may go by the ending
    aside = target.with_name(f".{target.stem}.{mark}{target.suffix.lower()}")
    try:
        if not target.parent.is_dir():
            raise FileNotFoundError(2, "No such file or directory")
        yield aside
        os.replace(aside, target)
    except OSError as error:
        raise RunFailure(
            f"{target}: could not be written: {error.strerror or error}; see that the folder "
            "exists, may be written and is not full"
        ) from error
    finally:
        aside.unlink(missing_ok=True)
