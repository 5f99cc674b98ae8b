"""What was asked: case files, checked and frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmcsim.case.loading import load
    from nmcsim.case.model import Case

__all__ = ["Case", "load"]


def __getattr__(name: str) -> Any:
    # on demand: a shape file imports nmcsim.case.section, and needs no material for it
    if name == "load":
        from nmcsim.case.loading import load

        return load
    if name == "Case":
        from nmcsim.case.model import Case

        return Case
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
