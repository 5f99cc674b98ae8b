"""Times of single particles, as a person with a microscope tells them."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.compare import compare
from nmcsim.compare.particles import UNCHANGED, particle_numbers
from nmcsim.errors import InputError
from nmcsim.measured import Measured, Measurement
from nmcsim.results import Result
from tests.synthetic import synthetic_result
from tests.synthetic_electrode import synthetic_electrode


@pytest.fixture(scope="module")
def electrode(tmp_path_factory) -> Result:
    return Result.load(synthetic_electrode(tmp_path_factory.mktemp("particles") / "electrode"))


def test_hours_since_the_half_cycle_began(electrode):
    half, seen = electrode.summary["half_cycles"][0], electrode.particles.observed
    t25 = np.sort(np.array(half["t25"], float)[seen] - half["t_start"])
    found = particle_numbers(electrode)
    assert found["activation_first_charge_1"] == (pytest.approx(t25[0]), "s")
    assert found["activation_last_charge_1"] == (pytest.approx(t25[-1]), "s")
    assert found["activation_span_charge_1"][0] == pytest.approx(t25[-1] - t25[0])
    assert found["activation_gap_max_charge_1"][0] == pytest.approx(np.diff(t25).max())
    assert found["activation_gap_min_charge_1"][0] == pytest.approx(np.diff(t25).min())
    even = np.array(half["homogenisation"], float)[seen]
    assert found["homogenisation_max_charge_1"][0] == pytest.approx(np.nanmax(even))


def test_an_instant_of_the_first_charge(electrode):
    half = electrode.summary["half_cycles"][0]
    t, theta = electrode["time"].values, electrode.particles.theta_mean
    seen = electrode.particles.observed
    at = half["t_start"] + 0.3 * (half["t_end"] - half["t_start"])
    began, now, ended = (
        np.array([np.interp(w, t, c) for c in theta[:, seen].T])
        for w in (half["t_start"], at, half["t_end"])
    )
    share = (began - now) / (began - ended)
    found = particle_numbers(electrode, at=f"{at - half['t_start']!r} s")
    assert found["progress_min"][0] == pytest.approx(share.min())
    assert found["unchanged_share"][0] == pytest.approx(np.mean(share < UNCHANGED))
    # beside a measurement, by its condition
    entry = Measurement(
        "unchanged_share", "%", 20.0, conditions={"time": f"{at - half['t_start']!r} s"}
    )
    pair = compare(electrode, Measured("T", "S", (entry,)))["unchanged_share"]
    assert pair.simulated == pytest.approx(100.0 * np.mean(share < UNCHANGED))


def test_an_instant_after_the_half_cycle_has_no_number(electrode):
    entry = Measurement("unchanged_share", "1", 0.2, conditions={"time": "1000 h"})
    found = compare(electrode, Measured("T", "S", (entry,)))
    assert "the run gives no unchanged_share" in found.unpaired[0].reason


def test_an_instant_needs_a_unit(electrode):
    with pytest.raises(InputError, match=r"conditions.time = 13 has no unit; write"):
        particle_numbers(electrode, at=13)


def test_a_crystal_has_no_particles(tmp_path):
    assert particle_numbers(Result.load(synthetic_result(tmp_path / "crystal"))) == {}
