"""The simulated camera against closed forms: areas, blur, depth, drift, noise, exposures."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import erf, expit

from nmcsim.errors import InputError
from nmcsim.imaging.camera import SATURATION, Camera, Spot
from nmcsim.imaging.camera.law import Linear, Table
from nmcsim.imaging.camera.shake import Path, Steady, Walk
from nmcsim.imaging.camera.snapshots import Body, Snapshots
from nmcsim.imaging.section import Section

UM = 1e-6
PLAIN = Camera(spot=None, background=0.0)


def square(edge: float, cells: int = 8, at: tuple[float, float] = (0.0, 0.0)) -> Section:
    """Of triangles, its lower left corner at a place [m]."""
    line = np.linspace(0.0, edge, cells + 1)
    nodes = np.array([(x, y) for y in line for x in line]) + at
    n = cells + 1
    a = np.array([j * n + i for j in range(cells) for i in range(cells)])
    triangles = np.concatenate(
        (np.column_stack((a, a + 1, a + n + 1)), np.column_stack((a, a + n + 1, a + n)))
    )
    return Section(nodes, triangles)


def disk(radius: float, rings: int = 30) -> Section:
    """A fan of rings of 4 n triangles."""
    count = 4 * rings
    angle = 2.0 * np.pi * np.arange(count) / count
    rim = np.column_stack((np.cos(angle), np.sin(angle)))
    nodes = np.concatenate([[[0.0, 0.0]], *[rim * r / rings for r in range(1, rings + 1)]])
    k = np.arange(count)
    after = (k + 1) % count
    cells = [np.column_stack((np.zeros(count, int), 1 + k, 1 + after))]
    for r in range(rings - 1):
        a, b = 1 + r * count, 1 + (r + 1) * count
        cells += [
            np.column_stack((a + k, b + k, b + after)),
            np.column_stack((a + k, b + after, a + after)),
        ]
    return Section(radius * nodes, np.concatenate(cells))


def still(section: Section, theta: np.ndarray | float = 0.9, k: int = 3) -> Snapshots:
    values = np.broadcast_to(theta, (k, len(section.nodes)))
    return Snapshots(10.0 * np.arange(k), section, values, height=1.0 * UM)


def cube(edge: float, cells: int, theta: object, k: int = 2) -> Snapshots:
    """A cube of tetrahedra with theta(x, y, z)."""
    line = np.linspace(0.0, edge, cells + 1)
    nodes = np.array([(x, y, z) for z in line for y in line for x in line])
    n = cells + 1
    tetrahedra = []
    for c, b, a in np.ndindex(cells, cells, cells):
        at = [((c + z) * n + b + y) * n + a + x for z in (0, 1) for y in (0, 1) for x in (0, 1)]
        for i, j, m in ((1, 3, 7), (3, 2, 7), (2, 6, 7), (6, 4, 7), (4, 5, 7), (5, 1, 7)):
            tetrahedra.append((at[0], at[i], at[j], at[m]))
    values = np.broadcast_to(theta(*nodes.T), (k, len(nodes)))  # type: ignore[operator]
    top = square(edge, cells)
    body = Body(nodes, np.array(tetrahedra), values)
    return Snapshots(np.arange(k) * 1.0, top, values[:, -len(top.nodes) :], body=body)


# --- what a pixel gets ----------------------------------------------------------------------------


@pytest.mark.parametrize("diameter", [1.0, 2.5, 5.0])
@pytest.mark.parametrize("pixel", [34.7e-9, 80e-9])
@pytest.mark.parametrize("resolution", [0.0, 100e-9, 265e-9])
def test_light_of_a_disk_is_its_area(diameter: float, pixel: float, resolution: float) -> None:
    section = disk(0.5 * diameter * UM, 60)
    camera = replace(PLAIN, pixel=pixel, resolution=resolution)
    frame = next(camera.frames(still(section)))
    exact = 0.25 * math.pi * (diameter * UM) ** 2
    assert frame.sum() * pixel**2 == pytest.approx(exact, rel=1e-3)  # polygon, lines per pixel
    assert frame.sum() * pixel**2 == pytest.approx(section.area, rel=5e-4)


def test_pixels_are_covered_by_area() -> None:
    # an edge through pixels at a known share: 2 um in pixels of 0.3 um, centred: 6.67 pixels
    frame = next(replace(PLAIN, pixel=0.3 * UM, resolution=0.0).frames(still(square(2.0 * UM))))
    row = frame[frame.shape[0] // 2]
    width = 2.0 / 0.3
    assert row.sum() == pytest.approx(width, rel=1e-9)
    part = row[(row > 1e-9) & (row < 1.0 - 1e-9)]
    np.testing.assert_allclose(part, 0.5 * (width - row.size % 2) % 1.0, rtol=1e-6)


def test_axes_point_down_and_right() -> None:
    # lithium has left where x and y are large: bright in the upper right corner
    section = square(2.0 * UM)
    x, y = section.nodes.T / UM
    values = np.array([np.full(x.shape, 0.9), 0.9 - 0.2 * x - 0.1 * y])
    snapshots = Snapshots(np.array([0.0, 1.0]), section, values)
    stack = replace(PLAIN, law=Linear(1.0)).stack(snapshots)
    change = stack.frame(1) - stack.frame(0)
    h, w = change.shape
    for up, right in ((0.5, 0.5), (1.5, 0.5), (0.5, 1.5)):
        i, j = int(h / 2 - (up - 1.0) / 0.0347), int(w / 2 + (right - 1.0) / 0.0347)
        assert change[i, j] == pytest.approx(0.2 * right + 0.1 * up, abs=0.01)


@pytest.mark.parametrize("pixel", [34.7e-9, 100e-9, 265e-9])
def test_an_edge_is_blurred_as_a_gaussian(pixel: float) -> None:
    # the integral of the edge function over each pixel, whatever its size
    edge = 4.0 * UM
    frame = next(replace(PLAIN, pixel=pixel).frames(still(square(edge))))
    w = frame.shape[1]
    sigma = 265e-9 / math.sqrt(8.0 * math.log(2.0))
    places = (np.arange(w + 1) - 0.5 * w) * pixel + 0.5 * edge

    def integral(x: np.ndarray) -> np.ndarray:
        return 0.5 * (
            x + x * erf(x / (math.sqrt(2) * sigma))
            + sigma * math.sqrt(2 / math.pi) * np.exp(-0.5 * (x / sigma) ** 2)
        )  # fmt: skip

    expected = np.diff(integral(places) - integral(places - edge)) / pixel
    np.testing.assert_allclose(frame[frame.shape[0] // 2], expected, atol=2e-3)


def test_coarse_pixels_are_means_of_fine_ones() -> None:
    section = disk(1.25 * UM)
    theta = 0.9 - 0.3 * expit(section.nodes[:, 0] / (0.2 * UM))
    margin = 1.37 * UM  # 26 coarse pixels in all: both frames cover the same square
    fine = replace(PLAIN, pixel=0.02 * UM, margin=margin)
    coarse = replace(fine, pixel=0.2 * UM, margin=1.35 * UM)
    a, b = (next(c.frames(still(section, theta))) for c in (fine, coarse))
    n = 10 * b.shape[0]
    assert a.shape[0] >= n - 10
    extra = (a.shape[0] - n) // 2
    inside = a[extra : extra + n, extra : extra + n]
    means = inside.reshape(b.shape[0], 10, b.shape[1], 10).mean(axis=(1, 3))
    np.testing.assert_allclose(b, means, atol=2e-3)


def test_laws() -> None:
    section = square(2.0 * UM)
    values = np.array([np.full(len(section.nodes), t) for t in (0.9, 0.5)])
    snapshots = Snapshots(np.array([0.0, 1.0]), section, values)

    def seen(law: object) -> np.ndarray:
        stack = replace(PLAIN, law=law).stack(snapshots)  # type: ignore[arg-type]
        h, w = stack.shape[1:]
        return np.array([stack.frame(i)[h // 2, w // 2] for i in (0, 1)])

    np.testing.assert_allclose(seen(Linear(0.5)), [1.0, 1.2], rtol=1e-6)
    np.testing.assert_allclose(
        seen(Table((0.0, 0.5, 1.0), (1.6, 1.4, 1.0))), [1.08, 1.4], rtol=1e-6
    )


# --- depth and direction --------------------------------------------------------------------------


def mean_depth(length: float, depth: float) -> float:
    """Mean of z under exp(-z / depth) on 0 < z < length."""
    a = length / depth
    return depth * (1.0 - a / math.expm1(a))


@pytest.mark.parametrize("depth", [50e-9, 200e-9, 1000e-9])
@pytest.mark.parametrize(("view", "axis"), [("x", 0), ("y", 1), ((-1.0, 0.0, 0.0), 0)])
def test_a_crystal_from_the_side_shows_its_near_side(depth: float, view: object, axis: int) -> None:
    edge = 1.5 * UM
    section = square(edge, 12)
    theta = 0.2 + 0.4 * section.nodes[:, axis] / edge
    camera = Camera(
        view=view, depth=depth, spot=None, background=0.0, law=Table((0.0, 1.0), (0.0, 1.0))
    )  # type: ignore[arg-type]
    frame = next(camera.frames(still(section, theta)))
    below = mean_depth(edge, depth) / edge
    expected = 0.2 + 0.4 * (below if isinstance(view, tuple) else 1.0 - below)
    h, w = frame.shape
    assert frame[h // 2, w // 2] == pytest.approx(expected, rel=2e-3)  # steps of depth / 8
    # 1.5 um wide and 1 um high
    assert frame.sum() * camera.pixel**2 == pytest.approx(expected * 1.5 * UM * 1.0 * UM, rel=5e-3)


def test_from_x_the_other_axes_lie_right_and_up() -> None:
    section = square(2.0 * UM)
    theta = 0.2 + 0.3 * section.nodes[:, 1] / (2.0 * UM)  # grows with y, which points right
    camera = Camera(view="x", spot=None, background=0.0, law=Table((0.0, 1.0), (0.0, 1.0)))
    frame = next(camera.frames(still(section, theta)))
    h, w = frame.shape
    row = frame[h // 2]
    assert row[w // 2 + 20] - row[w // 2 - 20] == pytest.approx(0.15 * 40 * 0.0347, rel=0.02)


@pytest.mark.parametrize("depth", [100e-9, 200e-9])
def test_a_body_seen_along_c_shows_its_top(depth: float) -> None:
    edge = 1.0 * UM
    snapshots = cube(edge, 3, lambda x, y, z: 0.2 + 0.4 * z / edge)
    camera = Camera(
        pixel=80e-9, depth=depth, spot=None, background=0.0, law=Table((0.0, 1.0), (0.0, 1.0))
    )
    frame = next(camera.frames(snapshots))
    h, w = frame.shape
    expected = 0.2 + 0.4 * (1.0 - mean_depth(edge, depth) / edge)
    assert frame[h // 2, w // 2] == pytest.approx(expected, rel=2e-3)


def test_a_body_without_a_gradient_in_depth_looks_like_its_section() -> None:
    snapshots = cube(1.0 * UM, 4, lambda x, y, z: 0.2 + 0.5 * x / UM + 0.1 * y / UM)
    camera = Camera(pixel=80e-9, spot=None, law=Table((0.0, 1.0), (0.0, 1.0)))
    body = next(camera.frames(snapshots))
    flat = next(camera.frames(replace(snapshots, body=None)))
    np.testing.assert_allclose(body, flat, atol=1e-2)  # four lines per pixel, and eight


def test_a_body_from_a_corner() -> None:
    # the projection of the unit cube along its diagonal has the area sqrt(3)
    snapshots = cube(1.0 * UM, 2, lambda x, y, z: 0.5 + 0.0 * x)
    camera = replace(PLAIN, pixel=80e-9, view=(1.0, 1.0, 1.0))
    frame = next(camera.frames(snapshots))
    assert frame.sum() * camera.pixel**2 == pytest.approx(math.sqrt(3.0) * UM**2, rel=5e-3)


def test_directions_that_need_more() -> None:
    section = square(2.0 * UM)
    flat = replace(still(section), height=None)
    with pytest.raises(InputError, match='view = "x" needs a crystal with a height'):
        next(replace(PLAIN, view="x").frames(flat))
    with pytest.raises(InputError, match=r"view = \[1.0, 0.0, 1.0\] is oblique, which needs a 3D"):
        next(replace(PLAIN, view=(1.0, 0.0, 1.0)).frames(still(section)))
    with pytest.raises(InputError, match='labels are those of a section; use view = "c"'):
        replace(PLAIN, view="x").labels(still(section))


# --- time -----------------------------------------------------------------------------------------


def ramp(theta: list[float], time: list[float]) -> Snapshots:
    section = square(2.0 * UM, 2)
    values = np.repeat(np.array(theta)[:, None], len(section.nodes), axis=1)
    return Snapshots(np.array(time), section, values)


def middle_of(camera: Camera, snapshots: Snapshots) -> tuple[np.ndarray, np.ndarray]:
    stack = camera.stack(snapshots)
    h, w = stack.shape[1:]
    return stack.time, np.array([stack.frame(i)[h // 2, w // 2] for i in range(len(stack))])


def test_frames_integrate_over_their_exposures() -> None:
    # theta falls from 1 to 0.8 in 10 s, then stays; I = theta
    snapshots = ramp([1.0, 0.8, 0.8], [0.0, 10.0, 30.0])
    camera = replace(PLAIN, law=Table((0.0, 1.0), (0.0, 1.0)), interval=4.0)
    time, seen = middle_of(camera, snapshots)
    np.testing.assert_allclose(time, [2, 6, 10, 14, 18, 22, 26])
    # the frame from 8 s to 12 s: 0.82 for 2 s on the mean, then 0.8
    np.testing.assert_allclose(seen, [0.96, 0.88, 0.81, 0.8, 0.8, 0.8, 0.8], rtol=1e-6)
    # two short exposures in each frame, in the middle of each half
    short = replace(camera, binning=2, exposure=1e-6)
    _, seen = middle_of(short, snapshots)
    np.testing.assert_allclose(seen[:3], [0.96, 0.88, 0.5 * (0.82 + 0.8)], rtol=1e-5)


def test_without_an_interval_each_snapshot_is_a_frame() -> None:
    snapshots = ramp([1.0, 0.8, 0.7], [0.0, 10.0, 30.0])
    time, seen = middle_of(replace(PLAIN, law=Linear(1.0)), snapshots)
    np.testing.assert_array_equal(time, [0.0, 10.0, 30.0])
    np.testing.assert_allclose(seen, [1.0, 1.2, 1.3], rtol=1e-6)


def test_weights_of_snapshots() -> None:
    s = ramp([1.0, 0.8, 0.8], [0.0, 10.0, 30.0])
    np.testing.assert_allclose(s.weights(5.0, 5.0), [0.5, 0.5, 0.0])
    np.testing.assert_allclose(s.weights(10.0, 10.0), [0.0, 1.0, 0.0])
    np.testing.assert_allclose(s.weights(0.0, 30.0), [1 / 6, 1 / 2, 1 / 3])
    np.testing.assert_allclose(s.weights(-5.0, -5.0), [1.0, 0.0, 0.0])
    np.testing.assert_allclose(s.weights(30.0, 40.0), [0.0, 0.0, 1.0])
    for span in ((1.0, 2.0), (3.0, 17.0), (9.0, 29.0)):
        w = s.weights(*span)
        assert w.sum() == pytest.approx(1.0) and w @ s.time == pytest.approx(sum(span) / 2)


def test_snapshots_that_are_too_sparse_are_told() -> None:
    snapshots = ramp([1.0, 0.8, 0.8], [0.0, 10.0, 30.0])
    (sentence,) = replace(PLAIN, interval=4.0).notices(snapshots)
    assert "recorded frames are up to 20 s apart, the camera's 4 s" in sentence
    assert "output.frames" in sentence
    assert replace(PLAIN, interval=15.0).notices(snapshots) == ()
    assert PLAIN.notices(snapshots) == ()
    with pytest.raises(InputError, match="interval = 20 s gives 1 whole frames in the 30 s"):
        replace(PLAIN, interval=20.0).stack(snapshots)


def test_frames_too_large() -> None:
    with pytest.raises(InputError, match=r"pixel = 0.2 nm gives frames of .*; take a larger pixel"):
        next(replace(PLAIN, pixel=2e-10).frames(still(square(2.0 * UM))))


# --- drift, spot, noise ---------------------------------------------------------------------------


def centroid(frame: np.ndarray, pixel: float) -> np.ndarray:
    """To the right and upwards [m], from the middle of the frame."""
    h, w = frame.shape
    i, j = np.mgrid[:h, :w]
    right = (frame * (j + 0.5 - 0.5 * w)).sum() / frame.sum()
    down = (frame * (i + 0.5 - 0.5 * h)).sum() / frame.sum()
    return np.array([right, -down]) * pixel


@pytest.mark.parametrize("resolution", [0.0, 60e-9, 265e-9])
@pytest.mark.parametrize("spot", [False, True])
def test_drift_moves_everything_by_what_was_asked(resolution: float, spot: bool) -> None:
    snapshots = still(disk(0.6 * UM))
    camera = replace(PLAIN, resolution=resolution, drift=Steady((7.3e-9, -4.1e-9)))
    if spot:  # alone: an object as dark as its surroundings
        camera = replace(camera, spot=Spot(), background=0.0, law=Table((0.0, 1.0), (0.0, 0.0)))
    stack = camera.stack(snapshots)
    places = [centroid(stack.frame(i).astype(float), stack.pixel) for i in range(3)]
    for i in (1, 2):
        moved = places[i] - places[0]
        np.testing.assert_allclose(moved, np.array([73e-9, -41e-9]) * i, atol=0.1e-9)


def test_kinds_of_drift() -> None:
    t = np.array([0.0, 10.0, 20.0])
    np.testing.assert_allclose(Steady((1e-9, 2e-9)).at(t, 0)[2], [20e-9, 40e-9])
    given = Path((0.0, 20.0), (1e-9, 3e-9), (0.0, -8e-9))
    np.testing.assert_allclose(given.at(t, 0), [[0, 0], [1e-9, -4e-9], [2e-9, -8e-9]], atol=1e-24)
    steps = np.diff(Walk(5e-9).at(np.arange(4001.0), 3), axis=0)
    assert steps.std() == pytest.approx(5e-9, rel=0.03)  # 1 / sqrt(2 * 8000)
    assert np.array_equal(Walk(5e-9).at(t, 3), Walk(5e-9).at(t, 3))
    assert not np.array_equal(Walk(5e-9).at(t, 3), Walk(5e-9).at(t, 4))


def test_the_spot_has_its_place_width_and_brightness() -> None:
    camera = replace(PLAIN, spot=Spot((2.0 * UM, 1.6 * UM), 0.7), background=0.3)
    snapshots = still(square(1.0 * UM))
    inside = replace(camera, margin=2.5 * UM)
    frame = next(inside.frames(snapshots)) - next(replace(inside, spot=None).frames(snapshots))
    # the frame is centred on the square
    place = centroid(frame, camera.pixel) + 0.5 * UM
    np.testing.assert_allclose(place, [2.0 * UM, 1.6 * UM], atol=0.1e-9)
    sigma = 265e-9 / math.sqrt(8.0 * math.log(2.0))
    assert frame.sum() * camera.pixel**2 == pytest.approx(0.7 * 2.0 * math.pi * sigma**2, rel=1e-6)
    assert frame.max() == pytest.approx(0.7, rel=0.03)  # the mean over the brightest pixel


def test_noise_is_that_of_the_electrons() -> None:
    snapshots = still(square(4.0 * UM), k=2)
    camera = replace(PLAIN, background=0.5, noise=10_000.0, seed=4, margin=1.2 * UM)
    inside = (slice(45, -45), slice(45, -45))

    def variance(camera: Camera) -> float:
        clean = replace(camera, noise=None)
        noisy = next(camera.frames(snapshots)) - next(clean.frames(snapshots))
        return float(noisy[inside].var())

    # n electrons of mean n: I = 1 is half of 10 000
    one = variance(camera)
    assert one == pytest.approx(1.0 / 5000.0, rel=0.05)  # some 9 000 pixels
    snapshots = Snapshots(np.array([0.0, 100.0]), snapshots.section, snapshots.values)
    assert variance(replace(camera, interval=10.0, binning=16)) == pytest.approx(one / 16, rel=0.06)
    with_read = variance(replace(camera, read_noise=100.0))
    assert with_read == pytest.approx(1.0 / 5000.0 + (100.0 / 5000.0) ** 2, rel=0.05)


def test_the_same_seed_gives_the_same_frames() -> None:
    snapshots = still(disk(1.0 * UM))
    camera = Camera(noise=5000.0, read_noise=3.0, drift=Walk(20e-9), seed=7)
    a, b = (np.stack(list(camera.frames(snapshots))) for _ in range(2))
    assert a.tobytes() == b.tobytes()
    other = np.stack(list(replace(camera, seed=8).frames(snapshots)))
    assert other.shape != a.shape or not np.array_equal(a, other)
    assert a.min() >= 0.0 and a.max() <= SATURATION


def test_labels_are_the_particles() -> None:
    left, right = square(1.0 * UM, 4), square(1.0 * UM, 4, (1.5 * UM, 0.0))
    nodes = np.concatenate((left.nodes, right.nodes))
    cells = np.concatenate((left.cells, right.cells + len(left.nodes)))
    part = np.repeat([0, 1], len(left.cells))
    snapshots = Snapshots(
        np.array([0.0]), Section(nodes, cells), np.full((1, len(nodes)), 0.9),
        part=part, part_names=("particle[0]", "particle[1]"),
    )  # fmt: skip
    camera = replace(PLAIN, pixel=50e-9)
    labels = camera.labels(snapshots)
    frame = next(replace(camera, resolution=0.0).frames(snapshots))
    assert labels.shape == frame.shape and set(np.unique(labels)) == {0, 1, 2}
    for n in (1, 2):
        assert (labels == n).sum() == pytest.approx(400, rel=0.06)  # an edge of half a pixel
    assert np.nonzero(labels == 1)[1].max() < np.nonzero(labels == 2)[1].min()
    np.testing.assert_array_equal(labels > 0, frame >= 0.5)


def test_snapshots_are_checked() -> None:
    section = square(1.0 * UM)
    with pytest.raises(InputError, match="has no recorded frames"):
        Snapshots(np.empty(0), section, np.empty((0, len(section.nodes))))
    with pytest.raises(ValueError, match="values of shape"):
        Snapshots(np.array([0.0]), section, np.empty((2, len(section.nodes))))
    with pytest.raises(ValueError, match="do not rise"):
        Snapshots(np.zeros(2), section, np.empty((2, len(section.nodes))))
