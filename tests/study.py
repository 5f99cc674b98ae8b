"""The numbers of docs/vv/electrode_paper.md: what the composite electrode gives, and what moves it.

    python -m tests.study                        runs what is missing, then writes page and figures
    python -m tests.study sensitivity            one part of it; also cases, convergence
    python -m tests.study sensitivity/K_up       one run
    python -m tests.study --write                the page and the figures from what there is

Results are kept in build/study, one directory per run: an interrupted study goes on, and a run
whose case has changed is made again. After a change of the equations delete the directory. The
numbers go into docs/vv/electrode_paper.json, and from there into the tables of the page; the whole
study takes about a quarter of an hour of one core.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import nmcsim
from nmcsim.errors import InputError
from nmcsim.results import Result

from .vv import BOOK, ROOT, versions

KEPT = ROOT / "build" / "study"
PAGE = BOOK / "electrode_paper.md"
NUMBERS = BOOK / "electrode_paper.json"
FIGURES = ROOT / "docs" / "_static"

CYCLE = (
    "Charge at C/20 until 4.3 V",
    "Hold at 4.3 V until C/50",
    "Discharge at C/20 until 2.5 V",
    "Hold at 2.5 V until C/50",
)
CYCLE_AND_CHARGE = (*CYCLE, CYCLE[0])
DRAWN = {"activation_curves": 150, "maps": 140, "cycles": 150}
"""Figures of the page, and their resolution [dpi]."""
COARSER = 1.6
"""Factor of all cell sizes where many runs are compared with each other."""


@dataclass(frozen=True)
class Run:
    """One run of the study.

    Parameters
    ----------
    label : str
        What differs, as the page says it.
    case : str
        Of cases/.
    changes : mapping
        Dotted keys of the case and their values.
    cells : float
        Factor of all cell sizes.
    """

    label: str
    case: str = "electrode_paper"
    changes: Mapping[str, Any] = field(default_factory=dict)
    cells: float = 1.0

    def prepared(self) -> Any:
        """The case that is run."""
        case = _shipped(self.case)
        for key, value in self.changes.items():
            case = case.replace(key, value)
        return case.coarser(self.cells, 1.0) if self.cells != 1.0 else case


@cache
def _shipped(name: str) -> Any:
    return nmcsim.load(ROOT / "cases" / f"{name}.toml")


def _varied(label: str, **changes: Any) -> Run:
    """The paper's case up to the second charge, one thing changed, on coarser cells."""
    keys = {key.replace("__", "."): value for key, value in changes.items()}
    steps = {"protocol.steps": list(CYCLE_AND_CHARGE), "output.frames": 2}
    return Run(label, changes=steps | keys, cells=COARSER)


def _of_K(low: float = -6.0, place: float = 0.93, width: float = 0.015) -> str:
    return f"10**({low:g}*logistic((theta - {place:g})/{width:g})) [S/m]"


def _of_D(fall: float = -2.0, place: float = 0.88) -> str:
    return f"10**(-14 + {fall:g}*logistic((theta - {place:g})/0.03)) [m2/s]"


def _of_i0(factor: float) -> str:
    # F k N_L with k = 5e-11 m/s and N_L = 49 599 mol/m3 is 0.2393 A/m2
    return f"{0.239277 * factor:.6g}*sqrt(max(theta*(1 - theta), 1e-4)) [A/m2]"


def _of_park(factor: float) -> str:
    return f"{_of_i0(factor).removesuffix(' [A/m2]')}*logistic(-25*(theta - 0.6)) [A/m2]"


def _holds(cut_off: str) -> list[str]:
    return [step.replace("C/50", cut_off) for step in CYCLE_AND_CHARGE]


PARTS: dict[str, dict[str, Run]] = {
    "cases": {
        "paper": Run("the paper's case"),
        "high_K": Run("K = 1 S/m throughout", "electrode_high_K"),
        "constant_D": Run("D = 1e-14 m2/s throughout", "electrode_constant_D"),
        "coverage": Run("binder under all particles", "electrode_coverage"),
        "C5": Run("C/5", "electrode_C5"),
        "k_soc": Run("k that falls with lithium", "electrode_k_soc", cells=COARSER),
        "packing": Run("random packing of 24", "electrode_packing"),
        "particle_3d": Run("one sphere under a cap of binder", "electrode_particle_3d"),
        "cracked_small": Run(
            "two cracked particles, the larger fragment behind the smaller",
            "electrode_cracked",
            {"geometry.cracked": [
                {"particle": 2, "angle": "90 deg", "offset": 0.25},
                {"particle": 7, "angle": "90 deg", "offset": 0.25},
            ]},
            cells=COARSER,
        ),
        "cracked": Run("two cracked particles", "electrode_cracked"),
    },
    "sensitivity": {
        "base": _varied("the paper's case"),
        "K_up": _varied("K when full: 1e-5 S/m", material__K=_of_K(low=-5.0)),
        "K_down": _varied("K when full: 1e-7 S/m", material__K=_of_K(low=-7.0)),
        "K_earlier": _varied("K rises at 0.95", material__K=_of_K(place=0.95)),
        "K_later": _varied("K rises at 0.91", material__K=_of_K(place=0.91)),
        "K_steep": _varied("K rises within 0.010", material__K=_of_K(width=0.010)),
        "K_gentle": _varied("K rises within 0.020", material__K=_of_K(width=0.020)),
        "D_up": _varied("D when full: 3e-16 m2/s", material__D_chem=_of_D(fall=-1.523)),
        "D_down": _varied("D when full: 3.3e-17 m2/s", material__D_chem=_of_D(fall=-2.477)),
        "D_later": _varied("D falls at 0.90", material__D_chem=_of_D(place=0.90)),
        "D_earlier": _varied("D falls at 0.86", material__D_chem=_of_D(place=0.86)),
        "k_up": _varied("k x 3", material__i0=_of_i0(3.0)),
        "k_down": _varied("k / 3", material__i0=_of_i0(1.0 / 3.0)),
        "k_soc_fast": _varied("k of Park 2021, x 36", material__i0=_of_park(36.0)),
        "contact_up": _varied("contacts: 10 S/m", contact__conductivity="10 S/m"),
        "contact_down": _varied("contacts: 0.1 S/m", contact__conductivity="0.1 S/m"),
        "wider": _varied("contacts: 2.5 um wide", geometry__contact_width="2.5 um"),
        "narrower": _varied("contacts: 0.75 um wide", geometry__contact_width="0.75 um"),
        "covered": _varied("coverage 0.5", geometry__coverage=0.5),
        "bare": _varied("coverage 0.3", geometry__coverage=0.3),
        "fuller": _varied("initial theta 0.995", protocol__initial=0.995),
        "emptier": _varied("initial theta 0.98", protocol__initial=0.98),
        "short_hold": _varied("holds until C/25", protocol__steps=_holds("C/25")),
        "long_hold": _varied("holds until C/100", protocol__steps=_holds("C/100")),
        "ideal_salt": _varied(
            "thermodynamic factor 1", electrolyte__thermodynamic_factor="1 [1]"
        ),
        "nyman": _varied("electrolyte of Nyman 2008", electrolyte__name="nyman2008"),
    },
    "convergence": {
        "cells_2": Run("cells x 2", changes={"protocol.steps": list(CYCLE_AND_CHARGE)}, cells=2.0),
        "rtol": Run("tolerance 1e-4", changes={"numerics.rtol": 1e-4,
                                               "protocol.steps": list(CYCLE_AND_CHARGE)}),
        "cells_half": Run("cells / 2", changes={"protocol.steps": list(CYCLE_AND_CHARGE)},
                          cells=0.5),
    },
}  # fmt: skip


def done(part: str, name: str) -> Result:
    """The result of a run; computed if there is none of this very case."""
    case, folder = PARTS[part][name].prepared(), KEPT / part / name
    try:
        return nmcsim.simulate(case, out=folder, resume=True)
    except InputError:  # of another case: the study was changed
        return nmcsim.simulate(case, out=folder, overwrite=True)


# -- numbers ------------------------------------------------------------------------------------


def numbers(result: Result) -> dict[str, Any]:
    """What the page says of a run: hours from the start of each half-cycle, and shares."""
    of, summary = result.particles, result.summary
    assert of is not None
    seen = np.flatnonzero(of.observed).tolist() or list(range(len(of.names)))
    fragments = [i for i in range(len(of.names)) if of.fragment_of[i] >= 0 and i not in seen]
    shown = seen + fragments
    halves = []
    for half in summary["half_cycles"]:
        start = half["t_start"]
        times = {
            share: [_rounded(half[share][i], start, 3600.0) for i in shown]
            for share in ("t10", "t25", "t50", "t90")
        }
        halves.append(
            {
                "kind": half["kind"],
                "hours": _rounded(half["t_end_cc"], start, 3600.0),
                "asynchrony": _rounded(half["asynchrony"]),
                "asynchrony_all": _rounded(half["asynchrony_all"]),
                "homogenisation_minutes": [
                    _rounded(half["homogenisation"][i], 0.0, 60.0) for i in shown
                ],
            }
            | times
        )
    theta = [result[f"theta_{end}"].values for end in ("max", "min")]
    return {
        "unknowns": result.provenance["unknowns"],
        "particles": [
            {
                "name": of.names[i],
                "obstruction": int(of.obstruction[i]),
                "fragment_of": int(of.fragment_of[i]),
                "observed": bool(of.observed[i]),
                "area": _rounded(of.volume[i] / of.volume.max()),
            }
            for i in shown
        ],
        "halves": halves,
        "capacity_loss": [_rounded(loss) for loss in summary["capacity_loss"]],
        "done_at_13_h": _done(result, 13.0 * 3600.0),
        "widest_theta": _rounded(float(np.max(theta[0] - theta[1]))),
        "balance": max(summary["balance"].values()),
        "fits": [_fit(result, half) for half in summary["half_cycles"]],
    }


def _fit(result: Result, half: Mapping[str, Any]) -> dict[str, float] | None:
    """How t25, over the length of a half-cycle, depends on radius and obstruction of all particles:
    least squares; None where radii are equal.
    """
    of = result.particles
    assert of is not None
    if len(of.names) < FIT_FROM or np.ptp(of.volume) < 0.05 * of.volume.max():
        return None
    radius = 1e6 * np.sqrt(of.volume / (np.pi * result.case().geometry.depth))
    t25 = (np.array(half["t25"]) - half["t_start"]) / (half["t_end_cc"] - half["t_start"])
    known = np.column_stack([np.ones_like(radius), radius, of.obstruction])
    found, *_ = np.linalg.lstsq(known, t25, rcond=None)
    explained = 1.0 - np.var(t25 - known @ found) / np.var(t25)
    names = ("per_um", "per_obstruction", "explained")
    return {n: float(f"{x:.4g}") for n, x in zip(names, (*found[1:], explained), strict=True)}


FIT_FROM = 20
"""Particles of which a dependence on size is told."""


def _rounded(value: float | None, start: float = 0.0, unit: float = 1.0) -> float | None:
    return None if value is None else float(f"{(value - start) / unit:.5g}")


def _done(result: Result, time: float) -> float | None:
    """The least share of its own change in the first half-cycle that a followed particle has had
    at a time [s].
    """
    of, first = result.particles, result.summary["half_cycles"][0]
    assert of is not None
    if time > first["t_end"]:
        return None
    t = result["time"].values
    seen = np.flatnonzero(of.observed).tolist() or list(range(len(of.names)))
    theta = [np.interp([0.0, time, first["t_end"]], t, of.theta_mean[:, i]) for i in seen]
    return _rounded(min(float((a - b) / (a - c)) for a, b, c in theta))


def kept() -> dict[str, Any]:
    """The stored numbers."""
    found: dict[str, Any] = json.loads(NUMBERS.read_text(encoding="utf-8"))
    return found


def collect() -> dict[str, Any]:
    """The numbers of all runs that there are results of."""
    runs = {
        f"{part}/{name}": {"label": run.label, "cells": run.cells} | numbers(Result.load(folder))
        for part, named in PARTS.items()
        for name, run in named.items()
        if _finished(folder := KEPT / part / name)
    }
    return {"date": datetime.now(UTC).date().isoformat(), "versions": versions(), "runs": runs}


def _finished(folder: Path) -> bool:
    summary = folder / "summary.json"
    return summary.is_file() and json.loads(summary.read_text())["status"] == "finished"


# -- tables -------------------------------------------------------------------------------------

Numbers = Mapping[str, Any]


TOGETHER = 0.02
"""Asynchrony below which an order means nothing."""


def asynchronies(run: Numbers) -> tuple[float | None, float | None]:
    """Of the first and of the second charge."""
    found = [half["asynchrony"] for half in run["halves"] if half["kind"] == "charge"]
    return (*found, None, None)[0], (*found, None, None)[1]


def ratio(run: Numbers) -> float | None:
    """How many times more asynchronous the first charge is."""
    first, second = asynchronies(run)
    return first / second if first and second else None


def in_order(run: Numbers) -> bool:
    """Whether the followed particles switch on in the order of their obstruction."""
    followed = [i for i, p in enumerate(run["particles"]) if p["observed"]]
    t25 = run["halves"][0]["t25"]
    by_time = sorted(followed, key=lambda i: t25[i])
    blocked = [run["particles"][i]["obstruction"] for i in by_time]
    return blocked == sorted(blocked)


def _said(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else format(value, form)


def _series(values: Sequence[float | None], form: str = ".1f") -> str:
    return ", ".join(_said(value, form) for value in values)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(line) + " |" for line in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def compared(runs: Mapping[str, Numbers]) -> str:
    """What the paper reports beside what its case gives."""
    run = runs["cases/paper"]
    charge, discharge = run["halves"][0], run["halves"][1]
    first, second = asynchronies(run)
    order = ", ".join(p["name"].removeprefix("particle") for p in run["particles"])
    gaps = np.diff(charge["t25"])
    rows = [
        (
            "order of activation, first charge",
            "the top particles in the order of their obstruction (Fig. 4d)",
            f"the same: {order}, obstructions 0 to 4" if in_order(run) else "another",
        ),
        (
            "asynchrony, first charge",
            "asynchronous (no number)",
            f"{_said(first)} of the charge's {charge['hours']:.1f} h",
        ),
        ("asynchrony, first discharge", "synchronous", _said(discharge["asynchrony"], ".4f")),
        (
            "asynchrony, second charge",
            "synchronous",
            f"{_said(second, '.4f')}, {_said(ratio(run), '.1f')} times less than the first",
        ),
        ("loss, first cycle", "roughly 10 %", f"{100 * run['capacity_loss'][0]:.1f} %"),
        ("loss, second cycle", "negligible", f"{abs(100 * run['capacity_loss'][1]):.2f} %"),
        (
            "when particles switch on",
            "one after 3.3 h, its neighbour 3.2 h later (Fig. 2)",
            f"t25 after {_series(charge['t25'])} h: neighbours are {min(gaps):.1f} to"
            f" {max(gaps):.1f} h apart, the last is {charge['t25'][-1] - charge['t25'][0]:.1f} h"
            " after the first",
        ),
        (
            "without any change after 13 h",
            "many particles (Fig. 2i)",
            f"none: all have had {100 * run['done_at_13_h']:.0f} % of their change or more",
        ),
        (
            "time in which a particle evens out, first charge",
            "less than 14 min, and 2 min (Fig. 2)",
            f"{min(charge['homogenisation_minutes']):.0f} to"
            f" {max(charge['homogenisation_minutes']):.0f} min",
        ),
    ]
    if sphere := runs.get("cases/particle_3d"):
        rows.append(
            (
                "one particle in three dimensions, partly in contact",
                "uneven within itself (Fig. S5)",
                f"the same: theta differs by up to {sphere['widest_theta']:.2f} within it"
                " (`electrode_particle_3d`)",
            )
        )
    return _table(("", "paper", "model, the paper's case"), rows)


def cases(runs: Mapping[str, Numbers]) -> str:
    """The paper's case and its controls; those with a table of their own are not among them."""
    rows = []
    for name, run in PARTS["cases"].items():
        if name.startswith("cracked") or name == "particle_3d":
            continue
        if (found := runs.get(f"cases/{name}")) is None:
            continue
        first, second = asynchronies(found)
        discharge = [h["asynchrony"] for h in found["halves"] if h["kind"] == "discharge"]
        loss = found["capacity_loss"]
        rows.append(
            (
                f"`{run.case}`" + " (cells x 1.6)" * (run.cells != 1.0),
                _said(first, ".4f"),
                _said(discharge[0], ".4f") if discharge else "-",
                _said(second, ".4f"),
                _said(ratio(found), ".1f"),
                f"{100 * loss[0]:.1f} %" if loss else "-",
                ("yes" if in_order(found) else "no") if first > TOGETHER else "together",
                f"{min(found['halves'][0]['homogenisation_minutes']):.0f} to"
                f" {max(found['halves'][0]['homogenisation_minutes']):.0f} min",
            )
        )
    head = ("case", "first charge", "discharge", "second charge", "ratio", "loss", "in the order of"
            " obstruction", "uneven for")  # fmt: skip
    return _table(head, rows)


def cracked(runs: Mapping[str, Numbers]) -> str:
    """The fragments of the cracked particles."""
    rows = []
    for name, contact in (
        ("cracked", "smaller one behind the larger"),
        ("cracked_small", "larger one behind the smaller"),
    ):
        if (run := runs.get(f"cases/{name}")) is None:
            continue
        charge = run["halves"][0]
        for whole in sorted({p["fragment_of"] for p in run["particles"]} - {-1}):
            equal = all(
                p["obstruction"] == 0 for p in run["particles"] if p["fragment_of"] == whole
            )
            if equal and name != "cracked":
                continue
            pair = [i for i, p in enumerate(run["particles"]) if p["fragment_of"] == whole]
            rows += [
                (
                    "both in the binder" if equal else contact,
                    "larger" if k == 0 else "smaller",
                    *(f"{charge[share][i]:.2f} h" for share in ("t10", "t25", "t50")),
                )
                for k, i in enumerate(sorted(pair, key=lambda i: -run["particles"][i]["area"]))
            ]
    return _table(("contact", "fragment", "t10", "t25", "t50"), rows)


def packing(runs: Mapping[str, Numbers]) -> str:
    """What decides when a particle of the random packing takes part."""
    run, count, rows = runs["cases/packing"], {"charge": 0, "discharge": 0}, []
    for half, fit in zip(run["halves"], run["fits"], strict=True):
        count[half["kind"]] += 1
        rows.append(
            (
                f"{('first', 'second')[count[half['kind']] - 1]} {half['kind']}",
                f"{half['asynchrony']:.4f}",
                f"{half['asynchrony_all']:.4f}",
                f"{fit['per_obstruction']:.4f}",
                f"{fit['per_um']:.4f}",
                f"{100 * fit['explained']:.0f} %",
            )
        )
    head = ("half-cycle", "asynchrony, followed", "all particles", "t25 per obstruction",
            "t25 per µm of radius", "of the variance explained")  # fmt: skip
    return _table(head, rows)


def sensitivity(runs: Mapping[str, Numbers]) -> str:
    """How the headline numbers move with what is our choice."""
    return _moved(runs, {n: f"sensitivity/{n}" for n in PARTS["sensitivity"]})


def convergence(runs: Mapping[str, Numbers]) -> str:
    """The paper's case on finer and coarser cells and with a tighter tolerance."""
    names = {"cells_2": "convergence/cells_2", "base": "sensitivity/base", "paper": "cases/paper",
             "cells_half": "convergence/cells_half", "rtol": "convergence/rtol"}  # fmt: skip
    said = {"base": "cells x 1.6", "paper": "as shipped: tolerance 5e-4"}
    head = ("run", "unknowns", "first charge", "second charge", "ratio", "loss", "t25 of [5]",
            "t25 of [9]", "end of charge", "most that a t25 moves")  # fmt: skip
    base, rows = runs["cases/paper"], []
    for name, key in names.items():
        if (run := runs.get(key)) is None:
            continue
        first, second = asynchronies(run)
        charge = run["halves"][0]
        moves = np.abs(np.array(charge["t25"]) - base["halves"][0]["t25"]) / charge["hours"]
        rows.append(
            (
                said.get(name, run["label"]),
                f"{run['unknowns']}",
                _said(first, ".4f"),
                _said(second, ".4f"),
                _said(ratio(run), ".1f"),
                f"{100 * run['capacity_loss'][0]:.2f} %",
                f"{charge['t25'][0]:.2f} h",
                f"{charge['t25'][-1]:.2f} h",
                f"{charge['hours']:.3f} h",
                f"{100 * moves.max():.1f} % of the charge",
            )
        )
    return _table(head, rows)


def _moved(runs: Mapping[str, Numbers], names: Mapping[str, str]) -> str:
    head = ("changed", "first charge", "second charge", "ratio", "loss", "t25 of [5]", "t25 of [9]",
            "in the order of obstruction")  # fmt: skip
    rows = []
    for key in names.values():
        if (run := runs.get(key)) is None:
            continue
        first, second = asynchronies(run)
        t25 = run["halves"][0]["t25"]
        rows.append(
            (
                run["label"],
                _said(first),
                _said(second, ".4f"),
                _said(ratio(run), ".1f"),
                f"{100 * run['capacity_loss'][0]:.1f} %",
                f"{t25[0]:.1f} h",
                f"{t25[-1]:.1f} h",
                "yes" if in_order(run) else "no",
            )
        )
    return _table(head, rows)


TABLES = {
    "compared": compared,
    "cases": cases,
    "cracked": cracked,
    "packing": packing,
    "sensitivity": sensitivity,
    "convergence": convergence,
}


def written(text: str, content: Mapping[str, Any]) -> str:
    """The page with its tables, between ``<!-- study: NAME -->`` and ``<!-- end -->``, renewed."""
    said = ", ".join(f"{name} {version}" for name, version in content["versions"].items())

    def filled(found: re.Match[str]) -> str:
        table = TABLES[found[1]](content["runs"])
        stamp = f"Computed {content['date']} with {said}."
        return f"<!-- study: {found[1]} -->\n{table}\n\n{stamp}\n<!-- end -->"

    return re.sub(r"<!-- study: (\S+) -->\n.*?<!-- end -->", filled, text, flags=re.DOTALL)


def draw() -> None:
    """The figures of the page, from the paper's case."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from nmcsim.figures import FIGURES as KINDS
    from nmcsim.figures.style import styled

    result = Result.load(KEPT / "cases" / "paper")
    for kind in KINDS:
        if kind.name in DRAWN:
            figure = kind.draw(result)
            FigureCanvasAgg(figure)
            with styled():
                figure.savefig(FIGURES / f"electrode_{kind.name}.png", dpi=DRAWN[kind.name])


def main(arguments: Sequence[str]) -> None:
    """Run what is asked for and missing, then write numbers, page and figures."""
    asked = [a for a in arguments if a != "--write"]
    if "--write" not in arguments:
        for part, named in PARTS.items():
            for name, run in named.items():
                if not asked or part in asked or f"{part}/{name}" in asked:
                    print(f"{part}/{name}: {run.label}", flush=True)
                    done(part, name)
    content = collect()
    NUMBERS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), content), encoding="utf-8")
    draw()


if __name__ == "__main__":
    main(sys.argv[1:])
