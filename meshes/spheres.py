"""A random pile of spheres in a box: an electrode in three dimensions.

The lowest spheres are embedded in a layer of binder on the collector. Each further one hangs on
another by a neck that carries electrons only, so that every one has an electronic path. Liquid is
around them, and above them up to the lithium. The same seed gives the same electrode. Piles are
loose, up to 0.3 of the layer: no sphere touches three others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import numpy as np
from pydantic import Field

from nmcsim.case import packing, pile
from nmcsim.case.electrode_shape import BINDER, CONTACT, LIQUID, Particle, particle_name
from nmcsim.case.geometry import Patches
from nmcsim.case.packing import random_radii
from nmcsim.case.pile import Box, Full, Pile
from nmcsim.case.planar import obstructions
from nmcsim.case.section import Length
from nmcsim.case.solid_electrode import (
    LEAST,
    MICRO,
    Fine,
    SolidElectrode,
    cut_apart,
    grade,
    level_faces,
    name_groups,
)
from nmcsim.errors import InputError, Mistake
from nmcsim.units import display

MOST = 200
"""Spheres of one pile, at most."""
NECK = 0.4
"""Size of cells in a neck, per its width, at most."""


class Spheres(SolidElectrode):
    """Spheres, randomly piled."""

    name: ClassVar[str] = "spheres"

    number: int = Field(default=12, ge=1, le=MOST, description="Number of spheres.")
    mean_radius: Length = Field(default=5e-6, description="Mean radius of the spheres.")
    spread: float = Field(
        default=0.1, ge=0.0, le=1.0, description="Standard deviation of the radii's logarithm."
    )
    smallest: float = Field(
        default=0.6, gt=0.1, le=1.0, description="Smallest radius, in mean radii."
    )
    largest: float = Field(default=1.5, ge=1.0, le=4.0, description="Largest one.")
    width: Length = Field(default=28e-6, description="Of the box, along x.")
    depth: Length = Field(default=28e-6, description="Of the box, along y.")
    height: Length = Field(default=36e-6, description="Of the layer of spheres and binder.")
    separator: Length = Field(default=6e-6, description="Liquid between that layer and lithium.")
    coverage: float = Field(
        default=0.25,
        gt=0.0,
        lt=1.0,
        description="Share of the surface under binder, of spheres that touch it.",
    )
    binder_layer: Length = Field(default=4e-6, description="Thickness of the binder.")
    seed: int = Field(default=0, ge=0, description="Of the random numbers.")
    contact_gap: Length = Field(default=3e-7, description="Distance of spheres in contact.")
    contact_width: Length = Field(default=2e-6, description="Diameter of the necks between them.")
    least_gap: Length = Field(
        default=7e-7, description="Least distance of spheres that are not in contact."
    )

    @property
    def grain(self) -> float:
        return self.mean_radius

    @cached_property
    def pile(self) -> Pile:
        """The spheres [um].

        Raises
        ------
        InputError
            If they do not fit into the box.
        """
        rng = np.random.default_rng(self.seed)
        mean = MICRO * self.mean_radius
        limits = self.smallest * mean, self.largest * mean
        radii = rng.permutation(random_radii(mean, self.spread, limits, rng, number=self.number))
        deepest = self.binder_layer - 2.0 * self.coverage * radii.max() / MICRO
        if deepest < self._least:
            needed = 2.0 * self.coverage * radii.max() / MICRO + self._least
            raise InputError(
                Mistake(
                    "coverage",
                    f"= {self.coverage:g} sinks the largest sphere through the binder to the"
                    f" collector; take less, or a binder_layer of {display(needed, 'm')} or more",
                )
            )
        box = Box(
            width=MICRO * self.width,
            depth=MICRO * self.depth,
            top=MICRO * self.height,
            floor=MICRO * self.binder_layer,
            sunk=self.coverage,
            contact_gap=MICRO * self.contact_gap,
            clear_gap=MICRO * self.least_gap,
            neck=0.5 * MICRO * self.contact_width,
        )
        try:
            return pile.pile(radii, box, rng)
        except Full as full:
            raise InputError(self._too_many(radii, full.placed)) from None

    @cached_property
    def particles(self) -> tuple[Particle, ...]:
        found = self.pile
        passed = obstructions([b is None for b in found.bearers], found.contacts)
        return tuple(
            Particle(
                name=particle_name(i),
                centre=(x / MICRO, y / MICRO, z / MICRO),
                volume=4.0 / 3.0 * math.pi * (r / MICRO) ** 3,
                radius=r / MICRO,
                obstruction=passed[i],
                observed=seen,
            )
            for i, ((x, y, z), r, seen) in enumerate(
                zip(found.centres.tolist(), found.radii.tolist(), found.seen(), strict=True)
            )
        )

    @property
    def centre(self) -> tuple[float, float, float]:
        """The middle of the box [m]."""
        return 0.5 * self.width, 0.5 * self.depth, 0.5 * (self.height + self.separator)

    @property
    def sources(self) -> tuple[Path, ...]:
        return *super().sources, Path(pile.__file__), Path(packing.__file__)

    def arranged(self) -> None:
        mistakes = list(self._mistakes())
        if mistakes:
            raise InputError(mistakes)
        self.pile  # noqa: B018 - piled now, so that what does not fit shows now

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        occ, found = gmsh.model.occ, self.pile
        centres, radii = found.centres.tolist(), found.radii.tolist()
        across, along = MICRO * self.width, MICRO * self.depth
        top = MICRO * (self.height + self.separator)
        balls = []
        for i, (x, r) in enumerate(zip(centres, radii, strict=True)):
            ball = occ.addSphere(*x, r)
            for axis, angle in self._turns(i):
                occ.rotate([(3, ball)], *x, *axis, angle)
            balls.append((particle_name(i), [ball]))
        bars = []
        for a, b in found.contacts:
            way = (found.centres[b] - found.centres[a]).tolist()
            bars.append(occ.addCylinder(*centres[a], *way, 0.5 * MICRO * self.contact_width))
        layer = occ.addBox(0.0, 0.0, 0.0, across, along, MICRO * self.binder_layer)
        box = occ.addBox(0.0, 0.0, 0.0, across, along, top)
        volumes = cut_apart(gmsh, [*balls, (CONTACT, bars), (BINDER, [layer]), (LIQUID, [box])])
        surfaces = {"collector": level_faces(gmsh, 0.0), "lithium": level_faces(gmsh, top)}
        name_groups(gmsh, volumes, surfaces)
        grade(gmsh, MICRO * self.cell_sizes[0], self._fine())

    def _turns(self, i: int) -> list[tuple[tuple[float, float, float], float]]:
        """Rotations that turn a sphere's seam, where a mesh has edges, away from its necks.

        OpenCASCADE's sphere has it along the meridian of +x, from pole to pole. What ends near it
        has slivers. An embedded sphere keeps its poles: the seam leaves the binder upright.
        """
        found = self.pile
        others = [a if b == i else b for a, b in found.contacts if i in (a, b)]
        ways = found.centres[others] - found.centres[i]
        ways /= np.linalg.norm(ways, axis=1)[:, None]
        tilts = [0.0] if found.bearers[i] is None else np.arange(0.0, math.pi, math.pi / 6.0)
        rises = np.linspace(-0.5 * math.pi, 0.5 * math.pi, 41)
        best = (-1.0, 0.0, 0.0)
        for tilt in tilts:
            # about x first, then about z
            y, z = np.zeros_like(rises), np.sin(rises)
            seam = np.column_stack((np.cos(rises), y - math.sin(tilt) * z, math.cos(tilt) * z))
            for turn in np.arange(0.0, 2.0 * math.pi, math.pi / 12.0):
                c, s = math.cos(turn), math.sin(turn)
                turned = seam @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
                far = float(np.arccos(np.clip(turned @ ways.T, -1.0, 1.0)).min(initial=math.pi))
                best = max(best, (far, float(tilt), float(turn)))
        return [((1.0, 0.0, 0.0), best[1]), ((0.0, 0.0, 1.0), best[2])]

    def _fine(self) -> list[Fine]:
        """Small cells at spheres, and in necks."""
        found, (_, interface) = self.pile, self.cell_sizes
        size = MICRO * interface
        balls = [
            Fine((x, y, z), r, size, hollow=True)
            for (x, y, z), r in zip(found.centres.tolist(), found.radii.tolist(), strict=True)
        ]
        width = MICRO * self.contact_width
        middles = pile.necks(found).tolist()
        return [*balls, *(Fine((x, y, z), width, min(size, NECK * width)) for x, y, z in middles)]

    # -- what does not fit --------------------------------------------------------------------

    @property
    def _least(self) -> float:
        """Narrowest gap that is meshed [m]."""
        return LEAST * self.grain

    def _mistakes(self) -> Iterator[Mistake]:
        for key in ("contact_gap", "contact_width", "least_gap", "binder_layer", "separator"):
            if getattr(self, key) < self._least * (1.0 - 1e-9):
                yield Mistake(
                    key,
                    "is too small to mesh beside such spheres; take at least"
                    f" {display(self._least, 'm')}",
                )
        if self.least_gap < self.contact_gap:
            yield Mistake("least_gap", "is below contact_gap; spheres that near are in contact")
        if self.contact_width > self.smallest * self.mean_radius:
            yield Mistake(
                "contact_width",
                "is wider than a contact of the smallest spheres can be; take at most their"
                f" radius, {display(self.smallest * self.mean_radius, 'm')}",
            )
        for key in ("width", "depth", "height"):
            least = 2.0 * (self.mean_radius + self.least_gap)
            if getattr(self, key) < least:
                yield Mistake(
                    key, f"leaves no room for one sphere; take at least {display(least, 'm')}"
                )
        if self.binder_layer >= self.height:
            yield Mistake("binder_layer", "fills the whole layer; take less than its height")

    def _too_many(self, radii: np.ndarray, placed: int) -> Mistake:
        def share(count: int) -> float:
            volume = 4.0 / 3.0 * math.pi * float(np.sum(radii[:count] ** 3)) / MICRO**3
            return volume / (self.width * self.depth * self.height)

        return Mistake(
            "number",
            f"= {self.number} spheres would fill {share(self.number):.3f} of the layer; {placed}"
            f" find room, which fill {share(placed):.3f}; take fewer, or a larger box",
        )
