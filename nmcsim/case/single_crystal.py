"""``model = "single_crystal"``: the tables of its case file and what must agree between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainValidator

from nmcsim.case.geometry_table import geometry_reader
from nmcsim.case.material import read_material
from nmcsim.case.model import COARSER, Case, case_model
from nmcsim.case.physics import Physics
from nmcsim.case.plausible import (
    OVERPOTENTIAL,
    capacity_mistakes,
    range_mistakes,
    start_mistakes,
    unsaid,
    voltage_mistakes,
)
from nmcsim.case.protocol import Protocol
from nmcsim.case.rock_salt import coverage, patches
from nmcsim.case.settings import Numerics, Output
from nmcsim.case.shape import Shape, load_shape_file, shape
from nmcsim.case.steps import Step
from nmcsim.errors import InputError, Mistake
from nmcsim.materials import Law, Material


@case_model("single_crystal")
class SingleCrystal(Case):
    """Lithium in one crystal whose surface is partly blocked by rock salt."""

    model: Literal["single_crystal"] = Field(description="Which equations are solved.")
    geometry: Annotated[Shape, PlainValidator(geometry_reader(shape, load_shape_file, "disk"))] = (
        Field(description="The particle: shape or file, then the keys of that shape.")
    )
    material: Annotated[Material, PlainValidator(read_material)] = Field(
        description="A material of the library by name, and laws in place of its own."
    )
    physics: Physics = Field(description="Conditions at the surface and in the crystal.")
    protocol: Protocol = Field(description="What is done to the particle.")
    numerics: Numerics = Field(default_factory=Numerics, description="How accurately.")
    output: Output = Field(default_factory=Output, description="What is kept.")

    @classmethod
    def inconsistencies(cls, parts: Mapping[str, Any]) -> list[Mistake]:
        found: list[Mistake] = []
        protocol = parts.get("protocol")
        steps = protocol.steps if protocol else parts.get("steps", ())
        if {"geometry", "physics"} <= parts.keys():
            found += _arrangement(parts["geometry"], parts["physics"])
        if "physics" in parts:
            found += _holds(parts["physics"], steps)
        if {"material", "physics"} <= parts.keys():
            material, physics = parts["material"], parts["physics"]
            kinetic = OVERPOTENTIAL if physics.surface == "butler_volmer" else 0.0
            found += voltage_mistakes(material, steps, kinetic)
            if protocol and not physics.extrapolate:
                found += range_mistakes(material, _laws(material, physics), protocol)
        if {"material", "physics", "numerics"} <= parts.keys():
            found += _closed_forms(parts["material"], parts["physics"], parts["numerics"])
        if protocol and "material" in parts:
            material = parts["material"]
            geometry = parts.get("geometry")
            volume = None if geometry is None else geometry.volume
            found += capacity_mistakes(material, volume, protocol, "particle")
            found += unsaid(start_mistakes(material, protocol), found)
        if protocol and isinstance(protocol.initial, Mapping):
            found.append(
                Mistake(
                    "protocol.initial",
                    "names particles, and a crystal is one; write a number such as 0.95",
                )
            )
        if {"geometry", "output"} <= parts.keys():
            found += _points(parts["geometry"], parts["output"])
        return found

    @property
    def patches(self) -> tuple[tuple[float, float], ...]:
        """Intervals of the outline under rock salt."""
        own = self.geometry.own_patches
        return own if own is not None else patches(self.physics.rock_salt, self.geometry.outline)

    def coarse(self, kept: Iterable[str] = ()) -> Self:
        """Cells 2.5 times as large, looser tolerances, fewer frames."""
        return self._changed(
            self._larger_cells(COARSER)
            | {
                "numerics.rtol": max(self.numerics.rtol, 1e-3),
                "numerics.steps_per_phase": min(self.numerics.steps_per_phase, 25),
                "output.frames": min(self.output.frames, 8),
            },
            kept,
        )


SAME_COVERAGE = 0.01
"""How far a given coverage may be from that of a ready-made mesh, whose cells end where they do."""


def _arrangement(geometry: Shape, physics: Physics) -> Iterable[Mistake]:
    if geometry.own_patches is not None:
        return _brought(coverage(geometry.own_patches), physics)
    try:
        patches(physics.rock_salt, geometry.outline)
    except InputError as error:
        return error.mistakes
    return ()


def _brought(brought: float, physics: Physics) -> Iterable[Mistake]:
    """Rock salt that comes with the mesh: the case may say how much, and no more."""
    said = physics.rock_salt
    if said.arrangement != "arc" or said.angle:
        key = "angle" if said.arrangement == "arc" else "arrangement"
        yield Mistake(
            f"physics.rock_salt.{key}",
            "has no effect: the mesh says by the group rock_salt where it lies; remove it",
        )
    given = said.coverage or 0.0
    if said.coverage is None and not brought:
        return
    if abs(given - brought) > SAME_COVERAGE:
        what = f"whose group rock_salt covers {brought:.4g}" if brought else "without rock_salt"
        yield Mistake(
            "physics.rock_salt.coverage",
            f"= {given:g} contradicts the mesh, {what}; write coverage = {brought:.4g}",
        )


def _laws(material: Material, physics: Physics) -> dict[str, Law]:
    """The laws that a run evaluates, by the names that sentences call them."""
    laws = {"U": material.U, material.D.symbol: material.D}
    return laws | ({"i0": material.i0} if physics.surface == "butler_volmer" else {})


def _holds(physics: Physics, steps: Iterable[Step]) -> Iterable[Mistake]:
    for step in steps:
        if physics.surface == "flux" and step.control == "voltage":
            yield Mistake(
                step.place,
                'controls the voltage, which is no unknown with physics.surface = "flux";'
                ' write surface = "butler_volmer"',
                step.text,
                0,
            )


def _closed_forms(material: Material, physics: Physics, numerics: Numerics) -> Iterable[Mistake]:
    """Laws inside the forms are no tables."""
    if numerics.laws != "general":
        return
    used = [material.D]
    if physics.surface == "butler_volmer":
        used += [material.U, material.i0]
    elif material.D.kind != "chemical":
        used += [material.U]  # its slope is a factor of the chemical diffusivity
    tables = [law.symbol for law in used if not law.closed_form]
    if tables:
        yield Mistake(
            'numerics.laws = "general"',
            f"needs laws in closed form, but material.{' and material.'.join(tables)} of"
            f" {material.name} {'is a table' if len(tables) == 1 else 'are tables'}; write"
            ' laws = "nodal"',
        )


def _points(geometry: Shape, output: Output) -> Iterable[Mistake]:
    """Each point lies in the particle."""
    outline = geometry.outline.point(np.linspace(0.0, 1.0, 2000, endpoint=False))
    for name, point in output.points.items():
        if len(point) != geometry.dimension:
            yield Mistake(
                f"output.points.{name}",
                f"has {len(point)} coordinates, but the shape has {geometry.dimension} dimensions",
            )
        elif not (
            _inside(outline, point[0], point[1]) and 0.0 <= sum(point[2:]) <= geometry.height
        ):
            where = ", ".join(f"{1e6 * value:g}" for value in point)
            yield Mistake(f"output.points.{name}", f"lies outside the particle: ({where}) um")


def _inside(outline: NDArray[np.float64], x: float, y: float) -> bool:
    """Whether the closed `outline`, shape (n, 2), surrounds (x, y)."""
    (x0, y0), (x1, y1) = outline.T, np.roll(outline, -1, axis=0).T
    crossed = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return bool(np.count_nonzero(crossed & (at > x)) % 2)
