"""``[geometry]``: a shipped shape by name or a user's own by file, and the keys of that shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError, ValidationInfo

from nmcsim.case.geometry import Geometry
from nmcsim.case.mistakes import mistakes_of
from nmcsim.case.section import all_wrong, folder_of, remember_file, wrong, wrong_from
from nmcsim.errors import InputError, Mistake


def geometry_reader[G: Geometry](
    by_name: Callable[[str], type[G]], by_file: Callable[[Path], type[G]], example: str
) -> Callable[[object, ValidationInfo], G]:
    """The validator of a ``[geometry]`` table of one kind of geometry.

    Parameters
    ----------
    by_name, by_file : callable
        The class of a shipped shape, and of one in a user's file; they refuse another kind.
    example : str
        A shipped shape, for the sentence about a missing one.
    """

    def read(value: object, info: ValidationInfo) -> G:
        if isinstance(value, Geometry):
            return value  # type: ignore[return-value]
        if not isinstance(value, Mapping):
            raise wrong("must be a table of keys and values")
        keys = dict(value)
        name, file = keys.pop("shape", None), keys.pop("file", None)
        try:
            given = _one_of(name, file, example)
            kind = by_name(given) if file is None else by_file(_remembered(given, info))
        except InputError as error:
            key = "shape" if file is None else "file"
            said = error.mistakes[0].place.removeprefix("geometry.")
            raise wrong_from(error, said or key) from None
        return _drawn(kind, keys, file, info)

    return read


def _one_of(name: object, file: object, example: str) -> str:
    given = [item for item in (name, file) if item is not None]
    if len(given) != 1:
        both = "cannot stand beside file" if given else "is missing"
        raise InputError(Mistake("", f'{both}; write shape = "{example}" or file = "my_shape.py"'))
    if not isinstance(given[0], str):
        raise InputError(Mistake("", "must be a text in quotes"))
    return given[0]


def _remembered(file: str, info: ValidationInfo) -> Path:
    path = folder_of(info) / Path(file).expanduser()
    if path.is_file():
        remember_file(info, file, path)
    return path


def _drawn[G: Geometry](
    kind: type[G], keys: Mapping[str, Any], file: object, info: ValidationInfo
) -> G:
    """The geometry with these keys; its names are asked for, so that a wrong outline shows now."""
    try:
        found = kind.model_validate(keys, context=info.context)
        found.regions, found.named_surfaces  # noqa: B018
    except (ValidationError, InputError) as error:
        raise all_wrong(mistakes_of(error, model=kind)) from None
    except Exception as error:
        if file is None:
            raise
        message = f"has an outline that fails: {type(error).__name__}: {error}"
        raise wrong(message, key=f'file = "{file}"') from None
    return found
