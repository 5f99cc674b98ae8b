"""Materials: laws with unit, valid range and source, a small library, and what users may write."""

from __future__ import annotations

from nmcsim.materials.definition import Material
from nmcsim.materials.law import Law, LawError
from nmcsim.materials.library import material, names
from nmcsim.materials.parse import parse_law
from nmcsim.materials.words import describe, table

__all__ = ["Law", "LawError", "Material", "describe", "material", "names", "parse_law", "table"]
