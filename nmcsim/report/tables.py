"""Pieces of HTML: escaped text, tables, and the numbers of a summary in words."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nmcsim.figures.halfcycles import followed, half_cycles, particles
from nmcsim.figures.style import DISPLAY
from nmcsim.results import Result

DRIFT_LIMIT = 1e-9
"""Largest drift of a sound run whose summary states no limit."""


def escape(value: object) -> str:
    """``value`` as text that HTML shows and never executes."""
    return html.escape(str(value), quote=True)


def number(value: Any, digits: int = 5) -> str:
    """A number for people; a dash where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return escape(value)
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text.replace("-", "−")
    mantissa, exponent = text.split("e")
    return f"{mantissa} × 10<sup>{int(exponent)}</sup>".replace("-", "−")


def quantity(value: Any, unit: str, digits: int = 5) -> str:
    """A number with its unit, in the unit people read; a dash where there is none."""
    shown, factor = DISPLAY.get(unit, ("" if unit == "1" else unit, 1.0))
    if value is None:
        return "–"
    return f"{number(factor * float(value), digits)} {escape(shown)}".strip()


def table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table of ready HTML cells."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    start = f"<thead><tr>{top}</tr></thead>" if head else ""
    return f'<div class="scroll"><table class="{kind}">{start}<tbody>{body}</tbody></table></div>'


def flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested tables as dotted keys and escaped values, in order."""
    rows: list[tuple[str, str]] = []
    for key, value in content.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += flat(value, f"{name}.")
        elif isinstance(value, list) and len(value) > 12:
            rows.append((escape(name), f"{len(value)} values"))
        elif isinstance(value, list):
            rows.append((escape(name), "<br>".join(escape(item) for item in value)))
        else:
            rows.append((escape(name), escape(value)))
    return rows


def key_values(content: Mapping[str, Any]) -> str:
    """A two-column table of nested settings."""
    rows = [(f"<code>{key}</code>", value) for key, value in flat(content)]
    return table((), rows, "keys")


def steps_table(result: Result) -> str:
    """What was asked, step by step, and what ended it."""
    rows = [
        (
            str(n),
            escape(step.get("sentence", "")),
            quantity(step.get("t_start"), "s"),
            quantity(step.get("t_end"), "s", 6),
            escape(step.get("ended_by") or "–"),
            escape(step.get("reason") or ""),
        )
        for n, step in enumerate(result.steps, start=1)
    ]
    return table(("", "Step", "from", "to", "ended by", "because"), rows)


def half_cycles_table(result: Result) -> str:
    """How far apart the particles of an electrode are in each half-cycle, and each cycle's loss.

    Raises
    ------
    InputError
        The model has no particles.
    """
    losses = iter(result.summary.get("capacity_loss") or [])
    rows, before = [], ""
    entries = result.summary.get("half_cycles") or []
    for half, entry in zip(half_cycles(result), entries, strict=True):
        complete = bool(entry.get("complete", True))
        ends_cycle = (before, half.kind) == ("charge", "discharge") and complete
        loss = next(losses, None) if ends_cycle else None
        before = half.kind
        rows.append(
            (
                escape(half.name) + ("" if complete else " (the run ended here)"),
                *(f"{number(time / 3600.0, 4)} h" for time in (half.start, half.end_cc, half.end)),
                *(number(entry.get(f"asynchrony{of}"), 3) for of in ("", "_slope", "_all")),
                "–" if loss is None else f"{number(100.0 * loss, 3)} %",
            )
        )
    head = ("Half-cycle", "from", "current until", "hold until")
    told = ("asynchrony (t25)", "by the slope", "of all particles", "loss of the cycle")
    return table((*head, *told), rows, "numbers")


def activation_table(result: Result) -> str:
    """t25 of each particle, the observed ones first, as share of each half-cycle.

    Raises
    ------
    InputError
        The model has no particles.
    """
    of, halves = particles(result), half_cycles(result)
    first = followed(of)
    others = [i for i in range(len(of.names)) if i not in first]
    shares = [half.share(half.t25) for half in halves]
    rows = [
        (
            escape(of.names[i]) + (" (observed)" if of.observed[i] else ""),
            number(int(of.obstruction[i])) if of.obstruction[i] >= 0 else "–",
            *(number(float(share[i]), 4) for share in shares),
        )
        for i in (*first, *others)
    ]
    return table(("Particle", "obstruction", *(half.name for half in halves)), rows, "numbers")


def balance_table(result: Result) -> str:
    """Each balance beside its limit, with a verdict in words."""
    rows = []
    limit = float(result.summary.get("drift_limit") or DRIFT_LIMIT)
    for name, value in result.summary.get("balance", {}).items():
        sound = isinstance(value, (int, float)) and abs(value) < limit
        verdict = '<span class="good">kept</span>' if sound else '<span class="bad">violated</span>'
        rows.append((f"{escape(name)} drift", number(value, 3), number(limit), verdict))
    return table(("Balance", "largest", "limit", ""), rows, "numbers")


def error_bars_table(bars: Mapping[str, Mapping[str, Any]]) -> str:
    """Headline observables with the bar that a coarser mesh and looser tolerances gave."""
    rows = [
        (
            escape(bar.get("description", name)),
            quantity(bar.get("value"), str(bar.get("unit", "1"))),
            f"± {quantity(bar.get('error'), str(bar.get('unit', '1')), 2)}",
        )
        for name, bar in bars.items()
    ]
    return table(("Observable", "value", "error bar"), rows, "numbers")


def observables_table(result: Result) -> str:
    """The last row of the history."""
    rows = [
        (
            escape(item.get("description", name)),
            f"<code>{escape(name)}</code>",
            quantity(item.get("value"), str(item.get("unit", "1")), 6),
        )
        for name, item in result.summary.get("observables", {}).items()
    ]
    return table(("Quantity", "", "at the end"), rows, "numbers")


def counts_table(result: Result) -> str:
    """Work done, as counts, and the wall time it took."""
    counts = [(escape(k), number(v)) for k, v in result.summary.get("counts", {}).items()]
    return table(("Count", ""), counts, "numbers")


def timing_table(result: Result) -> str:
    """Wall time by what it was spent on; the total is the run's, before its figures are drawn."""
    spent = dict(result.summary.get("timing", {}))
    last = {
        name: spent.pop(key)
        for key, name in (("total", "total, without figures"), ("figures", "figures, after it"))
        if key in spent
    }
    timing = [(escape(k), f"{number(v, 3)} s") for k, v in (spent | last).items()]
    return table(("Wall time", ""), timing, "numbers")
