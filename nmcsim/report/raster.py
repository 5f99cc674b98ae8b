"""Frames of the map as images small enough for a page: rasterised once, quantised, differenced,
deflated.

The pixels of a frame are stored as differences of whole numbers, which a smooth field makes small;
the page inflates the bytes with the browser's own ``DecompressionStream`` and sums them up.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmcsim.figures.sampler import Sampler

FRAMES = 121  # at most: more are not told apart by hand, and cost memory
BITS = (12, 10, 8)  # tried in this order until the frames fit


@dataclass(frozen=True)
class Raster:
    """All frames of a map, packed.

    Parameters
    ----------
    extent : tuple
        ``x0, y0, width, height`` of the image [um].
    shape : tuple
        Rows and columns.
    inside : str
        Base64 of the deflated mask (rows * columns bytes of 0|1).
    frames : str
        Base64 of the deflated differences: all low bytes, then all high bytes of int16
        (frames, pixels inside).
    chosen : (frames,) int array
        Which of the recorded frames these are.
    time : (frames,) array
        [s].
    low, step : float
        value = low + step * whole number; the error is half a step.
    least, largest : (frames,) arrays
        Of the values in each frame.
    shown : int
        The frame that the page opens with: a third through, where there is something to see.
    image : (rows, columns) float32 array
        That frame, NaN outside.
    """

    extent: tuple[float, float, float, float]
    shape: tuple[int, int]
    inside: str
    frames: str
    chosen: NDArray[np.int64]
    time: NDArray[np.float64]
    low: float
    step: float
    least: NDArray[np.float64]
    largest: NDArray[np.float64]
    shown: int
    image: NDArray[np.float32]


def rasterise(
    sample: Sampler,
    time: NDArray[np.float64],
    nodal: NDArray[np.floating],
    budget: int,
    most: int = FRAMES,
) -> Raster:
    """Pack a nodal field into at most ``budget`` bytes: fewer bits first, then fewer frames.

    Parameters
    ----------
    sample : Sampler
        Of the field's map.
    time : (k,) array
        Of the frames [s]; at least one.
    nodal : (k, n) array
        Values at the nodes.
    budget : int
        Bytes of the deflated frames.
    most : int
        Frames at most.
    """
    chosen = _spread(np.arange(len(time)), most)
    values = np.array([sample(nodal[i]) for i in chosen], dtype=np.float32)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    for bits in BITS:
        step = max(high - low, 1e-6) / (2**bits - 1)
        packed = _pack(values, low, step)
        if len(packed) <= budget:
            break
    while len(packed) > budget and len(chosen) > 2:
        kept = _spread(np.arange(len(chosen)), len(chosen) // 2 + 1)
        chosen, values = chosen[kept], values[kept]
        packed = _pack(values, low, step)
    shown = len(chosen) // 3
    image = np.full(sample.shape, np.nan, dtype=np.float32)
    image[sample.inside] = values[shown]
    return Raster(
        extent=sample.extent,
        shape=sample.shape,
        inside=_text(zlib.compress(sample.inside.astype(np.uint8).tobytes(), 9)),
        frames=_text(packed),
        chosen=chosen,
        time=time[chosen],
        low=low,
        step=step,
        least=np.nanmin(values, axis=1).astype(np.float64),
        largest=np.nanmax(values, axis=1).astype(np.float64),
        shown=shown,
        image=image,
    )


def _spread(numbers: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most ``most`` of ``numbers``, evenly spread, the first and the last among them."""
    if len(numbers) <= most:
        return numbers
    picked: NDArray[np.int64] = numbers[np.linspace(0, len(numbers) - 1, most).round().astype(int)]
    return picked


def _pack(values: NDArray[np.float32], low: float, step: float) -> bytes:
    whole = np.asarray(np.rint((np.nan_to_num(values, nan=low) - low) / step), dtype=np.int16)
    # int16 arithmetic wraps alike here and in the page
    change = np.diff(whole, axis=1, prepend=np.int16(0))
    low_bytes = np.asarray(change & 0xFF, dtype=np.uint8)
    high_bytes = np.asarray(change >> 8, dtype=np.int8)
    # bytes of one kind together deflate better; more than level 6 gains little and costs seconds
    return zlib.compress(low_bytes.tobytes() + high_bytes.tobytes(), 6)


def unpack(raster: Raster) -> NDArray[np.float64]:
    """Values (frames, pixels inside) as the page sees them: the reference of what its script
    computes.
    """
    content = np.frombuffer(zlib.decompress(base64.b64decode(raster.frames)), dtype=np.uint8)
    half = len(content) // 2
    low_bytes, high_bytes = content[:half].astype(np.int16), content[half:].view(np.int8)
    change = (low_bytes | (high_bytes.astype(np.int16) << 8)).reshape(len(raster.time), -1)
    whole = np.cumsum(change, axis=1, dtype=np.int16)
    return raster.low + raster.step * whole.astype(np.float64)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
