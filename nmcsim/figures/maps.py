"""Maps of lithium on the section at chosen states of charge, on one colour scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.figures.sampler import Sampler
from nmcsim.figures.style import ROCK_SALT, THETA_MAP, TWO_COLUMNS, new_figure, styled
from nmcsim.results import Result, ThetaMap

PER_ROW = 4


@dataclass(frozen=True)
class Moment:
    """A map to draw: its label and its time [s]."""

    label: str
    time: float


def section(result: Result) -> ThetaMap:
    """The map of ``result``.

    Raises
    ------
    InputError
        The run recorded none.
    """
    if result.map is None or not len(result.map.time):
        message = "recorded no map; ask for frames in [output] and run again"
        raise InputError(Mistake(str(result.directory), message))
    return result.map


def moments(result: Result, soc: Sequence[float] = ()) -> list[Moment]:
    """The first times at which the states of charge ``soc`` (0..1) are reached.

    Without ``soc``: four recorded frames, evenly spread over the charge that passes in the whole
    run, labelled by state of charge (and its direction where the run has both), or by time where
    the run has none. With it, the maps are linear between the two frames beside each time;
    where that is too coarse, ask for more frames in ``[output]``.

    Raises
    ------
    InputError
        A state of charge that the run does not reach.
    """
    t = result["time"].values
    s = result["soc"].values if "soc" in result.history else np.full(len(t), np.nan)
    known = bool(np.isfinite(s).all() and np.ptp(s) > 0.0)
    if len(soc):
        return [Moment(f"{100 * value:.3g} % SOC", _reached(result, t, s, value)) for value in soc]
    progress = s if known else t
    chosen = _spread_frames(section(result).time, t, progress)
    return [
        Moment(label, time)
        for label, time in zip(_labels(chosen, t, progress, known), chosen, strict=True)
    ]


def _spread_frames(
    frames: NDArray[np.float64], t: NDArray[np.float64], progress: NDArray[np.float64]
) -> list[float]:
    """Up to four of ``frames`` [s], evenly spread in what ``progress`` passes, up and down."""
    passed = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(progress)))])
    at = np.interp(frames, t, passed)
    wanted = at[0] + (at[-1] - at[0]) * np.array([0.12, 0.38, 0.63, 0.88])
    chosen = np.unique([int(np.argmin(np.abs(at - value))) for value in wanted])
    return [float(frames[i]) for i in chosen]


def _labels(
    times: Sequence[float], t: NDArray[np.float64], progress: NDArray[np.float64], charge: bool
) -> list[str]:
    """What the maps at ``times`` [s] are called, all with the same number of decimals.

    ``progress`` is the state of charge (0..1) where ``charge`` is true, else the time [s].
    """
    shown = 100.0 * progress if charge else progress / 60.0
    decimals = max(0, int(np.ceil(1.0 - np.log10(max(float(np.ptp(shown)), 1e-9)))))
    at = [f"{np.interp(time, t, shown):.{decimals}f}" for time in times]
    if not charge:
        return [f"{value} min" for value in at]
    change = np.diff(progress)
    moving = np.flatnonzero(np.abs(change) > 1e-9 * np.ptp(progress))  # not the rests
    down, up = -change[change < 0].sum(), change[change > 0].sum()
    if min(down, up) < 0.01 * max(down, up):  # one direction, but for noise
        return [f"{value} % SOC" for value in at]
    # in a rest: the direction before it
    last = np.searchsorted(t[moving], np.asarray(times), "left") - 1
    rising = change[moving[np.maximum(last, 0)]] > 0
    words = np.where(rising, "charge", "discharge")
    return [f"{word} {value} %" for word, value in zip(words, at, strict=True)]


def _reached(result: Result, t: NDArray[np.float64], s: NDArray[np.float64], value: float) -> float:
    across = np.flatnonzero((s[:-1] - value) * (s[1:] - value) <= 0)
    if not len(across):
        message = (
            f"is not reached in {result.directory}; it went from {s.min():.3g} to {s.max():.3g}"
        )
        raise InputError(Mistake(f"soc = {value:g}", message))
    i = int(across[0])
    share = 0.0 if s[i + 1] == s[i] else (value - s[i]) / (s[i + 1] - s[i])
    return float(t[i] + share * (t[i + 1] - t[i]))


def theta_maps(result: Result, soc: Sequence[float] = ()) -> Figure:
    """Lithium maps at the states of charge ``soc`` (0..1), two columns wide.

    Raises
    ------
    InputError
        The run recorded no map, or does not reach one of ``soc``.
    """
    chosen = moments(result, soc)
    columns = min(PER_ROW, len(chosen))
    rows = -(-len(chosen) // columns)
    with styled():
        figure = new_figure(TWO_COLUMNS * (columns + 0.6) / (PER_ROW + 0.6), 0.55 + 1.65 * rows)
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        draw_maps(figure, list(grid.flat), result, chosen)
        for axes in grid.flat[len(chosen) :]:
            axes.set_visible(False)
    return figure


def draw_maps(figure: Any, grid: Sequence[Axes], result: Result, chosen: Sequence[Moment]) -> None:
    """Draw ``chosen`` into the first axes of ``grid``, with one colour bar beside them all."""
    where = section(result)
    frames = [where.at(moment.time) for moment in chosen]
    scale = Normalize(*theta_limits(result))
    sample = Sampler(where)
    x0, y0, width, height = sample.extent
    for axes, moment, theta in zip(grid, chosen, frames, strict=False):
        axes.imshow(
            sample.image(theta),
            extent=(x0, x0 + width, y0, y0 + height),
            origin="lower",
            cmap=THETA_MAP,
            norm=scale,
            zorder=2,
        )
        draw_outline(axes, where)
        axes.set_title(moment.label)
        axes.set_aspect("equal")
        # an image would end the axes at its edge, and cut off the rock salt
        axes.set_xlim(x0 - 0.07 * width, x0 + 1.07 * width)
        axes.set_ylim(y0 - 0.07 * height, y0 + 1.07 * height)
        axes.label_outer()
        axes.set_xlabel("x / µm")
        axes.set_ylabel("y / µm")
        axes.label_outer()
    bar = figure.colorbar(
        ScalarMappable(scale, THETA_MAP), ax=list(grid), shrink=0.86, aspect=18, pad=0.015
    )
    bar.set_label("Lithium per site θ")
    bar.outline.set_linewidth(0.6)
    if where.rock_salt.any():
        name_rock_salt(figure)


def name_rock_salt(figure: Any) -> None:
    """Say below the panels of ``figure`` what the thick lines are."""
    mark = Line2D([], [], color=ROCK_SALT, lw=3, solid_capstyle="butt", label="rock salt")
    figure.legend(handles=[mark], loc="outside lower left", handlelength=1.5, borderpad=0)


def draw_outline(axes: Axes, where: ThetaMap) -> None:
    """The particle's edge, with rock salt as a thick line outside it.

    The thick line lies below the map, so that only its outer half shows.
    """
    x, y = 1e6 * where.nodes.T
    for chain in chains(where.boundary[where.rock_salt]):
        axes.plot(x[chain], y[chain], color=ROCK_SALT, lw=6, solid_capstyle="butt", zorder=1)
    for chain in chains(where.boundary):
        axes.plot(x[chain], y[chain], color="black", lw=0.6, zorder=3)


def chains(edges: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Join ``edges`` (b, 2) end to end into lines of node numbers; a closed line repeats its first.

    Every node has at most two edges, as on the outline of a region.
    """
    beside: dict[int, list[int]] = {}
    for a, b in edges.tolist():
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    found = []
    # open lines from their ends first; what then remains is closed
    for start in sorted(beside, key=lambda node: len(beside[node])):
        line = [start]
        while beside[line[-1]]:
            following = beside[line[-1]].pop()
            beside[following].remove(line[-1])
            line.append(following)
        if len(line) > 1:
            found.append(np.array(line))
    return found


def theta_limits(result: Result) -> tuple[float, float]:
    """The range of colours of ``result``: one for its maps, its surface and its report, so that a
    colour is the same theta in all of them.
    """
    parts = [part.theta for part in (result.map, result.surface) if part is not None]
    return colour_limits([np.asarray(theta, dtype=np.float64) for theta in parts])


def colour_limits(frames: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """The range of theta over ``frames``, rounded outward to 0.05; (0, 1) where nothing is
    known.
    """
    values = np.concatenate([frame[np.isfinite(frame)] for frame in frames])
    if not len(values):
        return 0.0, 1.0
    # a thousandth beyond a mark is noise, and not worth another 0.05 of the scale
    low = np.floor(values.min() / 0.05 + 0.02) * 0.05
    high = np.ceil(values.max() / 0.05 - 0.02) * 0.05
    return float(low), float(max(high, low + 0.05))


def theta_maps_data(result: Result, soc: Sequence[float] = ()) -> tuple[list[str], NDArray[Any]]:
    """Header and (n, 2 + moments) table of node positions [um] and theta behind `theta_maps`."""
    chosen, where = moments(result, soc), section(result)
    columns = [*(1e6 * where.nodes.T), *(where.at(moment.time) for moment in chosen)]
    heads = [f"theta at {m.label} ({m.time:.6g} s) [1]" for m in chosen]
    return ["x [um]", "y [um]", *heads], np.column_stack(columns)
