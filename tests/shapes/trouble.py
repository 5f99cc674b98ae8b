"""A disk that makes trouble when it is meshed: for the tests of what a sweep survives."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Literal

from pydantic import Field

from nmcsim.case.drawing import draw_section, name_groups
from nmcsim.case.outline import Circle
from nmcsim.case.section import Length
from nmcsim.case.shape import Patches, Shape


class Troubled(Shape):
    """A disk with a fate."""

    name: ClassVar[str] = "troubled"

    diameter: Length = Field(description="Diameter of the crystal.")
    trouble: Literal["none", "raise", "kill", "kill once", "sleep"] = Field(
        default="none", description="What happens when it is meshed."
    )
    marker: str = Field(default="", description="A file that tells the first time from the next.")

    @property
    def dimension(self) -> int:
        return 2

    @property
    def outline(self) -> Circle:
        return Circle(0.5 * self.diameter)

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        if self.trouble == "raise":
            raise ValueError("this one cannot be meshed")
        if self.trouble == "kill" or (self.trouble == "kill once" and self._is_first()):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.trouble == "sleep":
            time.sleep(3600.0)
        name_groups(gmsh, draw_section(gmsh, self.outline, patches, self.cell_sizes))

    def _is_first(self) -> bool:
        try:
            Path(self.marker).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True
