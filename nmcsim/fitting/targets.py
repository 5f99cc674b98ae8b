"""Measurements as a vector of residuals of one length, whatever case stands beside them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmcsim.case.mistakes import suggestion
from nmcsim.compare import Comparison, Pair, compare
from nmcsim.errors import InputError, Mistake, RunFailure
from nmcsim.measured import Measured, Measurement
from nmcsim.results import Result, write_json

__all__ = ["Beside", "Target"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Beside:
    """A result beside the measurements of a fit.

    Parameters
    ----------
    residuals : (m,) float array
        In units of the uncertainty; of the scale of each measurement where there is none.
    held : mapping of str to int
        Points of a series at which the simulation has no value and its nearest one counted.
    """

    residuals: Array
    held: dict[str, int] = field(default_factory=dict)


class Target:
    """The measurements that a fit is to meet.

    Parameters
    ----------
    measured : Measured
    only : sequence of str
        Names of the entries that count; all that have a number, if empty.
    folder : Path
        Where residuals are kept, so that no result is reduced twice.

    Raises
    ------
    InputError
        No entry has a number, a name of `only` is none, or some have an uncertainty and some not.
    """

    def __init__(self, measured: Measured, only: Sequence[str], folder: Path) -> None:
        self.measured, self._folder = measured, folder
        self.entries = _chosen(measured, only)
        self.weighted = _weighted(self.entries, measured)
        self.unpaired: dict[str, str] = {}
        """Entries that the simulation has nothing for, and why."""

    @property
    def used(self) -> tuple[Measurement, ...]:
        return tuple(entry for entry in self.entries if entry.name not in self.unpaired)

    @property
    def count(self) -> int:
        """Residuals."""
        return sum(len(_weights(entry, self.weighted)) for entry in self.used)

    @property
    def points(self) -> int:
        """Numbers in the file that count, before anything is compared."""
        return sum(len(_weights(entry, self.weighted)) for entry in self.entries)

    def numbers(self, entry: Measurement) -> int:
        """How many numbers of an entry count."""
        return len(_weights(entry, self.weighted))

    def begin(self, directory: Path) -> None:
        """Look which entries have a counterpart in the first result; the others are left out.

        Raises
        ------
        InputError
            None has.
        """
        found = self.compared(directory)
        self.unpaired = {
            one.name: one.reason
            for one in found.unpaired
            if one.name in {entry.name for entry in self.entries}
        }
        if not self.used:
            reasons = [Mistake(name, said) for name, said in self.unpaired.items()]
            place = str(self.measured.path or "measurements")
            if len(reasons) == 1:
                raise InputError(reasons, place)
            about = "none of its entries has a counterpart in the simulation"
            raise InputError([Mistake("", about), *reasons], place)

    def compared(self, directory: Path) -> Comparison:
        """The comparison of a result with all that counts."""
        return compare(Result.load(directory), replace(self.measured, entries=self.entries))

    def __call__(self, directory: Path) -> Beside:
        """The residuals of a result.

        Raises
        ------
        RunFailure
            It says nothing of a measurement that the first result had something for.
        """
        kept = self._folder / f"{directory.name}.json"
        known = _read(kept, self.digest)
        if known is not None:
            return known
        found = self.compared(directory)
        beside = self.beside(found)
        content = {"of": self.digest, "residuals": beside.residuals, "held": beside.held}
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_json(kept, content, forced=False)
        return beside

    def beside(self, found: Comparison) -> Beside:
        """The residuals of a comparison."""
        parts, held = [], {}
        pairs = {pair.name: pair for pair in found.pairs}
        reasons = {one.name: one.reason for one in found.unpaired}
        for entry in self.used:
            if entry.name not in pairs:
                raise RunFailure(f"{entry.name}: {reasons.get(entry.name, 'nothing simulated')}")
            values, count = _residuals(pairs[entry.name], entry, self.weighted)
            parts.append(values)
            if count:
                held[entry.name] = count
        return Beside(np.concatenate(parts), held)

    @property
    def digest(self) -> str:
        """Of all that decides the residuals of a result."""
        content: list[object] = [self.weighted, dict(self.measured.operators)]
        for e in self.entries:
            content.append(e.name in self.unpaired)
            content.append([e.name, e.unit, e.value, e.uncertainty, e.bound, e.observable])
            content.append(dict(e.conditions))
            if e.series is not None:
                s = e.series
                arrays = [a.tobytes().hex() for a in (s.x, s.values, s.uncertainty)]
                content.append([s.x_name, s.x_unit, *arrays])
        return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()[:16]


def _chosen(measured: Measured, only: Sequence[str]) -> tuple[Measurement, ...]:
    place = str(measured.path or "measurements")
    known = [entry.name for entry in measured.entries]
    wrong = [n for n in only if n not in known]
    if wrong:
        raise InputError(
            [
                Mistake(f"--only {name}", f"is no entry of {place}; {suggestion(name, known)}")
                for name in wrong
            ]
        )
    chosen = [e for e in measured.entries if not only or e.name in only]
    found = tuple(e for e in chosen if not e.missing and len(_weights(e, False)))
    if not found:
        which = "none of the entries that are chosen has" if only else "has not"
        message = f"{which} a single number to fit to; give a value or a series"
        raise InputError(Mistake("", message), place)
    return found


def _weighted(entries: Iterable[Measurement], measured: Measured) -> bool:
    """Whether all entries have an uncertainty; InputError if only some have."""
    said = {e.name: len(_weights(e, True)) > 0 for e in entries}
    if all(said.values()):
        return True
    if not any(said.values()):
        return False
    place = str(measured.path or "measurements")
    raise InputError(
        [
            Mistake(
                name,
                "has no uncertainty while others have one, so that its weight is not known; give"
                " it one, or leave it out with --only",
            )
            for name, sure in said.items()
            if not sure
        ],
        place,
    )


def _weights(entry: Measurement, weighted: bool) -> Array:
    """1 / uncertainty of each number that counts, or 1 / scale of the whole entry."""
    s = entry.series
    if s is None:
        if entry.value is None:
            return np.empty(0)
        if weighted:
            return np.array([] if not entry.uncertainty else [1.0 / entry.uncertainty])
        return np.array([1.0 / (abs(entry.value) or 1.0)])
    kept = _kept(entry, weighted)
    if weighted:
        return np.asarray(1.0 / s.uncertainty[kept])
    values = s.values[kept]
    scale = float(np.ptp(values)) if len(values) > 1 else 0.0
    scale = scale or (float(np.abs(values).max()) if len(values) else 1.0)
    return np.full(len(values), 1.0 / (scale or 1.0))


def _kept(entry: Measurement, weighted: bool) -> NDArray[np.bool_]:
    s = entry.series
    assert s is not None
    kept = np.isfinite(s.x) & np.isfinite(s.values)
    return kept & np.isfinite(s.uncertainty) & (s.uncertainty > 0.0) if weighted else kept


def _residuals(pair: Pair, entry: Measurement, weighted: bool) -> tuple[Array, int]:
    """(simulated - measured) times weight, and how many points the simulation did not reach."""
    weights = _weights(entry, weighted)
    if pair.curve is None:
        return float(pair.differences[0]) * weights, 0
    c, kept = pair.curve, _kept(entry, weighted)
    simulated = c.simulated.copy()
    empty = ~np.isfinite(simulated) & kept
    sound = np.isfinite(c.line_x) & np.isfinite(c.line)
    if sound.any():
        # beyond its ends the nearest value stands, so that the sum is one of the same points
        simulated[empty] = np.interp(c.x[empty], c.line_x[sound], c.line[sound])
    return (simulated - c.measured)[kept] * weights, int(empty.sum())


def _read(path: Path, digest: str) -> Beside | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["of"] != digest:
            return None
        numbers = [math.nan if v is None else float(v) for v in content["residuals"]]
        return Beside(np.array(numbers), dict(content["held"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
