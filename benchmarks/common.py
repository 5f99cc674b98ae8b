"""What the benchmarks share: timing, a row of the table, and nmcsim's time stepping on its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import nmcsim.runtime  # noqa: F401  (before any module below imports DOLFINx)

# isort: split
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from nmcsim import load
from nmcsim.constants import F
from nmcsim.mesh import build
from nmcsim.models import MODELS
from nmcsim.solve.drive import Event, advance, restart
from nmcsim.solve.ndf import NDF

Array = NDArray[np.float64]

CASE = Path(__file__).parent.parent / "cases" / "crystal_aged_1C.toml"
INSIDE = ("assembly", "factorisation", "solve")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    name : str
        What was measured.
    value : float
    unit : str
        Empty for a ratio.
    target : float, optional
        What issue and documentation promise; None where a number is only reported.
    at_most : bool
        Whether the target is an upper bound.
    note : str
        Under what circumstances.
    """

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the value lies on the right side of the target; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    def record(self) -> dict[str, Any]:
        """As kept in results.json."""
        return asdict(self) | {"met": self.met}


@dataclass
class Clock:
    """Wall and CPU seconds of repeated measurements."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def __call__[T](self, work: Callable[[], T]) -> T:
        """Do the work once, timed."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)
        return result

    @property
    def medians(self) -> tuple[float, float]:
        """Wall and CPU seconds."""
        return median(self.wall), median(self.cpu)


@dataclass(frozen=True)
class Stepped:
    """One run of the time stepping alone: no recorder, no files.

    Attributes
    ----------
    theta : (times, unknowns) array
        At the asked times.
    t_end : float
        Where it ended [s].
    counts : mapping
        Of the integrator.
    wall, cpu : float
        [s].
    timing : mapping
        Seconds of assembly, factorisation and solves.
    drift : float
        Lithium balance error over the initial inventory.
    """

    theta: Array
    t_end: float
    counts: dict[str, int]
    wall: float
    cpu: float
    timing: dict[str, float]
    drift: float

    @property
    def outside(self) -> float:
        """Share of the wall time outside assembly, factorisation and solves."""
        return 1.0 - sum(self.timing[name] for name in INSIDE) / self.wall


class Stepper:
    """A case whose time stepping can be repeated at any tolerance.

    Parameters
    ----------
    overrides : sequence of str
        ``key=value``, as on the command line.
    comm : MPI.Comm, optional
        ``COMM_WORLD`` if absent.
    mesh : Mesh, optional
        Taken instead of building one.
    path : Path
        The case.
    scale : float
        Factor of all cell sizes.
    """

    def __init__(
        self,
        overrides: Sequence[str] = (),
        comm: Any = None,
        mesh: Any = None,
        path: Path = CASE,
        scale: float = 1.0,
    ) -> None:
        self.case = load(path, overrides)
        geometry = self.case.geometry if scale == 1.0 else self.case.geometry.scaled(scale)
        clock = Clock()
        self.mesh = mesh or clock(
            lambda: build(geometry, self.case.patches, comm or MPI.COMM_WORLD)
        )
        self.model = clock(lambda: MODELS[self.case.model](self.case, self.mesh))
        self.mesh_seconds = 0.0 if mesh else clock.wall[0]
        self.problem = self.model.problem
        self.jit_seconds = self.problem.timing["jit"]
        self._start = self.problem.state()  # before any run

    @property
    def unknowns(self) -> int:
        """Over all ranks."""
        return int(self.problem.global_size)

    def run(self, rtol: float, times: Sequence[float], t_end: float, rate: float = 1.0) -> Stepped:
        """Charge from the initial state to ``t_end`` [s], or to 4.3 V if that comes first."""
        problem, model = self.problem, self.model
        problem.timing.clear()
        where = problem.slice("theta")
        state = self._start.copy()
        state[where] = self.case.protocol.initial
        model.set_current(rate * model.one_c)
        start = model.inventory(state)
        ndf = NDF(problem, rtol, max_order=self.case.numerics.max_order)
        h_max = 3600.0 / rate / self.case.numerics.steps_per_phase
        voltage = model.observables["voltage"]
        event = Event("voltage", "V = 4.3 V", lambda t, u: voltage(u) - 4.3, 1)
        asked, kept = np.asarray(times, dtype=float), []

        def on_step(ndf: NDF, dense: Any, t: float, u: Array) -> None:
            within = asked[(asked > dense.t0) & (asked <= t)]
            kept.extend(dense(at)[where] for at in within)

        def work() -> Any:
            restart(ndf, 0.0, state, h_max)
            return advance(ndf, t_end, [event], h_max, on_step)

        clock = Clock()
        ended = clock(work)
        gone = model.observables["charge"](ended.u) / F
        return Stepped(
            theta=np.array(kept),
            t_end=ended.t,
            counts=dict(ndf.counts),
            wall=clock.wall[0],
            cpu=clock.cpu[0],
            timing=dict(problem.timing),
            drift=abs(model.inventory(ended.u) - start + gone) / start,
        )


def peak_megabytes() -> float:
    """Largest resident memory of this program so far.

    Not ``getrusage``: what that gives includes the parent's memory before the program was loaded.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024.0 for line in lines if line.startswith("VmHWM"))
