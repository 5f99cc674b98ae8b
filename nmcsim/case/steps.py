"""One protocol step, as data: what is controlled, at which value, until when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

HOUR = 3600.0

Kind = Literal["charge", "discharge", "hold", "rest", "replay"]
Control = Literal["current", "voltage"]


@dataclass(frozen=True)
class Current:
    """A current, charge positive.

    Parameters
    ----------
    amount : float
        Amperes, or the C-rate where `of_capacity` is true.
    of_capacity : bool
        Whether `amount` is a C-rate: 1 passes the capacity in one hour.
    """

    amount: float
    of_capacity: bool = False

    def amperes(self, one_c: float | None) -> float:
        """The current [A], `one_c` [A] being the current of 1C."""
        if not self.of_capacity:
            return self.amount
        if one_c is None:
            raise ValueError("a C-rate needs the current of 1C")
        return self.amount * one_c

    def __str__(self) -> str:
        size = abs(self.amount)
        return f"{size!r}C" if self.of_capacity else f"{size!r} A"


@dataclass(frozen=True)
class Charge:
    """An amount of charge: of the particle, or per mass of it.

    Parameters
    ----------
    amount : float
        [A s], or [A s/kg] where `per_mass` is true.
    per_mass : bool
        Whether `amount` is for a kilogram of active material.
    """

    amount: float
    per_mass: bool = False

    def coulombs(self, mass: float) -> float:
        """The charge [A s] of a particle of `mass` [kg]."""
        return self.amount * mass if self.per_mass else self.amount

    def __str__(self) -> str:
        return f"{self.amount / HOUR!r} Ah{'/kg' if self.per_mass else ''}"


@dataclass(frozen=True)
class Until:
    """One way for a step to end.

    Parameters
    ----------
    quantity : str
        "voltage", "time", "capacity" or "current".
    value : float, Charge or Current
        [V] for a voltage, [s] since the step began for a time, the `Charge` passed in it for a
        capacity, the magnitude of the `Current` for a current.
    """

    quantity: Literal["voltage", "time", "capacity", "current"]
    value: float | Charge | Current

    def __str__(self) -> str:
        if self.quantity == "time":
            return f"for {self.value!r} s"
        return f"until {self.value!r} V" if self.quantity == "voltage" else f"until {self.value}"


@dataclass(frozen=True, eq=False)
class Replay:
    """A measured current or voltage, linear between its points.

    Parameters
    ----------
    times : numpy.ndarray
        Shape (k,), increasing from 0 [s].
    values : numpy.ndarray
        Shape (k,), [A] (charge positive) or [V].
    """

    times: NDArray[np.float64]
    values: NDArray[np.float64]

    def __call__(self, t: float) -> float:
        """The value at the time `t` [s] since the step began; constant beyond the ends."""
        return float(np.interp(t, self.times, self.values))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Replay)
            and np.array_equal(self.times, other.times)
            and np.array_equal(self.values, other.values)
        )

    def __hash__(self) -> int:
        return hash((self.times.tobytes(), self.values.tobytes()))


@dataclass(frozen=True)
class Step:
    """One step of a protocol.

    Parameters
    ----------
    text : str
        The step as the case says it.
    kind : str
        "charge", "discharge", "hold", "rest" or "replay".
    control : str
        "current" or "voltage".
    value : Current, float or Replay
        Charge positive; volts where the voltage is controlled.
    until : tuple of Until
        The step ends by whichever comes first.
    cycle : int
        Which cycle the step belongs to, from 1.
    place : str
        Its key in the case, such as ``protocol.steps[0]``.
    """

    text: str
    kind: Kind
    control: Control
    value: Current | float | Replay
    until: tuple[Until, ...]
    cycle: int = 1
    place: str = field(default="", compare=False)

    def sentence(self) -> str:
        """The step as understood, in SI units; parses back to the same step."""
        ends = " or ".join(str(end) for end in self.until)
        if self.kind == "replay":
            size = len(self.value.times) if isinstance(self.value, Replay) else 0
            return f"Replay a {self.control} of {size} points {ends}"
        what = {"rest": "Rest", "hold": f"Hold at {self.value!r} V"}.get(self.kind)
        return f"{what or f'{self.kind.capitalize()} at {self.value}'} {ends}"

    def needs_capacity(self) -> bool:
        """Whether a C-rate occurs in the step."""
        values = (self.value, *(end.value for end in self.until))
        return any(isinstance(value, Current) and value.of_capacity for value in values)

    def expected_duration(
        self, one_c: float | None, left: float | None = None, mass: float | None = None
    ) -> float:
        """A length of the step to plan with, hours too long rather than too short.

        Parameters
        ----------
        one_c : float or None
            Current of 1C [A].
        left : float, optional
            Charge that can still pass [A s]; one capacity where not given.
        mass : float, optional
            Mass of the particle [kg], needed by a capacity per mass.

        Returns
        -------
        float
            [s]; the least of its times and the time its current needs for `left`. A step that
            only a voltage, or the decay of a current, ends is expected to last an hour.
        """
        times = [
            end.value
            for end in self.until
            if isinstance(end.value, float) and end.quantity == "time"
        ]
        if isinstance(self.value, Replay):
            times.append(float(self.value.times[-1]))
        if isinstance(self.value, Current) and self.value.amount != 0.0:
            current = abs(self.value.amperes(one_c))
            charges = [
                end.value.coulombs(mass if mass is not None else 1.0)
                for end in self.until
                if isinstance(end.value, Charge) and (mass is not None or not end.value.per_mass)
            ]
            if left is None and one_c is not None:
                left = HOUR * one_c
            if left is not None:
                charges.append(left)
            times += [charge / current for charge in charges]
        return min(times, default=HOUR)
