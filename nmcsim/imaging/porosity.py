"""Porosity and cracks of segmented slices of a particle, over cycles.

The particle's outline is the solid, closed by a disk of radius ``rim`` and filled: a pore that
opens to the outside counts as far as its mouth is narrower than twice the rim; a wider notch is
outside. The porosity is the share of the outline that is no solid.

References
----------
Cadiou et al., Fig. 3: porosity over cycles with an exponential fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.cracks import crack_metrics
from nmcsim.imaging.exponential import ExponentialFit, fit_exponential
from nmcsim.imaging.segmentation import Porosity, outline_of, solid_of, without_small
from nmcsim.imaging.settings import Number, Series

__all__ = ["Porosity", "PorosityResult", "SliceMetrics", "reduce_porosity"]

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]


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
        cracks = crack_metrics(without_small(pore, settings.smallest / pixel**2), pixel)
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
