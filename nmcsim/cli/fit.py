"""``nmcsim fit``: keys of a case from measurements."""

from __future__ import annotations

from typing import Any


def add(commands: Any) -> None:
    """Put the command on the parser."""
