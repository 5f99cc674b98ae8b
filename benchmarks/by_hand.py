"""Against what a good user writes by hand in DOLFINx: time of the time stepping at equal error.

Both run the half-blocked crystal (nmc88, 1C) on one mesh, from 0 to 3000 s. The error is the
largest difference of theta over all unknowns and nine times from the same equations in the same
space at rtol 1e-6. That reference is taken with laws inside the forms for the hand-written code and
with laws at the nodes for nmcsim, so that neither is charged for the other's discretisation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ufl

from benchmarks.common import Array, Clock, Row, Stepper
from benchmarks.hand_written import HandWritten
from nmcsim.constants import F

TIMES = (100.0, 200.0, 400.0, 600.0, 1000.0, 1500.0, 2000.0, 2500.0, 3000.0)
T_END = 3000.0
REFERENCE = 1e-6  # rtol; its error is 1e-6, a hundredth of the smallest target
GRID = 30  # steps are multiples of it, so that every time is a whole number of steps
RTOLS = tuple(1e-2 * 2.0 ** (-k / 2) for k in range(17))
NEWTON = 1e-2  # relative residual; 1e-6 gives the same error (see `_tight`)
TARGETS = {1e-3: 30.0, 1e-4: 150.0}


@dataclass
class Contest:
    """The two codes on one mesh, with their references.

    Parameters
    ----------
    cell_size : str
        In the middle, as in a case file; empty for the default mesh.
    """

    cell_size: str = ""

    def __post_init__(self) -> None:
        overrides = [f'geometry.cell_size="{self.cell_size}"'] if self.cell_size else []
        self.ours = Stepper(overrides)
        mesh = self.ours.mesh
        asked = self.ours.case.numerics.linear_solver
        self.default = "direct" if asked == "auto" else asked  # auto in a section
        self.codes = {
            name: Stepper([*overrides, f'numerics.linear_solver="{name}"'], mesh=mesh)
            for name in ("direct", "iterative")
        }
        general = Stepper([*overrides, 'numerics.laws="general"'], mesh=mesh)
        self.exact = self.codes["direct"].run(REFERENCE, TIMES, T_END).theta
        self.exact_by_hand = general.run(REFERENCE, TIMES, T_END).theta
        clock = Clock()
        self.hand = clock(lambda: self.by_hand(NEWTON))
        self.hand_setup = clock.wall[0]

    def by_hand(self, tolerance: float) -> HandWritten:
        """The hand-written code, its forms compiled."""
        mesh, model = self.ours.mesh, self.ours.model
        degree = {"quadrature_degree": 4}
        dx = ufl.Measure("dx", domain=mesh.domain, metadata=degree)
        ds = ufl.Measure("ds", domain=mesh.domain, subdomain_data=mesh.facet_tags, metadata=degree)
        assert model.one_c is not None
        flux = model.one_c / (F * mesh.measure("bare"))
        return HandWritten(model.field.space, dx, ds(mesh.tags["bare"]), flux, tolerance)

    def run_by_hand(self, steps: int, hand: HandWritten | None = None) -> float:
        """Error of `steps` steps."""
        found = (hand or self.hand).run(self.ours.case.protocol.initial, steps, TIMES, T_END)
        return _largest(found - self.exact_by_hand)

    def loosest(self, code: Stepper, target: float) -> tuple[float, float]:
        """The largest tolerance at which, and below which, the error is within the target."""
        best = None
        for rtol in reversed([r for r in RTOLS if r > 0.1 * target]):
            error = _largest(code.run(rtol, TIMES, T_END).theta - self.exact)
            if error > target:
                break
            best = rtol, error
        if best is None:
            raise RuntimeError(f"no tolerance reaches {target:g}")
        return best

    def steps_for(self, target: float, guess: int) -> int:
        """Steps that bring the hand-written code to the target, first order in time."""
        return GRID * int(np.ceil(guess * self.run_by_hand(guess) / (0.97 * target) / GRID))


def _largest(gap: Array) -> float:
    return float(np.abs(gap).max())


@dataclass
class Entry:
    """nmcsim with one linear solver, at a tolerance that meets the target."""

    rtol: float
    error: float
    clock: Clock


@dataclass(frozen=True)
class Ratio:
    """Both codes at one error."""

    target: float
    steps: int
    iterations: int
    error: float
    hand: Clock
    ours: dict[str, Entry]

    def rows(self, contest: Contest) -> list[Row]:
        """A ratio for each linear solver; the default one is judged."""
        unknowns = contest.ours.unknowns
        hand, hand_cpu = self.hand.medians
        found = []
        for solver, entry in self.ours.items():
            wall, cpu = entry.clock.medians
            note = (
                f"by hand {self.steps} steps, {self.iterations} factorisations, error "
                f"{self.error:.2g}, {hand:.1f} s; nmcsim rtol {entry.rtol:.2g}, error "
                f"{entry.error:.2g}, {wall:.3f} s; ratio of CPU times {hand_cpu / cpu:.0f}"
            )
            name = f"by hand / {solver}, error {self.target:.0e}, {unknowns} unknowns"
            target = TARGETS[self.target] if solver == contest.default else None
            found.append(Row(name, hand / wall, "", target, note=note))
        return found


def measure(contest: Contest, target: float, guess: int, repeats: int) -> Ratio:
    """Both codes at one error, in turns: nmcsim before and after each run by hand."""
    ours = {
        name: Entry(*contest.loosest(code, target), Clock()) for name, code in contest.codes.items()
    }
    steps = contest.steps_for(target, guess)
    hand, error = Clock(), float("nan")
    for _ in range(repeats):
        _three_times(contest, ours)
        error = hand(lambda: contest.run_by_hand(steps))
        _three_times(contest, ours)
    if not 0.8 * target <= error <= 1.02 * target:
        raise RuntimeError(f"{steps} steps by hand have the error {error:.2g}, not {target:g}")
    return Ratio(target, steps, contest.hand.iterations, error, hand, ours)


def _three_times(contest: Contest, ours: dict[str, Entry]) -> None:
    for _ in range(3):
        for name, entry in ours.items():
            run = contest.codes[name].run(entry.rtol, TIMES, T_END)
            entry.clock.wall.append(run.wall)
            entry.clock.cpu.append(run.cpu)


def rows() -> list[Row]:
    """The table's part on the hand-written code; about five minutes."""
    coarse = Contest("0.12 um")
    first = measure(coarse, 1e-3, 600, 2)
    second = measure(coarse, 1e-4, first.steps, 1)
    found = [*first.rows(coarse), _tight(coarse, first), *second.rows(coarse)]
    gap = _largest(coarse.exact - coarse.exact_by_hand)
    note = "largest difference of theta between laws at nodes and laws in forms, both at rtol 1e-6"
    found.append(Row(f"the two references, {coarse.ours.unknowns} unknowns", gap, note=note))
    fine = Contest()
    found += measure(fine, 1e-3, 1200, 1).rows(fine)
    note = (
        f"caches may be warm; mesh {fine.ours.mesh_seconds:.2f} s, "
        f"forms by hand {fine.hand_setup:.2f} s; in no ratio"
    )
    found.append(Row("forms of nmcsim, default mesh", fine.ours.jit_seconds, "s", note=note))
    return found


def _tight(contest: Contest, ratio: Ratio) -> Row:
    """The ratio for a Newton iteration as solvers have it by default, which changes no digit."""
    hand, clock = contest.by_hand(1e-6), Clock()
    error = clock(lambda: contest.run_by_hand(ratio.steps, hand))
    note = f"{hand.iterations} factorisations, error {error:.2g}, {clock.wall[0]:.1f} s"
    wall, _ = ratio.ours[contest.default].clock.medians
    return Row("by hand with Newton to 1e-6 / nmcsim, error 1e-03", clock.wall[0] / wall, note=note)
