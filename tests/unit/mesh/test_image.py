"""Geometries from label images: areas, angles, names, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nmcsim import load
from nmcsim.case.electrode_shape import electrode
from nmcsim.case.shape import shape
from nmcsim.errors import InputError
from nmcsim.mesh.cache import key

CASES = Path(__file__).parents[3] / "cases"
PIXEL = 34.7e-9
HALF = ((0.8, 1.3),)


def least_angle(mesh: Any) -> float:
    """Of all triangles, by their corners [deg]."""
    x = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0][:, :3]][..., :2]
    edges = np.roll(x, -1, axis=1) - x
    before = np.roll(edges, 1, axis=1)
    cosine = -np.sum(edges * before, axis=2) / (
        np.linalg.norm(edges, axis=2) * np.linalg.norm(before, axis=2)
    )
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).min())


def saved(path: Path, labels: np.ndarray) -> Path:
    Image.fromarray(labels.astype(np.uint8)).save(path)
    return path


def disk(n: int = 90, x: float = 44.7, y: float = 45.2, radius: float = 36.0) -> np.ndarray:
    rows, columns = np.mgrid[:n, :n] + 0.5
    return np.hypot(columns - x, rows - y) <= radius


@cache
def crystal(**more: Any) -> Any:
    image = CASES / "images" / "crystal.png"
    return shape("image")(image=image, pixel="34.7 nm", **more)


def pixels(path: Path, number: int) -> int:
    return int(np.sum(np.asarray(Image.open(path)) == number))


def test_a_crystal_needs_an_image_and_a_pixel_and_has_the_area_of_its_pixels(
    built: Callable[..., Any],
) -> None:
    coarse = crystal().scaled(2.5)
    mesh = built(coarse, HALF)
    area = pixels(coarse.image, 1) * PIXEL**2
    assert mesh.measure("crystal") == pytest.approx(area * 1e-6, rel=1e-3)
    # the patch's ends are vertices, so that its share is exact but for chords of the outline
    assert mesh.measure("rock_salt") / mesh.measure("lateral") == pytest.approx(0.5, abs=1e-3)
    assert least_angle(mesh) > 20.0
    assert mesh.quality().cells < 1500  # no vertex for each pixel


def test_a_crystal_from_an_image_may_be_a_prism(built: Callable[..., Any]) -> None:
    prism = crystal(form="prism", cell_size="0.5 um", height="0.8 um")
    mesh = built(prism, HALF)
    assert mesh.measure("crystal") == pytest.approx(prism.outline.area * 0.8e-6, rel=2e-3)
    assert mesh.measure("top") == pytest.approx(mesh.measure("bottom"), rel=1e-9)


def test_another_image_is_another_mesh(tmp_path: Path) -> None:
    Crystal = shape("image")
    path = saved(tmp_path / "a.png", disk())
    before = key(Crystal(image=path, pixel="34.7 nm"), ())
    labels = disk()
    labels[9:12, 40:50] = True
    saved(path, labels)
    assert key(Crystal(image=path, pixel="34.7 nm"), ()) != before
    saved(tmp_path / "b.png", disk())
    assert key(Crystal(image=tmp_path / "b.png", pixel="34.7 nm"), ()) == before


def test_the_largest_label_or_the_one_named(tmp_path: Path) -> None:
    labels = disk(x=60.0, y=60.0, radius=20.0) + 2 * disk(x=22.0, y=20.0, radius=14.0)
    path = saved(tmp_path / "a.png", labels)
    whole, other = (shape("image")(image=path, pixel="0.1 um", label=n) for n in (None, 2))
    assert whole.outline.area == pytest.approx(1e-14 * np.sum(labels == 1), rel=1e-3)
    assert other.outline.area == pytest.approx(1e-14 * np.sum(labels == 2), rel=1e-3)
    # x from the left side, y upwards from the lower one
    assert whole.outline.centroid == pytest.approx([6.0e-6, 3.0e-6], abs=2e-8)


MISTAKES = [
    (disk(), {"label": 3}, "names no label of the image; it has 1 \\(40\\d\\d pixels\\)"),
    (disk(), {"pixel": "34.7 mm"}, "is no pixel of a microscope"),
    (disk(radius=4.0), {}, "too few for an outline"),
    (disk(radius=1.0), {}, "has no region of 20 pixels or more"),
    (disk(x=10.0), {}, "cuts the label 1 at its left border"),
    (disk() & ~disk(radius=6.0), {}, "with a hole of"),
    (disk(radius=15.0, x=20.0) | disk(radius=15.0, x=60.0), {}, "2 separate regions"),
    (disk(radius=15.0, x=30.0) | disk(radius=15.0, x=58.0), {}, "regions that touch"),
    (disk(), {"smooth": "3 um"}, "washes the region away"),
    (disk(), {"layers": 4}, "counts cells over a prism"),
]


@pytest.mark.parametrize(("mask", "keys", "sentence"), MISTAKES)
def test_a_crystal_that_cannot_be_had_is_refused(
    tmp_path: Path, mask: np.ndarray, keys: dict[str, Any], sentence: str
) -> None:
    path = saved(tmp_path / "a.png", mask)
    table = {"shape": "image", "image": str(path), "pixel": "34.7 nm"} | keys
    said = CASES / "crystal_image.toml"
    with pytest.raises(InputError, match=sentence):
        load(said, [f"geometry.{k}={v}" for k, v in table.items()])


@pytest.fixture(scope="module")
def four() -> Any:
    return load(CASES / "electrode_image.toml").geometry


def test_an_electrode_has_the_areas_of_its_pixels_and_no_sharp_cells(
    built: Callable[..., Any], four: Any
) -> None:
    mesh = built(four, ())
    square = four.pixel**2 * four.depth
    for i in range(4):
        count = pixels(four.image, i + 1)
        # straight sides of cells, and the blur; 1 % is what is promised
        assert mesh.measure(f"particle[{i}]") == pytest.approx(count * square, rel=5e-3)
    layer = 160 * four.pixel * four.binder_layer * four.depth
    soft = pixels(four.image, 255) * square
    assert mesh.measure("binder") - layer == pytest.approx(soft, rel=1e-2)
    assert mesh.measure("collector") == pytest.approx(160 * four.pixel * four.depth)
    height = 150 * four.pixel + four.binder_layer + four.separator
    whole = mesh.measure("solid") + mesh.measure("liquid")
    assert whole == pytest.approx(160 * four.pixel * height * four.depth)
    assert least_angle(mesh) > 20.0


def test_an_electrode_says_what_it_made_of_the_image(four: Any) -> None:
    said = "\n".join(four.notes)
    assert "particle[0] to particle[3] are the labels 1, 2, 3, 4" in said
    assert re.search(r"\d+ islands? w(as|ere) dropped", said)
    assert "labels 1 and 3 touch" in said
    assert [p.obstruction for p in four.particles] == [0, 0, 1, 0]
    assert [p.observed for p in four.particles] == [False, False, True, True]


def electrode_of(path: Path, labels: np.ndarray, **keys: Any) -> Any:
    given = {"image": saved(path, labels), "pixel": "0.2 um", "binder": 255} | keys
    return electrode("image_electrode")(**given)


def column(*labels: np.ndarray) -> np.ndarray:
    found = np.zeros((90, 90), dtype=int)
    for number, mask in enumerate(labels, 1):
        found[mask & (found == 0)] = number
    found[80:] = np.where(found[80:] == 0, 255, found[80:])
    return found


@pytest.mark.parametrize(
    ("labels", "keys", "sentence"),
    [
        (column(disk(y=30.0, radius=25.0)), {}, r"particle\[0\] \(label 1\) without an electronic"),
        (column(disk(y=60.0, radius=25.0)), {"binder": 77}, "names no label of the image"),
        (column(), {}, "shows no particle; its labels are 255"),
        (column(disk(y=60.0, radius=25.0)), {"contact_gap": "1 nm"}, "too small to mesh"),
        (
            column(disk(y=60.0, radius=25.0), disk(x=20.0, y=15.0, radius=5.0)),
            {},
            "label 2 with .* pixels only",
        ),
        (column(disk(y=60.0, radius=25.0)), {"pixel": "20 nm"}, "has particles of radius"),
    ],
)
def test_an_electrode_that_cannot_be_had_is_refused(
    tmp_path: Path, labels: np.ndarray, keys: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Exception, match=sentence):
        electrode_of(tmp_path / "a.png", labels, **keys)


def test_the_border_cuts_and_holes_stay_in_an_electrode(
    tmp_path: Path, built: Callable[..., Any]
) -> None:
    cut, hole = disk(x=5.0, y=55.0, radius=30.0), disk(x=60.0, y=45.0, radius=8.0)
    labels = column(cut, disk(x=62.0, y=50.0, radius=24.0) & ~hole)
    labels[hole] = 0
    labels[70:][labels[70:] == 0] = 255
    found = electrode_of(tmp_path / "a.png", labels)
    mesh = built(found, ())
    for i in range(2):
        area = np.sum(labels == i + 1) * (0.2e-6) ** 2 * found.depth
        assert mesh.measure(f"particle[{i}]") == pytest.approx(area, rel=1e-2)
    assert found.layout.bodies[1].area.interiors


def test_coarse_cells_change_no_layout(four: Any) -> None:
    coarse = four.scaled(2.5)
    assert coarse.layout is four.layout
    assert len(coarse.partition.points) < len(four.partition.points)
