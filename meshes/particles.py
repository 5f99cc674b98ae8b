"""Round particles at given places, read from a CSV file, with binder among them.

Particles closer than `least_gap` are in contact: a neck joins them that carries electrons only.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

import numpy as np
from pydantic import Field

from nmcsim.case.packed import PackedElectrode
from nmcsim.case.packing import Disks, gaps, near_pairs
from nmcsim.case.planar import MICRO, narrowest
from nmcsim.case.section import InputFile
from nmcsim.case.table import data_lines, read_columns
from nmcsim.errors import InputError, Mistake
from nmcsim.units import display


class Particles(PackedElectrode):
    """Round particles where a file says."""

    name: ClassVar[str] = "particles"

    positions: InputFile = Field(
        description="CSV file with a line for each particle; y is measured from the collector."
    )
    columns: tuple[str, str, str] = Field(
        default=("x [um]", "y [um]", "radius [um]"),
        description="Headings of its coordinates and radii, with their unit.",
    )

    @property
    def grain(self) -> float:
        return float(np.mean(self._read.radii)) / MICRO

    @cached_property
    def _read(self) -> Disks:
        try:
            x, y, radius = read_columns(self.positions, dict.fromkeys(self.columns, "m"))
        except InputError as error:
            raise InputError(Mistake("positions", error.mistakes[0].message)) from error
        return Disks(MICRO * np.stack([x, y], axis=-1), MICRO * radius)

    def disks(self) -> Disks:
        found = self._read
        pairs = near_pairs(found.centres, found.radii, MICRO * self.least_gap)
        return Disks(found.centres, found.radii, tuple(pairs))

    def _mistakes(self) -> Iterator[Mistake]:
        yield from super()._mistakes()
        found = self._read
        lines = data_lines(self.positions)
        who = [f"particle[{i}] (line {lines[i]})" for i in range(len(found.radii))]
        yield from self._outside(found, who)
        least = MICRO * narrowest(self.grain)
        pairs = near_pairs(found.centres, found.radii, least)
        for (a, b), gap in zip(pairs, gaps(found.centres, found.radii, pairs), strict=True):
            if gap < 0.0:
                said = f"{who[a]} and {who[b]} overlap by {_um(-gap)}; move one of them"
            else:
                said = (
                    f"{who[a]} and {who[b]} are {_um(gap)} apart, too near to mesh; leave"
                    f" {_um(least)} at least"
                )
            yield Mistake("positions", f"says that {said}")
        smallest = float(found.radii.min())
        if smallest > 0.0 and MICRO * self.contact_width > smallest:
            yield Mistake(
                "contact_width",
                f"is wider than a contact of the smallest particle can be; take at most its"
                f" radius, {_um(smallest)}",
            )

    def _outside(self, found: Disks, who: list[str]) -> Iterator[Mistake]:
        gap = MICRO * self.least_gap
        low = np.array([gap, MICRO * self.binder_layer + gap])
        high = MICRO * np.array([self.width, self.height]) - gap
        for i, (centre, radius) in enumerate(zip(found.centres, found.radii, strict=True)):
            if radius <= 0.0:
                yield Mistake("positions", f"says that {who[i]} has a radius of {_um(radius)}")
            for k, axis in enumerate("xy"):
                beyond = max(low[k] - centre[k] + radius, centre[k] + radius - high[k])
                if beyond > 1e-6:
                    yield Mistake(
                        "positions",
                        f"says that {who[i]} reaches {_um(beyond)} out of the box in {axis}, which"
                        f" leaves least_gap at the sides and above the binder layer; move it or"
                        f" take a larger box",
                    )


def _um(length: float) -> str:
    return display(length / MICRO, "m")
