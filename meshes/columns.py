"""Columns of particles in two rows: the cross-section of Sharma et al. 2022, Fig. 4a.

The lower row is embedded in a layer of binder on the collector. The upper row does not touch the
lower one: its particles hang on each other by necks that carry electrons only, and some of them,
by default the first alone, on a post of binder. So the k-th particle of the upper row is obstructed
by k others.

Particles are numbered from left to right, the lower row first. A cracked particle's larger fragment
keeps its number; the smaller ones follow after all others.
"""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise
from typing import Annotated, ClassVar, Self

import shapely
from pydantic import Field, model_validator
from scipy.optimize import brentq
from shapely import Polygon
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from nmcsim.case.planar import MICRO, Body, Layout, PlanarElectrode, circle
from nmcsim.case.section import Angle, Length, Section, wrong
from nmcsim.errors import InputError, Mistake

LIP = 0.15
"""How far binder reaches beyond the last point where it touches a particle, per radius."""
LEAST_GAP = 0.04
"""Narrowest gap that is meshed, per radius."""


class Crack(Section):
    """A straight crack through one particle, filled with liquid."""

    particle: int = Field(ge=0, description="Number of the particle.")
    angle: Angle = Field(description="Of the crack to the collector; 90 deg is upright.")
    offset: float = Field(
        default=0.25,
        ge=-0.7,
        le=0.7,
        description="Distance from the centre in radii, positive to the left of its direction.",
    )
    gap: Length | None = Field(default=None, description="Width of the crack; the contact gap.")


class Columns(PlanarElectrode):
    """Two rows of particles: one embedded, one obstructed."""

    name: ClassVar[str] = "columns"

    columns: int = Field(default=5, ge=1, le=100, description="Particles in each row.")
    radius: Length = Field(
        default=5e-6, description="Radius of the particles; of the circle within a polygon."
    )
    sides: int | None = Field(
        default=None,
        ge=4,
        le=64,
        description="Sides of polygons, a multiple of 4; circles if absent.",
    )
    corner_radius: Length | None = Field(
        default=None, description="Radius of a polygon's corners; sharp if absent."
    )
    coverage: Annotated[
        float, Field(ge=0.15, le=0.85, description="Share of a particle's perimeter under binder.")
    ] = 0.4
    posts: tuple[int, ...] = Field(
        default=(0,), description="Particles of the upper row that touch binder, from 0."
    )
    contact_gap: Length = Field(default=3e-7, description="Distance of particles in contact.")
    contact_width: Length = Field(default=1.5e-6, description="Width of the necks between them.")
    cracked: tuple[Crack, ...] = Field(default=(), description="Particles in two fragments.")
    binder_below: Length = Field(default=1e-6, description="Binder under the lower row.")
    post_width: Length = Field(default=1e-6, description="Width of the binder post on the left.")
    side_gap: Length = Field(default=1.5e-6, description="Liquid beside the outermost particles.")
    row_gap: Length = Field(default=2e-6, description="Distance of the rows.")
    separator: Length = Field(default=10e-6, description="Liquid between upper row and lithium.")

    @property
    def grain(self) -> float:
        return self.radius

    @model_validator(mode="after")
    def _numbers_exist(self) -> Self:
        missing = [k for k in self.posts if not 0 <= k < self.columns]
        if missing:
            raise wrong(f"names {missing[0]}; there are 0 to {self.columns - 1}", key="posts")
        return self

    def arranged(self) -> Layout:
        centres = [*((x, self._rows[0]) for x in self._x), *((x, self._rows[1]) for x in self._x)]
        whole = [translate(self._outline, x, y) for x, y in centres]
        width = self._x[-1] + MICRO * (self.radius + self.side_gap)
        height = self._rows[1] + MICRO * (self.radius + self.separator)
        binder = self._binder(width)
        contact = self._contacts(binder)
        bodies = [Body(area, observed=i >= self.columns) for i, area in enumerate(whole)]
        return Layout(width, height, tuple(bodies), contact, binder)

    @cached_property
    def _outline(self) -> Polygon:
        """A particle at the origin [um]."""
        return circle(0.0, 0.0, MICRO * self.radius)

    @cached_property
    def _x(self) -> list[float]:
        """Centres of the columns [um]."""
        pitch = 2.0 * self.radius + self.contact_gap
        first = self.post_width + self.side_gap + self.radius
        return [MICRO * (first + k * pitch) for k in range(self.columns)]

    @cached_property
    def _rows(self) -> tuple[float, float]:
        """Centres of the two rows [um]."""
        lower = self.binder_below + self.radius
        return MICRO * lower, MICRO * (lower + 2.0 * self.radius + self.row_gap)

    @cached_property
    def _level(self) -> float:
        """How high above a particle's centre binder reaches that covers the asked share [um]."""
        top = self._outline.bounds[3]
        perimeter = self._outline.length

        def missing(level: float) -> float:
            below = shapely.box(-2 * top, -2 * top, 2 * top, level)
            under = shapely.intersection(self._outline.boundary, below).length
            return float(under / perimeter - self.coverage)

        return float(brentq(missing, -top, top, xtol=1e-6))

    def _binder(self, width: float) -> BaseGeometry:
        lower, upper = self._rows
        radius, post = MICRO * self.radius, MICRO * self.post_width
        lip = LIP * radius
        film = shapely.box(0.0, 0.0, width, lower + self._level)
        if not self.posts:
            return film
        half = lip + (radius if self._level > 0.0 else math.sqrt(radius**2 - self._level**2))
        if set(self.posts) == {0}:
            # beside the first particle, as the film is below the lower row
            column = shapely.box(0.0, 0.0, post, upper)
            cup = shapely.box(0.0, upper - half, self._x[0] + self._level, upper + half)
            return shapely.union_all([film, column, cup])
        raise InputError(Mistake("posts", "must be [0] for now"))

    def _contacts(self, binder: BaseGeometry) -> BaseGeometry:
        """Necks between neighbours of the upper row, where binder leaves room."""
        _, y = self._rows
        half = 0.5 * MICRO * self.contact_width
        necks = [shapely.box(a, y - half, b, y + half) for a, b in pairwise(self._x)]
        return shapely.union_all(necks)
