"""A cross-section cut into regions: one planar partition that all of them share.

Regions come in as polygons with many vertices, as smooth as they are meant. Their boundaries are
brought together on one grid (`regions`), cut at corners and wherever three regions meet (`curves`,
`corners`), and then drawn again with edges as long as the cells there should be (`sizes`, `cut`):
each edge of the partition is one edge of the mesh (`drawing`). Lengths are micrometres.
"""

from nmcsim.case.partition.corners import DRAWN, MEASURED, SHORTEST, Corners
from nmcsim.case.partition.cut import OUTSIDE, Partition, partition
from nmcsim.case.partition.drawing import draw
from nmcsim.case.partition.regions import GRID, disjoint
from nmcsim.case.partition.sizes import Sizes

__all__ = [
    "DRAWN", "GRID", "MEASURED", "OUTSIDE", "SHORTEST", "Corners", "Partition", "Sizes", "disjoint",
    "draw", "partition",
]  # fmt: skip
