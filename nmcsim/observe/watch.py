"""What a model may record beside rows, fields and particles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from nmcsim.observe.layout import Layout
from nmcsim.results import Frames
from nmcsim.solve.fields import Array

__all__ = ["Watch"]


class Watch(Protocol):
    """Looks at the whole first field of a model at each row; on rank 0 alone, save `open`.

    A model that has one decides what its result shows instead of the maps of its fields.
    """

    def open(self, layout: Layout) -> Mapping[str, int]:
        """Get ready for a field of this layout; names and widths of the streams it records."""
        ...

    def begin(self, nodal: Array) -> None:
        """Take the first frame, in the layout's numbering, as the reference of later ones."""
        ...

    def row(
        self, row: Mapping[str, float], nodal: Array
    ) -> tuple[Mapping[str, float], Mapping[str, Array]]:
        """More columns for a row of the history, and a record for each stream."""
        ...

    def sections(self, frames: Mapping[str, Frames], first: Frames) -> Mapping[str, Any]:
        """Keywords of `write_history` from its streams and the frames of the first field."""
        ...
