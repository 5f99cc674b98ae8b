"""Regions that do not overlap, their boundaries on one grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

GRID = 1e-4
"""Coordinates are rounded to this: regions that meant to touch do."""


def disjoint(ordered: Sequence[tuple[str, BaseGeometry]]) -> dict[str, BaseGeometry]:
    """Regions that do not overlap: each place belongs to the first area that covers it.

    Parameters
    ----------
    ordered : sequence of (str, geometry)
        Names and areas, the first of most weight; a name may occur again. The last one is the
        whole, and nothing beyond it counts.
    """
    names, areas = zip(*ordered, strict=True)
    # all boundaries meet on one grid at once: what is cut one by one differs by slivers
    lines = shapely.unary_union([area.boundary for area in areas], grid_size=GRID)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    faces = faces[shapely.area(faces) > GRID**2]
    inside, owner = shapely.STRtree(areas).query(shapely.point_on_surface(faces), "within")
    first = np.full(len(faces), len(areas))
    np.minimum.at(first, inside, owner)
    within = np.isin(np.arange(len(faces)), inside[owner == len(areas) - 1])
    found = {}
    for name in dict.fromkeys(names):
        own = [i for i, other in enumerate(names) if other == name]
        mine = faces[within & np.isin(first, own)]
        if len(mine):
            found[name] = shapely.coverage_union_all(mine)
    return found
