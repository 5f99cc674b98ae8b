"""One particle with partial contact: a sphere or a cylinder, a share of it under a cap of binder.

The single particle of Sharma et al. 2022, Fig. S5. The cap lies below, and its outer surface is the
collector; the rest of the particle's surface is wet. No liquid is meshed, so that the electrolyte
is equipotential.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import ClassVar, Literal

from pydantic import Field

from nmcsim.case.electrode_shape import BINDER, Particle, particle_name
from nmcsim.case.geometry import Patches
from nmcsim.case.section import Length
from nmcsim.case.solid_electrode import (
    LEAST,
    MICRO,
    Fine,
    SolidElectrode,
    cut_apart,
    edges_of,
    exterior_faces,
    grade,
    name_groups,
)
from nmcsim.errors import InputError, Mistake
from nmcsim.units import display

RIM = 0.5
"""Size of cells where the cap ends and current enters, per size of those at the surface."""
AROUND = 24
"""Balls of small cells along the end of the cap."""


class Capped(SolidElectrode):
    """One particle, and the binder that covers a share of its surface."""

    name: ClassVar[str] = "capped"
    has_liquid: ClassVar[bool] = False
    inside: ClassVar[float] = 0.25

    body: Literal["sphere", "cylinder"] = Field(
        default="sphere", description="What the particle is."
    )
    radius: Length = Field(default=5e-6, description="Radius of the particle.")
    height: Length | None = Field(
        default=None, description="Height of a cylinder, upright; twice its radius."
    )
    coverage: float = Field(
        default=0.2, gt=0.0, lt=1.0, description="Share of the particle's surface under binder."
    )
    cap_thickness: Length = Field(default=5e-7, description="Thickness of the binder.")

    @property
    def grain(self) -> float:
        return self.radius

    @property
    def centre(self) -> tuple[float, float, float]:
        """Of the particle; the cap's lowest point is at z = 0 [m]."""
        above = self.radius if self.body == "sphere" else 0.5 * self._tall
        return 0.0, 0.0, self.cap_thickness + above

    @property
    def surface(self) -> float:
        """Of the particle, wet or covered [m2]."""
        round_ = 2.0 * math.pi * self.radius
        if self.body == "sphere":
            return 2.0 * self.radius * round_
        return round_ * (self.radius + self._tall)

    @property
    def particles(self) -> tuple[Particle, ...]:
        volume = math.pi * self.radius**2 * self._tall
        if self.body == "sphere":
            volume = 4.0 / 3.0 * math.pi * self.radius**3
        radius = (3.0 * volume / (4.0 * math.pi)) ** (1.0 / 3.0)
        return (Particle(particle_name(0), self.centre, volume, radius, obstruction=0),)

    @property
    def surfaces(self) -> Mapping[str, str]:
        return {
            "collector": "outer surface of the binder cap",
            "wetted": "surface of the particle that the cap leaves free",
        }

    def arranged(self) -> None:
        mistakes = list(self._mistakes())
        if mistakes:
            raise InputError(mistakes)

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        occ, z = gmsh.model.occ, MICRO * self.centre[2]
        R = MICRO * self.radius
        if self.body == "sphere":
            whole = occ.addSphere(0.0, 0.0, z, R)
        else:
            tall = MICRO * self._tall
            whole = occ.addCylinder(0.0, 0.0, z - 0.5 * tall, 0.0, 0.0, tall, R)
        volumes = cut_apart(gmsh, [(particle_name(0), [whole]), (BINDER, [self._cap(gmsh)])])
        wetted = exterior_faces(gmsh, volumes[particle_name(0)])
        # the rim of the cap, between the particle and the cap's outer surface, insulates
        touched = edges_of(gmsh, wetted)
        outer = [
            face
            for face in exterior_faces(gmsh, volumes[BINDER])
            if not touched & edges_of(gmsh, [face])
        ]
        name_groups(gmsh, volumes, {"collector": outer, "wetted": wetted})
        grade(gmsh, MICRO * self.cell_sizes[0], [*self._skin(), *self._rim()])

    # -- the cap ------------------------------------------------------------------------------

    @property
    def _tall(self) -> float:
        return self.height or 2.0 * self.radius

    @property
    def _edge(self) -> tuple[float, float]:
        """Where the cap ends on the particle: distance from the axis, and z [m]."""
        R, t = self.radius, self.cap_thickness
        if self.body == "sphere":
            level = 1.0 - 2.0 * self.coverage  # cosine of the angle that the cap subtends
            return R * math.sqrt(1.0 - level**2), t + R * (1.0 - level)
        covered = self.coverage * self.surface
        if covered <= math.pi * R**2:
            return math.sqrt(covered / math.pi), t
        return R, t + (covered - math.pi * R**2) / (2.0 * math.pi * R)

    def _cap(self, gmsh: ModuleType) -> int:
        """A volume that is the cap once the particle is cut from it."""
        occ, R, t = gmsh.model.occ, MICRO * self.radius, MICRO * self.cap_thickness
        rho, level = (MICRO * x for x in self._edge)
        if self.body == "cylinder":
            inside = rho < R * (1.0 - 1e-9)
            tag: int = occ.addCylinder(
                *(0.0, 0.0, 0.0), *(0.0, 0.0, level), rho if inside else R + t
            )
            return tag
        z = t + R
        out = (R + t) / R
        centre = occ.addPoint(0.0, 0.0, z)
        ends = (
            occ.addPoint(0.0, 0.0, 0.0),
            occ.addPoint(out * rho, 0.0, z + out * (level - z)),
        )
        sides = [
            occ.addLine(centre, ends[0]),
            occ.addCircleArc(ends[0], centre, ends[1]),
            occ.addLine(ends[1], centre),
        ]
        sector = occ.addPlaneSurface([occ.addCurveLoop(sides)])
        swept = occ.revolve([(2, sector)], *(0.0, 0.0, z), *(0.0, 0.0, 1.0), 2.0 * math.pi)
        return next(tag for dimension, tag in swept if dimension == 3)

    # -- cells --------------------------------------------------------------------------------

    def _skin(self) -> list[Fine]:
        """Small cells all over the particle."""
        x, y, z = (MICRO * c for c in self.centre)
        size, R = MICRO * self.cell_sizes[1], MICRO * self.radius
        if self.body == "sphere":
            return [Fine((x, y, z), R, size, hollow=True)]
        half = 0.5 * MICRO * self._tall
        # a ball that holds the cylinder and is fine throughout: its inside is near its surface
        return [Fine((x, y, z), math.hypot(R, half), size)]

    def _rim(self) -> list[Fine]:
        """Smaller ones where the cap ends."""
        rho, z = (MICRO * x for x in self._edge)
        size = RIM * MICRO * self.cell_sizes[1]
        turns = (2.0 * math.pi * k / AROUND for k in range(AROUND))
        reach = math.pi * rho / AROUND  # neighbouring balls meet
        return [Fine((rho * math.cos(a), rho * math.sin(a), z), reach, size) for a in turns]

    # -- what does not fit --------------------------------------------------------------------

    def _mistakes(self) -> Iterator[Mistake]:
        if self.body == "sphere" and self.height is not None:
            yield Mistake(
                "height", 'belongs to a cylinder; write body = "cylinder" or leave it out'
            )
        R, t = self.radius, self.cap_thickness
        least = LEAST * R
        if t > R:
            yield Mistake(
                "cap_thickness",
                f"= {display(t, 'm')} is thicker than the particle's radius, {display(R, 'm')};"
                f" take less",
            )
        if t < least * (1.0 - 1e-9):
            yield Mistake(
                "cap_thickness",
                f"is too small to mesh on such a particle; take at least {display(least, 'm')}",
            )
        if self.body == "cylinder" and not 0.1 * R <= self._tall <= 20.0 * R:
            bounds = f"{display(0.1 * R, 'm')} to {display(20.0 * R, 'm')}"
            yield Mistake("height", f"does not fit a radius of {display(R, 'm')}; take {bounds}")
            return
        yield from self._cap_mistakes(least)

    def _cap_mistakes(self, least: float) -> Iterator[Mistake]:
        """The cap ends neither at a pole nor so near to an edge that cells would be slivers."""
        R = self.radius
        rho, z = self._edge
        if rho < least or (self.body == "sphere" and self.coverage > 0.5 and rho < 4.0 * least):
            what = "covers" if self.coverage < 0.5 else "leaves free"
            yield Mistake(
                "coverage",
                f"= {self.coverage:g} {what} too little to mesh; take a value nearer 0.5",
            )
        if self.body == "sphere":
            return
        base = math.pi * R**2 / self.surface
        free = self.cap_thickness + self._tall - z  # of the side
        if free < least:
            yield Mistake(
                "coverage",
                f"= {self.coverage:g} covers the cylinder's top, where the cap does not reach;"
                f" take less than {math.floor(1e3 * (1.0 - base)) / 1e3:g}",
            )
        on_base = rho < R * (1.0 - 1e-9)
        narrow = R - rho if on_base else z - self.cap_thickness
        if 1e-9 * R < narrow < least:
            yield Mistake(
                "coverage",
                f"= {self.coverage:g} ends the cap {display(narrow, 'm')} from the cylinder's edge,"
                f" too near to mesh; the base alone is {base:.6g}",
            )
