"""Lithium along the lateral surface over time: where the surface lags, and behind which rock
salt.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.figures.maps import name_rock_salt, theta_limits
from nmcsim.figures.style import ONE_COLUMN, ROCK_SALT, THETA_MAP, new_figure, styled
from nmcsim.results import Result, SurfaceTheta

PIXELS = 600
"""Of the image, each way: 300 dpi on one journal column."""


def kymograph(result: Result) -> Figure:
    """Surface theta over time (state of charge above) and angle, one column wide.

    Raises
    ------
    InputError
        The run recorded nothing along the surface.
    """
    with styled():
        figure = new_figure(ONE_COLUMN, 0.85 * ONE_COLUMN)
        axes = figure.subplots()
        draw_kymograph(figure, axes, result)
        _states_above(axes, result, time_unit(along(result))[1])
        if along(result).rock_salt.any():
            name_rock_salt(figure)
    return figure


def draw_kymograph(figure: Any, axes: Axes, result: Result) -> None:
    """Draw `kymograph` into ``axes``, without the states of charge above and the legend."""
    surface = along(result)
    place, name, order = coordinate(surface)
    place, order = closed(place, order) if name.endswith("°") else (place, order)
    unit, seconds = time_unit(surface)
    low, high = theta_limits(result)
    image = axes.imshow(
        resampled(place, surface.time, surface.theta[:, order].T),
        extent=(surface.time[0] / seconds, surface.time[-1] / seconds, place[0], place[-1]),
        origin="lower",
        aspect="auto",
        cmap=THETA_MAP,
        vmin=low,
        vmax=high,
    )
    axes.set_xlabel(f"Time / {unit}")
    axes.set_ylabel(name)
    axes.set_xlim(surface.time[0] / seconds, surface.time[-1] / seconds)
    axes.set_ylim(place[0], place[-1])
    if name.endswith("°"):
        axes.set_ylim(max(place[0], -180.0), min(place[-1], 180.0))
        axes.set_yticks([-180, -90, 0, 90, 180])
    bar = figure.colorbar(image, ax=axes, pad=0.075, aspect=22)
    bar.set_label("Surface lithium per site θ")
    bar.outline.set_linewidth(0.6)
    low_end, high_end = axes.get_ylim()
    blocked = blocked_intervals(place, surface.rock_salt[order])
    inside = [(max(a, low_end), min(b, high_end)) for a, b in blocked]
    _mark_rock_salt(axes, [(a, b) for a, b in inside if a < b])


def resampled(
    y: NDArray[np.float64], x: NDArray[np.float64], values: NDArray[np.floating]
) -> NDArray[np.float64]:
    """``values`` (rows, columns) at the rising ``y`` (rows,) and ``x`` (columns,), linear between
    them, in the middle of `PIXELS` equal pixels each; NaN beside a missing value.
    """

    def along(nodes: NDArray[np.float64], table: NDArray[np.floating]) -> NDArray[np.float64]:
        if len(nodes) < 2:
            return np.repeat(np.asarray(table, dtype=np.float64), PIXELS, axis=0)
        middle = nodes[0] + (np.arange(PIXELS) + 0.5) * (nodes[-1] - nodes[0]) / PIXELS
        left = np.clip(np.searchsorted(nodes, middle, "right") - 1, 0, len(nodes) - 2)
        gap = nodes[left + 1] - nodes[left]
        share = np.divide(middle - nodes[left], gap, out=np.zeros(PIXELS), where=gap > 0.0)
        return (1.0 - share)[:, None] * table[left] + share[:, None] * table[left + 1]

    return along(x, along(y, values).T).T


def _mark_rock_salt(axes: Axes, intervals: list[tuple[float, float]]) -> None:
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    for interval in intervals:
        axes.plot(
            [1.025, 1.025],
            interval,
            transform=beside,
            color=ROCK_SALT,
            lw=4,
            solid_capstyle="butt",
            clip_on=False,
        )


def time_unit(surface: SurfaceTheta) -> tuple[str, float]:
    """The unit of a readable time axis and its seconds."""
    return ("min", 60.0) if surface.time[-1] < 3e4 else ("h", 3600.0)


def along(result: Result) -> SurfaceTheta:
    """What ``result`` recorded along its surface.

    Raises
    ------
    InputError
        Nothing was recorded.
    """
    if result.surface is None or not len(result.surface.time):
        message = "recorded nothing along the surface; ask for frames in [output] and run again"
        raise InputError(Mistake(str(result.directory), message))
    return result.surface


def coordinate(surface: SurfaceTheta) -> tuple[NDArray[np.float64], str, NDArray[np.intp]]:
    """Where the surface points lie on the axis, its label, and their order.

    The angle [deg] where it is a coordinate of the outline; else the position along it [um].
    """
    by_position = np.argsort(surface.position)
    turned = np.diff(np.unwrap(surface.angle[by_position]))
    if np.all(turned >= -1e-9) or np.all(turned <= 1e-9):
        angle = np.degrees((surface.angle + np.pi) % (2 * np.pi) - np.pi)
        # a closed outline names its seam twice, as -180 and 180
        at_seam = np.isclose(np.abs(angle), 180.0, atol=1e-6) & (surface.angle > 0)
        angle = np.where(at_seam, 180.0, angle)
        order = np.argsort(angle, kind="stable")
        return angle[order], "Angle / °", order
    return 1e6 * surface.position[by_position], "Position along the outline / µm", by_position


def closed(
    place: NDArray[np.float64], order: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Angles [deg] and numbers of the ordered points, with the neighbours across the seam added."""
    return (
        np.concatenate([[place[-1] - 360.0], place, [place[0] + 360.0]]),
        np.concatenate([order[-1:], order, order[:1]]),
    )


def blocked_intervals(
    place: NDArray[np.float64], rock_salt: NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """The stretches of the ordered ``place`` (p,) that ``rock_salt`` (p,) marks."""
    flags = np.concatenate([[0], rock_salt.astype(int), [0]])
    starts, stops = np.flatnonzero(np.diff(flags) == 1), np.flatnonzero(np.diff(flags) == -1) - 1
    return [(float(place[a]), float(place[b])) for a, b in zip(starts, stops, strict=True)]


def _states_above(axes: Axes, result: Result, seconds: float) -> None:
    if "soc" not in result.history:
        return
    t, soc = result["time"].values, 100 * result["soc"].values
    if not np.isfinite(soc).all() or np.ptp(soc) == 0 or np.any(np.diff(soc) < 0):
        return  # not a coordinate of time
    levels = np.arange(np.ceil(soc[0] / 20), np.floor(soc[-1] / 20) + 1) * 20
    above = axes.secondary_xaxis("top")
    above.set_xticks(np.interp(levels, soc, t) / seconds, [f"{level:g}" for level in levels])
    above.set_xlabel("State of charge / %")


def kymograph_data(result: Result) -> tuple[list[str], NDArray[Any]]:
    """Header and table behind `kymograph`: a row per surface point, a column per frame."""
    surface = along(result)
    place, name, order = coordinate(surface)
    head = f"{'angle [deg]' if name.endswith('°') else 'position [um]'}"
    frames = [f"theta at {t:.6g} s [1]" for t in surface.time]
    table = np.column_stack([place, surface.rock_salt[order], surface.theta[:, order].T])
    return [head, "rock salt [1]", *frames], table
