"""From the journal to the tables and fields of a result; on rank 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.output.recorder import Recorder
from nmcsim.results import (
    Journal,
    Points,
    Series,
    SurfaceTheta,
    ThetaMap,
    series,
    write_history,
    write_steps,
)
from nmcsim.vtkhdf import write_vtkhdf

__all__ = ["write_tables"]


def write_tables(
    directory: Path, recorder: Recorder, steps: Sequence[Mapping[str, Any]]
) -> Mapping[str, Series]:
    """Write the history, the steps and the fields of what the journal holds.

    Returns
    -------
    mapping of name -> Series
        The history.

    Raises
    ------
    WriteFailure
        The disk is full or the folder may not be written.
    """
    recorder.close()
    recorded = Journal.read(directory)
    columns = dict(recorded.columns)
    at_points = columns.pop("points", None)
    history = series(columns)
    surface, frames = recorder.surface, recorded.frames
    assert surface is not None
    section = recorder.view.section
    chain = surface.nodes
    write_history(
        directory,
        history,
        surface=SurfaceTheta(
            surface.angle, surface.position, surface.rock_salt,
            frames["surface"].time, frames["surface"].values, frames["flux"].values,
        ),
        theta_map=ThetaMap(
            section.nodes, section.triangles,
            np.column_stack((chain, np.roll(chain, -1))), surface.rock_salt,
            frames["theta"].time, frames["theta"].values[:, recorder.view.index].astype(np.float32),
        ),
        points=None if at_points is None else Points(recorder.point_names, at_points),
    )  # fmt: skip
    if len(frames["theta"].time):  # a run may fail before its first
        cell_type, cells = recorder.view.vtk_cells
        write_vtkhdf(
            directory / "fields.vtkhdf", recorder.layout.nodes, cells, cell_type,
            frames["theta"].time, {"theta": frames["theta"].values}, {"theta": "1"},
        )  # fmt: skip
    write_steps(directory, steps)
    return history
