"""A self-contained page that shows whether a reduction is sound."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nmcsim.imaging.settings import Number
from nmcsim.measure.entries import shown
from nmcsim.results import write_atomically

__all__ = ["Section", "numbers_table", "picture", "said", "settings_table", "table", "write_page"]

DPI = 160


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Parameters
    ----------
    title : str
    about : str
        What to look for, in plain text.
    content : str
        HTML.
    """

    title: str
    about: str
    content: str


def said(number: Number) -> str:
    """A number with its uncertainty and unit, as people write it: ``1.195 ± 0.004 µm``."""
    unit, factor = shown(number.unit)
    value, error = factor * number.value, factor * number.uncertainty
    if unit == "1" and number.unit == "1":
        unit = ""
    shown_unit = f" {unit.replace('um', 'µm')}" if unit else ""
    if not math.isfinite(value):
        return "none"
    if not (math.isfinite(error) and error > 0.0):
        return f"{value:.4g}{shown_unit}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}{shown_unit}"


def picture(figure: Figure, about: str) -> str:
    """A figure as an image within the page; ``about`` is read out instead of it."""
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    width = round(96 * figure.get_figwidth() * 1.32)
    return f'<img width="{width}" alt="{_text(about)}" src="data:image/png;base64,{code}">'


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of plain texts."""
    top = "".join(f"<th>{_text(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    start = f"<thead><tr>{top}</tr></thead>" if head else ""
    return f'<div class="scroll"><table>{start}<tbody>{body}</tbody></table></div>'


def numbers_table(numbers: Mapping[str, Number]) -> str:
    """Names, values and what they are."""
    rows = ((name, said(number), number.description) for name, number in numbers.items())
    return table(("name", "value", "what it is"), rows)


def settings_table(settings: Any) -> str:
    """All settings, with what they mean."""
    from dataclasses import fields

    given = settings.table()
    rows = []
    for f in fields(settings):
        value = given.get(f.name, "not given")
        shown_value = {True: "true", False: "false"}.get(value, value) if isinstance(
            value, bool
        ) else value  # fmt: skip
        rows.append((f.name, shown_value, f.metadata["about"]))
    return table(("key", "value", "what it is"), rows)


def write_page(
    path: Path,
    *,
    title: str,
    about: str,
    cards: Iterable[tuple[str, str]],
    warnings: Sequence[str],
    sections: Iterable[Section],
    footer: str,
) -> None:
    """Write the page, whole or not at all.

    Parameters
    ----------
    path : Path
    title, about : str
    cards : iterable of (value, label)
    warnings : sequence of str
    sections : iterable of Section
    footer : str
    """
    css = files("nmcsim.measure").joinpath("page.css").read_text(encoding="utf-8")
    boxes = "".join(
        f'<div class="card"><b>{_text(value)}</b><span>{_text(label)}</span></div>'
        for value, label in cards
    )
    what = ""
    if warnings:
        items = "".join(f"<li>{_text(w[:1].upper() + w[1:])}.</li>" for w in warnings)
        what = f'<section class="warnings"><h2>To look at</h2><ul>{items}</ul></section>'
    parts = "".join(
        f"<section><h2>{_text(s.title)}</h2><p>{_text(s.about)}</p>{s.content}</section>"
        for s in sections
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{css}</style></head><body><main>"
        f'<header><h1>{_text(title)}</h1><p>{_text(about)}</p></header><div class="cards">{boxes}'
        f"</div>{what}{parts}<footer>{_text(footer)}</footer></main></body></html>\n"
    )
    write_atomically(path, page.encode("utf-8"))


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)
