"""A random packing of round particles in a box, with binder in some of its pores.

Radii follow a log-normal distribution. Particles lie on no lattice and do not overlap; near ones
are joined by necks that carry electrons only. The same seed gives the same electrode.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import Field

from nmcsim.case.packed import PackedElectrode
from nmcsim.case.packing import Disks, Jammed, Room, pack, random_radii
from nmcsim.case.planar import MICRO
from nmcsim.case.section import Length
from nmcsim.errors import InputError, Mistake
from nmcsim.units import display

MOST = 500
"""Particles of one packing, at most."""


class Packing(PackedElectrode):
    """Round particles, randomly packed."""

    name: ClassVar[str] = "packing"

    number: int | None = Field(
        default=None, ge=1, le=MOST, description="Number of particles, instead of the porosity."
    )
    porosity: float | None = Field(
        default=None, gt=0.0, lt=1.0, description="Area share of liquid and binder in the layer."
    )
    mean_radius: Length = Field(default=5e-6, description="Mean radius of the particles.")
    spread: float = Field(
        default=0.2, ge=0.0, le=1.0, description="Standard deviation of the radii's logarithm."
    )
    smallest: float = Field(
        default=0.5, gt=0.1, le=1.0, description="Smallest radius, in mean radii."
    )
    largest: float = Field(default=2.0, ge=1.0, le=4.0, description="Largest one.")
    contacts: float = Field(
        default=1.2, ge=0.0, le=2.0, description="Contacts per particle, on average, at most."
    )

    @property
    def grain(self) -> float:
        return self.mean_radius

    def disks(self) -> Disks:
        rng = np.random.default_rng(self.seed)
        whole = MICRO**2 * self.width * self.height
        mean, gap = MICRO * self.mean_radius, MICRO * self.least_gap
        radii = random_radii(
            mean,
            self.spread,
            (self.smallest * mean, self.largest * mean),
            rng,
            number=self.number,
            area=None if self.porosity is None else (1.0 - self.porosity) * whole,
        )
        room = Room(
            left=gap,
            right=MICRO * self.width - gap,
            bottom=MICRO * self.binder_layer + gap,
            top=MICRO * self.height - gap,
            contact_gap=MICRO * self.contact_gap,
            clear_gap=gap,
        )
        try:
            return pack(radii, room, self.contacts, rng)
        except Jammed as jam:
            raise InputError(self._too_dense(radii, jam.share * room.area / whole)) from None

    def _mistakes(self) -> Iterator[Mistake]:
        if (self.number is None) == (self.porosity is None):
            both = ", not both" * (self.number is not None)
            yield Mistake("", "needs either a number of particles or a porosity" + both)
        yield from super()._mistakes()
        disk = math.pi * self.mean_radius**2
        if (1.0 - (self.porosity or 1.0)) * self.width * self.height > MOST * disk:
            yield Mistake("mean_radius", f"asks for more than {MOST} particles; take a smaller box")
        if self.contact_width > self.smallest * self.mean_radius:
            yield Mistake(
                "contact_width",
                f"is wider than a contact of the smallest particles can be; take at most their"
                f" radius, {display(self.smallest * self.mean_radius, 'm')}",
            )

    def _too_dense(self, radii: np.ndarray, reached: float) -> Mistake:
        share = math.pi * float(np.sum(radii**2)) / (MICRO**2 * self.width * self.height)
        if self.number is not None:
            return Mistake(
                "number",
                f"asks for particles on {share:.3f} of the layer; they jam at {reached:.3f}; take"
                " fewer or smaller ones, or a larger box",
            )
        return Mistake(
            "porosity",
            f"asks for particles on {share:.3f} of the layer; they jam at"
            f" {reached:.3f}; take a porosity of {math.ceil(100.0 * (1.0 - reached)) / 100.0:g} or"
            f" more",
        )
