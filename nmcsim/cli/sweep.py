"""``nmcsim sweep``, ``status`` and ``plot``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nmcsim import __version__
from nmcsim.case.mistakes import mistakes_of
from nmcsim.case.sweep_table import SweepTable
from nmcsim.cli.ranks import check_launcher, rank, size
from nmcsim.errors import InputError, Mistake, RunFailure
from nmcsim.sweeps import read_sweep
from nmcsim.sweeps.plan import FILE, Plan

HOW = ("keep", "ranks_per_case", "time_limit", "memory_limit")
"""What the command line may say of a sweep in place of its file."""
SHOWN = 10
"""Failures that a launch names at its end."""


def sweep(options: argparse.Namespace, state: dict[str, Any]) -> int:
    """``nmcsim sweep``: plan, solve, table and report."""
    from nmcsim.cli.commands import say

    if options.dry_run:
        from nmcsim.sweeps.listing import listed

        say(listed(_plan(options), _workers(options)))
        return 0
    comm = None
    if size() > 1 or rank() > 0:  # DOLFINx is imported by all ranks, or by workers only
        from nmcsim.cli.commands import world

        comm = world(state).comm
        check_launcher(comm.size)
    plan = _plan(options) if comm is None else _on_one_rank(comm, options)
    _run(plan, options, state, comm)
    return 0


def _on_one_rank(comm: Any, options: argparse.Namespace) -> Plan:
    from nmcsim.mesh.ranks import on_one_rank

    if options.shard is not None:
        raise InputError(Mistake("--shard", "is for jobs without MPI; leave mpirun or --shard out"))
    if options.workers is not None:
        message = "is for one machine without MPI; the ranks of mpirun are the workers"
        raise InputError(Mistake("--workers", message))
    return on_one_rank(comm, lambda: _plan(options))


def _plan(options: argparse.Namespace) -> Plan:
    """The plan of the file, with what the command line says of how it is run."""
    said = {key: getattr(options, key) for key in HOW if getattr(options, key) is not None}
    try:
        how = SweepTable.model_validate(said)
    except ValidationError as error:
        raise InputError(
            Mistake(f"--{m.place.replace('_', '-', 1)}", m.message)
            for m in mistakes_of(error, model=SweepTable)
        ) from None
    plan = read_sweep(options.case, options.overrides, coarse=options.coarse)
    words = [w for key, value in said.items() for w in (f"--{key.replace('_', '-')}", str(value))]
    return replace(plan, words=(*plan.words, *words), **{key: getattr(how, key) for key in said})


def _workers(options: argparse.Namespace) -> int:
    from nmcsim.launch.conduct import cores

    return int(options.workers or cores())


def _run(plan: Plan, options: argparse.Namespace, state: dict[str, Any], comm: Any) -> None:
    from nmcsim.cli.commands import say
    from nmcsim.launch.conduct import Options, launch
    from nmcsim.sweeps.status import counted, resuming

    name = options.case.stem + "-coarse" * options.coarse
    out = options.out or Path("results") / name
    state["interrupted"] = f"interrupted; to go on: {resuming(plan, out)}"
    if not options.quiet:
        varied = ", ".join(p.key for p in plan.parameters)
        say(f"nmcsim {__version__}  {plan.title}  ({counted(len(plan.cases))}, varying {varied})")
    how = Options(
        options.workers, options.shard, options.retry_failed, options.extend, options.quiet,
        options.mesh_cache,
    )  # fmt: skip
    outcome = launch(plan, out, how, comm)
    found = outcome.snapshot
    if not options.quiet:
        from nmcsim.sweeps.status import duration

        early = sum(record.status == "ended early" for record in found.records)
        say(
            f"  {found.done} of {found.total} cases done, {outcome.solved} in this launch of "
            f"{duration(outcome.seconds)}"
            + f"; {early} ended early" * bool(early)
            + f"; {outcome.failed} failed" * bool(outcome.failed)
        )
        say(f"  table   {out / 'table.csv'}\n  report  {out / 'report.html'}")
    if found.failed:
        raise RunFailure(_failures(plan, out, outcome))


def _failures(plan: Plan, out: Path, outcome: Any) -> str:
    from nmcsim.sweeps.status import described_values, resuming

    known = {planned.hash: planned for planned in plan.cases}
    failed = sorted(outcome.snapshot.failed, key=lambda record: known[record.hash].number)
    lines = [f"{out}: {len(failed)} of {outcome.snapshot.total} cases failed"]
    for record in failed[:SHOWN]:
        planned = known[record.hash]
        said = f"case {planned.number} ({described_values(plan, planned)}): {record.cause}"
        lines.append(f"  {said}")
    if len(failed) > SHOWN:
        lines.append(f"  and {len(failed) - SHOWN} more: nmcsim status {out}")
    lines.append(f"  to try them again: {resuming(plan, out, ['--retry-failed'])}")
    return "\n".join(lines)


def is_sweep(directory: Path) -> bool:
    """Whether a directory is that of a sweep."""
    return (directory / FILE).is_file()


def _opened(directory: Path) -> Plan:
    if not is_sweep(directory):
        about = (
            "is a file; name the directory of the sweep" if directory.exists() else "does not exist"
        )
        message = "is not the directory of a sweep" if directory.is_dir() else about
        raise InputError(Mistake("", message), str(directory))
    return Plan.read(directory)


def status(options: argparse.Namespace, state: dict[str, Any]) -> int:
    """``nmcsim status``: how far a sweep is."""
    from nmcsim.cli.commands import say
    from nmcsim.sweeps.records import Records
    from nmcsim.sweeps.status import snapshot, status_text

    plan = _opened(options.directory)
    found = snapshot(plan, Records(options.directory, __version__))
    say(status_text(plan, options.directory, found))
    return 0


def plot(options: argparse.Namespace, state: dict[str, Any]) -> int:
    """``nmcsim plot``: a figure of the table, or of the curves."""
    from nmcsim.cli.commands import say
    from nmcsim.figures.sweep import draw, write_plot
    from nmcsim.sweeps.table import Table, read_records

    plan = _opened(options.directory)
    records = read_records(plan, options.directory)
    ys = tuple(name.strip() for name in options.y.split(","))
    figure = draw(
        Table.of(plan, records, options.directory), records, x=options.x, y=ys, z=options.z,
        colour=options.colour, facet=options.facet, log=options.log, where=options.where,
        curves=options.curves,
    )  # fmt: skip
    name = f"{'_'.join(ys)}_over_{options.x}".replace(".", "_")
    out = options.out or options.directory / "figures" / f"{name}.png"
    for path in write_plot(figure, out):
        say(str(path))
    return 0
