"""How each case ended, and which is to be taken next; `claims` says who works on which."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from nmcsim.results import writing
from nmcsim.sweeps.claims import Attempt, Claims, Listed, entries
from nmcsim.sweeps.host import Worker
from nmcsim.sweeps.record import Record

__all__ = ["DEATHS", "Records", "Superseded"]

DEATHS = 2
"""A case whose worker has died so often is not tried again."""


class Superseded(Exception):
    """Another process works on the case by now: this one was taken for dead."""


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
        self.claims, self.folder = Claims(directory / "claims"), directory / "records"
        self._read: dict[str, tuple[tuple[int, int], Record | None]] = {}
        self._asked: Collection[str] = ()
        self._free: deque[tuple[str, int]] = deque()

    def prepare(self) -> None:
        """Make the folders.

        Raises
        ------
        WriteFailure
            The disk is full, or the directory may not be written.
        """
        for folder in (self.claims.folder, self.folder, self.directory / "cases"):
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)

    def result(self, hash: str) -> Path:
        """The result directory of a case."""
        return self.directory / "cases" / hash

    # -- records ----------------------------------------------------------------------------

    def records(self) -> dict[str, Record]:
        """All records of this version, by the hash of their case, without their curves."""
        return {hash: r for hash, r in self._every().items() if r.version == self.version}

    def outdated(self) -> dict[str, Record]:
        """Those of other versions."""
        return {hash: r for hash, r in self._every().items() if r.version != self.version}

    def _every(
        self, listed: Mapping[str, Listed] | None = None, hashes: Collection[str] | None = None
    ) -> dict[str, Record]:
        """Those of other versions, too; of these cases only, where they are given.

        Each attempt writes its record once. One that is known is looked at again only if there
        has been a later attempt: a server would be asked for as many files as there are cases.
        """
        listed = self.claims.listed() if listed is None else listed
        found: dict[str, Record] = {}
        for entry in entries(self.folder):
            if not entry.name.endswith(".json") or entry.name.startswith("."):
                continue
            if hashes is not None and entry.name.removesuffix(".json") not in hashes:
                continue
            known = self._read.get(entry.name)
            record = known[1] if known else None
            if record is not None and record.attempt >= listed.get(record.hash, Listed()).last:
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
        """The record of one case, if it has one of this version, without its curves."""
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
        if self.claims.exists(attempt.hash, attempt.number + 1):
            raise Superseded(attempt.hash)
        record.write(self.folder / f"{attempt.hash}.json")

    def mark(self, attempt: Attempt, kind: str, cause: str, now: float) -> None:
        """Record an attempt whose process could not do it itself; parameters as of `Record`.

        What it could record before it was ended stands.

        Raises
        ------
        WriteFailure
            The disk is full.
        """
        own = _read(self.folder / f"{attempt.hash}.json")
        if own is not None and own.attempt >= attempt.number:
            return
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
        hashes: Collection[str],
        worker: Worker,
        wanted: Callable[[str, Record | None], bool],
        clock: Callable[[], float],
    ) -> Attempt | None:
        """Claim the first case that is wanted and that nobody works on.

        Parameters
        ----------
        hashes : collection of str
            Cases in the order in which they should be taken. While the same object is asked for,
            the folders are listed only when all that was free has been taken, by whomever.
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
        if hashes is not self._asked:
            self._asked = hashes
            self._free.clear()
        attempt = self._take_known(worker, wanted, clock) if self._free else None
        if attempt is None:
            self._free = self._found_free(hashes, wanted)
            attempt = self._take_known(worker, wanted, clock)
        return attempt

    def _found_free(
        self, hashes: Collection[str], wanted: Callable[[str, Record | None], bool]
    ) -> deque[tuple[str, int]]:
        """The cases that nobody works on, with the number of the attempt to be made."""
        listed = self.claims.listed()
        every = self._every(listed, set(hashes))
        records = {h: r for h, r in every.items() if r.version == self.version}
        free = [h for h in hashes if wanted(h, records.get(h))]
        # what has brought whole jobs down comes last: the others are done by then
        free.sort(key=lambda h: _lapses(listed.get(h), every.get(h)))
        seen = [(h, listed.get(h, Listed())) for h in free]
        return deque(
            (h, s.last + 1) for h, s in seen if not s.last or self._is_over(h, s, every.get(h))
        )

    def _take_known(
        self,
        worker: Worker,
        wanted: Callable[[str, Record | None], bool],
        clock: Callable[[], float],
    ) -> Attempt | None:
        while self._free:
            hash, number = self._free.popleft()
            # since the claims were listed others may have taken it, and have finished it
            if self.claims.exists(hash, number) or not wanted(hash, self.record(hash)):
                continue
            attempt = Attempt(hash, number, worker, clock())
            if self.claims.claim(attempt):
                return attempt
        return None

    def beat(self, attempt: Attempt) -> None:
        """Say that an attempt is alive."""
        self.claims.beat(attempt)

    def release(self, attempt: Attempt) -> None:
        """Give an attempt up, so that others may go on with the case at once."""
        self.claims.release(attempt)

    def died(self, attempt: Attempt) -> int:
        """Note that the worker of an attempt died while those around it lived on.

        Returns
        -------
        int
            How often that has happened to the case since its last record.
        """
        self.claims.died(attempt)
        record = _read(self.folder / f"{attempt.hash}.json")
        since = range(record.attempt + 1 if record else 1, attempt.number + 1)
        return sum(self.claims.has_died(attempt.hash, n) for n in since)

    def attempt(self, hash: str, number: int) -> Attempt | None:
        """An attempt by its number; one that cannot be read is of an unknown process."""
        return self.claims.attempt(hash, number)

    def held_by(self, launch: str) -> Attempt | None:
        """The attempt that a worker holds, dead or alive; None if its last one has ended."""
        return self.held([launch]).get(launch)

    def held(self, launches: Iterable[str]) -> dict[str, Attempt]:
        """The attempts that workers hold, dead or alive, by the name of the worker."""
        names = self.claims.sort()
        found: dict[str, Attempt] = {}
        for launch in launches:
            own = self.claims.of(launch)
            for name, attempt in list(own.items()):
                record = _read(self.folder / f"{attempt.hash}.json")
                recorded = record is not None and record.attempt >= attempt.number
                if recorded or names & {f"{name}.released", f"{name}.died"}:
                    del own[name]
                else:
                    found[launch] = attempt
        return found

    def has_taken(self, launch: str) -> bool:
        """Whether a worker has ever taken a case."""
        self.claims.sort()
        return self.claims.has_taken(launch)

    def running(self, hashes: Collection[str] | None = None) -> dict[str, Attempt]:
        """The attempts that go on, by the hash of their case; of some cases, or of all."""
        asked = None if hashes is None else set(hashes)
        listed = self.claims.listed()
        done = self._every(listed, asked)
        found: dict[str, Attempt] = {}
        for hash, seen in listed.items():
            if asked is not None and hash not in asked:
                continue
            if seen.last and not self._is_over(hash, seen, done.get(hash)):
                attempt = self.attempt(hash, seen.last)
                if attempt is not None:
                    found[hash] = attempt
        return found

    def silent(self, attempt: Attempt) -> float:
        """How long ago the last heartbeat was, by the clock of the file system [s]."""
        return self.claims.silent(attempt)

    def _is_over(self, hash: str, seen: Listed, record: Record | None) -> bool:
        """Whether the last attempt at a case has ended, however."""
        if seen.last in seen.over or (record is not None and record.attempt >= seen.last):
            return True
        attempt = self.attempt(hash, seen.last)
        if attempt is None:  # not readable now: nobody else's to take
            return False
        return self.claims.is_gone(attempt)


def _read(path: Path) -> Record | None:
    try:
        return Record.read(path, curves=False)
    except (OSError, ValueError):
        return None


def _since(numbers: set[int], record: Record | None) -> int:
    return sum(n > (record.attempt if record else 0) for n in numbers)


def _lapses(seen: Listed | None, record: Record | None) -> int:
    """How many attempts ended without a word since the last record."""
    if seen is None:
        return 0
    silent = set(range(1, seen.last + 1)) - (seen.over - seen.died)
    return _since(silent, record)
