"""500 frames of 512 x 512 reduced, against the loop that a user would write.

Each is a process of its own on one core: its memory is its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.common import Row
from nmcsim.imaging.stack import write_stack

FRAMES, SIZE, PIXEL = 500, 512, 34.7e-9
RADIUS, SPOT = 110.0, (70.0, 420.0)
"""A particle of 7.6 um, which is much of the picture: 38,000 pixels."""

MEASURED = """
from pathlib import Path
from nmcsim.measure.jobs import Asked, measure_optical
result, _ = measure_optical(Path("frames.ome.tif"), Asked(Path("measured.toml")))
drift, distance = result.drift.offsets, result.com_distance
"""

BY_HAND = """
import numpy as np, tifffile
from scipy import ndimage
from scipy.optimize import curve_fit
from skimage.filters import threshold_otsu

frames = tifffile.imread("frames.ome.tif").astype(float)
y, x = np.mgrid[-10:11, -10:11]

def gaussian(p, a, i, j, s, b):
    return (a * np.exp(-((y - i) ** 2 + (x - j) ** 2) / (2 * s**2)) + b).ravel()

row, column, places = 70, 420, []
for frame in frames:
    patch = frame[row - 10 : row + 11, column - 10 : column + 11].ravel()
    start = (np.ptp(patch), 0.0, 0.0, 3.0, patch.min())
    fit, _ = curve_fit(gaussian, None, patch, start)
    places.append((row + fit[1], column + fit[2]))
    row, column = round(places[-1][0]), round(places[-1][1])
drift = np.array(places) - places[0]
still = np.array([ndimage.shift(f, -d) for f, d in zip(frames, drift)])
labels, n = ndimage.label(still[0] > threshold_otsu(still[0]))
mask = labels == 1 + np.argmax(ndimage.sum(labels > 0, labels, range(1, n + 1)))
change = (still - still[0]) / still[0]
middle = ndimage.center_of_mass(mask)
distance = np.array(
    [
        np.hypot(*np.subtract(ndimage.center_of_mass(mask & (np.abs(c) < 0.05)), middle))
        for c in change
    ]
)
"""

TOLD = """
import time
began = time.perf_counter(), time.process_time()
{}
import numpy as np
np.savez("{}.npz", drift=drift, distance=distance)
peak = next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]
print(time.perf_counter() - began[0], time.process_time() - began[1], float(peak) / 1024)
"""


def track() -> np.ndarray:
    """Rows and columns by which each frame lies off the first one [px]."""
    t = np.arange(FRAMES)
    found = np.column_stack((3.0 * np.sin(t / 90.0), 4.0 * np.cos(t / 120.0) - 0.01 * t))
    return np.asarray(found - found[0])


def film(path: Path) -> None:
    """A disk with a front that passes it, a spot, drift and photon noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    fronts = np.linspace(-RADIUS - 10.0, RADIUS + 10.0, FRAMES)

    def frames():
        for (dy, dx), front in zip(track(), fronts, strict=True):
            Y, X = y - dy - 280.0, x - dx - 230.0
            body = 1.0 / (1.0 + np.exp(np.clip(np.hypot(Y, X) - RADIUS, -30.0, 30.0)))
            reacted = 1.0 / (1.0 + np.exp(np.clip(X - front, -30.0, 30.0)))
            spot = np.exp(-((y - dy - SPOT[0]) ** 2 + (x - dx - SPOT[1]) ** 2) / 21.0)
            mean = 800.0 + 7200.0 * body * (1.0 + 0.3 * reacted) + 6000.0 * spot
            yield (mean + np.sqrt(mean) * rng.standard_normal(mean.shape, np.float32)).round()

    write_stack(path, frames(), pixel=PIXEL, time=4.0 * np.arange(FRAMES))


def measured(code: str, name: str, folder: Path) -> tuple[float, float, float]:
    """Wall and CPU seconds and peak memory [MB] of a program."""
    root = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", TOLD.format(code, name)],
        cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": root},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    wall, cpu, peak = (float(word) for word in done.stdout.split()[-3:])
    return wall, cpu, peak


def rows() -> list[Row]:
    """The table's part on image stacks; about two minutes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film(folder / "frames.ome.tif")
        wall, cpu, peak = measured(MEASURED, "measured", folder)
        hand_wall, hand_cpu, hand_peak = measured(BY_HAND, "by_hand", folder)
        found = np.load(folder / "measured.npz")
        by_hand = np.load(folder / "by_hand.npz")
        rms, hand_rms = (
            float(np.sqrt(np.mean((d["drift"] - track()) ** 2))) for d in (found, by_hand)
        )
    note = f"{FRAMES} frames of {SIZE} x {SIZE}, with measured.toml, series and page; one core"
    plain = f"a plain loop with scipy: {hand_cpu:.0f} s CPU, {hand_peak:.0f} MB"
    return [
        Row("image stack: reduced, wall", wall, "s", 60.0, True, note),
        Row("image stack: reduced, CPU", cpu, "s", 60.0, True),
        Row("image stack: memory", peak, "MB", 1000.0, True),
        Row("image stack: CPU over a plain loop", cpu / hand_cpu, "", 1.0, True, plain),
        Row("image stack: wall of the plain loop", hand_wall, "s"),
        Row(
            "image stack: rms error of the drift", rms, "px", 0.05, True,
            f"plain loop {hand_rms:.3f} px",
        ),
    ]  # fmt: skip
