"""What earlier cases took on this machine, to say how long the next ones will take."""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
from collections.abc import Iterator
from pathlib import Path

from nmcsim.results import WriteFailure, write_atomically

__all__ = ["remember", "seconds"]

_KEPT = 400  # lines
_LAST = 50  # that an estimate rests on
_LONGEST_LINE = 120  # bytes: the file is shortened when it is larger than twice what is kept


def remember(kind: str, cost: float, seconds: float) -> None:
    """Note what a case took; a file that cannot be written is no mistake.

    Parameters
    ----------
    kind : str
        Of the case, as `Plan.kind` says it: the model first.
    cost : float
        As `nmcsim.sweeps.cost.cost` gives it.
    seconds : float
        That it took, on one rank [s].
    """
    if not (cost > 0.0 and 0.0 < seconds < math.inf):
        return
    line = json.dumps({"kind": kind, "cost": cost, "seconds": round(seconds, 3)})
    file = _file()
    with contextlib.suppress(OSError, WriteFailure):
        file.parent.mkdir(parents=True, exist_ok=True)
        # one short write at the end of a file: lines of several processes do not mix
        with file.open("ab") as out:
            out.write(line.encode() + b"\n")
        if file.stat().st_size > 2 * _KEPT * _LONGEST_LINE:
            lines = file.read_bytes().splitlines(keepends=True)
            write_atomically(file, b"".join(lines[-_KEPT:]))


def seconds(kind: str, cost: float) -> float | None:
    """How long a case will probably take [s]: the median of the last ones of its kind, by cost.

    Where none of its kind has run here, those of its model tell.

    Returns
    -------
    float or None
        None if nothing is known.
    """
    noted, model = list(_noted()), kind.partition("/")[0]
    ratios = [spent / of for name, of, spent in noted if name == kind]
    ratios = ratios or [s / of for name, of, s in noted if name.partition("/")[0] == model]
    return cost * statistics.median(ratios[-_LAST:]) if ratios else None


def _noted() -> Iterator[tuple[str, float, float]]:
    try:
        lines = _file().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        # a line may be half written, or another version's
        with contextlib.suppress(ValueError, KeyError, TypeError):
            found = json.loads(line)
            of, spent = float(found["cost"]), float(found["seconds"])
            if of > 0.0 and spent > 0.0:
                yield str(found["kind"]), of, spent


def _file() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "nmcsim" / "timings.jsonl"
