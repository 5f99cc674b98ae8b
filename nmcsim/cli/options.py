"""What the commands of ``nmcsim`` have in common; imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from nmcsim.errors import InputError, Mistake


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are `InputError`, as all others."""

    def error(self, message: str) -> NoReturn:
        raise InputError(Mistake("", f"{message}; see {self.prog} --help"), "nmcsim")


def add_command(commands: Any, name: str, about: str) -> argparse.ArgumentParser:
    """A command with its sentence; what runs it is set by ``set_defaults(run=...)`` or listed in
    `nmcsim.cli.commands.COMMANDS`.
    """
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about[0].upper() + about[1:] + ".", allow_abbrev=False
    )
    return made


def whole_number(text: str) -> int:
    """The type of an option that counts from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of at least 1')
    return int(text)


def case_options(
    parser: argparse.ArgumentParser, name: str = "CASE", about: str = "case file (.toml)"
) -> None:
    """The case of a command, with what may change in it."""
    parser.add_argument("case", type=Path, metavar=name, help=about)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="change a key, such as physics.rock_salt.coverage=0.25; several may follow one --set",
    )
    parser.add_argument(
        "--coarse",
        action="store_true",
        help="larger cells, looser tolerances, at most 8 frames a step, but for what --set says: a"
        " quick look",
    )


def mesh_cache(parser: argparse.ArgumentParser) -> None:
    """Where meshes are kept."""
    parser.add_argument(
        "--mesh-cache", type=Path, metavar="DIR", help="where meshes are kept between runs"
    )
