"""A simulated camera: what a microscope would have recorded of a simulated particle.

    theta(t), mean over each exposure -> intensity I(theta) -> light of each pixel, by area, depth
    -> optical blur (Gaussian) -> drift -> a bright spot beside the particle -> shot and read noise

Lun et al., Supplementary Information: 34.7 nm per pixel, 265 nm lateral resolution, about 200 nm
probing depth, 20 to 80 exposures averaged to a frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.camera.exposing import SATURATION, Exposed
from nmcsim.imaging.camera.law import Law, Linear
from nmcsim.imaging.camera.shake import Drift
from nmcsim.imaging.camera.snapshots import Snapshots
from nmcsim.imaging.camera.view import Direction
from nmcsim.imaging.stack import Stack
from nmcsim.units import display

__all__ = ["SATURATION", "Camera", "Spot"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spot:
    """A fixed bright spot smaller than the resolution, for drift correction.

    Parameters
    ----------
    position : (right, up) [m], optional
        In the coordinates of the picture; between the corner of the frame at the upper left and
        the particle where not given.
    brightness : float
        Of its middle above the background; 1 is the particle at the start.
    """

    position: tuple[float, float] | None = None
    brightness: float = 1.2


@dataclass(frozen=True)
class Camera:
    """A microscope with a camera.

    Parameters
    ----------
    pixel : float
        Edge of a pixel in the sample [m].
    resolution : float
        Full width at half maximum of the Gaussian blur [m]; 0 for none.
    depth : float
        Probing depth [m]: what lies z below the surface counts with exp(-z / depth). It matters
        where lithium varies along the viewing direction.
    view : "c", "x", "y" or (x, y, z)
        From where the camera looks: +z, +x, +y, or a direction.
    law : Law
        Intensity of theta.
    interval : float, optional
        Between frames [s]; None takes a frame at each recorded snapshot.
    binning : int
        Exposures that are averaged to a frame; they begin evenly spaced in the interval.
    exposure : float, optional
        Length of one [s]; ``interval / binning`` where not given.
    drift : Drift, optional
        Of the sample in the frame.
    noise : float, optional
        Electrons that a full pixel holds: shot noise is that of this many at `SATURATION`. None for
        no noise.
    read_noise : float
        Electrons (rms) per exposure; counts with `noise` only.
    background : float
        Intensity beside the particle.
    spot : Spot, optional
    margin : float, optional
        [m] around what is seen; wide enough for blur and drift where not given.
    seed : int
        Of noise and random drift.
    """

    pixel: float = 34.7e-9
    resolution: float = 265e-9
    depth: float = 200e-9
    view: Direction = "c"
    law: Law = field(default_factory=Linear)
    interval: float | None = None
    binning: int = 1
    exposure: float | None = None
    drift: Drift | None = None
    noise: float | None = None
    read_noise: float = 0.0
    background: float = 0.2
    spot: Spot | None = field(default_factory=Spot)
    margin: float | None = None
    seed: int = 0

    @classmethod
    def from_table(
        cls,
        table: Mapping[str, Any],
        place: str = "camera",
        folder: FilePath | None = None,
        base: Camera | None = None,
    ) -> Camera:
        """Read a ``[camera]`` table with units.

        Parameters
        ----------
        table : mapping
            As TOML gives it; see docs/how-to/film.md.
        place : str
            What sentences call it.
        folder : path, optional
            Where the table of a drift is looked for.
        base : Camera, optional
            What holds where the table says nothing.

        Raises
        ------
        InputError
            With all mistakes of the table.
        """
        from nmcsim.imaging.camera.table import read

        return read(table, place, folder or FilePath(), base or cls())

    def table(self) -> dict[str, Any]:
        """The ``[camera]`` table that `from_table` reads back into this camera."""
        from nmcsim.imaging.camera.table import written

        return written(self)

    def times(self, snapshots: Snapshots) -> Array:
        """Middles of the frames [s]; (k,)."""
        if self.interval is None:
            return snapshots.time
        start, end = snapshots.time[0], snapshots.time[-1]
        count = math.floor((end - start) / self.interval + 1e-9)
        if count < 2:
            raise InputError(
                Mistake(
                    f"interval = {display(self.interval, 's')}",
                    f"gives {count} whole frames in the {end - start:.6g} s that were recorded; "
                    "take a shorter one",
                )
            )
        return np.asarray(start + (np.arange(count) + 0.5) * self.interval)

    def notices(self, snapshots: Snapshots) -> tuple[str, ...]:
        """What somebody should know of the frames: recorded snapshots that are too sparse."""
        gap = float(np.diff(snapshots.time).max(initial=0.0))
        if self.interval is None or gap <= 1.5 * self.interval:
            return snapshots.notices
        sentence = (
            f"recorded frames are up to {gap:.3g} s apart, the camera's {self.interval:.3g} s: "
            "in between lithium is interpolated linearly; for more, run the case with "
            "output.frames (per step) or output.period"
        )
        return (*snapshots.notices, sentence)

    def taken(self, snapshots: Snapshots) -> Exposed:
        """The frames to iterate over, with their `time` (k,) [s], `shape` (h, w), true `drift`
        (k, 2) [m], `cover()` and `labels()`.

        Raises
        ------
        InputError
            The direction of view needs what the snapshots do not have, the frames would be too
            large, or fewer than two fit into the recorded time.
        """
        return Exposed(self, snapshots)

    def frames(self, snapshots: Snapshots) -> Iterator[Array]:
        """Frames (h, w), axis 1 downwards, axis 2 to the right; intensity 1 is I0.

        Raises
        ------
        InputError
            As `taken`.
        """
        return iter(self.taken(snapshots))

    def stack(self, snapshots: Snapshots) -> Stack:
        """All frames in memory."""
        taken = self.taken(snapshots)
        return Stack.of(np.stack(list(taken)), self.pixel, taken.time, snapshots.name)

    def labels(self, snapshots: Snapshots) -> NDArray[np.uint16]:
        """The particle in each pixel of an undrifted frame, counted from 1; 0 where none covers
        half of the pixel.
        """
        return self.taken(snapshots).labels()
