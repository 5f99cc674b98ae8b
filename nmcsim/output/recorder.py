"""What is kept of each accepted step and asked time, on its way to the journal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.constants import F
from nmcsim.imaging.section import unreacted_region
from nmcsim.mesh.ranks import on_one_rank
from nmcsim.models.model import Model
from nmcsim.observe.layout import Layout
from nmcsim.observe.view import Probe, SurfaceLine, View
from nmcsim.results import Journal
from nmcsim.solve.fields import Array

__all__ = ["Recorder"]


class Recorder:
    """Rows, surface profiles and frames of a run. All its methods are collective.

    Parameters
    ----------
    model : Model
    case : Case
    comm : MPI.Comm
    """

    def __init__(self, model: Model, case: Any, comm: Any) -> None:
        self.model, self.comm = model, comm
        self.layout = Layout.of(model.field)
        self.view = View.of(self.layout)
        self._where = model.problem.slice(model.field)
        self._output = case.output
        self.surface: SurfaceLine | None = None
        if comm.rank == 0:
            self.surface = SurfaceLine.of(self.view.section, case.geometry.outline, case.patches)
            ratio = case.physics.rock_salt.flux_ratio
            self._b = np.where(self.surface.rock_salt, ratio, 1.0)
        points = {name: (*p, 0.0)[:3] for name, p in case.output.points.items()}
        self.point_names = tuple(points)
        self._probe = (
            Probe(model.field, self._where, np.array(list(points.values()))) if points else None
        )
        self._reference: Array | None = None
        self._journal: Journal | None = None
        self._framed = float("-inf")  # when the last frame was recorded
        self.inventory = float("nan")
        self.worst_drift = 0.0
        self.last: dict[str, float] = {}
        self.seconds = 0.0

    def open(self, directory: Path, offsets: Mapping[str, int] | None) -> None:
        """Begin the journal, or go on with it where ``offsets`` are given."""

        def job() -> float:
            assert self.surface is not None
            along = len(self.surface.nodes)
            streams = {"theta": self.layout.size, "surface": along, "flux": along}
            self._journal = Journal(directory, streams, offsets)
            if offsets is None:
                return float("-inf")
            frames = Journal.read(directory).frames["theta"]
            self._reference = frames.values[0][self.view.index]
            return float(frames.time[-1])

        self._framed = on_one_rank(self.comm, job)

    def begin(self, state: Array) -> None:
        """Take the first frame as the reference of signals and balances."""
        self.inventory = self.model.inventory(state)
        nodal = self.layout.gather(state[self._where])
        if nodal is not None:
            self._reference = nodal[self.view.index]

    def drift(self, state: Array) -> float:
        """Lithium balance error over the initial inventory."""
        change = self.model.inventory(state) - self.inventory
        return abs(change + self.model.observables["charge"](state) / F) / self.inventory

    def row(self, t: float, state: Array, step: int, dt: float, order: int) -> dict[str, float]:
        """Record one row of the history and the profile along the surface."""
        began = time.perf_counter()
        self.model.problem.at_time(t)  # the replayed control of that time
        row: dict[str, Any] = {"time": t, "step": float(step)}
        row |= {name: observe(state) for name, observe in self.model.observables.items()}
        row["capacity"] = row["charge"] / self.model.mass
        row["lithium_drift"] = self.drift(state)
        row |= {"dt": dt, "order": float(order)}
        self.worst_drift = max(self.worst_drift, row["lithium_drift"])
        if self._probe is not None:
            row["points"] = self._probe(state)
        nodal = self.layout.gather(state[self._where])
        on_one_rank(self.comm, lambda: self._write(row, nodal))
        self.last = row
        self.seconds += time.perf_counter() - began
        return row

    def _write(self, row: dict[str, Any], nodal: Array | None) -> None:
        assert nodal is not None and self._journal is not None and self.surface is not None
        assert self._reference is not None
        theta = nodal[self.view.index]
        region = unreacted_region(
            self.view.section, theta, self._reference, self._output.signal,
            self._output.unreacted_below,
        )  # fmt: skip
        profile = theta[self.surface.nodes]
        flux = self.model.flux(profile, self._b, row)
        row["com_distance"], row["unreacted_share"] = region.distance, region.share
        row["flux_max"] = float(flux[np.argmax(np.abs(flux))])
        self._journal.row(row)
        self._journal.frame("surface", row["time"], profile)
        self._journal.frame("flux", row["time"], flux)

    def frame(self, t: float, state: Array) -> None:
        """Record the whole field, once at a time."""
        if t <= self._framed:
            return
        self._framed = t
        began = time.perf_counter()
        nodal = self.layout.gather(state[self._where])

        def job() -> None:
            assert self._journal is not None
            self._journal.frame("theta", t, nodal)  # type: ignore[arg-type]

        on_one_rank(self.comm, job)
        self.seconds += time.perf_counter() - began

    def offsets(self) -> dict[str, int]:
        """Force the journal to the disk; rank 0 only."""
        assert self._journal is not None
        return self._journal.checkpoint()

    def close(self) -> None:
        """Close the journal's files."""
        if self._journal is not None:
            self._journal.close()
