"""The right circular cylinder in three dimensions, its axis along the c-axis.

Hexahedra of 27 nodes over an all-quadrilateral section: the mesh keeps the symmetry along the axis,
and has facet integrals. The basal faces are surfaces of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import ClassVar, Self

from pydantic import Field

from nmcsim.case.drawing import Layers, draw_prism, scaled_layers, stack_layers
from nmcsim.case.outline import Circle
from nmcsim.case.section import Length
from nmcsim.case.shape import BASAL, LATERAL, Patches, Shape


class Cylinder(Shape):
    """A crystal with round basal faces."""

    name: ClassVar[str] = "cylinder"
    surfaces: ClassVar[Mapping[str, str]] = LATERAL | BASAL

    diameter: Length = Field(description="Diameter of the crystal.")
    layers: Layers = 2

    @property
    def dimension(self) -> int:
        return 3

    @property
    def outline(self) -> Circle:
        return Circle(0.5 * self.diameter)

    def scaled(self, factor: float) -> Self:
        """The same cylinder with all cell sizes times `factor`, the height of layers too."""
        return super().scaled(factor).changed(layers=scaled_layers(self.layers, factor))

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        draw_prism(gmsh, self.outline, patches, self.cell_sizes, self.height, self.layers)

    def finish(self, gmsh: ModuleType) -> None:
        stack_layers(gmsh)
