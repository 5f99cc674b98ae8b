"""The report in a real browser: the slider moves the map and the cursor, offline, without an
error.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmcsim.figures.sampler import Sampler
from nmcsim.report import write_report
from nmcsim.results import Result
from tests.chromium import complaints, loaded_from_outside, missing_browser, model, move, opened
from tests.synthetic import synthetic_result


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("report") / "aged"
    return Result.load(synthetic_result(folder, error_bars=True))


@pytest.fixture(scope="module")
def page(browser: Any, result: Result) -> Any:
    """The open report, once its frames are unpacked."""
    return opened(browser, result)


def test_the_page_is_small_and_names_nothing_outside(page: Any, result: Result) -> None:
    path = result.directory / "report.html"
    assert path.stat().st_size < 8e6
    assert loaded_from_outside(page) == []


def test_the_slider_moves_map_cursor_and_cards(page: Any, result: Result) -> None:
    assert result.map is not None
    sample = Sampler(result.map)
    columns = sample.shape[1]
    inside = np.flatnonzero(sample.inside.ravel())
    pixels = inside[[0, len(inside) // 3, len(inside) // 2, -1]].tolist()
    for frame in (0, 20, 60, 7):
        move(page, frame)
        seen = model(page, "frames", f"{pixels}.map((p) => m.data.image[0][p])")
        true = sample(result.map.theta[frame])[np.searchsorted(inside, pixels)]
        # 12 bits over a span below 1: half a step is 1.2e-4, and float32 adds 1e-7
        np.testing.assert_allclose(seen, true, atol=1.25e-4, err_msg=f"frame {frame}")
        cursor = model(page, "cursor_voltage", "m.location")
        assert cursor == pytest.approx(result.map.time[frame] / 60)
        shown = page.execute_script("return document.getElementById('now_voltage').textContent")
        assert shown == f"{result.at(result.map.time[frame])['voltage']:.4g} V"
    corner = model(page, "frames", "isNaN(m.data.image[0][0])")
    assert corner is True, f"outside the particle nothing is drawn ({columns} columns)"


def test_the_drawn_map_changes(page: Any) -> None:
    """Not only the data: the picture on the screen differs between two frames."""
    from selenium.webdriver.support.ui import WebDriverWait

    move(page, 0)
    early = page.get_screenshot_as_png()
    move(page, 60)
    WebDriverWait(page, 10).until(lambda b: b.get_screenshot_as_png() != early)


def test_the_curves_change_their_axis(page: Any, result: Result) -> None:
    move(page, 30)
    model(page, "abscissa", "m.active = 2")
    soc = 100 * result.at(float(result.map.time[30]))["soc"]  # type: ignore[union-attr]
    assert model(page, "cursor_voltage", "m.location") == pytest.approx(soc)
    assert model(page, "history", "m.data.x === m.data.soc") is True
    model(page, "abscissa", "m.active = 0")


def test_play_moves_the_slider(page: Any) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    move(page, 0)
    model(page, "play", "m.active = true")
    WebDriverWait(page, 10).until(lambda b: model(b, "frame", "m.value") >= 3)
    model(page, "play", "m.active = false")


def test_hovering_shows_a_value(page: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    find_text = """
        const all = (root) => [...root.querySelectorAll("*")].flatMap(
            (node) => node.shadowRoot ? [node, ...all(node.shadowRoot)] : [node]);
        const text = (n) => n.shadowRoot ? n.shadowRoot.textContent : n.textContent;
        return all(document).filter((n) => n.matches(".bk-Tooltip")).map(text).join(" ");
    """
    root = page.find_element(By.CSS_SELECTOR, ".viewer > div")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", root)
    ActionChains(page).move_to_element_with_offset(root, -20, 0).pause(0.3).move_by_offset(
        5, 5
    ).perform()
    WebDriverWait(page, 10).until(lambda b: "θ" in b.execute_script(find_text))


def test_every_figure_can_be_downloaded(page: Any) -> None:
    links = page.execute_script(
        "return [...document.querySelectorAll('figcaption a')].map((a) => [a.download, a.href])"
    )
    assert len(links) == 10
    for name, href in links:
        kind = "image/png" if name.endswith(".png") else "application/pdf"
        assert href.startswith(f"data:{kind};base64,") and len(href) > 5000, name


def test_text_from_the_run_is_never_executed(page: Any) -> None:
    text = page.execute_script("return document.getElementById('case').textContent")
    assert "5f1c0a<script>alert(1)</script>" in text


def test_no_error_on_the_console(page: Any) -> None:
    """Last, so that it has seen what the other tests did."""
    assert complaints(page) == []


def test_a_missing_browser_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert missing_browser().startswith("no Chromium is installed (apt-get install")


def test_the_report_lies_where_it_was_asked(tmp_path: Path, result: Result) -> None:
    write_report(result, tmp_path / "other.html")
    assert (tmp_path / "other.html").is_file()
