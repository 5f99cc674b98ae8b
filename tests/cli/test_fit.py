"""``nmcsim fit``: what it would do, and what it refuses, each in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nmcsim.results.lock import adding
from tests.cli.conftest import Said

MEASURED = """
[com_distance_max]
value = 0.42
unit = "um"
uncertainty = 0.02
[time_end]
value = 50
unit = "min"
uncertainty = 1
"""
COVERAGE = "physics.rock_salt.coverage=0.2:0.8"

type Command = Callable[..., Said]


@pytest.fixture
def measured(folder: Path) -> Path:
    """A file with two numbers beside the case."""
    path = folder / "measured.toml"
    path.write_text(MEASURED)
    return path


@pytest.mark.usefixtures("measured")
def test_a_dry_run_says_what_varies_and_what_counts(nmcsim: Command, folder: Path):
    said = nmcsim(
        "fit", "case.toml", "measured.toml", "--vary", COVERAGE, "--vary",
        "geometry.diameter=1:200um", "--dry-run",
    )  # fmt: skip
    assert said.status == 0 and said.err == ""
    lines = [line.split() for line in said.out.splitlines() if line.strip()]
    assert ["physics.rock_salt.coverage", "0.5", "0.2", "to", "0.8", "linear"] in lines
    assert ["geometry.diameter", "2.5", "um", "1", "to", "200", "um", "log"] in lines
    assert ["com_distance_max", "1", "um", "yes"] in lines and [
        "time_end",
        "1",
        "min",
        "yes",
    ] in lines
    assert "3 cases for each point that is looked at" in said.out
    assert not (folder / "results").exists()


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "--vary is missing; name a key to fit: --vary KEY=LO:HI"),
        (("--vary", "coverage"), "--vary coverage has no interval; write KEY=LO:HI"),
        (("--vary", "physics.rock_salt.coverge=0.1:0.9"),
         '--vary physics.rock_salt.coverge is not a key here; did you mean "coverage"?'),
        (("--vary", "coverage=0.1:0.9"),
         "--vary coverage is no key of a case; did you mean physics.rock_salt.coverage?"),
        (("--vary", "physics.rock_salt=0.1:0.9"),
         "--vary physics.rock_salt is a table; name a key in it, such as physics.rock_salt."),
        (("--vary", "physics.rock_salt.seed=1:9"),
         "takes whole numbers, which least squares cannot vary; sweep over it instead"),
        (("--vary", "physics.surface=0:1"), 'is a text in the case ("flux"); a fit varies numbers'),
        (("--vary", "protocol.steps=0:1"), "is a list in the case; a fit varies numbers"),
        (("--vary", "physics.rock_salt.coverage=0.9:0.1"), "has ends that are reversed"),
        (("--vary", "physics.rock_salt.coverage=0.6:0.9"),
         "does not hold the start 0.5 of the case"),
        # the ends are tried: a coverage is below 1
        (("--vary", "physics.rock_salt.coverage=0.2:1.5"),
         "--vary physics.rock_salt.coverage = 1.5"),
        (("--vary", "geometry.diameter=2:3"), "has no unit; write it once"),
        (("--vary", "geometry.diameter=2:3 s@2.5s"), "is a time, and a length is needed"),
        (("--vary", "material.D_chem=1e-16:1e-14m2/s"), "has no value in the case to start from"),
        (("--vary", COVERAGE, "--vary", COVERAGE), "is said twice; keep one"),
        (("--vary", COVERAGE, "--step", "0.9"), "must be a share of the interval"),
        (("--vary", COVERAGE, "--only", "time_ende"), 'did you mean "time_end"?'),
        (("--vary", COVERAGE, "--vary", "geometry.diameter=2:3um", "--vary",
          "physics.temperature=290:300K", "--only", "time_end"),
         "has 1 number to compare, and 3 keys to fit; vary fewer keys, or measure more"),
        (("--vary", COVERAGE, "--out", "case.toml"), "is a file; choose a directory"),
        (("--vary", COVERAGE, "--out", "."), "is not the directory of a fit"),
        (("--vary", COVERAGE, "--most", "0"), "is not a number of at least 1"),
    ],
)  # fmt: skip
def test_mistakes(nmcsim: Command, words: tuple[str, ...], sentence: str):
    said = nmcsim("fit", "case.toml", "measured.toml", *words)
    assert said.status == 2, said
    assert sentence in said.err and said.out.count("\n") <= 1
    assert "Traceback" not in said.err


def test_what_is_wrong_with_the_files(nmcsim: Command, folder: Path):
    def err(measured: str, *words: str, case: str = "case.toml") -> str:
        (folder / "measured.toml").write_text(measured)
        said = nmcsim("fit", case, "measured.toml", "--vary", COVERAGE, *words)
        assert said.status == 2
        return said.err

    assert "none.toml: does not exist" in err(MEASURED, case="none.toml")
    assert "holds no measurement" in err("")
    only = '[a]\nmissing = "Fig. S4"\n[b]\nmissing = "Fig. S5"\n'
    assert "measured.toml: has not a single number to fit to" in err(only)
    mixed = MEASURED.replace("uncertainty = 1\n", "")
    assert "time_end has no uncertainty while others have one" in err(mixed)
    said = nmcsim("fit", "case.toml", "nothing.toml", "--vary", COVERAGE)
    assert said.status == 2 and "nothing.toml: does not exist" in said.err


def test_a_variable_stands_in_a_text(nmcsim: Command, measured: Path):
    words = ("--set", "material.D_chem={k}*2e-15*(1.2 - theta) [m2/s]", "--dry-run")
    said = nmcsim("fit", "case.toml", "measured.toml", "--vary", "k=0.1:10", *words)
    assert said.status == 0, said.err
    # it starts halfway in its scale where nothing is said
    assert ["k", "1", "0.1", "to", "10", "log"] in [line.split() for line in said.out.splitlines()]
    said = nmcsim("fit", "case.toml", "measured.toml", "--vary", "k=-3:-1", *words)
    assert (
        said.status == 2 and "--set material.D_chem" in said.err and "must be positive" in said.err
    )


@pytest.mark.usefixtures("measured")
def test_another_fit_is_not_overwritten(nmcsim: Command, folder: Path):
    (folder / "fit").mkdir()
    (folder / "fit" / "asked.json").write_text("{}")
    said = nmcsim("fit", "case.toml", "measured.toml", "--vary", COVERAGE, "--out", "fit")
    assert said.status == 2 and "--out fit holds another fit" in said.err
    assert "--overwrite" in said.err


@pytest.mark.usefixtures("measured")
def test_a_directory_in_which_another_fits_is_refused(nmcsim: Command, folder: Path):
    (folder / "fit").mkdir()
    with adding(folder / "fit"):
        said = nmcsim("fit", "case.toml", "measured.toml", "--vary", COVERAGE, "--out", "fit")
    assert said.status == 2 and "fit: is being written by another run; wait" in said.err
    assert [path.name for path in (folder / "fit").iterdir()] == [".lock"]
