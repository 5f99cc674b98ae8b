"""The commands and options of ``nmcsim``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nmcsim.cli import compare, electro, film, fit, importing, measure
from nmcsim.cli.options import Parser, add_command, case_options, mesh_cache, whole_number

SHELLS = ("bash", "zsh", "fish")


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
    _add_sweep(commands)
    _add_looks(commands)
    _add_results(commands)
    _add_materials(commands)
    film.add(commands)
    electro.add(measure.add(commands))
    compare.add(commands)
    fit.add(commands)
    importing.add(commands)
    completion = add_command(commands, "completion", "print a completion script for a shell")
    completion.add_argument("shell", choices=SHELLS, help="bash, zsh or fish")
    return parser


def _add_run(commands: Any) -> None:
    run = add_command(commands, "run", "run a case and write its result directory")
    case_options(run)
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
    mesh_cache(run)


def _add_sweep(commands: Any) -> None:
    sweep = add_command(commands, "sweep", "solve a case for many values of its keys")
    case_options(sweep, "FILE", "file of the sweep, or a case with a table [sweep] (.toml)")
    sweep.add_argument(
        "--out", type=Path, metavar="DIR",
        help="directory of the sweep (results/NAME OF THE FILE, with --coarse NAME-coarse)",
    )  # fmt: skip
    sweep.add_argument("--dry-run", action="store_true", help="list the cases, solve none")
    sweep.add_argument(
        "--workers", type=whole_number, metavar="N", help="cases at a time (the number of cores)"
    )
    sweep.add_argument(
        "--ranks-per-case", type=whole_number, metavar="R", help="MPI ranks that share a case (1)"
    )
    sweep.add_argument(
        "--shard", type=_shard, metavar="I/N",
        help="only the I-th of N shares of the cases: for the jobs of an array",
    )  # fmt: skip
    sweep.add_argument("--retry-failed", action="store_true", help="try failed cases again")
    sweep.add_argument(
        "--extend", action="store_true",
        help="the directory holds a sweep of other cases; keep what both share",
    )  # fmt: skip
    sweep.add_argument(
        "--keep", choices=("summary", "history", "all"),
        help="what is kept of each result: its numbers, its history too (default), or everything"
        " with figures and report",
    )  # fmt: skip
    sweep.add_argument("--time-limit", metavar="T", help='of one case, such as "10 min"')
    sweep.add_argument("--memory-limit", metavar="M", help='of one case, such as "2 GB"')
    sweep.add_argument("--quiet", action="store_true", help="print nothing but mistakes")
    mesh_cache(sweep)
    status = add_command(commands, "status", "say how far a sweep is")
    status.add_argument("directory", type=Path, metavar="DIR", help="directory of the sweep")
    plot = add_command(commands, "plot", "plot the results of a sweep")
    plot.add_argument("directory", type=Path, metavar="DIR", help="directory of the sweep")
    plot.add_argument("--x", required=True, metavar="COLUMN", help="column of the table, or curve")
    plot.add_argument("--y", required=True, metavar="COLUMN[,COLUMN]", help="the same")
    plot.add_argument("--z", metavar="COLUMN", help="draw a map of it over x and y")
    plot.add_argument("--colour", metavar="COLUMN", help="a parameter that the colour stands for")
    plot.add_argument("--facet", metavar="COLUMN", help="a panel for each of its values")
    plot.add_argument("--log", default="", metavar="AXES", help="logarithmic axes: x, y or xy")
    plot.add_argument("--where", metavar="CONDITION", help='only rows such as "coverage < 0.5"')
    plot.add_argument("--curves", action="store_true", help="x and y are curves of each case")
    plot.add_argument("--out", type=Path, metavar="FILE", help="picture (Y_over_X.png in DIR)")


def _shard(text: str) -> tuple[int, int]:
    i, slash, of = text.partition("/")
    if not (slash and i.isdigit() and of.isdigit() and 1 <= int(i) <= int(of)):
        raise argparse.ArgumentTypeError(
            f'"{text}" is not a share; write I/N with I from 1 to N, such as 3/8'
        )
    return int(i), int(of)


def _add_looks(commands: Any) -> None:
    check = add_command(commands, "check", "check a case without solving it")
    case_options(check)
    new = add_command(commands, "new", "write a commented case to start from")
    new.add_argument("model", metavar="MODEL", help="single_crystal or electrode")
    new.add_argument("file", type=Path, metavar="FILE", help="the case file to write (.toml)")
    mesh = add_command(commands, "mesh", "make the mesh of a case, and a picture of it")
    case_options(mesh)
    mesh.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="picture, or the mesh itself: .msh, .vtu, .xdmf (NAME OF THE CASE_mesh.png)",
    )
    mesh_cache(mesh)
    add_command(commands, "schema", "print the JSON Schema of case files, for an editor")


def _add_results(commands: Any) -> None:
    for name, about in (
        ("show", "print what a result holds"),
        ("report", "write the report of a result again"),
    ):
        made = add_command(commands, name, about)
        made.add_argument("directory", type=Path, metavar="DIR", help="result directory")
    figures = add_command(
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
    materials = add_command(commands, "materials", "list, show or plot the library of materials")
    actions = materials.add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=Parser
    )
    add_command(actions, "list", "list the materials, laws and electrolytes of the library")
    show = add_command(actions, "show", "show the laws of a material or an electrolyte")
    show.add_argument("name", metavar="NAME", help="a material or electrolyte of the library")
    plot = add_command(actions, "plot", "plot the laws of a material or an electrolyte")
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
