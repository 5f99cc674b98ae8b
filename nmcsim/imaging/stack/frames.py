"""Where frames come from: memory, or places in a file; and what is refused as frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.stack.metadata import Facts

__all__ = [
    "ArrayFrames", "Found", "Frames", "RawFrames", "checked_kind", "checked_shape", "cut_short",
    "plain", "refuse",
]  # fmt: skip


class Frames(Protocol):
    """Where frames come from."""

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Frames ``start`` to ``stop`` (excluded), of any real dtype."""
        ...


@dataclass(frozen=True)
class Found:
    """What a file holds: its frames, and what it says of them."""

    frames: Frames
    facts: Facts = field(default_factory=Facts)


def refuse(place: str, message: str) -> NoReturn:
    """Raise the one sentence."""
    raise InputError(Mistake("", message), place)


def checked_kind(dtype: np.dtype[Any], place: str) -> None:
    """Refuse what is no intensity."""
    if dtype.kind not in "uif":
        words = {"b": "truth values", "c": "complex numbers"}.get(dtype.kind, f"values of {dtype}")
        refuse(place, f"holds {words}; a stack holds intensities as integers or real numbers")


def checked_shape(shape: Sequence[int], place: str) -> tuple[int, int, int]:
    """Frames, height and width; axes of length 1 beside them are dropped."""
    long = [n for n in shape if n != 1] if len(shape) > 3 else list(shape)
    said = " x ".join(str(n) for n in shape)
    if len(shape) == 2 or (len(shape) > 3 and len(long) == 2):
        refuse(place, f"is a single frame ({said} pixels); give a stack of several frames")
    if len(long) != 3:
        refuse(place, f"has {len(shape)} axes ({said}); a stack has three: frames, height, width")
    if long[-1] in (3, 4) and long[1] > 4:
        refuse(place, f"is a colour picture ({said}); save one channel as a grey stack")
    if long[0] == 1:
        refuse(place, f"is a single frame ({said}); give a stack of several frames")
    if min(long) == 0:
        refuse(place, f"is empty ({said})")
    return long[0], long[1], long[2]


class ArrayFrames:
    """Frames in memory."""

    def __init__(self, array: NDArray[Any], place: str) -> None:
        checked_kind(array.dtype, place)
        self.shape = checked_shape(array.shape, place)
        self.dtype = array.dtype
        self._array = array.reshape(self.shape)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        return self._array[start:stop]


class RawFrames:
    """Frames that lie one after another in a file; it is opened for each reading."""

    def __init__(
        self, path: Path, offset: int, shape: tuple[int, int, int], dtype: np.dtype[Any]
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self._path, self._offset = path, offset
        need = offset + int(np.prod(shape)) * dtype.itemsize
        if (size := path.stat().st_size) < need:
            cut_short(path, (size - offset) // (shape[1] * shape[2] * dtype.itemsize), shape[0])

    def read(self, start: int, stop: int) -> NDArray[Any]:
        k, h, w = max(stop - start, 0), *self.shape[1:]
        offset = self._offset + start * h * w * self.dtype.itemsize
        flat = np.fromfile(self._path, self.dtype, count=k * h * w, offset=offset)
        return flat.reshape(k, h, w)


def cut_short(path: Path, frames: int | None, of: int | None) -> NoReturn:
    whole = "" if frames is None else f" after {frames} frames"
    whole += "" if of is None else f" of {of}"
    refuse(str(path), f"is cut short: the file ends{whole}; copy it again")


def plain(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
