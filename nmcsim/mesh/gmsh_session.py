"""gmsh, started for one job and stopped after it, always with the same options."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

from nmcsim.errors import NmcsimError

OPTIONS = {
    "General.Terminal": 0,
    # one thread and fixed seeds: the same input gives the same mesh, byte for byte
    "General.NumThreads": 1,
    "Mesh.RandomSeed": 1,
    "Mesh.Algorithm": 6,  # frontal Delaunay: the best-shaped triangles
    # cell sizes come from the shape's size field alone
    "Mesh.MeshSizeExtendFromBoundary": 0,
    "Mesh.MeshSizeFromPoints": 0,
    "Mesh.MeshSizeFromCurvature": 0,
    "Mesh.SecondOrderLinear": 0,  # nodes within edges lie on the curve
    "Mesh.SecondOrderIncomplete": 0,  # hexahedra of 27 nodes, the ones DOLFINx has
    "Mesh.MshFileVersion": 4.1,
    "Mesh.Binary": 1,
}

LIBRARIES = (
    "libgl1 libglu1-mesa libxcursor1 libxft2 libxinerama1 libfontconfig1 libxrender1 libxfixes3"
)


@functools.cache
def gmsh_version() -> str:
    """The version of gmsh, without importing it."""
    try:
        return importlib.metadata.version("gmsh")
    except importlib.metadata.PackageNotFoundError:
        return str(import_gmsh().__version__)


def import_gmsh() -> ModuleType:
    """gmsh, or a sentence that says what it needs.

    Raises
    ------
    NmcsimError
        If gmsh is not installed, or a system library is missing.
    """
    try:
        return importlib.import_module("gmsh")
    except ImportError as error:
        raise NmcsimError(
            f"gmsh is not installed ({error}); `pip install gmsh` brings it"
        ) from error
    except OSError as error:
        raise NmcsimError(
            f"gmsh lacks a system library ({error}); on Debian or Ubuntu type "
            f"`apt-get install --no-install-recommends {LIBRARIES}`"
        ) from error


@contextmanager
def session() -> Iterator[ModuleType]:
    """gmsh with an empty model and nmcsim's options; it is left as it was before."""
    gmsh = import_gmsh()
    if gmsh.isInitialized():
        raise NmcsimError("gmsh is in use already; call gmsh.finalize() before building a mesh")
    # not interruptible: gmsh would take over Ctrl-C from Python
    gmsh.initialize(["nmcsim"], readConfigFiles=False, interruptible=False)
    try:
        for name, value in OPTIONS.items():
            gmsh.option.setNumber(name, value)
        gmsh.model.add("nmcsim")
        yield gmsh
    finally:
        gmsh.finalize()
        _restore_signals()


def _restore_signals() -> None:
    """Put Python's signal handling back: gmsh resets SIGTERM and SIGPIPE to killing the process."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        handler = signal.getsignal(number)
        if handler is not None:  # None: installed by C code, not by Python
            with suppress(ValueError):  # not the main thread
                signal.signal(number, handler)
