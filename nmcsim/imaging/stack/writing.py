"""Frames into an OME-TIFF file, one at a time.

The file is an uncompressed multi-page TIFF with OME-XML in the first page, as `tifffile` writes
it: Bio-Formats (and so Fiji) reads sizes, units and times from the XML. ImageJ without Bio-Formats
opens the pages as a stack and takes the pixel size from the resolution tags, which say it per
centimetre.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import ArrayLike, NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.stack.placing import placed

__all__ = ["write_stack"]

CLASSIC = 2**32 - 2**25
"""Bytes that a classic TIFF file holds, with room for its pages' tables."""


def write_stack(
    path: str | Path,
    frames: Iterable[NDArray[Any]],
    *,
    pixel: float,
    time: ArrayLike,
    dtype: str = "uint16",
    description: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write frames as they come to an OME-TIFF file; it appears when it is complete.

    Parameters
    ----------
    path : path
        Ends in ``.ome.tif``, or ``.tif``.
    frames : iterable of (h, w) arrays, or one (k, h, w) array
        Integer dtypes take them rounded and clipped to their range.
    pixel : float
        [m].
    time : (k,) array
        Of the frames [s]: as many as there are frames.
    dtype : str
        ``"uint16"``, ``"uint8"`` or ``"float32"``.
    description : str
        A text for people; OME's Description.
    metadata : mapping of str to str
        Kept as OME's map annotation.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        The ending is none of a TIFF file.
    RunFailure
        The disk is full or the folder may not be written.
    ValueError
        There are more or fewer frames than times.
    """
    target = Path(path)
    if target.suffix.lower() not in (".tif", ".tiff"):
        raise InputError(
            Mistake("", f'has the ending "{target.suffix}"; name it FILE.ome.tif'), str(target)
        )
    moments = np.asarray(time, dtype=np.float64)
    kind = np.dtype(dtype)
    incoming = iter(frames)
    first = np.asarray(next(incoming))
    shape = (len(moments), *first.shape)
    size = int(np.prod(shape)) * kind.itemsize
    with (
        placed(target) as aside,
        tifffile.TiffWriter(aside, ome=True, bigtiff=size > CLASSIC) as file,
    ):
        file.write(
            _converted(first, incoming, kind, len(moments)),
            shape=shape,
            dtype=kind,
            photometric="minisblack",
            resolution=(1e-2 / pixel, 1e-2 / pixel),
            resolutionunit="CENTIMETER",
            software="nmcsim",
            metadata=_ome(target, pixel, moments, description, dict(metadata or {})),
        )
    return target


def _ome(
    path: Path, pixel: float, time: NDArray[np.float64], description: str, extra: dict[str, str]
) -> dict[str, Any]:
    micrometres = float(f"{1e6 * pixel:.12g}")
    told: dict[str, Any] = {
        "axes": "TYX",
        "Name": path.name,
        "PhysicalSizeX": micrometres,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": micrometres,
        "PhysicalSizeYUnit": "µm",
        "Plane": {
            "DeltaT": [float(f"{t:.12g}") for t in time],
            "DeltaTUnit": ["s"] * len(time),
        },
    }
    steps = np.diff(time)
    if steps.size and np.allclose(steps, steps[0], rtol=1e-6, atol=0.0):
        told |= {"TimeIncrement": float(f"{steps.mean():.12g}"), "TimeIncrementUnit": "s"}
    if description:
        told["Description"] = description
    if extra:
        told["MapAnnotation"] = {str(key): str(value) for key, value in extra.items()}
    return told


def _converted(
    first: NDArray[Any], rest: Iterator[NDArray[Any]], dtype: np.dtype[Any], count: int
) -> Iterator[NDArray[Any]]:
    number = 0
    for number, frame in enumerate(_joined(first, rest), start=1):
        values = np.asarray(frame)
        if values.shape != first.shape:
            raise ValueError(f"frame {number} has shape {values.shape}, not {first.shape}")
        if dtype.kind in "ui" and values.dtype != dtype:
            limits = np.iinfo(dtype)
            values = np.clip(np.rint(values), limits.min, limits.max)
        yield np.ascontiguousarray(values, dtype=dtype)
        if number == count:
            break
    if number < count or next(rest, None) is not None:
        raise ValueError(f"there are {count} times, and another number of frames")


def _joined(first: NDArray[Any], rest: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    yield first
    yield from rest
