"""Every shipped geometry: volume and each named area against a formula, at two sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dolfinx.mesh import entities_to_geometry
from pydantic import ValidationError

from nmcsim.case.rock_salt import coverage
from nmcsim.case.shape import Patches, Shape, shape
from nmcsim.mesh import Mesh

CURVED = 2e-7  # mesh: parabolas for arcs of R/14, whose area errs by 5e-8
EXACT = 1e-12  # rounding: straight sides are met exactly
PATCHES = {
    "none": (),
    "half, over the start": ((0.8, 1.3),),
    "two": ((0.05, 0.15), (0.4, 0.75)),
    "tiny": ((0.3, 0.301),),
}


def hexagon_area(diameter: float) -> float:
    return 6.0 * math.sqrt(3.0) / 4.0 * (0.5 * diameter) ** 2


# (shape, further parameters, area of the section, its perimeter, tolerance), for the diameter d
KINDS = [
    ("disk", {}, lambda d: math.pi * d**2 / 4.0, lambda d: math.pi * d, CURVED),
    ("cylinder", {}, lambda d: math.pi * d**2 / 4.0, lambda d: math.pi * d, CURVED),
    ("polygon", {}, hexagon_area, lambda d: 3.0 * d, EXACT),
    ("polygon", {"form": "prism", "layers": 4}, hexagon_area, lambda d: 3.0 * d, EXACT),
    ("polygon", {"sides": 4}, lambda d: d**2 / 2.0, lambda d: 2.0 * math.sqrt(2.0) * d, EXACT),
]
SIZES = [(2.5e-6, 1.0e-6), (0.4e-6, 1.7e-6)]


def make(name: str, d: float, h: float, **more: object) -> Shape:
    return shape(name)(diameter=f"{d * 1e6:.6g} um", height=f"{h * 1e6:.6g} um", **more)


@pytest.mark.parametrize(("d", "h"), SIZES)
@pytest.mark.parametrize(("name", "more", "area", "perimeter", "rel"), KINDS)
def test_volume_and_areas_are_those_of_the_formula(
    built: Callable[..., Mesh],
    name: str,
    more: dict[str, object],
    area: Callable[[float], float],
    perimeter: Callable[[float], float],
    rel: float,
    d: float,
    h: float,
) -> None:
    particle = make(name, d, h, **more)
    mesh = built(particle, ((0.05, 0.15), (0.4, 0.75)))
    exact = {
        "crystal": area(d) * h,
        "lateral": perimeter(d) * h,
        "rock_salt": 0.45 * perimeter(d) * h,
        "bare": 0.55 * perimeter(d) * h,
    }
    if particle.dimension == 3:
        exact |= {"top": area(d), "bottom": area(d)}
    assert set(exact) == set(mesh.regions) | set(mesh.surfaces)
    for place, value in exact.items():
        assert mesh.measure(place) == pytest.approx(value, rel=rel), place
    assert particle.volume == pytest.approx(exact["crystal"], rel=EXACT)
    assert particle.lateral_area == pytest.approx(exact["lateral"], rel=EXACT)


@pytest.mark.parametrize("patches", PATCHES.values(), ids=PATCHES.keys())
@pytest.mark.parametrize(("name", "more"), [kind[:2] for kind in KINDS[:4]])
def test_the_meshed_coverage_is_the_asked_one(
    built: Callable[..., Mesh], name: str, more: dict[str, object], patches: Patches
) -> None:
    mesh = built(make(name, 2.5e-6, 1e-6, **more), patches)
    share = mesh.measure("rock_salt") / mesh.measure("lateral")
    assert share == pytest.approx(coverage(patches), abs=1e-8)  # mesh: as CURVED
    assert mesh.measure("bare") + mesh.measure("rock_salt") == pytest.approx(
        mesh.measure("lateral"), rel=EXACT
    )


@pytest.mark.parametrize(("name", "more"), [kind[:2] for kind in KINDS[:4]])
def test_patch_ends_and_corners_are_vertices(
    built: Callable[..., Mesh], name: str, more: dict[str, object]
) -> None:
    particle = make(name, 2.5e-6, 1e-6, **more)
    patches = PATCHES["two"]
    mesh = built(particle, patches)
    topology = mesh.domain.topology
    topology.create_connectivity(0, topology.dim)
    everything = np.arange(topology.index_map(0).size_local, dtype=np.int32)
    vertices = mesh.domain.geometry.x[entities_to_geometry(mesh.domain, 0, everything).ravel()]
    for s in (*(end for patch in patches for end in patch), *particle.outline.corners):
        gap = np.hypot(*(vertices[:, :2] - particle.outline.point(s)).T).min()
        assert gap < 1e-9 * 2.5e-6, s


@pytest.mark.parametrize(("name", "more"), [kind[:2] for kind in KINDS[:4]])
def test_cells_are_well_shaped_and_finer_at_the_surface_and_at_patch_ends(
    built: Callable[..., Mesh], name: str, more: dict[str, object]
) -> None:
    sizes = {"cell_size": "0.2 um", "surface_cell_size": "0.1 um", "patch_end_cell_size": "30 nm"}
    particle = make(name, 2.5e-6, 1e-6, **more, **sizes)
    quality = built(particle).quality()
    if particle.dimension == 2:
        assert quality.sicn > 0.6  # gmsh's frontal Delaunay reaches 0.7 here
        assert quality.smallest < 2.0 * 30e-9
        assert 0.15e-6 < quality.largest < 0.3e-6
    else:
        assert quality.sicn > 0.03  # edges of 30 nm are up to 17 times as high as wide
        assert built(particle).domain.topology.cell_name() == "hexahedron"


@pytest.mark.parametrize("patches", [(), ((0.75, 1.25),), ((0.1, 0.3), (0.5, 0.8))])
@pytest.mark.parametrize("factor", [1.0, 2.0, 3.0])
def test_no_curved_hexahedron_degenerates(
    built: Callable[..., Mesh], patches: Patches, factor: float
) -> None:
    # as high as wide or so: quadrilaterals with two edges on the circle would give less than 1e-3
    cylinder = make("cylinder", 2.5e-6, 0.2e-6, cell_size="0.12 um").scaled(factor)
    assert built(cylinder, patches).quality().sicn > 0.25


def test_cells_have_about_the_asked_size(built: Callable[..., Mesh]) -> None:
    size = dict.fromkeys(("cell_size", "surface_cell_size", "patch_end_cell_size"), "0.1 um")
    area = math.pi * 1.25**2
    triangles = built(make("disk", 2.5e-6, 1e-6, **size), ()).quality().cells
    assert triangles == pytest.approx(area / (0.1**2 * math.sqrt(3.0) / 4.0), rel=0.15)
    hexahedra = built(make("cylinder", 2.5e-6, 1e-6, **size, layers=4), ()).quality().cells
    assert hexahedra == pytest.approx(4.0 * area / 0.1**2, rel=0.2)


def test_an_odd_number_of_layers_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be even; write 4"):
        make("cylinder", 2e-6, 1e-6, layers=3)
    with pytest.raises(ValidationError, match="must be even; write 6"):
        make("polygon", 2e-6, 1e-6, form="prism", layers=5)


def test_a_coarser_copy_has_fewer_cells(built: Callable[..., Mesh], disk: Shape) -> None:
    coarse = disk.scaled(2.0)
    assert coarse.cell_sizes == pytest.approx([2.0 * size for size in disk.cell_sizes])
    assert 1.8 < built(disk).quality().cells / built(coarse).quality().cells < 4.5
    assert coarse.volume == disk.volume
    assert disk.scaled(1e3).cell_sizes[0] == disk.outline.extent  # never larger than the particle


def test_a_coarser_cylinder_has_fewer_layers() -> None:
    assert make("cylinder", 2e-6, 1e-6, layers=8).scaled(2.0).layers == 4
    assert make("polygon", 2e-6, 1e-6, form="prism").scaled(2.0).layers == 2
    assert make("polygon", 2e-6, 1e-6).scaled(2.0).layers is None


SQUARE = "# a crystal, clockwise\nx [nm],y [nm]\n0,0\n0,1000\n1000,1000\n1000,1000\n1000,0\n0,0\n"


def polygon_from(path: Path, text: str, **more: object) -> Shape:
    path.write_text(text)
    return shape("polygon").model_validate(
        {"vertices": path.name, "height": "1 um", "columns": ["x [nm]", "y [nm]"], **more},
        context={"folder": path.parent},
    )


def test_a_polygon_is_read_from_a_file(tmp_path: Path, built: Callable[..., Mesh]) -> None:
    particle = polygon_from(tmp_path / "square.csv", SQUARE)
    assert particle.volume == pytest.approx(1e-18, rel=EXACT)  # (1 um)^2 x 1 um
    assert particle.outline.centroid == pytest.approx([0.5e-6, 0.5e-6])
    mesh = built(particle, ((0.0, 0.25),))  # one side, from corner to corner
    assert mesh.measure("rock_salt") == pytest.approx(1e-12, rel=EXACT)
    assert mesh.centre == pytest.approx((0.5e-6, 0.5e-6, 0.0))


@pytest.mark.parametrize(
    ("text", "more", "sentence"),
    [
        ("x [nm],y [nm]\n0,0\n1,1\n1,0\n0,1\n", {}, "intersects itself: the edge from vertex 1 to"),
        ("x [nm],y [nm]\n0,0\n1,1\n0,0\n", {}, "has 2 different vertices"),
        ("x [nm],y [nm]\n0,0\n2,0\n1,0\n", {}, "turns back on itself"),
        ("x [nm],z [nm]\n0,0\n1,1\n1,0\n", {}, 'has no column "y .nm."; did you mean'),
        (SQUARE, {"diameter": "1 um"}, "needs either a diameter or vertices, not both"),
        (SQUARE, {"sides": 5}, "belongs to a regular polygon; vertices are given"),
        (SQUARE, {"layers": 2}, 'counts cells over a prism; write form = "prism"'),
        (SQUARE, {"cell_size": "2 um"}, r"is larger than the particle \(1.128"),
    ],
)
def test_a_bad_polygon_is_refused(
    tmp_path: Path, text: str, more: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        polygon_from(tmp_path / "bad.csv", text, **more)


@pytest.mark.parametrize(
    ("key", "size", "sentence"),
    [
        ("cell_size", "2.6 um", r"is larger than the particle \(2.5 um\)"),
        ("surface_cell_size", "3 um", "is larger than the particle"),
        ("patch_end_cell_size", "2.5 pm", "is too small for a particle of 2.5 um; take at least"),
    ],
)
@pytest.mark.parametrize("name", ["disk", "cylinder", "polygon"])
def test_cells_that_do_not_fit_the_particle_are_refused(
    name: str, key: str, size: str, sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence if name != "polygon" else "particle"):
        make(name, 2.5e-6, 1e-6, **{key: size})


def test_a_polygon_needs_a_size() -> None:
    with pytest.raises(ValidationError, match="needs either a diameter or vertices"):
        shape("polygon")(height="1 um")
