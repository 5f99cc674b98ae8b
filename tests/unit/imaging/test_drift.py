"""Drift: a spot located, followed and lost; phase correlation; frames shifted back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from nmcsim.errors import InputError
from nmcsim.imaging.drift import aligned, no_drift, seen_throughout, track_phase, track_spot
from nmcsim.imaging.masks import particle_mask
from nmcsim.imaging.spot import find_spot, fit_spot
from tests.scenes import POINT, SPOT, scene


def gaussian(centre: tuple[float, float], width: float, size: int = 60) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    r2 = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
    return np.exp(-r2 / (2.0 * width**2))


# -- one spot ---------------------------------------------------------------------------------


def test_a_spot_on_a_slope_is_located_exactly() -> None:
    y, x = np.mgrid[:60, :60]
    image = 500.0 * gaussian((30.27, 28.81), 3.0) + 100.0 + 2.0 * y - 1.5 * x
    fit = fit_spot(image, np.array([31.0, 28.0]), 3.3)
    assert fit is not None
    assert fit.centre == pytest.approx([30.27, 28.81], abs=1e-5)
    assert (fit.amplitude, fit.width) == pytest.approx((500.0, 3.0), rel=1e-5)
    assert fit.residual < 1e-5


def test_the_stated_error_is_the_scatter_of_the_place() -> None:
    """Under photon noise, which is larger on the spot than beside it."""
    rng = np.random.default_rng(3)
    truth = 400.0 * gaussian((30.4, 29.7), 3.0) + 60.0
    off = []
    for _ in range(150):
        fit = fit_spot(rng.poisson(truth).astype(float), np.array([30.0, 30.0]), 3.0)
        assert fit is not None
        off.append((fit.centre - (30.4, 29.7)) / fit.error)
    # 300 numbers of variance 1: their rms is 1 within 3/sqrt(600) = 0.12
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(1.0, abs=0.15)


def test_a_spot_at_the_edge_or_in_a_flat_image_is_none() -> None:
    assert fit_spot(gaussian((3.0, 30.0), 3.0), np.array([3.0, 30.0]), 3.0) is None
    assert fit_spot(np.full((60, 60), 7.0), np.array([30.0, 30.0]), 3.0) is None


def test_the_spot_is_found_beside_the_particle() -> None:
    made = scene(2)
    first = made.stack.frame(0)
    found = find_spot(first, particle_mask(first).inside, POINT)
    assert found.centre == pytest.approx(SPOT, abs=0.05)
    assert found.width == pytest.approx(POINT, rel=0.02)


def test_neither_noise_nor_another_particle_nor_a_hot_pixel_is_a_spot() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:160, :160]
    particle = np.hypot(y - 90, x - 70) < 30
    image = 1000.0 + 5000.0 * particle
    noisy = rng.poisson(image).astype(float)
    with pytest.raises(InputError, match="no bright spot stands out.*--drift phase"):
        find_spot(noisy, particle, POINT)
    other = rng.poisson(image + 4000.0 * (np.hypot(y - 25, x - 130) < 12)).astype(float)
    with pytest.raises(InputError, match="no bright spot"):
        find_spot(other, particle, POINT)
    noisy[20, 140] = 60000.0
    with pytest.raises(InputError, match="no bright spot"):
        find_spot(noisy, particle, POINT)


# -- through a stack --------------------------------------------------------------------------


def test_the_drift_comes_back_within_a_twentieth_of_a_pixel() -> None:
    made = scene()
    mask = particle_mask(made.stack.frame(0))
    drift = track_spot(made.stack, mask, POINT)
    off = drift.offsets - made.drift
    assert np.sqrt(np.mean(off**2)) < 0.02  # 0.011 px
    # and the stated error is that: 118 numbers, with the error of the first frame in common
    assert np.sqrt(np.mean((off[1:] / drift.errors[1:]) ** 2)) == pytest.approx(1.0, abs=0.5)
    assert drift.errors[0] == pytest.approx([0.0, 0.0])


def test_the_spot_may_be_said() -> None:
    made = scene(4)
    mask = particle_mask(made.stack.frame(0))
    drift = track_spot(made.stack, mask, POINT, at=(127.0, 26.0))
    assert drift.offsets == pytest.approx(made.drift, abs=0.06)
    with pytest.raises(InputError, match=r"spot = \[200, 5\] is outside the image"):
        track_spot(made.stack, mask, POINT, at=(200.0, 5.0))
    with pytest.raises(InputError, match=r"spot = \[30, 30\] has no bright spot near it"):
        track_spot(made.stack, mask, POINT, at=(30.0, 30.0))


def test_a_spot_lost_in_some_frames_is_interpolated() -> None:
    made = scene(40, lost=(7, 8, 20))
    drift = track_spot(made.stack, particle_mask(made.stack.frame(0)), POINT)
    assert np.flatnonzero(drift.lost).tolist() == [7, 8, 20]
    assert np.abs(drift.offsets - made.drift).max() < 0.1  # the track bends little
    assert drift.errors[7].min() > drift.errors[6].max()


def test_a_spot_lost_in_many_frames_is_refused() -> None:
    made = scene(40, lost=range(10, 16))
    with pytest.raises(InputError, match="is lost in 6 of 40 frames, first in frame 11"):
        track_spot(made.stack, particle_mask(made.stack.frame(0)), POINT)


def test_phase_correlation_follows_the_outline_though_the_particle_reacts() -> None:
    made = scene(30, spot=False)
    drift = track_phase(made.stack, particle_mask(made.stack.frame(0)), POINT)
    assert np.sqrt(np.mean((drift.offsets - made.drift) ** 2)) < 0.1
    assert not drift.lost.any()


def test_phase_correlation_finds_a_jump_of_many_pixels() -> None:
    jump = np.zeros((4, 2))
    jump[2:] = (14.3, -9.6)
    made = scene(4, drift=jump, spot=False, signal=1e-6)
    drift = track_phase(made.stack, particle_mask(made.stack.frame(0)), POINT)
    assert drift.offsets == pytest.approx(jump, abs=0.06)


# -- shifted back -----------------------------------------------------------------------------


def test_whole_pixels_are_moved_unchanged() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((30, 40)).astype(np.float32)
    moved = np.roll(image, (3, -2), axis=(0, 1))
    box = (slice(5, 25), slice(8, 30))
    assert np.array_equal(aligned(moved, np.array([3.0, -2.0]), box), image[box])


def test_parts_of_pixels_are_interpolated() -> None:
    """A smooth image is known between its pixels: a cubic spline gives 1e-4 of it."""
    y, x = np.mgrid[:80, :80].astype(float)

    def wave(dy: float, dx: float) -> np.ndarray:
        return np.sin(2.0 * np.pi * (y - dy) / 16.0) + np.cos(2.0 * np.pi * (x - dx) / 13.0)

    box = (slice(20, 60), slice(20, 60))
    back = aligned(wave(1.37, -0.58), np.array([1.37, -0.58]), box)
    assert back == pytest.approx(wave(0.0, 0.0)[box], abs=2e-3)


def test_beyond_the_edge_the_last_row_goes_on_and_such_pixels_are_known() -> None:
    image = np.arange(12.0).reshape(4, 3)
    whole = (slice(0, 4), slice(0, 3))
    assert aligned(image, np.array([2.0, 0.0]), whole)[:, 0].tolist() == [6.0, 9.0, 9.0, 9.0]
    still = no_drift(3)
    assert seen_throughout((3, 4, 3), still).all()
    offsets = np.array([[0.0, 0.0], [1.2, -0.5]])
    moved = replace(no_drift(2), offsets=offsets)
    seen = seen_throughout((2, 4, 3), moved)
    # row r is at r + 1.2, column c at c - 0.5
    assert np.nonzero(seen.any(axis=1))[0].tolist() == [0, 1]
    assert np.nonzero(seen.any(axis=0))[0].tolist() == [1, 2]


def test_a_drift_that_is_none() -> None:
    assert ndimage.sum(no_drift(5).offsets) == 0.0
    assert no_drift(5).error == pytest.approx(np.zeros(5))
