"""What a result recorded, as the snapshots that a camera takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.film.body import read_body
from nmcsim.imaging.camera.snapshots import Body, Snapshots
from nmcsim.imaging.section import Section
from nmcsim.results import FieldMap, Result, ThetaMap
from nmcsim.units import parse

__all__ = ["snapshots_of"]


def snapshots_of(result: Result | str | Path) -> Snapshots:
    """The recorded frames of a result: lithium per site of a crystal, or of the particles of an
    electrode.

    A crystal that was computed in its plane has a height, and can be seen from the side too. The
    frames of a 3D crystal come from ``fields.vtkhdf``; without that file (a sweep may not keep it)
    only its upper face is there.

    Parameters
    ----------
    result : Result or path

    Raises
    ------
    InputError
        The result has no recorded frames, or a damaged file.
    """
    opened = result if isinstance(result, Result) else Result.load(result)
    if opened.map is not None:
        return _crystal(opened, opened.map)
    if "theta" in opened.maps:
        return _electrode(opened, opened.maps["theta"])
    raise InputError(
        Mistake("", "has no recorded frames; run the case with output.frames"),
        str(opened.directory),
    )


def _crystal(result: Result, recorded: ThetaMap) -> Snapshots:
    kept = _rising(recorded.time)
    section = Section(recorded.nodes, recorded.triangles)
    height, dimension = _extent(result)
    body: Body | None = None
    notices: tuple[str, ...] = ()
    if dimension == 3:
        height = None
        path = result.directory / "fields.vtkhdf"
        if path.is_file():
            times, found = read_body(path, "theta")
            match = [int(np.argmin(np.abs(times - t))) for t in recorded.time[kept]]
            body = Body(found.nodes, found.tetrahedra, found.values[match])
        else:
            notices = ("the result keeps no fields.vtkhdf: only its upper face is seen",)
    return Snapshots(
        recorded.time[kept], section, recorded.theta[kept],
        height=height, body=body, name=result.title, notices=notices,
    )  # fmt: skip


def _electrode(result: Result, recorded: FieldMap) -> Snapshots:
    kept = _rising(recorded.time)
    return Snapshots(
        recorded.time[kept],
        Section(recorded.nodes, recorded.triangles),
        recorded.values[kept],
        part=recorded.part,
        part_names=recorded.part_names,
        name=result.title,
    )


def _rising(time: NDArray[np.float64]) -> NDArray[np.int64]:
    """The last of the frames at each time: where one step ends, the next begins."""
    later = np.append(np.diff(time) > 0.0, True)
    return np.flatnonzero(later)


def _extent(result: Result) -> tuple[float | None, int]:
    """Height along c [m] of a 2D crystal, and the dimension."""
    try:
        case: Any = result.case()
    except InputError:  # its files are gone; the resolved table still says the height
        try:
            return parse(result.case_table["geometry"]["height"], "m"), 2
        except (InputError, KeyError, TypeError):
            return None, 2
    return case.geometry.thickness, case.geometry.dimension
