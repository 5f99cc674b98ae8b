"""The positive electrode and the electrolyte of a BPX file as the tables of a case."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nmcsim.bpx.account import Account, Item
from nmcsim.bpx.particles import (
    BASE,
    check_numbers,
    choose,
    conductivity,
    exchange_current,
    material_table,
)
from nmcsim.bpx.reading import Document, read_document
from nmcsim.bpx.rest import the_rest
from nmcsim.bpx.salt import concentration, electrolyte_table
from nmcsim.constants import F
from nmcsim.errors import InputError, Mistake
from nmcsim.materials import material

ROOM: Final = 298.15
"""Reference temperature [K] of a file that states none."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What a BPX file gives to a case.

    Parameters
    ----------
    document : Document
        The file.
    name : str
        What the names of its files begin with.
    particle : str
        Which particle of a blended electrode it is; empty where there is one.
    temperature, reference : float
        Of the laws, and of the values in the file [K].
    limits : tuple of float
        Stoichiometries between which all laws are valid.
    voltages : tuple of float
        Open-circuit potential at the larger and at the smaller one [V].
    density : float
        Of the particles [kg/m3].
    radius : float
        Of the particles [m].
    capacity : float
        Of the particles between the limits [A s/kg].
    material, electrolyte : mapping
        Tables of a case; the second is empty where the file has no electrolyte.
    tables : mapping
        CSV files that they name: name and content.
    mapped, used, ignored, missing : tuple of Item
        What became of each value of the file, and what it lacks.
    kinetics : tuple of str
        How the rate constant was converted.
    remarks : tuple of str
        What else to know.
    """

    document: Document
    name: str
    particle: str
    temperature: float
    reference: float
    limits: tuple[float, float]
    voltages: tuple[float, float]
    density: float
    radius: float
    capacity: float
    material: Mapping[str, Any]
    electrolyte: Mapping[str, Any]
    tables: Mapping[str, str]
    mapped: tuple[Item, ...]
    used: tuple[Item, ...]
    ignored: tuple[Item, ...]
    missing: tuple[Item, ...]
    kinetics: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def has_electrode(self) -> bool:
        """Whether the file has all that a case of a composite electrode needs."""
        return bool(self.electrolyte) and "K" in self.material


def read_bpx(
    path: Path,
    *,
    name: str = "",
    particle: str = "",
    temperature: float | None = None,
    branch: str = "mean",
    limits: tuple[float, float] | None = None,
    density: float | None = None,
) -> Imported:
    """Map the positive electrode and the electrolyte of a BPX file.

    Parameters
    ----------
    path : Path
        The file; BPX 0.1 to 1.x.
    name : str
        What the names of files begin with; that of the BPX file where not given.
    particle : str
        Which particle of a blended electrode.
    temperature : float, optional
        For which the laws are wanted [K]; the file's reference temperature where not given.
    branch : str
        ``"mean"``, ``"delithiation"`` or ``"lithiation"``: which OCP of a file with hysteresis.
    limits : tuple of float, optional
        Stoichiometries between which the laws are wanted; those of the file where not given.
    density : float, optional
        Of the particles [kg/m3], which BPX does not have.

    Raises
    ------
    InputError
        Everything that is wrong with the file, or an option that does not fit it.
    """
    document = read_document(path)
    try:
        return _mapped(document, name, particle, temperature, branch, limits, density)
    except InputError as error:
        raise error.located(str(path)) from None


def _mapped(
    document: Document,
    name: str,
    particle: str,
    temperature: float | None,
    branch: str,
    limits: tuple[float, float] | None,
    density: float | None,
) -> Imported:
    where, electrode, chosen = choose(document, particle)
    check_numbers(where, chosen, limits)
    cell = getattr(document.model.parameterisation, "cell", None)
    stated = getattr(cell, "reference_temperature", None)
    if stated is not None and not (math.isfinite(stated) and stated > 0):
        message = f"is {stated:g} K; it must be positive"
        raise InputError(Mistake("Cell > Reference temperature [K]", message))
    reference = float(ROOM if stated is None else stated)
    T = reference if temperature is None else temperature
    stem = name or re.sub(r"[^A-Za-z0-9_-]+", "_", document.path.stem)
    title = " ".join((document.model.header.title or document.path.name).split())
    account = Account(stem, title, T, reference)
    if stated is None:
        what = f"{ROOM} K was taken"
        account.missing.append(Item("Cell > Reference temperature [K]", what))
    rho = material(BASE).density if density is None else density
    if density is None:
        what = f"{rho:g} kg/m3 of {BASE} was taken (--density); masses depend on it, charges do not"
        account.missing.append(Item("density of the particles", what))
    wanted = limits or (chosen.minimum_stoichiometry, chosen.maximum_stoichiometry)
    made, U, covered = material_table(account, where, chosen, branch, wanted, rho)
    conductivity(account, made, electrode)
    salt = concentration(account, document)
    kinetics = exchange_current(account, made, where, chosen, salt)
    liquid = electrolyte_table(account, document, salt)
    if account.mistakes or U is None:
        raise InputError(account.mistakes)
    lo, hi = covered
    used, ignored = the_rest(document, where, T, reference, branch)
    return Imported(
        document=document,
        name=stem,
        particle=particle,
        temperature=T,
        reference=reference,
        limits=covered,
        voltages=(float(U(hi)), float(U(lo))),
        density=rho,
        radius=float(chosen.particle_radius),
        capacity=F * float(chosen.maximum_concentration) * (hi - lo) / rho,
        material=made,
        electrolyte=liquid,
        tables=account.tables,
        mapped=tuple(account.mapped),
        used=used,
        ignored=ignored,
        missing=tuple(account.missing),
        kinetics=kinetics,
        remarks=(*document.remarks, *account.remarks),
    )
