"""A record of a cycler: time, voltage and current, and the charge that has passed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid

from nmcsim.errors import InputError, Mistake

__all__ = ["Record", "Segment", "segments"]

Array = NDArray[np.float64]

AT_REST = 0.01
"""Share of the largest current below which a cell is said to be at rest."""


@dataclass(frozen=True)
class Record:
    """What a cycler wrote, or what one would have written of a simulation.

    Time may stand still where a step of the protocol begins: the last row of a step and the first
    of the next one then have one time, see `Record.of`.

    Parameters
    ----------
    time : (n,) float array
        [s], never falling.
    voltage : (n,) float array
        [V].
    current : (n,) float array
        [A], positive on charge.
    charge : (n,) float array
        [A s] since the first row, positive on charge.
    theta : (n,) float array, optional
        Mean lithium per site, where the record knows it: that of a simulation does.
    name : str
        What messages call it.
    notes : tuple of str
        What was done to the rows, one sentence each.
    """

    time: Array
    voltage: Array
    current: Array
    charge: Array
    theta: Array | None = None
    name: str = "record"
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        time: Array,
        voltage: Array,
        current: Array,
        *,
        charge: Array | None = None,
        theta: Array | None = None,
        rows: NDArray[np.int_] | None = None,
        name: str = "record",
    ) -> Record:
        """Check the rows of a record.

        Rows in which time, voltage or current is missing are left out. Two rows may have the same
        time: a step ends and the next one begins. Of more than two rows of one time the first and
        the last are kept.

        Parameters
        ----------
        time, voltage, current, charge, theta : (n,) float arrays
            As of `Record`; the charge is the integral of the current (trapezoids) where not given.
        rows : (n,) int array, optional
            What the user knows each row as, such as its line in a file; from 1 where not given.
        name : str
            What messages call it.

        Raises
        ------
        InputError
            Time falls (the sentence names the row), or fewer than three rows are complete.
        """
        if rows is None:
            rows = np.arange(1, len(time) + 1)
        whole = np.isfinite(time) & np.isfinite(voltage) & np.isfinite(current)
        notes = []
        if (gone := int(np.count_nonzero(~whole))) > 0:
            notes.append(f"{gone} of {len(time)} rows have gaps and are left out")
        kept = np.flatnonzero(whole)
        if len(kept) < 3:
            raise InputError(
                Mistake(name, f"has {len(kept)} complete rows of time, voltage and current, not 3")
            )
        _refuse_falling(time[kept], rows[kept], name)
        middle = _repeated(time[kept])
        if len(middle):
            notes.append(
                f"{len(middle)} rows lie between two others of the same time and are left out"
            )
            kept = np.delete(kept, middle)
        t, i = time[kept], current[kept]
        if charge is None:
            passed = cumulative_trapezoid(i, t, initial=0.0)
        else:
            passed = charge[kept] - charge[kept[0]]
        return cls(
            t,
            voltage[kept],
            i,
            np.asarray(passed, dtype=np.float64),
            None if theta is None else theta[kept],
            name,
            tuple(notes),
        )

    def __len__(self) -> int:
        return len(self.time)


def _refuse_falling(time: Array, rows: NDArray[np.int_], name: str) -> None:
    fall = np.flatnonzero(np.diff(time) < 0.0)
    if not fall.size:
        return
    k = fall[0] + 1
    raise InputError(
        Mistake(
            f"{name}: row {rows[k]}",
            f"goes back in time, from {time[k - 1]:.10g} s to {time[k]:.10g} s; sort the rows, or"
            " choose the column that counts from the start of the test",
        )
    )


def _repeated(time: Array) -> NDArray[np.intp]:
    """Rows that have a neighbour of the same time on either side."""
    same = np.diff(time) == 0.0
    return np.flatnonzero(same[:-1] & same[1:]) + 1


@dataclass(frozen=True)
class Segment:
    """Neighbouring rows in which the current keeps its sign.

    Parameters
    ----------
    sign : int
        1 on charge, -1 on discharge, 0 at rest.
    first, last : int
        Rows of the record, both in the segment.
    """

    sign: int
    first: int
    last: int

    @property
    def rows(self) -> slice:
        """Its rows."""
        return slice(self.first, self.last + 1)


def segments(record: Record, at_rest: float | None = None) -> tuple[Segment, ...]:
    """Charges, discharges and rests in their order.

    Parameters
    ----------
    record : Record
    at_rest : float, optional
        Current [A] up to which the cell rests; where not given 1 % of the largest.

    Raises
    ------
    InputError
        The record has no current at all.
    """
    largest = float(np.abs(record.current).max())
    if largest == 0.0:
        raise InputError(Mistake(record.name, "has no current; all of its rows are 0 A"))
    limit = AT_REST * largest if at_rest is None else at_rest
    sign = np.where(np.abs(record.current) <= limit, 0, np.sign(record.current)).astype(int)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(sign)) + 1, [len(sign)]))
    return tuple(
        Segment(int(sign[a]), int(a), int(b) - 1)
        for a, b in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
    )
