"""The unreacted region of a crystal: where its centre of mass means something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmcsim.results.series import Series

__all__ = ["RESOLVED", "resolved"]

RESOLVED = 0.01
"""Smallest unreacted share of the area whose centre of mass counts: about one resolution element
of the microscope, 265 nm across, in a crystal of 2.5 um. A smaller sliver is seen by no image, and
its centre of mass lies anywhere on the edge.
"""


def resolved(distance: Series, unreacted_share: Series | None) -> Series:
    """The centre-of-mass distance, missing where the unreacted region is a sliver.

    The history keeps the distance down to the last trace of a region; what is drawn and told ends
    where less than `RESOLVED` of the area is unreacted.

    Parameters
    ----------
    distance : Series
        ``com_distance`` (rows,) [m].
    unreacted_share : Series, optional
        (rows,); without it all counts.
    """
    if unreacted_share is None:
        return distance
    return replace(
        distance, values=np.where(unreacted_share.values >= RESOLVED, distance.values, np.nan)
    )
