"""Against PyBaMM's unstructured finite volumes: constant D, flux through half the rim, closed form.

Two errors are compared at four times: of the shift of lithium's centre of mass, in radii, and of
theta on the rim, at points where each code has its own. PyBaMM takes some 18,000 triangles, made
as nmcsim makes its own, and the loosest tolerance that does not enlarge its errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem

from benchmarks.common import Array, Clock, Row, Stepper
from benchmarks.unstructured import Triangles, Unstructured
from nmcsim.constants import F
from tests.reference import blocked_disk

TIMES = np.array([200.0, 500.0, 1000.0, 1500.0])
D = 5e-16  # m2/s: D t / R^2 goes from 0.06 to 0.48
CONSTANT_D = f'material.D_chem="{D} m2/s"'
CELLS = 18_000


@dataclass(frozen=True)
class Exact:
    """The closed form at the benchmark's times, on the unit disk; the arc is about angle 0."""

    radius: float
    loss: float  # -d(theta mean)/dt [1/s]
    start: float
    coverage: float

    def theta(self, rho: Array, phi: Array, t: float) -> Array:
        """theta(rho, phi, t)."""
        scale = 0.5 * self.loss * self.radius**2 / D
        profile = blocked_disk.profile(rho, phi, D * t / self.radius**2, self.coverage)
        return self.start - scale * profile

    def centre(self) -> Array:
        """x of the centre of mass at each time, by Gauss points in rho and equal angles."""
        x, w = np.polynomial.legendre.leggauss(48)
        rho, w = 0.5 * (x + 1.0)[:, None], 0.5 * w[:, None]
        phi = (np.arange(256) + 0.5)[None, :] * 2.0 * np.pi / 256
        found = []
        for t in TIMES:
            weighted = self.theta(rho, phi, t) * w * rho
            found.append((weighted * rho * np.cos(phi)).sum() / weighted.sum())
        return np.array(found)

    def rim_error(self, phi: Array, theta: Array) -> float:
        """Largest error of theta, shape (times, phi)."""
        one = np.ones_like(phi)
        return max(
            float(np.abs(self.theta(one, phi, t) - row).max())
            for t, row in zip(TIMES, theta, strict=True)
        )


@dataclass(frozen=True)
class Accuracy:
    """Errors of the centre of mass [R] and of theta on the rim."""

    centre: float
    rim: float

    def within(self, other: Accuracy, factor: float = 1.0) -> bool:
        """Whether neither error is larger than `factor` times the other's."""
        return self.centre <= factor * other.centre and self.rim <= factor * other.rim

    def __str__(self) -> str:
        return f"centre {self.centre:.1e} R, rim {self.rim:.1e}"


def _corners(stepper: Stepper, radius: float) -> tuple[Array, np.ndarray]:
    """Vertices [R] and triangles of a mesh of nmcsim, without the curved sides."""
    domain = stepper.mesh.domain
    cells = np.asarray(domain.geometry.dofmap)[:, :3]
    used, numbers = np.unique(cells, return_inverse=True)
    return domain.geometry.x[used, :2] / radius, numbers.reshape(cells.shape)


def _triangles(radius: float, coverage: float) -> Triangles:
    """Some 18,000 of them."""
    size = 0.05  # um; the number of cells goes with its square
    for _ in range(3):
        stepper = Stepper([CONSTANT_D, f'geometry.cell_size="{size} um"'])
        vertices, cells = _corners(stepper, radius)
        if abs(len(cells) / CELLS - 1.0) < 0.03:
            break
        size *= (len(cells) / CELLS) ** 0.5
    return Triangles(vertices, cells, np.pi * coverage)


class Ours:
    """nmcsim on a mesh of a cell size.

    Parameters
    ----------
    size : float
        [um].
    """

    def __init__(self, size: float) -> None:
        ends = f'geometry.patch_end_cell_size="{size / 8} um"'
        sizes = [f'geometry.cell_size="{size} um"', ends]
        self.stepper = Stepper([CONSTANT_D, *sizes])
        mesh, space = self.stepper.mesh, self.stepper.model.field.space
        x, y = space.tabulate_dof_coordinates()[:, :2].T
        self.size = size
        self.on_rim = mesh.dofs(space, "lateral")
        self.phi = np.arctan2(y, x)[self.on_rim]
        self.weights, self.moments = _integrals(mesh, space)

    def run(self, rtol: float) -> tuple[Array, float, float]:
        """theta at the times, wall and CPU seconds."""
        run = self.stepper.run(rtol, TIMES, float(TIMES[-1]))
        return run.theta, run.wall, run.cpu

    def accuracy(self, exact: Exact, theta: Array) -> Accuracy:
        """Errors of a run."""
        centre = theta @ self.moments / (theta @ self.weights) / exact.radius
        gap = float(np.abs(centre - exact.centre()).max())
        return Accuracy(gap, exact.rim_error(self.phi, theta[:, self.on_rim]))


def _integrals(mesh: Any, space: Any) -> tuple[Array, Array]:
    """Integrals of each basis function, and of x times it."""
    v = ufl.TestFunction(space)
    x = ufl.SpatialCoordinate(mesh.domain)[0]
    dx = mesh.dx("crystal", degree=6)
    return tuple(fem.assemble_vector(fem.form(f * dx)).array for f in (v, x * v))  # type: ignore[return-value]


def _loosest(
    solve: Callable[[float], Accuracy], goal: Accuracy, factor: float, rtols: tuple[float, ...]
) -> float | None:
    """The first of the tolerances, loosest first, whose errors are within the goal's."""
    return next((rtol for rtol in rtols if solve(rtol).within(goal, factor)), None)


def rows() -> list[Row]:
    """The table's part on PyBaMM; about a minute."""
    plain = Stepper([CONSTANT_D])
    case, mesh, model = plain.case, plain.mesh, plain.model
    radius = 0.5 * case.geometry.diameter
    sites = case.material.site_density * mesh.measure("crystal")
    coverage = mesh.measure("rock_salt") / mesh.measure("lateral")
    exact = Exact(radius, model.one_c / (F * sites), case.protocol.initial, coverage)
    centre = exact.centre()

    theirs = Unstructured(_triangles(radius, coverage), D / radius**2, exact.loss, exact.start)

    def accuracy(theta: Array) -> Accuracy:
        gap = float(np.abs(theirs.centre(theta) - centre).max())
        return Accuracy(gap, exact.rim_error(*theirs.rim(theta)))

    best = accuracy(theirs.solve(TIMES, 1e-7)[0])
    tolerances = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
    their_rtol = _loosest(lambda r: accuracy(theirs.solve(TIMES, r)[0]), best, 1.05, tolerances)
    assert their_rtol is not None
    goal = accuracy(theirs.solve(TIMES, their_rtol)[0])
    ours, our_rtol = _ours(exact, goal)
    return _race(theirs, their_rtol, goal, ours, our_rtol, exact)


def _ours(exact: Exact, goal: Accuracy) -> tuple[Ours, float]:
    """The coarsest mesh and loosest tolerance of nmcsim that are at least as accurate."""
    for size in (0.6, 0.45, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05):
        ours = Ours(size)
        candidates = (3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 1e-6)
        rtol = _loosest(
            lambda r, one=ours: one.accuracy(exact, one.run(r)[0]), goal, 1.0, candidates
        )
        if rtol is not None:
            return ours, rtol
    raise RuntimeError(f"no mesh of nmcsim reaches {goal}")


def _race(
    theirs: Unstructured,
    their_rtol: float,
    goal: Accuracy,
    ours: Ours,
    our_rtol: float,
    exact: Exact,
) -> list[Row]:
    """Both in turns, five times."""
    integration, setup, mine = Clock(), Clock(), Clock()
    theta = np.empty(0)
    for _ in range(5):
        _, stepping, prepared = theirs.solve(TIMES, their_rtol)
        integration.wall.append(stepping)
        setup.wall.append(prepared)
        for _ in range(3):
            theta, wall, cpu = ours.run(our_rtol)
            mine.wall.append(wall)
            mine.cpu.append(cpu)
    found = ours.accuracy(exact, theta)
    their_time, (wall, cpu) = float(np.median(integration.wall)), mine.medians
    cells, unknowns = theirs.submesh.npts, ours.stepper.unknowns
    note = (
        f"PyBaMM {cells} cells, rtol {their_rtol:g}, {goal}, {their_time:.2f} s in IDAKLU alone; "
        f"nmcsim {unknowns} unknowns, rtol {our_rtol:g}, {found}, {wall:.3f} s ({cpu:.3f} s CPU)"
    )
    prepare = f"PyBaMM's set-up of {np.median(setup.wall):.2f} s is in no ratio"
    better = "at no larger error than PyBaMM's"
    return [
        Row("PyBaMM / nmcsim, blocked disk, constant D", their_time / wall, "", 10.0, note=note),
        Row("nmcsim's error of the centre of mass", found.centre, "R", goal.centre, True, better),
        Row("nmcsim's error of theta on the rim", found.rim, "", goal.rim, True, prepare),
    ]
