"""Electrodes of round particles in a box, wherever these come from; binder among them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import shapely
from pydantic import Field
from shapely.affinity import rotate, translate
from shapely.geometry.base import BaseGeometry

from nmcsim.case import packing, pores
from nmcsim.case.electrode_shape import BINDER, CONTACT, particle_name
from nmcsim.case.packing import Disks
from nmcsim.case.planar import MICRO, Body, Layout, PlanarElectrode, circle, narrowest
from nmcsim.case.section import Length
from nmcsim.errors import InputError, Mistake
from nmcsim.units import display

TOLERANCE = 0.02
"""Binder share and coverage are met within this, or refused."""


class PackedElectrode(PlanarElectrode):
    """Round particles in a box, joined by necks, with binder in some of the pores."""

    width: Length = Field(description="Of the box, along the collector.")
    height: Length = Field(description="Of the layer of particles and binder.")
    separator: Length = Field(default=10e-6, description="Liquid between that layer and lithium.")
    binder_share: float = Field(
        default=0.12, ge=0.0, lt=1.0, description="Share of the layer's area that is binder."
    )
    coverage: float = Field(
        default=0.35,
        ge=0.0,
        le=1.0,
        description="Share of all particles' perimeter that is under binder.",
    )
    binder_layer: Length = Field(
        default=1e-6, description="Thickness of the binder that lies all over the collector."
    )
    binder_coat: Length = Field(
        default=8e-7, description="Thickness of binder that follows particles."
    )
    seed: int = Field(default=0, ge=0, description="Of the random numbers.")
    contact_gap: Length = Field(default=3e-7, description="Distance of particles in contact.")
    contact_width: Length = Field(default=1.5e-6, description="Width of the necks between them.")
    least_gap: Length = Field(
        default=6e-7, description="Least distance of particles that are not in contact."
    )
    allow_isolated: bool = Field(
        default=False, description="Whether particles may have no electronic path."
    )

    @abstractmethod
    def disks(self) -> Disks:
        """The particles [um].

        Raises
        ------
        InputError
            If they do not fit.
        """

    def arranged(self) -> Layout:
        mistakes = list(self._mistakes())
        if mistakes:
            raise InputError(mistakes)
        layer = shapely.box(0.0, 0.0, MICRO * self.width, MICRO * self.binder_layer)
        binder = shapely.union_all([layer, *(piece.area for piece in self._binder)])
        seen = pores.visible(self._placed)
        found = Layout(
            MICRO * self.width,
            MICRO * (self.height + self.separator),
            tuple(
                Body(disk, observed) for disk, observed in zip(self._space.disks, seen, strict=True)
            ),
            ((CONTACT, self._space.necks), (BINDER, binder)),
        )
        mistakes = list(self._unmet(found))
        if mistakes:
            raise InputError(mistakes)
        return found

    @property
    def reached(self) -> tuple[float, float]:
        """Binder share and coverage that the electrode has."""
        area = sum(piece.area.area for piece in self._binder)
        covered = sum(sum(piece.covers.values()) for piece in self._binder)
        return (area + self._layer_area) / self._whole, covered / self._perimeter

    @cached_property
    def _placed(self) -> Disks:
        return self.disks()

    def _mistakes(self) -> Iterator[Mistake]:
        least = narrowest(self.grain)
        for key in (
            "contact_gap",
            "contact_width",
            "least_gap",
            "binder_layer",
            "binder_coat",
            "separator",
        ):
            if getattr(self, key) < least * (1.0 - 1e-9):
                at_least = display(least, "m")
                yield Mistake(
                    key, f"is too small to mesh beside such particles; take at least {at_least}"
                )
        if self.least_gap < self.contact_gap:
            yield Mistake("least_gap", "is below contact_gap; particles that near are in contact")

    @property
    def sources(self) -> tuple[Path, ...]:
        return *super().sources, Path(__file__), Path(packing.__file__), Path(pores.__file__)

    @property
    def _whole(self) -> float:
        return MICRO**2 * self.width * self.height

    @property
    def _layer_area(self) -> float:
        return MICRO**2 * self.width * self.binder_layer

    @property
    def _perimeter(self) -> float:
        return 2.0 * math.pi * float(np.sum(self._placed.radii))

    @cached_property
    def _necks(self) -> BaseGeometry:
        x, half = self._placed.centres, 0.5 * MICRO * self.contact_width
        found = []
        for a, b in self._placed.contacts:
            length = math.dist(x[a], x[b])
            angle = math.atan2(x[b, 1] - x[a, 1], x[b, 0] - x[a, 0])
            along = rotate(
                shapely.box(0.0, -half, length, half), angle, (0.0, 0.0), use_radians=True
            )
            found.append(translate(along, *x[a]))
        return shapely.union_all(found)

    @cached_property
    def _space(self) -> pores.Space:
        box = shapely.box(0.0, MICRO * self.binder_layer, MICRO * self.width, MICRO * self.height)
        disks = self._placed
        solid = [
            circle(x, y, r)
            for (x, y), r in zip(disks.centres.tolist(), disks.radii.tolist(), strict=True)
        ]
        clear, coat = MICRO * self.least_gap, MICRO * self.binder_coat
        return pores.cut(disks, solid, self._necks, box, clear, coat)

    @cached_property
    def _binder(self) -> tuple[pores.Piece, ...]:
        """The pieces of space that binder fills."""
        disks = self._placed
        groups = pores.trees(len(disks.radii), disks.contacts)
        wanted = pores.Wanted(
            area=self.binder_share * self._whole - self._layer_area,
            covered=self.coverage * self._perimeter,
            perimeter=self._perimeter,
            whole=self._whole,
            trees=() if self.allow_isolated else groups,
        )
        rng = np.random.default_rng(self.seed)
        chosen = pores.filled(self._space.pieces, wanted, rng)
        return tuple(self._space.pieces[i] for i in sorted(chosen))

    def _unmet(self, found: Layout) -> Iterator[Mistake]:
        """What was asked of the binder and cannot be had."""
        share, coverage = self.reached
        missed = max(abs(share - self.binder_share), abs(coverage - self.coverage))
        if missed > TOLERANCE:
            yield Mistake(
                "binder_share",
                f"= {self.binder_share:g} with coverage = {self.coverage:g} cannot be met in this"
                f" packing; the nearest is a share of {share:.3f} with a coverage of"
                f" {coverage:.3f}",
            )
        lonely = [i for i, way in enumerate(found.obstructions) if way is None]
        if lonely and not self.allow_isolated:
            yield Mistake(
                "coverage",
                f"= {self.coverage:g} leaves {particle_name(lonely[0])} without an electronic path;"
                f" take more binder or more contacts, or write allow_isolated = true",
            )
