"""Tables of other programs: found delimiters and units, and every file that is refused."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.measured.series_file import read_columns
from nmcsim.measured.tables import DataTable, read_table, split_heading


@pytest.fixture
def read(tmp_path: Path):  # type: ignore[no-untyped-def]
    def reading(text: str | bytes, name: str = "t.csv", **options: str) -> DataTable:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_table(path, **options)

    return reading


def content(table: DataTable) -> dict[str, tuple[str, list[float]]]:
    return {c.name: (c.unit, c.values.tolist()) for c in table.columns}


@pytest.mark.parametrize(
    ("heading", "name", "unit"),
    [
        ("t [s]", "t", "s"),
        ("Voltage(V)", "Voltage", "V"),
        ("Test_Time (s)", "Test_Time", "s"),
        ("Ewe/V", "Ewe", "V"),
        ("-Im(Z)/Ohm", "-Im(Z)", "ohm"),
        ("Q charge/discharge/mA.h", "Q charge/discharge", "mA*h"),
        ("(Q-Qo)/mA.h", "(Q-Qo)", "mA*h"),
        ("Temperature/°C", "Temperature", "°C"),
        ("x [Seconds]", "x", "s"),
        ("dQ/dV", "dQ/dV", ""),
        ("Re(Z)", "Re(Z)", ""),
        ("control/V/mA", "control/V/mA", ""),
        ("voltage", "voltage", ""),
    ],
)
def test_headings(heading: str, name: str, unit: str) -> None:
    assert split_heading(heading) == (name, unit)


@pytest.mark.parametrize(
    "text",
    [
        "time [s],voltage [mV]\n0,3500\n10,3600.5\n",
        "time (s);voltage (mV)\n0;3500,0\n10;3600,5\n",
        "time/s\tvoltage/mV\n0\t3500,0\n10\t3600,5\n",
        "time,voltage\ns,mV\n0,3500\n10,3600.5\n",
        "time;voltage\n[s];[mV]\n0;3500\n10;3600.5\n",
        "# made by hand\n# time [s]  voltage [mV]\n0 3500\n10 3600.5\n",
        "time/s voltage/mV\n0,0 3500,0\n10,0 3600,5\n",
        "Cell: X12\nDate: 2024-01-01\n\ntime (s)\tvoltage (mV)\n0\t3500\n10\t3600.5\n",
        "\ufefftime [s],voltage [mV]\r\n0,3500\r\n10,3600.5\r\n",
    ],
)
def test_one_table_written_in_many_ways(text: str, read) -> None:  # type: ignore[no-untyped-def]
    table = read(text)
    assert content(table) == {"time": ("s", [0.0, 10.0]), "voltage": ("mV", [3500.0, 3600.5])}
    assert table.si("voltage", "V").tolist() == pytest.approx([3.5, 3.6005])


def test_utf_16_as_some_cyclers_write(read) -> None:  # type: ignore[no-untyped-def]
    table = read("time [s]\tI [µA]\n0\t1\n1\t2\n".encode("utf-16"), "t.txt")
    assert table.si("I", "A").tolist() == pytest.approx([1e-6, 2e-6], abs=1e-15)


def test_texts_gaps_clocks_and_repeated_names(read) -> None:  # type: ignore[no-untyped-def]
    table = read(
        "Label,t [h:min:s],I [A],I [A]\na,0:00:00,1,\nb,0:01:30.5,,3\nc,1 00:00:00,2,overload\n"
    )
    assert table.texts["Label"] == ("a", "b", "c")
    assert table["t"].values.tolist() == [0.0, 90.5, 86400.0] and table["t"].unit == "s"
    np.testing.assert_array_equal(table["I"].values, [1.0, np.nan, 2.0])
    np.testing.assert_array_equal(table["I 2"].values, [np.nan, 3.0, np.nan])
    assert table.rows.tolist() == [2, 3, 4]


def test_dates_count_from_the_first(read) -> None:  # type: ignore[no-untyped-def]
    table = read("date,V [V]\n2024-01-01 23:59:58,1\n2024-01-02 00:00:01.5,2\n")
    assert content(table)["date"] == ("s", [0.0, 3.5])


def test_mpt_needs_no_package(read, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setitem(__import__("sys").modules, "galvani", None)
    text = (
        "EC-Lab ASCII FILE\r\nNb header lines : 6                          \r\n\r\nGITT\r\n"
        "comment, µ : 12,5\t3\r\nmode\ttime/s\tEwe/V\t<I>/mA\t(Q-Qo)/mA.h\tTemperature/°C\t\r\n"
        "1\t0,000\t3,50\t0,1\t0,0\t22,0\r\n1\t1,000\t3,61\t0,1\t2,78E-5\t22,0\r\n"
    ).encode("cp1252")
    table = read(text, "x.mpt")
    assert table["Ewe"].values.tolist() == [3.5, 3.61]
    assert table.si("<I>", "A").tolist() == pytest.approx([1e-4, 1e-4])
    assert table.si("(Q-Qo)", "A s").tolist() == pytest.approx([0.0, 1.0008e-4])
    assert table.si("Temperature", "K").tolist() == pytest.approx([295.15, 295.15])
    assert table.rows.tolist() == [7, 8]


def test_history_of_nmcsim(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "history.h5", "w") as file:
        for name, unit, values in (("time", "s", [0.0, 1.0]), ("voltage", "V", [3.5, 3.6])):
            file.create_dataset(f"history/{name}", data=values).attrs["unit"] = unit
        file.create_dataset("map/time", data=[0.0])
    table = read_table(tmp_path / "history.h5")
    assert content(table) == {"time": ("s", [0.0, 1.0]), "voltage": ("V", [3.5, 3.6])}
    assert read_table(tmp_path / "history.h5", dataset="map").names == ("time",)
    with pytest.raises(InputError, match=r'dataset = "maps" is no group of columns; there are: '):
        read_table(tmp_path / "history.h5", dataset="maps")


def test_hdf5_that_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["a/x"], file["b/x"] = [1.0], [1.0]
    with pytest.raises(InputError, match="has 2 groups with columns, so one must be named: /a, /b"):
        read_table(path)
    with h5py.File(path, "w") as file:
        file["a/x"], file["a/y"] = [1.0], [1.0, 2.0]
    with pytest.raises(InputError, match=r"columns of different length: x \(1\), y \(2\)"):
        read_table(path)
    with h5py.File(path, "w") as file:
        file["a"] = np.zeros((3, 3))
    with pytest.raises(InputError, match="has no group of one-dimensional datasets"):
        read_table(path)
    path.write_text("no HDF5")
    with pytest.raises(InputError, match="is no HDF5 file, or a damaged one"):
        read_table(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("hello world\n", "has no rows of numbers below a line of headings"),
        ("1,2\n3,4\n", "has no headings; name the columns in the first line"),
        ("t,U\n0,1,3,65\n0,2,3,70\n", "has 2 headings and 4 cells in line 2: are its commas"),
        ("a;b\n1,234;2,345\n3,456;4,567\n", 'whether the comma of "1,234" is a decimal mark'),
        ("a;b\n1,2;2.3\n3,4;4.5\n", 'decimal commas and others with points, "1,2" and "2.3"'),
        ("t [s],V [V]\n0,1\n1,2,3\n", "has 3 cells in line 3, and 2 headings"),
        ("a b\nc d\ne f\n", "is no table"),
        (b"\x00\x01\x02\x03", "is no text; a table comes as text"),
        ("EC-Lab ASCII FILE\nNb header lines : 90\n", "ends before its table"),
    ],
)
def test_refused(text: str, said: str, read) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        read(text, "x.mpt" if "EC-Lab" in str(text) else "t.csv")


def test_a_late_row_that_is_longer(read) -> None:  # type: ignore[no-untyped-def]
    rows = "".join(f"{i},1\n" for i in range(500))
    with pytest.raises(InputError, match=r"line 502 has 3 cells and 2 headings"):
        read(f"t [s],V [V]\n{rows}500,1,2\n")


def test_decimal_is_said(read) -> None:  # type: ignore[no-untyped-def]
    text = "a [m];b [m]\n1,234;2,345\n3,456;4,567\n"
    assert read(text, decimal=",")["a"].values.tolist() == [1.234, 3.456]
    assert read(text, decimal=".")["a"].values.tolist() == [1234.0, 3456.0]
    with pytest.raises(InputError, match="they cannot be decimal marks as well"):
        read("a,b\n1,2\n3,4\n", decimal=",")


def test_columns_that_are_not_there(read) -> None:  # type: ignore[no-untyped-def]
    table = read("time [s],label,U,I [V]\n0,a,1,1\n1,b,2,1\n")
    with pytest.raises(InputError, match=r'column "tme" is not there; did you mean "time"\?'):
        table["tme"]
    with pytest.raises(InputError, match=r'"label" holds texts, not numbers'):
        table["label"]
    with pytest.raises(InputError, match=r'column "U" has no unit; say "U \[V\]"'):
        table.si("U", "V")
    assert table.si("U [mV]", "V").tolist() == pytest.approx([1e-3, 2e-3])
    with pytest.raises(InputError, match=r'"time \[h\]" has the unit "s" in the file'):
        table["time [h]"]
    with pytest.raises(InputError, match=r'column "I" = "V" is a voltage, and a current is needed'):
        table.si("I", "A")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder; give a file"):
        read_table(tmp_path)
    (tmp_path / "a.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match="is no HDF5 file, and has no dataset"):
        read_table(tmp_path / "a.csv", dataset="x")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_rows_that_a_spreadsheet_has_emptied(mark: str, tmp_path: Path) -> None:
    rows = ("time [s],voltage [V]", "0,3.7", "1,3.8", ",", ",", "")
    path = tmp_path / "a.csv"
    path.write_text("\r\n".join(row.replace(",", mark) for row in rows), encoding="utf-8-sig")
    assert content(read_table(path)) == {"time": ("s", [0.0, 1.0]), "voltage": ("V", [3.7, 3.8])}
    assert read_columns(path).values["time"].tolist() == [0.0, 1.0]
