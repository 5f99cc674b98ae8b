"""Measurements as residuals: units, weights, limits, what lies beyond the simulated curve."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmcsim.errors import InputError, RunFailure
from nmcsim.fitting.targets import Target
from nmcsim.measured import Measured, MeasuredSeries, Measurement
from nmcsim.results import Result
from tests.synthetic import synthetic_result


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_result(tmp_path_factory.mktemp("result") / "a")


def of(*entries: Measurement, folder: Path, only: tuple[str, ...] = ()) -> Target:
    return Target(Measured(entries=entries), only, folder)


def voltage(x: list[float], values: list[float], u: float) -> Measurement:
    """A series over time in minutes, in mV."""
    n = len(x)
    series = MeasuredSeries(np.array(x), np.array(values), np.full(n, u), "time", "min")
    return Measurement("voltage", "mV", series=series)


def test_residuals_are_in_units_of_the_uncertainty(directory: Path, tmp_path: Path):
    history = Result.load(directory).history
    t, V = history["time"].values, history["voltage"].values
    expected = 1e3 * np.interp([600.0, 1200.0], t, V)
    target = of(
        voltage([10.0, 20.0], [3800.0, 3900.0], 4.0),
        Measurement("time_end", "min", t[-1] / 60.0 - 3.0, 2.0),
        folder=tmp_path,
    )
    target.begin(directory)
    found = target(directory)
    np.testing.assert_allclose(found.residuals[:2], (expected - [3800.0, 3900.0]) / 4.0, rtol=1e-9)
    assert found.residuals[2] == pytest.approx(1.5) and found.held == {}
    assert target.weighted and target.count == target.points == 3
    # it is kept, and read again
    (kept,) = tmp_path.glob("*.json")
    kept.write_text(kept.read_text().replace("1.5", "7.25", 1))
    assert target(directory).residuals[2] == pytest.approx(7.25)
    # but not by other measurements
    other = of(Measurement("time_end", "min", t[-1] / 60.0 - 3.0, 1.0), folder=tmp_path)
    other.begin(directory)
    np.testing.assert_allclose(other(directory).residuals, [3.0])


def test_beyond_the_simulated_curve_its_last_value_stands(directory: Path, tmp_path: Path):
    V = Result.load(directory).history["voltage"].values
    target = of(voltage([10.0, 1e4, 2e4], [0.0, 0.0, 0.0], 1.0), folder=tmp_path)
    target.begin(directory)
    found = target(directory)
    np.testing.assert_allclose(found.residuals[1:], 1e3 * V[-1], rtol=1e-9)
    assert found.held == {"voltage": 2}


def test_without_uncertainty_an_entry_counts_by_its_range(directory: Path, tmp_path: Path):
    bare = voltage([10.0, 20.0], [3800.0, 3900.0], np.nan)
    target = of(bare, Measurement("time_end", "s", 2000.0), folder=tmp_path)
    target.begin(directory)
    t, V = (Result.load(directory).history[n].values for n in ("time", "voltage"))
    expected = (1e3 * np.interp([600.0, 1200.0], t, V) - [3800.0, 3900.0]) / 100.0
    np.testing.assert_allclose(target(directory).residuals[:2], expected, rtol=1e-9)
    assert target(directory).residuals[2] == pytest.approx((t[-1] - 2000.0) / 2000.0)
    assert not target.weighted


def test_a_limit_counts_where_it_is_broken(directory: Path, tmp_path: Path):
    end = Result.load(directory).history["time"].values[-1]
    held = Measurement("time_end", "s", end + 10.0, 5.0, bound="at most")
    broken = Measurement("again", "s", end + 10.0, 5.0, bound="at least", observable="time_end")
    target = of(held, broken, folder=tmp_path)
    target.begin(directory)
    np.testing.assert_allclose(target(directory).residuals, [0.0, -2.0], atol=1e-9)


def test_points_without_uncertainty_beside_others_do_not_count(directory: Path, tmp_path: Path):
    series = MeasuredSeries(
        np.array([10.0, 15.0, 20.0]), np.array([3800.0, np.nan, 3900.0]),
        np.array([4.0, 4.0, np.nan]), "time", "min",
    )  # fmt: skip
    target = of(Measurement("voltage", "mV", series=series), folder=tmp_path)
    target.begin(directory)
    assert target.count == 1 and len(target(directory).residuals) == 1


def test_what_has_no_counterpart_is_left_out(directory: Path, tmp_path: Path):
    time, other = Measurement("time_end", "s", 1.0, 1.0), Measurement("hardness", "GPa", 1.0, 1.0)
    both = of(time, other, folder=tmp_path)
    both.begin(directory)
    assert [entry.name for entry in both.used] == ["time_end"] and both.count == 1
    assert list(both.unpaired) == ["hardness"]
    with pytest.raises(InputError, match="hardness"):
        of(other, folder=tmp_path).begin(directory)
    two = of(other, Measurement("colour", "1", 1.0, 1.0), folder=tmp_path)
    with pytest.raises(InputError, match="none of its entries has a counterpart") as caught:
        two.begin(directory)
    assert len(caught.value.mistakes) == 3


def test_what_a_later_result_lacks_is_a_failure(directory: Path, tmp_path: Path):
    target = of(Measurement("com_distance_max", "nm", 1.0, 1.0), folder=tmp_path / "kept")
    target.begin(directory)
    fresh = synthetic_result(tmp_path / "b")
    found = target.compared(fresh)
    assert len(target.beside(found).residuals) == 1
    with pytest.raises(RunFailure, match="com_distance_max: nothing simulated"):
        target.beside(replace(found, pairs=()))


def test_mistakes(tmp_path: Path):
    sure, bare = Measurement("a", "m", 1.0, 1.0), Measurement("b", "m", 1.0)
    with pytest.raises(InputError, match="b has no uncertainty while others have one"):
        of(sure, bare, folder=tmp_path)
    assert of(sure, bare, folder=tmp_path, only=("a",)).weighted
    with pytest.raises(InputError, match="--only c is no entry of measurements; there are a, b"):
        of(sure, bare, folder=tmp_path, only=("c",))
    with pytest.raises(InputError, match="has not a single number to fit to"):
        of(Measurement("a", missing="Fig. S4"), folder=tmp_path)
