"""A mesh whose regions and surfaces have names and measures."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from dolfinx.mesh import Mesh as DolfinxMesh
from dolfinx.mesh import MeshTags, exterior_facet_indices
from mpi4py import MPI

from nmcsim.errors import InputError, Mistake
from nmcsim.forms import compiled
from nmcsim.mesh.parts import Interface, Part, exterior, interface, part_of, reached
from nmcsim.mesh.quality import Quality, quality_of


def number_of(name: str) -> int:
    """The number by which forms know a place, the same on every mesh.

    Were it a tag of the mesh, another number of particles would be other forms to compile.
    """
    return zlib.crc32(name.encode()) >> 1  # a signed integer of 32 bits in the compiled code


@dataclass(frozen=True)
class NamedMeasure:
    """What an integrand is multiplied by: ``f * mesh.dx("crystal")`` is a form [.. m2 or m3].

    Attributes
    ----------
    measure : ufl.Measure
        Over the cells or facets of that name.
    factor : fem.Constant, optional
        The thickness of a section [m].
    """

    measure: Any
    factor: fem.Constant[np.float64] | None

    __array_ufunc__ = None  # a NumPy scalar leaves the product to __rmul__

    def __rmul__(self, integrand: Any) -> ufl.Form:
        scaled = integrand if self.factor is None else self.factor * integrand
        return scaled * self.measure


@dataclass(frozen=True, eq=False)
class Mesh:
    """A mesh on all ranks of a communicator.

    Attributes
    ----------
    comm : MPI.Comm
        Its ranks share the mesh.
    domain : dolfinx.mesh.Mesh
        Coordinates in metres; cells of second order for crystals, straight ones for electrodes.
    cell_tags, facet_tags : MeshTags
        Integer tags; outside this package places have names.
    regions, surfaces : mapping of str to str
        Names of places, each with a sentence.
    tags : mapping of str to tuple of int
        The tags that a name stands for; none for a surface that is absent.
    thickness : float
        What integrals over the mesh are multiplied by: the height of a section [m], or 1 in 3D.
    factor : fem.Constant, optional
        The thickness in forms; None in 3D.
    centre : (float, float, float)
        Centroid of the particle, or middle of the box [m].
    shape_name : str
        Name of the geometry.
    msh_path : Path
        The .msh file, in micrometres, with named physical groups.
    """

    comm: MPI.Comm
    domain: DolfinxMesh[np.float64]
    cell_tags: MeshTags
    facet_tags: MeshTags
    regions: Mapping[str, str]
    surfaces: Mapping[str, str]
    tags: Mapping[str, tuple[int, ...]]
    thickness: float
    factor: fem.Constant[np.float64] | None
    centre: tuple[float, float, float]
    shape_name: str
    msh_path: Path
    _measured: dict[tuple[str, int | None], float] = field(default_factory=dict, repr=False)
    _parts: dict[str, Part] = field(default_factory=dict, repr=False)
    _spaces: dict[str, fem.FunctionSpace[np.float64]] = field(default_factory=dict, repr=False)
    _places: dict[str, list[tuple[int, np.ndarray]]] = field(default_factory=dict, repr=False)

    @property
    def dimension(self) -> int:
        """Dimension of the cells."""
        return int(self.domain.topology.dim)

    def dx(self, name: str, degree: int | None = None, rule: str | None = None) -> NamedMeasure:
        """The volume of a region, thickness folded in.

        Parameters
        ----------
        name : str
            One of `regions`.
        degree : int, optional
            Of the quadrature; UFL's estimate if absent.
        rule : str, optional
            ``"vertex"`` lumps an integral of linear functions at the nodes.
        """
        self._known(name, "region", self.regions)
        return self._named("dx", name, degree, rule)

    def ds(self, name: str, degree: int | None = None) -> NamedMeasure:
        """The area of a surface, thickness folded in; parameters as for `dx`."""
        self._known(name, "surface", self.surfaces)
        return self._named("ds", name, degree)

    def measure(self, name: str, degree: int | None = None) -> float:
        """Volume of a region [m3] or area of a surface [m2], as meshed, over all ranks.

        The first call for a name is collective.

        Parameters
        ----------
        name : str
            One of `regions` or `surfaces`.
        degree : int, optional
            Of the quadrature; give the one of the form that the measure is to agree with.
        """
        if (name, degree) not in self._measured:
            self._measured[name, degree] = self._integrate_one(name, degree)
        return self._measured[name, degree]

    def facets(self, name: str) -> np.ndarray:
        """Local numbers of the facets of a surface, int32, shape (n,)."""
        self._known(name, "surface", self.surfaces)
        return _found(self.facet_tags, self.tags[name])

    def cells(self, name: str) -> np.ndarray:
        """Local numbers of the cells of a region, int32, shape (n,)."""
        self._known(name, "region", self.regions)
        return _found(self.cell_tags, self.tags[name])

    def part(self, name: str) -> Part:
        """A region, or a union of regions, as a mesh of its own; the first call is collective."""
        if name not in self._parts:
            self._parts[name] = part_of(self.domain, name, self.cells(name))
        return self._parts[name]

    def has(self, region: str) -> bool:
        """Whether there are cells of a region."""
        return bool(self.tags.get(region, ()))

    def part_dofs(self, name: str, surface: str) -> np.ndarray:
        """Local dofs, owned or ghost, of a part's space on an exterior surface, int32."""
        on = self.part(name).dof_of[self.dofs(self._whole, surface)]
        return np.asarray(on[on >= 0])

    def connected(self, name: str, surface: str) -> np.ndarray:
        """Which local dofs of a part hang together with a surface through its cells; bool (n,)."""
        return reached(self.part(name).space, self.part_dofs(name, surface))

    @property
    def _whole(self) -> fem.FunctionSpace[np.float64]:
        """P1 on the whole mesh."""
        if "" not in self._spaces:
            self._spaces[""] = self.lagrange(1)
        return self._spaces[""]

    def interface(self, first: str, second: str) -> Interface:
        """Where two regions meet, lumped at the nodes, thickness folded in."""
        for name in (first, second):
            self._known(name, "region", self.regions)
        found = interface(self.domain, self.tag_of_cell, self.tags[first], self.tags[second])
        return replace(found, area=self.thickness * found.area)

    def exterior(self, name: str) -> Interface:
        """An exterior surface, lumped at the nodes, thickness folded in."""
        found = exterior(self.domain, self.tag_of_cell, self.facets(name))
        return replace(found, area=self.thickness * found.area)

    @property
    def tag_of_cell(self) -> np.ndarray:
        """Tag of each local cell, ghosts included; int64."""
        imap = self.domain.topology.index_map(self.dimension)
        tags = np.full(imap.size_local + imap.num_ghosts, -1, dtype=np.int64)
        tags[self.cell_tags.indices] = self.cell_tags.values
        return tags

    def dofs(self, space: fem.FunctionSpace[np.float64], name: str) -> np.ndarray:
        """Local dofs of `space` on a surface, owned ones first, int32, ascending."""
        found = fem.locate_dofs_topological(space, self.dimension - 1, self.facets(name))
        return np.sort(found)

    def lagrange(self, degree: int) -> fem.FunctionSpace[np.float64]:
        """Continuous scalar functions, piecewise polynomials of `degree`."""
        return fem.functionspace(self.domain, ("Lagrange", degree))

    def real(self) -> fem.FunctionSpace[np.float64]:
        """One number that all ranks share."""
        return fem.functionspace(
            self.domain, basix.ufl.real_element(self.domain.basix_cell(), value_shape=())
        )

    def quality(self) -> Quality:
        """Number, shape and size of the cells; collective."""
        return quality_of(self.domain, self.msh_path)

    def summary(self) -> str:
        """A few lines about the mesh, for a reader; collective."""
        found = self.quality()
        kind = (
            "straight cells"
            if self.domain.geometry.cmaps[0].degree == 1
            else "cells of second order"
        )
        each = [name for name in self.regions if name.startswith("particle[")]
        lines = [
            f"{self.shape_name}: {found.cells} {kind}, {found.nodes} nodes",
            f"  cells {found.smallest * 1e6:.3g} to {found.largest * 1e6:.3g} um wide, "
            f"least shape quality {found.sicn:.2f} (1 is ideal)",
        ]
        lines += [
            f"  {name:<10} {self.measure(name):.6g} m3" for name in self.regions if name not in each
        ]
        if each:
            volumes = [self.measure(name) for name in each]
            lines.append(
                f"  {each[0]} to {each[-1]}  {min(volumes):.6g} to {max(volumes):.6g} m3 each"
            )
        lines += [f"  {name:<10} {self.measure(name):.6g} m2" for name in self.surfaces]
        if {"rock_salt", "lateral"} <= set(self.surfaces):
            share = self.measure("rock_salt") / self.measure("lateral")
            lines.append(f"  rock salt covers {100.0 * share:.4f} % of the lateral surface")
        return "\n".join(lines)

    def _known(self, name: str, kind: str, names: Iterable[str]) -> None:
        if name in names:
            return
        near = get_close_matches(name, names, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(names)}"
        raise InputError(Mistake("", f'no {kind} "{name}" in {self.shape_name}; {hint}'))

    def _named(
        self, kind: str, name: str, degree: int | None, rule: str | None = None
    ) -> NamedMeasure:
        # one list for all measures of a kind, as UFL asks of the integrals in a form
        places, number = self._places.setdefault(kind, []), number_of(name)
        if number not in (known for known, _ in places):
            places.append((number, self._where(kind, name)))
        measure = ufl.Measure(kind, domain=self.domain, subdomain_data=places)
        metadata: dict[str, object] | None = None
        if degree is not None:
            metadata = {"quadrature_degree": degree} | ({"quadrature_rule": rule} if rule else {})
        return NamedMeasure(measure(number, metadata=metadata), self.factor)

    def _where(self, kind: str, name: str) -> np.ndarray:
        """What is integrated over on this rank: cells, or pairs of a cell and its facet."""
        topology = self.domain.topology
        if kind == "dx":
            return fem.compute_integration_domains(
                fem.IntegralType.cell, topology, self.cells(name)
            )
        topology.create_connectivity(self.dimension - 1, self.dimension)
        topology.create_connectivity(self.dimension, self.dimension - 1)
        facets = np.intersect1d(self.facets(name), exterior_facet_indices(topology))
        return fem.compute_integration_domains(fem.IntegralType.exterior_facet, topology, facets)

    def _integrate_one(self, name: str, degree: int | None) -> float:
        """The integral of 1, with code that is the same for every name and compiled once."""
        kind = "dx" if name in self.regions else "ds"
        measure = ufl.Measure(
            kind,
            domain=self.domain,
            subdomain_data=[(1, self._where(kind, name))],
            metadata=None if degree is None else {"quadrature_degree": degree},
        )
        form = compiled(fem.Constant(self.domain, np.float64(1.0)) * measure(1))
        return self.thickness * float(self.comm.allreduce(fem.assemble_scalar(form), op=MPI.SUM))


def _found(tags: MeshTags, wanted: tuple[int, ...]) -> np.ndarray:
    entities: np.ndarray = tags.indices[np.isin(tags.values, wanted)]
    return entities
