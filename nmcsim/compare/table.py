"""A comparison as a table of text, 100 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from nmcsim.compare.pairs import WITHIN, Comparison, Pair, Unpaired
from nmcsim.units import beside

__all__ = ["comparison_text", "figure_of", "measured_text", "simulated_text", "verdict"]

WIDTH = 100
HEAD = ("metric", "simulated", "measured", "difference", "z or RMSE", "within")
WIDEST = 34
"""Characters of a name; a longer one is cut in the middle, where it tells least."""


def comparison_text(comparison: Comparison) -> str:
    """The table with what could not be compared, and what was not measured."""
    title = comparison.title or "measurements"
    lines = [f"{comparison.of}, beside: {title}"]
    if comparison.pairs:
        lines += _table([_row(pair) for pair in comparison.pairs])
        lines += [f"  {note}" for pair in comparison.pairs for note in _remarks(pair)]
    else:
        lines.append("  nothing could be compared")
    left = [item for item in comparison.unpaired if not item.missing]
    missing = [item for item in comparison.unpaired if item.missing]
    if left:
        lines += ["", "without a counterpart", *_listed(left)]
    if missing:
        lines += ["", "not measured, or not read", *_listed(missing)]
    lines += [f"  {note}" for note in comparison.notes]
    lines += ["", *textwrap.wrap(summary(comparison), WIDTH, subsequent_indent="  ")]
    return "\n".join(lines)


def summary(comparison: Comparison) -> str:
    """One sentence: how many are within, and what that means."""
    judged = [pair for pair in comparison.pairs if pair.within is not None]
    good = sum(pair.within is True for pair in judged)
    plain = len(comparison.pairs) - len(judged)
    text = f"{good} of {len(judged)} within {WITHIN:g} standard deviations or their limit"
    if plain:
        text += f", {plain} without uncertainty"
    left = sum(not item.missing for item in comparison.unpaired)
    if left:
        text += f", {left} without a counterpart"
    if missing := len(comparison.unpaired) - left:
        text += f", {missing} not measured"
    return text


def figure_of(value: float | None) -> str:
    """A number in four digits; empty where there is none."""
    return "" if value is None else f"{value:.4g}"


def _with_unit(text: str, unit: str) -> str:
    return text if unit == "1" or not text else f"{text} {unit}"


def simulated_text(pair: Pair) -> str:
    """What the simulation gives: its number, or how much of the series it covers."""
    if pair.curve is not None:
        return f"{pair.points} of {pair.points + pair.without} points"
    text = figure_of(pair.simulated)
    if pair.simulated is not None and pair.error:
        text = " +- ".join(beside(pair.simulated, pair.error))
    return _with_unit(text, pair.unit)


def measured_text(pair: Pair) -> str:
    """What was measured, with its uncertainty or as a limit."""
    if pair.curve is not None:
        return f"along {pair.curve.x_name}"
    text = figure_of(pair.measured)
    if pair.measured is not None and pair.uncertainty:
        text = " +- ".join(beside(pair.measured, pair.uncertainty))
    return _with_unit(f"{pair.bound} {text}".strip(), pair.unit)


def difference_text(pair: Pair) -> str:
    """Simulated minus measured."""
    mark = "mean " if pair.curve is not None else ""
    return mark + _with_unit(f"{pair.difference:+.3g}" if pair.difference else "0", pair.unit)


def score_text(pair: Pair) -> str:
    """z of a value; RMSE of a series."""
    if pair.rmse is not None:
        return _with_unit(f"{pair.rmse:.3g}", pair.unit)
    return "" if pair.z is None else f"{pair.z:+.1f}"


def verdict(pair: Pair) -> str:
    """Whether it is within."""
    if pair.within is None:
        return "no uncertainty"
    return "yes" if pair.within else "no"


def _row(pair: Pair) -> tuple[str, ...]:
    return (
        _cut(pair.name), simulated_text(pair), measured_text(pair), difference_text(pair),
        score_text(pair), verdict(pair),
    )  # fmt: skip


def _cut(name: str) -> str:
    return name if len(name) <= WIDEST else f"{name[: WIDEST - 15]}...{name[-12:]}"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns two blanks apart; what does not fit in the width gives its verdict a line below."""
    widths = [max(len(row[i]) for row in (HEAD, *rows)) for i in range(len(HEAD))]
    while sum(widths) + 2 * len(widths) > WIDTH and max(widths) > 12:
        widths[widths.index(max(widths))] -= 1
    lines = []
    for row in (HEAD, *rows):
        cells = [textwrap.wrap(text, w, break_on_hyphens=False) or [""]
                 for text, w in zip(row, widths, strict=True)]  # fmt: skip
        for k in range(max(map(len, cells))):
            parts = (cell[k] if k < len(cell) else "" for cell in cells)
            padded = (part.ljust(width) for part, width in zip(parts, widths, strict=True))
            lines.append(f"  {'  '.join(padded)}".rstrip())
    return lines


def _remarks(pair: Pair) -> list[str]:
    """What the row of a series cannot hold."""
    found = []
    if pair.chi2 is not None:
        found.append(f"reduced chi squared {pair.chi2:.3g}")
    if pair.without:
        points = "1 measured point lies" if pair.without == 1 else f"{pair.without} points lie"
        found.append(f"{points} where the simulation has no value")
    if pair.note:
        found.append(pair.note)
    return [f"{pair.name}: {'; '.join(found)}"] if found else []


def _listed(items: Sequence[Unpaired]) -> list[str]:
    lines = []
    for item in items:
        lines += textwrap.wrap(
            f"{item.name}: {item.reason}", WIDTH - 2, initial_indent="  ", subsequent_indent="    "
        )
    return lines
