"""Cross-sections of a composite electrode: what all of them share.

A file in `meshes/` places bodies, contacts and binder (`Layout`); the rest follows from there: what
is liquid, who is obstructed, the planar partition, and the mesh.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Self

import shapely
from pydantic import Field, model_validator
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from nmcsim.case import electrode_shape, layers, partition
from nmcsim.case.electrode_shape import (
    BINDER,
    CONTACT,
    LIQUID,
    ElectrodeShape,
    Particle,
    particle_name,
)
from nmcsim.case.geometry import Patches
from nmcsim.case.layers import depths
from nmcsim.case.partition import Corners, Partition, Sizes, disjoint, draw
from nmcsim.case.section import Length, all_wrong, wrong
from nmcsim.errors import InputError
from nmcsim.units import display

MICRO = 1e6  # micrometres per metre
ROUND = 512  # vertices of a circle: its area is right to 3e-5
SMALLEST = 1.25e-6
"""Least typical radius of particles [m]: corners of binder beside smaller ones are too close."""
TOUCH = 0.02
"""Regions with less of a boundary in common [um] do not touch."""
INSIDE, INTERFACE, BOUNDARY, LAYER = 0.26, 0.11, 0.22, 0.02
"""Sizes of cells in the middle, at NMC and at other boundaries, and of the thinnest ones under the
surface of NMC, per particle radius."""
MESH_KEYS = frozenset(
    {"depth", "cell_size", "interface_cell_size", "layers", "layer", "cells_across"}
)
"""Parameters that leave the layout as it is."""
FINEST = 1e3
"""Cells per particle radius, at most: a mistyped unit is told from a fine mesh."""


@dataclass(frozen=True)
class Body:
    """A particle or a fragment in the plane [um]."""

    area: Polygon
    observed: bool = True
    fragment_of: int | None = None


@dataclass(frozen=True)
class Layout:
    """Where everything lies in the plane [um].

    Attributes
    ----------
    width, height : float
        Of the box; its lower left corner is the origin.
    bodies : tuple of Body
        In the order of the particles' numbers.
    between : tuple of (str, geometry)
        Areas of contact, binder or liquid; where areas overlap, bodies count first, then the
        first of these. What nothing covers is liquid.
    """

    width: float
    height: float
    bodies: tuple[Body, ...]
    between: tuple[tuple[str, BaseGeometry], ...]

    @cached_property
    def regions(self) -> dict[str, BaseGeometry]:
        """All regions, none of which overlap."""
        bodies = [(particle_name(i), body.area) for i, body in enumerate(self.bodies)]
        box = shapely.box(0.0, 0.0, self.width, self.height)
        return disjoint([*bodies, *self.between, (LIQUID, box)])

    def touching(self, name: str, number: int) -> float:
        """How long body `number` and the region `name` have a boundary in common [um]."""
        if name not in self.regions:
            return 0.0
        body = self.regions[particle_name(number)].boundary
        return float(shapely.intersection(body, self.regions[name].boundary, grid_size=1e-4).length)

    @cached_property
    def neighbours(self) -> tuple[tuple[int, int], ...]:
        """Pairs of bodies that a contact joins."""
        if CONTACT not in self.regions:
            return ()
        found = []
        necks = shapely.get_parts(self.regions[CONTACT])
        areas = [self.regions[particle_name(i)].boundary for i in range(len(self.bodies))]
        tree = shapely.STRtree(areas)
        for neck in necks:
            near = tree.query(neck.buffer(0.01), predicate="intersects")
            ends = [
                int(i)
                for i in sorted(near)
                if shapely.intersection(areas[i], neck.boundary, grid_size=1e-4).length > TOUCH
            ]
            found += [(a, b) for k, a in enumerate(ends) for b in ends[k + 1 :]]
        return tuple(found)

    @cached_property
    def embedded(self) -> tuple[bool, ...]:
        """Whether each body touches the binder."""
        return tuple(self.touching(BINDER, i) > TOUCH for i in range(len(self.bodies)))

    @cached_property
    def obstructions(self) -> tuple[int | None, ...]:
        """For each body, how many others lie between it and the binder; None without any way."""
        return obstructions(self.embedded, self.neighbours)


def obstructions(
    embedded: Sequence[bool], neighbours: Sequence[tuple[int, int]]
) -> tuple[int | None, ...]:
    """How many bodies an electron passes on its shortest way from the binder to each one.

    Parameters
    ----------
    embedded : sequence of bool
        Whether each body touches the binder.
    neighbours : sequence of (int, int)
        Pairs of bodies in contact.
    """
    beside: list[list[int]] = [[] for _ in embedded]
    for a, b in neighbours:
        beside[a].append(b)
        beside[b].append(a)
    found: list[int | None] = [0 if touches else None for touches in embedded]
    queue = deque((i, 0) for i, touches in enumerate(embedded) if touches)
    while queue:
        i, passed = queue.popleft()
        for k in beside[i]:
            if found[k] is None:
                found[k] = passed + 1
                queue.append((k, passed + 1))
    return tuple(found)


def narrowest(radius: float) -> float:
    """The narrowest gap, neck or layer that is meshed beside particles of a radius; both [m]."""
    return max(0.02 * radius, 1.25 * partition.SHORTEST / MICRO)


def circle(x: float, y: float, radius: float) -> Polygon:
    """A disk as a polygon of `ROUND` corners with exactly its area."""
    # corners a little outside: the polygon's area is the circle's
    turn = 2.0 * math.pi / ROUND
    outside = radius * math.sqrt(turn / math.sin(turn))
    angles = [turn * k for k in range(ROUND)]
    return Polygon([(x + outside * math.cos(a), y + outside * math.sin(a)) for a in angles])


@dataclass(frozen=True)
class _Parameters:
    """What a layout depends on, as a key of a cache."""

    kind: type[PlanarElectrode]
    values: tuple[tuple[str, str], ...]
    inputs: bytes
    shape: PlanarElectrode = field(compare=False)


@lru_cache(maxsize=16)
def _arranged(parameters: _Parameters) -> Layout:
    return parameters.shape.arranged()


@lru_cache(maxsize=16)
def _partitioned(parameters: _Parameters, sizes: Sizes) -> Partition:
    layout = _arranged(parameters)
    fine = frozenset(particle_name(i) for i in range(len(layout.bodies)))
    return partition.partition(layout.regions, fine, sizes, parameters.kind.corners)


class PlanarElectrode(ElectrodeShape):
    """A section of an electrode: x along the collector, y from there to the lithium."""

    corners: ClassVar[Corners] = partition.DRAWN
    """What a corner of a boundary is."""

    depth: Length = Field(description="Extent out of the plane.")
    cell_size: Length | None = Field(
        default=None, description="Size of the cells in the middle of regions; 0.26 radii."
    )
    interface_cell_size: Length | None = Field(
        default=None, description="Size of the cells at the particles; 0.11 radii."
    )
    layers: int = Field(
        default=0,
        ge=0,
        le=20,
        description="Layers of thin cells under the surface of particles, where electrons run in"
        " the skin that has lost lithium first; they are as long as interface_cell_size.",
    )
    layer: Length | None = Field(
        default=None, description="Thickness of the outermost of them; 0.02 radii."
    )
    cells_across: float = Field(
        default=2.0, ge=1.0, le=100.0, description="Number of cells across gaps, necks and cracks."
    )

    @property
    @abstractmethod
    def grain(self) -> float:
        """A typical radius of the particles, to which cell sizes refer [m]."""

    @abstractmethod
    def arranged(self) -> Layout:
        """Where everything lies.

        Raises
        ------
        InputError
            If the parameters do not fit together; places are keys of this section.
        """

    @cached_property
    def layout(self) -> Layout:
        """`arranged`, once for all shapes that differ in their cells or their depth only."""
        return _arranged(self._parameters)

    @cached_property
    def partition(self) -> Partition:
        """The regions with boundaries in common, cut into edges of the mesh [um].

        Raises
        ------
        InputError
            If corners or boundaries are too close for the cells.
        """
        inside, boundary, interface = (MICRO * size for size in self.cell_sizes)
        below = depths(MICRO * self.layer_thickness, self.layers)
        sizes = Sizes(inside, interface, boundary, self.cells_across, below)
        return _partitioned(self._parameters, sizes)

    @property
    def _parameters(self) -> _Parameters:
        values = {n: repr(getattr(self, n)) for n in type(self).model_fields if n not in MESH_KEYS}
        return _Parameters(type(self), tuple(values.items()), self.inputs, self)

    @property
    def dimension(self) -> int:
        return 2

    @property
    def thickness(self) -> float:
        return self.depth

    @property
    def centre(self) -> tuple[float, float, float]:
        """The middle of the box [m]."""
        return 0.5 * self.layout.width / MICRO, 0.5 * self.layout.height / MICRO, 0.0

    @property
    def cell_sizes(self) -> tuple[float, float, float]:
        """Cell size in the middle of regions, at their boundaries, and at particles [m]."""
        inside = self.cell_size or INSIDE * self.grain
        interface = min(self.interface_cell_size or INTERFACE / INSIDE * inside, inside)
        return inside, max(interface, BOUNDARY / INSIDE * inside), interface

    @property
    def layer_thickness(self) -> float:
        """Of the outermost layer of thin cells [m]."""
        return self.layer or LAYER / INSIDE * self.cell_sizes[0]

    def scaled(self, factor: float) -> Self:
        inside, _, interface = (factor * size for size in self.cell_sizes)
        most = 2.0 * self.grain
        return self.changed(
            cell_size=min(inside, most),
            interface_cell_size=min(interface, most),
            layer=factor * self.layer_thickness,
            cells_across=max(1.0, self.cells_across / factor),
        )

    @cached_property
    def particles(self) -> tuple[Particle, ...]:
        return tuple(
            Particle(
                name=particle_name(i),
                centre=(body.area.centroid.x / MICRO, body.area.centroid.y / MICRO),
                volume=body.area.area / MICRO**2 * self.depth,
                radius=math.sqrt(body.area.area / math.pi) / MICRO,
                obstruction=obstruction,
                observed=body.observed,
                fragment_of=body.fragment_of,
            )
            for i, (body, obstruction) in enumerate(
                zip(self.layout.bodies, self.layout.obstructions, strict=True)
            )
        )

    @property
    def coverages(self) -> tuple[float, ...]:
        """For each particle or fragment, the share of its perimeter under binder, as meshed."""
        names = [p.name for p in self.particles]
        return tuple(
            self.partition.length(name, BINDER) / self.partition.perimeter(name) for name in names
        )

    @property
    def notes(self) -> tuple[str, ...]:
        perimeters = [self.partition.perimeter(p.name) for p in self.particles]
        covered = sum(c * p for c, p in zip(self.coverages, perimeters, strict=True))
        binder = 100.0 * self.partition.area(BINDER) / (self.layout.width * self.layout.height)
        ways = [p.obstruction for p in self.particles]
        told = ", ".join(
            f"{ways.count(way)} with {way}" for way in sorted({w for w in ways if w is not None})
        )
        lost = [p.name for p in self.particles if p.obstruction is None]
        contacts = len(self.layout.neighbours)
        return (
            f"binder covers {100.0 * covered / sum(perimeters):.1f} % of the particles' perimeter"
            f" and fills {binder:.1f} % of the box",
            f"{contacts} contact{'s' * (contacts != 1)}; {len(ways)} particles, by how many others"
            f" lie between them and the binder: {told or 'none has a way'}",
            *([f"without any way: {', '.join(lost)}"] if lost else []),
        )

    @property
    def sources(self) -> tuple[Path, ...]:
        modules = (__file__, layers.__file__, electrode_shape.__file__)
        cutting = sorted(Path(partition.__file__).parent.glob("*.py"))
        return self.source, *map(Path, modules), *cutting

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        draw(gmsh, self.partition, {"collector": 0.0, "lithium": self.layout.height})

    @model_validator(mode="after")
    def _cells_fit(self) -> Self:
        try:
            unread = self.grain <= 0.0
        except InputError:
            unread = True
        if unread:  # what is wrong with the particles themselves is said when they are drawn
            return self
        if self.grain < SMALLEST:
            raise wrong(
                f"has particles of radius {display(self.grain, 'm')}, too small for the grid that"
                f" cross-sections are drawn on; the least is {display(SMALLEST, 'm')}"
            )
        for key in ("cell_size", "interface_cell_size"):
            size = getattr(self, key)
            if size is not None and not self.grain / FINEST <= size <= 2.0 * self.grain:
                least, most = (display(x, "m") for x in (self.grain / FINEST, 2.0 * self.grain))
                raise wrong(
                    f"does not fit particles of radius {display(self.grain, 'm')}; take"
                    f" {least} to {most}",
                    key=key,
                )
        return self

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        try:
            self.partition  # noqa: B018 - drawn now, so that what does not fit shows now
        except InputError as error:
            raise all_wrong(error.mistakes) from error
        return self
