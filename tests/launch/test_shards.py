"""The command lines of a cluster, without one: shares of a job array, and groups of ranks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from nmcsim.sweeps.table import Table
from tests.launch.conftest import Sweep, same_tables
from tests.mpirun import clean_environment, mpirun

SIX = "[sweep.grid]\nphysics.rock_salt.coverage = { from = 0.2, to = 0.7, count = 6 }\n"

type Made = Callable[..., Sweep]


@pytest.fixture
def undisturbed(made: Made) -> Sweep:
    """The same six cases in one launch."""
    peaceful = made(SIX, "undisturbed")
    peaceful.run()
    return peaceful


def status(sweep: Sweep) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "nmcsim", "status", str(sweep.out)], env=clean_environment(),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout


def numbers(sweep: Sweep) -> list[int]:
    """The cases that have a record."""
    table = Table.load(sweep.out)
    return table.loc[table["status"] == "finished", "case"].tolist()


def test_shares_that_run_together_end_in_one_table(made: Made, undisturbed: Sweep):
    sweep = made(SIX)
    shares = [sweep.start("--shard", f"{i}/3", "--workers", "1") for i in (1, 2, 3)]
    said = [share.communicate(timeout=240) for share in shares]
    assert [share.returncode for share in shares] == [0, 0, 0], said
    assert all("2 in this launch" in out for out, _ in said)
    assert any("6 of 6 cases done" in out for out, _ in said)
    table = Table.load(sweep.out / "table.parquet")
    assert table["status"].tolist() == ["finished"] * 6
    assert [record["attempt"] for record in sweep.records()] == [1] * 6
    same_tables(sweep.out, undisturbed.out)


@pytest.mark.slow
def test_a_share_alone_leaves_the_rest_open(made: Made):
    sweep = made(SIX)
    out, _ = sweep.run("--shard", "2/3")
    assert "2 of 6 cases done, 2 in this launch" in out
    assert numbers(sweep) == [2, 5]
    said = status(sweep)
    assert "2 finished, 0 ended early, 0 failed, 0 running, 4 open" in said
    assert f"nobody works on it; to go on: nmcsim sweep {sweep.file} --out {sweep.out}" in said
    assert "0 in this launch" in sweep.run("--shard", "2/3")[0]
    assert "6 of 6 cases done, 4 in this launch" in sweep.run()[0]


def test_the_share_of_a_small_sweep_may_be_empty(made: Made):
    sweep = made("[sweep.grid]\nphysics.rock_salt.coverage = [0.3]\n")
    out, _ = sweep.run("--shard", "2/3")
    assert "0 of 1 cases done, 0 in this launch" in out
    assert "1 open" in status(sweep)


@pytest.mark.mpi
def test_a_rank_that_fills_no_group_waits_for_the_others(made: Made, undisturbed: Sweep):
    sweep = made(SIX)
    out, _ = sweep.run("--ranks-per-case", "2", ranks=3)
    assert "6 of 6 cases done" in out
    assert {record["ranks"] for record in sweep.records()} == {2}
    claims = [path for path in (sweep.out / "claims").iterdir() if path.suffix == ".1"]
    who = {json.loads(path.read_text())["worker"]["launch"].partition("/")[2] for path in claims}
    assert len(claims) == 6 and who == {"0"}
    same_tables(sweep.out, undisturbed.out)


@pytest.mark.mpi
def test_a_share_of_a_sweep_is_not_for_mpi(made: Made):
    sweep = made(SIX)
    _, err = sweep.run("--shard", "1/3", ranks=2, status=2)
    assert "--shard is for jobs without MPI; leave mpirun or --shard out" in err
    assert not sweep.out.exists()


def test_the_table_of_who_writes_last_is_complete(made: Made, monkeypatch: pytest.MonkeyPatch):
    """Two launches end together: the one that read fewer records writes after the other."""
    from nmcsim.launch import conduct
    from nmcsim.report import sweep as page
    from nmcsim.sweeps.plan import Plan

    sweep = made("[sweep.grid]\nphysics.rock_salt.coverage = [0.3, 0.5]\n")
    sweep.run()
    records = sorted((sweep.out / "records").glob("*.json"))
    aside = sweep.folder / "aside.json"
    records[0].rename(aside)
    written = []

    def other_ends(directory: object) -> None:
        written.append(len(Table.load(sweep.out / "table.parquet").query("status == 'finished'")))
        if aside.exists():
            aside.rename(records[0])

    monkeypatch.setattr(page, "write_sweep_report", other_ends)
    conduct.write_outputs(Plan.read(sweep.out), sweep.out)
    assert written == [1, 2]


SLOW_END = """
import sys, time
from nmcsim.cli import main, ranks
from nmcsim.launch import conduct
ranks.PATIENCE = 0.5
def write(plan, directory):
    time.sleep(2.0)
    (directory / "table.csv").touch()
conduct.write_outputs = write
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.mpi
def test_ranks_wait_for_the_one_that_writes_the_table(made: Made):
    """After a failed case, too, where a rank that leaves alone would end the job."""
    sweep = made('[sweep.zip]\ngeometry.trouble = ["none", "raise"]\n')
    words = ["-c", SLOW_END, "sweep", str(sweep.file), "--out", str(sweep.out)]
    done = mpirun(2, words, check=False, cwd=sweep.folder)
    assert done.returncode == 3
    assert "1 of 2 cases failed" in done.stderr
    assert (sweep.out / "table.csv").is_file()
