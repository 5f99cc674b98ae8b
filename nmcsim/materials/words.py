"""Materials in words, for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from nmcsim import units
from nmcsim.materials.definition import CONSTANTS, LAWS, Material
from nmcsim.materials.law import NAMES, Law
from nmcsim.materials.library import laws, material, names

WIDTH: Final = 100
_LABELS: Final = {
    "site_density": ("N_L", "mol/m3", "lithium sites"),
    "density": ("rho", "kg/m3", "density"),
    "theta_discharged": ("theta", "1", "stoichiometry when discharged"),
    "molar_mass": ("M", "kg/mol", "molar mass"),
}


def table() -> str:
    """One line for each material of the library, and the names of the single laws."""
    rows: list[tuple[str, ...]] = [("name", "valid theta", "D", "U at 0.5", "title")]
    for name in names():
        m = material(name)
        lo, hi = m.valid_range()
        kind = "self, our choice" if m.D.choice else m.D.kind
        rows.append((name, f"{lo:g} .. {hi:g}", kind, f"{m.U.evaluate(0.5):.3f} V", m.title))
    lines = _aligned(rows)
    lines += ["", "single laws"]
    for symbol in LAWS:
        single = [name for name in laws(symbol) if name not in names()]
        lines += _wrapped(f"{symbol:<4}", ", ".join(single))
    return "\n".join(line.rstrip() for line in lines)


def describe(what: str | Material) -> str:
    """Every law and constant of a material: symbol, unit, valid range, source, and who set it.

    Raises
    ------
    LawError
        No material of that name in the library.
    """
    m = material(what) if isinstance(what, str) else what
    lines = [f"{m.name}  {m.title}", ""]
    for key in LAWS:
        lines += [*_law_lines(getattr(m, key), m.provenance.get(key, "")), ""]
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
    at = sorted({lo, hi, *(t for t in (0.25, 0.5, 0.75) if lo < t < hi)})
    values = ", ".join(f"{v:.4g} at {t:g}" for t, v in zip(at, law.evaluate(at), strict=True))
    entries = {
        "law": law.text,
        "valid": f"theta {lo:g} .. {hi:g}",
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
