"""What a run of a small electrode leaves behind, and how it goes on and starts from it."""

from __future__ import annotations

import csv
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nmcsim.mesh
from nmcsim.case import load
from nmcsim.errors import InputError, RunFailure
from nmcsim.models import MODELS
from nmcsim.output import first_state
from nmcsim.output.checkpoint import Checkpoint
from nmcsim.output.recorder import Recorder
from nmcsim.results import Result
from nmcsim.run import Interrupted, simulate
from nmcsim.runtime import MPI
from tests.run.conftest import CASE as CRYSTAL
from tests.run.conftest import same_numbers

Run = Callable[..., Result]

CASE = """
title = "Small electrode"
model = "electrode"
[geometry]
shape = "columns"
columns = 1
depth = "1 um"
cell_size = "4 um"
[material]
name = "nmc532"
K = "1 S/m"
D_chem = "1e-14 m2/s"
[electrolyte]
name = "nyman2008"
[physics]
temperature = "298.15 K"
[protocol]
capacity = "180 mAh/g"
initial = { particles = { "particle[1]" = 0.85, rest = 0.9 } }
steps = [
    "Charge at 1C for 2 minutes", "Hold at 3.85 V for 1 minute", "Discharge at 1C for 2 minutes",
]
[numerics]
rtol = 1e-3
steps_per_phase = 10
[output]
frames = 4
"""
FIELDS = ("theta", "phi_s", "c_l", "phi_l")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("case") / "case.toml"
    path.write_text(CASE)
    return load(path)


@pytest.fixture(scope="module")
def whole(case: Any, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The run that nothing disturbs."""
    return simulate(case, tmp_path_factory.mktemp("whole") / "out")


# -- what is kept -----------------------------------------------------------------------------


def test_particles_add_up_to_the_electrode(whole: Result) -> None:
    """By volume their lithium is the electrode's, row by row; their currents are the cell's, to the
    tolerance of the time integration.
    """
    of = whole.particles
    assert of is not None and of.names == ("particle[0]", "particle[1]")
    assert of.active.all() and of.fragment_of.tolist() == [-1, -1]
    for name in ("theta_mean", "theta_surface", "current", "phi_s"):
        assert of.series[name].shape == (len(whole["time"]), 2)
        assert np.isfinite(of.series[name]).all()
    mean = of.theta_mean @ of.volume / of.volume.sum()
    assert mean == pytest.approx(whole["theta_mean"].values, rel=1e-12)
    assert of.theta_mean[0] == pytest.approx([0.9, 0.85], abs=1e-12)
    solved = np.isfinite(whole["charge_drift"].values)  # not interpolated between steps
    assert solved.sum() > 30
    total, current = of.current.sum(axis=1)[solved], whole["current"].values[solved]
    assert np.abs(total - current).max() < 1e-3 * np.abs(current).max()  # rtol


def test_maps_are_of_all_fields_at_all_frames(whole: Result) -> None:
    """Each on its own part: theta in the particles alone, the potential of the solid there and in
    the binder, the electrolyte's fields in the rest; their triangles fill these areas.
    """
    assert set(whole.maps) == set(FIELDS)
    assert len(whole.frame_times) == 1 + 3 * 3  # the start, and three more in each step
    for name, unit in zip(FIELDS, ("1", "V", "mol/m3", "V"), strict=True):
        field = whole.maps[name]
        assert field.quantity.unit == unit
        assert np.array_equal(field.time, whole.frame_times)
        assert field.values.shape == (len(field.time), len(field.nodes))
        assert field.at(whole.frame_times[2]) == pytest.approx(field.values[2].astype(float))
        assert field.part.shape == (len(field.triangles),)
    theta, solid, liquid = (whole.maps[name] for name in ("theta", "phi_s", "c_l"))
    assert theta.kind_of_part == "particle" and theta.part_names == whole.particles.names
    depth = 1e-6
    filled = [areas(theta)[theta.part == p].sum() for p in (0, 1)]
    assert filled == pytest.approx(whole.particles.volume / depth, rel=1e-9)
    nmc = areas(solid)[solid.part == solid.part_names.index("nmc")].sum()
    assert nmc == pytest.approx(sum(filled), rel=1e-9)
    assert {liquid.part_names[p] for p in np.unique(liquid.part)} == {"binder", "liquid"}
    assert theta.values[0][np.unique(theta.triangles[theta.part == 1])] == pytest.approx(0.85)


def areas(field: Any) -> np.ndarray:
    a, b, c = (field.nodes[field.triangles[:, k]] for k in range(3))
    return 0.5 * np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])


def test_the_history_has_an_electrodes_columns_and_no_crystals(whole: Result) -> None:
    expected = {
        "soc_variance", "salt_drift", "charge_drift", "c_l_min", "c_l_max", "V_U", "V_diffusion",
        "V_kinetic", "V_electronic", "V_contact", "V_ionic", "V_lithium",
    }  # fmt: skip
    assert expected <= set(whole.history)
    assert not {"com_distance", "unreacted_share", "flux_max"} & set(whole.history)
    assert whole.surface is None and whole.map is None
    assert "rock_salt" not in whole.summary


def test_balances_are_kept_printed_and_stored(
    case: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="nmcsim")
    short = case.replace("protocol.steps", ["Charge at 1C for 10 s"])
    result = simulate(short, tmp_path / "out")
    balance = result.summary["balance"]
    assert set(balance) == {"lithium", "salt", "charge"}
    assert max(balance.values()) < result.summary["drift_limit"] == 1e-8
    for name in balance:
        assert balance[name] == np.nanmax(result[f"{name}_drift"].values)
    (said,) = (line for line in caplog.messages if "drift" in line)
    number = r"\d+e[-+]\d+"
    assert re.search(
        rf"lithium drift {number} of the inventory, salt {number}, charge {number} \(limit 1e-08\)",
        said,
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "salt",
            "the salt balance drifts by 2e-08 of the initial amount .limit 1e-08.: the",
        ),
        ("charge", "the charge balance drifts by 2e-08 of the current .limit 1e-08.: what"),
    ],
)
def test_any_balance_that_is_not_kept_fails_the_run(
    case: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, sentence: str
) -> None:
    plain = Recorder.drifts

    def drifts(self: Recorder, *arguments: Any) -> dict[str, float]:
        return plain(self, *arguments) | {name: 2e-8}

    monkeypatch.setattr(Recorder, "drifts", drifts)
    with pytest.raises(RunFailure, match=sentence):
        simulate(case.replace("protocol.steps", ["Charge at 1C for 1 s"]), tmp_path / "out")
    assert Result.load(tmp_path / "out").status == "failed"


def test_the_summary_has_half_cycles_and_what_follows_from_them(whole: Result) -> None:
    charge, discharge = whole.summary["half_cycles"]
    assert (charge["t_start"], charge["t_end_cc"], charge["t_end"]) == (0.0, 120.0, 180.0)
    assert (discharge["kind"], discharge["t_end"]) == ("discharge", 300.0)
    Q = whole["charge"].values
    top = np.interp(180.0, whole["time"].values, Q)
    assert charge["charge"] == pytest.approx(top) and top > 0.0
    (loss,) = whole.summary["capacity_loss"]
    assert loss == pytest.approx(1.0 - (top - Q[-1]) / top)
    assert whole.summary["asynchrony"] == [charge["asynchrony"], discharge["asynchrony"]]
    for active in whole.summary["activation"]:
        assert {entry["particle"] for entry in active} == {"particle[0]", "particle[1]"}
        times = [entry["time"] for entry in active]
        assert times == sorted(times)
        socs = np.interp(times, whole["time"].values, whole["soc"].values)
        assert [entry["soc"] for entry in active] == pytest.approx(socs)


def test_tables_and_fields_for_other_programs(whole: Result) -> None:
    with (whole.directory / "particles.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0][:3] == [
        "time [s]",
        "theta_mean of particle[0] [1]",
        "theta_mean of particle[1] [1]",
    ]
    assert rows[0][-1] == "phi_s of particle[1] [V]" and len(rows[0]) == 1 + 4 * 2
    assert len(rows) == 1 + len(whole["time"])
    assert float(rows[-1][2]) == whole.particles.theta_mean[-1, 1]
    for file, fields in (("nmc", "theta"), ("solid", "phi_s"), ("electrolyte", "c_l phi_l")):
        with h5py.File(whole.directory / f"{file}.vtkhdf") as vtk:
            data = vtk["VTKHDF/PointData"]
            assert set(data) == set(fields.split())
            for name in data:
                last = data[name][-len(whole.maps[name].nodes) :]
                assert np.array_equal(last, whole.maps[name].values[-1])
    assert not (whole.directory / "fields.vtkhdf").exists()


def test_lithium_is_followed_at_points_in_particles(case: Any, tmp_path: Path) -> None:
    x, y = (f"{1e6 * x!r} um" for x in case.geometry.particles[1].centre)
    case = case.replace("output.points", {"middle": [x, y]})
    result = simulate(case.replace("protocol.steps", ["Charge at 1C for 1 s"]), tmp_path / "out")
    assert result["theta at middle"].values[0] == pytest.approx(0.85, abs=1e-12)


# -- going on ---------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [60])  # in the hold
def test_an_interrupted_run_goes_on_to_the_same_numbers(
    case: Any, whole: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: int
) -> None:
    plain, rows = Recorder.row, []

    def interrupting(self: Recorder, *arguments: Any, **options: Any) -> Any:
        rows.append(arguments[0])
        if len(rows) == row:
            os.kill(os.getpid(), signal.SIGTERM)
        return plain(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "row", interrupting)
        with pytest.raises(Interrupted):
            simulate(case, tmp_path / "out")
    stopped = Result.load(tmp_path / "out")
    assert stopped.status == "interrupted"
    result = simulate(case, tmp_path / "out", resume=True)
    # a hold's current follows from potentials alone: to the tolerance of Newton's method
    same_numbers(result, whole, rtol=1e-3)
    before = len(stopped["time"])
    assert np.array_equal(result.particles.theta_mean[:before], stopped.particles.theta_mean)
    # the integrator starts at order 1 again: to its tolerance
    for name, near in (("theta", 2e-4), ("c_l", 0.5), ("phi_s", 2e-4), ("phi_l", 2e-4)):
        gap = np.abs(result.maps[name].values[-1] - whole.maps[name].values[-1])
        assert gap.max() < near, name
    assert result.summary["balance"]["salt"] < 1e-8


def test_a_checkpoint_holds_every_unknown_as_it_was(case: Any, whole: Result) -> None:
    mesh = nmcsim.mesh.build(case.geometry, (), MPI.COMM_SELF)
    model = MODELS["electrode"](case, mesh)
    recorder = Recorder(model, case, MPI.COMM_SELF)
    kept = Checkpoint.read(whole.directory)
    state = first_state(case, model, recorder.layouts, kept)
    assert set(kept.fields) == set(FIELDS) and set(kept.scalars) == {"voltage", "current", "charge"}
    assert {u.name for u in model.problem.unknowns} == {*kept.fields, *kept.scalars}
    for name, nodal in recorder.gathered(state).items():
        assert np.array_equal(nodal, kept.fields[name].values), name
    for name, value in kept.scalars.items():
        assert model.problem.scalar(state, name) == value
    last = {name: whole[name].values[-1] for name in kept.scalars}
    assert kept.scalars == last
    assert kept.at_start["salt"] == pytest.approx(model.conserved["salt"](state), rel=1e-9)


# -- starting from it -------------------------------------------------------------------------

REST = ["Rest for 1 s"]


def started(case: Any, earlier: Path, folder: Path, *changes: tuple[str, Any]) -> Result:
    """A second of rest from the last state of an earlier result."""
    case = case.replace("protocol.initial", {"from": str(earlier)})
    for key, value in (("protocol.steps", REST), *changes):
        case = case.replace(key, value)
    return simulate(case, folder)


def test_a_run_starts_exactly_where_another_on_the_same_mesh_ended(
    case: Any, whole: Result, tmp_path: Path
) -> None:
    result = started(case, whole.directory, tmp_path / "out")
    for name in ("theta", "c_l"):
        assert np.array_equal(result.maps[name].values[0], whole.maps[name].values[-1]), name


def test_on_another_mesh_each_particle_keeps_its_lithium_and_the_liquid_its_salt(
    case: Any, whole: Result, tmp_path: Path
) -> None:
    """Values are interpolated; means are the same to round-off, whatever the cells."""
    result = started(case, whole.directory, tmp_path / "out", ("geometry.cell_size", "3 um"))
    assert len(result.maps["theta"].nodes) != len(whole.maps["theta"].nodes)
    before, after = whole.particles.theta_mean[-1], result.particles.theta_mean[0]
    assert after == pytest.approx(before, abs=1e-13)
    assert abs(before[0] - before[1]) > 1e-3  # or a mean of both would do
    # within a particle theta varies by what lies between its surface and its middle
    for p in (0, 1):
        a, b = (
            frame[np.unique(field.triangles[field.part == p])]
            for field, frame in (
                (whole.maps["theta"], whole.maps["theta"].values[-1]),
                (result.maps["theta"], result.maps["theta"].values[0]),
            )
        )
        assert abs(a.min() - b.min()) < 0.2 * np.ptp(a) and abs(a.max() - b.max()) < 0.2 * np.ptp(a)
    kept = [Checkpoint.read(r.directory).fields["c_l"].means for r in (whole, result)]
    # a second of rest later: salt is kept while lithium at rest only moves
    assert kept[1] == pytest.approx(kept[0], rel=1e-9)


def test_a_state_of_another_kind_or_size_is_refused(
    case: Any, whole: Result, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="is the state of a particle of another size or shape"):
        started(case, whole.directory, tmp_path / "out", ("geometry.radius", "7 um"))
    path = tmp_path / "crystal.toml"
    path.write_text(CRYSTAL)
    crystal = load(path).replace("protocol.initial", {"from": str(whole.directory)})
    with pytest.raises(InputError, match="is an electrode's state; choose one of the same model"):
        simulate(crystal, tmp_path / "out")
    first = simulate(load(path).replace("protocol.steps", REST), tmp_path / "crystal")
    with pytest.raises(InputError, match="is a single crystal's state; choose one of the same"):
        started(case, first.directory, tmp_path / "out")


# -- no rows, no liquid, three dimensions -----------------------------------------------------


def test_a_run_that_fails_before_its_first_row_leaves_a_result(
    case: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nmcsim.solve.start.consistent.__defaults__", (1,))
    with pytest.raises(RunFailure, match="the potentials at the start of the step did not conv"):
        simulate(case, tmp_path / "out")
    result = Result.load(tmp_path / "out")
    assert result.status == "failed" and not result.history
    assert result.particles is not None and result.particles.theta_mean.shape == (0, 2)
    assert len(result.frame_times) == 0 and result.summary["half_cycles"] == []


SPHERE = """
title = "Sphere under a cap of binder"
model = "electrode"
[geometry]
shape = "capped"
radius = "5 um"
cell_size = "2.5 um"
[material]
name = "nmc532"
K = "1 S/m"
D_chem = "1e-14 m2/s"
[electrolyte]
name = "nyman2008"
transport = "equipotential"
[physics]
temperature = "298.15 K"
[protocol]
capacity = "180 mAh/g"
initial = 0.9
steps = ["Charge at 1C for 10 s"]
[numerics]
rtol = 1e-3
steps_per_phase = 5
[output]
frames = 2
"""


def test_the_map_of_a_sphere_is_the_disk_through_its_middle(tmp_path: Path) -> None:
    """pi r^2, less what its facets cut off; nothing of the electrolyte, which is not meshed."""
    path = tmp_path / "sphere.toml"
    path.write_text(SPHERE)
    result = simulate(load(path), tmp_path / "out")
    assert set(result.maps) == {"theta", "phi_s"}
    disk = result.maps["theta"]
    assert areas(disk).sum() == pytest.approx(np.pi * 5e-6**2, rel=0.05)  # mesh
    centre = result.particles.centre[0]
    assert np.abs(np.linalg.norm(disk.nodes - centre[[0, 2]], axis=1)).max() < 5.001e-6
    solid = result.maps["phi_s"]
    below = areas(solid)[solid.part == solid.part_names.index("binder")]
    assert 0.0 < below.sum() < 0.2 * areas(disk).sum()
    assert disk.values[0] == pytest.approx(0.9, abs=1e-6)  # single precision
    assert disk.values[-1].min() < 0.9 - 1e-4
    assert not (result.directory / "electrolyte.vtkhdf").exists()
