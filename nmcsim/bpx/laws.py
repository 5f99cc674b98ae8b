"""Properties of a BPX file as laws of a case: their range, their text or table, their source."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nmcsim.bpx.quantity import Quantity, part_around
from nmcsim.constants import R
from nmcsim.curve import Curve
from nmcsim.errors import InputError, Mistake

SALT: Final = (100.0, 2500.0)
"""Range of a formula in the concentration [mol/m3], as everywhere in nmcsim."""
GRID: Final = 481


@dataclass(frozen=True)
class Written:
    """A law as a case file says it.

    Parameters
    ----------
    spec : mapping
        Value of the key, such as ``material.U``.
    csv : str
        Content of its table; empty without one.
    said : str
        The law in a few words, with its values and their unit.
    remark : str
        What differs from BPX; may be empty.
    """

    spec: dict[str, Any]
    csv: str
    said: str
    remark: str


def arrhenius(energy: float | None, T: float, reference: float) -> float:
    """exp(E/R (1/T_ref - 1/T)), by which BPX multiplies rates, diffusivities and conductivities.

    Parameters
    ----------
    energy : float or None
        Activation energy [J/mol]; None is 0.
    T, reference : float
        Temperature, and that for which the file states values [K].
    """
    return math.exp((energy or 0.0) / R * (1.0 / reference - 1.0 / T))


def falling(U: Quantity, lo: float, hi: float, place: str) -> tuple[Quantity, tuple[float, float]]:
    """An OCP and the range in which it falls: that of its table, or ``lo .. hi`` of a formula.

    Raises
    ------
    InputError
        It does not fall somewhere between the limits ``lo .. hi``.
    """
    if not U.x:
        return U, (lo, hi)
    U = U.between(0.0, 1.0)
    x, y = np.array(U.x), np.array(U.y)
    _check_overlap(x, lo, hi, place)
    good = np.diff(y) < 0  # of segments
    first = max(int(np.searchsorted(x, lo, "right")) - 1, 0)
    last = min(int(np.searchsorted(x, hi, "left")), len(x) - 1) - 1
    if not good[first : last + 1].all():
        i = first + int(np.argmin(good[first : last + 1]))
        message = (
            f"does not fall between theta = {x[i]:g} ({y[i]:.6g} V) and {x[i + 1]:g}"
            f" ({y[i + 1]:.6g} V), which makes diffusion ill-posed; smooth the table, or leave"
            " that part out with --range LO:HI"
        )
        raise InputError(Mistake(place, message))
    i, j = part_around(good, first, last)
    return U.between(x[i], x[j + 1]), (float(x[i]), float(x[j + 1]))


def positive(
    law: Quantity, lo: float, hi: float, unit: str, place: str
) -> tuple[Quantity, tuple[float, float]]:
    """A diffusivity of theta and the range in which it is positive, as `falling`.

    Raises
    ------
    InputError
        It is zero, negative or no number somewhere between the limits ``lo .. hi``.
    """
    if law.x:
        law = law.between(0.0, 1.0)
        x = np.array(law.x)
        _check_overlap(x, lo, hi, place)
    else:
        x = np.linspace(lo, hi, GRID)
    y = law(x)
    with np.errstate(all="ignore"):
        good = np.isfinite(y) & (y > 0)
    first = max(int(np.searchsorted(x, lo, "right")) - 1, 0)
    last = min(int(np.searchsorted(x, hi, "left")), len(x) - 1)
    if not good[first : last + 1].all():
        i = first + int(np.argmin(good[first : last + 1]))
        message = f"is {y[i]:.4g} {unit} at theta = {x[i]:.4g}; it must be positive"
        raise InputError(Mistake(place, message))
    if not law.x:
        return law, (lo, hi)
    i, j = part_around(good, first, last)
    return law.between(x[i], x[j]), (float(x[i]), float(x[j]))


def of_salt(law: Quantity, c: float, unit: str, place: str) -> tuple[Quantity, tuple[float, float]]:
    """A law of the electrolyte and the range about the concentration `c` where it is positive.

    Raises
    ------
    InputError
        It is zero, negative or no number at `c` [mol/m3].
    """
    if law.x:
        x = np.array(law.x)
        _check_overlap(x, c, c, place, "c", " mol/m3")
    else:
        x = np.linspace(min(SALT[0], 0.5 * c), max(SALT[1], 1.5 * c), GRID)
    y = law(x)
    with np.errstate(all="ignore"):
        good = np.isfinite(y) & (y > 0)
    i = min(max(int(np.searchsorted(x, c, "right")) - 1, 0), len(x) - 1)
    if not (float(law(c)) > 0 and good[i]):
        message = f"is {float(law(c)):.4g} {unit} at c = {c:g} mol/m3; it must be positive"
        raise InputError(Mistake(place, message))
    lo, hi = part_around(good, i, i)
    return law.between(x[lo], x[hi]), (float(x[lo]), float(x[hi]))


def _check_overlap(
    x: Any, lo: float, hi: float, place: str, symbol: str = "theta", unit: str = ""
) -> None:
    # a law of one point is none, whatever the limits
    if len(x) < 2 or x[0] > hi or x[-1] < lo:
        span = f"{x[0]:g} .. {x[-1]:g}{unit}" if len(x) else "nothing between 0 and 1"
        wanted = f"{lo:g} .. {hi:g}" if lo < hi else f"{lo:g}"
        message = f"is a table of {symbol} {span}, and {wanted}{unit} is needed"
        raise InputError(Mistake(place, message))


def write_law(
    law: Quantity, unit: str, valid: tuple[float, float], file: str, heading: str, source: str
) -> Written:
    """A law as the value of a key of a case file.

    Parameters
    ----------
    law : Quantity
        In the SI unit `unit`.
    valid : tuple of float
        Where it may be used.
    file, heading : str
        Name of its CSV file and the name of its column, if it is a table.
    source : str
        Where it comes from.
    """
    ends = law(np.array(valid))
    sense = f"{law.variable} {valid[0]:g} .. {valid[1]:g}" + " mol/m3" * (law.variable == "c")
    if law.number is not None:
        spec: dict[str, Any] = {"constant": f"{law.number:.12g} {unit}", "source": source}
        return Written(spec, "", f"constant, {law.number:.6g} {unit}", "")
    said = f"{law.kind}, {ends[0]:.6g} .. {ends[1]:.6g} {unit} over {sense}"
    if law.text is not None:
        spec = {"expression": law.text, "unit": unit, "valid": list(valid), "source": source}
        return Written(spec, "", said, "")
    x_heading = law.variable + " [mol/m3]" * (law.variable == "c")
    rows = [f"{x_heading}, {heading} [{unit}]"]
    rows += [f"{x!r}, {y!r}" for x, y in zip(law.x, law.y, strict=True)]
    spec = {"table": file, "x": law.variable, "unit": unit, "source": source}
    return Written(spec, "\n".join(rows) + "\n", said, _between_points(law, unit))


def _between_points(law: Quantity, unit: str) -> str:
    """How far nmcsim's smooth interpolation departs from BPX's straight lines."""
    x, y = np.array(law.x), np.array(law.y)
    fine = np.linspace(x[0], x[-1], 4001)
    lines = np.interp(fine, x, y)
    if unit == "V":
        most = 1e3 * np.abs(Curve.table(x, y)(fine) - lines).max()
        size = f"{most:.2g} mV"
    else:
        smooth = np.exp(Curve.table(x, np.log(y))(fine))
        size = f"{100.0 * np.abs(smooth / lines - 1.0).max():.2g} %"
    return (
        "between its points the table is a monotone curve with a continuous slope, where BPX has"
        f" straight lines: {size} apart at most"
    )
