"""Every shipped case, run with --coarse, gives the numbers that it gave before, and a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nmcsim.figures import drawable, write_joint
from nmcsim.report import write_report
from nmcsim.results import Result

from .headline import CASES, COMMAND, VALUES, headline, moved, run_coarse

FILES = sorted(path.stem for path in CASES.glob("*.toml"))
DRAWN = ("crystal_cycle", "crystal_cylinder", "crystal_hexagon", "electrode_high_K")
"""One case of each kind of figure; the others are drawn by `make test-slow`."""
LONG = ("electrode_C5", "electrode_constant_D", "electrode_k_soc", "electrode_packing",
        "electrode_packing_3d")  # fmt: skip
"""Cases of more than some 15 s even when coarse: for `make test-slow`."""
QUICK = [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in FILES]
Run = Callable[[str], Result]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a case once in the session."""
    folder = tmp_path_factory.mktemp("cases")
    done: dict[str, Result] = {}

    def once(name: str) -> Result:
        if name not in done:
            done[name] = run_coarse(name, folder)
        return done[name]

    return once


@pytest.mark.parametrize("name", QUICK)
def test_a_case_gives_the_stored_numbers(run: Run, name: str):
    stored = json.loads(VALUES.read_text()).get(name)
    assert stored is not None, (
        f"cases/{name}.toml has no stored numbers; look at its report, then {COMMAND} {name}"
    )
    found = moved(headline(run(name)), stored)
    assert not found, "\n".join([*found, f"if that is meant: CHANGELOG.md, then {COMMAND} {name}"])
    summary = run(name).summary
    assert max(summary["balance"].values()) < summary["drift_limit"]


@pytest.mark.parametrize("name", FILES)
def test_a_case_opens_with_its_question(name: str):
    first, *_ = (CASES / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ")
    assert first.endswith("?")


@pytest.mark.parametrize(
    "name",
    [name if name in DRAWN else pytest.param(name, marks=pytest.mark.slow) for name in FILES],
)
def test_a_case_ends_in_figures_and_a_report(run: Run, name: str):
    result = run(name)
    page = result.directory / "report.html"
    write_report(result, page)
    assert 1e5 < page.stat().st_size < 8e6
    kinds = {kind.name for kind in drawable(result)}
    assert kinds >= (
        {"activation_curves", "maps", "cycles"}
        if result.particles
        else {"overview", "theta_maps", "voltage", "asymmetry", "kymograph"}
    )
    for kind in kinds:
        assert (result.directory / "figures" / f"{kind}.pdf").stat().st_size > 1000


def test_stored_numbers_belong_to_cases_that_are_there():
    assert set(json.loads(VALUES.read_text())) == set(FILES)
    assert VALUES.stat().st_size < 40_000


def test_moved_numbers_are_named(run: Run):
    stored = headline(run("crystal_fresh_1C"))
    assert moved(stored, stored) == []
    later = json.loads(json.dumps(stored))
    later["steps"][0]["t_end"] *= 1.01
    (said,) = moved(later, stored)
    assert said.startswith("step 1: t_end = 34")
    assert moved(later | {"status": "failed"}, stored) == ["status is failed, was finished"]
    assert moved(later | {"steps": []}, stored) == ["0 steps, were 1"]


def test_blocked_surface_costs_capacity_and_rate_makes_it_worse(run: Run):
    def delivered(name: str) -> float:
        return float(run(name)["capacity"].values[-1])

    fresh, aged = (
        [delivered(f"crystal_{kind}_{rate}") for rate in ("C3", "1C", "2C", "5C")]
        for kind in ("fresh", "aged")
    )
    assert np.all(np.diff(fresh) < 0.0)
    assert np.all(np.diff(aged) < 0.0)
    lost = 1.0 - np.array(aged) / np.array(fresh)
    assert np.all(np.diff(lost) > 0.0)
    assert lost[0] > 0.0


def test_the_cylinder_does_what_its_section_does(run: Run):
    whole, section = run("crystal_cylinder"), run("crystal_aged_1C")
    # mesh: 10 cells across against 20
    assert whole.steps[0]["t_end"] == pytest.approx(section.steps[0]["t_end"], rel=1e-3)


def test_a_hold_holds_and_a_rest_evens_out(run: Run):
    cycle = run("crystal_cycle")
    step, volts = cycle["step"].values, cycle["voltage"].values
    held = volts[step == 2]
    assert np.abs(held - 4.3).max() < 1e-6
    assert np.all(np.abs(cycle["current"].values[step == 3]) < 1e-18)
    spread = cycle["theta_max"].values - cycle["theta_min"].values
    ends = [spread[np.flatnonzero(step == number)[-1]] for number in (1, 2, 3)]
    assert ends[0] > 5 * ends[1] > 25 * ends[2]


def test_joint_figures_compare_the_rates(run: Run, tmp_path: Path):
    names = [f"crystal_{kind}_{rate}" for kind in ("fresh", "aged") for rate in ("1C", "5C")]
    written = write_joint([run(name) for name in names], tmp_path)
    assert [path.name for path in written] == ["asymmetry_of_several.png", "voltage_of_several.png"]
    table = np.loadtxt(tmp_path / "voltage_of_several.csv", delimiter=",", skiprows=1)
    assert set(table[:, 0]) == {1.0, 2.0, 3.0, 4.0}
