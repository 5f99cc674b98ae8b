"""Pictures of the reduction of one particle: mask, drift, curves, frames."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray

from nmcsim.figures.style import COLOURS, TWO_COLUMNS, new_figure, styled
from nmcsim.imaging.drift import Drift
from nmcsim.imaging.optical import OpticalResult

__all__ = ["drift_figure", "frames_figure", "mask_figure", "scale_bar", "signal_figure"]

BLUE, RED, GREEN, PINK, YELLOW, *_ = COLOURS


def mask_figure(result: OpticalResult) -> Figure:
    """The whole first frame, the particle with its outline, and the spot."""
    with styled():
        figure = new_figure(TWO_COLUMNS, 2.5)
        spot = result.drift.spot
        axes = figure.subplots(1, 3 if spot is not None else 2)
        whole, near = axes[0], axes[1]
        low, high = np.percentile(result.first, [0.5, 99.8])
        for one in (whole, near):
            one.imshow(result.first, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
            one.contour(result.mask.inside, [0.5], colors=[YELLOW], linewidths=0.9)
            one.set(xticks=[], yticks=[])
        whole.set_title("First frame, with the mask", loc="left")
        row, column = result.mask.centre
        near.plot(column, row, "+", color=YELLOW, markersize=7)
        near.set_title("The particle, and its centre of mass", loc="left")
        near.set_ylim(result.box[0].stop - 0.5, result.box[0].start - 0.5)
        near.set_xlim(result.box[1].start - 0.5, result.box[1].stop - 0.5)
        scale_bar(whole, result.first.shape[1], result.pixel)
        scale_bar(near, result.box[1].stop - result.box[1].start, result.pixel)
        if spot is not None:
            r = math.ceil(4.0 * spot.width)
            whole.add_patch(Circle((spot.centre[1], spot.centre[0]), r, fill=False, color=RED))
            patch = axes[2]
            patch.imshow(result.first, cmap="gray", interpolation="nearest")
            i, j = (round(float(v)) for v in spot.centre)
            patch.set(xlim=(j - r, j + r), ylim=(i + r, i - r), xticks=[], yticks=[])
            seen = result.first[max(i - r, 0) : i + r + 1, max(j - r, 0) : j + r + 1]
            patch.images[0].set_clim(float(seen.min()), float(seen.max()))
            patch.add_patch(
                Circle((spot.centre[1], spot.centre[0]), 1.1774 * spot.width, fill=False, color=RED)
            )
            patch.plot(spot.centre[1], spot.centre[0], "+", color=RED, markersize=7)
            width = 1e9 * 2.3548 * spot.width * result.pixel
            patch.set_title(f"The spot, {width:.0f} nm wide (FWHM)", loc="left")
        return figure


def scale_bar(axes: Axes, width: float, pixel: float) -> None:
    """A bar of a round length, about a fifth of the picture's width [px]."""
    wanted = 1e6 * 0.25 * width * pixel
    decade = 10.0 ** math.floor(math.log10(wanted))
    length = max(n * decade for n in (1, 2, 5) if n * decade <= wanted)
    x0, x1 = axes.get_xlim()
    y0, y1 = axes.get_ylim()
    left, level = x0 + 0.06 * (x1 - x0), y0 + 0.07 * (y1 - y0)
    right = left + length * 1e-6 / pixel
    for colour, thick in (("black", 3.6), ("white", 2.2)):  # seen on any ground
        axes.plot(
            [left, right], [level, level], color=colour, linewidth=thick, solid_capstyle="butt"
        )
    text = axes.text(
        0.5 * (left + right), level + 0.03 * (y1 - y0), f"{length:g} µm", ha="center", fontsize=7
    )
    text.set_bbox({"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8})


def clock(time: NDArray[np.float64]) -> tuple[float, str]:
    """Factor and unit in which times are shown."""
    span = float(time[-1] - time[0])
    for limit, factor, unit in ((300.0, 1.0, "s"), (18000.0, 1.0 / 60.0, "min")):
        if span <= limit:
            return factor, unit
    return 1.0 / 3600.0, "h"


def drift_figure(drift: Drift, time: NDArray[np.float64], pixel: float) -> Figure:
    """The track over time and in the plane, and how well the spot was fitted."""
    factor, unit = clock(time)
    t, nm = factor * time, 1e9 * pixel
    with styled():
        figure = new_figure(TWO_COLUMNS, 2.9)
        wide = [1.4, 1.2, 1.4] if drift.method == "spot" else [1.4, 1.2]
        axes = figure.subplots(1, len(wide), width_ratios=wide)
        for k, name, colour in ((1, "x, to the right", BLUE), (0, "y, downwards", RED)):
            at, error = nm * drift.offsets[:, k], nm * drift.errors[:, k]
            axes[0].plot(t, at, color=colour, label=name)
            axes[0].fill_between(t, at - error, at + error, color=colour, alpha=0.25, linewidth=0)
            if drift.lost.any():
                axes[0].plot(t[drift.lost], at[drift.lost], "x", color="black", markersize=4)
        axes[0].set(xlabel=f"Time / {unit}", ylabel="Drift / nm")
        axes[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.0))
        x, y = nm * drift.offsets[:, 1], nm * drift.offsets[:, 0]
        points = axes[1].scatter(x, y, c=t, s=4, cmap="viridis")
        axes[1].set(xlabel="x / nm", ylabel="y / nm")
        axes[1].set_aspect("equal", adjustable="datalim")
        axes[1].invert_yaxis()
        figure.colorbar(points, ax=axes[1], location="top", label=f"Time / {unit}", fraction=0.06)
        if drift.method == "spot":
            axes[2].plot(t, nm * drift.error, color=BLUE)
            axes[2].set(xlabel=f"Time / {unit}", ylabel="Error of the place / nm")
            axes[2].yaxis.label.set_color(BLUE)
            axes[2].set_ylim(bottom=0.0)
            other = axes[2].twinx()
            other.spines["right"].set_visible(True)
            other.plot(t, 100.0 * drift.residuals, color=RED, linewidth=0.9)
            other.set_ylabel("Residual / % of the spot", color=RED)
            other.set_ylim(bottom=0.0)
        return figure


def along(result: OpticalResult) -> tuple[NDArray[np.float64], str]:
    """What curves are drawn over: state of charge if it is known, else time."""
    if np.isfinite(result.soc).all():
        return 100.0 * result.soc, "State of charge / %"
    factor, unit = clock(result.time)
    return factor * result.time, f"Time / {unit}"


def signal_figure(result: OpticalResult) -> Figure:
    """Distance, share, mean signal and noise, frame by frame."""
    x, label = along(result)
    with styled():
        figure = new_figure(TWO_COLUMNS, 2.5)
        axes = figure.subplots(1, 3)
        d, u = 1e6 * result.resolved_distance, 1e6 * result.com_distance_error
        axes[0].fill_between(x, d - 2 * u, d + 2 * u, color=BLUE, alpha=0.25, linewidth=0)
        axes[0].plot(x, d, color=BLUE)
        axes[0].set(xlabel=label, ylabel="Centre-of-mass distance / µm", ylim=(0.0, None))
        s, v = 100.0 * result.unreacted_share, 100.0 * result.unreacted_share_error
        axes[1].fill_between(x, s - 2 * v, s + 2 * v, color=GREEN, alpha=0.25, linewidth=0)
        axes[1].plot(x, s, color=GREEN)
        axes[1].set(xlabel=label, ylabel="Unreacted share of the area / %", ylim=(0.0, 104.0))
        axes[2].plot(x, result.signal_mean, color=RED, label="mean of the particle")
        axes[2].plot(x, result.noise, color="#666666", label="noise of one pixel")
        below = result.settings.unreacted_below
        axes[2].axhline(below, color="black", linewidth=0.7, linestyle=(0, (4, 3)))
        axes[2].text(x[-1], below, f"threshold {below:g} ", ha="right", va="bottom", fontsize=6.5)
        axes[2].set(xlabel=label, ylabel="Differential intensity dI/I$_1$")
        axes[2].legend()
        return figure


def frames_figure(result: OpticalResult) -> Figure:
    """A montage of dI/I1 with the unreacted region outlined."""
    pictures: Any = result.shown
    columns = min(4, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    h, w = pictures[0][1].shape
    values = np.concatenate([p[np.isfinite(p)] for _, p in pictures])
    size = max(float(np.percentile(np.abs(values), 99.5)), 2.0 * result.settings.unreacted_below)
    factor, unit = clock(result.time)
    with styled():
        height = min(2.9, TWO_COLUMNS / columns * h / w * 0.92 + 0.18)
        figure = new_figure(TWO_COLUMNS, rows * height + 0.15)
        axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        for one in axes:
            one.set_axis_off()
        image = None
        top, left = result.box[0].start, result.box[1].start
        for one, (k, picture) in zip(axes, pictures, strict=False):
            image = one.imshow(picture, cmap="RdBu_r", vmin=-size, vmax=size)
            unreacted = np.abs(np.nan_to_num(picture, nan=np.inf)) < result.settings.unreacted_below
            one.contour(np.isfinite(picture), [0.5], colors=["#999999"], linewidths=0.6)
            if unreacted.any() and not unreacted.all():
                one.contour(unreacted, [0.5], colors=["black"], linewidths=0.8)
            row, column = result.mask.centre
            one.plot(column - left, row - top, "+", color="black", markersize=6)
            if np.isfinite(result.centres[k, 0]):
                there = result.centres[k] - (top, left)
                one.plot(there[1], there[0], "o", color=GREEN, markersize=4)
            soc = f", SOC {100 * result.soc[k]:.0f} %" if np.isfinite(result.soc[k]) else ""
            one.set_title(f"{factor * result.time[k]:.3g} {unit}{soc}", loc="left", fontsize=7)
        scale_bar(axes[0], w, result.pixel)
        assert image is not None
        figure.colorbar(image, ax=axes.tolist(), label="dI/I$_1$", fraction=0.025, aspect=30)
        return figure
