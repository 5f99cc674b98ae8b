"""The electrolyte of a BPX file as ``[electrolyte]``."""

from __future__ import annotations

import math
from typing import Any, Final

from nmcsim.bpx.account import Account, Item
from nmcsim.bpx.laws import arrhenius, of_salt
from nmcsim.bpx.quantity import read_quantity
from nmcsim.bpx.reading import Document
from nmcsim.bpx.wrong import place
from nmcsim.errors import Mistake

SALT: Final = 1000.0
"""Concentration [mol/m3] where a file states none; that of PyBaMM too."""
ELECTROLYTE: Final = "Electrolyte"
_LAWS: Final = (
    ("kappa", "S/m", "Conductivity [S.m-1]", "conductivity", "conductivity_activation_energy"),
    ("D", "m2/s", "Diffusivity [m2.s-1]", "diffusivity", "diffusivity_activation_energy"),
)


def concentration(account: Account, document: Document) -> float:
    """Of the salt at rest [mol/m3]: c_e0 of the exchange current, too."""
    state = getattr(document.model, "state", None)
    start = getattr(state, "initial_conditions", None)
    value = getattr(start, "initial_electrolyte_concentration", None)
    of_old = "Initial concentration [mol.m-3]" in document.raw["Parameterisation"].get(
        ELECTROLYTE, {}
    )
    where = (
        place(ELECTROLYTE, "Initial concentration [mol.m-3]")
        if of_old
        else place("State", "Initial conditions", "Initial electrolyte concentration [mol.m-3]")
    )
    if value is None:
        account.missing.append(Item(where, f"{SALT:g} mol/m3 was taken, as PyBaMM does"))
        return SALT
    if not (math.isfinite(value) and value > 0):
        account.mistakes.append(Mistake(where, f"is {value:g} mol/m3; it must be positive"))
        return SALT
    account.mapped.append(
        Item(where, f"electrolyte.concentration = {value:g} mol/m3, and c0 of i0")
    )
    return float(value)


def electrolyte_table(account: Account, document: Document, c: float) -> dict[str, Any]:
    """``[electrolyte]`` at the concentration `c` [mol/m3]; empty where the file has none."""
    liquid = getattr(document.model.parameterisation, "electrolyte", None)
    if liquid is None:
        message = "an electrode case needs one; a single crystal does not"
        account.missing.append(Item(ELECTROLYTE, message))
        return {}
    made: dict[str, Any] = {}
    for key, unit, alias, name, energy in _LAWS:
        where = place(ELECTROLYTE, alias)
        factor = arrhenius(getattr(liquid, energy), account.T, account.reference)

        def shaped(
            where: str = where, name: str = name, unit: str = unit, by: float = factor
        ) -> Any:
            return of_salt(
                read_quantity(getattr(liquid, name), "c", where).times(by), c, unit, where
            )

        found = account.law(f"electrolyte.{key}", unit, where, shaped)
        if found is not None:
            made[key] = found[0]
    t_plus, where = (
        liquid.cation_transference_number,
        place(ELECTROLYTE, "Cation transference number"),
    )
    if not 0.0 < t_plus < 1.0:
        account.mistakes.append(Mistake(where, f"is {t_plus:g}; it must lie between 0 and 1"))
    source = f"BPX, {where}: {account.source}"
    made["t_plus"] = {"constant": float(t_plus), "source": source}
    account.mapped.append(Item(where, f"electrolyte.t_plus = {t_plus:g}"))
    made["thermodynamic_factor"] = {"constant": 1.0, "source": "BPX: an ideal solution"}
    account.missing.append(
        Item("thermodynamic factor of the electrolyte", "1: BPX takes the solution as ideal")
    )
    made["concentration"] = f"{c:.12g} mol/m3"
    return made
