"""A material: its laws, its constants, and who set each of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nmcsim.constants import F, R
from nmcsim.errors import Mistake
from nmcsim.expression import is_ufl
from nmcsim.materials.law import KEPT, Law, LawError, narrow

LAWS: Final = ("U", "D", "i0")
ELECTRONIC: Final = ("K",)  # laws that a material may lack
CONSTANTS: Final = ("site_density", "density", "theta_discharged", "molar_mass")
POINTS: Final = 4097  # of a check: a step of 2.4e-4, that of the curves
OFFSET: Final = 1e-5  # of the difference quotient of U'; its error is (OFFSET / width)**2 / 6


@dataclass(frozen=True)
class ChemicalFromSelf:
    """The function theta -> D_ab theta abs(U') F / (R T), the factor of grad theta in Eq. 10."""

    D: Law
    U: Law
    T: float

    @property
    def closed_form(self) -> bool:
        """Whether both laws can stand inside a UFL form."""
        return self.D.closed_form and self.U.closed_form

    def __call__(self, theta: Any) -> Any:
        factor = F / (R * self.T)
        if is_ufl(theta):
            import ufl

            t = ufl.variable(theta)
            return factor * self.D(t) * t * -ufl.diff(self.U(t), t)
        return factor * self.D.evaluate(theta) * theta * np.abs(self.U.derivative(theta))

    def derivative(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """The derivative with respect to theta; U'' by a central difference of U'."""
        D, slope = self.D.evaluate(theta), -self.U.derivative(theta)
        ahead, behind = (self.U.derivative(theta + step) for step in (OFFSET, -OFFSET))
        bend = -(ahead - behind) / (2 * OFFSET)
        sign = np.sign(slope)
        product = self.D.derivative(theta) * theta * slope + D * slope + D * theta * bend
        return F / (R * self.T) * sign * product


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a crystal is made of.

    Parameters
    ----------
    name, title : str
        A short name and a sentence.
    U, D, i0 : Law
        Open-circuit potential [V], diffusivity [m2/s] (its `kind` says which), exchange current
        density [A/m2], each of the stoichiometry theta.
    site_density : float
        Lithium sites N_L [mol/m3].
    density : float
        Of the fully lithiated crystal [kg/m3].
    theta_discharged : float
        Stoichiometry of the discharged crystal, where a charge starts.
    molar_mass : float, optional
        Per lithium site [kg/mol].
    K : Law, optional
        Electronic conductivity [S/m] of theta; a crystal is an equipotential, an electrode not.
    provenance : mapping of str to str
        Who set what: one line for each of the laws and constants.
    """

    name: str
    title: str
    U: Law
    D: Law
    i0: Law
    site_density: float
    density: float
    theta_discharged: float = 0.95
    molar_mass: float | None = None
    K: Law | None = None
    provenance: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def of_library(cls, *, sources: Mapping[str, str], **fields: Any) -> Material:
        """A material of the library; `sources` says where each of its constants comes from."""
        origin = f"library {fields['name']}"
        named = {key: origin for key in (*LAWS, *ELECTRONIC) if fields.get(key) is not None}
        named |= {key: f"{origin}: {source}" for key, source in sources.items()}
        return cls(**fields, provenance=named)

    def with_laws(self, by: str = "case file", **changes: Any) -> Material:
        """A copy with other laws or constants, and `by` as their provenance.

        Parameters
        ----------
        by : str
            Who sets them.
        **changes
            Any of ``U D i0 K site_density density theta_discharged molar_mass name title``.
        """
        named = {key: by for key in changes if key in (*LAWS, *ELECTRONIC, *CONSTANTS)}
        return replace(self, **changes, provenance={**self.provenance, **named})

    @property
    def laws(self) -> dict[str, Law]:
        """The laws that the material has, by name."""
        found = {name: getattr(self, name) for name in (*LAWS, *ELECTRONIC)}
        return {name: law for name, law in found.items() if law is not None}

    def valid_range(self, *laws: str) -> tuple[float, float]:
        """The range of theta that is valid for all of `laws`, by default for ``U``, ``D``, ``i0``.

        Raises
        ------
        LawError
            The ranges do not overlap.
        """
        chosen: dict[str, Law] = {name: getattr(self, name) for name in laws or LAWS}
        lo = max(law.valid[0] for law in chosen.values())
        hi = min(law.valid[1] for law in chosen.values())
        if lo >= hi:
            ranges = ", ".join(f"{n} {w.valid[0]:g} .. {w.valid[1]:g}" for n, w in chosen.items())
            raise LawError(Mistake("", f"has laws whose valid ranges do not overlap: {ranges}"))
        return lo, hi

    def chemical_diffusivity(self, T: float) -> Law:
        """The chemical diffusivity [m2/s] at the temperature `T` [K], whichever D was given.

        Of a self-diffusivity it is D_ab theta abs(U') F / (R T) (Lun et al., SI, Eq. 10), valid
        where both laws are; a chemical diffusivity is returned as it is.

        Raises
        ------
        LawError
            U does not fall, or a law is not positive, somewhere in its valid range.
        """
        return _chemical(self, T)

    def _chemical_diffusivity(self, T: float) -> Law:
        self.check_well_posed()
        if self.D.kind == "chemical":
            return self.D
        lo, hi = self.valid_range("U", "D")
        return Law(
            symbol="D_chem",
            unit="m2/s",
            fn=ChemicalFromSelf(self.D, self.U, T),
            valid=(max(lo, 1e-3), hi),  # it vanishes at theta = 0 by its form
            source=f"D_ab theta |U'| F/RT at {T:g} K; D_ab: {self.D.source}; U: {self.U.source}",
            choice=self.D.choice or self.U.choice,
            kind="chemical",
            text=f"D_ab theta |U'| F/RT at {T:g} K",
            positive=True,
        )

    def check_well_posed(self) -> None:
        """Refuse laws that make diffusion run backwards or a current undefined.

        Raises
        ------
        LawError
            U that rises or is flat, D, i0 or K that is not positive, each with the first
            stoichiometry of its valid range where it happens; the place is the law's name.
        """
        mistakes = [
            *_not_falling(self.U),
            *(m for name, law in self.laws.items() if name != "U" for m in not_positive(name, law)),
        ]
        if mistakes:
            raise LawError(mistakes)


@functools.lru_cache(maxsize=KEPT)
def _chemical(material: Material, T: float) -> Law:
    """Asked for several times of each case, each time with its checks at `POINTS`."""
    return material._chemical_diffusivity(T)


def _not_falling(law: Law) -> list[Mistake]:
    theta = np.linspace(*law.valid, POINTS)
    slope = law.derivative(theta)
    wrong = ~(slope < 0)
    if not wrong.any():
        return []
    i = int(np.argmax(wrong))
    sentence = (
        f"does not fall at theta = {theta[i]:.4g} (dU/dtheta = {slope[i]:.3g} V), which makes "
        f"diffusion ill-posed; {narrow(law)}"
    )
    return [Mistake("U", sentence)]


def not_positive(name: str, law: Law) -> list[Mistake]:
    """That a law called `name` is zero or negative somewhere in its valid range, and where."""
    theta = np.linspace(*law.valid, POINTS)
    value = law.evaluate(theta)
    wrong = ~(value > 0)
    if not wrong.any():
        return []
    i = int(np.argmax(wrong))
    sentence = (
        f"is {f'{value[i]:.3g} {law.unit}'.removesuffix(' 1')} at {law.argument.shown(theta[i])};"
        f" it must be positive: {narrow(law)}"
    )
    return [Mistake(name, sentence)]
