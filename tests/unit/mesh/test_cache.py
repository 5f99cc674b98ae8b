"""Meshes on disk: found again, made once, whole or not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import nmcsim.mesh
from nmcsim.case.shape import Shape, shape
from nmcsim.errors import InputError, NmcsimError
from nmcsim.mesh import cache as mesh_cache
from nmcsim.mesh import default_cache, gmsh_session
from nmcsim.runtime import MPI
from tests.mpirun import clean_environment

PATCHES = ((0.2, 0.6),)


@pytest.fixture
def coarse(disk: Shape) -> Shape:
    return disk.scaled(3.0)


def test_a_second_build_finds_the_first(
    tmp_path: Path, coarse: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = nmcsim.mesh.build(coarse, PATCHES, MPI.COMM_SELF, tmp_path)

    def never(*_: object) -> None:
        raise AssertionError("gmsh was asked to mesh again")

    monkeypatch.setattr(mesh_cache, "generate", never)
    second = nmcsim.mesh.build(coarse, PATCHES, MPI.COMM_SELF, tmp_path)
    assert second.msh_path == first.msh_path
    assert second.quality() == first.quality()
    assert [path.name for path in tmp_path.iterdir()] == [first.msh_path.name]


@pytest.mark.parametrize("name", ["disk", "cylinder", "polygon"])
def test_the_same_input_gives_the_same_file(tmp_path: Path, name: str) -> None:
    particle = shape(name)(diameter="2 um", height="1 um").scaled(2.0)
    a, b = tmp_path / "a.msh", tmp_path / "b.msh"
    mesh_cache.generate(particle, PATCHES, a)
    mesh_cache.generate(particle, PATCHES, b)
    assert a.read_bytes() == b.read_bytes()


def test_the_key_covers_all_that_shapes_the_mesh(
    disk: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [
        mesh_cache.key(disk, PATCHES),
        mesh_cache.key(disk, ()),
        mesh_cache.key(disk, ((0.2, 0.6 + 1e-12),)),
        mesh_cache.key(disk.changed(diameter=2.6e-6), PATCHES),
        mesh_cache.key(disk.scaled(1.5), PATCHES),
    ]
    monkeypatch.setattr(mesh_cache, "gmsh_version", lambda: "0.0")
    keys.append(mesh_cache.key(disk, PATCHES))
    assert len(set(keys)) == len(keys)


def test_the_key_covers_the_vertices_and_not_the_path(tmp_path: Path) -> None:
    def polygon(name: str, corner: str) -> Shape:
        path = tmp_path / name
        path.write_text(f"x [um],y [um]\n0,0\n1,0\n{corner}\n")
        return shape("polygon").model_validate(
            {"vertices": str(path), "height": "1 um"}, context={"folder": tmp_path}
        )

    first = mesh_cache.key(polygon("a.csv", "1,1"), ())
    assert mesh_cache.key(polygon("a.csv", "1,2"), ()) != first
    assert mesh_cache.key(polygon("b.csv", "1,1"), ()) == first


BUILDER = """
import sys
from pathlib import Path
from nmcsim.case.shape import shape
from nmcsim.mesh import cache

generate = cache.generate
def counted(*arguments):
    print("generated", flush=True)
    {delay}
    generate(*arguments)
cache.generate = counted
{more}
disk = shape("disk")(diameter="2.5 um", height="1 um")
print("ready", flush=True)
sys.stdin.readline()
print(cache.mesh_file(disk, {patches}, Path({folder!r})).read_bytes()[:11])
"""


def builder(folder: Path, delay: str = "", more: str = "") -> subprocess.Popen[str]:
    code = BUILDER.format(delay=delay, more=more, patches=PATCHES, folder=str(folder))
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )


def together(builders: list[subprocess.Popen[str]]) -> list[str]:
    """What they print from when all of them are ready."""
    for one in builders:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in builders:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate(timeout=120)[0] for one in builders]
    assert [one.returncode for one in builders] == [0] * len(builders)
    return said


def test_of_builders_at_the_same_time_one_generates(tmp_path: Path) -> None:
    said = together([builder(tmp_path) for _ in range(3)])
    assert all(text.endswith("b'$MeshFormat'\n") for text in said)
    assert "".join(said).count("generated") == 1
    assert len(list(tmp_path.iterdir())) == 1


NO_LOCKS = """
def refused(*_):
    raise OSError(95, "Operation not supported")
cache.fcntl.flock = refused
"""


def test_builders_that_cannot_lock_do_not_clash(tmp_path: Path) -> None:
    said = together([builder(tmp_path, more=NO_LOCKS) for _ in range(2)])
    assert all(text.endswith("b'$MeshFormat'\n") for text in said)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_killed_builder_keeps_nobody_waiting(tmp_path: Path) -> None:
    killed, waiting = builder(tmp_path, delay="import time; time.sleep(60)"), builder(tmp_path)
    for one in (killed, waiting):
        assert one.stdout is not None
        assert one.stdin is not None
        assert one.stdout.readline() == "ready\n"
        one.stdin.write("\n")
        one.stdin.flush()
        if one is killed:
            assert one.stdout.readline() == "generated\n"
    killed.kill()
    killed.communicate()
    assert waiting.communicate(timeout=60)[0] == "generated\nb'$MeshFormat'\n"
    assert len(list(tmp_path.glob("disk-*.msh"))) == 1


def test_a_failed_build_leaves_nothing(
    tmp_path: Path, coarse: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Shape, gmsh: object, patches: object) -> None:
        raise RuntimeError("no such curve")

    monkeypatch.setattr(type(coarse), "build", fails)
    with pytest.raises(InputError, match="cannot be meshed as disk; gmsh says: no such curve"):
        nmcsim.mesh.build(coarse, PATCHES, MPI.COMM_SELF, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with gmsh_session.session() as gmsh:  # and gmsh is free again
        assert gmsh.model.getEntities() == []


def test_a_cache_that_cannot_be_written_gets_a_sentence(tmp_path: Path, coarse: Shape) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NmcsimError, match="cannot be written .*; set XDG_CACHE_HOME"):
        nmcsim.mesh.build(coarse, PATCHES, MPI.COMM_SELF, tmp_path / "file" / "meshes")


def test_a_damaged_file_is_named(tmp_path: Path, coarse: Shape) -> None:
    path = nmcsim.mesh.build(coarse, PATCHES, MPI.COMM_SELF, tmp_path).msh_path
    path.write_bytes(b"$MeshFormat\nnonsense")
    with pytest.raises(NmcsimError, match=f"the mesh {path} cannot be read .*; delete it"):
        nmcsim.mesh.build(coarse, PATCHES, MPI.COMM_SELF, tmp_path)


def test_gmsh_in_use_is_left_alone(tmp_path: Path, coarse: Shape) -> None:
    with gmsh_session.session(), pytest.raises(NmcsimError, match="gmsh is in use already"):
        mesh_cache.generate(coarse, PATCHES, tmp_path / "a.msh")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ImportError("No module named 'gmsh'"), "gmsh is not installed"),
        (OSError("libGLU.so.1: cannot open"), "apt-get install --no-install-recommends libgl1"),
    ],
)
def test_a_gmsh_that_cannot_be_imported_gets_a_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fails(name: str) -> None:
        raise error

    monkeypatch.setattr(gmsh_session.importlib, "import_module", fails)
    with pytest.raises(NmcsimError, match=sentence):
        gmsh_session.import_gmsh()


def test_the_default_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache() == Path("/somewhere/nmcsim/meshes")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert default_cache() == Path.home() / ".cache/nmcsim/meshes"
