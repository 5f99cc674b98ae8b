"""The closed loop through nmcsim's own camera: what it films, the reduction gives back."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.imaging.camera import Camera
from nmcsim.imaging.camera.shake import Steady
from nmcsim.imaging.camera.snapshots import Snapshots
from nmcsim.imaging.optical import Optical, reduce_optical
from nmcsim.imaging.section import unreacted_region
from tests.unit.imaging.test_camera import disk

RADIUS = 1.25e-6
FRONT = 1.0e-7


def snapshots(count: int = 13) -> Snapshots:
    """Lithium that leaves a disk behind a straight front from left to right."""
    section = disk(RADIUS)
    front = np.linspace(-1.2, 1.2, count)[:, None] * RADIUS - 4.0 * FRONT * (
        np.arange(count) == 0
    ).reshape(-1, 1)
    theta = 0.95 - 0.6 / (1.0 + np.exp((section.nodes[:, 0] - front) / FRONT))
    return Snapshots(600.0 * np.arange(count), section, theta)


@pytest.mark.parametrize("noise", [None, 2e6])
def test_distance_share_and_drift_come_back(noise: float | None) -> None:
    film = snapshots()
    fine = 60e-9  # a resolution that hides nothing; docs/vv/operators tabulates what 265 nm do
    camera = Camera(
        resolution=fine, drift=Steady((1.3e-11, -0.7e-11)), noise=noise, read_noise=0.0, seed=2
    )
    stack = camera.stack(film)
    result = reduce_optical(stack, Optical(resolution=fine))
    moved = np.outer(stack.time - stack.time[0], (0.7e-11, 1.3e-11)) / stack.pixel  # rows go down
    assert np.sqrt(np.mean((result.drift.offsets - moved) ** 2)) < 0.03
    for k in range(2, len(stack.time) - 2):
        true = unreacted_region(film.section, film.values[k], film.values[0], 0.5, 0.05)
        # the blur of 0.7 px and the stated error
        slack = 0.5 * stack.pixel + 2.0 * result.com_distance_error[k]
        assert result.com_distance[k] == pytest.approx(true.distance, abs=slack)
        assert result.unreacted_share[k] == pytest.approx(
            true.share, abs=0.01 + 2.0 * result.unreacted_share_error[k]
        )
