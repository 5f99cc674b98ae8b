"""The headline numbers of a result, and how far they may move before someone must look.

Stored in ``values.json``; written only by hand, and only after a look at why they moved::

    .venv/bin/python -m tests.regression.headline                    all of cases/
    .venv/bin/python -m tests.regression.headline crystal_aged_1C    some
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import nmcsim
from nmcsim.results import Result

CASES = Path(__file__).resolve().parents[2] / "cases"
VALUES = Path(__file__).with_name("values.json")
COMMAND = "python -m tests.regression.headline"

TOLERANCES = {
    "t_end": 1e-3,  # relative; time step: --coarse has rtol 1e-3
    "voltage": 1e-3,  # V; mesh and time step
    "theta_mean": 1e-3,  # of theta; follows the time of the event
    "theta_min": 4e-3,  # of theta; mesh: the steepest place, of which D falls tenfold
    "theta_max": 2e-3,  # of theta; mesh
    "com_distance": 1e-8,  # m; mesh: the region is cut inside cells of 0.12 um
    "unreacted_share": 5e-3,  # of the area; mesh
    "asynchrony": 3e-3,  # of a half-cycle; time step: activation times are within 1e-3
    "capacity_loss": 2e-3,  # of the charge; time step
    "t25": 3e-3,  # of a half-cycle; time step
}
EARLY = 0.08
"""Share of 1C's charge at which the unreacted region is looked at: it is there in every case."""


def run_coarse(name: str, folder: Path) -> Result:
    """Run a case of ``cases/`` as ``nmcsim run --coarse`` does."""
    case = nmcsim.load(CASES / f"{name}.toml").coarse()
    return nmcsim.simulate(case, out=folder / name)


def headline(result: Result) -> dict[str, Any]:
    """Status, the end of each step, and what the model is about: the unreacted region early in the
    run of a crystal, the activation of an electrode's particles.
    """
    time = result["time"].values
    steps = []
    for step in result.steps:
        row = int(np.argmin(np.abs(time - step["t_end"])))
        names = ("voltage", "theta_mean", "theta_min", "theta_max")
        ends = {name: float(result[name].values[row]) for name in names}
        steps.append({"ended_by": step["ended_by"], "t_end": step["t_end"]} | ends)
    told = {"status": result.status, "steps": steps}
    return told | (_activation(result) if result.particles else {"early": _early(result)})


def _early(result: Result) -> dict[str, float]:
    """The unreacted region of a crystal."""
    first = result["step"].values == 1
    passed = np.abs(result["soc"].values - result["soc"].values[0])[first]
    return {
        name: float(np.interp(EARLY, passed, result[name].values[first]))
        for name in ("com_distance", "unreacted_share")
    }


def _activation(result: Result) -> dict[str, Any]:
    """Asynchrony of each half-cycle, loss of each cycle, and when the particles take part in the
    first half-cycle, from 0 at its start to 1 where its constant current ends.
    """
    assert result.particles is not None
    first = result.summary["half_cycles"][0]
    times = np.array(first["t25"], dtype=float)
    share = (times - first["t_start"]) / (first["t_end_cc"] - first["t_start"])
    summary = result.summary
    return {
        "asynchrony": _numbered(summary["asynchrony"]),
        "capacity_loss": _numbered(summary["capacity_loss"]),
        "t25": dict(zip(result.particles.names, share.tolist(), strict=True)),
    }


def _numbered(values: list[float]) -> dict[str, float]:
    return {str(number): value for number, value in enumerate(values, start=1)}


def moved(found: dict[str, Any], stored: dict[str, Any]) -> list[str]:
    """What differs by more than its tolerance, in words."""
    if found["status"] != stored["status"]:
        return [f"status is {found['status']}, was {stored['status']}"]
    if len(found["steps"]) != len(stored["steps"]):
        return [f"{len(found['steps'])} steps, were {len(stored['steps'])}"]
    said = []
    parts = [
        (f"step {number}", new, old)
        for number, (new, old) in enumerate(
            zip(found["steps"], stored["steps"], strict=True), start=1
        )
    ]
    parts += [
        (name, found[name], stored[name]) for name in stored if name not in ("status", "steps")
    ]
    for place, new, old in parts:
        if new.keys() != old.keys():
            said.append(f"{place}: has {', '.join(new)}, had {', '.join(old)}")
            continue
        for key, before in old.items():
            limit = TOLERANCES.get(key, TOLERANCES.get(place, 0.0))
            limit *= abs(before) if key == "t_end" else 1.0
            # words, and numbers that do not exist, must be the same
            known = isinstance(before, float) and isinstance(new[key], float)
            if not (abs(new[key] - before) <= limit if known else new[key] == before):
                said.append(f"{place}: {key} = {new[key]}, was {before} (tolerance {limit})")
    return said


def _rounded(value: Any) -> Any:
    """Seven digits, far below every tolerance."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


def main(names: list[str]) -> None:
    """Replace the stored numbers of the named cases, or of all."""
    known = json.loads(VALUES.read_text()) if VALUES.is_file() else {}
    shipped = sorted(path.stem for path in CASES.glob("*.toml"))
    with tempfile.TemporaryDirectory() as folder:
        for name in names or shipped:
            known[name] = _rounded(headline(run_coarse(name, Path(folder))))
            print(name, json.dumps(known[name]))
    kept = {name: known[name] for name in shipped if name in known}
    VALUES.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
