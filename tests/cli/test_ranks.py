"""Under mpirun one rank speaks, and a rank that fails alone leaves no other waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nmcsim.cli import main
from nmcsim.cli.ranks import check_launcher, rank, size
from nmcsim.errors import InputError

WITH_SIMULATE = """
import sys, types
import nmcsim.runtime
from nmcsim.cli import main, ranks
from nmcsim.errors import RunFailure
ranks.PATIENCE = 1.0
run = types.ModuleType("nmcsim.run")
def simulate(case, *, comm, **options):
{body}
run.simulate = simulate
sys.modules["nmcsim.run"] = run
sys.exit(main(["run", "case.toml"]))
"""


@pytest.mark.mpi
def test_a_wrong_case_is_said_once(python: Callable[..., Any]):
    done = python(
        "import sys; from nmcsim.cli import main;"
        "sys.exit(main(['run', 'case.toml', '--set', 'title=3']))",
        ranks=2,
    )
    assert done.returncode == 2
    assert done.stderr.count("must be a text in quotes") == 1


@pytest.mark.mpi
def test_ranks_that_fail_together_say_so_once(python: Callable[..., Any]):
    done = python(WITH_SIMULATE.format(body="    raise RunFailure('stopped')"), ranks=2)
    assert done.returncode == 3
    assert done.stderr == "stopped\n"


@pytest.mark.mpi
def test_a_rank_that_fails_alone_ends_all(python: Callable[..., Any]):
    body = "    if comm.rank == 1: raise ZeroDivisionError('alone')\n    comm.Barrier()"
    done = python(WITH_SIMULATE.format(body=body), ranks=2)
    assert done.returncode != 0
    assert "rank 1: nmcsim: unexpected ZeroDivisionError: alone" in done.stderr


LAUNCHERS = (
    "PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK", "PMI_SIZE",
    "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_PROCID", "SLURM_STEP_ID", "SLURM_NTASKS",
    "SLURM_STEP_NUM_TASKS",
)  # fmt: skip


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """As if by a launcher that sets these variables."""

    def start(environment: dict[str, str]) -> None:
        for name in LAUNCHERS:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return start


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (0, 1)),
        ({"PMI_RANK": "1", "PMI_SIZE": "2"}, (1, 2)),
        ({"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "3"}, (2, 3)),
        ({"PMI_RANK": "what"}, (0, 1)),
        # as Slurm 22.05 sets them: in srun, in a batch script, in the shell of salloc
        ({"SLURM_PROCID": "3", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"}, (3, 4)),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, (0, 1)),
        ({"SLURM_NTASKS": "4"}, (0, 1)),
        (  # mpirun in a batch script starts its ranks from one task of srun
            {"SLURM_PROCID": "0", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "1",
             "PMI_RANK": "1", "PMI_SIZE": "2"},
            (1, 2),
        ),
    ],
)  # fmt: skip
def test_the_ranks_are_known_without_mpi(
    started: Callable[[dict[str, str]], None],
    environment: dict[str, str],
    expected: tuple[int, int],
):
    started(environment)
    assert (rank(), size()) == expected


def test_processes_that_mpi_does_not_join_are_refused(
    started: Callable[[dict[str, str]], None],
):
    started({"SLURM_PROCID": "0", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2"})
    check_launcher(2)
    with pytest.raises(InputError, match="was started 2 times, but MPI does not join .*pmi2"):
        check_launcher(1)


ALONE = (
    ("film", "result"),
    ("measure", "optical", "stack.tif"),
    ("measure", "gitt", "record.csv"),
    ("compare", "result", "measured.toml"),
    ("fit", "case.toml", "measured.toml", "--vary", "geometry.diameter=1:2um"),
    ("import", "bpx", "cell.json"),
)


@pytest.mark.parametrize("words", ALONE, ids=lambda words: "-".join(words[:2]))
@pytest.mark.parametrize("number", [0, 1])
def test_commands_of_one_process_are_refused_on_several_ranks(
    started: Callable[[dict[str, str]], None],
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    number: int,
):
    started({"PMI_RANK": str(number), "PMI_SIZE": "2"})
    assert main(words) == 2
    said = capsys.readouterr()
    sentence = f"nmcsim: {words[0]} runs as one process, and was started 2 times; leave mpirun out"
    assert (said.out, said.err.strip()) == ("", sentence if number == 0 else "")


@pytest.mark.mpi
def test_a_measurement_under_mpirun_says_it_once(python: Callable[..., Any]):
    done = python(
        "import sys; from nmcsim.cli import main;"
        "sys.exit(main(['compare', 'result', 'measured.toml']))",
        ranks=2,
    )
    assert done.returncode == 2
    assert done.stderr.count("leave mpirun out") == 1
