"""Maps of an electrode's cross-section: lithium over the half-cycles (Fig. 5), and the way of the
electrons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.figures.halfcycles import (
    HalfCycle,
    colours,
    followed,
    half_cycles,
    hours,
    particles,
    rows_of,
    within,
)
from nmcsim.figures.maps import chains, colour_limits
from nmcsim.figures.sampler import PIXELS, Box, Sampler, Triangles, box_of
from nmcsim.figures.style import THETA_MAP, TWO_COLUMNS, new_figure, styled
from nmcsim.results import FieldMap, Result

Array = NDArray[np.float64]

SHARES = (0.05, 0.3, 0.6, 0.9)
"""Of the charge that passes in a half-cycle: where its maps are drawn, the activation well seen."""
ROWS = 3
POTENTIAL_MAP = "cividis"
LEVELS = 240
TALLEST = 3.6  # inch
GROUNDS = {"liquid": "#eef4f8", "nmc": "#d9d9d9", "binder": "#a9a9a9", "contact": "#5a5a5a"}
"""What lies behind a map, by region; particles only where their own field is not drawn."""


# -- the section --------------------------------------------------------------------------------


def field(result: Result, name: str) -> FieldMap:
    """The map of the field ``name``.

    Raises
    ------
    InputError
        The run recorded none.
    """
    found = result.maps.get(name)
    if found is None or not len(found.time):
        message = f"recorded no map of {name}; ask for frames in [output] and run again"
        raise InputError(Mistake(str(result.directory), message))
    return found


def whole_box(result: Result) -> Box:
    """The box around all maps of ``result``: the electrode's cross-section."""
    return box_of(*result.maps.values())


def ground(result: Result, box: Box, pixels: int) -> NDArray[np.str_]:
    """The region of each pixel of the cross-section (rows, columns), empty where nothing is."""
    found: NDArray[np.str_] | None = None
    # a later one lies above; a field whose map names no regions lives in one
    for name, own in (("c_l", "liquid"), ("phi_s", "nmc"), ("theta", "nmc")):
        if (where := result.maps.get(name)) is None:
            continue
        sample = Sampler(where, pixels, box)
        if found is None:
            found = np.full(sample.shape, "", dtype="U16")
        region = np.full(len(where.triangles), own)
        if where.part_names:
            region = np.array([_ground_name(name) for name in where.part_names])[where.part]
        found[sample.inside] = region[sample.triangle]
    assert found is not None
    return found


def _ground_name(region: str) -> str:
    return "nmc" if region.startswith("particle[") else region


def ground_image(regions: NDArray[np.str_]) -> NDArray[np.uint8]:
    """Quiet colours (rows, columns, 3) of `ground`."""
    image = np.full((*regions.shape, 3), 255, dtype=np.uint8)
    for name, colour in GROUNDS.items():
        image[regions == name] = np.round(255 * np.array(to_rgb(colour)))
    return image


def edges(triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """The edges (b, 2) on the outline of ``triangles``: those that one triangle alone has."""
    sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, counts = np.unique(sides, axis=0, return_counts=True)
    return np.asarray(unique[counts == 1])


def outlines(where: FieldMap) -> dict[int, list[Array]]:
    """The lines [um] around each particle of ``where``; none around one that a section misses."""
    x = 1e6 * where.nodes
    return {
        number: [x[line] for line in chains(edges(where.triangles[where.part == number]))]
        for number in np.unique(where.part).tolist()
    }


def upwards(result: Result) -> str:
    """The axis that points away from the collector: y, in 3D z."""
    return "z" if particles(result).centre.shape[1] == 3 else "y"


def position_heads(result: Result) -> list[str]:
    """Heads of the columns of positions."""
    return ["x [um]", f"{upwards(result)} [um]"]


def scale_bar(axes: Axes, box: Box) -> None:
    """A bar of 1, 2 or 5 times a power of ten in micrometres below the lower right corner."""
    length = nice_below(0.25 * box[2])
    right, y = box[0] + box[2], box[1] - 0.06 * box[3]
    axes.plot([right - length, right], [y, y], color="black", lw=1.8, solid_capstyle="butt",
              clip_on=False)  # fmt: skip
    axes.annotate(
        f"{length:g} µm", (right - length, y), (-3, 0), textcoords="offset points", ha="right",
        va="center", fontsize=7, annotation_clip=False,
    )  # fmt: skip


def _look(colours: str, low: float, high: float) -> ScalarMappable:
    """Colours of a field: so few that with the ground's they are 256 at most, which an image of a
    PDF keeps as one byte each.
    """
    return ScalarMappable(Normalize(low, high), colormaps[colours].resampled(LEVELS))


def nice_below(length: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is at most ``length``."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(power * max(step for step in (1, 2, 5) if step * power <= length * (1 + 1e-9)))


class Backdrop:
    """What all panels of a figure share: regions, outlines and the marks of the observed.

    Parameters
    ----------
    result : Result
    pixels : int
        Along the longer side.
    """

    def __init__(self, result: Result, pixels: int) -> None:
        self.of = particles(result)
        self.box, self.pixels = whole_box(result), pixels
        self.image = ground_image(ground(result, self.box, pixels))
        where = field(result, "theta")
        self.lines = outlines(where)
        self.tops = {
            piece: [part for line in lines for part in _upper(line)]
            for piece, lines in self.lines.items()
        }

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top [um]."""
        x0, y0, width, height = self.box
        return x0, x0 + width, y0, y0 + height

    def sampler(self, where: Triangles) -> Sampler:
        """Pixels of another map on the same box."""
        return Sampler(where, self.pixels, self.box)

    def draw(self, axes: Axes, values: Array, look: ScalarMappable, width: float = 1.8) -> None:
        """A field before its ground, and the outlines.

        Parameters
        ----------
        axes : Axes
        values : (rows, columns) array
            Pixels of the field, NaN where the ground is seen.
        look : ScalarMappable
            Its colours.
        width : float
            Of the line on the upper edge of an observed particle, in its colour [pt].
        """
        image, shown = self.image.copy(), np.isfinite(values)
        image[shown] = look.to_rgba(values[shown], bytes=True)[:, :3]
        # one opaque image a panel: a page embeds every pixel that is drawn
        axes.imshow(image, extent=self.extent, origin="lower", interpolation="nearest", zorder=1)
        colour = colours(self.of)
        for piece, lines in self.lines.items():
            for line in lines:
                axes.plot(*line.T, color="#3c4650", lw=0.35, zorder=3)
            if self.of.observed[piece]:
                for line in self.tops[piece]:
                    axes.plot(*line.T, color=colour[piece], lw=width, zorder=4,
                              solid_capstyle="butt")  # fmt: skip
        axes.set_xlim(self.extent[:2])
        axes.set_ylim(self.extent[2:])
        axes.set_aspect("equal")
        axes.set_axis_off()


def _upper(line: Array) -> list[Array]:
    """The parts of a closed ``line`` that look upwards: above two thirds of its height."""
    y = line[:, 1]
    high = y > y.min() + (2.0 / 3.0) * np.ptp(y)
    closed = np.allclose(line[0], line[-1])
    if closed and not high.all():  # begin where it is low, so that no part is cut in two
        start = int(np.argmin(high[:-1]))
        line = np.vstack([np.roll(line[:-1], -start, axis=0), line[start]])
        high = np.append(np.roll(high[:-1], -start), high[start])
    changes = np.flatnonzero(np.diff(high.astype(int))) + 1
    return [part for part, up in zip(np.split(line, changes), np.split(high, changes), strict=True)
            if up.any() and len(part) > 1]  # fmt: skip


# -- lithium ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """A recorded frame to draw: its number, time [s], row of the figure, and label."""

    number: int
    time: float
    row: int
    label: str


def frames(result: Result, shares: Sequence[float] = SHARES) -> list[Frame]:
    """The recorded frames nearest to ``shares`` of the charge of each of the first half-cycles.

    Without half-cycles: of the whole run. A frame is shown as it was recorded; between two frames
    a particle may have gone from full to empty, and their mean was never there.

    Parameters
    ----------
    result : Result
    shares : sequence of float
        Of the charge that passes in a half-cycle with its hold, 0 to 1.
    """
    where, t = field(result, "theta"), result["time"].values
    halves = half_cycles(result)[:ROWS] or [_whole_run(t)]
    found = []
    for row, half in enumerate(halves):
        rows = rows_of(half, result)
        passed = np.abs(result["charge"].values[rows] - result["charge"].values[rows][0])
        inside = np.flatnonzero(within(half, where.time))
        if not len(inside):
            continue
        progress = np.interp(where.time[inside], t[rows], np.maximum.accumulate(passed))
        progress /= max(float(passed.max()), 1e-300)
        nearest = [int(inside[np.argmin(np.abs(progress - share))]) for share in shares]
        for number in dict.fromkeys(nearest):
            time = float(where.time[number])
            found.append(Frame(number, time, row, _state(result, time)))
    return found


def _whole_run(t: Array) -> HalfCycle:
    none = np.empty(0)
    return HalfCycle("run", "", float(t[0]), float(t[-1]), float(t[-1]), none, none, float("nan"))


def _state(result: Result, time: float) -> str:
    if "soc" in result.history and np.isfinite(soc := result.at(time)["soc"]):
        return f"{100 * soc + 0.0:.0f} % SOC".replace("-0 %", "0 %")
    return f"{time / 60:.0f} min"


def electrode_limits(result: Result) -> tuple[float, float]:
    """The range of colours of theta: one for all maps of ``result``, and its report."""
    return colour_limits([np.asarray(field(result, "theta").values, dtype=np.float64)])


def half_cycle_maps(result: Result, shares: Sequence[float] = SHARES) -> Figure:
    """Lithium maps of the first half-cycles (Fig. 5): one row each, at ``shares`` of the charge
    that passes in it; two columns wide.

    Raises
    ------
    InputError
        The run recorded no map, or its model has no particles.
    """
    back, where = Backdrop(result, PIXELS), field(result, "theta")
    sample = back.sampler(where)
    look = _look(THETA_MAP, *electrode_limits(result))
    chosen = frames(result, shares)
    count = 1 + max(frame.row for frame in chosen)
    aspect = back.box[3] / back.box[2]
    panel = (TWO_COLUMNS - 0.9) / len(shares)
    names = [half.name for half in half_cycles(result)] or [""]
    with styled():
        figure = new_figure(TWO_COLUMNS, 0.15 + count * (aspect * panel + 0.16))
        grid = figure.subplots(count, len(shares), squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for row in range(count):
            here = [frame for frame in chosen if frame.row == row]
            for axes, frame in zip(grid[row], here, strict=False):
                back.draw(axes, sample.image(where.values[frame.number]), look)
                axes.set_title(frame.label, pad=2, fontsize=7)
            grid[row, 0].text(
                -0.03, 0.5, names[row].capitalize(), transform=grid[row, 0].transAxes, rotation=90,
                ha="right", va="center", fontsize=8,
            )  # fmt: skip
        scale_bar(grid[-1, 0], back.box)
        bar = figure.colorbar(look, ax=list(grid.flat), shrink=0.8, aspect=22, pad=0.01)
        bar.set_label("Lithium per site θ" if count > 1 else "θ")
        bar.outline.set_linewidth(0.6)
    return figure


def half_cycle_maps_data(
    result: Result, shares: Sequence[float] = SHARES
) -> tuple[list[str], NDArray[Any]]:
    """Header and table of node positions [um] and theta behind `half_cycle_maps`."""
    where, chosen = field(result, "theta"), frames(result, shares)
    heads = [f"theta at {frame.time:.6g} s, {frame.label} [1]" for frame in chosen]
    columns = [*(1e6 * where.nodes.T), *(where.values[frame.number] for frame in chosen)]
    return [*position_heads(result), *heads], np.column_stack(columns)


# -- electrons ------------------------------------------------------------------------------------


def path_time(result: Result) -> float:
    """The frame [s] of the first half-cycle in which the observed particles differ most.

    What is compared is their surface: it is where a particle takes part, or does not yet. Of one
    particle alone, the frame in which its potential differs most.
    """
    of, t, where = particles(result), result["time"].values, field(result, "phi_s")
    half = next(iter(half_cycles(result)), _whole_run(t))
    inside = np.flatnonzero(within(half, where.time))
    if len(of.names) > 1:
        times = where.time[inside]
        surface = [np.interp(times, t, of.theta_surface[:, i]) for i in followed(of)]
        apart = np.ptp(surface, axis=0)
    else:
        apart = np.ptp(where.values[inside], axis=1)
    return float(where.time[inside[np.argmax(apart)]])


def electronic_path(result: Result, time: float | None = None) -> Figure:
    """Potential of the solid over the collector's, with lines of equal potential and arrows along
    -grad phi_s, the direction of the current; one and a half columns wide at most.

    The arrows show the direction alone: the current itself needs the conductivity, which is not
    recorded.

    Parameters
    ----------
    result : Result
    time : float, optional
        [s]; without it `path_time`.

    Raises
    ------
    InputError
        The run recorded no map of phi_s, or its model has no particles.
    """
    at = path_time(result) if time is None else time
    where, back = field(result, "phi_s"), Backdrop(result, 2 * PIXELS)
    sample = back.sampler(where)
    phi = 1e3 * where.at(at)
    aspect = back.box[3] / back.box[2]
    across = min(0.75 * TWO_COLUMNS - 0.9, TALLEST / aspect)
    with styled():
        figure = new_figure(0.9 + across, 0.55 + across * aspect)
        axes = figure.subplots()
        low = float(phi.min())
        high = max(float(phi.max()), low + 1e-3)
        look = _look(POTENTIAL_MAP, low, high)
        back.draw(axes, sample.image(phi), look, 2.5)
        x, y = 1e6 * where.nodes.T
        axes.tricontour(
            Triangulation(x, y, where.triangles), phi, levels=_levels(low, high),
            colors="white", linewidths=0.6, linestyles="solid", zorder=2.5,
        )  # fmt: skip
        middle, along = directions(where, phi, back.box)
        axes.quiver(
            *middle.T, *along.T, color="black", ec="white", lw=0.35, angles="xy", scale=36,
            width=0.004, headwidth=4, headlength=4, headaxislength=3.6, pivot="middle", zorder=3.5,
        )  # fmt: skip
        scale_bar(axes, back.box)
        shown, unit = hours(np.array([at, result["time"].values[-1]]))
        axes.set_title(f"{shown[0]:.3g} {unit}, {_state(result, at)}", pad=3)
        bar = figure.colorbar(look, ax=axes, shrink=0.8, aspect=20, pad=0.02)
        bar.set_label("Potential of the solid φₛ / mV")
        bar.outline.set_linewidth(0.6)
    return figure


def _levels(low: float, high: float) -> Array:
    """About ten equally spaced levels inside the range, at round values."""
    step = nice_below((high - low) / 8.0)
    return np.asarray(step * np.arange(np.ceil(low / step + 1e-9), np.floor(high / step) + 1))


def directions(where: FieldMap, phi: Array, box: Box, across: int = 30) -> tuple[Array, Array]:
    """Places [um] on a lattice and unit vectors (k, 2) along -grad phi there.

    Triangles whose gradient is below a thousandth of the steepest one have none: what remains in
    the binder is round-off.
    """
    corners, values = 1e6 * where.nodes[where.triangles], phi[where.triangles]
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    du, dv = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.column_stack([
            (du * v[:, 1] - dv * u[:, 1]) / area, (dv * u[:, 0] - du * v[:, 0]) / area
        ])  # fmt: skip
    size = np.hypot(*slope.T)
    pitch = max(box[2], box[3]) / across  # of the sampler: pixels are counted along the longer side
    found = Sampler(where, across, box)
    row, column = np.nonzero(found.inside)
    kept = size[found.triangle] > 1e-3 * np.nanmax(size, initial=0.0)
    places = np.column_stack([box[0] + (column + 0.5) * pitch, box[1] + (row + 0.5) * pitch])
    triangle = found.triangle[kept]
    return places[kept], -slope[triangle] / size[triangle, None]


def electronic_path_data(result: Result) -> tuple[list[str], NDArray[Any]]:
    """Header and table of node positions [um] and potential [mV] behind `electronic_path`."""
    where, at = field(result, "phi_s"), path_time(result)
    columns = [*(1e6 * where.nodes.T), 1e3 * where.at(at)]
    return [*position_heads(result), f"phi_s at {at:.6g} s [mV]"], np.column_stack(columns)
