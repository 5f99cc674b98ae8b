"""A composite electrode: particles, the necks and the binder between them, and the electrolyte.

Each electrode is one file with one subclass of `ElectrodeShape`, in `meshes/` or a user's own. A
cross-section has more in common: see `nmcsim.case.planar`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from nmcsim.case.geometry import Geometry
from nmcsim.case.shape import geometry, geometry_names, load_geometry_file, other_model
from nmcsim.errors import InputError, Mistake

CONTACT, BINDER, LIQUID = "contact", "binder", "liquid"
BETWEEN = {
    CONTACT: "necks between particles, which carry electrons only",
    BINDER: "porous carbon-binder network",
    LIQUID: "electrolyte outside the binder",
}
TOGETHER = {
    "nmc": "all particles",
    "solid": "what conducts electrons: particles, contact and binder",
    "ionic": "what conducts ions: liquid and binder",
}
SURFACES = {
    "collector": "current collector at the bottom",
    "lithium": "lithium electrode at the top",
}


@dataclass(frozen=True)
class Particle:
    """One particle of an electrode, or one fragment of a cracked particle.

    Attributes
    ----------
    name : str
        Of its region, such as ``"particle[3]"``.
    centre : tuple of float
        Centroid (x, y[, z]) [m].
    volume : float
        [m3]
    radius : float
        Of the circle of the same area, or of the sphere of the same volume [m].
    obstruction : int or None
        How many particles lie between it and the binder network on the shortest way; None if
        there is no way, or if the shape does not know.
    observed : bool
        Whether a microscope that looks from above follows it.
    fragment_of : int or None
        Number of the whole particle that it is a fragment of.
    """

    name: str
    centre: tuple[float, ...]
    volume: float
    radius: float
    obstruction: int | None = None
    observed: bool = True
    fragment_of: int | None = None


def particle_name(number: int) -> str:
    """The region of particle `number`."""
    return f"particle[{number}]"


class ElectrodeShape(Geometry):
    """Particles of NMC with binder and electrolyte, between a collector and lithium."""

    model: ClassVar[str] = "electrode"
    order: ClassVar[int] = 1
    has_liquid: ClassVar[bool] = True
    """Whether the electrolyte outside the binder is meshed."""

    @property
    @abstractmethod
    def particles(self) -> tuple[Particle, ...]:
        """The particles, in the order of their numbers."""

    @property
    def regions(self) -> Mapping[str, str]:
        own = {p.name: _sentence(p) for p in self.particles}
        return own | {name: BETWEEN[name] for name in self._between} | TOGETHER

    @property
    def surfaces(self) -> Mapping[str, str]:
        return SURFACES

    @property
    def unions(self) -> Mapping[str, tuple[str, ...]]:
        nmc = tuple(p.name for p in self.particles)
        liquid = (LIQUID,) if self.has_liquid else ()
        return {"nmc": nmc, "solid": (*nmc, CONTACT, BINDER), "ionic": (*liquid, BINDER)}

    @property
    def optional_regions(self) -> frozenset[str]:
        return frozenset(self._between)

    @property
    def _between(self) -> tuple[str, ...]:
        return (CONTACT, BINDER, LIQUID) if self.has_liquid else (CONTACT, BINDER)

    @property
    def volume(self) -> float:
        """Volume of all particles [m3]."""
        return sum(p.volume for p in self.particles)


def _sentence(particle: Particle) -> str:
    if particle.fragment_of is None:
        return f"one particle of radius {1e6 * particle.radius:.3g} um"
    return f"a fragment of {particle_name(particle.fragment_of)} as it was before it cracked"


def electrode_names() -> tuple[str, ...]:
    """Names of the shipped electrodes, sorted."""
    return tuple(name for name in geometry_names() if issubclass(geometry(name), ElectrodeShape))


def electrode(name: str) -> type[ElectrodeShape]:
    """The shipped electrode called `name`.

    Raises
    ------
    InputError
        If there is none, with a suggestion, or if it belongs to another model.
    """
    return _of_electrodes(geometry(name, electrode_names()), f'geometry.shape = "{name}"')


def load_electrode_file(path: str | Path) -> type[ElectrodeShape]:
    """The one electrode that a user's own file defines; raises as `load_geometry_file` does."""
    return _of_electrodes(load_geometry_file(path), f'geometry.file = "{path}"')


def _of_electrodes(found: type[Geometry], place: str) -> type[ElectrodeShape]:
    if issubclass(found, ElectrodeShape):
        return found
    raise InputError(Mistake(place, other_model(found, electrode_names())))
