"""History (HDF5 and CSV), steps and summary, each written whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nmcsim.results.files import write_atomically, write_json
from nmcsim.results.hdf5 import write_array
from nmcsim.results.particles import PARTICLE_QUANTITIES, ParticleSeries
from nmcsim.results.series import FieldMap, Points, Series, SurfaceTheta, ThetaMap

STATUSES = ("finished", "ended early", "failed", "interrupted")
STEP_COLUMNS = ("number", "sentence", "kind", "ended_by", "t_start", "t_end", "reason")
FORMAT = "nmcsim history"
VERSION = 1


def write_history(
    directory: Path,
    history: Mapping[str, Series],
    *,
    surface: SurfaceTheta | None = None,
    theta_map: ThetaMap | None = None,
    points: Points | None = None,
    particles: ParticleSeries | None = None,
    maps: Mapping[str, FieldMap] | None = None,
    text: bool = True,
) -> None:
    """Write ``history.h5`` and ``history.csv`` into ``directory``, each atomically.

    Of particles there is ``particles.csv``, too.

    Parameters
    ----------
    directory : Path
        An existing result directory.
    history : mapping of name -> Series
        All of the same length; `series` builds it from plain columns.
    surface, theta_map, points : optional
        What was recorded along the surface, on the section and at named points.
    particles : optional
        What was recorded of each particle of an electrode, row by row of the history.
    maps : mapping of name -> FieldMap, optional
        The fields of an electrode, all at the same times; instead of ``theta_map``. Parts that are
        particles are those of ``particles``.
    text : bool
        Whether the CSV files are written.

    Raises
    ------
    WriteFailure
        The disk is full or the folder may not be written; older files are then untouched.
    """
    # Built in memory: HDF5 meets a full disk with undefined handles, a plain write with a
    # clean error.
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        file.attrs["format"] = FORMAT
        file.attrs["version"] = VERSION
        group = file.create_group("history", track_order=True)
        for column in history.values():
            _dataset(
                group, column.name, column.values, column.unit, column.symbol, column.description
            )
        if surface is not None:
            _write_surface(file.create_group("surface"), surface)
        if theta_map is not None:
            _write_map(file.create_group("map"), theta_map)
        if points is not None:
            _write_points(file.create_group("points"), points)
        if particles is not None:
            _write_particles(file.create_group("particles"), particles)
        if maps:
            _write_maps(file.create_group("map"), maps)
    write_atomically(directory / "history.h5", image.getvalue())
    if not text:
        return
    # not forced to the disk: what is in a table of text is in history.h5 or summary.json, too
    write_atomically(directory / "history.csv", _history_csv(history, points), forced=False)
    if particles is not None:
        write_atomically(
            directory / "particles.csv",
            _particles_csv(history["time"].values if "time" in history else np.empty(0), particles),
            forced=False,
        )


def _dataset(
    group: Any, name: str, values: NDArray[Any], unit: str, symbol: str, description: str
) -> None:
    write_array(group, name, values, unit=unit, symbol=symbol, description=description)


def _write_surface(group: Any, surface: SurfaceTheta) -> None:
    _dataset(group, "angle", surface.angle, "rad", "phi", "angle about the particle's centre")
    _dataset(group, "position", surface.position, "m", "s", "position along the outline")
    _dataset(group, "rock_salt", surface.rock_salt.astype(np.uint8), "1", "b", "1 on rock salt")
    _dataset(group, "time", surface.time, "s", "t", "time of the frames")
    _dataset(group, "theta", surface.theta, "1", "theta", "lithium per site on the surface")
    if surface.flux is not None:
        _dataset(group, "flux", surface.flux, "mol/m2/s", "j", "surface flux, leaving positive")


def _write_map(group: Any, section: ThetaMap) -> None:
    _dataset(group, "nodes", section.nodes, "m", "X", "positions of the nodes")
    _dataset(
        group, "triangles", section.triangles.astype(np.int32), "1", "T", "nodes of the triangles"
    )
    _dataset(
        group,
        "boundary",
        section.boundary.astype(np.int32),
        "1",
        "E",
        "nodes of the outline's edges",
    )
    _dataset(
        group,
        "rock_salt",
        section.rock_salt.astype(np.uint8),
        "1",
        "b",
        "1 for an edge on rock salt",
    )
    _dataset(group, "time", section.time, "s", "t", "time of the frames")
    _dataset(
        group,
        "theta",
        section.theta.astype(np.float32),
        "1",
        "theta",
        "lithium per site at the nodes",
    )


def _write_points(group: Any, points: Points) -> None:
    names = np.array(points.names, dtype=h5py.string_dtype())
    _dataset(group, "names", names, "1", "name", "names of the points")
    _dataset(group, "theta", points.theta, "1", "theta", "lithium per site at the points")


def _write_particles(group: Any, particles: ParticleSeries) -> None:
    names = np.array(particles.names, dtype=h5py.string_dtype())
    _dataset(group, "names", names, "1", "name", "names of the particles")
    _dataset(group, "centre", particles.centre, "m", "X", "centres of mass")
    _dataset(group, "volume", particles.volume, "m3", "v", "volumes")
    for name, values, about in (
        ("obstruction", particles.obstruction, "particles on the way to the binder, -1 unknown"),
        ("observed", particles.observed, "1 for a particle that is seen from above"),
        ("fragment_of", particles.fragment_of, "number of the whole particle, -1 for a whole one"),
        ("active", particles.active, "1 for a particle with electronic contact"),
    ):
        _dataset(group, name, values.astype(np.int32), "1", name, about)
    for name, series in particles.series.items():
        is_a = PARTICLE_QUANTITIES[name]
        _dataset(group, name, series, is_a.unit, is_a.symbol, is_a.description)


def _write_maps(group: Any, maps: Mapping[str, FieldMap]) -> None:
    _dataset(group, "time", next(iter(maps.values())).time, "s", "t", "time of the frames")
    regions: tuple[str, ...] = ()
    for name, field in maps.items():
        of, what = group.create_group(name), field.quantity
        triangles = field.triangles.astype(np.int32)
        _dataset(of, "nodes", field.nodes, "m", "X", "positions of the nodes")
        _dataset(of, "triangles", triangles, "1", "T", "nodes of the triangles")
        values = field.values.astype(np.float32)
        _dataset(of, "values", values, what.unit, what.symbol, what.description)
        part = field.part.astype(np.int32)
        if field.part_names and field.kind_of_part == "region":
            # one list of names for all fields
            regions += tuple(n for n in field.part_names if n not in regions)
            part = np.array([regions.index(n) for n in field.part_names], dtype=np.int32)[part]
        if field.part_names:
            kind = field.kind_of_part
            _dataset(of, kind, part, "1", kind[0], f"{kind} of each triangle")
    if regions:
        names = np.array(regions, dtype=h5py.string_dtype())
        _dataset(group, "region_names", names, "1", "name", "names of the regions")


def _particles_csv(time: NDArray[Any], particles: ParticleSeries) -> bytes:
    """One row per row of the history: the time, then what was recorded of each particle."""
    header, columns = ["time [s]"], [time]
    for name, series in particles.series.items():
        unit = PARTICLE_QUANTITIES[name].unit
        header += [f"{name} of {particle} [{unit}]" for particle in particles.names]
        columns += list(series.T)
    return _of_columns(header, columns)


def _history_csv(history: Mapping[str, Series], points: Points | None) -> bytes:
    columns = [(f"{c.name} [{c.unit}]", c.values) for c in history.values()]
    if points is not None:
        columns += [(f"theta at {n} [1]", points.theta[:, i]) for i, n in enumerate(points.names)]
    return _of_columns([head for head, _ in columns], [values for _, values in columns])


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file as bytes: a header line, then ``rows``; NaN and None are empty cells."""
    return _csv(header, ([_cell(value) for value in row] for row in rows))


def _of_columns(header: Sequence[str], columns: Sequence[NDArray[Any]]) -> bytes:
    """The same from columns of floats, which the writer of CSV shows in full by itself."""
    plain = ([None if v != v else v for v in column.tolist()] for column in columns)
    return _csv(header, zip(*plain, strict=True))


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (float, np.floating)):
        return (
            ""
            if np.isnan(value)
            else repr(value.item() if isinstance(value, np.floating) else value)
        )
    return str(value)


def write_steps(directory: Path, steps: Sequence[Mapping[str, Any]]) -> None:
    """Write ``steps.csv``: one row per protocol step that was begun.

    Parameters
    ----------
    directory : Path
        An existing result directory.
    steps : sequence of mappings
        Each with ``sentence, kind, ended_by, t_start [s], t_end [s], reason``; what more there is
        becomes further columns.

    Raises
    ------
    WriteFailure
        As `write_history`.
    """
    more = list(dict.fromkeys(key for step in steps for key in step if key not in STEP_COLUMNS))
    header = [
        f"{name} [s]" if name in ("t_start", "t_end") else name for name in (*STEP_COLUMNS, *more)
    ]
    rows = (
        [step.get("number", n), *(step.get(name) for name in (*STEP_COLUMNS[1:], *more))]
        for n, step in enumerate(steps, start=1)
    )
    write_atomically(directory / "steps.csv", table(header, rows), forced=False)


def write_summary(
    directory: Path,
    *,
    status: str,
    steps: Sequence[Mapping[str, Any]],
    balance: Mapping[str, float],
    counts: Mapping[str, int],
    timing: Mapping[str, float],
    observables: Mapping[str, Mapping[str, Any]],
    **more: Any,
) -> None:
    """Write ``summary.json``, atomically; what is not finite becomes null.

    Parameters
    ----------
    directory : Path
        An existing result directory.
    status : str
        One of `STATUSES`.
    steps : sequence of mappings
        As `write_steps`.
    balance : mapping
        ``lithium`` is the largest drift of the run, a plain number.
    counts : mapping
        steps, rejected, residuals, jacobians, factorisations.
    timing : mapping
        mesh, jit, assembly, factorisation, solve, output, total [s].
    observables : mapping of name -> {value, unit, symbol, description}
        The last row, as `final_observables` gives it.
    **more
        Further sections, as they are: ``headline``, ``rock_salt``, ``extrapolated``,
        ``error_bars``, ``failure``, ...

    Raises
    ------
    ValueError
        A status that is not one of `STATUSES`.
    WriteFailure
        As `write_history`.
    """
    if status not in STATUSES:
        raise ValueError(f"status {status!r} is not one of {', '.join(STATUSES)}")
    content = {
        "status": status,
        "steps": list(steps),
        "balance": balance,
        "counts": counts,
        "timing": timing,
        "observables": observables,
        **more,
    }
    write_json(directory / "summary.json", content)


def final_observables(history: Mapping[str, Series]) -> dict[str, dict[str, Any]]:
    """The last row as ``{name: {value, unit, symbol, description}}``, for `write_summary`."""
    return {
        name: {
            "value": float(column.values[-1]) if len(column) else float("nan"),
            "unit": column.unit,
            "symbol": column.symbol,
            "description": column.description,
        }
        for name, column in history.items()
    }
