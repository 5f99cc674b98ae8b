"""Points to residuals: each point is a case of the fit's sweep, solved once, whoever asks again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, NmcsimError
from nmcsim.fitting.question import Question
from nmcsim.launch.standing import Standing
from nmcsim.sweeps.plan import Plan, Planned
from nmcsim.sweeps.record import Record

__all__ = ["Evaluations", "Failed", "Reduced"]

Array = NDArray[np.float64]


class Reduced(Protocol):
    """A result beside the measurements."""

    @property
    def residuals(self) -> Array:
        """(m,); NaN where the result says nothing."""
        ...


@dataclass(frozen=True)
class Failed:
    """A point without a sound result.

    Parameters
    ----------
    values : tuple of float
        Of the keys, in their units.
    cause : str
        A sentence.
    """

    values: tuple[float, ...]
    cause: str


class Evaluations[R: Reduced]:
    """What the search calls with points.

    Parameters
    ----------
    question : Question
    reduce : callable
        Result directory to a `Reduced`; an `NmcsimError` makes the point one without a result.
    pool : Standing
        Of the sweep's directory.
    retry_failed : bool
        Try cases again that have failed before this process began.
    """

    def __init__(
        self, question: Question, reduce: Callable[[Path], R], pool: Standing, *,
        retry_failed: bool = False,
    ) -> None:  # fmt: skip
        self.question, self._reduce, self._pool = question, reduce, pool
        self._retry = retry_failed
        self._plan: Plan | None = None
        self._asked: dict[tuple[float, ...], Planned | Failed] = {}
        self._reduced: dict[str, R | Failed] = {}
        self._ours: set[str] = set()
        self.solved = 0
        """Cases that this process has had solved; the others had been recorded before."""

    @property
    def count(self) -> int:
        """Cases of the fit."""
        return 0 if self._plan is None else len(self._plan.cases)

    @property
    def failed(self) -> list[Failed]:
        """The points without a sound result."""
        refused = [found for found in self._asked.values() if isinstance(found, Failed)]
        return refused + [found for found in self._reduced.values() if isinstance(found, Failed)]

    def __call__(self, points: Sequence[Array]) -> list[Array | None]:
        """Residuals of points in the unit cube, None for those without a sound result."""
        found = self.reduced([self.question.values(x) for x in points])
        return [None if isinstance(one, Failed) else one.residuals for one in found]

    def reduced(self, points: Sequence[tuple[float, ...]]) -> list[R | Failed]:
        """The same for values of the keys, with all that the reduction gave.

        Raises
        ------
        Interrupted
            A signal came; the same fit goes on.
        RunFailure
            The disk is full, or no worker can be started.
        """
        self._add([values for values in points if values not in self._asked])
        asked = [self._asked[values] for values in points]
        new = {p.hash: p for p in asked if isinstance(p, Planned) and p.hash not in self._reduced}
        if new:
            self._solve(new)
        return [a if isinstance(a, Failed) else self._reduced[a.hash] for a in asked]

    def solved_at(self, values: tuple[float, ...]) -> Path | Failed:
        """The result directory at one point, solved if it has not been, not yet reduced."""
        self._add([values])
        planned = self._asked[values]
        if isinstance(planned, Failed):
            return planned
        record = self._records({planned.hash: planned}).get(planned.hash)
        if record is None or record.failed:
            return Failed(values, record.cause if record else "it was not solved")
        return self._pool.records.result(planned.hash)

    def directory(self, values: tuple[float, ...]) -> Path:
        """Of the result of a point that has been asked for."""
        planned = self._asked[values]
        assert isinstance(planned, Planned)
        return self._pool.records.result(planned.hash)

    def _add(self, points: Sequence[tuple[float, ...]]) -> None:
        """Plan new points, those together that can be run."""
        for values in dict.fromkeys(points):
            try:
                small = self.question.plan([values])
            except InputError as error:
                cause = "; ".join(f"{m.place} {m.message}" for m in error.mistakes)
                self._asked[values] = Failed(values, cause)
                continue
            (only,) = small.cases
            before = () if self._plan is None else self._plan.cases
            planned = replace(only, number=len(before) + 1)
            self._asked[values] = planned
            if only.hash not in {p.hash for p in before}:
                self._plan = replace(small, cases=(*before, planned))

    def _solve(self, new: Mapping[str, Planned]) -> None:
        found = self._records(new)
        for hash, planned in new.items():
            self._reduced[hash] = self._one(planned, found.get(hash))

    def _records(self, new: Mapping[str, Planned]) -> dict[str, Record]:
        """How cases ended, after those without a record have been solved."""
        plan, records = self._plan, self._pool.records
        assert plan is not None
        before = {hash: record for hash in new if (record := records.record(hash)) is not None}
        again = {h: r.attempt for h, r in before.items() if self._retry and r.failed}
        again = {h: attempt for h, attempt in again.items() if h not in self._ours}
        self._ours |= new.keys()
        found = self._pool.solve(plan, list(new), again=again)
        self.solved += sum(h not in before or h in again for h in new)
        return found

    def _one(self, planned: Planned, record: Record | None) -> R | Failed:
        values = tuple(float(planned.values[key]) for key in self.question.names)
        if record is None or record.failed:
            cause = record.cause if record is not None else "it was not solved"
            return Failed(values, cause)
        try:
            reduced = self._reduce(self._pool.records.result(planned.hash))
        except NmcsimError as error:
            return Failed(values, " ".join(str(error).split()))
        if not np.isfinite(reduced.residuals).all():
            cause = record.cause or "its result gives no number beside some measurement"
            return Failed(values, cause)
        return reduced
