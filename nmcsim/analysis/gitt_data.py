"""What GITT needs to know, how it is done, and what it gives; see `gitt` for Eq. 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmcsim.constants import F
from nmcsim.errors import InputError, Mistake

__all__ = ["Gitt", "GittResult", "Ohmic", "Pulse", "Sample"]

Array = NDArray[np.float64]

Ohmic = Literal["fit", "first", "none"]
"""How the ohmic step is found: intercept of the line over sqrt(t), first row, or not removed."""


@dataclass(frozen=True)
class Sample:
    """What Eq. 1 needs to know of the electrode.

    Parameters
    ----------
    mass : float
        m, of active material [kg].
    molar_mass : float
        M [kg/mol]; of lithium sites, so that theta follows from charge.
    density : float
        [kg/m3]; V_m = M / density.
    area : float
        S, through which lithium enters [m2].
    length : float, optional
        L of tau << L^2/D [m]; volume over area where not given.
    area_uncertainty : float
        Relative, one standard deviation; 0 where nobody said one.
    """

    mass: float
    molar_mass: float
    density: float
    area: float
    length: float | None = None
    area_uncertainty: float = 0.0

    @property
    def depth(self) -> float:
        """Volume over area, m V_m / (M S) [m]."""
        return self.mass / self.density / self.area

    @property
    def diffusion_length(self) -> float:
        """L of tau << L^2/D [m]."""
        return self.depth if self.length is None else self.length

    @property
    def sites(self) -> float:
        """Charge of one lithium per site [A s]."""
        return F * self.mass / self.molar_mass


@dataclass(frozen=True)
class Gitt:
    """How pulses are reduced.

    Parameters
    ----------
    ohmic : {"fit", "first", "none"}
        How the ohmic step is found: as the intercept of the line over sqrt(t); as the voltage of
        the first row with current; or not at all, then dE_t is the whole rise from rest.
    window : (float, float)
        Part of the pulse, as shares of tau, through which the line goes. The law ends where
        curvature or the far side of the particle is felt, and does not hold yet while the double
        layer charges.
    at_rest : float, optional
        Current [A] up to which the cell rests; 1 % of the largest where not given.
    longest : float
        tau D / L^2 above which a pulse is said to be too long for Eq. 1.
    unsettled : float
        How far from rest the voltage still is when a rest ends, as a share of dE_s, above which
        the rest is said to be too short.
    theta_start : float, optional
        Lithium per site at the first row, so that theta of each pulse is known.
    """

    ohmic: Ohmic = "fit"
    window: tuple[float, float] = (0.05, 0.5)
    at_rest: float | None = None
    longest: float = 0.02
    unsettled: float = 0.02
    theta_start: float | None = None

    def __post_init__(self) -> None:
        lo, hi = self.window
        if not 0.0 <= lo < hi <= 1.0:
            raise InputError(
                Mistake("window", f"= {lo:g} to {hi:g} must rise from 0 or more to 1 or less")
            )


@dataclass(frozen=True)
class Pulse:
    """One pulse and the rest after it.

    Parameters
    ----------
    number : int
        From 1.
    start, duration, rest : float
        [s]; `duration` is tau, `rest` that of the rest after it.
    current, charge : float
        Mean current [A] and what passed [A s], positive on charge.
    theta : float
        Mean lithium per site, at the middle of the pulse; NaN where unknown.
    E_before, E_after : float
        Voltage at rest, before the pulse and after it [V].
    dE_s, dE_t, ohmic : float
        Steady and transient change, and the step removed from the latter [V]; `ohmic` is NaN where
        nothing was removed.
    u_dE_s, u_dE_t : float
        One standard deviation [V].
    fit_rms : float
        Residual of the line over sqrt(t) [V].
    unsettled : float
        What the voltage was still away from rest at the end of the rest after the pulse [V].
    D, u_D : float
        Chemical diffusivity and one standard deviation [m2/s].
    shortness : float
        tau D / L^2.
    flaws : tuple of str
        Why this pulse should not be trusted; empty where nothing is against it.
    """

    number: int
    start: float
    duration: float
    rest: float
    current: float
    charge: float
    theta: float
    E_before: float
    E_after: float
    dE_s: float
    u_dE_s: float
    dE_t: float
    u_dE_t: float
    ohmic: float
    fit_rms: float
    unsettled: float
    D: float
    u_D: float
    shortness: float
    flaws: tuple[str, ...] = ()


@dataclass(frozen=True)
class GittResult:
    """All pulses of a record.

    Parameters
    ----------
    pulses : tuple of Pulse
    sample : Sample
    settings : Gitt
    notes : tuple of str
        What was left out, one sentence each.
    """

    pulses: tuple[Pulse, ...]
    sample: Sample
    settings: Gitt
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> Array:
        """A number of each pulse, shape (pulses,)."""
        return np.array([getattr(pulse, name) for pulse in self.pulses], dtype=np.float64)
