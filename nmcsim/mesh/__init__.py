"""Meshes: from a `Shape` and its rock-salt patches to a `Mesh` with named measures."""

import nmcsim.runtime  # noqa: F401  (before any module below imports DOLFINx)
from nmcsim.mesh.builder import build
from nmcsim.mesh.cache import default_cache
from nmcsim.mesh.mesh import Mesh
from nmcsim.mesh.plot import picture
from nmcsim.mesh.quality import Quality

__all__ = ["Mesh", "Quality", "build", "default_cache", "picture"]
