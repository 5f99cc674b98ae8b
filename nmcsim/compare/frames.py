"""The run as a microscope would have seen it, reduced by the code that reduces micrographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError
from nmcsim.measured import Measured
from nmcsim.results import Result, Series

__all__ = ["NAMES", "Reduced", "reduced_frames"]

Array = NDArray[np.float64]

NAMES = frozenset(
    ("com_distance", "com_distance_max", "soc_at_com_distance_max", "unreacted_share",
     "signal_mean", "signal_noise")
)  # fmt: skip
"""What only the reduction of frames gives, or gives otherwise than a history: a run is filmed where
one of them was measured."""


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


def reduced_frames(result: Result, measured: Measured) -> Reduced:
    """Film a result as ``[camera]`` says and reduce the frames as ``[optical]`` says.

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
    from nmcsim.imaging.optical import Optical, reduce_optical

    operators = measured.operators
    source = str(measured.path or measured.title)
    try:
        folder = None if measured.path is None else measured.path.parent
        camera = Camera.from_table(operators["camera"], folder=folder)
        optical = Optical.from_table(operators.get("optical", {}))
    except InputError as error:
        raise error.located(source) from None
    stack = camera.stack(snapshots_of(result))
    found = reduce_optical(stack, optical, _soc(result, stack.time))
    return Reduced(
        {name: (number.value, number.unit) for name, number in found.numbers.items()},
        {
            name: Series(name, column.values, column.unit, name, column.description)
            for name, column in found.series.items()
        },
        (
            f"{len(stack.time)} simulated frames were reduced as the measured ones",
            *(f"simulated frames: {warning}" for warning in found.warnings),
        ),
    )


def _soc(result: Result, time: Array) -> Array | None:
    columns: Mapping[str, Any] = result.history
    if "soc" not in columns:
        return None
    return np.interp(time, columns["time"].values, columns["soc"].values)
