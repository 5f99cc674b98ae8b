"""What all tests share: one thread, no display, a browser if there is one, no rank left waiting."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest

from tests.sharing import (  # noqa: F401  (hooks of pytest)
    pytest_configure_node,
    pytest_runtest_protocol,
    pytest_unconfigure,
)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The clone that the tests belong to."""
    return ROOT


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Headless Chromium, driven by selenium; ``browser.get_log("browser")`` is its console.

    Without Chromium the test is skipped in so many words, or fails where
    ``NMCSIM_REQUIRE_BROWSER`` is set (``.ci/run`` sets it).
    """
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        sentence = "no chromium and chromedriver on this machine: the report was not opened"
        if os.environ.get("NMCSIM_REQUIRE_BROWSER"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(driver)
    session = webdriver.Chrome(options=options, service=service)
    yield session
    session.quit()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Under mpirun a failing rank ends the job at once, or the others would wait for ever."""
    report = yield
    mpi = sys.modules.get("mpi4py.MPI")
    if report.failed and mpi is not None and mpi.COMM_WORLD.size > 1:
        sys.stderr.write(f"rank {mpi.COMM_WORLD.rank}: {item.nodeid}\n{report.longreprtext}\n")
        sys.stderr.flush()
        mpi.COMM_WORLD.Abort(1)
    return report
