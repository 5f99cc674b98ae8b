"""LiNi0.88Mn0.05Co0.07O2 single crystals: the material of Lun et al. (2022), SI.

Its D_ab(theta) and V_oc(theta) are published as pictures only, so the curves here are literature
values of neighbouring compositions and our choice, and say so.
"""

from __future__ import annotations

from typing import Any, Final

from nmcsim.constants import F
from nmcsim.expression import exp, sqrt, tanh
from nmcsim.materials.definition import Material
from nmcsim.materials.law import Law

SITE_DENSITY: Final = 49_046.0  # mol/m3, density over molar mass
SMALL: Final = 1e-3  # of `site_product`

STURM: Final = "Sturm et al., J. Power Sources 412 (2019) 204 (NMC811)"
ZHUO: Final = "as used by Zhuo et al., J. Power Sources (2023), doi:10.1016/j.jpowsour.2022.232461"
LUN: Final = "Lun et al. (2022), SI"

_SOURCES: Final = {
    "site_density": "density over molar mass",
    "density": f"{LUN}; X-ray density of their lattice",
    "theta_discharged": LUN,
    "molar_mass": "composition",
}


def ocv_sturm2019(theta: Any) -> Any:
    """Open-circuit potential [V] of NMC811, a decreasing closed form of the table of Sturm 2019.

        U = 4.016 - 0.05 t - 0.02652 exp((t - 1)/0.01084) - sum of a tanh((t - b)/w)

    with (a, b, w) = (0.124, 0.2101, 0.03653), (0.06388, 0.3701, 0.04978),
    (0.1427, 0.5281, 0.1135), (0.1084, 0.8284, 0.1394). Every coefficient is positive, so U falls
    everywhere. Root-mean-square deviation 0.65 mV, worst 1.4 mV on 0.2157 .. 0.995.
    """
    return (
        4.016
        - 0.05 * theta
        - 0.02652 * exp((theta - 1.0) / 0.01084)
        - 0.124 * tanh((theta - 0.2101) / 0.03653)
        - 0.06388 * tanh((theta - 0.3701) / 0.04978)
        - 0.1427 * tanh((theta - 0.5281) / 0.1135)
        - 0.1084 * tanh((theta - 0.8284) / 0.1394)
    )


def diffusivity_a(theta: Any) -> Any:
    """Self-diffusivity D_ab [m2/s], set A: a plateau that falls at both ends.

        log10(D / (cm2/s)) = -11.8 - 1.6 s((t - 0.88)/0.03) - 1.0 s((0.24 - t)/0.03)

    with the logistic s(z) = 1/(1 + exp(-z)).
    """
    filled = 1.6 / (1.0 + exp(-(theta - 0.88) / 0.03))
    emptied = 1.0 / (1.0 + exp((theta - 0.24) / 0.03))
    return 1e-4 * 10.0 ** (-11.8 - filled - emptied)


def diffusivity_b(theta: Any) -> Any:
    """Self-diffusivity D_ab [m2/s], set B: ten times set A on the plateau, steeper at its ends.

    log10(D / (cm2/s)) = -10.8 - 2.4 s((t - 0.87)/0.03) - 1.3 s((0.24 - t)/0.03)
    """
    filled = 2.4 / (1.0 + exp(-(theta - 0.87) / 0.03))
    emptied = 1.3 / (1.0 + exp((theta - 0.24) / 0.03))
    return 1e-4 * 10.0 ** (-10.8 - filled - emptied)


def site_product(theta: Any) -> Any:
    """theta (1 - theta), continued so that it stays positive, smooth and finite everywhere.

        g = (p + sqrt(p**2 + small**2)) / 2,   p = theta (1 - theta),   small = 1e-3

    within 0.3 % of p for 0.01 < theta < 0.99, and falling towards 0 outside 0 .. 1: the exchange
    current of a starving or filled surface fades away, with neither NaN nor a change of sign.
    """
    p = theta * (1.0 - theta)
    return 0.5 * (p + sqrt(p**2 + SMALL**2))


def exchange_current(theta: Any) -> Any:
    """Exchange current density [A/m2] in 1 mol/L of lithium salt.

    i0 = F k sqrt(c_e) N_L sqrt(theta (1 - theta)),   k = 3.2e-11 m^2.5 mol^-0.5 s^-1

    with the product continued by `site_product`.
    """
    return F * 3.2e-11 * 1000.0**0.5 * SITE_DENSITY * sqrt(site_product(theta))


OCV: Final = Law(
    symbol="U",
    unit="V",
    fn=ocv_sturm2019,
    valid=(0.01, 0.995),
    source=f"{STURM}: closed form of its table",
    choice=True,
    text="linear, exponential and four tanh",
    note="NMC811 standing in for Ni88. Fitted on 0.2157 .. 0.995; below 0.2157 the same closed "
    "form goes on, which is our choice, down to 0.01",
)
DIFFUSIVITY_A: Final = Law(
    symbol="D_ab",
    unit="m2/s",
    fn=diffusivity_a,
    valid=(0.01, 0.995),
    source="chosen for the asynchrony seen by Lun et al., SI; plateau below the ceiling that "
    "their GITT conditions set",
    choice=True,
    kind="self",
    text="10**(-11.8 - 1.6/(1+exp(-(theta-0.88)/0.03)) - 1.0/(1+exp((theta-0.24)/0.03))) cm2/s",
    note="uncertain by a factor of three either way; vary it",
    positive=True,
)
DIFFUSIVITY_B: Final = Law(
    symbol="D_ab",
    unit="m2/s",
    fn=diffusivity_b,
    valid=(0.01, 0.995),
    source="chosen as set A, with ten times its plateau",
    choice=True,
    kind="self",
    text="10**(-10.8 - 2.4/(1+exp(-(theta-0.87)/0.03)) - 1.3/(1+exp((theta-0.24)/0.03))) cm2/s",
    note="uncertain by a factor of three either way; vary it",
    positive=True,
)
EXCHANGE_CURRENT: Final = Law(
    symbol="i0",
    unit="A/m2",
    fn=exchange_current,
    valid=(0.0, 1.0),
    source=f"k = 3.2e-11 m^2.5 mol^-0.5 s^-1 of NMC811: {STURM}, {ZHUO}",
    choice=True,
    text="F k sqrt(1000 mol/m3) N_L sqrt(theta (1 - theta))",
    note="NMC811 standing in for Ni88, 1 mol/L of salt, room temperature; continued smoothly where "
    "theta (1 - theta) is small",
    positive=True,
)


def _nmc88(name: str, diffusivity: Law, which: str) -> Material:
    """The crystal with one of the two sets of D_ab."""
    return Material.of_library(
        name=name,
        title=f"LiNi0.88Mn0.05Co0.07O2 single crystal, D_ab set {which}",
        U=OCV,
        D=diffusivity,
        i0=EXCHANGE_CURRENT,
        site_density=SITE_DENSITY,
        density=4780.0,
        theta_discharged=0.95,
        molar_mass=97.460e-3,
        sources=_SOURCES,
    )


NMC88: Final = _nmc88("nmc88", DIFFUSIVITY_A, "A")
NMC88_FAST: Final = _nmc88("nmc88_fast", DIFFUSIVITY_B, "B")
