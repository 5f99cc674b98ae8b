"""``[material]``: a material of the library, and laws of the user's in place of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, ValidationInfo

from nmcsim.case.mistakes import mistakes_of
from nmcsim.case.section import (
    Density,
    Section,
    SiteDensity,
    all_wrong,
    folder_of,
    remember_file,
    wrong,
)
from nmcsim.errors import InputError, Mistake
from nmcsim.materials import Law, Material, material, parse_law

ROOM = 298.15
"""Temperature at which the laws are checked [K]; it does not decide whether they are well posed."""

_UNITS = {"U": "V", "D_ab": "m2/s", "D_chem": "m2/s", "i0": "A/m2", "K": "S/m"}
_LAW = "a name, a constant, a formula in theta [unit], a table"

Spec = str | dict[str, Any]


class MaterialTable(Section):
    """The keys of ``[material]``; the laws are read by `nmcsim.materials.parse_law`."""

    name: str = Field(description="A material of the library.", examples=["nmc88"])
    title: str | None = Field(
        default=None, description="What it is, where it is not that of the library any more."
    )
    U: Spec | None = Field(default=None, description=f"Open-circuit potential: {_LAW}.")
    D_ab: Spec | None = Field(default=None, description=f"Self-diffusivity D_ab of Eq. 10: {_LAW}.")
    D_chem: Spec | None = Field(default=None, description=f"Chemical diffusivity: {_LAW}.")
    i0: Spec | None = Field(default=None, description=f"Exchange current density: {_LAW}.")
    K: Spec | None = Field(
        default=None, description=f"Electronic conductivity, of an electrode: {_LAW}."
    )
    site_density: SiteDensity | None = Field(default=None, description="Lithium sites N_L.")
    density: Density | None = Field(default=None, description="Mass density.")
    theta_discharged: float | None = Field(
        default=None, gt=0.0, le=1.0, description="Lithium per site when discharged."
    )


def read_material(value: object, info: ValidationInfo) -> Material:
    """The material that a ``[material]`` table describes; raises all its mistakes."""
    if isinstance(value, Material):
        return value
    if not isinstance(value, Mapping):
        raise wrong('must be a table; write [material] and name = "nmc88"')
    mistakes: list[Mistake] = []
    changes: dict[str, Any] = {}
    # the laws are the business of `parse_law`, which says more than a type
    plain = {key: item for key, item in value.items() if key not in _UNITS}
    base = None
    try:
        table = MaterialTable.model_validate(plain, context=info.context)
        base = material(table.name)
        for key in ("title", "site_density", "density", "theta_discharged"):
            if getattr(table, key) is not None:
                changes[key] = getattr(table, key)
    except (ValidationError, InputError) as error:
        mistakes += named(error, plain.get("name"), MaterialTable)
    if "D_ab" in value and "D_chem" in value:
        mistakes.append(
            Mistake("D_chem", "cannot stand beside D_ab; a diffusivity is one of the two, keep it")
        )
    for symbol in _UNITS.keys() & value.keys():
        law = read_law(value[symbol], symbol, symbol, _UNITS[symbol], info, mistakes)
        changes["D" if symbol.startswith("D") else symbol] = law
    if mistakes or base is None:
        raise all_wrong(sorted(mistakes, key=lambda m: m.place))
    made = base.with_laws(**changes)
    try:
        made.chemical_diffusivity(ROOM)
    except InputError as error:
        given = {"D": next((key for key in ("D_ab", "D_chem") if key in value), "D")}
        raise all_wrong(
            Mistake(given.get(m.place, m.place), m.message) for m in error.mistakes
        ) from None
    return made


def named(error: ValidationError | InputError, name: object, table: type[Section]) -> list[Mistake]:
    """What is wrong with the plain keys of a table; a library name that is none is at ``name``."""
    return [
        m if m.place else Mistake(f'name = "{name}"', m.message.removeprefix(f'"{name}" '))
        for m in mistakes_of(error, model=table)
    ]


def read_law(
    spec: object,
    key: str,
    symbol: str,
    unit: str,
    info: ValidationInfo,
    mistakes: list[Mistake],
    T: float = ROOM,
) -> Law | None:
    """The law that a user wrote at `key`; what is wrong with it is added to `mistakes`."""
    folder = folder_of(info)
    try:
        law = parse_law(_thawed(spec), symbol, unit, folder, T=T)
    except InputError as error:
        mistakes += mistakes_of(error, key)
        return None
    if isinstance(spec, Mapping) and "table" in spec:
        remember_file(info, spec["table"], folder / spec["table"])
    return law


def _thawed(spec: object) -> object:
    return dict(spec) if isinstance(spec, Mapping) else spec


def spec_content(spec: Any, digests: Mapping[str, str]) -> Any:
    """A ``[material]`` table in which files are named by what they hold."""
    if isinstance(spec, Mapping):
        return {key: spec_content(item, digests) for key, item in spec.items()}
    if isinstance(spec, list | tuple):
        return [spec_content(item, digests) for item in spec]
    return digests.get(spec, spec) if isinstance(spec, str) else spec
