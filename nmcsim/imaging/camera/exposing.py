"""The frames of one camera and one object."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.special import erf

from nmcsim.errors import InputError, Mistake
from nmcsim.imaging.camera.law import Linear
from nmcsim.imaging.camera.raster import part_labels
from nmcsim.imaging.camera.snapshots import Snapshots
from nmcsim.imaging.camera.view import picture_of
from nmcsim.units import display

if TYPE_CHECKING:
    from nmcsim.imaging.camera import Camera, Spot

__all__ = ["SATURATION", "Exposed"]

Array = NDArray[np.float64]

SIGMA = 1.0 / (2.0 * math.sqrt(2.0 * math.log(2.0)))
"""Standard deviation of a Gaussian over its full width at half maximum."""
SATURATION = 2.0
"""Intensity at which a pixel is full; 1 is the particle at the start, and fills it by half."""
LARGEST = 4096 * 4096
"""Pixels of a frame."""


class Exposed:
    """What all frames share is computed once; iterating takes them one by one, (h, w) each.

    Parameters
    ----------
    camera : Camera
    snapshots : Snapshots

    Raises
    ------
    InputError
        As `Camera.frames`.
    """

    def __init__(self, camera: Camera, snapshots: Snapshots) -> None:
        self.camera, self.snapshots = camera, snapshots
        self.picture = picture_of(snapshots, camera.view)
        self.time = camera.times(snapshots)
        drift, k = camera.drift, len(self.time)
        self.drift = np.zeros((k, 2)) if drift is None else drift.at(self.time, camera.seed)
        margin = camera.margin
        if margin is None:
            margin = max(1e-6, 3.0 * camera.resolution) + float(np.abs(self.drift).max())
        low, high = self.picture.low - margin, self.picture.high + margin
        size = np.ceil((high - low) / camera.pixel - 1e-9).astype(int)
        self.shape = (int(size[1]), int(size[0]))
        if size[0] * size[1] > LARGEST:
            raise InputError(
                Mistake(
                    f"pixel = {display(camera.pixel, 'm')}",
                    f"gives frames of {size[0]} x {size[1]} pixels; take a larger pixel",
                )
            )
        # the frame is centred on what is seen
        middle = 0.5 * (low + high)
        half = 0.5 * size * camera.pixel
        self.origin = np.array([middle[0] - half[0], middle[1] + half[1]])
        self.margin = margin
        sigma = SIGMA * camera.resolution / camera.pixel
        # blurred on a grid that resolves the blur, then summed to pixels: with a standard deviation
        # of s cells, an edge between two of them is off by (1 / 2 pi s)^2 of its height at most
        self.finer = int(np.clip(math.ceil(3.0 / sigma), 1, 12)) if sigma > 0.0 else 1
        self.sigma = sigma * self.finer
        self.spectral = self.sigma >= 1.2  # what the blur leaves beyond Nyquist is then below 1e-3

    def __iter__(self) -> Iterator[Array]:
        camera = self.camera
        for number, middle in enumerate(self.time):
            clean = self._clean(self._intensity(float(middle)), self.drift[number])
            if camera.noise is not None:
                clean = self._noisy(clean, number)
            yield np.clip(clean, 0.0, SATURATION)

    def _intensity(self, middle: float) -> Array:
        """At the nodes, mean over the exposures of a frame."""
        camera, s = self.camera, self.snapshots
        reference = np.asarray(self.picture.values[0], dtype=np.float64)
        if camera.interval is None:
            spans = [(middle, middle)]
        else:
            n = camera.binning
            step = camera.interval / n
            length = min(camera.exposure or step, step)
            begin = middle - 0.5 * camera.interval + 0.5 * (step - length)
            spans = [(begin + i * step, begin + i * step + length) for i in range(n)]
        weights = [s.weights(*span) for span in spans]
        if isinstance(camera.law, Linear):  # the mean of a straight line is that of its argument
            weights = [np.mean(weights, axis=0)]
        found = np.zeros(reference.shape)
        for weight in weights:
            used = np.flatnonzero(weight)
            theta = weight[used] @ np.asarray(self.picture.values[used], dtype=np.float64)
            found += camera.law(theta, reference)
        return found / len(weights)

    def _clean(self, intensity: Array, drift: Array) -> Array:
        """A frame without noise."""
        camera, (h, w), m = self.camera, self.shape, self.finer
        contrast = intensity - camera.background
        if self.spectral:
            fine = (self._matrix @ contrast).reshape(h * m, w * m)
            fine = irfft2(rfft2(fine, self._padded) * self._filter(drift), self._padded)[
                : h * m, : w * m
            ]
        else:
            fine = (self._matrix_at(drift) @ contrast).reshape(h * m, w * m)
            if self.sigma > 0.0:
                fine = irfft2(rfft2(fine, self._padded) * self._filter(np.zeros(2)), self._padded)[
                    : h * m, : w * m
                ]
        frame = fine.reshape(h, m, w, m).mean(axis=(1, 3)) + camera.background
        return frame if camera.spot is None else frame + self._spot(camera.spot, drift)

    @cached_property
    def _matrix(self) -> Any:
        return self._matrix_at(np.zeros(2))

    def _matrix_at(self, drift: Array) -> Any:
        h, w = self.shape
        m = self.finer
        pitch = self.camera.pixel / m
        return self.picture.matrix(self.origin - drift, pitch, (h * m, w * m), self.camera.depth)

    @cached_property
    def _padded(self) -> tuple[int, int]:
        """Beyond the blur and the drift nothing comes back from the other side."""
        pitch = self.camera.pixel / self.finer
        more = int(6.0 * self.sigma + np.abs(self.drift).max() / pitch) + 2
        h, w = (int(next_fast_len(n * self.finer + more, real=True)) for n in self.shape)
        return h, w

    @cached_property
    def _frequencies(self) -> tuple[Array, Array, Array]:
        h, w = self._padded
        fy, fx = np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None, :]
        return fy, fx, np.exp(-2.0 * (np.pi * self.sigma) ** 2 * (fy**2 + fx**2))

    def _filter(self, drift: Array) -> Any:
        """Blur and shift."""
        fy, fx, blur = self._frequencies
        if not drift.any():
            return blur
        right, up = drift * self.finer / self.camera.pixel
        return blur * (np.exp(-2j * np.pi * fx * right) * np.exp(2j * np.pi * fy * up))

    def _spot(self, spot: Spot, drift: Array) -> Array:
        """The spot, blurred as a point, integrated over the pixels."""
        camera, (h, w) = self.camera, self.shape
        if spot.position is None:
            place = 0.5 * np.array([1.0, -1.0]) * self.margin + self.origin
        else:
            place = np.array(spot.position)
        u, v = np.array([1.0, -1.0]) * (place + drift - self.origin) / camera.pixel
        sigma = max(SIGMA * camera.resolution / camera.pixel, 2.0 * SIGMA)

        def line(n: int, at: float) -> Array:
            edges = erf((np.arange(n + 1) - at) / (math.sqrt(2.0) * sigma))
            return np.asarray(0.5 * np.diff(edges) * math.sqrt(2.0 * math.pi) * sigma)

        return spot.brightness * np.outer(line(h, v), line(w, u))

    def _noisy(self, clean: Array, number: int) -> Array:
        """Electrons of all exposures of a frame, as intensity."""
        camera = self.camera
        assert camera.noise is not None
        rng = np.random.default_rng([camera.seed, 1, number])
        scale = camera.noise * camera.binning / SATURATION
        electrons = rng.poisson(np.clip(clean, 0.0, SATURATION) * scale).astype(np.float64)
        if camera.read_noise > 0.0:
            rms = camera.read_noise * math.sqrt(camera.binning)
            electrons += rng.normal(0.0, rms, clean.shape)
        return electrons / scale

    def cover(self) -> Array:
        """Share of each pixel that is covered, without drift and blur; (h, w)."""
        matrix = self.picture.matrix(self.origin, self.camera.pixel, self.shape, self.camera.depth)
        return np.asarray(matrix.sum(axis=1)).reshape(self.shape)

    def labels(self) -> NDArray[np.uint16]:
        """See `Camera.labels`."""
        s = self.snapshots
        if self.picture.kind != "section":
            raise InputError(Mistake("labels", 'are those of a section; use view = "c"'))
        u = (s.section.nodes[:, 0] - self.origin[0]) / self.camera.pixel
        v = (self.origin[1] - s.section.nodes[:, 1]) / self.camera.pixel
        count = len(s.section.cells)
        part = np.zeros(count, np.int64) if s.part is None else s.part
        return part_labels(np.column_stack((u, v)), s.section, part, self.shape)
