"""TIFF files of frames: OME, ImageJ, any grey multi-page file, and folders of single frames."""

from __future__ import annotations

import logging
import re
import struct
import weakref
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import tifffile
from numpy.typing import NDArray

from nmcsim.errors import InputError
from nmcsim.imaging.stack.frames import (
    Found,
    RawFrames,
    checked_kind,
    checked_shape,
    cut_short,
    plain,
    refuse,
)
from nmcsim.imaging.stack.metadata import Facts, of_tiff

__all__ = ["TIFF", "of_folder", "of_tiff_file", "software_of"]

TIFF = (".tif", ".tiff", ".btf", ".tf8", ".stk", ".lsm")
"""Endings of files that tifffile reads."""
_BROKEN = (
    tifffile.TiffFileError, struct.error, zlib.error, OSError, ValueError, IndexError, KeyError,
    RuntimeError, TypeError,
)  # fmt: skip
"""What tifffile raises on damaged files."""


def of_tiff_file(path: Path) -> Found:
    """The frames of a TIFF file."""
    with _heard() as complaints:
        try:
            file = tifffile.TiffFile(path)
        except _BROKEN as error:
            _unreadable(path, error)
        try:
            found = _found(path, file, complaints)
        except InputError:
            file.close()
            raise
        except _BROKEN as error:
            file.close()
            _unreadable(path, error)
    if isinstance(found.frames, RawFrames):
        file.close()
    else:
        weakref.finalize(found.frames, file.close)
    return found


def software_of(path: Path) -> str:
    """The program that a TIFF file says wrote it; empty where that cannot be read."""
    with _heard():
        try:
            with tifffile.TiffFile(path) as file:
                return str(file.pages.first.tags.valueof("Software"))
        except _BROKEN:
            return ""


def _found(path: Path, file: Any, complaints: list[str]) -> Found:
    pages_there = len(file.pages)
    # a file cut short still opens, with fewer frames than were written
    if any("invalid page offset" in said or "invalid value offset" in said for said in complaints):
        cut_short(path, pages_there, None)
    series = list(file.series)
    pages = _frames_of(path, file, series)
    whole = series[0]
    several = len(series) > 1 and not file.is_ome
    count = len(pages) if several else _count(path, whole)
    shape = (count, *pages[0].shape[:2])
    facts = of_tiff(file, count)
    if whole.dataoffset is not None and not several:
        dtype = whole.dtype.newbyteorder(file.byteorder)
        return Found(RawFrames(path, whole.dataoffset, shape, dtype), facts)
    if len(pages) != count or any(page is None for page in pages):
        refuse(str(path), "lacks frames that its metadata announce; save it as one file again")
    _check_alike(path, pages)
    _check_last(path, pages[-1])
    return Found(_Pages(path, pages, shape), facts)


def _unreadable(path: Path, error: Exception) -> NoReturn:
    refuse(
        str(path), f"is no readable TIFF file ({plain(error)}); open it in Fiji and save it again"
    )


def _frames_of(path: Path, file: Any, series: list[Any]) -> Any:
    """The pages that are frames."""
    if not series or not len(file.pages):
        refuse(str(path), "is a TIFF file without a picture")
    first = file.pages[0]
    if getattr(first, "samplesperpixel", 1) > 1 or int(first.photometric) in (2, 3):
        refuse(str(path), "is a colour picture (RGB); save one channel as a grey stack")
    checked_kind(first.dtype if first.bitspersample != 1 else np.dtype(bool), str(path))
    if int(first.photometric) == 0:
        refuse(str(path), "counts white as 0 (MINISWHITE); invert it in Fiji and save it again")
    if len(series) == 1 or file.is_ome:
        return series[0].pages
    sizes = {page.shape for s in series for page in s.pages if page is not None}
    if len(sizes) > 1:
        said = " and ".join(" x ".join(str(n) for n in size) for size in sorted(sizes)[:3])
        refuse(str(path), f"has frames of different sizes ({said} pixels); save equal ones")
    return list(file.pages)


def _count(path: Path, series: Any) -> int:
    """Number of frames of a series with named axes."""
    axes = [(name, n) for name, n in zip(series.axes, series.shape, strict=True) if n != 1]
    if sum(name in "YX" for name, _ in axes) == 2 and len(axes) > 3:
        said = ", ".join(f"{name} = {n}" for name, n in axes)
        refuse(
            str(path),
            f"has {len(axes)} axes ({said}); save one channel and one depth: a stack has frames, "
            "height and width",
        )
    return checked_shape(series.shape, str(path))[0]


def _check_alike(path: Path, pages: Sequence[Any]) -> None:
    """Refuse pages that cannot be unpacked, or are of several kinds."""
    compression = pages[0].compression
    if compression not in tifffile.TIFF.DECOMPRESSORS:
        _refuse_compression(path, getattr(compression, "name", compression))
    kinds = sorted({str(np.dtype(page.dtype).newbyteorder("=")) for page in pages})
    if len(kinds) > 1:
        refuse(str(path), f"has frames of several kinds ({' and '.join(kinds)}); save them alike")


def _refuse_compression(path: Path, name: object) -> NoReturn:
    refuse(
        str(path),
        f"is compressed by {name}, which needs the Python package imagecodecs; install that, or"
        " open the file in Fiji and save it as TIFF, without compression",
    )


def _check_last(path: Path, page: Any) -> None:
    try:
        ends = [a + n for a, n in zip(page.dataoffsets, page.databytecounts, strict=True)]
        broken = max(ends, default=0) > path.stat().st_size
    except _BROKEN:
        broken = True
    if broken:
        cut_short(path, None, None)


def of_folder(path: Path) -> Found:
    """A folder of one TIFF file per frame, ordered by the numbers in their names."""
    names = [p for p in path.iterdir() if p.suffix.lower() in TIFF and not p.name.startswith(".")]
    if not names:
        if (path / "summary.json").is_file():
            message = (
                "is a result and no stack; film it first, with nmcsim film, and name that file"
            )
            refuse(str(path), message)
        refuse(str(path), "is a folder without TIFF files; name the file of the stack")
    paths = sorted(names, key=_natural)
    first = _single(paths[0])
    checked_kind(first.dtype, str(paths[0]))
    if first.ndim != 2 or len(paths) == 1:
        said = " x ".join(str(n) for n in first.shape)
        refuse(
            str(path),
            f"is a folder whose first TIFF file is no single grey frame ({said}), or the only one; "
            "name the file of the stack",
        )
    with _heard(), tifffile.TiffFile(paths[0]) as file:
        facts = of_tiff(file, 1)
    kept = Facts(pixel=facts.pixel, pixel_y=facts.pixel_y, description=facts.description)
    return Found(_Files(paths, (len(paths), *first.shape), first.dtype), kept)


def _single(path: Path) -> NDArray[Any]:
    with _heard():
        try:
            return np.asarray(tifffile.imread(path))
        except _BROKEN as error:
            if "imagecodecs" in str(error):
                _refuse_compression(path, str(error).partition(":")[0].rpartition(".")[2])
            refuse(str(path), f"is no readable TIFF file ({plain(error)}); copy it again")


def _natural(path: Path) -> list[tuple[int, int | str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(part)) if part.isdigit() else (0, part) for part in parts]


class _Pages:
    """Pages of a TIFF file that are compressed, tiled or scattered."""

    def __init__(self, path: Path, pages: Sequence[Any], shape: tuple[int, int, int]) -> None:
        self.shape, self.dtype = shape, pages[0].dtype
        self._path, self._pages = path, pages

    def read(self, start: int, stop: int) -> NDArray[Any]:
        found = np.empty((max(stop - start, 0), *self.shape[1:]), self.dtype)
        for row, number in enumerate(range(start, stop)):
            try:
                found[row] = self._pages[number].asarray().reshape(self.shape[1:])
            except _BROKEN as error:
                refuse(
                    str(self._path),
                    f"cannot be read from frame {number} on ({plain(error)}); copy it again",
                )
        return found


class _Files:
    """One file for each frame."""

    def __init__(self, paths: Sequence[Path], shape: tuple[int, int, int], dtype: Any) -> None:
        self.shape, self.dtype = shape, dtype
        self._paths = paths

    def read(self, start: int, stop: int) -> NDArray[Any]:
        found = np.empty((max(stop - start, 0), *self.shape[1:]), self.dtype)
        for row, path in enumerate(self._paths[start:stop]):
            frame = _single(path)
            if frame.shape != self.shape[1:]:
                h, w = self.shape[1:]
                said = " x ".join(str(n) for n in frame.shape)
                refuse(str(path), f"has {said} pixels, the first frame of the folder {h} x {w}")
            if not np.can_cast(frame.dtype, self.dtype, "equiv"):
                refuse(
                    str(path),
                    f"holds {frame.dtype}, the first frame of the folder {self.dtype}; save them"
                    " alike",
                )
            found[row] = frame
        return found


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What tifffile logs of a damaged file, kept from the terminal."""
    logger, ear = logging.getLogger("tifffile"), _Ear()
    before = logger.propagate
    logger.addHandler(ear)
    logger.propagate = False
    try:
        yield ear.said
    finally:
        logger.removeHandler(ear)
        logger.propagate = before
