"""Rectangles in rows and columns, meshed alike everywhere: slabs, strips and pairs of particles.

Cells are right triangles of a structured grid; where a row or a column is graded, its cells grow by
a constant ratio. What is called ``""`` is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field

from nmcsim.case.electrode_shape import ElectrodeShape, Particle, particle_name
from nmcsim.case.geometry import Patches
from nmcsim.case.section import Length

MICRO = 1e6  # micrometres per metre

Point, Edge = tuple[int, int], tuple[int, int, int]


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Lengths = Annotated[tuple[Length, ...], BeforeValidator(_listed)]
Counts = Annotated[tuple[int, ...], BeforeValidator(_listed)]
Ratios = Annotated[tuple[float, ...], BeforeValidator(_listed)]
Names = Annotated[tuple[Annotated[tuple[str, ...], BeforeValidator(_listed)], ...],
                  BeforeValidator(_listed)]  # fmt: skip


class Blocks(ElectrodeShape):
    """Rectangles between a collector below and lithium above."""

    name: ClassVar[str] = "blocks"

    depth: Length = Field(description="Out of the plane.")
    widths: Lengths = Field(description="Of the columns, from left to right.")
    heights: Lengths = Field(description="Of the rows, from the collector up.")
    across: Counts = Field(description="Cells of each column.")
    up: Counts = Field(description="Cells of each row.")
    growth: Ratios = Field(
        default=(), description="Uppermost cell of each row over its lowest; 1 if absent."
    )
    rows: Names = Field(
        description='Names of the rectangles of each row: the number of a particle, "contact",'
        ' "binder", "liquid" or "".'
    )

    @property
    def dimension(self) -> int:
        return 2

    @property
    def thickness(self) -> float:
        return self.depth

    @property
    def centre(self) -> tuple[float, float, float]:
        return 0.5 * sum(self.widths), 0.5 * sum(self.heights), 0.0

    @property
    def particles(self) -> tuple[Particle, ...]:
        numbers = sorted({name for row in self.rows for name in row if name.isdigit()}, key=int)
        return tuple(self._particle(name) for name in numbers)

    def _particle(self, number: str) -> Particle:
        x, y = _edges(self.widths), _edges(self.heights)
        own = [(i, j) for j, row in enumerate(self.rows) for i, n in enumerate(row) if n == number]
        area = [self.widths[i] * self.heights[j] for i, j in own]
        middle = [
            sum(a * 0.5 * (line[k] + line[k + 1]) for a, k in zip(area, at, strict=True))
            / sum(area)
            for line, at in ((x, [i for i, _ in own]), (y, [j for _, j in own]))
        ]
        volume = sum(area) * self.depth
        radius = (sum(area) / 3.141592653589793) ** 0.5
        return Particle(particle_name(int(number)), tuple(middle), volume, radius)

    @property
    def cell_sizes(self) -> tuple[float, ...]:
        sizes = [w / n for w, n in zip((*self.widths, *self.heights), (*self.across, *self.up),
                                       strict=True)]  # fmt: skip
        return max(sizes), min(sizes)

    def scaled(self, factor: float) -> Self:
        fewer = [tuple(max(1, round(n / factor)) for n in counts)
                 for counts in (self.across, self.up)]  # fmt: skip
        return self.changed(across=fewer[0], up=fewer[1])

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        geo = gmsh.model.geo
        x, y = _edges(self.widths), _edges(self.heights)
        growth = self.growth or (1.0,) * len(self.up)
        points: dict[Point, int] = {}
        lines: dict[Edge, int] = {}

        def point(i: int, j: int) -> int:
            if (i, j) not in points:
                points[i, j] = geo.addPoint(MICRO * x[i], MICRO * y[j], 0.0)
            return points[i, j]

        def line(i: int, j: int, upright: int) -> int:
            """From point (i, j) to the right or up."""
            if (i, j, upright) not in lines:
                tag = geo.addLine(point(i, j), point(i + 1 - upright, j + upright))
                n = self.up[j] if upright else self.across[i]
                ratio = growth[j] ** (1.0 / max(n - 1, 1)) if upright else 1.0
                geo.mesh.setTransfiniteCurve(tag, n + 1, "Progression", ratio)
                lines[i, j, upright] = tag
            return lines[i, j, upright]

        faces: dict[str, list[int]] = {}
        for j, row in enumerate(self.rows):
            for i, given in enumerate(row):
                if given == "":
                    continue
                around = [line(i, j, 0), line(i + 1, j, 1), -line(i, j + 1, 0), -line(i, j, 1)]
                face = geo.addPlaneSurface([geo.addCurveLoop(around)])
                geo.mesh.setTransfiniteSurface(face)
                name = particle_name(int(given)) if given.isdigit() else given
                faces.setdefault(name, []).append(face)
        geo.synchronize()
        for name, tags in faces.items():
            gmsh.model.addPhysicalGroup(2, tags, name=name)
        top = len(self.rows)
        ends: Mapping[str, list[int]] = {
            "collector": [lines[i, 0, 0] for i, n in enumerate(self.rows[0])
                          if n not in ("", "liquid")],
            "lithium": [lines[i, top, 0] for i, n in enumerate(self.rows[-1]) if n == "liquid"],
        }  # fmt: skip
        for name, tags in ends.items():
            if tags:
                gmsh.model.addPhysicalGroup(1, tags, name=name)


def _edges(lengths: tuple[float, ...]) -> list[float]:
    found = [0.0]
    for length in lengths:
        found.append(found[-1] + length)
    return found
