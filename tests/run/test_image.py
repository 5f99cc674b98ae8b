"""A crystal from an image does what the crystal does that the image shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nmcsim
from nmcsim.results import Result

CASES = Path(__file__).parents[2] / "cases"


def com_distances(result: Result, times: np.ndarray) -> np.ndarray:
    values = result["com_distance"].values
    there = np.isfinite(values)
    return np.interp(times, result["time"].values[there], values[there])


@pytest.mark.slow
def test_a_pixelated_disk_is_charged_like_the_disk(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:88, :88] + 0.5
    labels = (np.hypot(columns - 44.3, rows - 43.8) <= 36.0).astype(np.uint8)
    Image.fromarray(labels).save(tmp_path / "disk.png")
    seen = nmcsim.load(
        CASES / "crystal_image.toml", [f"geometry.image={tmp_path / 'disk.png'}"]
    ).coarse()
    shape = {"shape": "disk", "diameter": f"{72 * 34.7} nm", "height": "1 um"}
    exact = nmcsim.load(CASES / "crystal_image.toml").replace("geometry", shape).coarse()
    one, other = (
        nmcsim.simulate(case, out=tmp_path / name)
        for case, name in ((seen, "seen"), (exact, "exact"))
    )
    # pixels: the area of the image is 0.03 % off; mesh and time step: rtol 1e-3 of --coarse
    assert one["charge"].values[-1] == pytest.approx(other["charge"].values[-1], rel=2e-3)
    assert one["capacity"].values[-1] == pytest.approx(other["capacity"].values[-1], rel=2e-3)
    # where the unreacted region is, while it is large; its last moments follow single cells
    times = np.array([200.0, 400.0, 600.0])
    for a, b in zip(*(com_distances(result, times) for result in (one, other)), strict=True):
        assert a == pytest.approx(b, abs=1e-8)  # a third of a pixel
    assert (tmp_path / "seen" / "inputs" / "disk.png").is_file()
    again = nmcsim.load(tmp_path / "seen" / "case.toml")
    assert again.hash == seen.hash
