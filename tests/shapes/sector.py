"""A narrow sector of a disk: an infinite cylinder, of which nothing but the radius matters.

A hole around the axis, far smaller than the particle, is the collector; the arc is wet. The sides
are insulated, as any plane through the axis is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import ModuleType
from typing import ClassVar, Self

from pydantic import Field

from nmcsim.case.electrode_shape import ElectrodeShape, Particle, particle_name
from nmcsim.case.geometry import Patches
from nmcsim.case.section import Angle, Length

MICRO = 1e6  # micrometres per metre


class Sector(ElectrodeShape):
    """A sector of a cylinder that is wet all around."""

    name: ClassVar[str] = "sector"
    has_liquid: ClassVar[bool] = False

    height: Length = Field(description="Of the cylinder.")
    radius: Length = Field(description="Of the cylinder.")
    hole: float = Field(default=1e-3, description="Radius of the hole over that of the cylinder.")
    angle: Angle = Field(description="Of the sector, one cell wide.")
    cells: int = Field(description="From the axis to the arc.")
    growth: float = Field(default=1.0, description="Outermost cell over the innermost.")

    @property
    def dimension(self) -> int:
        return 2

    @property
    def thickness(self) -> float:
        return self.height

    @property
    def centre(self) -> tuple[float, float, float]:
        return 0.0, 0.0, 0.0

    @property
    def particles(self) -> tuple[Particle, ...]:
        area = 0.5 * math.sin(self.angle) * self.radius**2 * (1.0 - self.hole**2)
        volume, radius = area * self.height, math.sqrt(area / math.pi)
        return (Particle(particle_name(0), (2.0 / 3.0 * self.radius, 0.0), volume, radius),)

    @property
    def surfaces(self) -> Mapping[str, str]:
        return {"collector": "around the axis", "wetted": "the arc"}

    @property
    def cell_sizes(self) -> tuple[float, ...]:
        return (self.radius / self.cells,)

    def scaled(self, factor: float) -> Self:
        return self.changed(cells=max(2, round(self.cells / factor)))

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        geo, R, half = gmsh.model.geo, MICRO * self.radius, 0.5 * self.angle
        corners = [
            geo.addPoint(r * math.cos(a), r * math.sin(a), 0.0)
            for r, a in ((self.hole * R, -half), (R, -half), (R, half), (self.hole * R, half))
        ]
        pairs = [(0, 1), (1, 2), (3, 2), (0, 3)]
        below, arc, above, around = (geo.addLine(corners[a], corners[b]) for a, b in pairs)
        for side in (below, above):
            ratio = self.growth ** (1.0 / (self.cells - 1))
            geo.mesh.setTransfiniteCurve(side, self.cells + 1, "Progression", ratio)
        for end in (arc, around):
            geo.mesh.setTransfiniteCurve(end, 2)
        face = geo.addPlaneSurface([geo.addCurveLoop([below, arc, -above, -around])])
        geo.mesh.setTransfiniteSurface(face)
        geo.synchronize()
        gmsh.model.addPhysicalGroup(2, [face], name=particle_name(0))
        gmsh.model.addPhysicalGroup(1, [around], name="collector")
        gmsh.model.addPhysicalGroup(1, [arc], name="wetted")
