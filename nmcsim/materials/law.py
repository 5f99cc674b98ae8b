"""A law: one property of a material as a function of stoichiometry, with unit, range and source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmcsim.curve import CELLS, Curve
from nmcsim.errors import InputError, Mistake
from nmcsim.expression import Expression, is_ufl

Array = NDArray[np.float64]

STEP: Final = 1e-30  # of the complex-step derivative: nothing is subtracted
MARGIN: Final = 0.25  # width of the continuation of a positive law, as a share of its range
STEEPEST: Final = 1e6  # slope times range over value: no law is as steep, a pole is
DECADES: Final = 1.0  # how far that continuation may depart from the value at the end

NAMES: Final = {
    "U": "open-circuit potential",
    "D": "diffusivity",
    "D_ab": "self-diffusivity in the ab-plane",
    "D_chem": "chemical diffusivity",
    "i0": "exchange current density",
}


class LawError(InputError, ValueError):
    """A law that cannot be used; its mistakes have an empty place, for the caller to fill.

    Being a `ValueError` too, it may be raised inside a pydantic validator.
    """


@dataclass(frozen=True)
class Constant:
    """The function of theta that is `value` everywhere."""

    value: float

    def __call__(self, theta: Any) -> Any:
        return self.value if is_ufl(theta) else np.full(np.shape(theta), self.value)


@dataclass(frozen=True)
class Formula:
    """An `Expression` in theta times the factor that brings its unit to SI."""

    expression: Expression
    factor: float = 1.0

    def __call__(self, theta: Any) -> Any:
        return self.factor * self.expression(theta=theta)


@dataclass(frozen=True, eq=False)
class Tabulated:
    """Monotone interpolation of measured points; in the logarithm where `logarithmic`.

    A positive quantity that runs over decades stays positive between its points, and nearly
    exponential where its points are, if its logarithm is what is interpolated.
    """

    curve: Curve
    logarithmic: bool = False

    def __call__(self, theta: Any) -> Any:
        value = self.curve(theta)
        return np.exp(value) if self.logarithmic else value

    def derivative(self, theta: Any) -> Any:
        """The derivative with respect to theta; continuous."""
        value, slope = self.curve.both(theta)
        return np.exp(value) * slope if self.logarithmic else slope


@dataclass(frozen=True, kw_only=True)
class Law:
    """One property of a material as a function of the stoichiometry theta.

    Parameters
    ----------
    symbol : str
        ``"U"``, ``"D_ab"``, ``"D_chem"`` or ``"i0"``.
    unit : str
        The SI unit of what `fn` returns.
    fn : callable
        Of theta, on arrays (complex ones too, unless it has a method ``derivative``) and, for a
        closed form, on UFL expressions.
    valid : tuple of float
        The range of theta that the law may be used in.
    source : str
        Where it comes from.
    choice : bool
        True where it is our choice and not a measurement.
    kind : str
        Of a diffusivity: ``"self"`` (the D_ab of the chemical-potential form) or ``"chemical"``.
    text : str
        The law in a line: its formula, constant or file.
    note : str
        What to know before using it.
    positive : bool
        A quantity that is positive by its nature: its curve stays so beyond the valid range.
    path : Path, optional
        The file that it was read from.
    """

    symbol: str
    unit: str
    fn: Callable[[Any], Any]
    valid: tuple[float, float] = (0.0, 1.0)
    source: str = ""
    choice: bool = False
    kind: str = ""
    text: str = ""
    note: str = ""
    positive: bool = False
    path: Path | None = None

    def __call__(self, theta: Any) -> Any:
        """The law of numbers, arrays or a UFL expression; the last for closed forms only.

        Raises
        ------
        LawError
            A UFL argument for a tabulated law.
        """
        if is_ufl(theta) and not self.closed_form:
            sentence = 'is a table, which has no closed form; write numerics.laws = "nodal"'
            raise LawError(Mistake("", sentence))
        return self.fn(theta)

    @property
    def closed_form(self) -> bool:
        """Whether the law can stand inside a UFL form."""
        return getattr(self.fn, "closed_form", not isinstance(self.fn, Tabulated))

    def evaluate(self, theta: ArrayLike) -> Array:
        """Values at the stoichiometries `theta`, in an array of its shape."""
        at = np.asarray(theta, dtype=float)
        with np.errstate(all="ignore"):  # what is not finite is refused where the law is read
            return np.array(np.broadcast_to(np.asarray(self.fn(at), dtype=float), at.shape))

    def derivative(self, theta: ArrayLike) -> Array:
        """Derivatives with respect to theta, in an array of its shape."""
        at = np.asarray(theta, dtype=float)
        with np.errstate(all="ignore"):
            if hasattr(self.fn, "derivative"):
                slope = self.fn.derivative(at)
            else:
                slope = np.imag(self.fn(at + 1j * STEP)) / STEP
            return np.array(np.broadcast_to(np.asarray(slope, dtype=float), at.shape))

    def curve(self, n: int = CELLS) -> Curve:
        """The law on a uniform grid of `n` cells over its valid range, continued beyond it.

        The continuation has the same value and slope at the end. It is the tangent; for a positive
        law it levels off over a quarter of the range, within a decade of the value at the end, so
        that neither a trial state of the solver nor ``extrapolate`` meets a negative diffusivity.
        """
        lo, hi = self.valid
        if not self.positive:
            x = np.linspace(lo, hi, n + 1)
            return Curve(x, self.evaluate(x), slope=self.derivative(x))
        margin = MARGIN * (hi - lo)
        x = np.linspace(lo - margin, hi + margin, n + 1 + round(2 * MARGIN * n))
        inside = np.clip(x, lo, hi)
        value, slope = self.evaluate(inside), self.derivative(inside)
        # beyond: f(end) exp(L z / (1 + |z|)), z = (f'/f) g(d) / L, L a decade, d the distance, and
        # g(d) = d - d**2 / m + d**3 / (3 m**2), whose slope falls from 1 at d = 0 to 0 at d = m
        rate = np.divide(slope, value, out=np.zeros_like(value), where=value > 0)
        bound = DECADES * np.log(10.0)
        share = np.abs(x - inside) / margin
        z = rate * (x - inside) * (1 - share + share**2 / 3) / bound
        value = value * np.exp(bound * z / (1 + np.abs(z)))
        levelled = value * rate * (1 - share) ** 2 / (1 + np.abs(z)) ** 2
        return Curve(x, value, slope=np.where(share == 0, slope, levelled))

    def with_(self, **changes: Any) -> Law:
        """A copy with other fields."""
        return replace(self, **changes)

    def check_covers(self, lo: float, hi: float) -> None:
        """Refuse a law whose valid range does not contain ``lo .. hi``.

        Raises
        ------
        LawError
            With both ranges.
        """
        if self.valid[0] > lo + 1e-12 or self.valid[1] < hi - 1e-12:
            have, need = (f"{a:g} .. {b:g}" for a, b in (self.valid, (lo, hi)))
            mend = "extend it, or narrow the run by its initial state and end conditions"
            sentence = f"covers theta {have} only, and {need} is needed; {mend}"
            raise LawError(Mistake("", sentence))

    def check_finite(self, points: int = 513) -> None:
        """Refuse a law with a value or slope that is not a finite number in its valid range.

        Raises
        ------
        LawError
            Naming the first such stoichiometry.
        """
        theta = np.linspace(*self.valid, points)
        value, slope = self.evaluate(theta), self.derivative(theta)
        bad = ~(np.isfinite(value) & np.isfinite(slope))
        if not bad.any():
            # the complex step makes a large number of an infinite slope, as of sqrt at 0
            width = self.valid[1] - self.valid[0]
            bad = np.abs(slope) * width > STEEPEST * np.abs(value).max()
        if bad.any():
            where = f"{theta[bad][0]:.4g}"
            sentence = f"is not finite, or its slope is not, at theta = {where}; {narrow(self)}"
            raise LawError(Mistake("", sentence))


def narrow(law: Law) -> str:
    """How to mend a law that misbehaves somewhere in its valid range, for a sentence."""
    lo, hi = law.valid
    return f"mend it, or narrow its range (valid = [{lo:g}, {hi:g}] now)"
