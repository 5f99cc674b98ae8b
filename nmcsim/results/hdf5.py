"""Small datasets with texts beside them, without h5py's detours: a result has some forty of them.

What h5py does for a dataset and its three texts takes 0.2 ms to write and as long to read, most of
it to find out what is known here; in a sweep each case would wait for it.
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5s, h5t
from numpy.typing import ArrayLike

__all__ = ["text_of", "write_array", "write_plain"]

PACKED = 4096
"""Values from which on a dataset is compressed; beyond level 1 a file shrinks by 1 %."""
ONE_CHUNK = 1_000_000
"""Bytes up to which it is read as a whole: what HDF5 keeps in memory of a dataset."""

_TEXT = h5py.string_dtype()
_ON_DISK, _IN_MEMORY = h5t.py_create(_TEXT, logical=True), h5t.py_create(_TEXT)


def write_array(group: Any, name: str, values: ArrayLike, **texts: str) -> None:
    """A new dataset of numbers or strings in an HDF5 group, with texts as its attributes."""
    array = np.asarray(values)
    if array.size <= PACKED and array.dtype.kind in "fiu":
        write_plain(group, name, array, **texts)
        return
    packed: dict[str, Any] = {}
    if array.size > PACKED:
        packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    if array.size > PACKED and array.nbytes <= ONE_CHUNK:
        packed["chunks"] = array.shape  # h5py would make four or more of them, each with its detour
    made = group.create_dataset(name, data=values, **packed)
    _write_texts(made.id, texts)


def write_plain(group: Any, name: str, values: np.ndarray, **texts: str) -> None:
    """The same of numbers, as they are."""
    array = np.ascontiguousarray(values)
    kind = h5t.py_create(array.dtype, logical=True)
    made = h5d.create(group.id, name.encode(), kind, h5s.create_simple(array.shape))
    made.write(h5s.ALL, h5s.ALL, array)
    _write_texts(made, texts)


def _write_texts(dataset: Any, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        made = h5a.create(dataset, name.encode(), _ON_DISK, h5s.create(h5s.SCALAR))
        made.write(np.array(text, dtype=_TEXT), mtype=_IN_MEMORY)


def text_of(dataset: Any, name: str) -> str:
    """An attribute of a dataset that is a text.

    Raises
    ------
    KeyError
        There is none of that name.
    """
    read = np.empty((), dtype=_TEXT)
    h5a.open(dataset.id, name.encode()).read(read, mtype=_IN_MEMORY)
    text = read[()]
    return text.decode() if isinstance(text, bytes) else str(text)
