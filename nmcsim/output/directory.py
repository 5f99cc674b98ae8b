"""Who may write a result directory, and what a run that begins there starts from."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

from nmcsim.errors import InputError, Mistake
from nmcsim.output.checkpoint import CHECKPOINT, Checkpoint
from nmcsim.results import Result

__all__ = ["Lock", "prepare"]

OURS = (
    "case.toml", "inputs", "provenance.json", "summary.json", "history.csv", "history.h5",
    "steps.csv", "log.jsonl", "fields.vtkhdf", "mesh.msh", CHECKPOINT, "figures", "report.html",
    "journal",
)  # fmt: skip


class Lock:
    """The kernel's lock on a result directory; it goes with the process, however that ends.

    Parameters
    ----------
    directory : Path
        It is created if it does not exist.

    Raises
    ------
    InputError
        Another run holds the lock, or the directory cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(
                Mistake(
                    f"--out {directory}",
                    f"cannot be written ({error.strerror}); choose another directory with --out",
                )
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise InputError(
                Mistake(
                    f"--out {directory}",
                    "is being written by another run; wait for it or choose another directory",
                )
            ) from error

    def release(self) -> None:
        """Let others write."""
        os.close(self._file)


def prepare(
    directory: Path, case: Any, resume: bool, overwrite: bool
) -> Checkpoint | Result | None:
    """Decide what a run in ``directory`` starts from; call it with the lock held.

    Returns
    -------
    Checkpoint, Result or None
        Where to go on, what is there already, or None for a fresh start (the case is written).

    Raises
    ------
    InputError
        The directory holds something that must not be overwritten or does not fit.
    """
    place = f"--out {directory}"
    there = [p.name for p in directory.iterdir() if p.name != ".lock"]
    if there and overwrite and not resume:
        foreign = sorted(set(there) - set(OURS))
        if foreign:
            raise InputError(
                Mistake(place, f'holds "{foreign[0]}", which is no result; choose another')
            )
        for name in there:
            path = directory / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        there = []
    if there and not resume:
        raise InputError(
            Mistake(place, "exists; add --resume to go on with it, --overwrite to replace it, "
                    "or choose another directory")
        )  # fmt: skip
    if "case.toml" not in there:
        if there and set(there) - set(OURS):
            raise InputError(Mistake(place, "is not a result directory; choose another"))
        case.write(directory)
        return None
    _same_case(directory, case, place)
    if _is_over(directory):
        return Result.load(directory)
    if CHECKPOINT not in there:
        return None
    return Checkpoint.read(directory)


def _same_case(directory: Path, case: Any, place: str) -> None:
    from nmcsim.case import load

    try:
        same = load(directory / "case.toml").hash == case.hash
    except InputError:
        same = False
    if not same:
        raise InputError(
            Mistake(place, "holds a run of a different case; choose another directory, or "
                    "--overwrite without --resume")
        )  # fmt: skip


def _is_over(directory: Path) -> bool:
    try:
        summary = json.loads((directory / "summary.json").read_text())
    except (OSError, ValueError):
        return False
    return summary.get("status") in ("finished", "ended early")
