"""A wheel installed outside the clone brings all that a run needs."""

from __future__ import annotations

import json
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Installed, run


def test_the_wheel_carries_shapes_and_materials(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shapes = {f"nmcsim/meshes/{path.name}" for path in (ROOT / "meshes").glob("*.py")}
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "nmcsim").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shapes
    assert shapes | package <= names
    elsewhere = {n for n in names if not n.startswith(("nmcsim/", "nmcsim-"))}
    assert elsewhere == set(), "nothing may land outside the package"


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
        licences = {Path(n).name for n in archive.namelist() if "/licenses/" in n}
    assert metadata["Requires-Python"] == ">=3.12"
    assert metadata["License-Expression"] == "LGPL-3.0-or-later"
    assert licences == {"LICENSE", "COPYING"}
    needs = {n for n in metadata.get_all("Requires-Dist") if "extra ==" not in n}
    solver = {n for n in needs if n.startswith(("gmsh", "dolfinx"))}
    assert len(solver) == 2
    for need in solver:  # macOS and Windows install all the rest
        assert "sys_platform == 'linux'" in need
        assert "platform_machine == 'x86_64'" in need
    assert all(";" not in need for need in needs - solver)


def test_the_source_archive_can_be_built_again(tmp_path: Path, wheel: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=ROOT)
    (archive,) = tmp_path.glob("nmcsim-*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    (source,) = (path for path in tmp_path.iterdir() if path.is_dir())
    for name in ("Makefile", "constraints.txt", "meshes/disk.py", ".ci/run", "CITATION.cff"):
        assert (source / name).is_file(), name
    out = tmp_path / "again"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out, cwd=source)
    (again,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as a, zipfile.ZipFile(again) as b:
        assert set(a.namelist()) == set(b.namelist())


def test_the_environment_holds_the_wheel_and_not_the_clone(
    installed: Installed, tmp_path: Path
) -> None:
    code = "import nmcsim; print(nmcsim.__file__)"
    place = run(installed.python, "-c", code, cwd=tmp_path).stdout.strip()
    assert Path(place).is_relative_to(installed.python.parents[1])


def test_new_check_and_run_in_an_empty_folder(installed: Installed, tmp_path: Path) -> None:
    installed.nmcsim("new", "single_crystal", "first.toml", cwd=tmp_path)
    installed.nmcsim("check", "first.toml", cwd=tmp_path)
    installed.nmcsim(
        "run", "first.toml", "--coarse", "--quiet", "--out", "first", cwd=tmp_path, CI="true"
    )
    summary = json.loads((tmp_path / "first" / "summary.json").read_text(encoding="utf-8"))
    assert summary["status"] == "finished"
    assert (tmp_path / "first" / "report.html").is_file()


def test_a_shape_beside_the_case_is_found(installed: Installed, tmp_path: Path) -> None:
    installed.nmcsim("new", "single_crystal", "first.toml", cwd=tmp_path)
    shipped = (ROOT / "meshes" / "disk.py").read_text(encoding="utf-8")
    own = shipped.replace('name: ClassVar[str] = "disk"', 'name: ClassVar[str] = "mine"')
    assert own != shipped
    (tmp_path / "my_shape.py").write_text(own, encoding="utf-8")
    case = (tmp_path / "first.toml").read_text(encoding="utf-8")
    asked = case.replace('shape = "disk"', 'file = "my_shape.py"')
    assert asked != case
    (tmp_path / "first.toml").write_text(asked, encoding="utf-8")
    installed.nmcsim("check", "first.toml", cwd=tmp_path)
    said = installed.nmcsim("mesh", "first.toml", cwd=tmp_path)
    assert said.startswith("mine: "), "the mesh is that of the shape beside the case"


@pytest.mark.parametrize("name", ["nmcsim", "nmcsim.cli"])
def test_importing_is_light(installed: Installed, tmp_path: Path, name: str) -> None:
    heavy = [
        "dolfinx",
        "petsc4py",
        "mpi4py",
        "gmsh",
        "matplotlib",
        "bokeh",
        "pandas",
        "pyarrow",
        "pint",
    ]
    code = f"import sys, {name}; print(*[m for m in {heavy!r} if m in sys.modules])"
    assert run(installed.python, "-c", code, cwd=tmp_path).stdout.split() == []
