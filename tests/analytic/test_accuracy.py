"""Accuracy at default settings, against the stored polar finite-volume values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import nmcsim
from tests.crystals import RADIUS, crystal, observed, row_at
from tests.reference import stored
from tests.vv import claim


@dataclass(frozen=True)
class Errors:
    """Largest deviations over all stored times of a run."""

    theta: float
    voltage: float  # V
    t_end: float  # relative
    distance: float  # m
    share: float
    times: int
    drift: float


def errors(name: str, *overrides: str) -> Errors:
    reference, which = stored.load(name), stored.CASES[name]
    case = crystal(
        f"physics.rock_salt.coverage = {0.5 if which.blocked else 0.0}",
        f'physics.surface = "{"butler_volmer" if which.kinetic else "flux"}"',
        f'protocol.steps = ["Charge at {which.rate:g}C until 4.3 V"]',
        *overrides,
    )
    r, phi = np.meshgrid(reference.rho * RADIUS, reference.phi, indexing="ij")
    times = np.union1d(reference.times, reference.voltage_times)
    result = nmcsim.simulate(observed(case, r * np.cos(phi), r * np.sin(phi), times))
    time = result.history["time"].values
    ended_by = {"voltage": "voltage", "surface exhausted": "lithium"}[reference.ended_by]
    assert result.summary["steps"][0]["ended_by"] == ended_by

    theta = result.points.theta.reshape(time.size, *reference.theta.shape[1:])
    pairs = [(k, row_at(time, t)) for k, t in enumerate(reference.times)]
    found = [(k, i) for k, i in pairs if i is not None]
    assert np.isfinite(theta).all()
    voltage = result.history["voltage"].values
    gaps = [
        abs(voltage[i] - v)
        for t, v in zip(reference.voltage_times, reference.voltage, strict=True)
        if (i := row_at(time, t)) is not None
    ]
    share = result.history["unreacted_share"].values
    distance = result.history["com_distance"].values
    both = [(k, i) for k, i in found if reference.share[k] > 0.0]
    return Errors(
        max(float(np.abs(theta[i] - reference.theta[k]).max()) for k, i in found),
        max(gaps),
        abs(time[-1] / reference.t_end - 1.0),
        max(abs(distance[i] - reference.distance[k]) for k, i in both),
        max(abs(share[i] - reference.share[k]) for k, i in both),
        len(found),
        result.summary["balance"]["lithium"],
    )


TITLES = {
    "fresh_1C": "fresh, 1C",
    "half_1C": "half-blocked, 1C",
    "half_5C": "half-blocked, 5C",
    "half_1C_kinetic": "half-blocked, 1C, Butler-Volmer",
}


@pytest.mark.parametrize("name", ["fresh_1C", "half_1C", "half_1C_kinetic"])
def test_default_settings(name: str) -> None:
    found, case = errors(name), TITLES[name]
    assert found.times == len(stored.CASES[name].times)  # every stored time before the cut-off
    claim("accuracy", case, "theta, 640 points, all stored times", found.theta, below=1e-3)
    claim("accuracy", case, "voltage, all stored times", 1e3 * found.voltage, below=0.5, unit="mV")
    claim("accuracy", case, "time of the cut-off", 100 * found.t_end, below=0.05, unit="%")
    claim("accuracy", case, "centre-of-mass distance", 1e9 * found.distance, below=2.0, unit="nm")
    claim("accuracy", case, "unreacted share of the area", found.share, below=1e-3)
    claim("accuracy", case, "lithium drift", found.drift, below=1e-9)


def test_default_settings_at_five_c() -> None:
    """Not within 1e-3: the fronts of nmc88 at 5C are steeper than the default cells.

    The bounds say what holds. The reference itself is uncertain by 8e-4 in theta; its run ends,
    like this one, when the bare surface has no lithium left, in a layer thinner than a cell.
    """
    found, case = errors("half_5C", "physics.extrapolate = true"), TITLES["half_5C"]
    assert found.times == len(stored.CASES["half_5C"].times)
    claim("accuracy", case, "theta, 640 points, all stored times", found.theta, below=4e-3)
    claim("accuracy", case, "voltage, all stored times", 1e3 * found.voltage, below=0.5, unit="mV")
    claim("accuracy", case, "time of exhaustion", 100 * found.t_end, below=2.0, unit="%")
    claim("accuracy", case, "centre-of-mass distance", 1e9 * found.distance, below=2.0, unit="nm")
    claim("accuracy", case, "unreacted share of the area", found.share, below=1e-3)
    claim("accuracy", case, "lithium drift", found.drift, below=1e-9)
