"""Records: time that stands still and time that falls, gaps, segments."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.analysis.record import Record, segments
from nmcsim.errors import InputError


def of(time: list[float], current: list[float], voltage: list[float] | None = None) -> Record:
    v = np.ones(len(time)) if voltage is None else np.array(voltage)
    rows = np.arange(len(time)) + 2  # a file with one line of headings
    return Record.of(np.array(time), v, np.array(current), rows=rows, name="a.csv")


def test_charge_is_exact_where_steps_repeat_a_row() -> None:
    record = of([0, 10, 10, 30, 30, 40], [0, 0, 2, 2, 0, 0])
    assert record.charge.tolist() == [0, 0, 0, 40, 40, 40] and record.notes == ()


def test_time_falls() -> None:
    with pytest.raises(InputError, match=r"a\.csv: row 5 goes back in time, from 20 s to 15 s"):
        of([0, 10, 20, 15], [0, 1, 1, 1])


def test_three_rows_of_one_time() -> None:
    record = of([0, 10, 10, 10, 20], [0, 0, 1, 2, 2], [1, 1, 2, 3, 4])
    assert record.voltage.tolist() == [1, 1, 3, 4]
    assert record.notes == ("1 rows lie between two others of the same time and are left out",)


def test_gaps() -> None:
    record = of([0, 1, 2, 3], [0, 1, np.nan, 1])
    assert record.time.tolist() == [0, 1, 3]
    assert record.notes == ("1 of 4 rows have gaps and are left out",)
    with pytest.raises(InputError, match="has 1 complete rows of time, voltage and current, not 3"):
        of([0, np.nan, np.nan], [0, 1, 1])


def test_segments() -> None:
    record = of([0, 1, 2, 3, 4, 5, 6], [0.001, 1, 1, 0, -1, -1, 0.005])
    assert [(s.sign, s.first, s.last) for s in segments(record)] == [
        (0, 0, 0), (1, 1, 2), (0, 3, 3), (-1, 4, 5), (0, 6, 6),
    ]  # fmt: skip
    assert [s.sign for s in segments(record, at_rest=1e-4)] == [1, 0, -1, 1]
    with pytest.raises(InputError, match="has no current"):
        segments(of([0, 1, 2], [0, 0, 0]))
