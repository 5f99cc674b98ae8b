"""A law: one property as a function of one variable, with unit, valid range and source.

The variable is the stoichiometry theta of a crystal, or the concentration c of an electrolyte.
"""

from __future__ import annotations

import functools
import math
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

FINE: Final = 0.125  # change of ln(law) in a cell: error of a cubic 0.125**4 / 384, below 1e-6
MOST_CELLS: Final = 131_072
KEPT: Final = 16  # curves in memory: 0.1 MB each, 4 MB the largest

NAMES: Final = {
    "U": "open-circuit potential",
    "D": "diffusivity",
    "D_ab": "self-diffusivity in the ab-plane",
    "D_chem": "chemical diffusivity",
    "i0": "exchange current density",
    "K": "electronic conductivity",
    "kappa": "ionic conductivity",
    "D_l": "diffusivity of the salt",
    "t_plus": "transference number of lithium",
    "thermodynamic_factor": "1 + dln f/dln c",
}


@dataclass(frozen=True)
class Argument:
    """The variable of a law.

    Parameters
    ----------
    symbol, unit : str
        As formulas and headings of tables call it, and its SI unit.
    lowest, highest : float
        No law is valid beyond them.
    example : str
        A valid range, for sentences.
    """

    symbol: str
    unit: str
    lowest: float
    highest: float
    example: str

    def shown(self, value: float) -> str:
        """``theta = 0.5`` or ``c = 1000 mol/m3``."""
        return f"{self.symbol} = {value:.4g} {self.unit}".removesuffix(" 1")

    def span(self, lo: float, hi: float) -> str:
        """``theta 0.2 .. 0.99`` or ``c 100 .. 2000 mol/m3``."""
        return f"{self.symbol} {lo:g} .. {hi:g} {self.unit}".removesuffix(" 1")


THETA: Final = Argument("theta", "1", 0.0, 1.0, "[0.2, 0.99]")
CONCENTRATION: Final = Argument("c", "mol/m3", 0.0, 2e4, "[100, 2500]")


class LawError(InputError, ValueError):
    """A law that cannot be used; its mistakes have an empty place, for the caller to fill.

    Being a `ValueError` too, it may be raised inside a pydantic validator.
    """


@dataclass(frozen=True)
class Constant:
    """The function that is `value` everywhere."""

    value: float

    def __call__(self, theta: Any) -> Any:
        return self.value if is_ufl(theta) else np.full(np.shape(theta), self.value)


@dataclass(frozen=True)
class Formula:
    """An `Expression` in one variable times the factor that brings its unit to SI."""

    expression: Expression
    factor: float = 1.0

    def __call__(self, a: Any) -> Any:
        (variable,) = self.expression.variables
        return self.factor * self.expression(**{variable: a})


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
    """One property of a material or an electrolyte as a function of one variable.

    Parameters
    ----------
    symbol : str
        One of `NAMES`.
    unit : str
        The SI unit of what `fn` returns.
    fn : callable
        Of the argument, on arrays (complex ones too, unless it has a method ``derivative``) and,
        for a closed form, on UFL expressions.
    valid : tuple of float
        The range of the argument that the law may be used in.
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
    argument : Argument
        What the law is a function of: `THETA` or `CONCENTRATION`.
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
    argument: Argument = THETA

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
        """Values at the arguments `theta`, in an array of its shape."""
        at = np.asarray(theta, dtype=float)
        with np.errstate(all="ignore"):  # what is not finite is refused where the law is read
            return np.array(np.broadcast_to(np.asarray(self.fn(at), dtype=float), at.shape))

    def derivative(self, theta: ArrayLike) -> Array:
        """Derivatives with respect to the argument, in an array of its shape."""
        at = np.asarray(theta, dtype=float)
        with np.errstate(all="ignore"):
            if hasattr(self.fn, "derivative"):
                slope = self.fn.derivative(at)
            else:
                slope = np.imag(self.fn(at + 1j * STEP)) / STEP
            return np.array(np.broadcast_to(np.asarray(slope, dtype=float), at.shape))

    def curve(self, n: int = CELLS) -> Curve:
        """The law on a uniform grid of `n` cells over its valid range, continued beyond it.

        A positive law that runs over decades gets as many cells as keep its relative error below
        1e-6 (`FINE`); evaluation costs the same for any number.

        The continuation has the same value and slope at the end. It is the tangent; for a positive
        law it levels off over a quarter of the range, within a decade of the value at the end, so
        that neither a trial state of the solver nor ``extrapolate`` meets a negative diffusivity.
        """
        return _curve(self, n)

    def _on_grid(self, n: int) -> Curve:
        """What :meth:`curve` gives, computed."""
        lo, hi = self.valid
        if not self.positive:
            x = np.linspace(lo, hi, n + 1)
            return Curve(x, self.evaluate(x), slope=self.derivative(x))
        n = self._cells(n)
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

    def _cells(self, n: int) -> int:
        """`n` or more cells, in each of which a positive law changes by no more than `FINE`."""
        lo, hi = self.valid
        x = np.linspace(lo, hi, max(n, CELLS) + 1)
        with np.errstate(all="ignore"):
            rate = np.abs(self.derivative(x) / self.evaluate(x))
        steepest = float(rate[np.isfinite(rate)].max(initial=0.0))
        needed = 4 * math.ceil((hi - lo) * steepest / FINE / 4)  # so that lo and hi are nodes
        return max(n, min(needed, MOST_CELLS))

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
            have, need = self.argument.span(*self.valid), f"{lo:g} .. {hi:g}"
            mend = "extend it, or narrow the run by its initial state and end conditions"
            sentence = f"covers {have} only, and {need} is needed; {mend}"
            raise LawError(Mistake("", sentence))

    def check_finite(self, points: int = 513) -> None:
        """Refuse a law with a value or slope that is not a finite number in its valid range.

        Raises
        ------
        LawError
            Naming the first such place.
        """
        theta = np.linspace(*self.valid, points)
        value, slope = self.evaluate(theta), self.derivative(theta)
        bad = ~(np.isfinite(value) & np.isfinite(slope))
        if not bad.any():
            # the complex step makes a large number of an infinite slope, as of sqrt at 0
            width = self.valid[1] - self.valid[0]
            bad = np.abs(slope) * width > STEEPEST * np.abs(value).max()
        if bad.any():
            where = self.argument.shown(theta[bad][0])
            sentence = f"is not finite, or its slope is not, at {where}; {narrow(self)}"
            raise LawError(Mistake("", sentence))


@functools.lru_cache(maxsize=KEPT)
def _curve(law: Law, n: int) -> Curve:
    """The curve of a law, for as many laws as a sweep alternates between."""
    return law._on_grid(n)


def narrow(law: Law) -> str:
    """How to mend a law that misbehaves somewhere in its valid range, for a sentence."""
    lo, hi = law.valid
    return f"mend it, or narrow its range (valid = [{lo:g}, {hi:g}] now)"
