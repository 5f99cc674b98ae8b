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
    "soc_variance": Quantity("1", "var SOC", "variance of the state of charge over the electrode"),
    "salt_drift": Quantity("1", "drift", "salt balance error over the initial amount"),
    "charge_drift": Quantity("1", "drift", "charge balance error over the current"),
    "c_l_min": Quantity("mol/m3", "c_min", "lowest salt concentration"),
    "c_l_max": Quantity("mol/m3", "c_max", "highest salt concentration"),
    "V_U": Quantity("V", "V_U", "equilibrium potential of the mean lithium"),
    "V_diffusion": Quantity("V", "V_D", "voltage lost to diffusion and uneven particles"),
    "V_kinetic": Quantity("V", "V_kin", "voltage lost to the surface reaction"),
    "V_electronic": Quantity("V", "V_el", "voltage lost to electronic conduction"),
    "V_contact": Quantity("V", "V_con", "voltage lost in contacts"),
    "V_ionic": Quantity("V", "V_ion", "voltage lost in the electrolyte"),
    "V_lithium": Quantity("V", "V_Li", "voltage lost at the lithium"),
}
"""The columns that a run may write; what else there is needs `series` to be told."""


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
        return between_frames(self.time, self.theta, time)


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


@dataclass(frozen=True)
class FieldMap:
    """A field of an electrode in a plane: that of a 2D model, the vertical middle of a 3D one.

    Parameters
    ----------
    nodes : (n, 2) float array
        [m]; the second coordinate points away from the collector.
    triangles : (m, 3) int array
        Node numbers.
    time : (k,) float array
        Of the frames [s].
    values : (k, n) float32 array
        At the nodes.
    quantity : Quantity
        What they are.
    part : (m,) int array
        The piece of the electrode in which each triangle lies, a number into ``part_names``.
    part_names : tuple of str
        Names of particles or of regions; a field on one nameless piece has none.
    kind_of_part : str
        "particle" or "region".
    """

    nodes: Array
    triangles: NDArray[np.int64]
    time: Array
    values: NDArray[np.float32]
    quantity: Quantity
    part: NDArray[np.int64]
    part_names: tuple[str, ...] = ()
    kind_of_part: str = "region"

    def at(self, time: float) -> Array:
        """Nodal values (n,) at ``time`` [s], linear between frames and constant outside them."""
        return between_frames(self.time, self.values, time)


def between_frames(times: Array, values: NDArray[np.float32], time: float) -> Array:
    """The frame (n,) at ``time`` of ``values`` (k, n), linear between frames, constant outside."""
    last = len(times) - 1
    right = int(np.clip(np.searchsorted(times, time), min(1, last), last))
    left = max(right - 1, 0)
    span = times[right] - times[left]
    share = 1.0 if span <= 0 else float(np.clip((time - times[left]) / span, 0.0, 1.0))
    before: Array = values[left].astype(np.float64)
    after: Array = values[right].astype(np.float64)
    if share == 0.0:
        return before
    return after if share == 1.0 else (1.0 - share) * before + share * after
