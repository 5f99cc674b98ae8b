"""A cross-section of an electrode as an image shows it: each label is a particle, one is binder.

The collector lies below the image, under a layer of binder, and lithium above it, beyond a
separator of liquid. Background is liquid. What the sides of the image cut ends there, as if it were
mirrored. x is to the right from the left side of the image, y upwards from the collector.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Self

import shapely
from pydantic import Field, model_validator
from shapely.affinity import translate

from nmcsim.case import label_electrode, labels
from nmcsim.case.electrode_shape import BINDER, CONTACT, particle_name
from nmcsim.case.label_electrode import Drawn, Read
from nmcsim.case.partition import MEASURED, Corners
from nmcsim.case.planar import MICRO, Body, Layout, PlanarElectrode, narrowest
from nmcsim.case.section import InputFile, Length, all_wrong
from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.outlines import labels as imaging
from nmcsim.imaging.outlines import phases, touching
from nmcsim.units import display


class ImageElectrode(PlanarElectrode):
    """Particles and binder where a label image says."""

    name: ClassVar[str] = "image_electrode"
    corners: ClassVar[Corners] = MEASURED

    image: InputFile = Field(
        description="PNG or TIFF of whole numbers: 0 is liquid, each other number one particle."
    )
    pixel: Length = Field(description="Size of a pixel.")
    binder: int | None = Field(
        default=None, ge=1, description="The number that is binder; none in the image."
    )
    depth: Length = Field(default=1e-5, description="Extent out of the plane.")
    smooth: Length | None = Field(
        default=None,
        description="Standard deviation of the blur that removes the steps of pixels; 2 pixels,"
        " and 0.04 radii of the particles at least.",
    )
    speck: int = Field(
        default=labels.SPECK,
        ge=0,
        description="Islands and holes of fewer pixels are dropped or filled.",
    )
    allow_necks: bool = Field(
        default=False, description="Whether a label may look like two regions that touch."
    )
    contact_gap: Length = Field(
        default=3e-7, description="Particles that are nearer are parted by so much."
    )
    binder_layer: Length = Field(
        default=1e-6, description="Thickness of the binder between the collector and the image."
    )
    separator: Length = Field(
        default=10e-6, description="Liquid between the image and the lithium."
    )
    allow_isolated: bool = Field(
        default=False, description="Whether particles may have no electronic path."
    )

    @property
    def grain(self) -> float:
        return self._read.radius * self.pixel

    @property
    def _read(self) -> Read:
        return label_electrode.read_electrode(self.image, self.binder, self.speck, self.allow_necks)

    @property
    def _drawn(self) -> Drawn:
        return label_electrode.drawn(
            self._read, self.pixel, self.smooth, self.contact_gap, self.binder
        )

    def arranged(self) -> Layout:
        mistakes = list(self._mistakes())
        if mistakes:
            raise InputError(mistakes)
        found, up = self._drawn, MICRO * self.binder_layer
        rows, columns = self._read.labels.shape
        width, top = MICRO * self.pixel * columns, up + MICRO * self.pixel * rows
        layer = shapely.box(0.0, 0.0, width, up)
        bodies = tuple(
            Body(translate(area, 0.0, up), observed)
            for area, observed in zip(found.particles, self._read.seen, strict=True)
        )
        binder = shapely.union_all([layer, translate(found.binder, 0.0, up)])
        layout = Layout(
            width,
            top + MICRO * self.separator,
            bodies,
            ((CONTACT, translate(found.contact, 0.0, up)), (BINDER, binder)),
        )
        lonely = [i for i, way in enumerate(layout.obstructions) if way is None]
        if lonely and not self.allow_isolated:
            own = f"{particle_name(lonely[0])} (label {self._read.numbers[lonely[0]]})"
            more = f" and {len(lonely) - 1} more" if len(lonely) > 1 else ""
            sentence = (
                f"leaves {own}{more} without an electronic path: it touches neither binder nor a"
                " particle that has one; name the binder's label by binder, or write"
                " allow_isolated = true"
            )
            raise InputError(Mistake("image", sentence))
        return layout

    def _mistakes(self) -> Iterator[Mistake]:
        least = narrowest(self.grain)
        for key in ("contact_gap", "binder_layer", "separator"):
            if getattr(self, key) < least * (1.0 - 1e-9):
                at_least = display(least, "m")
                yield Mistake(
                    key, f"is too small to mesh beside such particles; take at least {at_least}"
                )

    @property
    def notes(self) -> tuple[str, ...]:
        return *super().notes, *self._read.notes, *self._drawn.notes

    @property
    def sources(self) -> tuple[Path, ...]:
        modules = (label_electrode, labels, imaging, phases, touching)
        return *super().sources, *(Path(str(module.__file__)) for module in modules)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            labels.refuse_pixel(self.pixel)
            self._read  # noqa: B018 - what is wrong with the image is said once, here
        except InputError as error:
            raise all_wrong(error.mistakes) from None
        return self
