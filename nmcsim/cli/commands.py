"""What each command does. All ranks of an MPI run take the same way through here."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import math
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nmcsim
from nmcsim import log
from nmcsim.case import Case, load
from nmcsim.case.loading import key_of
from nmcsim.cli import sweep as sweeping
from nmcsim.cli.ranks import World, rank
from nmcsim.errors import InputError, Mistake, NmcsimError, RunFailure

State = dict[str, Any]


def say(text: str) -> None:
    """Print on the first rank."""
    if rank() == 0:
        print(text, flush=True)


def version() -> int:
    """Print nmcsim's version, and those of the runtime where there is one."""
    if importlib.util.find_spec("mpi4py") is None or importlib.util.find_spec("dolfinx") is None:
        python = sys.version.split()[0]
        say(f"nmcsim {nmcsim.__version__}\npython {python}\ndolfinx not installed")
        return 0
    from nmcsim.runtime import versions

    # at once: to PETSc a pipe whose reader has gone is a crash
    say("\n".join(f"{name} {number}" for name, number in versions().items()))
    return 0


def _case(options: argparse.Namespace) -> Case:
    case = load(options.case, options.overrides)
    return case.coarse(map(key_of, options.overrides)) if options.coarse else case


def world(state: State) -> World:
    """The ranks, once DOLFINx is imported; on every rank, after validation."""
    try:
        runtime = importlib.import_module("nmcsim.runtime")
    except NmcsimError as error:
        raise InputError(Mistake("", str(error)), "nmcsim") from None
    state["world"] = World(runtime.MPI.COMM_WORLD)
    return state["world"]


def run(options: argparse.Namespace, state: State) -> int:
    """``nmcsim run``: validate, then solve."""
    case = _case(options)
    out = options.out or Path("results") / (options.case.stem + "-coarse" * options.coarse)
    state["interrupted"] = f"interrupted; to go on: {_resuming(options, out)}"
    comm = world(state).comm
    from nmcsim.present import present
    from nmcsim.run import simulate

    shown = comm.rank == 0 and not options.quiet
    with log.to_stream(sys.stdout) if shown else contextlib.nullcontext():
        try:
            simulate(
                case,
                out=out,
                comm=comm,
                resume=options.resume,
                overwrite=options.overwrite,
                quiet=options.quiet,
                mesh_cache=options.mesh_cache,
            )
            if options.error_bars:
                _error_bars(case, out, comm, options.mesh_cache)
        except RunFailure:
            present(out, comm, failed=True)
            raise
        present(out, comm)
    if options.quiet and comm.rank == 0:
        _say_early_end(out)
    return 0


def _say_early_end(out: Path) -> None:
    """One line on the error stream if the run stopped before its protocol was through."""
    from nmcsim.results import Result

    result = Result.load(out)
    if result.status == "ended early" and result.steps:
        step, number = result.steps[-1], len(result.steps)
        print(
            f"{out}: ended early in step {number} ({step.get('sentence', '')}) at"
            f" {step.get('t_end', math.nan):.6g} s: {step.get('reason', 'no reason is recorded')}",
            file=sys.stderr,
            flush=True,
        )


def _error_bars(case: Case, out: Path, comm: Any, mesh_cache: Path | None) -> None:
    """Error bars for a result that is there; where they cannot be had, it stays as it is."""
    from nmcsim.error_bars import add_error_bars
    from nmcsim.results import Result
    from nmcsim.run import Interrupted

    try:
        add_error_bars(Result.load(out), case, comm, mesh_cache)
    except Interrupted:
        raise KeyboardInterrupt from None  # the sentence how to go on is that of the whole run
    except RunFailure as failure:
        log.logger.warning("  no error bars: the coarser run %s", str(failure).splitlines()[0])


def _resuming(options: argparse.Namespace, out: Path) -> str:
    words = ["nmcsim", "run", str(options.case)]
    for override in options.overrides:
        words += ["--set", override]
    words += ["--coarse"] * options.coarse + ["--error-bars"] * options.error_bars
    words += ["--out", str(out), "--resume"]
    return shlex.join(words)


def check(options: argparse.Namespace, state: State) -> int:
    """``nmcsim check``: the case as it was understood."""
    from nmcsim.cli.describe import described

    say(described(_case(options)))
    return 0


def new(options: argparse.Namespace, state: State) -> int:
    """``nmcsim new``: a starter case."""
    from nmcsim.case.starter import starter

    text = starter(options.model)
    if rank() == 0:
        # "x": an existing case is never overwritten
        with _writing(options.file), options.file.open("x", encoding="utf-8") as file:
            file.write(text)
    say(f"wrote {options.file}\n  nmcsim check {options.file}\n  nmcsim run {options.file}")
    return 0


@contextlib.contextmanager
def _writing(path: Path) -> Any:
    try:
        yield
    except FileExistsError:
        message = "exists already; choose another name, or remove it"
        raise InputError(Mistake("", message), str(path)) from None
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise InputError(Mistake("", message), str(path)) from None


def _check_picture(path: Path, other: str | None = None) -> None:
    """Refuse, before any work, a picture whose ending names no kind; `other` is one that may."""
    from matplotlib.backend_bases import FigureCanvasBase

    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix != other and path.suffix[1:].lower() not in kinds:
        endings = ", ".join((".png", ".pdf", *([other] if other else [])))
        message = f"must end in {endings} or .svg"
        raise InputError(Mistake(f'--out = "{path}"', message))


MESHES = {".msh": "um", ".vtu": "m", ".xdmf": "m"}
"""Endings of meshes, and the unit of their coordinates; see `nmcsim.mesh.interchange`."""


def mesh(options: argparse.Namespace, state: State) -> int:
    """``nmcsim mesh``: the mesh alone, its quality and a picture."""
    case = _case(options)
    out = options.out or Path(f"{options.case.stem}_mesh.png")
    if not out.parent.is_dir():
        raise InputError(Mistake("--out", f"names a folder that does not exist: {out.parent}"))
    if out.suffix not in MESHES:
        _check_picture(out, ", ".join(MESHES))
    comm = world(state).comm
    from nmcsim.mesh import build, picture
    from nmcsim.mesh.interchange import export

    geometry, patches = case.geometry, getattr(case, "patches", ())  # type: ignore[attr-defined]
    made = build(geometry, patches, comm, options.mesh_cache)
    say("\n".join([made.summary(), *(f"  {note}" for note in geometry.notes)]))
    with _writing(out):
        (export if out.suffix in MESHES else picture)(made, out)
    unit = f", coordinates in {MESHES[out.suffix]}" if out.suffix in MESHES else ""
    say(f"wrote {out}{unit}")
    return 0


def schema(options: argparse.Namespace, state: State) -> int:
    """``nmcsim schema``: the JSON Schema of case files."""
    from nmcsim.case.schema import schema as built

    say(json.dumps(built(), indent=2, ensure_ascii=False))
    return 0


def show(options: argparse.Namespace, state: State) -> int:
    """``nmcsim show``: what a result holds."""
    from nmcsim.cli.describe import described_result
    from nmcsim.results import Result

    say(described_result(Result.load(options.directory)))
    return 0


def figures(options: argparse.Namespace, state: State) -> int:
    """``nmcsim figures``: draw those of one result again, or joint ones of several."""
    from nmcsim.figures import write_all, write_joint
    from nmcsim.results import Result

    if len(options.directories) == 1 and sweeping.is_sweep(options.directories[0]):
        from nmcsim.figures.sweep import write_sweep_figures

        for path in write_sweep_figures(options.directories[0]):
            say(str(path))
        return 0
    results = [Result.load(directory) for directory in options.directories]
    if len(results) == 1:
        written = write_all(results[0], options.out)
    else:
        written = write_joint(results, options.out or options.directories[0].parent / "figures")
    for path in written:
        say(str(path))
    return 0


def report(options: argparse.Namespace, state: State) -> int:
    """``nmcsim report``: write it again."""
    from nmcsim.report import write_report
    from nmcsim.results import Result

    path = options.directory / "report.html"
    if sweeping.is_sweep(options.directory):
        from nmcsim.report.sweep import write_sweep_report

        say(str(write_sweep_report(options.directory, path)))
        return 0
    write_report(Result.load(options.directory), path)
    say(str(path))
    return 0


def materials(options: argparse.Namespace, state: State) -> int:
    """``nmcsim materials list | show NAME | plot NAME``."""
    from nmcsim.materials import describe, table

    if options.action == "list":
        say(table())
    elif options.action == "show":
        say(describe(options.name))
    else:
        from nmcsim.cli.plots import plot_material

        out = options.out or Path(f"{options.name}.png")
        _check_picture(out)
        with _writing(out):
            plot_material(options.name, out)
        say(f"wrote {out}")
    return 0


def completion(options: argparse.Namespace, state: State) -> int:
    """``nmcsim completion``: a script for the user's shell."""
    from nmcsim.cli.completion import completion as script
    from nmcsim.cli.parser import build_parser

    say(script(build_parser(), options.shell))
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, State], int]] = {
    "run": run,
    "sweep": sweeping.sweep,
    "status": sweeping.status,
    "plot": sweeping.plot,
    "check": check,
    "new": new,
    "mesh": mesh,
    "schema": schema,
    "show": show,
    "figures": figures,
    "report": report,
    "materials": materials,
    "completion": completion,
}
