"""The closed loop: a stack whose truth is known gives it back within the stated error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.imaging.optical import Optical, reduce_optical
from nmcsim.imaging.stack import Stack
from tests.scenes import PIXEL, Scene, scene


def compared(made: Scene, result: Any) -> tuple[np.ndarray, np.ndarray]:
    """Errors of distance and share over what is stated, where 2 % or more is unreacted."""
    distance, share = made.truth(result.settings.unreacted_below)
    told = (share > 0.02) & (share < 0.999)
    return (
        ((result.com_distance - distance) / result.com_distance_error)[told],
        ((result.unreacted_share - share) / result.unreacted_share_error)[told],
    )


@pytest.mark.parametrize("signal", [0.3, -0.3])
def test_distance_and_share_come_back_within_the_stated_error(signal: float) -> None:
    """On charge and on discharge, where the signal falls."""
    made = scene(signal=signal)
    soc = np.linspace(0.0, 1.0, 60)
    result = reduce_optical(made.stack, Optical(), soc)
    assert result.warnings == ()
    off = result.drift.offsets - made.drift
    assert np.sqrt(np.mean(off**2)) < 0.02  # px
    for z in compared(made, result):
        assert np.mean(np.abs(z) < 2.0) >= 0.95
    distance, share = made.truth()
    told = (share > 0.02) & (share < 0.999)
    # 0.05 px of 34.7 nm; nothing is gained by an error that is only stated to be large
    assert np.sqrt(np.mean((result.com_distance - distance)[told] ** 2)) < 5e-9
    assert np.median(result.com_distance_error[told]) < 10e-9
    # the largest distance is where 1 % is left, between two frames
    largest, where = (result.numbers[n] for n in ("com_distance_max", "soc_at_com_distance_max"))
    front = np.linspace(made.front[0], made.front[-1], 4001)
    fine = Scene(made.stack, made.drift, front, signal)
    d, s = fine.truth()
    last = np.flatnonzero(s >= 0.01)[-1]
    assert abs(largest.value - d[last]) < 2.0 * largest.uncertainty < 0.05e-6
    assert abs(where.value - last / 4000.0) < 2.0 * where.uncertainty < 0.08


def test_phase_correlation_serves_where_there_is_no_spot() -> None:
    made = scene(40, spot=False)
    result = reduce_optical(made.stack, Optical(drift="phase"))
    for z in compared(made, result):
        assert np.mean(np.abs(z) < 2.0) >= 0.95
    assert "soc" not in result.series and "soc_at_com_distance_max" not in result.numbers


def test_noise_as_large_as_the_threshold_is_said_and_smoothing_mends_it() -> None:
    made = scene(24, counts=500.0)
    raw = reduce_optical(made.stack, Optical())
    assert any("noise of dI/I1 of one pixel is 0.0" in w for w in raw.warnings)
    settings = Optical(smooth=100e-9, reference_frames=3)
    result = reduce_optical(made.stack, settings)
    assert result.warnings == ()
    _, share = made.truth()
    told = (share > 0.05) & (share < 0.95)
    off, before = (np.abs(r.unreacted_share - share)[told].max() for r in (result, raw))
    # a third of the unreacted pixels was missed
    assert off < 0.04 < 0.15 < before


def test_without_drift_no_spot_is_needed() -> None:
    made = scene(8, spot=False, drift=np.zeros((8, 2)))
    result = reduce_optical(made.stack, Optical(drift="none"))
    assert not result.drift.offsets.any()
    assert result.mask.pixels == pytest.approx(np.pi * 36.0**2, rel=0.01)


def test_a_particle_at_the_edge_that_drifts_out_is_said() -> None:
    made = scene(8, size=110, spot=False, drift=np.outer(np.arange(8.0), (1.0, 0.0)), noise=False)
    cut = Stack.of(made.stack.source.read(0, 8)[:, :92], PIXEL, made.stack.time)
    result = reduce_optical(cut, Optical(drift="phase"))
    assert any("out of the image" in w for w in result.warnings)
    assert any("touches the edge" in w for w in result.warnings)


def test_frames_from_the_disk_are_reduced_as_those_in_memory(tmp_path: Any) -> None:
    from nmcsim.imaging.stack import write_stack

    made = scene(12)
    path = tmp_path / "frames.ome.tif"
    frames = (made.stack.frame(k) for k in range(12))
    write_stack(path, frames, pixel=PIXEL, time=made.stack.time)
    a, b = reduce_optical(made.stack), reduce_optical(Stack.open(path))
    assert np.array_equal(a.com_distance, b.com_distance, equal_nan=True)
    assert b.pixel == pytest.approx(PIXEL)


def test_the_rim_may_be_left_out() -> None:
    made = scene(6, noise=False)
    result = reduce_optical(made.stack, Optical(inset=6 * PIXEL))
    # half a pixel: distances are from pixel to pixel
    assert result.mask.pixels == pytest.approx(np.pi * 30.5**2, rel=0.02)
    with pytest.raises(InputError, match="inset leaves nothing of the particle"):
        reduce_optical(made.stack, Optical(inset=2e-6))


# -- settings ---------------------------------------------------------------------------------


def test_settings_are_read_with_units_and_written_again() -> None:
    table = {
        "drift": "phase", "spot": [12, 40.5], "resolution": "300 nm", "threshold": 1200,
        "fill_holes": False, "reference_frames": 4, "unreacted_below": 0.1, "smooth": "0.1 um",
    }  # fmt: skip
    settings = Optical.from_table(table)
    assert settings == Optical("phase", (12.0, 40.5), 300e-9, 1200.0, False, 4, 0.1, 1e-7)
    assert Optical.from_table(settings.table()) == settings
    assert Optical.from_table(Optical().table()) == Optical()


def test_all_mistakes_of_a_table_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Optical.from_table(
            {
                "drif": "spot", "drift": "fourier", "spot": [1], "smooth": 30, "fill_holes": "yes",
                "unreacted_below": 0.0, "reference_frames": 1.5, "resolution": "2 s",
                "threshold": "high",
            }
        )  # fmt: skip
    said = {m.place: m.message for m in caught.value.mistakes}
    assert said == {
        "optical.drif": 'is not a key here; did you mean "drift"?',
        'optical.drift = "fourier"': 'is not a choice; write "spot", "phase" or "none"',
        "optical.spot = [1]": "must be two numbers, such as [120, 45]",
        "optical.smooth = 30": 'has no unit; write "30 um"',
        'optical.fill_holes = "yes"': "must be true or false",
        "optical.unreacted_below = 0.0": "is out of range; it must be above 0",
        "optical.reference_frames = 1.5": "must be a whole number",
        'optical.resolution = "2 s"': 'is a time, and a length is needed; write "2 um"',
        'optical.threshold = "high"': "must be a number without a unit",
    }


def test_what_does_not_fit_the_stack_is_refused() -> None:
    made = scene(5)
    with pytest.raises(InputError, match="reference_frames = 5 must be below the number of frames"):
        reduce_optical(made.stack, Optical(reference_frames=5))
    with pytest.raises(InputError, match="soc has 4 values for 5 frames"):
        reduce_optical(made.stack, Optical(), np.zeros(4))
    with pytest.raises(InputError, match="leaves an empty mask"):
        reduce_optical(made.stack, Optical(threshold=1e6))
    away = Stack.of(
        np.array([np.roll(made.stack.frame(0), 200 * k, 0) for k in range(2)]), PIXEL, [0, 1]
    )
    with pytest.raises(InputError, match="lost|whole particle out"):
        reduce_optical(away, Optical())
