"""The one import of DOLFINx: its order, what it refuses, and a cache that survives kills."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import textwrap
import time
import weakref
from pathlib import Path
from typing import Any

import pytest
import ufl

from nmcsim import runtime
from nmcsim.errors import NmcsimError
from nmcsim.runtime import MPI, dolfinx
from tests.mpirun import clean_environment


def python(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=clean_environment(**env),
    )


def test_h5py_and_mpi_come_before_dolfinx() -> None:
    done = python("""
        import sys
        import nmcsim.runtime
        order = list(sys.modules)
        places = [order.index(name) for name in ("h5py", "mpi4py.MPI", "dolfinx")]
        print(places == sorted(places))
    """)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("sys.modules['dolfinx'] = None", "DOLFINx cannot be imported"),
        ("sys.modules['mpi4py.MPI'] = None", "DOLFINx cannot be imported"),
        (
            "import types; old = types.ModuleType('dolfinx'); old.__version__ = '0.9.0'\n"
            "sys.modules['dolfinx'] = old",
            "DOLFINx 0.9.0 is too old; nmcsim needs 0.11 or newer",
        ),
    ],
)
def test_a_dolfinx_that_cannot_serve_gets_a_sentence(code: str, sentence: str) -> None:
    done = python(f"""
import sys
{code}
from nmcsim.errors import NmcsimError
try:
    import nmcsim.runtime
except NmcsimError as error:
    print(error)
""")
    assert sentence in done.stdout, done.stderr


@pytest.mark.parametrize(
    "names",
    [
        ["numpy", "dolfinx-solver-real", "fenics-dolfinx"],
        ["dolfinx_solver_real", "Fenics_DOLFINx"],
        ["dolfinx-solver-real", "dolfinx-solver-complex"],
    ],
)
def test_two_dolfinx_are_refused(names: list[str]) -> None:
    with pytest.raises(NmcsimError, match="this environment holds two DOLFINx, dolfinx-solver-"):
        runtime.refuse_two_dolfinx(names)


@pytest.mark.parametrize("names", [[], ["fenics-dolfinx", "fenics-ufl"], ["dolfinx-solver-real"]])
def test_one_dolfinx_is_fine(names: list[str]) -> None:
    runtime.refuse_two_dolfinx(names)


@pytest.mark.parametrize("version", ["0.10.0", "0.9.0.post1"])
def test_an_old_dolfinx_is_refused(version: str) -> None:
    with pytest.raises(NmcsimError, match=f"DOLFINx {version} is too old; nmcsim needs 0.11"):
        runtime.refuse_old_dolfinx(version)


@pytest.mark.parametrize("version", ["0.11.0", "0.11.0.post0", "0.12.0.dev0", "1.0"])
def test_a_new_dolfinx_is_fine(version: str) -> None:
    runtime.refuse_old_dolfinx(version)


def test_versions_say_what_a_run_rests_on() -> None:
    found = runtime.versions()
    assert {"python", "dolfinx", "petsc", "mpi", "gmsh", "numpy", "h5py"} <= set(found)
    assert found["dolfinx"].startswith("0.1")
    assert all(found.values())


def test_compilations_have_time() -> None:
    from dolfinx.jit import get_options

    assert get_options()["timeout"] == 120


def unfinished(folder: Path, name: str, age: float = 0.0) -> Path:
    source = folder / f"libffcx_{name}.c"
    source.write_text("half a form")
    os.utime(source, (time.time() - age, time.time() - age))
    return source


def test_healing_sets_aside_what_was_not_finished(tmp_path: Path) -> None:
    finished = unfinished(tmp_path, "finished")
    finished.with_name(finished.name + ".cached").touch()
    killed = unfinished(tmp_path, "killed")
    other = tmp_path / "notes.c"
    other.touch()
    assert runtime.heal_jit_cache(tmp_path) == (killed,)
    assert finished.exists()
    assert other.exists()
    assert not killed.exists()
    assert (tmp_path / "libffcx_killed.c.abandoned").read_text() == "half a form"
    assert runtime.heal_jit_cache(tmp_path) == ()


def test_healing_a_shared_cache_spares_what_is_young(tmp_path: Path) -> None:
    unfinished(tmp_path, "young")
    old = unfinished(tmp_path, "old", age=1000.0)
    assert runtime.heal_jit_cache(tmp_path, older=300.0) == (old,)


COMPILE = """
import time
from nmcsim.runtime import MPI, dolfinx
from dolfinx import fem, mesh
import ufl
domain = mesh.create_unit_square(MPI.COMM_WORLD, 1, 1)
start = time.perf_counter()
form = fem.form(ufl.SpatialCoordinate(domain)[0] * ufl.dx)
print(round(fem.assemble_scalar(form), 12), time.perf_counter() - start)
"""


def test_a_run_after_a_killed_compilation_goes_on_at_once(tmp_path: Path) -> None:
    first = python(COMPILE, XDG_CACHE_HOME=str(tmp_path))
    assert first.stdout.startswith("0.5 "), first.stderr
    jit = tmp_path / "nmcsim" / "jit"
    marks = list(jit.glob("*.c.cached"))
    assert marks
    for mark in marks:  # what a SIGKILL before the end leaves
        mark.unlink()
    second = python(COMPILE, XDG_CACHE_HOME=str(tmp_path))
    value, seconds = second.stdout.split()
    assert float(value) == 0.5
    assert float(seconds) < 30.0  # FFCx alone would wait for 120 s and give up
    assert list(jit.glob("*.c.abandoned"))


def test_a_cache_in_use_is_waited_for(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from nmcsim import runtime\n"
            "with runtime._alone_in(runtime.jit_cache()):\n"
            "    runtime.jit_cache().joinpath('libffcx_slow.c').touch()\n"
            "    print('locked', flush=True)\n"
            "    time.sleep(60)\n",
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(XDG_CACHE_HOME=str(tmp_path)),
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    waiting = subprocess.Popen(
        [sys.executable, "-c", COMPILE],
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(XDG_CACHE_HOME=str(tmp_path)),
    )
    try:
        time.sleep(3.0)
        assert waiting.poll() is None
        assert (tmp_path / "nmcsim" / "jit" / "libffcx_slow.c").exists()
    finally:
        holder.kill()  # the lock ends with its holder
        holder.communicate()
    said, _ = waiting.communicate(timeout=60)
    assert said.startswith("0.5 ")
    assert not (tmp_path / "nmcsim" / "jit" / "libffcx_slow.c").exists()


def test_a_failed_compilation_leaves_the_logs_as_they_were(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = root.handlers[:]

    def fails(*, cache_dir: Path) -> None:
        root.handlers = [logging.NullHandler()]
        raise RuntimeError("no compiler")

    with pytest.raises(RuntimeError, match="no compiler"):
        runtime._guarded(fails)(cache_dir=tmp_path)
    assert root.handlers == before


def test_a_missing_compiler_gets_a_sentence(tmp_path: Path) -> None:
    done = python(COMPILE, XDG_CACHE_HOME=str(tmp_path), CC="no-such-compiler")
    assert "NmcsimError: the C code of a form cannot be compiled" in done.stderr
    assert "apt-get install --no-install-recommends gcc libc6-dev python3-dev" in done.stderr
    again = python(COMPILE, XDG_CACHE_HOME=str(tmp_path))  # nothing of it is left in the way
    assert again.stdout.startswith("0.5 "), again.stderr


def test_a_cache_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "nmcsim").touch()
    done = python(COMPILE, XDG_CACHE_HOME=str(tmp_path))
    assert "NmcsimError: compiled forms cannot be kept in" in done.stderr
    assert "set XDG_CACHE_HOME" in done.stderr


def test_a_cache_that_cannot_be_locked_is_used_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert runtime._guarded(lambda cache_dir: "compiled")(cache_dir=tmp_path / "file" / "jit") == (
        "compiled"
    )


COUNT = """
import sys
from ffcx.codegeneration import jit
compile_objects = jit._compile_objects
def counted(*arguments, **more):
    print("compiled", flush=True)
    return compile_objects(*arguments, **more)
jit._compile_objects = counted
from nmcsim.runtime import MPI, dolfinx
from dolfinx import fem, mesh
import ufl
domain = mesh.create_unit_square(MPI.COMM_SELF, 1, 1)
print("ready", flush=True)
sys.stdin.readline()
x = ufl.SpatialCoordinate(domain)
for integrand in (x[0], x[0] * x[1]):
    print(round(fem.assemble_scalar(fem.form(integrand * ufl.dx)), 12))
"""


def started_together(folder: Path, number: int) -> list[str]:
    """What `COUNT` prints in processes that begin to compile at the same time."""
    ran = [
        subprocess.Popen(
            [sys.executable, "-c", COUNT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(XDG_CACHE_HOME=str(folder)),
        )
        for _ in range(number)
    ]
    for one in ran:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in ran:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60)[0] for one in ran]
    assert [one.returncode for one in ran] == [0] * number
    return said


def test_processes_that_start_together_compile_each_form_once(tmp_path: Path) -> None:
    jit = tmp_path / "nmcsim" / "jit"
    jit.mkdir(parents=True)
    unfinished(jit, "killed")
    said = started_together(tmp_path, 3)
    assert all(text.replace("compiled\n", "") == "0.5\n0.25\n" for text in said)
    assert "".join(said).count("compiled") == 2
    assert (jit / "libffcx_killed.c.abandoned").exists()


def a_form(cells: int) -> Any:
    domain = dolfinx.mesh.create_unit_square(MPI.COMM_SELF, cells, cells)
    return ufl.SpatialCoordinate(domain)[1] ** 3 * ufl.dx


def test_code_that_a_process_has_costs_it_neither_lock_nor_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"cache_dir": tmp_path}
    first = dolfinx.fem.form(a_form(1), jit_options=options)
    made = sorted(path.name for path in tmp_path.iterdir())

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the cache was asked")

    monkeypatch.setattr(runtime, "_alone_in", never)
    monkeypatch.setattr(runtime.jit, "get_cached_module", never)
    second = dolfinx.fem.form(a_form(2), jit_options=options)
    assert second.ufcx_form == first.ufcx_form
    assert dolfinx.fem.assemble_scalar(second) == pytest.approx(0.25, rel=1e-14)  # round-off
    assert sorted(path.name for path in tmp_path.iterdir()) == made


def test_code_in_the_cache_is_had_without_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is known by the name that FFCx gives it; by another the lock would be taken."""
    options = {"cache_dir": tmp_path}
    dolfinx.fem.form(a_form(1), jit_options=options)
    loaded = runtime._remembered(runtime.jit.compile_forms.__wrapped__)  # as another process

    def never(*_: object) -> None:
        raise AssertionError("the lock was taken")

    monkeypatch.setattr(runtime, "_alone_in", never)
    monkeypatch.setattr(runtime.jit, "compile_forms", loaded)
    again = dolfinx.fem.form(a_form(1), jit_options=options)
    assert dolfinx.fem.assemble_scalar(again) == pytest.approx(0.25, rel=1e-14)  # round-off


def test_a_process_that_has_settled_holds_no_mesh() -> None:
    class Cycle:
        pass

    def made() -> weakref.ref[object]:
        held, domain = Cycle(), dolfinx.mesh.create_unit_square(MPI.COMM_SELF, 1, 1)
        held.itself, held.domain = held, domain  # type: ignore[attr-defined]
        return weakref.ref(domain)

    gone = made()
    try:
        runtime.settle()
        assert gone() is None
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
