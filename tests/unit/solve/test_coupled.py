"""Unknowns on parts of a mesh: products with laws, exchanges at nodes, pinned nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from nmcsim import runtime as runtime

# isort: split
import ufl
from dolfinx import fem, mesh
from mpi4py import MPI

from nmcsim.curve import Curve
from nmcsim.mesh.parts import interface, part_of
from nmcsim.solve.classify import split
from nmcsim.solve.fields import Exchange, Nodal, Unknown
from nmcsim.solve.problem import Problem

SQUARE = Curve.of(lambda x: 1.0 + x**2, -2.0, 2.0)  # K = 1 + theta^2, K' = 2 theta


class Two:
    """A unit square cut at x = 1/2: theta on the left, phi on the whole, linked at the cut.

    theta_t = 0 and div(K(theta) grad phi) = 0 on the left, div(grad phi) = 0 on the right, and
    f = theta phi leaves theta and enters phi at the nodes of the cut.
    """

    def __init__(self, pins: Any = None) -> None:
        self.domain = mesh.create_unit_square(
            MPI.COMM_SELF, 4, 4, ghost_mode=mesh.GhostMode.shared_facet
        )
        cells = np.arange(self.domain.topology.index_map(2).size_local, dtype=np.int32)
        middle = mesh.compute_midpoints(self.domain, 2, cells)
        self.tags = np.where(middle[:, 0] < 0.5, 1, 2)
        of_cells = mesh.meshtags(self.domain, 2, cells, self.tags.astype(np.int32))
        self.dx = ufl.Measure("dx", domain=self.domain, subdomain_data=of_cells)
        self.left = part_of(self.domain, "left", cells[self.tags == 1])
        self.whole = part_of(self.domain, "whole", cells)
        self.cut = interface(self.domain, self.tags, (1,), (2,))
        self.theta = Unknown("theta", "theta", "1", self.left.space)
        self.phi = Unknown("phi", "phi", "V", self.whole.space, algebraic=True)
        self.K = Nodal(self.theta, SQUARE)
        at_theta, at_phi = self.left.dof_of[self.cut.vertex], self.whole.dof_of[self.cut.vertex]
        self.exchange = Exchange(
            [(self.theta, at_theta), (self.phi, at_phi)],
            lambda theta, phi: (theta * phi, (phi, theta)),
            self.cut.area,
            [(self.theta, at_theta, 1.0), (self.phi, at_phi, -1.0)],
        )
        self.maps = [self.left.entity_map, self.whole.entity_map]
        self.problem = Problem(
            [self.theta, self.phi],
            [self.theta.dt * self.theta.test * self.dx(1), self.conduction],
            nodal=[self.K],
            form_options={"entity_maps": self.maps},
            exchanges=[self.exchange],
            pins={} if pins is None else {self.phi: pins},
        )

    @property
    def conduction(self) -> Any:
        flux = ufl.inner(ufl.grad(self.phi.u), ufl.grad(self.phi.test))
        return self.K.value * flux * self.dx(1) + flux * self.dx(2)

    def state(self) -> np.ndarray:
        rng = np.random.default_rng(3)
        return rng.uniform(0.2, 0.9, self.problem.size)


def test_a_law_times_an_unknown_is_told_apart() -> None:
    """K grad phi . grad v on the left is a product, grad phi . grad v on the right is linear."""
    two = Two()
    sorted_ = split(two.conduction, [two.phi.u, two.K.value], [two.K.value])
    assert list(sorted_.product) == [(two.phi.u, two.K.value)]
    assert list(sorted_.linear) == [two.phi.u]
    assert sorted_.general is None
    assert split(two.conduction, [two.phi.u, two.K.value]).general is not None


def test_what_is_no_product_stays_general() -> None:
    """(K + 1) grad phi . grad v does not vanish with K; K^2 grad phi . grad v is not linear."""
    two = Two()
    flux = ufl.inner(ufl.grad(two.phi.u), ufl.grad(two.phi.test))
    for form in ((two.K.value + 1.0) * flux * two.dx(1), two.K.value**2 * flux * two.dx(1)):
        found = split(form, [two.phi.u, two.K.value], [two.K.value])
        assert found.general is not None
        assert not found.product


def test_a_product_with_a_control_in_it_stays_general() -> None:
    """Its tensor is taken once; a control may change."""
    two = Two()
    strength = fem.Constant(two.domain, 2.0)
    flux = ufl.inner(ufl.grad(two.phi.u), ufl.grad(two.phi.test))
    form = strength * two.K.value * flux * two.dx(1)
    state, laws = [two.phi.u, two.K.value], [two.K.value]
    assert split(form, state, laws).product
    assert split(form, state, laws, [strength]).general is not None


def test_the_product_is_what_the_form_compiler_makes_of_it() -> None:
    two = Two()
    u = two.state()
    residual = two.problem.residual(0.0, u, np.zeros_like(u)) / two.problem.row_scale
    assembled = fem.assemble_vector(fem.form(two.conduction, entity_maps=two.maps)).array
    amount = two.cut.area * two.exchange.value()
    expected = assembled - np.bincount(two.exchange.arguments[1][1], amount, assembled.size)
    np.testing.assert_allclose(residual[two.problem.slice("phi")], expected, atol=1e-13)


def test_interface_is_as_long_as_the_cut_and_each_end_counts_half() -> None:
    """Length 1 in 4 edges: inner nodes stand for 1/4, the two ends for 1/8."""
    cut = Two().cut
    assert sorted(cut.area) == pytest.approx([0.125, 0.125, 0.25, 0.25, 0.25])
    assert set(cut.region) == {1}


@pytest.mark.parametrize("pins", [None, np.array([0, 7], dtype=np.int32)])
def test_jacobian_is_the_derivative_of_the_residual(pins: Any) -> None:
    two = Two(pins)
    problem, u, shift, e = two.problem, two.state(), 0.5, 1e-6
    rate = np.zeros_like(u)
    v = np.random.default_rng(5).standard_normal(u.size)
    problem.residual(0.0, u, rate)
    J = problem.jacobian(0.0, u, rate, shift)
    x, y = J.createVecRight(), J.createVecLeft()
    x.array[:] = v
    J.mult(x, y)
    ahead = problem.residual(0.0, u + e * v, rate + shift * e * v)
    behind = problem.residual(0.0, u - e * v, rate - shift * e * v)
    np.testing.assert_allclose(y.array, (ahead - behind) / (2 * e), atol=1e-8)


def test_a_pinned_node_has_the_equation_u_is_zero() -> None:
    two = Two(np.array([2], dtype=np.int32))
    u = two.state()
    at = two.problem.slice("phi").start + 2
    assert two.problem.residual(0.0, u, 0.0 * u)[at] == u[at]
    row = two.problem.jacobian(0.0, u, 0.0 * u, 1.0).getRow(at)
    nonzero = np.flatnonzero(row[1])
    assert row[0][nonzero].tolist() == [at]
    assert row[1][nonzero].tolist() == [1.0]


def test_what_leaves_one_balance_enters_the_other() -> None:
    """The sums of the two fields' rows are -m and +m, m the moved amount: conduction adds none."""
    two = Two()
    problem, u = two.problem, two.state()
    residual = problem.residual(0.0, u, 0.0 * u) / problem.row_scale
    moved = float(two.cut.area @ two.exchange.value())
    sums: Mapping[str, float] = {n: residual[problem.slice(n)].sum() for n in ("theta", "phi")}
    assert moved > 0.1
    assert sums["theta"] == pytest.approx(moved, rel=1e-12)
    assert sums["phi"] == pytest.approx(-moved, rel=1e-12)
