"""Frames as a movie for a talk: MP4 or GIF with a clock, a scale bar and a colour bar."""

from __future__ import annotations

import math
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.stack import Stack
from nmcsim.imaging.stack.placing import placed
from nmcsim.units import display

__all__ = ["checked_ending", "write_movie"]

Array = NDArray[np.float64]

ENDINGS = (".mp4", ".gif")
SHOWN = ("differential", "raw")
WIDTH = 4.0
"""Of a movie [inch]; its height follows."""
DPI = 150
LOOK: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 8, "xtick.labelsize": 7, "ytick.labelsize": 7,
    "axes.linewidth": 0.6, "axes.formatter.useoffset": False,
}  # fmt: skip
"""That of all figures (`nmcsim.figures.style`), which lies above images."""


def checked_ending(path: Path) -> None:
    """Refuse what is neither MP4 nor GIF."""
    if path.suffix.lower() not in ENDINGS:
        message = f'has the ending "{path.suffix}"; a movie is FILE.mp4 or FILE.gif'
        raise InputError(Mistake("", message), str(path))


def write_movie(
    path: str | Path,
    stack: Stack,
    *,
    show: str = "differential",
    mask: NDArray[np.bool_] | None = None,
    drift: Array | None = None,
    title: str = "",
    fps: float | None = None,
) -> Path:
    """Draw every frame of a stack.

    Parameters
    ----------
    path : path
        Ends in ``.mp4`` or ``.gif``.
    stack : Stack
    show : "differential" or "raw"
        dI/I1, the change against the first frame, or the intensity as it is.
    mask : (h, w) bool array, optional
        Where dI/I1 is drawn; everywhere without it.
    drift : (k, 2) array, optional
        To the right and upwards [m]; taken back before dI/I1.
    title : str
    fps : float, optional
        Frames per second; a movie of 10 s where not given, at 5 to 30.

    Raises
    ------
    InputError
        The ending is neither MP4 nor GIF, or `show` is neither of the two.
    RunFailure
        The file cannot be written.
    """
    import imageio.v2 as imageio

    target = Path(path)
    checked_ending(target)
    if show not in SHOWN:
        raise InputError(Mistake(f'show = "{show}"', f"must be one of {', '.join(SHOWN)}"))
    rate = fps or float(np.clip(len(stack) / 10.0, 5.0, 30.0))
    canvas = _Canvas(stack, show, mask, drift, title)
    writer: Any
    with placed(target) as aside:
        if target.suffix.lower() == ".gif":
            # in memory, as Pillow holds its frames anyhow: it cannot cope with a full disk
            content = BytesIO()
            with imageio.get_writer(content, "gif", loop=0, duration=1000.0 / rate) as writer:
                for picture in canvas.pictures():
                    writer.append_data(picture)
            aside.write_bytes(content.getvalue())
            return target
        # yuv420p is what every player shows, and needs even sizes
        with imageio.get_writer(
            aside, fps=rate, codec="libx264", quality=8, macro_block_size=2,
            pixelformat="yuv420p", ffmpeg_log_level="fatal",
        ) as writer:  # fmt: skip
            for picture in canvas.pictures():
                writer.append_data(picture)
        _check_whole(aside, len(stack))
    return target


def _check_whole(path: Path, frames: int) -> None:
    """ffmpeg is another process: of a full disk it tells nobody."""
    import imageio_ffmpeg  # type: ignore[import-untyped]

    try:
        there, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
    except RuntimeError:
        there = 0
    if there != frames:
        raise OSError(0, f"ffmpeg wrote {there} of {frames} frames")


class _Canvas:
    """One figure whose image and clock change."""

    def __init__(
        self,
        stack: Stack,
        show: str,
        mask: NDArray[np.bool_] | None,
        drift: Array | None,
        title: str,
    ) -> None:
        self.stack, self.show, self.mask, self.drift, self.title = stack, show, mask, drift, title
        self.first = np.asarray(stack.frame(0), dtype=np.float64)
        self.low, self.high = self._limits()

    def _shown(self, number: int, frame: NDArray[np.float32]) -> Array:
        """What is drawn of a frame; NaN beside the mask."""
        values = np.asarray(frame, dtype=np.float64)
        if self.show == "raw":
            return values
        if self.drift is not None and self.drift[number].any():
            from scipy.ndimage import shift

            right, up = self.drift[number] / self.stack.pixel
            values = shift(values, (up, -right), order=1, mode="nearest")
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.where(self.first > 0.0, values / self.first - 1.0, np.nan)
        return change if self.mask is None else np.where(self.mask, change, np.nan)

    def _limits(self) -> tuple[float, float]:
        """Round numbers about what at most 40 frames show."""
        chosen = np.unique(np.linspace(0, len(self.stack) - 1, 40).astype(int))
        seen = [self._shown(int(i), self.stack.frame(int(i))) for i in chosen]
        finite = np.concatenate([values[np.isfinite(values)] for values in seen])
        if not finite.size:
            raise InputError(Mistake(self.stack.name, "shows nothing within the mask"))
        low, high = np.percentile(finite, (0.5, 99.5))
        step = 10.0 ** math.floor(math.log10(max(high - low, 1e-3 * abs(high), 1e-9))) / 2.0
        low, high = step * math.floor(low / step + 1e-6), step * math.ceil(high / step - 1e-6)
        if self.show == "differential":
            low = 0.0 if low > -0.2 * high else -max(-low, high)
            high = max(high, -low)
        return float(low), float(max(high, low + step))

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """(height, width, 3) pictures, one for each frame."""
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        h, w = self.stack.shape[1:]
        with mpl.rc_context(LOOK):
            inside = 0.74 * WIDTH
            height = inside * h / w + 0.42
            figure = Figure(figsize=(WIDTH, height), dpi=DPI)
            canvas = FigureCanvasAgg(figure)
            tall = inside * h / w / height
            axes = figure.add_axes((0.03, 0.1 / height, 0.74, tall))
            signed = self.show == "differential" and self.low < 0.0
            map_ = "gray" if self.show == "raw" else "RdBu_r" if signed else "viridis"
            colours = mpl.colormaps[map_].with_extremes(bad="0.85")
            image = axes.imshow(
                np.zeros((h, w)), cmap=colours, vmin=self.low, vmax=self.high,
                interpolation="nearest", animated=True,
            )  # fmt: skip
            axes.set(xticks=[], yticks=[])
            bar = figure.colorbar(image, cax=figure.add_axes((0.80, 0.1 / height, 0.035, tall)))
            bar.set_label("Intensity / counts" if self.show == "raw" else "ΔI/I₁")
            over = self._scale_bar(axes)
            top = 1.0 - 0.16 / height
            figure.text(0.03, top, self.title[:48], va="center", fontsize=8)
            clock = figure.text(0.97, top, "", va="center", ha="right", fontsize=8, animated=True)
            canvas.draw()
            still = canvas.copy_from_bbox(figure.bbox)  # all but the image, the clock and the bar
            last = float(self.stack.time[-1])
            for start, frames in self.stack.chunks(8):
                for number, frame in enumerate(frames, start=start):
                    image.set_data(self._shown(number, frame))
                    clock.set_text(_clock(float(self.stack.time[number]), last))
                    canvas.restore_region(still)
                    for artist in (image, *over, *axes.spines.values(), clock):
                        figure.draw_artist(artist)
                    picture = np.asarray(canvas.buffer_rgba())[:, :, :3]
                    even = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
                    yield np.ascontiguousarray(even)

    def _scale_bar(self, axes: Any) -> list[Any]:
        """A round length of about a quarter of the width, at the lower right."""
        h, w = self.stack.shape[1:]
        quarter = 0.25 * w * self.stack.pixel
        decade = 10.0 ** math.floor(math.log10(quarter))
        length = max(n * decade for n in (1, 2, 5) if n * decade <= quarter)
        pixels = length / self.stack.pixel
        right, low = 0.96 * w, 0.95 * h
        colour = "white" if self.show == "raw" else "black"
        (line,) = axes.plot(
            [right - pixels, right], [low, low], color=colour, lw=2.5, solid_capstyle="butt",
            animated=True,
        )  # fmt: skip
        text = axes.text(
            right - 0.5 * pixels, low - 0.02 * h, display(round(length, 12), "m").replace("u", "µ"),
            color=colour, ha="center", va="bottom", animated=True,
        )  # fmt: skip
        axes.set(xlim=(-0.5, w - 0.5), ylim=(h - 0.5, -0.5))
        return [line, text]


def _clock(t: float, last: float) -> str:
    """A time in the unit that suits the last one."""
    if last < 600.0:
        return f"{t:.1f} s"
    return f"{t / 60.0:.1f} min" if last < 36000.0 else f"{t / 3600.0:.2f} h"
