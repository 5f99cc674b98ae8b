"""``[numerics]`` and ``[output]``: how accurately, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import (
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from nmcsim.case.mistakes import mistakes_of
from nmcsim.case.section import (
    Duration,
    InputFile,
    Position,
    Quantity,
    Section,
    all_wrong,
    said,
    wrong,
)
from nmcsim.case.table import increasing, read_columns
from nmcsim.errors import InputError, Mistake

LOOSEST = 1e-2
"""Largest rtol."""
_TIME = Quantity("s", ge=0.0, example="10 s")


class Numerics(Section):
    """Discretisation in space and time; the defaults keep theta within 1e-3."""

    degree: Literal[1, 2] = Field(
        default=2, description="Polynomial degree in space; 2 reaches 1e-3 on a tenth of the cells."
    )
    rtol: float = Field(
        default=1e-4,
        ge=1e-10,
        le=LOOSEST,
        description="Error of a time step at the worst node, over each unknown's scale (0.5 for"
        " theta, 1 V for the potential).",
    )
    max_order: int = Field(
        default=5, ge=1, le=5, description="Highest order of the time integrator."
    )
    steps_per_phase: int = Field(
        default=50,
        ge=5,
        le=100_000,
        description="Time steps in each protocol step at least, so that no event is missed.",
    )
    laws: Literal["nodal", "general"] = Field(
        default="nodal",
        description="Material laws as values at nodes (fast), or inside the forms (the reference).",
    )
    linear_solver: Literal["auto", "direct", "iterative"] = Field(
        default="auto",
        description="A factorisation, or GMRES with the balances made exact; auto takes GMRES for"
        " prescribed flux in 3D, where factorisations are dear, and a factorisation elsewhere.",
    )


class TimesTable(Section):
    """Times from a CSV file, such as those of camera frames."""

    file: InputFile = Field(description="CSV file, relative to the case.")
    column: str = Field(description="Heading of the column of times, with a unit: 't [s]'.")


def _times(value: object, info: ValidationInfo) -> tuple[float, ...]:
    if isinstance(value, Mapping):
        try:
            table = TimesTable.model_validate(value, context=info.context)
            (column,) = read_columns(table.file, {table.column: "s"})
            increasing(table.file, column)
        except (InputError, ValidationError) as error:
            raise all_wrong(mistakes_of(error, model=TimesTable)) from None
        if column[0] < 0.0:
            raise wrong(f"has a time before the start: {column[0]:g} s")
        return tuple(column.tolist())
    if not isinstance(value, tuple):
        raise wrong(
            'must be a list such as ["10 s", "2 min"], or { file = "t.csv", column = "t [s]" }'
        )
    si = isinstance(info.context, dict) and bool(info.context.get("si"))
    times: list[float] = []
    mistakes: list[Mistake] = []
    for k, item in enumerate(value):
        try:
            times.append(_TIME.read(item, si=si))
        except ValueError as error:
            mistakes += said(error, f"[{k}] = {item!r}")
    if mistakes:
        raise all_wrong(mistakes)
    if not np.all(np.diff(times) > 0.0):
        raise wrong("must increase")
    return tuple(times)


class Kept(Section):
    """What a run keeps beside the history of every accepted step."""

    frames: int = Field(
        default=24,
        ge=2,
        le=2000,
        description="Maps of each protocol step, evenly spaced over the length expected of it: a"
        " step that ends early has fewer, one that lasts longer more.",
    )
    period: Duration | None = Field(
        default=None, description="Time between maps, in place of a number of them."
    )
    times: Annotated[
        tuple[float, ...],
        PlainValidator(_times),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "array", "items": {"type": "string", "examples": ["10 s"]}},
                    TimesTable.model_json_schema(),
                ]
            }
        ),
    ] = Field(default=(), description="Further times at which maps and observables are kept.")
    points: dict[str, tuple[Position, ...]] = Field(
        default_factory=dict,
        description="Points at which theta is followed: name = ['0.5 um', '0 um'].",
    )

    @model_validator(mode="after")
    def _points_have_coordinates(self) -> Self:
        found = [
            Mistake(
                f"points.{name}", "must have two or three coordinates, such as ['0.5 um', '0 um']"
            )
            for name, point in self.points.items()
            if len(point) not in (2, 3)
        ]
        if found:
            raise all_wrong(found)
        return self


class Output(Kept):
    """What a run of a crystal keeps, and what its observables mean."""

    unreacted_below: float = Field(
        default=0.05,
        gt=0.0,
        lt=1.0,
        description="The region with a signal below this is unreacted.",
    )
    signal: float = Field(
        default=0.5, gt=0.0, le=10.0, description="s of the signal dI/I1 = s (theta(t0) - theta)."
    )
