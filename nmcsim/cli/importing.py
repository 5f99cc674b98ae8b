"""``nmcsim import``: parameters of other programs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nmcsim.cli.options import Parser, add_command
from nmcsim.errors import InputError, Mistake

BRANCHES = ("mean", "delithiation", "lithiation")


def add(commands: Any) -> None:
    """Put the command on the parser."""
    importing = add_command(commands, "import", "make materials from files of other programs")
    kinds = importing.add_subparsers(
        dest="format", metavar="FORMAT", required=True, parser_class=Parser
    )
    bpx = add_command(
        kinds, "bpx", "make a material, an electrolyte and cases from a BPX file (.json)"
    )
    bpx.add_argument("file", type=Path, metavar="FILE", help="Battery Parameter eXchange file")
    bpx.add_argument(
        "-o", "--out", type=Path, metavar="PATH",
        help="folder (NAME OF THE FILE), or a file .toml whose name the others take up",
    )  # fmt: skip
    bpx.add_argument(
        "--particle", default="", metavar="NAME", help="particles of a blended electrode"
    )
    bpx.add_argument(
        "--temperature", metavar="T",
        help='for which the laws are wanted, such as "313.15 K" (the reference of the file)',
    )  # fmt: skip
    bpx.add_argument(
        "--ocp", choices=BRANCHES, default="mean", help="branch of an OCP with hysteresis (mean)"
    )
    bpx.add_argument(
        "--range", dest="limits", metavar="LO:HI",
        help="stoichiometries for which the laws are wanted (the limits of the file)",
    )  # fmt: skip
    bpx.add_argument("--density", metavar="RHO", help='of the particles, such as "4.7 g/cm3"')
    bpx.add_argument("--overwrite", action="store_true", help="replace files that are there")
    bpx.set_defaults(run=import_bpx)


def import_bpx(options: argparse.Namespace, state: dict[str, Any]) -> int:
    """``nmcsim import bpx``: read, map, report, write."""
    from nmcsim.bpx import read_bpx, report, write
    from nmcsim.cli.commands import say

    temperature = _positive(options, "temperature", "K")
    density = _positive(options, "density", "kg/m3")
    limits = _limits(options.limits)
    folder, name = _target(options.out)
    imported = read_bpx(
        options.file,
        name=name,
        particle=options.particle,
        temperature=temperature,
        branch=options.ocp,
        limits=limits,
        density=density,
    )
    folder = Path(imported.name) if folder is None else folder
    written = write(imported, folder, overwrite=options.overwrite)
    say(report(imported))
    say("wrote")
    for path in written:
        say(f"  {path}")
    cases = [path for path in written if path.name.endswith(("_crystal.toml", "_electrode.toml"))]
    for case in cases:
        say(f"  nmcsim run {case}")
    return 0


def _target(out: Path | None) -> tuple[Path | None, str]:
    """The folder, and what names of files begin with, of ``--out``."""
    if out is None or out.suffix != ".toml":
        return out, ""
    return out.parent, out.stem.removesuffix("_material")


def _positive(options: argparse.Namespace, name: str, unit: str) -> float | None:
    from nmcsim import units

    text = getattr(options, name)
    if text is None:
        return None
    place = f'--{name} "{text}"'
    try:
        value = units.parse(text, unit)
    except units.UnitError as error:
        raise InputError(Mistake(place, m.message) for m in error.mistakes) from None
    if value <= 0.0:
        raise InputError(Mistake(place, "must be positive"))
    return value


def _limits(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    low, colon, high = text.partition(":")
    try:
        lo, hi = float(low), float(high)
    except ValueError:
        colon, lo, hi = "", 0.0, 0.0
    if not colon or not 0.0 <= lo < hi <= 1.0:
        message = "is no range of theta; write LO:HI between 0 and 1, such as 0.3:0.95"
        raise InputError(Mistake(f'--range "{text}"', message))
    return lo, hi
