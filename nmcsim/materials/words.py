"""Materials and electrolytes in words, for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from nmcsim import units
from nmcsim.materials.definition import CONSTANTS, ELECTRONIC, LAWS, Material
from nmcsim.materials.electrolyte import Electrolyte
from nmcsim.materials.electrolytes import electrolyte, electrolyte_names
from nmcsim.materials.law import NAMES, THETA, Law
from nmcsim.materials.library import laws, material, names

WIDTH: Final = 100
_LABELS: Final = {
    "site_density": ("N_L", "mol/m3", "lithium sites"),
    "density": ("rho", "kg/m3", "density"),
    "theta_discharged": ("theta", "1", "stoichiometry when discharged"),
    "molar_mass": ("M", "kg/mol", "molar mass"),
}


def table() -> str:
    """One line for each material and electrolyte of the library, and the names of single laws."""
    rows: list[tuple[str, ...]] = [("name", "valid theta", "D", "U at 0.5", "title")]
    for name in names():
        m = material(name)
        lo, hi = m.valid_range()
        kind = m.D.kind + ", ours" * m.D.choice
        rows.append((name, f"{lo:g} .. {hi:g}", kind, f"{m.U.evaluate(0.5):.3f} V", m.title))
    lines = _aligned(rows)
    lines += ["", "single laws"]
    for symbol in (*LAWS, *ELECTRONIC):
        single = [name for name in laws(symbol) if name not in names()]
        if single:
            lines += _wrapped(f"{symbol:<4}", ", ".join(single))
    rows = [("electrolyte", "valid c / mol/m3", "kappa at 1000", "title")]
    for name in electrolyte_names():
        e = electrolyte(name)
        lo, hi = e.valid_range()
        assert e.kappa is not None
        rows.append((name, f"{lo:g} .. {hi:g}", f"{e.kappa.evaluate(1000.0):.3f} S/m", e.title))
    lines += ["", *_aligned(rows)]
    return "\n".join(line.rstrip() for line in lines)


def describe(what: str | Material | Electrolyte) -> str:
    """Every law and constant of a material, or an electrolyte: symbol, unit, valid range, source.

    Raises
    ------
    LawError
        No material and no electrolyte of that name in the library.
    """
    if isinstance(what, str) and what in electrolyte_names():
        what = electrolyte(what)
    if isinstance(what, Electrolyte):
        lines = [f"{what.name}  {what.title}"]
        for law in what.laws.values():
            lines += ["", *_law_lines(law, f"library {what.name}")]
        return "\n".join(line.rstrip() for line in lines)
    m = material(what) if isinstance(what, str) else what
    lines = [f"{m.name}  {m.title}", ""]
    for key, law in m.laws.items():
        lines += [*_law_lines(law, m.provenance.get(key, "")), ""]
    rows = []
    for key in CONSTANTS:
        value = getattr(m, key)
        if value is not None:
            symbol, unit, meaning = _LABELS[key]
            shown = units.display(value, unit)
            rows.append((symbol, shown, meaning, m.provenance.get(key, "")))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        head = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        lines += _wrapped(head, row[3])
    return "\n".join(line.rstrip() for line in lines)


def _law_lines(law: Law, origin: str) -> Iterator[str]:
    flag = "our choice, not a measurement" if law.choice else "published"
    yield f"{law.symbol} [{law.unit}]  {NAMES.get(law.symbol, law.symbol)}  ({flag})"
    lo, hi = law.valid
    round_numbers = (0.25, 0.5, 0.75) if law.argument is THETA else (500.0, 1000.0, 1500.0)
    at = sorted({lo, hi, *(a for a in round_numbers if lo < a < hi)})
    values = ", ".join(f"{v:.4g} at {t:g}" for t, v in zip(at, law.evaluate(at), strict=True))
    entries = {
        "law": law.text,
        "valid": law.argument.span(lo, hi),
        "values": values,
        "source": law.source,
        "note": law.note,
        "set by": origin,
    }
    for key, text in entries.items():
        if text:
            yield from _wrapped(f"  {key:<7}", text)


def _wrapped(head: str, text: str) -> list[str]:
    """`text` beside `head`, its further lines below its own first."""
    room = max(30, WIDTH - len(head) - 2)
    parts = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    return [f"{head}  {parts[0]}", *(" " * (len(head) + 2) + part for part in parts[1:])]


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
