"""A table of the V&V book whose numbers are kept and watched."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Column", "Table"]


@dataclass(frozen=True)
class Column:
    """A column: its heading with unit, and how its numbers are written (``".3g"``)."""

    heading: str
    digits: str = ".3g"


@dataclass(frozen=True)
class Table:
    """Numbers of one question.

    Parameters
    ----------
    name : str
        Of the mark in docs/vv; unique in the book.
    caption : str
        A sentence above it.
    columns : tuple of Column
    rows : tuple of tuples
        A number or a text per column; None is an empty cell.
    tolerance : float
        Relative change of a number that counts as moved (and absolute below 1e-12 of nothing).
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[float | str | None, ...], ...]
    tolerance: float = 0.02
