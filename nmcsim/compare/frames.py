"""The run as a microscope would have seen it, reduced by the code that reduces micrographs."""

from __future__ import annotations

from nmcsim.errors import InputError, Mistake
from nmcsim.measured import Measured
from nmcsim.results import Result

__all__ = ["reduced_frames"]


def reduced_frames(result: Result, measured: Measured) -> tuple[Measured, tuple[str, ...]]:
    """Film a result as ``[camera]`` says and reduce the frames as ``[optical]`` says.

    Parameters
    ----------
    result : Result
        With maps.
    measured : Measured
        Its operators; the frames are kept nowhere.

    Returns
    -------
    Measured
        What the reduction gives.
    tuple of str
        What a reader should know of it.

    Raises
    ------
    InputError
        The run has no maps, or an operator has a key that is unknown or of the wrong kind.
    """
    raise InputError(Mistake("camera", "is not read yet"))
