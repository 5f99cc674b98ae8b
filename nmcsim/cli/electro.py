"""``nmcsim measure gitt | impedance | dqdv | table``: numbers from records and tables."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nmcsim.cli.options import add_command, whole_number
from nmcsim.errors import InputError, Mistake

State = dict[str, Any]


def add(actions: Any) -> None:
    """Put the actions under ``nmcsim measure``."""
    _add_gitt(actions)
    _add_impedance(actions)
    _add_dqdv(actions)
    _add_table(actions)


def _file_options(command: argparse.ArgumentParser, what: str, *columns: str) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help=what)
    for column in columns:
        command.add_argument(
            f"--{column}", metavar="COLUMN",
            help=f'column of the {column}, "NAME" or "NAME [unit]" (looked for)',
        )  # fmt: skip
    command.add_argument("--dataset", metavar="GROUP", help="group of an HDF5 file")
    command.add_argument(
        "--decimal", default="", choices=(".", ","), help="what a comma or point in a number is"
    )
    command.add_argument(
        "-o", "--out", type=Path, metavar="FILE.toml",
        help="write the measurements here, series and figure beside it",
    )  # fmt: skip


RECORD = "record: text, .h5, .mpr, .mpt, .nda, .ndax, or a result directory"


def _add_gitt(actions: Any) -> None:
    gitt = add_command(actions, "gitt", "chemical diffusivity from pulses and rests")
    _file_options(gitt, RECORD, "time", "voltage", "current")
    _current_options(gitt)
    for name, example in (
        ("mass", "6.2 mg"),
        ("molar-mass", "97.46 g/mol"),
        ("density", "4.78 g/cm3"),
        ("area", "37 cm2"),
    ):
        gitt.add_argument(
            f"--{name}", metavar="Q", help=f'such as "{example}"; a result directory knows its own'
        )
    gitt.add_argument("--bet", metavar="Q", help='in place of --area, such as "0.6 m2/g"')
    gitt.add_argument(
        "--length", metavar="Q", help="L of tau << L^2/D, a radius (volume over area)"
    )
    gitt.add_argument(
        "--area-uncertainty", metavar="Q", default="0", help='such as "10 %%", one deviation'
    )
    gitt.add_argument(
        "--theta-start",
        metavar="N",
        help="lithium per site at the first row; a result directory knows its own",
    )
    gitt.add_argument(
        "--ohmic", choices=("fit", "first", "none"), default="fit",
        help="step that is removed: intercept over sqrt(t) (default), first row, none",
    )  # fmt: skip
    gitt.add_argument(
        "--window", metavar="A:B", default="0.05:0.5",
        help="part of the pulse that is fitted, as shares of it (0.05:0.5)",
    )  # fmt: skip
    gitt.set_defaults(run=run_gitt)


def _current_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--at-rest", metavar="Q", help='current up to which the cell rests, such as "1 uA" (1 %%)'
    )
    command.add_argument(
        "--discharge-positive", action="store_true", help="the file counts discharge positive"
    )


def _add_impedance(actions: Any) -> None:
    impedance = add_command(actions, "impedance", "equivalent circuit from a spectrum")
    _file_options(impedance, "spectrum: text, .h5, .mpr or .mpt", "frequency", "real", "imaginary")
    impedance.add_argument(
        "--element", choices=("capacitor", "cpe"), default="capacitor",
        help="what stands beside R_ct: a capacitor (default) or a constant phase element",
    )  # fmt: skip
    impedance.add_argument("--warburg", action="store_true", help="add a Warburg element in series")
    impedance.add_argument("--from", dest="lowest", metavar="F", help='lowest, such as "10 Hz"')
    impedance.add_argument("--to", dest="highest", metavar="F", help='highest, such as "100 kHz"')
    impedance.add_argument(
        "--weights", choices=("modulus", "unit"), default="modulus",
        help="residuals over |Z| (default), or all alike",
    )  # fmt: skip
    impedance.set_defaults(run=run_impedance)


def _add_dqdv(actions: Any) -> None:
    dqdv = add_command(actions, "dqdv", "differential capacity and its peaks")
    _file_options(dqdv, RECORD, "time", "voltage", "current")
    _current_options(dqdv)
    dqdv.add_argument("--mass", metavar="Q", help='for capacities per mass, such as "6.2 mg"')
    dqdv.add_argument("--width", metavar="Q", default="10 mV", help='of the smoothing ("10 mV")')
    dqdv.add_argument(
        "--method", choices=("savgol", "spline"), default="savgol",
        help="Savitzky-Golay (default), or a smoothing spline",
    )  # fmt: skip
    dqdv.add_argument(
        "--prominence", metavar="P", default="5 %", help='of a peak, of the largest dQ/dV ("5 %%")'
    )
    dqdv.add_argument("--half-cycle", type=whole_number, metavar="N", help="only this one (all)")
    dqdv.set_defaults(run=run_dqdv)


def _add_table(actions: Any) -> None:
    table = add_command(actions, "table", "read a table of another program, write it with units")
    table.add_argument("file", type=Path, metavar="FILE", help="text, .h5, .mpr, .mpt, .nda, ...")
    table.add_argument("--dataset", metavar="GROUP", help="group of an HDF5 file")
    table.add_argument("--decimal", default="", choices=(".", ","), help="decimal mark")
    table.add_argument("--fiji", action="store_true", help="a table of ImageJ (recognised)")
    table.add_argument("--unit", metavar="U", help='of the scale of an ImageJ table, such as "um"')
    table.add_argument("--pixel", metavar="Q", help='size of a pixel, such as "34.7 nm"')
    table.add_argument("--interval", metavar="Q", help='time between frames, such as "2 s"')
    table.add_argument("-o", "--out", type=Path, metavar="FILE.csv", help="write it here")
    table.set_defaults(run=run_table)


class _Quantities:
    """Options with units; all that is wrong with them is said at once."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.mistakes = options, list[Mistake]()

    def __call__(
        self, name: str, unit: str, *, above: float | None = 0.0, dest: str | None = None
    ) -> float | None:
        from nmcsim.units import UnitError, parse

        text = getattr(self.options, dest or name.replace("-", "_"))
        if text is None:
            return None
        place = f'--{name} "{text}"'
        try:
            value = parse(text, unit)
        except UnitError as error:
            self.mistakes.append(Mistake(place, error.mistakes[0].message))
            return None
        if above is not None and not value > above:
            self.mistakes.append(Mistake(place, f"must be above {above:g}"))
        return value

    def pair(self, name: str) -> tuple[float, float]:
        """``A:B``, two numbers."""
        text = getattr(self.options, name)
        a, _, b = text.partition(":")
        try:
            return float(a), float(b)
        except ValueError:
            self.mistakes.append(
                Mistake(f'--{name} "{text}"', 'is not two numbers; write "0.05:0.5"')
            )
            return 0.0, 1.0

    def out(self, *endings: str) -> None:
        """Refuse, before any work, a file that cannot be written."""
        path = self.options.out
        if path is None:
            return
        if path.suffix.lower() not in endings:
            self.mistakes.append(Mistake(f'-o "{path}"', f"must end in {' or '.join(endings)}"))
        elif not path.parent.is_dir():
            message = f"names a folder that does not exist: {path.parent}"
            self.mistakes.append(Mistake(f'-o "{path}"', message))

    def check(self) -> None:
        if self.mistakes:
            raise InputError(self.mistakes, "nmcsim measure")


def _record(options: argparse.Namespace) -> Any:
    from nmcsim.measure.records import read_record

    return read_record(
        options.file,
        time=options.time,
        voltage=options.voltage,
        current=options.current,
        dataset=options.dataset,
        decimal=options.decimal,
        discharge_positive=options.discharge_positive,
    )


def _finish(text: str, out: Path | None, write: Callable[[Path], list[Path]]) -> int:
    print(text)
    if out is not None:
        print()
        for path in write(out):
            print(path)
    return 0


def run_gitt(options: argparse.Namespace, state: State) -> int:
    """``nmcsim measure gitt``."""
    from nmcsim.analysis.gitt import Gitt, reduce_gitt
    from nmcsim.measure.gitt import described, sample_from, sample_of, theta_start_of, write_gitt

    q = _Quantities(options)
    given = {
        "mass": q("mass", "kg"),
        "molar_mass": q("molar-mass", "kg/mol"),
        "density": q("density", "kg/m3"),
        "area": q("area", "m2"),
        "length": q("length", "m"),
        "area_uncertainty": q("area-uncertainty", "1", above=None),
    }
    bet, at_rest = q("bet", "m2/kg"), q("at-rest", "A")
    theta_start, window = q("theta-start", "1"), q.pair("window")
    if options.bet is not None and options.area is not None:
        q.mistakes.append(Mistake("--bet", "cannot stand beside --area; leave one of them out"))
    q.out(".toml")
    q.check()
    own = sample_of(options.file)
    if options.area is not None or options.bet is not None:
        own.pop("area", None)
    sample, missing = sample_from(own | {k: v for k, v in given.items() if v is not None}, bet)
    if sample is None:
        example = 'such as --mass "6.2 mg" --molar-mass "97.46 g/mol" --density "4.78 g/cm3"'
        are = "are missing; Eq. 1 needs them" if "," in missing else "is missing; Eq. 1 needs it"
        message = f'{are}, {example} --bet "0.6 m2/g"'
        raise InputError(Mistake(missing, message), "nmcsim measure gitt")
    record = _record(options)
    if theta_start is None:
        theta_start = theta_start_of(options.file)
    settings = Gitt(options.ohmic, window, at_rest, theta_start=theta_start)
    result = reduce_gitt(record, sample, settings)
    return _finish(
        described(result, record), options.out, lambda path: write_gitt(result, record, path)
    )


def run_impedance(options: argparse.Namespace, state: State) -> int:
    """``nmcsim measure impedance``."""
    import math

    q = _Quantities(options)
    lowest = q("from", "Hz", dest="lowest") or 0.0
    highest = q("to", "Hz", dest="highest") or math.inf
    q.out(".toml")
    q.check()
    from nmcsim.analysis.impedance import Circuit, fit_circuit
    from nmcsim.measure.impedance import described, write_impedance
    from nmcsim.measure.records import read_spectrum

    circuit = Circuit(options.element, options.warburg, (lowest, highest), options.weights)
    spectrum = read_spectrum(
        options.file,
        frequency=options.frequency,
        real=options.real,
        imaginary=options.imaginary,
        dataset=options.dataset,
        decimal=options.decimal,
    )
    fit = fit_circuit(spectrum, circuit)
    return _finish(described(fit), options.out, lambda path: write_impedance(fit, path))


def run_dqdv(options: argparse.Namespace, state: State) -> int:
    """``nmcsim measure dqdv``."""
    from nmcsim.measure.capacity import described, reduce_dqdv, write_dqdv
    from nmcsim.measure.gitt import sample_of

    q = _Quantities(options)
    mass, width = q("mass", "kg"), q("width", "V")
    prominence, at_rest = q("prominence", "1"), q("at-rest", "A")
    q.out(".toml")
    q.check()
    if mass is None:
        mass = sample_of(options.file).get("mass")
    record = _record(options)
    found = reduce_dqdv(
        record,
        width=width or 0.0,
        method=options.method,
        prominence=prominence or 0.0,
        at_rest=at_rest,
        half_cycle=options.half_cycle,
    )
    return _finish(
        described(found, record, mass),
        options.out,
        lambda path: write_dqdv(found, record, mass, path),
    )


def run_table(options: argparse.Namespace, state: State) -> int:
    """``nmcsim measure table``."""
    from nmcsim.measured.fiji import is_fiji, read_fiji
    from nmcsim.measured.tables import read_table

    q = _Quantities(options)
    pixel, interval = q("pixel", "m"), q("interval", "s")
    q.out(".csv")
    q.check()
    table = read_table(options.file, dataset=options.dataset, decimal=options.decimal)
    asked = options.fiji or options.unit is not None or pixel is not None or interval is not None
    if asked or is_fiji(table):
        table = read_fiji(
            options.file, unit=options.unit, pixel=pixel, interval=interval, decimal=options.decimal
        )
    lines = [f"{table.source}: {len(table)} rows", *(f"  note: {note}" for note in table.notes)]
    for column in table.columns:
        lo, hi = _range(column.values)
        lines.append(f"  {column.name} [{column.unit or '?'}]  {lo} to {hi}")
    lines += [f"  {name}  (text)" for name in table.texts]

    def write(path: Path) -> list[Path]:
        import pandas as pd

        # a column whose unit nobody said has none in its heading: it is not guessed
        heads = [f"{c.name} [{c.unit}]" if c.unit else c.name for c in table.columns]
        values = [*(c.values for c in table.columns), *table.texts.values()]
        pd.DataFrame(dict(zip([*heads, *table.texts], values, strict=True))).to_csv(
            path, index=False
        )
        return [path]

    return _finish("\n".join(lines), options.out, write)


def _range(values: Any) -> tuple[str, str]:
    import numpy as np

    known = values[np.isfinite(values)]
    return (f"{known.min():.6g}", f"{known.max():.6g}") if known.size else ("nothing", "nothing")
