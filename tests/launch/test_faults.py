"""Whatever dies, nothing is lost and nothing hangs; the table is that of an undisturbed run."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.launch.conftest import Sweep, gone, same_tables

SIX = "[sweep.grid]\nphysics.rock_salt.coverage = { from = 0.2, to = 0.7, count = 6 }\n"
TWELVE = "[sweep.grid]\nphysics.rock_salt.coverage = { from = 0.2, to = 0.75, count = 12 }\n"

type Made = Callable[..., Sweep]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same six cases, run in peace."""
    peaceful = Sweep(tmp_path_factory.mktemp("peace") / "undisturbed", SIX)
    peaceful.run()
    return peaceful.out


def test_a_worker_that_is_killed_costs_nothing(made: Made, undisturbed: Path):
    sweep = made(SIX)
    process = sweep.start()
    sweep.wait_for(1, process)
    sweep.workers()[0].kill()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert "6 of 6 cases done" in out
    same_tables(sweep.out, undisturbed)


def test_a_case_that_kills_its_worker_is_tried_again_and_then_marked(made: Made, tmp_path: Path):
    sweep = made(
        f"""[sweep.set]
geometry.marker = "{tmp_path / "marker"}"
[sweep.zip]
geometry.trouble = ["none", "kill", "kill once", "none"]
physics.rock_salt.coverage = [0.2, 0.3, 0.4, 0.6]
"""
    )
    out, err = sweep.run(status=3)
    assert "4 of 4 cases done" in out
    assert "1 of 4 cases failed" in err
    assert "case 2 (trouble = kill, coverage = 0.3): its process was killed by signal 9" in err
    found = {record["observables"] != {}: record for record in sweep.records()}
    assert (found[False]["kind"], found[False]["attempt"]) == ("killed", 2)
    again = sweep.run(status=3)[0]
    assert "0 in this launch" in again


@pytest.mark.slow
def test_thirty_cases_of_which_three_fail_in_three_ways(made: Made):
    fates = ["none"] * 30
    fates[4], fates[11], fates[20] = "raise", "kill", "sleep"
    sweep = made(
        f"""time_limit = "2 s"
[sweep.zip]
geometry.trouble = {fates}
physics.rock_salt.coverage = {{ from = 0.2, to = 0.78, count = 30 }}
""".replace("'", '"')
    )
    out, err = sweep.run(status=3)
    assert "30 of 30 cases done" in out and "3 of 30 cases failed" in err
    kinds = sorted(r["kind"] for r in sweep.records() if r["status"] == "failed")
    assert kinds == ["error", "killed", "time limit"]
    assert sum(r["status"] == "finished" for r in sweep.records()) == 27
    causes = {r["kind"]: r["cause"] for r in sweep.records() if r["status"] == "failed"}
    assert "cannot be meshed as troubled; gmsh says: this one cannot be meshed" in causes["error"]
    assert "took longer than its limit of 2 s" in causes["time limit"]


@pytest.mark.slow
def test_failed_cases_are_tried_again_when_asked(made: Made):
    table = """[sweep.zip]
geometry.trouble = ["none", "raise"]
physics.rock_salt.coverage = [0.2, 0.3]
"""
    sweep = made(table)
    sweep.run(status=3)
    assert "0 in this launch" in sweep.run(status=3)[0]
    assert "1 in this launch" in sweep.run("--retry-failed", status=3)[0]
    assert {r["attempt"] for r in sweep.records()} == {1, 2}


@pytest.mark.parametrize(
    "kills", [2, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_a_job_that_is_killed_again_and_again_goes_on(made: Made, undisturbed: Path, kills: int):
    sweep = made(SIX)
    chance = random.Random(kills)
    killed = 0
    for _ in range(kills):
        process = sweep.start(start_new_session=True)
        try:
            process.wait(chance.uniform(0.3, 5.0))
        except subprocess.TimeoutExpired:
            victims = sweep.workers() if chance.random() < 0.5 else []
            process.kill()
            for victim in victims:  # the whole job at once; else workers see their parent go
                victim.kill()
            killed += 1
        process.communicate()
    sweep.run()
    assert killed >= kills // 2
    same_tables(sweep.out, undisturbed)


def test_workers_do_not_outlive_their_parent(made: Made):
    sweep = made(TWELVE)
    process = sweep.start()
    sweep.wait_for(1, process)
    workers = sweep.workers()
    assert workers
    process.kill()
    process.communicate()
    assert gone(workers)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_stops_cleanly_and_says_how_to_go_on(
    made: Made, undisturbed: Path, number: signal.Signals
):
    sweep = made(SIX)
    process = sweep.start()
    sweep.wait_for(1, process)
    workers = sweep.workers()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "of 6 cases done; to go on: nmcsim sweep" in err and str(sweep.out) in err
    assert gone(workers)
    assert (sweep.out / "table.csv").is_file()
    sweep.run()
    same_tables(sweep.out, undisturbed)
    assert all(record["attempt"] <= 2 for record in sweep.records())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """``small_disk(size)``: a file system of this size; called again, it has another size."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted: list[str] = []

    def mount(size: str) -> Path:
        options = f"size={size}" if not mounted else f"remount,size={size}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        mounted.append(size)
        return folder

    yield mount
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_stops_it_with_a_sentence(
    made: Made, undisturbed: Path, small_disk: Callable[[str], Path]
):
    sweep = made(SIX)
    sweep.out = small_disk("700k") / "out"
    _, err = sweep.run(status=3)
    assert "could not be written: the disk is full" in err
    assert 0 < len(sweep.records()) < 6
    assert not any(record["status"] == "failed" for record in sweep.records())
    small_disk("50m")
    sweep.run()
    same_tables(sweep.out, undisturbed)


@pytest.mark.mpi
def test_a_rank_that_is_killed_ends_the_job_and_the_same_command_goes_on(
    made: Made, undisturbed: Path
):
    sweep = made(SIX)
    process = sweep.start(ranks=2)
    sweep.wait_for(1, process)
    ranks = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if str(sweep.file) in child.cmdline() and "mpirun" not in child.cmdline()[0]
    ]
    ranks[-1].kill()
    began = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode != 0 and time.monotonic() - began < 30.0
    assert len(sweep.records()) < 6
    sweep.run(ranks=2)
    same_tables(sweep.out, undisturbed)


@pytest.mark.mpi
def test_under_mpi_a_failed_case_leaves_the_others(made: Made):
    sweep = made(
        """[sweep.zip]
geometry.trouble = ["none", "raise", "none"]
physics.rock_salt.coverage = [0.2, 0.3, 0.4]
"""
    )
    out, err = sweep.run(ranks=2, status=3)
    assert "3 of 3 cases done" in out
    assert err.count("this one cannot be meshed") == 1
