"""Arrangements of rock salt on the outline."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmcsim.case.outline import Circle, Outline, Polygon
from nmcsim.case.rock_salt import EVEN_SHARE, coverage, patches, under_rock_salt
from nmcsim.case.shape import Patches
from nmcsim.errors import InputError

DISK = Circle(1.25e-6)
HEXAGON = Polygon.regular(6, 2e-6)


@dataclass(frozen=True)
class Parameters:
    coverage: float | None = 0.5
    arrangement: str = "arc"
    angle: float = 0.0
    patches: int = 4
    seed: int = 1
    size_spread: float = 0.5
    intervals: tuple[tuple[float, float], ...] | None = None


def degrees(*pairs: tuple[float, float]) -> Parameters:
    radians = tuple((math.radians(a), math.radians(b)) for a, b in pairs)
    return Parameters(coverage=None, arrangement="intervals", intervals=radians)


def near(intervals: list[tuple[float, float]]) -> object:
    """What is equal to `intervals` up to rounding."""
    return pytest.approx(np.array(intervals), abs=1e-12)


def check(found: Patches, share: float) -> None:
    """Sorted, disjoint around the start, and of that total."""
    starts = [s0 for s0, _ in found]
    assert starts == sorted(starts)
    assert all(0.0 <= s0 < 1.0 and s0 < s1 for s0, s1 in found)
    assert all(
        s1 < following
        for (_, s1), following in zip(found, [*starts[1:], starts[0] + 1.0], strict=True)
    )
    assert coverage(found) == pytest.approx(share, abs=1e-14)


@pytest.mark.parametrize("arrangement", ["arc", "patches", "random"])
def test_no_coverage_no_patches(arrangement: str) -> None:
    assert patches(Parameters(coverage=0.0, arrangement=arrangement), DISK) == ()


def test_an_arc_lies_around_its_angle() -> None:
    found = patches(Parameters(coverage=0.3, angle=math.pi), DISK)
    assert np.array(found) == near([(0.35, 0.65)])


def test_an_arc_over_the_start_runs_beyond_one() -> None:
    assert np.array(patches(Parameters(coverage=0.5), DISK)) == near([(0.75, 1.25)])


def test_equal_patches_are_equally_spaced() -> None:
    found = patches(Parameters(coverage=0.4, arrangement="patches", angle=math.pi / 2), DISK)
    # four of 0.1 with their middles at 0.25, 0.5, 0.75 and 0
    assert np.array(found) == near([(0.2, 0.3), (0.45, 0.55), (0.7, 0.8), (0.95, 1.05)])


def test_on_a_polygon_the_share_is_that_of_the_length() -> None:
    # 60 deg of a hexagon from vertex to vertex is one side of six
    found = patches(Parameters(coverage=1 / 6, angle=math.radians(30.0)), HEXAGON)
    assert np.array(found) == near([(0.0, 1 / 6)])
    found = patches(degrees((60.0, 180.0)), HEXAGON)
    assert np.array(found) == near([(1 / 6, 1 / 2)])


@given(
    share=st.floats(0.05, 0.95),
    n=st.integers(1, 20),
    seed=st.integers(0, 2**32 - 1),
    spread=st.floats(0.0, 1.5),
)
@settings(deadline=None, max_examples=100)
def test_random_patches_cover_what_is_asked(share: float, n: int, seed: int, spread: float) -> None:
    asked = Parameters(
        coverage=share, arrangement="random", patches=n, seed=seed, size_spread=spread
    )
    found = patches(asked, DISK)
    assert len(found) == n
    check(found, share)
    sizes = [s1 - s0 for s0, s1 in found]
    ends = [*(s0 for s0, _ in found[1:]), found[0][0] + 1.0]
    gaps = [following - s1 for (_, s1), following in zip(found, ends, strict=True)]
    assert min(sizes) > 0.999 * EVEN_SHARE * share / n
    assert min(gaps) > 0.999 * EVEN_SHARE * (1.0 - share) / n


def test_a_seed_is_a_seed() -> None:
    asked = Parameters(arrangement="random", patches=3, seed=7)
    assert patches(asked, DISK) == patches(asked, HEXAGON)
    assert patches(asked, DISK) != patches(Parameters(arrangement="random", patches=3), DISK)
    # written down once: NumPy keeps RandomState's streams for good
    assert patches(asked, DISK)[0] == pytest.approx((0.0485791596011, 0.1585011633632), abs=1e-12)


def test_without_spread_random_patches_are_equal() -> None:
    found = patches(Parameters(arrangement="random", size_spread=0.0), DISK)
    assert [s1 - s0 for s0, s1 in found] == pytest.approx([0.125] * 4)


def test_a_larger_spread_makes_sizes_differ_more() -> None:
    def deviation(spread: float) -> float:
        asked = Parameters(arrangement="random", patches=200, size_spread=spread)
        sizes = np.diff(np.array(patches(asked, DISK)), axis=1)
        return float(np.std(sizes) / np.mean(sizes))

    # a lognormal of spread 0.5 deviates by sqrt(exp(0.25) - 1) = 0.533 of its mean, and
    # EVEN_SHARE takes a fifth of that: 0.43; 200 patches leave a scatter of some hundredths
    assert deviation(0.5) == pytest.approx(0.43, abs=0.06)
    assert deviation(0.1) < 0.12


def test_intervals_are_taken_as_they_are() -> None:
    found = patches(degrees((90.0, 180.0), (-36.0, 36.0)), DISK)
    assert np.array(found) == near([(0.25, 0.5), (0.9, 1.1)])
    check(found, 0.45)


def test_intervals_that_touch_are_one_patch() -> None:
    assert np.array(patches(degrees((90.0, 180.0), (180.0, 270.0)), DISK)) == near([(0.25, 0.75)])
    over_the_start = degrees((300.0, 360.0), (0.0, 60.0))
    assert np.array(patches(over_the_start, DISK)) == near([(300 / 360, 420 / 360)])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (degrees((0.0, 90.0), (80.0, 120.0)), r"overlap: \[0, 90\] deg and \[80, 120\] deg"),
        (degrees((300.0, 30.0), (0.0, 90.0)), "overlap"),
        (degrees((0.0, 90.0), (0.0, 90.0)), "overlap"),
        (degrees((0.0, 360.0)), r"intervals \[0, 360\] deg is the whole surface"),
        (degrees((0.0, 180.0), (180.0, 360.0)), "leaves no bare surface"),
        (degrees(), "intervals is missing; list pairs of angles"),
        (degrees((0.0, 0.01)), "leaves a patch of 2.8e-05 of the outline, too short to mesh"),
        (degrees((0.0, 90.0), (90.01, 120.0)), "leaves a gap of 2.8e-05 of the outline"),
        (Parameters(coverage=1e-5), "leaves a patch of 1e-05 of the outline"),
        (Parameters(coverage=0.9999), "leaves a gap of 0.0001 of the outline"),
        (
            Parameters(arrangement="patches", patches=5000),
            "physics.rock_salt leaves a patch of 0.0001 of the outline",
        ),
    ],
)
def test_what_cannot_be_arranged_gets_a_sentence(asked: Parameters, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        patches(asked, DISK)


def test_a_coverage_beside_intervals_must_agree() -> None:
    quarter = ((0.0, math.pi / 2),)
    agreeing = Parameters(coverage=0.25, arrangement="intervals", intervals=quarter)
    assert coverage(patches(agreeing, DISK)) == pytest.approx(0.25)
    with pytest.raises(InputError, match=r"coverage = 0.3 contradicts .* cover 0.25; leave it out"):
        patches(Parameters(coverage=0.3, arrangement="intervals", intervals=quarter), DISK)


@pytest.mark.parametrize("outline", [DISK, HEXAGON])
def test_points_are_told_apart(outline: Outline) -> None:
    where = ((0.1, 0.2), (0.9, 1.05))
    s = outline.s_of_point(outline.point([0.05, 0.15, 0.5, 0.95, 0.01]))
    assert under_rock_salt(s, where).tolist() == [False, True, False, True, True]
    assert not under_rock_salt(s, ()).any()
