"""Electrodes in three dimensions: particles under caps and spheres in piles do what they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nmcsim.mesh
from nmcsim.case import load
from nmcsim.models import MODELS
from nmcsim.results import Result
from nmcsim.run import simulate
from nmcsim.runtime import MPI

CASE = """
title = "Small"
model = "electrode"
[geometry]
{geometry}
[material]
name = "nmc532_pristine"
[electrolyte]
name = "nyman2008"
{electrolyte}
[physics]
temperature = "298.15 K"
[protocol]
capacity = "180 mAh/g"
initial = 0.99
steps = ["Charge at C/20 for 30 minutes", "Hold at 3.75 V for 10 minutes", "Rest for 1 minute"]
[numerics]
rtol = 1e-4
steps_per_phase = 10
[output]
frames = 2
"""
PILE = """
shape = "spheres"
number = 3
width = "13 um"
depth = "13 um"
height = "34 um"
separator = "3 um"
spread = 0.0
cell_size = "4 um"
"""
CAP = 'shape = "capped"\ncoverage = 0.1\ncell_size = "2 um"'
EQUIPOTENTIAL = 'transport = "equipotential"'


def case(folder: Path, geometry: str, electrolyte: str = "", **numerics: str) -> Any:
    path = folder / "case.toml"
    path.write_text(CASE.format(geometry=geometry, electrolyte=electrolyte))
    return load(path, [f'numerics.{key}="{value}"' for key, value in numerics.items()])


@pytest.fixture(scope="module")
def piles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Three spheres, one upon the other, by either linear solver."""
    found = {}
    for solver in ("direct", "iterative"):
        folder = tmp_path_factory.mktemp(solver)
        found[solver] = simulate(case(folder, PILE, linear_solver=solver), folder / "out")
    return found


def test_iterations_and_a_factorisation_give_the_same_run(piles: dict[str, Result]) -> None:
    """To the tolerance of the time integration: steps are chosen by errors that differ a little."""
    direct, iterative = piles["direct"], piles["iterative"]
    times = np.linspace(100.0, 2400.0, 40)
    for name, near in (("voltage", 2e-4), ("theta_mean", 2e-5), ("charge", 2e-4)):
        a, b = (np.interp(times, r["time"].values, r[name].values) for r in (direct, iterative))
        scale = 1.0 if name != "charge" else np.abs(a).max()
        assert np.abs(a - b).max() < near * scale, name
    ends = [r.particles.theta_mean[-1] for r in (direct, iterative)]
    assert ends[0] == pytest.approx(ends[1], abs=2e-4)
    for result in (direct, iterative):
        assert max(result.summary["balance"].values()) < result.summary["drift_limit"]


def test_what_hangs_farther_from_the_binder_switches_on_later(piles: dict[str, Result]) -> None:
    of = piles["iterative"].particles
    assert of.obstruction.tolist() == [0, 1, 2]
    assert of.active.all()
    lower, middle, upper = of.theta_mean[np.searchsorted(piles["iterative"]["time"].values, 1800.0)]
    assert lower < middle < upper


def test_a_particle_empties_first_where_its_binder_is(tmp_path: Path) -> None:
    """Pristine NMC conducts badly: 0.1 of the surface is under the cap, at the bottom."""
    asked = case(tmp_path, CAP, EQUIPOTENTIAL).replace("protocol.steps", ["Charge at C/20 for 1 h"])
    result = simulate(asked, tmp_path / "out")
    field = result.maps["theta"]
    bottom, top = (end(field.nodes[:, 1]) for end in (np.min, np.max))
    last = field.values[-1]
    near = last[field.nodes[:, 1] < bottom + 1e-6].mean()
    far = last[field.nodes[:, 1] > top - 1e-6].mean()
    assert near < far - 0.01
    assert max(result.summary["balance"].values()) < result.summary["drift_limit"]


def test_in_3d_iterations_are_taken_above_a_size(tmp_path: Path) -> None:
    for size, kind in (("2 um", "direct"), ("1 um", "iterative")):
        asked = case(tmp_path, CAP.replace("2 um", size), EQUIPOTENTIAL)
        mesh = nmcsim.mesh.build(asked.geometry, (), MPI.COMM_SELF)
        problem = MODELS["electrode"](asked, mesh).problem
        assert problem.solver.kind == kind
        assert (problem.global_size > 3000) == (kind == "iterative")
