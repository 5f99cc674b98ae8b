"""``nmcsim measure optical``, ``particles`` and ``porosity``: read, reduce, write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.intensity import Particles, ParticlesResult, reduce_particles
from nmcsim.imaging.optical import Optical, OpticalResult, reduce_optical
from nmcsim.imaging.porosity import Porosity, PorosityResult, reduce_porosity
from nmcsim.imaging.stack import Stack
from nmcsim.measure.cycling import Cycling, read_cycling
from nmcsim.measure.entries import measured_of, write_series
from nmcsim.measure.images import cycle_files, pixel_of, read_labels, slices_of
from nmcsim.measure.page import said
from nmcsim.measured import Measured
from nmcsim.units import UnitError, parse

__all__ = ["Asked", "measure_optical", "measure_particles", "measure_porosity", "quantity"]


@dataclass(frozen=True)
class Asked:
    """What the command line says besides the images.

    Parameters
    ----------
    out : Path
        ``measured.toml``; series and page go beside it.
    settings : Path, optional
        A file with the table of the reduction.
    changes : mapping
        Keys of that table.
    pixel, interval, record_start : float, optional
        [m], [s], [s].
    dataset, title, source : str
    record : Path, optional
    capacity : float, optional
        [A s].
    initial_soc : float
    overwrite : bool
    """

    out: Path
    settings: Path | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    pixel: float | None = None
    interval: float | None = None
    record_start: float = 0.0
    dataset: str | None = None
    title: str = ""
    source: str = ""
    record: Path | None = None
    capacity: float | None = None
    initial_soc: float = 0.0
    overwrite: bool = False

    def table(self, name: str) -> dict[str, Any]:
        """The table of the reduction: that of the file, with the changes."""
        found: dict[str, Any] = {}
        if self.settings is not None:
            from nmcsim.case.toml import read_toml

            data = read_toml(self.settings)
            if not isinstance(data.get(name), Mapping):
                raise InputError(Mistake("", f"has no table [{name}]"), str(self.settings))
            found |= data[name]
        return found | dict(self.changes)

    def beside(self, ending: str) -> Path:
        """A file beside ``measured.toml``."""
        return self.out.with_name(self.out.stem + ending)

    def checked(self, *endings: str) -> None:
        """Refuse to write over what is there, before anything is reduced."""
        if self.out.suffix != ".toml":
            raise InputError(
                Mistake(f'-o "{self.out}"', "must end in .toml, such as measured.toml")
            )
        if not self.out.parent.is_dir():
            message = f'is in the folder "{self.out.parent}", which does not exist; make it first'
            raise InputError(Mistake(f'-o "{self.out}"', message))
        there = [p for p in (self.out, *map(self.beside, endings)) if p.exists()]
        if there and not self.overwrite:
            names = ", ".join(p.name for p in there)
            message = f"would replace {names}; say --overwrite, or another -o"
            raise InputError(Mistake(f'-o "{self.out}"', message))


def quantity(option: str, text: str | None, unit: str) -> float | None:
    """The value of an option with a unit.

    Raises
    ------
    InputError
        Names the option.
    """
    if text is None:
        return None
    try:
        return parse(text, unit)
    except UnitError as error:
        raise InputError(Mistake(f'{option} = "{text}"', error.mistakes[0].message)) from None


def _opened(path: Path, asked: Asked) -> Stack:
    return Stack.open(path, pixel=asked.pixel, interval=asked.interval, dataset=asked.dataset)


def _cycled(stack: Stack, asked: Asked) -> tuple[Cycling | None, Any, list[str]]:
    """The record, the state of charge of each frame, and what to say of it."""
    if asked.record is None:
        return None, None, []
    cycling = read_cycling(
        asked.record,
        capacity=asked.capacity,
        initial=asked.initial_soc,
        start=asked.record_start,
    )
    soc, warnings = cycling.soc_at(stack.time)
    return cycling, soc, warnings


def _head(stack: Stack) -> str:
    k, h, w = stack.shape
    span = stack.time[-1] - stack.time[0]
    return f"{stack.name}  {k} frames of {w} x {h}, {1e9 * stack.pixel:.4g} nm/px, {span:g} s"


def measure_optical(path: Path, asked: Asked) -> tuple[OpticalResult, list[str]]:
    """Reduce the frames of one particle and write what they give.

    Returns
    -------
    result : OpticalResult
    said : list of str
        Lines for the terminal.

    Raises
    ------
    InputError
        Anything that cannot be used; nothing was written then.
    """
    asked.checked("_frames.csv", ".html")
    settings = Optical.from_table(asked.table("optical"))
    stack = _opened(path, asked)
    _, soc, warnings = _cycled(stack, asked)
    result = reduce_optical(stack, settings, soc)
    title = asked.title or f"Unreacted region in {stack.name}"
    measured = measured_of("optical", result, title=title, source=asked.source or stack.name)
    files = _written(asked, measured, result.series, "_frames.csv")
    from nmcsim.measure.optical_page import write_optical_page

    warnings = [*result.warnings, *warnings]
    write_optical_page(asked.beside(".html"), result, title, _head(stack), warnings)
    lines = [_head(stack)]
    drift = result.drift
    if drift.method != "none":
        most = 1e9 * result.pixel * np.hypot(*drift.offsets.T).max()
        error = 1e9 * result.pixel * float(np.sqrt(np.mean(drift.error**2)))
        of = "phase"
        if drift.spot is not None:
            of = f"spot at x {drift.spot.centre[1]:.1f}, y {drift.spot.centre[0]:.1f} px"
        lines.append(f"  drift     {of}: {most:.0f} nm at most, known to {error:.2g} nm")
    across = 2e6 * result.pixel * np.sqrt(result.mask.pixels / np.pi)
    how = "Otsu" if result.mask.automatic else "given"
    lines.append(
        f"  particle  {result.mask.pixels} px, {across:.3g} um across; threshold"
        f" {result.mask.threshold:.6g} counts ({how})"
    )
    return result, [*lines, *_ending(result.numbers, warnings, files, asked)]


def measure_particles(
    path: Path, asked: Asked, labels: Path | None = None
) -> tuple[ParticlesResult, list[str]]:
    """Reduce the frames of many particles; see `measure_optical`."""
    asked.checked("_frames.csv", "_particles.csv", ".html")
    settings = Particles.from_table(asked.table("particles"))
    stack = _opened(path, asked)
    cycling, soc, warnings = _cycled(stack, asked)
    halves = () if cycling is None else cycling.half_cycles()
    result = reduce_particles(
        stack,
        settings,
        labels=None if labels is None else read_labels(labels),
        soc=soc,
        halves=halves,
    )
    title = asked.title or f"Particles in {stack.name}"
    measured = measured_of(
        "particles", result, title=title, source=asked.source or stack.name, operator=labels is None
    )
    files = _written(asked, measured, result.series, "_frames.csv")
    from nmcsim.measure.particles_page import particles_table, write_particles_page

    write_series(asked.beside("_particles.csv"), particles_table(result))
    files.append(asked.beside("_particles.csv"))
    warnings = [*result.warnings, *warnings]
    write_particles_page(asked.beside(".html"), result, title, _head(stack), warnings)
    lines = [_head(stack), f"  {len(result.names)} particles"]
    return result, [*lines, *_ending(result.numbers, warnings, files, asked)]


def measure_porosity(
    words: Sequence[str], asked: Asked, cycles: Sequence[float] = (), at: Sequence[float] = ()
) -> tuple[PorosityResult, list[str]]:
    """Reduce slices of several cycles; see `measure_optical`.

    Parameters
    ----------
    words : sequence of str
        Files or ``CYCLE=FILE``. One TIFF with as many pages as `cycles` is a slice for each.
    asked : Asked
    cycles, at : sequence of float
        Of the files; where the fit is wanted.
    """
    asked.checked(".html")
    settings = Porosity.from_table(asked.table("porosity"))
    found = list(_slices(words, cycles))
    pixel = asked.pixel or pixel_of(found[0][2])
    if pixel is None:
        raise InputError(Mistake("", 'has no pixel size; say --pixel "20 nm"'), str(found[0][2]))
    result = reduce_porosity(((c, images) for c, images, _ in found), pixel, settings, at)
    title = asked.title or f"Porosity over {len(result.cycles)} cycles"
    source = asked.source or ", ".join(dict.fromkeys(p.name for _, _, p in found))
    measured = measured_of("porosity", result, title=title, source=source)
    files = [measured.write(asked.out)]
    files += _beside(asked, measured)
    from nmcsim.measure.porosity_page import write_porosity_page

    slices = sum(one.slices for one in result.cycles)
    head = f"{len(result.cycles)} cycles, {slices} slices, {1e9 * pixel:.4g} nm/px"
    write_porosity_page(asked.beside(".html"), result, title, head, result.warnings)
    lines = [head]
    for one in result.cycles:
        lines.append(
            f"  cycle {one.cycle:<6g} porosity {100 * one.porosity:6.2f} %   cracks"
            f" {1e6 * one.crack_length:8.1f} um in {one.branches} branches"
        )
    return result, [*lines, *_ending(result.numbers, result.warnings, files, asked)]


def _slices(
    words: Sequence[str], cycles: Sequence[float]
) -> Iterator[tuple[float, Iterable[NDArray[Any]], Path]]:
    if len(words) == 1 and len(cycles) > 1:
        path = Path(words[0])
        pages = slices_of(path)
        if len(pages) != len(cycles):
            message = f"has {len(cycles)} numbers for {len(pages)} slices; give one for each"
            raise InputError(Mistake("--cycles", message))
        for cycle, page in zip(cycles, pages, strict=True):
            yield cycle, _read([page]), path
        return
    seen: set[float] = set()
    for cycle, path in cycle_files(words, cycles):
        if cycle in seen:
            message = f"is cycle {cycle:g} again; put its slices into one file, or say --cycles"
            raise InputError(Mistake("", message), str(path))
        seen.add(cycle)
        yield cycle, _read(slices_of(path)), path


def _read(pages: Iterable[Callable[[], NDArray[Any]]]) -> Iterator[NDArray[Any]]:
    return (read() for read in pages)


def _written(asked: Asked, measured: Measured, series: Any, ending: str) -> list[Path]:
    files = [measured.write(asked.out)]
    files += _beside(asked, measured)
    write_series(asked.beside(ending), series)
    return [*files, asked.beside(ending)]


def _beside(asked: Asked, measured: Measured) -> list[Path]:
    """The series that `Measured.write` has put beside the file."""
    names = {e.series.x_name: None for e in measured.entries if e.series is not None}
    return [asked.beside(f"_{name}.csv") for name in names]


def _ending(
    numbers: Mapping[str, Any], warnings: Sequence[str], files: Sequence[Path], asked: Asked
) -> list[str]:
    width = max(map(len, numbers), default=0)
    lines = [
        f"  {name:<{width}}  {said(n).replace('±', '+-').replace('µ', 'u')}"
        for name, n in numbers.items()
    ]
    lines += [f"  note: {w}" for w in warnings]
    return [*lines, "wrote " + ", ".join(map(str, [*files, asked.beside(".html")]))]
