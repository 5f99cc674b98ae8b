"""The largest centre-of-mass distance does not depend on where time steps fell."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.results import RESOLVED, largest_distance, series


def told(share: list[float], distance: list[float]) -> tuple[float, float]:
    """Of a region that shrinks as the charge goes on."""
    columns = series(
        {
            "time": np.arange(len(share), dtype=float),
            "com_distance": np.array(distance),
            "unreacted_share": np.array(share),
            "soc": 1.0 - np.array(share),
        }
    )
    return largest_distance(columns["com_distance"], columns["unreacted_share"], columns["soc"])


@pytest.mark.parametrize("last", [0.012, 0.015, 0.02])
def test_it_is_followed_to_the_smallest_region_that_counts(last: float):
    # the distance is 1.2 um - 1 um * share: 1.19 um where 1 % is left
    share = np.array([0.5, 0.1, 0.03, last, 0.0])
    value, soc = told(share.tolist(), [*(1.2e-6 - 1e-6 * share[:-1]).tolist(), np.nan])
    assert value == pytest.approx(1.19e-6, rel=1e-9)
    assert soc == pytest.approx(1.0 - RESOLVED)


def test_it_is_followed_no_farther_than_the_last_step():
    value, _ = told([0.5, 0.11, 0.1, 0.0], [0.7e-6, 1.09e-6, 1.1e-6, np.nan])
    assert value == pytest.approx(1.11e-6)


def test_a_largest_value_in_the_middle_is_that():
    assert told([0.5, 0.4, 0.3], [0.2e-6, 0.5e-6, 0.3e-6]) == pytest.approx((0.5e-6, 0.6))


def test_a_sliver_does_not_count():
    value, _ = told([0.5, 0.3, 0.0099], [0.2e-6, 0.3e-6, 9e-6])
    assert value < 0.5e-6


def test_without_a_region_there_is_none():
    assert np.isnan(told([0.0, 0.0], [np.nan, np.nan])).all()
