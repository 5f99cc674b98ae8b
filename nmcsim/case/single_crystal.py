"""``model = "single_crystal"``: the tables of its case file and what must agree between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainValidator, ValidationError, ValidationInfo

from nmcsim.case.material import read_material, spec_content
from nmcsim.case.mistakes import mistakes_of
from nmcsim.case.model import COARSER, Case, canonical, case_model, digest, with_value
from nmcsim.case.physics import Physics
from nmcsim.case.plausible import capacity_mistakes, column_of, start_mistakes
from nmcsim.case.protocol import Protocol
from nmcsim.case.rock_salt import patches
from nmcsim.case.section import all_wrong, folder_of, remember_file, wrong, wrong_from
from nmcsim.case.settings import LOOSEST, Numerics, Output
from nmcsim.case.shape import Shape, load_shape_file, shape
from nmcsim.case.steps import Replay, Step
from nmcsim.errors import InputError, Mistake
from nmcsim.materials import Material

OVERPOTENTIAL = 1.0
"""How far beyond the open-circuit range kinetics may carry a cut-off voltage [V]."""


def _geometry(value: object, info: ValidationInfo) -> Shape:
    if isinstance(value, Shape):
        return value
    if not isinstance(value, Mapping):
        raise wrong("must be a table of keys and values")
    keys = dict(value)
    name, file = keys.pop("shape", None), keys.pop("file", None)
    try:
        kind = _shape_kind(name, file, info)
    except InputError as error:
        key = "shape" if file is None else "file"
        said = error.mistakes[0].place.removeprefix("geometry.")
        raise wrong_from(error, said or key) from None
    try:
        found = kind.model_validate(keys, context=info.context)
        found.outline  # noqa: B018 - drawn now, so that a wrong polygon shows now
    except (ValidationError, InputError) as error:
        raise all_wrong(mistakes_of(error, model=kind)) from None
    except Exception as error:
        if file is None:
            raise
        message = f"has an outline that fails: {type(error).__name__}: {error}"
        raise wrong(message, key=f'file = "{file}"') from None
    return found


def _shape_kind(name: object, file: object, info: ValidationInfo) -> type[Shape]:
    given = [item for item in (name, file) if item is not None]
    if len(given) != 1:
        both = "cannot stand beside file" if given else "is missing"
        raise InputError(Mistake("", f'{both}; write shape = "disk" or file = "my_shape.py"'))
    if not isinstance(given[0], str):
        raise InputError(Mistake("", "must be a text in quotes"))
    if name is not None:
        return shape(given[0])
    path = folder_of(info) / Path(given[0]).expanduser()
    kind = load_shape_file(path)
    remember_file(info, given[0], path)
    return kind


@case_model("single_crystal")
class SingleCrystal(Case):
    """Lithium in one crystal whose surface is partly blocked by rock salt."""

    model: Literal["single_crystal"] = Field(description="Which equations are solved.")
    geometry: Annotated[Shape, PlainValidator(_geometry)] = Field(
        description="The particle: shape or file, then the keys of that shape."
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
            found += _voltages(parts["material"], parts["physics"], steps)
            if protocol:
                found += _range(parts["material"], parts["physics"], protocol)
        if {"material", "physics", "numerics"} <= parts.keys():
            found += _closed_forms(parts["material"], parts["physics"], parts["numerics"])
        if protocol and "material" in parts:
            material = parts["material"]
            found += capacity_mistakes(material, parts.get("geometry"), protocol)
            # a voltage outside the range of the material is said once
            said = {(m.place, m.column) for m in found}
            found += [
                m for m in start_mistakes(material, protocol) if (m.place, m.column) not in said
            ]
        if {"geometry", "output"} <= parts.keys():
            found += _points(parts["geometry"], parts["output"])
        return found

    @property
    def patches(self) -> tuple[tuple[float, float], ...]:
        """Intervals of the outline under rock salt."""
        return patches(self.physics.rock_salt, self.geometry.outline)

    def _canonical(self) -> Any:
        # the laws of a material are functions: what was asked for stands for them
        content = {
            name: canonical(getattr(self, name))
            for name in type(self).model_fields
            if name != "material"
        }
        given = self._given.get("material", {})
        content["material"] = spec_content(given, {t: digest(p) for t, p in self._files.items()})
        file = self._given.get("geometry", {}).get("file")
        return content | {"shape_file": digest(self._files[file]) if file else ""}

    def coarse(self) -> Self:
        """Cells 2.5 times as large, looser tolerances, fewer frames."""
        return self._changed(
            self._larger_cells(COARSER)
            | {
                "numerics.rtol": max(self.numerics.rtol, 1e-3),
                "numerics.steps_per_phase": min(self.numerics.steps_per_phase, 25),
                "output.frames": min(self.output.frames, 8),
            }
        )

    def coarser(self, cells: float, tolerances: float) -> Self:
        rtol = min(tolerances * self.numerics.rtol, LOOSEST)
        return self._changed(self._larger_cells(cells) | {"numerics.rtol": rtol})

    def _larger_cells(self, factor: float) -> dict[str, Any]:
        """The keys of the geometry whose value differs with cells `factor` times as large."""
        scaled = self.geometry.scaled(factor)
        return {
            f"geometry.{key}": value
            for key, value in scaled.model_dump(
                mode="json", exclude_none=True, warnings=False
            ).items()
            if getattr(scaled, key) != getattr(self.geometry, key)
        }

    def _changed(self, changes: Mapping[str, Any]) -> Self:
        data = self._given
        for key, value in changes.items():
            data = with_value(data, key, value)
        return self._again(data)


def _arrangement(geometry: Shape, physics: Physics) -> Iterable[Mistake]:
    try:
        patches(physics.rock_salt, geometry.outline)
    except InputError as error:
        return error.mistakes
    return ()


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


def _voltages(material: Material, physics: Physics, steps: Iterable[Step]) -> Iterable[Mistake]:
    """Each voltage asked for lies within the open-circuit range of the material."""
    low, high = _open_circuit_range(material)
    kinetic = OVERPOTENTIAL if physics.surface == "butler_volmer" else 0.0
    for step in steps:
        for volts, margin in _voltages_of(step, kinetic):
            if not low - margin <= volts <= high + margin:
                column = column_of(step.text, volts)
                replayed = isinstance(step.value, Replay) and column is None
                remedy = (
                    "check the column and its unit" if replayed else "write a voltage inside it"
                )
                yield Mistake(
                    step.place,
                    f"{'replays ' * replayed}{volts:g} V{', which' * replayed} is outside the"
                    f" open-circuit range of {material.name}, {low:.3f} .. {high:.3f} V; {remedy}",
                    None if column is None else step.text,
                    column,
                )


def _voltages_of(step: Step, kinetic: float) -> Iterable[tuple[float, float]]:
    """Voltages that a step asks for, with how far they may leave the open-circuit range."""
    if step.kind == "hold" and isinstance(step.value, float):
        yield step.value, 0.0
    if step.control == "voltage" and isinstance(step.value, Replay):
        for volts in sorted({float(step.value.values.min()), float(step.value.values.max())}):
            yield volts, kinetic
    for end in step.until:
        if end.quantity == "voltage" and isinstance(end.value, float):
            yield end.value, kinetic


def _open_circuit_range(material: Material) -> tuple[float, float]:
    ends = material.U.evaluate(np.array(material.U.valid))
    # half a millivolt: the fit of a curve to the voltage that its range was chosen by
    return float(ends.min()) - 5e-4, float(ends.max()) + 5e-4


def _range(material: Material, physics: Physics, protocol: Protocol) -> Iterable[Mistake]:
    """Each law covers the stoichiometries between the initial state and the cut-off voltages."""
    theta = protocol.initial
    if not isinstance(theta, float) or physics.extrapolate:
        return
    laws = {"U": material.U, material.D.symbol: material.D}
    if physics.surface == "butler_volmer":
        laws["i0"] = material.i0
    outside = [name for name, law in laws.items() if not law.valid[0] <= theta <= law.valid[1]]
    for name in outside:
        lo, hi = laws[name].valid
        yield Mistake(
            f"protocol.initial = {theta!r}",
            f"is outside the range of {name} of {material.name}, theta {lo:g} .. {hi:g};"
            " write a state inside it, or physics.extrapolate = true",
        )
    if "U" in outside:
        return
    grid = np.linspace(*material.U.valid, 2001)
    falling = material.U.evaluate(grid)
    cut_offs = [v for step in protocol.steps for v, _ in _voltages_of(step, 0.0)]
    inside = [v for v in cut_offs if falling[-1] <= v <= falling[0]]
    reached = [theta, *np.interp(inside, falling[::-1], grid[::-1]).tolist()]
    for name, law in laws.items():
        if name not in outside and name != "U":
            try:
                law.check_covers(min(reached), max(reached))
            except InputError as error:
                yield Mistake(f"material.{name}", error.mistakes[0].message)


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
