"""Times of single particles of an electrode, as a person with a microscope tells them.

The observables of a run tell activation as a share of a half-cycle; a paper tells hours and
minutes. Of the particles that a microscope follows (all, where none is followed), in each of the
first `nmcsim.sweeps.observables.CYCLES` charges and discharges, since the half-cycle began:

    activation_first, activation_last       first and last t25
    activation_gap_min, activation_gap_max  smallest and largest time between one t25 and the next
    activation_span                         last minus first
    homogenisation_min, homogenisation_max  for how long a particle is uneven

and of an instant of the first half-cycle (``conditions = { time = "13 h" }``)

    progress_min, unchanged_share           the least share of its own change that a particle has
                                            had, and the share of particles that have had less than
                                            `UNCHANGED` of it
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.results import Result
from nmcsim.sweeps.observables import CYCLES
from nmcsim.units import UnitError, parse

__all__ = ["UNCHANGED", "particle_numbers"]

Array = NDArray[np.float64]

UNCHANGED = 0.05
"""Share of its own change below which a particle shows none: the threshold of Lun et al.."""


def particle_numbers(result: Result, at: Any = None) -> dict[str, tuple[float, str]]:
    """Numbers of an electrode's particles, in SI with their unit; none of a crystal.

    Parameters
    ----------
    result : Result
    at : str, optional
        An instant such as ``"13 h"``: then the two numbers of that instant are given, else those of
        the half-cycles.
    """
    halves = result.summary.get("half_cycles")
    if result.particles is None or not halves:
        return {}
    seen = result.particles.observed
    seen = seen if seen.any() else np.ones_like(seen)
    return _half_cycles(halves, seen) if at is None else _instant(result, halves[0], seen, at)


def _half_cycles(halves: Any, seen: NDArray[np.bool_]) -> dict[str, tuple[float, str]]:
    found: dict[str, tuple[float, str]] = {}
    numbers = {"charge": 0, "discharge": 0}
    for half in halves:
        numbers[half["kind"]] += 1
        if numbers[half["kind"]] > CYCLES or not half.get("complete", True):
            continue
        of = f"{half['kind']}_{numbers[half['kind']]}"
        t25 = np.sort(_finite(half["t25"], seen) - half["t_start"])
        even = _finite(half.get("homogenisation", ()), seen)
        gaps = np.diff(t25)
        told = {
            "activation_first": t25[:1], "activation_last": t25[-1:],
            "activation_gap_min": gaps, "activation_gap_max": gaps,
            "activation_span": t25[-1:] - t25[:1],
            "homogenisation_min": even, "homogenisation_max": even,
        }  # fmt: skip
        for name, values in told.items():
            pick = np.max if name.endswith("_max") else np.min
            found[f"{name}_{of}"] = (float(pick(values)) if len(values) else math.nan, "s")
    return found


def _finite(values: Any, seen: NDArray[np.bool_]) -> Array:
    numbers = np.array([math.nan if value is None else float(value) for value in values])
    if len(numbers) != len(seen):
        return np.empty(0)
    numbers = numbers[seen]
    return numbers[np.isfinite(numbers)]


def _instant(
    result: Result, half: Any, seen: NDArray[np.bool_], at: Any
) -> dict[str, tuple[float, str]]:
    try:
        time = half["t_start"] + parse(at, "s")
    except UnitError as error:
        place = f"conditions.time = {at!r}"
        raise InputError(Mistake(place, error.mistakes[0].message)) from None
    assert result.particles is not None
    if not half["t_start"] <= time <= half["t_end"]:
        return {"progress_min": (math.nan, "1"), "unchanged_share": (math.nan, "1")}
    t, theta = result["time"].values, result.particles.theta_mean[:, seen]
    began, now, ended = (
        np.array([np.interp(when, t, column) for column in theta.T])
        for when in (half["t_start"], time, half["t_end"])
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (began - now) / (began - ended)
    share = share[np.isfinite(share)]
    if not len(share):
        return {}
    return {
        "progress_min": (float(share.min()), "1"),
        "unchanged_share": (float(np.mean(share < UNCHANGED)), "1"),
    }
