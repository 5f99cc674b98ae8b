"""One crystal: its parameters, its names, and how gmsh draws it; and how geometries are found.

Each geometry is one file with one subclass of `Geometry`: a `Shape` here, or an `ElectrodeShape`.
The shipped ones lie in `meshes/`, a user's own anywhere.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from abc import abstractmethod
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

import nmcsim
from nmcsim.case.geometry import Geometry
from nmcsim.case.geometry import Patches as Patches  # shape files need both
from nmcsim.case.outline import Outline
from nmcsim.case.section import Length, wrong, wrong_from
from nmcsim.errors import InputError, Mistake
from nmcsim.units import display

LATERAL = {
    "bare": "lateral surface free of rock salt",
    "rock_salt": "lateral surface under rock salt",
    "lateral": "the whole lateral surface: bare and rock_salt",
}
FINEST = 1e4
"""Cells across a particle, at most: a mistyped unit is told from a fine mesh."""
BASAL = {"top": "basal face at the top", "bottom": "basal face at the bottom"}


class Shape(Geometry):
    """Parameters of a particle: a section in the ab-plane, and its extent along c.

    Subclasses add their parameters, and describe the particle by `dimension`, `height` and
    `outline`; `build` draws it.
    """

    model: ClassVar[str] = "single_crystal"
    order: ClassVar[int] = 2
    regions: ClassVar[Mapping[str, str]] = {"crystal": "the whole particle"}
    """Names of volumes, each with a sentence."""
    surfaces: ClassVar[Mapping[str, str]] = LATERAL
    """Names of surfaces, each with a sentence."""
    unions: ClassVar[Mapping[str, tuple[str, ...]]] = {"lateral": ("bare", "rock_salt")}
    """Names that stand for several named surfaces."""

    height: Length = Field(description="Extent along the c-axis.")
    cell_size: Length | None = Field(
        default=None,
        description="Size of the cells in the middle; by default 45 span a section, 24 a particle.",
    )
    surface_cell_size: Length | None = Field(
        default=None, description="Size of the cells at the lateral surface; half of cell_size."
    )
    patch_end_cell_size: Length | None = Field(
        default=None,
        description="Size of the cells where a rock-salt patch ends; 0.36 cell_size.",
    )

    @property
    @abstractmethod
    def outline(self) -> Outline:
        """The lateral surface as a closed curve in the section plane [m]."""

    @abstractmethod
    def build(self, gmsh: ModuleType, patches: Patches) -> None:
        """As for any geometry; the ends of patches must become mesh vertices.

        `nmcsim.case.drawing` helps.
        """

    @property
    def thickness(self) -> float:
        """What integrals over the mesh are multiplied by: the height [m], or 1 in 3D."""
        return self.height if self.dimension == 2 else 1.0

    @property
    def volume(self) -> float:
        """Exact volume [m3]."""
        return self.outline.area * self.height

    @property
    def lateral_area(self) -> float:
        """Exact area of the lateral surface [m2]."""
        return self.outline.length * self.height

    @property
    def named_surfaces(self) -> dict[str, str]:
        """The surfaces that a mesh of this shape has; a section has no basal faces."""
        return {
            name: sentence
            for name, sentence in self.surfaces.items()
            if self.dimension == 3 or name not in BASAL
        }

    @property
    def centre(self) -> tuple[float, float, float]:
        """Centroid of the particle [m]."""
        x, y = self.outline.centroid
        return float(x), float(y), 0.5 * self.height if self.dimension == 3 else 0.0

    @property
    def own_patches(self) -> Patches | None:
        """Rock salt that the geometry brings with it; None where the case lays it out."""
        return None

    @property
    def sources(self) -> tuple[Path, ...]:
        return self.source, Path(__file__).with_name("drawing.py")

    @property
    def inputs(self) -> bytes:
        """What a parameter's file says shows in the outline, whatever its path."""
        ways = np.concatenate([self.outline.corners, np.linspace(0.0, 1.0, 64)])
        return self.outline.point(ways).tobytes()

    @property
    def cell_sizes(self) -> tuple[float, float, float]:
        """Cell size in the middle, at the lateral surface and at patch ends [m]."""
        # so fine: fronts as steep as those of nmc88 stay within 1e-3 of theta (V&V book)
        across = 45.0 if self.dimension == 2 else 24.0
        inside = self.cell_size or self.outline.extent / across
        # finer at the surface, where the last lithium leaves a thin layer
        surface = min(self.surface_cell_size or 0.5 * inside, inside)
        return inside, surface, min(self.patch_end_cell_size or 0.36 * inside, surface)

    @model_validator(mode="after")
    def _cells_fit(self) -> Self:
        try:
            extent = self.outline.extent
        except InputError as error:
            raise wrong_from(error, key=error.mistakes[0].place) from error
        for key in ("cell_size", "surface_cell_size", "patch_end_cell_size"):
            size = getattr(self, key)
            if size is not None and size > extent:
                raise wrong(f"is larger than the particle ({display(extent, 'm')})", key=key)
            if size is not None and size < extent / FINEST:
                raise wrong(
                    f"is too small for a particle of {display(extent, 'm')}; take at least "
                    f"{display(extent / FINEST, 'm')}",
                    key=key,
                )
        return self

    def scaled(self, factor: float) -> Self:
        """The same particle with all cell sizes times `factor`, at most the particle's."""
        extent = self.outline.extent
        inside, surface, end = (min(factor * size, extent) for size in self.cell_sizes)
        return self.changed(cell_size=inside, surface_cell_size=surface, patch_end_cell_size=end)


def geometry_names() -> tuple[str, ...]:
    """Names of all shipped geometries, sorted."""
    return tuple(sorted(path.stem for path in _folder().glob("[a-z]*.py")))


def shape_names() -> tuple[str, ...]:
    """Names of the shipped crystals, sorted."""
    return tuple(name for name in geometry_names() if issubclass(_shipped(name), Shape))


def geometry(name: str, fitting: tuple[str, ...] = ()) -> type[Geometry]:
    """The shipped geometry called `name`, of either kind.

    Parameters
    ----------
    name : str
    fitting : tuple of str
        Names to suggest if there is none; all if empty.

    Raises
    ------
    InputError
        If there is none, with a suggestion.
    """
    if name not in geometry_names():
        names = fitting or geometry_names()
        near = get_close_matches(name, names, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(names)}"
        raise InputError(Mistake(f'geometry.shape = "{name}"', f"is not a shape; {hint}"))
    return _shipped(name)


def shape(name: str) -> type[Shape]:
    """The shipped crystal called `name`.

    Raises
    ------
    InputError
        If there is none, with a suggestion, or if it belongs to another model.
    """
    return _of_crystals(geometry(name, shape_names()), f'geometry.shape = "{name}"')


@cache
def _shipped(name: str) -> type[Geometry]:
    return _load(_folder() / f"{name}.py", f"nmcsim_shape_{name}")


def load_geometry_file(path: str | Path) -> type[Geometry]:
    """The one geometry that a user's own file defines, of either kind.

    Raises
    ------
    InputError
        If the file is missing, does not run, or does not define exactly one complete `Geometry`.
    """
    found = Path(path).resolve()
    if not found.is_file():
        raise _bad_file(path, "does not exist")
    # the content is part of the name: a file that changed is another shape
    digest = hashlib.sha256(str(found).encode() + found.read_bytes()).hexdigest()[:12]
    return _load(found, f"nmcsim_shape_{found.stem}_{digest}")


def load_shape_file(path: str | Path) -> type[Shape]:
    """The one crystal that a user's own file defines; raises as `load_geometry_file` does."""
    return _of_crystals(load_geometry_file(path), f'geometry.file = "{path}"')


def _of_crystals(found: type[Geometry], place: str) -> type[Shape]:
    """`found`, or a sentence said of `place` if it is not a crystal."""
    if issubclass(found, Shape):
        return found
    raise InputError(Mistake(place, other_model(found, shape_names())))


def other_model(found: type[Geometry], fitting: tuple[str, ...]) -> str:
    """The sentence about a geometry of another model, with the `fitting` ones."""
    return f'belongs to model = "{found.model}"; this model takes {", ".join(fitting)}'


def _folder() -> Path:
    """`nmcsim/meshes` of an installed wheel, or `meshes` of a clone."""
    package = Path(nmcsim.__path__[0])
    inside = package / "meshes"
    return inside if inside.is_dir() else package.parent / "meshes"


def _load(path: Path, module_name: str) -> type[Geometry]:
    module = sys.modules.get(module_name) or _execute(path, module_name)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Geometry)
        and value.__module__ == module_name
    ]
    if len(found) != 1:
        raise _bad_file(
            path, f"must define one subclass of Shape or ElectrodeShape, not {len(found)}"
        )
    return _complete(found[0], path)


def _execute(path: Path, module_name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise _bad_file(path, 'is not a Python file; its name must end in ".py"')
    module = importlib.util.module_from_spec(spec)
    # pydantic resolves postponed annotations through sys.modules
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        found = f"{type(error).__name__}{_line(error, path)}: {error}"
        raise _bad_file(path, f"does not run: {found}") from error
    return module


def _line(error: BaseException, path: Path) -> str:
    """In which line of `path` the error arose, if one of them did."""
    if isinstance(error, SyntaxError):
        return f" in line {error.lineno}"
    number, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            number = step.tb_lineno
        step = step.tb_next
    return f" in line {number}" if number else ""


def _complete(found: type[Geometry], path: Path) -> type[Geometry]:
    missing: list[Any] = sorted(found.__abstractmethods__)
    if not hasattr(found, "name"):
        missing.insert(0, "name")
    if missing:
        raise _bad_file(path, f"defines the shape {found.__name__} without {', '.join(missing)}")
    if not issubclass(found, Shape):
        return found
    unknown = {n for names in found.unions.values() for n in names} - set(found.surfaces)
    if unknown or set(found.unions) - set(found.surfaces):
        raise _bad_file(
            path, f"has unions of surfaces that {found.__name__}.surfaces does not name"
        )
    return found


def _bad_file(path: str | Path, sentence: str) -> InputError:
    return InputError(Mistake(f'geometry.file = "{path}"', sentence))
