"""Pieces that the interactive pages share: scripts, axes that can be chosen, curves, cards."""

# Bokeh's own type stubs know neither its widgets nor its shorthands (a column's name as a value):
# mypy: disable-error-code="attr-defined, arg-type, assignment, union-attr"

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, Slider, Toggle
from bokeh.plotting import figure
from bokeh.resources import Resources
from numpy.typing import NDArray

from nmcsim.figures.halfcycles import hours
from nmcsim.figures.style import COLOURS, label, shown
from nmcsim.report.raster import Raster
from nmcsim.report.tables import escape
from nmcsim.results import Result, Series

INK = "#1b2430"
SOFT = "#5b6675"


@dataclass(frozen=True)
class Viewer:
    """Ready HTML: ``head`` (scripts for the page's head) and ``body``."""

    head: str
    body: str


def script(name: str) -> str:
    """The JavaScript file ``name`` of this package."""
    return files("nmcsim.report").joinpath(name).read_text(encoding="utf-8")


def page_head(title: str, *styles: str) -> str:
    """The beginning of a self-contained page, up to its styles; `title` is escaped already."""
    css = "\n".join(map(script, styles))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{css}</style>"""


def head(rasters: Mapping[str, Raster]) -> str:
    """Bokeh itself, and the packed frames of each field with what unpacks them."""
    library = Resources(mode="inline", components=["bokeh", "bokeh-widgets"])
    packed = {
        name: {
            "inside": raster.inside,
            "frames": raster.frames,
            "low": raster.low,
            "step": raster.step,
        }
        for name, raster in rasters.items()
    }
    code = (
        f"{script('frames.js')}\nconst nmcsimPacked = {json.dumps(packed)};\n{script('start.js')}"
    )
    return f"{library.render_js()}\n<script>\n{code}</script>"


def time_slider(raster: Raster) -> Slider:
    """The slider over the frames of ``raster``."""
    last = len(raster.time) - 1
    return Slider(
        start=0,
        end=max(last, 1),
        value=raster.shown,
        step=1,
        title="Time (drag, or use the arrow keys)",
        name="frame",
        sizing_mode="stretch_width",
        show_value=False,
        disabled=last == 0,
        bar_color="#0072B2",
    )


def play_button(slider: Slider) -> Toggle:
    """A button that moves ``slider`` frame by frame."""
    play = Toggle(label="Play", name="play", button_type="primary", width=84)
    play.js_on_change(
        "active", CustomJS(args={"play": play, "slider": slider}, code=script("play.js"))
    )
    return play


def quiet(plot: figure) -> None:
    """Take away what is not data."""
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.outline_line_color = None
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.axis_label_text_color = INK
    plot.axis.axis_line_color = SOFT
    plot.axis.major_tick_line_color = SOFT
    plot.axis.minor_tick_line_color = None
    plot.grid.grid_line_color = "#e8ecf0"


def seen(result: Result, name: str) -> tuple[NDArray[np.float64], str, str]:
    """Values of the column ``name``, their unit and an axis label, as people read them: time in
    hours where the run lasts two or more.
    """
    values, unit = shown(result[name])
    if name == "time":
        values, unit = hours(result[name].values)
        return values, unit, f"Time / {unit}"
    return values, unit, label(result[name])


def abscissae(result: Result, times: NDArray[np.float64]) -> list[dict[str, Any]]:
    """What the curves can be drawn over, each with its value at ``times``."""
    names = [("time", "Time"), ("capacity", "Capacity"), ("soc", "State of charge")]
    found = []
    for name, title in names:
        if name not in result.history or not np.isfinite(result[name].values).any():
            continue
        values, _, words = seen(result, name)
        at = np.interp(times, result["time"].values, values)
        found.append({"name": title, "column": name, "label": words, "at": at.tolist()})
    return found


def curve_lines(plot: figure, source: ColumnDataSource, columns: Sequence[Series]) -> None:
    """Draw ``columns`` over the column ``x`` of ``source``."""
    several = len(columns) > 1
    renderers = []
    for i, (curve, dash) in enumerate(zip(columns, ("dashed", "solid", "dotted"), strict=False)):
        style = dash if several else "solid"
        extra = {"legend_label": curve.name.removeprefix("theta_")} if several else {}
        renderers.append(
            plot.line(
                "x",
                curve.name,
                source=source,
                line_width=2,
                line_dash=style,
                line_color=COLOURS[i if several else 0],
                **extra,
            )
        )
    text = "θ" if several else label(columns[0]).replace("Centre-of-mass distance", "COM distance")
    plot.yaxis.axis_label = text
    plot.yaxis.ticker.desired_num_ticks = 4
    tips = [("x", "@x{0.000}")]
    tips += [(c.name, f"@{c.name}{{0.0000}} {shown(c)[1]}".strip()) for c in columns]
    plot.add_tools(HoverTool(renderers=renderers[:1], mode="vline", tooltips=tips))
    if several:
        plot.add_layout(plot.legend[0], "above")
        plot.legend.orientation = "horizontal"
        plot.legend.border_line_color = None
        plot.legend.label_text_font_size = "12px"
        plot.legend.padding = 2
    quiet(plot)


@dataclass(frozen=True)
class Card:
    """A value above the map: its element's id, its title, and its text at every frame."""

    id: str
    title: str
    values: list[str]


def cards_of(result: Result, times: NDArray[np.float64]) -> list[Card]:
    """The cards of what ``result`` recorded, at ``times``."""
    titles = {
        "time": "time",
        "soc": "state of charge",
        "capacity": "capacity",
        "voltage": "voltage",
        "theta_mean": "mean θ",
        "com_distance": "COM distance",
    }
    t = result["time"].values
    cards = []
    for name, title in titles.items():
        if name not in result.history:
            continue
        values, unit, _ = seen(result, name)
        at = np.interp(times, t, values)
        cards.append(Card(f"now_{name}", title, [_card_text(value, unit) for value in at]))
    if "theta_min" in result.history and "theta_max" in result.history:
        ends = [np.interp(times, t, result[f"theta_{end}"].values) for end in ("min", "max")]
        texts = [f"{low:.3f} – {high:.3f}" for low, high in zip(*ends, strict=True)]
        cards.append(Card("now_theta_range", "lowest – highest θ", texts))
    return cards


def _card_text(value: float, unit: str) -> str:
    if np.isnan(value):
        return "–"
    # what lies below a thousandth of the unit shown is noise to the eye
    return f"{0.0 if abs(value) < 1e-3 else value:.4g} {unit}".strip()


def card_values(cards: Sequence[Card]) -> dict[str, list[str]]:
    """What the slider fills in: the texts of each card by its id."""
    return {card.id: card.values for card in cards}


def boxes(cards: Sequence[Card], frame: int) -> str:
    """The cards as HTML, with what they say at ``frame``."""
    return "".join(
        f'<div class="card"><b id="{card.id}">{card.values[frame]}</b>'
        f"<span>{escape(card.title)}</span></div>"
        for card in cards
    )
