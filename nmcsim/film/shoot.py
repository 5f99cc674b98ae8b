"""Frames of a result into a file, and a movie of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from nmcsim import __version__
from nmcsim.errors import InputError, Mistake
from nmcsim.film.snapshots import snapshots_of
from nmcsim.imaging.camera import SATURATION, Camera
from nmcsim.imaging.stack import Stack, write_stack
from nmcsim.imaging.stack.placing import checked_folder, placed
from nmcsim.imaging.stack.tiff import software_of
from nmcsim.results import Result

__all__ = ["COUNTS", "Film", "film"]

COUNTS = 65535.0 / SATURATION
"""Counts of a 16-bit file for an intensity of 1, that of the particle at the start."""


@dataclass(frozen=True)
class Film:
    """What was written.

    Parameters
    ----------
    path : Path
        The frames.
    shape : (frames, height, width)
    time : (frames,) array
        Middles of the frames [s].
    drift : (frames, 2) array
        The true drift to the right and upwards [m].
    notices : tuple of str
        What somebody should know of the frames.
    movie, labels : Path, optional
    """

    path: Path
    shape: tuple[int, int, int]
    time: NDArray[np.float64]
    drift: NDArray[np.float64]
    notices: tuple[str, ...]
    movie: Path | None = None
    labels: Path | None = None


def film(
    result: Result | str | Path,
    camera: Camera,
    path: str | Path,
    movie: str | Path | None = None,
    labels: str | Path | None = None,
    show: str = "differential",
) -> Film:
    """Film a result.

    Parameters
    ----------
    result : Result or path
    camera : Camera
    path : path
        OME-TIFF to write: 16 bits, intensity 1 is `COUNTS`, at 2 a pixel is full.
    movie : path, optional
        MP4 or GIF of the frames.
    labels : path, optional
        TIFF of the particles' numbers, from 1.
    show : "differential" or "raw"
        What the movie shows: dI/I1 on the particle without the drift, or the frames as they are.

    Returns
    -------
    Film

    Raises
    ------
    InputError
        As `snapshots_of` and `Camera.frames`, or an ending that is none of a TIFF file or a movie,
        a folder that is not there, or a file that was not filmed here.
    RunFailure
        A file could not be written.
    """
    from nmcsim.imaging.camera.movie import checked_ending, write_movie

    if movie is not None:
        checked_ending(Path(movie))
    checked_folder(*(None if p is None else Path(p) for p in (path, movie, labels)))
    _refuse_measured(Path(path), None if labels is None else Path(labels))
    snapshots = snapshots_of(result)
    taken = camera.taken(snapshots)

    def counted() -> Iterator[NDArray[np.float64]]:
        for frame in taken:
            yield frame * COUNTS

    about = (
        f"Simulated frames of {snapshots.name!r}. Intensity 1, that of the particle at the start, "
        f"is {COUNTS:g} counts."
    )
    written = write_stack(
        path, counted(), pixel=camera.pixel, time=taken.time, description=about,
        metadata={
            "nmcsim": __version__,
            "counts_per_I0": f"{COUNTS:g}",
            "camera": json.dumps(camera.table(), ensure_ascii=False),
        },
    )  # fmt: skip
    if labels is not None:
        _write_labels(Path(labels), taken.labels(), camera.pixel, snapshots.part_names)
    if movie is not None:
        mask = taken.cover() >= 0.5
        write_movie(
            movie, Stack.open(written), show=show, mask=mask, drift=taken.drift,
            title=snapshots.name,
        )  # fmt: skip
    return Film(
        written, (len(taken.time), *taken.shape), taken.time, taken.drift,
        camera.notices(snapshots),
        None if movie is None else Path(movie), None if labels is None else Path(labels),
    )  # fmt: skip


def _refuse_measured(*paths: Path | None) -> None:
    """Refuse to replace frames that came from elsewhere, such as a microscope's."""
    found = []
    for path in paths:
        if path is not None and path.exists() and software_of(path) != "nmcsim":
            message = "is there, and nmcsim did not film it; choose another name, or move it away"
            found.append(Mistake(str(path), message))
    if found:
        raise InputError(found)


def _write_labels(
    path: Path, labels: NDArray[np.uint16], pixel: float, names: tuple[str, ...]
) -> None:
    told = "; ".join(f"{n} = {name}" for n, name in enumerate(names, start=1))
    with placed(path) as aside:
        tifffile.imwrite(
            aside, labels, photometric="minisblack", description=told or "1 = particle",
            metadata=None, resolution=(1e-2 / pixel, 1e-2 / pixel), resolutionunit="CENTIMETER",
            software="nmcsim",
        )  # fmt: skip
