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
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import shapely
from pydantic import Field
from scipy.optimize import brentq
from shapely import Polygon
from shapely.affinity import rotate, translate
from shapely.geometry.base import BaseGeometry

from nmcsim.case.electrode_shape import BINDER, CONTACT, LIQUID
from nmcsim.case.planar import MICRO, ROUND, Body, Layout, PlanarElectrode, circle, narrowest
from nmcsim.case.section import Angle, Length, Section
from nmcsim.errors import InputError, Mistake
from nmcsim.units import display

LIP = 0.08
"""How far binder reaches beyond the last point where it touches a particle, per radius."""
RAIL = (0.35, 0.65)
"""Where binder runs between the rows, in shares of the row gap below the upper one."""


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
    gap: Length = Field(default=3e-7, description="Width of the crack.")


class Columns(PlanarElectrode):
    """Two rows of particles: one embedded, one obstructed."""

    name: ClassVar[str] = "columns"

    columns: int = Field(default=5, ge=1, le=100, description="Particles in each row.")
    radius: Length = Field(
        default=5e-6, description="Radius of the particles; of the circle within a polygon."
    )
    sides: int | None = Field(
        default=None,
        ge=8,
        le=64,
        multiple_of=4,
        description="Sides of polygons, a multiple of 4; circles if absent.",
    )
    corner_radius: Length | None = Field(
        default=None, description="Radius of a polygon's corners; sharp if absent."
    )
    coverage: float = Field(
        default=0.4,
        ge=0.15,
        le=0.85,
        description="Share of the perimeter under binder, of particles that touch it.",
    )
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

    def arranged(self) -> Layout:
        mistakes = list(self._mistakes())
        if mistakes:
            raise InputError(mistakes)
        cut = {crack.particle: self._fragments(crack) for crack in self.cracked}
        bodies = [
            Body(
                max(cut[i], key=lambda part: part.area) if i in cut else area,
                observed=i >= self.columns,
                fragment_of=i if i in cut else None,
            )
            for i, area in enumerate(self._whole)
        ]
        bodies += [
            Body(min(parts, key=lambda part: part.area), i >= self.columns, i)
            for i, parts in cut.items()
        ]
        width = self._x[-1] + MICRO * (self.radius + self.side_gap)
        height = self._rows[1] + MICRO * (self.radius + self.separator)
        # liquid fills the cracks: neither necks nor binder reach into them
        outlines = shapely.union_all([self._whole[i] for i in cut])
        necks, binder = self._necks(), self._binder(width)
        self._refuse_cracks_under(necks)
        between = ((LIQUID, outlines), (CONTACT, necks), (BINDER, binder))
        return self._bridged(Layout(width, height, tuple(bodies), between))

    def _mistakes(self) -> Iterator[Mistake]:
        numbers = range(2 * self.columns)
        for k in self.posts:
            if not 0 <= k < self.columns:
                yield Mistake("posts", f"names {k}; there are 0 to {self.columns - 1}")
        for i, crack in enumerate(self.cracked):
            if crack.particle not in numbers:
                sentence = f"is {crack.particle}; there are 0 to {numbers[-1]}"
                yield Mistake(f"cracked[{i}].particle", sentence)
            if crack.particle in [other.particle for other in self.cracked[:i]]:
                sentence = f"is {crack.particle} again; a particle cracks once"
                yield Mistake(f"cracked[{i}].particle", sentence)
            yield from self._too_narrow(f"cracked[{i}].gap", crack.gap)
            if crack.gap > 0.2 * self.radius:
                most = display(0.2 * self.radius, "m")
                yield Mistake(f"cracked[{i}].gap", f"is no crack; it is at most {most} wide")
        if self.contact_width > self.radius:
            yield Mistake(
                "contact_width",
                f"is wider than a contact of these particles can be; take at most the radius,"
                f" {display(self.radius, 'm')}",
            )
        if self.corner_radius is not None:
            if self.sides is None:
                yield Mistake("corner_radius", "belongs to polygons; give sides too")
            elif self.corner_radius >= 0.95 * self.radius:
                yield Mistake("corner_radius", "leaves no faces; leave out sides for circles")
        gaps = "contact_gap contact_width binder_below post_width side_gap row_gap separator"
        for key in gaps.split():
            yield from self._too_narrow(key, getattr(self, key))

    def _too_narrow(self, key: str, width: float) -> Iterator[Mistake]:
        least = narrowest(self.radius)
        if width < least * (1.0 - 1e-9):
            yield Mistake(
                key,
                f"is too small to mesh beside such particles; take at least {display(least, 'm')}",
            )

    @cached_property
    def _outline(self) -> Polygon:
        """A whole particle at the origin [um]."""
        radius = MICRO * self.radius
        if self.sides is None:
            return circle(0.0, 0.0, radius)
        # faces to the left and right, where contacts are
        turn = 2.0 * math.pi / self.sides
        outside = radius / math.cos(0.5 * turn)
        angles = [turn * (k + 0.5) for k in range(self.sides)]
        sharp = Polygon([(outside * math.cos(a), outside * math.sin(a)) for a in angles])
        if self.corner_radius is None:
            return sharp
        r = MICRO * self.corner_radius
        return sharp.buffer(-r, join_style="mitre").buffer(r, quad_segs=ROUND // 4)

    @cached_property
    def _whole(self) -> list[Polygon]:
        """Outlines of all particles as if none were cracked [um]."""
        return [translate(self._outline, x, y) for y in self._rows for x in self._x]

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

        def missing(level: float) -> float:
            under = shapely.intersection(self._outline.boundary, _below(level, top)).length
            return float(under / self._outline.length - self.coverage)

        return float(brentq(missing, -top, top, xtol=1e-6))

    def _binder(self, width: float) -> BaseGeometry:
        """Binder, as if there were no particles [um]."""
        lower, _ = self._rows
        film = shapely.box(0.0, 0.0, width, lower + self._level)
        if not self.posts:
            return film
        above = self._cup() if set(self.posts) == {0} else self._shelf()
        room = shapely.distance(above, shapely.union_all(self._whole[: self.columns]))
        if room < MICRO * narrowest(self.radius):
            raise InputError(
                Mistake("row_gap", "leaves no liquid between the lower row and the binder above it")
            )
        return shapely.union(film, above)

    @cached_property
    def _half(self) -> float:
        """Half of the width of binder that embeds one particle alone [um]."""
        under = shapely.intersection(self._outline, _below(self._level, MICRO * 2.0 * self.radius))
        return float(under.bounds[2]) + LIP * MICRO * self.radius

    def _cup(self) -> BaseGeometry:
        """A post along the left side that ends beside the first particle of the upper row."""
        upper = self._rows[1]
        post = shapely.box(0.0, 0.0, MICRO * self.post_width, upper)
        right = self._x[0] + self._level
        return post.union(shapely.box(0.0, upper - self._half, right, upper + self._half))

    def _shelf(self) -> BaseGeometry:
        """A post that turns into a rail between the rows, and embeds particles from there."""
        bottom = self._rows[1] - MICRO * self.radius
        low, high = (bottom - share * MICRO * self.row_gap for share in reversed(RAIL))
        level = self._rows[1] + self._level
        ends = {k: self._reach(k) for k in sorted(set(self.posts))}
        blocks = [shapely.box(a, low, b, level) for a, b in ends.values()]
        post = shapely.box(0.0, 0.0, MICRO * self.post_width, high)
        rail = shapely.box(0.0, low, max(b for _, b in ends.values()), high)
        found = shapely.union_all([post, rail, *blocks])
        for k in set(range(self.columns)) - set(ends):
            room = shapely.distance(found, self._whole[self.columns + k])
            if room < MICRO * narrowest(self.radius):
                raise InputError(
                    Mistake(
                        "coverage",
                        f"= {self.coverage:g} of its neighbours' perimeter leaves no room beside"
                        f" particle {k} of the upper row; take less, or name it among the posts",
                    )
                )
        return found

    def _reach(self, k: int) -> tuple[float, float]:
        """From where to where binder embeds particle `k` of the upper row [um]."""
        half_pitch = MICRO * (self.radius + 0.5 * self.contact_gap)
        left, right = (
            half_pitch if beside in self.posts else self._half for beside in (k - 1, k + 1)
        )
        return (0.0 if k == 0 else self._x[k] - left), self._x[k] + right

    def _necks(self) -> BaseGeometry:
        """Necks between neighbours of the upper row, where binder leaves room [um]."""
        y, half = self._rows[1], 0.5 * MICRO * self.contact_width
        in_binder = self._level > -half - LIP * MICRO * self.radius
        return shapely.union_all(
            [
                shapely.box(a, y - half, b, y + half)
                for k, (a, b) in enumerate(pairwise(self._x))
                if not (in_binder and {k, k + 1} <= set(self.posts))
            ]
        )

    def _fragments(self, crack: Crack) -> tuple[Polygon, Polygon]:
        """The two fragments of a cracked particle [um]."""
        strip = self._placed(crack, 4.0 * MICRO * self.radius)
        one, other = shapely.get_parts(shapely.difference(self._whole[crack.particle], strip))
        return one, other

    def _placed(self, crack: Crack, length: float, wider: float = 1.0) -> Polygon:
        """A length of the crack about its middle, and its gap or so many times as wide [um]."""
        half, offset = 0.5 * wider * MICRO * crack.gap, MICRO * self.radius * crack.offset
        strip = shapely.box(-0.5 * length, offset - half, 0.5 * length, offset + half)
        centre = self._whole[crack.particle].centroid
        turned = rotate(strip, crack.angle, origin=(0.0, 0.0), use_radians=True)
        return translate(turned, centre.x, centre.y)

    def _refuse_cracks_under(self, necks: BaseGeometry) -> None:
        for i, crack in enumerate(self.cracked):
            whole = self._whole[crack.particle]
            ends = self._placed(crack, 4.0 * MICRO * self.radius).intersection(whole.boundary)
            room = shapely.distance(ends, necks)  # NaN without any neck
            if room < MICRO * narrowest(self.radius):
                raise InputError(
                    Mistake(f"cracked[{i}].angle", "ends the crack under a neck; turn or shift it")
                )

    def _bridged(self, found: Layout) -> Layout:
        """With a neck across each crack that would leave a fragment without electrons."""
        for number, crack in enumerate(self.cracked):
            pair = crack.particle, 2 * self.columns + number
            ways = [found.obstructions[i] for i in pair]
            if (ways[0] is None) != (ways[1] is None):
                neck = self._placed(crack, MICRO * self.contact_width, 3.0)
                found = replace(found, between=((CONTACT, neck), *found.between))
        return found


def _below(level: float, extent: float) -> Polygon:
    """The half plane below `level`, as far as it matters."""
    return shapely.box(-2.0 * extent, -2.0 * extent, 2.0 * extent, level)
