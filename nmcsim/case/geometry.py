"""What all geometries share: names of places, cell sizes, and how gmsh draws them.

A geometry is a frozen table of parameters. Its two kinds are `nmcsim.case.shape.Shape`, one
crystal, and `nmcsim.case.electrode_shape.ElectrodeShape`, particles with what lies between them.
Nothing here or in a file of `meshes/` imports gmsh: it is handed in.
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Self

from nmcsim.case.section import Section

Patches = tuple[tuple[float, float], ...]
"""Intervals (s0, s1) of the outline under rock salt, sorted; s1 > 1 runs over the start."""


class Geometry(Section):
    """Parameters of a geometry, the names of its places, and how it is drawn."""

    name: ClassVar[str]
    """What `geometry.shape` in a case file calls it."""
    model: ClassVar[str]
    """The case model that takes geometries of this kind."""
    order: ClassVar[int]
    """Order of the cells: 1 is straight, 2 is curved."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Dimension of the mesh: 2 for a section, 3 for the whole."""

    @property
    @abstractmethod
    def thickness(self) -> float:
        """What integrals over the mesh are multiplied by: the extent out of a section's plane [m],
        or 1 in 3D."""

    @property
    @abstractmethod
    def regions(self) -> Mapping[str, str]:
        """Names of volumes, unions too, each with a sentence."""

    @property
    @abstractmethod
    def surfaces(self) -> Mapping[str, str]:
        """Names of exterior surfaces, unions too, each with a sentence."""

    @property
    @abstractmethod
    def unions(self) -> Mapping[str, tuple[str, ...]]:
        """Names that stand for several regions, or for several surfaces."""

    @property
    def named_surfaces(self) -> Mapping[str, str]:
        """The surfaces that a mesh of this geometry has."""
        return self.surfaces

    @property
    def optional_regions(self) -> frozenset[str]:
        """Regions that may be absent from a mesh; integrals over them are then zero."""
        return frozenset()

    @property
    @abstractmethod
    def centre(self) -> tuple[float, float, float]:
        """The middle (x, y, z) [m]."""

    @property
    @abstractmethod
    def cell_sizes(self) -> tuple[float, ...]:
        """Cell sizes, from the largest to the smallest [m]."""

    @abstractmethod
    def scaled(self, factor: float) -> Self:
        """The same geometry with all cell sizes times `factor`."""

    @abstractmethod
    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        """Draw the geometry in micrometres in gmsh's current model.

        It names each region and surface by a physical group and sets the cell sizes; the mesh is
        generated afterwards, with cells of `order`.

        Parameters
        ----------
        gmsh : module
            Initialised, with an empty model.
        patches : tuple of (float, float)
            Intervals of a crystal's outline under rock salt; none for an electrode.
        """

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the mesh should know beyond the measures of its places."""
        return ()

    def mesh_now(self, gmsh: ModuleType) -> None:
        """Generate the mesh of what `build` has drawn."""
        gmsh.model.mesh.generate(self.dimension)
        gmsh.model.mesh.setOrder(self.order)

    def finish(self, gmsh: ModuleType) -> None:
        """Move nodes of the generated mesh, where gmsh left them amiss."""

    @property
    def source(self) -> Path:
        """The file that defines this geometry."""
        return Path(str(sys.modules[type(self).__module__].__file__))

    @property
    def sources(self) -> tuple[Path, ...]:
        """All files whose text decides what the mesh looks like: its own, and what it calls."""
        return (self.source,)

    @property
    def inputs(self) -> bytes:
        """What the files named by its parameters say, as far as the mesh depends on it."""
        files = [getattr(self, name) for name in sorted(type(self).model_fields)]
        return b"".join(path.read_bytes() for path in files if isinstance(path, Path))
