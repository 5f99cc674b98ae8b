"""Movies: what they show, and what is refused."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import imageio.v2 as imageio
import numpy as np
import pytest

from nmcsim.errors import InputError, RunFailure
from nmcsim.imaging.camera.movie import _clock, checked_ending, write_movie
from nmcsim.imaging.stack import Stack

PIXEL = 50e-9


def stack(k: int = 4, signed: bool = False) -> Stack:
    """A square that brightens by 10 % per frame (or darkens), on a dark ground."""
    frames = np.full((k, 40, 60), 100.0)
    for i in range(k):
        frames[i, 10:30, 20:40] = 1000.0 * (1.0 + (-0.1 if signed else 0.1) * i)
    return Stack.of(frames, PIXEL, 100.0 * np.arange(k), "square")


@pytest.mark.parametrize("ending", ["mp4", "gif"])
def test_a_picture_for_each_frame(tmp_path: Path, ending: str) -> None:
    path = write_movie(tmp_path / f"a.{ending}", stack(), title="Square")
    with warnings.catch_warnings():  # the reader of MP4 leaves its pipes to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        with imageio.get_reader(path) as reader:
            pictures = list(reader.iter_data())
        del reader
        gc.collect()
    assert len(pictures) == 4
    height, width = pictures[0].shape[:2]
    assert height % 2 == 0 and width == 600
    assert list(tmp_path.iterdir()) == [path]


def colour(picture: np.ndarray) -> np.ndarray:
    """In the middle of the image, which is 74 % of the width and lies at the lower left."""
    height = picture.shape[0] - 15 - 0.5 * 0.74 * 600 * 40 / 60
    return picture[int(height), int((0.03 + 0.37) * 600), :3].astype(int)


def test_the_change_is_coloured(tmp_path: Path) -> None:
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:40] = True
    first, *_, last = imageio.mimread(write_movie(tmp_path / "a.gif", stack(), mask=mask))
    assert first.shape[2] >= 3
    assert np.abs(colour(first) - (68, 1, 84)).max() < 12  # the lower end of viridis
    assert np.abs(colour(last) - (253, 231, 37)).max() < 40  # near its upper end
    first, *_, last = imageio.mimread(
        write_movie(tmp_path / "b.gif", stack(signed=True), mask=mask)
    )
    assert colour(first).min() > 235  # the white middle of a map with two signs
    assert colour(last)[2] > colour(last)[0] + 50  # less: blue


def test_drift_is_taken_back(tmp_path: Path) -> None:
    still = stack(2)
    drift = np.array([[0.0, 0.0], [5 * PIXEL, -3 * PIXEL]])
    moved = np.stack([still.frame(0), np.roll(still.frame(0), (3, 5), (0, 1))])
    taken = Stack.of(moved, PIXEL, still.time)
    pictures = imageio.mimread(write_movie(tmp_path / "a.gif", taken, drift=drift))
    # but for the clock nothing has changed
    a, b = (p[60:, :450, :3].astype(int) for p in pictures)
    assert np.abs(a - b).max() < 16  # a GIF has 256 colours


def test_raw_shows_counts(tmp_path: Path) -> None:
    first, *_, last = imageio.mimread(write_movie(tmp_path / "a.gif", stack(), show="raw"))
    assert colour(first).min() < colour(last).min()
    assert np.ptp(colour(last)) == 0  # grey


def test_clock() -> None:
    assert _clock(12.34, 60.0) == "12.3 s"
    assert _clock(90.0, 3600.0) == "1.5 min"
    assert _clock(5400.0, 86400.0) == "1.50 h"


def test_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='a.avi: has the ending ".avi"; a movie is FILE.mp4 or'):
        checked_ending(Path("a.avi"))
    with pytest.raises(InputError, match='show = "heat" must be one of differential, raw'):
        write_movie(tmp_path / "a.gif", stack(), show="heat")
    with pytest.raises(RunFailure, match="could not be written"):
        write_movie(tmp_path / "no" / "a.gif", stack())
    with pytest.raises(InputError, match="square shows nothing within the mask"):
        write_movie(tmp_path / "a.gif", stack(), mask=np.zeros((40, 60), bool))
