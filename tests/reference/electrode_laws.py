"""Closed-form laws of the electrode references, as text that any code can read.

The same text is evaluated here with numpy, in ``pybamm_electrode`` with PyBaMM's functions, and by
nmcsim from a case file, so that a comparison is of equations and numerics and of nothing else:

    U      open-circuit potential [V], falling everywhere
    D      chemical diffusivity of lithium in the solid [m2/s]; a hundred times lower near theta = 1
    K      electronic conductivity of the solid [S/m]; a thousand times lower near theta = 1
    i0     exchange current density [A/m2] at c = 1000 mol/m3
    kappa, D_l, t_plus, tdf     of the electrolyte, c in mol/m3; tdf = 1 + dlnf/dlnc

kappa and D_l: Nyman et al., Electrochim. Acta 53 (2008) 6356, with t_plus = 0.2594; tdf and all
laws of the solid are our choice, for tests alone: they describe no material.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

FARADAY = 96485.33212  # C/mol, CODATA 2018
GAS = 8.314462618  # J/(mol K), CODATA 2018
TEMPERATURE = 298.15  # K
SITE_DENSITY = 49_600.0  # mol/m3
C_REF = 1000.0  # mol/m3

SYMMETRIC: Mapping[str, str] = {
    "U": "4.4 - 0.8*theta - 0.05*tanh((theta - 0.6)/0.1) - 0.04*tanh((theta - 0.97)/0.03)",
    "D": "1e-13*exp(-4.60517/(1 + exp(-(theta - 0.8)/0.04)))",
    "K": "0.2*exp(-6.907755/(1 + exp(-(theta - 0.85)/0.03)))",
    "i0": "4*sqrt(theta*(1 - theta))",
    "kappa": "0.1297*(c/1000)**3 - 2.51*(c/1000)**1.5 + 3.329*(c/1000)",
    "D_l": "8.794e-11*(c/1000)**2 - 3.972e-10*(c/1000) + 4.862e-10",
    "t_plus": "0.2594",
    "tdf": "0.6 + 0.8*(c/1000)",
}
"""For alpha_a = alpha_c = 1/2."""

SKEWED: Mapping[str, str] = SYMMETRIC | {
    "i0": "4*(1 - theta)**0.4*theta**0.6",
    "t_plus": "0.35 - 0.1*(c/1000)",
}
"""For alpha_a = 0.4, alpha_c = 0.6: the powers are those of Sharma et al. (2022), Eq. 3."""

UNITS = {
    "U": "V", "D": "m2/s", "K": "S/m", "i0": "A/m2",
    "kappa": "S/m", "D_l": "m2/s", "t_plus": "", "tdf": "",
}  # fmt: skip

NUMPY = {"exp": np.exp, "tanh": np.tanh, "sqrt": np.sqrt}


def evaluate(text: str, functions: Mapping[str, Any] = NUMPY, **arguments: Any) -> Any:
    """The value of a formula of this module, whatever its arguments and functions are made of."""
    return eval(text, {"__builtins__": {}}, {**functions, **arguments})
