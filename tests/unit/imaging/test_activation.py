"""Activation of particles from curves whose times are known in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nmcsim.imaging.activation import (
    HalfCycle,
    asynchrony,
    capacity_losses,
    half_cycles,
    homogenisation_times,
    share_times,
    slope_peaks,
    variance_between,
)

T = np.array([0.0, 1.0, 4.0, 5.0, 9.0, 10.0])
"""Uneven times."""


def steps(*given: tuple[str, float]) -> list[dict[str, Any]]:
    """Protocol steps one after another, from their kinds and lengths."""
    ends = np.cumsum([length for _, length in given]).tolist()
    starts = [0.0, *ends[:-1]]
    kinds = [kind for kind, _ in given]
    return [
        {"kind": k, "t_start": a, "t_end": b} for k, a, b in zip(kinds, starts, ends, strict=True)
    ]


# -- times of shares --------------------------------------------------------------------------


def test_a_linear_curve_has_its_shares_at_their_share_of_the_time() -> None:
    """Up or down, and whatever its height: its *own* change counts."""
    curves = np.column_stack((0.9 - 0.06 * T, 0.2 + 0.03 * T))
    for share in (0.1, 0.25, 0.5, 0.9):
        assert share_times(T, curves, share) == pytest.approx([10.0 * share] * 2)


def test_a_ramp_between_plateaus() -> None:
    """From 4 to 5 it falls by all of its change: a quarter of that at 4.25."""
    curve = np.interp(T, [4.0, 5.0], [0.95, 0.35])[:, None]
    assert share_times(T, curve, 0.25) == pytest.approx([4.25])
    assert share_times(T, curve, 0.9) == pytest.approx([4.9])


def test_the_first_crossing_counts() -> None:
    """Down to -0.4 of a change of -1 at t = 1, back to 0, and down for good between 5 and 9."""
    curve = np.array([[0.0, -0.4, 0.0, 0.0, -1.0, -1.0]]).T
    assert share_times(T, curve, 0.25) == pytest.approx([0.25 / 0.4])
    assert share_times(T, curve, 0.5) == pytest.approx([5.0 + 4.0 * 0.5])


def test_a_particle_that_hardly_changes_has_no_times() -> None:
    curves = np.column_stack((0.9 - 0.0009 * T / 10.0, 0.9 - 0.0011 * T / 10.0))
    assert np.isnan(share_times(T, curves, 0.25)).tolist() == [True, False]
    assert np.isnan(slope_peaks(T, curves)).tolist() == [True, False]


# -- peaks of the slope -----------------------------------------------------------------------


def test_the_peak_of_a_slope_is_where_a_smooth_step_is_steepest() -> None:
    """tanh((t - c) / w) is steepest at c; an average over a symmetric window keeps that. The grid
    has steps of 10/500, so that the peak is known to half of one, 0.01.
    """
    time = np.sort(np.random.default_rng(4).uniform(0.0, 10.0, 4000))
    time[[0, -1]] = 0.0, 10.0
    centres = np.array([2.0, 3.7, 6.1])
    curves = 0.6 - 0.3 * np.tanh((time[:, None] - centres) / 0.8)
    assert slope_peaks(time, curves) == pytest.approx(centres, abs=0.02)  # grid, sampling
    assert slope_peaks(time, -curves) == pytest.approx(centres, abs=0.02)


def test_a_jump_shorter_than_the_window_is_found_where_the_window_holds_all_of_it() -> None:
    """A fall within 1e-6 s at t = 5 is whole in windows of 0.4 s from 4.8 to 5.2: the first such
    point is 4.8, or a step of the grid behind.
    """
    time = np.array([0.0, 5.0, 5.0 + 1e-6, 10.0])
    curve = np.array([[0.9, 0.9, 0.3, 0.3]]).T
    assert slope_peaks(time, curve) == pytest.approx([4.81], abs=0.011)


def test_a_straight_line_is_steepest_at_once() -> None:
    """All slopes are one: round-off does not choose between them."""
    assert slope_peaks(T, (0.9 - 0.06 * T)[:, None]) == pytest.approx([0.0])


# -- half-cycles ------------------------------------------------------------------------------


def test_half_cycles_of_a_cycling_protocol() -> None:
    found = half_cycles(
        steps(("rest", 1), ("charge", 20), ("hold", 5), ("discharge", 18), ("hold", 4),
              ("rest", 2), ("charge", 19))
    )  # fmt: skip
    assert found == (
        HalfCycle("charge", 1.0, 21.0, 26.0),
        HalfCycle("discharge", 26.0, 44.0, 50.0),
        HalfCycle("charge", 50.0, 69.0, 69.0),
    )
    assert [half.duration for half in found] == [20.0, 18.0, 19.0]


def test_currents_of_one_kind_in_a_row_are_one_half_cycle_but_not_over_a_rest() -> None:
    found = half_cycles(steps(("charge", 10), ("charge", 5), ("rest", 1), ("charge", 3)))
    assert found == (HalfCycle("charge", 0.0, 15.0, 16.0), HalfCycle("charge", 16.0, 19.0, 19.0))


def test_a_replayed_record_belongs_to_no_half_cycle_nor_does_the_hold_behind_it() -> None:
    found = half_cycles(steps(("charge", 10), ("replay", 5), ("hold", 2)))
    assert found == (HalfCycle("charge", 0.0, 10.0, 10.0),)


def test_a_run_that_ended_early_has_an_incomplete_half_cycle() -> None:
    given = steps(("charge", 10), ("hold", 2), ("discharge", 3))
    assert [half.complete for half in half_cycles(given, finished=False)] == [True, False]
    assert half_cycles([], finished=False) == ()
    # stopped in the next charge: the discharge had ended; stopped in its hold: it had not
    assert all(half.complete for half in half_cycles(given, finished=False, within="charge"))
    stopped = half_cycles(given, finished=False, within="hold")
    assert [half.complete for half in stopped] == [True, False]
    assert half_cycles(steps(("rest", 1), ("hold", 3))) == ()


def test_the_part_of_a_curve_begins_and_ends_with_its_half_cycle() -> None:
    time, y = HalfCycle("charge", 0.5, 3.0, 4.5).part(T, np.column_stack((T, 2.0 * T)))
    assert time == pytest.approx([0.5, 1.0, 4.0, 4.5])
    assert y == pytest.approx(np.column_stack((time, 2.0 * time)))
    half = HalfCycle("charge", 0.5, 3.0, 4.5)
    assert half.constant_current(T, T)[0] == pytest.approx([0.5, 1.0, 3.0])


# -- over the electrode -----------------------------------------------------------------------


def test_asynchrony_is_the_spread_over_the_duration() -> None:
    """t25 of the prototype's first charge, as shares of its length: 0.393 - 0.167 = 0.226."""
    t25 = 72e3 * np.array([0.167, 0.241, 0.299, 0.352, 0.393])
    assert asynchrony(t25, 72e3) == pytest.approx(0.226)
    assert asynchrony(np.append(t25, np.nan), 72e3) == pytest.approx(0.226)
    assert np.isnan(asynchrony(np.array([3.0, np.nan]), 10.0))
    assert np.isnan(asynchrony(t25, 0.0))


def test_capacity_losses_count_holds() -> None:
    """1 A for 100 s and 20 A s in the hold; back 1 A for 90 s and 18 A s: 1 - 108/120 = 10 %.

    The second charge has no discharge; a discharge that the run did not finish is no loss.
    """
    given = steps(("charge", 100), ("hold", 40), ("discharge", 90), ("hold", 40), ("charge", 90))
    time = np.array([0.0, 100.0, 140.0, 230.0, 270.0, 360.0])
    charge = np.array([0.0, 100.0, 120.0, 30.0, 12.0, 102.0])
    assert capacity_losses(half_cycles(given), time, charge) == pytest.approx([0.1])
    early = half_cycles(given[:3], finished=False)
    assert capacity_losses(early, time, charge) == []


def test_variance_is_weighted() -> None:
    """Means 0.5 and 0.9 with weights 3 and 1: mean 0.6, variance (3 * 0.01 + 0.09) / 4 = 0.03."""
    found = variance_between(np.array([[0.5, 0.9], [0.7, 0.7]]), np.array([3.0, 1.0]))
    assert found == pytest.approx([0.03, 0.0])
    assert np.isnan(variance_between(np.empty(0), np.empty(0)))


# -- within a particle ------------------------------------------------------------------------


def test_homogenisation_time_of_a_triangle() -> None:
    """The mean falls by 1 from t = 0 to 10; the surface is ahead by a triangle of height 0.1 from 2
    to 6, which is above 0.02 for 0.8 of its width: 3.2. A later one from 9.5 on is not looked at,
    t90 being 9; an even particle has 0, and one that does not change has none.
    """
    time = np.array([0.0, 2.0, 4.0, 6.0, 9.5, 9.75, 10.0])
    ahead = np.array([0.0, 0.0, 0.1, 0.0, 0.0, 0.5, 0.0])
    falling = 1.0 - time / 10.0
    mean = np.column_stack((falling, falling, np.full(time.size, 0.5)))
    surface = mean - np.column_stack((ahead, 0.1 * ahead, ahead))
    surface[5, 1] = mean[5, 1]
    found = homogenisation_times(time, surface, mean)
    assert found[:2] == pytest.approx([3.2, 0.0]) and np.isnan(found[2])


def test_a_particle_that_stays_uneven_is_so_until_the_end() -> None:
    """Ahead by 0.04 from the middle of a ramp between 2 and 4, where it passes 0.02, to the end."""
    time = np.array([0.0, 2.0, 4.0, 10.0])
    mean = (1.0 - time / 10.0)[:, None]
    surface = mean - np.array([[0.0, 0.0, 0.04, 0.04]]).T
    assert homogenisation_times(time, surface, mean) == pytest.approx([7.0])
