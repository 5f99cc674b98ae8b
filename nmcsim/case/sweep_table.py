"""``[sweep]``: what varies from case to case, as a file says it (`nmcsim.sweeps` plans it)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from nmcsim.case.section import Duration, Section, wrong

MOST_CASES = 100_000
"""Cases of a sweep, at most: a mistyped count is told from a large study."""

_SIZE = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([kKMGT])(i?)B\s*")
_POWERS = {"k": 1, "K": 1, "M": 2, "G": 3, "T": 4}

_END = {"type": ["number", "string"], "examples": ["1 um"]}
_ONE_RANGE = {
    "type": "object",
    "properties": {
        "from": _END,
        "to": _END,
        "count": {"type": "integer", "minimum": 2},
        "scale": {"enum": ["linear", "log"]},
    },
}
_AXES = {"type": "object", "additionalProperties": {"anyOf": [{"type": "array"}, _ONE_RANGE]}}


def _bytes(value: object) -> float:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None or float(match[1]) == 0.0:
        raise wrong('is not a size with a unit; write "2 GB"')
    return float(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2]]


def _zipped(value: object) -> tuple[Mapping[str, Any], ...]:
    tables = (value,) if isinstance(value, Mapping) else value
    if not isinstance(tables, tuple) or not all(isinstance(one, Mapping) for one in tables):
        raise wrong("must be a table of lists, or several: [[sweep.zip]]")
    return tables


class SampledRange(Section):
    """From where to where a key is sampled."""

    from_: Any = Field(alias="from", description="One end, with a unit where the key needs one.")
    to: Any = Field(description="The other end.")
    scale: Literal["linear", "log"] = Field(
        default="linear", description="Whether the value or its logarithm is evenly spread."
    )


class RangeTable(SampledRange):
    """Values from one end to the other, both included."""

    count: int = Field(ge=2, le=MOST_CASES, description="How many values.", examples=[5])


class SampleTable(Section):
    """Points that fill a box evenly, in place of a grid."""

    method: Literal["latin_hypercube", "sobol"] = Field(
        default="latin_hypercube", description="Any number of points, or a power of two."
    )
    count: int = Field(ge=1, le=MOST_CASES, description="How many points.", examples=[64])
    seed: int = Field(default=1, ge=0, le=2**32 - 1, description="Of the points.")
    over: Annotated[dict[str, Any], WithJsonSchema(_AXES)] = Field(
        min_length=1, description="Keys, each with its range { from = ..., to = ... }."
    )


class SweepTable(Section):
    """What varies, and how its cases are run."""

    title: str | None = Field(
        default=None, min_length=1, description="The question, in a line; by default the case's."
    )
    case: str | None = Field(
        default=None, description="The case that all start from, relative to this file."
    )
    keep: Literal["summary", "history", "all"] = Field(
        default="history", description="What is kept of each case."
    )
    ranks_per_case: int = Field(default=1, ge=1, description="MPI ranks that solve one case.")
    time_limit: Duration | None = Field(default=None, description='Of one case, such as "10 min".')
    memory_limit: Annotated[
        float | None,
        PlainValidator(_bytes),
        WithJsonSchema({"type": "string", "pattern": _SIZE.pattern, "examples": ["2 GB"]}),
    ] = Field(default=None, description='Of one case, such as "2 GB".')
    set_: dict[str, Any] = Field(
        alias="set",
        default_factory=dict,
        description="Keys that differ from the case; texts may contain {variable}.",
    )
    grid: Annotated[dict[str, Any], WithJsonSchema(_AXES)] = Field(
        default_factory=dict, description="Keys, each with a list or a range: every combination."
    )
    zip_: Annotated[
        tuple[Mapping[str, Any], ...],
        PlainValidator(_zipped),
        WithJsonSchema({"anyOf": [_AXES, {"type": "array", "items": _AXES}]}),
    ] = Field(alias="zip", default=(), description="Keys whose lists are taken together.")
    sample: SampleTable | None = Field(
        default=None, description="Keys whose ranges are filled by points."
    )
    replicas: Annotated[
        dict[str, Any],
        WithJsonSchema({"type": "object", "additionalProperties": {"type": ["integer", "array"]}}),
    ] = Field(default_factory=dict, description="A key with a count n (1 to n), or a list.")
