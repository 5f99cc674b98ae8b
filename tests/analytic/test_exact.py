"""Runs with constant D against closed forms, and kinetics against PyBaMM's expression tree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nmcsim
from tests.crystals import CONSTANT, RADIUS, crystal, observed, row_at, sized
from tests.reference import blocked_disk, crank, laws
from tests.vv import claim

TIMES = [60.0, 300.0, 900.0, 1800.0]  # tau = D t/R^2 = 0.02 .. 0.58
D = 5e-16  # m2/s, of CONSTANT
LINEAR: dict[str, Any] = {
    "radius": RADIUS,
    "diffusivity": D,
    "flux": laws.mean_flux(1.0, RADIUS),
    "site_density": laws.SITE_DENSITY,
    "theta_start": 0.95,
}
HALF_HOUR = 'protocol.steps = ["Charge at 1C for 1800 s"]'
RHO = np.array([0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.99, 1.0])
PHI = 2.0 * np.pi * np.arange(16) / 16


def largest_error(case: Any, exact: Any) -> float:
    """Largest |theta - exact(r, phi, t)| at 128 points and four times."""
    r, phi = np.meshgrid(RHO * RADIUS * (1.0 - 2e-5), PHI, indexing="ij")
    result = nmcsim.simulate(observed(case, r * np.cos(phi), r * np.sin(phi), TIMES))
    time, worst = result.history["time"].values, 0.0
    for t in TIMES:
        row = row_at(time, t)
        assert row is not None
        theta = result.points.theta[row].reshape(r.shape)
        worst = max(worst, float(np.abs(theta - exact(r, phi, t)).max()))
    return worst


def series(r: np.ndarray, phi: np.ndarray, t: float) -> np.ndarray:
    return crank.theta(r, t, **LINEAR)


def arc(r: np.ndarray, phi: np.ndarray, t: float) -> np.ndarray:
    return blocked_disk.theta(r, phi, t, coverage=0.5, **LINEAR)


def test_crank_disk() -> None:
    error = largest_error(crystal(*CONSTANT, HALF_HOUR, "physics.rock_salt.coverage = 0"), series)
    claim("exact", "disk, constant D", "theta, Crank's series", error, below=5e-5)  # time step


def test_crank_disk_at_tight_tolerance() -> None:
    case = crystal(*CONSTANT, HALF_HOUR, "physics.rock_salt.coverage = 0", "numerics.rtol = 1e-7")
    error = largest_error(case, series)
    claim("exact", "the same, rtol 1e-7", "theta, Crank's series", error, below=1e-5)  # mesh


def test_crank_cylinder() -> None:
    case = crystal(
        *CONSTANT,
        HALF_HOUR,
        "physics.rock_salt.coverage = 0",
        'geometry.shape = "cylinder"',
        "geometry.layers = 2",
        *sized(0.2),
    )
    error = largest_error(case, series)
    claim("exact", "3D cylinder, constant D", "theta, Crank's series", error, below=1e-3)  # mesh


@pytest.mark.parametrize("laws_as", ["nodal", "general"])
def test_blocked_disk(laws_as: str) -> None:
    case = crystal(*CONSTANT, HALF_HOUR, f'numerics.laws = "{laws_as}"', "numerics.rtol = 1e-5")
    error = largest_error(case, arc)
    claim(
        "exact",
        f"half-blocked disk, constant D, laws {laws_as}",
        "theta, closed form",
        error,
        below=1e-4,  # mesh: the patch ends, where the flux jumps
    )


def test_butler_volmer_against_pybamm() -> None:
    pytest.importorskip("pybamm", reason="the oracle is written in PyBaMM")
    from tests.reference import pybamm_radial

    times = np.linspace(0.0, 3600.0, 37)
    oracle = pybamm_radial.charge(RADIUS, 1.0, times)
    case = crystal(
        "physics.rock_salt.coverage = 0",
        'physics.surface = "butler_volmer"',
        f"output.times = {[f'{t!r} s' for t in times[1:].tolist()]}".replace("'", '"'),
    )
    result = nmcsim.simulate(case)
    time, voltage = (result.history[name].values for name in ("time", "voltage"))
    pairs = [(row_at(time, t), v) for t, v in zip(oracle.t[1:], oracle.voltage[1:], strict=True)]
    gaps = [abs(voltage[i] - v) for i, v in pairs if i is not None]
    assert len(gaps) >= 33
    name = "unblocked disk, Butler-Volmer, 1C"
    claim("exact", name, "voltage, PyBaMM on a radial mesh", 1e3 * max(gaps), below=1.0, unit="mV")
    end = abs(time[-1] / oracle.t[-1] - 1.0)
    claim("exact", name, "time of 4.3 V, PyBaMM", 100.0 * end, below=0.05, unit="%")
