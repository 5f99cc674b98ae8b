"""What is in a BPX file besides the laws of the positive electrode and the electrolyte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from nmcsim.bpx.account import Item
from nmcsim.bpx.particles import BRANCHES, CONDUCTIVITY, DIFFUSIVITY, ENTROPY, MOST, RATE
from nmcsim.bpx.reading import POSITIVE, Document
from nmcsim.bpx.wrong import place

_MAPPED: Final = (
    MOST, RATE, DIFFUSIVITY, CONDUCTIVITY, "Minimum stoichiometry", "Maximum stoichiometry",
)  # fmt: skip
_PORES: Final = "the pores of a resolved electrode are drawn, not averaged"
_ELECTRODE: Final = {
    "Thickness [m]": "a resolved electrode has the thickness of its drawing",
    "Porosity": _PORES,
    "Transport efficiency": _PORES,
    "Surface area per unit volume [m-1]": "the surface of drawn particles is their own",
    "OCP hysteresis decay constant": "nmcsim has no hysteresis",
}
_CELL: Final = {
    "Lower voltage cut-off [V]": "of the cell, against its negative electrode",
    "Upper voltage cut-off [V]": "of the cell, against its negative electrode",
}
_SECTIONS: Final = {
    "Negative electrode": "the counter electrode of nmcsim is lithium metal",
    "Separator": "a resolved electrode has free liquid before the lithium",
    "User-defined": "what is not in the standard has no fixed meaning",
}
_CYLINDERS: Final = "cylinders (area per volume 2/R), where BPX has spheres (3/R)"
DRAWN: Final = (1.5e-6, 2e-5)
"""Radii [m] of particles of which an electrode is drawn; others become `USUAL`."""
USUAL: Final = 5e-6
_TIMES: Final = "needed away from the reference temperature only: --temperature"


def drawn(radius: float) -> float:
    """Radius [m] of the particles of the electrode case."""
    return radius if DRAWN[0] <= radius <= DRAWN[1] else USUAL


def the_rest(
    document: Document, where: str, T: float, reference: float, branch: str
) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """What the starter cases use, and what is ignored, each with the reason.

    Parameters
    ----------
    where : str
        Place of the particles.
    T, reference : float
        Temperature of the laws, and of the values in the file [K].
    branch : str
        The OCP that was mapped.
    """
    used: list[Item] = []
    ignored: list[Item] = []
    inner = document.raw["Parameterisation"]
    for name, value in inner.get("Cell", {}).items():
        at = place("Cell", name)
        if name == "Reference temperature [K]":
            used.append(Item(at, f"{value:g} K, the temperature that the values are stated for"))
        else:
            ignored.append(Item(at, _shown(name, value) + _CELL.get(name, "of the whole cell")))
    warm = reference != T
    for at, name, value in _positive(inner[POSITIVE], where):
        kind = _kind(at, name, where, branch)
        if kind == "other":
            ignored.append(Item(at, "of another particle of the blend: --particle"))
        elif name == "Particle radius [m]":
            used.append(Item(at, f"{1e6 * value:g} um: radius in the cases, of {_CYLINDERS}"))
            if drawn(value) != value:
                what = f"an electrode of such particles is not drawn: it has {1e6 * USUAL:g} um"
                ignored.append(Item(at, what))
        elif kind == "energy":
            (used if warm else ignored).append(Item(at, _energy(value, T, reference, warm)))
        elif kind == "slope":
            what = f"shifts the OCP from {reference:g} to {T:g} K" if warm else _TIMES
            (used if warm else ignored).append(Item(at, what))
        elif kind == "branch":
            option = next(key for key, (_, alias) in BRANCHES.items() if alias == name)
            ignored.append(Item(at, f"another branch of the OCP was mapped: --ocp {option}"))
        elif kind == "ignored":
            why = _ELECTRODE.get(name, "nmcsim has no use for it")
            ignored.append(Item(at, _shown(name, value) + why))
    for name, value in inner.get("Electrolyte", {}).items():
        if "activation energy" in name:
            item = Item(place("Electrolyte", name), _energy(value, T, reference, warm))
            (used if warm else ignored).append(item)
    for name, why in _SECTIONS.items():
        if name in inner:
            names = ", ".join(inner[name]) if name == "User-defined" else ""
            ignored.append(Item(name, f"{names}: {why}" if names else why))
    ignored += _state(document.raw.get("State") or {})
    if document.raw.get("Validation"):
        names = ", ".join(document.raw["Validation"])
        what = f"{names}: measured on the whole cell, not on the positive electrode"
        ignored.append(Item("Validation", what))
    return tuple(used), tuple(ignored)


def _shown(name: str, value: Any) -> str:
    """A number with the unit of its name: ``2.7 V: ``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    unit = re.search(r"\[(.*)\]", name)
    return f"{value:g} {unit[1].replace('.', ' ')}: " if unit else f"{value:g}: "


def _positive(electrode: Mapping[str, Any], where: str) -> Iterator[tuple[str, str, Any]]:
    """Place, name and value of all that an electrode has; other particles as a whole."""
    for name, value in electrode.items():
        if name != "Particle":
            yield place(POSITIVE, name), name, value
            continue
        for particle, values in value.items():
            at = place(POSITIVE, "Particle", particle)
            if at != where:
                yield at, "", values
                continue
            for key, item in values.items():
                yield place(at, key), key, item


def _kind(at: str, name: str, where: str, branch: str) -> str:
    if not name:
        return "other"
    if name in _MAPPED or name == BRANCHES[branch][1]:
        return "mapped"
    if "activation energy" in name:
        return "energy"
    if name == ENTROPY:
        return "slope"
    return "branch" if any(name == alias for _, alias in BRANCHES.values()) else "ignored"


def _energy(value: float, T: float, reference: float, warm: bool) -> str:
    shown = f"{1e-3 * value:g} kJ/mol"
    return f"{shown}, from {reference:g} to {T:g} K" if warm else f"{shown}: {_TIMES}"


def _state(state: Mapping[str, Any]) -> Iterator[Item]:
    for part, values in state.items():
        for name in values if isinstance(values, Mapping) else ():
            if name == "Initial electrolyte concentration [mol.m-3]":
                continue  # it is mapped
            why = "the cases start discharged, at the temperature of the laws"
            yield Item(place("State", part, name), _shown(name, values[name]) + why)
