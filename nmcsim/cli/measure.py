"""``nmcsim measure``: numbers from image stacks."""

from __future__ import annotations

from typing import Any

from nmcsim.cli.options import Parser, add_command


def add(commands: Any) -> Any:
    """Put the command on the parser; returns where its actions are added."""
    measure = add_command(commands, "measure", "reduce images and records to numbers")
    return measure.add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=Parser
    )
