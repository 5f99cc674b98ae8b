"""Settings and result of the reduction of many particles' frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nmcsim.imaging.activation import HalfCycle
from nmcsim.imaging.drift import Drift
from nmcsim.imaging.settings import Number, Series, option, read_settings, table_of

__all__ = ["Activated", "Particles", "ParticlesResult"]

Array = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class Particles:
    """How frames of many particles are reduced; the table ``[particles]``."""

    drift: str = option(
        "none", choices=("spot", "phase", "none"), about="what the drift is followed by"
    )
    spot: tuple[float, float] | None = option(
        None, pair=True, low=0.0, about="x and y of the bright spot in the first frame [px]"
    )
    resolution: float = option(
        265e-9, unit="m", above=0.0, about="full width at half maximum of a point"
    )
    threshold: float | None = option(
        None, about="intensity from which on a pixel is of a particle [counts]; Otsu's where absent"
    )
    separation: float = option(
        2e-6, unit="m", above=0.0, about="least distance between the centres of particles"
    )
    smallest: float = option(
        0.5e-12, unit="m2", above=0.0, about="area below which a region is no particle"
    )
    full_scale: float | None = option(
        None, above=0.0, about="intensity that is 1 [counts]; each particle's first where absent"
    )
    window: float = option(
        0.04, above=0.0, below=0.5, about="width of the fitted lines over a half-cycle's length"
    )

    @classmethod
    def from_table(cls, table: Mapping[str, Any], place: str = "particles") -> Self:
        """Read the table, with units; all mistakes at once."""
        return read_settings(cls, table, place)

    def table(self) -> dict[str, Any]:
        """The table that gives these settings."""
        return table_of(self)


@dataclass(frozen=True, eq=False)
class Activated:
    """When particles take part in one half-cycle.

    Parameters
    ----------
    half : HalfCycle
    name : str
        "charge_1", "discharge_1", ...
    t25, t25_error, peak : (p,) arrays
        When a quarter of a particle's own change has happened, and when it is steepest [s]; NaN
        for one that does not change.
    asynchrony, asynchrony_error : float
        Largest minus smallest t25 over the length of the constant current.
    """

    half: HalfCycle
    name: str
    t25: Array
    t25_error: Array
    peak: Array
    asynchrony: float
    asynchrony_error: float


@dataclass(frozen=True, eq=False)
class ParticlesResult:
    """What the frames of many particles give.

    Parameters
    ----------
    settings : Particles
    pixel : float
        [m].
    time, soc : (k,) arrays
        [s], [1]; NaN without a record of the cell.
    drift : Drift
    labels : (h, w) int array
        Which particle a pixel of the first frame belongs to, from 1; 0 for none.
    first : (h, w) array
    names : tuple of str
        "particle[0]", ...
    intensity, smooth, slope : (k, p) arrays
        Normalised; the fitted lines; their slope over SOC, or over the share of the half-cycle's
        time where no SOC is known.
    noise : (p,) array
        Standard deviation of the normalised intensity about the lines.
    halves : tuple of Activated
    warnings : tuple of str
    """

    settings: Particles
    pixel: float
    time: Array
    soc: Array
    drift: Drift
    labels: Int
    first: NDArray[np.float32]
    names: tuple[str, ...]
    intensity: Array
    smooth: Array
    slope: Array
    noise: Array
    halves: tuple[Activated, ...]
    warnings: tuple[str, ...]

    @property
    def numbers(self) -> dict[str, Number]:
        """One number each, under the names of a simulation's observables."""
        found: dict[str, Number] = {}
        for one in self.halves:
            of, length = one.name, one.half.duration
            which = "of " + of.replace("_", " ")
            t25 = (one.t25 - one.half.t_start) / length
            part = np.flatnonzero(np.isfinite(t25))
            errors = one.t25_error / length
            if part.size > 1:
                low, high = part[t25[part].argmin()], part[t25[part].argmax()]
                spread = float(t25[part].std())
                blur = float(np.sqrt(np.mean(errors[part] ** 2) / part.size))
                found |= {
                    f"asynchrony_{of}": Number(
                        one.asynchrony, one.asynchrony_error, "1", f"asynchrony {which}"
                    ),
                    f"t25_first_{of}": Number(
                        float(t25[low]), float(errors[low]), "1", f"first t25 {which}"
                    ),
                    f"t25_last_{of}": Number(
                        float(t25[high]), float(errors[high]), "1", f"last t25 {which}"
                    ),
                    f"t25_spread_{of}": Number(
                        spread, blur, "1", f"standard deviation of all t25 {which}"
                    ),
                }
            share = part.size / len(t25)
            # of p particles a share s: binomial
            error = float(np.sqrt(share * (1.0 - share) / len(t25)))
            found[f"activated_{of}"] = Number(
                share, error, "1", f"share of the particles that take part in {which[3:]}"
            )
        return found

    @property
    def series(self) -> dict[str, Series]:
        """Columns along the frames: the mean intensity, then each particle's."""
        none = np.full(len(self.time), np.nan)
        found = {"time": Series(self.time, none, "s", "time")}
        if np.isfinite(self.soc).any():
            found["soc"] = Series(self.soc, none, "1", "SOC")
        mean = self.intensity.mean(axis=1)
        error = float(np.sqrt(np.sum(self.noise**2))) / len(self.names)
        found["intensity_mean"] = Series(mean, none + error, "1", "mean normalised intensity")
        for p, name in enumerate(self.names):
            noise = np.full(len(self.time), self.noise[p])
            found[f"intensity {name}"] = Series(
                self.intensity[:, p], noise, "1", f"normalised intensity of {name}"
            )
            found[f"slope {name}"] = Series(self.slope[:, p], none, "1", f"its slope, {name}")
        return found
