"""dQ/dV: its integral is the charge, its peaks are where they were put."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.analysis.capacity import differential_capacity, half_cycles
from nmcsim.analysis.record import Record
from nmcsim.errors import InputError

CENTRES, WIDTHS, SIZES = (3.7, 4.1), (0.02, 0.03), (1.0, 0.5)


def charge(V: np.ndarray) -> np.ndarray:
    """Two logistic steps on a slope: peaks of a/(4 w) + 0.1 A s/V at their centres."""
    steps = zip(SIZES, CENTRES, WIDTHS, strict=True)
    return 0.1 * V + sum(a / (1.0 + np.exp(-(V - c) / w)) for a, c, w in steps)


def record(V: np.ndarray, noise: float = 0.0, sign: float = 1.0) -> Record:
    Q = sign * (charge(V) - charge(V[:1]))
    V = V + noise * np.random.default_rng(3).standard_normal(len(V))
    return Record.of(np.arange(len(V), dtype=float), V, np.full(len(V), sign), charge=Q)


@pytest.mark.parametrize("method", ["savgol", "spline"])
@pytest.mark.parametrize("noise", [0.0, 2e-4])
def test_peaks_and_integral(method: str, noise: float) -> None:
    found = record(np.linspace(3.0, 4.3, 3000), noise)
    one = differential_capacity(found, half_cycles(found)[0], method=method, width=0.03)  # type: ignore[arg-type]
    assert one.passed == pytest.approx(charge(np.array(4.3)) - charge(np.array(3.0)))
    assert one.integral == pytest.approx(one.passed, rel=2e-3)
    assert one.charge[-1] - one.charge[0] == pytest.approx(one.passed, rel=2e-3)
    assert [p.voltage for p in one.peaks] == pytest.approx(CENTRES, abs=5e-4 if not noise else 4e-3)
    heights = [a / 4.0 / w + 0.1 for a, w in zip(SIZES, WIDTHS, strict=True)]
    assert [p.height for p in one.peaks] == pytest.approx(heights, rel=0.01 if not noise else 0.05)
    # a logistic's derivative is at half of its height over 3.53 w
    assert one.peaks[0].width == pytest.approx(3.53 * 0.02, rel=0.1)


def test_discharge() -> None:
    found = record(np.linspace(4.3, 3.0, 3000), sign=-1.0)
    one = differential_capacity(found, half_cycles(found)[0], width=0.03)
    assert one.kind == "discharge"
    assert [p.voltage for p in one.peaks] == pytest.approx(CENTRES, abs=1e-4)
    assert one.dqdv.min() > 0.0
    assert one.charge[0] == pytest.approx(one.passed, rel=1e-3)  # all of it passed above 3 V


def test_plateau_and_voltage_that_goes_back() -> None:
    """All charge is counted: 1 A s up to 3.5 V, 2 A s at 3.5 V, 1 A s from 3.4 V to 4 V."""
    V = np.array([3.0, 3.1, 3.2, 3.3, 3.5, 3.5, 3.5, 3.4, 3.6, 4.0])
    Q = np.array([0.0, 0.2, 0.4, 0.6, 1.0, 2.0, 3.0, 3.0, 3.4, 4.0])
    found = Record.of(np.arange(10.0), V, np.ones(10), charge=Q)
    one = differential_capacity(found, half_cycles(found)[0], width=0.02)
    assert one.integral == pytest.approx(4.0, rel=0.02)
    assert [p.voltage for p in one.peaks] == pytest.approx([3.5], abs=0.003)


def test_half_cycles_of_a_record() -> None:
    up, down = np.linspace(3.0, 4.3, 500), np.linspace(4.3, 3.0, 500)
    current = np.concatenate((np.ones(500), np.zeros(20), -np.ones(500)))
    voltage = np.concatenate((up, np.full(20, 4.3), down))
    found = Record.of(np.arange(1020.0), voltage, current)
    assert [part.sign for part in half_cycles(found)] == [1, -1]


def test_refused() -> None:
    found = record(np.linspace(3.0, 4.3, 100))
    part = half_cycles(found)[0]
    with pytest.raises(InputError, match=r"width = 0.8 V must lie above 0 and below half"):
        differential_capacity(found, part, width=0.8)
    with pytest.raises(InputError, match="width = 1e-06 V is less than 0.00013 V"):
        differential_capacity(found, part, width=1e-6)
