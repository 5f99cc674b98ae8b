"""Frames of a microscope, measured or simulated, read as they are needed.

stack = Stack.open("frames.ome.tif")
stack.shape, stack.pixel, stack.time        (k, h, w)   [m]   (k,) [s]
for first, frames in stack.chunks(16): ...  (m, h, w) float32
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.stack.reading import ArrayFrames, Frames, find, refuse
from nmcsim.imaging.stack.writing import write_stack

__all__ = ["Stack", "write_stack"]


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames over time; `Stack.open` reads a file, `Stack.of` takes an array.

    Parameters
    ----------
    source : Frames
        Where the frames come from.
    pixel : float
        Edge of a pixel [m].
    time : (k,) float array
        Of the frames, rising [s].
    name : str
        For sentences and titles.
    description : str
        What the file says of itself.
    metadata : mapping of str to str
        Further keys of the file.
    """

    source: Frames = field(repr=False)
    pixel: float
    time: NDArray[np.float64] = field(repr=False)
    name: str = "stack"
    description: str = field(default="", repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        pixel: float | None = None,
        interval: float | None = None,
        times: ArrayLike | None = None,
        dataset: str | None = None,
    ) -> Stack:
        """Open a file of frames; only its metadata are read.

        Parameters
        ----------
        path : path
            OME-TIFF, ImageJ TIFF or any grey multi-page TIFF; HDF5; .npy; or a folder of numbered
            TIFF files of one frame each.
        pixel : float, optional
            Edge of a pixel [m], in place of what the file says.
        interval : float, optional
            Between frames [s]; the first is at 0.
        times : (k,) array, optional
            Of the frames [s], in place of `interval`.
        dataset : str, optional
            Of an HDF5 file with several stacks.

        Raises
        ------
        InputError
            The file is no stack of grey frames or is damaged, says no pixel size or no times where
            none is given, or its times do not rise.
        """
        place = str(path)
        found = find(Path(path), dataset)
        facts, frames = found.facts, found.frames
        if pixel is None:
            pixel = facts.pixel
            if pixel is None:
                refuse(place, 'has no pixel size; say --pixel "34.7 nm"')
            other = facts.pixel_y or pixel
            if abs(other / pixel - 1.0) > 1e-3:
                refuse(
                    place,
                    f"has pixels of {1e9 * pixel:.4g} nm x {1e9 * other:.4g} nm; only square ones "
                    "are measured: scale the frames, or say --pixel",
                )
        count = frames.shape[0]
        if times is not None:
            moments = np.asarray(times, dtype=np.float64)
        elif interval is not None:
            moments = _even(interval, count, place)
        elif facts.time is not None:
            moments = np.asarray(facts.time, dtype=np.float64)
        elif facts.interval is not None:
            moments = _even(facts.interval, count, place)
        else:
            refuse(place, 'says no times of its frames; say --interval "2 s"')
        return cls(
            frames,
            _checked_pixel(pixel, place),
            _checked_times(moments, count, place),
            Path(path).name,
            facts.description,
            facts.metadata,
        )

    @classmethod
    def of(cls, array: NDArray[Any], pixel: float, time: ArrayLike, name: str = "stack") -> Stack:
        """A stack of frames in memory.

        Parameters
        ----------
        array : (k, h, w) array of integers or real numbers
        pixel : float
            [m].
        time : (k,) array
            [s].
        name : str

        Raises
        ------
        InputError
            As `open`.
        """
        frames = ArrayFrames(np.asarray(array), name)
        moments = np.asarray(time, dtype=np.float64)
        times = _checked_times(moments, frames.shape[0], name)
        return cls(frames, _checked_pixel(pixel, name), times, name)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height (axis 1, downwards), width (axis 2, to the right)."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the file; frames are handed out as float32."""
        return self.source.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def frame(self, i: int) -> NDArray[np.float32]:
        """Frame ``i``, (h, w); negative numbers count from the end."""
        k = self.shape[0]
        if not -k <= i < k:
            raise IndexError(f"frame {i} of {k}")
        first = i % k
        return np.asarray(self.source.read(first, first + 1)[0], dtype=np.float32)

    def chunks(self, n: int = 16) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """All frames in order, ``n`` at a time: the number of the first, and the frames
        (m, h, w) with m <= n.
        """
        for first in range(0, self.shape[0], n):
            last = min(first + n, self.shape[0])
            yield first, np.asarray(self.source.read(first, last), dtype=np.float32)


def _even(interval: float, count: int, place: str) -> NDArray[np.float64]:
    if not (np.isfinite(interval) and interval > 0.0):
        refuse(place, f"has frames every {interval:g} s; an interval is above 0")
    return np.asarray(np.arange(count) * float(interval), dtype=np.float64)


def _checked_pixel(pixel: float, place: str) -> float:
    if not (np.isfinite(pixel) and pixel > 0.0):
        refuse(place, f"has pixels of {pixel:g} m; a pixel size is above 0")
    return float(pixel)


def _checked_times(times: NDArray[np.float64], count: int, place: str) -> NDArray[np.float64]:
    if times.shape != (count,):
        raise InputError(
            Mistake("", f"has {count} frames but {times.size} times; give one for each"), place
        )
    wrong = np.flatnonzero(~(np.diff(times) > 0.0))
    if not np.isfinite(times).all() or wrong.size:
        i = int(wrong[0]) if wrong.size else int(np.flatnonzero(~np.isfinite(times))[0])
        later = times[min(i + 1, count - 1)]
        raise InputError(
            Mistake(
                "",
                f"has times that do not rise: frame {i} at {times[i]:g} s, frame {i + 1} at "
                f"{later:g} s; give the interval between frames instead",
            ),
            place,
        )
    return np.asarray(times, dtype=np.float64)
