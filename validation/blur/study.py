"""What the camera's blur and its pixels do to the centre-of-mass distance of the unreacted region.

A disk delithiates behind a straight front,

    dI/I1 = A / (1 + exp((x_f - x . e) / w)),    A = 0.2,  w = 0.1 d,  e its direction

given as a formula, so that no solver has a part in it. Of the same snapshots the exact region is
cut along the level line (`nmcsim.imaging.section`), and the measured one comes from simulated
frames without noise and drift, reduced as measured ones (`nmcsim.imaging.optical`). The mean over
several directions takes out how the front happens to lie on the pixels; that scatter is stated.

Where the level of 0.05 lies the signal is convex, so that blur raises it, by sigma^2 / 2 times its
second derivative: the level line moves by sigma^2 / 4 w into the unreacted region.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from nmcsim.imaging.camera import Camera
from nmcsim.imaging.camera.snapshots import Snapshots
from nmcsim.imaging.optical import Optical, reduce_optical
from nmcsim.imaging.section import Section, unreacted_region
from validation.tables import Column, Table

Array = NDArray[np.float64]

HEIGHT = 0.2  # of dI/I1 behind the front
WIDTH = 0.1  # of the front, over the diameter
SIGNAL = 0.5
START = 0.95  # lithium per site in the first frame
SHARES = (0.75, 0.5, 0.25, 0.1)
RESOLUTIONS = (0.0, 135e-9, 265e-9, 530e-9)  # m
DIAMETERS = (1e-6, 2.5e-6, 5e-6)  # m
PIXELS = (17.35e-9, 34.7e-9, 69.4e-9, 138.8e-9)  # m
BACKGROUNDS = (0.0, 0.2, 0.5)
FRONTS = ((0.1, 0.1), (0.2, 0.1), (0.2, 0.03), (0.4, 0.03))
"""Heights of dI/I1 behind the front, and its width over the diameter: faint to strong, flat to
sharp."""
ANGLES = tuple(2.0 * math.pi * (n + 0.5) * 0.6180339887 for n in range(8))
"""Spread evenly, and none along the pixels [rad]."""
MOVED = 0.005
"""A number that has moved: half a per cent, some pixels at the edge."""


def disk(diameter: float, rings: int = 32) -> Section:
    """Rings of quadrilaterals, each two triangles, about a fan."""
    count = 4 * rings
    k, angle = np.arange(count), 2.0 * np.pi * np.arange(count) / count
    rim = np.column_stack((np.cos(angle), np.sin(angle)))
    # the polygon has the area of the circle
    radius = 0.5 * diameter * math.sqrt(2.0 * np.pi / count / math.sin(2.0 * np.pi / count))
    nodes = np.concatenate([[[0.0, 0.0]], *[rim * r / rings for r in range(1, rings + 1)]])
    after = (k + 1) % count
    cells = [np.column_stack((np.zeros(count, int), 1 + k, 1 + after))]
    for r in range(rings - 1):
        a, b = 1 + r * count, 1 + (r + 1) * count
        cells.append(np.column_stack((a + k, b + k, b + after)))
        cells.append(np.column_stack((a + k, b + after, a + after)))
    return Section(radius * nodes, np.concatenate(cells))


def theta(
    section: Section, diameter: float, front: float, angle: float,
    height: float = HEIGHT, width: float = WIDTH,
) -> Array:  # fmt: skip
    """Lithium per site with the front at a place [m]."""
    x = section.nodes @ (math.cos(angle), math.sin(angle))
    change = height / (1.0 + np.exp((front - x) / (width * diameter)))
    return np.asarray(START - change / SIGNAL)


def snapshots(
    diameter: float, angle: float, height: float = HEIGHT, width: float = WIDTH
) -> tuple[Snapshots, Array]:
    """The first frame and one for each of `SHARES`; the exact distances [m]."""
    section = disk(diameter)
    start = np.full(len(section.nodes), START)

    def region(front: float) -> tuple[float, float]:
        now = theta(section, diameter, front, angle, height, width)
        found = unreacted_region(section, now, start, SIGNAL)
        return found.share, found.distance

    fronts = [
        brentq(
            lambda f, share=share: region(f)[0] - share,
            -0.6 * diameter, 1.2 * diameter, xtol=1e-4 * diameter,
        )
        for share in SHARES
    ]  # fmt: skip
    now = [theta(section, diameter, f, angle, height, width) for f in fronts]
    values = np.stack([start, *now])
    time = 60.0 * np.arange(len(values))
    return Snapshots(time, section, values), np.array([region(f)[1] for f in fronts])


def shares(
    diameter: float, camera: Camera, height: float = HEIGHT, width: float = WIDTH
) -> tuple[float, ...]:
    """Measured over exact distance [%] at each of `SHARES`, mean over the directions; the least and
    the most of the directions at half of the area.
    """
    found = []
    for taken, exact in cases(diameter, height, width):
        reduced = reduce_optical(camera.stack(taken), Optical(drift="none"))
        found.append(100.0 * reduced.com_distance[1:] / exact)
    half = np.array(found)[:, SHARES.index(0.5)]
    return (*np.mean(found, axis=0).tolist(), float(half.min()), float(half.max()))


@cache
def cases(
    diameter: float, height: float = HEIGHT, width: float = WIDTH
) -> list[tuple[Snapshots, Array]]:
    """The snapshots of each direction."""
    return [snapshots(diameter, angle, height, width) for angle in ANGLES]


def tables(work: Path) -> list[Table]:
    """Against resolution and diameter; against the pixel; against the background."""
    columns = (
        *(Column(f"at {100 * share:.0f} % / %", ".1f") for share in SHARES),
        Column("at 50 %, least / %", ".1f"),
        Column("most / %", ".1f"),
    )
    blur: list[tuple[float | str | None, ...]] = []
    for d in DIAMETERS:
        for resolution in RESOLUTIONS:
            camera = Camera(spot=None, resolution=resolution)
            blur.append((1e6 * d, 1e9 * resolution, *shares(d, camera)))
    usual = 2.5e-6
    exact = [
        (1e6 * d, *(1e9 * np.mean([distances for _, distances in cases(d)], axis=0)).tolist())
        for d in DIAMETERS
    ]
    in_nm = tuple(Column(f"at {100 * share:.0f} % / nm", ".1f") for share in SHARES)
    return [
        Table(
            "blur",
            "Centre-of-mass distance measured on simulated frames, in per cent of the exact one, "
            "while the stated share of the particle is unreacted; mean of eight directions of the "
            "front, and the least and most of them.",
            (Column("diameter / µm", ".1f"), Column("resolution / nm", ".0f"), *columns),
            tuple(blur),
            MOVED,
        ),
        Table(
            "blur_exact",
            "The exact distances.",
            (Column("diameter / µm", ".1f"), *in_nm),
            tuple(exact),
            MOVED,
        ),
        Table(
            "blur_pixels",
            "As above, of the 2.5 µm disk at 265 nm, against the pixel.",
            (Column("pixel / nm", ".4g"), *columns),
            tuple((1e9 * p, *shares(usual, Camera(spot=None, pixel=p))) for p in PIXELS),
            MOVED,
        ),
        Table(
            "blur_background",
            "As above, at 34.7 nm per pixel, against the intensity beside the particle, whose own "
            "is 1.",
            (Column("background", ".1f"), *columns),
            tuple((b, *shares(usual, Camera(spot=None, background=b))) for b in BACKGROUNDS),
            MOVED,
        ),
        Table(
            "blur_fronts",
            "As above, of the 2.5 µm disk at 265 nm and 34.7 nm per pixel, for other fronts.",
            (
                Column("dI/I1 behind the front", ".1f"),
                Column("width w / diameter", ".2f"),
                Column("background", ".1f"),
                *columns[: len(SHARES)],
            ),
            tuple(
                (a, w, b, *shares(usual, Camera(spot=None, background=b), a, w)[: len(SHARES)])
                for a, w in FRONTS
                for b in BACKGROUNDS
            ),
            MOVED,
        ),
    ]
