"""Numbers, series and images on their way into and out of files."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from nmcsim.errors import InputError
from nmcsim.imaging.settings import Number, Series
from nmcsim.measure.entries import entries_of
from nmcsim.measure.images import cycle_files, read_labels, slices_of
from nmcsim.measure.page import said

NONE = np.full(3, np.nan)


def test_numbers_are_told_in_the_units_of_people() -> None:
    numbers = {
        "com_distance_max": Number(4.2e-7, 1.2e-8, "m", "largest distance"),
        "asynchrony_charge_1": Number(0.5, np.nan, "1", "asynchrony"),
        "gone": Number(np.nan, np.nan, "m", "none"),
    }
    first, second, third = entries_of(numbers, {}, method="by hand")
    assert (first.value, first.uncertainty, first.unit) == pytest.approx((0.42, 0.012, "um"))
    assert first.method == "by hand"
    assert (second.value, second.uncertainty) == (0.5, None)
    assert third.value is None and third.missing


def test_a_series_is_told_along_the_first_axis_that_rises() -> None:
    series = {
        "time": Series(np.array([0.0, 1.0, 2.0]), NONE, "s", "time"),
        "soc": Series(np.array([0.0, 0.5, 0.2]), NONE, "1", "soc"),
        "com_distance": Series(np.array([1e-7, np.nan, 3e-7]), NONE + 1e-8, "m", "distance"),
    }
    (entry,) = entries_of({}, series, curves=["com_distance", "none"])
    assert entry.series is not None and entry.series.x_name == "time"
    assert entry.series.values[[0, 2]] == pytest.approx([0.1, 0.3])
    series["soc"] = Series(np.array([0.0, 0.5, np.nan]), NONE, "1", "soc")
    (entry,) = entries_of({}, series, curves=["com_distance"])
    assert entry.series is not None
    assert (entry.series.x_name, len(entry.series.x)) == ("soc", 2)


def test_a_number_is_said_to_the_digits_of_its_error() -> None:
    assert said(Number(1.19539e-6, 3.5e-9, "m", "")) == "1.1954 ± 0.0035 µm"
    assert said(Number(25.468, 2.4, "1", "")) == "25.5 ± 2.4"
    assert said(Number(0.5, np.nan, "1", "")) == "0.5"
    assert said(Number(np.nan, np.nan, "1", "")) == "none"


def test_slices_are_read_from_tiff_and_png(tmp_path: Path) -> None:
    pages = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack")
    assert np.array_equal([read() for read in slices_of(tmp_path / "a.tif")], pages)
    iio.imwrite(tmp_path / "a.png", np.repeat(pages[0][..., None], 3, axis=2))
    assert np.array_equal(slices_of(tmp_path / "a.png")[0](), pages[0])  # grey, saved in colour


def test_what_is_no_grey_image_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    iio.imwrite(tmp_path / "c.png", colour)
    tifffile.imwrite(tmp_path / "c.tif", colour, photometric="rgb")
    (tmp_path / "bad.tif").write_bytes(b"no image")
    for name, sentence in (
        ("c.png", "is a colour image"),
        ("c.tif", "is a colour image"),
        ("bad.tif", "cannot be read as an image"),
        ("none.tif", "does not exist"),
    ):
        with pytest.raises(InputError, match=sentence):
            slices_of(tmp_path / name)


def test_labels_and_binary_images(tmp_path: Path) -> None:
    image = np.zeros((6, 9), np.uint8)
    image[1:3, 1:3], image[1:3, 6:8] = 255, 255
    tifffile.imwrite(tmp_path / "b.tif", image)
    assert np.unique(read_labels(tmp_path / "b.tif")).tolist() == [0, 1, 2]
    image[1:3, 6:8] = 7
    tifffile.imwrite(tmp_path / "b.tif", image)
    assert np.unique(read_labels(tmp_path / "b.tif")).tolist() == [0, 7, 255]
    tifffile.imwrite(tmp_path / "b.tif", image / 2.0)
    with pytest.raises(InputError, match="holds fractions, not labels"):
        read_labels(tmp_path / "b.tif")


def test_cycles_of_files() -> None:
    assert list(cycle_files(["35=a.tif", "0=b.tif"], ())) == [
        (35.0, Path("a.tif")),
        (0.0, Path("b.tif")),
    ]
    assert [n for n, _ in cycle_files(["L2_cycle_007.tif", "L2_cycle_35.tif"], ())] == [7.0, 35.0]
    assert [n for n, _ in cycle_files(["a.tif", "b.tif"], (1, 2))] == [1.0, 2.0]
    for words, cycles, sentence in (
        (["a.tif"], (), "has no cycle number in its name"),
        (["a.tif", "b.tif"], (1,), "has 1 numbers for 2 files"),
        (["x=a.tif"], (), "is neither a file nor CYCLE=FILE"),
    ):
        with pytest.raises(InputError, match=sentence):
            list(cycle_files(words, cycles))
