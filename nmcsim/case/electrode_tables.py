"""Tables of an electrode's case that are its own: what lies between and beside the particles."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationInfo

from nmcsim.case.section import (
    AreaResistance,
    Conductivity,
    CurrentDensity,
    Section,
    Temperature,
    wrong,
)
from nmcsim.case.settings import LOOSEST


class ElectrodePhysics(Section):
    """Conditions throughout the cell."""

    temperature: Temperature = Field(description="Of the cell, uniform.")
    alpha_a: float = Field(
        default=0.5,
        gt=0.0,
        lt=1.0,
        description="Anodic transfer coefficient; 0.5 with alpha_c = 0.5 where nothing is known.",
    )
    alpha_c: float = Field(
        default=0.5, gt=0.0, lt=1.0, description="Cathodic transfer coefficient."
    )
    extrapolate: bool = Field(
        default=False,
        description="Whether a law may be used beyond its valid range, where a run ends otherwise.",
    )


class Binder(Section):
    """The porous network of carbon and binder, and how much of its contact with NMC reacts."""

    conductivity: Conductivity = Field(
        default=1e4,
        description="Of electrons, effective; 1e4 S/m as in Sharma et al. 2022. Films of carbon and"
        " binder have 10 to 1e3 S/m: all are short circuits beside NMC.",
    )
    porosity: float = Field(
        default=0.5,
        ge=0.0,
        lt=1.0,
        description="Share of electrolyte in it; 0.47 to 0.5 is usual (Vierrath et al. 2015), 0 is"
        " dense.",
    )
    bruggeman: float = Field(
        default=1.5,
        ge=1.0,
        le=10.0,
        description="Exponent of the porosity in effective conductivity and diffusivity; 1.5 is"
        " Bruggeman's, for lack of a measurement.",
    )
    wetted: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="Share of the contact between NMC and binder that reacts: all of it where the"
        " pores are open and full.",
    )


class Contact(Section):
    """The necks between particles, which carry electrons and no lithium."""

    conductivity: Conductivity = Field(
        default=1.0,
        description="Of a neck; 1 S/m, that of charged NMC, is our choice: necks then matter only"
        " by their width.",
    )
    resistance: AreaResistance | None = Field(
        default=None,
        description="Of a neck per cross-section, in place of a conductivity, which follows from"
        " geometry.contact_gap.",
    )


def over_the_gap(contact: Contact, info: ValidationInfo) -> Contact:
    """A contact whose conductivity follows from its resistance where the case states that one."""
    if contact.resistance is None:
        return contact
    if "conductivity" in contact.model_fields_set:
        raise wrong("cannot stand beside conductivity; keep one of the two", key="resistance")
    geometry: Any = info.data.get("geometry")
    gap = getattr(geometry, "contact_gap", None)
    if geometry is not None and gap is None:
        raise wrong(
            f"needs a gap, and the shape {geometry.name} has no contact_gap; write a conductivity",
            key="resistance",
        )
    return contact if gap is None else contact.changed(conductivity=gap / contact.resistance)


class Lithium(Section):
    """The counter electrode."""

    kinetics: Literal["butler_volmer", "ideal"] = Field(
        default="butler_volmer", description="With an exchange current, or without overpotential."
    )
    exchange_current: CurrentDensity = Field(
        default=70.0,
        description="At the concentration of the electrolyte at rest; 70 A/m2 is that of Xu et al."
        " 2019 at 1 mol/L, other sources have 1 to 10 A/m2.",
    )


class ElectrodeNumerics(Section):
    """Discretisation in time; that in space is the geometry's cells and straight elements."""

    rtol: float = Field(
        default=5e-4,
        ge=1e-10,
        le=LOOSEST,
        description="Error of a time step at the worst node, over each unknown's scale; activation"
        " times are then within a thousandth.",
    )
    max_order: int = Field(
        default=3,
        ge=1,
        le=5,
        description="Highest order of the time integrator; fronts of particles that switch on leave"
        " higher ones unused.",
    )
    steps_per_phase: int = Field(
        default=50,
        ge=5,
        le=100_000,
        description="Time steps in each protocol step at least, so that no event is missed.",
    )
    linear_solver: Literal["auto", "direct", "iterative"] = Field(
        default="auto",
        description="A factorisation, or an iterative solver; auto takes the faster one for the"
        " dimension and size of the mesh.",
    )
