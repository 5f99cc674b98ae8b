"""A run that reaches a limit stops between two steps, and its state is kept."""

import pickle

import pytest

from nmcsim.case import load
from nmcsim.errors import RunFailure
from nmcsim.run import simulate
from nmcsim.stops import LimitExceeded, Limits, in_bytes


@pytest.fixture(scope="module")
def case():
    return load("cases/crystal_aged_1C.toml").coarse()


def test_a_limit_of_time_ends_a_run_with_its_state_kept(case, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(
        LimitExceeded, match=r"in step 1: the run took longer than its limit of 1e-09 s"
    ):
        simulate(case, out, limits=Limits(time=1e-9))
    assert (out / "checkpoint.h5").is_file()
    again = simulate(case, out, resume=True)
    assert again.status == "finished"


def test_a_limit_of_memory_ends_a_run(case, tmp_path):
    with pytest.raises(LimitExceeded, match=r"more memory than its limit of 1 MB") as failure:
        simulate(case, tmp_path / "out", limits=Limits(memory=1e6))
    assert failure.value.kind == "memory limit"
    assert failure.value.exit_status == RunFailure.exit_status


def test_the_error_travels_between_ranks():
    error = Limits(time=2.0).error(3)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.kind) == ("took longer than its limit of 2 s", "time limit")


@pytest.mark.parametrize(
    ("amount", "said"), [(2e9, "2 GB"), (1.5e8, "150 MB"), (2e3, "2 kB"), (12.0, "12 B")]
)
def test_memory_is_said_in_decimal_units(amount, said):
    assert in_bytes(amount) == said
