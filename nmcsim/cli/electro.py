"""``nmcsim measure gitt | impedance | dqdv``: numbers from records of a cycler."""

from __future__ import annotations

from typing import Any


def add(actions: Any) -> None:
    """Put the actions under ``nmcsim measure``."""
