"""The interactive part of the page: a map that a slider moves, and curves with a cursor at the
same time.
"""

# Bokeh's own type stubs know neither its widgets nor its shorthands (a pair as a range, a
# column's name as a value):
# mypy: disable-error-code="attr-defined, arg-type, assignment, call-arg, union-attr"

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
    Span,
)
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from nmcsim.figures.curves import distance, has_asymmetry
from nmcsim.figures.maps import chains, section, theta_limits
from nmcsim.figures.sampler import Sampler
from nmcsim.figures.style import ROCK_SALT
from nmcsim.report.panels import (
    INK,
    SOFT,
    Card,
    Viewer,
    abscissae,
    boxes,
    card_values,
    cards_of,
    curve_lines,
    head,
    play_button,
    quiet,
    script,
    seen,
    time_slider,
)
from nmcsim.report.raster import Raster, rasterise
from nmcsim.report.tables import number
from nmcsim.results import Result


def viewer(result: Result, budget: int) -> Viewer:
    """The map, the curves and what links them; the frames take at most ``budget`` bytes deflated.

    Raises
    ------
    InputError
        The run recorded no map.
    """
    where = section(result)
    raster = rasterise(Sampler(where), where.time, where.theta, budget)
    if has_asymmetry(result):  # as in the figures: without slivers
        seen = {**result.history, "com_distance": distance(result)}
        result = replace(result, history=seen)
    source = ColumnDataSource({"image": [raster.image]}, name="frames")
    slider = time_slider(raster)
    axes = abscissae(result, raster.time)
    choice = RadioButtonGroup(
        labels=[str(axis["name"]) for axis in axes], active=0, name="abscissa"
    )
    curves = _curve_source(result, axes)
    panels, spans = _curves(result, curves, axes[0], raster.shown)
    cards = cards_of(result, raster.time)
    shared = {"slider": slider, "choice": choice, "axes": axes, "spans": spans}
    move = CustomJS(
        args={
            **shared,
            "source": source,
            "time": raster.time.tolist(),
            "cards": card_values(cards),
        },
        code=script("move.js"),
    )
    slider.js_on_change("value", move)
    choice.js_on_change(
        "active",
        CustomJS(
            args={**shared, "curves": curves, "bottom": panels[-1].xaxis[0]}, code=script("axis.js")
        ),
    )
    roots = {
        "map": _map(result, raster, source),
        "curves": column(*panels, sizing_mode="stretch_width"),
        "slider": slider,
        "play": play_button(slider),
        "choice": choice,
    }
    code, divs = components(roots)
    return Viewer(head({"theta": raster}), _body(divs, cards, raster) + code)


def _body(divs: Any, cards: Sequence[Card], raster: Raster) -> str:
    rows, columns = raster.shape
    note = (
        f"Map values are stored to ±{number(0.5 * raster.step, 2)} in θ on {columns} × {rows} "
        f"pixels, {len(raster.time)} frames; hover for values, drag or scroll to zoom."
    )
    return (
        f'<div class="cards">{boxes(cards, raster.shown)}</div>'
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
    quiet(plot)
    plot.grid.grid_line_color = None
    plot.title.align = "center"
    plot.title.text_font_style = "normal"
    plot.title.text_color = INK
    return plot


# -- the curves -------------------------------------------------------------------------------


def _curve_source(result: Result, axes: Sequence[dict[str, Any]]) -> ColumnDataSource:
    names = ("time", *_drawn(result), *(str(axis["column"]) for axis in axes))
    data = {name: seen(result, name)[0] for name in names}
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
        curve_lines(plot, source, [result[name] for name in names])
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
