"""Draw the synthetic label images of these cases: no micrograph, but shapes that we chose.

    python cases/images/make.py

A real one comes from a segmentation (Fiji, ilastik, scikit-image), saved as a grey PNG or TIFF.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BINDER = 255


def blob(
    shape: tuple[int, int], centre: tuple[float, float], radius: float, seed: float
) -> NDArray[np.bool_]:
    """A rounded particle: column and row of its centre, and its mean radius [pixels]."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    angle = np.arctan2(y - centre[1], x - centre[0])
    wavy = 1.0 + 0.06 * np.cos(3 * angle + seed) + 0.04 * np.sin(5 * angle + 2 * seed)
    return np.hypot(x - centre[0], y - centre[1]) <= radius * wavy


def crystal() -> NDArray[np.uint8]:
    """One particle of 72 pixels, and a speck beside it."""
    found = np.zeros((96, 100), dtype=np.uint8)
    found[blob(found.shape, (50.0, 47.0), 36.0, 1.0)] = 1
    found[4:7, 5:8] = 2
    return found


def electrode() -> NDArray[np.uint8]:
    """Four particles, two of which touch, binder below and at the right, specks, liquid."""
    found = np.zeros((150, 160), dtype=np.uint8)
    places = [(36, 112, 27), (95, 116, 25), (62, 62, 28), (122, 66, 30)]
    for i, (x, y, radius) in enumerate(places):
        found[blob(found.shape, (x, y), radius, i) & (found == 0)] = i + 1
    y, x = np.mgrid[:150, :160] + 0.5
    soft = (y > 118 - 14 * np.cos(2 * np.pi * x / 80)) | ((x > 148) & (y > 60))
    found[soft & (found == 0)] = BINDER
    found[20:22, 20:23] = 9
    found[60:62, 60:62] = 0
    return found


if __name__ == "__main__":
    folder = Path(__file__).parent
    for name, labels in (("crystal", crystal()), ("electrode", electrode())):
        Image.fromarray(labels).save(folder / f"{name}.png", optimize=True)
