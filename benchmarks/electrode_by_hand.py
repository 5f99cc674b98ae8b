"""The composite electrode: activation times, and the time of the stepping, against code by hand.

The five columns of `meshes/columns.py`, theta 0.99, C/20 to 4.3 V, held, discharged to 2.5 V, held,
charged again and held: three half-cycles. The index compared is t25 of each particle of the upper
row, when a quarter of its own change in a half-cycle (hold included) has happened, over the
duration of the half-cycle without its hold. Its error is against the same code at a tight
tolerance on the same mesh, so that neither code is charged for its discretisation.

``python -m benchmarks.electrode_by_hand [rtol [scale]]`` prints what the hand-written code finds;
`scale` multiplies all cell sizes.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from benchmarks.common import Array, Clock, Row  # imports nmcsim.runtime before DOLFINx

# isort: split
import numpy as np
from mpi4py import MPI
from scipy.interpolate import PchipInterpolator

from benchmarks.electrode_hand_written import (
    BDF2,
    SITES,
    Electrode,
    F,
    History,
    Parameters,
    Phase,
    Tagged,
)
from nmcsim.case.electrode_shape import electrode
from nmcsim.mesh import Mesh, build

SPAN = 0.99 - 0.336  # of theta: what the C-rate counts as the capacity, 4.3 V at 0.336
HOURS = 20.0
HOLD = 0.2  # of the current of C/20, so C/100: what ends a hold
CHARGED, DISCHARGED = 4.3, 2.5  # V
HALF_CYCLES = 3
LOOSE, TIGHT = 1e-3, 1e-5  # rtol


def columns(scale: float = 1.0) -> Mesh:
    """The five-column electrode on one rank; `scale` multiplies all cell sizes."""
    shape = electrode("columns").model_validate({"depth": "1 um"})
    return build(shape.scaled(scale), (), MPI.COMM_SELF)


def tagged(mesh: Mesh) -> Tagged:
    """A mesh of nmcsim as the hand-written code takes it."""
    cells = np.zeros(mesh.domain.topology.index_map(2).size_local, dtype=np.int64)
    cells[mesh.cell_tags.indices] = mesh.cell_tags.values
    particles = [name for name in mesh.tags if name.startswith("particle[")]
    return Tagged(
        mesh.domain,
        cells,
        {name: mesh.facets(name) for name in ("collector", "lithium")},
        tuple(mesh.tags[name][0] for name in particles),
        mesh.tags["contact"],
        mesh.tags["binder"],
        mesh.tags["liquid"],
    )


def protocol(current: float, half_cycles: int) -> list[Phase]:
    """Charges and discharges in turn, each with its hold; `current` in A/m."""
    length = 3600.0 * HOURS
    found = []
    for k in range(half_cycles):
        sign, V = (1.0, CHARGED) if k % 2 == 0 else (-1.0, DISCHARGED)
        found.append(Phase("current", sign * current, V, length))
        found.append(Phase("voltage", V, HOLD * current, length / 5.0))
    return found


@dataclass(frozen=True)
class HalfCycle:
    """One charge or discharge and its hold.

    Attributes
    ----------
    t25 : (particles,) array
        Over the duration without the hold.
    seconds, held : float
        Duration of the constant current and of the hold [s].
    charge : float
        Lithium that left the particles [A s/m], hold included.
    """

    t25: Array
    seconds: float
    held: float
    charge: float


def half_cycles(history: History) -> list[HalfCycle]:
    """What is compared, from the rows of a run of `protocol`."""
    t, theta = np.array(history.t), np.array(history.means)
    found = []
    starts = [0, *(end + 1 for end in history.ends)]
    for k in range(0, len(history.ends), 2):
        first, turn, last = starts[k], history.ends[k], history.ends[k + 1]
        rows = np.arange(first, last + 1)
        rows = rows[np.append(True, np.diff(t[rows]) > 0.0)]  # a change of control is two rows
        done = (theta[rows] - theta[first]) / (theta[last] - theta[first])
        seconds = t[turn] - t[first]
        t25 = [(_first(t[rows], curve, 0.25) - t[first]) / seconds for curve in done.T]
        charge = history.charge[k] + history.charge[k + 1]
        found.append(HalfCycle(np.array(t25), seconds, t[last] - t[turn], charge))
    return found


def _first(t: Array, curve: Array, level: float) -> float:
    """When a curve first reaches a level, cubic between rows."""
    return float(PchipInterpolator(t, curve).solve(level, extrapolate=False)[0])


@dataclass(frozen=True)
class Baseline:
    """One run of the hand-written code.

    Attributes
    ----------
    half_cycles : sequence of HalfCycle
    unknowns : int
    clock : Clock
        Of the time stepping.
    counts, cpu : mapping
        Steps, rejections, Newton failures, residuals, Jacobians, factorisations, solves; and CPU
        seconds of the last four.
    """

    half_cycles: Sequence[HalfCycle]
    unknowns: int
    clock: Clock
    counts: Mapping[str, int]
    cpu: Mapping[str, float]

    def spread(self, k: int, particles: Sequence[int]) -> float:
        """Asynchrony of half-cycle k over some particles."""
        return float(np.ptp(self.half_cycles[k].t25[list(particles)]))

    @property
    def loss(self) -> float:
        """Share of the first charge that the first discharge does not return, holds included."""
        first, second = self.half_cycles[0].charge, self.half_cycles[1].charge
        return 1.0 + second / first

    def error(self, other: Baseline, particles: Sequence[int]) -> float:
        """Largest difference of t25 over half-cycles and some particles."""
        pairs = zip(self.half_cycles, other.half_cycles, strict=True)
        return max(float(np.abs((a.t25 - b.t25)[list(particles)]).max()) for a, b in pairs)


class ByHand:
    """The hand-written code on one mesh, its forms compiled.

    Parameters
    ----------
    mesh : Mesh
        Of an electrode, on one rank.
    parameters : Parameters, optional
        The prototype's if absent.
    """

    def __init__(self, mesh: Mesh, parameters: Parameters | None = None) -> None:
        area = mesh.measure("nmc") / mesh.thickness
        self.current = F * SITES * area * SPAN / (3600.0 * HOURS)
        self.electrode = Electrode(tagged(mesh), parameters or Parameters(), self.current)

    def run(self, rtol: float, count: int = HALF_CYCLES) -> Baseline:
        """So many half-cycles from the uniform start."""
        stepping, clock = BDF2(self.electrode, rtol), Clock()
        history = clock(lambda: stepping.run(protocol(self.current, count)))
        cost = stepping.cost
        return Baseline(half_cycles(history), self.electrode.size, clock, cost.counts, cost.cpu)


@cache
def observed() -> tuple[int, ...]:
    """Numbers of the particles of the upper row."""
    shape = electrode("columns").model_validate({"depth": "1 um"})
    return tuple(k for k, particle in enumerate(shape.particles) if particle.observed)


def rows() -> list[Row]:
    """The table's part on the electrode; about ten minutes."""
    code = ByHand(columns())
    loose, tight = code.run(LOOSE), code.run(TIGHT)
    return [
        _cost(loose),
        Row("by hand, error of t25 of the upper row", loose.error(tight, observed()), note="rtol"),
        *(
            Row(f"by hand, spread of t25, {name}", tight.spread(k, observed()))
            for k, name in enumerate(("first charge", "first discharge", "second charge"))
        ),
        Row("by hand, capacity not returned by the first discharge", 100.0 * tight.loss, "%"),
    ]


def _cost(run: Baseline) -> Row:
    wall, cpu = run.clock.medians
    split = ", ".join(f"{part} {100.0 * run.cpu[part] / cpu:.0f} %" for part in run.cpu)
    counts = ", ".join(f"{run.counts[name]} {name}" for name in run.counts)
    name = f"by hand, three half-cycles, {run.unknowns} unknowns, CPU"
    return Row(name, cpu, "s", note=f"{wall:.1f} s wall; {split}; {counts}")


def main() -> None:
    """Print what the hand-written code finds."""
    rtol = float(sys.argv[1]) if len(sys.argv) > 1 else LOOSE
    scale = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    run = ByHand(columns(scale)).run(rtol)
    row = _cost(run)
    print(f"{row.name} {row.value:.1f} {row.unit}\n  {row.note}")
    for k, half in enumerate(run.half_cycles):
        print(
            f"half-cycle {k + 1}: {half.seconds:.1f} s and {half.held:.1f} s held, spread"
            f" {run.spread(k, observed()):.5f}, t25 {np.round(half.t25, 5)}"
        )
    print(f"not returned: {100.0 * run.loss:.3f} %")


if __name__ == "__main__":
    main()
