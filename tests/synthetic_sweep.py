"""A plausible sweep without a solver: closed formulas of the parameters, written by the real
writers, so that tests can derive what a table, a figure or a report must show.

Crystal: coverage x flux ratio x rate, a charge and a discharge. With the share of the surface that
is blocked b = coverage (1 - flux_ratio), the rate r in C and s the share of the charge that passed

    soc(s)          = (0.9 - 0.08 r^(1/2) b) s           so that `soc_max` gives the capacity
    com_distance(s) = 1 um b r^(1/3) 4 s (1 - s)         largest, b r^(1/3) um, in the middle

Electrode: log10 K of the pristine particles x coverage, two cycles. Particle o, counted from the
binder, begins at the share 0.05 + d o of the first charge,

    d = 0.02 (1 - coverage) clip(-6 - log10 K, 0, 4)     so that asynchrony_charge_1 = 4 d

and all later half-cycles are synchronous.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmcsim import __version__
from nmcsim.results import ParticleSeries, Result, headline, series
from nmcsim.sweeps.observables import curves_of, observables_of
from nmcsim.sweeps.plan import Parameter, Plan, Planned
from nmcsim.sweeps.record import Record

__all__ = ["FAILURES", "RATES", "blocked", "delay", "soc_max", "synthetic_plan", "synthetic_sweep"]

Array = NDArray[np.float64]

RATES = {"C/3": 1 / 3, "1C": 1.0, "2C": 2.0, "5C": 5.0}
COVERAGE, RATIO, RATE = "physics.rock_salt.coverage", "physics.rock_salt.flux_ratio", "rate"
K, BINDER = "material.K", "binder.wetted"
PARTICLES = 5
FAILURES = (
    ("failure", "stopped at t = 412 s in step 1 (Charge at 5C): the step fell below 1e-09 s"),
    ("time limit", "took longer than the time limit of 10 min"),
    ("killed", "its worker died twice (signal 9); the machine may have run out of memory"),
)  # fmt: skip
"""Kind and cause of the cases that fail, in turn."""
BASE: dict[str, Any] = {
    "title": "Synthetic crystal",
    "model": "single_crystal",
    "geometry": {"shape": "disk", "diameter": "2.5 um", "height": "1.0 um"},
    "physics": {"rock_salt": {"coverage": 0.5, "flux_ratio": 0.0, "arrangement": "arc"}},
    "protocol": {"capacity": "200 mAh/g", "initial": 0.95, "steps": ["Charge at 1C until 4.3 V"]},
}
VERSIONS = {"python": "3.13.0", "dolfinx": "0.11.0.post0", "petsc": "3.25.5"}


def blocked(values: Any) -> float:
    """Share of a crystal's surface through which nothing passes."""
    return float(values[COVERAGE]) * (1.0 - float(values[RATIO]))


def soc_max(values: Any) -> float:
    """State of charge at which a crystal's charge ends."""
    return float(0.9 - 0.08 * np.sqrt(RATES[values[RATE]]) * blocked(values))


def delay(values: Any) -> float:
    """By what share of the first charge each particle of an electrode follows the one before."""
    decades = np.clip(-6.0 - np.log10(values[K]), 0.0, 4.0)
    return float(0.02 * (1.0 - values[BINDER]) * decades)


def synthetic_plan(
    cases: int = 48, model: str = "crystal", rates: Sequence[str] = ("C/3", "1C", "5C")
) -> Plan:
    """A plan of about as many cases: as many flux ratios as coverages, or K as coverages."""
    if model == "crystal":
        side = max(2, round(np.sqrt(cases / len(rates))))
        parameters = (
            Parameter(COVERAGE, "1", True),
            Parameter(RATIO, "1", True),
            Parameter(RATE, "", False),
        )
        axes: list[Any] = [np.linspace(0, 0.75, side), np.linspace(0, 0.6, side), rates]
    else:
        side = max(2, round(np.sqrt(cases)))
        parameters = (Parameter(K, "S/m", True), Parameter(BINDER, "1", True))
        axes = [np.geomspace(1e-9, 1e-6, side), np.linspace(0, 0.8, side)]
    planned = []
    for number, values in enumerate(itertools.product(*axes), start=1):
        named = {
            p.key: float(f"{v:.4g}") if p.numeric else v
            for p, v in zip(parameters, values, strict=True)
        }
        said = hashlib.sha256(json.dumps([model, named]).encode()).hexdigest()[:16]
        changes = {key: value for key, value in named.items() if "." in key}
        planned.append(Planned(number, said, named, changes))
    return Plan(
        title=f"Synthetic sweep of {'crystals' if model == 'crystal' else 'electrodes'}",
        path=None, folder=Path("/"), base=BASE, parameters=parameters, cases=tuple(planned),
    )  # fmt: skip


def synthetic_sweep(
    directory: Path,
    cases: int = 48,
    model: str = "crystal",
    *,
    failures: int = 3,
    missing: int = 0,
) -> Plan:
    """Write the directory of a sweep: its plan, and a record for each case.

    Parameters
    ----------
    directory : Path
        Made here.
    cases : int
        About.
    model : str
        "crystal" or "electrode".
    failures : int
        As many cases, spread over the plan, failed, by each of `FAILURES` in turn; one more of a
        crystal ended early where there are any.
    missing : int
        As many of the last cases have no record yet.
    """
    plan = synthetic_plan(cases, model)
    (directory / "records").mkdir(parents=True)
    (directory / "cases").mkdir()
    (directory / "claims").mkdir()
    plan.write(directory)
    count = len(plan.cases)
    failed = {round((k + 0.5) * count / failures): k for k in range(failures)}
    for planned in plan.cases[: count - missing]:
        index = planned.number - 1
        record = _record(planned, model)
        if index in failed:
            kind, cause = FAILURES[failed[index] % len(FAILURES)]
            died = kind == "killed"
            record = replace(
                record, status="failed", kind=kind, cause=cause, attempt=2 if died else 1,
                observables={} if died else record.observables,
                curves={} if died else record.curves,
            )  # fmt: skip
        elif index - 1 in failed and failed[index - 1] == 0:
            record = replace(record, status="ended early", cause="theta reached 0.005 at the edge")
        record.write(directory / "records" / f"{planned.hash}.json")
    return plan


def _record(planned: Planned, model: str) -> Record:
    result = _crystal(planned.values) if model == "crystal" else _electrode(planned.values)
    wall = 4.0 + 6.0 * ((37 * planned.number) % 11) / 11
    return Record(
        hash=planned.hash, status="finished", version=__version__, versions=VERSIONS,
        host="synthetic", started=1.79e9 + 5.0 * planned.number, wall=wall,
        timing={"mesh": 0.1, "solve": 0.8 * wall, "total": wall},
        observables=observables_of(result), curves=curves_of(result),
    )  # fmt: skip


def _result(
    columns: dict[str, Array],
    steps: list[dict[str, Any]],
    particles: ParticleSeries | None = None,
    **summary: Any,
) -> Result:
    history = series(columns)
    if particles is not None:
        summary |= headline(history, particles, steps, finished=True)
    counts = {"steps": len(columns["time"]) - 1, "rejected": 3}
    summary |= {"status": "finished", "counts": counts, "balance": {"lithium": 2e-15}}
    return Result(
        Path("synthetic"), {}, history, tuple(steps), json.loads(json.dumps(summary, default=list)),
        {"unknowns": 1318}, particles=particles,
    )  # fmt: skip


def _rows(
    kinds: Sequence[str], length: float, rows: int
) -> Iterator[tuple[str, int, Array, Array]]:
    """Kind, number from 0, times [s] and shares of each half-cycle."""
    share = np.linspace(0.0, 1.0, rows) ** 1.2
    for number, kind in enumerate(kinds):
        yield kind, number, length * (number + share), share


def _steps(kinds: Sequence[str], length: float, rate: str) -> list[dict[str, Any]]:
    return [
        {
            "number": n + 1, "sentence": f"{kind.capitalize()} at {rate}", "kind": kind,
            "ended_by": "voltage", "t_start": n * length, "t_end": (n + 1) * length,
            "reason": "V = 4.3 V" if kind == "charge" else "V = 3 V",
        }
        for n, kind in enumerate(kinds)
    ]  # fmt: skip


def _crystal(values: Any) -> Result:
    rate, share_blocked, top = RATES[values[RATE]], blocked(values), soc_max(values)
    kinds, length = ("charge", "discharge"), 3600.0 * top / rate
    blocks = []
    for kind, number, t, s in _rows(kinds, length, 120):
        sign = 1.0 if kind == "charge" else -1.0
        soc = top * (s if kind == "charge" else 1.0 - 0.97 * s)
        hump = share_blocked * rate ** (1 / 3) * 4.0 * s * (1.0 - s)
        theta, polarised = 0.95 - 0.72 * soc, 0.03 * sign * (1.0 + rate * (1.0 + share_blocked))
        blocks.append(
            {
                "time": t, "step": np.full(t.size, number + 1.0),
                "voltage": 3.62 + 0.6 * soc**1.4 + polarised * (1.0 - np.exp(-30.0 * s)),
                "current": np.full(t.size, sign * rate * 1.9e-12), "charge": 6.8e-9 * soc,
                "soc": soc, "theta_mean": theta, "theta_min": theta - 0.08 * (1.0 + hump),
                "theta_max": np.minimum(theta + 0.05 * (1.0 + hump), 1.0),
                "capacity": 7.2e5 * soc, "com_distance": 1e-6 * hump,
                "unreacted_share": 1.0 - 0.9 * s, "flux_max": np.full(t.size, 2.1e-6 * rate),
            }
        )  # fmt: skip
    columns = {name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]}
    return _result(columns, _steps(kinds, length, values[RATE]))


def _electrode(values: Any) -> Result:
    kinds, length = ("charge", "discharge", "charge", "discharge"), 20 * 3600.0
    behind = delay(values) * np.arange(PARTICLES)
    blocks, per_particle = [], []
    for kind, number, t, s in _rows(kinds, length, 120):
        began = 0.05 + behind if number == 0 else np.full(PARTICLES, 0.05)
        done = np.clip((s[:, None] - began) / 0.6, 0.0, 1.0)
        full, empty = (0.99 if number == 0 else 0.92), 0.34
        change = (empty - full) if kind == "charge" else (full - empty)
        theta = (full if kind == "charge" else empty) + change * done
        mean, sign = theta.mean(axis=1), 1.0 if kind == "charge" else -1.0
        soc = (0.99 - mean) / (0.99 - 0.34)
        blocks.append(
            {
                "time": t, "step": np.full(t.size, number + 1.0),
                "voltage": 3.6 + 0.7 * soc + 0.02 * sign + 0.3 * np.ptp(theta, axis=1),
                "current": np.full(t.size, sign * 1e-9), "charge": 7.2e-5 * soc, "soc": soc,
                "theta_mean": mean, "theta_min": theta.min(axis=1) - 0.01,
                "theta_max": theta.max(axis=1) + 0.001, "soc_variance": theta.var(axis=1),
                "V_electronic": 0.3 * np.ptp(theta, axis=1), "capacity": 5.5e5 * soc,
            }
        )  # fmt: skip
        per_particle.append(theta)
    columns = {name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]}
    count = np.ones(PARTICLES)
    particles = ParticleSeries(
        names=tuple(f"particle[{i}]" for i in range(PARTICLES)),
        centre=np.column_stack([np.arange(PARTICLES), np.zeros(PARTICLES)]), volume=count,
        obstruction=np.arange(PARTICLES), observed=count.astype(bool),
        fragment_of=np.full(PARTICLES, -1), active=count.astype(bool),
        series={"theta_mean": np.concatenate(per_particle)},
    )  # fmt: skip
    return _result(columns, _steps(kinds, length, "C/20"), particles)
