"""Chemical diffusivity from galvanostatic pulses and rests (GITT).

    D = 4/(pi tau) (m V_m / (M S))^2 (dE_s / dE_t)^2,    tau << L^2 / D                          (1)

Lun et al. (2022), SI, Eq. 1, after Weppner and Huggins, J. Electrochem. Soc. 124 (1977) 1569. It is
the law of a plane: under a constant flux its surface changes with sqrt(t),

    E(t) = E_s + dE_ohm + (dE_t / sqrt(tau)) sqrt(t)

so that a straight line through E over sqrt(t) has the ohmic (and kinetic) step as its intercept
and dE_t / sqrt(tau) as its slope. m V_m / M is the volume of the material, hence m V_m / (M S) is
volume over area.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmcsim.analysis.pulses import line, rest_voltage
from nmcsim.analysis.record import Record, Segment, segments
from nmcsim.constants import F
from nmcsim.errors import InputError, Mistake

__all__ = ["Gitt", "GittResult", "Pulse", "Sample", "diffusivity", "reduce_gitt"]

Array = NDArray[np.float64]

Ohmic = Literal["fit", "first", "none"]
"""How the ohmic step is found: intercept of the line over sqrt(t), first row, or not removed."""

FEWEST = 4  # rows in the window of a fit


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


def diffusivity(sample: Sample, tau: float, dE_s: float, dE_t: float) -> float:
    """Eq. 1 [m2/s]; NaN where dE_t is 0.

    Parameters
    ----------
    sample : Sample
    tau : float
        Length of the pulse [s].
    dE_s, dE_t : float
        Steady and transient change of the voltage [V].
    """
    if dE_t == 0.0:
        return math.nan
    return 4.0 / (math.pi * tau) * sample.depth**2 * (dE_s / dE_t) ** 2


def reduce_gitt(record: Record, sample: Sample, settings: Gitt | None = None) -> GittResult:
    """The diffusivity of each pulse that stands between two rests.

    A pulse begins at the last row of the rest before it and ends at its last row with current. The
    voltages at rest are means over the last 5 % of each rest.

    Parameters
    ----------
    record : Record
    sample : Sample
    settings : Gitt, optional

    Raises
    ------
    InputError
        No pulse stands between two rests, or the voltage falls while the current is positive.
    """
    settings = settings or Gitt()
    parts = segments(record, settings.at_rest)
    pulses: list[Pulse] = []
    notes = list(record.notes)
    for before, part, after in zip(parts, parts[1:], parts[2:], strict=False):
        if part.sign == 0 or before.sign != 0 or after.sign != 0:
            continue
        t0, t1 = record.time[before.last], record.time[part.last]
        rows = _window(record, part, t0, t1, settings)
        if len(rows) < FEWEST:
            notes.append(
                f"the pulse at {t0:.6g} s has {len(rows)} rows in its window, less than {FEWEST}"
            )
            continue
        pulses.append(_pulse(record, sample, settings, before, part, after, rows, len(pulses) + 1))
    if not pulses:
        raise InputError(Mistake(record.name, _none(parts, notes)))
    _refuse_sign(record, pulses)
    return GittResult(tuple(pulses), sample, settings, tuple(notes))


def _none(parts: tuple[Segment, ...], notes: list[str]) -> str:
    currents = sum(part.sign != 0 for part in parts)
    rests = len(parts) - currents
    why = f" ({notes[-1]})" if notes else ""
    return (
        f"has no pulse between two rests: {currents} stretches with current, {rests} at rest{why};"
        " GITT needs a rest before and after each pulse, see at_rest"
    )


def _refuse_sign(record: Record, pulses: list[Pulse]) -> None:
    against = sum(p.dE_s * p.charge < 0.0 for p in pulses)
    if 2 * against > len(pulses):
        raise InputError(
            Mistake(
                record.name,
                f"has a voltage that falls while its current is positive ({against} of"
                f" {len(pulses)} pulses); here charging is positive, turn the sign of the current",
            )
        )


def _window(
    record: Record, part: Segment, t0: float, t1: float, settings: Gitt
) -> NDArray[np.intp]:
    share = (record.time[part.rows] - t0) / (t1 - t0)
    lo, hi = settings.window
    inside = (share >= lo) & (share <= hi) & (share > 0.0)
    return np.flatnonzero(inside) + part.first


def _pulse(
    record: Record,
    sample: Sample,
    settings: Gitt,
    before: Segment,
    part: Segment,
    after: Segment,
    rows: NDArray[np.intp],
    number: int,
) -> Pulse:
    time, voltage = record.time, record.voltage
    t0, t1 = float(time[before.last]), float(time[part.last])
    tau = t1 - t0
    intercept, slope, u_slope, rms = line(time[rows] - t0, voltage[rows])
    E_before, u_before, _ = rest_voltage(record, before, rms)
    E_after, u_after, unsettled = rest_voltage(record, after, rms)
    if settings.ohmic == "fit":
        ohmic = intercept - E_before
        dE_t, u_dE_t = slope * math.sqrt(tau), u_slope * math.sqrt(tau)
    else:
        at_start = voltage[part.first] if settings.ohmic == "first" else E_before
        ohmic = at_start - E_before if settings.ohmic == "first" else math.nan
        dE_t, u_dE_t = float(voltage[part.last] - at_start), math.hypot(rms, u_before)
    dE_s, u_dE_s = E_after - E_before, math.hypot(u_before, u_after)
    D = diffusivity(sample, tau, dE_s, dE_t)
    relative = 2.0 * math.hypot(
        u_dE_s / dE_s if dE_s else math.inf,
        u_dE_t / dE_t if dE_t else math.inf,
        sample.area_uncertainty,
    )
    charge = float(record.charge[part.last] - record.charge[before.last])
    shortness = tau * D / sample.diffusion_length**2
    return Pulse(
        number=number,
        start=t0,
        duration=tau,
        rest=float(time[after.last] - t1),
        current=charge / tau,
        charge=charge,
        theta=_theta(record, sample, settings, before.last, part.last),
        E_before=E_before,
        E_after=E_after,
        dE_s=dE_s,
        u_dE_s=u_dE_s,
        dE_t=dE_t,
        u_dE_t=u_dE_t,
        ohmic=float(ohmic),
        fit_rms=rms,
        unsettled=unsettled,
        D=D,
        u_D=relative * D,
        shortness=shortness,
        flaws=_flaws(settings, shortness, dE_s, dE_t, unsettled),
    )


def _flaws(
    settings: Gitt, shortness: float, dE_s: float, dE_t: float, unsettled: float
) -> tuple[str, ...]:
    found = []
    if not shortness <= settings.longest:
        found.append(f"tau = {shortness:.2g} L^2/D is not << L^2/D")
    if abs(unsettled) > settings.unsettled * abs(dE_s):
        found.append("the rest ended before the voltage was steady")
    if not dE_s * dE_t > 0.0:
        found.append("dE_s and dE_t have opposite signs")
    return tuple(found)


def _theta(record: Record, sample: Sample, settings: Gitt, first: int, last: int) -> float:
    if settings.theta_start is not None:
        middle = 0.5 * float(record.charge[first] + record.charge[last])
        return settings.theta_start - middle / sample.sites
    if record.theta is not None:
        return 0.5 * float(record.theta[first] + record.theta[last])
    return math.nan
