"""One page that shows a sweep: a map of its parameters, its curves, parallel coordinates, failures.

Self-contained and offline, as the page of a run. Its figures are drawn on canvas by the scripts
beside this file and not by Bokeh: map, curves and parallel coordinates share one state (the brushes
and the picked case), a thousand cases must follow a brush at once, Bokeh has no parallel
coordinates, and the page of a small sweep is 300 kB instead of 1.3 MB. The scripts stand one after
the other in one function:

    sweep_state.js   the cases, the brushes, the picked case
    sweep_axes.js    colours, scales, a panel with two canvases
    sweep_map.js     the parameter map
    sweep_lines.js   the family of curves; parallel coordinates
    sweep_page.js    selectors, the picked case in words, downloads
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.colors import to_hex

from nmcsim import __version__
from nmcsim.figures.style import THETA_MAP
from nmcsim.report import sweep_tables as tables
from nmcsim.report.panels import page_head, script
from nmcsim.report.sweep_data import Column, columns_of, pack
from nmcsim.report.tables import escape
from nmcsim.results import write_atomically
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.record import Record
from nmcsim.sweeps.table import read_records

__all__ = ["write_sweep_report"]

SCRIPTS = ("sweep_state.js", "sweep_axes.js", "sweep_map.js", "sweep_lines.js", "sweep_page.js")
COLOURS = 64


def write_sweep_report(directory: Path, path: Path | None = None) -> Path:
    """Write the page of a sweep, atomically; also while the sweep runs.

    Parameters
    ----------
    directory : Path
        Of the sweep: its plan and records are read, no result is.
    path : Path, optional
        ``report.html`` in the directory, if not given. Links to the reports of cases are relative
        to it.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    InputError
        The directory is not that of a sweep.
    WriteFailure
        The disk is full or the folder may not be written.
    """
    path = directory / "report.html" if path is None else path
    plan = Plan.read(directory)
    found = read_records(plan, directory)
    records = [found.get(case.hash) for case in plan.cases]
    write_atomically(path, _page(plan, directory, path, records).encode("utf-8"))
    return path


def _page(plan: Plan, directory: Path, path: Path, records: Sequence[Record | None]) -> str:
    columns = columns_of(plan, records)
    packed = pack(plan, columns, directory, path, records)
    title = escape(plan.title or "Sweep")
    numbers = [case.number for case in plan.cases]
    code = "\n".join(map(script, SCRIPTS))
    return f"""{page_head(title, "page.css", "sweep.css")}
</head>
<body>
<main>
<header>
<h1>{title}</h1>
<p>{_badge(records)}{_lead(columns)}</p>
{tables.cards(records)}
<nav><a href="#map">Map</a><a href="#curves">Curves</a><a href="#parallel">Parallel coordinates</a>
<a href="#failures">Failures</a><a href="#varied">What varies</a><a href="#base">Base case</a></nav>
</header>
<noscript><p class="bad">JavaScript, which draws the figures, is off.</p></noscript>
{script("sweep_board.html")}<section id="failures"><h2>Failed and ended early</h2>
{tables.failures(columns, numbers, records)}</section>
<section id="varied"><h2>What varies</h2>{tables.varied(columns)}</section>
<section id="base"><h2>Base case and provenance</h2>{tables.versions(records)}
{tables.base_case(plan)}</section>
<footer>Written by nmcsim {escape(__version__)}. This page needs no network.</footer>
</main>
<div id="tip" hidden></div>
<script type="application/json" id="data">{_json(packed | {"palette": _palette()})}</script>
<script>
(() => {{
"use strict";
{code}
}})();
</script>
</body>
</html>
"""


def _json(content: Any) -> str:
    # no text in it can end the script that holds it
    text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _palette() -> list[str]:
    colours = mpl.colormaps[THETA_MAP]
    return [to_hex(colours(k / (COLOURS - 1))) for k in range(COLOURS)]


def _badge(records: Sequence[Record | None]) -> str:
    """The state of the sweep in a word: what failed, else what is missing."""
    found = tables.counts(records)
    if found["failed"]:
        return f'<span class="badge warn" id="status">{found["failed"]} failed</span>'
    if found["open"]:
        return f'<span class="badge open" id="status">{found["open"]} open</span>'
    early = f", {found['ended early']} ended early" if found["ended early"] else ""
    return f'<span class="badge" id="status">complete{early}</span>'


def _lead(columns: Sequence[Column]) -> str:
    """What varies, in a sentence."""
    names = [f"{escape(c.label)} ({len(set(c.values))})" for c in columns if c.parameter]
    return f"varied: {', '.join(names)}" if names else "nothing varies"
