"""The section of a report that puts a result beside measurements: what ``compare.json`` says."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.figures.style import COLOURS, ONE_COLUMN, new_figure, styled
from nmcsim.report.tables import escape, number, table
from nmcsim.units import beside

__all__ = ["comparison_parts", "draw_pair"]

Array = NDArray[np.float64]

FILE = "compare.json"
HEAD = ("Metric", "Simulated", "Measured", "Difference", "z, or RMSE", "Within")
POINTS = 60
"""Measured points up to which each has its own error bar; more of them have a band."""


def comparison_parts(directory: Path) -> list[tuple[str, str]]:
    """A part of the page for each comparison of a result: its title, and its HTML.

    Parameters
    ----------
    directory : Path
        Of the result; without a readable ``compare.json`` there is none.
    """
    try:
        content = json.loads((directory / FILE).read_text(encoding="utf-8"))
        found = content["comparisons"].items()
        return [(f"Beside {name}", _body(kept)) for name, kept in found]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [("Comparison", f'<p class="bad">{FILE} cannot be read ({escape(error)}).</p>')]


def _body(kept: Mapping[str, Any]) -> str:
    pairs = kept["pairs"]
    curves = "".join(_figure(pair) for pair in pairs if "curve" in pair)
    rows = [_row(pair) for pair in pairs]
    parts = [f'<p class="note">Source: {escape(kept["source"])}</p>' if kept["source"] else ""]
    if rows:
        parts.append(table(HEAD, rows, "numbers"))
        parts.append(_legend(kept["limit"]))
    else:
        parts.append("<p>Nothing could be compared.</p>")
    if curves:
        parts.append(f'<div class="figures" style="margin-top:14px">{curves}</div>')
    parts += [f'<p class="note">{escape(note)}</p>' for note in kept["notes"]]
    parts.append(_left("Without a counterpart", kept["unpaired"], missing=False))
    parts.append(_left("Not measured, or not read", kept["unpaired"], missing=True))
    if kept["settings"]:
        said = table((), [
            (f"<code>{escape(name)}.{escape(key)}</code>", escape(value))
            for name, of in kept["settings"].items() for key, value in of.items()
        ], "keys")  # fmt: skip
        about = "How the run was filmed and its frames reduced"
        parts.append(f"<details><summary>{about}</summary>{said}</details>")
    return "".join(parts)


def _legend(limit: float) -> str:
    return (
        f'<p class="note">Difference is simulated minus measured; z is difference over uncertainty'
        f" (one standard deviation). A value is within if |z| is at most {limit:g}, a series if the"
        f" root mean square of its z is, a limit if it holds.</p>"
    )


def _row(pair: Mapping[str, Any]) -> tuple[str, ...]:
    unit = "" if pair["unit"] == "1" else f" {escape(_shown(pair['unit']))}"
    about = "<br>".join(
        escape(text)
        for text in (pair["source"], pair["method"], _conditions(pair), pair["note"], pair["about"])
        if text
    )
    name = f"<b>{escape(pair['name'])}</b>"
    if about:
        name = (
            f'<details style="margin:0"><summary>{escape(pair["name"])}</summary>{about}</details>'
        )
    verdict = {True: '<span class="good">yes</span>', False: '<span class="bad">no</span>'}
    if "curve" in pair:
        total = pair["points"] + pair["without"]
        simulated = f"{pair['points']} of {total} points"
        measured = f"along {escape(pair['curve']['x_name'])}"
        score = f"RMSE {number(pair['rmse'], 3)}{unit}"
        if pair["chi2"] is not None:
            score += f"<br>reduced χ² {number(pair['chi2'], 3)}"
        difference = f"mean {_signed(pair['difference'])}{unit}"
    else:
        simulated = f"{number(pair['simulated'], 4)}{unit}"
        value, spread = (_powers(text) for text in beside(pair["measured"], pair["uncertainty"]))
        both = f"{value} ± {spread}" if spread else value
        measured = f"{escape(pair['bound'])} {both}{unit}".strip()
        score = "" if pair["z"] is None else f"z = {_signed(pair['z'], 2)}"
        difference = f"{_signed(pair['difference'])}{unit}"
    within = verdict.get(pair["within"], "no uncertainty")
    return name, simulated, measured, difference, score, within


def _powers(text: str) -> str:
    """As `number` shows them: a minus that is one, and powers of ten."""
    mantissa, _, power = text.replace("-", "−").partition("e")
    shown = power.replace("+", "").replace("−0", "−").lstrip("0")
    return f"{mantissa} × 10<sup>{shown}</sup>" if power else mantissa


def _signed(value: float | None, digits: int = 3) -> str:
    return f"+{number(value, digits)}" if value is not None and value > 0 else number(value, digits)


def _conditions(of: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in of["conditions"].items())


def _left(title: str, unpaired: Sequence[Mapping[str, Any]], *, missing: bool) -> str:
    rows = [
        (f"<code>{escape(item['name'])}</code>", escape(item["reason"]), escape(item["source"]))
        for item in unpaired
        if item["missing"] is missing
    ]
    return f"<h3>{title}</h3>{table((), rows)}" if rows else ""


# -- plots ----------------------------------------------------------------------------------------


def _figure(pair: Mapping[str, Any]) -> str:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with styled():
        figure = draw_pair(pair)
        FigureCanvasAgg(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=220)
    source = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
    title = escape(pair["name"])
    return (
        f'<figure><img alt="{title}, measured and simulated" src="{source}">'
        f"<figcaption><b>{title}</b></figcaption></figure>"
    )


def draw_pair(pair: Mapping[str, Any]) -> Any:
    """Measured points with their uncertainty, and the simulated curve.

    Parameters
    ----------
    pair : mapping
        Of ``compare.json``, with a ``curve``.

    Returns
    -------
    matplotlib.figure.Figure
        One journal column wide.
    """
    curve = pair["curve"]
    x, y, u, line_x, line = (
        _array(curve[key]) for key in ("x", "measured", "uncertainty", "line_x", "line")
    )
    factor, x_unit = (100.0, "%") if curve["x_name"] == "soc" and curve["x_unit"] == "1" else (
        1.0, curve["x_unit"])  # fmt: skip
    figure = new_figure(ONE_COLUMN, 0.72 * ONE_COLUMN)
    axes = figure.add_subplot()
    colour = COLOURS[1]
    known = np.isfinite(u)
    if known.any() and len(x) > POINTS:
        axes.fill_between(factor * x, y - u, y + u, color=colour, alpha=0.25, linewidth=0)
    elif known.any():
        axes.errorbar(
            (factor * x)[known], y[known], u[known], fmt="none", ecolor=colour, elinewidth=0.8
        )
    size = 3.0 if len(x) <= POINTS else 1.2
    axes.plot(factor * x, y, "o", color=colour, markersize=size, label="measured", zorder=3)
    axes.plot(factor * line_x, line, color=COLOURS[0], label="simulated")
    low, high = factor * np.nanmin(x), factor * np.nanmax(x)
    margin = 0.08 * (high - low) or 1.0
    axes.set_xlim(low - margin, high + margin)
    axes.set_xlabel(_label(curve["x_name"], x_unit))
    axes.set_ylabel(_label(pair["name"], pair["unit"]))
    axes.legend()
    return figure


def _array(values: Sequence[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values], float)


def _label(name: str, unit: str) -> str:
    words = {"soc": "State of charge", "com_distance": "Centre-of-mass distance"}
    text = words.get(name, name.replace("_", " "))
    return text[:1].upper() + text[1:] + ("" if unit == "1" else f" / {_shown(unit)}")


def _shown(unit: str) -> str:
    """A unit as a page shows it: ``um`` with its letter."""
    return re.sub(r"\bu(?=m\d?\b)", "µ", unit)
