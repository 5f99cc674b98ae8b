"""Forty random electrodes: ``python -m tests.robustness`` runs them and writes docs/vv.

Every case is drawn from the ranges of `draw` by its seed alone. A run has to end by its protocol,
or at a limit of the physics that it names together with the particle; a failure of the solver, a
minute of CPU, a number that is none or a balance that drifts never counts as an end.

    python -m tests.robustness             what has no result yet, then the page
    python -m tests.robustness 3 17        these again; those from 40 on are not kept
    python -m tests.robustness --again     all
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nmcsim.errors import InputError, NmcsimError
from nmcsim.materials import parse_law

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "docs" / "vv" / "electrode_robustness.json"
PAGE = KEPT.with_suffix(".md")
COUNT = 40
CPU_LIMIT = 60.0  # [s]
LIMITS = ("lithium", "range", "electrolyte")
"""What the electrode's guards call their events: limits of the physics."""
ASTRAY = 5e-3
"""Error of a potential [V], ten tolerances, that is a wrong solution and not an inexact one."""
FINITE = ("voltage", "current", "charge", "theta_mean", "theta_min", "theta_max")

LINEAR_U = "4.45 - 1.1*theta + 0.3*exp(-theta/0.02) - 0.6*exp((theta - 1)/0.01) [V]"
"""An open-circuit potential that rises at 0 and falls at 1, known over the whole range."""


# -- what is drawn ----------------------------------------------------------------------------


def draw(seed: int) -> dict[str, Any]:
    """The content of one case file."""
    rng = np.random.default_rng([4, seed])
    theta = round(float(rng.uniform(0.35, 0.995)), 3)
    laws = _material(rng)
    inside = bool(rng.random() < 0.5)  # stop at the end of the laws, or go on to 0 or 1
    found: dict[str, Any] = {
        "title": f"Random electrode {seed}",
        "model": "electrode",
        "geometry": _geometry(rng),
        "material": laws,
        "electrolyte": _electrolyte(rng),
        "physics": {"temperature": f"{rng.uniform(273.0, 323.0):.4g} K", "extrapolate": True},
        "binder": {
            "conductivity": f"{_decades(rng, 1, 4):.2e} S/m",
            "porosity": round(float(rng.uniform(0.0, 0.6)), 2),
            "bruggeman": round(float(rng.uniform(1.5, 3.0)), 2),
            "wetted": round(float(rng.choice([0.0, rng.uniform(0.0, 1.0), 1.0])), 2),
        },
        "contact": {"conductivity": f"{_decades(rng, -5, 2):.2e} S/m"},
        "lithium": (
            {"kinetics": "ideal"}
            if rng.random() < 0.15
            else {"exchange_current": f"{_decades(rng, 0, 2):.2e} A/m2"}
        ),
        "numerics": {
            "steps_per_phase": int(rng.choice([20, 50])),
            "rtol": float(rng.choice([5e-4, 1e-3])),
        },
        "output": {"frames": 3},
    }
    U = _open_circuit(laws)
    if inside and U.valid[0] <= theta <= U.valid[1]:
        found["physics"]["extrapolate"] = False
    found["protocol"] = _protocol(rng, U, theta)
    return found


def _decades(rng: Any, low: float, high: float) -> float:
    return float(10.0 ** rng.uniform(low, high))


def _geometry(rng: Any) -> dict[str, Any]:
    cells = {"depth": "10 um", "cell_size": "3 um", "interface_cell_size": "1.4 um"}
    cells |= {"cells_across": 1.0}
    kind = rng.choice(["columns", "columns", "cracked", "packing", "isolated"])
    coverage = round(float(rng.uniform(0.2, 0.6)), 2)
    if kind == "packing":
        return cells | {
            "shape": "packing",
            "number": int(rng.integers(6, 9)),
            "width": "34 um",
            "height": "34 um",
            "seed": int(rng.integers(100)),
            "binder_share": 0.15,
            "coverage": round(float(rng.uniform(0.2, 0.45)), 2),
            "allow_isolated": True,
        }
    columns = int(rng.integers(2, 6)) if kind == "columns" else int(rng.integers(2, 4))
    found = cells | {"shape": "columns", "columns": columns, "coverage": coverage}
    if kind == "cracked":
        crack = {
            "particle": columns + int(rng.integers(columns)),
            "angle": f"{rng.uniform(50.0, 130.0):.3g} deg",
            "offset": round(float(rng.uniform(-0.3, 0.3)), 2),
        }
        found["cracked"] = [crack]
    elif kind == "isolated":
        found["posts"] = []
    return found


def _material(rng: Any) -> dict[str, Any]:
    high, low = sorted((rng.uniform(-9, 0), rng.uniform(-9, 0)), reverse=True)
    if rng.random() < 0.1:
        high, low = low, high  # conducts less when charged
    middle, width = rng.uniform(0.5, 0.97), _decades(rng, -2, -1)
    K = f"10**({high:.2f} + ({low - high:.2f})*logistic((theta - {middle:.3f})/{width:.3f})) [S/m]"
    plateau, full = rng.uniform(-16, -13), rng.uniform(-19, -14)
    middle, width = rng.uniform(0.7, 0.95), _decades(rng, -2, -1)
    D = f"10**({plateau:.2f} + ({full - plateau:.2f})*logistic((theta - {middle:.3f})/{width:.3f}))"
    U = str(rng.choice(["nmc532_flat", "nmc532_colclasure2020", "nmc532_mohtat2020", LINEAR_U]))
    i0 = _decades(rng, -2, 1)
    return {
        "name": "nmc532",
        "K": K,
        "D_chem": f"{D} [m2/s]",
        "U": U,
        "i0": f"{2.0 * i0:.2e}*sqrt(theta*(1 - theta) + 1e-4) [A/m2]",
    }


def _open_circuit(laws: Mapping[str, Any]) -> Any:
    return parse_law(laws["U"], "U", "V", ROOT)


def _electrolyte(rng: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": str(rng.choice(["nyman2008", "landesfeind2019_ec_emc", "valoen2005"])),
        "concentration": f"{rng.uniform(300.0, 1800.0):.4g} mol/m3",
        "transport": str(rng.choice(["resolved", "equipotential"], p=[0.85, 0.15])),
    }
    if rng.random() < 0.3:
        found["D"] = f"{_decades(rng, -12, -10):.2e} m2/s"
        found["kappa"] = f"{_decades(rng, -2, 0):.2e} S/m"
    return found


def _protocol(rng: Any, U: Any, theta: float) -> dict[str, Any]:
    lo, hi = (float(U.evaluate(np.array(end))) for end in reversed(U.valid))
    start = float(U.evaluate(np.array(min(max(theta, U.valid[0]), U.valid[1]))))
    # cut-offs up to a volt beyond what is open-circuit: surfaces run empty or full before
    least = min(max(4.1, start + 0.05), hi + 0.8)
    upper = round(float(rng.uniform(least, hi + 0.9)), 2)
    most = max(min(3.2, start - 0.05), lo - 0.8)
    lower = round(max(float(rng.uniform(lo - 0.9, most)), 0.5), 2)

    def rate() -> str:
        n = _decades(rng, -2, np.log10(5.0))
        return f"{n:.3g}C"

    def hold(volts: float) -> str:
        volts = round(min(max(volts, lo + 0.02), hi - 0.02), 2)
        hours, least = rng.choice([1, 20]), rng.choice([20, 50])
        return f"Hold at {volts} V for {hours} hours or until C/{least}"

    charge = [f"Charge at {rate()} until {upper} V", hold(upper)]
    discharge = [f"Discharge at {rate()} until {lower} V", hold(lower)]
    steps = [*charge, *discharge] if theta > 0.6 else [*discharge, *charge]
    if rng.random() < 0.5:
        steps.insert(int(rng.integers(1, 4)), "Rest for 1 hour")
    if rng.random() < 0.3:
        steps.append(steps[0])
    return {"capacity": "180 mAh/g", "initial": theta, "steps": steps}


# -- what is run ------------------------------------------------------------------------------


class TooLong(BaseException):
    """A case took more CPU than it may."""


@contextlib.contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in what takes more CPU than that; programs it starts are not counted."""

    def stop(number: int, frame: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def run(case: Any) -> dict[str, Any]:
    """Run a case, and say how it ended: ``ended`` is "protocol", "limit" or "failed"."""
    from nmcsim.results import Result
    from nmcsim.run import simulate

    began = time.process_time()
    said = ""
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        try:
            with cpu_limit(CPU_LIMIT), watched(seen):
                simulate(case, out)
        except TooLong:
            return {"ended": "failed", "sentence": f"not over after {CPU_LIMIT:g} s of CPU"}
        except NmcsimError as error:
            said = str(error).replace(folder, "")
        result = Result.load(out)
    counts = result.summary.get("counts", result.summary)
    found = {
        "unknowns": result.provenance["unknowns"],
        "cpu": round(time.process_time() - began, 1),
        "steps": counts["steps"],
        "rejected": counts["rejected"],
        "newton_failures": counts["newton_failures"],
        "rescues": seen.rescues,
        "astray": seen.astray,
        "drift": max(result.summary["balance"].values(), default=0.0),
        "ends": [
            {key: step[key] for key in ("sentence", "ended_by", "t_end")} for step in result.steps
        ],
    }
    return found | _end(result, said, seen.astray)


@dataclass
class Seen:
    """What a run does not keep: the worst error of a potential [V], and how often potentials were
    fitted anew in the middle of a step.
    """

    astray: float = 0.0
    rescues: int = 0


@contextlib.contextmanager
def watched(seen: Seen) -> Iterator[None]:
    """Where each step of a protocol ends, compare the potentials with those that lithium and salt
    ask for, found afresh with a new Jacobian in each iteration.
    """
    import nmcsim.run
    from nmcsim.solve.start import consistent

    plain = nmcsim.run.advance

    def watching(ndf: Any, *arguments: Any) -> Any:
        ended = plain(ndf, *arguments)
        problem = ndf.system
        fitted, _ = consistent(problem, ndf.norm, ndf.t, ndf.u, Counter())
        for name in ("phi_s", "phi_l", "voltage"):
            where = problem.slice(name)
            error = float(np.abs(fitted[where] - ndf.u[where]).max(initial=0.0))
            seen.astray = max(seen.astray, error)
        seen.rescues = ndf.counts["rescues"]
        return ended

    nmcsim.run.advance = watching
    try:
        yield
    finally:
        nmcsim.run.advance = plain


def _end(result: Any, said: str, astray: float) -> dict[str, str]:
    wrong = _wrong(result)
    if not wrong and astray > ASTRAY:
        wrong = f"potentials are {1e3 * astray:.3g} mV from those that fit"
    if result.status == "finished" and not wrong:
        return {"ended": "protocol", "sentence": result.steps[-1]["reason"]}
    if result.status == "ended early" and not wrong:
        last = result.steps[-1]
        if last["ended_by"] in LIMITS and re.search(r" (in|near) particle\[\d+\]", last["reason"]):
            return {"ended": "limit", "sentence": last["reason"]}
    return {"ended": "failed", "sentence": wrong or said or str(result.steps[-1:])}


def _wrong(result: Any) -> str:
    """What a run says that cannot be, however it ended."""
    for name in FINITE:
        if name in result.history and not np.isfinite(result[name].values).all():
            return f"{name} is not a number"
    if not result.history:
        return ""
    low, high = result["theta_min"].values.min(), result["theta_max"].values.max()
    if low < -0.01 or high > 1.01:
        return f"theta from {low:.3g} to {high:.3g}"
    return ""


def case_of(seed: int) -> Any:
    """The checked case."""
    import nmcsim.case.loading  # noqa: F401 - registers the models
    from nmcsim.case.model import from_data

    content = draw(seed)
    for _ in range(20):
        try:
            return from_data(content, ROOT)
        except InputError as error:
            if "geometry" in str(error):  # binder reaches too few of the particles: pack them anew
                content["geometry"]["seed"] += 1
            else:  # the laws end before what is asked for
                content["physics"]["extrapolate"] = True
    raise AssertionError(f"no case of seed {seed}")


# -- what is kept -----------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Run what is asked for, keep each result at once, and write the page."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    asked = [int(a) for a in arguments if a.isdigit()]
    for seed in asked or range(COUNT):
        drawn = digest(draw(seed))
        known = kept.get(str(seed), {}).get("drawn") == drawn
        if known and not asked and "--again" not in arguments:
            continue
        found = run(case_of(seed))
        print(seed, _line(found), flush=True)
        if seed >= COUNT:
            continue
        kept[str(seed)] = {"drawn": drawn} | found
        kept = {key: kept[key] for key in sorted(kept, key=int)}
        KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")
    failed = [seed for seed, found in kept.items() if found["ended"] == "failed"]
    print(f"{len(kept) - len(failed)} of {len(kept)} ended; failed: {', '.join(failed) or 'none'}")
    return int(len(failed) > 1)


def digest(content: Mapping[str, Any]) -> str:
    """What is drawn, in 16 digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _line(found: Mapping[str, Any]) -> str:
    numbers = " ".join(
        f"{key}={found[key]:.3g}"
        for key in (
            "unknowns",
            "cpu",
            "steps",
            "rejected",
            "newton_failures",
            "rescues",
            "drift",
            "astray",
        )
        if key in found
    )
    return f"{found['ended']:9s} {numbers}\n    {found['sentence']}"


# -- the page ---------------------------------------------------------------------------------


def filled(page: str, kept: Mapping[str, Any]) -> str:
    """The page with the summary and the table of these results."""
    for name, text in (("summary", _summary(kept)), ("table", _table(kept))):
        mark = re.compile(rf"<!-- {name} -->\n.*?<!-- end -->", flags=re.DOTALL)
        page = mark.sub(lambda _, t=text, n=name: f"<!-- {n} -->\n{t}\n<!-- end -->", page)
    return page


def _summary(kept: Mapping[str, Any]) -> str:
    ends = [_kind(found) for found in kept.values()]
    lines = ["| how a run ended | of 40 |", "|---|---|"]
    lines += [f"| {kind} | {ends.count(kind)} |" for kind in KINDS if kind in ends]
    drift = max(found.get("drift", 0.0) for found in kept.values())
    astray = max(found.get("astray", 0.0) for found in kept.values())
    rescues = sum(found.get("rescues", 0) for found in kept.values())
    cpu = sum(found.get("cpu", CPU_LIMIT) for found in kept.values())
    return "\n".join(lines) + (
        f"\n\nThe worst balance of all runs drifted by {drift:.0e}; the potentials were at most"
        f" {1e3 * astray:.2g} mV from those that lithium and salt ask for, wherever a step of a"
        f" protocol ended. Within a step they were fitted anew {rescues} times. All runs took"
        f" {cpu:.0f} s of CPU."
    )


KINDS = {
    "by its protocol": "",
    "no lithium left at a surface": "lithium runs out",
    "sites full at a surface": "lithium fills",
    "electrolyte depleted": "the electrolyte is depleted",
    "end of the laws' range": "theta = ",
    "**failed**": "",
}


def _kind(found: Mapping[str, Any]) -> str:
    if found["ended"] == "limit":
        return next(k for k, text in KINDS.items() if text and found["sentence"].startswith(text))
    return "by its protocol" if found["ended"] == "protocol" else "**failed**"


def _table(kept: Mapping[str, Any]) -> str:
    head = (
        "seed", "electrode", "K [S/m]", "D [m2/s]", "i0 [A/m2]", "liquid", "start", "rates [C]",
        "ended", "where", "unknowns", "steps", "rejected", "Newton failures",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for seed, found in kept.items():
        cells = [seed, *_said(draw(int(seed))), _kind(found), _where(found)]
        cells += [str(found.get(k, "")) for k in ("unknowns", "steps", "rejected")]
        lines.append("| " + " | ".join([*cells, str(found.get("newton_failures", ""))]) + " |")
    return "\n".join(lines)


def _said(content: Mapping[str, Any]) -> list[str]:
    """What was drawn, in a few words."""
    shape, laws, liquid = content["geometry"], content["material"], content["electrolyte"]
    electrode = shape["shape"]
    if electrode == "columns":
        kind = "cracked" if "cracked" in shape else "no post" if "posts" in shape else ""
        electrode = f"{shape['columns']} columns{', ' * bool(kind)}{kind}"

    def span(key: str, symbol: str, unit: str) -> str:
        law = parse_law(laws[key], symbol, unit, ROOT)
        full, empty = law.evaluate(np.array(law.valid[::-1]))
        return f"{full:.0e} to {empty:.0e}"

    i0 = 0.5 * float(laws["i0"].split("*")[0])
    salt = f"{liquid['concentration'].removesuffix(' mol/m3')} mol/m3"
    if liquid["transport"] == "equipotential":
        salt = "equipotential"
    elif "D" in liquid:
        salt += ", slow"
    rates = [re.search(r" at ([0-9.e-]+)C", step) for step in content["protocol"]["steps"]]
    return [
        electrode,
        span("K", "K", "S/m"),
        span("D_chem", "D_chem", "m2/s"),
        f"{i0:.2g}",
        salt,
        f"{content['protocol']['initial']:g}",
        ", ".join(f"{float(rate[1]):.2g}" for rate in rates if rate),
    ]


def _where(found: Mapping[str, Any]) -> str:
    place = re.search(r"(?:in|near) (particle\[\d+\])", found["sentence"])
    step = f"step {len(found.get('ends', ()))}"
    return f"{step}, {place[1]}" if place else step


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
