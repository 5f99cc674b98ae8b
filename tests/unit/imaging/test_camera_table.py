"""The table [camera]: read with units, all mistakes at once, and written back."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

import pytest

from nmcsim.errors import InputError
from nmcsim.imaging.camera import Camera, Spot
from nmcsim.imaging.camera.law import Linear, Table
from nmcsim.imaging.camera.shake import Path, Steady, Walk


def test_a_table_with_units() -> None:
    camera = Camera.from_table(
        {
            "pixel": "50 nm", "resolution": "0.3 um", "depth": "150 nm", "view": "x",
            "signal": 0.4, "interval": "8 s", "binning": 80, "exposure": "3 ms",
            "drift": {"velocity": ["1 nm/s", "-0.5 nm/s"]}, "noise": 20000, "read_noise": 5,
            "background": 0.1, "spot": {"position": ["2 um", "-1 um"], "brightness": 0.8},
            "margin": "1.5 um", "seed": 3,
        }
    )  # fmt: skip
    assert camera == Camera(
        pixel=50e-9, resolution=0.3e-6, depth=150e-9, view="x", law=Linear(0.4), interval=8.0,
        binning=80, exposure=3e-3, drift=Steady((1e-9, -0.5e-9)), noise=20000.0, read_noise=5.0,
        background=0.1, spot=Spot((2e-6, -1e-6), 0.8), margin=1.5e-6, seed=3,
    )  # fmt: skip


def test_the_defaults_are_those_of_the_paper() -> None:
    camera = Camera.from_table({})
    assert camera == Camera()
    assert (camera.pixel, camera.resolution, camera.depth) == (34.7e-9, 265e-9, 200e-9)


@pytest.mark.parametrize(
    "camera",
    [
        Camera(),
        Camera(spot=None, noise=1234.5, read_noise=2.5, interval=1 / 3, binning=4, margin=1e-6),
        Camera(drift=Steady((1.1e-9, -0.7e-9)), view=(1.0, 0.5, 0.0), resolution=0.0),
        Camera(drift=Walk(5e-9), law=Table((0.0, 1.0), (1.5, 1.0)), spot=Spot((1e-6, 2e-7), 0.9)),
        Camera(drift=Path((0.0, 7.0), (0.0, 1e-9), (0.0, 3e-9)), interval=5.0, exposure=0.1),
    ],
)
def test_what_is_written_is_read_back(camera: Camera) -> None:
    assert Camera.from_table(camera.table()) == camera


def test_a_drift_from_a_file(tmp_path: FilePath) -> None:
    (tmp_path / "d.csv").write_text("time [min],x [nm],y [um]\n0,0,0\n1,30,-0.01\n")
    camera = Camera.from_table({"drift": {"table": "d.csv"}}, folder=tmp_path)
    assert camera.drift == Path((0.0, 60.0), (0.0, 30e-9), (0.0, -10e-9))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"pixle": "1 nm"}, 'camera.pixle is not a key here; did you mean "pixel"?'),
        ({"pixel": 34.7}, 'camera.pixel = 34.7 has no unit; write "34.7 um"'),
        ({"pixel": "0 nm"}, 'camera.pixel = "0 nm" must be above 0'),
        ({"depth": "200 s"}, 'camera.depth = "200 s" is a time, and a length is needed'),
        ({"resolution": "-1 nm"}, 'camera.resolution = "-1 nm" must be at least 0'),
        ({"view": "z"}, 'camera.view = "z" must be "c", "x", "y" or a direction'),
        ({"view": [0, 0, 0]}, 'camera.view = [0, 0, 0] must be "c"'),
        ({"binning": 0}, "camera.binning = 0 must be a whole number of at least 1"),
        ({"seed": 1.5}, "camera.seed = 1.5 must be a whole number of at least 0"),
        ({"binning": 4}, "camera.binning = 4 needs an interval between frames"),
        ({"exposure": "1 s"}, 'camera.exposure = "1 s" needs an interval between frames'),
        (
            {"interval": "4 s", "binning": 8, "exposure": "1 s"},
            'camera.exposure = "1 s" is longer than interval / binning, which is 0.5 s',
        ),
        ({"read_noise": 3}, "camera.read_noise = 3 needs noise"),
        ({"noise": -1}, "camera.noise = -1 must be at least 0"),
        ({"background": 1.0}, "camera.background = 1.0 is as bright as the particle"),
        ({"signal": "x"}, 'camera.signal = "x" is not a number'),
        ({"signal": 1, "law": {"theta": [0, 1], "intensity": [1, 2]}}, "exclude each other"),
        ({"law": 3}, "camera.law = 3 must be { theta = [0, 1], intensity = [1.5, 1.0] }"),
        ({"law": {"theta": [0, 1]}}, "must have two lists, theta and intensity"),
        ({"law": {"theta": [0, 1], "intensity": [1, 2, 3]}}, "has 2 theta and 3 intensity"),
        ({"law": {"theta": [1, 0], "intensity": [1, 2]}}, "has a theta that does not rise"),
        ({"law": {"theta": [0, "a"], "intensity": [1, 2]}}, "must have numbers in its lists"),
        ({"law": {"x": 1}}, "camera.law.x is not a key here; there are theta, intensity"),
        ({"drift": "5 nm"}, 'camera.drift = "5 nm" must be { velocity'),
        ({"drift": {"speed": 1}}, "camera.drift.speed is not a key here"),
        ({"drift": {"walk": "5"}}, 'camera.drift.walk = "5" has no unit'),
        ({"drift": {"velocity": ["1 nm/s"]}}, "must be two quantities: to the right and upwards"),
        ({"drift": {"velocity": ["1 nm", "0 nm/s"]}}, "is a length, and a velocity is needed"),
        ({"drift": {"table": "none.csv"}}, "cannot be read (No such file"),
        ({"drift": {"table": {"time": ["0 s", "0 s"], "x": ["0 m"], "y": []}}}, "do not rise"),
        ({"drift": {"table": {"time": ["0 s", "1 s"], "x": ["0 m"], "y": []}}}, "different"),
        ({"drift": {"table": {"time": ["0 s", "1 s"]}}}, "lacks the column x"),
        ({"spot": 3}, "camera.spot = 3 must be true, false or { position"),
        ({"spot": {"where": 1}}, "camera.spot.where is not a key here"),
        ({"spot": {"position": ["1 um", "2"]}}, 'camera.spot.position = "2" has no unit'),
        ({"interval": "0 s"}, 'camera.interval = "0 s" must be above 0'),
    ],
)
def test_each_mistake_is_a_sentence(
    tmp_path: FilePath, table: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        Camera.from_table(table, folder=tmp_path)
    assert sentence in str(caught.value)


def test_a_table_of_a_drift_with_wrong_columns(tmp_path: FilePath) -> None:
    (tmp_path / "d.csv").write_text("time [s],x,y [nm]\n0,0,0\n1,1,1\n")
    with pytest.raises(InputError, match="lacks the column x"):
        Camera.from_table({"drift": {"table": "d.csv"}}, folder=tmp_path)
    (tmp_path / "d.csv").write_text("time [s],x [nm],y [nm]\n0,0,0\n1,a,1\n")
    with pytest.raises(InputError, match="cannot be read .could not convert"):
        Camera.from_table({"drift": {"table": "d.csv"}}, folder=tmp_path)


def test_all_mistakes_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Camera.from_table({"pixel": "1", "depht": "1 nm", "seed": -1})
    assert len(caught.value.mistakes) == 3
