"""Exponential fits with confidence intervals, and what they foresee.

    saturation   p(n) = p_inf - (p_inf - p_0) exp(-n / n_c)
    growth       p(n) = p_0 exp(n / n_c)
    decay        p(n) = p_0 exp(-n / n_c)

Cadiou et al. fit the porosity of particles over cycles by an exponential (Fig. 3).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmcsim.errors import InputError, Mistake

__all__ = ["FORMS", "ExponentialFit", "Fitted", "fit_exponential"]

Array = NDArray[np.float64]

FORMS: Mapping[str, tuple[str, ...]] = {
    "saturation": ("p_0", "p_inf", "n_c"),
    "growth": ("p_0", "n_c"),
    "decay": ("p_0", "n_c"),
}
"""Parameters of each form."""


@dataclass(frozen=True)
class Fitted:
    """One parameter.

    Parameters
    ----------
    value, error : float
        Best value and one standard deviation, from the covariance.
    low, high : float
        Ends of the 95 % interval: where chi-squared has risen enough, if that was found, else
        1.96 errors to either side.
    """

    value: float
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class ExponentialFit:
    """A fit.

    Parameters
    ----------
    form : str
        One of `FORMS`.
    parameters : mapping of str to Fitted
    interval : str
        "profile" or "covariance": how the intervals were found.
    scatter : float
        Standard deviation of the residuals, in the unit of the values.
    """

    form: str
    parameters: Mapping[str, Fitted]
    interval: str
    scatter: float
    _covariance: Array = field(repr=False)

    def __call__(self, n: ArrayLike) -> Array:
        """The curve at ``n``."""
        return _curve(self.form, np.asarray(n, dtype=np.float64), self._values)

    def predict(self, n: float) -> tuple[float, float]:
        """The curve at ``n`` and its standard deviation, from the covariance of the parameters."""
        value, band = self.band([n])
        return float(value[0]), float(band[0])

    def band(self, n: ArrayLike) -> tuple[Array, Array]:
        """The curve at several places, and its standard deviation there."""
        at = np.asarray(n, dtype=np.float64)
        p = self._values
        slopes = []
        for k in range(len(p)):
            step = np.zeros(len(p))
            step[k] = 1e-6 * max(abs(p[k]), 1e-9)
            difference = _curve(self.form, at, p + step) - _curve(self.form, at, p - step)
            slopes.append(difference / (2.0 * step[k]))
        G = np.array(slopes)
        variance = np.einsum("in,ij,jn->n", G, self._covariance, G)
        return _curve(self.form, at, p), np.sqrt(np.maximum(variance, 0.0))

    @property
    def _values(self) -> Array:
        return np.array([p.value for p in self.parameters.values()])


def _curve(form: str, n: Array, p: ArrayLike) -> Array:
    values = np.asarray(p, dtype=np.float64)
    if form == "saturation":
        p_0, p_inf, n_c = values
        return np.asarray(p_inf - (p_inf - p_0) * np.exp(-n / n_c))
    p_0, n_c = values
    return np.asarray(p_0 * np.exp((n if form == "growth" else -n) / n_c))


def fit_exponential(
    n: ArrayLike, values: ArrayLike, errors: ArrayLike | None = None, form: str = "saturation"
) -> ExponentialFit:
    """Fit an exponential by least squares.

    Parameters
    ----------
    n : (k,) array
        Such as cycle numbers.
    values : (k,) array
    errors : (k,) array, optional
        One standard deviation each; without them all count alike, and their size is that of the
        residuals.
    form : str
        One of `FORMS`.

    Raises
    ------
    InputError
        Too few different places for the number of parameters, values that no exponential of this
        form describes.
    """
    import lmfit

    x, y = (np.asarray(v, dtype=np.float64) for v in (n, values))
    if form not in FORMS:
        raise InputError(Mistake(f'form = "{form}"', f"is none; there are {', '.join(FORMS)}"))
    needed = len(FORMS[form]) + 1
    if np.unique(x).size < needed:
        raise InputError(
            Mistake(
                "exponential fit",
                f"({form}) needs at least {needed} different cycles, there are {np.unique(x).size}",
            )
        )
    weights = None if errors is None else 1.0 / np.asarray(errors, dtype=np.float64)
    span = float(np.ptp(x))
    first, last = float(y[x.argmin()]), float(y[x.argmax()])
    parameters = lmfit.Parameters()
    parameters.add("p_0", value=first or 1e-6)
    if form == "saturation":
        parameters.add("p_inf", value=last + 0.2 * (last - first))
    parameters.add("n_c", value=0.5 * span, min=1e-3 * span, max=1e4 * span)

    def residual(p: Any) -> Array:
        found = _curve(form, x, [p[name].value for name in FORMS[form]]) - y
        return found if weights is None else found * weights

    scaled = errors is None
    fitter = lmfit.Minimizer(residual, parameters, scale_covar=scaled)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of lmfit, where a covariance cannot be had
        best = fitter.minimize(method="leastsq")
        covariance = getattr(best, "covar", None)
        n_c = best.params["n_c"].value
        wrong = covariance is None or not np.isfinite(covariance).all() or n_c > 1e3 * span
        if wrong:
            raise InputError(
                Mistake(
                    "exponential fit",
                    f"({form}) is not determined by these values: they lie on a straight line, are"
                    " constant, or bend the other way; measure later cycles or try another form of"
                    f" {', '.join(FORMS)}",
                )
            )
        intervals = _profile(fitter, best, known=not scaled)
    fitted = {}
    for name in FORMS[form]:
        value, error = float(best.params[name].value), float(best.params[name].stderr)
        low, high = intervals.get(name, (value - 1.96 * error, value + 1.96 * error))
        fitted[name] = Fitted(value, error, low, high)
    rest = _curve(form, x, [f.value for f in fitted.values()]) - y
    scatter = float(np.sqrt(rest @ rest / max(len(x) - len(fitted), 1)))
    how = "profile" if intervals else "covariance"
    return ExponentialFit(form, fitted, how, scatter, np.asarray(covariance))


def _profile(fitter: Any, best: Any, known: bool) -> dict[str, tuple[float, float]]:
    """95 % intervals by the rise of chi-squared; empty where one of them has no end.

    Where the errors of the values are `known`, the rise itself has a chi-squared distribution;
    else its ratio to chi-squared has that of F, which is what lmfit assumes.
    """
    import lmfit
    from scipy.stats import chi2

    def rise(best: Any, other: Any) -> float:
        return float(chi2.cdf(other.chisqr - best.chisqr, best.nvarys - other.nvarys))

    try:
        found = lmfit.conf_interval(
            fitter, best, sigmas=[0.95], maxiter=200, prob_func=rise if known else None
        )
    except Exception:  # lmfit raises several kinds where a profile has no end
        return {}
    ends = {name: (float(row[0][1]), float(row[-1][1])) for name, row in found.items()}
    return ends if all(np.isfinite(pair).all() for pair in ends.values()) else {}
