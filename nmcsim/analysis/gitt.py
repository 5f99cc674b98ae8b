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

import numpy as np
from numpy.typing import NDArray

from nmcsim.analysis.gitt_data import Gitt, GittResult, Pulse, Sample
from nmcsim.analysis.pulses import line, rest_voltage
from nmcsim.analysis.record import Record, Segment, segments
from nmcsim.errors import InputError, Mistake

__all__ = ["Gitt", "GittResult", "Pulse", "Sample", "diffusivity", "reduce_gitt"]

FEWEST = 4  # rows in the window of a fit


LATE = 0.02
"""Share of a pulse before its first row from which on D is not to be trusted: when the current
began is known to that share, and Eq. 1 takes the root of the time since.
"""


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
        flaws=_flaws(
            settings, shortness, dE_s, dE_t, unsettled, (float(time[part.first]) - t0) / tau
        ),
    )


def _flaws(
    settings: Gitt, shortness: float, dE_s: float, dE_t: float, unsettled: float, unseen: float
) -> tuple[str, ...]:
    found = []
    if unseen > LATE:
        found.append(f"no row in the first {100.0 * unseen:.2g} % of the pulse")
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
