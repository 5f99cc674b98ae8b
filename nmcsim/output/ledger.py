"""What a run leaves on disk while it goes on and when it ends: provenance, checkpoints, summary."""

from __future__ import annotations

import json
import platform
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim import runtime
from nmcsim.log import logger
from nmcsim.mesh.ranks import on_one_rank
from nmcsim.models.model import Field, Model
from nmcsim.output.checkpoint import Checkpoint, Kept, Past, Standing
from nmcsim.output.finish import write_tables
from nmcsim.output.recorder import Recorder
from nmcsim.results import (
    Journal,
    final_observables,
    headline,
    headline_lines,
    write_atomically,
    write_json,
    write_summary,
)
from nmcsim.solve.fields import Array
from nmcsim.solve.ndf import Memory

__all__ = ["Ledger"]

COUNTED = (
    "steps", "rejected", "residuals", "jacobians", "factorisations", "newton_failures", "rescues",
)  # fmt: skip
OVER = ("finished", "ended early")
_MEANING = {
    "lithium": (
        "the initial inventory", "the fluxes of the model do not add up to its current"
    ),
    "salt": ("the initial amount", "the electrolyte gains or loses ions that nothing carries"),
    "charge": ("the current", "what crosses an interface is not what flows to it"),
}  # fmt: skip
_OTHER = ("its scale", "the equations of the model do not conserve it")


class Ledger:
    """The books of one run. All its methods are collective.

    Parameters
    ----------
    case : Case
    model : Model
    directory : Path
    found : Checkpoint or None
        Where the run goes on.
    counts : Counter
        The integrator's own; they move while it works.
    """

    def __init__(
        self,
        case: Any,
        model: Model,
        directory: Path,
        found: Checkpoint | None,
        counts: Counter[str],
    ) -> None:
        self.case, self.model, self.directory = case, model, directory
        self.comm = model.problem.comm
        self.recorder = Recorder(model, case, self.comm)
        self.timing: dict[str, float] = {"checkpoint": 0.0, "tables": 0.0, "stepping": 0.0}
        self.steps: list[dict[str, Any]] = []
        self.keep = "all"
        """What is written at the end, as of `nmcsim.simulate`."""
        self._found, self._counts = found, counts
        self._counts_before: Mapping[str, int] = {}
        self._timing_before: Mapping[str, float] = {}
        self._began = time.perf_counter()
        self.saved = time.monotonic()
        if found is not None:
            self.steps = [dict(step) for step in found.steps]
            self._counts_before, self._timing_before = found.counts, found.timing
            self.recorder.at_start = dict(found.at_start)
            self.recorder.worst = dict(found.worst)

    def open(self, began: float, msh: Path) -> None:
        """Write the provenance and the mesh, begin the journal or go on with it.

        Parameters
        ----------
        began : float
            ``time.perf_counter()`` when the run began.
        msh : Path
            The mesh file.
        """
        self._began = began
        on_one_rank(self.comm, lambda: self._write_provenance(msh))
        self.recorder.open(self.directory, self._found.offsets if self._found else None)

    # -- while it goes on -------------------------------------------------------------------

    def checkpoint(self, standing: Standing, state: Array, memory: Memory | None = None) -> None:
        """Replace the checkpoint; ``memory`` is the integrator's, if it goes on from there."""
        began = time.perf_counter()
        problem, recorder, fields = self.model.problem, self.recorder, self.model.fields
        nodal = recorder.gathered(state)
        past = None if memory is None else self._past(memory)
        means = {f.name: () if f.means is None else f.means(state).tolist() for f in fields}
        scalars = {n: problem.scalar(state, n) for n in self._scalars}

        def kept(field: Field) -> Kept:
            layout = recorder.layouts[field.name]
            return Kept(
                nodal[field.name],
                layout.nodes,
                layout.part_of_node,
                field.pieces,
                means[field.name],
            )

        def job() -> None:
            Checkpoint(
                case_hash=self.case.hash, standing=standing, at_start=recorder.at_start,
                fields={field.name: kept(field) for field in fields}, scalars=scalars,
                offsets=recorder.offsets(), steps=self.steps, counts=self.counts(),
                timing=self.seconds(), worst=recorder.worst, past=past,
            ).write(self.directory)  # fmt: skip

        on_one_rank(self.comm, job)
        self.saved = time.monotonic()
        self.timing["checkpoint"] += time.perf_counter() - began

    @property
    def _scalars(self) -> list[str]:
        """Names of the global unknowns."""
        names = {field.name for field in self.model.fields}
        return [u.name for u in self.model.problem.unknowns if u.name not in names]

    def _past(self, memory: Memory) -> Past:
        """The integrator's memory as it is kept; collective."""
        rows = [self.recorder.gathered(row) for row in memory.differences]
        fields = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        scalar = self.model.problem.scalar
        scalars = {n: [scalar(row, n) for row in memory.differences] for n in self._scalars}
        return Past(memory.h, memory.equal_steps, fields, scalars)

    def counts(self) -> dict[str, int]:
        """Steps and evaluations, those before a resumption included."""
        return {n: self._counts[n] + self._counts_before.get(n, 0) for n in COUNTED}

    def seconds(self) -> dict[str, float]:
        """Wall time by what it was spent on [s], that before a resumption included.

        ``output`` is the sum of ``observables``, ``checkpoint`` and ``tables``; ``stepping`` is the
        whole time integration, its output included.
        """
        own = dict(self.timing)
        for name in ("jit", "assembly", "factorisation", "solve"):
            own[name] = self.model.problem.timing[name]
        own["observables"] = self.recorder.seconds
        own["output"] = own["observables"] + own["checkpoint"] + own["tables"]
        own["total"] = time.perf_counter() - self._began
        return {n: seconds + self._timing_before.get(n, 0.0) for n, seconds in own.items()}

    @property
    def drifts(self) -> str | None:
        """The sentence for the balance that is least kept, if one is not."""
        limit, worst = self.model.drift_limit, self.recorder.worst
        name = max(worst, key=worst.__getitem__, default="")
        if not name or worst[name] <= limit:
            return None
        of, meaning = _MEANING.get(name, _OTHER)
        return (
            f"the {name} balance drifts by {worst[name]:.2g} of {of} (limit {limit:g}): {meaning};"
            f" the result in {self.directory} is not to be trusted"
        )

    # -- files ------------------------------------------------------------------------------

    def _write_provenance(self, msh: Path) -> None:
        path = self.directory / "provenance.json"
        entry = {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "ranks": self.comm.size,
            "resumed_at": self._found.standing.t if self._found else None,
            "wall_time": None,
        }
        content = {
            "case_hash": self.case.hash,
            "versions": runtime.versions(),
            "platform": f"{platform.system()} {platform.machine()}",
            "unknowns": self.model.problem.global_size,
            "facts": dict(self.model.facts),
            "runs": [*(self._runs() if self._found else []), entry],
        }
        write_json(path, content, forced=False)  # the end of the run writes it again
        if not (self.directory / "mesh.msh").exists():
            write_atomically(self.directory / "mesh.msh", msh.read_bytes(), forced=False)

    def _runs(self) -> list[dict[str, Any]]:
        try:
            return list(json.loads((self.directory / "provenance.json").read_text())["runs"])
        except (OSError, ValueError, KeyError):
            return []

    def close(self, status: str, failure: Exception | None) -> None:
        """Write the tables and the summary; the journal goes once the run is over.

        Raises
        ------
        WriteFailure
            The disk is full or the folder may not be written.
        """
        on_one_rank(self.comm, lambda: self._close(status, failure))

    def _close(self, status: str, failure: Exception | None) -> None:
        began = time.perf_counter()
        history, particles = write_tables(self.directory, self.recorder, self.steps, keep=self.keep)
        path = self.directory / "provenance.json"
        content = json.loads(path.read_text())
        content["runs"][-1]["wall_time"] = time.perf_counter() - self._began
        write_json(path, content)
        self.timing["tables"] += time.perf_counter() - began
        seconds = self.seconds()
        more: dict[str, Any] = {} if failure is None else {"failure": str(failure)}
        if self.rock_salt is not None:
            more["rock_salt"] = self.rock_salt
        lines: list[str] = []
        if particles is not None:
            left = self.case.protocol.steps[len(self.steps) :]
            stopped = left[0].kind if left and status not in OVER else None
            found = headline(
                history, particles, self.steps, finished=status == "finished", within=stopped
            )
            more |= found
            lines = headline_lines(found, particles)
        write_summary(
            self.directory, status=status, steps=self.steps,
            balance=self.recorder.worst, drift_limit=self.model.drift_limit,
            counts=self.counts(), timing=seconds, observables=final_observables(history),
            extrapolated=bool(self.case.physics.extrapolate), **more,
        )  # fmt: skip
        if status in OVER:
            Journal.remove(self.directory)
        if failure is None:
            self._say([*lines, f"{self._drift_line()}      {seconds['total']:.1f} s"])

    def _drift_line(self) -> str:
        drifts = dict(self.recorder.worst)
        said = f"  lithium drift {drifts.pop('lithium', float('nan')):.0e} of the inventory"
        said += "".join(f", {name} {drift:.0e}" for name, drift in drifts.items())
        return f"{said} (limit {self.model.drift_limit:.0e})"

    @staticmethod
    def _say(lines: Iterable[str]) -> None:
        for line in lines:
            logger.info("%s", line)

    @property
    def rock_salt(self) -> dict[str, float] | None:
        """Share of the lateral surface under rock salt: asked, and meshed; None without any."""
        if "coverage" not in self.model.facts:
            return None
        asked = sum(s1 - s0 for s0, s1 in self.case.patches)
        return {"asked": float(asked), "meshed": self.model.facts["coverage"]}
