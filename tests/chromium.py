"""A report opened in headless Chromium, offline, and what its page then holds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from nmcsim.report import write_report
from nmcsim.results import Result

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--window-size=1240,1400",
    # offline: every name but the local ones fails to resolve
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def missing_browser() -> str:
    """What is not here to open a page with; empty if all is."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed"
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return "no Chromium is installed (apt-get install chromium chromium-driver)"
    if not shutil.which("chromedriver"):
        return "no chromedriver is installed (apt-get install chromium-driver)"
    return ""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser driven by selenium; without one the test is skipped in so many words, or fails
    where ``NMCSIM_REQUIRE_BROWSER`` is set.
    """
    lacking = missing_browser()
    if lacking and os.environ.get("NMCSIM_REQUIRE_BROWSER") == "1":
        pytest.fail(f"the report was not opened: {lacking}")
    if lacking:
        pytest.skip(f"the report was not opened: {lacking}")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            options.binary_location = found
            break
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


def opened(browser: Any, result: Result) -> Any:
    """The report of ``result``, once its frames are unpacked."""
    from selenium.webdriver.support.ui import WebDriverWait

    path = result.directory / "report.html"
    write_report(result, path)
    browser.get(path.as_uri())
    WebDriverWait(browser, 60).until(
        lambda b: b.execute_script("return document.body.dataset.ready === 'yes'")
    )
    return browser


def model(page: Any, name: str, expression: str) -> Any:
    """The value of a JavaScript ``expression`` of ``m``, the Bokeh model called ``name``."""
    return page.execute_script(
        f"const m = Bokeh.documents[0].get_model_by_name({name!r}); return {expression};"
    )


def move(page: Any, frame: int) -> None:
    """Move the slider."""
    model(page, "frame", f"m.value = {frame}")


def text_of(page: Any, name: str) -> str:
    """The text of the element with that id."""
    return str(page.execute_script(f"return document.getElementById({name!r}).textContent"))


def click(page: Any, plot: str, x: float, y: float) -> None:
    """Click into the Bokeh plot called ``plot`` where its axes say (x, y)."""
    from selenium.webdriver.common.action_chains import ActionChains

    at = page.execute_script(
        """
        const plot = Bokeh.documents[0].get_model_by_name(arguments[0]);
        const all = (view) => [view, ...[...view.children()].flatMap(all)];
        const view = Bokeh.index.roots.flatMap(all).find((view) => view.model === plot);
        view.el.scrollIntoView({block: "center"});
        const box = view.el.getBoundingClientRect();
        const {x_scale, y_scale} = view.frame;
        return [box.left + x_scale.compute(arguments[1]), box.top + y_scale.compute(arguments[2])];
        """,
        plot, x, y,
    )  # fmt: skip
    actions = ActionChains(page)
    actions.w3c_actions.pointer_action.move_to_location(*(round(v) for v in at))
    actions.w3c_actions.pointer_action.click()
    actions.perform()


def loaded_from_outside(page: Any) -> list[str]:
    """What the page asked the network or the disk for."""
    loaded = page.execute_script(
        "return performance.getEntriesByType('resource').map((e) => e.name)"
    )
    return [name for name in loaded if not name.startswith(("data:", "blob:"))]


def complaints(page: Any) -> list[Any]:
    """Errors and warnings on the console since it was last asked."""
    return [e for e in page.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
