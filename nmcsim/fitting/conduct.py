"""A fit from its question to its page."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim.case import Case
from nmcsim.case.toml import toml_value
from nmcsim.errors import InputError, Mistake, RunFailure
from nmcsim.fitting.covariance import knowledge, misfit, warnings_of
from nmcsim.fitting.descent import MOST, STEP, Minimum, Trial, minimise
from nmcsim.fitting.evaluations import Evaluations, Failed
from nmcsim.fitting.question import Question, question
from nmcsim.fitting.result import FILE, Fit, Look
from nmcsim.fitting.targets import Beside, Target
from nmcsim.fitting.varied import asked
from nmcsim.launch.standing import Standing
from nmcsim.measured import Measured
from nmcsim.results import write_json, writing
from nmcsim.results.lock import adding

__all__ = ["ASKED", "EVALUATIONS", "conduct", "fit"]

Array = NDArray[np.float64]

ASKED, EVALUATIONS, RESIDUALS, BEST = "asked.json", "evaluations", "residuals", "best.toml"
STEPS = (1e-4, 0.2)
"""Shares of the interval that a difference may be taken over."""


def fit(
    case: Case | str | Path,
    measured: Measured | str | Path,
    vary: Mapping[str, Any],
    *,
    set: Mapping[str, Any] | None = None,
    only: Sequence[str] = (),
    out: str | Path | None = None,
    coarse: bool = False,
    workers: int | None = None,
    step: float = STEP,
    most: int = MOST,
    retry_failed: bool = False,
    overwrite: bool = False,
    each: Callable[[Look], None] = lambda look: None,
) -> Fit:
    """Find the values of keys with which a case agrees best with measurements.

    Parameters
    ----------
    case : Case or path
        What stands in it is where the search starts.
    measured : Measured or path
        A file ``measured.toml``: values and series, compared as `nmcsim.compare` does.
    vary : mapping of str to str or pair
        Interval of each key: ``{"geometry.diameter": "2:3 um"}``, ``("2 um", "3 um")``;
        ``"1e-16:1e-14 m2/s:log@1e-15"`` with scale and start. A name without a dot is a variable.
    set : mapping, optional
        Keys that differ from the case; their texts may hold ``{variables}``.
    only : sequence of str
        Measurements that count; all that have a number, if empty.
    out : path, optional
        Directory of the fit; a temporary one if absent. A second call with the same goes on.
    coarse : bool
        Coarse cases, for a first look.
    workers : int, optional
        Cases at a time; as many as there are cores.
    step : float
        Of a difference, as a share of the interval.
    most : int
        Points that are looked at, each with its neighbours, at most.
    retry_failed : bool
        Solve cases again that have failed.
    overwrite : bool
        Replace another fit in `out`; the cases that both share are not solved again.
    each : callable
        Called after each look at a point.

    Returns
    -------
    Fit
        Values, standard errors, correlations, and warnings.

    Raises
    ------
    InputError
        With all mistakes; nothing was run. Or no measurement has a counterpart in the first result.
    Interrupted
        Ctrl-C; the same call goes on.
    RunFailure
        The first case fails, or no slope can be had.
    """
    keys = asked(vary)
    overrides = [f"{key}={toml_value(value)}" for key, value in (set or {}).items()]
    data = measured if isinstance(measured, Measured) else Measured.read(measured)
    return conduct(
        question(case, keys, overrides, coarse=coarse), data, only=only, out=out, workers=workers,
        step=step, most=most, retry_failed=retry_failed, overwrite=overwrite, each=each,
    )  # fmt: skip


def conduct(
    asking: Question,
    measured: Measured,
    *,
    only: Sequence[str] = (),
    out: str | Path | None = None,
    workers: int | None = None,
    mesh_cache: Path | None = None,
    step: float = STEP,
    most: int = MOST,
    retry_failed: bool = False,
    overwrite: bool = False,
    each: Callable[[Look], None] = lambda look: None,
) -> Fit:
    """`fit` of a question that has been read; parameters as there."""
    wrong = []
    if workers is not None and workers < 1:
        wrong.append(Mistake(f"workers = {workers}", "must be at least 1"))
    if not STEPS[0] <= step <= STEPS[1]:
        about = f"must be a share of the interval from {STEPS[0]:g} to {STEPS[1]:g}"
        wrong.append(Mistake(f"--step {step:g}", about))
    if most < 1:
        wrong.append(Mistake(f"--most {most}", "must be at least 1"))
    if wrong:
        raise InputError(wrong)
    folder = Path(tempfile.mkdtemp(prefix="nmcsim-fit-") if out is None else out)
    target = Target(measured, only, folder / RESIDUALS)
    _enough(target.points, asking, measured)
    settings = {"step": step, "most": most, "only": list(only)}
    with _claimed(folder, asking, target, settings, overwrite=overwrite):
        with Standing(folder / EVALUATIONS, workers, mesh_cache) as pool:
            evaluations = Evaluations(asking, target, pool, retry_failed=retry_failed)
            start = asking.values(asking.start)
            target.begin(_started(evaluations, start))
            _enough(target.count, asking, measured)
            looks: list[Look] = []

            def note(trial: Trial) -> None:
                values = asking.values(trial.x)
                looks.append(Look(values, trial.cost, evaluations.count, trial.best))
                each(looks[-1])

            found = minimise(
                evaluations, asking.start, asking.names, step=step, most=most,
                weighted=target.weighted, each=note,
            )  # fmt: skip
            made = _fit_of(asking, target, evaluations, found, looks, folder, settings)
        _write(made, asking, target, evaluations.directory(start))
    return made


def _enough(numbers: int, asking: Question, measured: Measured) -> None:
    if numbers < len(asking.varied):
        keys = f"{len(asking.varied)} keys" if len(asking.varied) > 1 else "1 key"
        has = f"{numbers} number{'s' * (numbers != 1)}"
        message = f"has {has} to compare, and {keys} to fit; vary fewer keys, or measure more"
        raise InputError(Mistake("", message), str(measured.path or "measurements"))


@contextmanager
def _claimed(
    folder: Path, asking: Question, target: Target, settings: Mapping[str, Any], *, overwrite: bool
) -> Iterator[None]:
    """Make the directory of a fit, or find that it is one of the same fit; hold it meanwhile.

    Raises
    ------
    InputError
        It is that of another fit, or of none, or another process fits in it now.
    """
    place, file = f"--out {folder}", folder / ASKED
    if folder.exists() and not folder.is_dir():
        raise InputError(Mistake(place, "is a file; choose a directory"))
    content = {
        "question": asking.digest,
        "measured": target.digest,
        "keys": {v.key: [v.written(v.low), v.written(v.high)] for v in asking.varied},
        **settings,
    }
    if file.is_file():
        try:
            there = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            there = None
        if there != json.loads(json.dumps(content)) and not overwrite:
            message = (
                "holds another fit (of another case, other keys, intervals or measurements);"
                " choose another directory, or replace it with --overwrite: what both solve is kept"
            )
            raise InputError(Mistake(place, message))
    elif folder.is_dir():
        names = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
        if names:
            message = f'is not the directory of a fit (it holds "{names[0]}"); choose another'
            raise InputError(Mistake(place, message))
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with adding(folder, patience=0.0):
        write_json(file, content)
        yield


def _started(evaluations: Evaluations[Beside], start: tuple[float, ...]) -> Path:
    """The result of the case to start from."""
    directory = evaluations.solved_at(start)
    if isinstance(directory, Failed):
        raise RunFailure(
            f"the case to start from fails: {directory.cause}\n"
            "  a fit begins at a case that runs; change its keys, or the start of what varies"
        )
    return directory


def _fit_of(
    asking: Question, target: Target, evaluations: Evaluations[Beside], found: Minimum,
    looks: Sequence[Look], folder: Path, settings: Mapping[str, Any],
) -> Fit:  # fmt: skip
    best = asking.values(found.x)
    known = knowledge(found.jacobian, found.residuals, weighted=target.weighted)
    pairs = list(zip(asking.varied, best, known.errors, strict=True))
    errors = tuple(float(v.slope(value) * error) for v, value, error in pairs)
    ends = [(v.shown(v.low), v.shown(v.high)) for v in asking.varied]
    slope = found.jacobian.T @ found.residuals
    said = warnings_of(known, asking.names, found.x, slope, ends)
    if target.weighted:
        said += misfit(found.cost, len(found.residuals) - len(best))
    (last,) = evaluations.reduced([best])
    held = {} if isinstance(last, Failed) else last.held
    said += _of_search(found, evaluations.failed, held)
    return Fit(
        title=str(asking.data.get("title", "")),
        varied=asking.varied,
        best=best,
        standard_errors=errors,
        correlation=known.correlation,
        chi2=found.cost,
        count=len(found.residuals),
        weighted=target.weighted,
        single=tuple(known.single.tolist()),
        singular=tuple(known.singular.tolist()),
        directions=known.directions,
        warnings=tuple(said),
        converged=found.converged,
        reason=found.reason,
        left=tuple(found.left.tolist()),
        looks=tuple(looks),
        used=tuple(entry.name for entry in target.used),
        unpaired=dict(target.unpaired),
        failed=tuple(
            (dict(zip(asking.names, one.values, strict=True)), one.cause)
            for one in evaluations.failed
        ),
        cases=evaluations.count,
        directory=folder,
        result=str(evaluations.directory(best).relative_to(folder)),
        measured=target.measured.title or str(target.measured.path or "measurements"),
        settings=settings,
    )


def _of_search(found: Minimum, failed: Sequence[Failed], held: Mapping[str, int]) -> Iterable[str]:
    if not found.converged:
        yield f"the search has not ended: {found.reason}; allow more with --most"
    elif (left := float(np.abs(found.left).max(initial=0.0))) > 0.5:
        yield (
            f"the minimum may lie {left:.1f} standard errors away: the results are too rough to"
            " tell; tighten numerics.rtol or the mesh, or take a larger --step"
        )
    for name, count in held.items():
        points = f"{count} point{'s' * (count > 1)}"
        yield f"{name}: at {points} the simulation has no value; its nearest one counted there"
    if failed:
        cases = f"{len(failed)} case{'s' * (len(failed) > 1)}"
        yield f"{cases} gave no sound result, and the search turned back there: {failed[0].cause}"


def _write(made: Fit, asking: Question, target: Target, start: Path) -> None:
    """``fit.json``, ``best.toml``, the table of all cases, and the page."""
    from nmcsim.fitting.page import write_page

    folder = made.directory
    with tempfile.TemporaryDirectory(dir=folder, prefix=".best") as aside, writing(folder / BEST):
        written = asking.case(made.best).write(aside)
        if (written.parent / "inputs").is_dir():
            shutil.copytree(written.parent / "inputs", folder / "inputs", dirs_exist_ok=True)
        written.replace(folder / BEST)
    write_page(made, target.compared(start), target.compared(folder / made.result))
    made.write()  # last: where it is, all is


def ended(folder: Path) -> bool:
    """Whether a fit has ended there."""
    return (folder / FILE).is_file()
