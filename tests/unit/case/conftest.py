"""A case without mistakes, and the ways to spoil it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nmcsim.case.model import Case, from_data
from nmcsim.errors import InputError

GOOD: dict[str, Any] = {
    "title": "Aged crystal, 1C",
    "model": "single_crystal",
    "geometry": {"shape": "disk", "diameter": "2.5 um", "height": "1.0 um", "cell_size": "0.2 um"},
    "material": {"name": "nmc88"},
    "physics": {
        "surface": "flux",
        "temperature": "295.15 K",
        "rock_salt": {"coverage": 0.5, "flux_ratio": 0.0, "arrangement": "arc"},
    },
    "protocol": {
        "capacity": "200 mAh/g",
        "initial": 0.95,
        "steps": ["Charge at 1C until 4.3 V"],
    },
}
REMOVE = object()


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The good case with some dotted keys set, or removed."""
    data = copy.deepcopy(GOOD)
    for key, value in changes.items():
        *tables, last = key.split(".")
        here = data
        for table in tables:
            here = here.setdefault(table, {})
        if value is REMOVE:
            del here[last]
        else:
            here[last] = value
    return data


Make = Callable[..., Case]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """The good case with some keys changed; files are looked for in `tmp_path`."""
    return lambda changes=None: from_data(changed(changes or {}), tmp_path)


@pytest.fixture
def complaint(make: Make) -> Callable[[dict[str, Any]], str]:
    """What is said of the good case with some keys spoilt."""

    def said(changes: dict[str, Any]) -> str:
        with pytest.raises(InputError) as caught:
            make(changes)
        return str(caught.value)

    return said


@pytest.fixture
def remove() -> object:
    """Value of a change that takes a key away."""
    return REMOVE
