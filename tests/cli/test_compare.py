"""``nmcsim compare`` as a user types it: table, files, report, exit status, mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nmcsim.cli import main
from nmcsim.results import lock
from tests.chromium import chromium
from tests.synthetic import synthetic_result

MEASURED = """
title = "An <b>aged</b> crystal"
source = "nobody"
[voltage]
series = "voltage.csv"
x = "soc"
uncertainty = 0.05
[time_end]
value = {minutes}
unit = "min"
bound = "at most"
[d]
missing = "Fig. S4"
"""


@pytest.fixture(scope="module")
def aged(tmp_path_factory) -> Path:
    return synthetic_result(tmp_path_factory.mktemp("cli") / "aged")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of measurements: one that the result meets, one that it does not."""
    (tmp_path / "voltage.csv").write_text("soc [1],voltage [V]\n0.1,3.7\n0.7,4.1\n")
    for name, minutes in (("good", 60), ("bad", 10)):
        text = MEASURED.format(minutes=minutes).replace("An <b>", f"{name}: an <b>")
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_table_the_file_and_the_report(aged, folder, capsys):
    assert main(["compare", str(aged), str(folder / "good.toml")]) == 0
    said = capsys.readouterr().out
    assert "time_end" in said
    assert "at most 60 min" in said
    assert "2 of 2 within" in said
    assert "d: Fig. S4" in said
    content = json.loads((aged / "compare.json").read_text(encoding="utf-8"))
    assert "good: an <b>aged</b> crystal" in content["comparisons"]
    page = (aged / "report.html").read_text(encoding="utf-8")
    assert "<h2>Beside good: an &lt;b&gt;aged&lt;/b&gt; crystal</h2>" in page


def test_strict_ends_with_status_3(aged, folder, capsys):
    good, bad = str(folder / "good.toml"), str(folder / "bad.toml")
    assert main(["compare", str(aged), bad]) == 0
    assert main(["compare", str(aged), good, "--strict"]) == 0
    assert main(["compare", str(aged), good, bad, "--strict"]) == 3
    assert "1 of 2 within" in capsys.readouterr().out
    # both stand in the result
    kept = json.loads((aged / "compare.json").read_text(encoding="utf-8"))["comparisons"]
    assert [name.split(":")[0] for name in kept] == ["good", "bad"]


def test_json_elsewhere(aged, folder):
    path = folder / "new" / "found.json"
    assert main(["compare", str(aged), str(folder / "good.toml"), "--json", str(path)]) == 0
    [found] = json.loads(path.read_text(encoding="utf-8"))["comparisons"].values()
    assert [pair["name"] for pair in found["pairs"]] == ["voltage", "time_end"]
    assert found["unpaired"][0]["missing"] is True


def test_measurements_beside_measurements(folder, capsys):
    good, bad = str(folder / "good.toml"), str(folder / "bad.toml")
    assert main(["compare", good, bad, "--strict"]) == 3
    said = capsys.readouterr().out
    assert "good: an <b>aged</b> crystal, beside: bad: an <b>aged</b> crystal" in said
    assert "report" not in said
    assert not (folder / "compare.json").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["absent", "good.toml"], "absent is no directory; give the one that nmcsim run wrote"),
        (["AGED", "absent.toml"], "absent.toml: does not exist"),
        (["AGED", "voltage.csv"], "voltage.csv: is not valid TOML"),
        (["AGED", "empty.toml"], "empty.toml: holds no measurement; write one as a table"),
        (["AGED", "wrong.toml"], "a.value = 5 has no unit; write its unit, such as"),
        (["AGED"], "the following arguments are required: MEASURED"),
    ],
)
def test_a_mistake_is_one_sentence(aged, folder, capsys, monkeypatch, arguments, sentence):
    monkeypatch.chdir(folder)
    (folder / "empty.toml").write_text("")
    (folder / "wrong.toml").write_text("[a]\nvalue = 5\n")
    said = [str(aged) if a == "AGED" else a for a in arguments]
    assert main(["compare", *said]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.slow
def test_the_section_in_a_browser(aged, folder):
    main(["compare", str(aged), str(folder / "good.toml")])
    with chromium() as browser:
        browser.get((aged / "report.html").resolve().as_uri())
        section = browser.find_element("id", "beside-1")
        assert "at most 60 min" in section.text
        [picture] = section.find_elements("tag name", "img")
        width = browser.execute_script("return arguments[0].naturalWidth", picture)
        assert width > 400
        logs = [log for log in browser.get_log("browser") if log["level"] == "SEVERE"]
        assert logs == []


def test_a_result_that_another_writes_is_left_alone(aged, folder, capsys, monkeypatch):
    before = {path.name: path.read_bytes() for path in aged.iterdir() if path.is_file()}
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    with lock.adding(aged):
        assert main(["compare", str(aged), str(folder / "good.toml")]) == 2
    said = capsys.readouterr()
    assert "2 of 2 within" in said.out
    assert said.err.strip() == f"{aged}: is being written by another run; wait until that has ended"
    after = {path.name: path.read_bytes() for path in aged.iterdir() if path.is_file()}
    assert {**before, lock.LOCK: b""} == after


def test_comparisons_at_the_same_time_are_all_kept(aged, folder):
    (aged / "compare.json").unlink(missing_ok=True)
    program = "import sys; from nmcsim.cli import main; sys.exit(main(sys.argv[1:]))"
    words = ([sys.executable, "-c", program, "compare", str(aged), str(folder / f"{name}.toml")]
             for name in ("good", "bad"))  # fmt: skip
    both = [subprocess.Popen(each, stdout=subprocess.DEVNULL) for each in words]
    assert [process.wait(120) for process in both] == [0, 0]
    kept = json.loads((aged / "compare.json").read_text(encoding="utf-8"))["comparisons"]
    assert sorted(name.split(":")[0] for name in kept) == ["bad", "good"]


def test_a_result_on_a_disk_for_reading_is_compared(aged, folder, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    path = folder / "found.json"
    assert main(["compare", str(aged), str(folder / "good.toml"), "--json", str(path)]) == 0
    said = capsys.readouterr().out
    assert "2 of 2 within" in said and path.is_file()
    assert f"{aged} cannot be written: this table is in no report" in said
