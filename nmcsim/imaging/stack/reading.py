"""Frames on disk, read as they are asked for: TIFF of several kinds, HDF5, .npy, folders."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError
from nmcsim.imaging.stack.frames import (
    ArrayFrames,
    Found,
    Frames,
    checked_kind,
    checked_shape,
    plain,
    refuse,
)
from nmcsim.imaging.stack.metadata import of_hdf5
from nmcsim.imaging.stack.tiff import TIFF, of_folder, of_tiff_file

__all__ = ["ArrayFrames", "Frames", "find", "refuse"]

HDF5 = (".h5", ".hdf5", ".hdf", ".nxs")


def find(path: Path, dataset: str | None = None) -> Found:
    """Open a file or folder of frames.

    Raises
    ------
    InputError
        It does not exist, is of no kind that is read, is damaged, or holds no stack.
    """
    if not path.exists():
        refuse(str(path), "does not exist; name a TIFF, HDF5 or .npy file of frames")
    if path.is_dir():
        return of_folder(path)
    if path.stat().st_size == 0:
        refuse(str(path), "is empty; copy it again from where it was recorded")
    suffix = path.suffix.lower()
    if dataset is not None and suffix not in HDF5:
        refuse(str(path), f'is no HDF5 file; leave the dataset "{dataset}" out')
    if suffix in TIFF:
        return of_tiff_file(path)
    if suffix in HDF5:
        return _hdf5(path, dataset)
    if suffix == ".npy":
        return Found(_Npy(path))
    refuse(
        str(path),
        f'has the ending "{path.suffix}", which is none of a stack; save it as TIFF (.tif), '
        "HDF5 (.h5) or .npy",
    )


def _hdf5(path: Path, dataset: str | None) -> Found:
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        refuse(str(path), f"cannot be read as HDF5 ({plain(error)}); it may be cut short")
    try:
        data = _chosen(path, file, dataset)
        checked_kind(data.dtype, f"{path}: {data.name}")
        shape = checked_shape(data.shape, f"{path}: {data.name}")
        facts = of_hdf5(data, shape[0])
    except InputError:
        file.close()
        raise
    frames = _Dataset(path, data, shape)
    weakref.finalize(frames, file.close)
    return Found(frames, facts)


def _chosen(path: Path, file: Any, name: str | None) -> Any:
    found: dict[str, Any] = {}

    def note(where: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "uifbc":
            found[where] = item

    file.visititems(note)
    known = ", ".join(f"{where} ({' x '.join(map(str, d.shape))})" for where, d in found.items())
    if name is not None:
        if name.strip("/") not in found:
            refuse(str(path), f'has no dataset "{name}"; it has {known or "none"}')
        return found[name.strip("/")]
    stacks = {where: d for where, d in found.items() if d.ndim >= 3}
    if len(stacks) != 1:
        what = "several stacks" if stacks else "no dataset with three axes"
        refuse(str(path), f"has {what}; say which dataset; it has {known or 'none'}")
    return next(iter(stacks.values()))


class _Npy:
    def __init__(self, path: Path) -> None:
        try:
            self._array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            refuse(str(path), f"cannot be read as .npy ({plain(error)}); save it with numpy.save")
        checked_kind(self._array.dtype, str(path))
        self.shape = checked_shape(self._array.shape, str(path))
        self.dtype = self._array.dtype

    def read(self, start: int, stop: int) -> NDArray[Any]:
        return np.asarray(self._array.reshape(self.shape)[start:stop])


class _Dataset:
    def __init__(self, path: Path, data: Any, shape: tuple[int, int, int]) -> None:
        self.shape, self.dtype = shape, data.dtype
        self._path, self._data = path, data

    def read(self, start: int, stop: int) -> NDArray[Any]:
        first = next((n for n, length in enumerate(self._data.shape) if length != 1), 0)
        where = [slice(None)] * self._data.ndim
        where[first if self._data.ndim > 3 else 0] = slice(start, stop)
        try:
            return np.asarray(self._data[tuple(where)]).reshape(-1, *self.shape[1:])
        except OSError as error:
            refuse(str(self._path), f"cannot be read from frame {start} on ({plain(error)})")
