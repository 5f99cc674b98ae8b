"""Conduction by edges: the matrix's product, but to the rounding of what flows."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.solve.edges import Edges


def stiffness(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Entries of a random network's conductance matrix, by rows."""
    rng = np.random.default_rng(seed)
    G = rng.uniform(0.0, 1.0, (n, n)) * (rng.random((n, n)) < 0.4)
    G = np.triu(G, 1) + np.triu(G, 1).T
    A = np.diag(G.sum(axis=1)) - G
    rows, columns = np.nonzero(A)
    return rows.astype(np.int32), columns.astype(np.int32), A[rows, columns]


def test_edges_are_the_product_and_follow_changed_entries() -> None:
    rows, columns, values = stiffness(30)
    x, y = np.random.default_rng(1).normal(size=30), np.ones(30)
    assert Edges.suit(rows, columns, values, 30, 30)
    edges = Edges(rows, columns, values, x, y)
    for factor in (1.0, 3.0):
        values *= factor
        y[:] = 1.0
        edges.add()
        expected = 1.0 + np.bincount(rows, values * x[columns], 30)
        assert y == pytest.approx(expected, abs=1e-13)


def test_what_leaves_one_node_enters_another() -> None:
    """4 V with differences of a nanovolt: a product's rows are off by the rounding of 4 V, 9e-16
    times a few; the flows of 1e-9 are kept to their own rounding, 1e-25 times the square root of
    their number.
    """
    rows, columns, values = stiffness(200)
    x = 4.0 + 1e-9 * np.random.default_rng(1).normal(size=200)
    y = np.zeros(200)
    Edges(rows, columns, values, x, y).add()
    assert np.abs(y).max() > 1e-9
    assert abs(y.sum()) < 1e-22
    assert abs(np.bincount(rows, values * x[columns], 200).sum()) > 1e-15


def test_other_blocks_are_left_to_products() -> None:
    rows, columns, values = stiffness(10)
    assert not Edges.suit(rows, columns, values, 10, 11)
    assert not Edges.suit(rows, columns, np.where(rows == columns, 2.0, 1.0) * values, 10, 10)
    # rows that sum to zero, but not symmetric: each row by a factor of its own
    assert not Edges.suit(rows, columns, values * (1.0 + rows), 10, 10)
    assert not Edges.suit(rows[:0], columns[:0], values[:0], 0, 0)
