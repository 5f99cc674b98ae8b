"""GITT on records made by the very law of Eq. 1: what went in comes out, with its uncertainty."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nmcsim.analysis.gitt import Gitt, GittResult, Sample, diffusivity, reduce_gitt
from nmcsim.analysis.record import Record
from nmcsim.errors import InputError

# 6 mg, 600 m2/kg: volume over area 0.349 um
SAMPLE = Sample(6e-6, 0.09746, 4780.0, area=600.0 * 6e-6, length=5e-6)
D = 1e-16
TAU, REST, OHMIC, DE_S = 900.0, 14400.0, 5e-3, 4e-3
DE_T = DE_S * SAMPLE.depth * math.sqrt(4.0 / (math.pi * TAU * D))


def planar(
    pulses: int = 4, *, noise: float = 0.0, every: float = 10.0, sign: float = 1.0,
    settle: float = 0.0, seed: int = 1, switch: bool = True,
) -> Record:  # fmt: skip
    """Rests of 4 h and pulses of 15 min; `settle` [V] is missing at the end of each rest."""
    t, v, i = [np.array([0.0, 600.0])], [np.full(2, 3.6)], [np.zeros(2)]
    now, level = 600.0, 3.6
    for _ in range(pulses):
        s = np.arange(0.0, TAU + every / 2, every)[0 if switch else 1 :]
        t.append(now + s)
        v.append(level + sign * (OHMIC + DE_T * np.sqrt(s / TAU)))
        i.append(np.full(len(s), sign * 6e-5))
        now, level = now + TAU, level + sign * DE_S
        s = np.arange(0.0, REST + 30.0, 60.0)
        t.append(now + s)
        v.append(level + sign * settle * np.exp(3.0 * (1.0 - s / REST)))
        i.append(np.zeros(len(s)))
        now += REST
    voltage = np.concatenate(v)
    voltage = voltage + noise * np.random.default_rng(seed).standard_normal(len(voltage))
    return Record.of(np.concatenate(t), voltage, np.concatenate(i))


def values(result: GittResult, name: str) -> Any:
    return result.column(name)


def test_a_pulse_without_rows_at_its_beginning_is_marked() -> None:
    late = reduce_gitt(planar(every=36.0, switch=False), SAMPLE).pulses[0]
    assert late.flaws == ("no row in the first 4 % of the pulse",)
    assert reduce_gitt(planar(every=10.0, switch=False), SAMPLE).pulses[0].flaws == ()


def test_equation_1_by_hand() -> None:
    # 4 / (pi 100 s) (1e-6 m)^2 (1/2)^2 = 3.183e-15 m2/s
    sample = Sample(mass=1.0, molar_mass=0.1, density=1000.0, area=1000.0)
    assert diffusivity(sample, 100.0, 1e-3, 2e-3) / 3.18309886e-15 == pytest.approx(1.0)
    assert math.isnan(diffusivity(sample, 100.0, 1e-3, 0.0))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_law_of_a_plane(sign: float) -> None:
    result = reduce_gitt(planar(sign=sign), SAMPLE)
    assert len(result.pulses) == 4 and not any(p.flaws for p in result.pulses)
    assert values(result, "D") / D == pytest.approx(1.0, rel=1e-9)
    assert values(result, "ohmic") == pytest.approx(sign * OHMIC)
    assert values(result, "dE_s") == pytest.approx(sign * DE_S)
    assert values(result, "dE_t") == pytest.approx(sign * DE_T)
    assert values(result, "current") == pytest.approx(sign * 6e-5)
    assert values(result, "shortness") == pytest.approx(TAU * D / 25e-12, rel=1e-6)
    assert values(result, "rest") == pytest.approx(REST)


def test_the_step_is_removed_or_not() -> None:
    record = planar()
    first = reduce_gitt(record, SAMPLE, Gitt(ohmic="first"))
    assert values(first, "D") / D == pytest.approx(1.0, rel=1e-9)
    kept = reduce_gitt(record, SAMPLE, Gitt(ohmic="none"))
    assert values(kept, "D") / D == pytest.approx((DE_T / (DE_T + OHMIC)) ** 2, rel=1e-9)


def test_theta_from_charge() -> None:
    result = reduce_gitt(planar(), SAMPLE, Gitt(theta_start=0.9))
    # 6e-5 A x 900 s over 6e-6 kg x F / M
    step = 6e-5 * 900.0 / (6e-6 * 96485.33212 / 0.09746)
    assert values(result, "theta") == pytest.approx(0.9 - step * np.array([0.5, 1.5, 2.5, 3.5]))
    assert np.isnan(values(reduce_gitt(planar(), SAMPLE), "theta")).all()


def test_uncertainty_holds_the_scatter() -> None:
    """Over 50 noisy records D scatters by what is said of it, within the error of 50."""
    found = [reduce_gitt(planar(1, noise=5e-5, seed=seed), SAMPLE) for seed in range(50)]
    D_found = np.array([result.pulses[0].D for result in found])
    said = np.median([result.pulses[0].u_D for result in found])
    assert D_found.mean() / D == pytest.approx(1.0, abs=0.02)
    assert 0.6 < said / D_found.std() < 2.5
    area = Sample(6e-6, 0.09746, 4780.0, 3.6e-3, area_uncertainty=0.1)
    p = reduce_gitt(planar(), area).pulses[0]
    assert p.u_D / p.D == pytest.approx(0.2, rel=1e-3)


def test_a_rest_that_is_too_short() -> None:
    result = reduce_gitt(planar(settle=5e-4), SAMPLE)
    p = result.pulses[1]
    assert p.flaws == ("the rest ended before the voltage was steady",)
    assert abs(p.unsettled) == pytest.approx(5e-4, rel=0.15)  # means over 5 % of the rest
    assert p.u_dE_s > 5e-4
    assert reduce_gitt(planar(settle=2e-5), SAMPLE).pulses[1].flaws == ()


def test_a_pulse_that_is_too_long() -> None:
    sample = Sample(6e-6, 0.09746, 4780.0, 3.6e-3, length=0.5e-6)
    p = reduce_gitt(planar(), sample).pulses[0]
    assert p.flaws == ("tau = 0.36 L^2/D is not << L^2/D",)
    assert reduce_gitt(planar(), sample, Gitt(longest=0.5)).pulses[0].flaws == ()


def test_without_rows_at_the_steps() -> None:
    """A cycler that writes the first row 10 s into a step: the pulse begins at the rest's last."""
    record = planar()
    again = np.flatnonzero(np.diff(record.time) == 0.0) + 1
    kept = np.delete(np.arange(len(record)), again)
    thin = Record.of(record.time[kept], record.voltage[kept], record.current[kept])
    assert values(reduce_gitt(thin, SAMPLE), "D") / D == pytest.approx(1.0, rel=1e-6)


def test_refused() -> None:
    record = planar()
    with pytest.raises(InputError, match="voltage that falls while its current is positive"):
        reduce_gitt(Record.of(record.time, record.voltage, -record.current), SAMPLE)
    steady = Record.of(record.time, record.voltage, np.ones(len(record)))
    with pytest.raises(InputError, match="no pulse between two rests: 1 stretches with current"):
        reduce_gitt(steady, SAMPLE)
    with pytest.raises(InputError, match="rows in its window, less than 4"):
        reduce_gitt(planar(every=300.0), SAMPLE)
    with pytest.raises(InputError, match="window = 0.5 to 0.2 must rise"):
        Gitt(window=(0.5, 0.2))
