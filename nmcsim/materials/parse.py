"""What a user may write for a law in a case file, read into a `Law`.

U = "nmc811_sturm2019"                                      a law of the library, or a material's
i0 = "2.4 A/m2"                                             a constant
D_ab = "10**(-11.8 - theta) [cm2/s]"                        a formula in theta, its unit behind
U = { table = "ocv.csv", x = "extracted", unit = "V" }      a table
D_chem = { expression = "1e-12*theta", unit = "cm2/s", valid = [0.2, 1.0] }
K = "10**(-6*logistic((theta - 0.93)/0.015)) [S/m]"         several decades
kappa = "0.13e-3*c*exp(-c/1200) [S/m]"                      of an electrolyte: c in mol/m3
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from nmcsim import units
from nmcsim.errors import InputError, Mistake
from nmcsim.expression import Expression
from nmcsim.materials.electrolytes import ROOM
from nmcsim.materials.law import CONCENTRATION, THETA, Argument, Constant, Formula, Law, LawError
from nmcsim.materials.library import laws, library_law
from nmcsim.materials.tabulated import Columns, read_law

SOURCES: Final = ("law", "constant", "expression", "table")
_COMMON: Final = ("valid", "kind", "source", "note")
_KEYS: Final = {
    "law": (),
    "constant": _COMMON,
    "expression": ("unit", *_COMMON),
    "table": ("unit", "x", "x_unit", "x_column", "y_column", *_COMMON),
}
_KIND_OF: Final = {"D_ab": "self", "D_chem": "chemical"}
_SYMBOL_OF: Final = {"self": "D_ab", "chemical": "D_chem"}
_OF_CONCENTRATION: Final = ("kappa", "D_l", "t_plus", "thermodynamic_factor")
_POSITIVE: Final = ("D", "D_ab", "D_chem", "i0", "K", *_OF_CONCENTRATION)
_RANGE: Final = {
    # sqrt(theta (1 - theta)), the usual form of i0, has an infinite slope at 0 and 1
    "i0": (1e-3, 1.0 - 1e-3),
    # polynomials in c and its root turn up, or to zero, beyond what was measured
    **dict.fromkeys(_OF_CONCENTRATION, (100.0, 2500.0)),
}


def argument_of(symbol: str) -> Argument:
    """What a law of `symbol` is a function of."""
    return CONCENTRATION if symbol in _OF_CONCENTRATION else THETA


def parse_law(
    spec: object,
    symbol: str,
    unit: str,
    base_dir: Path,
    needs: tuple[float, float] | None = None,
    T: float = ROOM,
) -> Law:
    """The law that a user wrote.

    Parameters
    ----------
    spec : str or mapping
        As shown at the head of this module; a mapping has exactly one of the keys ``law``,
        ``constant``, ``expression`` and ``table``.
    symbol : str
        ``"U"``, ``"i0"``, ``"K"``, ``"D_ab"``, ``"D_chem"``, or ``"D"``, of which the spec must
        then say by ``kind`` whether it is the self-diffusivity or the chemical one; ``"kappa"``,
        ``"D_l"``, ``"t_plus"``, ``"thermodynamic_factor"`` of an electrolyte, functions of c.
    unit : str
        The SI unit of the law.
    base_dir : Path
        The folder that paths of tables start from: that of the case file.
    needs : tuple of float, optional
        The range of its argument that the law must cover.
    T : float
        Temperature [K] of a library law that depends on it.

    Returns
    -------
    Law
        Its `kind` is set for a diffusivity, its values and slopes are finite in its range.

    Raises
    ------
    LawError
        All mistakes of `spec` at once, each with an empty place.
    """
    if isinstance(spec, Mapping):
        entries = dict(spec)
    elif isinstance(spec, str):
        entries = _entries(spec.strip(), unit, argument_of(symbol).symbol)
    else:
        # a bare number: the sentence of `units` says which unit is missing
        entries = {"constant": spec}
    source = _check_keys(entries)
    try:
        law = _READERS[source](entries | {"T": T}, symbol, unit, Path(base_dir))
    except InputError as error:  # of a unit or a formula, with its text and column
        raise LawError(error.mistakes) from None
    if source != "law":
        law = _with_common(law, entries, symbol)
    law.check_finite()
    if needs is not None:
        law.check_covers(*needs)
    return law


def _entries(text: str, unit: str, variable: str) -> dict[str, object]:
    """A string spec as the mapping it stands for."""
    bracketed = re.fullmatch(r"(.*)\[([^\[\]]*)\]", text, flags=re.DOTALL)
    if bracketed:
        return {"expression": bracketed[1].strip(), "unit": bracketed[2].strip()}
    if re.fullmatch(r"[A-Za-z_]\w*", text) and text not in (variable, "pi", "e"):
        return {"law": text}
    if text.lower().endswith((".csv", ".txt", ".dat")):
        _refuse(f'is a file; write {{ table = "{text}", x = "{variable}", unit = "{unit}" }}')
    if re.search(rf"(?<![A-Za-z_]){variable}(?![A-Za-z_0-9])|\*\*|[A-Za-z]\w*\s*\(", text):
        _refuse(f'is a formula without a unit; write "{text} [{unit}]"')
    return {"constant": text}


def _check_keys(entries: dict[str, object]) -> str:
    """The one source among the keys; refuses none, several, and keys that do not belong to it."""
    given = [key for key in SOURCES if key in entries]
    if len(given) != 1:
        what = "has no law" if not given else f"has {' and '.join(given)}"
        _refuse(f"{what}; write exactly one of {', '.join(SOURCES)}")
    allowed = (given[0], *_KEYS[given[0]])
    mistakes = []
    for key in entries:
        if key not in allowed:
            close = difflib.get_close_matches(key, allowed, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"it takes {', '.join(allowed)}"
            mistakes.append(Mistake("", f'has the unknown key "{key}"; {hint}'))
    for key in ("law", "expression", "table", "unit", "x", "x_unit", "kind", "source", "note"):
        if key in entries and not isinstance(entries[key], str):
            mistakes.append(Mistake("", f"has {key} = {entries[key]!r}, which must be a text"))
    for key in ("x_column", "y_column"):
        value = entries.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int | str):
            sentence = f"has {key} = {value!r}, which must be a name or a number counted from 1"
            mistakes.append(Mistake("", sentence))
    if mistakes:
        raise LawError(mistakes)
    return given[0]


def _from_library(entries: dict[str, Any], symbol: str, unit: str, base_dir: Path) -> Law:
    name = entries["law"]
    law = library_law(symbol, name, entries["T"])
    if law is not None:
        return law
    other = library_law("D", name) if symbol in _KIND_OF else None
    if other is not None:
        _refuse(f'is a {other.kind} diffusivity; write {other.symbol} = "{name}"')
    known = laws(symbol)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f'did you mean "{close[0]}"?' if close else f"it has {', '.join(known)}"
    _refuse(f"is no law of {symbol} in the library; {hint}")


def _from_constant(entries: dict[str, Any], symbol: str, unit: str, base_dir: Path) -> Law:
    value = units.parse(entries["constant"], unit)
    if symbol == "U":
        _refuse("is a constant; an OCV must fall with theta: write a formula or a table")
    if value <= 0:
        _refuse(f"is {units.display(value, unit)}; it must be positive")
    text = units.display(value, unit)
    argument = argument_of(symbol)
    return Law(
        symbol=symbol,
        unit=unit,
        fn=Constant(value),
        valid=(argument.lowest, argument.highest),
        text=text,
        positive=True,
        argument=argument,
    )


def _from_expression(entries: dict[str, Any], symbol: str, unit: str, base_dir: Path) -> Law:
    if not entries.get("unit"):
        _refuse(f'has no unit; add unit = "{unit}"')
    try:
        factor = units.convert(1.0, entries["unit"], unit)
    except units.UnitError as error:
        _refuse(f'has unit = "{entries["unit"]}", which {error}')
    argument = argument_of(symbol)
    expression = Expression(entries["expression"], (argument.symbol,))
    law = Law(
        symbol=symbol,
        unit=unit,
        fn=Formula(expression, factor),
        valid=_RANGE.get(symbol, (argument.lowest, argument.highest)),
        argument=argument,
        text=f"{expression} {entries['unit']}",
        positive=symbol in _POSITIVE,
    )
    if symbol == "U" and not expression.names:
        _refuse("is a constant; an OCV must fall with theta")
    return law


def _from_table(entries: dict[str, Any], symbol: str, unit: str, base_dir: Path) -> Law:
    chosen = {
        k: entries[k] for k in ("x", "x_unit", "x_column", "y_column", "unit") if k in entries
    }
    path = base_dir / entries["table"]
    return read_law(
        path,
        Columns(**chosen),
        symbol,
        unit,
        positive=symbol in _POSITIVE,
        argument=argument_of(symbol),
    )


_READERS: Final[dict[str, Callable[[dict[str, Any], str, str, Path], Law]]] = {
    "law": _from_library,
    "constant": _from_constant,
    "expression": _from_expression,
    "table": _from_table,
}


def _with_common(law: Law, entries: dict[str, Any], symbol: str) -> Law:
    """The law with what may be said of any user's law: its range, kind, source and note."""
    mistakes: list[Mistake] = []
    valid = law.valid
    if "valid" in entries:
        valid = _valid(entries["valid"], law, mistakes) or valid
    kind, name = "", symbol
    if symbol in ("D", "D_ab", "D_chem"):
        kind = _kind(entries, symbol, mistakes)
        name = _SYMBOL_OF.get(kind, symbol)
    elif "kind" in entries:
        mistakes.append(Mistake("", f"has a kind, which only a diffusivity has, not {symbol}"))
    if mistakes:
        raise LawError(mistakes)
    return law.with_(
        symbol=name,
        valid=valid,
        kind=kind,
        source=entries.get("source", law.source or "stated in the case"),
        note=entries.get("note", ""),
    )


def _valid(value: object, law: Law, mistakes: list[Mistake]) -> tuple[float, float] | None:
    numbers = list(value) if isinstance(value, list | tuple) else []
    plain = all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
    of = law.argument
    if len(numbers) != 2 or not plain or not of.lowest <= numbers[0] < numbers[1] <= of.highest:
        what = "stoichiometries" if of is THETA else f"concentrations in {of.unit}"
        sentence = f"has valid = {value!r}; write two {what} such as {of.example}"
        mistakes.append(Mistake("", sentence))
        return None
    lo, hi = (float(n) for n in numbers)
    if law.path is not None and (lo < law.valid[0] - 1e-9 or hi > law.valid[1] + 1e-9):
        have = of.span(*law.valid)
        sentence = f"has valid = [{lo:g}, {hi:g}], but its table covers {have} only"
        mistakes.append(Mistake("", sentence))
        return None
    return (max(lo, law.valid[0]), min(hi, law.valid[1])) if law.path else (lo, hi)


def _kind(entries: dict[str, Any], symbol: str, mistakes: list[Mistake]) -> str:
    stated, implied = entries.get("kind", ""), _KIND_OF.get(symbol, "")
    kind = stated or implied
    if kind not in _SYMBOL_OF:
        what = f'has kind = "{stated}"' if stated else "does not say which diffusivity it is"
        sentence = (
            f'{what}; write kind = "chemical" for that of Fick\'s law (GITT gives it), '
            'or kind = "self" for the D_ab of the chemical-potential form'
        )
        mistakes.append(Mistake("", sentence))
    elif implied and kind != implied:
        mistakes.append(Mistake("", f'has kind = "{kind}", but {symbol} is "{implied}"'))
    return kind


def _refuse(message: str) -> NoReturn:
    raise LawError(Mistake("", message))
