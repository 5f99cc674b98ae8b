"""The report of an electrode in a real browser: one slider moves the map and all particles, a click
picks one, in the map or on its curve; offline, without an error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nmcsim.figures.electrode_maps import whole_box
from nmcsim.figures.sampler import Sampler
from nmcsim.report.electrode import PIXELS
from nmcsim.results import Result
from tests.chromium import (
    click,
    complaints,
    loaded_from_outside,
    model,
    move,
    opened,
    text_of,
)
from tests.synthetic_electrode import centres, synthetic_electrode, t25

HIDE = 9e3
"""Larger than any pixel: it stands for no value, which JSON cannot say."""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return Result.load(synthetic_electrode(tmp_path_factory.mktemp("report") / "five", frames=9))


@pytest.fixture(scope="module")
def page(browser: Any, result: Result) -> Any:
    return opened(browser, result)


def pixels(page: Any, at: list[int]) -> np.ndarray:
    expression = f"{at}.map((p) => {{const v = m.data.image[0][p]; return isNaN(v) ? {HIDE} : v}})"
    return np.array(model(page, "frames", expression))


def pick(page: Any, *numbers: int) -> None:
    model(page, "particles", f"m.selected.indices = {list(numbers)}")


def test_nothing_is_asked_of_the_network(page: Any, result: Result) -> None:
    assert (result.directory / "report.html").stat().st_size < 8e6
    assert loaded_from_outside(page) == []


def test_the_slider_moves_the_map_of_every_field(page: Any, result: Result) -> None:
    times, t = result.frame_times, result["time"].values
    voltage = np.interp(times, t, result["voltage"].values)
    read = {
        "theta": lambda v: v,
        "phi_s": lambda v: 1e3 * v,
        "c_l": lambda v: v,
        "phi_l": lambda v: 1e3 * (v + voltage[:, None]),
    }
    for number, (name, shown) in enumerate(read.items()):
        model(page, "field", f"m.active = {number}")
        where = result.maps[name]
        sample, values = Sampler(where, PIXELS, whole_box(result)), shown(where.values)
        inside = np.flatnonzero(sample.inside.ravel())
        some = inside[:: len(inside) // 7].tolist()
        outside = int(np.flatnonzero(~sample.inside.ravel())[0])
        for frame in (0, 3, 40):
            move(page, frame)
            seen = pixels(page, [*some, outside])
            true = sample(values[frame])[np.searchsorted(inside, some)]
            # 12 bits of the whole range: half a step, and single precision
            step = np.ptp(values) / 4095
            np.testing.assert_allclose(seen[:-1], true, atol=0.6 * step + 1e-3 * step)
            assert seen[-1] == HIDE, f"{name} is drawn where it does not live"
    model(page, "field", "m.active = 0")


def test_the_slider_moves_all_particles(page: Any, result: Result) -> None:
    of, t = result.particles, result["time"].values
    assert of is not None
    for frame in (2, 30, 5):
        move(page, frame)
        time = result.frame_times[frame]
        true = [np.interp(time, t, column) for column in of.theta_surface.T]
        np.testing.assert_allclose(model(page, "dots", "m.data.y"), true, atol=1e-5)
        assert model(page, "cursor_particles", "m.location") == pytest.approx(time / 3600)
        assert model(page, "dots", "m.data.x[0]") == pytest.approx(time / 3600)
    model(page, "curve", "m.active = 1")
    mean = [np.interp(result.frame_times[5], t, column) for column in of.theta_mean.T]
    np.testing.assert_allclose(model(page, "dots", "m.data.y"), mean, atol=1e-5)
    drawn = model(page, "particles", "Array.from(m.data.ys[7]).slice(0, 5)")
    np.testing.assert_allclose(drawn, of.theta_mean[:5, 7], atol=1e-6)
    model(page, "curve", "m.active = 0")


def test_a_click_on_the_map_picks_a_particle(page: Any, result: Result) -> None:
    pick(page)
    move(page, 4)
    assert text_of(page, "picked_name") == "click one"
    click(page, "map", *centres()[8])
    assert model(page, "particles", "m.selected.indices") == [8]
    assert text_of(page, "picked_name") == "particle[8]"
    assert text_of(page, "picked_obstruction") == "3"
    assert text_of(page, "picked_t25_1") == f"{t25(3, True):.3f}"
    theta = text_of(page, "picked_mean")
    of = result.particles
    assert of is not None
    at = np.interp(result.frame_times[4], result["time"].values, of.theta_mean[:, 8])
    assert float(theta) == pytest.approx(at, abs=1e-4)
    move(page, 20)
    assert text_of(page, "picked_mean") != theta, "its numbers follow the slider"


def test_a_click_on_a_curve_picks_its_particle(page: Any, result: Result) -> None:
    of = result.particles
    assert of is not None
    row = 15
    hour, theta = result["time"].values[row] / 3600, of.theta_surface[row, 7]
    pick(page)
    click(page, "curve_particles", hour, theta)
    assert model(page, "particles", "m.selected.indices") == [7]
    assert text_of(page, "picked_name") == "particle[7]"


def test_of_several_the_first_is_picked(page: Any) -> None:
    pick(page, 3, 1)
    assert model(page, "particles", "m.selected.indices") == [3]
    assert text_of(page, "picked_name") == "particle[3]"
    pick(page)
    assert text_of(page, "picked_mean") == "–"


def test_the_curves_change_their_axis(page: Any, result: Result) -> None:
    model(page, "abscissa", "m.active = 1")
    first = model(page, "particles", "m.data.xs[2][100]")
    # 1 mAh/g are 3600 A s/kg; single precision
    assert first == pytest.approx(result["capacity"].values[100] / 3600, rel=1e-5)
    model(page, "abscissa", "m.active = 0")
    assert model(page, "history", "m.data.x === m.data.time") is True


def test_the_half_cycles_are_told(page: Any) -> None:
    text = text_of(page, "half-cycles")
    assert "charge 1" in text and "10.8 %" in text and "particle[9] (observed)" in text


def test_text_from_the_run_is_never_executed(page: Any) -> None:
    assert "Synthetic electrode <5 & 5>" in page.title


def test_no_error_on_the_console(page: Any) -> None:
    """Last, so that it has seen what the other tests did."""
    assert complaints(page) == []
