"""Many particles: lines in windows, activation known in closed form, labels."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.imaging.activation import HalfCycle
from nmcsim.imaging.intensity import Particles, line_fit, reduce_particles
from nmcsim.imaging.stack import Stack
from tests.scenes import CENTRES, crowd

HALVES = (HalfCycle("charge", 0.0, 3600.0, 3600.0), HalfCycle("discharge", 3600.0, 7140.0, 7140.0))


def test_a_straight_line_is_kept_at_uneven_places() -> None:
    x = np.array([0.0, 0.5, 0.7, 2.0, 5.0, 5.5])
    y = np.column_stack((3.0 * x - 1.0, -x))
    values, slopes = line_fit(x, y, 1.5)
    assert values == pytest.approx(y)
    assert slopes == pytest.approx(np.tile([3.0, -1.0], (6, 1)))


def test_activation_one_by_one_then_all_together() -> None:
    """A logistic curve has risen by a quarter at its middle - width ln 3."""
    stack, soc = crowd()
    result = reduce_particles(stack, soc=soc, halves=HALVES)
    assert len(result.names) == 7 and result.warnings == ()
    charge, discharge = result.halves
    # which found particle is which
    rows, columns = np.array(CENTRES).T
    order = result.labels[rows, columns] - 1
    truth = 0.1 + 0.11 * np.arange(7) - 0.02 * np.log(3.0)
    t25 = charge.t25[order] / 3600.0
    # the window of 0.04 widens the rise by 0.04^2 / (24 * 0.02): 0.003 earlier
    assert t25 == pytest.approx(truth, abs=0.006)
    assert charge.peak[order] / 3600.0 == pytest.approx(0.1 + 0.11 * np.arange(7), abs=0.012)
    numbers = result.numbers
    index = numbers["asynchrony_charge_1"]
    assert index.value == pytest.approx(0.66, abs=3.0 * index.uncertainty)
    assert 0.0001 < index.uncertainty < 0.01
    assert numbers["asynchrony_discharge_1"].value < 0.02
    assert np.ptp(discharge.t25) / 3540.0 < 0.02
    assert numbers["activated_charge_1"].value == 1.0
    # the slope over SOC peaks at 500/900 / (4 width) = 6.9, averaged over the window
    assert result.slope[:60].max(axis=0) == pytest.approx(np.full(7, 5.4), rel=0.1)


def test_the_stated_error_of_t25_is_its_scatter() -> None:
    seen, stated = [], []
    for seed in range(5):
        stack, soc = crowd(seed=seed, counts=60.0)
        one = reduce_particles(
            stack, Particles(threshold=225.0, full_scale=255.0), soc=soc,
            halves=HALVES[:1], labels=_labels(),
        ).halves[0]  # fmt: skip
        seen.append(one.t25)
        stated.append(one.t25_error)
    scatter = np.sqrt(np.mean(np.var(seen, axis=0, ddof=1)))
    # 28 degrees of freedom: 13 %, and the lines' windows are no exact theory
    assert 0.5 < scatter / np.sqrt(np.mean(np.square(stated))) < 1.5


def test_frames_far_apart_are_said_and_widen_the_error_of_t25() -> None:
    """Every eighth frame: an activation takes less than the time between two."""
    stack, _ = crowd()
    frames = np.stack([stack.frame(k) for k in range(0, 60, 8)])
    sparse = Stack.of(frames, stack.pixel, stack.time[:60:8])
    end = float(sparse.time[-1])
    result = reduce_particles(sparse, halves=[HalfCycle("charge", 0.0, end, end)])
    (charge,) = result.halves
    assert "charge 1: frames are 14 % of its length apart" in result.warnings[0]
    truth = 3600.0 * (0.1 + 0.11 * np.arange(7) - 0.02 * np.log(3.0))
    rows, columns = np.array(CENTRES).T
    order = result.labels[rows, columns] - 1
    z = (charge.t25[order] - truth) / charge.t25_error[order]
    assert 0.1 < np.sqrt(np.mean(z**2)) < 1.5
    assert (charge.t25_error < 1.0 * end / 7).all()  # no more than a frame


def _labels() -> np.ndarray:
    y, x = np.mgrid[:180, :260]
    found = np.zeros((180, 260), dtype=np.uint8)
    for p, (row, column) in enumerate(CENTRES, start=1):
        found[(np.hypot(y - row, x - column) < 22.0) & (found == 0)] = 10 * p
    return found


def test_labels_are_taken_as_they_are_and_numbered_anew() -> None:
    stack, _ = crowd(12)
    result = reduce_particles(stack, Particles(full_scale=1000.0), labels=_labels())
    assert result.names == tuple(f"particle[{p}]" for p in range(7))
    assert np.array_equal(result.labels * 10, _labels())
    assert result.intensity[0] == pytest.approx(np.full(7, 1.1), abs=0.02)
    assert any("all frames are taken as one charge" in w for w in result.warnings)
    assert not np.isfinite(result.soc).any()


def test_a_particle_that_does_not_change_takes_no_part() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:60, :120]
    left, right = np.hypot(y - 30, x - 30) < 20, np.hypot(y - 30, x - 90) < 20
    rise = np.linspace(0.0, 1.0, 40)[:, None, None]
    images = 200.0 + 800.0 * (left | right) + 400.0 * rise * left
    stack = Stack.of(rng.poisson(images).astype(np.uint16), 1e-7, np.arange(40.0))
    result = reduce_particles(stack)
    assert np.isfinite(result.halves[0].t25).tolist() == [True, False]
    assert result.numbers["activated_charge_1"].value == 0.5
    assert "asynchrony_charge_1" not in result.numbers


def test_drift_is_followed_for_particles_too() -> None:
    stack, _ = crowd(8)
    moved = np.array([np.roll(stack.frame(k), (k, -k), axis=(0, 1)) for k in range(8)])
    drifting = Stack.of(moved, stack.pixel, stack.time)
    result = reduce_particles(drifting, Particles(drift="phase"))
    assert result.drift.offsets == pytest.approx(np.outer(np.arange(8), (1, -1)), abs=0.1)


def test_what_does_not_fit_is_refused() -> None:
    stack, _ = crowd(6)
    with pytest.raises(InputError, match="labels are 100 x 260 pixels, the frames 180 x 260"):
        reduce_particles(stack, labels=_labels()[:100])
    with pytest.raises(InputError, match="labels hold no particle: all pixels are 0"):
        reduce_particles(stack, labels=np.zeros((180, 260), int))
    dark = Stack.of(np.stack([0 * stack.frame(0), stack.frame(1)]), 1e-7, [0.0, 1.0])
    with pytest.raises(InputError, match="is dark in the first frame"):
        reduce_particles(dark, labels=_labels())
    with pytest.raises(InputError, match=r'particles.drift = "no" is not a choice'):
        Particles.from_table({"drift": "no"})
    few = (HalfCycle("charge", 0.0, 60.0, 60.0),)
    assert "fewer than five frames" in reduce_particles(stack, halves=few).warnings[0]
