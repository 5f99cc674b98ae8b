"""A wrong input ends with one sentence and status 2; nothing is shown but that, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OVERLAPPING = '{arrangement="intervals", intervals=[["0 deg","90 deg"],["60 deg","99 deg"]]}'
WRONG = {
    "physics.rock_salt.coverge=0.5": 'is not a key here; did you mean "coverage"?',
    "geometry.diameter=2.5": 'geometry.diameter = 2.5 has no unit; write "2.5 um"',
    "geometry.diameter=1e300 um": "is out of range; it must be at most 1 m",
    "geometry.diameter=2.5 V": "is a voltage, and a length is needed",
    "numerics.rtol=tight": 'numerics.rtol = "tight" must be a number',
    "output.frames=0": "output.frames = 0 is out of range",
    "physics.rock_salt.coverage=1.0": "leaves no bare surface, through which the C-rate",
    "physics.rock_salt.flux_ratio=1.0": "is no barrier",
    "material.D_ab=-1e-14 m2/s": "must be positive",
    "material.U=4 - thta [V]": 'unknown name "thta"',
    "material.U=open('x') [V]": "unknown function",
    "material.U=3 + theta [V]": "does not fall at theta",
    'protocol.steps=["Charge at 1C untill 4.3 V"]': '^ expected "until" or "for"',
    'protocol.steps=["Charge at 1C until 6 V"]': "outside the open-circuit range",
    'protocol.steps=["Hold at 4.2 V for 1 h"]': 'write surface = "butler_volmer"',
    "geometry.cell_size=3 um": "geometry.cell_size",
    f"physics.rock_salt={OVERLAPPING}": "intervals overlap",
    "title": "write --set table.key=value",
}


@pytest.mark.parametrize("command", ["run", "check", "mesh"])
@pytest.mark.parametrize(("override", "sentence"), WRONG.items())
def test_a_wrong_value_stops_every_command(
    nmcsim: Callable[..., Any], folder: Path, command: str, override: str, sentence: str
):
    said = nmcsim(command, "case.toml", "--set", override)
    assert said.status == 2
    assert said.out == ""
    assert said.err.startswith("case.toml: ")
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert [path.name for path in folder.iterdir()] == ["case.toml"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run"], "the following arguments are required: CASE"),
        (["walk", "case.toml"], "invalid choice: 'walk'"),
        (["run", "none.toml"], "none.toml: does not exist"),
        (["run", "."], "is a folder, not a case file"),
        (["run", "case.toml", "--resume", "--overwrite"], "not allowed with"),
        (["run", "case.toml", "--fast"], "unrecognized arguments: --fast"),
        (["new", "double_crystal", "new.toml"], "is not a model"),
        (["new", "single_crystal", "case.toml"], "case.toml: exists already; choose another"),
        (["new", "single_crystal", "no/new.toml"], "no/new.toml: cannot be written"),
        (["mesh", "case.toml", "--out", "no/mesh.png"], "names a folder that does not exist"),
        (["show", "nowhere"], "nowhere"),
        (["figures", "nowhere"], "nowhere"),
        (["report", "nowhere"], "nowhere"),
        (["materials", "show", "nmc8"], 'did you mean "nmc88"?'),
        (["materials", "plot", "nmc8"], 'did you mean "nmc88"?'),
        (["materials"], "the following arguments are required: ACTION"),
        (["completion", "tcsh"], "invalid choice: 'tcsh'"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(
    nmcsim: Callable[..., Any], folder: Path, arguments: list[str], sentence: str
):
    said = nmcsim(*arguments)
    assert said.status == 2
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert [path.name for path in folder.iterdir()] == ["case.toml"]


def test_all_mistakes_are_listed_under_the_name_of_the_file(nmcsim: Callable[..., Any]):
    said = nmcsim("check", "case.toml", "--set", "title=3", "--set", "geometry.diameter=2.5")
    assert said.err.splitlines() == [
        "case.toml: 2 mistakes, nothing was run",
        "  title = 3                must be a text in quotes",
        '  geometry.diameter = 2.5  has no unit; write "2.5 um"',
    ]


def test_a_binary_file_is_no_case(nmcsim: Callable[..., Any], folder: Path):
    (folder / "case.toml").write_bytes(b"\x7fELF\x00\x01")
    said = nmcsim("run", "case.toml")
    assert (said.status, said.out) == (2, "")
    assert said.err == "case.toml: is not a text file; a case is a TOML file\n"


def test_what_is_missing_is_shown(nmcsim: Callable[..., Any], folder: Path):
    (folder / "case.toml").write_text(
        'model = "single_crystal"\n[geometry]\nshape = "disk"\ndiameter = "2 um"\nheight = "1 um"\n'
        '[material]\nname = "nmc8"\n[protocol]\n'
    )
    said = nmcsim("check", "case.toml")
    for sentence in (
        'title                   is missing; write title = "My crystal"',
        "physics                 is missing; write a table [physics]",
        "protocol.initial        is missing; write initial = 0.95",
        'material.name = "nmc8"  is no material of the library; did you mean "nmc88"?',
    ):
        assert sentence in said.err
