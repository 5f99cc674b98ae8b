"""When each particle of an electrode takes part in a half-cycle, and how far apart they are.

A curve y_p(t) per particle is all that is needed: lithium per site of a simulation, or intensity of
an image. So both are measured by the same functions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["variance_between"]

Array = npt.NDArray[np.float64]


def variance_between(values: Array, weights: Array) -> Array:
    """Variance between particles, weighted; over the last axis.

    Parameters
    ----------
    values : (..., p) array
        A number per particle, such as its mean stoichiometry.
    weights : (p,) array
        Of each particle, such as its volume.

    Returns
    -------
    (...) array
        NaN where there is no particle.
    """
    total = float(np.sum(weights))
    if total <= 0.0:
        return np.full(values.shape[:-1], np.nan)
    mean = (values @ weights) / total
    return np.asarray(((values - mean[..., None]) ** 2 @ weights) / total)
