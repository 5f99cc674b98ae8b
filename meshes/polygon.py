"""A faceted crystal: a regular hexagon, or any polygon from a CSV file.

As a section (2D; the height turns areal currents into amperes) or as a prism (3D; hexahedra, basal
faces are surfaces of their own).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import ModuleType
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nmcsim.case import outline
from nmcsim.case.drawing import Layers, draw_prism, draw_section, name_groups, scaled_layers
from nmcsim.case.section import InputFile, Length, wrong
from nmcsim.case.shape import BASAL, LATERAL, Patches, Shape
from nmcsim.case.table import read_columns
from nmcsim.errors import InputError, Mistake

LAYERS = 2


class Polygon(Shape):
    """A crystal with flat lateral faces."""

    name: ClassVar[str] = "polygon"
    surfaces: ClassVar[Mapping[str, str]] = LATERAL | BASAL

    diameter: Length | None = Field(
        default=None,
        description="Diameter of the circle through the vertices of a regular polygon.",
    )
    sides: int = Field(default=6, ge=3, le=360, description="Sides of a regular polygon.")
    vertices: InputFile | None = Field(
        default=None, description="CSV file of the vertices in order, instead of a diameter."
    )
    columns: tuple[str, str] = Field(
        default=("x [um]", "y [um]"), description="Headings of its coordinates, with their unit."
    )
    form: Literal["section", "prism"] = Field(
        default="section", description="A section is meshed in 2D, a prism in 3D."
    )
    layers: Layers | None = Field(
        default=None, description=f"Cells over the height of a prism, even; {LAYERS}."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_source(cls, data: object) -> object:
        if isinstance(data, Mapping):
            given = {key for key in ("diameter", "vertices") if data.get(key) is not None}
            if len(given) != 1:
                raise wrong("needs either a diameter or vertices" + ", not both" * len(given))
            if "vertices" in given and "sides" in data:
                raise wrong("belongs to a regular polygon; vertices are given", key="sides")
            if data.get("layers") is not None and data.get("form") != "prism":
                raise wrong('counts cells over a prism; write form = "prism"', key="layers")
        return data

    @property
    def dimension(self) -> int:
        return 3 if self.form == "prism" else 2

    @cached_property
    def outline(self) -> outline.Polygon:
        if self.vertices is None:
            return outline.Polygon.regular(self.sides, self.diameter or 0.0)
        try:
            coordinates = read_columns(self.vertices, dict.fromkeys(self.columns, "m"))
            return outline.Polygon(np.stack(coordinates, axis=-1))
        except InputError as error:
            raise InputError(Mistake("vertices", error.mistakes[0].message)) from error

    def scaled(self, factor: float) -> Self:
        """The same polygon with all cell sizes times `factor`, the height of layers too."""
        found = super().scaled(factor)
        if self.form == "section":
            return found
        return found.changed(layers=scaled_layers(self.layers or LAYERS, factor))

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        if self.form == "section":
            name_groups(gmsh, draw_section(gmsh, self.outline, patches, self.cell_sizes))
            return
        layers = self.layers or LAYERS
        draw_prism(gmsh, self.outline, patches, self.cell_sizes, self.height, layers)
