"""How much work a case is beside another, before it is meshed.

An estimate to sort by (the longest first) and to scale what earlier runs took. The number of
unknowns is right to a factor of two, and nearer where cases differ in size and cells alone; how
many time steps there are, and what one takes, is known to a run only.
"""

from __future__ import annotations

import math
from typing import Any, cast

from nmcsim.case.electrode_shape import ElectrodeShape
from nmcsim.case.model import Case
from nmcsim.case.shape import Shape

__all__ = ["cost", "unknowns"]

_GROWTH = 0.3  # of cells, per unit of distance from a surface (nmcsim.case.drawing)
_LAYERS = 2  # of cells through a prism whose case does not say (meshes/polygon.py)
# vertices per h^d of equilateral triangles of side h, and of tetrahedra as gmsh makes them
_VERTICES = {2: 2.0 / math.sqrt(3.0), 3: 1.4}
# fitted to the meshes of cases/: unknowns about a cell of a particle's surface, beside the rows of
# thin cells under it, and unknowns in a neck between spheres, whose cells are its own
_BESIDE, _NECK = 15.0, 800.0


def cost(case: Case) -> float:
    """The work of a case in units of its own: only ratios mean anything.

    Unknowns times steps of the protocol, those of each cycle counted.
    """
    return float(f"{unknowns(case) * len(cast(Any, case).protocol.steps):.6g}")


def unknowns(case: Case) -> float:
    """About how many unknowns the mesh of a case will carry."""
    geometry = cast(Any, case).geometry
    if isinstance(geometry, ElectrodeShape):
        return _electrode(geometry)
    return _crystal(geometry, cast(Any, case).numerics.degree)


def _crystal(shape: Shape, degree: int) -> float:
    inside, surface, _ = shape.cell_sizes
    outline = shape.outline
    section = _vertices(2, outline.area, outline.length, inside, surface) * degree**2
    if shape.dimension == 2:
        return section
    layers = getattr(shape, "layers", None) or _LAYERS
    return section * (degree * layers + 1)


def _electrode(shape: ElectrodeShape) -> float:
    """Two fields inside of the particles, and two in about as much outside of them."""
    inside, *_, fine = shape.cell_sizes
    sizes = [particle.volume / shape.thickness for particle in shape.particles]
    radii = [particle.radius for particle in shape.particles]
    if shape.dimension == 3:
        vertices = (
            _vertices(3, size, 4.0 * math.pi * r**2, inside, fine)
            for size, r in zip(sizes, radii, strict=True)
        )
        return 4.0 * sum(vertices) + _NECK * (len(radii) - 1)
    around = 2.0 * math.pi * sum(radii)
    rows = 2.0 * getattr(shape, "layers", 0) + _BESIDE
    return 4.0 * _VERTICES[2] * sum(sizes) / inside**2 + rows * around / fine


def _vertices(d: int, size: float, surface: float, inside: float, fine: float) -> float:
    """Vertices in a body whose cells grow from its surface towards its middle.

    Parameters
    ----------
    d : int
        Dimension.
    size, surface : float
        Area and length, or volume and area [m2 and m, m3 and m2].
    inside, fine : float
        Sizes of cells in the middle and at the surface [m].
    """
    depth = min((inside - fine) / _GROWTH, size / surface)
    coarsest = fine + _GROWTH * depth
    # the integral of h^-d over the depth, h = fine + growth * depth
    graded = (fine ** (1 - d) - coarsest ** (1 - d)) / (_GROWTH * (d - 1))
    return _VERTICES[d] * (surface * graded + (size - surface * depth) / inside**d)
