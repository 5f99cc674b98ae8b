"""The vocabulary of a model page: unknowns, controls and nodal laws.

A model page writes its balances in UFL with these and hands them to a
:class:`~nmcsim.solve.problem.Problem`. None of them knows what is solved for whom.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import default_scalar_type, fem

Array = npt.NDArray[np.float64]


class Curve(Protocol):
    """A function of one variable with its exact derivative (see :mod:`nmcsim.curve`)."""

    def both(self, a: Array) -> tuple[Array, Array]:
        """Values and derivatives at ``a``, each of shape ``a.shape``."""
        ...


@dataclass(frozen=True, eq=False)
class Unknown:
    """One field or scalar of the solution vector.

    Parameters
    ----------
    name, symbol, unit : str
        As written in results, in formulas and on axes.
    space : dolfinx.fem.FunctionSpace
        Scalar Lagrange space, or the native Real space for one global number.
    scale : float
        A typical magnitude [`unit`]; errors and Newton updates are measured in it.
    algebraic : bool
        True if no time derivative of this unknown appears in the residual.
    in_error_test : bool
        Whether the time step is controlled by this unknown.
    max_update : float
        Largest change [`unit`] that one Newton iteration may make.
    """

    name: str
    symbol: str
    unit: str
    space: Any  # dolfinx.fem.FunctionSpace
    scale: float = 1.0
    algebraic: bool = False
    in_error_test: bool = True
    max_update: float = math.inf
    u: Any = field(init=False)
    dt: Any = field(init=False)
    test: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "u", fem.Function(self.space, name=self.name))
        object.__setattr__(self, "dt", fem.Function(self.space, name=f"{self.name}_dt"))
        object.__setattr__(self, "test", ufl.TestFunction(self.space))

    @property
    def owned(self) -> int:
        """Number of entries of this unknown that live on this rank."""
        return int(self.space.dofmap.index_map.size_local * self.space.dofmap.index_map_bs)


@dataclass(frozen=True, eq=False)
class Control:
    """A number that a protocol sets between or during steps, such as the total current.

    ``control.value`` is a UFL constant; set it through :meth:`Problem.set`.
    """

    name: str
    unit: str
    mesh: Any
    value: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", fem.Constant(self.mesh, default_scalar_type(0.0)))


@dataclass(frozen=True, eq=False)
class Nodal:
    """A law of one unknown, evaluated at the nodes: w = curve(u) at each node.

    In a form, ``w.value`` is an ordinary coefficient. The Jacobian is exact for this
    product approximation: dF/du += (dF/dw) diag(curve'(u)). Where dF/dw does not depend
    on the state it is assembled only once, so a law costs the same whatever its table.

    Parameters
    ----------
    of : Unknown
        The argument; the coefficient lives in its space.
    curve : Curve
        Value and derivative, vectorised.
    dofs : (n,) int array, optional
        Local dofs (owned and ghost) at which the law is needed; all by default. A law
        used in surface integrals only needs the surface's.
    """

    of: Unknown
    curve: Curve
    dofs: npt.NDArray[np.int32] | None = None
    value: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", fem.Function(self.of.space))


@dataclass(frozen=True, eq=False)
class Exchange:
    """What moves between unknowns that meet at nodes: a law of their values there.

        F_k[node] += sum over terms of coefficient_k * weight[node] * f(u_1, ..., u_m)

    A reaction on a surface is one: lumped at the nodes, so that all that is nonlinear in it is a
    function of arrays, and what leaves one balance enters the others to the last digit.

    Parameters
    ----------
    arguments : sequence of (Unknown, (n,) int array)
        Unknowns of the law, and the local dof (owned or ghost) of each at each node; zeros for a
        global scalar.
    law : callable
        ``(u_1, ..., u_m) -> (f, (df/du_1, ..., df/du_m))``, arrays of shape (n,).
    weight : (n,) array
        Of each node on this rank, such as the area it stands for.
    rows : sequence of (Unknown, (n,) int array, float or callable)
        Balances that it enters: dofs as above, and a coefficient, or a function that gives it after
        each change of a control.
    """

    arguments: Sequence[tuple[Unknown, npt.NDArray[np.int32]]]
    law: Callable[..., tuple[Array, Sequence[Array]]]
    weight: Array
    rows: Sequence[tuple[Unknown, npt.NDArray[np.int32], float | Callable[[], float]]]

    def evaluate(self) -> tuple[Array, Sequence[Array]]:
        """f at the nodes (n,) and its slopes, at the unknowns' present values."""
        return self.law(*(u.u.x.array[dofs] for u, dofs in self.arguments))

    def value(self) -> Array:
        """f at the nodes (n,)."""
        return self.evaluate()[0]

    def coefficient(self, row: int) -> float:
        """The coefficient with which it enters a balance now."""
        given = self.rows[row][2]
        return float(given() if callable(given) else given)
