"""Who works on which case, and how each ended: files, and nothing but files.

An attempt at a case is claimed by a file that only one process can make; its modification time is
the heartbeat. An attempt is never taken away: who follows one that has ended makes the next one.
"""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nmcsim.results import writing
from nmcsim.sweeps.host import Worker
from nmcsim.sweeps.record import Record

__all__ = ["BEAT", "LAPSE", "Attempt", "Records", "Superseded"]

BEAT = 5.0
"""Between two heartbeats [s]."""
LAPSE = 60.0
"""A claim from another machine that has been silent for this long has ended [s]."""
DEATHS = 2
"""A case whose worker has died so often is not tried again."""
_NAME = re.compile(r"(?P<hash>[0-9a-f]+)\.(?P<number>\d+)(?P<ended>\.released|\.died)?")


class Superseded(Exception):
    """Another process works on the case by now: this one was taken for dead."""


@dataclass(frozen=True)
class Attempt:
    """A claim on a case.

    Parameters
    ----------
    hash : str
        Of the case.
    number : int
        From 1; the highest one counts.
    worker : Worker
        Who made it.
    started : float
        Seconds since 1970 by the clock of its machine.
    """

    hash: str
    number: int
    worker: Worker
    started: float

    @property
    def name(self) -> str:
        return f"{self.hash}.{self.number}"


@dataclass
class _Listed:
    """What the names in ``claims`` say of one case."""

    last: int = 0
    over: set[int] = field(default_factory=set)
    died: set[int] = field(default_factory=set)


class Records:
    """The records and claims of a sweep's directory.

    Any number of processes on any number of machines may use one directory at a time.

    Parameters
    ----------
    directory : Path
        Of the sweep.
    version : str
        Of nmcsim: records of another one do not count.
    """

    def __init__(self, directory: Path, version: str) -> None:
        self.directory, self.version = directory, version
        self.claims, self.folder = directory / "claims", directory / "records"
        self._read: dict[str, tuple[tuple[int, int], Record | None]] = {}
        self._made: dict[str, Attempt] = {}

    def prepare(self) -> None:
        """Make the folders.

        Raises
        ------
        WriteFailure
            The disk is full, or the directory may not be written.
        """
        for folder in (self.claims, self.folder, self.directory / "cases"):
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)

    def result(self, hash: str) -> Path:
        """The result directory of a case."""
        return self.directory / "cases" / hash

    # -- records ----------------------------------------------------------------------------

    def records(self) -> dict[str, Record]:
        """All records of this version, by the hash of their case."""
        return {hash: r for hash, r in self._every().items() if r.version == self.version}

    def outdated(self) -> dict[str, Record]:
        """Those of other versions."""
        return {hash: r for hash, r in self._every().items() if r.version != self.version}

    def _every(self, listed: Mapping[str, _Listed] | None = None) -> dict[str, Record]:
        """Those of other versions, too.

        Each attempt writes its record once. One that is known is looked at again only if there
        has been a later attempt: a server would be asked for as many files as there are cases.
        """
        listed = self._listed() if listed is None else listed
        found: dict[str, Record] = {}
        for entry in _entries(self.folder):
            if not entry.name.endswith(".json") or entry.name.startswith("."):
                continue
            known = self._read.get(entry.name)
            record = known[1] if known else None
            if record is not None and record.attempt >= listed.get(record.hash, _Listed()).last:
                found[record.hash] = record
                continue
            try:
                status = entry.stat()
            except FileNotFoundError:
                continue
            mark = (status.st_mtime_ns, status.st_ino)
            if known is None or known[0] != mark:
                known = self._read[entry.name] = (mark, _read(Path(entry.path)))
            record = known[1]
            if record is not None:
                found[record.hash] = record
        return found

    def record(self, hash: str) -> Record | None:
        """The record of one case, if it has one of this version."""
        record = _read(self.folder / f"{hash}.json")
        return record if record is not None and record.version == self.version else None

    def finish(self, attempt: Attempt, record: Record) -> None:
        """Write the record of a case.

        Raises
        ------
        Superseded
            A later attempt was made; nothing is written.
        WriteFailure
            The disk is full.
        """
        if self._listed().get(attempt.hash, _Listed()).last > attempt.number:
            raise Superseded(attempt.hash)
        record.write(self.folder / f"{attempt.hash}.json")

    def mark(self, attempt: Attempt, kind: str, cause: str, now: float) -> None:
        """Record an attempt whose process could not do it itself; parameters as of `Record`.

        Raises
        ------
        WriteFailure
            The disk is full.
        """
        record = Record(
            attempt.hash, "failed", kind, cause, attempt.number, self.version,
            host=attempt.worker.host, started=attempt.started,
            wall=max(0.0, now - attempt.started),
        )  # fmt: skip
        with suppress(Superseded):
            self.finish(attempt, record)

    # -- claims -----------------------------------------------------------------------------

    def take(
        self,
        hashes: Iterable[str],
        worker: Worker,
        wanted: Callable[[str, Record | None], bool],
        clock: Callable[[], float],
    ) -> Attempt | None:
        """Claim the first case that is wanted and that nobody works on.

        Parameters
        ----------
        hashes : iterable of str
            Cases in the order in which they should be taken.
        worker : Worker
            Who will work on it.
        wanted : callable
            Whether a case, by its hash, with this record or none, is to be solved.
        clock : callable
            Seconds since 1970.

        Returns
        -------
        Attempt or None
            None if no case is free, for now.

        Raises
        ------
        WriteFailure
            The disk is full.
        """
        listed = self._listed()
        every = self._every(listed)
        records = {h: r for h, r in every.items() if r.version == self.version}
        free = [h for h in hashes if wanted(h, records.get(h))]
        # what has brought whole jobs down comes last: the others are done by then
        free.sort(key=lambda h: _lapses(listed.get(h), every.get(h)))
        for hash in free:
            seen = listed.get(hash, _Listed())
            if seen.last and not self._is_over(hash, seen, every.get(hash)):
                continue
            # it may have been finished since the claims were listed
            if not wanted(hash, self.record(hash)):
                continue
            attempt = Attempt(hash, seen.last + 1, worker, clock())
            if self._claim(attempt):
                return attempt
        return None

    def _claim(self, attempt: Attempt) -> bool:
        """Make the claim's file, whole and only if nobody else has."""
        aside = self.claims / f".{attempt.name}.{uuid.uuid4().hex}"
        try:
            with writing(aside):
                aside.write_text(json.dumps(asdict(attempt)), encoding="utf-8")
                return _linked(aside, self.claims / attempt.name)
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)

    def beat(self, attempt: Attempt) -> None:
        """Say that an attempt is alive."""
        with suppress(OSError):  # a full disk, or a server that is away, is found out elsewhere
            os.utime(self.claims / attempt.name)

    def release(self, attempt: Attempt) -> None:
        """Give an attempt up, so that others may go on with the case at once."""
        with suppress(OSError):  # then it lapses
            (self.claims / f"{attempt.name}.released").touch()

    def died(self, attempt: Attempt) -> int:
        """Note that the worker of an attempt died while those around it lived on.

        Returns
        -------
        int
            How often that has happened to the case since its last record.
        """
        with suppress(OSError):
            (self.claims / f"{attempt.name}.died").touch()
        record = _read(self.folder / f"{attempt.hash}.json")
        return _since(self._listed().get(attempt.hash, _Listed()).died, record)

    def attempt(self, hash: str, number: int) -> Attempt | None:
        """An attempt by its number."""
        name = f"{hash}.{number}"
        if name not in self._made:
            try:
                content = json.loads((self.claims / name).read_text(encoding="utf-8"))
                worker = Worker(**content.pop("worker"))
                self._made[name] = Attempt(worker=worker, **content)
            except (OSError, ValueError, TypeError, KeyError):
                return None
        return self._made[name]

    def held_by(self, launch: str) -> Attempt | None:
        """The attempt that a worker holds, dead or alive; None if its last one has ended."""
        listed = self._listed()
        records = self._every(listed)
        for hash, seen in listed.items():
            attempt = self.attempt(hash, seen.last) if seen.last not in seen.over else None
            if attempt is None or attempt.worker.launch != launch:
                continue
            record = records.get(hash)
            if record is None or record.attempt < attempt.number:
                return attempt
        return None

    def running(self) -> dict[str, Attempt]:
        """The attempts that go on, by the hash of their case."""
        listed = self._listed()
        done = self._every(listed)
        found: dict[str, Attempt] = {}
        for hash, seen in listed.items():
            if seen.last and not self._is_over(hash, seen, done.get(hash)):
                attempt = self.attempt(hash, seen.last)
                if attempt is not None:
                    found[hash] = attempt
        return found

    def silent(self, attempt: Attempt) -> float:
        """How long ago the last heartbeat was, by the clock of the file system [s]."""
        try:
            beat = (self.claims / attempt.name).stat().st_mtime
        except OSError:
            return float("inf")
        return self._now() - beat

    def _is_over(self, hash: str, seen: _Listed, record: Record | None) -> bool:
        """Whether the last attempt at a case has ended, however."""
        if seen.last in seen.over or (record is not None and record.attempt >= seen.last):
            return True
        attempt = self.attempt(hash, seen.last)
        if attempt is None:  # not readable now: nobody else's to take
            return False
        gone = attempt.worker.is_gone()
        return self.silent(attempt) > LAPSE if gone is None else gone

    def _now(self) -> float:
        """The time on the machine that keeps the files."""
        path = self.claims / f".now.{os.getpid()}.{threading.get_ident()}"
        try:
            path.touch()
            return path.stat().st_mtime
        except OSError:
            return float("-inf")  # a disk that takes no file: nobody is declared dead
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _listed(self) -> dict[str, _Listed]:
        found: dict[str, _Listed] = {}
        for entry in _entries(self.claims):
            match = _NAME.fullmatch(entry.name)
            if match is None:
                continue
            seen, number = found.setdefault(match["hash"], _Listed()), int(match["number"])
            seen.last = max(seen.last, number)
            if match["ended"]:
                seen.over.add(number)
            if match["ended"] == ".died":
                seen.died.add(number)
        return found


def _linked(aside: Path, target: Path) -> bool:
    """Give a file its name if nobody else has one of it."""
    try:
        # exclusive on network file systems, too, and the file is never seen half written
        os.link(aside, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        try:  # a file system without links
            with target.open("xb") as file:
                file.write(aside.read_bytes())
        except FileExistsError:
            return False
    return True


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _read(path: Path) -> Record | None:
    try:
        return Record.read(path)
    except (OSError, ValueError):
        return None


def _since(numbers: set[int], record: Record | None) -> int:
    return sum(n > (record.attempt if record else 0) for n in numbers)


def _lapses(seen: _Listed | None, record: Record | None) -> int:
    """How many attempts ended without a word since the last record."""
    if seen is None:
        return 0
    silent = set(range(1, seen.last + 1)) - (seen.over - seen.died)
    return _since(silent, record)
