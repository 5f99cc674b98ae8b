"""Quantities as people write them ("2.5 um") to SI floats, and back.

A unit is never guessed: a bare number for a dimensional quantity is refused. Conversions are exact
fractions, so that ``parse("2.5 um", "m")`` is the float ``2.5e-6`` and no neighbour of it.
"""

from __future__ import annotations

import difflib
import math
import re
from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NoReturn

from nmcsim.errors import InputError, Mistake

if TYPE_CHECKING:
    import pint


class UnitError(InputError, ValueError):
    """A quantity that cannot be read; its one mistake has an empty place, for the caller to fill.

    Being a `ValueError` too, it may be raised inside a pydantic validator.
    """


# SI unit -> what it measures (with its article) and the unit to suggest
_KINDS: Final[dict[str, tuple[str, str]]] = {
    "m": ("a length", "um"),
    "m2": ("an area", "um2"),
    "m3": ("a volume", "um3"),
    "s": ("a time", "s"),
    "1/s": ("a rate", "1/h"),
    "m/s": ("a velocity", "nm/s"),
    "kg": ("a mass", "ng"),
    "K": ("a temperature", "K"),
    "V": ("a voltage", "V"),
    "A": ("a current", "nA"),
    "A s": ("a charge", "nAh"),
    "A s/kg": ("a specific capacity", "mAh/g"),
    "A/kg": ("a specific current", "mA/g"),
    "A/m2": ("a current density", "A/m2"),
    "m2/s": ("a diffusivity", "m2/s"),
    "mol/m3": ("a concentration", "mol/m3"),
    "kg/m3": ("a density", "g/cm3"),
    "kg/mol": ("a molar mass", "g/mol"),
    "S/m": ("a conductivity", "S/m"),
    "Pa": ("a pressure", "GPa"),
    "ohm m2": ("a resistance times area", "ohm cm2"),
    "F/m2": ("a capacitance per area", "F/m2"),
    "m2/kg": ("an area per mass", "m2/g"),
    "ohm": ("a resistance", "ohm"),
    "Hz": ("a frequency", "Hz"),
    "1": ("a plain number", ""),
}

_COMMON_TEXT: Final = (
    "m cm mm um nm s ms us min hour h day K degC V mV A mA uA nA pA Ah mAh uAh nAh pAh C "
    "kg g mg ug ng mol mmol S mS Pa kPa MPa GPa F J kJ eV W ohm Hz rad deg L mAh/g Ah/kg "
    "A/m2 mA/cm2 m2/s cm2/s mol/m3 g/cm3 kg/m3 g/mol S/m S/cm"
)
_COMMON: Final = tuple(_COMMON_TEXT.split())

# SI unit -> the units to show a value in, from small to large, with their sizes
_LADDERS: Final[dict[str, tuple[tuple[str, Fraction], ...]]] = {
    "m": (
        ("nm", Fraction(1, 10**9)),
        ("um", Fraction(1, 10**6)),
        ("mm", Fraction(1, 10**3)),
        ("m", Fraction(1)),
    ),
    "A": (
        ("fA", Fraction(1, 10**15)),
        ("pA", Fraction(1, 10**12)),
        ("nA", Fraction(1, 10**9)),
        ("uA", Fraction(1, 10**6)),
        ("mA", Fraction(1, 10**3)),
        ("A", Fraction(1)),
    ),
    "A s": (
        ("fAh", Fraction(3600, 10**15)),
        ("pAh", Fraction(3600, 10**12)),
        ("nAh", Fraction(3600, 10**9)),
        ("uAh", Fraction(3600, 10**6)),
        ("mAh", Fraction(3600, 10**3)),
        ("Ah", Fraction(3600)),
    ),
    "m2": (("um2", Fraction(1, 10**12)),),
    "m3": (("um3", Fraction(1, 10**18)),),
    "A s/kg": (("mAh/g", Fraction(3600)),),
    "A/kg": (("mA/g", Fraction(1)),),
    "kg/m3": (("g/cm3", Fraction(1000)),),
    "kg/mol": (("g/mol", Fraction(1, 1000)),),
    "Pa": (("Pa", Fraction(1)), ("MPa", Fraction(10**6)), ("GPa", Fraction(10**9))),
}

_NUMBER: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)(?![\d.])")
_UNIT_TEXT: Final = re.compile(r"[A-Za-z%0-9*/().\s_-]{0,40}")
_SPELLINGS: Final = str.maketrans(
    {
        "µ": "u",  # the micro sign
        "μ": "u",  # the Greek letter
        "\u03a9": " ohm",  # the Greek letter
        "\u2126": " ohm",  # the ohm sign
        "·": "*",
        "⋅": "*",
        "−": "-",
        "²": "2",
        "³": "3",
        "⁻": "-",
        "¹": "1",
        "^": None,
    }
)


def parse(text: str | float, unit: str) -> float:
    """A quantity with its unit, as a float in SI.

    Parameters
    ----------
    text : str or float
        ``"2.5 um"``, ``"200 mAh/g"``, ``"22 degC"``, ``"50 %"``; digits after a unit are powers
        (``"1e-12 cm2/s"``). A number without unit only where `unit` is ``"1"``.
    unit : str
        The SI unit of the result (``"m"``, ``"A s/kg"``, ``"1"``), which fixes the dimension. For
        ``"K"`` a value in degC is an absolute temperature.

    Raises
    ------
    UnitError
        No number, no unit, an unknown unit or one of another dimension; the sentence ends with
        what to write.
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        _refuse(f"is not a number with a unit; write {_example('2.5', unit)}")
    shown = str(text).strip()
    match = _NUMBER.match(shown.replace("−", "-"))
    if match is None:
        named = shown.translate(_SPELLINGS).replace(" ", "")
        what = "has no number" if named in _COMMON else "is not a number with a unit"
        _refuse(f"{what}; write {_example('2.5', unit)}")
    number, rest = match[1], shown[match.end() :].strip()
    if not rest:
        if unit != "1":
            _refuse(f"has no unit; write {_example(number, unit)}")
        factor, offset = Fraction(1), Fraction(0)
    elif rest.startswith(","):
        _refuse(f"has a decimal comma; write {_example('2.5', unit)}")
    else:
        factor, offset = _conversion(rest[:60], unit, number)
    try:
        return float(Fraction(number) * factor + offset)
    except OverflowError:
        _refuse(f"is too large a number; write {_example('2.5', unit)}")


def convert(value: float, unit: str, target: str) -> float:
    """`value` in `unit` expressed in `target`, of the same dimension (``"cm2/s"`` to ``"m2/s"``).

    Raises
    ------
    UnitError
        An unknown unit, or one of another dimension.
    """
    factor, offset = _conversion(unit, target, "")
    return float(Fraction(value) * factor + offset)


def display(value: float, unit: str, *, exact: bool = False) -> str:
    """A value in SI as people write it: ``display(2.5e-6, "m")`` is ``"2.5 um"``.

    Parameters
    ----------
    value : float
        In the SI unit `unit`; NaN and infinity are shown as such.
    exact : bool
        All digits that are needed for ``parse(display(value, unit), unit) == value``, else six.
    """
    if not math.isfinite(value):
        return f"{value} {unit}".removesuffix(" 1")
    ladder = _LADDERS.get(unit, ((unit, Fraction(1)),))
    size = abs(Fraction(value))
    name, scale = ladder[0]
    if size == 0:
        name, scale = next((rung for rung in ladder if rung[0] == _KINDS[unit][1]), ladder[0])
    for candidate in ladder:
        # six digits of 0.9999996 read as 1: such a value belongs to the next unit
        if size >= candidate[1] * Fraction(9999995, 10**7):
            name, scale = candidate
    shown = _digits(value, scale) if exact else f"{float(Fraction(value) / scale):.6g}"
    return shown if name == "1" else f"{shown} {name}"


def _digits(value: float, scale: Fraction) -> str:
    """The shortest decimal that is `value` again once multiplied by `scale`."""
    quotient = float(Fraction(value) / scale)
    for digits in range(15, 18):
        shown = f"{quotient:.{digits}g}"
        if float(Fraction(shown) * scale) == value:
            return shown
    # the quotient's own rounding hides the value: divide with more digits than a float has
    scaled = Fraction(value) / scale
    exponent = math.floor(math.log10(abs(scaled)))
    mantissa = round(scaled * Fraction(10) ** (19 - exponent))
    return f"{mantissa}e{exponent - 19}"


@lru_cache(maxsize=1024)
def _conversion(text: str, unit: str, number: str) -> tuple[Fraction, Fraction]:
    """Factor and offset from the unit as written to the SI unit; `number` is for the sentence."""
    import pint

    try:
        source = _pint_unit(text)
        pair = _factor(source, unit)
    except pint.DimensionalityError:
        kind = _kind_of(unit) or f"a quantity in {unit}"
        other = _kind_of(text) or f'in "{text}"'
        _refuse(f"is {other}, and {kind} is needed; write {_meant(number, text, unit)}")
    except (pint.UndefinedUnitError, KeyError):
        close = _closest(text)
        mend = f'did you mean "{close}"?' if close else f"write {_example(number, unit)}"
        if _is_celsius(text) and unit == "K":
            mend = f"write {_meant(number, text, unit)}"
        _refuse(f'has the unknown unit "{text}"; {mend}')
    except Exception:  # pint's tokenizer raises many kinds on "um//" or "degC/m"
        _refuse(f'has the unreadable unit "{text}"; write {_example(number, unit)}')
    return pair


def _factor(source: pint.Unit, unit: str) -> tuple[Fraction, Fraction]:
    """What to multiply by, and then add, to come from `source` to the SI unit `unit`."""
    registry, target = _registry(), _pint_unit(unit)
    zero, one = (registry.Quantity(Fraction(n), source).to(target).magnitude for n in (0, 1))
    return Fraction(one) - Fraction(zero), Fraction(zero)


def _pint_unit(text: str) -> pint.Unit:
    """A unit as people write it, with digits as powers: ``cm2/s``, ``1/h``, ``%``."""
    plain = text.strip().replace("°C", "degC").replace("°", "deg").translate(_SPELLINGS)
    if not _UNIT_TEXT.fullmatch(plain):
        raise KeyError(text)
    plain = plain.replace("%", " percent ").replace("**", "").strip()
    if plain.startswith("/"):
        plain = f"1{plain}"
    powered = re.sub(r"(?<=[A-Za-z])(-?\d{1,2})(?![\d.])", r"**\1", plain)
    return _registry().parse_units("" if powered == "1" else re.sub(r"^1\s*/", "1/", powered))


@cache
def _registry() -> pint.UnitRegistry:
    import pint

    return pint.UnitRegistry(non_int_type=Fraction)


def _kind_of(text: str) -> str:
    """What a unit measures, "a length"; empty if that has no name here."""
    source = _pint_unit(text)
    for unit, (kind, _) in _KINDS.items():
        if source.dimensionality == _pint_unit(unit).dimensionality:
            return kind
    return ""


def _closest(text: str) -> str | None:
    plain = text.replace("µ", "u").replace("μ", "u")
    for candidate in _COMMON:
        if candidate.lower() == plain.lower():
            return candidate
    return next(iter(difflib.get_close_matches(plain, _COMMON, n=1, cutoff=0.5)), None)


def _is_celsius(text: str) -> bool:
    # C alone is the coulomb
    return text.lower().replace("°", "").replace(" ", "") in ("c", "degc", "celsius", "centigrade")


def _meant(number: str, text: str, unit: str) -> str:
    """What to write instead of ``number text``: ``25 C`` are degrees where kelvin is wanted, and
    ``10 m`` are minutes where a time is.
    """
    if unit == "s" and number and text.strip() == "m":
        return f'"{number} min"'
    if unit != "K" or not number or not _is_celsius(text):
        return _example(number, unit)
    kelvin = float(Fraction(number) + Fraction("273.15"))
    return f'"{number} degC" or "{kelvin:.10g} K"'


def _example(number: str, unit: str) -> str:
    suggestion = _KINDS.get(unit, ("", unit))[1]
    return f'"{f"{number} {suggestion}".strip()}"'


def _refuse(message: str) -> NoReturn:
    raise UnitError(Mistake("", message))


def beside(value: float, error: float | None) -> tuple[str, str]:
    """A number and its standard deviation with the same decimals, two figures of the latter.

    ``1.198`` and ``0.010`` of 1.19812 and 0.0103; zeros that both end in are left out, ``4.2`` and
    ``0.1``. Four figures of the number and no text where there is no error.

    Parameters
    ----------
    value : float
    error : float or None
        In the unit of the value.
    """
    if error is None or not (math.isfinite(error) and error > 0.0) or not math.isfinite(value):
        return f"{value:.4g}", ""
    largest = max(abs(value), error)
    power = math.floor(math.log10(largest))
    scale = power if not -4 <= power < 6 else 0  # 1e-16 m2/s is no row of zeros
    value, error = value / 10.0**scale, error / 10.0**scale
    figures = float(f"{error:.1e}")  # 0.0996 is 0.10
    digits = max(0, 1 - math.floor(math.log10(figures)))
    one, two = f"{value:.{digits}f}", f"{figures:.{digits}f}"
    while "." in one and one[-1] == two[-1] == "0":
        one, two = one[:-1].removesuffix("."), two[:-1].removesuffix(".")
    tail = f"e{scale:+03d}" if scale else ""
    return one + tail, two + tail
