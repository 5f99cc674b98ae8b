"""An electrode's case without mistakes, on a shape that costs nothing to draw."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from nmcsim.case.electrode import Electrode
from nmcsim.case.model import from_data

SHAPE = '''
from typing import Any, ClassVar

from pydantic import Field

from nmcsim.case.electrode_shape import ElectrodeShape, Particle
from nmcsim.case.section import Length

class Pair(ElectrodeShape):
    """Two particles of 4 x 2 x 1 um3 and of half of that."""

    name: ClassVar[str] = "pair"
    cell_size: Length = Field(default=1e-6, description="Size of all cells.")
    contact_gap: Length = Field(default=2e-7, description="Between the particles.")

    dimension: ClassVar[int] = 2
    thickness: ClassVar[float] = 1e-6
    centre: ClassVar[Any] = (0.0, 0.0, 0.0)

    @property
    def particles(self):
        return (
            Particle("particle[0]", (2e-6, 1e-6), 8e-18, 1.6e-6, obstruction=0),
            Particle("particle[1]", (6e-6, 1e-6), 4e-18, 1.1e-6, obstruction=1),
        )

    @property
    def cell_sizes(self):
        return (self.cell_size,)

    def scaled(self, factor):
        return self.changed(cell_size=factor * self.cell_size)

    def build(self, gmsh, patches):
        raise AssertionError("this shape is never meshed")
'''

GOOD: dict[str, Any] = {
    "title": "A pair",
    "model": "electrode",
    "geometry": {"file": "pair.py"},
    "material": {"name": "nmc532_pristine"},
    "electrolyte": {"name": "nyman2008"},
    "physics": {"temperature": "298.15 K"},
    "protocol": {
        "capacity": "180 mAh/g",
        "initial": 0.99,
        "steps": ["Charge at C/20 until 4.3 V", "Hold at 4.3 V until C/100"],
    },
}


def electrode_data(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The good case with some dotted keys set, or removed where the value is None."""
    data = copy.deepcopy(GOOD)
    for key, value in (changes or {}).items():
        *tables, last = key.split(".")
        here = data
        for table in tables:
            here = here.setdefault(table, {})
        if value is None:
            del here[last]
        else:
            here[last] = value
    return data


def electrode_case(
    folder: Path, changes: dict[str, Any] | None = None, shape: str = SHAPE
) -> Electrode:
    """The good case with some keys changed; its shape is written to `folder`."""
    (folder / "pair.py").write_text(shape)
    case = from_data(electrode_data(changes), folder)
    assert isinstance(case, Electrode)
    return case
