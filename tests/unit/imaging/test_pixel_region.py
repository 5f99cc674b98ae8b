"""Differential intensity, its noise, and the unreacted region of one frame."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.imaging.differential import Smoother, differential, frame_noise
from nmcsim.imaging.unreacted import OUTLINE, RESOLVED, Unreacted, largest_of

Y, X = np.mgrid[:161, :161].astype(float) - 80.0
DISK = np.hypot(Y, X) < 60.0


def segment(edge: float) -> tuple[float, float]:
    """Distance [px] and share of what lies right of a straight edge in a disk of 60 px."""
    area = 3600.0 * np.arccos(edge / 60.0) - edge * np.sqrt(3600.0 - edge**2)
    return 2.0 / 3.0 * (3600.0 - edge**2) ** 1.5 / area, area / (3600.0 * np.pi)


def test_equation_2_and_a_dark_reference() -> None:
    found = differential(np.array([12.0, 9.0, 3.0]), np.array([10.0, 10.0, 0.0]))
    assert found[:2] == pytest.approx([0.2, -0.1])
    assert np.isnan(found[2])


def test_noise_is_told_from_a_uniform_change_and_a_front() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.0, 0.02, (2, 20000))
    b += 0.1
    b[:800] += 0.3
    assert frame_noise(a, b) == pytest.approx(0.02, rel=0.05)


def test_smoothing_keeps_what_is_uniform_up_to_the_edge() -> None:
    smoother = Smoother(DISK, 3.0)
    n = int(DISK.sum())
    assert smoother(np.full(n, 0.3)) == pytest.approx(np.full(n, 0.3))
    noise = np.random.default_rng(0).normal(size=n)
    # white noise of variance 1 keeps 1 / (4 pi sigma^2)
    assert smoother(noise).std() == pytest.approx(1.0 / np.sqrt(4.0 * np.pi * 9.0), rel=0.15)
    assert Smoother(DISK, 0.0)(noise) is noise


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_half_a_disk_lies_off_by_4_r_over_3_pi(sign: float) -> None:
    """On charge the signal rises, on discharge it falls: the magnitude counts."""
    signal = np.where(X[DISK] < 0.0, sign * 0.3, 0.0)
    region = Unreacted(DISK, 0.05)(signal)
    # pixels from 0 on are left: their edge lies at -0.5
    assert region.distance == pytest.approx(segment(-0.5)[0], abs=0.05)
    assert segment(0.0)[0] == pytest.approx(4.0 * 60.0 / (3.0 * np.pi))
    assert region.centre == pytest.approx([80.0, 80.0 + region.distance])
    assert region.share == pytest.approx(0.5, abs=0.01)
    # without noise the pixels alone count
    assert region.distance_error == pytest.approx(OUTLINE)


def test_nothing_unreacted_has_no_distance() -> None:
    region = Unreacted(DISK, 0.05)(np.full(int(DISK.sum()), 0.3))
    assert region.share == 0.0
    assert np.isnan(region.distance) and np.isnan(region.centre).all()


def test_the_stated_error_covers_what_noise_does() -> None:
    """A gradual front: noise blurs where it passes the threshold, and hides unreacted pixels."""
    rng = np.random.default_rng(1)
    find = Unreacted(DISK, 0.05, width=3.24)
    clean = 0.3 / (1.0 + np.exp((X[DISK] - 10.0) / 3.0))
    distance, share = segment(10.0 + 3.0 * np.log(5.0))  # where it is 0.05
    off = []
    for _ in range(40):
        seen = find(clean + rng.normal(0.0, 0.02, clean.shape), noise=0.02)
        off.append((seen.distance - distance) / seen.distance_error)
        assert abs(seen.share - share) < 3.0 * seen.share_error
    assert np.mean(np.abs(off) < 2.0) >= 0.95
    assert np.sqrt(np.mean(np.square(off))) > 0.2  # and is no idle number


@pytest.mark.parametrize("edge", [30.0, 40.0, 48.0])
def test_the_stated_error_holds_where_little_is_left(edge: float) -> None:
    """Of 20, 11 and 5 % of the area: noise alone makes unreacted pixels far from the region, which
    draw its centre of mass back, by more than the scatter.
    """
    rng = np.random.default_rng(2)
    find = Unreacted(DISK, 0.05, width=3.24)
    clean = 0.2 / (1.0 + np.exp((X[DISK] - edge + 7.0 * np.log(3.0)) / 7.0))  # 0.05 at the edge
    exact = find(clean)
    assert exact.distance == pytest.approx(segment(edge)[0], abs=0.3)
    found = [find(clean + rng.normal(0.0, 0.014, clean.shape), noise=0.014) for _ in range(40)]
    off = np.array([f.distance - exact.distance for f in found])
    z = off / [f.distance_error for f in found]
    assert off.mean() < -0.1  # drawn back
    assert np.mean(np.abs(z) < 2.0) >= 0.85
    assert 0.5 < np.sqrt(np.mean(z**2)) < 1.7  # mostly bias; neither too small nor too large


def test_an_error_of_the_shift_adds_up() -> None:
    signal = np.where(X[DISK] < 0.0, 0.3, 0.0)
    find = Unreacted(DISK, 0.05, width=3.24)
    without, with_it = find(signal), find(signal, shift_error=0.3)
    assert with_it.distance_error == pytest.approx(np.hypot(without.distance_error, 0.3))


def test_the_row_of_the_largest_distance() -> None:
    distance = np.array([0.1, 0.4, 0.3, np.nan])
    assert largest_of(distance, np.array([0.9, 0.5, 0.3, 0.0]))[2] == 1
    value, soc, row = largest_of(distance, np.full(4, 0.5 * RESOLVED))
    assert np.isnan(value) and np.isnan(soc) and row == -1
