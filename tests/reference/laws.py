"""Material laws of the Ni-rich single crystal, written a second time from the literature.

These closed forms are independent of ``nmcsim.materials`` on purpose: a slip in either shows as a
difference. All functions take numpy arrays, real or complex (so that derivatives come from the
complex step, without truncation error).

    D_chem(theta) = D_ab(theta) theta |V_oc'(theta)| F / (R T)
    j_mean        = n Q rho R_d / (2 F)                      disk of radius R_d, no rock salt

Open-circuit voltage: closed form fitted to the NMC811 curve of Sturm et al., J. Power Sources 412
(2019) 204 (0.65 mV rms). D_ab: parameter set A, a choice and not a measurement, bounded by the
GITT ceiling of Lun et al., Supplementary Information, Eq. 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

FARADAY = 96485.33212  # C/mol, CODATA 2018
GAS = 8.314462618  # J/(mol K), CODATA 2018
TEMPERATURE = 295.15  # K, Lun et al.
CAPACITY = 7.2e5  # C/kg, 200 mAh/g, the basis of a C-rate, Lun et al.
DENSITY = 4780.0  # kg/m3, Lun et al.
MOLAR_MASS = 0.097460  # kg/mol, LiNi0.88Mn0.05Co0.07O2
SITE_DENSITY = DENSITY / MOLAR_MASS  # mol/m3, 49 046
THETA_START = 0.95
RATE_CONSTANT = 3.2e-11  # m^2.5 mol^-0.5 s^-1, NMC811 of Sturm et al.
ELECTROLYTE = 1000.0  # mol/m3

_STEPS = ((0.124, 0.2101, 0.03653), (0.06388, 0.3701, 0.04978))
_HILLS = ((0.1427, 0.5281, 0.1135), (0.1084, 0.8284, 0.1394))


def open_circuit_voltage(theta: ArrayLike) -> NDArray[np.inexact]:
    """V_oc [V] against lithium; decreasing everywhere."""
    t = np.asarray(theta)
    V = 4.016 - 0.05 * t - 0.02652 * np.exp((t - 1.0) / 0.01084)
    for height, centre, width in _STEPS + _HILLS:
        V = V - height * np.tanh((t - centre) / width)
    return V


def open_circuit_slope(theta: ArrayLike) -> NDArray[np.inexact]:
    """dV_oc/dtheta [V], by hand from the closed form."""
    t = np.asarray(theta)
    slope = -0.05 - 0.02652 / 0.01084 * np.exp((t - 1.0) / 0.01084)
    for height, centre, width in _STEPS + _HILLS:
        slope = slope - height / width / np.cosh((t - centre) / width) ** 2
    return slope


def self_diffusivity(theta: ArrayLike) -> NDArray[np.inexact]:
    """D_ab [m2/s] of Eq. 10, parameter set A."""
    t = np.asarray(theta)
    exponent = -11.8 - 1.6 / (1.0 + np.exp(-(t - 0.88) / 0.03))
    exponent = exponent - 1.0 / (1.0 + np.exp((t - 0.24) / 0.03))
    return np.asarray(1e-4 * 10.0**exponent)


def chemical_diffusivity(theta: ArrayLike) -> NDArray[np.inexact]:
    """D_chem [m2/s] at 295.15 K: Eq. 10 written as a Fick's law."""
    t = np.asarray(theta)
    factor = -t * open_circuit_slope(t) * FARADAY / (GAS * TEMPERATURE)
    return np.asarray(self_diffusivity(t) * factor)


def exchange_current(theta: ArrayLike) -> NDArray[np.inexact]:
    """i0 [A/m2] = F k sqrt(c_l) N_L sqrt(theta (1 - theta)); 2.39 A/m2 at theta = 0.5."""
    t = np.asarray(theta)
    scale = FARADAY * RATE_CONSTANT * np.sqrt(ELECTROLYTE) * SITE_DENSITY
    return np.asarray(scale * np.sqrt(t * (1.0 - t)))


def mean_flux(rate: float, radius: float) -> float:
    """Perimeter mean of the lithium flux [mol/(m2 s)] leaving a disk at `rate` C, Eq. 14."""
    return rate / 3600.0 * CAPACITY * DENSITY * radius / (2.0 * FARADAY)
