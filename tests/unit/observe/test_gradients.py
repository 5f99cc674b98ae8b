"""Gradients of linear functions on straight cells."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim import runtime as runtime

# isort: split
from dolfinx import fem, mesh
from mpi4py import MPI

from nmcsim.observe.gradients import Cells


@pytest.mark.parametrize(
    ("domain", "slope"),
    [
        (lambda: mesh.create_unit_square(MPI.COMM_SELF, 3, 2), [2.0, -3.0]),
        (lambda: mesh.create_unit_cube(MPI.COMM_SELF, 2, 2, 1), [2.0, -3.0, 0.5]),
    ],
)
def test_gradient_of_a_linear_function_is_its_slope(domain: object, slope: list[float]) -> None:
    """And its mean over the whole unit box is its value in the middle."""
    V = fem.functionspace(domain(), ("Lagrange", 1))  # type: ignore[operator]
    values = V.tabulate_dof_coordinates()[:, : len(slope)] @ np.array(slope)
    cells = Cells.of(V, np.ones(len(V.dofmap.list), dtype=bool))
    np.testing.assert_allclose(cells.gradient(values), np.tile(slope, (len(cells.volume), 1)).T)
    assert cells.volume.sum() == pytest.approx(1.0)
    assert cells.integral(cells.mean(values)) == pytest.approx(0.5 * sum(slope))


def test_only_chosen_cells_are_taken() -> None:
    """A unit square of 2 x 2 x 2 triangles: one of them has an eighth of the area."""
    V = fem.functionspace(mesh.create_unit_square(MPI.COMM_SELF, 2, 2), ("Lagrange", 1))
    chosen = np.zeros(8, dtype=bool)
    chosen[3] = True
    assert Cells.of(V, chosen).volume == pytest.approx([0.125])
