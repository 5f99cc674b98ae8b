"""Least squares in which each look at a point and its neighbours is one batch of evaluations.

The unknowns are shares of their intervals, 0 to 1. What is minimised is the sum of squares of the
residuals (chi squared, where they are in units of their uncertainty), by the trust-region
reflective method of `scipy.optimize.least_squares` with a Jacobian of differences. A difference
over `STEP` of the interval is far above the noise that meshes and time steps leave. On the way it
is one-sided; near the minimum, where its curvature error would mislead, central. At the end
Gauss-Newton steps go on until they are small beside the standard errors.

Branch, Coleman and Li, SIAM J. Sci. Comput. 21 (1999) 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import RunFailure

__all__ = ["MOST", "STEP", "Evaluate", "Minimum", "Trial", "minimise"]

Array = NDArray[np.float64]

Evaluate = Callable[[Sequence[Array]], Sequence[Array | None]]
"""Points to their residuals, all of one length; None where there is no sound result."""

STEP = 0.02
"""Of a difference, as a share of the interval."""
MOST = 40
"""Looks at a new point, each with its neighbours."""
_FAR, _NEAR = (0.1, 1e-2), (1e-3, 1e-3)
"""Relative decrease of the sum, and step as a share of the interval, at which the search goes over
to central differences, and at which it ends."""
SMALL = 0.05
"""A Gauss-Newton step of so many standard errors is no step."""
POLISH = 3


@dataclass(frozen=True)
class Trial:
    """One look at a new point.

    Parameters
    ----------
    number : int
        From 0, the start.
    x : (n,) float array
        Shares of the intervals.
    cost : float
        Sum of squares; infinite where the point has no sound result.
    best : bool
        Whether it was lower than all before.
    """

    number: int
    x: Array
    cost: float
    best: bool


@dataclass(frozen=True)
class Minimum:
    """Where the search ended.

    Parameters
    ----------
    x : (n,) float array
    residuals : (m,) float array
    jacobian : (m, n) float array
        d(residuals)/dx, by central differences where both neighbours lie within the interval.
    trials : tuple of Trial
    converged : bool
    reason : str
        Why it ended, a clause.
    left : (n,) float array
        The Gauss-Newton step that is left, in standard errors.
    """

    x: Array
    residuals: Array
    jacobian: Array
    trials: tuple[Trial, ...]
    converged: bool
    reason: str
    left: Array

    @property
    def cost(self) -> float:
        return float(self.residuals @ self.residuals)


@dataclass
class _Search:
    evaluate: Evaluate
    step: float
    each: Callable[[Trial], None]
    names: Sequence[str]
    known: dict[bytes, Array | None] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)

    def look(self, x: Array, *, both: bool = False) -> Array | None:
        """The residuals at a new point, evaluated together with its neighbours."""
        points = [x]
        for i in range(len(x)):
            forward = self._beside(x, i)
            points.append(forward)
            if both:
                points += self._across(x, i)
        self._need(points)
        found = self.known[x.tobytes()]
        cost = np.inf if found is None else float(found @ found)
        lowest = min((trial.cost for trial in self.trials), default=np.inf)
        trial = Trial(len(self.trials), x, cost, cost < lowest)
        self.trials.append(trial)
        self.each(trial)
        return found

    def jacobian(self, x: Array, *, central: bool = False) -> Array:
        """Differences; across the point where asked, or where its neighbour has no result."""
        here = self.sound(x)
        n = len(x)
        across = [self._across(x, i) for i in range(n)]
        missing = [self.known[self._beside(x, i).tobytes()] is None for i in range(n)]
        self._need([p for i in range(n) if central or missing[i] for p in across[i]])
        columns = []
        for i in range(n):
            forward = self._beside(x, i)
            ends = [p for p in (forward, *across[i]) if self.known.get(p.tobytes()) is not None]
            if not ends:
                raise RunFailure(
                    f"no slope with respect to {self.names[i]} can be had: the cases on both sides"
                    " of the point fail; narrow its interval, or see their causes"
                )
            if len(ends) == 2:
                one, two = (self.sound(p) for p in ends)
                columns.append((one - two) / (ends[0][i] - ends[1][i]))
            else:
                columns.append((self.sound(ends[0]) - here) / (ends[0][i] - x[i]))
        return np.column_stack(columns)

    def _beside(self, x: Array, i: int) -> Array:
        sign = 1.0 if x[i] + self.step <= 1.0 else -1.0
        return _moved(x, i, sign * self.step)

    def _across(self, x: Array, i: int) -> list[Array]:
        """The neighbour on the other side, if it lies within the interval."""
        other = _moved(x, i, x[i] - self._beside(x, i)[i])
        return [other] if 0.0 <= other[i] <= 1.0 else []

    def _need(self, points: Sequence[Array]) -> None:
        new = list({p.tobytes(): p for p in points if p.tobytes() not in self.known}.values())
        if not new:
            return
        for point, found in zip(new, self.evaluate(new), strict=True):
            sound = found is not None and bool(np.isfinite(found).all())
            self.known[point.tobytes()] = found if sound else None

    def sound(self, x: Array) -> Array:
        """What is known of a point that has a result."""
        found = self.known[x.tobytes()]
        assert found is not None
        return found


def _moved(x: Array, i: int, by: float) -> Array:
    moved = x.copy()
    moved[i] += by
    return moved


def minimise(
    evaluate: Evaluate,
    start: Array,
    names: Sequence[str] = (),
    *,
    step: float = STEP,
    most: int = MOST,
    weighted: bool = True,
    each: Callable[[Trial], None] = lambda trial: None,
) -> Minimum:
    """The point of the unit cube at which the sum of squares is smallest.

    Parameters
    ----------
    evaluate : callable
        Sequence of (n,) points to a sequence of (m,) residuals, or None for a point without a
        sound result: the search turns back from it.
    start : (n,) float array
        One on a bound is moved half a `step` off it.
    names : sequence of str
        Of the unknowns, for sentences.
    step : float
        Of a difference.
    most : int
        Looks at a new point at most.
    weighted : bool
        Whether residuals are in units of their uncertainty.
    each : callable
        Called after each look.

    Raises
    ------
    RunFailure
        The start has no sound result, or a point has none on either side.
    """
    # a start on a bound would be moved off it by the method, at the cost of a second look
    start = np.clip(np.asarray(start, dtype=np.float64), 0.5 * step, 1.0 - 0.5 * step)
    search = _Search(evaluate, step, each, names or [f"x[{i}]" for i in range(len(start))])
    first = search.look(start)
    if first is None:
        raise RunFailure("the case to start from has no sound result")

    x, converged, reason = _descend(search, start, first, most, _FAR, central=False)
    if converged:
        x, converged, reason = _descend(search, x, first, most, _NEAR, central=True)
    J, r = search.jacobian(x, central=True), search.sound(x)
    for _ in range(POLISH):
        move, left = _gauss_newton(J, r, x, weighted)
        further = np.clip(x + move, 0.0, 1.0)
        if not converged or np.abs(left).max(initial=0.0) < SMALL or np.array_equal(further, x):
            break
        found = search.look(further, both=True)
        if found is None or found @ found >= r @ r:
            break
        x, r = further, found
        J = search.jacobian(x, central=True)
    _, left = _gauss_newton(J, r, x, weighted)
    return Minimum(x, r, J, tuple(search.trials), converged, reason, left)


def _descend(
    search: _Search, start: Array, first: Array, most: int, tolerances: tuple[float, float], *,
    central: bool,
) -> tuple[Array, bool, str]:  # fmt: skip
    """One search: where it ended, whether it converged, and why it ended."""
    from scipy.optimize import least_squares

    def residuals(x: Array) -> Array:
        if x.tobytes() not in search.known:
            search.look(x, both=central)
        found = search.known[x.tobytes()]
        return np.full(len(first), np.inf) if found is None else found

    left = most - len(search.trials) + 1
    if left < 2:
        return start, False, _REASONS[0]
    ftol, xtol = tolerances
    ended = least_squares(
        residuals, start, lambda x: search.jacobian(x, central=central), bounds=(0.0, 1.0),
        method="trf", x_scale="jac", ftol=ftol, xtol=xtol, gtol=1e-12, max_nfev=left,
    )  # fmt: skip
    return ended.x, ended.status > 0, _REASONS[ended.status]


_REASONS = {
    -1: "the method refused its input",
    0: "the most evaluations that were allowed have been made",
    1: "the slope of the sum of squares vanishes",
    2: "the sum of squares falls no further",
    3: "the steps have become small",
    4: "the sum of squares falls no further and the steps have become small",
}


def _gauss_newton(J: Array, r: Array, x: Array, weighted: bool) -> tuple[Array, Array]:
    """The step to the minimum of the linearised sum, keys at a bound held; in errors, too."""
    move = np.zeros(len(x))
    slope = J.T @ r
    free = ~(((x <= 1e-3) & (slope > 0.0)) | ((x >= 1.0 - 1e-3) & (slope < 0.0)))
    if not free.any():
        return move, np.zeros(len(x))
    own = J[:, free]
    U, s, Vt = np.linalg.svd(own, full_matrices=False)
    sound = s > 1e-8 * s[0] if s[0] > 0.0 else np.zeros(len(s), bool)
    if not sound.any():
        return move, np.zeros(len(x))
    inner = Vt[sound].T / s[sound]
    move[free] = -inner @ (U[:, sound].T @ r)
    dof = len(r) - len(x)
    factor = 1.0 if weighted or dof <= 0 else np.sqrt(r @ r / dof)
    errors = np.full(len(x), np.inf)
    errors[free] = factor * np.linalg.norm(inner, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(move == 0.0, 0.0, move / errors)
    return move, np.nan_to_num(left, nan=0.0, posinf=0.0, neginf=0.0)
