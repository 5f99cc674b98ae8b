"""What the cell did: state of charge at the frames, half-cycles, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.measure.cycling import Cycling, read_cycling
from nmcsim.results import Result
from tests.synthetic import synthetic_result


def written(folder: Path, *lines: str) -> Path:
    path = folder / "cell.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_state_of_charge_is_taken_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, "time [min],soc [%]", "0,10", "10,20", "20,40")
    cycling = read_cycling(path, start=300.0)
    soc, said = cycling.soc_at(np.array([0.0, 600.0, 1000.0]))
    # frame 1 was taken 5 min into the record; the last one 2 min after its end
    assert soc[:2] == pytest.approx([0.15, 0.30])
    assert np.isnan(soc[2])
    assert said == ["1 frames lie outside the record and have no state of charge"]


def test_a_current_needs_a_capacity(tmp_path: Path) -> None:
    path = written(tmp_path, "time [s],current [mA]", "0,1", "1800,1", "3600,1")
    cycling = read_cycling(path, capacity=7.2, initial=0.25)  # 2 mAh
    assert cycling.soc == pytest.approx([0.25, 0.5, 0.75])
    with pytest.raises(InputError, match="has a current and no state of charge; say --capacity"):
        read_cycling(path)


def test_half_cycles_end_their_constant_current_where_it_decays() -> None:
    t = np.arange(0.0, 1000.0, 10.0)
    current = np.select(
        [t < 300, t < 400, t < 500, t < 800], [1.0, np.exp(-(t - 290) / 30), 0.0, -1.0], 0.0
    )
    halves = Cycling("cell", t, np.zeros(100), current).half_cycles()
    assert [h.kind for h in halves] == ["charge", "discharge"]
    charge, discharge = halves
    assert (charge.t_start, charge.t_end_cc) == (0.0, 300.0)
    assert charge.t_end == pytest.approx(500.0)  # hold and rest belong to it
    assert (discharge.t_start, discharge.t_end_cc) == (500.0, 800.0)


def test_half_cycles_from_the_state_of_charge_alone() -> None:
    t = np.arange(101.0)
    halves = Cycling("cell", t, np.minimum(t, 100.0 - t) / 50.0).half_cycles()
    assert [h.kind for h in halves] == ["charge", "discharge"]
    assert halves[0].t_end == pytest.approx(50.0, abs=1.0)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("time [s],soc [1]", "0,0", "10,0.1", "5,0.2"), "back in time in row 4, from 10 s to 5 s"),
        (("time [s],voltage [V]", "0,3", "1,4"), r"has neither soc \[1\] nor current \[A\]"),
        (("step,soc [1]", "0,0", "1,1"), r"has no column time \[s\]; it has step, soc"),
        (("time,soc [1]", "0,0", "1,1"), "has no unit"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(
    tmp_path: Path, lines: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        read_cycling(written(tmp_path, *lines))


def test_a_record_of_another_time_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "time [s],soc [1]", "0,0", "10,1")
    with pytest.raises(InputError, match="tells of 0 s to 10 s, the frames are from 50 s to 60 s"):
        read_cycling(path).soc_at(np.array([50.0, 60.0]))


def test_a_result_directory_is_a_record(tmp_path: Path) -> None:
    directory = synthetic_result(tmp_path / "result")
    result, cycling = Result.load(directory), read_cycling(directory)
    assert np.array_equal(cycling.time, result["time"].values)
    assert cycling.half_cycles()[0].kind == "charge"
