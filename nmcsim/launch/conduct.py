"""A sweep from its plan to its table: on one machine, in an MPI job, or a share of it."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmcsim import __version__
from nmcsim.errors import InputError, Mistake
from nmcsim.launch.display import Display
from nmcsim.launch.orders import Orders
from nmcsim.launch.pool import Pool
from nmcsim.results import WriteFailure
from nmcsim.results.files import GO_ON
from nmcsim.stops import ONE, Interrupted
from nmcsim.sweeps.plan import FILE, Plan
from nmcsim.sweeps.records import Records
from nmcsim.sweeps.status import Snapshot, counted, resuming, snapshot

if TYPE_CHECKING:
    from nmcsim.sweeps.table import Table

__all__ = ["Options", "Outcome", "cores", "launch", "prepare", "signals_to", "sweep"]

OURS = frozenset(
    (FILE, "claims", "records", "cases", "launches", "table.parquet", "table.csv", "report.html",
     "figures")
)  # fmt: skip


@dataclass(frozen=True)
class Options:
    """How a sweep is to be run, beside what the plan says.

    Parameters
    ----------
    workers : int, optional
        Cases at a time on one machine; as many as it has cores, where not given.
    shard : (int, int), optional
        (i, N): only the cases i, i + N, i + 2 N, ...; i from 1.
    retry_failed : bool
        Try failed cases again.
    extend : bool
        The directory may hold a sweep of other cases: its results are kept where they fit.
    quiet : bool
        No progress line.
    mesh_cache : Path, optional
    """

    workers: int | None = None
    shard: tuple[int, int] | None = None
    retry_failed: bool = False
    extend: bool = False
    quiet: bool = True
    mesh_cache: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """How a launch ended.

    Parameters
    ----------
    directory : Path
    snapshot : Snapshot
        Of the whole sweep.
    seconds : float
        Of this launch.
    solved : int
        Cases that it has recorded.
    """

    directory: Path
    snapshot: Snapshot
    seconds: float
    solved: int

    @property
    def failed(self) -> int:
        return len(self.snapshot.failed)


def prepare(plan: Plan, directory: Path, *, extend: bool = False) -> Records:
    """Make the directory of a sweep, or find what there is of it.

    Raises
    ------
    InputError
        It holds something else.
    WriteFailure
        It cannot be written.
    """
    _refuse_other(plan, directory, extend)
    records = Records(directory, __version__)
    records.prepare()
    plan.write(directory)
    return records


def _refuse_other(plan: Plan, directory: Path, extend: bool) -> None:
    place = f"--out {directory}"
    if directory.exists() and not directory.is_dir():
        raise InputError(Mistake(place, "is a file; choose a directory"))
    if (directory / FILE).is_file():
        there = Plan.read(directory)
        if there.hash != plan.hash and not extend:
            message = (
                f'holds a different sweep ("{there.title}", {counted(len(there.cases))}); choose'
                " another directory, or add --extend to keep what it shares with this one"
            )
            raise InputError(Mistake(place, message))
    elif directory.is_dir():
        # a kill may have left a plan half written beside its place
        names = [p.name for p in directory.iterdir() if not p.name.startswith(".")]
        foreign = sorted(name for name in names if name not in OURS)
        if foreign:
            message = f'is not the directory of a sweep (it holds "{foreign[0]}"); choose another'
            raise InputError(Mistake(place, message))


def orders_of(plan: Plan, records: Records, options: Options) -> Orders:
    """What this launch is to do: its share of the cases, the longest first."""
    cases = list(plan.cases)
    if options.shard is not None:
        i, of = options.shard
        cases = cases[i - 1 :: of]
    expected = {p.hash: p.cost for p in cases}
    hashes = sorted(expected, key=lambda hash: -expected[hash])  # stable: else as planned
    found = records.records()
    retry = {
        hash: found[hash].attempt
        for hash in hashes
        if options.retry_failed and hash in found and found[hash].failed
    }
    orders = Orders(
        uuid.uuid4().hex[:8], tuple(hashes), retry, plan.keep, plan.time_limit, plan.memory_limit,
        plan.ranks_per_case, None if options.mesh_cache is None else str(options.mesh_cache),
    )  # fmt: skip
    # what has ended is left out: thousands of ranks need not read its records
    return replace(orders, hashes=tuple(h for h in hashes if orders.wanted(h, found.get(h))))


def launch(plan: Plan, directory: Path, options: Options, comm: Any = None) -> Outcome:
    """Solve what is open of a sweep; collective on ``comm``.

    Parameters
    ----------
    plan : Plan
    directory : Path
    options : Options
    comm : MPI.Comm, optional
        All ranks of an MPI job; without it workers of this machine are started.

    Returns
    -------
    Outcome

    Raises
    ------
    InputError
        The directory holds something else, or the job has too few ranks.
    Interrupted
        A signal came; what was begun goes on from its last step with the same command.
    RunFailure
        The disk is full, or no worker can be started.
    """
    try:
        return _launch(plan, directory, options, comm)
    except WriteFailure as error:
        said = str(error).replace(GO_ON, f"go on: {resuming(plan, directory)}")
        raise WriteFailure(said) from error


def _launch(plan: Plan, directory: Path, options: Options, comm: Any) -> Outcome:
    began = time.time()
    if comm is None:
        records, orders = _prepared(plan, directory, options)
        before = _attempts(records)
        interrupted = _on_this_machine(plan, records, orders, options)
    else:
        from nmcsim.launch.groups import check_ranks, run_groups
        from nmcsim.mesh.ranks import on_one_rank

        check_ranks(plan.ranks_per_case, comm.size)
        orders = on_one_rank(comm, lambda: _prepared(plan, directory, options)[1])
        records = Records(directory, __version__)
        before = _attempts(records) if comm.rank == 0 else {}
        display = Display(plan, records, not options.quiet)
        interrupted = run_groups(plan, records, orders, comm, display)
        if comm.rank == 0:
            display.clear()

    def end() -> Outcome:
        solved = _solved(records, before, orders.launch)
        outcome = Outcome(directory, snapshot(plan, records), time.time() - began, solved)
        write_outputs(plan, directory)
        return outcome

    # the other ranks wait: one that has left for five seconds ends the job
    outcome = end() if comm is None else on_one_rank(comm, end)
    if interrupted:
        found = outcome.snapshot
        raise Interrupted(
            f"interrupted with {found.done} of {found.total} cases done; to go on: "
            f"{resuming(plan, directory)}"
        )
    return outcome


def _prepared(plan: Plan, directory: Path, options: Options) -> tuple[Records, Orders]:
    records = prepare(plan, directory, extend=options.extend)
    return records, orders_of(plan, records, options)


def _attempts(records: Records) -> dict[str, int]:
    return {hash: record.attempt for hash, record in records.records().items()}


def _solved(records: Records, before: Mapping[str, int], launch: str) -> int:
    """How many cases a launch has recorded, of those that all have recorded since."""
    new = [item for item in _attempts(records).items() if before.get(item[0]) != item[1]]
    attempts = [attempt for item in new if (attempt := records.attempt(*item)) is not None]
    return sum(attempt.worker.launch.startswith(f"{launch}/") for attempt in attempts)


def _on_this_machine(plan: Plan, records: Records, orders: Orders, options: Options) -> bool:
    """Run the pool; whether a signal stopped it."""
    count = options.workers or max(1, cores() // orders.ranks)
    display = Display(plan, records, not options.quiet)
    pool = Pool(plan, records, orders, count, display)
    with signals_to(pool) as noted:
        try:
            pool.run()
        finally:
            display.clear()
    return bool(noted)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def signals_to(pool: Pool) -> Iterator[list[float]]:
    """Stop the pool at SIGINT and SIGTERM; when they came."""
    noted: list[float] = []

    def note(number: int, frame: Any) -> None:
        now = time.monotonic()
        if not noted or now - noted[0] > ONE:
            noted.append(now)
            pool.stop()

    before: dict[int, Any] = {}
    with suppress(ValueError):  # not the main thread: the caller's own handling stands
        for number in (int(signal.SIGINT), int(signal.SIGTERM)):
            before[number] = signal.signal(number, note)
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_outputs(plan: Plan, directory: Path) -> None:
    """Write the table, the figures and the report of what there is."""
    from nmcsim.figures.sweep import write_sweep_figures
    from nmcsim.report.sweep import write_sweep_report
    from nmcsim.sweeps.table import Table

    records, written = Records(directory, __version__), None
    # of two launches that end together, the one that wrote first may have known more; where
    # others still work, they write at their end
    while written is None or (written != _attempts(records) and not records.running()):
        found = records.records()
        written = {hash: record.attempt for hash, record in found.items()}
        Table.of(plan, found, directory).write(directory)
        write_sweep_figures(directory)
        write_sweep_report(directory)


def sweep(
    case: Any,
    *,
    grid: Mapping[str, Any] | None = None,
    zip: Mapping[str, Sequence[Any]] | None = None,
    sample: Mapping[str, Any] | None = None,
    replicas: Mapping[str, Any] | None = None,
    set: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    keep: str | None = None,
    time_limit: str | None = None,
    memory_limit: str | None = None,
    ranks_per_case: int | None = None,
    retry_failed: bool = False,
    extend: bool = False,
    quiet: bool = True,
) -> Table:
    """Solve a case for many values of its keys, on the cores of this machine.

    Parameters
    ----------
    case : Case, Plan, str or Path
        What all cases start from, or its file; or a plan, or the file of a sweep.
    grid, zip, sample, replicas, set : mapping, optional
        As the tables of the same name in a sweep's file: keys are dotted, values lists or ranges.
    out : path, optional
        Directory of the sweep; a temporary one if absent. A second call with the same goes on.
    workers : int, optional
        Cases at a time; as many as there are cores.
    keep : str, optional
        What is kept of each result: "summary", "history" (where not given) or "all".
    time_limit, memory_limit : str, optional
        Of a case, with a unit: "10 min", "2 GB".
    ranks_per_case : int, optional
        1, where not given.
    retry_failed, extend, quiet : bool
        As the options of ``nmcsim sweep``.

    Returns
    -------
    Table
        A pandas DataFrame with a row for each case; failed cases are rows, too.

    Raises
    ------
    InputError
        With all mistakes; nothing was run.
    Interrupted
        Ctrl-C; the same call goes on.
    RunFailure
        The disk is full, or no worker can be started.
    """
    from nmcsim.case import Case, load
    from nmcsim.results.files import plain
    from nmcsim.sweeps import make_plan, read_sweep
    from nmcsim.sweeps.table import Table

    if workers is not None and workers < 1:
        raise InputError(Mistake(f"workers = {workers}", "must be at least 1"))
    if isinstance(case, str | Path) and (grid or zip or sample or replicas):
        case = load(case)
    kinds = {"grid": grid, "zip": zip, "sample": sample, "replicas": replicas, "set": set}
    asked: dict[str, Any] = {name: plain(dict(table)) for name, table in kinds.items() if table}
    how = {
        "keep": keep, "time_limit": time_limit, "memory_limit": memory_limit,
        "ranks_per_case": ranks_per_case,
    }  # fmt: skip
    asked |= {name: value for name, value in how.items() if value is not None}
    if isinstance(case, Case):
        data, folder = case.given
        plan = make_plan(data | {"sweep": asked}, folder, case.path)
    elif asked:
        raise InputError(Mistake(next(iter(asked)), "is for a case; a plan says it itself"))
    else:
        plan = case if isinstance(case, Plan) else read_sweep(case)
    directory = Path(tempfile.mkdtemp(prefix="nmcsim-sweep-") if out is None else out)
    options = Options(workers, None, retry_failed, extend, quiet)
    launch(plan, directory, options)
    return Table.load(directory)
