"""The named, unit-carrying numbers of a result: what a history, a surface record and a map are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Quantity:
    """What a column of numbers means.

    Parameters
    ----------
    unit : str
        SI, ``"1"`` for none.
    symbol : str
        As in the paper, in ASCII.
    description : str
        One phrase, also the axis label.
    """

    unit: str
    symbol: str
    description: str


QUANTITIES: Mapping[str, Quantity] = {
    "time": Quantity("s", "t", "time"),
    "step": Quantity("1", "step", "number of the protocol step, from 1"),
    "voltage": Quantity("V", "V", "voltage"),
    "current": Quantity("A", "I", "current, charging positive"),
    "charge": Quantity("A s", "Q", "charge passed, since the start, charging positive"),
    "capacity": Quantity("A s/kg", "Q/m", "capacity, since the start, charging positive"),
    "soc": Quantity("1", "SOC", "state of charge"),
    "theta_mean": Quantity("1", "theta", "mean lithium per site"),
    "theta_min": Quantity("1", "theta_min", "lowest lithium per site"),
    "theta_max": Quantity("1", "theta_max", "highest lithium per site"),
    "com_distance": Quantity("m", "d_COM", "centre-of-mass distance"),
    "unreacted_share": Quantity("1", "A_u/A", "unreacted share of the area"),
    "flux_max": Quantity("mol/m2/s", "j_max", "largest surface flux of lithium"),
    "dt": Quantity("s", "dt", "time step"),
    "order": Quantity("1", "k", "order of the time step"),
    "lithium_drift": Quantity("1", "drift", "lithium balance error over the initial inventory"),
}
"""The columns that every run writes; a model adds its own with `series`."""


@dataclass(frozen=True)
class Series:
    """One column of a history.

    Parameters
    ----------
    name : str
    values : (rows,) float array
        NaN where there is no value.
    unit, symbol, description : str
        As in `Quantity`.
    """

    name: str
    values: Array
    unit: str = "1"
    symbol: str = ""
    description: str = ""

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        finite = self.values[np.isfinite(self.values)]
        span = f", {finite.min():.6g} .. {finite.max():.6g}" if finite.size else ""
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f'Series("{self.name}", {len(self)} rows{span}{unit})'

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)


def series(
    columns: Mapping[str, ArrayLike], quantities: Mapping[str, Quantity] | None = None
) -> dict[str, Series]:
    """Give plain columns their units.

    Parameters
    ----------
    columns : mapping of name -> (rows,) numbers
        As `Journal.read` returns them.
    quantities : mapping of name -> Quantity, optional
        What the columns mean that `QUANTITIES` does not list; it wins where both do.

    Raises
    ------
    KeyError
        A column that neither table knows: give its `Quantity`.
    """
    known = {**QUANTITIES, **(quantities or {})}
    return {
        name: Series(
            name,
            np.asarray(values, dtype=np.float64),
            known[name].unit,
            known[name].symbol,
            known[name].description,
        )
        for name, values in columns.items()
    }


@dataclass(frozen=True)
class SurfaceTheta:
    """Lithium along the lateral surface.

    Parameters
    ----------
    angle : (p,) float array
        About the particle's centre [rad].
    position : (p,) float array
        Along the outline [m].
    rock_salt : (p,) bool array
        Where the surface is blocked.
    time : (k,) float array
        Of the frames [s].
    theta : (k, p) float array
        Lithium per site.
    flux : (k, p) float array, optional
        Local surface flux [mol/m2/s], positive where lithium leaves.
    """

    angle: Array
    position: Array
    rock_salt: NDArray[np.bool_]
    time: Array
    theta: Array
    flux: Array | None = None


@dataclass(frozen=True)
class ThetaMap:
    """Lithium on the section: the plane of a 2D model, half height of a 3D one.

    Parameters
    ----------
    nodes : (n, 2) float array
        [m].
    triangles : (m, 3) int array
        Node numbers.
    boundary : (b, 2) int array
        Node pairs of the outline's edges.
    rock_salt : (b,) bool array
        Which of these edges are blocked.
    time : (k,) float array
        Of the frames [s].
    theta : (k, n) float32 array
        Lithium per site.
    """

    nodes: Array
    triangles: NDArray[np.int64]
    boundary: NDArray[np.int64]
    rock_salt: NDArray[np.bool_]
    time: Array
    theta: NDArray[np.float32]

    def at(self, time: float) -> NDArray[np.float64]:
        """Nodal theta (n,) at ``time`` [s], linear between frames and constant outside them."""
        last = len(self.time) - 1
        right = int(np.clip(np.searchsorted(self.time, time), min(1, last), last))
        left = max(right - 1, 0)
        span = self.time[right] - self.time[left]
        share = 1.0 if span <= 0 else float(np.clip((time - self.time[left]) / span, 0.0, 1.0))
        before: Array = self.theta[left].astype(np.float64)
        after: Array = self.theta[right].astype(np.float64)
        if share == 0.0:
            return before
        return after if share == 1.0 else (1.0 - share) * before + share * after


@dataclass(frozen=True)
class Points:
    """Lithium at named points, one row per row of the history.

    Parameters
    ----------
    names : tuple of q str
    theta : (rows, q) float array
    """

    names: tuple[str, ...]
    theta: Array
