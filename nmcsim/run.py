"""From a case to a result: mesh, model, protocol, record. The only orchestrator; no physics."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim import runtime
from nmcsim.errors import NmcsimError, RunFailure
from nmcsim.log import logger, to_json_lines
from nmcsim.mesh import build as build_mesh
from nmcsim.mesh.ranks import on_one_rank
from nmcsim.models import MODELS, Model
from nmcsim.output import Checkpoint, Lock, Recorder, earlier_state, finish, prepare
from nmcsim.progress import Progress
from nmcsim.protocol import Phase, phase
from nmcsim.results import Result, WriteFailure, write_json
from nmcsim.solve.drive import Ended, advance, report_times, restart
from nmcsim.solve.failure import failure_report
from nmcsim.solve.fields import Array
from nmcsim.solve.ndf import NDF, Dense, StepFailure
from nmcsim.solve.start import NoConsistentStart

__all__ = ["Interrupted", "simulate"]

CHECKPOINT_EVERY = 5.0  # [s] of wall time
DRIFT_LIMIT = 1e-9


class Interrupted(NmcsimError):
    """A run that was stopped from outside, after its state was kept."""

    exit_status = 130


def simulate(
    case: Any,
    out: str | Path | None = None,
    comm: Any = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    quiet: bool = True,
    mesh_cache: str | Path | None = None,
) -> Result:
    """Run a case and leave a result directory; collective on ``comm``.

    Parameters
    ----------
    case : Case
    out : path, optional
        The result directory; a temporary one if absent.
    comm : MPI.Comm, optional
        ``COMM_SELF`` if absent.
    resume : bool
        Go on from the last checkpoint in ``out``; start over if there is none; a finished run is
        returned as it is.
    overwrite : bool
        Replace an earlier result in ``out``.
    quiet : bool
        No progress bar.
    mesh_cache : path, optional
        Where meshes are kept between runs.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        ``out`` cannot be used.
    RunFailure
        The run cannot go on; what there is lies in ``out``.
    Interrupted
        SIGINT or SIGTERM; the state is kept.
    """
    comm = comm or runtime.MPI.COMM_SELF
    directory = Path(
        comm.bcast(
            str(out) if out is not None else tempfile.mkdtemp(prefix="nmcsim-")
            if comm.rank == 0 else None
        )
    )  # fmt: skip
    locks: list[Lock] = []

    def begin() -> Checkpoint | str | None:
        locks.append(Lock(directory))
        found = prepare(directory, case, resume, overwrite or out is None)
        return "over" if isinstance(found, Result) else found

    try:
        found = on_one_rank(comm, begin)
        if found == "over":
            return _already_over(directory)
        assert not isinstance(found, str)
        log = on_one_rank_context(comm, directory)
        with log, _interruptible() as interrupt:
            run = _Run(case, comm, directory, found, quiet, mesh_cache, interrupt)
            run.go()
    finally:
        for lock in locks:
            lock.release()
    return Result.load(directory)


def on_one_rank_context(comm: Any, directory: Path) -> Any:
    """The JSON lines of a run, written by rank 0."""
    from contextlib import nullcontext

    return to_json_lines(directory / "log.jsonl", level=10) if comm.rank == 0 else nullcontext()


def _already_over(directory: Path) -> Result:
    result = Result.load(directory)
    logger.info("%s: %s already; nothing was run", directory, result.summary["status"])
    return result


@dataclass
class _Interrupt:
    signal: int = 0


@contextmanager
def _interruptible() -> Iterator[_Interrupt]:
    """Note SIGINT and SIGTERM, to be obeyed between time steps."""
    noted = _Interrupt()
    before: dict[int, Any] = {}

    def note(number: int, frame: Any) -> None:
        if noted.signal:  # a second one does not wait
            raise KeyboardInterrupt
        noted.signal = number

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, note)
    except ValueError:  # not the main thread: the caller's own handling stands
        pass
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _Run:
    """The state of one simulation while it goes on."""

    case: Any
    comm: Any
    directory: Path
    found: Checkpoint | None
    quiet: bool
    mesh_cache: str | Path | None
    interrupt: _Interrupt
    timing: dict[str, float] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)

    def go(self) -> None:
        """Set up, run the protocol, write the result."""
        began = time.perf_counter()
        self.mesh = build_mesh(
            self.case.geometry, self.case.patches, self.comm, cache_dir=self.mesh_cache
        )
        self.timing["mesh"] = time.perf_counter() - began
        self.model: Model = MODELS[self.case.model](self.case, self.mesh)
        self.recorder = Recorder(self.model, self.case, self.comm)
        numerics = self.case.numerics
        self.ndf = NDF(self.model.problem, numerics.rtol, max_order=numerics.max_order)
        self.progress = Progress(not self.quiet and self.comm.rank == 0)
        self.began, self.saved = began, time.monotonic()
        self.counts_before: Mapping[str, int] = {}
        self.timing_before: Mapping[str, float] = {}
        self._say_what_runs()
        status, failure = "finished", None
        try:
            state = self._first_state()
            status = self._protocol(state)
        except (StepFailure, NoConsistentStart) as error:
            status, failure = "failed", self._failed(error)
        except Interrupted as error:
            status, failure = "interrupted", error
        self.progress.clear()
        if failure is None and self.recorder.worst_drift > DRIFT_LIMIT:
            status = "failed"
            failure = RunFailure(
                f"the lithium balance drifts by {self.recorder.worst_drift:.2g} of the initial "
                f"inventory (limit {DRIFT_LIMIT:g}): the fluxes of the model do not add up to its "
                f"current; the result in {self.directory} is not to be trusted"
            )
        on_one_rank(self.comm, lambda: self._write_result(status, failure))
        if failure is not None:
            raise failure

    # -- beginning --------------------------------------------------------------------------

    def _say_what_runs(self) -> None:
        ranks = f"{self.comm.size} rank" + ("s" if self.comm.size > 1 else "")
        unknowns = f"{self.model.problem.global_size:,}".replace(",", " ")
        shape = self.mesh.shape_name
        if self.comm.rank == 0:
            logger.info(
                "nmcsim %s  %s  (%s, %s, %s unknowns, %s)",
                runtime.versions()["nmcsim"], self.case.title, self.case.model, shape, unknowns,
                ranks,
            )  # fmt: skip
        on_one_rank(self.comm, self._provenance)

    def _provenance(self) -> None:
        path = self.directory / "provenance.json"
        earlier = json.loads(path.read_text()) if path.is_file() else {}
        runs = [
            *earlier.get("runs", []),
            {
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "ranks": self.comm.size,
                "host": platform.node(),
                "resumed_at": self.found.t if self.found else None,
            },
        ]
        write_json(
            path,
            {
                "case_hash": self.case.hash,
                "versions": runtime.versions(),
                "platform": platform.platform(),
                "unknowns": self.model.problem.global_size,
                "facts": dict(self.model.facts),
                "runs": runs,
            },
        )
        if not (self.directory / "mesh.msh").exists():
            aside = self.directory / ".mesh.msh.tmp"
            shutil.copyfile(self.mesh.msh_path, aside)
            os.replace(aside, self.directory / "mesh.msh")

    def _first_state(self) -> Array:
        """The initial state, or the one of the checkpoint."""
        problem, layout = self.model.problem, self.recorder.layout
        state = problem.state()
        where = problem.slice(self.model.field)
        if self.found is None:
            self.recorder.open(self.directory, None)
            state[where] = self._initial_theta()
            return state
        self.recorder.open(self.directory, self.found.offsets)
        self.recorder.inventory = self.found.inventory
        self.recorder.worst_drift = self.found.worst_drift
        self.steps = [dict(step) for step in self.found.steps]
        self.counts_before, self.timing_before = self.found.counts, self.found.timing
        state[where] = layout.scatter(self.found.theta if self.comm.rank == 0 else None)
        for name, value in self.found.scalars.items():
            state[problem.slice(name)] = value
        if self.comm.rank == 0:
            logger.info("  going on at t = %.6g s, in step %d", self.found.t, self.found.step + 1)
        return state

    def _initial_theta(self) -> Array:
        initial, space = self.case.protocol.initial, self.model.field.space
        if isinstance(initial, Path):
            layout = self.recorder.layout
            values = on_one_rank(self.comm, lambda: earlier_state(initial, layout.nodes))
            return layout.scatter(values)
        points = space.tabulate_dof_coordinates()[: self.model.field.owned]
        error = None
        try:
            return np.asarray(self.case.protocol.initial_at(points.T))
        except NmcsimError as mistake:
            error = mistake
            raise
        finally:
            found = [e for e in self.comm.allgather(error) if e is not None]
            if found and error is None:
                raise found[0]

    # -- the protocol -----------------------------------------------------------------------

    def _protocol(self, state: Array) -> str:
        """All steps from where the run stands; returns the status."""
        found, protocol = self.found, self.case.protocol.steps
        t, first = (found.t, found.step) if found else (0.0, 0)
        charge = self.model.observables["charge"]
        for k in range(first, len(protocol)):
            step = protocol[k]
            again = found is not None and k == first
            t_start = found.t_start if again and found else t
            charge_start = found.charge_start if again and found else charge(state)
            self.step, self.t_start, self.charge_start = k, t_start, charge_start
            ph = phase(self.model, step, self.case, t_start, charge_start, state)
            if self.comm.rank == 0:
                logger.info("  step %d/%d  %s", k + 1, len(protocol), step.text)
            state = restart(self.ndf, t, state, ph.h_max)
            if k == 0 and not again:
                self.recorder.begin(state)
            if not again:
                self._keep(t, state, 0.0, 1)
                self._checkpoint(t, state)
            ended = self._integrate(ph, t, state)
            t, state = ended.t, ended.u
            over = self._ended(k, step, ph, ended)
            self.step = k + 1
            self._checkpoint(t, state)
            if over:
                return "ended early"
        return "finished"

    def _keep(self, t: float, state: Array, dt: float, order: int) -> None:
        self.recorder.row(t, state, self.step + 1, dt, order)
        self.recorder.frame(t, state)

    def _frame_times(self, ph: Phase) -> Array:
        """When maps are kept in this step, beside its ends."""
        output = self.case.output
        horizon = min(ph.t_end - self.t_start, 3.0 * ph.expected)
        period = output.period or min(ph.expected, horizon) / (output.frames - 1)
        regular = self.t_start + period * np.arange(1, int(np.ceil(horizon / period)) + 1)
        return np.unique(np.concatenate((regular, np.array(output.times, dtype=float))))

    def _integrate(self, ph: Phase, t: float, state: Array) -> Ended:
        times = self._frame_times(ph)
        wall = time.perf_counter()
        rows = 0

        def on_step(ndf: NDF, dense: Dense, now: float, u: Array) -> None:
            nonlocal rows
            for asked in report_times(times, dense.t0, now):
                if asked < now:
                    self._keep(float(asked), dense(float(asked)), ndf.h, ndf.order)
            row = self.recorder.row(now, u, self.step + 1, now - dense.t0, ndf.order)
            if now in times:
                self.recorder.frame(now, u)
            rows += 1
            elapsed = time.perf_counter() - wall
            self._say_step(row, (now - t) / max(elapsed, 1e-9), ph)
            self._between_steps(now, u)

        return advance(self.ndf, ph.t_end, ph.events, ph.h_max, on_step)

    def _say_step(self, row: Mapping[str, float], rate: float, ph: Phase) -> None:
        if self.comm.rank != 0:
            return
        steps = len(self.case.protocol.steps)
        share = min(1.0, (row["time"] - self.t_start) / ph.expected)
        self.progress.show((self.step + share) / steps, row["time"], row["voltage"], rate)
        logger.debug(
            "t %.1f s  dt %.3g  V %.4f  theta %.4f  drift %.0e",
            row["time"], row["dt"], row["voltage"], row["theta_mean"], row["lithium_drift"],
            extra={"data": {"t": row["time"], "step": self.step + 1, "dt": row["dt"],
                            "voltage": row["voltage"], "order": row["order"]}},
        )  # fmt: skip

    def _between_steps(self, t: float, state: Array) -> None:
        """Obey a signal, and keep a checkpoint when it is time."""
        due = time.monotonic() - self.saved > CHECKPOINT_EVERY
        wanted = self.comm.allreduce(
            2 if self.interrupt.signal else int(due and self.comm.rank == 0),
            op=runtime.MPI.MAX,
        ) if self.comm.size > 1 else (2 if self.interrupt.signal else int(due))  # fmt: skip
        if wanted:
            self._checkpoint(t, state)
        if wanted == 2:
            raise Interrupted(
                f"interrupted at t = {t:.6g} s; go on with --resume --out {self.directory}"
            )

    def _ended(self, k: int, step: Any, ph: Phase, ended: Ended) -> bool:
        """Note how a step ended; True if the run ends with it."""
        event = ended.event
        reason = event.reason if event else ph.timed_out
        if event is not None or len(self.ndf.dense.differences) == 0:
            self.recorder.frame(ended.t, ended.u)
        over = event is not None and event in self.model.guards
        self.steps.append(
            {
                "number": k + 1,
                "sentence": step.text,
                "kind": step.kind,
                "cycle": step.cycle,
                "ended_by": event.name if event else "time",
                "t_start": self.t_start,
                "t_end": ended.t,
                "reason": reason,
            }
        )
        if self.comm.rank == 0:
            self.progress.clear()
            counts = self._counts()
            row = self.recorder.last
            logger.info(
                "  %s  t %.6g s  V %.4f V  theta %.4f (%.4f .. %.4f)",
                "stopped" if over else "done", ended.t, row["voltage"], row["theta_mean"],
                row["theta_min"], row["theta_max"],
            )  # fmt: skip
            logger.info(
                "  ended by %s at %.2f s      %d steps, %d rejected, %d factorisations",
                reason, ended.t, counts["steps"], counts["rejected"], counts["factorisations"],
            )  # fmt: skip
        return over

    # -- keeping ----------------------------------------------------------------------------

    def _counts(self) -> dict[str, int]:
        names = ("steps", "rejected", "residuals", "jacobians", "factorisations", "newton_failures")
        return {n: self.ndf.counts[n] + self.counts_before.get(n, 0) for n in names}

    def _timing(self) -> dict[str, float]:
        own: Counter[str] = Counter(self.timing)
        problem = self.model.problem.timing
        for name in ("jit", "assembly", "factorisation", "solve"):
            own[name] += problem[name]
        own["output"] += self.recorder.seconds
        own["total"] = time.perf_counter() - self.began  # type: ignore[assignment]
        return {n: own[n] + self.timing_before.get(n, 0.0) for n in own}

    def _checkpoint(self, t: float, state: Array) -> None:
        """Replace the checkpoint; collective."""
        problem = self.model.problem
        nodal = self.recorder.layout.gather(state[problem.slice(self.model.field)])
        scalars = {
            u.name: problem.scalar(state, u.name)
            for u in problem.unknowns if u is not self.model.field
        }  # fmt: skip
        began = time.perf_counter()

        def job() -> None:
            Checkpoint(
                case_hash=self.case.hash, t=t, t_start=self.t_start, step=self.step,
                charge_start=self.charge_start, inventory=self.recorder.inventory, theta=nodal,  # type: ignore[arg-type]
                nodes=self.recorder.layout.nodes, scalars=scalars,
                offsets=self.recorder.offsets(), steps=self.steps, counts=self._counts(),
                timing=self._timing(), worst_drift=self.recorder.worst_drift,
            ).write(self.directory)  # fmt: skip

        on_one_rank(self.comm, job)
        self.saved = time.monotonic()
        self.recorder.seconds += time.perf_counter() - began

    def _failed(self, error: Exception) -> RunFailure:
        """Keep the last good state and say what happened; collective."""
        last = getattr(error, "last", None)
        t = getattr(error, "t", self.t_start)
        state = self.ndf.u if hasattr(self.ndf, "D") else self.model.problem.state()
        if isinstance(error, StepFailure):
            self._checkpoint(t, state)
        text = failure_report(
            self.model.problem, self.ndf, error, last, t, self.step + 1,
            self.case.protocol.steps[self.step].text, self.model.likely, self.directory,
        )  # fmt: skip
        return RunFailure(text)

    def _write_result(self, status: str, failure: Exception | None) -> None:
        began = time.perf_counter()
        timing = self._timing()
        more: dict[str, Any] = {"extrapolated": bool(self.case.physics.extrapolate)}
        asked = sum(s1 - s0 for s0, s1 in self.case.patches)
        more["rock_salt"] = {"asked": asked, "meshed": self.model.facts["coverage"]}
        if failure is not None:
            more["failure"] = str(failure)
        timing["output"] += time.perf_counter() - began
        try:
            finish(
                self.directory, self.recorder, status=status, steps=self.steps,
                counts=self._counts(), timing=timing, **more,
            )  # fmt: skip
        except WriteFailure:
            if failure is None:
                raise
        row = self.recorder.last
        if failure is None and row:
            logger.info(
                "  lithium drift %.0e of the inventory (limit %.0e)      %.1f s",
                self.recorder.worst_drift, DRIFT_LIMIT, timing["total"],
            )  # fmt: skip
