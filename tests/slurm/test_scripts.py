"""The job scripts of docs/how-to/cluster.md, submitted to Slurm as they stand there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nmcsim import __version__
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.records import Records
from nmcsim.sweeps.status import snapshot, status_text
from nmcsim.sweeps.table import Table
from tests.launch.conftest import Sweep, same_tables
from tests.slurm.conftest import Job

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]

SIX = "[sweep.grid]\nphysics.rock_salt.coverage = { from = 0.2, to = 0.7, count = 6 }\n"
SLOW = """[sweep.set]
numerics.rtol = 1e-6
geometry.cell_size = "0.1 um"
geometry.surface_cell_size = "0.05 um"
geometry.patch_end_cell_size = "0.02 um"
[sweep.grid]
physics.rock_salt.coverage = { from = 0.2, to = 0.75, count = 12 }
"""
ONE_CORE = ("--cpus-per-task=1",)
TWO_RANKS = ("--ntasks=2",)

type Made = Callable[[str], Job]


@pytest.fixture
def undisturbed(tmp_path: Path) -> Sweep:
    """The six cases without Slurm."""
    sweep = Sweep(tmp_path / "undisturbed", SIX)
    sweep.run()
    return sweep


def status(job: Job) -> str:
    """What ``nmcsim status`` says."""
    plan = Plan.read(job.out)
    return status_text(plan, job.out, snapshot(plan, Records(job.out, __version__)))


def workers(job: Job) -> set[str]:
    """Who has claimed cases: the name of a launch, and of its worker after a slash."""
    claims = [p for p in (job.out / "claims").iterdir() if p.suffix[1:].isdigit()]
    return {json.loads(path.read_text())["worker"]["launch"] for path in claims}


def resumed(job: Job) -> list[float]:
    """Where cases went on from a checkpoint [s]."""
    told = [json.loads(p.read_text()) for p in job.out.glob("cases/*/provenance.json")]
    return [run["resumed_at"] for one in told for run in one["runs"] if run["resumed_at"]]


def all_done(job: Job, count: int) -> list[dict[str, Any]]:
    """Assert that nothing is missing in records, table and report; the records."""
    table = Table.load(job.out / "table.parquet")
    assert table["status"].tolist() == ["finished"] * count
    assert (job.out / "table.csv").is_file() and (job.out / "report.html").is_file()
    assert f"{count} finished, 0 ended early, 0 failed, 0 running, 0 open" in status(job)
    return job.sweep.records()


def test_the_array_ends_in_one_table(job: Made, undisturbed: Sweep):
    mine = job(SIX)
    number = mine.submit("array.sh", "--array=1-3", *ONE_CORE)
    mine.wait_for(1)
    assert "0 failed" in status(mine) and "nobody works on it" not in status(mine)
    mine.slurm.finish(number)
    records = all_done(mine, 6)
    assert [record["attempt"] for record in records] == [1] * 6
    assert len({name.partition("/")[0] for name in workers(mine)}) == 3
    assert mine.log(number).count("6 of 6 cases done") >= 1
    same_tables(mine.out, undisturbed.out)


@pytest.mark.parametrize("script", ["mpi.sh", "mpirun.sh"])
def test_two_ranks_share_the_cases(job: Made, script: str, undisturbed: Sweep):
    mine = job(SIX)
    number = mine.submit(script, *TWO_RANKS)
    mine.slurm.finish(number)
    assert mine.slurm.state(number) == "COMPLETED", mine.log(number)
    records = all_done(mine, 6)
    assert {record["ranks"] for record in records} == {1}
    # one launch with two workers, not two launches that know nothing of each other
    launches = workers(mine)
    assert {name.partition("/")[2] for name in launches} == {"0", "1"}
    assert len({name.partition("/")[0] for name in launches}) == 1
    assert mine.log(number).count("6 of 6 cases done") == 1
    same_tables(mine.out, undisturbed.out)


def test_two_ranks_share_a_case(job: Made, undisturbed: Sweep):
    mine = job(SIX)
    number = mine.submit("mpi.sh", *TWO_RANKS, words=("--ranks-per-case", "2"))
    mine.slurm.finish(number)
    assert {record["ranks"] for record in all_done(mine, 6)} == {2}, mine.log(number)
    assert len(workers(mine)) == 1
    same_tables(mine.out, undisturbed.out)


def test_ranks_that_mpi_does_not_join_are_refused(job: Made):
    mine = job(SIX)
    script = mine.folder / "mpi.sh"
    script.write_text(script.read_text().replace("--mpi=pmi2 ", ""))
    number = mine.submit("mpi.sh", *TWO_RANKS)
    mine.slurm.finish(number)
    assert "was started 2 times, but MPI does not join these processes" in mine.log(number)
    assert not mine.out.exists()


STOPS = [
    ("array.sh", ("--array=1-2", *ONE_CORE), ("--signal=TERM", "--batch")),
    ("mpi.sh", TWO_RANKS, ("--signal=TERM",)),
    ("mpirun.sh", TWO_RANKS, ("--signal=TERM",)),
    ("mpi.sh", (*TWO_RANKS, "--ranks"), ("--signal=TERM",)),
    # at once SIGCONT and SIGTERM, to a rank of mpirun twice; SIGKILL after KillWait
    ("mpirun.sh", TWO_RANKS, ()),
]


@pytest.mark.parametrize(("script", "options", "how"), STOPS)
def test_a_job_that_is_stopped_goes_on_with_the_same_script(
    job: Made, script: str, options: tuple[str, ...], how: tuple[str, ...]
):
    mine = job(SLOW)
    words = ("--ranks-per-case", "2") if "--ranks" in options else ()
    options = tuple(option for option in options if option != "--ranks")
    number = mine.submit(script, *options, words=words)
    mine.wait_for(2)
    mine.slurm.ask("scancel", *how, number)
    mine.slurm.finish(number)
    stopped_and_finished(mine, number, script, options, words)


@pytest.mark.parametrize(
    ("script", "options"),
    [
        ("array.sh", ("--array=1-2", *ONE_CORE, "--signal=B:TERM@25")),
        ("mpi.sh", (*TWO_RANKS, "--signal=TERM@25")),
    ],
)
def test_a_time_limit_costs_nothing(job: Made, script: str, options: tuple[str, ...]):
    mine = job(SLOW.replace("count = 12", "count = 24"))
    number = mine.submit(script, *options, "--time=00:01:00")
    mine.slurm.finish(number)
    stopped_and_finished(mine, number, script, options[:-1], (), 24)


def stopped_and_finished(
    mine: Job,
    number: str,
    script: str,
    options: tuple[str, ...],
    words: tuple[str, ...],
    count: int = 12,
) -> None:
    """Assert that a job stopped cleanly, and that a second one of the same script ends it."""
    said, done = mine.log(number), len(mine.sweep.records())
    assert f"of {count} cases done; to go on: nmcsim sweep sweep.toml --out" in said, said
    assert "Traceback" not in said
    assert 0 < done < count
    assert f"{done} finished, 0 ended early, 0 failed, 0 running, {count - done} open" in status(
        mine
    )
    assert f"nobody works on it; to go on: nmcsim sweep {mine.sweep.file} --out" in status(mine)
    released = list((mine.out / "claims").glob("*.released"))
    assert 1 <= len(released) <= 2
    assert (mine.out / "table.csv").is_file()
    second = mine.submit(script, *options, words=words)
    mine.slurm.finish(second, 400.0)
    records = all_done(mine, count)
    assert sorted(r["attempt"] for r in records)[-len(released) :] == [2] * len(released)
    assert sum(r["attempt"] == 1 for r in records) == count - len(released)
    assert len(resumed(mine)) >= 1
    assert not list((mine.out / "claims").glob("*.died"))
