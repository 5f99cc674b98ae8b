"""Figures of a sweep: observables over parameters as lines or maps, and families of curves.

Importing this module imports pandas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nmcsim.errors import InputError, Mistake
from nmcsim.figures import save
from nmcsim.figures.sweep_axes import PANELS_ABREAST, column, facets_of, is_number
from nmcsim.figures.sweep_plots import Plot, families, lines, maps
from nmcsim.results import table as csv_table
from nmcsim.results import write_atomically, writing
from nmcsim.sweeps.plan import Plan
from nmcsim.sweeps.record import Record
from nmcsim.sweeps.table import OPEN, Table, read_records

__all__ = ["Plot", "draw", "write_plot", "write_sweep_figures"]

TELLING = (
    "asynchrony_charge_1", "capacity_loss_1", "com_distance_max", "capacity_charge_1",
    "asynchrony_discharge_1", "theta_spread_max", "charge_end", "voltage_end", "time_end",
)  # fmt: skip
"""What is drawn of a sweep without being asked: the first `TOLD` of these that vary."""
TOLD = 3


def draw(
    table: Table,
    records: Mapping[str, Record] | None = None,
    *,
    x: str,
    y: str | Sequence[str],
    colour: str | None = None,
    facet: str | None = None,
    z: str | None = None,
    log: str = "",
    where: str | None = None,
    curves: bool = False,
) -> Plot:
    """Draw a sweep: lines, with ``z`` a map, with ``curves`` a family of curves.

    Parameters
    ----------
    table : Table
    records : mapping of str to Record, optional
        By the hash of the case; a family of curves needs them.
    x, y : str
        Columns, where dotted keys may be said by their ends; of a family, curves of the records.
        Several y lie below each other. Points are joined along x where all other parameters are
        equal.
    colour : str, optional
        A column: numbers get a colour bar, texts a legend.
    facet : str, optional
        A column: a panel for each of its values.
    z : str, optional
        A column that is the colour of a map over x and y; the mean where other parameters vary.
    log : str
        "x", "y" or "xy".
    where : str, optional
        Which rows, as in ``DataFrame.query``; without it all that did not fail.
    curves : bool
        Whether x and y are curves.

    Raises
    ------
    InputError
        A column or curve that does not exist, nothing to draw, values that have no logarithm.
    """
    names = [y] if isinstance(y, str) else list(y)
    if set(log) - set("xy"):
        raise InputError(Mistake(f'log = "{log}"', 'is not "x", "y" or "xy"'))
    chosen = _chosen(table, where)
    facets = facets_of(chosen, None if facet is None else table.key(facet))
    key = None if colour is None else table.key(colour)
    if curves:
        return families(chosen, records or {}, x, names, key, facets, log)
    keys = [table.key(name) for name in names]
    if z is None:
        told = {table.key(name) for name in (x, facet) if name is not None}
        free = [name for name in _varied(chosen) if name not in told | set(keys)]
        # lines of one colour could not be told apart
        key = key or (free[0] if free and table.key(x) in _varied(chosen) else None)
        return lines(chosen, table.key(x), keys, key, facets, log)
    if len(keys) > 1:
        raise InputError(Mistake("y", f"of a map is one column, not {', '.join(names)}"))
    return maps(chosen, table.key(x), keys[0], table.key(z), facets, log)


def _chosen(table: Table, where: str | None) -> Table:
    if where is None:
        found = table[~table["status"].isin(("failed", *OPEN))]
        if len(found):
            return found
        counts = ", ".join(f"{n} {status}" for status, n in table["status"].value_counts().items())
        raise InputError(Mistake("", f"nothing has finished yet: {counts or 'no case'}"))
    mask = _mask(table, where)
    if not mask.any():
        raise InputError(Mistake(f'where = "{where}"', f"holds for none of {len(table)} cases"))
    return table[mask]


def _mask(table: Table, where: str) -> Any:
    """Rows for which a condition holds; it may name dotted keys by their ends."""
    columns = [str(name) for name in table.columns]
    ends = [name.rpartition(".")[2] for name in columns]
    # a dotted key is no name in Python
    names = {
        end: table[name] for name, end in zip(columns, ends, strict=True) if ends.count(end) == 1
    }
    try:
        mask = table.eval(where, resolvers=[names], engine="python")
        said = f"it is {mask!r}" if not isinstance(mask, pd.Series) else "it is a number or a text"
    except Exception as error:  # pandas raises nearly anything on a text that it cannot read
        mask, said = None, str(error).partition("\n")[0] or type(error).__name__
    if not (isinstance(mask, pd.Series) and pd.api.types.is_bool_dtype(mask.dtype)):
        message = f"is no condition on the columns ({said}); write such as status == 'finished'"
        raise InputError(Mistake(f'where = "{where}"', message))
    return mask.fillna(False).astype(bool)


# -- files ------------------------------------------------------------------------------------


def write_plot(plot: Plot, path: str | Path) -> list[Path]:
    """Write a plot as PNG (300 dpi) and PDF, with its numbers as CSV beside them.

    Parameters
    ----------
    plot : Plot
    path : path
        Of any of the three, or without an ending.

    Returns
    -------
    list of Path
        The PNG, the PDF and the CSV file.

    Raises
    ------
    InputError
        Another ending.
    WriteFailure
        The disk is full or the folder may not be written.
    """
    place = Path(path)
    if place.suffix not in ("", ".png", ".pdf", ".csv"):
        raise InputError(Mistake(str(place), "is to end in .png or .pdf"))
    with writing(place.parent):
        place.parent.mkdir(parents=True, exist_ok=True)
    save(plot.figure, place)
    write_atomically(place.with_suffix(".csv"), csv_table(plot.head, plot.rows))
    return [place.with_suffix(suffix) for suffix in (".png", ".pdf", ".csv")]


def write_sweep_figures(directory: str | Path) -> list[Path]:
    """Draw a sweep into its ``figures/``: its most telling observables, and its voltage curves.

    An observable is a map over two parameters where these form a grid, else lines.

    Returns
    -------
    list of Path
        The PNG files; a PDF and a CSV lie beside each. None where nothing has finished.

    Raises
    ------
    InputError
        It is not the directory of a sweep.
    WriteFailure
        The disk is full or the folder may not be written.
    """
    folder = Path(directory)
    plan = Plan.read(folder)
    records = read_records(plan, folder)
    table = Table.of(plan, records, folder)
    done = table[~table["status"].isin(("failed", *OPEN))]
    if not len(done):
        return []
    varied = _varied(done)
    grid = _grid(done, varied)
    rest = [key for key in varied if key not in grid]
    facet = next((key for key in rest if done[key].nunique() <= 2 * PANELS_ABREAST), None)
    written = []
    for name in _telling(done):
        if grid:
            x, y = grid
            log = "".join(d for d, key in (("x", x), ("y", y)) if column(done, key).wide)
            plot = draw(table, x=x, y=y, z=name, facet=facet, log=log)
        elif varied:
            x, *others = varied
            colour = others[0] if others else None
            panel = next((k for k in others[1:] if done[k].nunique() <= 2 * PANELS_ABREAST), None)
            log = "x" if column(done, x).wide else ""
            plot = draw(table, x=x, y=name, colour=colour, facet=panel, log=log)
        else:
            plot = draw(table, x="case", y=name)
        written.append(write_plot(plot, folder / "figures" / name)[0])
    over = next((n for n in ("capacity", "charge", "time") if _has_curve(records, n)), None)
    if over and _has_curve(records, "voltage"):
        plot = draw(table, records, x=over, y="voltage", curves=True, facet=facet,
                    colour=(varied or ["case"])[0])  # fmt: skip
        written.append(write_plot(plot, folder / "figures" / "voltage_curves")[0])
    return written


def _varied(table: Table) -> list[str]:
    """Parameters of several values, numbers with the most values first."""
    keys = [key for key in table.attrs["parameters"] if table[key].nunique() > 1]
    text = {key: not is_number(table, key) for key in keys}
    return sorted(keys, key=lambda key: (text[key], -table[key].nunique()))


def _grid(table: Table, varied: Sequence[str]) -> tuple[str, ...]:
    """Two numeric parameters whose values meet each other, or none."""
    numeric = [key for key in varied if is_number(table, key)]
    if len(numeric) < 2:
        return ()
    x, y = numeric[:2]
    cells = table[x].nunique() * table[y].nunique()
    # a few may have failed; of a sample nearly all are missing
    return (x, y) if len(table[[x, y]].drop_duplicates()) >= 0.5 * cells else ()


def _telling(table: Table) -> list[str]:
    """The first observables of `TELLING` that differ between cases."""
    found = []
    for name in TELLING:
        if name in table.columns:
            values = table[name].dropna()
            if len(values) and np.ptp(values) > 1e-6 * np.abs(values).max():
                found.append(name)
    return found[:TOLD]


def _has_curve(records: Mapping[str, Record], name: str) -> bool:
    return any(name in record.curves for record in records.values())
