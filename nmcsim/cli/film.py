"""``nmcsim film``: what a camera sees of a result."""

from __future__ import annotations

from typing import Any


def add(commands: Any) -> None:
    """Put the command on the parser."""
