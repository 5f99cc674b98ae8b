"""The disk: the ab-plane section of a right circular cylinder.

Transport along the c-axis and through the basal faces is left out, so that a section is enough;
the height turns areal currents into amperes.
"""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from pydantic import Field

from nmcsim.case.drawing import draw_section, name_groups
from nmcsim.case.outline import Circle
from nmcsim.case.section import Length
from nmcsim.case.shape import Patches, Shape


class Disk(Shape):
    """A round section of a crystal, in the plane of fast transport."""

    name: ClassVar[str] = "disk"

    diameter: Length = Field(description="Diameter of the crystal.")

    @property
    def dimension(self) -> int:
        return 2

    @property
    def outline(self) -> Circle:
        return Circle(0.5 * self.diameter)

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        name_groups(gmsh, draw_section(gmsh, self.outline, patches, self.cell_sizes))
