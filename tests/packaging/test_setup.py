"""What `make setup` says on machines that lack something, before it installs anything.

Each machine is a folder of programs that is all of PATH: links to the tools that every Linux has,
and small stand-ins for what is tested.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT

EVERYWHERE = ("sh", "cat", "dirname", "ls", "rm", "uname", "id", "mkdir")
GOOD_PYTHON = """#!/bin/sh
case "$*" in
  *Python.h*) echo "$0" ;;
  *ctypes*) echo "$MISSING_LIBRARIES" ;;
  *) echo "python $*"; exit 9 ;;
esac
"""


class Machine:
    """A machine with a clone on it."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.clone = folder / "bin", folder / "clone"
        self.bin.mkdir()
        (self.clone / ".ci").mkdir(parents=True)
        shutil.copy(ROOT / ".ci" / "setup.sh", self.clone / ".ci")
        for name in EVERYWHERE:
            found = shutil.which(name)
            assert found is not None
            (self.bin / name).symlink_to(found)
        for name in ("make", "git", "gcc"):
            self.program(name, "#!/bin/sh\nexit 0\n")
        self.program("python3", GOOD_PYTHON)

    def program(self, name: str, text: str) -> None:
        """Put a program on the machine."""
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def without(self, name: str) -> None:
        """Take a program away."""
        (self.bin / name).unlink()

    def set_up(self, missing_libraries: str = "") -> subprocess.CompletedProcess[str]:
        """`make setup`."""
        return subprocess.run(
            [self.bin / "sh", self.clone / ".ci" / "setup.sh", "run"],
            env={
                "PATH": str(self.bin),
                "HOME": str(self.clone),
                "MISSING_LIBRARIES": missing_libraries,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("tool", "sentence"),
    [
        ("make", "make is missing; on Debian: apt-get install"),
        ("git", "git is missing; on Debian: apt-get install"),
        ("gcc", "gcc is missing, which compiles the forms at run time"),
        ("python3", "Python >= 3.12 is missing; on Debian 13: apt-get install"),
    ],
)
def test_a_missing_tool_is_named(machine: Machine, tool: str, sentence: str) -> None:
    machine.without(tool)
    done = machine.set_up()
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Nothing was installed." in done.stderr
    assert not (machine.clone / ".venv").exists()


def test_all_missing_tools_are_named_at_once(machine: Machine) -> None:
    for tool in ("git", "gcc", "python3"):
        machine.without(tool)
    said = machine.set_up().stderr
    assert all(f"{tool} is missing" in said for tool in ("git", "gcc", "Python >= 3.12"))


def test_a_compiler_without_the_c_library_is_named(machine: Machine) -> None:
    machine.program("gcc", "#!/bin/sh\nexit 1\n")
    assert "gcc cannot compile a C program" in machine.set_up().stderr


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (3, "Python >= 3.12 is missing"),
        (4, "python3 has no venv module; on Debian: apt-get install"),
        (5, "python3 has no headers (Python.h), which the compiled forms need"),
    ],
)
def test_an_unsuitable_python_is_refused(machine: Machine, status: int, sentence: str) -> None:
    machine.program("python3", f"#!/bin/sh\nexit {status}\n")
    done = machine.set_up()
    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_suitable_python_behind_an_unsuitable_one_is_found(machine: Machine) -> None:
    machine.program("python3.13", "#!/bin/sh\nexit 5\n")
    assert f"with {machine.bin / 'python3'}." in machine.set_up().stderr


def test_a_pyenv_python_is_found(machine: Machine) -> None:
    machine.without("python3")
    pyenv = machine.clone / ".pyenv" / "versions" / "3.13.0" / "bin"
    pyenv.mkdir(parents=True)
    (pyenv / "python3").write_text(GOOD_PYTHON, encoding="utf-8")
    (pyenv / "python3").chmod(0o755)
    assert f"with {pyenv / 'python3'}." in machine.set_up().stderr


def test_a_user_gets_the_line_to_type_for_libraries(machine: Machine) -> None:
    machine.program("id", "#!/bin/sh\necho 1000\n")
    done = machine.set_up(missing_libraries="libGLU.so.1")
    assert done.returncode == 2
    assert "gmsh needs libGLU.so.1" in done.stderr
    assert "\n  sudo apt-get install --no-install-recommends libgl1 libglu1-mesa " in done.stderr
    assert not (machine.clone / ".venv").exists()


@pytest.mark.skipif(not os.path.exists("/etc/debian_version"), reason="not Debian or Ubuntu")
def test_root_on_debian_installs_the_libraries(machine: Machine) -> None:
    machine.program("id", "#!/bin/sh\necho 0\n")
    machine.program("apt-get", '#!/bin/sh\necho "apt-get $*" >&2\n')
    said = machine.set_up(missing_libraries="libGLU.so.1").stderr
    assert "apt-get update" in said
    assert "apt-get install -qq -y --no-install-recommends libgl1 libglu1-mesa" in said


def test_a_foreign_folder_in_the_way_is_kept(machine: Machine) -> None:
    (machine.clone / ".venv").mkdir()
    (machine.clone / ".venv" / "thesis.tex").write_text("mine", encoding="utf-8")
    done = machine.set_up()
    assert done.returncode == 2
    assert "is in the way" in done.stderr
    assert (machine.clone / ".venv" / "thesis.tex").exists()


STAND_IN = """#!/bin/sh
mkdir -p .venv
if [ -e .venv/.made-for ]; then echo "again $1"; else echo "new $1"; fi
pwd -P >.venv/.made-for
: >.venv/.installed-run
if [ "$1" = dev ]; then : >.venv/.installed-dev; fi
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
def test_make_notices_that_the_clone_was_moved(tmp_path: Path) -> None:
    clone = tmp_path / "a clone"
    (clone / ".ci").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copyfile(ROOT / name, clone / name)
    (clone / ".ci" / "setup.sh").write_text(STAND_IN, encoding="utf-8")

    def make(where: Path) -> str:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        done = subprocess.run(
            ["make", "setup"],
            cwd=where,
            env={k: v for k, v in environment.items() if k != "VENV"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    assert make(clone) == "new run\n.venv is ready.\n"
    assert make(clone) == ".venv is ready.\n"
    (tmp_path / "link").symlink_to(clone)
    assert make(tmp_path / "link") == ".venv is ready.\n"
    moved = clone.rename(tmp_path / "moved")
    assert make(moved) == "again run\n.venv is ready.\n"
    assert make(moved) == ".venv is ready.\n"
