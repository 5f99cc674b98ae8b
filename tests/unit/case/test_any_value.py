"""Whatever stands at whatever key: a case or a list of sentences, never another error."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from nmcsim.case.model import Case
from nmcsim.case.starter import STARTERS
from nmcsim.errors import InputError

ODD: list[Any] = [
    "",
    "x",
    "{}",
    "1e999 m",
    "nan um",
    -1,
    0,
    10**400,
    float("nan"),
    float("inf"),
    True,
    [],
    [[]],
    [None],
    {},
    {"a": {}},
    {"table": 3},
    {"expression": "theta", "unit": 3},
    {"repeat": 10**9, "steps": [{"repeat": 10**9, "steps": ["Rest for 1 h"]}]},
    [{"repeat": 1000, "steps": [{"repeat": 1000, "steps": ["Rest for 1 h"]}]}],
    [{"replay": [], "time": {}}],
    {"from": 3},
    datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    "\x00",
    "ä" * 5000,
]
STARTER = STARTERS["single_crystal"]()
KEYS = [
    "title", "model", "geometry", "geometry.shape", "geometry.file", "material", "material.name",
    "physics", "physics.rock_salt", "protocol", "numerics", "output",
    *(f"{name}.{key}" for name, table in STARTER.sections.items() for key in table.model_fields),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_any_value_at_any_key(make: Callable[..., Case], key: str):
    for value in ODD:
        try:
            case = make({key: value})
        except InputError as error:
            said = str(error)
            assert key.split(".")[0] in said
            assert "\n  " in said or "\n" not in said
        else:
            assert len(case.hash) == 16


def test_every_example_of_the_starter_can_be_used(make: Callable[..., Case], tmp_path: Any):
    rows = "".join(f"{theta},{4.4 - theta}\n" for theta in (0.1, 0.3, 0.6, 0.995))
    (tmp_path / "ocv.csv").write_text("theta,U\n" + rows)
    alone = {"physics.rock_salt.intervals": {"physics.rock_salt.arrangement": "intervals"}}
    for key, value in STARTER.examples.items():
        assert make({key: value, **alone.get(key, {})}).hash
