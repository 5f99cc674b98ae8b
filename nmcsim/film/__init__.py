"""A result as a microscope would have filmed it.

from nmcsim.film import film, snapshots_of
from nmcsim.imaging.camera import Camera

film("results/aged_1C", Camera(interval=10.0, noise=20000.0), "frames.ome.tif")
"""

from nmcsim.film.shoot import COUNTS, Film, film
from nmcsim.film.snapshots import snapshots_of

__all__ = ["COUNTS", "Film", "film", "snapshots_of"]
