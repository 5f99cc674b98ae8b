"""A case: what was asked, checked and frozen, whatever the model.

A model of a case file (``model = "single_crystal"``) is a subclass of `Case` registered under its
name by `case_model`.
"""

from __future__ import annotations

import copy
import hashlib
import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from nmcsim.case.geometry import Geometry
from nmcsim.case.material import spec_content
from nmcsim.case.mistakes import mistakes_of, suggestion
from nmcsim.case.section import Section, all_wrong
from nmcsim.case.settings import LOOSEST
from nmcsim.case.steps import Step
from nmcsim.case.write import write_case
from nmcsim.errors import InputError, Mistake
from nmcsim.expression import Expression

_MODELS: dict[str, type[Case]] = {}

COARSER = 2.5
"""Factor of all cell sizes with --coarse: six times fewer unknowns in 2D."""


def case_model(name: str) -> Callable[[type[Case]], type[Case]]:
    """Register a subclass of `Case` as what ``model = "name"`` asks for."""

    def register(kind: type[Case]) -> type[Case]:
        kind.name = name
        _MODELS[name] = kind
        return kind

    return register


def case_models() -> Mapping[str, type[Case]]:
    """The models that a case can ask for, by name."""
    return dict(sorted(_MODELS.items()))


def from_data(data: Mapping[str, Any], folder: Path, path: Path | None = None) -> Case:
    """The case that the content of a TOML file describes.

    Parameters
    ----------
    data : mapping
        Tables, texts, numbers and lists, as TOML gives them.
    folder : Path
        Where the files are that it names.
    path : Path, optional
        The case file.

    Raises
    ------
    InputError
        With all mistakes.
    """
    name = data.get("model")
    if name is None:
        known = " or ".join(f'"{model}"' for model in case_models())
        raise InputError(Mistake("model", f"is missing; write model = {known}"))
    if not isinstance(name, str) or name not in _MODELS:
        hint = suggestion(str(name), case_models())
        raise InputError(Mistake(f'model = "{name}"', f"is not a model; {hint}"))
    kind = _MODELS[name]
    parts: dict[str, Any] = {}
    files: dict[str, Path] = {}
    context = {"folder": folder, "parts": parts, "files": files}
    try:
        case = kind.model_validate(dict(data), context=context)
    except ValidationError as error:
        # what is wrong between two tables is said even where a third one cannot be read
        found = mistakes_of(error, model=kind) + kind.inconsistencies(parts)
        raise InputError(dict.fromkeys(found)) from None
    case._given = copy.deepcopy(dict(data))
    case._folder, case._path, case._files = folder, path, files
    # now, since the files may change later
    content = json.dumps(case._canonical(), sort_keys=True)
    case._hash = hashlib.sha256(content.encode()).hexdigest()[:16]
    return case


class Case(Section):
    """One question, ready to be run; made by `load` (or `from_data`) and changed by copy.

    Attributes
    ----------
    path : Path or None
        The file that it was loaded from.
    """

    name: ClassVar[str]
    law_tables: ClassVar[tuple[str, ...]] = ("material",)
    """Tables whose values are functions: what was asked for stands for them in the hash."""

    title: str = Field(
        min_length=1, description="The question, in a line.", examples=["My crystal"]
    )
    model: str = Field(description="Which equations are solved.")

    _given: dict[str, Any] = PrivateAttr(default_factory=dict)
    _folder: Path = PrivateAttr(default_factory=Path)
    _path: Path | None = PrivateAttr(default=None)
    _hash: str = PrivateAttr(default="")
    _files: dict[str, Path] = PrivateAttr(default_factory=dict)

    @field_validator("*", mode="after")
    @classmethod
    def _keep_part(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(info.context, dict) and "parts" in info.context:
            info.context["parts"][info.field_name] = value
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        found = self.inconsistencies(
            {name: getattr(self, name) for name in type(self).model_fields}
        )
        if found:
            raise all_wrong(found)
        return self

    @classmethod
    @abstractmethod
    def inconsistencies(cls, parts: Mapping[str, Any]) -> list[Mistake]:
        """Mistakes between the tables of a case, of which some may be missing in `parts`."""

    @property
    def path(self) -> Path | None:
        return self._path

    @property
    def files(self) -> Mapping[str, Path]:
        """The files and result directories that the case reads, by the texts that name them."""
        return self._files

    @property
    def given(self) -> tuple[dict[str, Any], Path]:
        """The content of the case file, as it was given, and the folder of the files it names."""
        return copy.deepcopy(self._given), self._folder

    def replace(self, key: str, value: Any) -> Self:
        """A copy with one key changed.

        Parameters
        ----------
        key : str
            Dotted, such as ``"physics.rock_salt.coverage"``.
        value
            As a case file says it: a text with a unit for a quantity. Paths, tuples and NumPy's
            numbers and arrays are taken for what they hold.

        Raises
        ------
        InputError
            As on loading.
        """
        return self._again(with_value(self._given, key, _plain(value)))

    def _again(self, data: Mapping[str, Any]) -> Self:
        return from_data(data, self._folder, self._path)  # type: ignore[return-value]

    @property
    def hash(self) -> str:
        """Hexadecimal digest of all that the case says and of the files it named, 16 digits."""
        return self._hash

    def _canonical(self) -> Any:
        content = {
            name: canonical(getattr(self, name))
            for name in type(self).model_fields
            if name not in self.law_tables
        }
        digests = {text: digest(path) for text, path in self._files.items()}
        content |= {
            name: spec_content(self._given.get(name, {}), digests) for name in self.law_tables
        }
        file = self._given.get("geometry", {}).get("file")
        return content | {"shape_file": digest(self._files[file]) if file else ""}

    def resolved(self) -> dict[str, Any]:
        """The content of a case file with all defaults; files are named as they were."""
        return _resolved(self, self._given, {"folder": self._folder})

    def write(self, directory: str | Path) -> Path:
        """Write ``case.toml`` with all defaults, and copy the files that it names to ``inputs/``.

        Parameters
        ----------
        directory : str or Path
            Made if it does not exist.

        Returns
        -------
        Path
            The case file; loading it gives a case of the same `hash`.
        """
        return write_case(self.resolved(), self._files, Path(directory))

    def __reduce__(self) -> tuple[Any, ...]:
        # the class of a shape is loaded from a file, and cannot be found by name elsewhere
        return from_data, (self._given, self._folder, self._path)

    @abstractmethod
    def coarse(self, kept: Iterable[str] = ()) -> Self:
        """The same case at a fraction of the cost, for a quick look.

        Parameters
        ----------
        kept : iterable of str
            Dotted keys, or tables, that stay as they are: those that somebody asked for.
        """

    def coarser(self, cells: float, tolerances: float) -> Self:
        """The same case, frames and times, computed less accurately: for error bars.

        Parameters
        ----------
        cells : float
            Factor of all cell sizes.
        tolerances : float
            Factor of the tolerances of the time integration, up to the loosest that a case takes.

        Raises
        ------
        InputError
            If the cells are those of a ready-made mesh.
        """
        numerics: Any = cast(Any, self).numerics
        geometry: Geometry = cast(Any, self).geometry
        if geometry.scaled(cells) == geometry:
            raise InputError(
                Mistake("geometry", "brings its own mesh: there is no coarser one for error bars")
            )
        rtol = min(tolerances * numerics.rtol, LOOSEST)
        return self._changed(self._larger_cells(cells) | {"numerics.rtol": rtol})

    def _larger_cells(self, factor: float) -> dict[str, Any]:
        """The keys of the geometry whose value differs with cells `factor` times as large."""
        geometry: Geometry = cast(Any, self).geometry
        scaled = geometry.scaled(factor)
        return {
            f"geometry.{key}": value
            for key, value in scaled.model_dump(
                mode="json", exclude_none=True, warnings=False
            ).items()
            if getattr(scaled, key) != getattr(geometry, key)
        }

    def _changed(self, changes: Mapping[str, Any], kept: Iterable[str] = ()) -> Self:
        data, stays = self._given, tuple(f"{key}." for key in kept)
        for key, value in changes.items():
            if not f"{key}.".startswith(stays):
                data = with_value(data, key, value)
        return self._again(data)


def with_value(data: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A deep copy of `data` in which the dotted `key` has the `value`.

    Raises
    ------
    InputError
        If a part of the key is not a table.
    """
    copied = copy.deepcopy(dict(data))
    *tables, last = key.split(".")
    here: Any = copied
    for depth, part in enumerate((*tables, last)):
        if not part:
            raise InputError(Mistake(key or '""', "is not a key; write it as table.key"))
        if not isinstance(here, dict):
            place = ".".join(tables[:depth])
            raise InputError(Mistake(key, f"cannot be set; {place} is a value and not a table"))
        if depth < len(tables):
            here = here.setdefault(part, {})
    here[last] = value
    return copied


def _plain(value: Any) -> Any:
    """What a TOML file could say."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def canonical(value: Any) -> Any:
    """What JSON can hold of a value, the same on every machine; files are their content."""
    if isinstance(value, Section):
        named = {name: canonical(getattr(value, name)) for name in type(value).model_fields}
        return {"section": getattr(type(value), "name", ""), **named}
    if isinstance(value, Step):
        until = [[end.quantity, canonical(end.value)] for end in value.until]
        return [value.kind, value.control, canonical(value.value), until, value.cycle]
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, Path):
        return digest(value)
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(value, "<f8").tobytes()).hexdigest()
    if is_dataclass(value):
        return [canonical(getattr(value, field.name)) for field in fields(value)]
    return value


def digest(path: Path) -> str:
    """SHA-256 of a file, or of the last state in a result directory."""
    file = path / "checkpoint.h5" if path.is_dir() else path
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _resolved(
    section: Section, given: Mapping[str, Any], context: Mapping[str, Any]
) -> dict[str, Any]:
    """`given` with the defaults of its section."""
    found: dict[str, Any] = dict(given)
    if isinstance(section, Geometry):
        return found | _defaults_beside(section, given, context)
    for name, field in type(section).model_fields.items():
        key, value = field.alias or name, getattr(section, name)
        inner = given.get(key)
        if isinstance(value, Section) and (inner is None or isinstance(inner, Mapping)):
            found[key] = _resolved(value, inner or {}, context)
        elif key not in given and value is not None:
            found[key] = section.model_dump(mode="json", include={name}, warnings=False)[name]
    return found


def _defaults_beside(
    shape: Geometry, given: Mapping[str, Any], context: Mapping[str, Any]
) -> dict[str, Any]:
    """The defaults of a shape that it takes beside what is given.

    ``sides`` of a polygon with vertices is one that it does not.
    """
    kind = type(shape)
    own = {name: item for name, item in given.items() if name in kind.model_fields}
    absent = {name for name in kind.model_fields if name not in given}
    defaults = shape.model_dump(mode="json", include=absent, exclude_none=True, warnings=False)

    def accepted(more: Mapping[str, Any]) -> bool:
        try:
            kind.model_validate(own | dict(more), context=dict(context))
        except ValidationError:
            return False
        return True

    if accepted(defaults):  # at once: each trial draws the shape
        return defaults
    found: dict[str, Any] = {}
    for key, value in defaults.items():
        if accepted(found | {key: value}):
            found[key] = value
    return found
