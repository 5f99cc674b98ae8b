"""The interactive part of the page: a map that a slider moves, and curves with a cursor at the
same time.
"""

# Bokeh's own type stubs know neither its widgets nor its shorthands (a pair as a range, a
# column's name as a value):
# mypy: disable-error-code="attr-defined, arg-type, assignment, call-arg, union-attr"

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import numpy as np
from bokeh.embed import components
from bokeh.layouts import column
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    CustomJS,
    CustomJSHover,
    DataRange1d,
    HoverTool,
    LinearColorMapper,
    RadioButtonGroup,
    Slider,
    Span,
    Toggle,
)
from bokeh.palettes import Viridis256
from bokeh.plotting import figure
from bokeh.resources import Resources

from nmcsim.figures.curves import distance, has_asymmetry
from nmcsim.figures.maps import chains, section, theta_limits
from nmcsim.figures.style import COLOURS, ROCK_SALT, label, shown
from nmcsim.report.raster import Raster, rasterise
from nmcsim.report.tables import escape, number
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


def viewer(result: Result, budget: int) -> Viewer:
    """The map, the curves and what links them; the frames take at most ``budget`` bytes deflated.

    Raises
    ------
    InputError
        The run recorded no map.
    """
    raster = rasterise(section(result), budget)
    if has_asymmetry(result):  # as in the figures: without slivers
        seen = {**result.history, "com_distance": distance(result)}
        result = replace(result, history=seen)
    last = len(raster.time) - 1
    source = ColumnDataSource({"image": [raster.image]}, name="frames")
    slider = Slider(
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
    axes = _axes(result, raster)
    choice = RadioButtonGroup(
        labels=[str(axis["name"]) for axis in axes], active=0, name="abscissa"
    )
    curves = _curve_source(result, axes)
    panels, spans = _curves(result, curves, axes[0], raster.shown)
    cards = _cards(result, raster)
    shared = {"slider": slider, "choice": choice, "axes": axes, "spans": spans}
    move = CustomJS(
        args={**shared, "source": source, "time": raster.time.tolist(), "cards": _values(cards)},
        code=script("move.js"),
    )
    slider.js_on_change("value", move)
    choice.js_on_change(
        "active",
        CustomJS(
            args={**shared, "curves": curves, "bottom": panels[-1].xaxis[0]}, code=script("axis.js")
        ),
    )
    play = Toggle(label="Play", name="play", button_type="primary", width=84)
    play.js_on_change(
        "active", CustomJS(args={"play": play, "slider": slider}, code=script("play.js"))
    )
    roots = {
        "map": _map(result, raster, source),
        "curves": column(*panels, sizing_mode="stretch_width"),
        "slider": slider,
        "play": play,
        "choice": choice,
    }
    code, divs = components(roots)
    return Viewer(_head(raster), _body(divs, cards, raster) + code)


def _head(raster: Raster) -> str:
    library = Resources(mode="inline", components=["bokeh", "bokeh-widgets"])
    packed = {
        "inside": raster.inside,
        "frames": raster.frames,
        "low": raster.low,
        "step": raster.step,
    }
    code = (
        f"{script('frames.js')}\nconst nmcsimPacked = {json.dumps(packed)};\n{script('start.js')}"
    )
    return f"{library.render_js()}\n<script>\n{code}</script>"


def _body(divs: Any, cards: Sequence[Card], raster: Raster) -> str:
    boxes = "".join(
        f'<div class="card"><b id="{card.id}">{card.values[raster.shown]}</b>'
        f"<span>{escape(card.title)}</span></div>"
        for card in cards
    )
    rows, columns = raster.shape
    note = (
        f"Map values are stored to ±{number(0.5 * raster.step, 2)} in θ on {columns} × {rows} "
        f"pixels, {len(raster.time)} frames; hover for values, drag or scroll to zoom."
    )
    return (
        f'<div class="cards">{boxes}</div>'
        f'<div class="controls"><div>{divs["play"]}</div><div>{divs["slider"]}</div></div>'
        f'<div class="viewer"><div>{divs["map"]}</div>'
        f'<div>{divs["choice"]}{divs["curves"]}</div></div><p class="note">{note}</p>'
    )


# -- the map ----------------------------------------------------------------------------------


def _map(result: Result, raster: Raster, source: ColumnDataSource) -> figure:
    where = section(result)
    x0, y0, width, height = raster.extent
    low, high = theta_limits(result)
    mapper = LinearColorMapper(palette=Viridis256, low=low, high=high, nan_color="rgba(0, 0, 0, 0)")
    pad = 0.06 * max(width, height)
    plot = figure(
        frame_width=400,
        frame_height=round(400 * (height + 2 * pad) / (width + 2 * pad)),
        x_range=(x0 - pad, x0 + width + pad),
        y_range=(y0 - pad, y0 + height + pad),
        x_axis_label="x / µm",
        y_axis_label="y / µm",
        tools="pan,wheel_zoom,reset,save",
        name="map",
        title="Lithium per site θ",
    )
    x, y = 1e6 * where.nodes.T
    blocked = chains(where.boundary[where.rock_salt])
    if blocked:
        # below the image, which hides its inner half
        plot.multi_line(
            [x[c] for c in blocked],
            [y[c] for c in blocked],
            line_color=ROCK_SALT,
            line_width=13,
            line_cap="butt",
            line_join="round",
            legend_label="rock salt",
        )
        plot.legend.location = "bottom_left"
        plot.legend.border_line_color = None
        plot.legend.background_fill_alpha = 0.0
        plot.legend.label_text_color = SOFT
        plot.legend.padding = 2
        plot.legend.glyph_height = 14
    image = plot.image(
        image="image", source=source, x=x0, y=y0, dw=width, dh=height, color_mapper=mapper
    )
    outline = chains(where.boundary)
    plot.multi_line(
        [x[c] for c in outline], [y[c] for c in outline], line_color=INK, line_width=1.2
    )
    formatter = CustomJSHover(code="return isNaN(value) ? 'outside' : value.toFixed(4)")
    plot.add_tools(
        HoverTool(
            renderers=[image],
            tooltips=[("θ", "@image{custom}"), ("x, y", "$x{0.000}, $y{0.000} µm")],
            formatters={"@image": formatter},
        )
    )
    bar = ColorBar(color_mapper=mapper, width=12, bar_line_color=None, padding=6)
    plot.add_layout(bar, "right")
    _quiet(plot)
    plot.grid.grid_line_color = None
    plot.title.align = "center"
    plot.title.text_font_style = "normal"
    plot.title.text_color = INK
    return plot


def _quiet(plot: figure) -> None:
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.outline_line_color = None
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.axis_label_text_color = INK
    plot.axis.axis_line_color = SOFT
    plot.axis.major_tick_line_color = SOFT
    plot.axis.minor_tick_line_color = None
    plot.grid.grid_line_color = "#e8ecf0"


# -- the curves -------------------------------------------------------------------------------


def _axes(result: Result, raster: Raster) -> list[dict[str, Any]]:
    """What the curves can be drawn over, each with its value at every frame."""
    names = [("time", "Time"), ("capacity", "Capacity"), ("soc", "State of charge")]
    found = []
    for name, title in names:
        if name not in result.history or not np.isfinite(result[name].values).any():
            continue
        at = np.interp(raster.time, result["time"].values, shown(result[name])[0])
        axis = {"name": title, "column": name, "label": label(result[name]), "at": at.tolist()}
        found.append(axis)
    return found


def _curve_source(result: Result, axes: Sequence[dict[str, Any]]) -> ColumnDataSource:
    data = {name: shown(result[name])[0] for name in ("time", *_drawn(result))}
    data |= {str(axis["column"]): shown(result[axis["column"]])[0] for axis in axes}
    return ColumnDataSource({**data, "x": data["time"]}, name="history")


def _drawn(result: Result) -> list[str]:
    wanted = ("voltage", "com_distance", "theta_mean", "theta_min", "theta_max")
    return [
        name for name in wanted if name in result.history and np.isfinite(result[name].values).any()
    ]


def _curves(
    result: Result, source: ColumnDataSource, axis: dict[str, Any], frame: int
) -> tuple[list[figure], list[Span]]:
    groups = [["voltage"], ["com_distance"], ["theta_max", "theta_mean", "theta_min"]]
    drawn = _drawn(result)
    kept = [group for names in groups if (group := [name for name in names if name in drawn])]
    shared = DataRange1d(range_padding=0.02)
    panels, spans = [], []
    for number_, names in enumerate(kept):
        last = number_ == len(kept) - 1
        plot = figure(
            height=210 if last else 150,
            sizing_mode="stretch_width",
            x_range=shared,
            tools="pan,wheel_zoom,reset,save",
            name=f"curve_{names[0]}",
            min_border_left=64,
        )
        _lines(plot, source, [result[name] for name in names])
        plot.xaxis.major_label_text_font_size = "12px" if last else "0px"
        if last:
            plot.xaxis.axis_label = axis["label"]
        span = Span(
            location=axis["at"][frame],
            dimension="height",
            line_color="#000000",
            line_width=1.4,
            name=f"cursor_{names[0]}",
        )
        plot.add_layout(span)
        panels.append(plot)
        spans.append(span)
    return panels, spans


def _lines(plot: figure, source: ColumnDataSource, columns: Sequence[Series]) -> None:
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
    _quiet(plot)


# -- the cards --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """A value above the map: its element's id, its title, and its text at every frame."""

    id: str
    title: str
    values: list[str]


def _cards(result: Result, raster: Raster) -> list[Card]:
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
        values, unit = shown(result[name])
        at = np.interp(raster.time, t, values)
        cards.append(Card(f"now_{name}", title, [_card_text(value, unit) for value in at]))
    if "theta_min" in result.history and "theta_max" in result.history:
        ends = [np.interp(raster.time, t, result[f"theta_{end}"].values) for end in ("min", "max")]
        texts = [f"{low:.3f} – {high:.3f}" for low, high in zip(*ends, strict=True)]
        cards.append(Card("now_theta_range", "lowest – highest θ", texts))
    return cards


def _card_text(value: float, unit: str) -> str:
    if np.isnan(value):
        return "–"
    # what lies below a thousandth of the unit shown is noise to the eye
    return f"{0.0 if abs(value) < 1e-3 else value:.4g} {unit}".strip()


def _values(cards: Sequence[Card]) -> dict[str, list[str]]:
    return {card.id: card.values for card in cards}
