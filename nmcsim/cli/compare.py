"""``nmcsim compare``: a result beside what was measured."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmcsim.cli.options import add_command

if TYPE_CHECKING:
    from nmcsim.compare import Comparison
    from nmcsim.results import Result

APART = 3
"""Exit status with ``--strict`` where something is not within."""


def add(commands: Any) -> None:
    """Put the command on the parser."""
    command = add_command(
        commands, "compare", "put a result beside what was measured, metric by metric"
    )
    command.add_argument(
        "result", type=Path, metavar="RESULT", help="a result directory, or another measured.toml"
    )
    command.add_argument(
        "measured", type=Path, metavar="MEASURED", nargs="+", help="file of measurements (.toml)"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the comparison there too")
    command.add_argument(
        "--strict", action="store_true", help=f"exit status {APART} if something is not within"
    )
    command.set_defaults(run=compare)


def compare(options: argparse.Namespace, state: dict[str, Any]) -> int:
    """Compare, print the table, and show it in the report of the result."""
    from nmcsim.cli.commands import say
    from nmcsim.compare import compare as beside
    from nmcsim.compare.record import as_table
    from nmcsim.compare.table import comparison_text
    from nmcsim.measured import Measured
    from nmcsim.results import Result, write_json

    files = {path: Measured.read(path) for path in options.measured}
    of: Result | Measured
    if options.result.is_file():
        of = Measured.read(options.result)
    else:
        of = Result.load(options.result)
    names = _names(files)
    made = {}
    for path, measured in files.items():
        made[names[path]] = found = beside(of, measured)
        say(comparison_text(found))
        say("")
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        write_json(options.json, {"comparisons": {n: as_table(c) for n, c in made.items()}})
        say(f"wrote {options.json}")
    if isinstance(of, Result):
        say(_added(of, made))
    apart = not all(found.within for found in made.values())
    return APART if options.strict and apart else 0


def _added(result: Result, made: dict[str, Comparison]) -> str:
    """Put comparisons into ``compare.json`` and the report of a result; says where they are."""
    from nmcsim.compare.record import keep
    from nmcsim.report import write_report
    from nmcsim.results.lock import adding

    directory = result.directory
    if not os.access(directory, os.W_OK):
        return f"{directory} cannot be written: this table is in no report (--json FILE keeps it)"
    with adding(directory):
        for name, found in made.items():
            keep(directory, name, found)
        write_report(result, directory / "report.html")
    return f"report  {directory / 'report.html'}"


def _names(files: dict[Path, Any]) -> dict[Path, str]:
    """What each comparison is kept under: its title, else its folder and file."""
    names: dict[Path, str] = {}
    for path, measured in files.items():
        name = measured.title or f"{path.resolve().parent.name}/{path.stem}"
        names[path] = name if name not in names.values() else f"{name} ({path})"
    return names
