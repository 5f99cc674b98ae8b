"""The one place that imports DOLFINx, in the order that works.

Everything else of nmcsim that needs DOLFINx, PETSc or MPI imports `nmcsim.runtime` first (or takes
them from it). The import is collective on all ranks, since PETSc initialises itself on
MPI.COMM_WORLD: never import this module in a branch that only some ranks take.

Two DOLFINx distributions in one environment, none, or one older than 0.11 are refused with a
sentence (`NmcsimError`).
"""

from __future__ import annotations

import fcntl
import functools
import gc
import importlib.metadata
import importlib.util
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from nmcsim.errors import NmcsimError

__all__ = [
    "MPI", "PETSc", "dolfinx", "forget_forms", "heal_jit_cache", "jit_cache", "settle", "versions",
]  # fmt: skip

OLDEST = (0, 11)
SUFFIXES = ("", ".cached")  # of a form's C file, and of FFCx's mark that it is compiled
JIT_TIMEOUT = 120  # [s]; the default of 10 fails for large forms on a loaded machine
ABANDONED = 300.0  # [s]; in a cache shared with other programs, what is older was killed
COMPILER = "apt-get install --no-install-recommends gcc libc6-dev python3-dev"
WHEELS = frozenset({"dolfinx-solver-real", "dolfinx-solver-complex"})
OTHERS = frozenset({"fenics-dolfinx"})


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
    """Where compiled forms are kept: ``$XDG_CACHE_HOME/nmcsim/jit``, or that in ``~/.cache``.

    It is nmcsim's own, since what is unfinished in it can then be told from what is abandoned.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "nmcsim" / "jit"


def heal_jit_cache(folder: Path, older: float = 0.0) -> tuple[Path, ...]:
    """Set aside what a killed compilation left, on which every later run would wait in vain.

    FFCx marks a finished ``<name>.c`` by ``<name>.c.cached``; without the mark others wait for it.

    Parameters
    ----------
    folder : Path
        The cache.
    older : float
        Leave alone what is younger [s].

    Returns
    -------
    tuple of Path
        The files that were renamed (to ``<name>.c.abandoned``).
    """
    names = set(os.listdir(folder))
    renamed = []
    for name in names:
        if not name.startswith("libffcx_") or not name.endswith(".c") or name + ".cached" in names:
            continue
        source = folder / name
        try:
            if time.time() - source.stat().st_mtime >= older:
                source.replace(folder / f"{name}.abandoned")
                renamed.append(source)
        except OSError:  # another process was faster, or the cache is read-only
            continue
    return tuple(renamed)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Compile as the only process in `folder`; whatever is unfinished there was killed.

    The lock is the kernel's: it ends with its process, however that ends.
    """
    handle = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
        heal_jit_cache(folder, 0.0 if folder == jit_cache() else ABANDONED)
    except OSError:  # read-only, or a file system without locks: FFCx's own waiting remains
        pass
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _remembered(compile_objects: Callable[..., Any]) -> Callable[..., Any]:
    """FFCx's compilation, asked once in a process for each signature: code holds no mesh."""
    known: dict[tuple[str, str], Any] = {}
    kind = compile_objects.__name__.removeprefix("compile_")

    @functools.wraps(compile_objects)
    def remembered(
        objects: Any, options: Any = None, cache_dir: Path | None = None, **rest: Any
    ) -> Any:
        options = options or {}
        name = _module_name(kind, objects, options, **rest)
        key = (str(cache_dir), name)
        if key not in known:
            # with both there FFCx compiles nothing, and needs no lock
            there = [] if cache_dir is None else [Path(cache_dir, f"{name}.c{s}") for s in SUFFIXES]
            ready = bool(there) and all(path.exists() for path in there)
            compile_ = compile_objects if ready else _guarded(compile_objects)
            compiled, module, _ = compile_(objects, options, cache_dir=cache_dir, **rest)
            known[key] = compiled, module, (None, None)  # as of what was found compiled
        return known[key]

    return remembered


def _module_name(
    kind: str,
    objects: Any,
    options: Any,
    cffi_extra_compile_args: Any = (),
    cffi_debug: bool = False,
    cffi_libraries: Any = None,
    **rest: Any,
) -> str:
    """How FFCx calls the code of these objects; with libraries of one's own it gives no name."""
    how = jit._compute_option_signature(options)
    how += jit._compilation_signature(cffi_extra_compile_args, cffi_debug)
    how += str(cffi_libraries) if cffi_libraries else ""
    return f"libffcx_{kind}_{compute_signature(objects, how)}"


def _guarded(compile_objects: Callable[..., Any]) -> Callable[..., Any]:
    """FFCx's compilation, one at a time in a cache, and with the root logger left as it was."""

    @functools.wraps(compile_objects)
    def guarded(*args: Any, cache_dir: Path | None = None, **kwargs: Any) -> Any:
        root = logging.getLogger()
        handlers = root.handlers[:]
        with nullcontext() if cache_dir is None else _alone_in(Path(cache_dir)):
            try:
                return compile_objects(*args, cache_dir=cache_dir, **kwargs)
            except VerificationError as error:
                raise NmcsimError(
                    f"the C code of a form cannot be compiled ({error}); it takes a C compiler and "
                    f"Python's headers: on Debian or Ubuntu type `{COMPILER}`"
                ) from error
            except OSError as error:
                raise NmcsimError(
                    f"compiled forms cannot be kept in {cache_dir} ({error.strerror or error}); "
                    f"set XDG_CACHE_HOME to a folder that can be written and has space"
                ) from error
            finally:
                root.handlers[:] = handlers  # a compilation that fails does not put them back

    return guarded


def versions() -> dict[str, str]:
    """Versions of what a run rests on: Python, nmcsim, DOLFINx, PETSc, MPI, gmsh, NumPy, h5py."""
    return dict(_versions())


@functools.cache
def _versions() -> dict[str, str]:
    petsc = ".".join(map(str, PETSc.Sys.getVersion()))
    found = {
        "python": ".".join(map(str, sys.version_info[:3])),
        "dolfinx": dolfinx.__version__,
        "petsc": petsc,
        "mpi": " ".join(MPI.Get_library_version().strip("\x00").splitlines()[0].split()),
    }
    for name in ("nmcsim", "gmsh", "numpy", "scipy", "h5py", "mpi4py"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


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
from cffi import VerificationError  # type: ignore[import-untyped]  # noqa: E402
from ffcx.codegeneration import jit  # noqa: E402
from ffcx.naming import compute_signature  # noqa: E402
from petsc4py import PETSc  # noqa: E402


def _restore_signals() -> None:
    """Undo what PETSc did to SIGPIPE: Python reports a reader that has gone by an exception."""
    with suppress(ValueError, AttributeError):  # not the main thread; not this system
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def _prepare_jit() -> None:
    """Give compilations time and a cache that survives kills."""
    options = dolfinx.jit.DOLFINX_DEFAULT_JIT_OPTIONS
    options["timeout"] = (JIT_TIMEOUT, options["timeout"][1])
    options["cache_dir"] = (jit_cache(), options["cache_dir"][1])
    jit.compile_forms = _remembered(jit.compile_forms)
    jit.compile_expressions = _remembered(jit.compile_expressions)


_restore_signals()
_prepare_jit()


def settle() -> None:
    """Tell Python that what is alive now stays so: for a process that runs case after case.

    Cycles are looked for before each mesh, among all objects that there are: 70 ms, most of it
    for imported modules. What has settled is not looked at again, and never collected: call it
    after the imports and once after the first case, when nothing holds a mesh or a result.
    """
    forget_forms()
    gc.collect()
    gc.freeze()


def forget_forms() -> None:
    """Let go of what UFL remembers of forms whose derivatives it has taken.

    The visitors of ``ufl.algorithms`` dispatch by `functools.singledispatchmethod`, which keeps for
    each of them a function that refers to it: neither is ever freed, nor are the functions and
    meshes of the forms that it visited.
    """
    names = [n for n in sys.modules if n.startswith(("ufl.algorithms", "ufl.corealg"))]
    for member in _dispatchers(len(names)):
        getattr(member, "_method_cache", {}).clear()


@functools.lru_cache(maxsize=1)
def _dispatchers(count: int) -> tuple[functools.singledispatchmethod[Any], ...]:
    """Those of UFL's visitors, looked for again when `count` of its modules has changed."""
    found = []
    for name, module in list(sys.modules.items()):
        if name.startswith(("ufl.algorithms", "ufl.corealg")):
            kinds = [kind for kind in vars(module).values() if isinstance(kind, type)]
            members = [member for kind in kinds for member in vars(kind).values()]
            found += [m for m in members if isinstance(m, functools.singledispatchmethod)]
    return tuple(found)
