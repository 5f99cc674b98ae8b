"""Whatever stands at whatever key of a sweep: a plan or a list of sentences, no other error."""

from __future__ import annotations

import contextlib
import copy
import datetime
from typing import Any

import pytest

from nmcsim.case.model import with_value
from nmcsim.errors import InputError
from nmcsim.sweeps.plan import make_plan
from tests.unit.sweeps.sweeping import CASE, ROOT

ODD: list[Any] = [
    "", "x", "{}", "{", "{rate", "{rate}", "1e999 m", "nan um", "1 um", -1, 0, 2, 10**400,
    float("nan"), float("inf"), True, [], [[]], [{}], {}, {"a": {}}, {"": 1}, {"from": 3},
    {"to": "x", "from": 1, "count": 2}, {"from": 1e308, "to": -1e308, "count": 3},
    {"from": 0.1, "to": 0.2, "count": 10**9}, {"from": 1, "to": 10**400, "count": 3},
    {"from": "1 um", "to": "1e60 um", "count": 3, "scale": "log"},
    {"from": "1e400 um", "to": "2 um", "count": 3}, {"from": {}, "to": []},
    [10**400], [float("nan")], ["1e400 um", "1 um"], ["1 um", "1e400 um"], ["\x00", "ä" * 500],
    [datetime.date(2026, 1, 1)], datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    ["C/0", "C/1e999", "C/3"], [{"from": "x"}], [True, 1], {"rate": ["{rate}"]},
]  # fmt: skip
KEYS = [
    "title", "case", "keep", "ranks_per_case", "time_limit", "memory_limit", "set", "grid", "zip",
    "sample", "replicas", "sample.method", "sample.count", "sample.seed", "sample.over",
    *(
        f"{table}.{key}"
        for table in ("set", "grid", "zip", "sample.over", "replicas")
        for key in (
            "rate", "model", "protocol.steps", "geometry", "geometry.diameter", "geometry.shape",
            "geometry.file", "physics.rock_salt.patches", "a.b",
        )
    ),
]  # fmt: skip
SWEEP: dict[str, Any] = {
    "case": str(CASE),
    "set": {"protocol": {"steps": ["Charge at {rate} until 4.3 V"]}},
    "grid": {"rate": ["C/3", "1C"]},
    "zip": {"numerics": {"rtol": [1e-3]}},
    "sample": {"count": 1, "over": {"geometry": {"height": {"from": "1 um", "to": "2 um"}}}},
    "replicas": {"numerics": {"max_order": 1}},
}


@pytest.mark.parametrize("key", KEYS)
def test_anything_at_any_key(key: str) -> None:
    for odd in ODD:
        data = {"sweep": with_value(SWEEP, key, copy.deepcopy(odd))}
        try:
            with contextlib.suppress(InputError):
                make_plan(data, ROOT)
        except Exception as error:
            raise AssertionError(f"{key} = {odd!r}"[:200]) from error
