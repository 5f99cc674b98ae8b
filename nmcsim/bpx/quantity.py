"""What stands for one property in a BPX file: a number, a formula in x, or a table of x and y."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.expression import Expression

Array = NDArray[np.float64]

SAMPLES: Final = 401  # of a formula that is added to a table
FEW: Final = 33  # points put on the lines between those of a table that has too few
FEWEST: Final = 4  # points that a table of nmcsim needs


@dataclass(frozen=True)
class Quantity:
    """One property as a function of `variable`; exactly one of the three kinds.

    Parameters
    ----------
    variable : str
        ``"theta"`` of a particle, ``"c"`` [mol/m3] of the electrolyte.
    number : float, optional
        A constant.
    text : str, optional
        A formula in the variable.
    x, y : tuple of float, optional
        A table, x rising; BPX joins its points by straight lines.
    """

    variable: str
    number: float | None = None
    text: str | None = None
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    @property
    def kind(self) -> str:
        """``"constant"``, ``"formula"`` or ``"table"``, as reports call it."""
        if self.number is not None:
            return "constant"
        return "formula" if self.text is not None else f"table of {len(self.x)} points"

    def __call__(self, at: ArrayLike) -> Array:
        """Values at the arguments `at`, as BPX means them: tables are linear."""
        x = np.asarray(at, dtype=float)
        if self.number is not None:
            return np.full(x.shape, self.number)
        if self.text is not None:
            with np.errstate(all="ignore"):
                found = Expression(self.text, (self.variable,))(**{self.variable: x})
            return np.array(np.broadcast_to(np.asarray(found, dtype=float), x.shape))
        return np.asarray(np.interp(x, self.x, self.y))

    def times(self, factor: float) -> Quantity:
        """The product with a number."""
        if factor == 1.0:
            return self
        if self.number is not None:
            return Quantity(self.variable, number=factor * self.number)
        if self.text is not None:
            return Quantity(self.variable, text=f"{factor!r}*({self.text})")
        return Quantity(self.variable, x=self.x, y=tuple(factor * y for y in self.y))

    def plus(self, other: Quantity, lo: float, hi: float) -> Quantity:
        """The sum; a table on ``lo .. hi`` if one of the two is one."""
        if other.number == 0.0:
            return self
        if self.x or other.x:
            own = np.array(self.x if self.x else other.x)
            fine = () if self.x else np.linspace(lo, hi, SAMPLES)
            x = np.unique(np.concatenate([own, fine]))
            x = x if self.x else x[(x >= lo) & (x <= hi)]
            y = self(x) + other(x)
            return Quantity(self.variable, x=tuple(x.tolist()), y=tuple(y.tolist()))
        added = f"{other.number!r}" if other.text is None else f"({other.text})"
        own_text = f"{self.number!r}" if self.text is None else self.text
        return Quantity(self.variable, text=f"{own_text} + {added}")

    def between(self, lo: float, hi: float) -> Quantity:
        """A table without what lies outside ``lo .. hi``, with FEWEST points or more."""
        if not self.x:
            return self
        x = np.array(self.x)
        x = x[(x >= lo) & (x <= hi)]
        if len(x) < FEWEST and len(x) > 1:
            x = np.unique(np.concatenate([x, np.linspace(x[0], x[-1], FEW)]))
        return Quantity(self.variable, x=tuple(x.tolist()), y=tuple(self(x).tolist()))


def read_quantity(value: Any, variable: str, place: str) -> Quantity:
    """What ``bpx`` made of a field that may be a number, a formula or a table.

    Raises
    ------
    InputError
        A formula that nmcsim cannot read, a table whose x repeats or with one point.
    """
    if hasattr(value, "x") and hasattr(value, "y"):
        return _table(value.x, value.y, variable, place)
    if not isinstance(value, str):
        return Quantity(variable, number=float(value))
    # the variable, not the x of exp
    text = re.sub(r"(?<![A-Za-z_])x(?![A-Za-z_0-9])", variable, " ".join(value.split()))
    try:
        expression = Expression(text, (variable,))
    except InputError as error:
        raise InputError(
            Mistake(place, f"cannot be used: {m.message}", m.text, m.column) for m in error.mistakes
        ) from None
    if not expression.names:
        return Quantity(variable, number=float(expression(**{variable: 0.0})))
    return Quantity(variable, text=text)


def _table(x: Sequence[float], y: Sequence[float], variable: str, place: str) -> Quantity:
    if len(x) < 2:
        raise InputError(Mistake(place, f"is a table of {len(x)} points; write two or more"))
    order = np.argsort(x, kind="stable")
    rising, values = np.array(x)[order], np.array(y)[order]
    again = np.diff(rising) == 0
    if again.any():
        at = rising[int(np.argmax(again))]
        raise InputError(Mistake(place, f"has the point x = {at:g} twice; remove one"))
    return Quantity(variable, x=tuple(rising.tolist()), y=tuple(values.tolist()))


def part_around(good: NDArray[np.bool_], first: int, last: int) -> tuple[int, int]:
    """The longest run of `good` entries that contains those from `first` to `last`."""
    bad = np.flatnonzero(~good)
    lo = int(bad[bad < first].max(initial=-1)) + 1
    hi = int(bad[bad > last].min(initial=len(good))) - 1
    return lo, hi
