"""What a case declares under a dotted key: a table, a whole number, or nothing of that name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nmcsim.case import electrode, single_crystal  # noqa: F401 - each registers its model
from nmcsim.case.electrolyte import ElectrolyteTable
from nmcsim.case.geometry import Geometry
from nmcsim.case.material import MaterialTable
from nmcsim.case.model import case_models
from nmcsim.case.shape import geometry, load_geometry_file
from nmcsim.errors import InputError

_TEXTS = ("title", "model")


@dataclass(frozen=True)
class Keys:
    """The keys that a case of some content may have.

    Parameters
    ----------
    data : mapping
        Content of the case; its model and its shape decide.
    folder : Path
        Where its files are.
    """

    data: Mapping[str, Any]
    folder: Path

    def is_variable(self, key: str) -> bool:
        """Whether it is no key, but a name to be put into texts."""
        return "." not in key and key not in {name for m in self._models for name in _fields(m)}

    def is_table(self, key: str) -> bool:
        """Whether further keys stand below it."""
        if "." not in key:
            return key not in _TEXTS and not self.is_variable(key)
        return any(_section(field) is not None for field in self._declared(key))

    def is_value(self, key: str) -> bool:
        """Whether it is known to hold a value, which may look like a table."""
        return any(_section(field) is None for field in self._declared(key)) and "." in key

    def is_integer(self, key: str) -> bool:
        """Whether only whole numbers can stand there."""
        kinds = {kind for field in self._declared(key) for kind in _kinds(field)}
        return int in kinds and not kinds & {float, str, bool}

    def similar(self, name: str) -> str | None:
        """A key of the case that may be meant by a name without a dot."""
        known = list(self.all())
        last = {key.rpartition(".")[2]: key for key in reversed(known)}
        close = difflib.get_close_matches(name, last, 1, cutoff=0.75)
        return last[close[0]] if close else None

    def all(self) -> Iterable[str]:
        """All dotted keys of values."""
        for model in self._models:
            for name in _fields(model):
                if name in _TEXTS:
                    yield name
                elif (table := self._table(model, name)) is not None:
                    yield from _below(name, table)

    @property
    def _models(self) -> list[type[BaseModel]]:
        known, name = case_models(), self.data.get("model")
        if isinstance(name, str) and name in known:
            return [known[name]]
        return list(known.values())

    def _declared(self, key: str) -> list[FieldInfo]:
        """What stands under a key in the models that the case may be of."""
        found = []
        table, *rest = key.split(".")
        for model in self._models:
            here: type[BaseModel] | None = self._table(model, table)
            field: FieldInfo | None = None
            for part in rest:
                field = _fields(here).get(part) if here is not None else None
                here = _section(field) if field is not None else None
            if field is not None:
                found.append(field)
        return found

    def _table(self, model: type[BaseModel], name: str) -> type[BaseModel] | None:
        if name not in _fields(model):
            return None
        if name == "geometry":
            return self._shape()
        tables: dict[str, type[BaseModel]] = {
            "material": MaterialTable,
            "electrolyte": ElectrolyteTable,
        }
        return tables.get(name) or _section(_fields(model)[name])

    def _shape(self) -> type[Geometry] | None:
        given = self.data.get("geometry")
        table = given if isinstance(given, Mapping) else {}
        name, file = table.get("shape"), table.get("file")
        try:
            if isinstance(file, str):
                return load_geometry_file(self.folder / Path(file).expanduser())
            return geometry(name) if isinstance(name, str) else None
        except InputError:
            return None  # the case says what is wrong with it


def _below(place: str, table: type[BaseModel]) -> Iterable[str]:
    for name, field in _fields(table).items():
        inner = _section(field)
        if inner is None:
            yield f"{place}.{name}"
        else:
            yield from _below(f"{place}.{name}", inner)


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _kinds(field: FieldInfo) -> tuple[Any, ...]:
    return (*get_args(field.annotation), field.annotation)


def _section(field: FieldInfo) -> type[BaseModel] | None:
    return next(
        (k for k in _kinds(field) if isinstance(k, type) and issubclass(k, BaseModel)), None
    )
