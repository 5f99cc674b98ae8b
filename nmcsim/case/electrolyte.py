"""``[electrolyte]``: one of the library, laws of the user's in place of its own, and its salt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo

from nmcsim.case.material import ROOM, Spec, named, read_law
from nmcsim.case.section import Concentration, Section, all_wrong, wrong
from nmcsim.errors import InputError, Mistake
from nmcsim.materials import Electrolyte, electrolyte

Transport = Literal["resolved", "equipotential"]

_LAWS = {
    # key: the symbol of its law, and its unit
    "kappa": ("kappa", "S/m"),
    "D": ("D_l", "m2/s"),
    "t_plus": ("t_plus", "1"),
    "thermodynamic_factor": ("thermodynamic_factor", "1"),
}
_LAW = "a name, a constant, a formula in c / (mol/m3) [unit], a table"


@dataclass(frozen=True, kw_only=True)
class Liquid(Electrolyte):
    """The electrolyte of a case: its laws, its salt, and whether its transport is resolved.

    Parameters
    ----------
    concentration : float
        At rest, uniform at the start; exchange currents are stated at it [mol/m3].
    transport : str
        ``"resolved"``, or ``"equipotential"`` where c_l and phi_l are uniform.
    """

    transport: Transport = "resolved"


class ElectrolyteTable(Section):
    """The keys of ``[electrolyte]``; the laws are read by `nmcsim.materials.parse_law`."""

    name: str | None = Field(
        default=None, description="An electrolyte of the library.", examples=["nyman2008"]
    )
    kappa: Spec | None = Field(default=None, description=f"Ionic conductivity: {_LAW}.")
    D: Spec | None = Field(default=None, description=f"Diffusivity of the salt: {_LAW}.")
    t_plus: Spec | float | None = Field(
        default=None, description=f"Transference number of lithium: {_LAW}."
    )
    thermodynamic_factor: Spec | float | None = Field(
        default=None, description=f"1 + dln f/dln c: {_LAW}."
    )
    concentration: Concentration = Field(
        default=1000.0,
        description="Of the salt at rest, for which exchange currents are stated; 1 mol/L is that"
        " of nearly all electrolytes in use.",
    )
    transport: Transport = Field(
        default="resolved",
        description="Concentrated-solution theory, or one potential and one concentration for all"
        " of the electrolyte.",
    )


def read_electrolyte(value: object, info: ValidationInfo) -> Liquid:
    """The electrolyte that an ``[electrolyte]`` table describes; raises all its mistakes.

    Library laws are taken at the temperature of the case.
    """
    if isinstance(value, Liquid):
        return value
    if not isinstance(value, Mapping):
        raise wrong('must be a table; write [electrolyte] and name = "nyman2008"')
    mistakes: list[Mistake] = []
    laws: dict[str, Any] = dict.fromkeys(_LAWS)
    table: ElectrolyteTable | None = None
    T = info.data["physics"].temperature if "physics" in info.data else ROOM
    title, base = "laws of the case", None
    # the laws are the business of `parse_law`, which says more than a type
    plain = {key: item for key, item in value.items() if key not in _LAWS}
    try:
        table = ElectrolyteTable.model_validate(plain, context=info.context)
        if table.name is not None:
            base = electrolyte(table.name, T)
            laws, title = {key: getattr(base, key) for key in _LAWS}, base.title
    except (ValidationError, InputError) as error:
        mistakes += named(error, plain.get("name"), ElectrolyteTable)
    for key in _LAWS.keys() & value.keys():
        symbol, unit = _LAWS[key]
        laws[key] = read_law(value[key], key, symbol, unit, info, mistakes, T)
    if table is not None and table.transport == "resolved" and table.name is None:
        mistakes += _missing(value)
    if mistakes or table is None:
        raise all_wrong(sorted(mistakes, key=lambda m: m.place))
    made = Liquid(
        name=table.name or "of the case",
        title=title,
        **laws,
        concentration=table.concentration,
        transport=table.transport,
    )
    try:
        made.check_well_posed()
    except InputError as error:
        raise all_wrong(error.mistakes) from None
    return made


def _missing(given: Mapping[str, Any]) -> list[Mistake]:
    absent = [key for key in _LAWS if key not in given]
    if not absent:
        return []
    if len(absent) == len(_LAWS):
        return [Mistake("name", 'is missing; write name = "nyman2008", or all four laws')]
    return [
        Mistake(key, f'is missing; write {key} = "nyman2008" or another law, or a name')
        for key in absent
    ]


def concentration_mistakes(liquid: Liquid) -> list[Mistake]:
    """That the salt at rest lies outside the range of a law that a run evaluates."""
    if liquid.transport != "resolved":
        return []
    found = []
    for name, law in liquid.laws.items():
        lo, hi = law.valid
        if not lo <= liquid.concentration <= hi:
            found.append(
                Mistake(
                    f'electrolyte.concentration = "{liquid.concentration:g} mol/m3"',
                    f"is outside the range of {name} of {liquid.name}, {law.argument.span(lo, hi)};"
                    " write one inside it, or physics.extrapolate = true",
                )
            )
    return found[:1]
