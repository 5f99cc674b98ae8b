"""One page per model: the balances of a paper, wired to a `Problem`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nmcsim import runtime as runtime  # first: it imports DOLFINx in the order that works
from nmcsim.models import electrode, single_crystal
from nmcsim.models.model import Model

MODELS: Mapping[str, Callable[[Any, Any], Model]] = {
    "electrode": electrode.build,
    "single_crystal": single_crystal.build,
}
"""``build(case, mesh) -> Model`` by the name that a case gives."""

__all__ = ["MODELS", "Model"]
