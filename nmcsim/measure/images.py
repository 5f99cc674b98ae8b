"""Single images and slices from files: labels of particles, segmented or grey slices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake

__all__ = ["cycle_files", "pixel_of", "read_labels", "slices_of"]

Image = NDArray[Any]


def slices_of(path: Path) -> list[Callable[[], Image]]:
    """The slices of a file, each read when it is asked for.

    Parameters
    ----------
    path : Path
        A TIFF of one or more pages, or a PNG.

    Raises
    ------
    InputError
        The file does not exist or is no grey image.
    """
    if not path.is_file():
        raise InputError(
            Mistake("", "does not exist" if not path.exists() else "is a folder"), str(path)
        )
    if path.suffix.lower() in (".tif", ".tiff"):
        return _tiff(path)
    image = _whole(path)
    return [lambda: image]


def _tiff(path: Path) -> list[Callable[[], Image]]:
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            count = len(file.pages)
            first: Any = file.pages[0]
            shape, samples, kind = first.shape, first.samplesperpixel, first.dtype
    except Exception as error:  # tifffile raises several kinds on a damaged file
        raise _unreadable(path, error) from None
    _checked(path, shape if samples == 1 else (*shape[:2], samples), kind)

    def page(number: int) -> Callable[[], Image]:
        def read() -> Image:
            try:
                return np.asarray(tifffile.imread(path, key=number))
            except Exception as error:
                raise _unreadable(path, error) from None

        return read

    return [page(number) for number in range(count)]


def _whole(path: Path) -> Image:
    import imageio.v3 as iio

    try:
        image = np.asarray(iio.imread(path))
    except Exception as error:  # imageio raises what its plugins do
        raise _unreadable(path, error) from None
    if image.ndim == 3 and image.shape[2] in (3, 4) and _is_grey(image):
        image = image[..., 0]  # programs save grey pictures in colour
    _checked(path, image.shape, image.dtype)
    return image


def _is_grey(image: Image) -> bool:
    return bool((image[..., 0] == image[..., 1]).all() and (image[..., 0] == image[..., 2]).all())


def _checked(path: Path, shape: Sequence[int], kind: Any) -> None:
    if len(shape) != 2:
        raise InputError(Mistake("", "is a colour image; save it in grey, or as labels"), str(path))
    if kind is None or np.dtype(kind).kind not in "buif":
        raise InputError(Mistake("", f"holds {kind}, not grey values or labels"), str(path))


def _unreadable(path: Path, error: Exception) -> InputError:
    said = (str(error) or type(error).__name__).splitlines()[0]
    return InputError(Mistake("", f"cannot be read as an image ({said})"), str(path))


def read_labels(path: Path) -> Image:
    """A label image: whole numbers, 0 outside; a binary one is split into connected regions.

    Raises
    ------
    InputError
        No such image, numbers that are not whole.
    """
    from scipy import ndimage

    image = slices_of(path)[0]()
    if image.dtype.kind == "f":
        if not (image == np.rint(image)).all():
            raise InputError(Mistake("", "holds fractions, not labels"), str(path))
        image = image.astype(np.int64)
    if len(np.unique(image)) <= 2:
        image = ndimage.label(image > 0)[0]
    return np.asarray(image)


def pixel_of(path: Path) -> float | None:
    """The pixel size that a TIFF tells [m], if it does."""
    from nmcsim.imaging.stack.reading import find

    if path.suffix.lower() not in (".tif", ".tiff"):
        return None
    try:
        return find(path).facts.pixel
    except InputError:  # a single slice is no stack
        return None


def cycle_files(words: Sequence[str], cycles: Sequence[float]) -> Iterator[tuple[float, Path]]:
    """Cycle numbers and files.

    Parameters
    ----------
    words : sequence of str
        ``35=slice.tif``; or files, whose cycles are in `cycles`, or else the last number in each
        name (``cycle_035.tif``).
    cycles : sequence of float

    Raises
    ------
    InputError
        As many numbers as files are needed; a name without one.
    """
    if cycles and len(cycles) != len(words):
        message = f"has {len(cycles)} numbers for {len(words)} files; give one for each"
        raise InputError(Mistake("--cycles", message))
    for k, word in enumerate(words):
        number, equals, name = word.partition("=")
        try:
            if equals and not Path(word).exists():
                yield float(number), Path(name)
                continue
        except ValueError:
            message = 'is neither a file nor CYCLE=FILE, such as "35=slices.tif"'
            raise InputError(Mistake(f'"{word}"', message)) from None
        if cycles:
            yield cycles[k], Path(word)
            continue
        found = re.findall(r"\d+(?:\.\d+)?", Path(word).stem)
        if not found:
            message = 'has no cycle number in its name; say it: "35=FILE", or --cycles 0,10,35'
            raise InputError(Mistake(f'"{word}"', message))
        yield float(found[-1]), Path(word)
