"""What is gathered while a BPX file is mapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nmcsim.bpx.laws import write_law
from nmcsim.bpx.quantity import Quantity
from nmcsim.errors import InputError, Mistake


@dataclass(frozen=True)
class Item:
    """One value of the file, by its place, and what became of it."""

    place: str
    what: str


@dataclass
class Account:
    """What became of the values of a file, so far.

    Parameters
    ----------
    name, source : str
        What names of tables begin with, and the file's title, for the sources of laws.
    T, reference : float
        Temperature of the laws, and of the values in the file [K].
    """

    name: str
    source: str
    T: float
    reference: float
    tables: dict[str, str] = field(default_factory=dict)
    mapped: list[Item] = field(default_factory=list)
    missing: list[Item] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def law(
        self,
        key: str,
        unit: str,
        where: str,
        shaped: Callable[[], tuple[Quantity, tuple[float, float]]],
    ) -> tuple[dict[str, Any], Quantity, tuple[float, float]] | None:
        """The value of `key`, its law and range; None, and its mistakes kept, if it is wrong."""
        try:
            law, valid = shaped()
        except InputError as error:
            self.mistakes += error.mistakes
            return None
        file = f"{self.name}_{key.replace('.', '_')}.csv"
        made = write_law(law, unit, valid, file, key.split(".")[1], f"BPX, {where}: {self.source}")
        if made.csv:
            self.tables[file] = made.csv
        if made.remark:
            self.remarks.append(f"{where}: {made.remark}")
        self.mapped.append(Item(where, f"{key}: {made.said}"))
        return made.spec, law, valid
