"""The 3D cylinder: the disk's numbers without transport along c, a known decay with it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

import nmcsim
from nmcsim.models.model import Model
from nmcsim.solve.drive import advance, restart
from nmcsim.solve.ndf import NDF
from tests.crystals import CONSTANT, RADIUS, crystal, first_state, modelled, observed, sized
from tests.vv import claim

CYLINDER = ('geometry.shape = "cylinder"', "geometry.layers = 4")
TIMES = [100.0, 300.0, 600.0]
UNTIL = 'protocol.steps = ["Charge at 1C for 600 s"]'


def spread_along_c(model: Model, state: np.ndarray) -> float:
    """Largest difference of theta between nodes above one another."""
    x = model.field.space.tabulate_dof_coordinates()[: model.field.owned]
    bottom = x[x[:, 2] < 1e-12]
    apart, column = cKDTree(bottom[:, :2]).query(x[:, :2])
    assert apart.max() < 1e-13  # nodes stand above one another, in m
    theta = state[model.problem.slice(model.field)]
    high, low = np.full(len(bottom), -np.inf), np.full(len(bottom), np.inf)
    np.maximum.at(high, column, theta)
    np.minimum.at(low, column, theta)
    assert np.all(np.bincount(column) == 9)  # quadratic cells in four layers
    return float((high - low).max())


def charged(model: Model, seconds: float) -> np.ndarray:
    model.set_current(model.one_c)
    ndf = NDF(model.problem, 1e-4)
    restart(ndf, 0.0, first_state(model), seconds / 10.0)
    return advance(ndf, seconds, [], seconds / 10.0, lambda *_: None).u


@pytest.mark.parametrize("surface", ["flux", "butler_volmer"])
def test_without_transport_along_c_every_section_is_the_same(surface: str) -> None:
    # solved to round-off, to see the symmetry of the mesh and not the tolerance of GMRES
    exactly = 'numerics.linear_solver = "direct"'
    model = modelled(crystal(*CYLINDER, f'physics.surface = "{surface}"', exactly, *sized(0.4)))
    spread = spread_along_c(model, charged(model, 300.0))
    claim("invariants", f"3D cylinder, {surface}", "theta along c", spread, below=1e-11)


def test_the_cylinder_gives_the_numbers_of_the_disk() -> None:
    """Half-blocked, nonlinear; the disk on a finer mesh, theta at 60 points and the asymmetry."""
    r, phi = np.meshgrid(np.array([0.0, 0.3, 0.6, 0.8, 0.9, 1.0]) * RADIUS,
                         2.0 * np.pi * np.arange(10) / 10, indexing="ij")  # fmt: skip
    runs = []
    for shape in (sized(0.1), (*CYLINDER[:1], "geometry.layers = 2", *sized(0.2))):
        case = crystal(*shape, UNTIL)
        runs.append(nmcsim.simulate(observed(case, r * np.cos(phi), r * np.sin(phi), TIMES)))
    disk, cylinder = (
        {t: int(np.argmin(np.abs(run.history["time"].values - t))) for t in TIMES} for run in runs
    )

    def gap(read) -> float:
        return max(
            float(np.abs(read(runs[0])[disk[t]] - read(runs[1])[cylinder[t]]).max()) for t in TIMES
        )

    name = "3D cylinder and disk, half-blocked, 1C"
    claim("exact", name, "theta, 60 points", gap(lambda run: run.points.theta), below=5e-3)  # mesh
    volts = 1e3 * gap(lambda run: run.history["voltage"].values)
    claim("exact", name, "voltage", volts, below=0.5, unit="mV")
    distance = 1e9 * gap(lambda run: run.history["com_distance"].values)
    claim("exact", name, "centre-of-mass distance", distance, below=2.0, unit="nm")
    share = gap(lambda run: run.history["unreacted_share"].values)
    claim("exact", name, "unreacted share", share, below=2e-3)
    mine, yours = (run.history["charge"].values[-1] for run in runs)
    assert yours == pytest.approx(mine, rel=1e-3)  # the meshed volume


@pytest.mark.parametrize("ratio", [0.1, 1.0])
def test_a_wave_along_c_decays_at_its_rate(ratio: float) -> None:
    """theta = 0.6 + 0.1 cos(pi z/h) with no flux anywhere: exp(-D_c (pi/h)^2 t), constant D."""
    h, D = 1e-6, 5e-16
    model = modelled(
        crystal(*CYLINDER, *CONSTANT, f"physics.diffusivity_ratio_c = {ratio}", *sized(0.6))
    )
    model.set_current(0.0)
    rate = ratio * D * (np.pi / h) ** 2
    z = model.field.space.tabulate_dof_coordinates()[: model.field.owned, 2]
    state = first_state(model)
    theta = model.problem.slice(model.field)
    wave = np.cos(np.pi * z / h)
    state[theta] = 0.6 + 0.1 * wave
    ndf = NDF(model.problem, 1e-6)
    restart(ndf, 0.0, state, 1.0 / rate)
    end = advance(ndf, 1.0 / rate, [], 0.1 / rate, lambda *_: None).u
    error = float(np.abs(end[theta] - 0.6 - 0.1 * np.exp(-1.0) * wave).max())
    # quadratic cells of h/4: (pi/4)^4 / 720 of the wave and of its rate
    claim("exact", f"3D, D_c/D_ab = {ratio:g}", "decay of cos(pi z/h)", error, below=2e-4)
    assert model.observables["theta_mean"](end) == pytest.approx(0.6, abs=1e-9)


def test_a_wave_along_c_stays_without_transport_there() -> None:
    model = modelled(crystal(*CYLINDER, *CONSTANT, *sized(0.6)))
    model.set_current(0.0)
    z = model.field.space.tabulate_dof_coordinates()[: model.field.owned, 2]
    state, theta = first_state(model), model.problem.slice(model.field)
    state[theta] = 0.6 + 0.1 * np.cos(np.pi * z / 1e-6)
    ndf = NDF(model.problem, 1e-4)
    restart(ndf, 0.0, state, 100.0)
    end = advance(ndf, 1000.0, [], 100.0, lambda *_: None).u
    assert np.abs(end - state)[theta].max() < 1e-12  # round-off
