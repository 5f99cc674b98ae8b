"""Which pixels belong to the particle: a threshold on the first frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake

__all__ = ["Mask", "particle_mask", "separate"]

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Mask:
    """Pixels of a particle.

    Parameters
    ----------
    inside : (h, w) bool array
    threshold : float
        The intensity from which on a pixel counted.
    automatic : bool
        Whether Otsu's method chose it.
    """

    inside: Bool
    threshold: float
    automatic: bool

    @property
    def pixels(self) -> int:
        return int(self.inside.sum())

    @property
    def centre(self) -> Array:
        """Centre of mass (row, column) [px]."""
        return np.array([axis.mean() for axis in np.nonzero(self.inside)])

    def box(self, margin: int = 0) -> tuple[slice, slice]:
        """Rows and columns that hold it, with a margin [px] as far as the image goes."""
        ends = []
        for axis, length in zip(np.nonzero(self.inside), self.inside.shape, strict=True):
            low, high = int(axis.min()) - margin, int(axis.max()) + 1 + margin
            ends.append(slice(max(low, 0), min(high, length)))
        return ends[0], ends[1]


def particle_mask(
    image: NDArray[np.floating],
    threshold: float | None = None,
    *,
    fill: bool = True,
    largest: bool = True,
    smallest: int = 9,
) -> Mask:
    """The particle in an image: pixels from a threshold on.

    Parameters
    ----------
    image : (h, w) array
        The first frame, or the mean of the first few.
    threshold : float, optional
        Of the intensity, in the image's own counts; Otsu's where not given.
    fill : bool
        Count holes of the region to it.
    largest : bool
        Only the largest connected region; it is the particle, and a bright spot beside it is not.
    smallest : int
        Regions of fewer pixels are none.

    Raises
    ------
    InputError
        Nothing is above the threshold, or everything is.

    References
    ----------
    Lun et al., Supplementary Information, "Drift correction and masking".
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    flat = image[np.isfinite(image)]
    if flat.size == 0 or flat.min() == flat.max():
        _refuse("threshold", "no particle: the first frame has the same intensity everywhere")
    chosen = float(threshold_otsu(flat)) if threshold is None else float(threshold)
    inside = np.asarray(image >= chosen)
    span = f"the first frame lies between {flat.min():.6g} and {flat.max():.6g} counts"
    if not inside.any():
        _refuse(f"threshold = {chosen:.6g}", f"leaves an empty mask: {span}; choose a lower one")
    if inside.all():
        _refuse(f"threshold = {chosen:.6g}", f"leaves no background: {span}; choose a higher one")
    if fill:
        inside = ndimage.binary_fill_holes(inside)
    labels, count = ndimage.label(inside)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    keep = sizes >= smallest
    if largest:
        keep &= np.arange(count) == sizes.argmax()
    if not keep.any():
        _refuse(
            f"threshold = {chosen:.6g}",
            f"leaves an empty mask: no region of {smallest} pixels or more; {span}",
        )
    return Mask(np.concatenate(([False], keep))[labels], chosen, threshold is None)


def separate(mask: Bool, distance: float, smallest: int = 9) -> Int:
    """Number particles that touch each other, by a watershed of the distance to their edge.

    Parameters
    ----------
    mask : (h, w) bool array
    distance : float
        Centres are at least this far apart [px].
    smallest : int
        Particles of fewer pixels are dropped.

    Returns
    -------
    (h, w) int array
        0 outside, particles 1, 2, ... from the top to the bottom of the image.
    """
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask), 1.0)
    regions, _ = ndimage.label(mask)
    peaks = peak_local_max(depth, min_distance=max(1, round(distance)), labels=regions)
    markers = np.zeros(mask.shape, dtype=np.int64)
    order = np.lexsort((peaks[:, 1], peaks[:, 0]))
    markers[tuple(peaks[order].T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-depth, markers, mask=mask)
    sizes = np.bincount(labels.ravel())
    kept = (sizes >= smallest) & (np.arange(sizes.size) > 0)
    return np.asarray(np.where(kept, np.cumsum(kept), 0)[labels], dtype=np.int64)


def _refuse(place: str, message: str) -> None:
    raise InputError(Mistake(place, message))
