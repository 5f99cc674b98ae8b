"""The unreacted region of a crystal: where its centre of mass means something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmcsim.results.series import Series

__all__ = ["RESOLVED", "largest_distance", "resolved"]

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


def largest_distance(
    distance: Series, unreacted_share: Series | None, soc: Series | None = None
) -> tuple[float, float]:
    """The largest centre-of-mass distance while the region is resolved, and the state of charge.

    It is often the last one before the region becomes too small, between two rows: the distance is
    nearly linear in the share of the area, along which it is followed from the last two rows to
    `RESOLVED`. So it hardly depends on where the time steps fell.

    Parameters
    ----------
    distance, unreacted_share, soc : Series
        Columns of the history; without ``soc`` the second number is NaN.

    Returns
    -------
    value, soc : float
        [m], [1]; NaN where there is no region.
    """
    seen = resolved(distance, unreacted_share).values
    if not np.isfinite(seen).any():
        return float("nan"), float("nan")
    row = int(np.nanargmax(seen))
    value = float(seen[row])
    at = float(soc.values[row]) if soc is not None and row < len(soc) else float("nan")
    if unreacted_share is None or row == 0 or row + 1 >= len(seen) or np.isfinite(seen[row + 1]):
        return value, at
    share, before = unreacted_share.values, row - 1
    if not np.isfinite(seen[before]) or share[before] <= share[row]:
        return value, at
    # no farther than the last two rows are apart
    part = min(1.0, (share[row] - RESOLVED) / (share[before] - share[row]))
    value += part * (value - float(seen[before]))
    if soc is not None:
        at += part * (at - float(soc.values[before]))
    return value, at
