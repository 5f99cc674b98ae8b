"""An electrolyte: four laws of the concentration of its salt, and whether they can be used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from nmcsim.errors import Mistake
from nmcsim.materials.definition import POINTS, not_positive
from nmcsim.materials.law import Law, LawError, narrow

TRANSPORT: Final = ("kappa", "D", "t_plus", "thermodynamic_factor")


@dataclass(frozen=True, kw_only=True)
class Electrolyte:
    """A binary electrolyte in the sense of concentrated-solution theory.

        eps dc/dt = div(D grad c - t_plus i / F)
        i = -kappa grad phi + 2 kappa R T / F (1 - t_plus) (1 + dln f/dln c) grad ln c

    Parameters
    ----------
    name, title : str
        A short name and a sentence.
    kappa, D, t_plus, thermodynamic_factor : Law or None
        Ionic conductivity [S/m], diffusivity of the salt [m2/s], transference number of lithium and
        1 + dln f/dln c, each of the concentration c [mol/m3]; None where a case does without.
    concentration : float
        That of the salt at rest [mol/m3].
    """

    name: str
    title: str
    kappa: Law | None
    D: Law | None
    t_plus: Law | None
    thermodynamic_factor: Law | None
    concentration: float = 1000.0

    @property
    def laws(self) -> dict[str, Law]:
        """The laws that there are, by name."""
        found = {name: getattr(self, name) for name in TRANSPORT}
        return {name: law for name, law in found.items() if law is not None}

    def valid_range(self) -> tuple[float, float]:
        """The concentrations [mol/m3] that all its laws are valid at; any, where it has none."""
        lows, highs = zip((0.0, math.inf), *(law.valid for law in self.laws.values()), strict=True)
        return max(lows), min(highs)

    def check_well_posed(self) -> None:
        """Refuse laws with which transport runs backwards.

        Raises
        ------
        LawError
            A law that is not positive, or a transference number of 1 or more, in its valid range;
            the place is the law's name.
        """
        mistakes = [m for name, law in self.laws.items() for m in not_positive(name, law)]
        if self.t_plus is not None:
            mistakes += _not_below_one(self.t_plus)
        if mistakes:
            raise LawError(mistakes)


def _not_below_one(t_plus: Law) -> list[Mistake]:
    c = np.linspace(*t_plus.valid, POINTS)
    value = t_plus.evaluate(c)
    wrong = ~(value < 1.0)
    if not wrong.any():
        return []
    i = int(np.argmax(wrong))
    sentence = (
        f"is {value[i]:.3g} at {t_plus.argument.shown(c[i])}; a transference number lies between"
        f" 0 and 1: {narrow(t_plus)}"
    )
    return [Mistake("t_plus", sentence)]
