"""The references must be trustworthy alone: each is checked against another or a closed form."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.integrate import quad

from . import blocked_disk, com_distance, crank, laws, polar_fv, polar_grid, stored

R = 1.25e-6
D0 = 5e-16  # m2/s, constant diffusivity of the linear checks: tau = 1 after 3125 s
LINEAR = {"radius": R, "diffusivity": D0, "site_density": laws.SITE_DENSITY, "theta_start": 0.95}


def constant(theta: ArrayLike) -> np.ndarray:
    return D0 * np.ones_like(np.asarray(theta))


def linear_problem(blocked: tuple[tuple[float, float], ...], ratio: float) -> polar_fv.Problem:
    return polar_fv.Problem(R, 1e-6, blocked, ratio, diffusivity=constant)


# --- laws ------------------------------------------------------------------------------------


def test_laws_give_the_tabulated_values() -> None:
    # The table below the closed forms: V_oc, log10 D_ab [cm2/s], D_chem [1e-12 cm2/s].
    # Its column "0.223" is the end of one hour at 1C, 0.95 - 0.7273.
    theta = np.array([0.2227, 0.25, 0.5, 0.8, 0.9, 0.95])
    V = [4.277, 4.216, 3.945, 3.670, 3.590, 3.562]
    log_D = [-12.44, -12.22, -11.80, -11.90, -12.86, -13.26]
    chemical = np.array([9.9, 8.1, 40.0, 33.0, 3.3, 0.97])
    assert laws.open_circuit_voltage(theta) == pytest.approx(V, abs=6e-4)  # printed digits
    assert np.log10(laws.self_diffusivity(theta) * 1e4) == pytest.approx(log_D, abs=6e-3)
    assert laws.chemical_diffusivity(theta) * 1e16 == pytest.approx(chemical, rel=2e-2)
    assert laws.exchange_current(0.5) == pytest.approx(2.39, abs=0.01)


def test_slope_is_the_derivative_of_the_voltage() -> None:
    theta = np.linspace(0.01, 0.999, 200)
    step = np.imag(laws.open_circuit_voltage(theta + 1e-30j)) / 1e-30
    assert laws.open_circuit_slope(theta) == pytest.approx(step, rel=1e-12)
    assert np.all(laws.open_circuit_slope(np.linspace(0, 1, 1001)) < 0)


def test_one_hour_at_1C_takes_0_727_of_lithium() -> None:
    per_second = 2.0 * laws.mean_flux(1.0, R) / (R * laws.SITE_DENSITY)
    assert 3600.0 * per_second == pytest.approx(0.7273, abs=1e-4)


# --- closed forms ----------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [1e-3, 0.02, 0.1, 1.0])
def test_crank_conserves_and_starts_like_a_half_space(tau: float) -> None:
    removed = 2.0 * quad(lambda x: float(crank.profile(x, tau)) * x, 0.0, 1.0, epsabs=1e-12)[0]
    assert removed == pytest.approx(2.0 * tau, rel=1e-9)
    if tau == 1e-3:  # semi-infinite: 2 sqrt(tau / pi), with a curvature term tau / 2
        expected = 2.0 * np.sqrt(tau / np.pi) + 0.5 * tau
        assert crank.profile(1.0, tau) == pytest.approx(expected, rel=1e-3)


def test_crank_agrees_with_finite_volumes() -> None:
    times = np.array([20.0, 100.0, 500.0, 1500.0])
    run = polar_fv.solve(linear_problem((), 0.0), times, level=2.0)
    r = np.linspace(0.0, R, 41)
    for k, t in enumerate(times):
        exact = crank.theta(r, t, flux=1e-6, **LINEAR)
        assert np.abs(run.theta(k, r, 0.0 * r) - exact).max() < 1e-5  # mesh: second order


@pytest.mark.parametrize(("coverage", "ratio"), [(0.5, 0.0), (0.3, 0.2)])
def test_blocked_disk_solves_its_own_equations(coverage: float, ratio: float) -> None:
    beta, tau, h = np.pi * coverage, 0.02, 1e-3
    rho, phi = np.meshgrid(np.linspace(0.2, 0.9, 8), np.linspace(0.1, 3.0, 9))

    def P(x: np.ndarray, y: np.ndarray, at: float = tau) -> np.ndarray:
        return blocked_disk.profile(np.hypot(x, y), np.arctan2(y, x), at, coverage, ratio)

    x, y = rho * np.cos(phi), rho * np.sin(phi)
    laplace = (P(x + h, y) + P(x - h, y) + P(x, y + h) + P(x, y - h) - 4 * P(x, y)) / h**2
    rate = (P(x, y, tau * 1.001) - P(x, y, tau * 0.999)) / (0.002 * tau)
    assert laplace == pytest.approx(rate, abs=2e-4)  # difference quotients
    angles = np.array([0.0, 0.5 * beta, beta + 0.4, np.pi])
    edge = [blocked_disk.profile(1.0 - s, angles, tau, coverage, ratio) for s in (0, h, 2 * h)]
    slope = (3.0 * edge[0] - 4.0 * edge[1] + edge[2]) / (2.0 * h)
    mean = 1.0 - coverage + ratio * coverage
    assert slope == pytest.approx(np.where(angles < beta, ratio, 1.0) / mean, abs=1e-4)


def test_blocked_disk_agrees_with_finite_volumes_also_at_the_patch_ends() -> None:
    coverage, ratio = 0.4, 0.25
    beta = np.pi * coverage
    problem = linear_problem(((-beta, beta),), ratio)
    times = np.array([30.0, 150.0, 600.0, 1500.0])
    run = polar_fv.solve(problem, times, level=0.7)
    near = np.array([-0.1, -0.01, -1e-3, 0.0, 1e-3, 0.01, 0.1])
    rho = np.array([0.0, 0.3, 0.6, 0.9, 0.97, 0.99, 0.998, 1.0])
    rr, pp = np.meshgrid(rho, np.concatenate([np.linspace(-np.pi, np.pi, 24), beta + near]))
    for k, t in enumerate(times):
        exact = blocked_disk.theta(
            rr * R, pp, t, flux=1e-6, coverage=coverage, flux_ratio=ratio, **LINEAR
        )
        found = run.at(run.frames[k])(rr, pp)
        assert np.abs(found - exact).max() < 8e-5  # mesh; theta spans 0.1


def test_two_patches_on_the_full_circle_are_a_superposition() -> None:
    # b = 1 - chi(0) - chi(pi) = (1 - chi(0)) + (1 - chi(pi)) - 1, and the problem is linear.
    width, t = 0.4, 400.0
    blocked = ((-width, width), (np.pi - width, np.pi + width))
    run = polar_fv.solve(linear_problem(blocked, 0.0), [t], level=0.4)
    assert not run.grid.symmetric
    share = width / np.pi
    rr, pp = np.meshgrid([0.0, 0.5, 0.9, 1.0], np.linspace(-3.1, 3.1, 21))
    one = [blocked_disk.profile(rr, pp - a, D0 * t / R**2, share) for a in (0.0, np.pi)]
    bracket = ((one[0] + one[1]) * (1.0 - share)) - crank.profile(rr, D0 * t / R**2)
    exact = 0.95 - 1e-6 * R / (laws.SITE_DENSITY * D0) / (1.0 - 2.0 * share) * bracket
    assert np.abs(run.at(run.frames[0])(rr, pp) - exact).max() < 2e-4  # mesh


# --- the centre-of-mass metric ---------------------------------------------------------------


@pytest.mark.parametrize("h", [-0.8, -0.3, 0.0, 0.5, 0.95])
def test_linear_field_gives_a_circular_segment(h: float) -> None:
    # signal < below where x < h: a segment of half-angle alpha = arccos(-h)
    alpha = np.arccos(-h)
    area = alpha - np.sin(alpha) * np.cos(alpha)
    expected = 2.0 / 3.0 * np.sin(alpha) ** 3 / area

    def now(r: np.ndarray, phi: np.ndarray) -> np.ndarray:
        return 0.95 - 0.1 - 0.3 * (r * np.cos(phi - 0.7) - h)

    region = com_distance.unreacted(0.95, now)
    assert region.share == pytest.approx(area / np.pi, abs=2e-5)
    assert region.distance == pytest.approx(expected, abs=2e-5)
    half_ray = np.pi / 1024  # a boundary through the centre is found to half a ray
    assert np.arctan2(region.y, region.x) == pytest.approx(0.7 - np.pi, abs=half_ray)


def test_metric_of_a_round_region_is_zero_and_of_none_is_missing() -> None:
    core = com_distance.unreacted(0.95, lambda r, phi: 0.95 - 0.4 * r**2 / R**2, radius=R)
    assert core.share == pytest.approx(0.25, abs=1e-5)  # r < R/2
    assert core.distance < 1e-12 * R
    empty = com_distance.unreacted(0.95, lambda r, phi: 0.5 + 0.0 * r)
    assert np.isnan(empty.distance)
    assert empty.share == 0.0


def test_metric_uses_the_first_frame_as_a_field() -> None:
    tilt = 0.1
    region = com_distance.unreacted(
        lambda r, phi: 0.9 + tilt * r * np.cos(phi),
        lambda r, phi: 0.8 + 0.0 * r,  # signal = 0.05 + 0.05 x: unreacted where x < 0
    )
    assert region.share == pytest.approx(0.5, abs=1e-5)
    assert region.x == pytest.approx(-4.0 / (3.0 * np.pi), abs=1e-5)


# --- the nonlinear finite volumes ------------------------------------------------------------


def test_lithium_is_conserved_and_the_flux_is_exact() -> None:
    problem = stored.CASES["half_1C"].problem()
    run = polar_fv.solve(problem, [200.0, 800.0], level=0.3)
    for t, frame in zip(run.times, run.frames, strict=True):
        expected = 0.95 - 2.0 * problem.flux * t / (R * problem.site_density)
        assert run.mean(frame) == pytest.approx(expected, abs=1e-11)


def test_a_turned_patch_turns_the_solution() -> None:
    base = stored.CASES["half_1C"].problem()
    turned = dataclasses.replace(base, blocked=((1.0, 1.0 + np.pi),))
    a = polar_fv.solve(base, [500.0], level=0.3)
    b = polar_fv.solve(turned, [500.0], level=0.3)
    phi = np.linspace(-3.0, 3.0, 13)
    shift = 1.0 + 0.5 * np.pi
    left = a.theta(0, 0.9 * R * np.cos(phi), 0.9 * R * np.sin(phi))
    right = b.theta(0, 0.9 * R * np.cos(phi + shift), 0.9 * R * np.sin(phi + shift))
    assert left == pytest.approx(right, abs=1e-9)


def test_jacobian_of_the_reaction_is_its_derivative() -> None:
    problem = stored.CASES["half_1C_kinetic"].problem()
    grid = polar_grid.Grid.build(problem.blocked, 0.3)
    b = np.where(grid.bare, 1.0, 0.2)
    surface = polar_fv.Surface(problem, grid.width / grid.span, b)
    theta = 0.5 + 0.2 * np.cos(grid.phi)
    j, J = surface.reaction(theta)
    assert surface.share @ j == pytest.approx(problem.flux, rel=1e-12)
    direction = np.sin(3.0 * grid.phi)
    h = 1e-6
    forward, back = (surface.reaction(theta + s * h * direction)[0] for s in (1, -1))
    assert J @ direction == pytest.approx((forward - back) / (2 * h), rel=1e-5, abs=1e-12)


def test_pybamm_and_polar_agree_in_butler_volmer_mode() -> None:
    pytest.importorskip("pybamm")
    from . import pybamm_radial

    times = np.linspace(0.0, 3300.0, 23)
    problem = dataclasses.replace(
        stored.CASES["fresh_1C"].problem(), exchange_current=laws.exchange_current
    )
    ours = polar_fv.solve(problem, times, level=3.0, cutoff=4.3)
    theirs = pybamm_radial.charge(R, 1.0, times, cells=400)
    end = polar_fv.solve(problem, [3600.0], level=3.0, cutoff=4.3)
    rim = np.array([ours.grid.rim(frame)[0] for frame in ours.frames])
    assert theirs.voltage == pytest.approx(ours.voltage, abs=1e-5)  # 2 uV measured
    assert theirs.theta_surface == pytest.approx(rim, abs=1e-5)
    assert theirs.theta_mean == pytest.approx([ours.mean(f) for f in ours.frames], abs=1e-6)
    full = pybamm_radial.charge(R, 1.0, np.linspace(0.0, 3600.0, 13), cells=400)
    assert full.ended_by == "event: cut-off"
    assert full.t[-1] == pytest.approx(end.t_end, rel=5e-6)
    held = pybamm_radial.hold(R, full, 4.3, np.linspace(0.0, 1800.0, 19))
    i = laws.FARADAY * laws.mean_flux(1.0, R)
    assert held.current_density[0] == pytest.approx(i, rel=2e-3)  # the hold starts where CC ended
    assert np.all(np.diff(held.current_density) < 0)
    assert held.current_density[-1] < i / 50


# --- the stored values -----------------------------------------------------------------------


# Upper bounds claimed for the stored theta, voltage [V] and end of the run [relative]. At 5C the
# bound is that of levels 0.5 and 1 and far too wide: see generate.py for the better 1.4e-4.
CLAIMED = {
    "fresh_1C": (1e-6, 1e-6, 1e-7),
    "half_1C": (3e-5, 5e-6, 2e-6),
    "half_1C_kinetic": (1e-4, 2e-5, 1e-5),
    "half_5C": (1e-3, 2e-5, 5e-4),
}


@pytest.mark.parametrize("name", sorted(stored.CASES))
def test_stored_errors_meet_what_is_claimed(name: str) -> None:
    errors = json.loads((stored.DATA / "errors.json").read_text())[name]
    for key, limit in zip(("theta", "voltage", "t_end"), CLAIMED[name], strict=True):
        assert errors["extrapolated"][key] < limit
        assert errors["time"][key] < limit
    assert 1.5 < errors["order"] < 3.0  # second order, met where the levels resolve the front
    assert (stored.DATA / f"{name}.npz").stat().st_size < 300_000


# Levels 0.3 and 0.6, extrapolated: theta, voltage [V], end of the run [relative]. At 5C the front
# is steep and starves the rim, so that a coarse grid says less.
COARSE = {
    "fresh_1C": (5e-5, 1e-5, 3e-6),
    "half_1C": (3e-4, 3e-5, 5e-6),
    "half_1C_kinetic": (3e-4, 3e-5, 5e-6),
    "half_5C": (3e-3, 5e-5, 3e-3),
}


@pytest.mark.parametrize(
    "name",
    ["fresh_1C", "half_1C", "half_1C_kinetic", pytest.param("half_5C", marks=pytest.mark.slow)],
)
def test_stored_values_come_out_again(name: str) -> None:
    expected = stored.load(name)
    found = stored.extrapolate(stored.compute(name, 0.3), stored.compute(name, 0.6))
    assert found.times.tolist() == expected.times.tolist()
    gap = stored.largest_difference(found, expected)
    theta, voltage, end = COARSE[name]
    assert gap["theta"] < theta
    assert gap["voltage"] < voltage
    assert gap["t_end"] < end
    assert gap["share"] < 1e-3
    assert gap["distance"] < 2e-3 * R
    assert found.ended_by == expected.ended_by


def test_the_comparison_can_fail() -> None:
    expected = stored.load("half_1C")
    leaky = dataclasses.replace(stored.CASES["half_1C"].problem(), flux_ratio=0.02)
    run = polar_fv.solve(leaky, expected.times, level=0.3)
    rr, pp = np.meshgrid(expected.rho, expected.phi, indexing="ij")
    wrong = max(
        np.abs(run.at(f)(rr, pp) - e).max() for f, e in zip(run.frames, expected.theta, strict=True)
    )
    assert wrong > 5e-3
