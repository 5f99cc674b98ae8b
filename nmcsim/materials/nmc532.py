"""LiNi0.5Mn0.3Co0.2O2."""

from __future__ import annotations

from typing import Any, Final

from nmcsim.constants import F
from nmcsim.expression import exp, sqrt
from nmcsim.materials.definition import Material
from nmcsim.materials.law import Constant, Law
from nmcsim.materials.nmc88 import site_product

SITE_DENSITY: Final = 49_599.0  # mol/m3, Colclasure 2020

COLCLASURE: Final = (
    "Colclasure et al., Electrochim. Acta 337 (2020) 135854, doi:10.1016/j.electacta.2020.135854"
)
MOHTAT: Final = (
    "Mohtat et al., J. Electrochem. Soc. 167 (2020) 110561, doi:10.1149/1945-7111/aba5d1"
)
XU: Final = "Xu et al., J. Electrochem. Soc. 166 (2019) A3456"

# powers 0 to 14 of theta in the OCV of Colclasure 2020 [V]
_COLCLASURE: Final = (
    5.3147356330003,
    -4.15827660360906,
    27.2340921804213,
    -272.485166844578,
    1190.22342119331,
    -2073.76554757481,
    -829.790460410703,
    8698.11275534872,
    -10743.7433318619,
    -2057.80887352635,
    12656.3097851240,
    -1571.09426436509,
    -14557.4206229136,
    13176.5754448427,
    -3640.11769200149,
)


def ocv_colclasure2020(theta: Any) -> Any:
    """Open-circuit potential [V]: a polynomial of degree 14 and a droop at theta = 1.

    U = sum of a_k t**k  -  5.573191762723310e-4 exp(6.560240842659690 t**41.48209275061330)
    """
    value: Any = 0.0
    for coefficient in reversed(_COLCLASURE):
        value = value * theta + coefficient
    return value - 5.57319176272331e-4 * exp(6.56024084265969 * theta**41.4820927506133)


def ocv_mohtat2020(theta: Any) -> Any:
    """Open-circuit potential [V]: a polynomial of degree 5 and a droop at theta = 1. Mohtat 2020.

    U = 4.3452 - 1.6518 t + 1.6225 t**2 - 2.0843 t**3 + 3.5146 t**4 - 2.2166 t**5
        - 0.5623e-4 exp(109.451 t - 100.006)
    """
    t = theta
    series = 1.6518 - t * (1.6225 - t * (2.0843 - t * (3.5146 - t * 2.2166)))
    return 4.3452 - t * series - 0.5623e-4 * exp(109.451 * t - 100.006)


def exchange_current_xu2019(theta: Any) -> Any:
    """Exchange current density [A/m2] in 1 mol/L of lithium salt, with the k of Xu 2019.

    i0 = F k sqrt(c_e) N_L sqrt(theta (1 - theta)),   k = 5.76e-11 m^2.5 mol^-0.5 s^-1
    """
    return F * 5.76e-11 * 1000.0**0.5 * SITE_DENSITY * sqrt(site_product(theta))


OCV_COLCLASURE: Final = Law(
    symbol="U",
    unit="V",
    fn=ocv_colclasure2020,
    valid=(0.3, 0.99),
    source=COLCLASURE,
    text="polynomial of degree 14 and a droop at theta = 1",
    note="4.3 V at 0.336, 4.2 V at 0.385; the fall of 0.23 V from 0.90 to 0.99 carries "
    "overpotential of the slow branch it was fitted to",
)
OCV_MOHTAT: Final = Law(
    symbol="U",
    unit="V",
    fn=ocv_mohtat2020,
    valid=(0.0, 0.99),
    source=f"{MOHTAT}; the same in {XU}",
    text="polynomial of degree 5 and a droop at theta = 1",
    note="reaches 4.3 V only at 0.028: with such a cut-off it takes out too much lithium; the fall "
    "of 0.34 V from 0.90 to 0.99 carries overpotential",
)
DIFFUSIVITY_XU: Final = Law(
    symbol="D_chem",
    unit="m2/s",
    fn=Constant(1e-14),
    source=XU,
    kind="chemical",
    text="1e-14 m2/s",
    note="belongs to secondary particles, so D/R^2 is what transfers; measured diffusivities fall "
    "by orders of magnitude towards theta = 1",
    positive=True,
)
DIFFUSIVITY_MOHTAT: Final = Law(
    symbol="D_chem",
    unit="m2/s",
    fn=Constant(8e-15),
    source=MOHTAT,
    kind="chemical",
    text="8e-15 m2/s",
    note="belongs to secondary particles, so D/R^2 is what transfers",
    positive=True,
)
EXCHANGE_CURRENT: Final = Law(
    symbol="i0",
    unit="A/m2",
    fn=exchange_current_xu2019,
    valid=(0.0, 1.0),
    source=f"k = 5.76e-11 m^2.5 mol^-0.5 s^-1: {XU}",
    choice=True,
    text="F k sqrt(1000 mol/m3) N_L sqrt(theta (1 - theta))",
    note="1 mol/L of salt, 298 K; k of one paper on the site density of another (Colclasure 2020), "
    "which is our choice; continued smoothly where theta (1 - theta) is small",
    positive=True,
)

NMC532: Final = Material.of_library(
    name="nmc532",
    title="LiNi0.5Mn0.3Co0.2O2",
    U=OCV_COLCLASURE,
    D=DIFFUSIVITY_XU,
    i0=EXCHANGE_CURRENT,
    site_density=SITE_DENSITY,
    density=4789.0,
    theta_discharged=0.95,
    molar_mass=96.553e-3,
    sources={
        "site_density": "Colclasure et al. 2020",
        "density": "site density times molar mass",
        "theta_discharged": "our choice",
        "molar_mass": "composition",
    },
)
