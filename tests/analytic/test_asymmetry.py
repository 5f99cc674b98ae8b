"""The centre-of-mass distance of runs: 0 where nothing is blocked, missing when all has reacted."""

from __future__ import annotations

import numpy as np
import pytest

import nmcsim
from tests.crystals import crystal, sized
from tests.reference import stored
from tests.vv import claim

TIMES = [150.0, 300.0, 600.0, 900.0]


def followed(*overrides: str) -> tuple[np.ndarray, np.ndarray]:
    """Distance [m] and share at TIMES, half-blocked at 1C."""
    asked = ", ".join(f'"{t} s"' for t in TIMES)
    result = nmcsim.simulate(
        crystal(
            f"output.times = [{asked}]", 'protocol.steps = ["Charge at 1C for 910 s"]', *overrides
        )
    )
    time = result.history["time"].values
    rows = [int(np.argmin(np.abs(time - t))) for t in TIMES]
    assert np.abs(time[rows] - TIMES).max() < 1e-6
    return (result.history[name].values[rows] for name in ("com_distance", "unreacted_share"))


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("disk", ()),
        ("disk, Butler-Volmer", ('physics.surface = "butler_volmer"',)),
        ("hexagon", ('geometry.shape = "polygon"',)),
        ("four equal patches", ('physics.rock_salt.arrangement = "patches"',)),
    ],
)
def test_a_symmetric_particle_has_no_asymmetry(name: str, more: tuple[str, ...]) -> None:
    coverage = 0.4 if "patches" in name else 0.0
    result = nmcsim.simulate(
        crystal(
            f"physics.rock_salt.coverage = {coverage}",
            'protocol.steps = ["Charge at 1C for 1500 s"]',
            "numerics.rtol = 1e-3",
            *sized(0.1),
            *more,
        )
    )
    distance, share = (result.history[k].values for k in ("com_distance", "unreacted_share"))
    there = share > 1e-3
    assert np.count_nonzero(there) > 20 and share[0] == pytest.approx(1.0)
    largest = 1e9 * float(distance[there].max())
    claim("invariants", f"{name}, nothing one-sided", "distance", largest, below=1.0, unit="nm")


def test_the_distance_is_missing_once_all_has_reacted() -> None:
    result = nmcsim.simulate(crystal("numerics.rtol = 1e-3", *sized(0.2)))
    distance, share = (result.history[name].values for name in ("com_distance", "unreacted_share"))
    assert np.array_equal(np.isnan(distance), share == 0.0)
    assert np.isnan(distance[-1]) and np.isfinite(distance[0])
    assert distance[0] < 1e-12 and share[0] == pytest.approx(1.0)
    assert np.nanmax(distance) > 1e-6  # the last lithium sits at the blocked side
    assert "NaN" not in (result.directory / "summary.json").read_text()


def test_distance_and_share_converge_under_refinement() -> None:
    reference = stored.load("half_1C")
    rows = [int(np.argmin(np.abs(reference.times - t))) for t in TIMES]
    errors = []
    for size in (0.4, 0.2, 0.1):
        distance, share = followed("numerics.rtol = 1e-5", *sized(size))
        gaps = np.abs(distance - reference.distance[rows]), np.abs(share - reference.share[rows])
        errors.append((1e9 * gaps[0].max(), gaps[1].max()))
        name = f"half-blocked, cells of {size} um"
        claim("exact", name, "centre-of-mass distance", errors[-1][0], below=40.0, unit="nm")
        claim("exact", name, "unreacted share of the area", errors[-1][1], below=2e-2)
    falls = np.array(errors[:-1]) / np.array(errors[1:])
    assert (falls.prod(axis=0) > 6.0).all(), errors  # of a fourfold refinement: order 1.3 at least
