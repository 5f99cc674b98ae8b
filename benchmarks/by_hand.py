"""Against what a good user writes by hand in DOLFINx: wall time of the time stepping at equal error.

Both run the half-blocked crystal (nmc88, 1C) on one mesh, from 0 to 3000 s. The error is the largest
difference of theta over all unknowns and nine times from the same equations in the same space at
rtol 1e-7. That reference is taken with laws inside the forms for the hand-written code and with laws
at the nodes for nmcsim, so that neither is charged for the other's discretisation in space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import ufl

from benchmarks.common import Array, Clock, Row, Stepper
from benchmarks.hand_written import HandWritten
from nmcsim.constants import F

TIMES = (100.0, 200.0, 400.0, 600.0, 1000.0, 1500.0, 2000.0, 2500.0, 3000.0)
T_END = 3000.0
GRID = 30  # steps are multiples of it, so that every time is a whole number of steps
RTOLS = tuple(1e-2 * 2.0 ** (-k / 2) for k in range(17))
NEWTON = 1e-2  # relative residual; 1e-6 gives the same error to four digits
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
        general = Stepper([*overrides, 'numerics.laws="general"'], mesh=mesh)
        self.exact = self.ours.run(1e-7, TIMES, T_END).theta
        self.exact_by_hand = general.run(1e-7, TIMES, T_END).theta
        clock = Clock()
        self.hand = clock(lambda: self._by_hand(NEWTON))
        self.hand_setup = clock.wall[0]

    def _by_hand(self, tolerance: float) -> HandWritten:
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

    def error(self, rtol: float) -> float:
        """Error of nmcsim at a tolerance."""
        return _largest(self.ours.run(rtol, TIMES, T_END).theta - self.exact)

    def loosest(self, target: float) -> tuple[float, float]:
        """The largest tolerance at which, and below which, the error is within the target."""
        best = None
        for rtol in reversed([r for r in RTOLS if r > 0.1 * target]):
            error = self.error(rtol)
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


@dataclass(frozen=True)
class Ratio:
    """Wall and CPU seconds of both codes at one error."""

    target: float
    steps: int
    rtol: float
    errors: tuple[float, float]
    hand: Clock
    ours: Clock
    iterations: int

    def rows(self, unknowns: int, judged: bool) -> list[Row]:
        """The ratio, and what it is made of."""
        (hand, hand_cpu), (ours, ours_cpu) = self.hand.medians, self.ours.medians
        note = (
            f"{unknowns} unknowns; by hand {self.steps} steps, {self.iterations} factorisations, "
            f"error {self.errors[0]:.2g}, {hand:.1f} s; nmcsim rtol {self.rtol:.2g}, "
            f"error {self.errors[1]:.2g}, {ours:.3f} s; CPU ratio {hand_cpu / ours_cpu:.0f}"
        )
        name = f"by hand / nmcsim at error {self.target:.0e}, {unknowns} unknowns"
        return [Row(name, hand / ours, "", TARGETS[self.target] if judged else None, note=note)]


def measure(contest: Contest, target: float, guess: int, repeats: int) -> Ratio:
    """Both codes at one error, in turns: nmcsim before and after each run by hand."""
    rtol, error = contest.loosest(target)
    steps = contest.steps_for(target, guess)
    hand, ours, by_hand = Clock(), Clock(), float("nan")
    for _ in range(repeats):
        _three_times(contest, rtol, ours)
        by_hand = hand(lambda: contest.run_by_hand(steps))
        _three_times(contest, rtol, ours)
    if not 0.8 * target <= by_hand <= 1.02 * target:
        raise RuntimeError(f"{steps} steps by hand have the error {by_hand:.2g}, not {target:g}")
    iterations = contest.hand.iterations
    return Ratio(target, steps, rtol, (by_hand, error), hand, ours, iterations)


def _three_times(contest: Contest, rtol: float, clock: Clock) -> None:
    for _ in range(3):
        run = contest.ours.run(rtol, TIMES, T_END)
        clock.wall.append(run.wall)
        clock.cpu.append(run.cpu)


def rows(targets: Sequence[float] = (1e-3, 1e-4)) -> list[Row]:
    """The table's part on the hand-written code; about five minutes."""
    found = []
    coarse = Contest("0.12 um")
    n, guess = coarse.ours.unknowns, 600
    for target in targets:
        result = measure(coarse, target, guess, 2 if target > 5e-4 else 1)
        found += result.rows(n, True)
        guess = result.steps
        if target == 1e-3:
            tight, clock = coarse._by_hand(1e-6), Clock()
            clock(lambda steps=result.steps, hand=tight: coarse.run_by_hand(steps, hand))
            note = f"{tight.iterations} factorisations, {clock.wall[0]:.1f} s"
            ratio = clock.wall[0] / result.ours.medians[0]
            found.append(Row("the same with Newton to 1e-6 by hand", ratio, note=note))
    gap = _largest(coarse.exact - coarse.exact_by_hand)
    found.append(
        Row("laws at nodes against laws in forms, theta", gap, note="same mesh, rtol 1e-7")
    )
    fine = Contest()
    result = measure(fine, 1e-3, 1200, 1)
    found += result.rows(fine.ours.unknowns, True)
    jit = fine.ours.jit_seconds
    note = (
        f"mesh {fine.ours.mesh_seconds:.2f} s; by hand {fine.hand_setup:.2f} s; caches may be warm"
    )
    found.append(Row("forms compiled or found, default mesh", jit, "s", note=note))
    return found
