"""Under mpirun one rank speaks, and a rank that fails alone leaves no other waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nmcsim.cli.ranks import rank

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


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, 0),
        ({"PMI_RANK": "1"}, 1),
        ({"OMPI_COMM_WORLD_RANK": "2"}, 2),
        ({"SLURM_PROCID": "3", "SLURM_STEP_ID": "0"}, 3),
        ({"SLURM_PROCID": "3"}, 0),
        ({"PMI_RANK": "what"}, 0),
    ],
)
def test_the_rank_is_known_without_mpi(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: int
):
    for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SLURM_PROCID", "SLURM_STEP_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert rank() == expected
