"""Meshes that several tests look at, built once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import nmcsim.mesh
from nmcsim.case.shape import Patches, Shape, shape
from nmcsim.runtime import MPI

HALF = ((0.8, 1.3),)
"""Half of the outline, over its start."""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for .msh files."""
    return tmp_path_factory.mktemp("meshes")


@pytest.fixture(scope="session")
def built(cache: Path) -> Callable[..., nmcsim.mesh.Mesh]:
    """`built(shape, patches)`: its mesh on this process."""

    def build(particle: Shape, patches: Patches = HALF) -> nmcsim.mesh.Mesh:
        return nmcsim.mesh.build(particle, patches, MPI.COMM_SELF, cache)

    return build


@pytest.fixture(scope="session")
def disk() -> Shape:
    """The disk of the shipped cases."""
    return shape("disk")(diameter="2.5 um", height="1.0 um")
