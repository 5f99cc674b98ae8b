"""How far a sweep is: from its files, while it runs and after it died."""

from __future__ import annotations

import math
import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmcsim.sweeps.claims import Attempt
from nmcsim.sweeps.plan import Plan, Planned
from nmcsim.sweeps.record import Record
from nmcsim.sweeps.records import Records

__all__ = [
    "Snapshot",
    "counted",
    "described_values",
    "duration",
    "resuming",
    "snapshot",
    "status_text",
]

RECENT = 50
"""Cases, the last ones, that the rate is taken from."""
SHOWN = 20
"""Failures and running cases that fit on a screen."""


@dataclass(frozen=True)
class Snapshot:
    """A sweep at one moment.

    Parameters
    ----------
    total : int
        Cases in the plan; those that say the same count once.
    records : tuple of Record
        Of cases that have ended.
    running : tuple of (Planned, Attempt)
    outdated : int
        Cases with a record of another version of nmcsim, which does not count.
    seconds_left : float
        Estimated from the cases that have ended [s]; NaN if that cannot be said.
    """

    total: int
    records: tuple[Record, ...]
    running: tuple[tuple[Planned, Attempt], ...]
    outdated: int = 0
    seconds_left: float = math.nan

    @property
    def failed(self) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.failed)

    @property
    def done(self) -> int:
        return len(self.records)

    @property
    def open(self) -> int:
        """Cases that have neither ended nor begun."""
        return self.total - self.done - len(self.running)

    @property
    def asleep(self) -> bool:
        """Whether nobody works on it although cases are open."""
        return self.open > 0 and not self.running

    @property
    def per_hour(self) -> float:
        """Cases an hour, of those that ended last; NaN before the second one."""
        spans = [(r.started, r.started + r.wall) for r in self.records]
        recent = sorted((s for s in spans if math.isfinite(s[1])), key=lambda s: s[1])[-RECENT:]
        if len(recent) < 2:
            return math.nan
        length = recent[-1][1] - min(began for began, _ in recent)
        return 3600.0 * len(recent) / length if length > 0.0 else math.nan


def snapshot(plan: Plan, records: Records) -> Snapshot:
    """Read how far a sweep is."""
    known = {planned.hash: planned for planned in plan.cases}
    found = {hash: record for hash, record in records.records().items() if hash in known}
    running = [
        (known[hash], attempt)
        for hash, attempt in sorted(records.running().items())
        if hash in known
    ]
    outdated = known.keys() & (records.outdated().keys() - found.keys())
    left = _seconds_left(known, found, running)
    return Snapshot(len(known), tuple(found.values()), tuple(running), len(outdated), left)


def _seconds_left(
    known: Mapping[str, Planned],
    found: Mapping[str, Record],
    running: Sequence[tuple[Planned, Attempt]],
) -> float:
    """What is left at the pace of what has ended, each case weighted with what it should cost."""
    if len(found) == len(known):
        return 0.0
    ended = [(r.wall, known[r.hash].cost) for r in found.values() if math.isfinite(r.wall)]
    cost = sum(cost for _, cost in ended)
    if not running or cost <= 0.0:
        return math.nan
    pace = sum(wall for wall, _ in ended) / cost
    begun = {planned.hash for planned, _ in running}
    open = sum(p.cost for hash, p in known.items() if hash not in found and hash not in begun)
    now = time.time()
    rest = [
        max(0.1 * pace * planned.cost, pace * planned.cost - (now - attempt.started))
        for planned, attempt in running
    ]
    return max((pace * open + sum(rest)) / len(running), max(rest))


def described_values(plan: Plan, planned: Planned) -> str:
    """What varies, in a case: ``coverage = 0.5, diameter = 2.5 um``."""
    units = {p.key: p.unit for p in plan.parameters}
    return ", ".join(
        f"{key.rpartition('.')[2]} = {_value(value)}{_unit(units.get(key, ''))}"
        for key, value in planned.values.items()
    )


def _value(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _unit(unit: str) -> str:
    return "" if unit in ("", "1") else f" {unit}"


def duration(seconds: float) -> str:
    """A time as people say it: "12 s", "3.5 min", "2.1 h", "3 days"."""
    if not math.isfinite(seconds):
        return "unknown"
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2.0 * size:
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(seconds)} s" if seconds >= 0.1 else "0 s"


def _two_digits(number: float) -> str:
    return f"{number:.2g}" if number < 99.5 else f"{number:.0f}"


def counted(cases: int) -> str:
    """How many: "1 case", "36 cases"."""
    return f"{cases} case{'s' * (cases != 1)}"


def resuming(plan: Plan, directory: Path, more: Sequence[str] = ()) -> str:
    """The command that goes on with a sweep."""
    if plan.go_on:
        return " ".join([plan.go_on, *more])
    file = str(plan.path) if plan.path is not None else "FILE"
    return shlex.join(["nmcsim", "sweep", file, *plan.words, "--out", str(directory), *more])


def status_text(plan: Plan, directory: Path, found: Snapshot) -> str:
    """What ``nmcsim status DIR`` prints."""
    kinds = Counter(record.status for record in found.records)
    varied = ", ".join(p.key for p in plan.parameters)
    lines = [
        f"{plan.title}  ({counted(found.total)}, varying {varied})",
        f"  {kinds['finished']} finished, {kinds['ended early']} ended early, "
        f"{kinds['failed']} failed, {len(found.running)} running, {found.open} open",
    ]
    if found.running and found.done:
        rate = f"{found.per_hour:.0f} cases/h, " if math.isfinite(found.per_hour) else ""
        lines.append(f"  {rate}{duration(found.seconds_left)} left")
    now = time.time()
    for planned, attempt in found.running[:SHOWN]:
        lines.append(
            f"  running  case {planned.number} ({described_values(plan, planned)}) for "
            f"{duration(max(0.0, now - attempt.started))} on {attempt.worker.host}, process "
            f"{attempt.worker.process}" + (f", attempt {attempt.number}" * (attempt.number > 1))
        )
    lines += _more(len(found.running), "running")
    known = {planned.hash: planned for planned in plan.cases}
    failures = sorted(found.failed, key=lambda record: known[record.hash].number)
    for record in failures[:SHOWN]:
        planned = known[record.hash]
        lines.append(
            f"  failed   case {planned.number} ({described_values(plan, planned)}): {record.cause}"
        )
    lines += _more(len(failures), "failed")
    if found.outdated:
        lines.append(
            f"  {found.outdated} of the open cases were solved by another version of nmcsim; they"
            " are shown in table and report, and will be solved again"
        )
    if found.asleep:
        lines.append(f"  nobody works on it; to go on: {resuming(plan, directory)}")
    elif failures and found.done == found.total:
        again = resuming(plan, directory, ["--retry-failed"])
        lines.append(f"  to try the failed ones again: {again}")
    return "\n".join(lines)


def _more(count: int, what: str) -> list[str]:
    return [f"  and {count - SHOWN} more {what}"] if count > SHOWN else []
