"""Who may write a result directory, and what a run that begins there starts from."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nmcsim.errors import InputError, Mistake
from nmcsim.mesh.ranks import on_one_rank
from nmcsim.output.checkpoint import CHECKPOINT, Checkpoint
from nmcsim.results import Journal, Result, writing
from nmcsim.results.lock import LOCK

__all__ = ["Busy", "Claim", "held"]

OURS = frozenset(
    ("case.toml", "inputs", "provenance.json", "summary.json", "history.csv", "history.h5",
     "steps.csv", "particles.csv", "log.jsonl", "fields.vtkhdf", "nmc.vtkhdf",
     "solid.vtkhdf", "electrolyte.vtkhdf", "mesh.msh", CHECKPOINT, "figures", "report.html",
     "compare.json", "journal", "coarser")
)  # fmt: skip


class Busy(InputError):
    """A result directory that another process writes."""


class Claim:
    """A result directory held by the kernel's lock, which goes with its process, however that ends.

    Nothing but the lock is written before :meth:`begin`; a claim that ends without it leaves
    no trace. Used on rank 0 alone.

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
        self.directory = directory
        self._place = f"--out {directory}"
        self._begun = False
        self._made: list[Path] = []
        try:
            self._made = [d for d in (directory, *directory.parents) if not d.exists()]
            if directory.is_dir():
                self._refuse_foreign()
            self._lock()
        except OSError as error:
            self._remove_folders()
            message = f"cannot be written ({error.strerror}); choose another directory"
            raise InputError(Mistake(self._place, message)) from error

    def _lock(self) -> None:
        """Make the directory where there is none, and take its lock."""
        while True:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._new = not (self.directory / LOCK).exists()
            self._file = os.open(self.directory / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(self._file)
                message = "is being written by another run; wait for it or choose another directory"
                raise Busy(Mistake(self._place, message)) from error
            if self._is_still_there():
                return
            os.close(self._file)  # another claim ended without a trace just now

    def _is_still_there(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self.directory / LOCK))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let others write; forget a directory in which nothing began."""
        if not self._begun and self._new:
            (self.directory / LOCK).unlink(missing_ok=True)
            self._remove_folders()
        os.close(self._file)

    def _remove_folders(self) -> None:
        for made in self._made:
            try:
                made.rmdir()
            except OSError:  # not made in the end, or another run is in it
                return

    def _there(self) -> set[str]:
        return {path.name for path in self.directory.iterdir()} - {LOCK}

    def _refuse_foreign(self) -> None:
        """Refuse a directory that holds what no run wrote."""
        foreign = sorted(n for n in self._there() if n not in OURS and not _is_leftover(n))
        if foreign and "case.toml" not in self._there():
            message = f'is not a result directory (it holds "{foreign[0]}"); choose another'
            raise InputError(Mistake(self._place, message))

    def look(self, case: Any, *, resume: bool, overwrite: bool) -> Checkpoint | Result | None:
        """Decide what a run starts from; changes nothing of a result.

        Returns
        -------
        Checkpoint, Result or None
            Where to go on, what is there already, or None for a fresh start.

        Raises
        ------
        InputError
            The directory holds something that must not be overwritten or does not fit.
        """
        self._refuse_foreign()
        there = self._there()
        if resume and "case.toml" in there:
            self._refuse_other_case(case)
            if self._is_over():
                Journal.remove(self.directory)  # a kill may have come before that
                return Result.load(self.directory)
            return Checkpoint.read(self.directory) if CHECKPOINT in there else None
        if there and overwrite:
            foreign = sorted(n for n in there if n not in OURS and not _is_leftover(n))
            if foreign:
                message = (
                    f'holds "{foreign[0]}", which no run wrote and --overwrite would not delete;'
                    " move it away, or choose another directory"
                )
                raise InputError(Mistake(self._place, message))
            self._refuse_own_files(case)
        elif there and not resume:
            message = (
                "exists; add --resume to go on with it, --overwrite to replace it, or choose"
                " another directory"
            )
            raise InputError(Mistake(self._place, message))
        return None

    def begin(self, case: Any, found: Checkpoint | None, *, overwrite: bool) -> None:
        """Make the directory ready for a run: the case stands in it, nothing outdated does.

        Raises
        ------
        WriteFailure
            The disk is full.
        """
        self._begun = True
        self._delete_outdated(all_ours=False)
        if overwrite:
            # the case may have been read from here: its files are copied before they are deleted
            aside = self.directory / ".inputs.tmp"
            with writing(aside):
                case.write(aside)
            self._delete_outdated(all_ours=True, kept=aside.name)
            with writing(self.directory / "case.toml"):
                for name in ("inputs", "case.toml"):
                    if (aside / name).exists():
                        os.replace(aside / name, self.directory / name)
                aside.rmdir()
        if found is None:
            # an earlier attempt, whose checkpoint cannot be gone on from or is not there
            (self.directory / CHECKPOINT).unlink(missing_ok=True)
        if not (self.directory / "case.toml").is_file():
            with writing(self.directory / "case.toml"):
                case.write(self.directory)

    def _delete_outdated(self, *, all_ours: bool, kept: str = "") -> None:
        for name in self._there() - {kept}:
            outdated = name in ("summary.json", "report.html") or _is_leftover(name)
            if outdated or (all_ours and name in OURS):
                with writing(self.directory / name):
                    _delete(self.directory / name)

    def _refuse_own_files(self, case: Any) -> None:
        """Refuse a case that reads what a run writes here; its copies in ``inputs`` are kept."""
        here = self.directory.resolve()
        for text, path in case.files.items():
            place = path.resolve()
            if place.is_relative_to(here) and not place.is_relative_to(here / "inputs"):
                message = (
                    f'holds what the case reads, "{text}", and --overwrite would delete it; choose'
                    " another directory"
                )
                raise InputError(Mistake(self._place, message))

    def _refuse_other_case(self, case: Any) -> None:
        from nmcsim.case import load

        try:
            same = load(self.directory / "case.toml").hash == case.hash
        except InputError:
            same = False
        if not same:
            message = (
                "holds a run of a different case; choose another directory, or --overwrite it"
                " without --resume"
            )
            raise InputError(Mistake(self._place, message))

    def _is_over(self) -> bool:
        try:
            summary = json.loads((self.directory / "summary.json").read_text())
        except (OSError, ValueError):
            return False
        return summary.get("status") in ("finished", "ended early")


@contextmanager
def held(directory: Path, comm: Any) -> Iterator[None]:
    """Keep other writers out while something is added to a result; collective on ``comm``.

    Raises
    ------
    InputError
        A run, or another that adds something, holds it.
    """
    claims: list[Claim] = []
    on_one_rank(comm, lambda: claims.append(Claim(directory)))
    try:
        yield
    finally:
        for claim in claims:
            claim.release()


def _is_leftover(name: str) -> bool:
    """Whether a file was on its way into place when its run was killed."""
    stem = name.removeprefix(".").removesuffix(".tmp")
    return name.startswith(".") and name.endswith(".tmp") and (
        stem in OURS or stem.rpartition(".")[0] in OURS
    )  # fmt: skip


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
