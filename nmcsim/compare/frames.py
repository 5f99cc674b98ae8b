"""The run as a microscope would have seen it, reduced by the code that reduces micrographs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError
from nmcsim.imaging.activation import half_cycles
from nmcsim.measured import Measured
from nmcsim.results import Result, Series
from nmcsim.units import display

__all__ = ["Reduced", "reduced_frames", "seen_in_frames"]

Array = NDArray[np.float64]

OF_A_PARTICLE = ("com_distance", "soc_at_com_distance_max", "unreacted_share", "signal_")
OF_PARTICLES = ("asynchrony_", "t25_", "activated_", "intensity_", "slope_")
"""How names begin that the reduction of frames gives otherwise than the run itself: a run is filmed
where one of them was measured."""


@dataclass(frozen=True)
class Reduced:
    """What the reduction of simulated frames gives.

    Parameters
    ----------
    numbers : mapping of str to (value, unit)
    columns : mapping of str to Series
        One row per frame: ``time``, ``soc``, ``com_distance``, ...
    notes : tuple of str
        What a reader should know of it: the reduction's own warnings.
    """

    numbers: Mapping[str, tuple[float, str]]
    columns: Mapping[str, Series]
    notes: tuple[str, ...]


def seen_in_frames(result: Result, names: Iterable[str]) -> bool:
    """Whether one of these names is what frames are reduced to."""
    begin = OF_A_PARTICLE if result.particles is None else OF_PARTICLES
    return any(name.startswith(begin) for name in names)


def reduced_frames(result: Result, measured: Measured) -> Reduced:
    """Film a result as ``[camera]`` says; reduce the frames as ``[optical]`` says, those of an
    electrode as ``[particles]`` says.

    Parameters
    ----------
    result : Result
        With maps.
    measured : Measured
        Its operators; the frames are kept nowhere.

    Raises
    ------
    InputError
        The run has no maps, an operator has a key that is unknown or of the wrong kind, or the
        frames cannot be reduced (no bright spot, an empty mask).
    """
    from nmcsim.film import snapshots_of
    from nmcsim.imaging.camera import Camera
    from nmcsim.imaging.intensity import Particles, reduce_particles
    from nmcsim.imaging.optical import Optical, reduce_optical

    operators = measured.operators
    source = str(measured.path or measured.title)
    try:
        folder = None if measured.path is None else measured.path.parent
        camera = Camera.from_table(operators["camera"], folder=folder)
        optical = Optical.from_table(operators.get("optical", {}))
        particles = Particles.from_table(operators.get("particles", {}))
    except InputError as error:
        raise error.located(source) from None
    snapshots = snapshots_of(result)
    stack = camera.stack(snapshots)
    soc = _soc(result, stack.time)
    found: Any
    if result.particles is None:
        found = reduce_optical(stack, optical, soc)
    else:
        halves = half_cycles(result.steps, finished=result.status == "finished")
        labels = camera.labels(snapshots)
        found = reduce_particles(stack, particles, labels=labels, soc=soc, halves=halves)
    return Reduced(
        {name: (number.value, number.unit) for name, number in found.numbers.items()},
        {
            name: Series(name, column.values, column.unit, name, column.description)
            for name, column in found.series.items()
        },
        (
            f"{len(stack.time)} simulated frames, {_apart(stack.time)} apart, were reduced as the"
            " measured ones",
            *(f"simulated frames: {warning}" for warning in found.warnings),
        ),
    )


def _apart(time: Array) -> str:
    """The usual time between frames: what is faster, they do not show."""
    return display(float(np.median(np.diff(time))), "s")


def _soc(result: Result, time: Array) -> Array | None:
    columns: Mapping[str, Any] = result.history
    if "soc" not in columns:
        return None
    return np.interp(time, columns["time"].values, columns["soc"].values)
