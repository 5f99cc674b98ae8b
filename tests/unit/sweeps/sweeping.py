"""A case to sweep over, and sweeps written in a line or two."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from nmcsim.errors import InputError
from nmcsim.sweeps.plan import Plan, make_plan

ROOT = Path(__file__).resolve().parents[3]
CASE = ROOT / "cases" / "crystal_aged_1C.toml"


def plan(text: str, **more: Any) -> Plan:
    """The plan of a ``[sweep]`` given as TOML, over the shipped crystal."""
    data = tomllib.loads(text)
    data.setdefault("sweep", {})["case"] = str(CASE)
    return make_plan(data, ROOT, **more)


def sentences(text: str, **more: Any) -> list[str]:
    """The mistakes of a sweep, each as one sentence."""
    try:
        plan(text, **more)
    except InputError as error:
        return [f"{m.place} {m.message}" for m in error.mistakes]
    return []


def sentence(text: str, **more: Any) -> str:
    """The only mistake of a sweep."""
    (found,) = sentences(text, **more)
    return found
