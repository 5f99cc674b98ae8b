"""What the cell did while it was filmed: state of charge of each frame, half-cycles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.activation import HalfCycle, half_cycles
from nmcsim.measured.tables import DataTable, read_table

__all__ = ["Cycling", "read_cycling"]

Array = NDArray[np.float64]

TIME = ("time", "totaltime", "testtime", "elapsedtime", "t")
SOC = ("soc", "stateofcharge", "cellsoc")
CURRENT = ("current", "i", "cellcurrent")

AT_REST = 0.01
"""Share of the largest current below which the cell rests."""

HELD = 0.9
"""A current below this share of that of its half-cycle is a hold: it decays at constant voltage."""


@dataclass(frozen=True)
class Cycling:
    """A record of the cell.

    Parameters
    ----------
    name : str
        The file.
    time : (n,) array
        [s], never falling; 0 where the film begins.
    soc : (n,) array
    current : (n,) array, optional
        [A], positive on charge.
    """

    name: str
    time: Array
    soc: Array
    current: Array | None = None

    def soc_at(self, frames: Array) -> tuple[Array, list[str]]:
        """State of charge of frames (k,) [s], NaN outside the record, and what to say of it.

        Raises
        ------
        InputError
            No frame lies within the record.
        """
        inside = (frames >= self.time[0]) & (frames <= self.time[-1])
        if not inside.any():
            raise InputError(
                Mistake(
                    "",
                    f"tells of {self.time[0]:g} s to {self.time[-1]:g} s, the frames are from"
                    f" {frames[0]:g} s to {frames[-1]:g} s; say when they began: --record-start",
                ),
                self.name,
            )
        soc = np.where(inside, np.interp(frames, self.time, self.soc), np.nan)
        out = int(np.count_nonzero(~inside))
        said = [f"{out} frames lie outside the record and have no state of charge"] if out else []
        return soc, said

    def half_cycles(self) -> tuple[HalfCycle, ...]:
        """Charges and discharges, with the holds and rests that follow them."""
        drive = self.current
        if drive is None:
            drive = np.gradient(self.soc, np.arange(len(self.soc), dtype=float))
        limit = AT_REST * float(np.abs(drive).max())
        sign = np.where(np.abs(drive) <= limit, 0, np.sign(drive)).astype(int)
        starts = np.concatenate(([0], np.flatnonzero(np.diff(sign)) + 1, [len(sign)]))
        steps: list[dict[str, Any]] = []
        for a, b in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            end = self.time[min(b, len(self.time) - 1)]
            kind = {1: "charge", -1: "discharge", 0: "rest"}[int(sign[a])]
            if kind == "rest":
                steps.append({"kind": kind, "t_start": self.time[a], "t_end": end})
                continue
            size = np.abs(drive[a:b])
            strong = np.flatnonzero(size >= HELD * np.median(size[: max(1, (b - a) // 2)]))
            hold = a + int(strong[-1]) + 1
            until = self.time[hold] if hold < b else end
            steps.append({"kind": kind, "t_start": self.time[a], "t_end": until})
            if until < end:
                steps.append({"kind": "hold", "t_start": until, "t_end": end})
        return half_cycles(steps)


def read_cycling(
    path: Path, *, capacity: float | None = None, initial: float = 0.0, start: float = 0.0
) -> Cycling:
    """A record with time and state of charge, or time and current.

    Parameters
    ----------
    path : Path
        A table, the file of a cycler, or a result directory of nmcsim.
    capacity : float, optional
        By which a current is made a state of charge [A s].
    initial : float
        State of charge at the first row, where it comes from a current.
    start : float
        Time in the record at which the first frame was taken [s].

    Raises
    ------
    InputError
        A column is missing or has no unit, time falls, a current without capacity.
    """
    if path.is_dir():
        from nmcsim.results import Result

        result = Result.load(path)
        time, soc, current = (
            result[n].values if n in result.history else None for n in ("time", "soc", "current")
        )
        if time is None or soc is None or not np.isfinite(soc).all():
            message = "has no state of charge; its case needs protocol.capacity"
            raise InputError(Mistake("", message), str(path))
        rows = np.arange(1, len(time) + 1)
    else:
        table = read_table(path)
        time, soc, current = _columns(table)
        rows = table.rows
    fall = np.flatnonzero(~(np.diff(time) >= 0.0))
    if fall.size:
        k = int(fall[0])
        message = (
            f"goes back in time in row {rows[k + 1]}, from {time[k]:g} s to {time[k + 1]:g} s;"
            " sort it, or give the time since the start of the test"
        )
        raise InputError(Mistake("", message), str(path))
    if len(time) < 2:
        raise InputError(Mistake("", "has fewer than two rows"), str(path))
    if soc is None:
        assert current is not None
        if capacity is None:
            message = 'has a current and no state of charge; say --capacity "2.1 mAh"'
            raise InputError(Mistake("", message), str(path))
        passed = np.concatenate(
            ([0.0], np.cumsum(0.5 * np.diff(time) * (current[1:] + current[:-1])))
        )
        soc = initial + passed / capacity
    return Cycling(str(path), time - start, soc, current)


def _columns(table: DataTable) -> tuple[Array, Array | None, Array | None]:
    time, soc, current = (_likely(table, names) for names in (TIME, SOC, CURRENT))
    listed = ", ".join(table.names)
    if time is None:
        raise InputError(Mistake("", f"has no column time [s]; it has {listed}"), table.source)
    if soc is None and current is None:
        message = f"has neither soc [1] nor current [A]; it has {listed}"
        raise InputError(Mistake("", message), table.source)
    return (
        table.si(time, "s"),
        None if soc is None else table.si(soc, "1"),
        None if current is None else table.si(current, "A"),
    )


def _likely(table: DataTable, names: tuple[str, ...]) -> str | None:
    """The column that is meant; magnitudes such as ``|I|`` have lost their sign."""
    plain = {
        re.sub(r"[^a-z0-9]", "", name.lower()): name
        for name in reversed(table.names)
        if "|" not in name
    }
    return next((plain[name] for name in names if name in plain), None)
