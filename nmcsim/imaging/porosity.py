"""Porosity and cracks of segmented slices of a particle, over cycles.

The particle's outline is the solid, closed by a disk of radius ``rim`` and filled: a pore that
opens to the outside counts as far as its mouth is narrower than twice the rim; a wider notch is
outside. The porosity is the share of the outline that is no solid.

References
----------
Cadiou et al., Fig. 3: porosity over cycles with an exponential fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.cracks import crack_metrics
from nmcsim.imaging.exponential import ExponentialFit, fit_exponential
from nmcsim.imaging.settings import Number, Series, option, read_settings, table_of

__all__ = [
    "Porosity", "PorosityResult", "SliceMetrics", "outline_of", "reduce_porosity", "solid_of",
]  # fmt: skip

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


@dataclass(frozen=True, eq=False)
class SliceMetrics:
    """All slices of one cycle.

    Parameters
    ----------
    cycle : float
    slices : int
    porosity, porosity_error : float
        Pores over outline, summed over slices; one standard deviation from the threshold of grey
        slices and from the scatter between slices, NaN where neither is known.
    crack_length, crack_width, area : float
        Sum of the skeletons [m], mean width [m], area of the outlines [m2].
    branches : int
    solid, outline, skeleton : (h, w) bool arrays
        Of the largest slice.
    """

    cycle: float
    slices: int
    porosity: float
    porosity_error: float
    crack_length: float
    crack_width: float
    area: float
    branches: int
    solid: Bool
    outline: Bool
    skeleton: Bool


@dataclass(frozen=True, eq=False)
class PorosityResult:
    """What the slices of several cycles give.

    Parameters
    ----------
    settings : Porosity
    pixel : float
        [m].
    cycles : tuple of SliceMetrics
        By rising cycle.
    fit : ExponentialFit, optional
    asked : tuple of float
        Cycles at which the fit is wanted.
    warnings : tuple of str
    """

    settings: Porosity
    pixel: float
    cycles: tuple[SliceMetrics, ...]
    fit: ExponentialFit | None
    asked: tuple[float, ...]
    warnings: tuple[str, ...]

    @property
    def numbers(self) -> dict[str, Number]:
        """Parameters of the fit, and what it gives at the cycles asked for."""
        found: dict[str, Number] = {}
        if self.fit is None:
            return found
        about = {
            "p_0": "porosity at cycle 0, fitted",
            "p_inf": "porosity that the fit tends to",
            "n_c": "cycles in which the porosity changes by a factor e, fitted",
        }
        for name, fitted in self.fit.parameters.items():
            found[f"porosity_{name}"] = Number(fitted.value, fitted.error, "1", about[name])
        for cycle in self.asked:
            value, error = self.fit.predict(cycle)
            found[f"porosity_at_cycle_{cycle:g}"] = Number(
                value, error, "1", f"porosity at cycle {cycle:g}, of the fit"
            )
        return found

    @property
    def series(self) -> dict[str, Series]:
        """Columns along the cycles."""
        none = np.full(len(self.cycles), np.nan)

        def column(name: str) -> Array:
            return np.array([float(getattr(c, name)) for c in self.cycles])

        area = column("area")
        return {
            "cycle": Series(column("cycle"), none, "1", "cycle"),
            "porosity": Series(column("porosity"), column("porosity_error"), "1", "porosity"),
            "crack_length": Series(
                column("crack_length"), none, "m", "length of the cracks, all slices together"
            ),
            "crack_density": Series(
                column("crack_length") / area, none, "1/m", "length of cracks per area"
            ),
            "crack_width": Series(column("crack_width"), none, "m", "mean width of the cracks"),
            "crack_branches": Series(column("branches"), none, "1", "branches of the cracks"),
        }


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


def reduce_porosity(
    slices: Iterable[tuple[float, Iterable[NDArray[Any]]]],
    pixel: float,
    settings: Porosity | None = None,
    at: Iterable[float] = (),
) -> PorosityResult:
    """Reduce the slices of several cycles.

    Parameters
    ----------
    slices : iterable of (cycle, slices)
        Slices are (h, w) images of one particle, read one after the other.
    pixel : float
        [m].
    settings : Porosity, optional
    at : iterable of float
        Cycles at which the fit is wanted.

    Raises
    ------
    InputError
        A slice without particle; a fit at other cycles that does not exist.
    """
    settings = settings or Porosity()
    found = sorted(
        (_of_cycle(cycle, images, pixel, settings) for cycle, images in slices),
        key=lambda one: one.cycle,
    )
    warnings = []
    fit = None
    asked = tuple(at)
    if settings.form != "none":
        errors = np.array([one.porosity_error for one in found])
        known = bool(np.isfinite(errors).all() and (errors > 0.0).all())
        try:
            fit = fit_exponential(
                [one.cycle for one in found],
                [one.porosity for one in found],
                errors if known else None,
                settings.form,
            )
        except InputError as error:
            if asked:
                raise
            warnings.append(f"no fit: {error}")
    elif asked:
        raise InputError(Mistake('porosity.form = "none"', "leaves no fit for --at"))
    return PorosityResult(settings, pixel, tuple(found), fit, asked, tuple(warnings))


def _of_cycle(
    cycle: float, images: Iterable[NDArray[Any]], pixel: float, settings: Porosity
) -> SliceMetrics:
    pores, areas, moved = [], [], []
    length, widths, branches = 0.0, [], 0
    kept: tuple[Bool, Bool, Bool] | None = None
    for number, image in enumerate(images, start=1):
        solid, others = solid_of(image, settings, f"cycle {cycle:g}, slice {number}")
        rim = settings.rim / pixel
        if settings.pore_label and not len(others):
            outline = solid | (image == settings.pore_label)
        else:
            outline = outline_of(solid, rim)
        pore = outline & ~solid
        pores.append(int(pore.sum()))
        areas.append(int(outline.sum()))
        for other in others:
            within = outline_of(other, rim) if other.any() else other
            moved.append(float((within & ~other).sum()) / max(int(within.sum()), 1))
        cracks = crack_metrics(_without_small(pore, settings.smallest / pixel**2), pixel)
        length += cracks.length
        branches += cracks.branches
        widths.append((cracks.width, float(cracks.skeleton.sum())))
        if areas[-1] == max(areas):
            kept = (solid, outline, cracks.skeleton)
    if kept is None:
        raise InputError(Mistake(f"cycle {cycle:g}", "has no slices"))
    ratio = np.array(pores) / np.array(areas)
    error = []
    if moved:
        low, high = np.array(moved).reshape(-1, 2).mean(axis=0)
        error.append(0.5 * abs(float(high - low)))
    if len(ratio) > 1:
        error.append(float(ratio.std(ddof=1) / np.sqrt(len(ratio))))
    weights = np.array([w for _, w in widths])
    has = weights > 0
    width = (
        float(np.average(np.array([v for v, _ in widths])[has], weights=weights[has]))
        if has.any()
        else float("nan")
    )
    return SliceMetrics(
        float(cycle), len(areas), sum(pores) / sum(areas),
        float(np.hypot.reduce(error)) if error else float("nan"),
        length, width, sum(areas) * pixel**2, branches, *kept,
    )  # fmt: skip


def _without_small(pores: Bool, smallest: float) -> Bool:
    """Pores of at least so many pixels."""
    from scipy import ndimage

    labels, _ = ndimage.label(pores, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    return np.asarray(pores & (sizes >= smallest)[labels])
