"""A term that is linear in a nodal law w and in an unknown u, such as K(theta) grad phi . grad v.

    F_i = sum_jk T_ijk u_j w_k,    dF_i/du_j = sum_k T_ijk w_k,    dF_i/dw_k = sum_j T_ijk u_j

T does not change. It is taken once from the form, cell by cell: in spaces without continuity a
matrix has one block per cell, and a law that is 1 at one node of every cell gives all T_..k at
once. Then both derivatives, and the term itself, are sparse products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import ufl
from dolfinx import fem
from petsc4py import PETSc
from ufl.algorithms.replace import replace

from nmcsim.forms import compiled
from nmcsim.solve.blocks import Mat, Product
from nmcsim.solve.edges import Edges
from nmcsim.solve.fields import Array, Nodal, Unknown

__all__ = ["Half", "LawTimesUnknown"]

Int = npt.NDArray[np.int32]


class Half:
    """One derivative of the term: entries (row, column) that are linear in the other factor.

    Parameters
    ----------
    i, j : int
        The unknowns of its rows and columns.
    rows, columns : (nnz,) int32 arrays
        Local dofs, sorted by row and then by column.
    weights : sparse (nnz, n) array
        What makes the entries of the other factor's local values.
    other : (n,) array
        These values, in memory that stays where it is.
    """

    def __init__(self, i: int, j: int, rows: Int, columns: Int, weights: Any, other: Any) -> None:
        self.i, self.j, self.rows, self.columns = i, j, rows, columns
        self.values: Array = np.zeros(len(rows))
        arrays: Any = (weights.indptr, weights.indices, weights.data)
        self._weights = _serial(weights.shape, arrays)
        values: Any = self.values
        self._other = PETSc.Vec().createWithArray(other, comm=PETSc.COMM_SELF)
        self._values = PETSc.Vec().createWithArray(values, comm=PETSc.COMM_SELF)

    def assemble(self) -> Array:
        """The entries at the other factor's present values."""
        self._weights.mult(self._other, self._values)
        return self.values


class LawTimesUnknown:
    """The term in one row of the residual.

    Parameters
    ----------
    row, unknown : (int, Unknown)
        Whose balance it is in, and the unknown that it is linear in, with their numbers.
    law : (int, Nodal)
        The law that it is linear in, with the number of the unknown that it is of.
    form : ufl.Form
        dF/du, a bilinear form that contains ``law.value``.
    options : mapping
        Of the form compiler, with the entity maps.
    target : (n,) array
        Where the term is added: the row's local entries.
    """

    def __init__(
        self,
        row: tuple[int, Unknown],
        unknown: tuple[int, Unknown],
        law: tuple[int, Nodal],
        form: Any,
        options: Mapping[str, Any],
        target: Any,
    ) -> None:
        rows, columns, at, T = _cellwise(row[1], unknown[1], law[1], form, options)
        u, w = unknown[1].u.x.array, law[1].value.x.array
        by_u = _grouped(rows, columns, at, T, len(w))
        self.by_unknown = Half(row[0], unknown[0], *by_u, w)
        self.by_law = Half(row[0], law[0], *_grouped(rows, at, columns, T, len(u)), u)
        self._product = _product(self.by_unknown, by_u[2], u, target)

    def add(self) -> None:
        """Add the term at the present values of the unknown and the law."""
        self.by_unknown.assemble()
        self._product.add()


def _product(half: Half, weights: Any, x: Any, y: Any) -> Edges | Product:
    """What adds the entries times x to y: by edges, where any law makes a block of that kind."""
    some = np.random.default_rng(0).uniform(1.0, 2.0, weights.shape[1])
    if Edges.suit(half.rows, half.columns, weights @ some, len(y), len(x)):
        return Edges(half.rows, half.columns, half.values, x, y)
    start = np.concatenate(([0], np.cumsum(np.bincount(half.rows, minlength=len(y)))))
    return Product((start.astype(np.int32), half.columns, half.values), x, y)


def _serial(shape: tuple[int, int], arrays: Any) -> Mat:
    return PETSc.Mat().createAIJWithArrays(shape, arrays, comm=PETSc.COMM_SELF)


def _cellwise(
    row: Unknown, unknown: Unknown, law: Nodal, form: Any, options: Mapping[str, Any]
) -> tuple[Int, Int, Int, Array]:
    """Local dofs i, j, k of the row, the unknown and the law, and T_ijk: of all cells in turn."""
    spaces = [row.space, unknown.space, law.of.space]
    broken = [_broken(V) for V in spaces]
    carrier = fem.Function(broken[2])
    test, trial = form.arguments()
    cellwise = compiled(
        replace(
            form,
            {
                test: ufl.TestFunction(broken[0]),
                trial: ufl.TrialFunction(broken[1]),
                law.value: carrier,
            },
        ),
        **options,
    )
    where = [_cells_of(V, B) for V, B in zip(spaces, broken, strict=True)]
    to_law = _cells_between(row, law.of, options.get("entity_maps") or ())
    matrix = fem.create_matrix(cellwise)
    r = np.repeat(np.arange(len(matrix.indptr) - 1), np.diff(matrix.indptr))
    c = np.asarray(matrix.indices)
    found: list[Sequence[Any]] = []
    for k in range(broken[2].dofmap.list.shape[1]):
        carrier.x.array[:] = where[2].local == k
        matrix.data[:] = 0.0
        fem.assemble_matrix(matrix, cellwise)
        kept = np.flatnonzero(matrix.data)
        cells = to_law[where[0].cell[r[kept]]]
        at = law.of.space.dofmap.list[cells, k]
        found.append((where[0].dof[r[kept]], where[1].dof[c[kept]], at, matrix.data[kept].copy()))
    i, j, at, T = (np.concatenate(part) for part in zip(*found, strict=True))
    return i, j, at, T


def _broken(V: Any) -> Any:
    """The same polynomials without continuity."""
    element = V.ufl_element()
    return fem.functionspace(V.mesh, ("Discontinuous Lagrange", element.degree))


class _Where(NamedTuple):
    """Of each dof of a broken space: its cell, its number in it, and the continuous dof there."""

    cell: Int
    local: Int
    dof: Int


def _cells_of(V: Any, B: Any) -> _Where:
    dofs = B.dofmap.list
    n, m = dofs.shape
    cell, local, dof = (np.zeros(n * m, dtype=np.int32) for _ in range(3))
    cell[dofs] = np.arange(n, dtype=np.int32)[:, None]
    local[dofs] = np.arange(m, dtype=np.int32)[None, :]
    dof[dofs] = V.dofmap.list
    return _Where(cell, local, dof)


def _cells_between(row: Unknown, law: Unknown, maps: Sequence[Any]) -> Int:
    """The cell of the law's mesh at each cell of the row's; -1 where there is none."""

    def parents(mesh: Any) -> Int:
        imap = mesh.topology.index_map(mesh.topology.dim)
        own = np.arange(imap.size_local + imap.num_ghosts, dtype=np.int32)
        for entity_map in maps:
            if entity_map.sub_topology is mesh.topology or _same(entity_map, mesh):
                return np.asarray(entity_map.sub_topology_to_topology(own, False))
        return own

    mine, others = parents(row.space.mesh), parents(law.space.mesh)
    back = np.full(max(int(mine.max(initial=-1)), int(others.max(initial=-1))) + 1, -1, np.int32)
    back[others] = np.arange(len(others), dtype=np.int32)
    return np.asarray(back[mine])


def _same(entity_map: Any, mesh: Any) -> bool:
    return bool(entity_map.sub_topology._cpp_object is mesh.topology._cpp_object)


def _grouped(rows: Int, columns: Int, others: Int, T: Array, n: int) -> tuple[Int, Int, Any]:
    """The pairs (row, column), sorted, and what sums T over the third index for each of them."""
    width = int(columns.max(initial=0)) + 1
    key = rows.astype(np.int64) * width + columns
    pairs, number = np.unique(key, return_inverse=True)
    weights = sp.coo_array((T, (number, others)), shape=(len(pairs), n)).tocsr()
    weights.sum_duplicates()
    weights.indptr, weights.indices = (
        weights.indptr.astype(np.int32),
        weights.indices.astype(np.int32),
    )
    return (pairs // width).astype(np.int32), (pairs % width).astype(np.int32), weights
