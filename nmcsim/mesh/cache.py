"""Meshes on disk: each is generated once and found again by a hash of all that shapes it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from nmcsim.case.geometry import Geometry, Patches
from nmcsim.errors import InputError, Mistake, NmcsimError
from nmcsim.mesh.gmsh_session import OPTIONS, gmsh_version, session


def default_cache() -> Path:
    """``$XDG_CACHE_HOME/nmcsim/meshes``, else ``~/.cache/nmcsim/meshes``."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "nmcsim" / "meshes"


def key(shape: Geometry, patches: Patches) -> str:
    """A hash of the shape's parameters and source, the patches, and gmsh with its options."""
    values = {name: getattr(shape, name) for name in sorted(type(shape).model_fields)}
    parameters = {name: repr(v) for name, v in values.items() if not isinstance(v, Path)}
    said = {
        "shape": type(shape).name,
        "parameters": parameters,
        "cell_sizes": repr(shape.cell_sizes),  # those by default, too
        "patches": repr(patches),
        "gmsh": gmsh_version(),
        "options": OPTIONS,
    }
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    digest.update(shape.inputs)
    for source in shape.sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:20]


def mesh_file(shape: Geometry, patches: Patches, folder: Path) -> Path:
    """The mesh of `shape` as a .msh file in `folder`, generated if it is not there.

    Of several processes that ask for it at the same time one generates it, and the others wait.
    It is written aside and renamed when it is complete: where they cannot wait for each other, on a
    file system without locks, they do not disturb each other either.

    Raises
    ------
    InputError
        If gmsh cannot mesh the shape.
    NmcsimError
        If the folder cannot be written, or gmsh is missing.
    """
    found = folder / f"{type(shape).name}-{key(shape, patches)}.msh"
    if found.is_file():
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".new-", suffix=".msh")
        os.close(handle)
    except OSError as error:
        raise NmcsimError(
            f"the mesh cache {folder} cannot be written ({error.strerror}); set XDG_CACHE_HOME "
            f"to a folder that can"
        ) from error
    partial = Path(name)
    try:
        with _alone_for(found):
            if not found.is_file():  # another process may have made it since
                generate(shape, patches, partial)
                partial.chmod(0o644)
                os.replace(partial, found)
    finally:
        partial.unlink(missing_ok=True)
    return found


@contextmanager
def _alone_for(found: Path) -> Iterator[None]:
    """Generate this mesh as the only process; the lock is the kernel's and ends with its process.

    Its file goes with it. Who waited for it holds a lock that nobody else can see any more, but
    then the mesh is there.
    """
    path, handle = found.with_name(f".{found.name}.lock"), None
    with suppress(OSError):  # a file system without locks: at worst a mesh is made twice
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def generate(shape: Geometry, patches: Patches, path: Path) -> None:
    """Mesh `shape` with cells of its order and write it to `path` [micrometres].

    Raises
    ------
    InputError
        If gmsh cannot mesh it, with gmsh's own words, or a place has no name or an unknown one.
    """
    with session() as gmsh:
        try:
            shape.build(gmsh, patches)
            shape.mesh_now(gmsh)
            shape.finish(gmsh)
            _check_names(gmsh, shape)
            gmsh.write(str(path))
        except (InputError, NmcsimError):
            raise
        except Exception as error:
            raise InputError(
                Mistake("geometry", f"cannot be meshed as {type(shape).name}; gmsh says: {error}")
            ) from error


def _check_names(gmsh: ModuleType, shape: Geometry) -> None:
    """Raise unless the physical groups are the places that the shape names."""
    dimension, model = shape.dimension, gmsh.model
    regions, surfaces = (set(n) - set(shape.unions) for n in (shape.regions, shape.named_surfaces))
    for dim, kind, allowed, needed in (
        (dimension, "region", regions, regions - shape.optional_regions),
        (dimension - 1, "surface", surfaces, set()),
    ):
        groups = [tag for _, tag in model.getPhysicalGroups(dim)]
        found = {model.getPhysicalName(dim, tag) or "no name" for tag in groups}
        if found - allowed or needed - found or not found:
            raise _bad_names(shape, kind, found, allowed)
        named = [e for tag in groups for e in model.getEntitiesForPhysicalGroup(dim, tag)]
        twice = len(set(named)) < len(named)
        everywhere = kind == "surface" or {e for _, e in model.getEntities(dim)} == set(named)
        if twice or not everywhere:
            raise _bad_names(shape, kind, found, allowed, "; each part belongs to one of them")


def _bad_names(
    shape: Geometry, kind: str, found: set[str], allowed: set[str], more: str = ""
) -> InputError:
    name = type(shape).__name__
    drawn, known = (", ".join(map(repr, sorted(names))) or "none" for names in (found, allowed))
    sentence = f"is drawn with the {kind}s {drawn}, but {name} has {known}{more}"
    return InputError(Mistake("geometry", sentence))
