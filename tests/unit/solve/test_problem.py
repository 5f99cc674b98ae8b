"""The discrete system of a crystal: exact Jacobians, scaled rows, and where things stand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.crystals import CONSTANT, crystal, first_state, modelled, sized

MODES = {
    "flux, nodal": ('physics.surface = "flux"',),
    "flux, general": ('physics.surface = "flux"', 'numerics.laws = "general"'),
    "kinetic, nodal": ('physics.surface = "butler_volmer"', "physics.rock_salt.flux_ratio = 0.1"),
    "kinetic, general": ('physics.surface = "butler_volmer"', 'numerics.laws = "general"'),
    "kinetic, P1": ('physics.surface = "butler_volmer"', "numerics.degree = 1"),
    "3D": (
        'geometry.shape = "cylinder"',
        "physics.diffusivity_ratio_c = 0.1",
        'numerics.linear_solver = "direct"',
    ),
}


def disturbed(model: Any, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A state away from uniform, and rates of change."""
    problem, rng = model.problem, np.random.default_rng(seed)
    u, u_t = np.zeros(problem.size), np.zeros(problem.size)
    for f in problem.unknowns:
        where = problem.slice(f)
        n = where.stop - where.start
        if f.name == "theta":
            u[where], u_t[where] = 0.4 + 0.3 * rng.random(n), 1e-3 * (rng.random(n) - 0.5)
        elif f.name == "voltage":
            u[where] = 4.0
        else:
            u[where], u_t[where] = f.scale * 0.3, 0.0 if f.algebraic else 1e-3 * f.scale
    return u, u_t


def controlled(mode: str, *more: str) -> Any:
    model = modelled(crystal(*MODES[mode], *sized(0.6), *more))
    model.set_current(model.one_c)
    return model


@pytest.mark.parametrize("mode", MODES)
def test_jacobian_is_the_derivative_of_the_residual(mode: str) -> None:
    """J v against (F(u + e v, u_t + shift e v) - F(u - e v, ...)) / 2e, one unknown at a time."""
    model = controlled(mode)
    problem, shift = model.problem, 0.01
    u, u_t = disturbed(model)
    rng = np.random.default_rng(1)
    for f in problem.unknowns:
        v, where = np.zeros(problem.size), problem.slice(f)
        v[where] = f.scale * (rng.random(where.stop - where.start) - 0.5)
        e = 1e-5
        ahead = problem.residual(0.0, u + e * v, u_t + shift * e * v)
        behind = problem.residual(0.0, u - e * v, u_t - shift * e * v)
        problem.residual(0.0, u, u_t)
        J = problem.jacobian(0.0, u, u_t, shift)
        x, y = J.createVecRight(), J.createVecLeft()
        x.array[:] = v
        J.mult(x, y)
        slope = (ahead - behind) / (2.0 * e)
        assert np.abs(y.array_r - slope).max() < 1e-6 * np.abs(slope).max(), f.name  # e^2


@pytest.mark.parametrize("mode", MODES)
def test_solving_undoes_the_jacobian(mode: str) -> None:
    model = controlled(mode)
    problem = model.problem
    u, u_t = disturbed(model)
    problem.residual(0.0, u, u_t)
    problem.factorise(0.0, u, u_t, 0.01)
    expected = np.concatenate(
        [
            f.scale * np.ones(problem.slice(f).stop - problem.slice(f).start)
            for f in problem.unknowns
        ]
    )
    J = problem.jacobian(0.0, u, u_t, 0.01)
    x, y = J.createVecRight(), J.createVecLeft()
    x.array[:] = expected
    J.mult(x, y)
    assert problem.solve(y.array_r.copy()) == pytest.approx(expected, rel=1e-8)  # round-off


@pytest.mark.parametrize("mode", MODES)
def test_rows_are_scaled_to_one(mode: str) -> None:
    """A balance in mol/s of a crystal of 1e-13 mol, and a charge in A s: entries of order one."""
    model = controlled(mode)
    problem = model.problem
    u, u_t = disturbed(model)
    problem.residual(0.0, u, u_t)
    start, _, values = problem.jacobian(0.0, u, u_t, 1.0).getValuesCSR()
    for name in ("theta", "charge"):
        rows = problem.slice(name)
        largest = np.abs(values[start[rows.start] : start[rows.stop]]).max()
        assert 0.5 < largest < 20.0, name
    factor = problem.row_scale[problem.slice("theta")]
    assert np.all(factor == factor[0]) and factor[0] > 1e9  # SI entries are far below one


@pytest.mark.parametrize("surface", ["flux", "butler_volmer"])
def test_nodal_and_general_laws_agree_where_they_must(surface: str) -> None:
    """With constant D the Kirchhoff potential is linear: both forms are the same equations."""
    D = ('material.D_chem = "5e-16 m2/s"', CONSTANT[0])
    mode = f'physics.surface = "{surface}"'
    a, b = (
        modelled(crystal(*D, mode, f'numerics.laws = "{laws}"', *sized(0.6)))
        for laws in ("nodal", "general")
    )
    for model in (a, b):
        model.set_current(model.one_c)
    u, u_t = disturbed(a)
    u[a.problem.slice("theta")] = 0.6  # of U and i0, nodal values differ from exact ones elsewhere
    theta = a.problem.slice("theta")
    rng = np.random.default_rng(0)
    if surface == "flux":
        u[theta] += 0.1 * rng.random(theta.stop)
    one, other = a.problem.residual(0.0, u, u_t), b.problem.residual(0.0, u, u_t)
    assert np.abs(one - other).max() < 1e-6 * np.abs(one).max()  # tables of the curves


def test_uniform_lithium_at_rest_is_a_solution() -> None:
    model = modelled(crystal('physics.surface = "flux"', *sized(0.6)))
    model.set_current(0.0)
    state = first_state(model, 0.7)
    assert np.abs(model.problem.residual(0.0, state, np.zeros_like(state))).max() < 1e-12


def test_states_slices_and_scalars() -> None:
    model = controlled("kinetic, nodal")
    problem = model.problem
    u, _ = disturbed(model)
    problem.assign(u)
    assert np.array_equal(problem.state(), u)
    assert [f.name for f in problem.unknowns] == ["theta", "voltage", "current", "charge"]
    assert problem.scalar(u, "voltage") == 4.0
    assert problem.slice("theta").stop == problem.slice("voltage").start
    assert problem.size == problem.global_size == problem.slice("charge").stop
    with pytest.raises(KeyError, match="torque"):
        problem.set(torque=1.0)


def test_worst_names_the_unknown_and_the_place() -> None:
    model = controlled("kinetic, nodal")
    problem = model.problem
    values = np.zeros(problem.size)
    values[7] = -0.4
    unknown, value, place = problem.worst(values)
    assert unknown.name == "theta" and value == -0.4
    assert place == pytest.approx(model.field.space.tabulate_dof_coordinates()[7])
    values[problem.slice("voltage")] = 5.0  # scale 1 V against 0.5 of theta
    unknown, value, place = problem.worst(values)
    assert unknown.name == "voltage" and value == 5.0 and place is None
    values[3] = np.inf
    assert problem.worst(values)[0].name == "theta"


def test_coverage_and_current_of_the_meshed_surface_are_exact() -> None:
    """Eq. 13-14 with the meshed lengths: the rate of the inventory is the current."""
    model = controlled("flux, nodal", "physics.rock_salt.flux_ratio = 0.2")
    problem = model.problem
    state = first_state(model)
    residual = problem.residual(0.0, state, np.zeros_like(state))
    leaving = (residual / problem.row_scale)[problem.slice("theta")].sum()  # mol/s
    assert leaving * 96485.33212 == pytest.approx(model.one_c, rel=1e-12)
