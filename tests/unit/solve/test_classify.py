"""Integrals of a residual are sorted by how they depend on the state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import ufl

from nmcsim.solve.classify import split

from nmcsim.runtime import MPI  # isort: skip
from dolfinx import fem, mesh


class Place:
    """A square with two unknowns, a rate, a law and a constant."""

    def __init__(self) -> None:
        domain = mesh.create_unit_square(MPI.COMM_SELF, 2, 2)
        V = fem.functionspace(domain, ("Lagrange", 1))
        self.u, self.p, self.u_t, self.w, self.known = (fem.Function(V) for _ in range(5))
        self.v = ufl.TestFunction(V)
        self.c = fem.Constant(domain, 2.0)
        self.state = [self.u, self.p, self.u_t, self.w]
        rng = np.random.default_rng(0)
        for f in (*self.state, self.known):
            f.x.array[:] = rng.random(f.x.array.size)


@pytest.fixture(scope="module")
def at() -> Place:
    return Place()


def kinds(form: Any, at: Place) -> tuple[bool, bool, set[str]]:
    names = {at.u: "u", at.p: "p", at.u_t: "u_t", at.w: "w"}
    parts = split(form, at.state)
    return parts.source is not None, parts.general is not None, {names[c] for c in parts.linear}


def test_a_term_without_unknowns_is_a_source(at: Place) -> None:
    assert kinds(at.c * at.known**2 * at.v * ufl.dx, at) == (True, False, set())


def test_mass_stiffness_and_laws_are_linear(at: Place) -> None:
    form = at.u_t * at.v * ufl.dx + ufl.inner(ufl.grad(at.w), ufl.grad(at.v)) * ufl.dx
    form += at.known * at.u * at.v * ufl.ds
    assert kinds(form, at) == (False, False, {"u_t", "w", "u"})


def test_an_affine_term_is_linear_with_a_source(at: Place) -> None:
    assert kinds((at.u - at.known) * at.v * ufl.dx, at) == (True, False, {"u"})


@pytest.mark.parametrize("product", ["w*u", "u*u", "sinh", "w*p", "u/w"])
def test_products_and_functions_of_the_state_are_general(at: Place, product: str) -> None:
    term = {
        "w*u": at.w * at.u,
        "u*u": at.u**2,
        "sinh": ufl.sinh(at.p - at.u),
        "w*p": at.w * at.p,
        "u/w": at.u / at.w,
    }[product]
    assert kinds(term * at.v * ufl.dx, at) == (False, True, set())


def test_the_parts_add_up_to_the_whole(at: Place) -> None:
    """source + sum_c (dF/dc) c + general, assembled, is the residual assembled as it stands."""
    v = at.v
    form = (at.u_t + at.c * at.u - at.known) * v * ufl.dx
    form += (
        ufl.inner(ufl.grad(at.w), ufl.grad(v)) * ufl.dx + ufl.sinh(at.u - at.p) * at.w * v * ufl.ds
    )
    form += (3.0 * at.p - 1.0) * v * ufl.ds
    parts = split(form, at.state)

    def vector(f: Any) -> np.ndarray:
        return fem.assemble_vector(fem.form(f)).array

    total = vector(parts.source) + vector(parts.general)
    for c, a in parts.linear.items():
        total += vector(ufl.action(a, c))
    assert total == pytest.approx(vector(form), abs=1e-14)
