"""The page of a sweep in a real browser: selectors redraw, brushes filter, a click picks a case
everywhere; offline, without an error.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nmcsim.report.sweep import write_sweep_report
from nmcsim.sweeps.plan import Plan, Planned
from nmcsim.sweeps.record import Record
from tests.chromium import complaints, loaded_from_outside, text_of
from tests.synthetic_sweep import COVERAGE, FAILURES, RATE, RATIO, synthetic_sweep

REPORTED, KEPT, PRUNED, GONE = 11, 12, 13, 14
"""Numbers of a case with a report, of one with a history, one with less, and one with nothing."""


def opened(browser: Any, path: Path) -> Any:
    """The page, once its figures are drawn."""
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(path.as_uri())
    WebDriverWait(browser, 30).until(
        lambda b: b.execute_script("return document.body.dataset.ready === 'yes'")
    )
    return browser


def rewritten(directory: Path, change: Callable[[Record], Record]) -> None:
    """Change all records of a sweep."""
    for path in (directory / "records").iterdir():
        change(Record.read(path)).write(path)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep") / "many cases"
    plan = replace(synthetic_sweep(folder, 48, missing=2), keep="summary")
    plan.write(folder)
    there = {REPORTED: "report.html", KEPT: "history.h5", PRUNED: "case.toml"}
    for number, name in there.items():
        result = folder / "cases" / plan.cases[number - 1].hash
        result.mkdir()
        (result / name).write_text("its own")
    return folder


@pytest.fixture(scope="module")
def plan(directory: Path) -> Plan:
    return Plan.read(directory)


@pytest.fixture(scope="module")
def page(browser: Any, directory: Path) -> Any:
    return opened(browser, write_sweep_report(directory))


@pytest.fixture(autouse=True)
def start_afresh(request: pytest.FixtureRequest) -> None:
    """No brush and no case picked, whatever the test before did."""
    if "page" in request.fixturenames:
        page = request.getfixturevalue("page")
        page.execute_script("nmcsimSweep.clearBrushes(); nmcsimSweep.pick(-1); scrollTo(0, 0)")


def value(page: Any, expression: str) -> Any:
    """Of a JavaScript ``expression`` of ``s``, what the page offers to the console."""
    return page.execute_script(f"const s = nmcsimSweep; s.flush(); return {expression};")


def picture(page: Any, panel: str) -> str:
    return str(value(page, f"s.{panel}.lower.toDataURL()"))


def choose(page: Any, selector: str, option: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    Select(page.find_element(By.CSS_SELECTOR, selector)).select_by_value(option)


def pointer(page: Any, panel: str, *points: tuple[float, float]) -> Any:
    """A pointer that presses at the first point of a panel and lets go at the last one."""
    from selenium.webdriver.common.action_chains import ActionChains

    left, top = page.execute_script(
        """
        const root = nmcsimSweep[arguments[0]].root;
        root.scrollIntoView({block: "center"});
        const box = root.getBoundingClientRect();
        return [box.left, box.top];
        """,
        panel,
    )
    actions = ActionChains(page)
    mouse = actions.w3c_actions.pointer_action
    for n, (x, y) in enumerate(points):
        mouse.move_to_location(round(left + x), round(top + y))
        if n == 0:
            mouse.pointer_down()
    mouse.pointer_up()
    return actions


def drag(page: Any, name: str, low: float, high: float) -> None:
    """Brush an axis of the parallel coordinates between two values, or a little beyond its ends."""
    x, *ends = value(
        page,
        f"(({{x, scale}}) => [x, Math.min(scale.at({low}), scale.from + 9),"
        f" Math.max(scale.at({high}), scale.to - 9)])"
        f"(s.parallel.axes.find((a) => a.column.name === {name!r}))",
    )
    middle = (x + 3, sum(ends) / 2)
    pointer(page, "parallel", (x, ends[0]), middle, (x, ends[1])).perform()


def drawn_curves(page: Any) -> int:
    """How many curves are drawn in colour when the panel is drawn anew."""
    return int(
        value(
            page,
            """(() => {
                let drawn = 0;
                const {curves} = s;
                curves.style = (...of) => {
                    drawn += 1;
                    Object.getPrototypeOf(curves).style.apply(curves, of);
                };
                curves.stale();
                curves.flush();
                delete curves.style;
                return drawn;
            })()""",
        )
    )


def between(plan: Plan, **ranges: tuple[float, float]) -> list[Planned]:
    keys = {"coverage": COVERAGE, "ratio": RATIO}
    return [
        c for c in plan.cases
        if all(low <= c.values[keys[k]] <= high for k, (low, high) in ranges.items())
    ]  # fmt: skip


def test_the_page_names_nothing_outside_and_counts_its_cases(page: Any) -> None:
    assert loaded_from_outside(page) == []
    counts = page.execute_script(
        "return [...document.querySelectorAll('[data-count] b')].map((b) => b.textContent)"
    )
    assert counts[:5] == ["48", "42", "1", "3", "2"]
    assert text_of(page, "passing") == "all 48 cases"
    assert text_of(page, "status") == "3 failed"


def test_selectors_redraw_the_map(page: Any) -> None:
    seen = {picture(page, "map")}
    for selector, option in (
        ("#map-colour", "soc_end"),
        ("#map-x", RATE),
        ("#map-y", "capacity_charge_1"),
        ("#map-x", "com_distance_max"),
        ("#map-colour", ""),
    ):
        before = len(seen)
        choose(page, selector, option)
        seen.add(picture(page, "map"))
        assert len(seen) == before + 1, (selector, option)
    for selector, option in (
        ("#map-x", COVERAGE), ("#map-y", RATIO), ("#map-colour", "com_distance_max"),
    ):  # fmt: skip
        choose(page, selector, option)
    assert picture(page, "map") in seen


def test_selectors_redraw_the_curves(page: Any) -> None:
    seen = {picture(page, "curves")}
    for selector, option in (
        ("#curves-x", "soc"), ("#curves-y", "com_distance"), ("#line-colour", RATE),
        ("#line-colour", "soc_end"),
    ):  # fmt: skip
        before = len(seen)
        choose(page, selector, option)
        seen.add(picture(page, "curves"))
        assert len(seen) == before + 1, (selector, option)
    # 60 points in per cent and micrometres, as people read them
    assert value(page, "s.curves.choice.x.title") == "State of charge / %"
    assert value(page, "s.curves.choice.y.title") == "Centre-of-mass distance / µm"
    for selector, option in (
        ("#curves-x", "capacity"), ("#curves-y", "voltage"), ("#line-colour", COVERAGE),
    ):  # fmt: skip
        choose(page, selector, option)


def test_an_axis_can_be_added(page: Any) -> None:
    axes = value(page, "s.parallel.axes.length")
    box = "document.querySelector('#parallel-axes input[value=soc_end]')"
    page.execute_script(f"{box}.click()")
    assert value(page, "s.parallel.axes.length") == axes + 1
    page.execute_script("nmcsimSweep.brush('soc_end', {low: 2.4, high: 2.5, slice: false})")
    assert text_of(page, "passing") != "all 48 cases"
    page.execute_script(f"{box}.click()")
    assert value(page, "s.parallel.axes.length") == axes
    assert text_of(page, "passing") == "all 48 cases", "an axis that is gone filters nothing"


def test_a_slice_leaves_one_value_on_the_map(page: Any, plan: Plan) -> None:
    choose(page, f"select[data-name={RATE}]", "2")
    fast = [c.number for c in plan.cases if c.values[RATE] == "5C"]
    assert value(page, "[...s.map.spots.keys()].map((i) => i + 1)") == fast
    assert text_of(page, "passing") == f"{len(fast)} of 48 cases"
    assert "rate = 5C" in text_of(page, "filters")
    choose(page, f"select[data-name={RATE}]", "all")
    assert value(page, "s.map.spots.size") == 48


def test_a_brush_filters_the_curves_and_dims_the_map(page: Any, plan: Plan) -> None:
    undimmed = picture(page, "map")
    drag(page, COVERAGE, 0.2, 0.6)
    inside = between(plan, coverage=(0.2, 0.6))
    assert 0 < len(inside) < 48
    assert text_of(page, "passing") == f"{len(inside)} of 48 cases"
    assert drawn_curves(page) == len(inside)
    assert picture(page, "map") != undimmed
    drag(page, RATIO, -1.0, 0.3)
    both = between(plan, coverage=(0.2, 0.6), ratio=(0.0, 0.3))
    assert 0 < len(both) < len(inside)
    assert drawn_curves(page) == len(both)
    rows = list(csv.DictReader(value(page, "s.casesCsv()").splitlines()))
    assert [int(row["case"]) for row in rows] == [c.number for c in both]


def test_double_clicks_take_brushes_away(page: Any, plan: Plan) -> None:
    drag(page, COVERAGE, 0.2, 0.6)
    drag(page, RATIO, 0.1, 0.3)
    x, wide = value(page, "[s.parallel.axes[0].x, s.parallel.apart]")
    for at, left in ((x, [RATIO]), (x + wide / 2, [])):
        for _ in range(2):
            actions = pointer(page, "parallel", (at, 200.0))
            actions.w3c_actions.pointer_action.pointer_down()
            actions.w3c_actions.pointer_action.pointer_up()
        actions.perform()
        assert value(page, "[...s.state.brushes.keys()]") == left
    assert text_of(page, "passing") == "all 48 cases"


def test_a_brush_on_texts_keeps_their_cases(page: Any) -> None:
    drag(page, RATE, 0.6, 2.4)
    assert text_of(page, "passing") == "32 of 48 cases"
    assert text_of(page, "filters") == "rate: 1C, 5C"
    page.execute_script("document.getElementById('clear').click()")
    assert text_of(page, "passing") == "all 48 cases"


def test_cases_without_the_number_do_not_pass_its_brush(page: Any) -> None:
    drag(page, "com_distance_max", -9.0, 9.0)
    # two are open, and of the one that was killed nothing is known
    assert text_of(page, "passing") == "45 of 48 cases"


@pytest.mark.parametrize("number", [REPORTED, KEPT, PRUNED, GONE])
def test_a_click_on_a_point_picks_its_case(
    page: Any, plan: Plan, directory: Path, number: int
) -> None:
    x, y, w, h = value(page, f"(({{x, y, w, h}}) => [x, y, w, h])(s.map.spots.get({number - 1}))")
    pointer(page, "map", (x + w / 2, y + h / 2)).perform()
    assert value(page, "s.state.selected") == number - 1
    planned = plan.cases[number - 1]
    told = text_of(page, "picked")
    assert f"coverage{planned.values[COVERAGE]:g}" in told and planned.hash in told
    link = page.execute_script("return document.querySelector('#own-report a')?.href")
    said = text_of(page, "own-report")
    if number == REPORTED:
        assert link == (directory / "cases" / planned.hash / "report.html").as_uri()
    elif number == KEPT:
        assert said.endswith(f"nmcsim report '{directory.as_posix()}/cases/{planned.hash}'")
    elif number == PRUNED:
        assert said.startswith('Its history was not kept (keep = "summary"); solved again')
        assert f"/{planned.hash}/case.toml' --out results/" in said
    else:
        assert said == "No files of this case are there." and link is None


def test_a_click_on_a_curve_picks_its_case(page: Any) -> None:
    # the case whose curve reaches highest: nothing lies above it
    page.execute_script("nmcsimSweep.brush('rate', {low: 2, high: 2, slice: true})")
    i, x, y = value(
        page,
        """(() => {
            let found = [-1, 0, Infinity];
            for (let i = 0; i < s.state.passes.length; i++) {
                const p = s.curves.lines[i];
                if (s.state.passes[i] && p[41] < found[2]) found = [i, p[40], p[41]];
            }
            return found;
        })()""",
    )
    pointer(page, "curves", (x, y)).perform()
    assert value(page, "s.state.selected") == i
    assert value(page, "document.getElementById('case').value") == str(i + 1)


def test_a_click_beside_everything_picks_nothing(page: Any) -> None:
    page.execute_script("nmcsimSweep.pick(3)")
    pointer(page, "curves", (4.0, 4.0)).perform()
    assert value(page, "s.state.selected") == -1
    assert "Click a point" in text_of(page, "picked")


def test_failures_are_listed_and_their_rows_pick(page: Any) -> None:
    rows = page.execute_script(
        "return [...document.querySelectorAll('#failed-cases tbody tr')]"
        ".map((r) => [...r.cells].map((c) => c.textContent))"
    )
    assert [row[4] for row in rows] == ["failed", "ended early", "failed", "failed"]
    assert [tuple(row[5:]) for row in rows if row[4] == "failed"] == list(FAILURES)
    page.execute_script("document.querySelector('#failed-cases tbody tr:last-child').click()")
    assert value(page, "s.state.selected") == int(rows[-1][0]) - 1
    assert FAILURES[2][1] in text_of(page, "picked") and "failed: killed" in text_of(page, "picked")


def test_keys_go_from_case_to_case_that_pass(page: Any, plan: Plan) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page.execute_script("nmcsimSweep.brush(arguments[0], {low: 0.2, high: 0.6})", COVERAGE)
    inside = [c.number for c in between(plan, coverage=(0.2, 0.6))]
    figure = page.find_element(By.ID, "map-figure")
    figure.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert value(page, "s.state.selected") == inside[1] - 1
    figure.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert value(page, "s.state.selected") == inside[-1] - 1
    figure.send_keys(Keys.ESCAPE)
    assert value(page, "s.state.selected") == -1


def test_hovering_tells_the_case(page: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    box = page.execute_script(
        "const r = nmcsimSweep.map.root; r.scrollIntoView({block: 'center'});"
        "const b = r.getBoundingClientRect(), s = nmcsimSweep.map.spots.get(20);"
        "return [b.left + s.x + s.w / 2, b.top + s.y + s.h / 2]"
    )
    actions = ActionChains(page)
    actions.w3c_actions.pointer_action.move_to_location(*map(round, box))
    actions.perform()
    assert text_of(page, "tip").startswith("Case 21")


def test_the_curves_come_as_csv(page: Any, directory: Path, plan: Plan) -> None:
    rows = list(csv.DictReader(value(page, "s.curvesCsv()").splitlines()))
    first = [row for row in rows if row["case"] == "1"]
    record = Record.read(directory / "records" / f"{plan.cases[0].hash}.json")
    assert len(first) == len(record.curves["voltage"].values)
    assert float(first[5]["capacity [mAh/g]"]) == pytest.approx(
        record.curves["capacity"].values[5] / 3600, rel=1e-6
    )


def test_figures_are_offered_as_pictures(page: Any) -> None:
    for panel in ("map", "curves", "parallel"):
        href = page.execute_script(
            f"const a = document.getElementById('{panel}-png');"
            "a.addEventListener('click', (e) => e.preventDefault(), {once: true});"
            "a.click(); return [a.download, a.href]"
        )
        assert href[0] == f"{panel}.png" and href[1].startswith("data:image/png;base64,")
        assert len(href[1]) > 20_000


def test_no_error_on_the_console(page: Any) -> None:
    """Last of those that share the page, so that it has seen what the others did."""
    assert complaints(page) == []


def test_text_of_a_user_is_never_executed(browser: Any, tmp_path: Path) -> None:
    evil = "</script><img src=x onerror='window.evil = 1'><script>window.evil = 1</script>"
    plan = synthetic_sweep(tmp_path, 12, failures=2)
    named = {c.number: f"{c.values[RATE]}{evil}" for c in plan.cases}
    cases = tuple(
        replace(c, values=dict(c.values) | {RATE: named[c.number]}, changes={"a.b": evil})
        for c in plan.cases
    )
    replace(plan, title=evil, base={evil: evil}, cases=cases).write(tmp_path)
    rewritten(tmp_path, lambda r: replace(r, cause=evil, host=evil, status="failed"))
    page = opened(browser, write_sweep_report(tmp_path))
    page.execute_script("nmcsimSweep.pick(0); nmcsimSweep.state.hovered = 1")
    assert evil in text_of(page, "picked") and evil in text_of(page, "failed-cases")
    assert page.execute_script("return window.evil") is None
    assert page.title == evil and complaints(page) == []


def test_pages_of_unusual_sweeps_open(browser: Any, tmp_path: Path) -> None:
    plan = synthetic_sweep(tmp_path, 12, failures=0)
    assert "all 12 cases" in text_of(opened(browser, write_sweep_report(tmp_path)), "passing")

    bare = {"status": "failed", "kind": "error", "observables": {}, "curves": {}}
    rewritten(tmp_path, lambda record: replace(record, **bare))
    page = opened(browser, write_sweep_report(tmp_path))
    assert text_of(page, "status") == "12 failed"
    assert value(page, "s.map.choice.colour") is None and value(page, "s.curves") is None

    for record in (tmp_path / "records").iterdir():
        record.unlink()
    page = opened(browser, write_sweep_report(tmp_path))
    assert text_of(page, "status") == "12 open"
    assert "None: no case failed" in text_of(page, "failures")

    replace(plan, parameters=(), cases=plan.cases[:1]).write(tmp_path)
    page = opened(browser, write_sweep_report(tmp_path))
    assert text_of(page, "passing") == "all 1 case"
    replace(plan, parameters=(), cases=()).write(tmp_path)
    assert text_of(opened(browser, write_sweep_report(tmp_path)), "passing") == "all 0 cases"
    assert complaints(browser) == []


def test_a_page_is_printed(browser: Any, directory: Path) -> None:
    """On paper it is as fine as three pixels to the dot, and as it was when it is back."""
    page = opened(browser, write_sweep_report(directory))
    ratio = "[s.map.lower.width / s.map.width, s.map.lower.width]"
    before = value(page, ratio)
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert value(page, ratio)[0] == pytest.approx(3.0, rel=0.01)
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert json.dumps(value(page, ratio)) == json.dumps(before)
