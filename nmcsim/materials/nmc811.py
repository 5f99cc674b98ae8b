"""LiNi0.8Mn0.1Co0.1O2 as measured on commercial electrodes."""

from __future__ import annotations

from typing import Any, Final

from nmcsim.constants import F
from nmcsim.expression import exp, sqrt, tanh
from nmcsim.materials.definition import Material
from nmcsim.materials.law import Constant, Law
from nmcsim.materials.nmc88 import STURM, ZHUO, ocv_sturm2019, site_product

SITE_DENSITY: Final = 49_340.0  # mol/m3, Sturm 2019

CHEN: Final = "Chen et al., J. Electrochem. Soc. 167 (2020) 080534, doi:10.1149/1945-7111/ab9050"
OREGAN: Final = (
    "O'Regan et al., Electrochim. Acta 425 (2022) 140700, doi:10.1016/j.electacta.2022.140700"
)


def ocv_chen2020(theta: Any) -> Any:
    """Open-circuit potential [V] of the LG M50 cathode: linear and three tanh. Chen 2020.

    U = 4.4875 - 0.809 t - 0.0428 tanh(18.5138 (t - 0.5542))
        - 17.7326 tanh(15.789 (t - 0.3117)) + 17.5842 tanh(15.9308 (t - 0.312))
    """
    return (
        4.4875
        - 0.809 * theta
        - 0.0428 * tanh(18.5138 * (theta - 0.5542))
        - 17.7326 * tanh(15.789 * (theta - 0.3117))
        + 17.5842 * tanh(15.9308 * (theta - 0.312))
    )


def diffusivity_oregan2022(theta: Any) -> Any:
    """Chemical diffusivity [m2/s] at 298 K by GITT: three dips on a plateau. O'Regan 2022.

        log10(D / (2.7 m2/s)) = -13.96 - 0.9231 exp(-(t - 0.3216)**2/0.002534)
            - 0.4066 exp(-(t - 0.4532)**2/0.003926) - 0.993 exp(-(t - 0.8098)**2/0.09924)

    2.7 is the authors' factor that makes cell simulations agree with experiment.
    """
    dips = (
        0.9231 * exp(-((theta - 0.3216) ** 2) / 0.002534)
        + 0.4066 * exp(-((theta - 0.4532) ** 2) / 0.003926)
        + 0.993 * exp(-((theta - 0.8098) ** 2) / 0.09924)
    )
    return 2.7 * 10.0 ** (-13.96 - dips)


def exchange_current(theta: Any) -> Any:
    """Exchange current density [A/m2] in 1 mol/L of lithium salt. Sturm 2019.

    i0 = F k sqrt(c_e) N_L sqrt(theta (1 - theta)),   k = 3.2e-11 m^2.5 mol^-0.5 s^-1
    """
    return F * 3.2e-11 * 1000.0**0.5 * SITE_DENSITY * sqrt(site_product(theta))


OCV_STURM: Final = Law(
    symbol="U",
    unit="V",
    fn=ocv_sturm2019,
    valid=(0.2157, 0.995),
    source=f"{STURM}: closed form of its table",
    text="linear, exponential and four tanh",
    note="within 1.4 mV of the table",
)
OCV_CHEN: Final = Law(
    symbol="U",
    unit="V",
    fn=ocv_chen2020,
    valid=(0.0, 1.0),
    source=CHEN,
    text="linear and three tanh",
    note="its stoichiometry belongs to c_max = 63 104 mol/m3 (51 765 in O'Regan 2022); 120-140 mV "
    "above Sturm 2019 at 0.22 .. 0.25; U(1) = 3.487 V, so no lower cut-off is reached by U alone",
)
DIFFUSIVITY_OREGAN: Final = Law(
    symbol="D_chem",
    unit="m2/s",
    fn=diffusivity_oregan2022,
    valid=(0.2, 1.0),
    source=OREGAN,
    kind="chemical",
    text="2.7 * 10**(-13.96 - three Gaussian dips) m2/s",
    note="belongs to secondary particles of radius 5.22 um, so D/R^2 is what transfers, and to the "
    "axis with c_max = 51 765 mol/m3; 298 K",
    positive=True,
)
DIFFUSIVITY_STURM: Final = Law(
    symbol="D_chem",
    unit="m2/s",
    fn=Constant(1e-14),
    source=f"{STURM}, {ZHUO}",
    kind="chemical",
    text="1e-14 m2/s",
    note="belongs to secondary particles of radius 3.8 um, so D/R^2 is what transfers",
    positive=True,
)
DIFFUSIVITY_CHEN: Final = Law(
    symbol="D_chem",
    unit="m2/s",
    fn=Constant(4e-15),
    source=CHEN,
    kind="chemical",
    text="4e-15 m2/s",
    note="belongs to secondary particles of radius 5.22 um, so D/R^2 is what transfers",
    positive=True,
)
EXCHANGE_CURRENT: Final = Law(
    symbol="i0",
    unit="A/m2",
    fn=exchange_current,
    valid=(0.0, 1.0),
    source=f"k = 3.2e-11 m^2.5 mol^-0.5 s^-1: {STURM}, {ZHUO}",
    text="F k sqrt(1000 mol/m3) N_L sqrt(theta (1 - theta))",
    note="1 mol/L of salt, room temperature; continued smoothly where theta (1 - theta) is small",
    positive=True,
)

NMC811: Final = Material.of_library(
    name="nmc811",
    title="LiNi0.8Mn0.1Co0.1O2",
    U=OCV_STURM,
    D=DIFFUSIVITY_OREGAN,
    i0=EXCHANGE_CURRENT,
    site_density=SITE_DENSITY,
    density=4800.0,
    theta_discharged=0.95,
    molar_mass=97.280e-3,
    sources={
        "site_density": "Sturm et al. 2019",
        "density": "site density times molar mass",
        "theta_discharged": "our choice",
        "molar_mass": "composition",
    },
)
