"""Equivalent circuits from impedance spectra, by complex nonlinear least squares.

    Z(f) = R_hf + R_ct / (1 + j w R_ct C_dl)  [+ A_w (1 - j) / sqrt(w)],    w = 2 pi f

the circuit of Cadiou et al., SI, Fig. S3, R_hf in series with R_ct || C_dl, which they fit to the
arc at high frequency; where a constant phase element stands in place of the capacitor,

    Z(f) = R_hf + R_ct / (1 + R_ct Q (j w)^n) ,    C_dl = (Q R_ct)^(1/n) / R_ct

(Hsu and Mansfeld, Corrosion 57 (2001) 747). The Warburg tail of semi-infinite diffusion is an
option; without it, leave the tail out by the window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nmcsim.errors import InputError, Mistake

__all__ = ["Circuit", "CircuitFit", "Spectrum", "Value", "fit_circuit", "impedance"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

Weights = Literal["modulus", "unit"]
"""Residuals divided by |Z| of each point (an error of a constant share), or by nothing."""


@dataclass(frozen=True)
class Spectrum:
    """An impedance spectrum.

    Parameters
    ----------
    frequency : (n,) float array
        [Hz], falling.
    Z : (n,) complex array
        [ohm]; capacitive arcs have Im Z < 0.
    name : str
        What messages call it.
    notes : tuple of str
    """

    frequency: Array
    Z: Complex
    name: str = "spectrum"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Circuit:
    """What is fitted, and to which part of the spectrum.

    Parameters
    ----------
    element : {"capacitor", "cpe"}
        What stands beside R_ct.
    warburg : bool
        Whether a Warburg element is in series.
    window : (float, float)
        Frequencies [Hz] between which points count; 0 to infinity is all.
    weights : {"modulus", "unit"}
    """

    element: Literal["capacitor", "cpe"] = "capacitor"
    warburg: bool = False
    window: tuple[float, float] = (0.0, math.inf)
    weights: Weights = "modulus"

    def __post_init__(self) -> None:
        lo, hi = self.window
        if not 0.0 <= lo < hi:
            raise InputError(Mistake("window", f"= {lo:g} Hz to {hi:g} Hz does not rise"))

    @property
    def said(self) -> str:
        """The circuit in words."""
        beside = "C_dl" if self.element == "capacitor" else "CPE"
        return f"R_hf + (R_ct || {beside})" + " + W" * self.warburg


@dataclass(frozen=True)
class Value:
    """A fitted number: value, one standard deviation (NaN where it cannot be had), SI unit."""

    value: float
    uncertainty: float
    unit: str


@dataclass(frozen=True)
class CircuitFit:
    """A fitted circuit.

    Parameters
    ----------
    values : dict of str to Value
        ``R_hf R_ct C_dl f_peak``, and ``Q n`` of a constant phase element, ``A_w`` of a Warburg
        element.
    circuit : Circuit
    spectrum : Spectrum
    used : (n,) bool array
        Which points lie in the window.
    model : (n,) complex array
        The circuit at all frequencies [ohm].
    rms : float
        Root mean square of |Z - model| / |Z| over the window.
    correlations : dict
        Of pairs of parameters that lie above 0.9 in magnitude.
    warnings : tuple of str
        Why the numbers should not be trusted; empty where nothing is against them.
    """

    values: dict[str, Value]
    circuit: Circuit
    spectrum: Spectrum
    used: NDArray[np.bool_]
    model: Complex
    rms: float
    correlations: dict[tuple[str, str], float]
    warnings: tuple[str, ...] = ()

    @property
    def residuals(self) -> Complex:
        """(Z - model) / |Z| at all frequencies."""
        return (self.spectrum.Z - self.model) / np.abs(self.spectrum.Z)

    def at(self, frequency: Array) -> Complex:
        """The fitted circuit's impedance [ohm] at other frequencies [Hz]."""
        found = {name: value.value for name, value in self.values.items()}
        names = {"R_hf", "R_ct", "n", "A_w"} & found.keys()
        Q = found.get("Q", found["C_dl"])
        return impedance(frequency, Q=Q, **{name: found[name] for name in names})


def impedance(
    frequency: Array, R_hf: float, R_ct: float, Q: float, n: float = 1.0, A_w: float = 0.0
) -> Complex:
    """The circuit's impedance [ohm], shape of `frequency`.

    Parameters
    ----------
    frequency : array
        [Hz].
    R_hf, R_ct : float
        [ohm].
    Q : float
        Of the constant phase element [F s^(n-1)]; the capacitance [F] where n = 1.
    n : float
    A_w : float
        Warburg coefficient [ohm s^-1/2].
    """
    w = 2.0 * np.pi * np.asarray(frequency, dtype=np.float64)
    Z = R_hf + R_ct / (1.0 + R_ct * Q * (1j * w) ** n) + A_w * (1.0 - 1.0j) / np.sqrt(w)
    return np.asarray(Z, dtype=np.complex128)


def fit_circuit(spectrum: Spectrum, circuit: Circuit | None = None) -> CircuitFit:
    """Fit a circuit to the points of a spectrum that lie in its window.

    The real and imaginary parts of (model - Z) / weight are minimised together (lmfit, trust
    region); parameters stay positive. Uncertainties come from the Jacobian, scaled by the residual.

    Parameters
    ----------
    spectrum : Spectrum
    circuit : Circuit, optional

    Raises
    ------
    InputError
        The window holds too few points.
    """
    import lmfit

    circuit = circuit or Circuit()
    lo, hi = circuit.window
    used = (spectrum.frequency >= lo) & (spectrum.frequency <= hi)
    start = _start(spectrum, used, circuit)
    if (count := int(np.count_nonzero(used))) < len(start) + 1:
        whole = f"{spectrum.frequency.min():.4g} to {spectrum.frequency.max():.4g} Hz"
        message = (
            f"has {count} points in the window, and {circuit.said} needs {len(start) + 1};"
            f" it goes from {whole}"
        )
        raise InputError(Mistake("", message), spectrum.name)
    f, Z = spectrum.frequency[used], spectrum.Z[used]
    weight = np.abs(Z) if circuit.weights == "modulus" else np.full(len(Z), np.abs(Z).mean())
    names, guess = list(start), np.array(list(start.values()))
    parameters = lmfit.Parameters()
    for name, first in start.items():
        # relative to its guess, so that ohms and nanofarads are alike to the minimiser
        parameters.add(name, value=1.0, min=0.0, max=1.0 / first if name == "n" else math.inf)

    def residual(relative: Any) -> Array:
        now = dict(zip(names, guess * [relative[name].value for name in names], strict=True))
        gap = (impedance(f, **now) - Z) / weight
        return np.concatenate((gap.real, gap.imag))

    fit = lmfit.minimize(residual, parameters, method="least_squares", x_scale="jac")
    best = guess * np.array([fit.params[name].value for name in names])
    covariance = np.full((len(names), len(names)), np.nan)
    if getattr(fit, "covar", None) is not None:
        covariance = np.outer(guess, guess) * fit.covar
    model = impedance(spectrum.frequency, **dict(zip(names, best.tolist(), strict=True)))
    values = _values(names, best, covariance)
    return CircuitFit(
        values,
        circuit,
        spectrum,
        used,
        model,
        float(np.sqrt(np.mean(np.abs(Z - model[used]) ** 2 / np.abs(Z) ** 2))),
        _correlations(names, covariance),
        _warnings(values, spectrum, used),
    )


def _start(spectrum: Spectrum, used: NDArray[np.bool_], circuit: Circuit) -> dict[str, float]:
    """First guesses from the arc's ends and its top."""
    Z, f = (spectrum.Z[used], spectrum.frequency[used]) if used.any() else (np.ones(1), np.ones(1))
    R_hf = max(float(Z.real.min()), 1e-3 * float(np.abs(Z).max()))
    # the first top from high frequency: behind it the tail of diffusion may be higher
    falls = np.flatnonzero((np.diff(-Z.imag) < 0.0) & (-Z.imag[:-1] > 0.0))
    top = int(falls[0]) if falls.size else int(np.argmax(-Z.imag))
    R_ct = max(2.0 * float(-Z.imag[top]), 1e-3 * R_hf)
    start = {"R_hf": R_hf, "R_ct": R_ct, "Q": 1.0 / (2.0 * np.pi * float(f[top]) * R_ct)}
    if circuit.element == "cpe":
        start["n"] = 0.9
    if circuit.warburg:
        start["A_w"] = max(0.1 * R_ct * math.sqrt(2.0 * np.pi * float(f.min())), 1e-12)
    return start


def _values(names: list[str], best: Array, covariance: Array) -> dict[str, Value]:
    """The parameters, and what follows from them, each with its standard deviation."""

    def derived(p: Array) -> Array:
        now = dict(zip(names, p, strict=True))
        R, Q, n = now["R_ct"], now["Q"], now.get("n", 1.0)
        return np.array([(Q * R) ** (1.0 / n) / R, (Q * R) ** (-1.0 / n) / (2.0 * np.pi)])

    step = 1e-6
    slopes = np.column_stack(
        [
            (derived(best * (1.0 + step * unit)) - derived(best * (1.0 - step * unit)))
            / (2.0 * step * best[k])
            for k, unit in enumerate(np.eye(len(names)))
        ]
    )
    C, f_peak = derived(best)
    u_C, u_f = np.sqrt(np.diag(slopes @ covariance @ slopes.T))
    spread = np.sqrt(np.diag(covariance))
    plain = {n: (float(v), float(u)) for n, v, u in zip(names, best, spread, strict=True)}
    found = {name: Value(*plain[name], "ohm") for name in ("R_hf", "R_ct")}
    found["C_dl"] = Value(float(C), float(u_C), "F")
    found["f_peak"] = Value(float(f_peak), float(u_f), "Hz")
    if "n" in plain:
        found["Q"] = Value(*plain["Q"], "F s^(n-1)")
        found["n"] = Value(*plain["n"], "1")
    if "A_w" in plain:
        found["A_w"] = Value(*plain["A_w"], "ohm/s^0.5")
    return found


def _correlations(names: list[str], covariance: Array) -> dict[tuple[str, str], float]:
    spread = np.sqrt(np.diag(covariance))
    found = {}
    for i, a in enumerate(names):
        for k in range(i):
            rho = float(covariance[i, k] / (spread[i] * spread[k]))
            if abs(rho) > 0.9:
                found[names[k], a] = rho
    return found


def _warnings(
    values: dict[str, Value], spectrum: Spectrum, used: NDArray[np.bool_]
) -> tuple[str, ...]:
    found = []
    f, peak = spectrum.frequency[used], values["f_peak"].value
    lo, hi = float(f.min()), float(f.max())
    if not lo < peak < hi:
        found.append(
            f"the top of the arc, {peak:.4g} Hz, lies outside the window of {lo:.4g} to {hi:.4g}"
            " Hz: R_ct and C_dl are extrapolated"
        )
    elif not (lo < 0.5 * peak and hi > 2.0 * peak):
        found.append(
            f"the window of {lo:.4g} to {hi:.4g} Hz ends within a factor of two of the top of the"
            f" arc, {peak:.4g} Hz"
        )
    for name, value in values.items():
        if not value.uncertainty < 0.5 * value.value:
            found.append(f"{name} is not determined: its uncertainty is half of it or more")
    return tuple(found)
