"""The electrode's references are checked against other methods, and come out again."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from .electrode_laws import C_REF, FARADAY, GAS, SITE_DENSITY, TEMPERATURE, UNITS, evaluate
from .electrode_stored import CASES, DATA, Particle, Slab, compute, load

Array = NDArray[np.float64]

SLABS = [name for name, (case, _, _) in CASES.items() if isinstance(case, Slab)]
PARTICLES = [name for name, (case, _, _) in CASES.items() if isinstance(case, Particle)]


# --- laws ------------------------------------------------------------------------------------


def test_laws_span_what_they_say() -> None:
    case = CASES["slab_slow"][0]
    theta = np.linspace(0.01, 0.99, 197)
    law = {name: evaluate(case.laws[name], theta=theta) for name in ("U", "D", "K")}
    assert case.laws.keys() == UNITS.keys()
    assert np.all(np.diff(law["U"]) < 0)
    assert law["D"].max() / law["D"].min() == pytest.approx(100, rel=0.05)
    assert law["K"].max() / law["K"].min() == pytest.approx(1000, rel=0.07)
    # Nyman's curves at 1 mol/L: 0.1297 - 2.51 + 3.329 S/m, 0.8794 - 3.972 + 4.862 1e-10 m2/s
    assert evaluate(case.laws["kappa"], c=1000.0) == pytest.approx(0.9487)
    assert evaluate(case.laws["D_l"], c=1000.0) == pytest.approx(1.7694e-10)


# --- what is stored --------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_stored_errors_are_far_below_the_targets(name: str) -> None:
    # Targets: 1 mV and 0.1 % of the time.
    stored = load(name)
    case = CASES[name][0]
    assert stored.case["laws"] == case.laws
    assert stored.error["V"] < 2e-5
    assert stored.error["t_end"] < 3e-5 * stored.t_end
    assert stored.error["time"] < 1e-5 * stored.t_end
    assert stored.values["t"].size in range(19, 22)
    assert stored.t_end > stored.values["t"][-1]
    assert (DATA / f"electrode_{name}.json").stat().st_size < 6000


@pytest.mark.parametrize("name", PARTICLES)
def test_particles_hold_the_lithium_that_is_left(name: str) -> None:
    # Mean theta = start - n i t / (F N R), n = 2 (cylinder) or 3 (sphere). The mean of theta is
    # taken with Simpson's rule through a cubic in r^2 of the eight stored positions.
    case, stored = CASES[name][0], load(name)
    assert isinstance(case, Particle)
    n = {"cylinder": 2, "sphere": 3}[case.shape]
    t, rho = stored.values["t"], stored.values["rho"]
    fine = np.linspace(0.0, 1.0, 2001)
    late = stored.values["theta_surface"] < 0.65  # no front is left: profiles are smooth
    profile = np.polynomial.Polynomial
    expected = case.theta_start - n * case.current * t / (FARADAY * SITE_DENSITY * case.radius)
    for theta, mean in zip(stored.values["theta"][late], expected[late], strict=True):
        values = profile.fit(rho**2, theta, 4)(fine**2)
        found = np.trapezoid(values * fine ** (n - 1), fine) * n
        assert found == pytest.approx(mean, abs=5e-5)  # the fit
    assert late.sum() >= 5


# --- the slab a second time, by other means --------------------------------------------------


def _slab_again(case: Slab, times: Array, cells: int = 240) -> dict[str, Array]:
    """theta and c by the method of lines on uniform cells with scipy, potentials by quadrature.

    In one dimension the current is the same everywhere, so that theta and c decouple, and
    phi_s and phi_l are integrals over x: nothing of PyBaMM's discretisation or algebra is used.
    """
    law, k, i = case.laws, case.kinetics, case.current
    h, g = case.solid / cells, case.liquid / cells
    f = FARADAY / (GAS * TEMPERATURE)

    def rate(_: float, u: Array) -> Array:
        theta, c = u[:cells], C_REF * u[cells:]
        inner = evaluate(law["D"], theta=0.5 * (theta[1:] + theta[:-1])) * np.diff(theta) / h
        flux = np.concatenate([[0.0], -inner, [i / (FARADAY * SITE_DENSITY)]])
        middle = 0.5 * (c[1:] + c[:-1])
        salt = -evaluate(law["D_l"], c=middle) * np.diff(c) / g
        salt = salt + evaluate(law["t_plus"], c=middle) * i / FARADAY
        salt = np.concatenate([[i / FARADAY], salt, [i / FARADAY]])
        return np.concatenate([-np.diff(flux) / h, -np.diff(salt) / g / C_REF])

    start = np.concatenate([np.full(cells, case.theta_start), np.ones(cells)])
    band = {"lband": 1, "uband": 1, "method": "LSODA", "rtol": 1e-7, "atol": 1e-9}
    run = solve_ivp(rate, (0.0, times[-1]), start, t_eval=times, **band)
    V = []
    for u in run.y.T:
        theta, c = u[:cells], C_REF * u[cells:]
        at = 1.5 * theta[-1] - 0.5 * theta[-2]
        # the last half cell with the exact slope, whose D is taken at the surface
        slope = -i / (FARADAY * SITE_DENSITY * evaluate(law["D"], theta=at))
        at = theta[-1] + 0.5 * h * slope
        phi_s = -i * h * np.sum(1.0 / evaluate(law["K"], theta=theta))
        ends = [1.5 * c[0] - 0.5 * c[1], 1.5 * c[-1] - 0.5 * c[-2]]
        faces = np.concatenate([[ends[0]], 0.5 * (c[1:] + c[:-1]), [ends[1]]])
        t_plus, tdf = (evaluate(law[name], c=c) * np.ones_like(c) for name in ("t_plus", "tdf"))
        ohmic = -i * g * np.sum(1.0 / evaluate(law["kappa"], c=c))
        diffusive = np.sum(2.0 / f * (1.0 - t_plus) * tdf * np.diff(np.log(faces)))
        i0 = evaluate(law["i0"], theta=at) * (ends[0] / C_REF) ** k.alpha_a
        eta = _overpotential(i, i0, f, k.alpha_a, k.alpha_c)
        phi_l = phi_s - eta - evaluate(law["U"], theta=at)
        metal = 0.0
        if k.i0_lithium is not None:
            there = k.i0_lithium * (ends[1] / C_REF) ** k.beta_a
            metal = _overpotential(-i, there, f, k.beta_a, k.beta_c)
        V.append(-(phi_l + ohmic + diffusive + metal))
    return {"V": np.array(V), "theta_collector": run.y[0], "c_lithium": C_REF * run.y[-1]}


def _overpotential(i: float, i0: float, f: float, a: float, b: float) -> float:
    return float(brentq(lambda e: i0 * (np.exp(a * f * e) - np.exp(-b * f * e)) - i, -1.0, 1.0))


@pytest.mark.parametrize("name", SLABS)
def test_slab_agrees_with_the_method_of_lines(name: str) -> None:
    case, stored = CASES[name][0], load(name)
    assert isinstance(case, Slab)
    chosen = [2, 6, 11, 16]
    again = _slab_again(case, stored.values["t"][chosen])
    assert again["V"] == pytest.approx(stored.values["V"][chosen], abs=3e-4)
    # half a cell from the ends: 2 um of liquid at a slope of (1 - t+) i / (F D)
    assert again["theta_collector"] == pytest.approx(
        stored.values["theta_collector"][chosen], abs=1e-3
    )
    assert again["c_lithium"] == pytest.approx(stored.values["c_lithium"][chosen], abs=1.0)


# --- PyBaMM ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["slab_discharge", "cylinder_fast", "sphere_fast"])
def test_stored_values_come_out_again(name: str) -> None:
    pytest.importorskip("pybamm")
    stored, found = load(name), compute(name, 100, 1e-6)
    assert found["t"] == pytest.approx(stored.values["t"])
    assert found["V"] == pytest.approx(stored.values["V"], abs=5e-4)  # cells; steep at the end
    assert float(found["t_end"]) == pytest.approx(stored.t_end, rel=1e-3)
