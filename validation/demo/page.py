"""The page of the demonstration: six steps from lithium to a number, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nmcsim import __version__
from nmcsim.compare.table import measured_text, simulated_text
from nmcsim.figures.maps import theta_maps
from nmcsim.figures.style import COLOURS, TWO_COLUMNS, new_figure, styled
from nmcsim.imaging.differential import differential
from nmcsim.imaging.drift import aligned
from nmcsim.imaging.stack import Stack
from nmcsim.measure.optical_figures import scale_bar
from nmcsim.measure.page import Section, picture, table, write_page
from nmcsim.results import largest_distance, resolved
from validation.demo.words import ABOUT, FOOTER, STEPS, TITLE

if TYPE_CHECKING:
    from validation.demo.__main__ import Chain

__all__ = ["write_demo_page"]

SOC = (0.05, 0.10, 0.15, 0.20)
"""States of charge at which pictures are shown."""
BLUE, ORANGE, GREEN, _, YELLOW, *_ = COLOURS


def write_demo_page(path: Path, chain: Chain) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
    chain : Chain
    """
    exact, soc = _largest(chain)
    measured = _spelled(measured_text(chain.seen["com_distance_max"]))
    camera, reduced = chain.camera, chain.reduced
    values = {
        "pixel": 1e9 * reduced.pixel, "resolution": 1e9 * camera.resolution,
        "binning": camera.binning,
        "noise": round(camera.noise or 0.0), "drift": _drift(chain),
        "below": 100.0 * reduced.settings.unreacted_below, "exact": 1e6 * exact,
        "soc": 100.0 * soc, "measured": measured,
    }  # fmt: skip
    content = {
        "simulation": picture(theta_maps(chain.result, SOC), "lithium at four states of charge"),
        "film": picture(_frames_figure(chain), "four frames of the camera"),
        "reduction": picture(_reduced_figure(chain), "change of intensity, and the two centres"),
        "curves": picture(_curve_figure(chain), "distance and share against state of charge"),
        "numbers": _numbers(chain),
        "paper": _paper(chain),
    }
    write_page(
        path,
        title=TITLE,
        about=ABOUT,
        cards=(
            (f"{1e6 * exact:.2f} µm", "largest distance, as the simulation knows it"),
            (measured, "measured on its film"),
            (_of_paper(chain), "in the paper"),
        ),
        warnings=reduced.warnings,
        sections=[
            Section(heading, _filled(text, values), content[step])
            for step, (heading, text) in STEPS.items()
        ],
        footer=_filled(
            FOOTER,
            {"version": __version__, "frames": chain.frames.name, "movie": "frames.mp4",
             "reduction": "measured.html", "simulation": f"{chain.result.directory.name}/"},
        ),
    )  # fmt: skip


def _filled(text: str, values: Mapping[str, Any]) -> str:
    return " ".join(text.format(**values).split())


def _spelled(text: str) -> str:
    """As people write it."""
    return text.replace("um", "µm").replace("+-", "±")


def _largest(chain: Chain) -> tuple[float, float]:
    """Of the simulation's own lithium: [m] and the state of charge."""
    history = chain.result.history
    return largest_distance(
        history["com_distance"], *(history.get(n) for n in ("unreacted_share", "soc"))
    )


def _drift(chain: Chain) -> float:
    return 1e9 * float(np.hypot(*chain.true_drift.T).max())


def _of_paper(chain: Chain) -> str:
    """The paper's largest distance, or where it stands."""
    for pair in chain.paper.pairs:
        if pair.name == "com_distance_max":
            return measured_text(pair)
    missing = next(item for item in chain.paper.unpaired if item.name == "com_distance_max")
    return missing.entry.missing


def _chosen(chain: Chain) -> list[int]:
    """The frames at the states of charge that are shown."""
    return [int(np.nanargmin(np.abs(chain.reduced.soc - value))) for value in SOC]


def _label(chain: Chain, frame: int) -> str:
    return f"{100 * chain.reduced.soc[frame]:.0f} % SOC, {chain.reduced.time[frame] / 60:.1f} min"


def _row(chain: Chain) -> tuple[Figure, Any]:
    figure = new_figure(TWO_COLUMNS * 1.1, 2.1)
    axes = figure.subplots(1, len(SOC))
    for one, frame in zip(axes, _chosen(chain), strict=True):
        one.set(xticks=[], yticks=[])
        one.set_title(_label(chain, frame), loc="left")
        for spine in one.spines.values():
            spine.set_visible(False)
    return figure, axes


def _frames_figure(chain: Chain) -> Figure:
    stack = Stack.open(chain.frames)
    with styled():
        figure, axes = _row(chain)
        frames = [stack.frame(n) for n in _chosen(chain)]
        low, high = np.percentile(frames, [0.5, 99.9])
        for one, frame in zip(axes, frames, strict=True):
            one.imshow(frame, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
            scale_bar(one, frame.shape[1], stack.pixel)
        bar = figure.colorbar(ScalarMappable(Normalize(low, high), "gray"), ax=list(axes))
        bar.set_label("intensity / counts")
        return figure


def _signal(chain: Chain, stack: Stack, frame: int) -> NDArray[np.float64]:
    """dI/I1 on the particle's box, NaN outside the particle."""
    reduced = chain.reduced
    moved = aligned(stack.frame(frame), reduced.drift.offsets[frame], reduced.box)
    found = differential(moved, reduced.first[reduced.box])
    found[~reduced.mask.inside[reduced.box]] = np.nan
    return found


def _reduced_figure(chain: Chain) -> Figure:
    reduced, stack = chain.reduced, Stack.open(chain.frames)
    below = reduced.settings.unreacted_below
    corner = np.array([s.start for s in reduced.box])
    middle = reduced.mask.centre - corner
    with styled():
        figure, axes = _row(chain)
        signals = [_signal(chain, stack, n) for n in _chosen(chain)]
        top = float(np.nanpercentile(signals, 99.5))
        for one, frame, signal in zip(axes, _chosen(chain), signals, strict=True):
            one.imshow(signal, cmap="viridis_r", vmin=0.0, vmax=top, interpolation="nearest")
            grey = np.where(np.abs(signal) < below, 0.55, np.nan)
            one.imshow(grey, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
            one.contour(reduced.mask.inside[reduced.box], [0.5], colors=[YELLOW], linewidths=0.9)
            _centres(one, middle, reduced.centres[frame] - corner)
            scale_bar(one, signal.shape[1], reduced.pixel)
        bar = figure.colorbar(
            ScalarMappable(Normalize(0.0, 100.0 * top), "viridis_r"), ax=list(axes)
        )
        bar.set_label("ΔI / I₁ / %")
        return figure


def _centres(axes: Axes, of_all: NDArray[np.float64], of_region: NDArray[np.float64]) -> None:
    axes.plot([of_all[1], of_region[1]], [of_all[0], of_region[0]], color="white", lw=1.2)
    axes.plot(of_all[1], of_all[0], "o", color=BLUE, ms=5, mec="white", mew=0.7)
    axes.plot(of_region[1], of_region[0], "o", color=ORANGE, ms=5, mec="white", mew=0.7)


def _curve_figure(chain: Chain) -> Figure:
    reduced, history = chain.reduced, chain.result.history
    soc, share = history["soc"].values, history["unreacted_share"]
    inner = resolved(history["com_distance"], share).values
    with styled():
        figure = new_figure(TWO_COLUMNS * 1.1, 2.6)
        left, right = figure.subplots(1, 2)
        left.plot(100 * soc, 1e6 * inner, color=BLUE, label="simulation")
        left.errorbar(
            100 * reduced.soc, 1e6 * reduced.resolved_distance, 1e6 * reduced.com_distance_error,
            fmt=".", ms=3.5, lw=0.7, color=ORANGE, label="measured on its film",
        )  # fmt: skip
        right.plot(100 * soc, 100 * share.values, color=BLUE, label="simulation")
        right.errorbar(
            100 * reduced.soc, 100 * reduced.unreacted_share, 100 * reduced.unreacted_share_error,
            fmt=".", ms=3.5, lw=0.7, color=ORANGE, label="measured on its film",
        )  # fmt: skip
        seen = np.isfinite(reduced.resolved_distance) | (reduced.unreacted_share > 0.0)
        end = 100 * float(np.nanmax(np.append(reduced.soc[seen], soc[np.isfinite(inner)]))) + 3
        for axes, text in (
            (left, "Centre-of-mass distance / µm"),
            (right, "Unreacted share of the area / %"),
        ):
            axes.set(xlim=(0, end), xlabel="State of charge / %", ylabel=text)
            axes.set_ylim(bottom=0)
        left.legend(loc="upper left")
        return figure


def _numbers(chain: Chain) -> str:
    rows = []
    for pair in chain.seen.pairs:
        if pair.curve is not None:
            continue
        words = {"com_distance_max": "largest distance", "soc_at_com_distance_max": "SOC there"}
        row = (words.get(pair.name, pair.name), simulated_text(pair), measured_text(pair))
        rows.append([_spelled(cell) for cell in row])
    for pair in chain.seen.pairs:
        if pair.curve is not None:
            name = {"com_distance": "distance", "unreacted_share": "unreacted share"}[pair.name]
            unit = _spelled(pair.unit) if pair.unit != "1" else ""
            way = "lower" if pair.difference > 0.0 else "higher"
            shown = f"{way} by {abs(pair.difference):.3f} {unit}".strip()
            rows.append([f"{name}, mean over {pair.points} frames", "", shown])
    return table(("", "the simulation's own", "measured on its film"), rows)


def _paper(chain: Chain) -> str:
    """What stands in the paper's text, and what only in its figures."""
    rows = [
        (
            pair.name.replace("_", " "),
            _spelled(simulated_text(pair)),
            _spelled(measured_text(pair)),
            pair.entry.source,
        )
        for pair in chain.paper.pairs
        if pair.curve is None
    ]
    return table(("from the paper's text", "this run", "paper", "where"), rows)
