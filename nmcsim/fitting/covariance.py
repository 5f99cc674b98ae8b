"""How well the data know the keys: standard errors, correlations, and what they do not tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Knowledge", "knowledge", "misfit", "warnings_of"]

Array = NDArray[np.float64]

WIDE = 0.5
"""A standard error of this share of the interval or more is no knowledge of the key."""
ALIKE, NEARLY = 0.99, 0.95
"""Correlations from which two keys cannot, or can hardly, be told apart."""
AT_BOUND = 5e-3
"""Share of the interval within which a value is at its end."""
PART = 0.3
"""Share of a direction from which a key is named among those that make it."""
ZERO = 1e-8
"""Singular values below this share of the largest are zero."""
POOR = 2.0
"""Reduced chi squared from which the model is said not to describe the data."""
CLOSE, FEW = 0.2, 10
"""Reduced chi squared below which uncertainties are no scatter, where so many degrees of freedom
are left: by chance it happens less than once in two hundred times.
"""


@dataclass(frozen=True)
class Knowledge:
    """What a Jacobian says of its unknowns.

    Parameters
    ----------
    errors : (n,) float array
        Standard errors, as shares of the intervals; infinite where the data say nothing.
    correlation : (n, n) float array
        NaN in the rows of unknowns whose error is infinite.
    singular : (n,) float array
        Singular values of the Jacobian, divided by `factor`: how many standard deviations the data
        would move along a direction over the whole interval.
    directions : (n, n) float array
        The directions, in rows.
    single : (n,) float array
        The same for each key alone.
    factor : float
        What the errors are multiplied by: 1 where the data have uncertainties, else the root of
        the reduced sum of squares.
    """

    errors: Array
    correlation: Array
    singular: Array
    directions: Array
    single: Array
    factor: float


def knowledge(jacobian: Array, residuals: Array, *, weighted: bool) -> Knowledge:
    """Covariance (J^T J)^-1 by singular values, in units of the interval.

    Parameters
    ----------
    jacobian : (m, n) float array
        Of residuals to shares of the intervals.
    residuals : (m,) float array
    weighted : bool
        Whether the residuals are in units of their uncertainty. If not, the covariance is
        multiplied by the reduced sum of squares; without degrees of freedom it is unknown.
    """
    m, n = jacobian.shape
    _, s, directions = np.linalg.svd(jacobian, full_matrices=m < n)
    s = np.concatenate([s, np.zeros(n - len(s))])
    dof = m - n
    factor = 1.0
    if not weighted:
        factor = float(np.sqrt(residuals @ residuals / dof)) if dof > 0 else np.nan
    known = s > ZERO * s[0] if s[0] > 0.0 else np.zeros(n, bool)
    inner = directions[known].T / s[known]
    covariance = factor**2 * inner @ inner.T
    errors = np.sqrt(np.diag(covariance))
    lost = (np.abs(directions[~known]) > 1e-6).any(axis=0)
    errors = np.where(lost, np.inf, errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = covariance / np.outer(errors, errors)
    correlation[lost, :] = np.nan
    correlation[:, lost] = np.nan
    np.fill_diagonal(correlation, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        singular, single = s / factor, np.linalg.norm(jacobian, axis=0) / factor
    return Knowledge(errors, correlation, singular, directions, single, factor)


def warnings_of(
    found: Knowledge, names: Sequence[str], x: Array, slope: Array, ends: Sequence[tuple[str, str]]
) -> list[str]:
    """What a user must know before a value is quoted, one sentence each.

    Parameters
    ----------
    found : Knowledge
    names : sequence of str
        The keys.
    x : (n,) float array
        Where the search ended, as shares of the intervals.
    slope : (n,) float array
        Of the sum of squares there.
    ends : sequence of (str, str)
        Both ends of each interval, for people.
    """
    said = list(_at_bounds(names, x, slope, ends))
    silent = [i for i in range(len(names)) if found.single[i] * WIDE < 1.0]
    for i in silent:
        said.append(
            f"the data do not tell {names[i]}: over its whole interval they would change by"
            f" {found.single[i]:.2g} of their uncertainty; fix it, or measure what depends on it"
        )
    paired: set[int] = set(silent)
    for i, j in combinations(range(len(names)), 2):
        r = found.correlation[i, j]
        if i in silent or j in silent or not abs(r) >= NEARLY:
            continue
        paired |= {i, j}
        how = "do not tell" if abs(r) >= ALIKE else "hardly tell"
        said.append(
            f"the data {how} {names[i]} from {names[j]}: correlation {r:.3f}; fix one of them, or"
            " add a measurement on which they act differently"
        )
    for s, direction in zip(found.singular, found.directions, strict=True):
        parts = [i for i in range(len(names)) if abs(direction[i]) >= PART]
        if s * WIDE < 1.0 and not set(parts) <= paired:
            paired |= set(parts)
            said.append(_lost([names[i] for i in parts], s))
    return said


def _lost(names: Sequence[str], change: float) -> str:
    """A combination that the data do not fix although no pair of keys is to blame."""
    if change < 0.01:
        how = "along one combination of them they do not change at all"
    else:
        how = f"along one combination they would change by {change:.2g} of their uncertainty"
    if len(names) == 2:
        return f"the data do not tell {names[0]} from {names[1]}: {how}; fix one of them"
    return f"the data do not tell {', '.join(names[:-1])} and {names[-1]} apart: {how}; fix one"


def _at_bounds(
    names: Sequence[str], x: Array, slope: Array, ends: Sequence[tuple[str, str]]
) -> Iterator[str]:
    for name, share, pull, (low, high) in zip(names, x, slope, ends, strict=True):
        lower, upper = share <= AT_BOUND and pull > 0.0, share >= 1.0 - AT_BOUND and pull < 0.0
        if lower or upper:
            yield (
                f"{name} ends at its {f'lower bound {low}' if lower else f'upper bound {high}'}:"
                " the data ask for a value beyond it; its standard error does not say how far"
            )


def misfit(chi2: float, dof: int) -> list[str]:
    """Said of data whose uncertainties do not explain how far the model is from them."""
    if dof >= FEW and chi2 / dof < CLOSE:
        return [
            f"the model meets the data more closely than their uncertainty allows: reduced chi2 is"
            f" {chi2 / dof:.3g}; the errors are overstated or go together from point to point, and"
            " the standard errors here are not those of repeated measurements"
        ]
    if dof <= 0 or chi2 / dof < max(POOR, 1.0 + 4.0 * np.sqrt(2.0 / dof)):
        return []
    factor = np.sqrt(chi2 / dof)
    return [
        f"the model does not meet the data within their uncertainty: reduced chi2 is"
        f" {chi2 / dof:.3g}; the standard errors do not cover that, {factor:.2g} times as large"
        " ones would"
    ]
