"""``nmcsim import bpx``: what it prints and leaves, and that its cases run."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nmcsim.case import load

EXAMPLE = "data/bpx/nmc_pouch_cell_BPX.json"
Command = Callable[..., Any]


@pytest.fixture
def cell(folder: Path, root: Path) -> Path:
    """The public example, in the current directory."""
    return Path(shutil.copy(root / "tests" / EXAMPLE, folder / "cell.json"))


def test_it_reports_and_writes_cases_that_check_finds_right(nmcsim: Command, cell: Path):
    said = nmcsim("import", "bpx", "cell.json")
    assert (said.status, said.err) == (0, "")
    for sentence in (
        "laws at 298.15 K for theta 0.42424 .. 0.9621: 3.6133 .. 4.2907 V, 139.1 mAh/g",
        "material.i0: 2.22399 A/m2 * sqrt(theta (1 - theta)), 1.11199 A/m2 at theta = 0.5",
        "missing in the file",
        "nmcsim run cell/cell_electrode.toml",
    ):
        assert sentence in said.out
    assert (cell.parent / "cell" / "cell_report.txt").read_text() in said.out
    for kind in ("crystal", "electrode"):
        said = nmcsim("check", f"cell/cell_{kind}.toml")
        assert (said.status, "no mistakes found" in said.out) == (0, True)
        assert "NMC111" in said.out
    tables = tomllib.loads((cell.parent / "cell" / "cell_material.toml").read_text())
    assert sorted(tables) == ["electrolyte", "material"]


def test_options_name_files_and_change_laws(nmcsim: Command, cell: Path):
    said = nmcsim(
        "import", "bpx", "cell.json", "-o", "made/nmc111_material.toml",
        "--temperature", "45 degC", "--range", "0.3:0.97", "--density", "4.7 g/cm3",
    )  # fmt: skip
    assert said.status == 0
    case = load(cell.parent / "made" / "nmc111_crystal.toml")
    assert case.physics.temperature == pytest.approx(318.15)
    assert case.material.U.valid == (0.3, 0.97)
    assert case.material.density == pytest.approx(4700.0)
    again = nmcsim("import", "bpx", "cell.json", "-o", "made/nmc111.toml")
    assert again.status == 2
    assert "nmc111_crystal.toml" in again.err and "--overwrite" in again.err
    assert nmcsim("import", "bpx", "cell.json", "-o", "made/nmc111.toml", "--overwrite").status == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("no.json",), "no.json: does not exist"),
        (("case.toml",), "case.toml: is not valid JSON"),
        (("cell.json", "--particle", "Small"), "has particles of one kind; leave it out"),
        (("cell.json", "--temperature", "20"), '--temperature "20" has no unit; write "20 K"'),
        (("cell.json", "--density", "-1 g/cm3"), '--density "-1 g/cm3" must be positive'),
        (("cell.json", "--range", "0.9:0.3"), '--range "0.9:0.3" is no range of theta'),
        (("cell.json", "--range", "a"), '--range "a" is no range of theta'),
        (("cell.json", "--out", "case.toml/x"), "case.toml/x"),
        (("cell.json", "--ocp", "best"), "invalid choice"),
        ((), "required: FILE"),
    ],
)
def test_mistakes_are_one_sentence(nmcsim: Command, cell: Path, words: Any, sentence: str):
    said = nmcsim("import", "bpx", *words)
    assert (said.status, said.out) == (2, "")
    assert sentence in said.err
    assert "Traceback" not in said.err and len(said.err.splitlines()) == 1
    assert not (cell.parent / "cell").exists()


def test_a_newer_version_is_refused(nmcsim: Command, cell: Path):
    data = json.loads(cell.read_text())
    data["Header"]["BPX"] = "2.1.0"
    cell.write_text(json.dumps(data))
    said = nmcsim("import", "bpx", "cell.json")
    assert said.status == 2
    assert "Header > BPX = 2.1.0 is newer than what bpx" in said.err


@pytest.mark.parametrize("kind", ["crystal", "electrode"])
def test_the_cases_run(nmcsim: Command, cell: Path, kind: str):
    from nmcsim.run import simulate

    assert nmcsim("import", "bpx", "cell.json").status == 0
    case = load(cell.parent / "cell" / f"cell_{kind}.toml").coarse()
    result = simulate(case, cell.parent / "out", quiet=True)
    assert result.status == "finished"
    first = result.steps[0]
    assert first["ended_by"] == "voltage"
    # all lithium between the limits is a full charge, and at C/5 little of it stays
    charged = result.history["theta_mean"].values
    assert charged[0] == pytest.approx(0.9621, abs=1e-9)
    assert charged.min() == pytest.approx(0.4242, abs=0.01)
