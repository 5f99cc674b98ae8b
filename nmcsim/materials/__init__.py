"""Materials: laws with unit, valid range and source, a small library, and what users may write."""

from __future__ import annotations

from nmcsim.materials.definition import Material
from nmcsim.materials.electrolyte import Electrolyte
from nmcsim.materials.electrolytes import electrolyte, electrolyte_names
from nmcsim.materials.law import Law, LawError
from nmcsim.materials.library import material, names
from nmcsim.materials.parse import parse_law
from nmcsim.materials.words import describe, table

__all__ = [
    "Electrolyte",
    "Law",
    "LawError",
    "Material",
    "describe",
    "electrolyte",
    "electrolyte_names",
    "material",
    "names",
    "parse_law",
    "table",
]
