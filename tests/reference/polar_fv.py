"""Polar finite volumes for lithium in a disk whose rim is partly blocked.

    N_L d(theta)/dt = div( N_L grad Phi(theta) ),   Phi' = D_chem                    (10-12)
    - N_L dPhi/dr = j  at r = R,   j > 0 leaves                                      (13)

    flux mode           j = b j_bare,   j_bare = j_mean / mean(b)                    (14, 15)
    Butler-Volmer mode  j = b i0(theta) 2 sinh(F (V - U(theta)) / 2RT) / F,   mean(j) = j_mean

b = 1 on the bare rim and ``flux_ratio`` on the blocked intervals; `mean` is over the perimeter.
In flux mode V = mean(j U) / mean(j). Equation numbers: Lun et al., Supplementary Information.

Method. On the grid of ``polar_grid`` the flux through a face is the difference of Phi over the
distance, so the semi-discrete system is theta' = A Phi(theta) - s with a constant sparse A, and the
lithium balance holds to round-off. Time: scipy's BDF 1-5 with the exact sparse Jacobian.

Own error, half-blocked disk at 1C, probes of ``stored``: level 0.7 (7 s) 3.4e-4 in theta, 0.09 mV,
3.5e-5 of the event time; levels 0.35 and 0.7 extrapolated 1.0e-4, 4e-3 mV, 6e-7. The values stored
in ``data/`` are extrapolated from finer levels and good to the numbers in ``data/errors.json``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.integrate import BDF, solve_ivp
from scipy.interpolate import CubicSpline
from scipy.sparse.linalg import splu

from . import laws
from .polar_grid import TWO_PI, Grid

Array = NDArray[np.float64]
Law = Callable[[ArrayLike], NDArray[np.inexact]]


@dataclass(frozen=True)
class Problem:
    """One charge (or discharge) of a disk.

    Parameters
    ----------
    radius : float
        R [m].
    flux : float
        Perimeter mean of j [mol/(m2 s)].
    blocked : sequence of (float, float)
        Angular intervals under rock salt [rad], disjoint, each with start < end.
    flux_ratio : float
        Flux (or exchange current) there relative to the bare rim.
    diffusivity, voltage : callable
        D_chem [m2/s] and U [V] of theta.
    exchange_current : callable, optional
        i0 [A/m2] of theta; given, the surface is in Butler-Volmer mode.
    """

    radius: float
    flux: float
    blocked: tuple[tuple[float, float], ...] = ()
    flux_ratio: float = 0.0
    diffusivity: Law = laws.chemical_diffusivity
    voltage: Law = laws.open_circuit_voltage
    exchange_current: Law | None = None
    theta_start: float = laws.THETA_START
    site_density: float = laws.SITE_DENSITY
    temperature: float = laws.TEMPERATURE

    @property
    def coverage(self) -> float:
        """Share of the perimeter under rock salt."""
        return sum(end - start for start, end in self.blocked) / TWO_PI


class _SparseBDF(BDF):
    """scipy's BDF with an ordering for symmetric patterns: half the fill of the default."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)

        def factorise(matrix: Any) -> Any:
            self.nlu += 1
            return splu(
                matrix.tocsc(),
                permc_spec="MMD_AT_PLUS_A",
                diag_pivot_thresh=0.01,
                options={"SymmetricMode": True},
            )

        self.lu = factorise


@dataclass(frozen=True)
class Surface:
    """Rim flux and potential as functions of theta on the rim, with exact derivatives."""

    problem: Problem
    share: Array  # angular width of each cell over the span; sums to 1
    b: Array

    def imposed(self) -> Array:
        """Flux mode: j [mol/(m2 s)] per angle."""
        return np.asarray(self.problem.flux * self.b / (self.share @ self.b))

    def voltage(self, theta: Array) -> float:
        """Electrode potential [V] at the rim values `theta`."""
        if self.problem.exchange_current is None:
            weight = self.share * self.b
            return float(weight @ np.real(self.problem.voltage(theta)) / weight.sum())
        return float(self._potential(theta)[0])

    def _potential(self, theta: Array) -> tuple[float, Array, Array, float]:
        """V and the pieces of mean(j) = X P - Q / X with X = exp(a (V - V0)), a = F/2RT."""
        p = self.problem
        assert p.exchange_current is not None
        a = laws.FARADAY / (2.0 * laws.GAS * p.temperature)
        U = np.real(p.voltage(theta))
        V0 = float(U.mean())
        weight = self.b * np.real(p.exchange_current(theta)) / laws.FARADAY
        forth, back = weight * np.exp(-a * (U - V0)), weight * np.exp(a * (U - V0))
        P, Q = self.share @ forth, self.share @ back
        X = (p.flux + np.sqrt(p.flux**2 + 4.0 * P * Q)) / (2.0 * P)
        return V0 + np.log(X) / a, X * forth, back / X, a

    def reaction(self, theta: Array) -> tuple[Array, Array]:
        """Butler-Volmer mode: j per angle and its dense derivative dj/dtheta."""
        p = self.problem
        assert p.exchange_current is not None
        _, forth, back, a = self._potential(theta)
        h = 1e-30
        shifted = theta + 1j * h
        slope_U = np.imag(p.voltage(shifted)) / h
        i0 = p.exchange_current(shifted)
        slope_i0 = np.imag(i0) / h / np.real(i0)
        j, symmetric = forth - back, forth + back
        local = slope_i0 * j - a * slope_U * symmetric
        by_V = a * symmetric
        V_by_theta = -self.share * local / (self.share @ by_V)
        return j, np.diag(local) + np.outer(by_V, V_by_theta)


@dataclass(frozen=True)
class Solution:
    """Frames of theta at the asked times, and where the run ended.

    `frames` has shape (k, unknowns); rows later than the end of the run are absent.
    """

    problem: Problem
    grid: Grid
    times: Array
    frames: Array
    voltage: Array
    ended_by: str
    t_end: float
    theta_end: Array
    counts: dict[str, int] = field(default_factory=dict)

    def theta(self, k: int, x: ArrayLike, y: ArrayLike) -> Array:
        """theta of frame k at positions x, y [m] (any shape)."""
        r = np.hypot(x, y) / self.problem.radius
        return self.at(self.frames[k])(r, np.arctan2(y, x))

    def at(self, values: Array) -> Callable[[ArrayLike, ArrayLike], Array]:
        """Interpolant (r / R, phi) of one state vector."""
        return self.grid.interpolant(values)

    def mean(self, values: Array) -> float:
        """Mean of theta over the disk."""
        return float(self.grid.volume @ values / self.grid.volume.sum())


def kirchhoff(diffusivity: Law, low: float = -0.02, high: float = 1.02) -> tuple[Any, Any]:
    """Phi(theta) = integral of D, and D itself, as splines (2.6e-4 apart, relative error 1e-9)."""
    points = np.linspace(low, high, 4001)
    D = CubicSpline(points, np.real(diffusivity(points)) * np.ones_like(points))
    return D.antiderivative(), D


def solve(
    problem: Problem,
    times: ArrayLike,
    *,
    level: float = 1.0,
    rtol: float = 1e-8,
    cutoff: float | None = None,
    least: float = 1e-3,
    limits: tuple[float, float] = (0.01, 0.995),
) -> Solution:
    """Integrate from uniform theta_start to the last of `times`, to the cut-off, or to exhaustion.

    Parameters
    ----------
    problem : Problem
        What to solve.
    times : array_like, shape (k,)
        Frame times [s], increasing; those after the end of the run are dropped.
    level : float
        Refinement of the grid.
    rtol : float
        Tolerance of the time integration; atol is a tenth of it.
    cutoff : float, optional
        Potential [V] that ends the run, on charge from below and on discharge from above.
    least : float
        Cell size at the rim and at patch ends, in radii, at level 1.
    limits : (float, float)
        Range of the laws; theta on the rim leaving it ends the run as "surface exhausted".
    """
    grid = Grid.build(problem.blocked, level, least)
    Phi, D = kirchhoff(problem.diffusivity)
    operator = sparse.diags(1.0 / (grid.volume * problem.radius**2)) @ grid.laplacian
    n_phi, n = grid.phi.size, grid.volume.size
    surface = Surface(problem, grid.width / grid.span, np.where(grid.bare, 1.0, problem.flux_ratio))
    out = grid.width / (grid.volume[-n_phi:] * problem.radius * problem.site_density)
    imposed = surface.imposed()
    kinetic = problem.exchange_current is not None

    def rate(t: float, theta: Array) -> Array:
        j = surface.reaction(grid.rim(theta))[0] if kinetic else imposed
        f = operator @ Phi(theta)
        f[-n_phi:] -= out * j
        return np.asarray(f)

    def jacobian(t: float, theta: Array) -> sparse.csc_matrix:
        J = operator @ sparse.diags(D(theta))
        if kinetic:
            block = -out[:, None] * surface.reaction(grid.rim(theta))[1]
            J = J + sparse.block_diag([sparse.csc_matrix((n - n_phi, n - n_phi)), block])
        return sparse.csc_matrix(J)

    def reached(t: float, theta: Array) -> float:
        assert cutoff is not None
        return surface.voltage(grid.rim(theta)) - cutoff

    def exhausted(t: float, theta: Array) -> float:
        rim = grid.rim(theta)
        return float(min(rim.min() - limits[0], limits[1] - rim.max()))

    events: list[Any] = [exhausted] if cutoff is None else [exhausted, reached]
    names = ["surface exhausted", "voltage"][: len(events)]
    for event in events:
        event.terminal = True
    times = np.asarray(times, dtype=float)
    run = solve_ivp(
        rate,
        (0.0, float(times[-1])),
        np.full(n, problem.theta_start),
        method=_SparseBDF,
        t_eval=times,
        events=events,
        jac=jacobian,
        rtol=rtol,
        atol=0.1 * rtol,
        first_step=1e-6,  # the flux switches on at t = 0: theta at the rim starts like sqrt(t)
    )
    if run.status < 0:
        raise RuntimeError(run.message)
    found = zip(run.t_events, run.y_events, names, strict=True)
    hits = [(e[0], y[0], name) for e, y, name in found if e.size]
    frames = np.reshape(np.asarray(run.y).T, (-1, n))  # (0, n) if the run ends before any frame
    t_end, theta_end, ended_by = hits[0] if hits else (times[-1], frames[-1], "time")
    return Solution(
        problem,
        grid,
        np.asarray(run.t, dtype=float),
        frames,
        np.array([surface.voltage(grid.rim(theta)) for theta in frames]),
        ended_by,
        float(t_end),
        theta_end,
        {"factorisations": run.nlu, "residuals": run.nfev},
    )
