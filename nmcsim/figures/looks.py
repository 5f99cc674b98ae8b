"""How the lines of several results are told apart: rates by colour, particles by dashes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

from nmcsim.figures.style import COLOURS, DASHES
from nmcsim.results import Result

RATE = re.compile(r"\bat\s+(?:C/([\d.]+)|([\d.]+)\s*C\b)")

NAMED = 2
"""Keys that a legend tells results of one title apart by, at most."""
LONGEST = 40
"""Characters of such a name, at most: one journal column is 85 mm wide."""


@dataclass(frozen=True)
class Look:
    """One line: what it is called, its colour and its dashes."""

    label: str
    colour: str
    dashes: Any


def looks(results: Sequence[Result], labels: Sequence[str] = ()) -> list[Look]:
    """A look for each of ``results``.

    One colour for each rate, dark for the slow ones (ordered in grey, too), and dashes for each
    particle, where the titles name particles ("Aged crystal, 1C") that are compared at several
    rates. Otherwise, and with ``labels``, each has a colour and dashes of its own; results of one
    title are told apart by what differs in their cases.

    Parameters
    ----------
    results : sequence of Result
    labels : sequence of str, optional
        One per result.
    """
    rates = [_rate(result) for result in results]
    kinds = [_kind(result.title, rate) for result, rate in zip(results, rates, strict=True)]
    pairs = list(zip(kinds, rates, strict=True))
    different = sorted(set(rates))
    if labels or 0.0 in rates or len(different) < 2 or len(set(pairs)) < len(pairs):
        names = labels or _names(results)
        return [
            Look(name, COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)])
            for i, name in enumerate(names)
        ]
    shades = [to_hex(c) for c in mpl.colormaps["viridis"](np.linspace(0.0, 0.85, len(different)))]
    colours = dict(zip(different, shades, strict=True))
    if len(set(kinds)) == 1:
        own = dict(zip(different, cycle(DASHES), strict=False))
        return [Look(_name(rate), colours[rate], own[rate]) for rate in rates]
    dashes = dict(zip(dict.fromkeys(kinds), cycle(DASHES), strict=False))
    return [Look(f"{kind}, {_name(rate)}", colours[rate], dashes[kind]) for kind, rate in pairs]


def legend(axes: Axes, chosen: Sequence[Look]) -> None:
    """Name the lines: rates and particles apart where each line is a pair of the two."""
    kinds: dict[str, Any] = {}
    rates: dict[str, str] = {}
    for look in chosen:
        kind, comma, rate = look.label.rpartition(", ")
        kinds[kind if comma else ""] = look.dashes
        rates[rate] = look.colour
    factored = (
        len(kinds) > 1
        and len(rates) > 1
        and len(kinds) + len(rates) <= len(chosen) + 1
        and len(set(kinds.values())) == len(kinds)
        and all(_is_pair(look, kinds, rates) for look in chosen)
    )
    if not factored:
        handles = [Line2D([], [], color=k.colour, ls=k.dashes, label=k.label) for k in chosen]
    else:
        handles = [Line2D([], [], color=colour, label=rate) for rate, colour in rates.items()]
        handles += [Line2D([], [], color="black", ls=d, label=kind) for kind, d in kinds.items()]
    axes.legend(handles=handles, loc="best", handlelength=2.6)


def _is_pair(look: Look, kinds: Mapping[str, Any], rates: Mapping[str, str]) -> bool:
    kind, _, rate = look.label.rpartition(", ")
    return bool(kinds[kind] == look.dashes and rates[rate] == look.colour)


def _names(results: Sequence[Result]) -> list[str]:
    """Titles; where several share one, what differs in their cases, or else their directories."""
    titles = [result.title for result in results]
    names = list(titles)
    for title in {title for title in titles if titles.count(title) > 1}:
        alike = [i for i, other in enumerate(titles) if other == title]
        marks = _differences([results[i] for i in alike])
        for i, mark in zip(alike, marks, strict=True):
            names[i] = mark if len(set(titles)) == 1 else f"{title} ({mark})"
    return names


def _differences(results: Sequence[Result]) -> list[str]:
    """What tells cases of one title apart: up to `NAMED` keys that differ, else the directories."""
    tables = [_flat(result.case_table) for result in results]
    keys = dict.fromkeys(key for table in tables for key in table)
    differ = [key for key in keys if len({table.get(key, "default") for table in tables}) > 1]
    marks = [
        "; ".join(f"{key.rpartition('.')[2]} {table.get(key, 'default')}" for key in differ)
        for table in tables
    ]
    if len(differ) <= NAMED and len(set(marks)) == len(marks) and max(map(len, marks)) <= LONGEST:
        return marks
    folders = [result.directory.resolve() for result in results]
    names = [folder.name for folder in folders]
    return names if len(set(names)) == len(names) else [str(r.directory) for r in results]


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """The keys of nested tables, dotted, with their values as text."""
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = (
                ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            )
    return flat


def _rate(result: Result) -> float:
    """C-rate of the first step; 0 where it has none."""
    sentence = str(result.steps[0].get("sentence", "")) if result.steps else ""
    found = RATE.search(sentence)
    if found is None:
        return 0.0
    return 1.0 / float(found[1]) if found[1] else float(found[2])


def _name(rate: float) -> str:
    return f"{rate:g}C" if rate >= 1.0 else f"C/{1.0 / rate:g}"


def _kind(title: str, rate: float) -> str:
    """What the title names beside the rate."""
    return re.sub(rf"[,\s]*(?:\bat\s+)?{re.escape(_name(rate))}\b", "", title) if rate else title
