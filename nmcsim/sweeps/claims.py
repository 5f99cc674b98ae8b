"""Who works on which case: files, and nothing but files.

An attempt at a case is claimed by a file that only one process can make; its modification time is
the heartbeat. An attempt is never taken away: who follows one that has ended makes the next one.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nmcsim.results import writing
from nmcsim.sweeps.host import Worker

__all__ = ["BEAT", "LAPSE", "Attempt", "Claims", "Listed", "entries"]

BEAT = 5.0
"""Between two heartbeats [s]."""
LAPSE = 60.0
"""A claim from another machine that has been silent for this long has ended [s]."""
_CLOCK = 1.0
"""For so long the time of the file system is reckoned on from when it was asked [s]."""
_UNKNOWN = Worker("unknown", "", 0, 0.0, "")
"""Who made a claim that cannot be read, as a cut of the power may leave one."""
_NAME = re.compile(r"(?P<hash>[0-9a-f]+)\.(?P<number>\d+)(?P<ended>\.released|\.died)?")


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
class Listed:
    """What the names of the claims say of one case.

    Parameters
    ----------
    last : int
        The highest number of an attempt; 0 for none.
    over, died : set of int
        Attempts that were ended by a word, and those of them whose worker died.
    """

    last: int = 0
    over: set[int] = field(default_factory=set)
    died: set[int] = field(default_factory=set)


class Claims:
    """The claims of a sweep's directory.

    Parameters
    ----------
    folder : Path
        One file for each attempt, and one for each that was ended by a word.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, Attempt] = {}
        self._by: dict[str, dict[str, Attempt]] = {}
        self._sorted: set[str] = set()
        self._clock = (-math.inf, 0.0)

    def listed(self) -> dict[str, Listed]:
        """What there is, by the hash of the case."""
        found: dict[str, Listed] = {}
        for entry in entries(self.folder):
            match = _NAME.fullmatch(entry.name)
            if match is None:
                continue
            seen, number = found.setdefault(match["hash"], Listed()), int(match["number"])
            seen.last = max(seen.last, number)
            if match["ended"]:
                seen.over.add(number)
            if match["ended"] == ".died":
                seen.died.add(number)
        return found

    def exists(self, hash: str, number: int) -> bool:
        """Whether an attempt was made."""
        return (self.folder / f"{hash}.{number}").exists()

    def claim(self, attempt: Attempt) -> bool:
        """Make the claim's file, whole and only if nobody else has."""
        aside = self.folder / f".{attempt.name}.{uuid.uuid4().hex}"
        try:
            with writing(aside):
                aside.write_text(json.dumps(asdict(attempt)), encoding="utf-8")
                return _linked(aside, self.folder / attempt.name)
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)

    def beat(self, attempt: Attempt) -> None:
        """Say that an attempt is alive."""
        with suppress(OSError):  # a full disk, or a server that is away, is found out elsewhere
            os.utime(self.folder / attempt.name)

    def release(self, attempt: Attempt) -> None:
        """Give an attempt up, so that others may go on with the case at once."""
        with suppress(OSError):  # then it lapses
            (self.folder / f"{attempt.name}.released").touch()

    def died(self, attempt: Attempt) -> None:
        """Note that the worker of an attempt died while those around it lived on."""
        with suppress(OSError):
            (self.folder / f"{attempt.name}.died").touch()

    def has_died(self, hash: str, number: int) -> bool:
        """Whether that was noted of an attempt."""
        return (self.folder / f"{hash}.{number}.died").exists()

    def attempt(self, hash: str, number: int) -> Attempt | None:
        """An attempt by its number; one that cannot be read is of an unknown process."""
        name = f"{hash}.{number}"
        if name not in self._made:
            try:
                content = json.loads((self.folder / name).read_text(encoding="utf-8"))
                worker = Worker(**content.pop("worker"))
                self._made[name] = Attempt(worker=worker, **content)
            except FileNotFoundError:
                return None
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                return Attempt(hash, number, _UNKNOWN, math.nan)
        return self._made[name]

    def of(self, launch: str) -> dict[str, Attempt]:
        """The attempts that a worker has made, by name, as of the last `sort`."""
        return self._by.get(launch, {})

    def has_taken(self, launch: str) -> bool:
        """Whether a worker has ever taken a case, as of the last `sort`."""
        return launch in self._by

    def sort(self) -> set[str]:
        """Sort claims that are new by who made them; the names that there are."""
        names = {entry.name for entry in entries(self.folder)}
        for name in names - self._sorted:
            match = _NAME.fullmatch(name)
            if match is not None and not match["ended"]:
                attempt = self.attempt(match["hash"], int(match["number"]))
                if attempt is None or attempt.worker is _UNKNOWN:
                    continue
                self._by.setdefault(attempt.worker.launch, {})[name] = attempt
            self._sorted.add(name)
        return names

    def silent(self, attempt: Attempt) -> float:
        """How long ago the last heartbeat was, by the clock of the file system [s]."""
        try:
            beat = (self.folder / attempt.name).stat().st_mtime
        except OSError:
            return float("inf")
        return self._now() - beat

    def is_gone(self, attempt: Attempt) -> bool:
        """Whether the process of an attempt has ended without a word."""
        gone = attempt.worker.is_gone()
        return self.silent(attempt) > LAPSE if gone is None else gone

    def _now(self) -> float:
        """The time on the machine that keeps the files."""
        asked, then = self._clock
        if time.monotonic() - asked > _CLOCK:
            asked, then = self._clock = time.monotonic(), self._file_time()
        return then + time.monotonic() - asked

    def _file_time(self) -> float:
        path = self.folder / f".now.{os.getpid()}.{threading.get_ident()}"
        try:
            path.touch()
            return path.stat().st_mtime
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EROFS):  # who only looks takes no case
                return time.time()
            return float("-inf")  # a disk that takes no file: nobody is declared dead
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)


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


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds; nothing if it is not there."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
