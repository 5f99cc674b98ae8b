"""What can go wrong, as sentences. Each class knows the exit status of the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class NmcsimError(Exception):
    """Base of every error that nmcsim raises on purpose."""

    exit_status = 1


@dataclass(frozen=True)
class Mistake:
    """One wrong input.

    Parameters
    ----------
    place : str
        Where: a dotted key (``geometry.diameter``), with its value where that helps.
    message : str
        What is wrong and how to mend it, one sentence without a capital or a full stop.
    text, column : str, int, optional
        A quoted text and the column in it (from 0) that a caret points at.
    """

    place: str
    message: str
    text: str | None = None
    column: int | None = None


class InputError(NmcsimError):
    """A case file, option or data file that cannot be used; lists all mistakes at once."""

    exit_status = 2

    def __init__(self, mistakes: Mistake | Iterable[Mistake], source: str = "") -> None:
        self.mistakes = (mistakes,) if isinstance(mistakes, Mistake) else tuple(mistakes)
        self.source = source
        super().__init__(self.mistakes, source)

    def located(self, source: str) -> InputError:
        """The same mistakes, said of the file ``source``."""
        return InputError(self.mistakes, source)

    def __str__(self) -> str:
        if len(self.mistakes) == 1 and self.mistakes[0].text is None:
            m = self.mistakes[0]
            sentence = f"{m.place} {m.message}".strip()
            return ": ".join(part for part in (self.source, sentence) if part)
        n = len(self.mistakes)
        count = "1 mistake" if n == 1 else f"{n} mistakes"
        lines = [f"{self.source}: {count}, nothing was run" if self.source else count]
        width = min(44, max(len(m.place) for m in self.mistakes))
        for m in self.mistakes:
            if m.text is None:
                lines.append(f"  {m.place:<{width}}  {m.message}")
            else:
                lines.append(f'  {m.place:<{width}}  "{m.text}"')
                lines.append(" " * (width + 5 + (m.column or 0)) + f"^ {m.message}")
        return "\n".join(lines)


class RunFailure(NmcsimError):
    """A run that could not go on; its text is the failure report."""

    exit_status = 3
