"""``[protocol]``: from which state, through which steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainValidator, ValidationError, ValidationInfo, WithJsonSchema

from nmcsim.case.grammar import c_rate_column, capacity_basis, parse_ends, parse_step
from nmcsim.case.mistakes import mistakes_of
from nmcsim.case.section import (
    InputFile,
    Section,
    all_wrong,
    folder_of,
    remember_file,
    said,
    wrong,
    wrong_from,
)
from nmcsim.case.steps import HOUR, Charge, Control, Replay, Step, Until
from nmcsim.case.table import increasing, read_columns
from nmcsim.errors import InputError, Mistake
from nmcsim.expression import Expression

REST = "rest"
"""Stands for the particles that an initial state does not name."""
COORDINATES = ("x", "y", "z", "r")
"""Variables of an initial state: micrometres, r the distance from the axis through the origin."""

_LONGEST_PROTOCOL = 10_000
_SENTENCES = [
    "Charge at 1C until 4.3 V",
    "Discharge at C/5 for 2 hours or until 3.0 V",
    "Hold at 4.3 V until C/50",
    "Rest for 1 hour",
    "Charge at 0.5 nA for 10 minutes",
]


class ReplayTable(Section):
    """A step that replays a measured current or voltage."""

    replay: InputFile = Field(description="CSV file of the measurement, relative to the case.")
    time: str = Field(description="Heading of its column of times, with a unit: 't [s]'.")
    current: str | None = Field(
        default=None, description="Heading of its currents, charge positive, with a unit: 'I [nA]'."
    )
    voltage: str | None = Field(
        default=None, description="Heading of its voltages, with a unit: 'V [V]'."
    )
    until: str | None = Field(
        default=None, description="Ends beside the last row, such as 'until 4.3 V or for 2 hours'."
    )


class RepeatTable(Section):
    """Steps that are run several times; each time is one cycle."""

    repeat: int = Field(ge=1, le=1000, description="How often.")
    steps: tuple[Any, ...] = Field(min_length=1, description="Sentences or tables, as in steps.")


class InitialTable(Section):
    """The last state of an earlier result."""

    from_: Path = Field(alias="from", strict=False, description="A result directory.")


class ParticlesTable(Section):
    """One state for each particle of an electrode."""

    particles: Mapping[str, Any] = Field(
        description="Lithium per site by particle, and rest for those that are not named.",
        examples=[{"particle[2]": 0.4, "rest": 0.99}],
    )


def _capacity(value: object) -> Charge:
    if isinstance(value, Charge):
        return value
    if not isinstance(value, str):
        raise wrong('has no unit; write a capacity such as "200 mAh/g" or "0.3 nAh"')
    try:
        return capacity_basis(value)
    except InputError as error:
        raise wrong(error.mistakes[0].message) from None


def _theta(value: object) -> float:
    """A stoichiometry; raises `wrong` for anything that is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("must be a number")
    if not 0.0 < value < 1.0:
        raise wrong("is out of range; lithium per site lies between 0 and 1")
    return float(value)


def _per_particle(value: Mapping[str, Any]) -> Mapping[str, float]:
    """``{ particles = { "particle[2]" = 0.4, rest = 0.99 } }``."""
    try:
        given = ParticlesTable.model_validate(value).particles
    except ValidationError as error:
        raise all_wrong(mistakes_of(error, model=ParticlesTable)) from None
    if not given:
        raise wrong(
            'names no particle; write { "particle[0]" = 0.4, rest = 0.99 }', key="particles"
        )
    found: dict[str, float] = {}
    mistakes: list[Mistake] = []
    for name, theta in given.items():
        try:
            found[name] = _theta(theta)
        except ValueError as error:
            shown = f" = {theta!r}" if isinstance(theta, int | float) else ""
            mistakes += said(error, f"particles.{name}{shown}")
    if mistakes:
        raise all_wrong(mistakes)
    return MappingProxyType(found)


def _initial(
    value: object, info: ValidationInfo
) -> float | Expression | Path | Mapping[str, float]:
    if isinstance(value, Expression | Path | MappingProxyType):
        return value
    if isinstance(value, Mapping) and "particles" in value:
        return _per_particle(value)
    if isinstance(value, str):
        try:
            return Expression(value, COORDINATES)
        except InputError as error:
            raise wrong_from(error) from None
    if isinstance(value, Mapping):
        try:
            given = InitialTable.model_validate(value)
        except ValidationError as error:
            raise all_wrong(mistakes_of(error, model=InitialTable)) from None
        directory = folder_of(info) / given.from_.expanduser()
        if not (directory / "checkpoint.h5").is_file():
            raise wrong(
                f"is not a result with a last state; there is no {given.from_}/checkpoint.h5"
            )
        remember_file(info, str(given.from_), directory)
        return directory
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong('must be a number, an expression such as "0.95 - 0.1 * x", or { from = "DIR" }')
    return _theta(value)


def _steps(value: object, info: ValidationInfo) -> tuple[Step, ...]:
    if isinstance(value, tuple) and value and all(isinstance(step, Step) for step in value):
        return value
    if not isinstance(value, tuple) or not value:
        raise wrong('must be a list of steps, such as ["Charge at 1C until 4.3 V"]')
    # a basis that is itself a mistake is absent: then it is not said to be missing
    no_basis = "capacity" in info.data and info.data["capacity"] is None
    items, found = _unrolled(value)
    mistakes = dict.fromkeys(found)
    steps: list[Step] = []
    for place, item, cycle in items:
        try:
            step = _step(item, cycle, info)
            if no_basis:
                _refuse_c_rate(step)
            steps.append(replace(step, place=f"protocol.steps{place}"))
        except (InputError, ValidationError) as error:
            table = ReplayTable if isinstance(item, Mapping) else None
            mistakes |= dict.fromkeys(mistakes_of(error, place, table))
    if mistakes:
        # what is wrong between these steps and other tables is said with the rest
        if isinstance(info.context, dict) and "parts" in info.context:
            info.context["parts"]["steps"] = tuple(steps)
        raise all_wrong(mistakes)
    if len(steps) > _LONGEST_PROTOCOL:
        raise wrong(f"unrolls to more than {_LONGEST_PROTOCOL} steps; repeat them less often")
    return tuple(steps)


_Item = tuple[str, object, int]  # where a step stands ("[1].steps[0]"), the step, its cycle


def _unrolled(items: Sequence[object]) -> tuple[list[_Item], list[Mistake]]:
    """The steps of a nested list in the order they run, and what is wrong with its nesting.

    Each repetition of a ``{ repeat = n, steps = [...] }`` is one cycle; steps before, between and
    after such blocks are cycles of their own.
    """
    found: list[_Item] = []
    mistakes: list[Mistake] = []

    def unroll(items: Sequence[object], place: str, cycle: int) -> int:
        """Append the steps of `items`, the first of them in `cycle`; return the next cycle."""
        begun = False
        for index, item in enumerate(items):
            here = f"{place}[{index}]"
            if not (isinstance(item, Mapping) and "repeat" in item):
                found.append((here, item, cycle))
                begun = True
                continue
            try:
                table = RepeatTable.model_validate(item)
            except ValidationError as error:
                mistakes.extend(mistakes_of(error, here, RepeatTable))
                continue
            cycle += begun
            begun = False
            for _ in range(table.repeat):
                if len(found) <= _LONGEST_PROTOCOL:
                    cycle = unroll(table.steps, f"{here}.steps", cycle)
        return cycle + begun

    unroll(items, "", 1)
    return found, mistakes


def _step(item: object, cycle: int, info: ValidationInfo) -> Step:
    if isinstance(item, str):
        return parse_step(item, cycle)
    if isinstance(item, Mapping) and "replay" in item:
        table = ReplayTable.model_validate(item, context=info.context)
        return _replay(table, cycle)
    raise InputError(
        Mistake("", 'must be a sentence, { replay = "FILE", ... } or { repeat = N, steps = [...] }')
    )


def _replay(table: ReplayTable, cycle: int) -> Step:
    control: Control = "current" if table.current is not None else "voltage"
    heading, unit = (table.current, "A") if control == "current" else (table.voltage, "V")
    if heading is None or (table.current is not None and table.voltage is not None):
        raise InputError(
            Mistake("", 'needs one column, either current = "I [nA]" or voltage = "V [V]"')
        )
    times, values = read_columns(table.replay, {table.time: "s", heading: unit})
    increasing(table.replay, times)
    replay = Replay(times - times[0], values)
    ends = parse_ends(table.until) if table.until else ()
    if any(end.quantity == control for end in ends):
        raise InputError(Mistake("until", f"cannot be a {control}, which is the one replayed"))
    text = f"Replay {heading} of {table.replay.name}"
    return Step(
        text, "replay", control, replay, (*ends, Until("time", float(replay.times[-1]))), cycle
    )


def _refuse_c_rate(step: Step) -> None:
    if step.needs_capacity():
        raise InputError(
            Mistake(
                "",
                'has a C-rate, but protocol.capacity is missing; write capacity = "200 mAh/g"',
                step.text,
                c_rate_column(step.text),
            )
        )


class Protocol(Section):
    """What is done to the particle, or the electrode."""

    capacity: Annotated[
        Charge | None,
        PlainValidator(_capacity),
        WithJsonSchema({"type": "string", "examples": ["200 mAh/g"]}),
    ] = Field(
        default=None,
        description="Capacity that a C-rate refers to, per mass of NMC or of all of it.",
    )
    initial: Annotated[
        float | Expression | Path | Mapping[str, float],
        PlainValidator(_initial),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                    {"type": "string", "examples": ["0.95 - 0.1 * x"]},
                    InitialTable.model_json_schema(),
                    ParticlesTable.model_json_schema(),
                ]
            }
        ),
    ] = Field(
        description="Lithium per site at the start: a number, an expression of x, y, z, r in"
        " micrometres, the last state of a result, or a number for each particle of an electrode.",
        examples=[0.95],
    )
    steps: Annotated[
        tuple[Step, ...],
        PlainValidator(_steps),
        WithJsonSchema(
            {
                "type": "array",
                "minItems": 1,
                "items": {
                    "anyOf": [
                        {"type": "string", "examples": _SENTENCES},
                        ReplayTable.model_json_schema(),
                        RepeatTable.model_json_schema(),
                    ]
                },
            }
        ),
    ] = Field(
        description="Sentences of PyBaMM's experiment grammar, replays, repetitions.",
        examples=[["Charge at 1C until 4.3 V"]],
    )

    def one_c(self, mass: float) -> float | None:
        """The current of 1C [A] of a particle of `mass` [kg]; None without a capacity."""
        return None if self.capacity is None else self.capacity.coulombs(mass) / HOUR

    def initial_of(self, particle: str) -> float | None:
        """The initial state of a particle of an electrode, where the case states a number for it.

        Parameters
        ----------
        particle : str
            Such as ``"particle[2]"``.

        Returns
        -------
        float or None
            None for an expression, and for the state of an earlier result.
        """
        if isinstance(self.initial, Mapping):
            return self.initial.get(particle, self.initial.get(REST))
        return self.initial if isinstance(self.initial, float) else None

    def initial_at(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The initial state at points, where it is a number or an expression.

        Parameters
        ----------
        x : numpy.ndarray
            Shape (3, n) or (2, n) [m].

        Returns
        -------
        numpy.ndarray
            Lithium per site, shape (n,).

        Raises
        ------
        InputError
            Where an expression leaves 0..1.
        """
        if isinstance(self.initial, Path):
            raise TypeError("the state of an earlier result is read by the run, not here")
        if isinstance(self.initial, Mapping):
            raise TypeError("which particle a point lies in is known to the mesh: see initial_of")
        if not isinstance(self.initial, Expression):
            return np.full(x.shape[1], self.initial)
        x_um, y_um = x[0] * 1e6, x[1] * 1e6
        z_um = x[2] * 1e6 if len(x) > 2 else np.zeros_like(x_um)
        r_um = np.hypot(x_um, y_um)
        with np.errstate(all="ignore"):  # what is not finite is refused below
            theta = self.initial(x=x_um, y=y_um, z=z_um, r=r_um) * np.ones_like(x_um)
        bad = np.flatnonzero(~((theta > 0.0) & (theta < 1.0)))
        if bad.size:
            k = bad[0]
            raise InputError(
                Mistake(
                    "protocol.initial",
                    f"gives {theta[k]:.6g} at ({x_um[k]:.3g}, {y_um[k]:.3g}, {z_um[k]:.3g}) um;"
                    " lithium per site lies between 0 and 1",
                )
            )
        return theta
