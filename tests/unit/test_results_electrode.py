"""What a result keeps of an electrode: particles, maps of several fields, headline numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest

from nmcsim.results import (
    FieldMap,
    ParticleSeries,
    Quantity,
    Result,
    headline,
    headline_lines,
    series,
    write_history,
    write_json,
    write_steps,
    write_summary,
)

HOUR = 3600.0
NAMES = ("particle[0]", "particle[1]", "particle[2]")


def particles(theta: np.ndarray, surface: np.ndarray | None = None) -> ParticleSeries:
    """Three particles, the last two observed, with these contents (rows, 3)."""
    return ParticleSeries(
        names=NAMES,
        centre=1e-6 * np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        volume=np.array([1e-18, 2e-18, 3e-18]),
        obstruction=np.array([0, 1, -1]),
        observed=np.array([False, True, True]),
        fragment_of=np.array([-1, -1, 1]),
        active=np.array([True, True, False]),
        series={
            "theta_mean": theta,
            "theta_surface": theta if surface is None else surface,
            "current": 1e-12 * theta,
            "phi_s": np.full(theta.shape, np.nan),
        },
    )


def times_and_contents() -> tuple[np.ndarray, np.ndarray]:
    """A charge of 10 h, a hold of 2 h, a discharge of 8 h, one row per hour.

    On charge particle p falls by 0.5 evenly from hour p to p + 5; on discharge all rise evenly by
    0.4, 0.4 and 0.2.
    """
    t = np.arange(21.0)
    on_charge = [0.9 - 0.1 * np.clip(t - p, 0.0, 5.0) for p in range(3)]
    back = np.clip(t - 12.0, 0.0, 8.0) / 8.0
    rise = [0.4 * back, 0.4 * back, 0.2 * back]
    return HOUR * t, np.array(on_charge).T + np.array(rise).T


STEPS = [
    {"sentence": "a", "kind": kind, "ended_by": "voltage", "t_start": HOUR * a, "t_end": HOUR * b,
     "reason": "V"}
    for kind, a, b in (("charge", 0, 10), ("hold", 10, 12), ("discharge", 12, 20))
]  # fmt: skip


def history(t: np.ndarray, theta: np.ndarray) -> dict:
    """SOC is 1 - the mean; the charge is twice that, in A s."""
    soc = 1.0 - theta.mean(axis=1)
    return series({"time": t, "soc": soc, "charge": 2.0 * soc, "theta_mean": theta.mean(axis=1)})


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A result with two maps, on particles and on regions."""
    t, theta = times_and_contents()
    nodes = 1e-6 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    triangles = np.array([[0, 1, 2], [1, 3, 2]])
    frames = HOUR * np.array([0.0, 10.0, 20.0])
    of_theta = np.array([[0.9] * 4, [0.4] * 4, [0.8, 0.8, 0.8, 0.6]], dtype=np.float32)
    maps = {
        "theta": FieldMap(
            nodes, triangles, frames, of_theta, Quantity("1", "theta", "lithium per site"),
            np.array([0, 2]), NAMES, "particle",
        ),
        "phi_s": FieldMap(
            nodes, triangles, frames, 0.1 * of_theta, Quantity("V", "phi_s", "potential"),
            np.array([1, 0]), ("nmc", "binder"), "region",
        ),
        "c_l": FieldMap(
            nodes, triangles[:1], frames, 1e3 * of_theta, Quantity("mol/m3", "c_l", "salt"),
            np.array([0]), ("liquid", "binder"), "region",
        ),
        "phi_l": FieldMap(
            nodes, triangles[:1], frames, of_theta, Quantity("V", "phi_l", "potential"),
            np.array([0]),
        ),
    }  # fmt: skip
    rows = history(t, theta)
    write_history(tmp_path, rows, particles=particles(theta), maps=maps)
    write_steps(tmp_path, STEPS)
    found = headline(rows, particles(theta), STEPS, finished=True)
    write_summary(
        tmp_path, status="finished", steps=STEPS, balance={}, counts={}, timing={},
        observables={}, **found,
    )  # fmt: skip
    write_json(tmp_path / "provenance.json", {})
    (tmp_path / "case.toml").write_text('title = "Electrode"\n')
    return tmp_path


# -- there and back ---------------------------------------------------------------------------


def test_particles_come_back(directory: Path) -> None:
    found, given = Result.load(directory).particles, particles(times_and_contents()[1])
    assert found is not None and found.names == given.names
    for name in ("centre", "volume", "obstruction", "observed", "fragment_of", "active"):
        assert np.array_equal(getattr(found, name), getattr(given, name)), name
        assert getattr(found, name).dtype == getattr(given, name).dtype, name
    for name in ("theta_mean", "theta_surface", "current", "phi_s"):
        assert np.array_equal(getattr(found, name), given.series[name], equal_nan=True), name


def test_maps_come_back_with_the_names_of_their_parts(directory: Path) -> None:
    result = Result.load(directory)
    assert result.map is None
    assert result.frame_times.tolist() == [0.0, 10 * HOUR, 20 * HOUR]
    theta, phi_s, c_l, phi_l = (result.maps[n] for n in ("theta", "phi_s", "c_l", "phi_l"))
    assert theta.part_names == NAMES and theta.part.tolist() == [0, 2]
    assert theta.kind_of_part == "particle"
    assert [phi_s.part_names[p] for p in phi_s.part] == ["binder", "nmc"]
    assert [c_l.part_names[p] for p in c_l.part] == ["liquid"]
    assert phi_l.part_names == () and phi_l.part.tolist() == [0]
    assert c_l.quantity == Quantity("mol/m3", "c_l", "salt")
    assert c_l.triangles.tolist() == [[0, 1, 2]] and c_l.values.dtype == np.float32
    # halfway between 10 and 20 h, and beyond
    assert theta.at(15 * HOUR) == pytest.approx([0.6, 0.6, 0.6, 0.5])
    assert theta.at(1e9) == pytest.approx([0.8, 0.8, 0.8, 0.6])


def test_datasets_say_what_they_are(directory: Path) -> None:
    with h5py.File(directory / "history.h5") as file:
        unsaid: list[str] = []

        def look(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and {"unit", "symbol", "description"} - {*item.attrs}:
                unsaid.append(name)

        file.visititems(look)
        assert unsaid == []
        assert file["particles/current"].attrs["unit"] == "A"
        assert file["map/region_names"].asstr()[:].tolist() == ["nmc", "binder", "liquid"]
        assert file["map/theta/particle"][:].tolist() == [0, 2]
        assert "region" not in file["map/phi_l"]


def test_particles_in_a_spreadsheet(directory: Path) -> None:
    with (directory / "particles.csv").open() as file:
        header, *rows = csv.reader(file)
    assert header[0] == "time [s]"
    assert header[1:4] == [f"theta_mean of {name} [1]" for name in NAMES]
    assert header[-3:] == [f"phi_s of {name} [V]" for name in NAMES]
    assert len(rows) == 21 and float(rows[3][1]) == pytest.approx(0.6) and rows[3][-1] == ""


def test_a_run_without_rows_can_be_written(tmp_path: Path) -> None:
    none = particles(np.empty((0, 3)))
    write_history(tmp_path, {}, particles=none)
    assert (tmp_path / "particles.csv").read_text().count("\n") == 1
    found = headline({}, none, [], finished=False)
    assert found == {
        "asynchrony": [], "capacity_loss": [], "activation": [], "half_cycles": []
    }  # fmt: skip
    assert headline_lines(found, none) == []


# -- headline ---------------------------------------------------------------------------------


def test_half_cycles_of_the_summary(directory: Path) -> None:
    """A quarter of an even fall from hour p to p + 5 has happened at p + 1.25: of the two that are
    observed 1 h apart, of all 2 h, in a charge of 10 h. On discharge all are at a quarter of 8 h.
    """
    summary = Result.load(directory).summary
    charge, discharge = summary["half_cycles"]
    assert (charge["kind"], discharge["kind"]) == ("charge", "discharge")
    assert charge["complete"] and charge["t_end_cc"] == 10 * HOUR and charge["t_end"] == 12 * HOUR
    assert np.array(charge["t25"]) / HOUR == pytest.approx([1.25, 2.25, 3.25])
    assert np.array(charge["t90"]) / HOUR == pytest.approx([4.5, 5.5, 6.5])
    assert charge["asynchrony"] == pytest.approx(0.1)
    assert charge["asynchrony_all"] == pytest.approx(0.2)
    # steepest at once that a window of 10 h / 25 lies within the fall, 0.2 h after its start; the
    # first window begins with the curve: on a grid of 10 h / 500
    assert np.array(charge["slope_peak"]) / HOUR == pytest.approx([0.0, 1.2, 2.2], abs=0.021)
    assert charge["asynchrony_slope"] == pytest.approx(0.1, abs=0.005)
    assert np.array(discharge["t25"]) / HOUR == pytest.approx([14.0] * 3)
    assert discharge["asynchrony"] == pytest.approx(0.0, abs=1e-12)
    assert summary["asynchrony"] == [charge["asynchrony"], discharge["asynchrony"]]
    assert charge["homogenisation"] == [0.0, 0.0, 0.0]


def test_capacity_loss_and_activation_of_the_summary(directory: Path) -> None:
    """Each particle gives 0.5 and takes 0.4, 0.4 and 0.2: 1 - 1.0/1.5 = 1/3 is lost."""
    result = Result.load(directory)
    assert result.summary["capacity_loss"] == pytest.approx([1.0 / 3.0])
    first = result.summary["activation"][0]
    assert [entry["particle"] for entry in first] == list(NAMES)
    assert [entry["time"] / HOUR for entry in first] == pytest.approx([1.25, 2.25, 3.25])
    # at 2.25 h the first has given 0.225 and the second 0.125, from 0.1 + a third of their sum
    assert first[1]["soc"] == pytest.approx(0.1 + (0.225 + 0.125 + 0.025) / 3.0)


def test_what_a_run_prints_at_its_end() -> None:
    t, theta = times_and_contents()
    of = particles(theta)
    found = headline(history(t, theta), of, STEPS, finished=True)
    assert headline_lines(found, of) == [
        "  activation in the first charge  particle[1] 0.225  particle[2] 0.325",
        "  asynchrony  charge 0.1000  discharge 0.0000",
        "  capacity loss  cycle 1 33.33 %",
    ]


def test_a_run_that_ended_early_says_so_of_its_last_half_cycle() -> None:
    t, theta = times_and_contents()
    found = headline(history(t, theta), particles(theta), STEPS, finished=False)
    assert [half["complete"] for half in found["half_cycles"]] == [True, False]
    assert found["capacity_loss"] == []


def test_a_particle_that_takes_no_part_has_no_activation() -> None:
    t, theta = times_and_contents()
    theta[:, 2] = 0.9
    found = headline(history(t, theta), particles(theta), STEPS, finished=True)
    assert [entry["particle"] for entry in found["activation"][0]] == list(NAMES[:2])
    assert np.isnan(found["half_cycles"][0]["t25"][2])
    # of the observed only one is left
    assert np.isnan(found["asynchrony"][0])
    assert "asynchrony  charge -  discharge -" in headline_lines(found, particles(theta))[1]
