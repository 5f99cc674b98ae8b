"""What became of each value of a BPX file, for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmcsim.bpx.account import Item
from nmcsim.bpx.mapping import Imported

_WIDTH = 62
"""Of the column of places; a longer one has a line of its own."""


def report(imported: Imported) -> str:
    """Mapped, used, missing, ignored, and how the rate constant was converted; lines of text."""
    return "\n".join(_lines(imported)) + "\n"


def _lines(imported: Imported) -> Iterator[str]:
    document, header = imported.document, imported.document.model.header
    title = " ".join((header.title or "no title").split())
    yield f"{document.path.name}: {title} (BPX {document.version}, {header.model})"
    lo, hi = imported.limits
    of = f' of "{imported.particle}"' if imported.particle else ""
    yield (
        f"  laws{of} at {imported.temperature:g} K for theta {lo:g} .. {hi:g}:"
        f" {imported.voltages[0]:.4f} .. {imported.voltages[1]:.4f} V,"
        f" {imported.capacity / 3600.0:.4g} mAh/g"
    )
    for heading, items in (
        ("mapped", imported.mapped),
        ("used for the cases", imported.used),
        ("missing in the file", imported.missing),
        ("ignored", imported.ignored),
    ):
        yield from _section(heading, items)
    for heading, sentences in (
        ("rate constant", imported.kinetics),
        ("remarks", imported.remarks),
    ):
        if sentences:
            yield f"\n{heading}"
            yield from (f"  {sentence}" for sentence in sentences)


def _section(heading: str, items: Sequence[Item]) -> Iterator[str]:
    if not items:
        return
    yield f"\n{heading}"
    width = max((len(i.place) for i in items if len(i.place) <= _WIDTH), default=0)
    for item in items:
        if len(item.place) > _WIDTH:
            yield f"  {item.place}"
            yield f"  {'':<{width}}  {item.what}"
        else:
            yield f"  {item.place:<{width}}  {item.what}"
