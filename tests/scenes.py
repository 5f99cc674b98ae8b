"""Micrographs whose truth is known in closed form: no camera of nmcsim took them.

A disk of radius R px with a straight front that passes it from left to right; a bright point beside
it; all of it drifts by a known track; photons are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, erfinv

from nmcsim.imaging.stack import Stack

Array = NDArray[np.float64]

PIXEL = 34.7e-9
RADIUS = 36.0
WIDTH = 2.0
"""Of the front, as the standard deviation of its error function [px]."""
SPOT = (24.3, 130.6)
"""Row and column in a frame without drift."""
POINT = 3.2429
"""265 nm of full width at half maximum are 3.24 px of standard deviation."""


@dataclass(frozen=True)
class Scene:
    """A stack and what is true of it: drift (k, 2) [px] from the first frame, front (k,) [px]."""

    stack: Stack
    drift: Array
    front: Array
    signal: float

    def truth(self, below: float = 0.05) -> tuple[Array, Array]:
        """Distance (k,) [m] and share (k,) of what is right of the front where dI/I1 = below."""
        size = abs(self.signal)
        edge = self.front + WIDTH * np.sqrt(2.0) * erfinv(1.0 - 2.0 * below / size)
        g = np.clip(edge, -RADIUS, RADIUS)
        area = RADIUS**2 * np.arccos(g / RADIUS) - g * np.sqrt(RADIUS**2 - g**2)
        moment = 2.0 / 3.0 * (RADIUS**2 - g**2) ** 1.5
        distance = np.divide(moment, area, out=np.full(area.shape, np.nan), where=area > 1e-9)
        return PIXEL * distance, area / (np.pi * RADIUS**2)


def track(frames: int) -> Array:
    """A smooth drift of some pixels, rows and columns."""
    t = 10.0 * np.arange(frames)
    found = np.column_stack(
        (1.5 * np.sin(t / 200.0) + 0.004 * t, 0.7 * np.cos(t / 150.0) - 0.006 * t)
    )
    return np.asarray(found - found[0])


def scene(
    frames: int = 60,
    *,
    size: int = 160,
    signal: float = 0.3,
    counts: float = 8000.0,
    noise: bool = True,
    spot: bool = True,
    drift: Array | None = None,
    seed: int = 1,
    **more: Any,
) -> Scene:
    """Frames of the disk; ``lost`` numbers frames without their spot."""
    rng = np.random.default_rng(seed)
    moved = track(frames) if drift is None else drift
    y, x = np.mgrid[:size, :size].astype(float)
    # the front begins outside the particle: the first frame is all unreacted
    front = -RADIUS - 5.0 * WIDTH + (2.0 * RADIUS + 10.0 * WIDTH) * np.linspace(0.0, 1.0, frames)
    images = []
    for k, (dy, dx) in enumerate(moved):
        Y, X = y - dy - 0.5 * size - 5.2, x - dx - 0.5 * size + 10.4
        body = 0.5 * (1.0 - erf((np.hypot(Y, X) - RADIUS) / (np.sqrt(2.0) * 1.2)))
        reacted = 0.5 * (1.0 - erf((X - front[k]) / (np.sqrt(2.0) * WIDTH)))
        image = counts * (0.1 + 0.9 * body * (1.0 + signal * reacted))
        if spot and k not in more.get("lost", ()):
            r2 = (y - dy - SPOT[0]) ** 2 + (x - dx - SPOT[1]) ** 2
            image += 0.8 * counts * np.exp(-r2 / (2.0 * POINT**2))
        images.append(rng.poisson(image) if noise else image)
    array = np.array(images, dtype=np.uint16 if noise else np.float32)
    return Scene(Stack.of(array, PIXEL, 10.0 * np.arange(frames)), moved, front, signal)


CENTRES = ((40, 40), (45, 110), (50, 190), (120, 60), (125, 140), (90, 215), (140, 200))
"""Rows and columns of the particles of `crowd`; 2 and 5 touch."""


def crowd(frames: int = 120, *, seed: int = 0, counts: float = 900.0) -> tuple[Stack, Array]:
    """Seven disks of 24 px that light up one after the other on charge, and together on discharge;
    their stack (100 nm/px, a frame a minute) and the state of charge (k,).

    Disk p follows a logistic curve in SOC about 0.1 + 0.11 p of width 0.02 on charge, and a
    straight line on discharge.
    """
    rng = np.random.default_rng(seed)
    half = frames // 2
    n = np.arange(frames)
    soc = np.where(n < half, n / half, (2 * half - n) / half)
    y, x = np.mgrid[:180, :260]
    images = np.full((frames, 180, 260), 200.0)
    for p, (cy, cx) in enumerate(CENTRES):
        inside = np.hypot(y - cy, x - cx) < 24.0
        up = 1.0 / (1.0 + np.exp(-(soc - 0.1 - 0.11 * p) / 0.02))
        value = np.where(n <= half, up, up[half] * soc)
        images += inside * (counts + 500.0 * value[:, None, None])
    return Stack.of(rng.poisson(images).astype(np.uint16), 100e-9, 60.0 * n), soc
