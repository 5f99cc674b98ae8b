"""From a case to a result: mesh, model, protocol, record. The only orchestrator; no physics."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from nmcsim import runtime
from nmcsim.errors import NmcsimError, RunFailure
from nmcsim.log import logger, to_json_lines
from nmcsim.mesh import build as build_mesh
from nmcsim.mesh.ranks import on_one_rank
from nmcsim.models import MODELS, Model
from nmcsim.output import (
    Asked,
    Checkpoint,
    Claim,
    Ledger,
    Standing,
    first_state,
    memory_of,
)
from nmcsim.progress import Progress
from nmcsim.protocol import Phase, ends, phase
from nmcsim.results import Result, WriteFailure, writing
from nmcsim.solve.drive import Ended, Event, advance, restart
from nmcsim.solve.failure import failure_report
from nmcsim.solve.fields import Array
from nmcsim.solve.ndf import NDF, Dense, StepFailure
from nmcsim.solve.start import NoConsistentStart
from nmcsim.stops import (
    DUE,
    SIGNALLED,
    Interrupt,
    Interrupted,
    LimitExceeded,
    Limits,
    interruptible,
)

__all__ = ["Interrupted", "simulate"]

LOG = "log.jsonl"
CHECKPOINT_EVERY = 5.0  # [s] of wall time


def simulate(
    case: Any,
    out: str | Path | None = None,
    comm: Any = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    quiet: bool = True,
    mesh_cache: str | Path | None = None,
    limits: Limits | None = None,
    keep: str = "all",
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
    limits : Limits, optional
        At which the run is stopped.
    keep : str
        What is written at the end: "all"; "history" leaves out the fields for ParaView, which
        figures and the report do not need; "summary" writes the columns of the history only.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        ``out`` cannot be used, or the initial state cannot be had; nothing was written.
    RunFailure
        The run cannot go on; what there is lies in ``out``.
    LimitExceeded
        It reached one of its limits; the state is kept.
    Interrupted
        SIGINT or SIGTERM; the state is kept.
    """
    began = time.perf_counter()
    comm = comm or runtime.MPI.COMM_SELF
    directory = _directory(out, comm)
    overwrite = overwrite and not resume
    claims: list[Claim] = []

    def look() -> Checkpoint | str | None:
        claims.append(Claim(directory))
        found = claims[0].look(case, resume=resume, overwrite=overwrite)
        return "over" if isinstance(found, Result) else found

    try:
        found = on_one_rank(comm, look)
        if isinstance(found, str):
            return _already_over(directory)
        with interruptible(directory) as interrupt:
            run = _Run(case, comm, directory, found, mesh_cache, interrupt)

            def begin() -> None:
                claims[0].begin(case, found, overwrite=overwrite)
                with writing(directory / LOG):  # here, where every rank learns of a failure
                    (directory / LOG).touch()

            on_one_rank(comm, begin)
            run.limits, run.ledger.keep = limits or Limits(), keep
            with _json_lines(comm, directory, keep):
                run.go(began, Progress(not quiet and comm.rank == 0))
    finally:
        for claim in claims:
            claim.release()
    return Result.load(directory)


def _directory(out: str | Path | None, comm: Any) -> Path:
    name = None
    if comm.rank == 0:
        name = tempfile.mkdtemp(prefix="nmcsim-") if out is None else str(out)
    return Path(comm.bcast(name))


def _json_lines(comm: Any, directory: Path, keep: str) -> AbstractContextManager[None]:
    """The log of a run on disk, written by rank 0; each step, where the log is kept."""
    level = logging.DEBUG if keep == "all" else logging.INFO
    return to_json_lines(directory / LOG, level) if comm.rank == 0 else nullcontext()


def _already_over(directory: Path) -> Result:
    result = Result.load(directory)
    logger.info("%s: %s already; nothing was run", directory, result.summary["status"])
    return result


class _Run:
    """One simulation: set up when made, run by :meth:`go`; collective."""

    def __init__(
        self,
        case: Any,
        comm: Any,
        directory: Path,
        found: Checkpoint | None,
        mesh_cache: str | Path | None,
        interrupt: Interrupt,
    ) -> None:
        self.case, self.comm, self.directory = case, comm, directory
        self.found, self.interrupt = found, interrupt
        self.limits = Limits()
        clock = [time.perf_counter()]
        self.mesh = build_mesh(case.geometry, case.patches, comm, cache_dir=mesh_cache)
        clock.append(time.perf_counter())
        self.model: Model = MODELS[case.model](case, self.mesh)
        numerics = case.numerics
        self.ndf = NDF(self.model.problem, numerics.rtol, max_order=numerics.max_order)
        self.ledger = Ledger(case, self.model, directory, found, self.ndf.counts)
        layouts = self.ledger.recorder.layouts
        self.state = first_state(case, self.model, layouts, found)
        self.memory = memory_of(self.model, layouts, found.past if found else None)
        self.standing = found.standing if found else Standing()
        clock.append(time.perf_counter())
        self.ledger.timing["mesh"] = clock[1] - clock[0]
        jit = self.model.problem.timing["jit"]
        self.ledger.timing["setup"] = clock[2] - clock[1] - jit

    def go(self, began: float, progress: Progress) -> None:
        """Run the protocol and write the result.

        Parameters
        ----------
        began : float
            ``time.perf_counter()`` when the run began.
        progress : Progress
        """
        self.progress, self.began = progress, began
        try:
            self.ledger.open(began, self.mesh.msh_path)
            self._say_what_runs()
            status, failure = self._outcome()
            self.progress.clear()
            self._close(status, failure)
        finally:
            self.ledger.recorder.close()
        if failure is not None:
            raise failure

    def _close(self, status: str, failure: NmcsimError | None) -> None:
        try:
            self.ledger.close(status, failure)
        except WriteFailure:
            if failure is None:
                raise

    def _say_what_runs(self) -> None:
        if self.comm.rank != 0:
            return
        ranks = f"{self.comm.size} rank" + ("s" if self.comm.size > 1 else "")
        unknowns = f"{self.model.problem.global_size:,}".replace(",", " ")
        logger.info(
            "nmcsim %s  %s  (%s, %s, %s unknowns, %s)",
            runtime.versions()["nmcsim"], self.case.title, self.case.model, self.mesh.shape_name,
            unknowns, ranks,
        )  # fmt: skip
        for sentence in self.model.notices:
            logger.warning("  %s", sentence)
        share = self.ledger.rock_salt
        if share is not None and share["meshed"] > 0.0:
            logger.info(
                "  rock salt on %.4f %% of the lateral surface (asked: %.4f %%)",
                100.0 * share["meshed"], 100.0 * share["asked"],
            )  # fmt: skip
        if self.found is not None and self.standing.status == "running":
            at = self.standing
            logger.info("  going on at t = %.6g s, in step %d", at.t, at.step + 1)

    def _outcome(self) -> tuple[str, NmcsimError | None]:
        """Run the protocol; the status, and what is to be raised."""
        try:
            status = self._protocol()
        except (StepFailure, NoConsistentStart) as error:
            return "failed", self._failed(error)
        except (WriteFailure, LimitExceeded) as error:
            return "failed", error
        except Interrupted as error:
            return "interrupted", error
        drifts = self.ledger.drifts
        return (status, None) if drifts is None else ("failed", RunFailure(drifts))

    # -- the protocol -----------------------------------------------------------------------

    def _protocol(self) -> str:
        """All steps from where the run stands; returns the status."""
        self.progress.begin(self._share(self.standing.t))
        while self.standing.status == "running":
            began = time.perf_counter()
            try:
                self._step()
            finally:
                self.ledger.timing["stepping"] += time.perf_counter() - began
        return self.standing.status

    def _step(self) -> None:
        """One protocol step, begun or resumed, up to the checkpoint at its end."""
        protocol, at = self.case.protocol.steps, self.standing
        step = protocol[at.step]
        ph = phase(self.model, step, self.case, at.t_start, self.state, at.expected)
        if self.comm.rank == 0:
            logger.info("  step %d/%d  %s", at.step + 1, len(protocol), step.text)
        self._start(at.t, ph.h_max)
        events = ends(self.model, step, at.charge_start, self.state)
        self.standing = replace(at, expected=ph.expected)
        if at.expected is None:
            if at.step == 0:
                self.ledger.recorder.begin(self.state)
            self.ledger.recorder.row(at.t, self.state, at.step + 1, 0.0, 1)
            self.ledger.recorder.frame(at.t, self.state)
        ended = self._integrate(ph, events)
        over = self._note_end(step, ph, ended)
        last = at.step + 1 == len(protocol)
        status = "ended early" if over else "finished" if last else "running"
        charge = self.model.observables["charge"](ended.u)
        self.state, self.standing = ended.u, self.standing.next(ended.t, charge, status)
        self.ledger.checkpoint(self.standing, self.state)

    def _start(self, t: float, h_max: float) -> None:
        """Let the integrator go on as it stood, or begin anew."""
        memory, self.memory = self.memory, None
        if memory is None:
            self.state = restart(self.ndf, t, self.state, h_max)
        else:
            self.ndf.resume(t, self.state, memory)

    def _integrate(self, ph: Phase, events: Sequence[Event]) -> Ended:
        """From where the run stands to the end of its step."""
        asked = Asked.of(self.case.output, self.standing.t_start, ph.t_end, ph.expected)
        recorder, number = self.ledger.recorder, self.standing.step + 1
        t0, wall = self.standing.t, time.perf_counter()

        def on_step(ndf: NDF, dense: Dense, now: float, u: Array) -> None:
            order = len(dense.differences) - 1
            times = asked.within(dense.t0, now)
            before = times < now * (1.0 - 1e-12)
            for t in times[before].tolist():
                between = dense(t)
                recorder.row(t, between, number, dense.h, order, accepted=False)
                recorder.frame(t, between)
            row = recorder.row(now, u, number, now - dense.t0, order)
            if not before.all():
                recorder.frame(now, u)
            self._say_step(row, (now - t0) / max(time.perf_counter() - wall, 1e-9))
            self._between_steps(now, u)

        return advance(self.ndf, ph.t_end, events, ph.h_max, on_step, ph.stops)

    def _share(self, t: float) -> float:
        """Share of the protocol that is done at ``t``, as far as can be said."""
        at = self.standing
        within = (t - at.t_start) / at.expected if at.expected else 0.0
        return float((at.step + min(1.0, within)) / len(self.case.protocol.steps))

    def _say_step(self, row: Mapping[str, float], rate: float) -> None:
        if self.comm.rank != 0:
            return
        self.progress.show(self._share(row["time"]), row["time"], row["voltage"], rate)
        logger.debug(
            "t %.1f s  dt %.3g  V %.4f  theta %.4f  drift %.0e",
            row["time"], row["dt"], row["voltage"], row["theta_mean"], row["lithium_drift"],
            extra={"data": {"t": row["time"], "step": row["step"], "dt": row["dt"],
                            "voltage": row["voltage"], "order": row["order"]}},
        )  # fmt: skip

    def _between_steps(self, t: float, state: Array) -> None:
        """Keep a checkpoint when it is time; obey a signal and the limits."""
        due = time.monotonic() - self.ledger.saved > CHECKPOINT_EVERY
        why = self.limits.exceeded(self.began) or (
            SIGNALLED if self.interrupt.signal else DUE * due
        )
        if self.comm.size > 1:
            why = self.comm.allreduce(why, op=runtime.MPI.MAX)
        if why:
            memory = self.ndf.memory if t == self.ndf.t else None  # an event lies within a step
            self.ledger.checkpoint(self.standing.at(t), state, memory)
        if why == SIGNALLED:
            raise Interrupted(
                f"interrupted at t = {t:.6g} s; go on with --resume --out {self.directory}"
            )
        if why > SIGNALLED:
            raise self.limits.error(why, f"at t = {t:.6g} s in step {self.standing.step + 1}")

    def _note_end(self, step: Any, ph: Phase, ended: Ended) -> bool:
        """Record how a step ended; True if the run ends with it."""
        event = ended.event
        reason = event.reason if event else ph.timed_out
        if event and event.place:
            reason += f", at {event.place(ended.t, ended.u)}"
        over = event is not None and event in self.model.guards
        self.ledger.recorder.frame(ended.t, ended.u)
        self.ledger.steps.append(
            {
                "number": self.standing.step + 1,
                "sentence": step.text,
                "kind": step.kind,
                "cycle": step.cycle,
                "ended_by": event.name if event else "time",
                "t_start": self.standing.t_start,
                "t_end": ended.t,
                "reason": reason,
            }
        )
        if self.comm.rank == 0:
            self._say_end(reason, over, ended.t)
        return over

    def _say_end(self, reason: str, over: bool, t: float) -> None:
        self.progress.clear()
        counts, row = self.ledger.counts(), self.ledger.recorder.last
        logger.info(
            "  %s  t %.6g s  V %.4f V  theta %.4f (%.4f .. %.4f)",
            "ended early" if over else "done", t, row["voltage"], row["theta_mean"],
            row["theta_min"], row["theta_max"],
        )  # fmt: skip
        logger.info(
            "  ended by %s at %.2f s      %d steps, %d rejected, %d factorisations",
            reason, t, counts["steps"], counts["rejected"], counts["factorisations"],
        )  # fmt: skip

    def _failed(self, error: StepFailure | NoConsistentStart) -> RunFailure:
        """Keep the last good state and say what happened."""
        state = self.state
        if isinstance(error, StepFailure):
            state = self.ndf.u
            # on a full disk the last checkpoint remains the last good state
            with suppress(WriteFailure):
                self.ledger.checkpoint(self.standing.at(error.t), state)
        at = self.standing
        step = f"step {at.step + 1} ({self.case.protocol.steps[at.step].text})"
        return RunFailure(
            failure_report(
                self.model.problem, error, state, self.model.where, self.model.likely, step,
                self.directory,
            )
        )  # fmt: skip
