"""One particle under a cap of binder: measures against formulas, and caps that cannot be."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nmcsim.case.electrode_shape import electrode
from nmcsim.case.solid_electrode import SolidElectrode
from nmcsim.mesh import Mesh
from tests.unit.mesh.electrodes import assert_regions

Built = Callable[..., Mesh]
UM = 1e-6
CASES: list[dict[str, Any]] = [
    {"coverage": 0.03},
    {"coverage": 0.5},  # the rim is flat
    {"coverage": 0.9},
    {"body": "cylinder", "coverage": 0.05},  # a part of the base, whose share is 1/6
    {"body": "cylinder", "coverage": 1.0 / 6.0},
    {"body": "cylinder", "coverage": 0.5},  # up the side
]


def capped(**keys: Any) -> SolidElectrode:
    found = electrode("capped").model_validate(keys)
    assert isinstance(found, SolidElectrode)
    return found


def areas(keys: dict[str, Any]) -> tuple[float, float, float]:
    """Volume of the particle, its surface, and that of the cap's outside [um3, um2] for a radius of
    5 um, a height of 10 um and a cap of 0.5 um.
    """
    share = keys["coverage"]
    if keys.get("body") != "cylinder":
        surface = 4.0 * math.pi * 5.0**2
        return 4.0 / 3.0 * math.pi * 5.0**3, surface, share * 4.0 * math.pi * 5.5**2
    base, surface = math.pi * 5.0**2, 2.0 * math.pi * 5.0 * (5.0 + 10.0)
    outside = share * surface
    if outside > base:
        up = (outside - base) / (2.0 * math.pi * 5.0)
        outside = math.pi * 5.5**2 + 2.0 * math.pi * 5.5 * (0.5 + up)
    elif outside > base * (1.0 - 1e-9):  # the cap ends at the edge, and is as wide as the others
        outside = math.pi * 5.5**2 + 2.0 * math.pi * 5.5 * 0.5
    return base * 10.0, surface, outside


@pytest.mark.parametrize("keys", CASES, ids=repr)
def test_measures_are_those_of_the_formula(built: Built, keys: dict[str, Any]) -> None:
    """Straight cells lie inside round bodies: chords of length h on a radius R take (h/R)^2 / 12 or
    less of an area, twice that of a sphere, and (h/R)^2 / 4 of its volume.
    """
    shape = capped(**keys).scaled(1.6)
    mesh = built(shape, ())
    volume, surface, outside = areas(keys)
    h = shape.cell_sizes[1] / UM / 5.0
    assert shape.particles[0].volume == pytest.approx(volume * UM**3, rel=1e-12)
    assert mesh.measure("nmc") == pytest.approx(volume * UM**3, rel=0.4 * h**2)
    assert mesh.measure("collector") == pytest.approx(outside * UM**2, rel=0.5 * h**2)
    covered = mesh.interface("nmc", "binder").area.sum()
    assert covered == pytest.approx(keys["coverage"] * surface * UM**2, rel=h**2)
    wet = mesh.measure("wetted")
    assert wet == pytest.approx((1.0 - keys["coverage"]) * surface * UM**2, rel=h**2)
    assert mesh.exterior("wetted").area.sum() == pytest.approx(wet, rel=1e-12)
    assert_regions(shape, mesh)
    assert mesh.quality().sicn > 0.15  # Netgen leaves no worse one


def test_a_finer_mesh_converges_to_the_sphere(built: Built) -> None:
    """The error of volume and area is that of chords, of second order; a little less is seen, since
    cells at the end of the cap count for more among large ones.
    """
    exact = 4.0 / 3.0 * math.pi * 125.0 * UM**3, 4.0 * math.pi * 25.0 * UM**2
    found = []
    for size in ("2 um", "1 um"):
        mesh = built(capped(cell_size=size, interface_cell_size=size), ())
        covered = mesh.interface("nmc", "binder").area.sum()
        measured = mesh.measure("nmc"), mesh.measure("wetted") + covered
        found.append(1.0 - np.array(measured) / exact)
    coarse, fine = found
    assert np.all(fine > 0.0)
    assert np.all(np.log2(coarse / fine) > 1.6)
    assert np.all(fine < 0.02)


def test_surfaces_belong_to_what_they_bound(built: Built) -> None:
    """The collector to the binder, what is wet to the particle; the rim of the cap to neither."""
    mesh = built(capped(coverage=0.5), ())
    mesh.domain.topology.create_connectivity(2, 3)
    to_cell = mesh.domain.topology.connectivity(2, 3)
    for surface, region in (("collector", "binder"), ("wetted", "particle[0]")):
        cells = {int(to_cell.links(f)[0]) for f in mesh.facets(surface)}
        assert cells <= set(mesh.cells(region).tolist())
    # half a sphere: what is left is the ring between the two radii, at the level of the centre
    whole = mesh.exterior("collector").vertex.size
    assert whole > 50
    z = mesh.domain.geometry.x[:, 2]
    assert z.min() == pytest.approx(0.0, abs=1e-12)
    assert z.max() == pytest.approx(10.5e-6, rel=1e-9)
    assert mesh.connected("solid", "collector").all()


def test_there_is_no_liquid_and_cells_are_small_at_the_end_of_the_cap(built: Built) -> None:
    shape = capped()
    assert not shape.has_liquid
    assert set(shape.regions) == {"particle[0]", "contact", "binder", "nmc", "solid", "ionic"}
    assert set(shape.surfaces) == {"collector", "wetted"}
    mesh = built(shape, ())
    x = mesh.domain.geometry.x
    corners = mesh.domain.geometry.dofmaps[0]
    middle = x[corners].mean(axis=1)
    # 4 pi R^2 x 0.2 under the cap: cosine of its angle 0.6, so 4 um from the axis
    from_rim = np.hypot(np.hypot(middle[:, 0], middle[:, 1]) - 4.0 * UM, middle[:, 2] - 2.5 * UM)
    size = mesh.domain.h(3, np.arange(len(corners), dtype=np.int32))
    assert size[from_rim < 0.4 * UM].mean() < 0.6 * size[from_rim > 2.0 * UM].mean()


def test_scaled_cells_are_larger_and_the_particle_the_same(built: Built) -> None:
    shape = capped()
    coarse = shape.scaled(2.0)
    assert coarse.cell_sizes == pytest.approx([2.0 * size for size in shape.cell_sizes])
    assert coarse.particles == shape.particles
    assert built(coarse, ()).quality().cells < 0.5 * built(shape, ()).quality().cells
    assert shape.scaled(1e3).cell_sizes[0] == pytest.approx(10e-6)  # never larger than particles


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"coverage": 1.2}, "coverage\n.*less than 1"),
        ({"coverage": 0.0}, "coverage\n.*greater than 0"),
        ({"coverage": 1e-5}, "= 1e-05 covers too little to mesh; take a value nearer 0.5"),
        ({"coverage": 0.9999}, "= 0.9999 leaves free too little to mesh"),
        ({"cap_thickness": "6 um"}, "= 6 um is thicker than the particle's radius, 5 um"),
        ({"cap_thickness": "1 nm"}, "is too small to mesh on such a particle; .* least 100 nm"),
        ({"height": "10 um"}, 'belongs to a cylinder; write body = "cylinder"'),
        ({"body": "cylinder", "height": "1 mm"}, "does not fit a radius of 5 um; take 500 nm to"),
        ({"body": "cylinder", "coverage": 0.9}, "covers the cylinder's top.*take less than 0.833"),
        ({"body": "cylinder", "coverage": 0.166}, "from the cylinder's edge, too near to mesh"),
        ({"body": "cube"}, "'sphere' or 'cylinder'"),
        ({"cell_size": "20 um"}, "does not fit particles of radius 5 um; take 25 nm to 10 um"),
        ({"interface_cell_size": "5 nm"}, "does not fit particles of radius 5 um"),
    ],
)
def test_a_cap_that_cannot_be_is_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        capped(**keys)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        capped(cap_thickness="6 um", height="10 um", coverage=1e-5)
    for said in ("thicker than", "belongs to a cylinder", "covers too little"):
        assert said in str(caught.value)
