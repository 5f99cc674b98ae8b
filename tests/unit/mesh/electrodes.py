"""What several tests of electrodes measure."""

from __future__ import annotations

import numpy as np

from nmcsim.case.electrode_shape import ElectrodeShape
from nmcsim.case.planar import PlanarElectrode
from nmcsim.mesh import Mesh

LEAST_ANGLE = 20.0
"""No cell of a cross-section has a sharper angle [deg]."""


def angles(mesh: Mesh) -> np.ndarray:
    """All angles of a mesh of triangles [deg], shape (cells, 3)."""
    corners = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0], :2]
    to_next = np.roll(corners, -1, axis=1) - corners
    to_last = np.roll(corners, 1, axis=1) - corners
    cross = to_next[..., 0] * to_last[..., 1] - to_next[..., 1] * to_last[..., 0]
    found: np.ndarray = np.degrees(np.arctan2(cross, np.sum(to_next * to_last, axis=-1)))
    return found


def assert_well_meshed(shape: PlanarElectrode, mesh: Mesh) -> None:
    """Good angles, each cell in one region, regions that fill the box, closed interfaces."""
    assert angles(mesh).min() > LEAST_ANGLE
    assert_regions(shape, mesh)
    parts = [name for name in mesh.regions if name not in shape.unions]
    area = sum(shape.partition.area(name) for name in parts)
    box = shape.layout.width * shape.layout.height
    assert abs(area / box - 1.0) < 1e-12  # round-off
    for particle in shape.particles:
        assert closes(shape, particle.name)


def assert_regions(shape: ElectrodeShape, mesh: Mesh) -> None:
    """Every cell is in exactly one region, and unions are their parts."""
    parts = [mesh.cells(name) for name in mesh.regions if name not in shape.unions]
    cells = np.sort(np.concatenate(parts))
    owned = mesh.domain.topology.index_map(mesh.dimension)
    assert np.array_equal(cells, np.arange(owned.size_local + owned.num_ghosts))
    for union, names in shape.unions.items():
        apart = np.sort(np.concatenate([mesh.cells(name) for name in names]))
        assert np.array_equal(np.sort(mesh.cells(union)), apart)


def closes(shape: PlanarElectrode, region: str) -> bool:
    """Whether the boundary of a region is made of closed polygons: every point has two edges."""
    own = [region in sides for sides in shape.partition.sides]
    counts = np.bincount(shape.partition.edges[own].ravel())
    return set(counts[counts > 0].tolist()) == {2}
