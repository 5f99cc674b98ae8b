"""What follows a run: its figures, its report, and where that lies."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim import results
from nmcsim.errors import NmcsimError
from nmcsim.log import logger
from nmcsim.results import Result, write_json

_VISIBLE = 5e-9
"""A smaller distance [m] shows as 0.00 um, and has no state of charge worth telling."""


def present(directory: Path, comm: Any, *, failed: bool = False) -> None:
    """Draw the figures, write the report and say where it lies; collective on ``comm``.

    Parameters
    ----------
    directory : Path
        Of the result.
    comm : MPI.Comm
        Rank 0 does it; the others wait.
    failed : bool
        Whether the run did not come to its end: then what cannot be drawn is left out, since its
        own failure is what is to be said.
    """
    from nmcsim.mesh.ranks import on_one_rank
    from nmcsim.output import held

    try:
        with held(directory, comm):
            on_one_rank(comm, lambda: _present(directory))
    except NmcsimError:
        if not failed:
            raise


def _present(directory: Path) -> None:
    result = Result.load(directory)
    if result.particles is None:  # an electrode has said its own headline
        logger.info("  %s", largest_distance(result))
    report = directory / "report.html"
    if not _is_newer(report, directory / "summary.json"):
        write_presentation(result)
    logger.info("  report  %s", report)


def _is_newer(path: Path, than: Path) -> bool:
    return path.is_file() and path.stat().st_mtime_ns >= than.stat().st_mtime_ns


def write_presentation(result: Result) -> Path:
    """Draw the figures of a result and write its report; the caller holds its directory.

    Returns
    -------
    Path
        ``report.html``.
    """
    from nmcsim.figures import write_all
    from nmcsim.report import write_report

    report = result.directory / "report.html"
    began = time.perf_counter()
    write_all(result)
    summary = result.directory / "summary.json"
    content = json.loads(summary.read_text(encoding="utf-8"))
    content["timing"]["figures"] = time.perf_counter() - began
    write_json(summary, content)
    write_report(Result.load(result.directory), report)
    return report


def largest_distance(result: Result) -> str:
    """One line on the centre-of-mass distance of Fig. S4: how large at most, and when.

    As in the figures, a region of less than `nmcsim.results.RESOLVED` of the area, which no
    microscope resolves, does not count.
    """
    from nmcsim.figures.curves import has_asymmetry

    if not has_asymmetry(result):
        return "no unreacted region, and so no centre-of-mass distance"
    columns = (result.history.get(name) for name in ("unreacted_share", "soc"))
    largest, soc = results.largest_distance(result.history["com_distance"], *columns)
    text = f"largest centre-of-mass distance {1e6 * largest:.2f} um"
    if largest < _VISIBLE or not np.isfinite(soc):
        return text
    return f"{text} at {100.0 * soc:.0f} % SOC"
