"""``nmcsim measure optical | particles | porosity``: numbers from image stacks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nmcsim.cli.options import Parser, add_command

State = dict[str, Any]


def add(commands: Any) -> Any:
    """Put the command on the parser; returns where its actions are added."""
    measure = add_command(commands, "measure", "reduce images and records to numbers")
    actions = measure.add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=Parser
    )
    optical = add_command(actions, "optical", "the unreacted region of one filmed particle")
    _stack(optical)
    optical.add_argument("--drift", metavar="METHOD", help="spot, phase or none (spot)")
    _common(optical)
    optical.set_defaults(run=_optical)
    particles = add_command(actions, "particles", "intensity and activation of many particles")
    _stack(particles)
    particles.add_argument("--drift", metavar="METHOD", help="spot, phase or none (none)")
    particles.add_argument(
        "--labels", type=Path, metavar="IMAGE", help="numbers of the particles, 0 outside (found)"
    )
    _common(particles)
    particles.set_defaults(run=_particles)
    porosity = add_command(actions, "porosity", "porosity and cracks of slices over cycles")
    porosity.add_argument(
        "slices",
        nargs="+",
        metavar="[CYCLE=]FILE",
        help="slices of a cycle: TIFF, PNG",
    )
    porosity.add_argument(
        "--cycles", type=_numbers, default=(), metavar="N,N,...",
        help="cycles of the files, or of the pages of one (the last number in each name)",
    )  # fmt: skip
    porosity.add_argument(
        "--at", type=_numbers, default=(), metavar="N,N,...", help="cycles to tell the fit at"
    )
    _common(porosity)
    porosity.set_defaults(run=_porosity)
    return actions


def _stack(command: argparse.ArgumentParser) -> None:
    command.add_argument("stack", type=Path, metavar="STACK", help="frames: TIFF, HDF5, .npy")
    command.add_argument(
        "--interval", metavar="T", help='between frames, such as "2 s" (of the file)'
    )
    command.add_argument("--dataset", metavar="NAME", help="of an HDF5 file")
    command.add_argument("--spot", type=_pair, metavar="X,Y", help="the bright spot [px] (found)")
    command.add_argument(
        "--record", type=Path, metavar="FILE",
        help="what the cell did: columns time and soc, or time and current; or a result directory",
    )  # fmt: skip
    command.add_argument("--capacity", metavar="Q", help='makes a current an SOC, such as "2 mAh"')
    command.add_argument(
        "--initial-soc", type=float, default=0.0, metavar="SOC", help="at the first row (0)"
    )
    command.add_argument(
        "--record-start", default="0 s", metavar="T", help="time in the record of frame 1 (0 s)"
    )


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--pixel", metavar="L", help='such as "34.7 nm" (of the file)')
    command.add_argument(
        "--threshold", type=float, metavar="COUNTS", help="of the particle (Otsu's)"
    )
    command.add_argument(
        "--settings", type=Path, metavar="FILE.toml",
        help="file with the table [optical], [particles] or [porosity]",
    )  # fmt: skip
    command.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE",
        help='change a key of that table, such as smooth="100 nm"',
    )  # fmt: skip
    command.add_argument(
        "-o", "--out", type=Path, default=Path("measured.toml"), metavar="FILE.toml",
        help="measurements; series and a page go beside it (measured.toml)",
    )  # fmt: skip
    command.add_argument("--overwrite", action="store_true", help="replace earlier ones")
    command.add_argument("--title", default="", metavar="TEXT", help="of file and page")
    command.add_argument("--source", default="", metavar="TEXT", help="where the images are from")


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'"{text}" is no list of numbers such as 0,10,35'
        ) from None


def _pair(text: str) -> list[float]:
    try:
        found = _numbers(text)
    except argparse.ArgumentTypeError:
        found = ()
    if len(found) != 2:
        raise argparse.ArgumentTypeError(f'"{text}" is no place X,Y in pixels such as 120,45')
    return list(found)


def _asked(options: argparse.Namespace) -> Any:
    from nmcsim.case.toml import parse_value
    from nmcsim.errors import InputError, Mistake
    from nmcsim.measure.jobs import Asked, quantity

    changes: dict[str, Any] = {}
    for word in options.overrides:
        key, equals, value = word.partition("=")
        if not equals:
            raise InputError(Mistake(f'--set "{word}"', "has no value; write KEY=VALUE"))
        changes[key.strip()] = parse_value(value)
    for name in ("drift", "spot", "threshold"):
        if getattr(options, name, None) is not None:
            changes[name] = getattr(options, name)
    return Asked(
        out=options.out,
        settings=options.settings,
        changes=changes,
        pixel=quantity("--pixel", options.pixel, "m"),
        interval=quantity("--interval", getattr(options, "interval", None), "s"),
        record_start=quantity("--record-start", getattr(options, "record_start", "0 s"), "s")
        or 0.0,
        dataset=getattr(options, "dataset", None),
        title=options.title,
        source=options.source,
        record=getattr(options, "record", None),
        capacity=quantity("--capacity", getattr(options, "capacity", None), "A s"),
        initial_soc=getattr(options, "initial_soc", 0.0),
        overwrite=options.overwrite,
    )


def _optical(options: argparse.Namespace, state: State) -> int:
    from nmcsim.measure.jobs import measure_optical

    return _say(measure_optical(options.stack, _asked(options))[1])


def _particles(options: argparse.Namespace, state: State) -> int:
    from nmcsim.measure.jobs import measure_particles

    return _say(measure_particles(options.stack, _asked(options), options.labels)[1])


def _porosity(options: argparse.Namespace, state: State) -> int:
    from nmcsim.measure.jobs import measure_porosity

    asked = _asked(options)
    return _say(measure_porosity(options.slices, asked, options.cycles, options.at)[1])


def _say(lines: list[str]) -> int:
    print("\n".join(lines))
    return 0
