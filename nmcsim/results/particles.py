"""Particles of an electrode: what they are, and what was recorded of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmcsim.results.series import Array, Quantity

__all__ = ["PARTICLE_QUANTITIES", "ParticleSeries", "Particles"]

PARTICLE_QUANTITIES: Mapping[str, Quantity] = {
    "theta_mean": Quantity("1", "theta", "mean lithium per site"),
    "theta_surface": Quantity("1", "theta_s", "mean lithium per site on the reacting surface"),
    "current": Quantity("A", "I", "interfacial current, positive where lithium leaves"),
    "phi_s": Quantity("V", "phi_s", "mean potential of the solid"),
}
"""What is recorded of each particle."""


@dataclass(frozen=True)
class Particles:
    """The particles of an electrode, in one order everywhere.

    Parameters
    ----------
    names : tuple of p str
        Such as ``particle[3]``.
    centre : (p, d) array
        [m].
    volume : (p,) array
        [m3].
    obstruction : (p,) int array
        Number of particles between it and the binder network; -1 where that is not known.
    observed : (p,) bool array
        Whether a microscope looking from above follows it.
    fragment_of : (p,) int array
        Number of the whole particle that a fragment belongs to; -1 for a whole one.
    active : (p,) bool array
        Whether it has electronic contact, so that it takes part.
    """

    names: tuple[str, ...]
    centre: Array
    volume: Array
    obstruction: NDArray[np.int64]
    observed: NDArray[np.bool_]
    fragment_of: NDArray[np.int64]
    active: NDArray[np.bool_]


@dataclass(frozen=True)
class ParticleSeries(Particles):
    """Particles with what was recorded of each, one row per row of the history.

    Parameters
    ----------
    series : mapping of name -> (rows, p) array
        Units, symbols and meanings are in `PARTICLE_QUANTITIES`.
    """

    series: Mapping[str, Array]

    @property
    def theta_mean(self) -> Array:
        """Mean lithium per site; (rows, p)."""
        return self.series["theta_mean"]

    @property
    def theta_surface(self) -> Array:
        """Mean lithium per site on the reacting surface; (rows, p)."""
        return self.series["theta_surface"]

    @property
    def current(self) -> Array:
        """Interfacial current [A], positive where lithium leaves; (rows, p)."""
        return self.series["current"]

    @property
    def phi_s(self) -> Array:
        """Mean potential of the solid [V]; (rows, p)."""
        return self.series["phi_s"]
