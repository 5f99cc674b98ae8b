"""What is remembered of earlier cases, and what is said of the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmcsim.sweeps.timings import remember, seconds


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "nmcsim" / "timings.jsonl"


def test_nothing_is_said_before_a_case_has_run():
    assert seconds("single_crystal", 1e4) is None


def test_the_estimate_is_the_median_by_cost():
    for cost, spent in ((1e4, 1.0), (2e4, 4.0), (1e4, 30.0)):
        remember("single_crystal", cost, spent)
    remember("electrode", 1e4, 500.0)
    # 1e-4, 2e-4 and 3e-3 s: the median
    assert seconds("single_crystal", 3e4) == pytest.approx(6.0)
    assert seconds("electrode", 1e3) == pytest.approx(50.0)


def test_the_last_fifty_count():
    for _ in range(60):
        remember("single_crystal", 1.0, 1.0)
    for _ in range(50):
        remember("single_crystal", 1.0, 3.0)
    assert seconds("single_crystal", 1.0) == pytest.approx(3.0)


def test_the_file_stays_short(cache: Path):
    for number in range(3000):
        remember("single_crystal", 1e4 + number, 1.0)
    assert 400 <= len(cache.read_text().splitlines()) < 2000
    assert '"cost": 12999.0' in cache.read_text().splitlines()[-1]


def test_foreign_lines_are_passed_over(cache: Path):
    remember("single_crystal", 1.0, 2.0)
    with cache.open("a") as file:
        file.write('{"kind": "single_crystal", "cost": 1\nnull\n[1]\n{"cost": 1, "seconds": 1}\n')
        file.write('{"kind": "single_crystal", "cost": 0, "seconds": 1}\n')
    assert seconds("single_crystal", 1.0) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("cost", "spent"), [(0.0, 1.0), (1.0, 0.0), (1.0, float("nan")), (1.0, float("inf"))]
)
def test_what_says_nothing_is_not_kept(cache: Path, cost: float, spent: float):
    remember("single_crystal", cost, spent)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_fails_no_run(tmp_path: Path):
    (tmp_path / "nmcsim").write_text("a file in the place of the folder")
    remember("single_crystal", 1.0, 1.0)
    assert seconds("single_crystal", 1.0) is None


def test_where_none_of_its_kind_has_run_its_model_tells():
    remember("single_crystal/disk/flux", 1.0, 1.0)
    remember("single_crystal/disk/butler_volmer", 1.0, 3.0)
    assert seconds("single_crystal/disk/flux", 2.0) == pytest.approx(2.0)
    assert seconds("single_crystal/polygon/flux", 1.0) == pytest.approx(2.0)
    assert seconds("electrode/columns/", 1.0) is None
