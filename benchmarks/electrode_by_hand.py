"""The composite electrode: activation times, and their cost, against code written by hand.

Both run the first three half-cycles of ``cases/electrode_paper.toml``, holds included, on one mesh.
Compared is t25 of the particles of the upper row: when a quarter of a particle's own change in a
half-cycle (hold included) has happened, over the half-cycle's duration without its hold. The error
of each code is against itself at a tight tolerance, so that neither is charged for the other's
discretisation; how far the two are apart is a row of its own.

``python -m benchmarks.electrode_by_hand [rtol [key=value ...]]`` prints what that code finds.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.common import Array, Clock, Row  # imports nmcsim.runtime before DOLFINx

# isort: split
import numpy as np
from mpi4py import MPI
from scipy.interpolate import PchipInterpolator

from benchmarks.electrode_hand_written import (
    BDF2,
    C_REF,
    Electrode,
    History,
    Parameters,
    Phase,
    Tagged,
)
from nmcsim import load
from nmcsim.mesh import Mesh, build
from nmcsim.run import simulate

CASE = Path(__file__).parent.parent / "cases" / "electrode_paper.toml"
HALF_CYCLES = 3
LOOSE, TIGHT = 1e-3, 1e-5  # rtol
TARGET = 4.0


def paper(overrides: Sequence[str] = ()) -> Any:
    """The headline case, its first three half-cycles."""
    case = load(CASE, overrides)
    texts = [step.text for step in case.protocol.steps[: 2 * HALF_CYCLES]]
    return load(CASE, [*overrides, f"protocol.steps = {json.dumps(texts)}"])


def parameters(case: Any) -> Parameters:
    """The case's numbers and electrolyte with the laws of NMC that are written by hand.

    Raises
    ------
    RuntimeError
        If the case's material has other laws.
    """
    own = Parameters()
    for theta in (0.4, 0.7, 0.89, 0.93, 0.98):
        for name in ("U", "D", "K", "i0"):
            mine, its = float(getattr(own, name)(theta)), getattr(case.material, name)(theta)
            if abs(mine / its - 1.0) > 1e-3:  # i0 of nmcsim is rounded off at its ends
                raise RuntimeError(f"{name} at theta = {theta} is {mine} by hand and {its} here")
    liquid = case.electrolyte
    if liquid.concentration != C_REF or case.physics.temperature != 298.15:
        raise RuntimeError("written by hand is 1 mol/L at 298.15 K")
    return replace(
        own,
        kappa=liquid.kappa,
        D_l=liquid.D,
        t_plus=liquid.t_plus,
        tdf=liquid.thermodynamic_factor,
        i0_lithium=case.lithium.exchange_current,
        K_binder=case.binder.conductivity,
        K_contact=case.contact.conductivity,
        porosity=case.binder.porosity,
        bruggeman=case.binder.bruggeman,
        wetted=case.binder.wetted,
        sites=case.material.site_density,
        theta_start=case.protocol.initial,
    )


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


def phases(case: Any, one_c: float) -> list[Phase]:
    """The protocol of a case whose steps each end in one way; `one_c` in A/m."""
    found, length = [], 0.0
    for step in case.protocol.steps:
        (until,) = step.until
        if step.control == "current":
            length = 3600.0 / abs(step.value.amount)
            found.append(Phase("current", step.value.amount * one_c, until.value, length))
        else:
            end = abs(until.value.amount) * one_c
            found.append(Phase("voltage", step.value, end, length / 5.0))
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
    """What is compared, from the rows of a run of charges and discharges, each with its hold."""
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

    @property
    def t25(self) -> Array:
        """Of all half-cycles and particles, shape (half-cycles, particles)."""
        return np.array([half.t25 for half in self.half_cycles])

    def spread(self, k: int, particles: Sequence[int]) -> float:
        """Asynchrony of half-cycle k over some particles."""
        return float(np.ptp(self.t25[k, list(particles)]))

    @property
    def loss(self) -> float:
        """Share of the first charge that the first discharge does not return, holds included."""
        charge, discharge = (half.charge for half in self.half_cycles[:2])
        return 1.0 + discharge / charge

    def error(self, other: Baseline, particles: Sequence[int]) -> float:
        """Largest difference of t25 over half-cycles and some particles."""
        return float(np.abs(self.t25 - other.t25)[:, list(particles)].max())


class ByHand:
    """The hand-written code on one mesh, its forms compiled.

    Parameters
    ----------
    case : Case
        Of an electrode.
    mesh : Mesh
        Its mesh, on one rank.
    K_at : str
        See `Electrode`.
    """

    def __init__(self, case: Any, mesh: Mesh, K_at: str = "points") -> None:
        area = mesh.measure("nmc") / mesh.thickness
        one_c = case.protocol.one_c(case.material.density * area)
        self.phases = phases(case, one_c)
        scale = abs(self.phases[0].value)
        self.electrode = Electrode(tagged(mesh), parameters(case), scale, K_at)

    def run(self, rtol: float) -> Baseline:
        """The protocol from the uniform start."""
        stepping, clock = BDF2(self.electrode, rtol), Clock()
        history = clock(lambda: stepping.run(self.phases))
        cost = stepping.cost
        return Baseline(half_cycles(history), self.electrode.size, clock, cost.counts, cost.cpu)


@dataclass(frozen=True)
class Ours:
    """One run of nmcsim, recording included.

    Attributes
    ----------
    t25 : (half-cycles, particles) array
        As of `HalfCycle`.
    clock : Clock
        Of the run without meshing and compiling.
    summary : mapping
        As written.
    """

    t25: Array
    clock: Clock
    summary: Mapping[str, Any]

    @property
    def stepping(self) -> float:
        """CPU seconds of the time stepping without recording: its share of the wall time."""
        timing = self.summary["timing"]
        share = (timing["stepping"] - timing["output"]) / timing["total"]
        return float(self.clock.cpu[0] * share)


def ours(case: Any, rtol: float | None = None) -> Ours:
    """Run a case with nmcsim; its own tolerance if none is given."""
    case = case if rtol is None else case.replace("numerics.rtol", rtol)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        clock(lambda: simulate(case, out, quiet=True))
        summary = json.loads((out / "summary.json").read_text())
    before = sum(summary["timing"].get(name, 0.0) for name in ("mesh", "setup"))
    clock.cpu[0] -= before
    clock.wall[0] -= before
    halves = summary["half_cycles"]
    t25 = [
        (np.array(half["t25"]) - half["t_start"]) / (half["t_end_cc"] - half["t_start"])
        for half in halves
    ]
    return Ours(np.array(t25), clock, summary)


def _observed(case: Any) -> list[int]:
    """Numbers of the particles of the upper row."""
    return [k for k, particle in enumerate(case.geometry.particles) if particle.observed]


def rows() -> list[Row]:
    """The table's part on the electrode; about ten minutes."""
    case = paper()
    mesh, top = build(case.geometry, (), MPI.COMM_SELF), _observed(case)
    code = ByHand(case, mesh)
    ours(case)  # compiles
    loose, quick = code.run(LOOSE), ours(case, LOOSE)
    tight, exact = code.run(TIGHT), ours(case, TIGHT)
    nodes = ByHand(case, mesh, "nodes").run(1e-1 * LOOSE)
    error = float(np.abs(quick.t25 - exact.t25)[:, top].max())
    counts = quick.summary["counts"]
    said = (
        f"CPU, at rtol {LOOSE:g}; nmcsim {quick.stepping:.1f} s, with mesh, set-up and recording"
        f" {quick.clock.cpu[0]:.1f} s; {counts['steps']} steps,"
        f" {counts['factorisations']} factorisations"
    )
    names = ("first charge", "first discharge", "second charge")
    return [
        Row(
            f"by hand / nmcsim, three half-cycles, {loose.unknowns} unknowns",
            loose.clock.cpu[0] / quick.stepping,
            "",
            TARGET,
            note=said,
        ),
        _cost(loose),
        Row(
            "nmcsim's error of t25, upper row", error, "", loose.error(tight, top), True, "by hand"
        ),
        Row(
            "t25 of nmcsim and of the code by hand with K at nodes",
            float(np.abs(exact.t25 - nodes.t25)[:, top].max()),
            note=f"with K at points {np.abs(exact.t25 - tight.t25)[:, top].max():.2g}",
        ),
        *(
            Row(
                f"spread of t25, {name}",
                float(np.ptp(exact.t25[k, top])),
                note=f"by hand {tight.spread(k, top):.4f}, K at nodes {nodes.spread(k, top):.4f}",
            )
            for k, name in enumerate(names)
        ),
    ]


def _cost(run: Baseline) -> Row:
    cpu = run.clock.cpu[0]
    split = ", ".join(f"{part} {100.0 * run.cpu[part] / cpu:.0f} %" for part in run.cpu)
    counts = ", ".join(f"{run.counts[name]} {name}" for name in run.counts)
    name = f"by hand, three half-cycles, {run.unknowns} unknowns, CPU"
    return Row(name, cpu, "s", note=f"{run.clock.wall[0]:.1f} s wall; {split}; {counts}")


def main() -> None:
    """Print what the hand-written code finds."""
    rtol = float(sys.argv[1]) if len(sys.argv) > 1 else LOOSE
    case = paper(sys.argv[2:])
    mesh, top = build(case.geometry, (), MPI.COMM_SELF), _observed(case)
    for K_at in ("points", "nodes"):
        run = ByHand(case, mesh, K_at).run(rtol)
        row = _cost(run)
        print(f"K at {K_at}: {row.name} {row.value:.1f} {row.unit}\n  {row.note}")
        for k, half in enumerate(run.half_cycles):
            print(
                f"  half-cycle {k + 1}: {half.seconds:.1f} s and {half.held:.1f} s held, spread"
                f" {run.spread(k, top):.5f}, t25 {np.round(half.t25, 5)}"
            )
        print(f"  not returned: {100.0 * run.loss:.3f} %", flush=True)


if __name__ == "__main__":
    main()
