"""``model = "electrode"``: the tables of its case file and what must agree between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from nmcsim.case.electrode_shape import ElectrodeShape, electrode, load_electrode_file
from nmcsim.case.electrode_tables import (
    Binder,
    Contact,
    ElectrodeNumerics,
    ElectrodePhysics,
    Lithium,
    over_the_gap,
)
from nmcsim.case.electrolyte import (
    ElectrolyteTable,
    Liquid,
    concentration_mistakes,
    read_electrolyte,
)
from nmcsim.case.geometry_table import geometry_reader
from nmcsim.case.material import read_material
from nmcsim.case.model import COARSER, Case, case_model
from nmcsim.case.plausible import (
    OVERPOTENTIAL,
    capacity_mistakes,
    range_mistakes,
    start_mistakes,
    unsaid,
    voltage_mistakes,
)
from nmcsim.case.protocol import REST, Protocol
from nmcsim.case.section import written
from nmcsim.case.settings import Kept
from nmcsim.errors import Mistake
from nmcsim.materials import Law, Material

CONDITIONS = ("collector", "lithium", "wetted")
"""Surfaces of which the model knows what happens there."""
FILLINGS = ("contact", "binder", "liquid")
"""Regions beside the particles of which the model knows what they are made of."""


@case_model("electrode")
class Electrode(Case):
    """Particles of NMC, binder and electrolyte between a current collector and lithium."""

    law_tables: ClassVar[tuple[str, ...]] = ("material", "electrolyte")

    model: Literal["electrode"] = Field(description="Which equations are solved.")
    geometry: Annotated[
        ElectrodeShape, PlainValidator(geometry_reader(electrode, load_electrode_file, "columns"))
    ] = Field(description="The electrode: shape or file, then the keys of that shape.")
    material: Annotated[Material, PlainValidator(read_material)] = Field(
        description="A material of the library by name, and laws in place of its own."
    )
    # before the electrolyte, whose laws depend on the temperature
    physics: ElectrodePhysics = Field(description="Conditions throughout the cell.")
    electrolyte: Annotated[
        Liquid,
        PlainValidator(read_electrolyte),
        WithJsonSchema(ElectrolyteTable.model_json_schema()),
    ] = Field(description="An electrolyte of the library by name, and laws in place of its own.")
    binder: Binder = Field(default_factory=Binder, description="The carbon-binder network.")
    contact: Annotated[Contact, AfterValidator(over_the_gap)] = Field(
        default_factory=Contact, description="The necks between particles."
    )
    lithium: Lithium = Field(default_factory=Lithium, description="The counter electrode.")
    protocol: Protocol = Field(description="What is done to the electrode.")
    numerics: ElectrodeNumerics = Field(
        default_factory=ElectrodeNumerics, description="How accurately."
    )
    output: Kept = Field(default_factory=Kept, description="What is kept.")

    @classmethod
    def inconsistencies(cls, parts: Mapping[str, Any]) -> list[Mistake]:
        found: list[Mistake] = []
        geometry, material = parts.get("geometry"), parts.get("material")
        liquid, physics = parts.get("electrolyte"), parts.get("physics")
        protocol = parts.get("protocol")
        steps = protocol.steps if protocol else parts.get("steps", ())
        extrapolate = physics is not None and physics.extrapolate
        if geometry is not None:
            found += _unknown_places(geometry)
            found += _liquid(geometry, liquid)
            found += _points(geometry, parts["output"]) if "output" in parts else ()
            if "binder" in parts:
                found += _reacting(geometry, parts["binder"])
            if protocol:
                found += _particles(geometry, protocol)
        if material is not None:
            found += _electrode_material(material)
            found += voltage_mistakes(material, steps, OVERPOTENTIAL)
        if liquid is not None and physics is not None and not extrapolate:
            found += concentration_mistakes(liquid)
        if protocol and material is not None:
            if physics is not None and not extrapolate:
                found += range_mistakes(material, _laws(material), protocol)
            volume = None if geometry is None else geometry.volume
            found += capacity_mistakes(material, volume, protocol, "electrode")
            found += unsaid(start_mistakes(material, protocol), found)
        return found

    @property
    def patches(self) -> tuple[tuple[float, float], ...]:
        """No rock salt: an electrode has no outline to cover."""
        return ()

    def _canonical(self) -> Any:
        content = super()._canonical()
        liquid = self.electrolyte
        said = {"concentration": liquid.concentration, "transport": liquid.transport}
        return content | {"electrolyte": content["electrolyte"] | said}

    def resolved(self) -> dict[str, Any]:
        data = super().resolved()
        liquid = self.electrolyte
        said = {
            "concentration": written(liquid.concentration, "mol/m3"),
            "transport": liquid.transport,
        }
        data["electrolyte"] = said | data["electrolyte"]
        if self.contact.resistance is not None:
            del data["contact"]["conductivity"]  # it follows
        return data

    def coarse(self, kept: Iterable[str] = ()) -> Self:
        """Cells 2.5 times as large, looser tolerances, fewer frames."""
        return self._changed(
            self._larger_cells(COARSER)
            | {
                # looser still, a step fails where the paper's case fills for the second time
                "numerics.rtol": max(self.numerics.rtol, 5e-4),
                "numerics.steps_per_phase": min(self.numerics.steps_per_phase, 25),
                "output.frames": min(self.output.frames, 8),
            },
            kept,
        )


def _laws(material: Material) -> dict[str, Law]:
    """The laws that a run evaluates, by the names that sentences call them."""
    return {material.D.symbol if name == "D" else name: law for name, law in material.laws.items()}


def _electrode_material(material: Material) -> Iterable[Mistake]:
    """The laws that an electrode needs, and a crystal does not."""
    if material.K is None:
        yield Mistake(
            "material.K",
            f"is missing, and {material.name} of the library has none; write K ="
            ' "nmc532_pristine", "1 S/m" or a formula such as'
            ' "10**(-6*logistic((theta - 0.93)/0.015)) [S/m]"',
        )
    if material.D.kind != "chemical":
        yield Mistake(
            "material.D_chem",
            f"is missing: the diffusivity of {material.name} is a self-diffusivity, and an"
            ' electrode needs the chemical one; write D_chem = "1e-14 m2/s" or a formula',
        )


def _unknown_places(geometry: ElectrodeShape) -> Iterable[Mistake]:
    """Regions made of nothing that the case describes, and surfaces without a condition."""
    known = {p.name for p in geometry.particles} | set(FILLINGS) | set(geometry.unions)
    for name in geometry.regions:
        if name not in known:
            yield Mistake(
                "geometry",
                f"has the region {name}, which has no material; name it {_or(FILLINGS)}, or"
                " list it among the particles",
            )
    for name in geometry.surfaces:
        if name not in CONDITIONS and name not in geometry.unions:
            yield Mistake(
                "geometry",
                f"has the surface {name}, of which no condition is known;"
                f" name it {_or(CONDITIONS)}",
            )
    if "collector" not in geometry.surfaces:
        yield Mistake("geometry", "has no surface collector, through which electrons leave")


def _liquid(geometry: ElectrodeShape, liquid: Liquid | None) -> Iterable[Mistake]:
    """An electrolyte is resolved where there is one, between NMC and lithium."""
    if liquid is None or liquid.transport != "resolved":
        return
    place, mend = 'electrolyte.transport = "resolved"', 'write transport = "equipotential"'
    if not geometry.has_liquid:
        yield Mistake(place, f"needs liquid, and the shape {geometry.name} has none; {mend}")
    elif "lithium" not in geometry.surfaces:
        yield Mistake(place, f"needs a surface lithium, and {geometry.name} has none; {mend}")


def _reacting(geometry: ElectrodeShape, binder: Binder) -> Iterable[Mistake]:
    """Somewhere NMC is wet."""
    through_binder = binder.wetted > 0.0 and binder.porosity > 0.0
    if not (geometry.has_liquid or "wetted" in geometry.surfaces or through_binder):
        key = "wetted" if binder.wetted == 0.0 else "porosity"
        yield Mistake(
            f"binder.{key} = 0.0",
            f"leaves no surface where NMC of the shape {geometry.name} reacts; write one above 0",
        )


def _particles(geometry: ElectrodeShape, protocol: Protocol) -> Iterable[Mistake]:
    """An initial state for each particle, and for nothing else."""
    if not isinstance(protocol.initial, Mapping):
        return
    names = [p.name for p in geometry.particles]
    for name in protocol.initial:
        if name not in names and name != REST:
            close = get_close_matches(name, [*names, REST], 1)
            hint = f'did you mean "{close[0]}"?' if close else f"it has {names[0]} to {names[-1]}"
            yield Mistake(
                f"protocol.initial.particles.{name}",
                f"is no particle of the shape {geometry.name}; {hint}",
            )
    left = [name for name in names if name not in protocol.initial]
    if left and REST not in protocol.initial:
        yield Mistake(
            "protocol.initial.particles",
            f"says nothing of {left[0]}{' and others' * (len(left) > 1)}; add rest = 0.99",
        )


def _points(geometry: ElectrodeShape, output: Kept) -> Iterable[Mistake]:
    """Each point lies in a particle, as far as the shape says before it is meshed."""
    layout = getattr(geometry, "layout", None)  # of cross-sections
    for name, point in output.points.items():
        if len(point) != geometry.dimension:
            yield Mistake(
                f"output.points.{name}",
                f"has {len(point)} coordinates, but the shape has {geometry.dimension} dimensions",
            )
        elif layout is not None and not _in_a_body(layout, point):
            where = ", ".join(f"{1e6 * value:g}" for value in point)
            yield Mistake(f"output.points.{name}", f"lies in no particle: ({where}) um")


def _in_a_body(layout: Any, point: tuple[float, ...]) -> bool:
    import shapely  # its shapes need it, and cases of crystals do not

    place = shapely.Point(*(1e6 * value for value in point))
    return any(shapely.intersects(body.area, place) for body in layout.bodies)


def _or(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"
