"""The page of a sweep of a thousand cases: written, opened, brushed."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import Row
from nmcsim.report.sweep import write_sweep_report
from tests.chromium import chromium, missing_browser
from tests.synthetic_sweep import synthetic_sweep

CASES = 1000
REPEATS = 3

DRAWN = """
const drawn = () => {  // reading a pixel waits until the canvas is painted
  nmcsimSweep.flush();
  for (const panel of [nmcsimSweep.map, nmcsimSweep.curves, nmcsimSweep.parallel]) {
    panel.lower.getContext("2d").getImageData(0, 0, 1, 1);
  }
};
"""

BRUSH = """
const s = nmcsimSweep, spent = [];
const [low, high] = s.columns[0].span;
drawn();
for (let k = 1; k <= 12; k++) {
  const began = performance.now();
  s.brush(s.columns[0].name, {low, high: low + (high - low) * k / 12, slice: false});
  drawn();
  spent.push(performance.now() - began);
}
return spent;
"""


def rows() -> list[Row]:
    """The table's part on the page of a sweep; about half a minute."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "sweep"
        plan = synthetic_sweep(directory, CASES, failures=10)
        spent = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            path = write_sweep_report(directory)
            spent.append(time.perf_counter() - began)
        note = f"{len(plan.cases)} cases, slowest of {REPEATS}"
        found = [
            Row("page of a sweep: written", max(spent), "s", 3.0, True, note),
            Row("page of a sweep: size", path.stat().st_size / 1e6, "MB", 8.0, True),
        ]
        if lacking := missing_browser():
            print(f"the page was not opened: {lacking}")
            return found
        return [*found, *_opened(path)]


def _opened(path: Path) -> list[Row]:
    """Seconds until all is drawn, and of a brush from the pointer to the last pixel."""
    spent: list[float] = []
    with chromium() as browser:
        for _ in range(REPEATS):
            began = time.perf_counter()
            browser.get(path.as_uri())
            _wait(browser)
            spent.append(time.perf_counter() - began)
        brushes = browser.execute_script(DRAWN + BRUSH)
    note = "headless Chromium without a GPU, slowest of"
    return [
        Row("page of a sweep: opened and drawn", max(spent), "s", 3.0, True, f"{note} {REPEATS}"),
        Row("page of a sweep: a brush, all three panels", max(brushes), "ms", 100.0, True,
            f"{note} {len(brushes)}, the last one keeps all cases"),
    ]  # fmt: skip


def _wait(browser: Any) -> None:
    while browser.execute_script("return document.body.dataset.ready !== 'yes'"):
        time.sleep(0.01)
    browser.execute_script(f"{DRAWN} drawn();")
