"""A sweep as its users start it: from a shell, under mpirun, from Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import nmcsim
from nmcsim.errors import InputError
from nmcsim.sweeps import Plan
from tests.launch.conftest import Sweep, same_tables
from tests.mpirun import ROOT, clean_environment

TWO = "[sweep.grid]\nphysics.rock_salt.coverage = [0.3, 0.6]\n"
FOUR = "[sweep.grid]\nphysics.rock_salt.coverage = [0.2, 0.4, 0.5, 0.6]\n"

type Made = Callable[..., Sweep]


def nmcsim_says(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "nmcsim", *words],
        capture_output=True, text=True, check=False, env=clean_environment(), timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_sweep_from_start_to_table_report_status_and_plot(made: Made):
    sweep = made(TWO)
    out, err = sweep.run()
    assert "Small crystal  (2 cases, varying physics.rock_salt.coverage)" in out
    assert "2 of 2 cases done, 2 in this launch" in out and err == ""
    for name in ("table.csv", "table.parquet", "report.html", "plan.json"):
        assert (sweep.out / name).is_file()
    assert not (sweep.out / "launches").exists()
    status, said = nmcsim_says("status", str(sweep.out))
    assert status == 0 and "2 finished, 0 ended early, 0 failed, 0 running, 0 open" in said
    status, said = nmcsim_says(
        "plot", str(sweep.out), "--x", "coverage", "--y", "time_end", "--out",
        str(sweep.folder / "a.png"),
    )  # fmt: skip
    assert status == 0 and (sweep.folder / "a.png").is_file()
    status, said = nmcsim_says("report", str(sweep.out))
    assert status == 0 and said.strip().endswith("report.html")
    again, _ = sweep.run()
    assert "0 in this launch" in again


@pytest.mark.slow
def test_what_is_extended_keeps_what_both_share(made: Made):
    sweep = made(TWO)
    sweep.run()
    sweep.file.write_text(sweep.file.read_text().replace("[0.3, 0.6]", "[0.3, 0.5, 0.6]"))
    _, err = sweep.run(status=2)
    assert 'holds a different sweep ("Small crystal", 2 cases); choose another' in err
    out, _ = sweep.run("--extend")
    assert "3 of 3 cases done, 1 in this launch" in out


def test_quiet_says_nothing(made: Made):
    assert made(TWO).run("--quiet") == ("", "")


@pytest.mark.slow
def test_everything_is_kept_with_its_report(made: Made):
    sweep = made("[sweep.grid]\nphysics.rock_salt.coverage = [0.3]\n")
    sweep.run("--keep", "all")
    (case,) = (sweep.out / "cases").iterdir()
    assert (case / "report.html").is_file() and (case / "fields.vtkhdf").is_file()
    assert list((case / "figures").glob("*.png"))


def test_only_numbers_are_kept(made: Made):
    sweep = made("[sweep.grid]\nphysics.rock_salt.coverage = [0.3]\n")
    sweep.run("--keep", "summary")
    (case,) = (sweep.out / "cases").iterdir()
    assert not (case / "history.h5").exists() and (case / "summary.json").is_file()
    (record,) = sweep.records()
    assert len(record["curves"]["voltage"]["values"]) > 10


@pytest.mark.slow
@pytest.mark.mpi
def test_groups_of_ranks_come_to_the_same(made: Made):
    alone, groups = made(FOUR, "alone"), made(FOUR, "groups")
    alone.run()
    out, _ = groups.run("--ranks-per-case", "2", ranks=3)
    assert "4 of 4 cases done" in out
    assert {record["ranks"] for record in groups.records()} == {2}
    same_tables(groups.out, alone.out)


@pytest.mark.slow
@pytest.mark.mpi
def test_workers_of_two_ranks_come_to_the_same(made: Made):
    alone, pairs = made(TWO, "alone"), made(TWO, "pairs")
    alone.run()
    pairs.run("--ranks-per-case", "2", "--workers", "1")
    assert {record["ranks"] for record in pairs.records()} == {2}
    same_tables(pairs.out, alone.out)


@pytest.mark.mpi
def test_more_ranks_per_case_than_ranks_are_refused(made: Made):
    sweep = made(TWO)
    _, err = sweep.run("--ranks-per-case", "3", ranks=2, status=2)
    assert "ranks_per_case = 3 but this job has 2 ranks; start it with mpirun -n 3 or more" in err
    assert not sweep.out.exists()


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--shard", "1/2"), "--shard is for jobs without MPI"),
        (("--workers", "2"), "--workers is for one machine without MPI"),
    ],
)
def test_what_is_for_one_machine_is_refused_under_mpi(made: Made, words, said: str):
    _, err = made(TWO).run(*words, ranks=2, status=2)
    assert err.count(said) == 1


def test_from_python_a_sweep_is_a_data_frame(made: Made):
    case = nmcsim.load(made("[sweep.grid]\nnumerics.degree = [2]\n").file)
    out = case.path.parent / "out"
    table = nmcsim.sweep(case, grid={"physics.rock_salt.coverage": [0.3, 0.6]}, out=out, workers=2)
    assert isinstance(table, pd.DataFrame)
    assert table["physics.rock_salt.coverage"].tolist() == [0.3, 0.6]
    assert table["status"].tolist() == ["finished"] * 2
    assert table.attrs["units"]["voltage_end"] == "V"
    assert table.result(2).status == "finished"
    again = nmcsim.Table.load(out)
    assert again["time_end"].tolist() == table["time_end"].tolist()
    # an array is a list, and the file of a case is a case
    values = np.array([0.3, 0.6])
    again = nmcsim.sweep(case.path, grid={"physics.rock_salt.coverage": values}, out=out)
    assert again["attempt"].tolist() == [1, 1]
    with pytest.raises(InputError, match="grid is for a case; a plan says it itself"):
        nmcsim.sweep(Plan.read(out), grid={"numerics.degree": [2]})


def test_the_plan_of_the_shipped_sweeps_is_sound():
    for name, count in (("rock_salt", 36), ("conductivity", 18)):
        plan = nmcsim.sweeps.read_sweep(ROOT / "cases" / "sweeps" / f"{name}.toml")
        assert len(plan.cases) == count
