"""Records and spectra in SI: from tables of other programs, and from results of runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmcsim.analysis.impedance import Spectrum
from nmcsim.analysis.record import Record
from nmcsim.errors import InputError, Mistake
from nmcsim.measured.tables import DataTable, read_table, split_heading

__all__ = ["read_record", "read_spectrum"]

Array = NDArray[np.float64]

# what programs call them, without case and marks; the first that is there counts
TIME = ("time", "totaltime", "testtime", "elapsedtime", "t", "timestamp", "datetime")
VOLTAGE = ("voltage", "ewe", "ecell", "cellvoltage", "potential", "v", "u", "e", "workingelectrode")
CURRENT = ("current", "i", "im", "cellcurrent")
FREQUENCY = ("freq", "frequency", "f")
REAL = ("rez", "zre", "zreal", "z", "real", "re", "zrealpart", "realz")
IMAGINARY = ("imz", "zim", "zimag", "imaginary", "imag", "im", "zimagpart", "imagz")
_MINUS = re.compile(r"^\s*[-−–]|\bminus\b|^neg", re.IGNORECASE)
_PRIMES = re.compile("''|″|′′|\"")


def read_record(
    path: str | Path,
    *,
    time: str | None = None,
    voltage: str | None = None,
    current: str | None = None,
    dataset: str | None = None,
    decimal: str = "",
    discharge_positive: bool = False,
) -> Record:
    """A voltage-time record in SI.

    Parameters
    ----------
    path : path
        A file that `nmcsim.measured.tables.read_table` takes, or a result directory of nmcsim.
    time, voltage, current : str, optional
        Columns, as ``"name"`` or, where the file says no unit, ``"name [unit]"``; where not given,
        the usual names are looked for.
    dataset, decimal : str, optional
        As of `read_table`.
    discharge_positive : bool
        The file counts discharging currents positive; they are turned.

    Raises
    ------
    InputError
        A column is not found, has no unit or one that does not convert; time falls.
    """
    place = Path(path)
    if place.is_dir():
        return _of_result(place)
    table = read_table(place, dataset=dataset, decimal=decimal)
    t = _column(table, time, TIME, "time", "s")
    V = _column(table, voltage, VOLTAGE, "voltage", "V")
    I = _column(table, current, CURRENT, "current", "A")
    if discharge_positive:
        I = -I
    return Record.of(t, V, I, rows=table.rows, name=str(place))


def _of_result(directory: Path) -> Record:
    from nmcsim.results import Result

    result = Result.load(directory)
    columns = {
        name: result[name].values if name in result.history else None
        for name in ("time", "voltage", "current", "charge", "theta_mean")
    }
    if (missing := [n for n in ("time", "voltage", "current") if columns[n] is None]) != []:
        raise InputError(Mistake("", f"records no {' and no '.join(missing)}"), str(directory))
    t, V, I, Q, theta = columns.values()
    assert t is not None and V is not None and I is not None
    return Record.of(t, V, I, charge=Q, theta=theta, name=str(directory))


def _column(
    table: DataTable, asked: str | None, known: tuple[str, ...], what: str, unit: str
) -> Array:
    if asked is not None:
        return table.si(asked, unit)
    return table.si(_likely(table, known, what, unit), unit)


def _likely(table: DataTable, known: tuple[str, ...], what: str, unit: str) -> str:
    """The column that is probably meant; magnitudes such as ``|I|`` have lost their sign."""
    plain = {
        re.sub(r"[^a-z0-9]", "", name.lower()): name
        for name in reversed(table.names)
        if "|" not in name
    }
    for name in known:
        if name in plain:
            return plain[name]
    listed = ", ".join(table.names)
    message = f'is in none of its columns ({listed}); name it: --{what} "NAME [{unit}]"'
    raise InputError(Mistake(what, message), table.source)


def read_spectrum(
    path: str | Path,
    *,
    frequency: str | None = None,
    real: str | None = None,
    imaginary: str | None = None,
    dataset: str | None = None,
    decimal: str = "",
) -> Spectrum:
    """An impedance spectrum in SI.

    A heading with a minus (``-Im(Z)/Ohm``, ``-Z'' [ohm]``) holds -Im Z; one without holds Im Z. A
    file whose heading has no minus but whose numbers are positive in most rows holds -Im Z as well,
    as capacitive arcs have Im Z < 0; a note says what was taken.

    Parameters
    ----------
    path : path
        A file that `nmcsim.measured.tables.read_table` takes.
    frequency, real, imaginary : str, optional
        Columns, as of `read_record`.
    dataset, decimal : str, optional
        As of `read_table`.

    Raises
    ------
    InputError
        A column is not found, has no unit or one that does not convert.
    """
    table = read_table(Path(path), dataset=dataset, decimal=decimal)
    f_name = frequency or _likely(table, FREQUENCY, "frequency", "Hz")
    re_name = real or _likely_part(table, REAL, "real", primes=False)
    im_name = imaginary or _likely_part(table, IMAGINARY, "imaginary", primes=True)
    f, re_z = table.si(f_name, "1/s"), table.si(re_name, "ohm")
    im_z = table.si(im_name, "ohm")
    heading = split_heading(im_name)[0]
    if _MINUS.search(heading):
        im_z, note = -im_z, f'"{heading}" holds -Im Z'
    elif np.count_nonzero(im_z > 0.0) > np.count_nonzero(im_z < 0.0):
        note = f'"{heading}" is positive in most rows, so it was taken as -Im Z'
        im_z = -im_z
    else:
        note = f'"{heading}" holds Im Z'
    whole = np.isfinite(f) & np.isfinite(re_z) & np.isfinite(im_z) & (f > 0.0)
    order = np.argsort(-f[whole], kind="stable")
    Z = (re_z + 1j * im_z)[whole][order]
    return Spectrum(f[whole][order], Z, str(path), (note,))


def _likely_part(table: DataTable, known: tuple[str, ...], what: str, *, primes: bool) -> str:
    """The real or imaginary part; both are Z, told apart by their primes, in many exports."""
    for name in table.names:
        bare = re.sub(r"[^a-z]", "", name.lower())
        if bare == "z" and bool(_PRIMES.search(name)) == primes and "|" not in name:
            return name
    return _likely(table, tuple(n for n in known if n != "z"), what, "ohm")
