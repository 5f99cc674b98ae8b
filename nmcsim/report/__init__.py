"""One page that shows a result: self-contained, offline, with a map that moves.

`write_report` is called at the end of every run; other modules hand it `Section`s of their own.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmcsim.figures import FigureKind, drawable, write_all
from nmcsim.report import tables
from nmcsim.report.comparison import comparison_parts
from nmcsim.report.electrode import electrode_viewer
from nmcsim.report.panels import Viewer, page_head, script
from nmcsim.report.tables import escape
from nmcsim.report.viewer import viewer
from nmcsim.results import Result, write_atomically

__all__ = ["Section", "write_report"]

KNOWN = {
    "status", "steps", "balance", "counts", "timing", "observables", "error_bars", "failure",
    "asynchrony", "capacity_loss", "activation", "half_cycles", "drift_limit",
}  # fmt: skip
"""Keys of the summary that have a place of their own on the page."""

LIMIT = 7_800_000
"""Bytes of a page; a mail or a repository takes it."""
ATTEMPTS = ((2_000_000, True), (1_000_000, True), (1_000_000, False), (400_000, False))
"""Bytes of deflated frames, and whether the PDFs of the figures are in the page: tried in this
order until it is below the limit."""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Parameters
    ----------
    anchor : str
        Its name in links: letters, digits and hyphens.
    title : str
        Plain text.
    body : str
        Ready HTML; escape what came from a user with `nmcsim.report.tables.escape`.
    """

    anchor: str
    title: str
    body: str


def write_report(result: Result, path: Path, sections: Sequence[Section] = ()) -> None:
    """Write the page of ``result`` to ``path``, atomically.

    Parameters
    ----------
    result : Result
        Its figures are drawn first where they are missing.
    path : Path
        Usually ``report.html`` in the result directory.
    sections : sequence of Section, optional
        Further parts (a comparison, a sweep), placed after the figures.

    Raises
    ------
    WriteFailure
        The disk is full or the folder may not be written.
    """
    content = b""
    for budget, with_paper in ATTEMPTS:
        content = _page(result, sections, budget, with_paper).encode("utf-8")
        if len(content) <= LIMIT:
            break
    write_atomically(path, content)


def _page(result: Result, sections: Sequence[Section], budget: int, with_paper: bool) -> str:
    moving = _viewer(result, budget) if _moves(result) else None
    name = "Lithium in the particle" if result.particles is None else "The electrode"
    parts = [
        *([Section("map", name, moving.body)] if moving else []),
        Section("outcome", "What happened", _outcome(result)),
        *_half_cycles(result),
        *_error_bars(result),
        Section("figures", "Figures", _figures(result, with_paper)),
        *_comparisons(result),
        *sections,
        Section("numbers", "Numbers", _numbers(result)),
        Section("case", "Case and provenance", _provenance(result)),
    ]
    links = "".join(f'<a href="#{part.anchor}">{escape(part.title)}</a>' for part in parts)
    bodies = "\n".join(
        f'<section id="{part.anchor}"><h2>{escape(part.title)}</h2>{part.body}</section>'
        for part in parts
    )
    title = escape(result.title)
    warn = "" if result.status == "finished" else " warn"
    version = escape(result.provenance.get("nmcsim", ""))
    return f"""{page_head(title, "page.css")}
{moving.head if moving else ""}
</head>
<body>
<main>
<header>
<h1>{title}</h1>
<p><span class="badge{warn}" id="status">{escape(result.status)}</span>{_lead(result)}</p>
<nav>{links}</nav>
</header>
<p id="old-browser" class="bad" hidden>This browser is too old to unpack the frames; the map shows
the first one. Any browser from 2023 on works.</p>
{bodies}
<footer>Written by nmcsim {version}. This page needs no network.</footer>
</main>
<script>{script("links.js")}</script>
</body>
</html>
"""


def _moves(result: Result) -> bool:
    return len(result.history.get("time", ())) > 1 and len(result.frame_times) > 0


def _viewer(result: Result, budget: int) -> Viewer:
    return viewer(result, budget) if result.particles is None else electrode_viewer(result, budget)


def _half_cycles(result: Result) -> list[Section]:
    if result.particles is None or not result.summary.get("half_cycles"):
        return []
    note = """<p class="note">Asynchrony is the largest minus the smallest activation time of the
observed particles, over the length of the half-cycle without its holds. A particle's t25 is when a
quarter of its own change over the half-cycle has happened; its slope is steepest where its mean θ
changes fastest. A cycle's loss is what its discharge does not give back of its charge, holds
included.</p>"""
    particles = f"<h3>t25 of each particle</h3>{tables.activation_table(result)}"
    return [
        Section("half-cycles", "Half-cycles", tables.half_cycles_table(result) + note + particles)
    ]


def _lead(result: Result) -> str:
    """Why the run ended: the failure, or the last step's reason where it is early; else what ended
    the steps.
    """
    failure = str(result.summary.get("failure") or "").strip()
    reasons = [] if not failure else [escape(failure.splitlines()[0])]
    steps = list(enumerate(result.steps, start=1))
    if result.status != "finished":
        steps.reverse()
    for n, step in steps:
        why = step.get("reason") or step.get("ended_by") or "nothing yet"
        name = f"step {n}, " if len(steps) > 1 else ""
        reasons.append(f"{name}{escape(step.get('sentence', ''))}: ended by {escape(why)}")
    hidden = len(reasons) - 2
    more = f" (and {hidden} more step{'s' * (hidden > 1)})" if hidden > 0 else ""
    return "; ".join(reasons[:2]) + more


def _outcome(result: Result) -> str:
    failure = result.summary.get("failure")
    report = f"<pre>{escape(failure)}</pre>" if failure else ""
    return report + tables.steps_table(result) + f"<h3>Balances</h3>{tables.balance_table(result)}"


def _error_bars(result: Result) -> list[Section]:
    bars = result.summary.get("error_bars")
    if not bars:
        return []
    note = """<p class="note">The case was run again with larger cells and looser tolerances. A bar
is what that changed: of a step its length, else the largest change at the times of all maps, beside
the value at the last one.</p>"""
    return [Section("error-bars", "Error bars", tables.error_bars_table(bars) + note)]


def _comparisons(result: Result) -> list[Section]:
    return [
        Section(f"beside-{count}", title, body)
        for count, (title, body) in enumerate(comparison_parts(result.directory), start=1)
    ]


def _figures(result: Result, with_paper: bool) -> str:
    folder = result.directory / "figures"
    kinds = drawable(result)
    files = [folder / f"{kind.name}{suffix}" for kind in kinds for suffix in (".png", ".pdf")]
    if not all(file.is_file() for file in files):
        write_all(result)
    if not kinds:
        return '<p class="note">The run ended before there was anything to draw.</p>'
    figures = "".join(_figure(folder, kind, with_paper) for kind in kinds)
    return f'<div class="figures">{figures}</div>'


def _figure(folder: Path, kind: FigureKind, with_paper: bool) -> str:
    picture = _data((folder / f"{kind.name}.png").read_bytes(), "image/png")
    link = "PDF in figures/"  # where the page has no room for it
    if with_paper:
        paper = _data((folder / f"{kind.name}.pdf").read_bytes(), "application/pdf")
        link = f'<a download="{kind.name}.pdf" href="{paper}">PDF</a>'
    # the PNG's link takes the picture's own source (links.js): the bytes are in the page once
    return (
        f"<figure{' class=full' if kind.wide else ''}>"
        f'<img id="figure-{kind.name}" alt="{escape(kind.title)}" src="{picture}">'
        f"<figcaption><b>{escape(kind.title)}</b>"
        f'<a download="{kind.name}.png" data-of="figure-{kind.name}" href="#">PNG</a>'
        f"{link}</figcaption></figure>"
    )


def _data(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _numbers(result: Result) -> str:
    more: dict[str, Any] = {k: v for k, v in result.summary.items() if k not in KNOWN}
    extra = f"<h3>More</h3>{tables.key_values(more)}" if more else ""
    left = f"<h3>Last row of the history</h3>{tables.observables_table(result)}"
    work = f"<h3>Work</h3>{tables.counts_table(result)}{tables.timing_table(result)}"
    return _columns(left, work + extra)


def _columns(left: str, right: str) -> str:
    return f'<div class="columns"><div>{left}</div><div>{right}</div></div>'


def _provenance(result: Result) -> str:
    case = (result.directory / "case.toml").read_text(encoding="utf-8")
    sides = _columns(
        f"<h3>Case</h3>{tables.key_values(result.case_table)}",
        f"<h3>Provenance</h3>{tables.key_values(result.provenance)}",
    )
    whole = f"<summary>case.toml, rerunnable as it is</summary><pre>{escape(case)}</pre>"
    return f"{sides}<details>{whole}</details>"
