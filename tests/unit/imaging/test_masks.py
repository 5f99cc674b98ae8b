"""Masks: a disk's pixels, holes, what is refused, particles that touch."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.imaging.masks import particle_mask, separate

Y, X = np.mgrid[:120, :150]


def disk(row: float, column: float, radius: float) -> np.ndarray:
    return np.hypot(Y - row, X - column) < radius


def test_otsu_finds_the_largest_region_with_its_holes() -> None:
    hole, speck = disk(60, 70, 6), disk(20, 130, 4)
    rng = np.random.default_rng(0)
    image = 100.0 + 400.0 * ((disk(60, 70, 30) & ~hole) | speck) + rng.normal(0.0, 20.0, Y.shape)
    mask = particle_mask(image)
    assert mask.automatic and 150.0 < mask.threshold < 450.0
    assert mask.pixels == disk(60, 70, 30).sum()
    assert mask.centre == pytest.approx([60.0, 70.0])
    assert mask.box(2) == (slice(29, 92), slice(39, 102))
    assert particle_mask(image, fill=False).pixels == (disk(60, 70, 30) & ~hole).sum()
    both = particle_mask(image, largest=False)
    assert both.pixels == (disk(60, 70, 30) | speck).sum()


@pytest.mark.parametrize(
    ("threshold", "sentence"),
    [
        (900.0, r"threshold = 900 leaves an empty mask: the first frame lies between 100 and 500"),
        (50.0, "leaves no background"),
    ],
)
def test_a_threshold_beyond_the_image_is_refused(threshold: float, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        particle_mask(100.0 + 400.0 * disk(60, 70, 30), threshold)


def test_specks_and_a_flat_frame_are_no_particle() -> None:
    with pytest.raises(InputError, match="no region of 9 pixels or more"):
        particle_mask(1.0 * disk(60, 70, 1.2), 0.5)
    with pytest.raises(InputError, match="the same intensity everywhere"):
        particle_mask(np.full((20, 20), 7.0))


def test_touching_particles_are_parted_at_their_neck() -> None:
    labels = separate(disk(60, 40, 22) | disk(60, 80, 22) | disk(10, 140, 1), 10.0)
    assert np.unique(labels).tolist() == [0, 1, 2]
    sizes = np.bincount(labels.ravel())[1:]
    assert sizes == pytest.approx([disk(60, 40, 22).sum()] * 2, rel=0.03)
    assert {labels[60, 40], labels[60, 80]} == {1, 2}
