import math

import pytest

from nmcsim.sweeps.record import Curve, Observable, Record


def test_a_record_comes_back_as_it_was_written(tmp_path):
    record = Record(
        "00ff", "failed", "time limit", "it took longer than 2 s", 2, "0.1.0", {"mpi": "x"}, "here",
        1, "all", 1.5e9, 2.25, {"mesh": 0.5}, {"voltage_end": Observable(4.3, "V", "at the end")},
        {"voltage": Curve((3.5, 4.3), "V", "V", "cell voltage")},
    )  # fmt: skip
    record.write(tmp_path / "a.json")
    assert Record.read(tmp_path / "a.json") == record
    assert record.failed


def test_what_is_not_a_number_is_one_again(tmp_path):
    written = Record("1", "finished", observables={"x": Observable(math.nan, "1", "")})
    written.write(tmp_path / "a.json")
    found = Record.read(tmp_path / "a.json")
    assert math.isnan(found.observables["x"].value) and math.isnan(found.wall)


def test_another_json_file_is_no_record(tmp_path):
    (tmp_path / "a.json").write_text('{"hash": "1"}')
    with pytest.raises(ValueError, match="is not a record"):
        Record.read(tmp_path / "a.json")
