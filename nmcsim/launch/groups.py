"""A sweep inside an MPI job: groups of ranks take the next case; no rank only schedules."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nmcsim.errors import InputError, Mistake, RunFailure
from nmcsim.launch.orders import Orders
from nmcsim.launch.pulse import Pulse
from nmcsim.launch.work import INTERRUPTED, UNFIT, work
from nmcsim.launch.worker import Flag
from nmcsim.results import WriteFailure
from nmcsim.runtime import MPI
from nmcsim.sweeps.claims import Attempt
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.records import Records

__all__ = ["check_ranks", "run_groups"]

GRACE = 30.0  # a run stops between two time steps: that long, and a tenth of its limit [s]
AGREED = 0.05  # between two looks whether the other groups have come to their end [s]


def check_ranks(ranks: int, size: int) -> None:
    """Refuse groups that are larger than the job.

    Raises
    ------
    InputError
    """
    if ranks > size:
        have = f"{size} rank" + "s" * (size != 1)
        message = f"but this job has {have}; start it with mpirun -n {ranks} or more"
        raise InputError(Mistake(f"ranks_per_case = {ranks}", message))


def run_groups(
    plan: Plan, records: Records, orders: Orders, comm: Any, each: Callable[[], None]
) -> bool:
    """Solve the cases of a sweep on all ranks; collective on ``comm``.

    Parameters
    ----------
    plan : Plan
    records : Records
    orders : Orders
        ``ranks`` of them share a case; what is left of the ranks waits.
    comm : MPI.Comm
        All ranks of the job.
    each : callable
        Called every second on the first rank.

    Returns
    -------
    bool
        Whether a signal stopped it.

    Raises
    ------
    WriteFailure
        The disk is full.
    """
    count = comm.size // orders.ranks
    number = comm.rank // orders.ranks
    group = comm.Split(number if number < count else MPI.UNDEFINED, comm.rank)
    ended, problem = "", None
    if group != MPI.COMM_NULL:
        ended, problem = _work(plan, records, orders.of(str(number)), group, comm, each)
        group.Free()
    _wait(comm)
    problems = [p for p in comm.allgather(problem) if p is not None]
    if problems:
        raise problems[0]
    return bool(comm.allreduce(ended == INTERRUPTED, op=MPI.LOR))


def _work(
    plan: Plan,
    records: Records,
    orders: Orders,
    group: Any,
    comm: Any,
    each: Callable[[], None],
) -> tuple[str, WriteFailure | None]:
    def overdue(attempt: Attempt) -> None:
        # nothing else can end it: MPI ends the job, and the same command goes on without this case
        with suppress(WriteFailure):
            records.mark(
                attempt, "time limit",
                f"took longer than its limit of {orders.time_limit:g} s, within one time step or"
                " before the first", time.time(),
            )  # fmt: skip
        comm.Abort(RunFailure.exit_status)

    flag = Flag()
    limit = math.inf if orders.time_limit is None else 1.1 * orders.time_limit + GRACE
    pulse = Pulse(records, limit, overdue, each if comm.rank == 0 else None)
    if group.rank == 0:
        pulse.start()
    ended = UNFIT
    try:
        while ended == UNFIT:  # there is no other process that could take its place
            ended = work(plan, records, group, orders, flag, pulse)
    except WriteFailure as error:
        return "", error
    finally:
        if group.rank == 0:
            pulse.stop()
    return ended, None


def _wait(comm: Any) -> None:
    """Wait for all ranks without keeping a core busy."""
    request = comm.Ibarrier()
    while not request.Test():
        time.sleep(AGREED)
