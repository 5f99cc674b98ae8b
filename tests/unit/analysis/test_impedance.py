"""Equivalent circuits: what was put in comes out, within what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from nmcsim.analysis.impedance import Circuit, Spectrum, fit_circuit, impedance
from nmcsim.errors import InputError

F = np.logspace(5, -1, 61)


def noisy(Z: np.ndarray, seed: int, share: float = 0.005) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return Z * (1.0 + share * (rng.standard_normal(len(Z)) + 1j * rng.standard_normal(len(Z))))


def test_limits_of_the_circuit() -> None:
    assert impedance(np.array([1e12]), 12.0, 85.0, 2e-5)[0] == pytest.approx(12.0, abs=1e-3)
    assert impedance(np.array([1e-9]), 12.0, 85.0, 2e-5)[0] == pytest.approx(97.0, abs=1e-3)
    # at the top of the arc, w R C = 1: Z = R_hf + R_ct (1 - j) / 2
    top = 1.0 / (2.0 * np.pi * 85.0 * 2e-5)
    assert impedance(np.array([top]), 12.0, 85.0, 2e-5)[0] == pytest.approx(54.5 - 42.5j)
    # a Warburg element alone: -45 degrees, A sqrt(2/w)
    w = impedance(np.array([1.0 / (2.0 * np.pi)]), 0.0, 0.0, 1.0, A_w=3.0)[0]
    assert w == pytest.approx(3.0 - 3.0j)


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_randles(scale: float) -> None:
    """Ohms of a cell and megohms of one particle."""
    Z = impedance(F, 12.0 * scale, 85.0 * scale, 2e-5 / scale)
    fit = fit_circuit(Spectrum(F, Z))
    found = {name: value.value for name, value in fit.values.items()}
    assert found["R_hf"] / scale == pytest.approx(12.0, rel=1e-6)
    assert found["R_ct"] / scale == pytest.approx(85.0, rel=1e-6)
    assert found["C_dl"] * scale == pytest.approx(2e-5, rel=1e-6)
    assert found["f_peak"] == pytest.approx(93.62, rel=1e-3)
    assert fit.rms < 1e-6 and fit.warnings == ()


@pytest.mark.parametrize("circuit", [Circuit(), Circuit("cpe"), Circuit("cpe", warburg=True)])
def test_the_fitted_circuit_between_the_points(circuit: Circuit) -> None:
    fit = fit_circuit(Spectrum(F, noisy(impedance(F, 12.0, 85.0, 2e-5, 0.9, 4.0), 1)), circuit)
    assert fit.at(F) == pytest.approx(fit.model, rel=1e-12)


@pytest.mark.parametrize("element", ["capacitor", "cpe"])
def test_uncertainty_holds_the_scatter(element: str) -> None:
    n = 1.0 if element == "capacitor" else 0.8
    Z = impedance(F, 12.0, 85.0, 2e-5, n)
    fits = [
        fit_circuit(Spectrum(F, noisy(Z, seed)), Circuit(element=element))  # type: ignore[arg-type]
        for seed in range(25)
    ]
    C = (2e-5 * 85.0) ** (1.0 / n) / 85.0
    true = {"R_hf": 12.0, "R_ct": 85.0, "C_dl": C} | ({"n": n} if element == "cpe" else {})
    for name, value in true.items():
        found = np.array([fit.values[name].value for fit in fits])
        said = np.median([fit.values[name].uncertainty for fit in fits])
        assert abs(found.mean() - value) < 4.0 * said / 5.0, name
        assert 0.5 < said / found.std() < 2.0, name


def test_the_tail_is_left_out_or_fitted() -> None:
    Z = impedance(F, 12.0, 85.0, 2e-5, 1.0, 20.0)
    whole = fit_circuit(Spectrum(F, Z))
    assert abs(whole.values["R_ct"].value - 85.0) > 5.0  # the tail is taken for charge transfer
    window = fit_circuit(Spectrum(F, Z), Circuit(window=(20.0, 1e5)))
    assert window.values["R_ct"].value == pytest.approx(85.0, rel=0.03)
    assert np.count_nonzero(window.used) == np.count_nonzero(F >= 20.0)
    tail = fit_circuit(Spectrum(F, Z), Circuit(warburg=True))
    assert tail.values["R_ct"].value == pytest.approx(85.0, rel=1e-5)
    assert tail.values["A_w"].value == pytest.approx(20.0, rel=1e-5)


def test_weights() -> None:
    """An outlier in the large impedances moves equal weights more."""
    Z = impedance(F, 1.0, 1000.0, 2e-5)
    Z[-5:] *= 1.05
    R = {
        how: fit_circuit(Spectrum(F, Z), Circuit(weights=how)).values["R_hf"].value  # type: ignore[arg-type]
        for how in ("modulus", "unit")
    }
    assert abs(R["modulus"] - 1.0) < 0.2 * abs(R["unit"] - 1.0)


def test_window_without_the_top() -> None:
    Z = noisy(impedance(F, 12.0, 85.0, 2e-5), 1)
    fit = fit_circuit(Spectrum(F, Z), Circuit(window=(1e3, 1e5)))
    assert "lies outside the window of 1000 to 1e+05 Hz" in fit.warnings[0]
    near = fit_circuit(Spectrum(F, Z), Circuit(window=(60.0, 1e5)))
    assert "ends within a factor of two of the top" in near.warnings[0]


def test_what_is_not_determined() -> None:
    Z = noisy(impedance(F, 12.0, 1e-3, 2e-5), 2)  # no arc to speak of
    fit = fit_circuit(Spectrum(F, Z))
    assert any("is not determined" in warning for warning in fit.warnings)


def test_refused() -> None:
    spectrum = Spectrum(F, impedance(F, 12.0, 85.0, 2e-5), "eis.csv")
    with pytest.raises(InputError, match=r"eis.csv: has 0 points in the window, and R_hf"):
        fit_circuit(spectrum, Circuit(window=(1e6, 1e7)))
    with pytest.raises(InputError, match="window = 10 Hz to 1 Hz does not rise"):
        Circuit(window=(10.0, 1.0))
