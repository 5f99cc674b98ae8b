"""What a run wrote comes back the same; what is torn, missing or full is said in a sentence."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.results import (
    Journal,
    Quantity,
    Result,
    WriteFailure,
    final_observables,
    series,
    write_atomically,
    write_json,
    write_summary,
)
from tests.synthetic import synthetic_result


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_result(tmp_path_factory.mktemp("result") / "aged")


# -- the result directory ---------------------------------------------------------------------


def test_history_comes_back_with_units(directory: Path) -> None:
    result = Result.load(directory)
    assert result["voltage"].unit == "V"
    assert result["com_distance"].description == "centre-of-mass distance"
    assert next(iter(result.history)) == "time", "the columns keep their order"
    assert np.isnan(result["com_distance"].values).any(), "missing stays missing"
    assert result.title == "Synthetic aged crystal, 1C"
    assert result.status == "finished"


def test_frames_come_back(directory: Path) -> None:
    result = Result.load(directory)
    assert result.map is not None and result.surface is not None and result.points is not None
    assert result.map.theta.dtype == np.float32
    assert result.map.theta.shape == (len(result.map.time), len(result.map.nodes))
    assert result.map.triangles.max() < len(result.map.nodes)
    assert result.surface.theta.shape == (len(result.surface.time), len(result.surface.angle))
    assert result.points.names == ("centre", "bare")
    assert result.points.theta.shape == (len(result["time"]), 2)
    # half of the perimeter is blocked: edges and surface points say the same
    assert result.map.rock_salt.mean() == pytest.approx(0.5, abs=0.02)
    assert result.surface.rock_salt.mean() == pytest.approx(0.5, abs=0.02)


def test_every_dataset_carries_unit_symbol_and_description(directory: Path) -> None:
    bare = []

    def look(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and not {"unit", "symbol", "description"} <= set(
            item.attrs
        ):
            bare.append(name)

    with h5py.File(directory / "history.h5") as file:
        file.visititems(look)
    assert bare == []


def test_csv_has_units_in_its_header_and_empty_cells_for_missing(directory: Path) -> None:
    rows = list(csv.reader((directory / "history.csv").read_text().splitlines()))
    assert "voltage [V]" in rows[0]
    assert "theta at centre [1]" in rows[0]
    column = rows[0].index("com_distance [m]")
    values = Result.load(directory)["com_distance"].values
    assert [row[column] == "" for row in rows[1:]] == list(np.isnan(values))
    assert (
        float(rows[5][rows[0].index("voltage [V]")]) == Result.load(directory)["voltage"].values[4]
    )


def test_summary_has_what_the_issue_asks_and_no_nan(directory: Path) -> None:
    summary = json.loads((directory / "summary.json").read_text(), parse_constant=pytest.fail)
    assert summary["status"] == "finished"
    step = summary["steps"][0]
    assert step["sentence"] == "Charge at 1C until 4.3 V"
    assert step["ended_by"] and isinstance(step["t_end"], float)
    assert isinstance(summary["balance"]["lithium"], float)
    assert {"steps", "rejected", "residuals", "jacobians", "factorisations"} <= set(
        summary["counts"]
    )
    timing = {"mesh", "jit", "assembly", "factorisation", "solve", "output", "total"}
    assert timing <= set(summary["timing"])
    assert summary["observables"]["voltage"]["unit"] == "V"
    assert summary["observables"]["com_distance"]["value"] is None  # NaN at the end of the charge


def test_steps_csv_names_what_ended_each_step(directory: Path) -> None:
    rows = list(csv.DictReader((directory / "steps.csv").read_text().splitlines()))
    assert rows[0]["sentence"] == "Charge at 1C until 4.3 V"
    assert rows[0]["ended_by"] == "voltage"
    assert float(rows[0]["t_end [s]"]) == Result.load(directory).steps[0]["t_end"]


def test_a_summary_has_a_known_status(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="status 'done' is not one of finished"):
        write_summary(
            tmp_path, status="done", steps=[], balance={}, counts={}, timing={}, observables={}
        )


def test_at_interpolates_between_rows_and_frames(directory: Path) -> None:
    result = Result.load(directory)
    t, v = result["time"].values, result["voltage"].values
    half = 0.5 * (t[3] + t[4])
    assert result.at(half)["voltage"] == pytest.approx(0.5 * (v[3] + v[4]), rel=1e-12)
    assert result.map is not None
    frames = result.map.time
    between = result.map.at(0.25 * frames[2] + 0.75 * frames[3])
    theta = result.map.theta.astype(float)
    np.testing.assert_allclose(between, 0.25 * theta[2] + 0.75 * theta[3], rtol=1e-12)
    np.testing.assert_array_equal(result.map.at(frames[-1] + 1.0), result.map.theta[-1])
    with pytest.raises(InputError, match="outside the run, which goes from 0 s to"):
        result.at(t[-1] + 1.0)


def test_an_unknown_column_lists_the_known_ones(directory: Path) -> None:
    with pytest.raises(InputError, match="records no 'volt'; it has time, step, voltage"):
        Result.load(directory)["volt"]


def test_a_named_point_is_a_column_like_the_others(directory: Path) -> None:
    result = Result.load(directory)
    assert result.points is not None
    column = result["theta at bare"]
    np.testing.assert_array_equal(column.values, result.points.theta[:, 1])
    assert (column.unit, column.symbol) == ("1", "theta")
    assert column.description == "lithium per site at bare"
    t = result["time"].values
    assert result.at(t[7])["theta at bare"] == pytest.approx(column.values[7], rel=1e-12)
    with (directory / "history.csv").open(newline="") as file:
        heads = next(csv.reader(file))
    assert heads == [f"{name} [{c.unit}]" for name, c in result.columns.items()]
    with pytest.raises(InputError, match=r"records no 'bare'; it has time.*, theta at bare$"):
        result["bare"]


def test_results_and_columns_introduce_themselves_in_a_line_or_two(directory: Path) -> None:
    result = Result.load(directory)
    rows, end = len(result["time"]), result["time"].values[-1]
    assert repr(result) == str(result)
    assert str(result).splitlines() == [
        f'Result("{directory}"): Synthetic aged crystal, 1C',
        f"  finished, {rows} rows, {end:.6g} s",
    ]
    low, high = np.nanmin(result["voltage"].values), np.nanmax(result["voltage"].values)
    assert repr(result["voltage"]) == f'Series("voltage", {rows} rows, {low:.6g} .. {high:.6g} V)'
    empty = series({"soc": [np.nan]})["soc"]
    assert repr(empty) == 'Series("soc", 1 rows)'


def test_dataframe_keeps_the_units(directory: Path) -> None:
    frame = Result.load(directory).to_dataframe()
    assert frame.attrs["units"]["voltage"] == "V"
    assert next(iter(frame.columns)) == "time"


def test_a_model_adds_its_own_column() -> None:
    own = {"stress_max": Quantity("Pa", "sigma_max", "largest hoop stress")}
    history = series({"time": [0.0, 1.0], "stress_max": [1.0, 2.0]}, own)
    assert final_observables(history)["stress_max"] == {
        "value": 2.0,
        "unit": "Pa",
        "symbol": "sigma_max",
        "description": "largest hoop stress",
    }


# -- what cannot be opened --------------------------------------------------------------------


def test_no_such_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no directory; give the one that nmcsim run wrote"):
        Result.load(tmp_path / "absent")


def test_not_a_result_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a result directory: it has no case.toml"):
        Result.load(tmp_path)


def test_a_run_that_has_not_ended(tmp_path: Path) -> None:
    Journal(tmp_path, {}).close()
    with pytest.raises(InputError, match="holds a run that has not ended; end it with .* --resume"):
        Result.load(tmp_path)


@pytest.mark.parametrize("name", ["history.h5", "summary.json", "case.toml"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    folder = synthetic_result(tmp_path / "r", frames=3)
    path = folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=rf"{name}.*run the case again"):
        Result.load(folder)


def test_another_layout_is_refused(tmp_path: Path) -> None:
    folder = synthetic_result(tmp_path / "r", frames=3)
    with h5py.File(folder / "history.h5", "a") as file:
        file.attrs["version"] = 99
    with pytest.raises(InputError, match="has another layout"):
        Result.load(folder)


# -- the journal ------------------------------------------------------------------------------


def test_journal_reads_back_what_was_written(tmp_path: Path) -> None:
    with Journal(tmp_path, {"theta": 3}) as journal:
        journal.row(
            {"time": 0.0, "voltage": 3.7, "com_distance": float("nan"), "points": [0.1, 0.2]}
        )
        journal.row({"time": 0.1 + 0.2, "voltage": np.float64(3.8), "points": [0.3, float("nan")]})
        journal.frame("theta", 0.5, [0.1, 0.2, 0.3])
    recorded = Journal.read(tmp_path)
    assert recorded.columns["time"][1] == 0.1 + 0.2, "floats survive to the last bit"
    assert np.isnan(recorded.columns["com_distance"]).all()
    np.testing.assert_array_equal(recorded.columns["points"], [[0.1, 0.2], [0.3, np.nan]])
    assert recorded.frames["theta"].time.tolist() == [0.5]
    assert recorded.frames["theta"].values.tolist() == [[0.1, 0.2, 0.3]]


def test_journal_tolerates_a_torn_end(tmp_path: Path) -> None:
    with Journal(tmp_path, {"theta": 3}) as journal:
        journal.row({"time": 0.0})
        journal.frame("theta", 0.0, [1.0, 2.0, 3.0])
    with (tmp_path / "journal" / "rows.jsonl").open("ab") as file:
        file.write(b'{"time": 1')
    with (tmp_path / "journal" / "theta.f64").open("ab") as file:
        file.write(b"\0" * 17)
    recorded = Journal.read(tmp_path)
    assert recorded.columns["time"].tolist() == [0.0]
    assert recorded.frames["theta"].values.shape == (1, 3)


def test_journal_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    with Journal(tmp_path, {"theta": 2}) as journal:
        journal.row({"time": 0.0})
        journal.frame("theta", 0.0, [1.0, 2.0])
        offsets = journal.checkpoint()
        journal.row({"time": 1.0})
        journal.frame("theta", 1.0, [9.0, 9.0])
    with (tmp_path / "journal" / "rows.jsonl").open("ab") as file:
        file.write(b'{"ti')
    with Journal(tmp_path, {"theta": 2}, offsets) as journal:
        assert journal.offsets() == offsets
        journal.row({"time": 1.5})
        journal.frame("theta", 1.5, [3.0, 4.0])
    recorded = Journal.read(tmp_path)
    assert recorded.columns["time"].tolist() == [0.0, 1.5]
    assert recorded.frames["theta"].values.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_journal_starts_afresh_without_offsets(tmp_path: Path) -> None:
    with Journal(tmp_path, {}) as journal:
        journal.row({"time": 0.0})
    with Journal(tmp_path, {}):
        pass
    assert Journal.read(tmp_path).columns == {}


def test_journal_shorter_than_its_checkpoint_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path, {}) as journal:
        journal.row({"time": 0.0})
    with pytest.raises(InputError, match="where the checkpoint counts 5000; run without --resume"):
        Journal(tmp_path, {}, {"rows.jsonl": 5000})


def test_journal_of_another_mesh_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path, {"theta": 2}) as journal:
        offsets = journal.checkpoint()
    with pytest.raises(InputError, match="belongs to another mesh"):
        Journal(tmp_path, {"theta": 3}, offsets)


def test_a_frame_of_the_wrong_width_is_a_bug_that_is_seen(tmp_path: Path) -> None:
    with (
        Journal(tmp_path, {"theta": 2}) as journal,
        pytest.raises(ValueError, match="2 values, not 3"),
    ):
        journal.frame("theta", 0.0, [1.0, 2.0, 3.0])


def test_damage_inside_the_journal_is_said(tmp_path: Path) -> None:
    with Journal(tmp_path, {}) as journal:
        journal.row({"time": 0.0})
    path = tmp_path / "journal" / "rows.jsonl"
    path.write_bytes(b"\0\0\n" + path.read_bytes())
    with pytest.raises(InputError, match="is damaged in line 1"):
        Journal.read(tmp_path)


# -- full and forbidden disks -----------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device /dev/full")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with Journal(tmp_path, {}) as journal:
        offsets = journal.checkpoint()
    rows = tmp_path / "journal" / "rows.jsonl"
    rows.unlink()
    rows.symlink_to("/dev/full")
    with (
        Journal(tmp_path, {}, offsets) as journal,
        pytest.raises(WriteFailure, match=r"rows.jsonl: could not be written: the disk is full"),
    ):
        journal.row({"time": 0.0})


def test_a_full_disk_leaves_the_old_history(tmp_path: Path) -> None:
    """A file size limit stands in for the full disk: HDF5 and CSV meet it in the middle of a
    file.
    """
    folder = synthetic_result(tmp_path / "r", frames=3)
    before = (folder / "history.h5").read_bytes()
    code = f"""
        import resource
        from pathlib import Path
        from nmcsim.results import Result, WriteFailure, write_history
        result = Result.load({str(folder)!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            write_history(Path({str(folder)!r}), result.history, theta_map=result.map)
        except WriteFailure as failure:
            print(failure)
    """
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert "history.h5: could not be written: the disk is full" in out.stdout
    assert out.stderr == ""
    assert (folder / "history.h5").read_bytes() == before
    assert not list(folder.glob(".*.tmp"))


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WriteFailure, match="No such file or directory; see that the folder exists"):
        write_json(tmp_path / "absent" / "summary.json", {})


def test_atomic_writing_leaves_one_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"1")
    write_atomically(tmp_path / "a", b"2")
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"2"


def test_results_open_without_the_solver(directory: Path) -> None:
    """`Result.load` must work where DOLFINx, PETSc, gmsh and mpi4py do not exist."""
    code = f"""
        import sys
        for name in ("dolfinx", "petsc4py", "gmsh", "mpi4py", "ufl", "pandas", "matplotlib"):
            sys.modules[name] = None
        from nmcsim.results import Result
        print(len(Result.load({str(directory)!r})["time"]))
    """
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert int(out.stdout) > 10
