"""Meshes of images and for other programs, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def image(folder: Path) -> None:
    """``case.toml`` with the geometry of a label image."""
    rows, columns = np.mgrid[:60, :60] + 0.5
    mask = np.hypot(rows - 30, columns - 30) <= 22
    Image.fromarray(mask.astype(np.uint8)).save(folder / "crystal.png")
    before, rest = (folder / "case.toml").read_text().split("[geometry]", 1)
    after = rest[rest.index("\n[") :]
    table = '[geometry]\nshape = "image"\nimage = "crystal.png"\npixel = "50 nm"\n'
    (folder / "case.toml").write_text(before + table + after)


@pytest.mark.usefixtures("image")
def test_a_mesh_of_an_image_goes_to_other_programs(
    nmcsim: Callable[..., Any], folder: Path
) -> None:
    for ending, unit in (("vtu", "m"), ("xdmf", "m"), ("msh", "um")):
        said = nmcsim("mesh", "case.toml", "--coarse", "--out", f"a.{ending}")
        assert said.status == 0
        assert f"wrote a.{ending}, coordinates in {unit}" in said.out
        assert "its area differs from theirs by" in said.out
        assert (folder / f"a.{ending}").stat().st_size > 1000


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--out", "a.stl"], "must end in .png, .pdf, .msh, .vtu, .xdmf or .svg"),
        (["--set", "geometry.label=4"], "geometry.label = 4 names no label of the image; it has 1"),
        (["--set", "geometry.image=none.png"], 'geometry.image = "none.png" does not exist'),
        (["--set", "geometry.image=case.toml"], "cannot be read as an image"),
        (["--set", "geometry.pixel=50"], 'geometry.pixel = 50 has no unit; write "50 um"'),
    ],
)
def test_a_wrong_image_is_one_sentence(
    nmcsim: Callable[..., Any], folder: Path, arguments: list[str], sentence: str
) -> None:
    there = sorted(folder.iterdir())
    said = nmcsim("mesh", "case.toml", *arguments)
    assert said.status == 2
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert sorted(folder.iterdir()) == there
