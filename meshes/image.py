"""A crystal as an image shows it: the smoothed outline of one label of a label image.

As a section (2D; the height turns areal currents into amperes) or as a prism (3D; hexahedra, basal
faces are surfaces of their own). x is to the right and y upwards from the lower left corner of the
image.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from nmcsim.case import labels
from nmcsim.case.drawing import (
    Layers,
    draw_prism,
    draw_section,
    name_groups,
    scaled_layers,
    stack_layers,
)
from nmcsim.case.outline import Smooth
from nmcsim.case.section import InputFile, Length, wrong, wrong_from
from nmcsim.case.shape import BASAL, LATERAL, Patches, Shape
from nmcsim.errors import InputError

LAYERS = 2


class Image(Shape):
    """A crystal whose section is one label of an image."""

    name: ClassVar[str] = "image"
    surfaces: ClassVar[Mapping[str, str]] = LATERAL | BASAL

    image: InputFile = Field(
        description="PNG or TIFF of whole numbers: 0 is background, each other number a region."
    )
    pixel: Length = Field(description="Size of a pixel.")
    height: Length = Field(default=1e-6, description="Extent along the c-axis.")
    label: int | None = Field(
        default=None, ge=1, description="Which number; the one with the most pixels."
    )
    smooth: Length | None = Field(
        default=None,
        description="Standard deviation of the blur that removes the steps of pixels; 2 pixels.",
    )
    speck: int = Field(
        default=labels.SPECK,
        ge=0,
        description="Islands and holes of fewer pixels are dropped or filled.",
    )
    allow_necks: bool = Field(
        default=False, description="Whether the label may look like two regions that touch."
    )
    form: Literal["section", "prism"] = Field(
        default="section", description="A section is meshed in 2D, a prism in 3D."
    )
    layers: Layers | None = Field(
        default=None, description=f"Cells over the height of a prism, even; {LAYERS}."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.layers is not None and self.form != "prism":
            raise wrong('counts cells over a prism; write form = "prism"', key="layers")
        return self

    @model_validator(mode="after")
    def _pixel_fits(self) -> Self:
        try:
            labels.refuse_pixel(self.pixel)
        except InputError as error:
            raise wrong_from(error, key="pixel") from None
        return self

    @property
    def dimension(self) -> int:
        return 3 if self.form == "prism" else 2

    @cached_property
    def _read(self) -> tuple[Smooth, tuple[str, ...]]:
        return labels.crystal_outline(
            self.image, self.pixel, self.label, self.smooth, self.speck, self.allow_necks
        )

    @property
    def outline(self) -> Smooth:
        return self._read[0]

    @property
    def notes(self) -> tuple[str, ...]:
        return self._read[1]

    @property
    def inputs(self) -> bytes:
        """The whole outline: the mesh depends on nothing else of the image."""
        return self.outline.vertices.tobytes()

    @property
    def sources(self) -> tuple[Path, ...]:
        return *super().sources, Path(labels.__file__)

    def scaled(self, factor: float) -> Self:
        """The same crystal with all cell sizes times `factor`, the height of layers too."""
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

    def finish(self, gmsh: ModuleType) -> None:
        if self.form == "prism":
            stack_layers(gmsh)
