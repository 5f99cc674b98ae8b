"""The commands and options of ``nmcsim``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from nmcsim.errors import InputError, Mistake

SHELLS = ("bash", "zsh", "fish")


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are `InputError`, as all others."""

    def error(self, message: str) -> NoReturn:
        raise InputError(Mistake("", f"{message}; see {self.prog} --help"), "nmcsim")


def build_parser() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="nmcsim",
        description="Open simulator for NMC battery cathodes.",
        epilog="Start with: nmcsim new single_crystal my_case.toml; nmcsim run my_case.toml",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print all versions and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    _add_run(commands)
    _add_looks(commands)
    _add_results(commands)
    _add_materials(commands)
    completion = _command(commands, "completion", "print a completion script for a shell")
    completion.add_argument("shell", choices=SHELLS, help="bash, zsh or fish")
    return parser


def _command(commands: Any, name: str, about: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about[0].upper() + about[1:] + ".", allow_abbrev=False
    )
    return made


def _case_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("case", type=Path, metavar="CASE", help="case file (.toml)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="change a key, such as physics.rock_salt.coverage=0.25; several may follow one --set",
    )
    parser.add_argument(
        "--coarse", action="store_true", help="larger cells, looser tolerances: a quick look"
    )


def _mesh_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mesh-cache", type=Path, metavar="DIR", help="where meshes are kept between runs"
    )


def _add_run(commands: Any) -> None:
    run = _command(commands, "run", "run a case and write its result directory")
    _case_options(run)
    run.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="result directory (results/NAME OF THE CASE, with --coarse NAME-coarse)",
    )
    again = run.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    again.add_argument("--overwrite", action="store_true", help="replace an earlier result")
    run.add_argument(
        "--error-bars", action="store_true", help="repeat coarser, for error bars of the results"
    )
    run.add_argument("--quiet", action="store_true", help="print nothing but mistakes")
    _mesh_cache(run)


def _add_looks(commands: Any) -> None:
    check = _command(commands, "check", "check a case without solving it")
    _case_options(check)
    new = _command(commands, "new", "write a commented case to start from")
    new.add_argument("model", metavar="MODEL", help="single_crystal or electrode")
    new.add_argument("file", type=Path, metavar="FILE", help="the case file to write (.toml)")
    mesh = _command(commands, "mesh", "make the mesh of a case, and a picture of it")
    _case_options(mesh)
    mesh.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="picture, or the mesh itself if it ends in .msh (NAME OF THE CASE_mesh.png)",
    )
    _mesh_cache(mesh)
    _command(commands, "schema", "print the JSON Schema of case files, for an editor")


def _add_results(commands: Any) -> None:
    for name, about in (
        ("show", "print what a result holds"),
        ("report", "write the report of a result again"),
    ):
        made = _command(commands, name, about)
        made.add_argument("directory", type=Path, metavar="DIR", help="result directory")
    figures = _command(
        commands, "figures", "draw the figures of a result, or joint ones of several"
    )
    figures.add_argument(
        "directories", type=Path, nargs="+", metavar="DIR", help="result directories"
    )
    figures.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where they go (figures in the result; of several, figures beside the first)",
    )


def _add_materials(commands: Any) -> None:
    materials = _command(commands, "materials", "list, show or plot the library of materials")
    actions = materials.add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=Parser
    )
    _command(actions, "list", "list the materials, laws and electrolytes of the library")
    show = _command(actions, "show", "show the laws of a material or an electrolyte")
    show.add_argument("name", metavar="NAME", help="a material or electrolyte of the library")
    plot = _command(actions, "plot", "plot the laws of a material or an electrolyte")
    plot.add_argument("name", metavar="NAME", help="a material or electrolyte of the library")
    plot.add_argument("--out", type=Path, metavar="FILE", help="picture (NAME.png)")


def _each_set(words: Sequence[str]) -> list[str]:
    """``--set`` before each of the values that follow one, so that a case may come after them."""
    found: list[str] = []
    open_ = False
    for before, word in zip(("", *words), words, strict=False):
        more = open_ and before != "--set" and "=" in word and not word.startswith("-")
        found += ["--set", word] if more else [word]
        open_ = word == "--set" or (open_ and (more or before == "--set"))
    return found


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of a command line; prints the help of a command line without command."""
    parser = build_parser()
    options = parser.parse_args(_each_set(sys.argv[1:] if arguments is None else arguments))
    if options.command is None and not options.version:
        parser.print_help()
    return options
