"""From the journal to the tables and fields of a result; on rank 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields as members
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.models.model import Field
from nmcsim.observe.view import Picture, vtk_cells
from nmcsim.output.recorder import PARTICLE, Recorder
from nmcsim.results import (
    FieldMap,
    Journal,
    Particles,
    ParticleSeries,
    Points,
    Quantity,
    Recorded,
    Series,
    series,
    write_history,
    write_steps,
)
from nmcsim.solve.fields import Array
from nmcsim.vtkhdf import write_vtkhdf

__all__ = ["write_tables"]


def write_tables(
    directory: Path,
    recorder: Recorder,
    steps: Sequence[Mapping[str, Any]],
    *,
    keep: str = "all",
) -> tuple[Mapping[str, Series], ParticleSeries | None]:
    """Write the history, the steps and the fields of what the journal holds.

    With ``keep = "history"`` no fields, with ``"summary"`` neither maps nor tables of text.

    Returns
    -------
    history : mapping of name -> Series
    particles : ParticleSeries or None

    Raises
    ------
    WriteFailure
        The disk is full or the folder may not be written.
    """
    recorder.close()
    recorded, model = Journal.read(directory), recorder.model
    columns = dict(recorded.columns)
    at_points = columns.pop("points", None)
    history = series(columns)
    particles = _particles(recorder, recorded)
    sections: Mapping[str, Any]
    if keep == "summary":
        sections = {"particles": particles}
    elif model.watch is not None:
        first = recorded.frames[model.field.name]
        sections = model.watch.sections(recorded.frames, first)
    else:
        sections = {"particles": particles, "maps": _maps(recorder, recorded)}
    points = None if at_points is None else Points(recorder.point_names, at_points)
    write_history(directory, history, points=points, text=keep != "summary", **sections)
    if keep == "all":
        _write_fields(directory, recorder, recorded)
    write_steps(directory, steps)
    return history, particles


def _particles(recorder: Recorder, recorded: Recorded) -> ParticleSeries | None:
    model = recorder.model
    if model.particles is None:
        return None
    what = {part.name: getattr(model.particles, part.name) for part in members(Particles)}
    rows, count = len(recorded.columns.get("time", ())), len(model.particles.names)

    def padded(values: Array) -> Array:
        # a disk that is full between a row and its records leaves fewer of these
        missing = np.full((rows - len(values), count), np.nan)
        return np.concatenate((values, missing))

    per = {name: padded(recorded.frames[PARTICLE + name].values) for name in model.per_particle}
    return ParticleSeries(**what, series=per)


def _maps(recorder: Recorder, recorded: Recorded) -> dict[str, FieldMap]:
    """Each field in the plane of a 2D model, or in the vertical middle of a 3D one."""
    nodes = np.concatenate([layout.nodes for layout in recorder.layouts.values()])
    middle = 0.5 * float(nodes[:, 1].min() + nodes[:, 1].max())

    def mapped(field: Field) -> FieldMap:
        picture = Picture.of_layout(recorder.layouts[field.name], middle)
        frames, u = recorded.frames[field.name], field.unknown
        values = picture.of(frames.values).astype(np.float32)
        what = Quantity(u.unit, u.symbol, field.description)
        return FieldMap(
            picture.nodes, picture.triangles, frames.time, values, what,
            picture.part, field.parts, field.kind_of_part,
        )  # fmt: skip

    return {field.name: mapped(field) for field in recorder.model.fields}


def _write_fields(directory: Path, recorder: Recorder, recorded: Recorded) -> None:
    """The fields for ParaView; those of one file share its mesh."""
    files: dict[str, list[Field]] = {}
    for field in recorder.model.fields:
        files.setdefault(field.file, []).append(field)
    for file, fields in files.items():
        frames = {field.name: recorded.frames[field.name] for field in fields}
        time = frames[fields[0].name].time
        if not len(time):  # a run may fail before its first
            continue
        layout = recorder.layouts[fields[0].name]
        cell_type, cells = vtk_cells(layout)
        write_vtkhdf(
            directory / f"{file}.vtkhdf", layout.nodes, cells, cell_type, time,
            {name: frame.values for name, frame in frames.items()},
            {field.name: field.unknown.unit for field in fields},
        )  # fmt: skip
