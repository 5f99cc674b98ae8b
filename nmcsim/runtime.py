"""The one place that imports DOLFINx, in the order that works.

Everything else of nmcsim that needs DOLFINx, PETSc or MPI imports `nmcsim.runtime` first (or takes
them from it). The import is collective on all ranks, since PETSc initialises itself on
MPI.COMM_WORLD: never import this module in a branch that only some ranks take.

Two DOLFINx distributions in one environment, none, or one older than 0.11 are refused with a
sentence (`NmcsimError`).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from nmcsim.errors import NmcsimError

OLDEST = (0, 11)
JIT_TIMEOUT = 120  # [s]; the default of 10 fails for large forms on a loaded machine
ABANDONED = 300.0  # [s]; a compilation that is older than this and not finished was killed
WHEELS = frozenset({"dolfinx-solver-real", "dolfinx-solver-complex"})
OTHERS = frozenset({"fenics-dolfinx"})
MPI_LAUNCHER = ("PMI", "HYDRA", "MPIR", "PMIX", "MPI_LOCAL")


def refuse_two_dolfinx(names: Iterable[str]) -> None:
    """Raise if the installed distributions `names` bring more than one DOLFINx.

    They share the folder ``dolfinx``: one has overwritten files of the other.
    """
    found = sorted({re.sub(r"[-_.]+", "-", name).lower() for name in names} & (WHEELS | OTHERS))
    if len(found) > 1:
        raise NmcsimError(
            f"this environment holds two DOLFINx, {' and '.join(found)}, whose files overwrite "
            f"each other; make a fresh environment with one of them (beside a DOLFINx of your own "
            f"install nmcsim with `pip install --no-deps`)"
        )


def refuse_old_dolfinx(version: str) -> None:
    """Raise if `version` of DOLFINx is older than nmcsim needs."""
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        raise NmcsimError(
            f"DOLFINx {version} is too old; nmcsim needs {'.'.join(map(str, OLDEST))} or newer"
        )


def jit_cache() -> Path:
    """The folder in which DOLFINx keeps compiled forms."""
    return Path(dolfinx.jit.get_options()["cache_dir"])


def heal_jit_cache(folder: Path, now: float | None = None) -> tuple[Path, ...]:
    """Set aside what a killed compilation left, on which every later run would wait in vain.

    FFCx marks a finished ``<name>.c`` by ``<name>.c.cached``. Without the mark other processes wait
    until a timeout; a `.c` that is older than `ABANDONED` will never get it.

    Parameters
    ----------
    folder : Path
        The cache; it may be missing.
    now : float, optional
        The time that ages are counted from [s since the epoch].

    Returns
    -------
    tuple of Path
        The files that were renamed (to ``<name>.c.abandoned``).
    """
    now = time.time() if now is None else now
    renamed = []
    for source in folder.glob("libffcx_*.c"):
        mark = source.with_name(source.name + ".cached")
        try:
            if not mark.exists() and now - source.stat().st_mtime > ABANDONED:
                source.replace(source.with_name(source.name + ".abandoned"))
                renamed.append(source)
        except OSError:  # another process was faster, or the cache is read-only
            continue
    return tuple(renamed)


def versions() -> dict[str, str]:
    """Versions of what a run rests on: Python, nmcsim, DOLFINx, PETSc, MPI, gmsh, NumPy, h5py."""
    petsc = ".".join(map(str, PETSc.Sys.getVersion()))
    found = {
        "python": ".".join(map(str, sys.version_info[:3])),
        "dolfinx": dolfinx.__version__,
        "petsc": petsc,
        "mpi": MPI.Get_library_version().splitlines()[0].strip().strip("\x00"),
    }
    for name in ("nmcsim", "gmsh", "numpy", "scipy", "h5py", "mpi4py"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def launch_environment() -> dict[str, str]:
    """The environment without what an MPI launcher put there, for starting another MPI program."""
    return {k: v for k, v in os.environ.items() if not k.startswith(MPI_LAUNCHER)}


refuse_two_dolfinx(found.metadata["Name"] or "" for found in importlib.metadata.distributions())
# isort: off
try:
    # h5py before DOLFINx: where numba is installed, dolfinx makes its own HDF5 global
    import h5py  # noqa: F401

    # MPI before DOLFINx: the wheel finds libmpi only once it is loaded
    from mpi4py import MPI

    if importlib.util.find_spec("dolfinx_solver") is not None:
        import dolfinx_solver  # noqa: F401
    import dolfinx
except ImportError as error:
    raise NmcsimError(
        f"DOLFINx cannot be imported ({error}); on Linux x86_64 `pip install dolfinx-solver-real` "
        f"brings it, elsewhere see the platform table of the README"
    ) from error
# isort: on
refuse_old_dolfinx(dolfinx.__version__)

import dolfinx.fem.petsc  # noqa: E402  (only after the checks above)
import dolfinx.jit  # noqa: E402
from petsc4py import PETSc  # noqa: E402


def _prepare_jit() -> None:
    """Give compilations time, and clear away on one rank what killed ones have left."""
    options = dolfinx.jit.DOLFINX_DEFAULT_JIT_OPTIONS
    options["timeout"] = (JIT_TIMEOUT, options["timeout"][1])
    if MPI.COMM_WORLD.rank == 0:
        heal_jit_cache(jit_cache())


_prepare_jit()
