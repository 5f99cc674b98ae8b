"""An electrode whose mesh another program has made: triangles or tetrahedra with named parts.

Names: the regions ``particle[0]``, ``particle[1]``, ..., ``liquid``, and where there are any
``binder`` and ``contact``; the surfaces ``collector`` and ``lithium``. Particles must not share
sides of cells: lithium would pass from one to the other; a contact parts them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from nmcsim.case import electrode_shape, readymade, topology
from nmcsim.case.electrode_shape import (
    BINDER,
    CONTACT,
    LIQUID,
    ElectrodeShape,
    Particle,
    particle_name,
)
from nmcsim.case.geometry import Patches
from nmcsim.case.planar import obstructions
from nmcsim.case.readymade import ReadyMade, add_to_gmsh, read_mesh, refuse_names, wrong_mesh
from nmcsim.case.section import InputFile, Length, all_wrong
from nmcsim.errors import InputError

METRE = 1e-6


class ReadyMadeElectrode(ElectrodeShape):
    """An electrode meshed elsewhere."""

    name: ClassVar[str] = "mesh_electrode"

    mesh: InputFile = Field(description="File of the mesh: .msh, .vtu or .xdmf.")
    unit: str = Field(description='Of its coordinates, such as "um".')
    depth: Length = Field(
        default=1e-5, description="Extent out of the plane, where the mesh is plane."
    )

    @property
    def dimension(self) -> int:
        return self._read.dimension

    @property
    def thickness(self) -> float:
        return self.depth if self.dimension == 2 else 1.0

    @cached_property
    def _read(self) -> ReadyMade:
        found = read_mesh(self.mesh, self.unit)
        own = [n for n in found.names(found.dimension) if re.fullmatch(r"particle\[\d+\]", n)]
        particles = [particle_name(i) for i in range(max(1, len(own)))]
        regions = [*particles, CONTACT, BINDER, LIQUID]
        refuse_names(
            found, regions, ("collector", "lithium"), (*particles, LIQUID, "collector", "lithium")
        )
        _, groups = readymade.of_order(found, 1)
        cells, region = _together(groups, [n for n in regions if n in groups])
        outside = topology.exterior(cells)
        for name in ("collector", "lithium"):
            inside = int(np.sum(~topology.among(groups[name].cells, outside)))
            if inside:
                raise wrong_mesh(
                    self.mesh, f"has {inside} sides of {name} that are not on its outer surface"
                )
        met = [pair for pair in topology.meeting(cells, region) if max(pair) < len(particles)]
        if met:
            a, b = (particle_name(i) for i in min(met))
            raise wrong_mesh(
                self.mesh,
                f"lets {a} and {b} share sides, so that lithium would pass from one to the other;"
                " part them by cells of contact or liquid",
            )
        return found

    @cached_property
    def particles(self) -> tuple[Particle, ...]:
        points, groups = readymade.of_order(self._read, 1)
        number = sum(name.startswith("particle[") for name in groups)
        found = []
        for i, way in enumerate(self._obstructions(number)):
            cells = groups[particle_name(i)].cells
            size = float(np.abs(topology.measures(points, cells)).sum())
            flat = self.dimension == 2
            volume = METRE**2 * size * self.depth if flat else METRE**3 * size
            radius = math.sqrt(size / math.pi) if flat else (0.75 * size / math.pi) ** (1.0 / 3.0)
            centre = tuple(METRE * x for x in topology.centroid(points, cells))
            found.append(Particle(particle_name(i), centre, volume, METRE * radius, way))
        return tuple(found)

    def _obstructions(self, number: int) -> tuple[int | None, ...]:
        """How many others lie between each particle and binder, or the collector without any."""
        _, groups = readymade.of_order(self._read, 1)
        names = [particle_name(i) for i in range(number)]
        names += [name for name in (CONTACT, BINDER) if name in groups]
        cells, region = _together(groups, names)
        if CONTACT in groups:  # each piece of contact on its own
            own = region == names.index(CONTACT)
            region[own] = len(names) + topology.pieces(cells[own])
        pairs = topology.meeting(cells, region)
        soft = names.index(BINDER) if BINDER in groups else -1
        embedded = [(i, soft) in pairs for i in range(number)]
        if soft < 0:
            on = groups["collector"].cells
            faces = [topology.exterior(groups[particle_name(i)].cells) for i in range(number)]
            embedded = [bool(topology.among(own, on).any()) for own in faces]
        ends: dict[int, list[int]] = {}
        for a, b in pairs:
            if b >= len(names) and a < number:
                ends.setdefault(b, []).append(a)
        beside = [(a, b) for own in ends.values() for a in own for b in own if a < b]
        return obstructions(embedded, beside)

    @property
    def centre(self) -> tuple[float, float, float]:
        low, high = self._read.points.min(axis=0), self._read.points.max(axis=0)
        x, y, z = (METRE * 0.5 * (low + high)).tolist()
        return x, y, z

    @property
    def cell_sizes(self) -> tuple[float, ...]:
        """Typical size of the cells in general, and in the particles [m]."""
        points, groups = readymade.of_order(self._read, 1)
        dimension = self.dimension
        of = {n: g.cells for n, g in groups.items() if g.dimension == dimension}
        inner = np.concatenate([cells for n, cells in of.items() if n.startswith("particle[")])
        regular = math.sqrt(3.0) / 4.0 if dimension == 2 else math.sqrt(2.0) / 12.0
        sizes = [
            METRE
            * float(np.median(np.abs(topology.measures(points, own))) / regular)
            ** (1.0 / dimension)
            for own in (np.concatenate(list(of.values())), inner)
        ]
        return max(sizes), min(sizes)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes())

    def _notes(self) -> Iterator[str]:
        yield f"cells of {self.mesh.name}"
        lost = [p.name for p in self.particles if p.obstruction is None]
        if lost:
            yield f"without any electronic path: {', '.join(lost)}"

    @property
    def inputs(self) -> bytes:
        return self.mesh.read_bytes()

    @property
    def sources(self) -> tuple[Path, ...]:
        modules = (readymade, topology, electrode_shape)
        return *super().sources, *(Path(module.__file__) for module in modules)

    def scaled(self, factor: float) -> Self:
        """The same electrode: its cells are what they are."""
        return self

    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        add_to_gmsh(gmsh, self._read, self.order)

    def mesh_now(self, gmsh: ModuleType) -> None:
        """There is nothing to mesh."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        try:
            self._read  # noqa: B018 - what is wrong with the file shows now
        except InputError as error:
            raise all_wrong(error.mistakes) from None
        return self


def _together(
    groups: Mapping[str, readymade.Named], names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The cells of several groups, and for each the position of its group's name."""
    cells = [groups[name].cells for name in names]
    return np.concatenate(cells), np.repeat(np.arange(len(names)), [len(own) for own in cells])
