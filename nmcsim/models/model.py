"""What a model page hands to a run: a problem, its controls, and what to watch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default

from nmcsim.observe.layout import Field
from nmcsim.observe.watch import Watch
from nmcsim.results import Particles
from nmcsim.solve.drive import Event
from nmcsim.solve.fields import Array, Unknown
from nmcsim.solve.problem import Problem

__all__ = ["Field", "Model", "Scalar"]

Scalar = Callable[[Array], float]
"""A number of a state, the same on every rank."""


@dataclass(frozen=True)
class Model:
    """A problem with the names by which a protocol drives it and a user knows its results.

    Parameters
    ----------
    problem : Problem
    fields : sequence of Field
        Every unknown of the problem that is a field, lithium per site first: all are kept in
        checkpoints and mapped. The other unknowns are single numbers.
    set_current, set_voltage : callable
        Impose a total current [A] (charge positive) or a voltage [V]. ``set_voltage`` is None
        where the model has no potential to impose.
    one_c : float or None
        Current of 1C [A], if the case gives a capacity.
    mass : float
        Of active material [kg].
    observables : mapping of name -> Scalar
        What the history records of each accepted step; names as in `QUANTITIES`. A run needs
        ``voltage, current, charge, soc, theta_mean, theta_min, theta_max``.
    guards : sequence of Event
        Limits of validity that end a run.
    inventory : Scalar
        Lithium of the solid, what ``charge / F`` is balanced against [mol].
    likely : callable
        ``(unknown, value) -> str``: the probable physical reason of a failure there.
    where : callable
        ``(position, state) -> str``: a position [m] in words, and the field there; collective.
    theta_charged, theta_discharged : float
        Stoichiometries between which a step's length is expected.
    watch : Watch, optional
        What is recorded beside; with one, the result shows what it makes instead of maps of the
        fields.
    together : sequence of callable
        ``state -> {name: number}``: observables that are cheaper at once, such as the parts of the
        voltage; the same names in every state, NaN where there is no value. They may use the
        observables of ``observables``, not the other way round.
    particles : Particles, optional
        The particles of an electrode.
    per_particle : mapping of name -> callable
        ``state -> (p,)`` array, the same on every rank; names as in `PARTICLE_QUANTITIES`.
    conserved : mapping of name -> Scalar
        Amounts that must stay what they were at the start, such as ``salt`` [mol]; the relative
        change is recorded as ``NAME_drift``. Lithium, which the charge takes along, is
        ``inventory``.
    balances : mapping of name -> Scalar
        Relative errors of balances that hold at every instant, such as ``charge``; recorded as
        ``NAME_drift``.
    drift_limit : float
        A run whose lithium, conserved amounts or balances drift by more has failed.
    facts : mapping of name -> float
        Measured geometry, SI.
    notices : sequence of str
        What a user should know before the run, in sentences.
    """

    problem: Problem
    fields: Sequence[Field]
    set_current: Callable[[float], None]
    set_voltage: Callable[[float], None] | None
    one_c: float | None
    mass: float
    observables: Mapping[str, Scalar]
    guards: Sequence[Event]
    inventory: Scalar
    likely: Callable[[Unknown, float], str]
    where: Callable[[Array, Array], str]
    theta_charged: float
    theta_discharged: float
    watch: Watch | None = None
    together: Sequence[Callable[[Array], Mapping[str, float]]] = ()
    particles: Particles | None = None
    per_particle: Mapping[str, Callable[[Array], Array]] = default(default_factory=dict)
    conserved: Mapping[str, Scalar] = default(default_factory=dict)
    balances: Mapping[str, Scalar] = default(default_factory=dict)
    drift_limit: float = 1e-9
    facts: Mapping[str, float] = default(default_factory=dict)
    notices: Sequence[str] = ()

    @property
    def field(self) -> Unknown:
        """Lithium per site."""
        return self.fields[0].unknown
