"""Points become cases of one growing sweep, each solved once; what fails is no residual."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.case import load
from nmcsim.errors import RunFailure
from nmcsim.fitting.evaluations import Evaluations, Failed
from nmcsim.fitting.question import Question, question
from nmcsim.fitting.varied import asked
from nmcsim.sweeps import Plan, Record
from nmcsim.sweeps.records import Records
from nmcsim.sweeps.status import snapshot, status_text
from tests.crystals import SMALL

COVERAGE, DIAMETER = "physics.rock_salt.coverage", "geometry.diameter"


@dataclass
class Pool:
    """Stands for `Standing`: records every case at once; those of some coverage fail."""

    fails: tuple[float, ...] = ()
    known: dict[str, Record] = field(default_factory=dict)
    solved: list[tuple[int, tuple[str, ...], dict[str, int]]] = field(default_factory=list)

    @property
    def records(self) -> Pool:
        return self

    def record(self, hash: str) -> Record | None:
        return self.known.get(hash)

    def result(self, hash: str) -> Path:
        return Path("cases") / hash

    def solve(
        self, plan: Plan, hashes: Collection[str], *, again: Mapping[str, int]
    ) -> dict[str, Record]:
        self.solved.append((len(plan.cases), tuple(hashes), dict(again)))
        values = {p.hash: p.values for p in plan.cases}
        assert [p.number for p in plan.cases] == list(range(1, len(plan.cases) + 1))
        for hash in hashes:
            bad = values[hash].get(COVERAGE) in self.fails
            if hash not in self.known or hash in again:
                status = "failed" if bad else "finished"
                self.known[hash] = Record(hash, status, cause="it diverged" if bad else "")
        return {hash: self.known[hash] for hash in hashes}


@dataclass(frozen=True)
class One:
    residuals: np.ndarray


@pytest.fixture
def asking(tmp_path: Path) -> Question:
    (tmp_path / "case.toml").write_text(SMALL)
    return question(
        tmp_path / "case.toml", [*asked(f"{COVERAGE}=0:0.9"), *asked(f"{DIAMETER}=2:3um")]
    )


def made(asking: Question, pool: Pool, **more: Any) -> Evaluations[One]:
    def reduce(directory: Path) -> One:
        return One(np.array([1.0, float(len(directory.name))]))

    return Evaluations(asking, reduce, pool, **more)  # type: ignore[arg-type]


def test_points_are_cases_of_the_case_they_came_from(asking: Question):
    # halfway of 0 .. 0.9 and of 2 .. 3 um
    values = asking.values(np.array([0.5, 0.5]))
    assert values == (0.45, 2.5)
    case: Any = asking.case(values)
    assert case.physics.rock_salt.coverage == 0.45 and case.geometry.diameter == 2.5e-6
    assert case.hash == load(asking.path or "").replace(COVERAGE, 0.45).hash
    assert asking.values(asking.start) == (0.5, 2.5)


def test_each_point_is_solved_once(asking: Question):
    pool = Pool()
    evaluations = made(asking, pool)
    a, b, c = (np.array(x) for x in ([0.1, 0.1], [0.2, 0.1], [0.3, 0.1]))
    found = evaluations([a, b, a])
    assert [len(one) for one in found if one is not None] == [2, 2, 2]
    evaluations([a, c])
    # the plan grows; only what is new is asked for
    assert [(total, len(hashes)) for total, hashes, _ in pool.solved] == [(2, 2), (3, 1)]
    assert evaluations.count == 3 and evaluations.solved == 3
    # another process finds them recorded
    later = made(asking, pool)
    later([a, b, c])
    assert later.solved == 0 and later.count == 3


def test_what_fails_has_its_cause_and_no_residual(asking: Question):
    pool = Pool(fails=(0.45,))
    evaluations = made(asking, pool)
    good, bad = np.array([0.1, 0.1]), np.array([0.5, 0.1])
    assert [one is None for one in evaluations([good, bad])] == [False, True]
    assert [(one.values[0], one.cause) for one in evaluations.failed] == [(0.45, "it diverged")]
    # again, but once in a process, if that is asked for
    retried = made(asking, pool, retry_failed=True)
    retried([bad])
    retried([bad, good])
    assert [again for *_, again in pool.solved[1:]] == [{pool.solved[0][1][1]: 1}, {}]


def test_a_point_that_is_no_case_fails_alone(asking: Question):
    evaluations = made(asking, Pool())
    found = evaluations.reduced([(1.5, 2.5), (0.2, 2.5)])
    assert isinstance(found[0], Failed) and isinstance(found[1], One)
    assert "no bare surface" in found[0].cause


def test_a_result_without_numbers_fails(asking: Question):
    def nothing(directory: Path) -> One:
        return One(np.array([1.0, np.nan]))

    def refused(directory: Path) -> One:
        raise RunFailure("no bright spot")

    for reduce, cause in ((nothing, "gives no number beside"), (refused, "no bright spot")):
        evaluations = Evaluations(asking, reduce, Pool())  # type: ignore[arg-type]
        assert evaluations([np.array([0.1, 0.1])]) == [None]
        assert cause in evaluations.failed[0].cause


def test_the_status_of_a_fit_names_the_command_of_the_fit(asking: Question, tmp_path: Path):
    asking = replace(asking, go_on="nmcsim fit a.toml m.toml --out fit")
    asking.plan([(0.3, 2.5)]).write(tmp_path)
    plan = Plan.read(tmp_path)
    said = status_text(plan, tmp_path, snapshot(plan, Records(tmp_path, "0")))
    assert said.endswith("nobody works on it; to go on: nmcsim fit a.toml m.toml --out fit")
    assert "nmcsim sweep" not in said
