"""Solid, outline and pores of a slice.

The particle's outline is the solid, closed by a disk of radius ``rim`` and filled: a pore that
opens to the outside counts as far as its mouth is narrower than twice the rim; a wider notch is
outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.settings import option, read_settings, table_of

__all__ = ["Porosity", "outline_of", "solid_of", "without_small"]

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

PHASES = 8
"""An image of no more different values is segmented already."""

SHIFT = 0.05
"""By how much of the contrast the threshold of grey slices is moved, for the error."""


@dataclass(frozen=True)
class Porosity:
    """How slices are reduced; the table ``[porosity]``."""

    segmentation: str = option(
        "auto",
        choices=("auto", "labels", "otsu", "threshold"),
        about="labels: values above 0 are solid; otsu or threshold: what is brighter is solid",
    )
    threshold: float | None = option(None, about="intensity from which on a pixel is solid")
    pore_label: int = option(0, low=0, about="label of pores within the outline; 0: no such label")
    rim: float = option(
        0.5e-6, unit="m", low=0.0, about="radius of the disk that closes the outline"
    )
    smallest: float = option(
        0.0, unit="m2", low=0.0, about="area below which a pore is no crack, for the crack length"
    )
    form: str = option(
        "saturation", choices=("saturation", "growth", "decay", "none"), about="of the fit"
    )

    @classmethod
    def from_table(cls, table: Mapping[str, Any], place: str = "porosity") -> Self:
        """Read the table, with units; all mistakes at once."""
        return read_settings(cls, table, place)

    def table(self) -> dict[str, Any]:
        """The table that gives these settings."""
        return table_of(self)


def solid_of(image: NDArray[Any], settings: Porosity, place: str = "slice") -> tuple[Bool, Array]:
    """Which pixels are solid, and which also are at thresholds a little higher and lower.

    Returns
    -------
    solid : (h, w) bool array
    others : (0 or 2, h, w) bool array
        None of a slice that was segmented before.

    Raises
    ------
    InputError
        Nothing is solid, or everything.
    """
    from skimage.filters import threshold_otsu

    how = settings.segmentation
    if how == "auto":
        how = "threshold" if settings.threshold is not None else "otsu"
        if image.dtype == bool or len(np.unique(image)) <= PHASES:
            how = "labels"
    others = np.empty((0, *image.shape), dtype=bool)
    if how == "labels":
        solid = np.asarray(image > 0)
        if settings.pore_label:
            solid &= image != settings.pore_label
    else:
        if how == "threshold" and settings.threshold is None:
            raise InputError(Mistake("porosity.threshold", "is missing; say --threshold"))
        if image.min() == image.max():
            raise InputError(
                Mistake(place, "has the same intensity everywhere: nothing to segment")
            )
        level = settings.threshold if how == "threshold" else float(threshold_otsu(image))
        assert level is not None
        solid = np.asarray(image > level)
        if solid.any() and not solid.all():
            shift = SHIFT * float(image[solid].mean() - image[~solid].mean())
            others = np.array([image > level - shift, image > level + shift])
    if not solid.any() or solid.all():
        what = "nothing" if not solid.any() else "everything"
        raise InputError(Mistake(place, f"has no particle: {what} is solid ({how})"))
    return solid, others


def outline_of(solid: Bool, radius: float) -> Bool:
    """The largest body of the solid, closed by a disk and filled.

    Parameters
    ----------
    solid : (h, w) bool array
    radius : float
        Of the disk [px].
    """
    from scipy import ndimage

    r = int(np.ceil(radius)) + 1
    wide = np.pad(solid, r)
    # closing by distances: a disk of any size costs the same
    grown = ndimage.distance_transform_edt(~wide) <= radius
    closed = (ndimage.distance_transform_edt(grown) > radius) | wide
    labels, count = ndimage.label(ndimage.binary_fill_holes(closed))
    if count > 1:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        labels = labels == sizes.argmax()
    return np.asarray(labels[r:-r, r:-r] > 0)


def without_small(pores: Bool, smallest: float) -> Bool:
    """Pores of at least so many pixels."""
    from scipy import ndimage

    labels, _ = ndimage.label(pores, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    return np.asarray(pores & (sizes >= smallest)[labels])
