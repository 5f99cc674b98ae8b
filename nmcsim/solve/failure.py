"""What is said when an integration cannot go on: where, how badly, and why probably."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from nmcsim.solve.fields import Array
from nmcsim.solve.ndf import StepFailure
from nmcsim.solve.newton import NewtonResult
from nmcsim.solve.start import NoConsistentStart

__all__ = ["failure_report"]


def failure_report(
    system: Any,
    error: StepFailure | NoConsistentStart,
    state: Array,
    where: Callable[[Array, Array], str],
    likely: Callable[[Any, float], str],
    step: str,
    directory: Path,
) -> str:
    """A few lines for a person: step, time, dt, worst unknown, likely cause, what is kept.

    Collective.

    Parameters
    ----------
    system : System
        With ``worst``.
    error : StepFailure or NoConsistentStart
        What ended the integration.
    state : (size,) array
        The last good state.
    where : callable
        ``(position, state) -> str``: a place in words, and what the state is there.
    likely : callable
        ``(unknown, value) -> str``.
    step : str
        The protocol step, as in ``"step 1 (Charge at 5C until 4.3 V)"``.
    directory : Path
        Where the last good state lies.
    """
    lines = [f"stopped at t = {error.t:.6g} s in {step}: {error.why}"]
    if error.last is not None:
        h = error.h if isinstance(error, StepFailure) else None
        lines += _worst(system, error.last, h, state, where, likely)
    kept = directory / "checkpoint.h5"
    good = f"{kept} (t = {error.t:.6g} s)" if kept.is_file() else "the initial one"
    lines.append(f"  last good state: {good}; the table of steps is in {directory / 'steps.csv'}")
    return "\n".join(lines)


def _worst(
    system: Any,
    last: NewtonResult,
    h: float | None,
    state: Array,
    where: Callable[[Array, Array], str],
    likely: Callable[[Any, float], str],
) -> list[str]:
    """The lines on the implicit solve that was tried last."""
    residual = np.where(np.isfinite(last.residual), last.residual, np.inf)
    sizes = [
        (f.name, system.comm.allreduce(float(np.abs(residual[system.slice(f)]).max(initial=0.0)),
                                       op=MPI.MAX))
        for f in system.unknowns
    ]  # fmt: skip
    unknown, _, place = system.worst(residual)
    at = "" if place is None else f" at {where(place, state)}"
    lines = [
        f"  largest residual: {unknown.name}{at}",
        "  last residuals (scaled): " + ", ".join(f"{name} {size:.2g}" for name, size in sizes),
    ]
    unknown, change, place = system.worst(last.change)
    at = "" if place is None else f" at {where(place, state)}"
    within = "" if h is None else f" in a last step of dt = {h:.3g} s"
    lines.append(f"  largest change: {unknown.name}{at}, {change:.3g}{within}")
    values = state[system.slice(unknown)]
    own = float(values.min(initial=np.inf) if change < 0.0 else -values.max(initial=-np.inf))
    value = float(system.comm.allreduce(own, op=MPI.MIN)) * (1.0 if change < 0.0 else -1.0)
    lines.append(f"  likely: {likely(unknown, value)}")
    return lines
