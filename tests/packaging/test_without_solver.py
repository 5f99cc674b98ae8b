"""What needs no solver works where none is installed, as on macOS or Windows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import synthetic
from tests.packaging.conftest import ROOT, Installed, run

BLOCK = '''
import sys


class Without:
    """A finder that does not find the solver, as where none is installed."""

    names = {"dolfinx", "dolfinx_solver", "petsc4py", "mpi4py", "gmsh", "basix", "ffcx", "ufl"}

    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)


sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
'''


class Bare:
    """`nmcsim` in an environment without a solver, typed in one folder."""

    def __init__(self, installed: Installed, folder: Path) -> None:
        self.installed, self.folder = installed, folder
        block = folder / "block"
        block.mkdir()
        (block / "sitecustomize.py").write_text(BLOCK, encoding="utf-8")
        self.environment = {"PYTHONPATH": str(block)}

    def nmcsim(self, *arguments: object, expect: int = 0) -> str:
        """What the command printed."""
        return self.installed.nmcsim(*arguments, cwd=self.folder, expect=expect, **self.environment)

    def python(self, code: str, expect: int = 0) -> str:
        """What a Python program printed, on either stream."""
        python = self.installed.python
        done = run(python, "-c", code, cwd=self.folder, expect=expect, **self.environment)
        return done.stdout + done.stderr


@pytest.fixture
def bare(installed: Installed, tmp_path: Path) -> Bare:
    return Bare(installed, tmp_path)


@pytest.mark.parametrize("name", ["dolfinx", "petsc4py", "mpi4py", "gmsh"])
def test_the_environment_has_no_solver(bare: Bare, name: str) -> None:
    assert "ModuleNotFoundError" in bare.python(f"import {name}", expect=1)


def test_a_case_is_started_and_checked(bare: Bare) -> None:
    bare.nmcsim("new", "single_crystal", "first.toml")
    bare.nmcsim("check", "first.toml")


def test_a_mistake_is_named(bare: Bare) -> None:
    bare.nmcsim("new", "single_crystal", "first.toml")
    text = (bare.folder / "first.toml").read_text(encoding="utf-8")
    (bare.folder / "first.toml").write_text(text.replace("diameter", "diametre"), encoding="utf-8")
    said = bare.nmcsim("check", "first.toml", expect=2)
    assert "diametre" in said
    assert "Traceback" not in said


def test_the_schema_is_json(bare: Bare) -> None:
    assert json.loads(bare.nmcsim("schema"))["type"] == "object"


def test_materials_are_listed_shown_and_plotted(bare: Bare) -> None:
    assert "nmc88" in bare.nmcsim("materials", "list")
    assert "V" in bare.nmcsim("materials", "show", "nmc88")
    bare.nmcsim("materials", "plot", "nmc88")


def test_a_run_is_refused_by_a_sentence(bare: Bare) -> None:
    bare.nmcsim("new", "single_crystal", "first.toml")
    said = bare.nmcsim("run", "first.toml", "--out", "first", expect=2)
    assert "dolfinx-solver-real" in said
    assert "Traceback" not in said
    assert not (bare.folder / "first").exists()


def test_a_result_is_shown_and_drawn(bare: Bare) -> None:
    synthetic.synthetic_result(bare.folder / "aged")
    assert "finished" in bare.nmcsim("show", "aged")
    bare.nmcsim("figures", "aged")
    assert len(list((bare.folder / "aged" / "figures").glob("*.pdf"))) >= 4
    bare.nmcsim("report", "aged")
    page = (bare.folder / "aged" / "report.html").read_text(encoding="utf-8")
    assert "<html" in page


def test_a_result_is_opened_in_python(bare: Bare) -> None:
    synthetic.synthetic_result(bare.folder / "aged")
    code = "import nmcsim; r = nmcsim.Result.load('aged'); print(r.status, r['voltage'].unit)"
    assert bare.python(code).split() == ["finished", "V"]


def test_a_result_is_filmed_measured_and_compared(bare: Bare) -> None:
    synthetic.synthetic_result(bare.folder / "aged")
    bare.nmcsim("film", "aged", "-o", "film.ome.tif", "--quiet")
    said = bare.nmcsim("measure", "optical", "film.ome.tif", "--record", "aged", "-o", "film.toml")
    assert "com_distance_max" in said
    said = bare.nmcsim("compare", "aged", "film.toml")
    assert "unreacted_share" in said
    assert (bare.folder / "aged" / "compare.json").is_file()


def test_a_bpx_file_is_imported(bare: Bare) -> None:
    example = ROOT / "tests" / "data" / "bpx" / "nmc_pouch_cell_BPX.json"
    assert "rate constant" in bare.nmcsim("import", "bpx", example)


def test_the_version_is_said(bare: Bare) -> None:
    assert "0.1.0" in bare.nmcsim("--version")
