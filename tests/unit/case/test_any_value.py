"""Whatever stands at whatever key: a case or a list of sentences, never another error."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nmcsim.case.model import Case, from_data
from nmcsim.case.starter import STARTERS
from nmcsim.errors import InputError
from tests.unit.case.electrodes import electrode_case

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
ELECTRODE = STARTERS["electrode"]()
KEYS = [
    "title", "model", "geometry", "geometry.shape", "geometry.file", "material", "material.name",
    "physics", "physics.rock_salt", "protocol", "numerics", "output",
    *(f"{name}.{key}" for name, table in STARTER.sections.items() for key in table.model_fields),
]  # fmt: skip


# what the models have in common is tried on a crystal, whose shape is drawn faster
OF_AN_ELECTRODE = [
    "electrolyte", "binder", "contact", "lithium", "numerics", "protocol.initial",
    "protocol.initial.particles", "material.K",
    *(
        f"{name}.{key}"
        for name in ("electrolyte", "physics", "binder", "contact", "lithium", "numerics")
        for key in ELECTRODE.sections[name].model_fields
    ),
]  # fmt: skip


@pytest.mark.parametrize("key", OF_AN_ELECTRODE)
def test_any_value_at_any_key_of_an_electrode(tmp_path: Path, key: str):
    start = {"protocol.initial": {"particles": {"rest": 0.9}}} if key.count(".") == 2 else {}
    for value in ODD:
        try:
            case = electrode_case(tmp_path, start | {key: value})
        except InputError as error:
            said = str(error)
            assert key.split(".")[0] in said
        else:
            assert len(case.hash) == 16


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


def _write_ocv(folder: Path) -> None:
    rows = "".join(f"{theta},{4.4 - theta}\n" for theta in (0.1, 0.3, 0.6, 0.995))
    (folder / "ocv.csv").write_text("theta,U\n" + rows)


def test_every_example_of_the_electrode_s_starter_can_be_used(tmp_path: Path):
    _write_ocv(tmp_path)
    data = {name: dict(given) for name, given in ELECTRODE.given.items()}
    # a resistance stands in place of the conductivity that the starter states; its D is chemical
    alone: dict[str, Any] = {
        "contact.resistance": {"contact.conductivity": None},
        "geometry.corner_radius": {"geometry.sides": 8},
    }
    for key, value in ELECTRODE.examples.items():
        if key == "material.D_ab":
            continue
        changed = copy.deepcopy(data) | {"title": "x", "model": "electrode"}
        for place, said in {key: value, **alone.get(key, {})}.items():
            table, name = place.split(".")
            changed[table][name] = said
            if said is None:
                del changed[table][name]
        assert from_data(changed, tmp_path).hash


def test_every_example_of_the_starter_can_be_used(make: Callable[..., Case], tmp_path: Path):
    _write_ocv(tmp_path)
    alone = {"physics.rock_salt.intervals": {"physics.rock_salt.arrangement": "intervals"}}
    for key, value in STARTER.examples.items():
        assert make({key: value, **alone.get(key, {})}).hash
