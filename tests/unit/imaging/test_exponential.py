"""Exponential fits: known curves come back, intervals hold them, what is undetermined is said."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.errors import InputError
from nmcsim.imaging.exponential import fit_exponential

N = np.array([0.0, 1.0, 3.0, 6.0, 10.0, 15.0, 22.0, 35.0])


def test_saturation_comes_back_and_foresees() -> None:
    """0.30 - 0.25 exp(-n/25): 22 % is reached at cycle 25 ln(25/8) = 28.5."""
    values = 0.30 - 0.25 * np.exp(-N / 25.0)
    fit = fit_exponential(N, values, np.full(8, 0.002))
    p = fit.parameters
    assert [p[k].value for k in ("p_0", "p_inf", "n_c")] == pytest.approx(
        [0.05, 0.30, 25.0], rel=1e-5
    )
    value, error = fit.predict(28.485)
    assert value == pytest.approx(0.22, abs=1e-5)
    assert 0.0005 < error < 0.003
    # farther from the data the band is wider
    assert fit.predict(100.0)[1] > 3.0 * fit.predict(30.0)[1]
    assert fit.interval == "profile"
    assert p["n_c"].low < 25.0 - p["n_c"].error < 25.0 + p["n_c"].error < p["n_c"].high
    # chi-squared is skew: n_c may be much longer, not much shorter
    assert p["n_c"].high - 25.0 > 25.0 - p["n_c"].low


@pytest.mark.slow
def test_the_errors_are_the_scatter_of_many_fits() -> None:
    rng = np.random.default_rng(2)
    off = []
    for _ in range(12):
        values = 0.30 - 0.25 * np.exp(-N / 10.0) + rng.normal(0.0, 0.003, 8)
        n_c = fit_exponential(N, values, np.full(8, 0.003)).parameters["n_c"]
        off.append((n_c.value - 10.0) / n_c.error)
    assert np.std(off) == pytest.approx(1.0, abs=0.6)  # 12 fits: 20 %


@pytest.mark.parametrize(("form", "sign"), [("growth", 1.0), ("decay", -1.0)])
def test_plain_growth_and_decay(form: str, sign: float) -> None:
    fit = fit_exponential(N, 0.02 * np.exp(sign * N / 15.0), form=form)
    assert fit.parameters["p_0"].value == pytest.approx(0.02, rel=1e-6)
    assert fit.parameters["n_c"].value == pytest.approx(15.0, rel=1e-6)
    assert fit(0.0) == pytest.approx(0.02)


@pytest.mark.parametrize("values", [0.01 * N, np.full(8, 0.1), np.exp(N / 10.0)])
def test_what_is_no_saturation_is_said(values: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"exponential fit \(saturation\) is not determined"):
        fit_exponential(N, values)


def test_too_few_cycles_and_unknown_forms() -> None:
    with pytest.raises(InputError, match="needs at least 4 different cycles, there are 3"):
        fit_exponential([0, 5, 5, 10], [1, 2, 2, 3])
    with pytest.raises(InputError, match='form = "logistic" is none; there are saturation'):
        fit_exponential(N, N, form="logistic")
