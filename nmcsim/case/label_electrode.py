"""A label image of an electrode as particles, contacts and binder in micrometres."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.affinity import affine_transform
from shapely.geometry.base import BaseGeometry

from nmcsim.case.labels import BLUR, NARROWEST, present
from nmcsim.case.planar import MICRO, narrowest
from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.outlines import labels as imaging
from nmcsim.imaging.outlines.phases import Phases, with_pixel_areas
from nmcsim.imaging.outlines.touching import bands, meetings

SMOOTH = 0.04
"""Standard deviation of the blur per radius of the particles, at least: cells beside a sharper bend
would be far smaller than the others."""
WORTH = 2.0
"""Parts of binder and of contact smaller than so many squares of the narrowest gap are left out."""

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Read:
    """A label image whose particles have been looked at.

    Attributes
    ----------
    labels : (rows, columns) int array
        Without specks.
    numbers : tuple of int
        Labels of the particles, ascending: particle[i] is `numbers[i]`.
    pixels : mapping of int to int
        Of each label but background.
    notes : tuple of str
    """

    labels: Labels
    numbers: tuple[int, ...]
    pixels: Mapping[int, int]
    notes: tuple[str, ...]

    @property
    def radius(self) -> float:
        """Mean radius of circles with the particles' areas [pixels]."""
        return float(np.mean([math.sqrt(self.pixels[n] / math.pi) for n in self.numbers]))

    @property
    def seen(self) -> tuple[bool, ...]:
        """Which particles are seen from above: under no other along half of their width."""
        particle = np.isin(self.labels, self.numbers)
        first = np.argmax(particle, axis=0)
        top = np.where(particle.any(axis=0), self.labels[first, np.arange(len(first))], 0)
        return tuple(
            bool(2 * np.sum(top == n) >= np.sum((self.labels == n).any(axis=0)))
            for n in self.numbers
        )


@dataclass(frozen=True)
class Drawn:
    """Regions of an image [um], x to the right and y upwards from its lower left corner."""

    particles: tuple[Polygon, ...]
    contact: BaseGeometry
    binder: BaseGeometry
    notes: tuple[str, ...]


def read_electrode(path: Path, binder: int | None, speck: int, allow_necks: bool) -> Read:
    """The labels of an image, and which are particles.

    Raises
    ------
    InputError
        If there is no particle or no such binder, or a particle is more than one region.
    """
    return _read(path.read_bytes(), path, binder, speck, allow_necks)


@lru_cache(maxsize=8)
def _read(content: bytes, path: Path, binder: int | None, speck: int, allow_necks: bool) -> Read:
    read = imaging.read_labels(path)
    if binder is not None and not np.any(read == binder):
        raise InputError(Mistake("binder", f"names no label of the image; it has {present(read)}"))
    tidy = imaging.tidied(read, speck)
    values, counts = np.unique(tidy.labels[tidy.labels > 0], return_counts=True)
    pixels = dict(zip(values.tolist(), counts.tolist(), strict=True))
    numbers = tuple(n for n in pixels if n != binder)
    if not numbers:
        raise imaging.wrong_image(path, f"shows no particle; its labels are {present(read)}")
    imaging.refuse_parts(tidy.labels, numbers, necks=allow_necks)
    small = [n for n in numbers if 2.0 * math.sqrt(pixels[n] / math.pi) < NARROWEST]
    if small:
        raise imaging.wrong_image(
            path,
            f"shows the label {small[0]} with {pixels[small[0]]} pixels only, too few for an"
            f" outline; write speck = {pixels[small[0]] + 1} to drop it, or take a larger image",
        )
    last = len(numbers) - 1
    named = ", ".join(map(str, numbers))
    told = (
        f"particle[0] to particle[{last}] are the labels {named}"
        if last
        else (f"particle[0] is the label {named}")
    )
    return Read(tidy.labels, numbers, pixels, (told, *tidy.notes))


def drawn(read: Read, pixel: float, smooth: float | None, gap: float, binder: int | None) -> Drawn:
    """The regions of an image.

    Parameters
    ----------
    read : Read
    pixel : float
        [m]
    smooth : float, optional
        Standard deviation of the blur [m]; `BLUR` pixels, and `SMOOTH` radii at least, if absent.
    gap : float
        Particles are at least so far apart [m].
    binder : int, optional
        Its label.

    Raises
    ------
    InputError
        If areas cannot be kept.
    """
    scale = MICRO * pixel
    blur = max(BLUR, SMOOTH * read.radius) if smooth is None else smooth / pixel
    least = narrowest(read.radius * pixel) / pixel
    met = meetings(read.labels, read.numbers, gap / pixel, blur, least)
    found, taken = with_pixel_areas(Phases(read.labels, blur), read.pixels, bands(met))
    bodies = [found[n] for n in read.numbers]
    contact = shapely.difference(
        shapely.union_all([m.contact for m in met]), shapely.union_all(bodies)
    )
    soft = found.get(binder, Polygon()) if binder is not None else Polygon()
    soft = shapely.union_all([soft, *_beside(shapely.difference(taken, contact), soft)])
    enough = WORTH * least**2
    joined = [m.pair for m in met if not m.contact.is_empty]
    apart = [m.pair for m in met if m.contact.is_empty]
    notes = list(_areas(read, found))
    if joined:
        notes.append(f"{_pairs(joined)} touch: contacts join them")
    if apart:
        notes.append(
            f"{_pairs(apart)} are nearer than contact_gap and do not touch: liquid between"
        )
    return Drawn(
        tuple(_placed(body, scale) for body in bodies),
        _placed(_worth(contact, enough), scale),
        _placed(_worth(soft, enough), scale),
        tuple(notes),
    )


def _beside(taken: BaseGeometry, soft: BaseGeometry) -> list[BaseGeometry]:
    """Of what was taken from particles, the parts whose surroundings are mostly binder."""
    found = []
    for part in shapely.get_parts(taken):
        edge = shapely.intersection(part.boundary, soft.buffer(1e-3)).length
        if edge > 0.25 * part.length:
            found.append(part.buffer(1e-3))
    return found


def _areas(read: Read, found: Mapping[int, BaseGeometry]) -> Iterator[str]:
    off = {n: 100.0 * (found[n].area / pixels - 1.0) for n, pixels in read.pixels.items()}
    worst = max(off, key=lambda n: abs(off[n]))
    most = f"{abs(off[worst]):.2g} % (label {worst})"
    yield f"before meshing, areas differ from those of the pixels by {most} at most"


def _pairs(pairs: list[tuple[int, int]]) -> str:
    first = ", ".join(f"{a} and {b}" for a, b in pairs[:6])
    return "labels " + first + (f" and {len(pairs) - 6} pairs more" if len(pairs) > 6 else "")


def _worth(area: BaseGeometry, least: float) -> BaseGeometry:
    return shapely.union_all([part for part in shapely.get_parts(area) if part.area >= least])


def _placed(area: BaseGeometry, scale: float) -> BaseGeometry:
    return affine_transform(area, [scale, 0.0, 0.0, scale, 0.0, 0.0])
