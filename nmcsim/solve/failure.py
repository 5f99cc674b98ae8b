"""What is said when an integration cannot go on: where, how badly, and why probably."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.solve.ndf import NDF
from nmcsim.solve.newton import NewtonResult

__all__ = ["failure_report"]


def failure_report(
    system: Any,
    ndf: NDF,
    error: Exception,
    last: NewtonResult | None,
    t: float,
    step: int,
    sentence: str,
    likely: Callable[[Any, float], str],
    directory: Path,
) -> str:
    """A few lines for a person: step, time, worst unknown and its place, cause, last good state.

    Parameters
    ----------
    system : System
        With ``worst``; the call is collective.
    last : NewtonResult or None
        The implicit solve that did not converge, if that was the matter.
    t : float
        Time of the last good state [s].
    step, sentence : int, str
        The protocol step.
    likely : callable
        ``(unknown, value) -> str``.
    directory : Path
        Where the last good state lies.
    """
    lines = [f"stopped at t = {t:.6g} s in step {step} ({sentence}): {error}"]
    state = ndf.u if hasattr(ndf, "D") else None
    if last is not None and state is not None:
        finite = np.isfinite(last.residual)
        unknown, size, place = system.worst(np.where(finite, last.residual, np.inf))
        at = "" if place is None else f" at ({place[0] * 1e6:.3g}, {place[1] * 1e6:.3g}) um"
        lines.append(f"  largest residual: {unknown.name}{at}, {size:.3g} (scaled)")
        unknown, change, place = system.worst(last.change)
        at = "" if place is None else f" at ({place[0] * 1e6:.3g}, {place[1] * 1e6:.3g}) um"
        values = state[system.slice(unknown)]
        lines.append(
            f"  largest change: {unknown.name}{at}, {change:.3g} in a step of {ndf.h:.3g} s"
        )
        value = (
            float(values.min(initial=np.inf))
            if change < 0.0
            else float(values.max(initial=-np.inf))
        )
        lines.append(f"  likely: {likely(unknown, value)}")
    lines.append(
        f"  last good state: {directory / 'checkpoint.h5'} (t = {t:.6g} s); "
        f"the table of steps is in {directory / 'steps.csv'}"
    )
    return "\n".join(lines)
