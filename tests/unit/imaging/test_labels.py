"""Label images: what is tidied and refused, and areas that stay those of the pixels."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from PIL import Image

from nmcsim.errors import InputError
from nmcsim.imaging.outlines import labels as imaging
from nmcsim.imaging.outlines.phases import Phases, with_pixel_areas
from nmcsim.imaging.outlines.touching import bands, meetings


def disk(n: int, x: float, y: float, radius: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:n, :n] + 0.5
    return np.hypot(columns - x, rows - y) <= radius


def numbers(*masks: NDArray[np.bool_]) -> NDArray[np.int64]:
    found = np.zeros(masks[0].shape, dtype=np.int64)
    for number, mask in enumerate(masks, 1):
        found[mask & (found == 0)] = number
    return found


@pytest.mark.parametrize("kind", ["png", "tif", "palette.png", "float.tif", "mask.png"])
def test_labels_are_read_from_any_image_of_whole_numbers(tmp_path: Path, kind: str) -> None:
    labels = numbers(disk(40, 12, 12, 8), disk(40, 28, 28, 9))
    path = tmp_path / f"image.{kind}"
    image = Image.fromarray(labels.astype(np.uint8))
    if kind == "palette.png":
        image = Image.fromarray(labels.astype(np.uint8), mode=None)
        image.putpalette([0, 0, 0, 250, 10, 10, 10, 250, 10])
    elif kind == "float.tif":
        image = Image.fromarray(labels.astype(np.float32))
    elif kind == "mask.png":
        image, labels = Image.fromarray(labels > 0), (labels > 0).astype(np.int64)
    image.save(path)
    assert np.array_equal(imaging.read_labels(path), labels)


def bad_images(folder: Path) -> dict[str, Path]:
    import tifffile

    grey = np.arange(400, dtype=np.float32).reshape(20, 20)
    made = {
        "has colours": np.zeros((20, 20, 3), np.uint8),
        "is empty": np.zeros((20, 20), np.uint8),
        "is a stack of 5 images": np.ones((5, 20, 20), np.uint8),
        "holds fractions": grey / 7.0,
        "has the negative label -3": np.full((20, 20), -3, np.int16),
        "differs from pixel to pixel": np.random.default_rng(0)
        .poisson(40.0, (20, 20))
        .astype(np.uint8),
        "no whole numbers": np.full((20, 20), np.nan, np.float32),
    }
    found = {}
    for i, (sentence, values) in enumerate(made.items()):
        found[sentence] = folder / f"bad{i}.tif"
        more = {"photometric": "rgb"} if values.ndim == 3 and values.shape[-1] == 3 else {}
        tifffile.imwrite(found[sentence], values, **more)
    broken = folder / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (folder / "empty.tif").write_bytes(b"")
    return found | {
        "broken.png, which cannot be read": broken,
        "empty.tif, which cannot be read": folder / "empty.tif",
    }


def test_what_is_no_label_image_is_refused_by_a_sentence(tmp_path: Path) -> None:
    for sentence, path in bad_images(tmp_path).items():
        with pytest.raises(InputError, match=sentence):
            imaging.read_labels(path)


def test_grey_with_transparency_is_no_label_image(tmp_path: Path) -> None:
    Image.new("LA", (20, 20)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="a.png, which has colours"):
        imaging.read_labels(tmp_path / "a.png")


def test_specks_are_dropped_and_filled_and_counted() -> None:
    labels = numbers(disk(60, 30, 30, 20))
    labels[2:4, 2:4] = 7  # an island
    labels[30:32, 30:32] = 0  # a hole
    labels[20, 20] = 9  # an island of another label in the particle
    found = imaging.tidied(labels, 10)
    assert (found.islands, found.holes) == (2, 1)
    assert np.array_equal(found.labels, numbers(disk(60, 30, 30, 20)))
    assert imaging.tidied(labels, 0).notes == ()


def test_two_regions_of_one_label_are_refused_with_both_places() -> None:
    labels = numbers(disk(80, 20, 20, 12) | disk(80, 58, 58, 10))
    places = r"at column (19|20), row (19|20) \(\d+ pixels\) and at column 5[78], row 5[78]"
    with pytest.raises(InputError, match=f"label 1, which is 2 separate regions, {places}"):
        imaging.refuse_parts(labels, [1])


def test_touching_regions_of_one_label_are_refused_but_rough_ones_are_not() -> None:
    touching = numbers(disk(80, 26, 40, 16) | disk(80, 55, 40, 15))
    with pytest.raises(InputError, match="seems to be two regions that touch.*allow_necks"):
        imaging.refuse_parts(touching, [1])
    imaging.refuse_parts(touching, [1], necks=True)
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:80, :80] + 0.5
    angle = np.arctan2(rows - 40, columns - 40)
    for _ in range(10):
        wavy = sum(
            0.06 * np.cos(k * angle + rng.uniform(0, 6.3)) for k in range(2, 7)
        )  # bays and capes of 6 % of the radius each
        imaging.refuse_parts(numbers(np.hypot(columns - 40, rows - 40) < 26 * (1 + wavy)), [1])
    box = np.zeros((80, 80), bool)
    box[10:70, 30:40] = True  # a needle has no neck
    imaging.refuse_parts(numbers(box), [1])


def test_necks_are_found_in_large_images_too() -> None:
    # 60 times as large: depths of a thousand pixels, of which every fifteenth is looked at
    touching = disk(80, 26, 40, 16) | disk(80, 55, 40, 15)
    large = np.kron(touching, np.ones((60, 60), bool))
    with pytest.raises(InputError, match="two regions that touch") as caught:
        imaging.refuse_parts(numbers(large), [1])
    found = [float(n) for n in re.findall(r"(?:column|row) (\d+)", str(caught.value))]
    # the middles of what is left of the disks where the neck breaks
    assert sorted(found[::2]) == pytest.approx([60 * 26, 60 * 55], abs=60 * 3)
    assert found[1::2] == pytest.approx([60 * 40, 60 * 40], abs=60 * 2)
    needle = np.zeros((4000, 4000), bool)
    needle[500:3500, 1500:2100] = True
    imaging.refuse_parts(numbers(needle), [1])


def test_a_crystal_at_the_border_or_with_a_hole_is_refused() -> None:
    with pytest.raises(InputError, match="label 1 at its top and left border"):
        imaging.refuse_cut(disk(60, 5, 5, 12), 1)
    ring = disk(60, 30, 30, 20) & ~disk(60, 34, 30, 5)
    with pytest.raises(InputError, match=r"a hole of \d+ pixels at column 3\d, row 2\d|30"):
        imaging.refuse_holes(ring, 1)


@pytest.mark.parametrize(("smooth", "rough"), [(1.5, 2e-3), (2.0, 1e-3), (3.0, 1e-3)])
def test_an_outline_has_the_area_of_its_pixels_and_the_length_of_its_curve(
    smooth: float, rough: float
) -> None:
    mask = disk(90, 44.7, 45.2, 36.0)
    found = imaging.outline(mask, smooth)
    curve = shapely.Polygon(found)
    assert curve.area == pytest.approx(mask.sum(), rel=1e-6)
    # y is upwards: the middle of row 45.2 of 90 is 44.8 above the lower side
    assert (curve.centroid.x, curve.centroid.y) == pytest.approx((44.7, 44.8), abs=0.1)
    # pixels: against the circle of the same area
    assert curve.length == pytest.approx(2 * math.sqrt(math.pi * curve.area), rel=rough)


def test_an_outline_of_a_square_keeps_its_area_too() -> None:
    mask = np.zeros((60, 60), bool)
    mask[15:45, 10:50] = True
    assert shapely.Polygon(imaging.outline(mask, 2.0)).area == pytest.approx(1200.0, rel=1e-6)
    thin = np.zeros((60, 60), bool)
    thin[30, 5:55] = True
    with pytest.raises(InputError, match="washes the region away"):
        imaging.outline(thin, 6.0)


def test_phases_share_boundaries_and_keep_areas() -> None:
    particle, other = disk(100, 35, 60, 22), disk(100, 72, 40, 18)
    labels = numbers(particle, other)
    labels[(np.mgrid[:100, :100][0] > 70) & (labels == 0)] = 255
    pixels = {n: int(np.sum(labels == n)) for n in (1, 2, 255)}
    found, taken = with_pixel_areas(Phases(labels, 2.0), pixels, {})
    assert taken.is_empty
    for number, count in pixels.items():
        assert found[number].area == pytest.approx(count, rel=1e-3)
    # nothing is left out and nothing overlaps
    assert sum(area.area for area in found.values()) == pytest.approx(100.0**2, rel=1e-9)
    assert shapely.union_all(list(found.values())).area == pytest.approx(100.0**2, rel=1e-9)


def test_three_regions_meet_at_one_point() -> None:
    labels = np.ones((40, 40), dtype=np.int64)
    labels[:, 20:] = 2
    labels[20:, :] = 3
    found = Phases(labels, 2.0).areas({})
    common = shapely.intersection_all([found[n] for n in (1, 2, 3)])
    assert common.geom_type == "Point"
    assert (common.x, common.y) == pytest.approx((20.0, 20.0), abs=1.5)  # of the blur
    # at the border boundaries stand upright: by symmetry 1 and 2 part at the middle
    top = shapely.intersection(found[1].boundary, found[2].boundary)
    assert top.bounds[3] == pytest.approx(40.0)
    assert (top.bounds[0], top.bounds[2]) == pytest.approx((20.0, 20.0), abs=0.3)


def test_touching_particles_are_parted_by_a_gap_and_joined_by_a_contact() -> None:
    one, other = disk(120, 36, 60, 25), disk(120, 85, 60, 25)  # they overlap by a pixel
    far = disk(120, 60, 106, 12)
    labels = numbers(one, other, far)
    (met,) = meetings(labels, [1, 2, 3], gap=4.0, smooth=2.0, least=2.0)
    assert met.pair == (1, 2)
    pixels = {n: int(np.sum(labels == n)) for n in (1, 2, 3)}
    found, _ = with_pixel_areas(Phases(labels, 2.0), pixels, bands([met]))
    assert shapely.distance(found[1], found[2]) == pytest.approx(4.0, abs=0.3)
    for number, count in pixels.items():
        assert found[number].area == pytest.approx(count, rel=1e-3)
    contact = shapely.difference(met.contact, shapely.union_all([found[1], found[2]]))
    for number in (1, 2):
        assert shapely.distance(contact, found[number]) < 1e-9
    assert contact.centroid.x == pytest.approx(60.5, abs=0.5)


def test_a_line_of_background_between_particles_is_a_contact_a_wide_one_is_none() -> None:
    for width, touches in ((1, True), (3, False)):
        labels = np.zeros((60, 81), dtype=np.int64)
        labels[10:50, 10:40] = 1
        labels[10:50, 40 + width : 70] = 2
        (met,) = meetings(labels, [1, 2], gap=5.0, smooth=2.0, least=2.0)
        assert met.contact.is_empty is not touches


def test_a_blur_that_washes_a_label_away_is_refused() -> None:
    labels = numbers(disk(60, 30, 30, 4))
    with pytest.raises(InputError, match="changes the area of label 1 by"):
        with_pixel_areas(Phases(labels, 12.0), {1: int(labels.sum())}, {})
