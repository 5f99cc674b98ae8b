"""A result directory opened: history, maps, steps and summary, without DOLFINx."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.results.hdf5 import text_of
from nmcsim.results.particles import PARTICLE_QUANTITIES, ParticleSeries
from nmcsim.results.series import FieldMap, Points, Quantity, Series, SurfaceTheta, ThetaMap
from nmcsim.results.write import FORMAT, VERSION

if TYPE_CHECKING:
    import pandas

    from nmcsim.case import Case


@dataclass(frozen=True)
class Result:
    """What one run left behind.

    Parameters
    ----------
    directory : Path
    case_table : dict
        The resolved case file as TOML gives it; `case` gives the checked `Case`.
    history : mapping of name -> Series
        One row per accepted step.
    steps : tuple of dict
        Per protocol step: ``sentence, kind, ended_by, t_start [s], t_end [s], reason``.
    summary, provenance : dict
        The two JSON files.
    surface, map, points : optional
        Lithium along the surface, on the section, at named points; None where the run recorded
        none.
    particles : ParticleSeries, optional
        What an electrode's particles are, and what was recorded of each.
    maps : mapping of name -> FieldMap
        The fields of an electrode over time; empty for a crystal, whose map is ``map``.
    """

    directory: Path
    case_table: dict[str, Any] = field(repr=False)
    history: Mapping[str, Series] = field(repr=False)
    steps: tuple[dict[str, Any], ...] = field(repr=False)
    summary: dict[str, Any] = field(repr=False)
    provenance: dict[str, Any] = field(repr=False)
    surface: SurfaceTheta | None = field(default=None, repr=False)
    map: ThetaMap | None = field(default=None, repr=False)
    points: Points | None = field(default=None, repr=False)
    particles: ParticleSeries | None = field(default=None, repr=False)
    maps: Mapping[str, FieldMap] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, directory: str | Path) -> Result:
        """Open a result directory.

        Parameters
        ----------
        directory : path
            As `nmcsim run` left it.

        Raises
        ------
        InputError
            It is no result directory, its run has not ended, or a file in it is damaged.
        """
        folder = Path(directory)
        _check(folder)
        recorded = _read_history(folder / "history.h5")
        summary = _read(folder / "summary.json", json.loads)
        return cls(
            directory=folder,
            case_table=_read(folder / "case.toml", tomllib.loads),
            steps=tuple(summary.get("steps", ())),
            summary=summary,
            provenance=_read(folder / "provenance.json", json.loads),
            **recorded,
        )

    def __repr__(self) -> str:
        rows, time = len(next(iter(self.history.values()), ())), self.history.get("time")
        lasts = f", {time.values[-1]:.6g} s" if time is not None and rows else ""
        return f'Result("{self.directory}"): {self.title}\n  {self.status}, {rows} rows{lasts}'

    @property
    def frame_times(self) -> NDArray[np.float64]:
        """When maps were recorded [s]; (k,), of no frame where the run recorded none."""
        if self.map is not None:
            return self.map.time
        return next((field.time for field in self.maps.values()), np.empty(0))

    @property
    def columns(self) -> dict[str, Series]:
        """The columns of ``history.csv``: the history, and lithium at the named points."""
        found = dict(self.history)
        if self.points is not None:
            for name, theta in zip(self.points.names, self.points.theta.T, strict=True):
                about = f"lithium per site at {name}"
                found[f"theta at {name}"] = Series(f"theta at {name}", theta, "1", "theta", about)
        return found

    def __getitem__(self, name: str) -> Series:
        """The column ``name`` of the history, or ``theta at NAME`` of a named point.

        Raises
        ------
        InputError
            There is no such column; the sentence lists those there are.
        """
        columns = self.columns
        try:
            return columns[name]
        except KeyError:
            known = ", ".join(columns)
            raise InputError(
                Mistake(str(self.directory), f"records no {name!r}; it has {known}")
            ) from None

    @property
    def title(self) -> str:
        """The case's title, or the directory's name."""
        return str(self.case_table.get("title") or self.directory.name)

    @property
    def status(self) -> str:
        """ "finished", "ended early", "failed" or "interrupted"."""
        return str(self.summary.get("status", "unknown"))

    def case(self) -> Case:
        """The checked, rerunnable `Case` of this result.

        Raises
        ------
        InputError
            The case file was edited into something that is no case.
        """
        from nmcsim.case import load

        return load(self.directory / "case.toml")

    def at(self, time: float) -> dict[str, float]:
        """Every column, those of named points too, at ``time`` [s], linear between rows; NaN where
        a neighbour is missing.

        Raises
        ------
        InputError
            ``time`` lies outside the run.
        """
        t = self["time"].values
        if not (len(t) and t[0] <= time <= t[-1]):
            span = f"from {t[0]:g} s to {t[-1]:g} s" if len(t) else "over no time at all"
            raise InputError(
                Mistake(f"time = {time:g} s", f"lies outside the run, which goes {span}")
            )
        return {
            name: float(np.interp(time, t, column.values)) for name, column in self.columns.items()
        }

    def to_dataframe(self) -> pandas.DataFrame:
        """The history as a pandas table; the units are in ``attrs["units"]``."""
        import pandas as pd

        columns = self.columns
        frame = pd.DataFrame({name: column.values for name, column in columns.items()})
        frame.attrs["units"] = {name: column.unit for name, column in columns.items()}
        return frame


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(
            Mistake(str(folder), "is no directory; give the one that nmcsim run wrote")
        )
    missing = [
        name
        for name in ("case.toml", "history.h5", "summary.json", "provenance.json")
        if not (folder / name).is_file()
    ]
    if not missing:
        return
    if (folder / "journal").is_dir():
        message = "holds a run that has not ended; end it with nmcsim run CASE --out DIR --resume"
    else:
        message = f"is not a result directory: it has no {', no '.join(missing)}"
    raise InputError(Mistake(str(folder), message))


def _read(path: Path, parse: Callable[[str], Any]) -> dict[str, Any]:
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            Mistake(str(path), f"cannot be read ({error}); run the case again")
        ) from error
    if not isinstance(content, dict):
        raise InputError(
            Mistake(str(path), "is not a table of names and values; run the case again")
        )
    return content


def _read_history(path: Path) -> dict[str, Any]:
    """What `Result` takes of it, by name."""
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT or file.attrs.get("version", 0) > VERSION:
                message = "has another layout; open it with the nmcsim named in provenance.json"
                raise InputError(Mistake(str(path), message))
            return {
                "history": {name: _series(name, data) for name, data in file["history"].items()},
                "surface": _surface(file),
                "map": _map(file),
                "points": _points(file),
                "particles": _particles(file),
                "maps": _maps(file),
            }
    except (OSError, KeyError, RuntimeError) as error:
        # h5py says a truncated file as any of the three
        raise InputError(Mistake(str(path), f"is damaged ({error}); run the case again")) from error


def _series(name: str, data: Any) -> Series:
    unit, symbol, description = (text_of(data, key) for key in ("unit", "symbol", "description"))
    return Series(name, data[:].astype(np.float64), unit, symbol, description)


def _surface(file: Any) -> SurfaceTheta | None:
    if (g := file.get("surface")) is None:
        return None
    return SurfaceTheta(
        angle=g["angle"][:],
        position=g["position"][:],
        rock_salt=g["rock_salt"][:].astype(bool),
        time=g["time"][:],
        theta=g["theta"][:],
        flux=g["flux"][:] if "flux" in g else None,
    )


def _map(file: Any) -> ThetaMap | None:
    if (g := file.get("map")) is None or "nodes" not in g:
        return None
    return ThetaMap(
        nodes=g["nodes"][:],
        triangles=g["triangles"][:].astype(np.int64),
        boundary=g["boundary"][:].astype(np.int64),
        rock_salt=g["rock_salt"][:].astype(bool),
        time=g["time"][:],
        theta=g["theta"][:],
    )


def _points(file: Any) -> Points | None:
    if (g := file.get("points")) is None:
        return None
    return Points(tuple(g["names"].asstr()[:]), g["theta"][:])


def _particles(file: Any) -> ParticleSeries | None:
    if (g := file.get("particles")) is None:
        return None
    return ParticleSeries(
        names=tuple(g["names"].asstr()[:]),
        centre=g["centre"][:],
        volume=g["volume"][:],
        obstruction=g["obstruction"][:].astype(np.int64),
        observed=g["observed"][:].astype(bool),
        fragment_of=g["fragment_of"][:].astype(np.int64),
        active=g["active"][:].astype(bool),
        series={name: g[name][:] for name in PARTICLE_QUANTITIES if name in g},
    )


def _maps(file: Any) -> dict[str, FieldMap]:
    """The fields of an electrode; none of a crystal, whose one map lies in the group itself."""
    if (g := file.get("map")) is None or "nodes" in g:
        return {}
    names = {
        kind: tuple(file[path].asstr()[:])
        for kind, path in (("particle", "particles/names"), ("region", "map/region_names"))
        if path in file
    }
    time = g["time"][:]

    def one(of: Any) -> FieldMap:
        values, a = of["values"], of["values"].attrs
        kind = next((kind for kind in names if kind in of), None)
        count = of["triangles"].shape[0]
        return FieldMap(
            nodes=of["nodes"][:],
            triangles=of["triangles"][:].astype(np.int64),
            time=time,
            values=values[:],
            quantity=Quantity(str(a["unit"]), str(a["symbol"]), str(a["description"])),
            part=np.zeros(count, np.int64) if kind is None else of[kind][:].astype(np.int64),
            part_names=names.get(kind or "", ()),
            kind_of_part=kind or "region",
        )

    return {name: one(of) for name, of in g.items() if name not in ("time", "region_names")}
