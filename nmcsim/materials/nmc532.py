"""LiNi0.5Mn0.3Co0.2O2."""

from __future__ import annotations

from typing import Any, Final

from nmcsim.constants import F
from nmcsim.expression import exp, log, logistic, sqrt
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
AMIN: Final = (
    "Amin and Chiang, J. Electrochem. Soc. 163 (2016) A1512, doi:10.1149/2.0131608jes (NMC523)"
)
PARK: Final = "Park et al., Nature Materials 20 (2021) 991"
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


FLAT_FROM, ROUND, FLAT_SLOPE = 0.9, 0.01, -0.1  # where, how smoothly, and V per theta
EMPTY_AT, EMPTY_WIDTH, EMPTY_DROP = 0.998, 0.0018, 1.15  # V of the drop at 0.998: 2.5 V there


def ocv_flat(theta: Any) -> Any:
    """Open-circuit potential [V]: Colclasure 2020 below theta = 0.9, flat above, a drop at 1.

        U = P(g) - 0.1 (t - g) - 1.15 exp((t - 0.998)/0.0018)
        g = t - 0.01 ln(1 + exp((t - 0.9)/0.01))

    P is the polynomial of Colclasure 2020; g is t below 0.9, and 0.9 above.
    """
    g = theta - ROUND * log(1.0 + exp((theta - FLAT_FROM) / ROUND))
    value: Any = 0.0
    for coefficient in reversed(_COLCLASURE):
        value = value * g + coefficient
    drop = EMPTY_DROP * exp((theta - EMPTY_AT) / EMPTY_WIDTH)
    return value + FLAT_SLOPE * (theta - g) - drop


def diffusivity_pristine(theta: Any) -> Any:
    """Chemical diffusivity [m2/s]: log10 D = -14 - 2 logistic((t - 0.88)/0.03)."""
    return 10.0 ** (-14.0 - 2.0 * logistic((theta - 0.88) / 0.03))


def conductivity_pristine(theta: Any) -> Any:
    """Electronic conductivity [S/m]: log10 K = -6 logistic((t - 0.93)/0.015)."""
    return 10.0 ** (-6.0 * logistic((theta - 0.93) / 0.015))


def exchange_current_pristine(theta: Any) -> Any:
    """Exchange current density [A/m2]: F k N_L sqrt(t (1 - t)), k = 5e-11 m/s."""
    return F * 5e-11 * SITE_DENSITY * sqrt(site_product(theta))


def exchange_current_park(theta: Any) -> Any:
    """Exchange current density [A/m2] that falls with lithium: F k N_L sqrt(t (1 - t)) s(t).

    s = 1/(1 + exp(25 (t - 0.6))) is 0.92, 0.076, 6.7e-3, 5.5e-4 at 0.5, 0.7, 0.8, 0.9. Park 2021.
    """
    return exchange_current_pristine(theta) * logistic(-25.0 * (theta - 0.6))


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

OCV_FLAT: Final = Law(
    symbol="U",
    unit="V",
    fn=ocv_flat,
    valid=(0.3, 0.999),
    source=f"below theta = 0.9: {COLCLASURE}",
    choice=True,
    text="polynomial of Colclasure 2020 up to 0.9, -0.1 V per theta above, a drop at theta = 1",
    note="above 0.9 the published fit falls by 0.23 V, which is overpotential of the slow branch "
    "it was fitted to: D, K and i0 carry that here. What remains is 10 mV, so that U falls "
    "everywhere, and a drop of e per 0.0018 that meets 2.5 V at theta = 0.998; 4.3 V at 0.336",
)
DIFFUSIVITY_PRISTINE: Final = Law(
    symbol="D_chem",
    unit="m2/s",
    fn=diffusivity_pristine,
    source="shape: Sharma et al., Nano Lett. (2022), who state a fall by orders of magnitude for "
    f"theta in 0.8 .. 1; plateau: {XU}",
    choice=True,
    kind="chemical",
    text="10**(-14 - 2 logistic((theta - 0.88)/0.03)) m2/s",
    note="plateau, fall and its place are our choice: the lithium that does not come back in the "
    "first cycle is what the fall keeps out",
    positive=True,
)
CONDUCTIVITY_PRISTINE: Final = Law(
    symbol="K",
    unit="S/m",
    fn=conductivity_pristine,
    source=f"range: {AMIN}",
    choice=True,
    text="10**(-6 logistic((theta - 0.93)/0.015)) S/m",
    note="measured are about 1e-5 S/m at theta = 1 and 1 S/m at 0.25; here 1e-6 S/m at theta = 1, "
    "for the grain boundaries and pores of a secondary particle, and the rise is put where "
    "charging begins, both our choice: they decide how asynchronous the first charge is",
    positive=True,
)
EXCHANGE_CURRENT_PRISTINE: Final = Law(
    symbol="i0",
    unit="A/m2",
    fn=exchange_current_pristine,
    source="form: Sharma et al., Nano Lett. (2022), Eq. 3",
    choice=True,
    text="F k N_L sqrt(theta (1 - theta)), k = 5e-11 m/s",
    note="0.12 A/m2 at 0.5, at the concentration of the electrolyte at rest; k in m/s belongs to "
    "c_l/c_ref (5e-11 m^2.5 mol^-0.5 s^-1 would be 3.8 A/m2) and is our choice, low among "
    "published ones; continued smoothly where theta (1 - theta) is small",
    positive=True,
)
EXCHANGE_CURRENT_PARK: Final = EXCHANGE_CURRENT_PRISTINE.with_(
    fn=exchange_current_park,
    source=f"form: Sharma et al., Nano Lett. (2022), Eq. 3; factor: {PARK}",
    text="F k N_L sqrt(theta (1 - theta)) / (1 + exp(25 (theta - 0.6))), k = 5e-11 m/s",
    note="a rate that depends on lithium content; k is our choice, as in nmc532_pristine",
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

PRISTINE: Final = Material.of_library(
    name="nmc532_pristine",
    title="LiNi0.5Mn0.3Co0.2O2, never charged yet",
    U=OCV_FLAT,
    D=DIFFUSIVITY_PRISTINE,
    i0=EXCHANGE_CURRENT_PRISTINE,
    K=CONDUCTIVITY_PRISTINE,
    site_density=SITE_DENSITY,
    density=4789.0,
    theta_discharged=0.99,
    molar_mass=96.553e-3,
    sources={
        "site_density": "Colclasure et al. 2020",
        "density": "site density times molar mass",
        "theta_discharged": "our choice: as made, nearly full",
        "molar_mass": "composition",
    },
)
