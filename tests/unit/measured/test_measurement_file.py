# ruff: noqa: E501
"""``measured.toml``: a round trip without loss, units, and each mistake by its sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.measured import Measured, MeasuredSeries, Measurement

FRAMES = "time [min],soc [1],d_COM [nm],sigma [um]\n1,0.1,50,0.02\n5,0.2,,0.02\n9,0.3,140,\n"


def read(tmp_path: Path, text: str, frames: str = FRAMES) -> Measured:
    (tmp_path / "frames.csv").write_text(frames, encoding="utf-8")
    (tmp_path / "measured.toml").write_text(text, encoding="utf-8")
    return Measured.read(tmp_path / "measured.toml")


def test_a_value(tmp_path):
    found = read(
        tmp_path,
        """
        title = "One"
        [com_distance_max]
        value = 1
        unit = "um"
        uncertainty = 0.02
        bound = "at most"
        method = "by eye"
        source = "Fig. 1"
        conditions = { rate = "1C" }
        observable = "x"
        note = "n"
        [camera]
        pixel = "34.7 nm"
        """,
    )
    assert found.title == "One"
    assert found.operators == {"camera": {"pixel": "34.7 nm"}}
    assert found["com_distance_max"] == Measurement(
        "com_distance_max", "um", 1.0, 0.02, None, "at most", "x", "by eye", "Fig. 1",
        {"rate": "1C"}, "", "n",
    )  # fmt: skip
    with pytest.raises(KeyError):
        found["other"]


def test_a_series_in_the_unit_of_its_entry(tmp_path):
    text = '[com_distance]\nseries = "frames.csv"\nx = "soc"\ncolumn = "d_COM"\nunit = "um"\n'
    series = read(tmp_path, text + 'uncertainty = "sigma"')["com_distance"].series
    assert (series.x_name, series.x_unit) == ("soc", "1")
    np.testing.assert_array_equal(series.x, [0.1, 0.2, 0.3])
    np.testing.assert_allclose(series.values, [0.05, np.nan, 0.14])
    np.testing.assert_array_equal(series.uncertainty, [0.02, 0.02, np.nan])
    one = read(tmp_path, text + "uncertainty = 0.5")["com_distance"].series
    np.testing.assert_array_equal(one.uncertainty, [0.5, 0.5, 0.5])
    none = read(tmp_path, text)["com_distance"].series
    assert np.isnan(none.uncertainty).all()


def test_what_a_series_leaves_out_is_found_in_the_file(tmp_path):
    # the only column beside the time, whose unit is the header's; decimal commas after semicolons
    frames = "# remark\ntime [s];d [nm]\n\n0;1,5\n2;3,5\n"
    entry = read(tmp_path, '[com_distance]\nseries = "frames.csv"', frames)["com_distance"]
    assert entry.unit == "nm"
    np.testing.assert_array_equal(entry.series.values, [1.5, 3.5])
    # else the column with the entry's name, on a time axis of its own unit
    entry = read(tmp_path, '[soc]\nseries = "frames.csv"')["soc"]
    assert (entry.series.x_name, entry.series.x_unit) == ("time", "min")


def test_a_falling_axis_is_turned_round(tmp_path):
    text = '[voltage]\nseries = "frames.csv"\nx = "soc"'
    series = read(tmp_path, text, "soc [1],voltage [V]\n0.3,3\n0.1,4\n")["voltage"].series
    np.testing.assert_array_equal(series.x, [0.1, 0.3])
    np.testing.assert_array_equal(series.values, [4.0, 3.0])


def test_what_is_written_is_read_again(tmp_path):
    x = np.array([0.0, 1 / 3, 0.7])
    curve = MeasuredSeries(x, np.array([1e-9 / 3, np.nan, 2.0]), np.full(3, np.nan), "soc", "1")
    both = MeasuredSeries(x, np.array([1.0, 2.0, 3.0]), np.array([0.1, np.nan, 0.3]), "soc", "1")
    later = MeasuredSeries(np.array([0.0, 60.0]), np.array([1.0, 2.0]), np.full(2, np.nan))
    entries = (
        Measurement(
            "a", "um", 0.1 + 0.2, 1 / 3, method='a "quoted" µ', conditions={"T": "22 degC"}
        ),
        Measurement("b", "%", series=curve, source="s"),
        Measurement("b.2", "V", series=both),
        Measurement("c", "V", series=later),
        Measurement("d", "1", missing="Fig. S4", note="n"),
        Measurement("e", "min", 14.0, bound="at most", observable="f"),
    )
    operators = {"camera": {"pixel": "34.7 nm", "drift": [0.5, 1]}, "optical": {"smooth": True}}
    written = Measured("A title", "A source", entries, operators)
    found = Measured.read(written.write(tmp_path / "new" / "measured.toml"))
    assert (found.title, found.source) == ("A title", "A source")
    assert found.operators == operators
    for a, b in zip(entries, found.entries, strict=True):
        if a.series is None:
            assert a == b
            continue
        assert (a.name, a.unit, a.source) == (b.name, b.unit, b.source)
        for name in ("x", "values", "uncertainty"):
            np.testing.assert_array_equal(getattr(a.series, name), getattr(b.series, name))
        assert (a.series.x_name, a.series.x_unit) == (b.series.x_name, b.series.x_unit)
    # curves of one axis share a file
    files = sorted(p.name for p in (tmp_path / "new").glob("*.csv"))
    assert files == ["measured_soc.csv", "measured_time.csv"]


S = '[d]\nseries = "frames.csv"\nunit = "um"\ncolumn = "d_COM"\n'
WRONG = [
    ('titel = "a"', 'titel is not a key here; did you mean "title"?'),
    ("d = 5", "d is not a key here; an entry is a table: [d]"),
    ("title = 5", "title is a number, not a text; write it in quotes"),
    ('[d]\nvalue_ = 5\nunit = "m"\nvalue = 1', 'd.value_ is not a key of a measurement; did you mean "value"?'),
    ("[d]\nvalue = 5", 'd.value = 5 has no unit; write its unit, such as unit = "um", or unit = "1"'),
    ('[d]\nvalue = "5 um"', 'd.value = "5 um" is a text; write value = 5 and unit = "um"'),
    ('[d]\nvalue = true\nunit = "m"', "d.value is true or false, not a number"),
    ('[d]\nvalue = nan\nunit = "m"', 'd.value = nan is no number; say why with missing = "..."'),
    ('[d]\nvalue = 5\nunit = "um"\nuncertainty = 0', "d.uncertainty = 0 cannot be; it is one standard deviation, above 0"),
    ('[d]\nvalue = 5\nunit = "um"\nuncertainty = "s"', 'd.uncertainty = "s" is a text; write one standard'),
    ('[d]\nvalue = 5\nunit = "furlongz"', 'd.unit = "furlongz" has the unknown unit'),
    ('[d]\nvalue = 5\nunit = "UM"', 'did you mean "um"?'),
    ('[d]\nvalue = 5\nunit = "um"\nbound = "below"', 'd.bound = "below" is no bound; write "at most" or "at least"'),
    ('[d]\nunit = "um"', "d has no value and no series; give one, or say where it stands"),
    ('[d]\nvalue = 5\nunit = "um"\nseries = "frames.csv"', "cannot stand beside value; leave one of them out"),
    ('[d]\nmissing = "Fig. 1"\nvalue = 5\nunit = "um"', "d.missing cannot stand beside value"),
    ('[d]\nvalue = 5\nunit = "um"\nx = "soc"', "d.x belongs to a series; leave it out"),
    (S + 'bound = "at most"', "d.bound belongs to a value; leave it out"),
    ('[d]\nvalue = 5\nunit = "um"\nconditions = "1C"', 'd.conditions is no table; write { rate = "1C" }'),
    ('[d]\nvalue = 5\nunit = "um"\nmethod = 5', "d.method is a number, not a text; write it in quotes"),
    ('[d]\nseries = "absent.csv"', 'd.series = "absent.csv" does not exist'),
    ("[d]\nseries = 5", 'd.series is no file; write series = "frames.csv"'),
    (S.replace('"um"', '"V"'), 'd.column "d_COM [nm]" of frames.csv is'),
    (S.replace("d_COM", "d_CON"), 'd.column frames.csv has no column "d_CON"; did you mean "d_COM"?'),
    (S + 'uncertainty = "sigmoid"', 'd.uncertainty frames.csv has no column "sigmoid"; did you mean "sigma"?'),
    (S + 'x = "SOC2"', 'd.x frames.csv has no column "SOC2"; it has time, soc, d_COM, sigma'),
    ('[d]\nseries = "frames.csv"', 'd.column frames.csv has no column "d"; it has time, soc, d_COM, sigma; name it: column = ...'),
    ("[camera]\n" + "[d]\nvalue = [", "is not valid TOML"),
    ("", "holds no measurement; write one as a table"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), WRONG, ids=[s[:40] for _, s in WRONG])
def test_each_mistake_is_a_sentence(tmp_path, text, sentence):
    with pytest.raises(InputError) as raised:
        read(tmp_path, text)
    assert sentence in str(raised.value)
    assert "measured.toml" in str(raised.value)


CSV = [
    (
        "t [s],d_COM [um]\n0,1\n2,1\n1,1\n",
        'd.x = "t" does not rise: 1 in row 3 comes after 2; one',
    ),
    ("t [s],d_COM [um]\n0,1\n,1\n1,1\n", 'd.x = "t" does not rise: row 2 is empty'),
    ("t,d_COM [um]\n0,1\n", 'd.x = "t" has no unit in frames.csv; write "t [s]" or "t [1]"'),
    ("t [tickz],d_COM [um]\n0,1\n", 'd.x = "tickz"'),
    ("t [s],d_COM [um]\n0,one\n", 'line 2, column "d_COM": "one" is no number'),
    ("t [s],d_COM [um]\n0,1,2\n", "line 2 has 3 cells, and there are 2 columns"),
    ("t [s],t [h]\n0,1\n", 'has two columns "t"; rename one'),
    ("0,1\n2,3\n", "has no header; its first line names the columns"),
    ("t [s],d_COM [um]\n", "has a header and no rows"),
    ("", "is empty; its first line names the columns"),
]


@pytest.mark.parametrize(("frames", "sentence"), CSV, ids=[s[:40] for _, s in CSV])
def test_each_mistake_in_a_series_is_a_sentence(tmp_path, frames, sentence):
    with pytest.raises(InputError) as raised:
        read(tmp_path, S, frames)
    assert sentence in str(raised.value)


def test_a_standard_deviation_is_above_zero(tmp_path):
    frames = "t [s],d_COM [um],u [um]\n0,1,0.1\n1,1,0\n"
    with pytest.raises(InputError, match='"u" is not above 0 in row 2; leave a cell empty'):
        read(tmp_path, S + 'uncertainty = "u"', frames)


def test_a_column_without_any_unit(tmp_path):
    with pytest.raises(InputError, match=r'd has no unit; write unit = "um", or "d_COM \[um\]"'):
        read(tmp_path, '[d]\nseries = "frames.csv"', "t [s],d_COM\n0,1\n")


def test_all_mistakes_at_once(tmp_path):
    text = '[a]\nvalue = 5\n[b]\nseries = "no.csv"\n[c]\nunit = "furlongs per fortnite"\nvalue = 1'
    with pytest.raises(InputError) as raised:
        read(tmp_path, text)
    assert [m.place for m in raised.value.mistakes] == ["a.value", "b.series", "c.unit"]


def test_what_is_no_file(tmp_path):
    with pytest.raises(InputError, match=r"absent.toml: does not exist"):
        Measured.read(tmp_path / "absent.toml")
    with pytest.raises(InputError, match=r"is a folder; give its measured.toml"):
        Measured.read(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"is not text in UTF-8"):
        Measured.read(tmp_path / "binary.toml")
    (tmp_path / "movie.tif").write_bytes(b"II*\x00\xff\xfe\x00")
    with pytest.raises(InputError, match=r"is a stack .*; reduce it with nmcsim measure first"):
        Measured.read(tmp_path / "movie.tif")
