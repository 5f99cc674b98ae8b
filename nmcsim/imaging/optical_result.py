"""Settings and result of the reduction of one particle's frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nmcsim.imaging.drift import Drift
from nmcsim.imaging.masks import Mask
from nmcsim.imaging.settings import Number, Series, option, read_settings, table_of
from nmcsim.imaging.unreacted import largest_of, resolved_values

__all__ = ["Optical", "OpticalResult"]

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Optical:
    """How the frames of one particle are reduced; the table ``[optical]``."""

    drift: str = option(
        "spot", choices=("spot", "phase", "none"), about="what the drift is followed by"
    )
    spot: tuple[float, float] | None = option(
        None, pair=True, low=0.0, about="x and y of the bright spot in the first frame [px]"
    )
    resolution: float = option(
        265e-9, unit="m", above=0.0, about="full width at half maximum of a point"
    )
    threshold: float | None = option(
        None, about="intensity of the mask [counts]; Otsu's where absent"
    )
    fill_holes: bool = option(True, about="whether holes of the mask belong to the particle")
    reference_frames: int = option(
        1, low=1, about="frames at the beginning whose mean is the reference I_1"
    )
    unreacted_below: float = option(
        0.05, above=0.0, below=1.0, about="magnitude of dI/I1 below which a pixel is unreacted"
    )
    smooth: float = option(
        0.0, unit="m", low=0.0, about="standard deviation of a Gaussian over the particle"
    )
    inset: float = option(
        0.0, unit="m", low=0.0, about="width of the rim that is left out, which blur dilutes"
    )

    @classmethod
    def from_table(cls, table: Mapping[str, Any], place: str = "optical") -> Self:
        """Read the table, with units; all mistakes at once.

        Raises
        ------
        InputError
        """
        return read_settings(cls, table, place)

    def table(self) -> dict[str, Any]:
        """The table that gives these settings."""
        return table_of(self)


@dataclass(frozen=True, eq=False)
class OpticalResult:
    """What the frames of one particle give.

    Parameters
    ----------
    settings : Optical
    pixel : float
        [m].
    time, soc : (k,) arrays
        [s], [1]; NaN without a record of the cell.
    drift : Drift
    mask : Mask
        Of the first frame; of what the drift leaves in sight throughout.
    box : slices
        The part of the first frame that pictures show.
    first : (h, w) array
        The reference, whole.
    com_distance, com_distance_error : (k,) arrays
        [m]; NaN where nothing is unreacted.
    unreacted_share, unreacted_share_error : (k,) arrays
    signal_mean, noise : (k,) arrays
        Mean of dI/I1 over the particle; standard deviation of dI/I1 of one pixel.
    centres : (k, 2) array
        Of the unreacted region, row and column [px].
    shown : tuple of (frame, picture)
        dI/I1 in the box, NaN outside the particle.
    warnings : tuple of str
    """

    settings: Optical
    pixel: float
    time: Array
    soc: Array
    drift: Drift
    mask: Mask
    box: tuple[slice, slice]
    first: Float32
    com_distance: Array
    com_distance_error: Array
    unreacted_share: Array
    unreacted_share_error: Array
    signal_mean: Array
    noise: Array
    centres: Array
    shown: tuple[tuple[int, Float32], ...]
    warnings: tuple[str, ...]

    @property
    def resolved_distance(self) -> Array:
        """The distance where at least 1 % of the area is unreacted [m]; (k,)."""
        return resolved_values(self.com_distance, self.unreacted_share)

    @property
    def numbers(self) -> dict[str, Number]:
        """One number each, under the names of a simulation's observables."""
        known = bool(np.isfinite(self.soc).any())
        value, soc, row = largest_of(
            self.com_distance, self.unreacted_share, self.soc if known else None
        )
        if row < 0:
            error = float("nan")
        else:  # half of what was gone on by beyond the last frame that counts
            beyond = value - float(self.com_distance[row])
            error = float(np.hypot(self.com_distance_error[row], 0.5 * beyond))
        found = {"com_distance_max": Number(value, error, "m", "largest centre-of-mass distance")}
        if known:
            near = self.resolved_distance >= value - error
            spread = float(0.5 * np.ptp(self.soc[near])) if near.any() else 0.0
            # no finer than the frames are apart
            gap = float(np.nanmedian(np.abs(np.diff(self.soc))))
            found["soc_at_com_distance_max"] = Number(
                soc, max(spread, gap), "1", "state of charge at the largest distance"
            )
        return found

    @property
    def series(self) -> dict[str, Series]:
        """Columns along the frames, under the names of a simulation's history."""
        none = np.full(len(self.time), np.nan)
        found = {
            "time": Series(self.time, none, "s", "time"),
            "com_distance": Series(
                self.resolved_distance, self.com_distance_error, "m", "centre-of-mass distance"
            ),
            "unreacted_share": Series(
                self.unreacted_share, self.unreacted_share_error, "1", "unreacted share of the area"
            ),
            "signal_mean": Series(self.signal_mean, none, "1", "mean dI/I1 of the particle"),
            "signal_noise": Series(self.noise, none, "1", "noise of dI/I1 of one pixel"),
            "drift_x": Series(
                self.pixel * self.drift.offsets[:, 1], self.pixel * self.drift.errors[:, 1],
                "m", "drift to the right",
            ),
            "drift_y": Series(
                self.pixel * self.drift.offsets[:, 0], self.pixel * self.drift.errors[:, 0],
                "m", "drift downwards",
            ),
        }  # fmt: skip
        if np.isfinite(self.soc).any():
            found = {"time": found.pop("time"), "soc": Series(self.soc, none, "1", "SOC"), **found}
        return found
