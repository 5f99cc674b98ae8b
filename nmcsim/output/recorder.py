"""What is kept of each accepted step and asked time, on its way to the journal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.constants import F
from nmcsim.mesh.ranks import on_one_rank
from nmcsim.models.model import Field, Model
from nmcsim.observe.layout import Layout
from nmcsim.observe.view import Probe
from nmcsim.results import Journal
from nmcsim.solve.fields import Array

__all__ = ["PARTICLE", "Recorder"]

PARTICLE = "particle_"
"""Begins the name of a stream with one value per particle and row."""


class Recorder:
    """Rows and frames of a run. All its methods are collective.

    Parameters
    ----------
    model : Model
    case : Case
    comm : MPI.Comm
    """

    def __init__(self, model: Model, case: Any, comm: Any) -> None:
        self.model, self.comm = model, comm
        self.layouts = _layouts(model.fields)
        self.layout = self.layouts[model.field.name]
        points = {name: (*p, 0.0)[:3] for name, p in case.output.points.items()}
        self.point_names = tuple(points)
        where = model.problem.slice(model.field)
        self._probe = Probe(model.field, where, np.array(list(points.values()))) if points else None
        self._journal: Journal | None = None
        self._framed = float("-inf")  # when the last frame was recorded
        self.at_start: dict[str, float] = {}
        self.worst: dict[str, float] = {}
        self.last: dict[str, float] = {}
        self.seconds = 0.0

    def open(self, directory: Path, offsets: Mapping[str, int] | None) -> None:
        """Begin the journal, or go on with it where ``offsets`` are given."""
        model, first = self.model, self.model.field.name

        def job() -> float:
            streams = {name: layout.size for name, layout in self.layouts.items()}
            if model.particles is not None:
                count = len(model.particles.names)
                streams |= {PARTICLE + name: count for name in model.per_particle}
            if model.watch is not None:
                streams |= model.watch.open(self.layout)
            self._journal = Journal(directory, streams, offsets)
            if offsets is None:
                return float("-inf")
            frames = Journal.read(directory).frames[first]
            if model.watch is not None:
                model.watch.begin(frames.values[0])
            return float(frames.time[-1])

        self._framed = on_one_rank(self.comm, job)

    def begin(self, state: Array) -> None:
        """Take the first state as the reference of balances and of what the model watches."""
        self.at_start = self._amounts(state)
        watch = self.model.watch
        if watch is not None and (nodal := self._gather(self.model.fields[0], state)) is not None:
            watch.begin(nodal)

    def _amounts(self, state: Array) -> dict[str, float]:
        """What must not change: lithium with the charge that has passed [mol], and the others."""
        model = self.model
        lithium = model.inventory(state) + model.observables["charge"](state) / F
        return {"lithium": lithium} | {n: total(state) for n, total in model.conserved.items()}

    def drifts(self, state: Array, accepted: bool = True) -> dict[str, float]:
        """Relative errors of balances by name: lithium, what is conserved, what holds now.

        What holds now is a law of the solution, nonlinear in it: a state interpolated between
        accepted ones need not keep it.
        """
        now, start = self._amounts(state), self.at_start
        found = {name: abs(now[name] - start[name]) / abs(start[name]) for name in now}
        if accepted:
            found |= {name: abs(error(state)) for name, error in self.model.balances.items()}
        return found

    def row(
        self, t: float, state: Array, step: int, dt: float, order: int, *, accepted: bool = True
    ) -> dict[str, float]:
        """Record one row of the history, and what belongs to it of particles and surfaces.

        Parameters
        ----------
        t : float
            [s].
        state : (size,) array
        step : int
            Of the protocol, from 1.
        dt : float
            Time step [s].
        order : int
            Of the time step.
        accepted : bool
            Whether the state solves the equations, or was interpolated between two that do.
        """
        began = time.perf_counter()
        model = self.model
        model.problem.at_time(t)  # the replayed control of that time
        row: dict[str, Any] = {"time": t, "step": float(step)}
        row |= {name: observe(state) for name, observe in model.observables.items()}
        for observe_all in model.together:
            row |= observe_all(state)
        row["capacity"] = row["charge"] / model.mass
        for name, drift in self.drifts(state, accepted).items():
            row[f"{name}_drift"] = drift
            # one that is no number, by overflow, must not be lost among smaller ones
            drift = float("inf") if np.isnan(drift) else drift
            self.worst[name] = max(self.worst.get(name, 0.0), drift)
        row |= {"dt": dt, "order": float(order)}
        vectors = {PARTICLE + name: of(state) for name, of in model.per_particle.items()}
        if self._probe is not None:
            row["points"] = self._probe(state)
        nodal = self._gather(model.fields[0], state) if model.watch is not None else None
        on_one_rank(self.comm, lambda: self._write(row, vectors, nodal))
        self.last = row
        self.seconds += time.perf_counter() - began
        return row

    def _write(
        self, row: dict[str, Any], vectors: Mapping[str, Array], nodal: Array | None
    ) -> None:
        assert self._journal is not None
        records = dict(vectors)
        if self.model.watch is not None:
            assert nodal is not None
            columns, more = self.model.watch.row(row, nodal)
            row |= columns
            records |= more
        self._journal.row(row)
        for stream, values in records.items():
            self._journal.frame(stream, row["time"], values)

    def frame(self, t: float, state: Array) -> None:
        """Record all fields, once at a time."""
        if t <= self._framed:
            return
        self._framed = t
        began = time.perf_counter()
        whole = {field.name: self._gather(field, state) for field in self.model.fields}

        def job() -> None:
            assert self._journal is not None
            for name, nodal in whole.items():
                self._journal.frame(name, t, nodal)  # type: ignore[arg-type]

        on_one_rank(self.comm, job)
        self.seconds += time.perf_counter() - began

    def gathered(self, state: Array) -> dict[str, Array]:
        """All fields in their layouts' numbering; empty but on rank 0."""
        whole = {field.name: self._gather(field, state) for field in self.model.fields}
        return {name: nodal for name, nodal in whole.items() if nodal is not None}

    def _gather(self, field: Field, state: Array) -> Array | None:
        where = self.model.problem.slice(field.unknown)
        return self.layouts[field.name].gather(state[where])

    def offsets(self) -> dict[str, int]:
        """Force the journal to the disk; rank 0 only."""
        assert self._journal is not None
        return self._journal.checkpoint()

    def close(self) -> None:
        """Close the journal's files."""
        if self._journal is not None:
            self._journal.close()


def _layouts(fields: Sequence[Field]) -> dict[str, Layout]:
    """One layout per field; those on one space with the same pieces share theirs; collective."""
    found: list[tuple[Field, Layout]] = []
    for field in fields:
        same = (
            layout for other, layout in found
            if other.unknown.space is field.unknown.space
            and other.part_of_cell is field.part_of_cell
        )  # fmt: skip
        found.append((field, next(same, None) or Layout.of_field(field)))
    return {field.name: layout for field, layout in found}
