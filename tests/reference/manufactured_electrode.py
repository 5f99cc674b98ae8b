"""A manufactured solution of the electrode's coupled equations on a rectangle, NMC below liquid.

    0 < y < solid     theta, phi_s           solid < y < height     c, phi_l

The fields are smooth and satisfy no equation: what is left over of each balance is a source, and
what is left over of each flux condition is a source on that surface. With these added the fields
are the solution. All are numpy functions of (x, y, t) in SI:

    solid_lithium    N theta_t - div(N D grad theta)                       [mol/m3/s]
    solid_charge     - div(K grad phi_s)                                   [A/m3]
    liquid_salt      c_t + div N+,   N+ = -D_l grad c + t_plus i_l / F     [mol/m3/s]
    liquid_charge    div i_l                                               [A/m3]
    surface_lithium  - N D theta_y - i / F        at y = solid             [mol/m2/s]
    surface_electrons  - K phi_s_y - i                                     [A/m2]
    surface_salt     N+_y - i / F                                          [mol/m2/s]
    surface_ions     i_l_y - i                                             [A/m2]
    lithium_salt     N+_y + i_Li / F              at y = height            [mol/m2/s]
    lithium_ions     i_l_y + i_Li                                          [A/m2]

with i the Butler-Volmer current out of the solid and i_Li that into the liquid. In the weak form,
with n outward from each region, f dV for a volume and g dS for a surface source:

    solid    int(N theta_t v + N D grad theta . grad v - f v) + int_y=solid((i / F + g) v) = 0
             int(K grad phi_s . grad v - f v) + int_y=solid((i + g) v) = 0
    liquid   int(c_t v - N+ . grad v - f v)
                 - int_y=solid((i / F + g) v) - int_y=height((i_Li / F - g) v) = 0
             int(- i_l . grad v - f v) - int_y=solid((i + g) v) - int_y=height((i_Li - g) v) = 0
    cell     - int_y=height(i_Li) = I, which `current` gives

Nothing passes x = 0 and x = width; theta_y = 0 and phi_s = 0 at y = 0. Derivatives of the fields
are written out, those of laws come from the complex step: sources are exact to round-off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .electrode_laws import C_REF, FARADAY, GAS, SITE_DENSITY, TEMPERATURE, evaluate

Array = NDArray[np.float64]

LAWS: Mapping[str, str] = {
    "U": "4.1 - 0.5*theta - 0.1*tanh(4*(theta - 0.6))",
    "D": "1e-14*(0.3 + theta**2)",
    "K": "2e-3*exp(-3*theta)",
    "i0": "1.5*sqrt(theta*(1 - theta))",
    "kappa": "0.02*(1 - 0.4*(c/1000 - 1.2)**2)",
    "D_l": "2e-12*exp(-0.5*c/1000)",
    "t_plus": "0.35 - 0.05*c/1000",
    "tdf": "0.8 + 0.9*c/1000",
}
"""Mild laws, as of ``electrode_laws``: observed rates are to be asymptotic on coarse meshes. The
liquid conducts as badly as if it filled fine pores, so that its gradients matter."""


@dataclass(frozen=True)
class Field:
    """base + amplitude (1 + wave cos(pi x / width)) cos(a y + b) exp(-t / tau)."""

    base: float
    amplitude: float
    wave: float
    width: float
    a: float
    b: float
    tau: float

    def __call__(self, x: ArrayLike, y: ArrayLike, t: float) -> Array:
        """Its value."""
        return np.asarray(self.base + self._changing(x, y, t))

    def rate(self, x: ArrayLike, y: ArrayLike, t: float) -> Array:
        """Its derivative in time."""
        return np.asarray(-self._changing(x, y, t) / self.tau)

    def gradient(self, x: ArrayLike, y: ArrayLike, t: float) -> tuple[Array, Array]:
        """Its derivatives in x and y."""
        k, size = np.pi / self.width, self.amplitude * np.exp(-t / self.tau)
        x, angle = np.asarray(x), self.a * np.asarray(y) + self.b
        along = -self.wave * k * np.sin(k * x) * np.cos(angle)
        across = -(1.0 + self.wave * np.cos(k * x)) * self.a * np.sin(angle)
        return np.asarray(size * along), np.asarray(size * across)

    def laplacian(self, x: ArrayLike, y: ArrayLike, t: float) -> Array:
        """The sum of its second derivatives."""
        k, size = np.pi / self.width, self.amplitude * np.exp(-t / self.tau)
        x, shape = np.asarray(x), np.cos(self.a * np.asarray(y) + self.b)
        wave = self.wave * np.cos(k * x)
        return np.asarray(-size * shape * (k**2 * wave + self.a**2 * (1.0 + wave)))

    def _changing(self, x: ArrayLike, y: ArrayLike, t: float) -> Array:
        x, y = np.asarray(x), np.asarray(y)
        shape = (1.0 + self.wave * np.cos(np.pi * x / self.width)) * np.cos(self.a * y + self.b)
        return np.asarray(self.amplitude * np.exp(-t / self.tau) * shape)


@dataclass(frozen=True)
class Manufactured:
    """The fields and their sources; lengths in m, exchange current of the lithium in A/m2."""

    width: float = 4e-6
    solid: float = 5e-6
    height: float = 1.3e-5
    i0_lithium: float = 10.0
    alpha_a: float = 0.5
    alpha_c: float = 0.5

    @property
    def theta(self) -> Field:
        """Stoichiometry: flat at y = 0, sloped at the interface."""
        return Field(0.6, 0.12, 0.3, self.width, 2.2 / self.solid, 0.0, 900.0)

    @property
    def phi_s(self) -> Field:
        """Potential of the solid [V]: zero at y = 0."""
        return Field(0.0, 0.05, 0.2, self.width, 1.1 / self.solid, 0.5 * np.pi, 1500.0)

    @property
    def c(self) -> Field:
        """Salt [mol/m3]."""
        return Field(1100.0, 250.0, 0.4, self.width, 2.0 / self.height, 0.3, 1200.0)

    @property
    def phi_l(self) -> Field:
        """Potential of the liquid [V]: some 20 mV from equilibrium with the surface."""
        return Field(-3.88, 0.03, 0.5, self.width, 2.5 / self.height, 0.9, 700.0)

    @staticmethod
    def phi_lithium(t: float) -> float:
        """phi_Li [V]."""
        return float(-3.89 + 0.01 * np.exp(-t / 800.0))

    def current(self, t: float) -> float:
        """I per metre of depth [A/m], charging positive: what leaves through the lithium."""
        nodes, weights = np.polynomial.legendre.leggauss(40)
        x = 0.5 * self.width * (nodes + 1.0)
        return float(-0.5 * self.width * (weights @ self.lithium(x, t)))

    def reaction(self, x: ArrayLike, t: float) -> Array:
        """i [A/m2] out of the solid at y = solid."""
        theta, c = self.theta(x, self.solid, t), self.c(x, self.solid, t)
        eta = self.phi_s(x, self.solid, t) - self.phi_l(x, self.solid, t) - _law("U", theta)
        return self._transfer(_law("i0", theta) * (c / C_REF) ** self.alpha_a, eta)

    def lithium(self, x: ArrayLike, t: float) -> Array:
        """i_Li [A/m2] into the liquid at y = height."""
        eta = self.phi_lithium(t) - self.phi_l(x, self.height, t)
        i0 = self.i0_lithium * (self.c(x, self.height, t) / C_REF) ** self.alpha_a
        return self._transfer(i0, eta)

    def _transfer(self, i0: Array, eta: Array) -> Array:
        f = FARADAY / (GAS * TEMPERATURE)
        return np.asarray(i0 * (np.exp(self.alpha_a * f * eta) - np.exp(-self.alpha_c * f * eta)))

    # --- fluxes, (x component, y component) ---

    def lithium_flux(self, x: ArrayLike, y: ArrayLike, t: float) -> tuple[Array, Array]:
        """-N D grad theta [mol/m2/s]."""
        factor = -SITE_DENSITY * _law("D", self.theta(x, y, t))
        return _times(factor, self.theta.gradient(x, y, t))

    def electron_current(self, x: ArrayLike, y: ArrayLike, t: float) -> tuple[Array, Array]:
        """-K grad phi_s [A/m2]."""
        return _times(-_law("K", self.theta(x, y, t)), self.phi_s.gradient(x, y, t))

    def ionic_current(self, x: ArrayLike, y: ArrayLike, t: float) -> tuple[Array, Array]:
        """i_l [A/m2]."""
        c = self.c(x, y, t)
        ohmic = _times(-_law("kappa", c), self.phi_l.gradient(x, y, t))
        return _plus(ohmic, _times(_thermal(c), self.c.gradient(x, y, t)))

    def salt_flux(self, x: ArrayLike, y: ArrayLike, t: float) -> tuple[Array, Array]:
        """N+ [mol/m2/s]."""
        c = self.c(x, y, t)
        fick = _times(-_law("D_l", c), self.c.gradient(x, y, t))
        return _plus(fick, _times(_law("t_plus", c) / FARADAY, self.ionic_current(x, y, t)))

    # --- sources in the volumes ---

    def solid_lithium(self, x: ArrayLike, y: ArrayLike, t: float) -> Array:
        """[mol/m3/s]"""
        theta = self.theta(x, y, t)
        spread = _slope("D", theta) * _square(self.theta.gradient(x, y, t))
        spread = spread + _law("D", theta) * self.theta.laplacian(x, y, t)
        return np.asarray(SITE_DENSITY * (self.theta.rate(x, y, t) - spread))

    def solid_charge(self, x: ArrayLike, y: ArrayLike, t: float) -> Array:
        """[A/m3]"""
        theta = self.theta(x, y, t)
        mixed = _dot(self.theta.gradient(x, y, t), self.phi_s.gradient(x, y, t))
        spread = _slope("K", theta) * mixed + _law("K", theta) * self.phi_s.laplacian(x, y, t)
        return np.asarray(-spread)

    def liquid_charge(self, x: ArrayLike, y: ArrayLike, t: float) -> Array:
        """[A/m3]"""
        c, slope = self.c(x, y, t), self.c.gradient(x, y, t)
        ohmic = _slope("kappa", c) * _dot(slope, self.phi_l.gradient(x, y, t))
        ohmic = ohmic + _law("kappa", c) * self.phi_l.laplacian(x, y, t)
        by_step = np.imag(_thermal(c + 1e-30j)) / 1e-30
        diffusive = by_step * _square(slope) + _thermal(c) * self.c.laplacian(x, y, t)
        return np.asarray(diffusive - ohmic)

    def liquid_salt(self, x: ArrayLike, y: ArrayLike, t: float) -> Array:
        """[mol/m3/s]"""
        c, slope = self.c(x, y, t), self.c.gradient(x, y, t)
        fick = _slope("D_l", c) * _square(slope) + _law("D_l", c) * self.c.laplacian(x, y, t)
        carried = _slope("t_plus", c) * _dot(slope, self.ionic_current(x, y, t))
        carried = carried + _law("t_plus", c) * self.liquid_charge(x, y, t)
        return np.asarray(self.c.rate(x, y, t) - fick + carried / FARADAY)

    # --- sources on the surfaces ---

    def surface_lithium(self, x: ArrayLike, t: float) -> Array:
        """[mol/m2/s] at y = solid"""
        return self.lithium_flux(x, self.solid, t)[1] - self.reaction(x, t) / FARADAY

    def surface_electrons(self, x: ArrayLike, t: float) -> Array:
        """[A/m2] at y = solid"""
        return self.electron_current(x, self.solid, t)[1] - self.reaction(x, t)

    def surface_salt(self, x: ArrayLike, t: float) -> Array:
        """[mol/m2/s] at y = solid"""
        return self.salt_flux(x, self.solid, t)[1] - self.reaction(x, t) / FARADAY

    def surface_ions(self, x: ArrayLike, t: float) -> Array:
        """[A/m2] at y = solid"""
        return self.ionic_current(x, self.solid, t)[1] - self.reaction(x, t)

    def lithium_salt(self, x: ArrayLike, t: float) -> Array:
        """[mol/m2/s] at y = height"""
        return self.salt_flux(x, self.height, t)[1] + self.lithium(x, t) / FARADAY

    def lithium_ions(self, x: ArrayLike, t: float) -> Array:
        """[A/m2] at y = height"""
        return self.ionic_current(x, self.height, t)[1] + self.lithium(x, t)


def _law(name: str, at: Array) -> Array:
    argument = "theta" if "theta" in LAWS[name] else "c"
    return np.asarray(evaluate(LAWS[name], **{argument: at}))


def _slope(name: str, at: Array) -> Array:
    return np.asarray(np.imag(_law(name, at + 1e-30j)) / 1e-30)


def _thermal(c: Array) -> Array:
    """2 kappa R T / F (1 - t_plus) tdf / c: what multiplies grad c in i_l."""
    factor = 2.0 * GAS * TEMPERATURE / FARADAY * (1.0 - _law("t_plus", c)) * _law("tdf", c)
    return np.asarray(_law("kappa", c) * factor / c)


def _times(factor: Array, vector: tuple[Array, Array]) -> tuple[Array, Array]:
    return factor * vector[0], factor * vector[1]


def _plus(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
    return a[0] + b[0], a[1] + b[1]


def _dot(a: tuple[Array, Array], b: tuple[Array, Array]) -> Array:
    return np.asarray(a[0] * b[0] + a[1] * b[1])


def _square(a: tuple[Array, Array]) -> Array:
    return _dot(a, a)
