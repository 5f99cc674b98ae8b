"""Workers of one machine: started, watched, replaced when they die. The parent needs no MPI."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from nmcsim.errors import RunFailure
from nmcsim.launch.exits import DISK, INTERRUPT
from nmcsim.launch.orders import Orders
from nmcsim.results import WriteFailure, writing
from nmcsim.results.files import NO_SPACE
from nmcsim.stops import Limits, in_bytes
from nmcsim.sweeps.claims import Attempt
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.records import DEATHS, Records

__all__ = ["FAREWELL", "TICK", "Pool", "worker_environment"]

TICK, LOOK = 0.05, 0.5  # [s]
GRACE = 5.0  # a run stops between two time steps: that long, and a tenth of its limit [s]
FAREWELL = 60.0  # for workers to write their checkpoints after an interruption [s]
STARTS = 3
"""So many workers in a row that die before their first case: nothing here can work."""
_LAUNCHER = ("PMI", "HYDRA", "MPIR", "PMIX", "MPI_LOCAL", "OMPI", "SLURM_PROCID")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def worker_environment() -> dict[str, str]:
    """The environment of a worker: one thread, and no trace of an MPI launcher around it."""
    own = {name: text for name, text in os.environ.items() if not name.startswith(_LAUNCHER)}
    return own | dict.fromkeys(_THREADS, "1") | {"MPLBACKEND": "Agg"}


@dataclass
class _Worker:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    doomed: str = ""
    """Why its parent has killed it."""


class Pool:
    """The workers of one launch.

    Parameters
    ----------
    plan : Plan
    records : Records
    orders : Orders
    count : int
        How many cases at a time.
    each : callable
        Called twice a second, to show how far it is.
    """

    def __init__(
        self,
        plan: Plan,
        records: Records,
        orders: Orders,
        count: int,
        each: Callable[[], None] = lambda: None,
    ) -> None:
        self.plan, self.records, self.orders, self.count = plan, records, orders, count
        self._each = each
        self._folder = records.directory / "launches"
        self._orders_file = self._folder / f"{orders.launch}.json"
        self._workers: list[_Worker] = []
        self._started = self._fruitless = self._asked = 0
        self._problem: RunFailure | None = None

    def stop(self) -> None:
        """Ask all workers to end, after the step that they are at; a second time, kill them.

        It is only noted: a signal may come at any moment, also while a worker is being started.
        """
        self._asked += 1

    def run(self) -> None:
        """Until no case is open, or `stop` was called.

        Raises
        ------
        RunFailure
            The disk is full, or no worker can be started.
        """
        self.orders.write(self._orders_file)
        # of its own: --extend of another launch may replace that of the directory meanwhile
        self.plan.write(self._orders_file.with_suffix(""))
        try:
            self._fill()
            self._watch()
        finally:
            for worker in self._workers:
                _kill(worker.process)
            self._tidy()
        if self._problem is not None:
            raise self._problem

    # -- workers ----------------------------------------------------------------------------

    def _fill(self) -> None:
        """Start workers for the cases that are free, up to their number."""
        if self._stopped:
            return
        for _ in range(min(self.count - len(self._workers), self._free())):
            if not self._stopped:
                self._spawn()

    @property
    def _stopped(self) -> bool:
        return self._asked > 0 or self._problem is not None

    def _free(self) -> int:
        """How many cases are wanted that nobody works on."""
        records = self.records.records()
        running = self.records.running()
        return sum(
            self.orders.wanted(hash, records.get(hash)) and hash not in running
            for hash in self.orders.hashes
        )

    def _spawn(self) -> None:
        self._started += 1
        name = str(self._started)
        log = self._folder / f"{self.orders.launch}.{name}.log"
        command = [
            sys.executable, "-m", "nmcsim.launch.worker", str(self.records.directory),
            str(self._orders_file), name,
        ]  # fmt: skip
        if self.orders.ranks > 1:
            launcher = str(Path(sys.prefix) / "bin" / "mpirun")
            command = [launcher, "-n", str(self.orders.ranks), *command]
        with writing(log):
            file = log.open("wb")
        with file:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=file, stderr=file,
                env=worker_environment(), start_new_session=True,
            )  # fmt: skip
        self._workers.append(_Worker(f"{self.orders.launch}/{name}", process, log))

    def _watch(self) -> None:
        looked, asked_at = 0.0, math.inf
        while self._going():
            for worker in [w for w in self._workers if w.process.poll() is not None]:
                self._workers.remove(worker)
                self._bury(worker)
            now = time.monotonic()
            if now - looked > LOOK:
                looked = now
                self._enforce_limits()
                self._each()
            if self._stopped:
                asked_at = min(asked_at, now)
                self._end_workers(at_once=self._asked > 1 or now - asked_at > FAREWELL)
            time.sleep(TICK)

    def _going(self) -> bool:
        return bool(self._workers) or self._more()

    def _end_workers(self, *, at_once: bool) -> None:
        for worker in self._workers:
            if at_once:
                _kill(worker.process)
            elif worker.process.stdin is not None:
                with suppress(OSError):
                    worker.process.stdin.close()

    def _more(self) -> bool:
        """Whether to go on although no worker is left: a case is free, or others may yet fail."""
        if self._stopped:
            return False
        self._fill()
        if self._workers:
            return True
        records = self.records.records()
        wanted = {h for h in self.orders.hashes if self.orders.wanted(h, records.get(h))}
        if wanted & self.records.running().keys():
            time.sleep(LOOK)
            return True
        return bool(wanted)

    def _bury(self, worker: _Worker) -> None:
        """See why a worker ended, note it, and start another if there is work."""
        status = worker.process.returncode
        if worker.process.stdin is not None:
            with suppress(OSError):
                worker.process.stdin.close()
        attempt = self.records.held_by(worker.name)
        if status == DISK:
            said = _last_line(worker.log) or f"{self.records.directory}: {NO_SPACE}"
            self._problem = self._problem or WriteFailure(said)
            return
        if attempt is not None and status != INTERRUPT and not self._stopped:
            self._note_death(worker, attempt, status)
        fruitful = status == 0 or worker.doomed or self.records.has_taken(worker.name)
        self._fruitless = 0 if fruitful else self._fruitless + 1
        if self._fruitless >= STARTS:
            said = _last_line(worker.log) or _ended(status)
            self._problem = RunFailure(f"no worker can be started: {said}")
        with suppress(OSError):
            if status == 0 or worker.log.stat().st_size == 0:
                worker.log.unlink()
        self._fill()

    def _note_death(self, worker: _Worker, attempt: Attempt, status: int) -> None:
        deaths = self.records.died(attempt)
        if deaths >= DEATHS:
            times = "twice" if deaths == 2 else f"{deaths} times"
            cause = f"its process {_ended(status)}, {times}"
            said = _last_line(worker.log)
            self.records.mark(attempt, "killed", cause + (f": {said}" if said else ""), time.time())

    # -- limits -----------------------------------------------------------------------------

    def _enforce_limits(self) -> None:
        """Kill workers whose case takes too much and does not stop by itself."""
        if self.orders.time_limit is None and self.orders.memory_limit is None:
            return
        limits = Limits(
            self.orders.time_limit or math.inf,
            self.orders.memory_limit or math.inf,
        )
        held = self.records.held([worker.name for worker in self._workers])
        for worker in self._workers:
            attempt = held.get(worker.name)
            if attempt is None or worker.doomed:
                continue
            if time.time() - attempt.started > 1.1 * limits.time + GRACE:
                said = f"took longer than its limit of {limits.time:g} s, within one time step or"
                self._doom(worker, attempt, "time limit", f"{said} before the first")
            elif limits.memory < math.inf and _memory(worker.process.pid) > limits.memory:
                said = f"took more memory than its limit of {in_bytes(limits.memory)}"
                self._doom(worker, attempt, "memory limit", said)

    def _doom(self, worker: _Worker, attempt: Attempt, kind: str, cause: str) -> None:
        worker.doomed = kind
        _kill(worker.process)
        self.records.mark(attempt, kind, cause, time.time())

    def _tidy(self) -> None:
        with suppress(OSError):
            self._orders_file.unlink()
        shutil.rmtree(self._orders_file.with_suffix(""), ignore_errors=True)
        with suppress(OSError):
            self._folder.rmdir()  # only where no log is left in it


def _ended(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    with suppress(ValueError):
        return f"was killed by signal {-status} ({signal.Signals(-status).name})"
    return f"was killed by signal {-status}"


def _last_line(log: Path) -> str:
    """The last thing that a worker said."""
    with suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else ""
    return ""


def _tree(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    return []


def _memory(pid: int) -> float:
    """Resident memory of a process and all below it [bytes]."""
    total = 0.0
    for process in _tree(pid):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all below it, at once."""
    if process.poll() is not None:
        return
    for one in _tree(process.pid):
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()
