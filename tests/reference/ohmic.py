"""Closed forms of an electrode in which lithium stands still: resistors in series, and a fin.

Series. A current density i [A/m2] passes layers of thickness L_k and conductivity K_k that carry
electrons, the surface of the solid, a liquid of conductivity kappa in which salt is uniform, and
the surface of the lithium:

    V = U + i sum(L_k / K_k) + eta(i0) + i L / kappa + eta(i0_Li),
    eta(i0) = 2RT/F asinh(i / 2 i0), and RT i / (F i0) where i is small

Once salt stands still too (properties of the liquid constant), c falls by (1 - t_plus) i / (F D)
per metre towards the lithium, the diffusion potential 2RT/F (1 - t_plus) tdf ln(c_NMC / c_Li) adds
to V, and each i0 is multiplied by sqrt(c / c_ref) of its surface.

Fin. A strip 0 < x < L, 0 < y < h of conductivity K is held at phi = 0 at x = 0, reacts with linear
kinetics i = g (phi - phi_0), g = i0 F / RT, along y = h, and is insulated elsewhere. With psi = phi
- phi_0:

    thin     psi = -phi_0 cosh(m (L - x)) / cosh(m L),   m^2 = g / (K h),    g h / K << 1
    exact    psi = -phi_0 sum over n of A_n cos(k_n y) cosh(k_n (L - x)) / cosh(k_n L),
             k_n h tan(k_n h) = g h / K,   A_n = 4 sin(k_n h) / (2 k_n h + sin(2 k_n h))

The first is the fin with an insulated tip of any textbook on heat transfer, the second is found by
separation of variables; both are compared with finite volumes in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from .electrode_laws import FARADAY, GAS, TEMPERATURE

Array = NDArray[np.float64]

THERMAL = GAS * TEMPERATURE / FARADAY  # V


@dataclass(frozen=True)
class Series:
    """Layers between the collector and the lithium, per area.

    Parameters
    ----------
    U : float
        Open-circuit potential of the solid's surface [V].
    layers : sequence of (float, float)
        Thickness [m] and conductivity [S/m] of what carries electrons.
    i0, i0_lithium : float
        Exchange current densities at c_ref [A/m2]; infinite for an ideal lithium electrode.
    liquid, kappa : float
        Thickness [m] and conductivity [S/m].
    """

    U: float
    layers: Sequence[tuple[float, float]]
    i0: float
    i0_lithium: float
    liquid: float
    kappa: float

    def voltage(self, i: float) -> float:
        """V [V] before any salt has moved."""
        return self._ohmic(i) + overpotential(i, self.i0) + overpotential(i, self.i0_lithium)

    def linear_voltage(self, i: float) -> float:
        """V [V] with kinetics linear in i."""
        return self._ohmic(i) + THERMAL * i * (1.0 / self.i0 + 1.0 / self.i0_lithium)

    def steady_voltage(
        self, i: float, c_ref: float, D: float, t_plus: float, tdf: float = 1.0
    ) -> float:
        """V [V] when salt stands still; the mean of c is c_ref [mol/m3], D in m2/s."""
        half = 0.5 * self.liquid * (1.0 - t_plus) * i / (FARADAY * D)
        near, far = c_ref + half, c_ref - half
        if min(near, far) <= 0.0:
            raise ValueError("the current exceeds the limiting current")
        diffusion = 2.0 * THERMAL * (1.0 - t_plus) * tdf * np.log(near / far)
        eta = overpotential(i, self.i0 * np.sqrt(near / c_ref))
        eta += overpotential(i, self.i0_lithium * np.sqrt(far / c_ref))
        return float(self._ohmic(i) + eta + diffusion)

    def _ohmic(self, i: float) -> float:
        return self.U + i * (sum(L / K for L, K in self.layers) + self.liquid / self.kappa)


def overpotential(i: float, i0: float) -> float:
    """Of symmetric Butler-Volmer kinetics [V]."""
    return float(2.0 * THERMAL * np.arcsinh(i / (2.0 * i0)))


@dataclass(frozen=True)
class Fin:
    """The strip above.

    Parameters
    ----------
    length, height : float
        [m]
    K : float
        Conductivity [S/m].
    i0 : float
        Exchange current density [A/m2].
    drive : float
        phi_0 [V], where nothing reacts; far below RT/F = 26 mV, or kinetics are not linear.
    """

    length: float
    height: float
    K: float
    i0: float
    drive: float

    @property
    def biot(self) -> float:
        """g h / K: the fall of potential across the strip over that of the reaction."""
        return self.i0 * self.height / (THERMAL * self.K)

    @property
    def m(self) -> float:
        """1 / decay length of the thin strip [1/m]."""
        return float(np.sqrt(self.i0 / (THERMAL * self.K * self.height)))

    def thin(self, x: ArrayLike) -> Array:
        """phi [V] of the thin strip."""
        x = np.asarray(x, dtype=float)
        fall = np.cosh(self.m * (self.length - x)) / np.cosh(self.m * self.length)
        return np.asarray(self.drive * (1.0 - fall))

    def thin_current(self) -> float:
        """Current that reacts, per metre of depth [A/m]: positive out of the strip if drive < 0."""
        return float(-self.drive * self.K * self.height * self.m * np.tanh(self.m * self.length))

    def exact(self, x: ArrayLike, y: ArrayLike, terms: int = 60) -> Array:
        """phi [V] of a strip of any height; slow to converge near x = 0 alone."""
        x, y = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        k, A = self._modes(terms)
        k, A = k.reshape((-1, *[1] * x.ndim)), A.reshape((-1, *[1] * x.ndim))
        modes = A * np.cos(k * y) * self._fall(k, x)
        return np.asarray(self.drive * (1.0 - modes.sum(axis=0)))

    def exact_current(self, terms: int = 2000) -> float:
        """Current that reacts, per metre of depth [A/m]."""
        k, A = self._modes(terms)
        g = self.i0 / THERMAL
        return float(
            -self.drive * g * (A * np.cos(k * self.height) * np.tanh(k * self.length) / k).sum()
        )

    def _fall(self, k: Array, x: Array) -> Array:
        """cosh(k (L - x)) / cosh(k L) without overflow."""
        L = self.length
        return np.asarray(
            (np.exp(-k * x) + np.exp(-k * (2.0 * L - x))) / (1.0 + np.exp(-2.0 * k * L))
        )

    def _modes(self, terms: int) -> tuple[Array, Array]:
        """k_n [1/m] and A_n."""
        roots = np.array([self._root(n) for n in range(terms)])
        return roots / self.height, 4.0 * np.sin(roots) / (2.0 * roots + np.sin(2.0 * roots))

    def _root(self, n: int) -> float:
        """The n-th root of z tan z = Bi, written without a pole."""

        def condition(z: float) -> float:
            return float(z * np.sin(z) - self.biot * np.cos(z))

        return float(brentq(condition, n * np.pi, (n + 0.5) * np.pi, xtol=1e-14))
