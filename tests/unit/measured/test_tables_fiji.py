"""Results of ImageJ: pixels or a scale, frames, areas."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmcsim.errors import InputError
from nmcsim.measured.fiji import is_fiji, read_fiji
from nmcsim.measured.tables import read_table

TABLE = (
    " ,Label,Area,Mean,X,Y,FeretX,Slice\n"
    "1,stack.tif:0001,120.5,7,10,12,3,1\n"
    "2,stack.tif:0002,130,8,11,12.5,4,2\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "Results.csv"
    made.write_text(TABLE)
    return made


def test_it_is_known(path: Path, tmp_path: Path) -> None:
    assert is_fiji(read_table(path))
    other = tmp_path / "o.csv"
    other.write_text("time [s],X [m],Y [m],Area [m2]\n0,1,2,3\n1,2,3,4\n")
    assert not is_fiji(read_table(other))


def test_pixels_become_metres(path: Path) -> None:
    table = read_fiji(path, pixel=34.7e-9, interval=2.0)
    assert table["time"].values.tolist() == [0.0, 2.0]
    assert table["X"].values[0] / 34.7e-9 == pytest.approx(10.0)
    assert table.si("Area", "m2")[0] / 34.7e-9**2 == pytest.approx(120.5)
    assert table["Mean"].unit == "" and table.texts["Label"][1] == "stack.tif:0002"


def test_a_scale(path: Path) -> None:
    table = read_fiji(path, unit="um")
    assert table.si("Y", "m")[1] == pytest.approx(12.5e-6)
    assert table.si("Area", "m2")[0] * 1e12 == pytest.approx(120.5)
    with pytest.raises(InputError, match="is in pixels; give the size of a pixel"):
        table.si("FeretX", "m")  # ImageJ does not scale it


def test_neither(path: Path) -> None:
    with pytest.raises(InputError, match=r'column "X" is in pixels; give the size of a pixel'):
        read_fiji(path).si("X", "m")


def test_tabs_without_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "Results.xls"
    path.write_text("Area\tX\tY\tFrame\tSlice\n1\t2\t3\t1\t1\n1\t2\t4\t1\t2\n")
    table = read_fiji(path, pixel=1e-6, interval=0.5)
    assert table["time"].values.tolist() == [0.0, 0.5]  # by Slice: all frames are 1


def test_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pixel cannot stand beside unit"):
        read_fiji(path, unit="um", pixel=1e-6)
    with pytest.raises(InputError, match=r'unit = "s" is a time, and a length is needed'):
        read_fiji(path, unit="s")
    other = tmp_path / "o.csv"
    other.write_text("Area,X,Y\n1,2,3\n2,3,4\n")
    with pytest.raises(InputError, match="has no column Frame or Slice"):
        read_fiji(other, interval=1.0)
