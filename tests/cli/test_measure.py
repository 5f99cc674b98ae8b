"""``nmcsim measure optical | particles | porosity``: files in, files out, mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from nmcsim.imaging.optical import Optical
from nmcsim.imaging.stack import write_stack
from nmcsim.measured import Measured
from tests.scenes import CENTRES, PIXEL, crowd, scene

Run = Callable[..., Any]


def filmed(path: Path, frames: int = 24, **more: Any) -> Any:
    made = scene(frames, **more)
    images = (made.stack.frame(k) for k in range(frames))
    write_stack(path, images, pixel=PIXEL, time=made.stack.time)
    return made


def recorded(path: Path, frames: int, interval: float) -> None:
    rows = (f"{interval * k},{k / (frames - 1)}" for k in range(frames))
    path.write_text("time [s],soc [1]\n" + "\n".join(rows) + "\n")


def self_contained(page: str) -> bool:
    return not re.search(r'(src|href)="(?!data:|#)', page) and "<script" not in page


def test_optical_writes_measurements_series_and_a_page(nmcsim: Run, folder: Path) -> None:
    made = filmed(folder / "frames.ome.tif")
    recorded(folder / "cell.csv", 24, 10.0)
    said = nmcsim("measure", "optical", "frames.ome.tif", "--record", "cell.csv")
    assert (said.status, said.err) == (0, "")
    assert "24 frames of 160 x 160, 34.7 nm/px" in said.out
    assert "spot at x 130.6, y 24.3 px" in said.out
    assert "wrote measured.toml, measured_soc.csv, measured_frames.csv, measured.html" in said.out
    measured = Measured.read("measured.toml")
    largest = measured["com_distance_max"]
    assert largest.unit == "um" and largest.uncertainty is not None
    assert largest.value == pytest.approx(1.2, abs=0.05)
    series = measured["com_distance"].series
    assert series is not None and series.x_name == "soc"
    truth, share = made.truth()
    seen = (share > 0.03) & (share < 0.99)
    off = (series.values - 1e6 * truth)[seen] / series.uncertainty[seen]
    assert np.mean(np.abs(off) < 2.0) >= 0.9
    # what simulated frames are reduced by is what these were reduced by
    assert Optical.from_table(measured.operators["optical"]) == Optical()
    page = (folder / "measured.html").read_text()
    assert self_contained(page) and page.count("<img") == 4
    assert "com_distance_max" in page and "unreacted_below" in page


def test_settings_come_from_a_file_and_from_the_command_line(nmcsim: Run, folder: Path) -> None:
    filmed(folder / "frames.ome.tif", 10)
    (folder / "my.toml").write_text('[optical]\nsmooth = "80 nm"\ndrift = "none"\n')
    arguments = ("measure", "optical", "frames.ome.tif", "--settings", "my.toml")
    said = nmcsim(*arguments, "--spot", "131,24", "--drift", "spot", "--set", "unreacted_below=0.1",
                  "--threshold", "3000", "-o", "m.toml", "--title", "Mine")  # fmt: skip
    assert said.status == 0
    measured = Measured.read("m.toml")
    assert measured.title == "Mine"
    found = Optical.from_table(measured.operators["optical"])
    assert found == Optical(spot=(131.0, 24.0), threshold=3000.0, unreacted_below=0.1, smooth=80e-9)
    again = nmcsim(*arguments, "-o", "m.toml")
    assert again.status == 2
    assert "would replace m.toml, m_frames.csv, m.html; say --overwrite" in again.err
    assert nmcsim(*arguments, "-o", "m.toml", "--overwrite").status == 0


def test_particles_are_told_by_half_cycle(nmcsim: Run, folder: Path) -> None:
    stack, soc = crowd()
    write_stack(
        "many.tif", (stack.frame(k) for k in range(120)), pixel=stack.pixel, time=stack.time
    )
    rows = (f"{t},{s},{1 if t < 3600 else -1}" for t, s in zip(stack.time, soc, strict=True))
    Path("cell.csv").write_text("time [s],soc [1],current [mA]\n" + "\n".join(rows) + "\n")
    said = nmcsim("measure", "particles", "many.tif", "--record", "cell.csv")
    assert (said.status, said.err) == (0, "")
    measured = Measured.read("measured.toml")
    index = measured["asynchrony_charge_1"]
    assert index.value == pytest.approx(0.66, abs=0.005)
    assert measured["asynchrony_discharge_1"].value < 0.02
    table = np.genfromtxt("measured_particles.csv", delimiter=",", names=True)
    assert len(table) == 7
    rows_found = sorted((0.1 * np.array(CENTRES)[:, 0]).tolist())
    assert sorted(table["y_um"].tolist()) == pytest.approx(rows_found, abs=0.3)
    assert self_contained(Path("measured.html").read_text())


def test_porosity_over_cycles(nmcsim: Run, folder: Path) -> None:
    y, x = np.mgrid[:160, :160] - 80.0
    for n in (0, 5, 12, 20, 35):
        width = 2.0 + 16.0 * (1.0 - np.exp(-n / 15.0))
        solid = (np.hypot(y, x) < 60.0) & ~(np.abs(x + 0.01) < 0.5 * width)
        tifffile.imwrite(f"cycle_{n:02d}.tif", 255 * solid.astype(np.uint8))
    names = [f"cycle_{n:02d}.tif" for n in (0, 5, 12, 20, 35)]
    said = nmcsim("measure", "porosity", *names, "--pixel", "50 nm", "--at", "43",
                  "--set", 'rim="1 um"')  # fmt: skip
    assert (said.status, said.err) == (0, "")
    measured = Measured.read("measured.toml")
    assert measured["porosity_at_cycle_43"].value == pytest.approx(0.179, abs=0.01)
    series = measured["porosity"].series
    assert series is not None and series.x.tolist() == [0.0, 5.0, 12.0, 20.0, 35.0]
    assert self_contained(Path("measured.html").read_text())
    # the same as the pages of one file
    tifffile.imwrite("all.tif", np.array([tifffile.imread(n) for n in names]))
    said = nmcsim("measure", "porosity", "all.tif", "--cycles", "0,5,12,20,35", "--pixel", "50 nm",
                  "--set", 'rim="1 um"', "-o", "again.toml")  # fmt: skip
    assert said.status == 0
    again = Measured.read("again.toml")["porosity"].series
    assert again is not None and np.array_equal(again.values, series.values)


# -- mistakes ---------------------------------------------------------------------------------


@pytest.fixture
def stacks(folder: Path) -> Path:
    """Stacks and records that cannot be used, each in its own way."""
    filmed(folder / "frames.ome.tif", 6)
    filmed(folder / "nospot.ome.tif", 6, spot=False)
    rng = np.random.default_rng(0)
    shape = (6, 40, 40)
    tifffile.imwrite(
        "bare.tif", rng.integers(0, 9, shape, dtype=np.uint16), photometric="minisblack"
    )
    colour = rng.integers(0, 255, (6, 40, 40, 3), dtype=np.uint8)
    tifffile.imwrite("colour.tif", colour, photometric="rgb")
    np.save("complex.npy", np.ones(shape, complex))
    tifffile.imwrite("labels.tif", np.ones((50, 50), np.uint8))
    (folder / "empty.tif").write_bytes(b"")
    (folder / "back.csv").write_text("time [s],soc [1]\n0,0\n10,0.1\n5,0.2\n")
    (folder / "nosoc.csv").write_text("time [s],current [mA]\n0,1\n60,1\n")
    return folder


BASE = ("frames.ome.tif",)


@pytest.mark.parametrize(
    ("action", "arguments", "sentence"),
    [
        ("optical", ("none.tif",), "none.tif: does not exist"),
        ("optical", ("empty.tif",), "empty.tif: is empty"),
        ("optical", ("colour.tif", "--pixel", "30 nm", "--interval", "1 s"),
         "colour.tif: .*(colour|RGB)"),
        ("optical", ("complex.npy", "--pixel", "30 nm", "--interval", "1 s"),
         "complex.npy: .*complex"),
        ("optical", ("bare.tif",), 'bare.tif: has no pixel size; say --pixel "34.7 nm"'),
        ("optical", ("bare.tif", "--pixel", "30 nm"), 'bare.tif: says no times .*--interval'),
        ("optical", ("nospot.ome.tif",),
         "no bright spot stands out in the first frame .*--drift phase"),
        ("optical", (*BASE, "--threshold", "1e6"), "threshold = 1e.06 leaves an empty mask"),
        ("optical", (*BASE, "--record", "back.csv"), "back.csv: goes back in time in row 4"),
        ("optical", (*BASE, "--record", "nosoc.csv"),
         'nosoc.csv: has a current .*--capacity "2.1 mAh"'),
        ("optical", (*BASE, "--pixel", "30"), '--pixel = "30" has no unit; write "30 um"'),
        ("optical", (*BASE, "--capacity", "3 V"), '--capacity = "3 V" is a voltage, and a charge'),
        ("optical", (*BASE, "--spot", "12"), '"12" is no place X,Y in pixels such as 120,45'),
        ("optical", (*BASE, "--set", "smoth=3"),
         'optical.smoth is not a key here; did you mean "smooth"'),
        ("optical", (*BASE, "--set", "smooth"), '--set "smooth" has no value; write KEY=VALUE'),
        ("optical", (*BASE, "--settings", "case.toml"), r"case.toml: has no table \[optical\]"),
        ("optical", (*BASE, "-o", "nowhere/m.toml"), "which does not exist; make it first"),
        ("optical", (*BASE, "-o", "m.csv"), "must end in .toml"),
        ("particles", (*BASE, "--labels", "labels.tif"),
         "labels are 50 x 50 pixels, the frames 160 x 160"),
        ("porosity", ("none_3.tif", "--pixel", "20 nm"), "none_3.tif: does not exist"),
        ("porosity", ("labels.tif", "--pixel", "20 nm"),
         '"labels.tif" has no cycle number in its name'),
        ("porosity", ("3=labels.tif",), 'labels.tif: has no pixel size; say --pixel "20 nm"'),
        ("porosity", ("3=labels.tif", "--pixel", "20 nm"),
         "cycle 3, slice 1 has no particle: everything"),
        ("porosity", ("3=labels.tif", "--cycles", "a"),
         '"a" is no list of numbers such as 0,10,35'),
    ],
)  # fmt: skip
def test_a_wrong_input_is_one_sentence(
    nmcsim: Run, stacks: Path, action: str, arguments: tuple[str, ...], sentence: str
) -> None:
    before = sorted(p.name for p in stacks.iterdir())
    said = nmcsim("measure", action, *arguments)
    assert said.status == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert re.search(sentence, said.err)
    assert sorted(p.name for p in stacks.iterdir()) == before
