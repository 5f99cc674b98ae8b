"""A simulated camera: `Camera` takes frames of `Snapshots`."""

from nmcsim.imaging.camera.camera import SATURATION, Camera, Spot

__all__ = ["SATURATION", "Camera", "Spot"]
