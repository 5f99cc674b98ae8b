"""The page of a fit: self-contained HTML that shows whether to believe it."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from nmcsim import __version__
from nmcsim.compare import Comparison, Pair
from nmcsim.fitting.figures import curve_figure, of_series, search_figure
from nmcsim.fitting.result import Fit, quoted
from nmcsim.report.panels import page_head
from nmcsim.report.tables import escape, number, table
from nmcsim.results import write_atomically
from nmcsim.sweeps.axes import short_names
from nmcsim.units import beside

__all__ = ["PAGE", "write_page"]

PAGE = "fit.html"
DPI = 160


def write_page(fit: Fit, start: Comparison, best: Comparison) -> Path:
    """Write ``fit.html`` into the directory of a fit.

    Parameters
    ----------
    fit : Fit
    start, best : Comparison
        The first case and the best one beside the measurements that count.
    """
    path = fit.directory / PAGE
    write_atomically(path, _page(fit, start, best).encode("utf-8"))
    return path


def _page(fit: Fit, start: Comparison, best: Comparison) -> str:
    title = escape(fit.title or "Fit")
    warn = len(fit.warnings)
    badge = (
        f'<span class="badge warn">{warn} warning{"s" * (warn > 1)}</span>'
        if warn
        else '<span class="badge">no warning</span>'
    )
    keys = "1 key" if len(fit.varied) == 1 else f"{len(fit.varied)} keys"
    lead = f"{keys} fitted to {fit.count} numbers of {escape(fit.measured)}; {fit.cases} cases"
    return f"""{page_head(title, "page.css")}</head>
<body><main>
<header><h1>{title}</h1><p>{badge}{lead}</p></header>
<section id="keys"><h2>Best values</h2>{_keys(fit)}{_quality(fit)}{_warnings(fit)}</section>
<section id="measurements"><h2>Measured and simulated</h2>
{_values(fit, start, best)}{_curves(start, best)}{_left_out(fit)}</section>
<section id="knowledge"><h2>What the data know</h2>
<div class="columns"><div><h3>Correlation</h3>{_correlation(fit)}</div>
<div><h3>Directions, the best known first</h3>{_directions(fit)}</div></div></section>
<section id="search"><h2>The way there</h2>{_image(search_figure(fit), "sum of squares and keys")}
<p class="note">The search ended because {escape(fit.reason)}. {_left(fit)}</p>{_looks(fit)}
{_failed(fit)}</section>
<footer>Written by nmcsim {escape(__version__)}. The best case is best.toml, its result
<code>{escape(fit.result)}</code>; all numbers are in fit.json. This page needs no network.</footer>
</main></body></html>
"""


def _keys(fit: Fit) -> str:
    rows = []
    for v, best, error in zip(fit.varied, fit.best, fit.standard_errors, strict=True):
        shown, spread = quoted(best, error)
        low, high = fit.interval(v.key)
        # where it is large, the interval of a logarithmic key is not symmetric
        between = _powers(f"{low:.4g} to {high:.4g}") if np.isfinite(error) else "–"
        rows.append(
            (
                f"<code>{escape(v.key)}</code>", _powers(shown), f"± {_powers(spread)}",
                "" if v.unit == "1" else escape(v.unit), between,
                number(v.start), _powers(f"{v.low:g} to {v.high:g}"), "log" if v.log else "linear",
            )
        )  # fmt: skip
    head = (
        "Key", "best", "standard error", "unit", "one standard error each way", "start",
        "allowed", "scale",
    )  # fmt: skip
    return table(head, rows, "numbers")


def _powers(text: str) -> str:
    """Numbers in a text as people write them: 9.4e-16 as 9.4 × 10^-16."""
    return re.sub(r"e([+-]?)0*(\d+)", _power, text)


def _power(found: re.Match[str]) -> str:
    sign = "−" if found[1] == "-" else ""
    return f" × 10<sup>{sign}{found[2]}</sup>"


def _quality(fit: Fit) -> str:
    return "".join(f'<p class="note">{escape(line)}</p>' for line in fit.quality())


def _warnings(fit: Fit) -> str:
    if not fit.warnings:
        return ""
    items = "".join(f'<li class="bad">{escape(said)}</li>' for said in fit.warnings)
    return f"<h3>Before you quote them</h3><ul>{items}</ul>"


def _values(fit: Fit, start: Comparison, best: Comparison) -> str:
    before = {pair.name: pair for pair in start.pairs}
    rows = []
    for pair in best.pairs:
        if pair.measured is None or pair.name not in fit.used:
            continue
        first = before.get(pair.name)
        bound = f"{escape(pair.bound)} " if pair.bound else ""
        shown = " ± ".join(
            _powers(text) for text in beside(pair.measured, pair.uncertainty) if text
        )
        rows.append(
            (
                escape(pair.name), "" if pair.unit == "1" else escape(pair.unit),
                f"{bound}{shown}",
                number(first.simulated if first else None), number(pair.simulated),
                number(pair.z, 3),
            )
        )  # fmt: skip
    if not rows:
        return ""
    head = ("Measurement", "unit", "measured", "start", "best", "(best - measured) / σ")
    return table(head, rows, "numbers")


def _curves(start: Comparison, best: Comparison) -> str:
    before: dict[str, Pair] = {pair.name: pair for pair in start.pairs}
    images = [
        _image(curve_figure(pair, before.get(pair.name)), pair.name)
        for pair in of_series(best.pairs)
    ]
    if not images:
        return ""
    return f'<div class="columns" style="margin-top:14px">{"".join(images)}</div>'


def _left_out(fit: Fit) -> str:
    if not fit.unpaired:
        return ""
    rows = [(escape(name), escape(reason)) for name, reason in fit.unpaired.items()]
    return f"<h3>Left out: the simulation has nothing for them</h3>{table((), rows)}"


def _correlation(fit: Fit) -> str:
    short = short_names(list(fit.names))
    names = [escape(short[name]) for name in fit.names]
    rows = []
    for name, row in zip(names, fit.correlation, strict=True):
        rows.append((name, *(_shaded(value) for value in row)))
    return table(("", *names), rows, "numbers")


def _shaded(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    colour = "0,114,178" if value >= 0 else "213,94,0"
    style = f"background: rgba({colour},{0.5 * abs(value):.2f}); padding: 2px 8px"
    return f'<span style="{style}">{value:.3f}</span>'.replace(">-", ">−")


def _directions(fit: Fit) -> str:
    """Singular values: what is known of each combination of keys."""
    short = short_names(list(fit.names))
    rows = []
    for size, direction in zip(fit.singular, fit.directions, strict=True):
        # a direction has no sign of its own: its largest part is positive
        sign = 1.0 if direction[np.argmax(np.abs(direction))] >= 0 else -1.0
        parts = " ".join(
            f"{'−' if sign * share < 0 else '+'}{abs(share):.2f} {escape(short[name])}"
            for name, share in zip(fit.names, direction, strict=True)
            if abs(share) >= 0.05
        )
        error = f"{number(100.0 / size, 3)} %" if size > 1.0 else "all of it, and more"
        rows.append((parts, number(size, 3), error))
    head = ("Direction", "change of the data / σ", "standard error / interval")
    return table(head, rows, "numbers") + (
        '<p class="note">Each key counts in units of its interval. The change is that of all data'
        " together, in standard deviations, over one interval along the direction.</p>"
    )


def _left(fit: Fit) -> str:
    largest = max((abs(v) for v in fit.left), default=0.0)
    return f"The step to the minimum that is left is {largest:.2g} standard errors."


def _looks(fit: Fit) -> str:
    rows = [
        (
            str(n),
            *(number(value, 6) for value in look.values),
            number(look.chi2, 6),
            str(look.cases),
            "better" if look.best else "refused" if np.isfinite(look.chi2) else "no result",
        )
        for n, look in enumerate(fit.looks)
    ]
    short = short_names(list(fit.names))
    heads = (f"{escape(short[v.key])}{_in(v.unit)}" for v in fit.varied)
    made = table(("", *heads, "χ²" if fit.weighted else "sum of squares", "cases", ""), rows)
    return f"<details><summary>All points that were looked at</summary>{made}</details>"


def _failed(fit: Fit) -> str:
    if not fit.failed:
        return ""
    rows = [
        (", ".join(f"{escape(k)} = {v:.6g}" for k, v in values.items()), escape(cause))
        for values, cause in fit.failed
    ]
    return f"<h3>Points without a sound result</h3>{table(('Values', 'Cause'), rows)}"


def _in(unit: str) -> str:
    return "" if unit == "1" else f" / {escape(unit)}"


def _image(figure: Figure, about: str) -> str:
    return "".join(_tags(figure, about))


def _tags(figure: Figure, about: str) -> Iterator[str]:
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=DPI)
    data = base64.b64encode(held.getvalue()).decode()
    yield f'<figure><img alt="{escape(about)}" src="data:image/png;base64,{data}"></figure>'
