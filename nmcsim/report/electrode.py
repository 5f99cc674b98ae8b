"""The interactive part of an electrode's page: a map of one of its fields and the curves of all its
particles, moved by one slider; a click on a particle, in the map or on its curve, picks it.

Each field is rasterised on one grid of `PIXELS` over the whole cross-section, and its frames are
packed as in `nmcsim.report.raster`: whole numbers of 8 to 12 bits, the differences along a row
deflated. Half of the bytes that a page may spend go to lithium.
"""

# Bokeh's own type stubs know neither its widgets nor its shorthands (a pair as a range, a
# column's name as a value):
# mypy: disable-error-code="attr-defined, arg-type, assignment, call-arg, union-attr"

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    TapTool,
)
from bokeh.palettes import Cividis256, Viridis256
from bokeh.plotting import figure
from numpy.typing import NDArray

from nmcsim.figures.electrode_maps import (
    GROUNDS,
    electrode_limits,
    field,
    ground,
    ground_image,
    outlines,
    upwards,
    whole_box,
)
from nmcsim.figures.halfcycles import called, colours, half_cycles, particles
from nmcsim.figures.sampler import Box, Sampler
from nmcsim.report.panels import (
    INK,
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
from nmcsim.report.tables import escape, number
from nmcsim.results import Result

Array = NDArray[np.float64]

PIXELS = 340
"""Of a map along its longer side; outlines are drawn as lines over it."""
FRAMES = 200
"""At most."""
ROWS = 1500
"""Points of a curve at most; rows are dense where something happens, and so are these."""


@dataclass(frozen=True)
class Shown:
    """A field that the map can show.

    Parameters
    ----------
    name : str
        As in the results.
    button, title : str
    unit : str
        Of the values shown.
    share : float
        Of the bytes.
    """

    name: str
    button: str
    title: str
    unit: str
    share: float


FIELDS = (
    Shown("theta", "θ", "Lithium per site θ", "", 0.5),
    Shown("phi_s", "φs", "Potential of the solid, over the collector's / mV", "mV", 0.26),
    Shown("c_l", "cl", "Salt in the electrolyte / mol/m³", "mol/m³", 0.12),
    Shown("phi_l", "φl", "Potential of the electrolyte, over the lithium's / mV", "mV", 0.12),
)


def electrode_viewer(result: Result, budget: int) -> Viewer:
    """The map, the curves and what links them; the frames take at most ``budget`` bytes deflated.

    Raises
    ------
    InputError
        The run recorded no map of theta, or its model has no particles.
    """
    box = whole_box(result)
    rasters = _rasters(result, box, budget)
    main = rasters["theta"]
    fields = [_field(result, which, rasters) for which in FIELDS if which.name in rasters]
    source = ColumnDataSource({"image": [main.image]}, name="frames")
    people = _people(result)
    history, curves = _history(result), _curves_at(result, main.time)
    axes = abscissae(result, main.time)
    slider = time_slider(main)
    field_choice = RadioButtonGroup(
        labels=[which.button for which in FIELDS if which.name in rasters], active=0, name="field"
    )
    which = RadioButtonGroup(labels=["Surface", "Mean"], active=0, name="curve")
    choice = RadioButtonGroup(
        labels=[str(axis["name"]) for axis in axes], active=0, name="abscissa"
    )
    plot, mapper = _map(result, box, source, people)
    dots = _dots(result, curves[0]["at"][main.shown], axes[0]["at"][main.shown])
    panels, spans = _panels(result, history, people, dots, axes[0], main.shown)
    cards = cards_of(result, main.time)
    told, now = _told(result), _now(result, main.time)
    redraw = CustomJS(
        args={
            "slider": slider, "field": field_choice, "which": which, "choice": choice,
            "time": main.time.tolist(), "fields": fields, "curves": curves, "axes": axes,
            "source": source, "mapper": mapper, "title": plot.title, "particles": people,
            "history": history, "dots": dots, "spans": spans, "bottom": panels[-1].xaxis[0],
            "left": panels[-1].yaxis[0], "cards": card_values(cards), "told": told, "now": now,
            "page": {"curve": 0, "axis": 0},
        },
        code=script("electrode.js"),
    )  # fmt: skip
    slider.js_on_change("value", redraw)
    for button in (field_choice, which, choice):
        button.js_on_change("active", redraw)
    people.selected.js_on_change("indices", redraw)
    roots = {
        "map": plot,
        "field": field_choice,
        "curves": column(*panels, sizing_mode="stretch_width"),
        "which": which,
        "slider": slider,
        "play": play_button(slider),
        "choice": choice,
    }
    code, divs = components(roots)
    picked = _picked_boxes(told, now, [half.name for half in half_cycles(result)])
    return Viewer(head(rasters), _body(divs, boxes(cards, main.shown), picked, rasters) + code)


def _body(divs: Any, cards: str, picked: str, rasters: Mapping[str, Raster]) -> str:
    main = rasters["theta"]
    rows, columns = main.shape
    stored = ", ".join(
        f"{which.button} to ±{number(0.5 * rasters[which.name].step, 2)} {which.unit}".strip()
        for which in FIELDS
        if which.name in rasters
    )
    note = (
        f"Map values are stored on {columns} × {rows} pixels, {len(main.time)} frames: {stored}. "
        "The colours of potentials and salt span what each moment has; those of θ are one scale. "
        "Hover for values, drag or scroll to zoom."
    )
    keys = "".join(
        f'<span><i style="background:{colour}"></i>{"particle" if name == "nmc" else name}</span>'
        for name, colour in GROUNDS.items()
    )
    return (
        f'<div class="cards">{cards}</div>'
        f'<div class="controls"><div>{divs["play"]}</div><div>{divs["slider"]}</div></div>'
        f'<div class="viewer electrode"><div>{divs["field"]}{divs["map"]}'
        f'<p class="keys">{keys}</p>'
        f'<h3>Particle picked</h3><div class="cards" id="picked">{picked}</div></div>'
        f'<div><div class="choices">{divs["choice"]}{divs["which"]}</div>{divs["curves"]}</div>'
        f'</div><p class="note">{note}</p>'
    )


# -- the map ----------------------------------------------------------------------------------


def _values(result: Result, name: str) -> NDArray[np.floating]:
    """Nodal frames of the field ``name`` in the unit shown."""
    where = field(result, name)
    if name == "phi_s":
        return 1e3 * where.values
    if name == "phi_l":
        # V = -phi_Li where the collector is the zero
        voltage = np.interp(where.time, result["time"].values, result["voltage"].values)
        return 1e3 * (where.values + voltage[:, None])
    return where.values


def _rasters(result: Result, box: Box, budget: int) -> dict[str, Raster]:
    """The packed fields, lithium first."""
    found = {}
    for which in FIELDS:
        if which.name in result.maps and len(result.maps[which.name].time):
            where = field(result, which.name)
            found[which.name] = rasterise(
                Sampler(where, PIXELS, box), where.time, _values(result, which.name),
                int(which.share * budget), FRAMES,
            )  # fmt: skip
    return found


def _field(result: Result, which: Shown, rasters: Mapping[str, Raster]) -> dict[str, Any]:
    """What the page knows of a field: its frame and its range of colours at each of lithium's."""
    main, own = rasters["theta"], rasters[which.name]
    frame = [int(np.argmin(np.abs(own.time - t))) for t in main.time]
    if which.name == "theta":
        limits = electrode_limits(result)
        low, high = ([limit] * len(frame) for limit in limits)
        palette = list(Viridis256)
    else:
        least, largest = own.least[frame], own.largest[frame]
        room = np.maximum(
            0.5 * (2 * own.step - (largest - least)), 0.0
        )  # a flat field has a colour
        low, high = (least - room).tolist(), (largest + room).tolist()
        palette = list(Cividis256)
    return {
        "name": which.name, "title": which.title, "frame": frame, "low": low, "high": high,
        "palette": palette,
    }  # fmt: skip


def _map(
    result: Result, box: Box, source: ColumnDataSource, people: ColumnDataSource
) -> tuple[figure, LinearColorMapper]:
    x0, y0, width, height = box
    up = upwards(result)
    low, high = electrode_limits(result)
    mapper = LinearColorMapper(palette=Viridis256, low=low, high=high, nan_color="rgba(0, 0, 0, 0)")
    across = round(min(470.0, 620.0 * width / height))
    plot = figure(
        frame_width=across,
        frame_height=round(across * height / width),
        x_range=(x0, x0 + width),
        y_range=(y0, y0 + height),
        x_axis_label="x / µm",
        y_axis_label=f"{up} / µm",
        tools="pan,wheel_zoom,reset,save",
        name="map",
        title=FIELDS[0].title,
    )
    behind = ground_image(ground(result, box, PIXELS))
    opaque = np.full((*behind.shape[:2], 1), 255, dtype=np.uint8)
    rgba = np.ascontiguousarray(np.concatenate([behind, opaque], axis=2)).view(np.uint32)[..., 0]
    plot.image_rgba(
        image=[rgba],  # type: ignore[list-item]
        x=x0,
        y=y0,
        dw=width,
        dh=height,
    )
    image = plot.image(
        image="image", source=source, x=x0, y=y0, dw=width, dh=height, color_mapper=mapper
    )
    patches = plot.patches(
        "px", "py", source=people, fill_alpha=0.0, line_color="edge", line_width="edge_width"
    )
    patches.selection_glyph = patches.glyph.clone(line_color="#000000", line_width=4)
    patches.nonselection_glyph = patches.glyph
    formatter = CustomJSHover(code="return isNaN(value) ? '–' : value.toFixed(4)")
    plot.add_tools(
        HoverTool(
            renderers=[image],
            tooltips=[("value", "@image{custom}"), (f"x, {up}", "$x{0.00}, $y{0.00} µm")],
            formatters={"@image": formatter},
        ),
        TapTool(renderers=[patches]),
    )
    plot.add_layout(
        ColorBar(color_mapper=mapper, width=12, bar_line_color=None, padding=6), "right"
    )
    quiet(plot)
    plot.grid.grid_line_color = None
    plot.title.text_font_style = "normal"
    plot.title.text_color = INK
    return plot, mapper


def _people(result: Result) -> ColumnDataSource:
    """One row per particle: outline, curves and colours. What is selected here is picked."""
    of = particles(result)
    lines = outlines(field(result, "theta"))
    around = [
        max(lines.get(i, []), key=len, default=np.empty((0, 2))) for i in range(len(of.names))
    ]
    kept = _kept(result)
    # single precision: they are drawn, and there is one for each particle
    surface, mean = (
        list(curves[kept].T.astype(np.float32)) for curves in (of.theta_surface, of.theta_mean)
    )
    time = seen(result, "time")[0][kept].astype(np.float32)
    colour = colours(of)
    return ColumnDataSource(
        {
            "name": [called(of, i) for i in range(len(of.names))],
            "px": [line[:, 0] for line in around],
            "py": [line[:, 1] for line in around],
            "xs": [time] * len(of.names),
            "ys": surface,
            "surface": surface,
            "mean": mean,
            "colour": colour,
            "edge": [c if seen else INK for c, seen in zip(colour, of.observed, strict=True)],
            "edge_width": np.where(of.observed, 2.4, 1.0).tolist(),
        },
        name="particles",
    )


# -- the curves -------------------------------------------------------------------------------


def _kept(result: Result) -> NDArray[np.int64]:
    """The rows that are drawn."""
    rows = len(result["time"])
    return np.unique(np.linspace(0, rows - 1, min(rows, ROWS)).round().astype(np.int64))


def _history(result: Result) -> ColumnDataSource:
    kept = _kept(result)
    names = [name for name in ("time", "capacity", "soc", "voltage") if name in result.history]
    data = {name: seen(result, name)[0][kept] for name in names}
    return ColumnDataSource({**data, "x": data["time"]}, name="history")


def _curves_at(result: Result, times: Array) -> list[dict[str, Any]]:
    """What can be drawn of each particle, with its value at every frame."""
    of, t = particles(result), result["time"].values
    return [
        {"column": name, "label": label, "at": _at(times, t, values).round(5).tolist()}
        for name, label, values in (
            ("surface", "Surface θ", of.theta_surface),
            ("mean", "Mean θ", of.theta_mean),
        )
    ]


def _at(times: Array, t: Array, values: Array) -> Array:
    """Columns (rows, p) at other times; (k, p)."""
    return np.column_stack([np.interp(times, t, column) for column in values.T])


def _dots(result: Result, y: Sequence[float], x: float) -> ColumnDataSource:
    colour = colours(particles(result))
    return ColumnDataSource({"x": [x] * len(y), "y": list(y), "colour": colour}, name="dots")


def _panels(
    result: Result,
    history: ColumnDataSource,
    people: ColumnDataSource,
    dots: ColumnDataSource,
    axis: dict[str, Any],
    frame: int,
) -> tuple[list[figure], list[Span]]:
    shared = DataRange1d(range_padding=0.02)

    def panel(name: str, height: int) -> tuple[figure, Span]:
        plot = figure(
            height=height,
            sizing_mode="stretch_width",
            x_range=shared,
            tools="pan,wheel_zoom,reset,save",
            name=f"curve_{name}",
            min_border_left=64,
        )
        span = Span(
            location=axis["at"][frame],
            dimension="height",
            line_color="#000000",
            line_width=1.4,
            name=f"cursor_{name}",
        )
        plot.add_layout(span)
        return plot, span

    above, first = panel("voltage", 165)
    curve_lines(above, history, [result["voltage"]])
    above.xaxis.major_label_text_font_size = "0px"
    below, second = panel("particles", 330)
    lines = below.multi_line("xs", "ys", source=people, line_color="colour", line_width=1.8)
    lines.selection_glyph = lines.glyph.clone(line_width=4.5, line_alpha=1.0)
    lines.nonselection_glyph = lines.glyph.clone(line_alpha=0.35)
    below.scatter(
        "x", "y", source=dots, size=7, fill_color="colour", line_color="white", line_width=0.8
    )
    below.add_tools(
        TapTool(renderers=[lines]),
        HoverTool(renderers=[lines], tooltips=[("", "@name"), ("θ", "$y{0.000}")]),
    )
    below.xaxis.major_label_text_font_size = "12px"
    below.xaxis.axis_label = axis["label"]
    below.yaxis.axis_label = "Surface θ"
    quiet(below)
    return [above, below], [first, second]


# -- what is told of a particle -----------------------------------------------------------------

NOW = {
    "picked_surface": "surface θ now",
    "picked_mean": "mean θ now",
    "picked_phi": "φs now, mean",
    "picked_current": "current now",
}


def _told(result: Result) -> dict[str, list[str]]:
    """Texts of each particle by the id of their element: what does not change with time."""
    of = particles(result)
    count = range(len(of.names))
    obstruction = [str(n) if n >= 0 else "unknown" for n in of.obstruction.tolist()]
    told = {
        "picked_name": [of.names[i] + ("" if of.active[i] else ", without contact") for i in count],
        "picked_obstruction": obstruction,
    }
    for place, half in enumerate(half_cycles(result), start=1):
        share = half.share(half.t25)
        told[f"picked_t25_{place}"] = [
            f"{share[i]:.3f}" if np.isfinite(share[i]) else "–" for i in count
        ]
    return told


def _now(result: Result, times: Array) -> dict[str, list[list[str]]]:
    """Texts of each particle at each frame by the id of their element."""
    of, t = particles(result), result["time"].values
    per = {
        "picked_surface": (of.theta_surface, 1.0, ".4f", ""),
        "picked_mean": (of.theta_mean, 1.0, ".4f", ""),
        "picked_phi": (of.phi_s, 1e3, ".4g", " mV"),
        "picked_current": (of.current, 1e12, ".4g", " pA"),
    }
    return {
        name: [[f"{factor * v:{form}}{unit}" for v in row] for row in _at(times, t, values)]
        for name, (values, factor, form, unit) in per.items()
    }


def _picked_boxes(told: Mapping[str, Any], now: Mapping[str, Any], halves: Sequence[str]) -> str:
    titles = {"picked_name": "particle", "picked_obstruction": "obstruction"}
    titles |= {f"picked_t25_{place}": f"t25, {name}" for place, name in enumerate(halves, start=1)}
    titles |= NOW
    first = "click one"
    return "".join(
        f'<div class="card"><b id="{name}">{first if name == "picked_name" else "–"}</b>'
        f"<span>{escape(title)}</span></div>"
        for name, title in titles.items()
        if name in told or name in now
    )
