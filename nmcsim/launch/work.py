"""Case after case: the one loop that all launchers run."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nmcsim import runtime
from nmcsim.errors import NmcsimError, RunFailure
from nmcsim.launch.orders import Orders
from nmcsim.launch.pulse import Pulse
from nmcsim.log import logger
from nmcsim.mesh.ranks import on_one_rank
from nmcsim.output import Busy
from nmcsim.present import write_presentation
from nmcsim.results import Result, WriteFailure, writing
from nmcsim.results.files import FULL
from nmcsim.run import simulate
from nmcsim.stops import Interrupted, LimitExceeded
from nmcsim.sweeps.claims import BEAT, Attempt
from nmcsim.sweeps.host import here
from nmcsim.sweeps.observables import curves_of, observables_of
from nmcsim.sweeps.plan import Plan, Planned
from nmcsim.sweeps.record import Record
from nmcsim.sweeps.records import Records, Superseded
from nmcsim.sweeps.timings import remember

__all__ = ["DONE", "INTERRUPTED", "UNFIT", "work"]

DONE, INTERRUPTED, UNFIT = "done", "interrupted", "unfit"
"""How `work` ends: nothing is free; a signal came; after an error that is none of ours the process
may be in any state, and another is to take its place."""

PAUSE = 1.0  # before looking again at a case that may or may not be worked on [s]
STOPPED = ("time limit", "memory limit", "killed")
"""Failures after which a case goes on from its last checkpoint."""
OURS = ("case.toml", "inputs", "provenance.json", "summary.json", "steps.csv")
HISTORY = (*OURS, "history.h5", "history.csv", "particles.csv")


def work(
    plan: Plan,
    records: Records,
    comm: Any,
    orders: Orders,
    stopping: Callable[[], bool],
    pulse: Pulse,
) -> str:
    """Take cases and solve them, until none is free; collective on ``comm``.

    Parameters
    ----------
    plan : Plan
    records : Records
    comm : MPI.Comm
        Whose ranks share a case; the first one takes it.
    orders : Orders
    stopping : callable
        Whether a signal has come, on this rank.
    pulse : Pulse
        Of the first rank.

    Returns
    -------
    str
        `DONE`, `INTERRUPTED` or `UNFIT`.

    Raises
    ------
    WriteFailure
        The disk is full: no case can be solved any more.
    """
    cases = {planned.hash: planned for planned in plan.cases}
    me = here(orders.launch)

    def take() -> Attempt | str:
        while not stopping():
            attempt = records.take(orders.hashes, me, orders.wanted, time.time)
            if attempt is not None:
                return attempt
            if not _doubtful(records, orders):
                return DONE
            time.sleep(PAUSE)
        return INTERRUPTED

    runtime.settle()  # what was imported
    settled = False
    while True:
        attempt = on_one_rank(comm, take)
        if isinstance(attempt, str):
            return attempt
        with pulse.of(attempt):
            ended = _Attempt(plan, records, comm, orders, cases[attempt.hash], attempt).go()
        if ended:
            return ended
        if not settled:  # and what a first case has left in caches
            runtime.settle()
            settled = True


def _doubtful(records: Records, orders: Orders) -> bool:
    """Whether a case is claimed by someone who may be dead."""
    return any(
        attempt.worker.is_gone() is None and records.silent(attempt) > 3 * BEAT
        for attempt in records.running(orders.hashes).values()
    )


@dataclass
class _Attempt:
    """One attempt at one case."""

    plan: Plan
    records: Records
    comm: Any
    orders: Orders
    planned: Planned
    attempt: Attempt
    result: Result | None = None

    def go(self) -> str:
        """Solve the case and record how it ended; how the loop ends with it, if it does."""
        began, started = time.perf_counter(), time.time()
        unfit, kind, cause = "", "", ""
        try:
            try:
                self._simulate()
                self._present()
            except (Interrupted, WriteFailure, Busy):
                raise
            except LimitExceeded as error:
                kind, cause = error.kind, str(error)
            except RunFailure as error:
                kind, cause = "failure", _first_line(error)
            except NmcsimError as error:
                kind, cause = "error", _first_line(error)
            except Exception as error:
                logger.exception("case %d", self.planned.number)
                unfit, kind, cause = UNFIT, "error", f"{type(error).__name__}: {_first_line(error)}"
            self._finish(kind, cause, started, time.perf_counter() - began, alone=bool(unfit))
        except (Interrupted, KeyboardInterrupt) as error:
            self._release()
            if isinstance(error, KeyboardInterrupt) and self.comm.size > 1:
                # a second signal: the other ranks wait for this one inside the run
                self.comm.Abort(Interrupted.exit_status)
            return INTERRUPTED
        except WriteFailure:
            self._release()
            raise
        except Busy:  # a process that was taken for dead writes there
            self._release()
            time.sleep(PAUSE)
        return unfit

    @property
    def _directory(self) -> Path:
        return self.records.result(self.planned.hash)

    def _simulate(self) -> None:
        case = self._case()
        resume = on_one_rank(self.comm, self._goes_on)
        self.result = simulate(
            case, self._directory, self.comm, resume=resume, overwrite=not resume,
            mesh_cache=self.orders.mesh_cache, limits=self.orders.limits,
            keep=self.orders.keep,
        )  # fmt: skip

    def _case(self) -> Any:
        """The case; where one rank cannot read a file of it, none goes on."""
        case: Any = None
        error: Exception | None = None
        try:
            case = self.plan.case(self.planned)
        except Exception as failure:
            error = failure
        errors = [e for e in self.comm.allgather(error) if e is not None]
        if errors:
            raise errors[0]
        return case

    def _goes_on(self) -> bool:
        """Whether an earlier attempt is worth going on from.

        After a failure of the run it would fail again; of one that ended well more is to be kept
        now; what another version computed is not mixed with what this one does.
        """
        try:
            earlier = Record.read(self.records.folder / f"{self.planned.hash}.json")
        except (OSError, ValueError):
            whole = (self._directory / "history.h5").is_file()
            pruned = (self._directory / "summary.json").is_file() and not whole
            return self._begun_by() in (None, self.records.version) and not pruned
        return earlier.version == self.records.version and earlier.kind in STOPPED

    def _begun_by(self) -> str | None:
        """The version that began what there is of a result; None if nothing says so."""
        try:
            said = json.loads((self._directory / "provenance.json").read_text(encoding="utf-8"))
            return str(said["versions"]["nmcsim"])
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _present(self) -> None:
        if self.orders.keep == "all":
            on_one_rank(self.comm, self._draw)

    def _draw(self) -> None:
        try:
            write_presentation(Result.load(self._directory))
        except OSError as error:
            if error.errno not in FULL:
                raise
            with writing(self._directory):
                raise

    def _finish(self, kind: str, cause: str, started: float, wall: float, *, alone: bool) -> None:
        """Write the record, then let go of what is not to be kept."""

        def job() -> None:
            try:
                self.records.finish(self.attempt, self._made(kind, cause, started, wall))
            except Superseded:
                logger.warning("case %d: another process has taken it over", self.planned.number)
                return
            _prune(self._directory, self.orders.keep)
            if not kind and self.attempt.number == 1:  # a later one may have found much done
                remember(self.plan.kind, self.planned.cost, wall * self.comm.size)

        if alone and self.comm.size > 1:
            # the other ranks may wait for this one inside the run
            job()
            self.comm.Abort(RunFailure.exit_status)
        on_one_rank(self.comm, job)

    def _made(self, kind: str, cause: str, started: float, wall: float) -> Record:
        """The record of how the attempt ended, with what there is of a result."""
        record = Record(
            self.planned.hash, "failed", kind, cause, self.attempt.number, self.records.version,
            runtime.versions(), self.attempt.worker.host, self.comm.size, self.orders.keep,
            started, wall,
        )  # fmt: skip
        try:
            result = self.result or Result.load(self._directory)
            seconds = result.summary["timing"].items()
            record = replace(
                record,
                timing={name: s for name, s in seconds if isinstance(s, (int, float))},
                observables=observables_of(result),
                curves=curves_of(result),
            )
        except Exception as error:  # what cannot be reduced is not to be computed again and again
            if not kind:
                cause = f"its result cannot be read: {_first_line(error)}"
                return replace(record, kind="error", cause=cause)
            return record
        if kind:
            return record
        early = result.status == "ended early"
        return replace(record, status=result.status, cause=_early(result) if early else "")

    def _release(self) -> None:
        if self.comm.rank == 0:
            self.records.release(self.attempt)


def _first_line(error: Exception) -> str:
    """A sentence of it for a table."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, NmcsimError) and len(lines) > 1 and lines[0].endswith("nothing was run"):
        return "; ".join(" ".join(line.split()) for line in lines[1:])
    return lines[0] if lines else type(error).__name__


def _early(result: Result) -> str:
    step = result.steps[-1] if result.steps else {}
    return f"ended early in step {len(result.steps)}: {step.get('reason', 'no reason is recorded')}"


def _prune(directory: Path, keep: str) -> None:
    """Remove what a sweep does not keep of a result."""
    if keep == "all" or not directory.is_dir():
        return
    kept = HISTORY if keep == "history" else OURS
    for path in directory.iterdir():
        if path.name not in kept and not path.name.startswith("."):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):  # the record stands; a file too many is no failure
                    path.unlink()
