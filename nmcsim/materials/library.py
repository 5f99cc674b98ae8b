"""The materials and laws that come with nmcsim, by name."""

from __future__ import annotations

import difflib
from typing import Final

from nmcsim.errors import Mistake
from nmcsim.materials import nmc88, nmc532, nmc811
from nmcsim.materials.definition import Material
from nmcsim.materials.electrolytes import ROOM, electrolyte, electrolyte_names
from nmcsim.materials.law import Law, LawError

_MATERIALS: Final = {
    m.name: m
    for m in (
        nmc88.NMC88,
        nmc88.NMC88_FAST,
        nmc811.NMC811,
        nmc532.NMC532,
        nmc532.PRISTINE,
    )
}

_LAWS: Final[dict[str, dict[str, Law]]] = {
    "U": {
        "nmc811_sturm2019": nmc811.OCV_STURM,
        "nmc811_chen2020": nmc811.OCV_CHEN,
        "nmc532_colclasure2020": nmc532.OCV_COLCLASURE,
        "nmc532_mohtat2020": nmc532.OCV_MOHTAT,
        "nmc532_flat": nmc532.OCV_FLAT,
    },
    "D": {
        "nmc88_set_a": nmc88.DIFFUSIVITY_A,
        "nmc88_set_b": nmc88.DIFFUSIVITY_B,
        "nmc811_oregan2022": nmc811.DIFFUSIVITY_OREGAN,
        "nmc811_sturm2019": nmc811.DIFFUSIVITY_STURM,
        "nmc811_chen2020": nmc811.DIFFUSIVITY_CHEN,
        "nmc532_xu2019": nmc532.DIFFUSIVITY_XU,
        "nmc532_mohtat2020": nmc532.DIFFUSIVITY_MOHTAT,
    },
    "i0": {
        "nmc811_sturm2019": nmc811.EXCHANGE_CURRENT,
        "nmc532_xu2019": nmc532.EXCHANGE_CURRENT,
        "nmc532_park2021": nmc532.EXCHANGE_CURRENT_PARK,
    },
    "K": {},  # those of the materials
}
_OF_ELECTROLYTE: Final = {
    "kappa": "kappa",
    "D_l": "D",
    "t_plus": "t_plus",
    "thermodynamic_factor": "thermodynamic_factor",
}  # symbol of a law: its name in an electrolyte


def names() -> tuple[str, ...]:
    """The names of the materials."""
    return tuple(_MATERIALS)


def material(name: str) -> Material:
    """The material of that name.

    Raises
    ------
    LawError
        No such material; names the nearest.
    """
    if name in _MATERIALS:
        return _MATERIALS[name]
    close = difflib.get_close_matches(name, _MATERIALS, n=1, cutoff=0.5)
    hint = f'did you mean "{close[0]}"?' if close else f"there are {', '.join(_MATERIALS)}"
    if name in electrolyte_names():
        hint = f'it is an electrolyte, whose place is [electrolyte] name = "{name}"'
    raise LawError(Mistake("", f'"{name}" is no material of the library; {hint}'))


def laws(symbol: str) -> tuple[str, ...]:
    """The names under which `library_law` knows laws of `symbol` (``D_ab`` is self-diffusivities).

    The name of a material or an electrolyte stands for its own law.
    """
    if symbol in _OF_ELECTROLYTE:
        return electrolyte_names()
    own = (*_LAWS.get(symbol[:1] if symbol.startswith("D") else symbol, {}), *_MATERIALS)
    return tuple(name for name in own if library_law(symbol, name) is not None)


def library_law(symbol: str, name: str, T: float = ROOM) -> Law | None:
    """The law of `symbol` that is called `name`, or None; that of an electrolyte at `T` [K]."""
    if symbol in _OF_ELECTROLYTE:
        known = name in electrolyte_names()
        return getattr(electrolyte(name, T), _OF_ELECTROLYTE[symbol]) if known else None
    family = "D" if symbol.startswith("D") else symbol
    law = _LAWS.get(family, {}).get(name)
    if law is None and name in _MATERIALS and family in _LAWS:
        law = getattr(_MATERIALS[name], family)
    if law is None or (symbol != family and law.symbol != symbol):
        return None
    return law
