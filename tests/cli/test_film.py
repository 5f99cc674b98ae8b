"""``nmcsim film`` as a user types it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from nmcsim.cli import main
from nmcsim.imaging.stack import Stack
from tests.synthetic import synthetic_result


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_result(tmp_path_factory.mktemp("film") / "aged", frames=9)


def test_frames_beside_the_result(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["film", str(result)]) == 0
    said = capsys.readouterr().out
    assert "9 frames of 130 x 130 pixels of 34.7 nm" in said and "from 0 s to 3168 s" in said
    assert Stack.open(result / "frames.ome.tif").shape == (9, 130, 130)


def test_options(result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, labels, movie = (tmp_path / name for name in ("f.ome.tif", "l.tif", "m.gif"))
    words = ["film", str(result), "-o", str(out), "--labels", str(labels), "--movie", str(movie)]
    words += ["--interval", "200 s", "--noise", "5000", "--drift", "1 nm/s, -2 nm/s"]
    words += ["--seed", "4", "--pixel", "0.1 um", "--set", "binning=4", "margin=3 um"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "15 frames of 85 x 85 pixels of 100 nm" in said
    assert "note: recorded frames are up to " in said and "output.frames" in said
    assert str(movie) in said and tifffile.imread(labels).shape == (85, 85)
    again = tmp_path / "g.ome.tif"
    words[3] = str(again)
    assert main([*words, "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    np.testing.assert_array_equal(tifffile.imread(out), tifffile.imread(again))


def test_a_camera_file_and_changes(
    result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "drift.csv").write_text("time [s],x [nm],y [nm]\n0,0,0\n4000,90,0\n")
    file = tmp_path / "camera.toml"
    file.write_text(
        '[camera]\npixel = "50 nm"\nspot = false\ndrift = { table = "drift.csv" }\n'
        "law = { theta = [0.0, 1.0], intensity = [1.5, 1.0] }\n"
    )
    out = tmp_path / "f.tif"
    words = ["film", str(result), "-o", str(out), "--camera", str(file)]
    assert main([*words, "--set", "seed=2"]) == 0
    stack = Stack.open(out)
    assert stack.pixel == pytest.approx(50e-9) and '"seed": 2' in stack.metadata["camera"]
    # signal takes the place of a law of the file
    assert main([*words, "--set", "signal=0.3"]) == 0
    assert '"signal": 0.3' in Stack.open(out).metadata["camera"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--pixel", "34.7"], 'camera.pixel = 34.7 has no unit; write "34.7 um"'),
        (["--interval", "8"], "camera.interval = 8 has no unit"),
        (["--set", "pixle=3 nm"], 'camera.pixle is not a key here; did you mean "pixel"?'),
        (["--set", "binning"], "--set binning is not KEY=VALUE, such as binning=20"),
        (["--drift", "5"], 'camera.drift.walk = "5" has no unit'),
        (["--drift", "1 nm, 2"], "is a length, and a velocity is needed"),
        (["--camera", "none.toml"], "none.toml: cannot be read: No such file"),
        (["--interval", "1 h"], "gives 0 whole frames in the 3168 s that were recorded"),
        (["-o", "f.png"], 'f.png: has the ending ".png"'),
        (["--movie", "f.avi"], 'f.avi: has the ending ".avi"; a movie is FILE.mp4 or FILE.gif'),
        (["--show", "blue"], "invalid choice: 'blue'"),
        (["--view", "up"], 'camera.view = "up" must be "c", "x", "y"'),
    ],
)
def test_mistakes(
    result: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["film", str(result), *words]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err and "Traceback" not in captured.err
    assert list(tmp_path.iterdir()) == []


def test_other_wrong_files(
    result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["film", str(tmp_path / "none")]) == 2
    assert "is no directory" in capsys.readouterr().err
    (tmp_path / "c.toml").write_text("camera = 3\n")
    assert main(["film", str(result), "--camera", str(tmp_path / "c.toml")]) == 2
    assert "must be a table" in capsys.readouterr().err
    (tmp_path / "c.toml").write_text("camera = \n")
    assert main(["film", str(result), "--camera", str(tmp_path / "c.toml")]) == 2
    assert "is no TOML file" in capsys.readouterr().err
    (tmp_path / "c.toml").write_text('[camera]\npixel = 3\nview = "up"\n')
    assert main(["film", str(result), "--camera", str(tmp_path / "c.toml")]) == 2
    assert "c.toml: 2 mistakes" in capsys.readouterr().err
