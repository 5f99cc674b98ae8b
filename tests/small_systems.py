"""Small systems with exact solutions, written directly in numpy, for tests of the integrator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI

from nmcsim.solve.fields import Array


@dataclass(frozen=True)
class Field:
    name: str
    at: slice
    scale: float = 1.0
    algebraic: bool = False
    in_error_test: bool = True
    max_update: float = np.inf


class DenseSystem:
    """F(t, u, u_t) = 0 with dense derivatives dF/du and dF/du_t."""

    def __init__(
        self,
        unknowns: tuple[Field, ...],
        f: Callable[[float, Array, Array], Array],
        df_du: Callable[[float, Array, Array], Array],
        df_dut: Array,
    ) -> None:
        self.comm = MPI.COMM_SELF
        self.unknowns = unknowns
        self.size = df_dut.shape[0]
        self._f, self._df_du, self._m = f, df_du, df_dut

    def slice(self, unknown: Field) -> slice:
        return unknown.at

    def residual(self, t: float, u: Array, u_t: Array) -> Array:
        return self._f(t, u, u_t)

    def factorise(self, t: float, u: Array, u_t: Array, shift: float) -> None:
        self._inverse = np.linalg.inv(shift * self._m + self._df_du(t, u, u_t))

    def factorise_start(self, t: float, u: Array, u_t: Array) -> None:
        mask = np.zeros(self.size)
        for f in self.unknowns:
            mask[f.at] = float(f.algebraic)
        self._inverse = np.linalg.inv(self._m + self._df_du(t, u, u_t) * mask)

    def solve(self, r: Array) -> Array:
        return self._inverse @ r

    def worst(self, values: Array) -> tuple[Field, float, None]:
        i = int(np.argmax(np.abs(values)))
        f = next(f for f in self.unknowns if f.at.start <= i < f.at.stop)
        return f, float(values[i]), None


def pendulum_dae() -> DenseSystem:
    """An index-1 DAE with an exact solution: y' = -z y, 0 = z^3 + z - (s^3 + s), s = 1 + sin(t)/2.

    y = exp(-t + (cos t - 1)/2), z = 1 + sin(t)/2.
    """

    def s(t: float) -> float:
        return 1.0 + 0.5 * np.sin(t)

    return DenseSystem(
        (Field("y", slice(0, 1)), Field("z", slice(1, 2), algebraic=True)),
        lambda t, u, u_t: np.array([u_t[0] + u[1] * u[0], u[1] ** 3 + u[1] - s(t) ** 3 - s(t)]),
        lambda t, u, u_t: np.array([[u[1], u[0]], [0.0, 3.0 * u[1] ** 2 + 1.0]]),
        np.array([[1.0, 0.0], [0.0, 0.0]]),
    )


def exact_dae(t: float | Array) -> Array:
    return np.array([np.exp(-t + 0.5 * (np.cos(t) - 1.0)), 1.0 + 0.5 * np.sin(t)])


def robertson() -> DenseSystem:
    """Robertson's stiff kinetics as a DAE with its conservation law."""
    k1, k2, k3 = 0.04, 3e7, 1e4

    def f(t: float, u: Array, u_t: Array) -> Array:
        a, b, c = u
        return np.array(
            [
                u_t[0] + k1 * a - k3 * b * c,
                u_t[1] - k1 * a + k3 * b * c + k2 * b * b,
                a + b + c - 1.0,
            ]
        )

    def df(t: float, u: Array, u_t: Array) -> Array:
        _, b, c = u
        return np.array(
            [[k1, -k3 * c, -k3 * b], [-k1, k3 * c + 2 * k2 * b, k3 * b], [1.0, 1.0, 1.0]]
        )

    return DenseSystem(
        (
            Field("a", slice(0, 1)),
            Field("b", slice(1, 2), scale=1e-5),
            Field("c", slice(2, 3), algebraic=True),
        ),
        f,
        df,
        np.diag([1.0, 1.0, 0.0]),
    )
