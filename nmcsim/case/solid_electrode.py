"""Electrodes in three dimensions: what all of them share.

A file in `meshes/` says of which bodies an electrode consists; from there on it is cut into volumes
that share their faces, whose names follow from the bodies that they come from, and cells grow with
the distance from the particles' surfaces. Everything is drawn in micrometres, z upwards from the
collector.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Self

from pydantic import Field, model_validator

from nmcsim.case import electrode_shape
from nmcsim.case.electrode_shape import ElectrodeShape
from nmcsim.case.section import Length, all_wrong, wrong
from nmcsim.errors import InputError
from nmcsim.units import display

MICRO = 1e6  # micrometres per metre
INTERFACE = 0.55
"""Size of cells at particles, per size in the middle of regions."""
GROWTH = 0.4
"""Of the size of cells, per distance."""
FINEST, COARSEST = 200.0, 2.0
"""Cells per particle radius and radii per cell, at most: a mistyped unit is told from a mesh."""
LEAST = 0.02
"""Narrowest gap, neck or layer that is meshed, per radius."""
SLIVER = 0.2
"""Least shape quality of a mesh that is left as it is: Netgen takes longer than all the rest."""

Volumes = Mapping[str, Sequence[int]]
"""Volumes of gmsh's model by the name of their region."""


@dataclass(frozen=True)
class Fine:
    """A ball at which cells are small [um].

    Attributes
    ----------
    centre : (float, float, float)
    radius, size : float
    hollow : bool
        Whether cells are small at its surface alone.
    """

    centre: tuple[float, float, float]
    radius: float
    size: float
    hollow: bool = False


class SolidElectrode(ElectrodeShape):
    """An electrode in three dimensions."""

    inside: ClassVar[float] = 0.4
    """Size of cells in the middle of regions where a case states none, per particle radius."""

    cell_size: Length | None = Field(
        default=None, description="Size of the cells in the middle of regions."
    )
    interface_cell_size: Length | None = Field(
        default=None, description="Size of the cells at the particles; 0.55 of that."
    )

    @property
    @abstractmethod
    def grain(self) -> float:
        """A typical radius of the particles, to which cell sizes refer [m]."""

    @abstractmethod
    def arranged(self) -> None:
        """Draw nothing, but find out whether all of it can be.

        Raises
        ------
        InputError
            If the parameters do not fit together; places are keys of this section.
        """

    @property
    def dimension(self) -> int:
        return 3

    @property
    def thickness(self) -> float:
        return 1.0

    @cached_property
    def cell_sizes(self) -> tuple[float, float]:
        """Cell size in the middle of regions, and at particles [m]."""
        inside = self.cell_size or self.inside * self.grain
        return inside, min(self.interface_cell_size or INTERFACE * inside, inside)

    def scaled(self, factor: float) -> Self:
        most = COARSEST * self.grain
        inside, interface = (min(factor * size, most) for size in self.cell_sizes)
        return self.changed(cell_size=inside, interface_cell_size=interface)

    def finish(self, gmsh: ModuleType) -> None:
        """Without the slivers that gmsh's own optimiser may leave in thin gaps."""
        if least_quality(gmsh) < SLIVER:
            gmsh.model.mesh.optimize("Netgen")

    @property
    def sources(self) -> tuple[Path, ...]:
        return self.source, Path(__file__), Path(electrode_shape.__file__)

    @model_validator(mode="after")
    def _cells_fit(self) -> Self:
        least, most = self.grain / FINEST, COARSEST * self.grain
        for key in ("cell_size", "interface_cell_size"):
            size = getattr(self, key)
            # as scaled may write it: the bounds themselves fit
            if size is not None and not least * (1 - 1e-9) <= size <= most * (1 + 1e-9):
                raise wrong(
                    f"does not fit particles of radius {display(self.grain, 'm')}; take"
                    f" {display(least, 'm')} to {display(most, 'm')}",
                    key=key,
                )
        return self

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        try:
            self.arranged()
        except InputError as error:
            raise all_wrong(error.mistakes) from error
        return self


def cut_apart(gmsh: ModuleType, bodies: Sequence[tuple[str, Sequence[int]]]) -> Volumes:
    """Volumes that share their faces, by region.

    Parameters
    ----------
    gmsh : module
        With the bodies in its OpenCASCADE model.
    bodies : sequence of (str, sequence of int)
        Name of a region, and its volumes; where bodies overlap, the first counts.
    """
    occ = gmsh.model.occ
    left: list[tuple[str, list[tuple[int, int]]]] = []
    for name, volumes in bodies:
        own, before = [(3, v) for v in volumes], [part for _, parts in left for part in parts]
        if before and own:
            own, _ = occ.cut(own, before, removeObject=True, removeTool=False)
        left.append((name, own))
    everything = [part for _, parts in left for part in parts]
    _, pieces = occ.fragment(everything, [])
    occ.synchronize()
    found: dict[str, list[int]] = {}
    of_parent = iter(pieces)
    for name, parts in left:
        tags = [tag for _ in parts for _, tag in next(of_parent)]
        found[name] = found.get(name, []) + tags
    claimed = [tag for tags in found.values() for tag in tags]
    assert len(claimed) == len(set(claimed)), "bodies overlap after they were cut"
    return found


def exterior_faces(gmsh: ModuleType, volumes: Sequence[int]) -> list[int]:
    """Faces of `volumes` with nothing beyond."""
    return [
        face for face in _faces(gmsh, volumes) if len(gmsh.model.getAdjacencies(2, face)[0]) == 1
    ]


def level_faces(gmsh: ModuleType, z: float) -> list[int]:
    """Exterior faces that lie in the plane of this z [um]."""
    model, near = gmsh.model, 1e-4
    found = []
    for _, face in model.getEntities(2):
        box = model.getBoundingBox(2, face)
        flat = abs(box[2] - z) < near and abs(box[5] - z) < near
        if flat and len(model.getAdjacencies(2, face)[0]) == 1:
            found.append(face)
    return found


def edges_of(gmsh: ModuleType, faces: Sequence[int]) -> set[int]:
    """Curves around faces."""
    boundary = gmsh.model.getBoundary([(2, f) for f in faces], combined=False, oriented=False)
    return {curve for _, curve in boundary}


def least_quality(gmsh: ModuleType) -> float:
    """Least signed inverse condition number of a tetrahedron: 1 is ideal, 0 or less is inverted."""
    mesh = gmsh.model.mesh
    cells = [tag for tags in mesh.getElements(3)[1] for tag in tags]
    return float(min(mesh.getElementQualities(cells, "minSICN")))


def name_groups(gmsh: ModuleType, volumes: Volumes, surfaces: Mapping[str, Sequence[int]]) -> None:
    """Name regions and surfaces; what has no part gets no name."""
    for dimension, groups in ((3, volumes), (2, surfaces)):
        for name, tags in groups.items():
            if tags:
                gmsh.model.addPhysicalGroup(dimension, list(tags), name=name)


def grade(gmsh: ModuleType, inside: float, fine: Sequence[Fine]) -> None:
    """Cells of the size `inside` [um] that get smaller towards each of `fine`."""
    field = gmsh.model.mesh.field
    rules = []
    for ball in fine:
        rule = _ball(field, ball, inside, ball.radius, ball.size, inside)
        if ball.hollow and inside > ball.size:
            deep = min((inside - ball.size) / GROWTH, ball.radius * (1.0 - 1e-3))
            core = _ball(
                field, ball, inside, ball.radius - deep, ball.size + GROWTH * deep, ball.size
            )
            both = field.add("Max")
            field.setNumbers(both, "FieldsList", [rule, core])
            rule = both
        rules.append(rule)
    least = field.add("Min")
    field.setNumbers(least, "FieldsList", rules)
    field.setAsBackgroundMesh(least)


def _ball(
    field: ModuleType, ball: Fine, most: float, radius: float, within: float, beyond: float
) -> int:
    """A size field that goes from `within` a radius to `beyond` as cells grow."""
    rule: int = field.add("Ball")
    for name, x in zip(("XCenter", "YCenter", "ZCenter"), ball.centre, strict=True):
        field.setNumber(rule, name, x)
    field.setNumber(rule, "Radius", radius)
    field.setNumber(rule, "VIn", min(within, most))
    field.setNumber(rule, "VOut", min(beyond, most))
    field.setNumber(rule, "Thickness", max(abs(beyond - within), 1e-6) / GROWTH)
    return rule


def _faces(gmsh: ModuleType, volumes: Sequence[int]) -> list[int]:
    boundary = gmsh.model.getBoundary([(3, v) for v in volumes], combined=False, oriented=False)
    return sorted({face for _, face in boundary})
