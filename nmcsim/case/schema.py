"""The JSON Schema of case files, from which an editor completes one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from nmcsim.case import single_crystal  # noqa: F401 - registers its model
from nmcsim.case.material import MaterialTable
from nmcsim.case.model import case_models
from nmcsim.case.shape import shape, shape_names
from nmcsim.materials import names

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The JSON Schema of all case files.

    Returns
    -------
    dict
        Draft 2020-12. A quantity is a string with the pattern of a number and a unit, and an
        example; every key has its description.
    """
    definitions: dict[str, Any] = {}
    models = [_case(kind, definitions) for kind in case_models().values()]
    top = models[0] if len(models) == 1 else {"oneOf": models}
    return {"$schema": DIALECT} | top | {"title": "nmcsim case", "$defs": definitions}


def _case(kind: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    found = _lifted(kind.model_json_schema(), definitions)
    keys = found["properties"]
    for key, inner in {
        "geometry": _geometry(definitions),
        "material": _material(definitions),
    }.items():
        if key in keys:
            keys[key] = {"description": keys[key].get("description", ""), **inner}
    return found


def _geometry(definitions: dict[str, Any]) -> dict[str, Any]:
    shipped = []
    for name in shape_names():
        found = _lifted(shape(name).model_json_schema(), definitions)
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


def _lifted(found: Mapping[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A schema whose own definitions are moved to `definitions`."""
    lifted = copy.deepcopy(dict(found))
    definitions.update(lifted.pop("$defs", {}))
    return lifted
