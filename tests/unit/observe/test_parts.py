"""Fields on a part of a mesh: numbered alike whatever the partition, and cut by planes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nmcsim.imaging.cut import cut_at
from nmcsim.observe.layout import Field, Layout
from nmcsim.observe.view import Picture, Probe, vtk_cells
from nmcsim.solve.fields import Unknown
from tests.mpirun import mpirun

from nmcsim.runtime import MPI  # isort: skip

PROGRAM = """
import json
import numpy as np
from nmcsim.runtime import MPI
from dolfinx import fem, mesh
from nmcsim.observe.layout import Field, Layout
from nmcsim.observe.view import Probe
from nmcsim.solve.fields import Unknown

comm = MPI.COMM_WORLD
square = mesh.create_unit_square(comm, 7, 5, ghost_mode=mesh.GhostMode.shared_facet)
middle = lambda x: (x[0] > 0.28) & (x[0] < 0.72)
corner = lambda x: (x[0] < 0.15) & (x[1] < 0.21)

def found(where):
    cells = mesh.locate_entities(square, 2, where)
    part, entities, _, _ = mesh.create_submesh(square, 2, cells)
    imap = part.topology.index_map(2)
    own = np.arange(imap.size_local + imap.num_ghosts, dtype=np.int32)
    parent = entities.sub_topology_to_topology(own, False)
    original = square.topology.original_cell_index[parent]
    half = (mesh.compute_midpoints(square, 2, parent)[:, 1] > 0.5).astype(np.int64)
    u = Unknown("c_l", "c_l", "mol/m3", fem.functionspace(part, ("Lagrange", 1)))
    layout = Layout.of_field(Field(u, "salt", "f", original, ("low", "high"), "region", half))
    x = u.space.tabulate_dof_coordinates()[: u.owned]
    values = x[:, 0] + 10.0 * x[:, 1]
    nodal = layout.gather(values)
    assert np.array_equal(layout.scatter(nodal), values)
    probe = Probe(u, slice(0, u.owned), np.array([[0.4, 0.3, 0.0], [0.05, 0.15, 0.0]]))
    inside = probe(values)
    if comm.rank == 0:
        assert np.allclose(nodal, layout.nodes[:, 0] + 10.0 * layout.nodes[:, 1])
    return {
        "nodes": layout.nodes.tolist(), "cells": layout.cells.tolist(),
        "part": layout.part.tolist(), "size": layout.size, "probe": inside,
    }

both = [found(middle), found(corner)]
if comm.rank == 0:
    print(json.dumps(both))
"""


def numbered(ranks: int) -> list[dict]:
    return json.loads(mpirun(ranks, PROGRAM).stdout)


@pytest.mark.mpi
def test_a_part_is_numbered_alike_on_one_and_two_ranks() -> None:
    """Also a part of two triangles, of which one rank has none.

    Cells are 1/7 wide and 1/5 high. The middle part is the columns from 2/7 to 5/7, three of them:
    4 * 6 nodes, 30 triangles, of which those of the upper two and a half rows have their middle
    above 0.5. The corner is one square.
    """
    (middle, corner), two = numbered(1), numbered(2)
    assert middle["size"] == 24 and np.shape(middle["cells"]) == (30, 3)
    assert sum(middle["part"]) == 15
    assert middle["probe"][0] == pytest.approx(0.4 + 3.0) and np.isnan(middle["probe"][1])
    assert corner["size"] == 4 and np.shape(corner["cells"]) == (2, 3)
    assert corner["probe"][1] == pytest.approx(0.05 + 1.5) and np.isnan(corner["probe"][0])
    for alone, apart in zip((middle, corner), two, strict=True):
        for name in ("cells", "part", "size"):
            assert apart[name] == alone[name], name
        assert np.allclose(apart["nodes"], alone["nodes"], rtol=0.0, atol=1e-15)
        assert np.array(apart["probe"]) == pytest.approx(np.array(alone["probe"]), nan_ok=True)


# -- planes through tetrahedra ----------------------------------------------------------------


def box(n: int) -> Layout:
    """P1 on a box 1 x 2 x 3 of tetrahedra whose cells fall into two pieces, left and right."""
    from dolfinx import fem, mesh

    corners = [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]
    domain = mesh.create_box(MPI.COMM_SELF, corners, [n, n + 1, n + 2])
    u = Unknown("theta", "theta", "1", fem.functionspace(domain, ("Lagrange", 1)))
    cells = np.arange(domain.topology.index_map(3).size_local, dtype=np.int32)
    right = (mesh.compute_midpoints(domain, 3, cells)[:, 0] > 0.5).astype(np.int64)
    return Layout.of_field(Field(u, "lithium", parts=("left", "right"), part_of_cell=right))


def areas(nodes: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Of triangles, negative where they run clockwise."""
    a, b, c = (nodes[triangles[:, k]] for k in range(3))
    return 0.5 * ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])


@pytest.mark.parametrize("y", [0.9, 1.0, 0.4123])
def test_a_plane_through_a_box_is_its_rectangle(y: float) -> None:
    """1 x 3, each point once, whether the plane runs through cells or (y = 1) along faces; a linear
    field is what it is there.
    """
    layout = box(3)
    picture = Picture.of_layout(layout, y)
    signed = areas(picture.nodes, picture.triangles)
    assert (signed > 0.0).all() and signed.sum() == pytest.approx(3.0, rel=1e-12)
    assert len(np.unique(picture.nodes.round(12), axis=0)) == len(picture.nodes)
    assert np.array_equal(np.unique(picture.triangles), np.arange(len(picture.nodes)))

    def linear(x: np.ndarray, y: np.ndarray | float, z: np.ndarray) -> np.ndarray:
        return 2.0 * x - 3.0 * y + 0.5 * z

    frames = np.array([linear(*layout.nodes.T), layout.nodes[:, 0]])
    expected = [linear(picture.nodes[:, 0], y, picture.nodes[:, 1]), picture.nodes[:, 0]]
    assert picture.of(frames) == pytest.approx(np.array(expected), abs=1e-12)


def test_triangles_of_a_cut_know_their_cell() -> None:
    """With cells on either side of x = 0.5 each piece fills its half of the rectangle."""
    picture = Picture.of_layout(box(4), 0.77)
    middle = picture.nodes[picture.triangles][:, :, 0].mean(axis=1)
    assert np.array_equal(picture.part, (middle > 0.5).astype(int))


def test_a_plane_beside_a_mesh_cuts_nothing() -> None:
    layout = box(1)
    cut = cut_at(layout.nodes, layout.cells, 5.0)
    assert cut.nodes.shape == (0, 2) and cut.triangles.shape == (0, 3)
    assert cut.of(np.ones((4, layout.size))).shape == (4, 0)


def test_one_tetrahedron_cut_into_a_triangle_and_a_quadrilateral() -> None:
    """Corners at the origin and one along each axis: at y = 1/2 a triangle with legs of 1/2, area
    1/8. With (0,0,0) and (1,0,0) below, (0,1,0) and (0,1,1) above, the edges between them are cut
    at (0,0), (0,1/2), (1/2,0) and (1/2,1/2) in x and z: a square of area 1/4.
    """
    nodes = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    cell = np.array([[0, 1, 2, 3]])
    third = cut_at(nodes, cell, 0.5)
    assert areas(third.nodes, third.triangles) == pytest.approx([0.125])
    nodes = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 1]])
    square = cut_at(nodes, cell, 0.5)
    assert areas(square.nodes, square.triangles).sum() == pytest.approx(0.25)
    assert len(square.triangles) == 2 and len(square.nodes) == 4


def test_a_plane_mesh_is_its_own_picture() -> None:
    from dolfinx import fem, mesh

    domain = mesh.create_unit_square(MPI.COMM_SELF, 2, 3)
    u = Unknown("phi_s", "phi_s", "V", fem.functionspace(domain, ("Lagrange", 1)))
    layout = Layout.of(u)
    picture = Picture.of_layout(layout, 0.5)
    assert picture.nodes.shape == (12, 2) and picture.triangles.shape == (12, 3)
    values = np.random.default_rng(0).random((2, 12))
    assert np.array_equal(picture.of(values), values)
    assert vtk_cells(layout)[0] == "triangle" and vtk_cells(box(1))[0] == "tetra"


def test_a_point_in_a_part_has_a_value_there() -> None:
    layout = box(2)
    probe = Probe(layout.unknown, slice(0, layout.unknown.owned), np.array([[0.2, 0.3, 0.4]]))
    x = layout.unknown.space.tabulate_dof_coordinates()
    assert probe(x[:, 1]) == pytest.approx([0.3])
