"""Workers that stay between batches of cases: for a fit, which asks for a few at a time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from nmcsim import __version__
from nmcsim.launch.conduct import cores, prepare, signals_to
from nmcsim.launch.orders import Orders
from nmcsim.launch.pool import FAREWELL, TICK, Pool
from nmcsim.stops import Interrupted
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.record import Record
from nmcsim.sweeps.records import Records

__all__ = ["Standing"]


class Standing(Pool):
    """Solves one batch of cases after the other in the directory of a sweep, with warm workers.

    Used as a context: its workers end with it.

    Parameters
    ----------
    directory : Path
        Of the sweep, which each plan extends.
    workers : int, optional
        Cases at a time; as many as there are cores.
    mesh_cache : Path, optional
    """

    def __init__(
        self, directory: Path, workers: int | None = None, mesh_cache: Path | None = None
    ) -> None:
        orders = Orders(
            uuid.uuid4().hex[:8], (), {}, "history",
            mesh_cache=None if mesh_cache is None else str(mesh_cache), stays=True,
        )  # fmt: skip
        records = Records(directory, __version__)
        super().__init__(None, records, orders, workers or cores())  # type: ignore[arg-type]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        self._close()

    def solve(
        self, plan: Plan, hashes: Collection[str], *, again: Mapping[str, int] | None = None
    ) -> dict[str, Record]:
        """Solve some cases of a plan, those that have a record excepted.

        Parameters
        ----------
        plan : Plan
            With all cases that the directory is to know.
        hashes : collection of str
            The cases that are wanted now.
        again : mapping of str to int, optional
            Failed ones that are to be tried again: the attempt that failed.

        Returns
        -------
        dict of str to Record
            Of the wanted ones.

        Raises
        ------
        Interrupted
            A signal came; what was begun goes on with the next call, of this process or another.
        RunFailure
            The disk is full, or no worker can be started.
        """
        self.records = prepare(plan, self.records.directory, extend=True)
        self.plan = plan
        self.orders = replace(
            self.orders, hashes=tuple(hashes), retry=dict(again or {}), keep=plan.keep,
            time_limit=plan.time_limit, memory_limit=plan.memory_limit,
        )  # fmt: skip
        if self._open():
            plan.write(self._orders_file.with_suffix(""))  # before the orders, that are looked for
            self.orders.write(self._orders_file)
            with signals_to(self) as noted:
                self._fill()
                self._watch()
            if self._problem is not None:
                raise self._problem
            if noted:
                raise Interrupted("interrupted")
        return {hash: record for hash in hashes if (record := self.records.record(hash))}

    def _going(self) -> bool:
        if self._stopped:
            return bool(self._workers)
        self._fill()
        return self._open()

    def _open(self) -> bool:
        """Whether a case is still wanted; the cheap question first."""
        folder = self.records.folder
        return any(not (folder / f"{h}.json").is_file() for h in self.orders.hashes) or any(
            self.orders.wanted(h, self.records.record(h)) for h in self.orders.hashes
        )

    def _close(self) -> None:
        self._end_workers(at_once=False)
        deadline = time.monotonic() + FAREWELL
        while any(w.process.poll() is None for w in self._workers):
            if time.monotonic() > deadline:
                self._end_workers(at_once=True)
            time.sleep(TICK)
        for worker in self._workers:
            with suppress(OSError):
                worker.log.unlink()
        self._tidy()
