"""What every table of a case file is made of: frozen models and quantities with a unit.

A table is a `Section`: unknown keys are mistakes, values are never coerced, nothing changes after
construction. A dimensional key is annotated with a quantity type (`Length`, `Temperature`, ...):
it reads ``"2.5 um"``, holds an SI float, and is written back as text that reads to the same float.

A validator of a section says what is wrong by raising `wrong`::

    class Disk(Section):
        diameter: Length = Field(description="Diameter of the crystal.")
        cell_size: Length = Field(description="Size of the cells in the middle.")

        @model_validator(mode="after")
        def _cells_fit(self) -> Disk:
            if self.cell_size > self.diameter:
                raise wrong("is larger than the particle", key="cell_size")
            return self
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from nmcsim import units
from nmcsim.errors import InputError, Mistake

SI = {"si": True}
"""Validation context under which quantities are SI floats already (`Section.changed`)."""


def wrong(
    sentence: str, *, key: str = "", text: str | None = None, column: int | None = None
) -> PydanticCustomError:
    """A mistake for a validator to raise.

    Parameters
    ----------
    sentence : str
        What is wrong and how to mend it, as in `nmcsim.errors.Mistake.message`.
    key : str
        The key of this section at fault, dotted; empty for the value or section itself.
    text, column : str, int, optional
        A quoted text and the column in it (from 0) that a caret points at.

    Returns
    -------
    PydanticCustomError
        Collected by pydantic with all other mistakes of the file.
    """
    return all_wrong([Mistake(key, sentence, text, column)])


def all_wrong(mistakes: Iterable[Mistake]) -> PydanticCustomError:
    """Several mistakes for a validator to raise at once; places are relative to its section."""
    found = tuple(mistakes)
    sentences = "; ".join(f"{m.place} {m.message}".strip() for m in found)
    return PydanticCustomError("nmcsim", "{sentences}", {"sentences": sentences, "mistakes": found})


def said(error: ValueError, place: str) -> list[Mistake]:
    """The mistakes inside what `wrong` raised, said of `place`."""
    return [Mistake(place, m.message, m.text, m.column) for m in error.context["mistakes"]]  # type: ignore[attr-defined]


def wrong_from(error: InputError, key: str = "") -> PydanticCustomError:
    """The mistakes of `error`, said of the section or of its `key`, for a validator to raise."""
    return all_wrong(Mistake(key, m.message, m.text, m.column) for m in error.mistakes)


@dataclass(frozen=True)
class Quantity:
    """Annotation of a float that has a unit.

    Parameters
    ----------
    unit : str
        The SI unit of the float.
    gt, ge, lt, le : float, optional
        Bounds in that unit, as in pydantic.
    example : str
        A value with a unit, for sentences and for the JSON schema.
    """

    unit: str
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    example: str = ""

    def read(self, value: object, *, si: bool = False) -> float:
        """The SI float of ``"2.5 um"``; raises `wrong` for anything that is not one."""
        if si and isinstance(value, float):
            number = value
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            raise wrong(f'must be a text with a unit, such as "{self.example or self.unit}"')
        else:
            try:
                number = units.parse(value, self.unit)
            except InputError as error:
                raise wrong_from(error) from None
        self._check(number)
        return number

    def _check(self, number: float) -> None:
        if not math.isfinite(number):
            raise wrong("must be a finite number")
        for bound, word, holds in (
            (self.gt, "above", lambda b: number > b),
            (self.ge, "at least", lambda b: number >= b),
            (self.lt, "below", lambda b: number < b),
            (self.le, "at most", lambda b: number <= b),
        ):
            if bound is not None and not holds(bound):
                raise wrong(f"is out of range; it must be {word} {bound:g} {self.unit}")

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def read(value: object, info: ValidationInfo) -> float:
            context = info.context
            return self.read(value, si=isinstance(context, dict) and bool(context.get("si")))

        return core_schema.with_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: written(value, self.unit), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        number = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
        unit = r"(?![eE][-+]?\d)[A-Za-z%µμ°].*"
        found: dict[str, Any] = {"type": "string", "pattern": rf"^\s*{number}\s*{unit}$"}
        if self.example:
            found["examples"] = [self.example]
        return found


def written(value: float, unit: str) -> str:
    """`value` [`unit`] as a text with a unit that `units.parse` reads to the same float."""
    return units.display(value, unit, exact=True) if value else f"0 {unit}"


class _InputFile:
    """Annotation of a path: relative to the case file, and readable."""

    def read(self, value: object, info: ValidationInfo) -> Path:
        if isinstance(value, Path):
            return value
        if not isinstance(value, str) or not value:
            raise wrong('must be the name of a file, such as "vertices.csv"')
        folder = folder_of(info)
        path = folder / Path(value).expanduser()
        if not path.is_file():
            what = "is a folder, not a file" if path.is_dir() else "does not exist"
            raise wrong(f"{what}; a path is relative to the case file, in {folder}")
        remember_file(info, value, path)
        return path

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string"}


InputFile = Annotated[Path, _InputFile()]
"""A file named in a case: text relative to the case file, held as a path that exists.

`Case.write` copies it to ``inputs/`` and `Case.hash` covers its contents.
"""


def folder_of(info: ValidationInfo) -> Path:
    """The folder of the case file being validated (the current directory without one)."""
    context = info.context if isinstance(info.context, dict) else {}
    return Path(context.get("folder", "."))


def remember_file(info: ValidationInfo, text: str, path: Path) -> None:
    """Note that `text` in the case names the file or result directory `path`."""
    if isinstance(info.context, dict) and "files" in info.context:
        info.context["files"][text] = path


class Section(BaseModel):
    """One table of a case file: frozen, strictly typed, unknown keys forbidden."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        arbitrary_types_allowed=True,
        validate_default=False,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            return {key: _frozen(value) for key, value in data.items()}
        return data

    def changed(self, **values: Any) -> Self:
        """A copy with some keys replaced by `values` (SI floats), validated again."""
        data = {name: getattr(self, name) for name in self.model_fields_set} | values
        return type(self).model_validate(data, context=SI)


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value


Length = Annotated[float, Quantity("m", gt=0.0, le=1.0, example="2.5 um")]
Position = Annotated[float, Quantity("m", example="0.5 um")]
Angle = Annotated[float, Quantity("rad", example="90 deg")]
Temperature = Annotated[float, Quantity("K", gt=0.0, example="295.15 K")]
Voltage = Annotated[float, Quantity("V", example="4.3 V")]
Duration = Annotated[float, Quantity("s", gt=0.0, example="10 s")]
Current = Annotated[float, Quantity("A", example="0.5 nA")]
Conductivity = Annotated[float, Quantity("S/m", gt=0.0, example="1 S/m")]
AreaResistance = Annotated[float, Quantity("ohm m2", gt=0.0, example="0.003 ohm cm2")]
Concentration = Annotated[float, Quantity("mol/m3", gt=0.0, example="1 mol/L")]
Diffusivity = Annotated[float, Quantity("m2/s", ge=0.0, example="1e-14 m2/s")]
CurrentDensity = Annotated[float, Quantity("A/m2", gt=0.0, example="2.4 A/m2")]
SiteDensity = Annotated[float, Quantity("mol/m3", gt=0.0, example="49046 mol/m3")]
Density = Annotated[float, Quantity("kg/m3", gt=0.0, example="4780 kg/m3")]
