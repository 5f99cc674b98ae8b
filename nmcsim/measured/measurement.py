"""A measured quantity with its uncertainty, method and source; several of them are a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["OPERATORS", "Bound", "Measured", "MeasuredSeries", "Measurement"]

Array = NDArray[np.float64]

Bound = Literal["", "at most", "at least"]
"""What a value is where a paper gives only a limit: "less than 14 minutes" is "at most"."""


OPERATORS: Final = ("camera", "optical", "particles")
"""Tables of a file that are no measurements but say how simulated frames are made and reduced."""


@dataclass(frozen=True)
class MeasuredSeries:
    """A measured curve.

    Parameters
    ----------
    x : (n,) float array
        In `x_unit`, rising.
    values : (n,) float array
        In the unit of its measurement; NaN where nothing was measured.
    uncertainty : (n,) float array
        One standard deviation, in the unit of the values; NaN where unknown.
    x_name, x_unit : str
        ``"time"``, ``"s"``; ``"soc"``, ``"1"``; ``"cycle"``, ``"1"``; ...: the column of a history
        that it is compared along.
    """

    x: Array
    values: Array
    uncertainty: Array
    x_name: str = "time"
    x_unit: str = "s"


@dataclass(frozen=True)
class Measurement:
    """One measured quantity: a value or a series.

    Parameters
    ----------
    name : str
        Of the entry, unique in its file.
    unit : str
        Of value and uncertainty, as people write it (``"um"``, ``"%"``, ``"1"``).
    value : float, optional
        None for a series, and for what is missing.
    uncertainty : float, optional
        One standard deviation, in `unit`; None where nobody said one.
    series : MeasuredSeries, optional
    bound : Bound
        "at most" or "at least" where the value is a limit.
    observable : str
        What a simulation calls it; the name where not given.
    method, source : str
        How it was measured, and where that stands: paper and figure or page.
    conditions : mapping
        Free: rate, temperature, sample.
    missing : str
        Why there is no number, such as "only in Fig. S4, which was not read"; then neither value
        nor series.
    note : str
        A sentence for readers.
    """

    name: str
    unit: str = "1"
    value: float | None = None
    uncertainty: float | None = None
    series: MeasuredSeries | None = None
    bound: Bound = ""
    observable: str = ""
    method: str = ""
    source: str = ""
    conditions: Mapping[str, Any] = field(default_factory=dict)
    missing: str = ""
    note: str = ""


@dataclass(frozen=True)
class Measured:
    """The measurements of one file, in its order.

    Parameters
    ----------
    title, source : str
    entries : tuple of Measurement
    operators : mapping of str to mapping
        Tables ``[camera]`` and ``[optical]`` ...: how simulated frames are made and reduced, so
        that both sides are reduced alike. See docs/architecture.md.
    path : Path, optional
        The file it came from.
    """

    title: str = ""
    source: str = ""
    entries: tuple[Measurement, ...] = ()
    operators: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    path: Path | None = None

    def __getitem__(self, name: str) -> Measurement:
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(name)

    @classmethod
    def read(cls, path: str | Path) -> Measured:
        """The measurements of a file ``measured.toml``.

        Parameters
        ----------
        path : path
            Series are CSV files beside it; a curve along a falling axis is turned round.

        Raises
        ------
        InputError
            All that is wrong with it, a sentence each: a key that is unknown or of the wrong kind,
            a number without unit, a unit that is unknown or does not convert, a series that is
            missing, has no such column or whose axis turns back, two of value, series and
            missing, or none.
        """
        from nmcsim.measured.file import read_measured

        return read_measured(Path(path))

    def write(self, path: str | Path) -> Path:
        """Write the file, and a CSV beside it for the series of each axis; returns the path.

        What is read again is equal, to the last digit.
        """
        from nmcsim.measured.writing import write_measured

        write_measured(self, Path(path))
        return Path(path)
