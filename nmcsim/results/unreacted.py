"""The unreacted region of a crystal: where its centre of mass means something.

The rule is that of images, `nmcsim.imaging.unreacted`, for the columns of a history.
"""

from __future__ import annotations

from dataclasses import replace

from nmcsim.imaging.unreacted import RESOLVED, largest_of, resolved_values
from nmcsim.results.series import Series

__all__ = ["RESOLVED", "largest_distance", "resolved"]


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
    return replace(distance, values=resolved_values(distance.values, unreacted_share.values))


def largest_distance(
    distance: Series, unreacted_share: Series | None, soc: Series | None = None
) -> tuple[float, float]:
    """The largest centre-of-mass distance while the region is resolved, and the state of charge.

    Parameters
    ----------
    distance, unreacted_share, soc : Series
        Columns of the history; without ``soc`` the second number is NaN.

    Returns
    -------
    value, soc : float
        [m], [1]; NaN where there is no region. See `nmcsim.imaging.unreacted.largest_of`.
    """
    share = None if unreacted_share is None else unreacted_share.values
    value, at, _ = largest_of(distance.values, share, None if soc is None else soc.values)
    return value, at
