"""What a model page hands to a run: a problem, its controls, and what to watch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default

from nmcsim.solve.drive import Event
from nmcsim.solve.fields import Array, Unknown
from nmcsim.solve.problem import Problem

__all__ = ["Model", "Scalar"]

Scalar = Callable[[Array], float]
"""A number of a state, the same on every rank."""


@dataclass(frozen=True)
class Model:
    """A problem with the names by which a protocol drives it and a user knows its results.

    Parameters
    ----------
    problem : Problem
    field : Unknown
        Lithium per site, the field that is mapped.
    region : str
        Where it lives.
    set_current, set_voltage : callable
        Impose a total current [A] (charge positive) or a voltage [V]. ``set_voltage`` is None
        where the model has no potential to impose.
    one_c : float or None
        Current of 1C [A], if the case gives a capacity.
    mass : float
        Of active material [kg].
    observables : mapping of name -> Scalar
        What the history records of each accepted step; names as in the results' table.
    guards : sequence of Event
        Limits of validity that end a run.
    inventory : Scalar
        What ``charge / F`` is balanced against [mol].
    likely : callable
        ``(unknown, value) -> str``: the probable physical reason of a failure there.
    where : callable
        ``(position, state) -> str``: a position [m] in words, and the field there; collective.
    flux : callable
        ``(theta, b, scalars) -> j``: surface flux [mol/m2/s] at nodes with the stoichiometry
        ``theta`` and the blocking factor ``b``, given the observables' present values.
    theta_charged, theta_discharged : float
        Stoichiometries between which a step's length is expected.
    facts : mapping of name -> float
        Measured geometry, SI.
    """

    problem: Problem
    field: Unknown
    region: str
    set_current: Callable[[float], None]
    set_voltage: Callable[[float], None] | None
    one_c: float | None
    mass: float
    observables: Mapping[str, Scalar]
    guards: Sequence[Event]
    inventory: Scalar
    likely: Callable[[Unknown, float], str]
    where: Callable[[Array, Array], str]
    flux: Callable[[Array, Array, Mapping[str, float]], Array]
    theta_charged: float
    theta_discharged: float
    facts: Mapping[str, float] = default(default_factory=dict)
