"""Known parameters come back from synthetic noisy data: real cases, real workers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nmcsim
from nmcsim.compare.frames import reduced_frames
from nmcsim.errors import InputError, RunFailure
from nmcsim.fitting import Fit
from nmcsim.measured import Measured, MeasuredSeries, Measurement
from tests.crystals import SMALL
from tests.launch.conftest import CASE
from tests.mpirun import ROOT, clean_environment

COVERAGE, D = "physics.rock_salt.coverage", "material.D_chem"
TRUE = {COVERAGE: 0.5, D: 1e-15}
LAWS = f'name = "nmc88"\nU = "4.4 - 0.8*theta [V]"\nD_chem = "{TRUE[D]!r} m2/s"'
CRYSTAL = (
    SMALL.replace('name = "nmc88"', LAWS)
    .replace('surface = "flux"', 'surface = "butler_volmer"')
    .replace("frames = 5", "frames = 24")
)
SIGMAS = 3.0
"""One key in 370 draws of the noise lies further away; the seeds are fixed."""


def solved(folder: Path) -> nmcsim.Result:
    """The case at its true values."""
    (folder / "case.toml").write_text(CRYSTAL)
    return nmcsim.simulate(nmcsim.load(folder / "case.toml"), folder / "true")


def noisy(name: str, unit: str, x: Any, values: Any, u: float, seed: int) -> Measurement:
    """A series along the state of charge with normal noise."""
    values = values + u * np.random.default_rng(seed).normal(size=len(x))
    series = MeasuredSeries(x, values, np.full(len(x), u), "soc", "1")
    return Measurement(name, unit, series=series)


def of_history(result: nmcsim.Result, *, distance: bool) -> Measured:
    """Voltage, and centre-of-mass distance, as a cycler and a microscope without blur have them."""
    x, soc = np.linspace(0.12, 0.32, 15), result["soc"].values
    found = [noisy("voltage", "mV", x, np.interp(x, soc, result["voltage"].values) * 1e3, 2.0, 1)]
    if distance:
        column = result["com_distance"].values
        there = np.isfinite(column)
        values = np.interp(x, soc[there], column[there]) * 1e9
        found.append(noisy("com_distance", "nm", x, values, 15.0, 2))
    return Measured("synthetic", "this test", tuple(found))


def within(fit: Fit, keys: tuple[str, ...]) -> None:
    """Assert that each true value lies within `SIGMAS` stated errors."""
    for key in keys:
        error = fit.errors[key]
        assert 0.0 < error < 0.2 * fit.values[key]
        assert abs(fit.values[key] - TRUE[key]) < SIGMAS * error, (key, fit.values[key], error)


def mark(directory: Path) -> dict[str, int]:
    """When each case was recorded."""
    folder = directory / "evaluations" / "records"
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.json")}


def test_a_diffusivity_comes_back_from_a_noisy_voltage(tmp_path: Path):
    measured = of_history(solved(tmp_path), distance=False)
    case = nmcsim.load(tmp_path / "case.toml").replace(D, "1.3e-15 m2/s")
    vary, out = {D: "5e-16:5e-15 m2/s"}, tmp_path / "fit"
    fit = nmcsim.fit(case, measured, vary, out=out, workers=2)
    assert fit.converged and fit.units == {D: "m2/s"} and fit.weighted
    within(fit, (D,))
    assert 0.2 < fit.reduced_chi2 < 2.5 and fit.count == 15 and fit.dof == 14
    assert [look.best for look in fit.looks][:1] == [True]
    # what is there: the numbers, a case that runs, a page without links to the network
    there = json.loads((out / "fit.json").read_text())
    assert there["keys"][D]["value"] == fit.values[D] and there["reduced_chi2"] == fit.reduced_chi2
    best = nmcsim.load(out / "best.toml")
    assert best.hash == Path(fit.result).name
    page = (out / "fit.html").read_text()
    assert "Best values" in page and "http://" not in page and "https://" not in page
    loaded = Fit.load(out)
    assert loaded.values == fit.values and loaded.errors == fit.errors
    assert loaded.table() == fit.table()
    # the same call solves nothing again, and says the same
    before = mark(out)
    again = nmcsim.fit(case, measured, vary, out=out, workers=2)
    assert mark(out) == before and again.values == fit.values and again.errors == fit.errors
    assert not (out / "evaluations" / "launches").exists()


@pytest.mark.slow
def test_a_killed_fit_goes_on_without_solving_anything_again(tmp_path: Path):
    of_history(solved(tmp_path), distance=True).write(tmp_path / "measured.toml")
    vary = [f"{COVERAGE}=0.2:0.8@0.42", f"{D}=3e-16:3e-14m2/s@2e-15m2/s"]
    words = [
        "fit",
        "case.toml",
        "measured.toml",
        "--out",
        "fit",
        "--vary",
        vary[0],
        "--vary",
        vary[1],
    ]
    command = [sys.executable, "-m", "nmcsim", *words]
    for number, how in ((4, signal.SIGKILL), (10, signal.SIGINT)):
        process = subprocess.Popen(
            command, cwd=tmp_path, env=clean_environment(), stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 120.0
        while len(mark(tmp_path / "fit")) < number:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(how)
        _, said = process.communicate(timeout=60)
        if how == signal.SIGINT:
            assert process.returncode == 130
            assert said.startswith("interrupted; to go on: nmcsim fit case.toml measured.toml")
    before = mark(tmp_path / "fit")
    done = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    after = mark(tmp_path / "fit")
    assert before.items() <= after.items() and len(after) > len(before)
    fit = Fit.load(tmp_path / "fit")
    assert fit.converged
    within(fit, (COVERAGE, D))
    assert f"  {COVERAGE}" in done.stdout and "correlation" in done.stdout
    # the two act alike on both curves, and that is said
    assert fit.correlation[0, 1] > 0.95
    assert any("hardly tell" in said or "do not tell" in said for said in fit.warnings)


@pytest.mark.slow
def test_two_parameters_come_back_through_the_simulated_camera(tmp_path: Path):
    # frames of the true case with the noise of 25 averaged exposures of 20,000 electrons
    camera = {"pixel": "69.4 nm"}
    true = Measured(operators={"camera": {**camera, "noise": 500000.0, "seed": 7}, "optical": {}})
    found = reduced_frames(solved(tmp_path), true).columns
    x = np.linspace(0.12, 0.36, 13)

    def read(name: str, unit: str, factor: float, u: float, seed: int) -> Measurement:
        values = factor * np.interp(x, found["soc"].values, found[name].values)
        return noisy(name, unit, x, values, u, seed)

    entries = (
        read("com_distance", "nm", 1e9, 15.0, 3),
        read("unreacted_share", "%", 100.0, 1.0, 4),
    )
    measured = Measured("frames", "this test", entries, {"camera": camera, "optical": {}})
    path = measured.write(tmp_path / "measured.toml")
    case = nmcsim.load(tmp_path / "case.toml").replace(D, "1.6e-15 m2/s").replace(COVERAGE, 0.42)
    vary = {COVERAGE: (0.2, 0.8), D: "3e-16:3e-14 m2/s"}
    fit = nmcsim.fit(case, path, vary, out=tmp_path / "fit")
    assert fit.converged and fit.used == ("com_distance", "unreacted_share")
    within(fit, (COVERAGE, D))
    assert fit.reduced_chi2 < 2.5


def test_what_the_first_result_lacks_is_left_out_or_refused(tmp_path: Path):
    solved(tmp_path)
    nothing = Measurement("hardness", "GPa", 3.0, 0.1)
    vary = {COVERAGE: (0.4, 0.6)}
    with pytest.raises(InputError, match='hardness nothing simulated is called "hardness"'):
        nmcsim.fit(tmp_path / "case.toml", Measured(entries=(nothing,)), vary, out=tmp_path / "no")
    time_end = Measurement("time_end", "s", 1500.0, 10.0)
    both = Measured(entries=(nothing, time_end))
    fit = nmcsim.fit(tmp_path / "case.toml", both, vary, out=tmp_path / "one", most=2)
    assert fit.used == ("time_end",) and list(fit.unpaired) == ["hardness"] and fit.dof == 0


def test_a_case_that_fails_at_the_start_says_why(tmp_path: Path):
    (tmp_path / "trouble.py").write_text((ROOT / "tests" / "shapes" / "trouble.py").read_text())
    (tmp_path / "case.toml").write_text(CASE)
    measured = Measured(entries=(Measurement("time_end", "s", 1500.0, 10.0),))
    with pytest.raises(RunFailure, match="the case to start from fails"):
        nmcsim.fit(
            tmp_path / "case.toml", measured, {COVERAGE: (0.3, 0.7)}, out=tmp_path / "fit",
            set={"geometry.trouble": "raise"},
        )  # fmt: skip
