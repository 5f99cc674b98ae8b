"""What a run records of one crystal: its surface line, its unreacted region, its section."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nmcsim.imaging.section import unreacted_region
from nmcsim.observe.layout import Layout
from nmcsim.observe.view import SurfaceLine, View
from nmcsim.results import Frames, SurfaceTheta, ThetaMap
from nmcsim.solve.fields import Array

__all__ = ["CrystalWatch"]

Flux = Callable[[Array, Array, Mapping[str, float]], Array]


class CrystalWatch:
    """A `Watch` of lithium along the lateral surface and on the section along c.

    Parameters
    ----------
    case : Case
        With the outline, the rock salt and the intensity law.
    flux : callable
        ``(theta, b, row) -> j``: surface flux [mol/m2/s] at nodes with the stoichiometry ``theta``
        and the blocking factor ``b``, given the present row of the history.
    """

    def __init__(self, case: Any, flux: Flux) -> None:
        self._case, self._flux = case, flux

    def open(self, layout: Layout) -> Mapping[str, int]:
        """Order the nodes of the surface; the streams are theta and flux along it."""
        self.view = View.of(layout)
        self.surface = SurfaceLine.of(
            self.view.section, self._case.geometry.outline, self._case.patches
        )
        ratio = self._case.physics.rock_salt.flux_ratio
        self._b = np.where(self.surface.rock_salt, ratio, 1.0)
        along = len(self.surface.nodes)
        return {"surface": along, "flux": along}

    def begin(self, nodal: Array) -> None:
        """Take the section of the first frame as the reference of signals."""
        self._reference = nodal[self.view.index]

    def row(
        self, row: Mapping[str, float], nodal: Array
    ) -> tuple[Mapping[str, float], Mapping[str, Array]]:
        """The unreacted region, the largest flux, and both profiles along the surface."""
        theta, output = nodal[self.view.index], self._case.output
        region = unreacted_region(
            self.view.section, theta, self._reference, output.signal, output.unreacted_below
        )
        profile = theta[self.surface.nodes]
        flux = self._flux(profile, self._b, row)
        columns = {
            "com_distance": region.distance,
            "unreacted_share": region.share,
            "flux_max": float(flux[np.argmax(np.abs(flux))]),
        }
        return columns, {"surface": profile, "flux": flux}

    def sections(self, frames: Mapping[str, Frames], first: Frames) -> Mapping[str, Any]:
        """Lithium along the surface, and its map on the section."""
        surface, section, chain = self.surface, self.view.section, self.surface.nodes
        along = SurfaceTheta(
            surface.angle, surface.position, surface.rock_salt,
            frames["surface"].time, frames["surface"].values, frames["flux"].values,
        )  # fmt: skip
        plane = ThetaMap(
            section.nodes, section.triangles,
            np.column_stack((chain, np.roll(chain, -1))), surface.rock_salt,
            first.time, first.values[:, self.view.index].astype(np.float32),
        )  # fmt: skip
        return {"surface": along, "theta_map": plane}
