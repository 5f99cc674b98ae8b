"""The JSON Schema of case files, from which an editor completes one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from nmcsim.case import electrode, single_crystal  # noqa: F401 - each registers its model
from nmcsim.case.geometry import Geometry
from nmcsim.case.material import MaterialTable
from nmcsim.case.model import case_models
from nmcsim.case.shape import geometry, geometry_names
from nmcsim.case.sweep_table import SweepTable
from nmcsim.materials import electrolyte_names, names

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The JSON Schema of all case files, and of those of sweeps.

    Returns
    -------
    dict
        Draft 2020-12. A quantity is a string with the pattern of a number and a unit, and an
        example; every key has its description.
    """
    definitions: dict[str, Any] = {}
    models = [_case(name, kind, definitions) for name, kind in case_models().items()]
    sweep = _lifted(SweepTable.model_json_schema(), definitions)
    for model in models:
        model["properties"]["sweep"] = {"description": "What varies, for nmcsim sweep.", **sweep}
    alone = {
        "title": "Sweep",
        "type": "object",
        "properties": {"sweep": {**sweep, "required": ["case"]}},
        "required": ["sweep"],
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "title": "nmcsim case",
        "type": "object",
        "oneOf": [*models, alone],
        "$defs": definitions,
    }


def _case(name: str, kind: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    found = _lifted(kind.model_json_schema(), definitions)
    keys = found["properties"]
    inner = {"geometry": _geometry(name, definitions), "material": _material(definitions)}
    for key, said in inner.items():
        keys[key] = {"description": keys[key].get("description", ""), **said}
    if "electrolyte" in keys:
        _offer(keys["electrolyte"]["properties"]["name"], electrolyte_names())
    return found


def _geometry(model: str, definitions: dict[str, Any]) -> dict[str, Any]:
    shipped = []
    kinds: dict[str, type[Geometry]] = {name: geometry(name) for name in geometry_names()}
    for name, kind in kinds.items():
        if kind.model != model:
            continue
        found = _lifted(kind.model_json_schema(), definitions)
        found["properties"] = {"shape": {"const": name}} | found["properties"]
        found["required"] = ["shape", *found.get("required", ())]
        shipped.append(found)
    own = {
        "type": "object",
        "properties": {"file": {"type": "string", "pattern": r"\.py$"}},
        "required": ["file"],
    }
    return {"oneOf": [*shipped, own]}


def _material(definitions: dict[str, Any]) -> dict[str, Any]:
    found = _lifted(MaterialTable.model_json_schema(), definitions)
    found["properties"]["name"]["enum"] = list(names())
    return found


def _offer(key: dict[str, Any], known: tuple[str, ...]) -> None:
    """Let an editor offer the names that a key may have, where it is given at all."""
    key["anyOf"] = [
        one | {"enum": list(known)} if one.get("type") == "string" else one for one in key["anyOf"]
    ]


def _lifted(found: Mapping[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A schema whose own definitions are moved to `definitions`."""
    lifted = copy.deepcopy(dict(found))
    definitions.update(lifted.pop("$defs", {}))
    return lifted
