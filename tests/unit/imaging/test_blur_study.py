"""The study of blur: what the formula for a dark ground predicts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nmcsim.imaging.camera import Camera
from nmcsim.imaging.optical import Optical, reduce_optical
from validation.blur import study


@pytest.mark.parametrize(("diameter", "resolution"), [(2.5e-6, 265e-9), (5e-6, 530e-9)])
def test_blur_moves_the_level_line(diameter: float, resolution: float) -> None:
    """On a dark ground dI/I1 is the blurred signal: a level at A / 4 of a logistic front moves by
    sigma^2 / 4 w. With half of the disk left, the centre of mass of the rest follows by
    (4 / 3 pi) (4 / pi) of that.
    """
    camera = Camera(spot=None, background=0.0, resolution=resolution)
    half = study.SHARES.index(0.5)
    found = []
    for angle in study.ANGLES[:2]:
        taken, exact = study.snapshots(diameter, angle)
        reduced = reduce_optical(camera.stack(taken), Optical(drift="none"))
        found.append(reduced.com_distance[1 + half] - exact[half])
    sigma = resolution / math.sqrt(8.0 * math.log(2.0))
    line = sigma**2 / (4.0 * study.WIDTH * diameter)
    expected = 16.0 / (3.0 * math.pi**2) * line
    # the next order of sigma / w, and pixels
    assert np.mean(found) == pytest.approx(expected, rel=0.35)


def test_without_blur_nothing_is_shifted() -> None:
    camera = Camera(spot=None, resolution=0.0)
    taken, exact = study.snapshots(2.5e-6, study.ANGLES[0])
    reduced = reduce_optical(camera.stack(taken), Optical(drift="none"))
    assert np.abs(reduced.com_distance[1:] - exact).max() < 3e-9  # a tenth of a pixel


def test_snapshots_have_the_shares() -> None:
    taken, exact = study.snapshots(1e-6, 0.3)
    assert taken.values.shape[0] == 1 + len(study.SHARES)
    assert taken.section.area == pytest.approx(0.25 * math.pi * 1e-12, rel=1e-9)
    assert (np.diff(exact) > 0.0).all()  # what is left lies ever farther out
