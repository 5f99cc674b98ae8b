"""Centre-of-mass distance of the unreacted region in a disk (Lun et al., Fig. S4), by rays.

    signal dI/I1 = s (theta(t0) - theta(t));   unreacted: signal < below
    distance = | centre of mass of the unreacted region - centre of the disk |
    share    = its area / area of the disk

Each of `rays` equally spaced directions carries `points` radii, denser towards the rim; the signal
is linear between them, the region is cut where it crosses the threshold, and the integrals of
r dr and r^2 dr between cuts are exact. Directions are summed by the trapezoid rule.

Own error (test_reference.py, linear field, circular segment): share and distance/R below 2e-5 at
the defaults. An empty region is NaN for the distance and 0 for the share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Field = Callable[[Array, Array], Array]


class Unreacted(NamedTuple):
    """Region whose signal is still below the threshold; lengths in units of the field's radius."""

    distance: float
    share: float
    x: float
    y: float


def _cut(r: Array, excess: Array) -> tuple[Array, Array]:
    """Integrals of r dr and r^2 dr over excess < 0 along each ray, excess linear in between."""
    r0, r1, e0, e1 = r[:-1], r[1:], excess[:, :-1], excess[:, 1:]
    crossing = (e0 < 0.0) != (e1 < 0.0)
    share = np.where(crossing, e0 / np.where(crossing, e0 - e1, 1.0), 0.0)
    at = r0 + share * (r1 - r0)
    start = np.where(e0 < 0.0, r0, at)
    end = np.where(e1 < 0.0, r1, at)
    inside = (e0 < 0.0) | (e1 < 0.0)
    first = np.where(inside, (end**2 - start**2) / 2.0, 0.0).sum(axis=1)
    second = np.where(inside, (end**3 - start**3) / 3.0, 0.0).sum(axis=1)
    return first, second


def unreacted(
    theta_first: Field | float,
    theta_now: Field,
    *,
    radius: float = 1.0,
    signal: float = 0.5,
    below: float = 0.05,
    rays: int = 1024,
    points: int = 801,
) -> Unreacted:
    """Unreacted region of a disk.

    Parameters
    ----------
    theta_first, theta_now : callable or float
        theta(r, phi) at the first frame and now, called with r [unit of `radius`] of shape
        (1, points) and phi [rad] of shape (rays, 1).
    radius : float
        R, the unit of the answers [m].
    signal, below : float
        s and the threshold.
    rays, points : int
        Directions and radii.
    """
    r = radius * np.sin(np.linspace(0.0, np.pi / 2.0, points))
    phi = (np.arange(rays) + 0.5) * 2.0 * np.pi / rays
    across = (r[None, :], phi[:, None])
    first = theta_first(*across) if callable(theta_first) else theta_first
    excess = signal * (first - theta_now(*across)) - below
    area, moment = _cut(r, np.broadcast_to(excess, (rays, points)))
    d_phi = 2.0 * np.pi / rays
    total = d_phi * area.sum()
    if total == 0.0:
        return Unreacted(np.nan, 0.0, np.nan, np.nan)
    x = float(d_phi * (moment @ np.cos(phi)) / total)
    y = float(d_phi * (moment @ np.sin(phi)) / total)
    return Unreacted(float(np.hypot(x, y)), float(total / (np.pi * radius**2)), x, y)
