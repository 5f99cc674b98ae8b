"""The electrolytes that come with nmcsim: LiPF6 in carbonates, by published fits.

All are functions of c in mol/m3 (the publications write mol/l) and, where the source says so, of
the temperature. Each law is valid where the fit behaves: its curve levels off beyond.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nmcsim.errors import Mistake
from nmcsim.expression import exp, sqrt
from nmcsim.materials.electrolyte import Electrolyte
from nmcsim.materials.law import CONCENTRATION, Constant, Law, LawError

ROOM: Final = 298.15  # K

NYMAN: Final = (
    "Nyman, Behm and Lindbergh, Electrochim. Acta 53 (2008) 6356, "
    "doi:10.1016/j.electacta.2008.04.023"
)
LANDESFEIND: Final = (
    "Landesfeind and Gasteiger, J. Electrochem. Soc. 166 (2019) A3079, doi:10.1149/2.0571912jes"
)
LEAST: Final = 0.05  # in the cold, fitted transference numbers go on falling, below zero
ONE_VALUE: Final = "one value at all concentrations"
VALOEN: Final = "Valoen and Reimers, J. Electrochem. Soc. 152 (2005) A882, doi:10.1149/1.1872737"


def kappa_nyman2008(c: Any) -> Any:
    """Conductivity [S/m]: 0.1297 M**3 - 2.51 M**1.5 + 3.329 M, M in mol/l."""
    m = c / 1000.0
    return 0.1297 * m**3 - 2.51 * m * sqrt(m) + 3.329 * m


def diffusivity_nyman2008(c: Any) -> Any:
    """Diffusivity [m2/s]: 8.794e-11 M**2 - 3.972e-10 M + 4.862e-10, M in mol/l."""
    m = c / 1000.0
    return 8.794e-11 * m**2 - 3.972e-10 * m + 4.862e-10


@dataclass(frozen=True)
class LandesfeindConductivity:
    """0.1 p1 (1 + T - p2) M (1 + p3 sqrt(M) + p4 (1 + p5 E) M)/(1 + p6 M**4 E), E = exp(1000/T)."""

    p: tuple[float, ...]
    T: float

    def __call__(self, c: Any) -> Any:
        p1, p2, p3, p4, p5, p6 = self.p
        m, E = c / 1000.0, np.exp(1000.0 / self.T)
        series = 1.0 + p3 * sqrt(m) + p4 * (1.0 + p5 * E) * m
        return 0.1 * p1 * (1.0 + self.T - p2) * m * series / (1.0 + p6 * E * m**4)


@dataclass(frozen=True)
class LandesfeindDiffusivity:
    """1e-10 p1 exp(p2 M) exp(p3/T) exp(p4 M/T)."""

    p: tuple[float, ...]
    T: float

    def __call__(self, c: Any) -> Any:
        p1, p2, p3, p4 = self.p
        m = c / 1000.0
        return 1e-10 * p1 * exp(p2 * m + p3 / self.T + p4 * m / self.T)


@dataclass(frozen=True)
class LandesfeindPolynomial:
    """p1 + p2 M + p3 T + p4 M**2 + p5 M T + p6 T**2 + p7 M**3 + p8 M**2 T + p9 M T**2."""

    p: tuple[float, ...]
    T: float

    def __call__(self, c: Any) -> Any:
        p1, p2, p3, p4, p5, p6, p7, p8, p9 = self.p
        m, T = c / 1000.0, self.T
        constant = p1 + p3 * T + p6 * T**2
        return constant + m * (p2 + p5 * T + p9 * T**2 + m * (p4 + p8 * T + m * p7))


@dataclass(frozen=True)
class ValoenConductivity:
    """0.1 M (-10.5 + 0.074 T - 6.96e-5 T**2 + M (0.668 - 0.0178 T + 2.8e-5 T**2)
    + M**2 (0.494 - 8.86e-4 T))**2."""

    T: float

    def __call__(self, c: Any) -> Any:
        m, T = c / 1000.0, self.T
        root = (
            -10.5
            + 0.074 * T
            - 6.96e-5 * T**2
            + m * (0.668 - 0.0178 * T + 2.8e-5 * T**2)
            + m**2 * (0.494 - 8.86e-4 * T)
        )
        return 0.1 * m * root**2


@dataclass(frozen=True)
class ValoenDiffusivity:
    """1e-4 * 10**(-4.43 - 54/(T - 229 - 5 M) - 0.22 M)."""

    T: float

    def __call__(self, c: Any) -> Any:
        m = c / 1000.0
        return 1e-4 * 10.0 ** (-4.43 - 54.0 / (self.T - 229.0 - 5.0 * m) - 0.22 * m)


@dataclass(frozen=True)
class ValoenFactor:
    """(0.601 - 0.24 sqrt(M) + 0.982 (1 - 0.0052 (T - 294)) M**1.5)/(1 - t_plus)."""

    T: float
    t_plus: float = 0.38

    def __call__(self, c: Any) -> Any:
        m = c / 1000.0
        warm = 0.982 * (1.0 - 0.0052 * (self.T - 294.0))
        return (0.601 - 0.24 * sqrt(m) + warm * m * sqrt(m)) / (1.0 - self.t_plus)


def nyman2008(T: float) -> Electrolyte:
    """LiPF6 in EC:EMC 3:7 by weight; the fits know no temperature."""
    no_law = "" if abs(T - ROOM) < 5.0 else f"; measured at {ROOM:g} K, used at {T:g} K"
    make = _maker(NYMAN, (100.0, 2000.0))
    note = "the fit of D turns up beyond 2.26 mol/l" + no_law
    return Electrolyte(
        name="nyman2008",
        title="LiPF6 in EC:EMC 3:7",
        kappa=make(
            "kappa",
            "S/m",
            kappa_nyman2008,
            "0.1297 M**3 - 2.51 M**1.5 + 3.329 M",
            note="no law of temperature" + no_law,
        ),
        D=make(
            "D_l",
            "m2/s",
            diffusivity_nyman2008,
            "8.794e-11 M**2 - 3.972e-10 M + 4.862e-10",
            note=note,
        ),
        t_plus=make("t_plus", "1", Constant(0.2594), "0.2594", note=ONE_VALUE),
        thermodynamic_factor=make(
            "thermodynamic_factor",
            "1",
            Constant(1.0),
            "1",
            choice=True,
            note="set to 1, as usual with this set; the other electrolytes have about 2 at 1 mol/l",
        ),
    )


_EMC: Final = {
    "kappa": (0.521, 228.0, -1.06, 0.353, -3.59e-3, 1.48e-3),
    "D": (1010.0, 1.01, -1560.0, -487.0),
    "t_plus": (-12.8, -6.12, 8.21e-2, 0.904, 3.18e-2, -1.27e-4, 1.75e-2, -3.12e-3, -3.96e-5),
    "factor": (25.7, -45.1, -0.177, 1.94, 0.295, 3.08e-4, 0.259, -9.46e-3, -4.54e-4),
}
_DMC: Final = {
    "kappa": (0.798, 228.0, -1.22, 0.509, -4e-3, 3.79e-3),
    "D": (1470.0, 1.33, -1690.0, -563.0),
    "t_plus": (-7.91, 0.245, 5.28e-2, 0.698, -1.08e-2, -8.21e-5, 7.43e-4, -2.22e-3, 3.07e-5),
    "factor": (-5.58, 7.17, 3.80e-2, 1.91, -6.65e-2, -5.08e-5, 0.11, -6.10e-3, 1.51e-4),
}


def landesfeind2019_ec_emc(T: float) -> Electrolyte:
    """LiPF6 in EC:EMC 3:7 by weight, 263 to 323 K."""
    return _landesfeind("landesfeind2019_ec_emc", "LiPF6 in EC:EMC 3:7", _EMC, T)


def landesfeind2019_ec_dmc(T: float) -> Electrolyte:
    """LiPF6 in EC:DMC 1:1 by weight, 263 to 323 K: near the LP30 of the shops."""
    return _landesfeind("landesfeind2019_ec_dmc", "LiPF6 in EC:DMC 1:1", _DMC, T)


def _landesfeind(name: str, title: str, p: dict[str, tuple[float, ...]], T: float) -> Electrolyte:
    make = _maker(LANDESFEIND, (100.0, 2500.0))
    t_plus = LandesfeindPolynomial(p["t_plus"], T)
    fit = f"the fit of Landesfeind and Gasteiger at {T:g} K"
    turns = (
        "levelled off where the fit falls below 0.05, which it does in the cold, and from 2.5 mol/l"
        " on, where it turns up"
    )
    return Electrolyte(
        name=name,
        title=title,
        kappa=make("kappa", "S/m", LandesfeindConductivity(p["kappa"], T), fit),
        D=make("D_l", "m2/s", LandesfeindDiffusivity(p["D"], T), fit),
        t_plus=make("t_plus", "1", t_plus, fit, note=turns, valid=_above(t_plus, 100.0, 2500.0)),
        thermodynamic_factor=make(
            "thermodynamic_factor", "1", LandesfeindPolynomial(p["factor"], T), fit
        ),
    )


def _above(t_plus: Callable[[Any], Any], lo: float, hi: float) -> tuple[float, float]:
    """The part of a range, from its lower end on, where a transference number stays `LEAST`."""
    c = np.linspace(lo, hi, 2401)
    low = np.flatnonzero(t_plus(c) < LEAST)
    return lo, float(c[max(1, low[0])]) if low.size else hi


def valoen2005(T: float) -> Electrolyte:
    """LiPF6 in PC:EC:DMC 10:27:63 by volume."""
    make = _maker(VALOEN, (100.0, 3000.0))
    fit = f"the fit of Valoen and Reimers at {T:g} K"
    return Electrolyte(
        name="valoen2005",
        title="LiPF6 in PC:EC:DMC 10:27:63",
        kappa=make("kappa", "S/m", ValoenConductivity(T), fit),
        D=make("D_l", "m2/s", ValoenDiffusivity(T), fit),
        t_plus=make("t_plus", "1", Constant(0.38), "0.38", note=ONE_VALUE),
        thermodynamic_factor=make("thermodynamic_factor", "1", ValoenFactor(T), fit),
    )


def _maker(source: str, valid: tuple[float, float]) -> Callable[..., Law]:
    def make(
        symbol: str,
        unit: str,
        fn: Callable[[Any], Any],
        text: str,
        note: str = "",
        choice: bool = False,
        valid: tuple[float, float] = valid,
    ) -> Law:
        return Law(
            symbol=symbol,
            unit=unit,
            fn=fn,
            valid=valid,
            source=source,
            choice=choice,
            text=text,
            note=note,
            positive=True,
            argument=CONCENTRATION,
        )

    return make


_ELECTROLYTES: Final[dict[str, Callable[[float], Electrolyte]]] = {
    make.__name__: make
    for make in (nyman2008, landesfeind2019_ec_emc, landesfeind2019_ec_dmc, valoen2005)
}


def electrolyte_names() -> tuple[str, ...]:
    """The names of the electrolytes."""
    return tuple(_ELECTROLYTES)


def electrolyte(name: str, T: float = ROOM) -> Electrolyte:
    """The electrolyte of that name at the temperature `T` [K].

    Raises
    ------
    LawError
        No such electrolyte; names the nearest.
    """
    if name in _ELECTROLYTES:
        return _ELECTROLYTES[name](T)
    close = difflib.get_close_matches(name, _ELECTROLYTES, n=1, cutoff=0.5)
    hint = f'did you mean "{close[0]}"?' if close else f"there are {', '.join(_ELECTROLYTES)}"
    raise LawError(Mistake("", f'"{name}" is no electrolyte of the library; {hint}'))
